//! A closed Hive with somebody of every kind in it, keys in every standing, and things that are theirs and others'.

use std::collections::BTreeMap;

use lab3_engine::{Actor, Command, Order, Submission};
use lab3_trust::{CreateKey, Holder, KeyText, Kind, NameTreasurers, Principal, PublicKey, Treasurers};
use lab3_units::{Did, Id};
use serde_json::{Value, json};

use super::model::{KINDS, LINES, Line, Who, widest};
use crate::hive::{ALICE, BOB, Hive};
use crate::keys::{get_as, post_as};

/// Somebody there is not.
pub const NOBODYS: &str = "did:kaizen:nobody";

/// A key, and its number.
#[derive(Clone, Debug, Default)]
pub struct Keyed {
    pub text: String,
    pub number: u64,
}

/// Things on the stage by whose they are, in the words of the API.
#[derive(Debug, Default)]
pub struct Things {
    /// A number whose key is another of alice's, the treasurer's and bob's.
    pub spare: BTreeMap<&'static str, u64>,
    /// Allocations: alice's own, the one a service opened for her, bob's.
    pub allocation: BTreeMap<&'static str, String>,
    /// Transactions of alice, the treasurer, bob.
    pub transaction: BTreeMap<&'static str, String>,
    /// Jobs and certificates of alice and bob.
    pub job: BTreeMap<&'static str, String>,
    pub certificate: BTreeMap<&'static str, String>,
    /// Transactions for which alice and bob wrote something.
    pub written: BTreeMap<&'static str, String>,
}

pub struct Stage {
    pub hive: Hive,
    pub keys: BTreeMap<Who, Keyed>,
    pub things: Things,
}

/// The DID of a treasurer, made of a secret of 32 such bytes.
fn did_of(secret: u8) -> String {
    PublicKey::of_secret(&[secret; 32]).to_did().unwrap().to_string()
}

/// Who is named treasurer.
pub fn treasurer() -> String {
    did_of(7)
}

/// Who has a treasurer's key, and is none.
pub fn unseated() -> String {
    did_of(8)
}

impl Stage {
    /// The Hive before its first key: all that is there was made by somebody on its machine.
    pub async fn open() -> Self {
        let hive = Hive::new();
        let mut things = Things::default();
        for (name, did) in [("alice", ALICE), ("bob", BOB), ("treasurer", &treasurer())] {
            let body = json!({ "to_did": did, "amount": 1000, "reason": "to begin with" });
            let minted = hive.post("/lab3/financial/mint", &body).await.ok();
            things.transaction.insert(name, minted["tx_id"].as_str().unwrap().to_owned());
        }
        // Something for grants.
        for (name, did) in [("alice", ALICE), ("bob", BOB)] {
            let body = json!({ "from_did": did, "amount": 100, "reason": "for the well" });
            let given = hive.post("/lab3/financial/contribute", &body).await.ok();
            things.written.insert(name, given["tx_id"].as_str().unwrap().to_owned());
        }
        for (name, did) in [("alice", ALICE), ("service", ALICE), ("bob", BOB)] {
            things.allocation.insert(name, allocate(&hive, None, did).await);
        }
        for (name, did) in [("alice", ALICE), ("bob", BOB)] {
            let booked = hive.post("/lab3/energy/bookings", &booking(did)).await.ok();
            things.job.insert(name, booked["jobs"][0]["job_id"].as_str().unwrap().to_owned());
            let issue = certified(did, name, "2025-10-31T12:00:00Z");
            let issued = hive.post("/lab3/energy/certificates", &issue).await.ok();
            things.certificate.insert(name, issued["certificate_id"].as_str().unwrap().to_owned());
        }
        Self { hive, keys: BTreeMap::new(), things }
    }

    pub async fn new() -> Self {
        let mut stage = Self::open().await;
        stage.make_keys().await;
        stage
    }

    async fn make_keys(&mut self) {
        // The first key closes the Hive. Alice's is it, since no later one gets the scope `money` without a signature.
        let alice = self.make(None, &asking("citizen", widest("citizen"))).await;
        let operator = self.first_operator().await;
        self.keys.extend([(Who::Full("citizen"), alice.clone()), (Who::Full("operator"), operator.clone())]);
        for (name, body) in [
            ("alice", asking("citizen", &["read"])),
            ("bob", json!({ "kind": "citizen", "did": BOB, "scopes": ["read"] })),
            ("treasurer", asking("treasurer", &["read"])),
        ] {
            let spare = self.make(Some(&operator), &body).await;
            self.things.spare.insert(name, spare.number);
        }
        for kind in KINDS {
            let maker = if kind == "citizen" { alice.clone() } else { operator.clone() };
            if !matches!(kind, "citizen" | "operator") {
                let full = self.make(Some(&maker), &asking(kind, widest(kind))).await;
                self.keys.insert(Who::Full(kind), full);
            }
            for who in in_other_ways(kind) {
                let key = self.make(Some(&maker), &in_this_way(kind, who)).await;
                self.keys.insert(who, key);
            }
        }
        let mut unseated = asking("treasurer", widest("treasurer"));
        unseated["did"] = self::unseated().into();
        let unseated = self.make(Some(&operator), &unseated).await;
        self.keys.insert(Who::Unseated, unseated);
        self.name_treasurer().await;
        for (name, who) in [("alice", Who::Full("citizen")), ("service", Who::Full("service"))] {
            let opened = allocate(&self.hive, Some(&self.keys[&who].text), ALICE).await;
            self.things.allocation.insert(name, opened);
        }
        for kind in KINDS {
            self.replace(kind).await;
        }
        for kind in KINDS {
            let path = format!("/lab3/keys/{}/revoke", self.keys[&Who::Revoked(kind)].number);
            post_as(&self.hive, &self.keys[&Who::Full("operator")].text, &path, &json!({})).await.ok();
        }
        // The keys that expire do.
        self.hive.pass(60).await;
        let listed = get_as(&self.hive, &self.keys[&Who::Full("operator")].text, "/lab3/keys").await.ok();
        for (who, key) in &self.keys {
            let standing = listed["keys"].as_array().unwrap().iter().find(|one| one["number"] == key.number).unwrap();
            let expected = match who {
                Who::Expired(_) => "expired",
                Who::Revoked(_) => "revoked",
                Who::Overlap(_) => "overlap",
                _ => "valid",
            };
            assert_eq!(standing["standing"], expected, "{who:?}");
        }
    }

    async fn make(&self, maker: Option<&Keyed>, body: &Value) -> Keyed {
        let made = match maker {
            Some(maker) => post_as(&self.hive, &maker.text, "/lab3/keys", body).await,
            None => self.hive.post("/lab3/keys", body).await,
        };
        keyed(&made.ok())
    }

    /// The operator's first key, as `lab3 key create` makes it on the folder itself.
    async fn first_operator(&self) -> Keyed {
        let key = KeyText::make(Kind::Operator, [1; 8], &[1; 32]);
        let (id, hash, scopes) = (key.id(), key.hash(), Kind::Operator.widest());
        let create = CreateKey { id, hash, holder: Holder::Operator, scopes, expires: None, note: "".into(), citizens: Vec::new() };
        self.order(Principal::Desk, create).await;
        Keyed { text: key.show_once().to_owned(), number: 2 }
    }

    async fn name_treasurer(&self) {
        let text = KeyText::parse(&self.keys[&Who::Full("operator")].text).unwrap();
        let engine = &self.hive.engine;
        let operator = engine.trust().authenticate(engine.now(), &text).unwrap();
        let treasurers = Treasurers::new(1, [Did::parse(&treasurer()).unwrap()]).unwrap();
        self.order(operator, NameTreasurers { treasurers, approval: None }).await;
    }

    async fn order(&self, principal: Principal, command: impl Into<lab3_trust::Command>) {
        let actor = Actor::of(&principal).unwrap();
        let order = Order { principal, command: command.into() };
        let id = Id::from_bytes([u8::try_from(self.keys.len()).unwrap() + 100; 16]);
        let submission = Submission::new(actor, None, id, Command::Trust(Box::new(order)));
        self.hive.engine.submit(submission).await.unwrap();
    }

    /// Replaces a kind's full key: the old one is in its overlap from now on.
    async fn replace(&mut self, kind: &'static str) {
        let old = self.keys[&Who::Full(kind)].clone();
        let path = format!("/lab3/keys/{}/rotate", old.number);
        let by = if kind == "citizen" { &old } else { &self.keys[&Who::Full("operator")] };
        let made = post_as(&self.hive, &by.text, &path, &json!({})).await.ok();
        self.keys.insert(Who::Full(kind), keyed(&made));
        self.keys.insert(Who::Overlap(kind), old);
    }
}

fn keyed(made: &Value) -> Keyed {
    Keyed { text: made["key"].as_str().unwrap().to_owned(), number: made["number"].as_u64().unwrap() }
}

/// The ways beside the full one in which a kind's keys come, that are made alike.
fn in_other_ways(kind: &'static str) -> Vec<Who> {
    let mut ways: Vec<Who> = LINES.iter().flat_map(Line::askers).filter(|who| matches!(who, Who::Lacking(of, _) if *of == kind)).collect();
    ways.sort_unstable();
    ways.dedup();
    ways.extend([Who::Expired(kind), Who::Revoked(kind)]);
    ways
}

/// What to ask for to get such a key.
fn in_this_way(kind: &'static str, who: Who) -> Value {
    let lacking = if let Who::Lacking(_, scope) = who { scope } else { "" };
    let scopes: Vec<&str> = widest(kind).iter().copied().filter(|scope| *scope != lacking).collect();
    let mut body = asking(kind, &scopes);
    if matches!(who, Who::Expired(_)) {
        body["expires_at"] = "2025-10-31T14:30:59Z".into();
    }
    body
}

/// A request for a key of that kind with these scopes.
fn asking(kind: &str, scopes: &[&str]) -> Value {
    let mut body = json!({ "kind": kind, "scopes": scopes });
    match kind {
        "citizen" => body["did"] = ALICE.into(),
        "treasurer" => body["did"] = treasurer().into(),
        "service" => {
            body["citizens"] = json!([ALICE]);
            body["daily_cap_gic"] = 1000.into();
        }
        "steward" => body["name"] = "energy".into(),
        "meter" | "witness" => body["name"] = "roof-1".into(),
        _ => {}
    }
    body
}

/// A job of an hour that begins in the hour that is.
pub fn booking(did: &str) -> Value {
    json!({ "citizen_did": did, "plan": {
        "start": "2025-10-31T14:00:00Z", "step_minutes": 60, "carbon_g_per_kwh": [300],
        "jobs": [{ "id": "one", "power_kw": 1, "duration_minutes": 60, "deadline": "2025-10-31T15:00:00Z" }],
    } })
}

/// What a device generated.
pub fn certified(owner: &str, device: &str, hour: &str) -> Value {
    json!({ "device": device, "source": "solar", "hour": hour, "generated_kwh": 1.5, "owner_did": owner })
}

/// Opens an allocation.
async fn allocate(hive: &Hive, key: Option<&str>, citizen: &str) -> String {
    let body = json!({ "citizen_did": citizen, "query_tokens": 10, "preferred_provider": "deepseek", "min_quality": 0.1 });
    let path = "/lab3/compute/allocate";
    let opened = match key {
        Some(key) => post_as(hive, key, path, &body).await,
        None => hive.post(path, &body).await,
    };
    opened.ok()["allocation_id"].as_str().unwrap().to_owned()
}
