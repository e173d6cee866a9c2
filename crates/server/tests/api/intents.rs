//! What members sign: paid by the signature alone, once, as it was signed; and what takes one.

use axum::body::Body;
use axum::http::{Request, header};
use lab3_engine::{Actor, Command, Order, Signed, Submission};
use lab3_server::Peer;
use lab3_trust::{Act, Change, DidKeyEvent, HiveName, Inscription, MemoHash, Principal, PublicKey, Signature, Statement};
use lab3_units::{Amount, Did, Id, Time};
use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive, Reply};
use crate::keys::{get_as, make, post_as};

pub const SEED: [u8; 32] = [3; 32];
pub const SALT: [u8; 16] = [0xa5; 16];

/// A closed Hive with an inscribed journal: its operator's key, and a member who has her key in her name and 10 MIC.
pub async fn closed() -> (Hive, String, Did) {
    let hive = Hive::new();
    let member = PublicKey::of_secret(&SEED).to_did().unwrap();
    inscribe(&hive).await;
    hive.mint(member.as_str(), "10").await;
    hive.mint(ALICE, "10").await;
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    (hive, operator, member)
}

/// Says whose journal it is.
pub async fn inscribe(hive: &Hive) {
    let inscription = Inscription { hive: HiveName::parse("riverside").unwrap(), journal: Id::from_bytes([7; 16]), log_key: [0; 32] };
    let order = Order { principal: Principal::Desk, command: inscription.into() };
    let inscribe = Submission::new(Actor::Engine, None, Id::from_bytes([1; 16]), Command::Trust(Box::new(order)));
    hive.engine.submit(inscribe).await.unwrap();
}

pub fn statement(id: u8, act: Act) -> Statement {
    let not_after = Time::parse("2025-10-31T15:00:00Z").unwrap();
    Statement {
        hive: HiveName::parse("riverside").unwrap(),
        journal: Id::from_bytes([7; 16]),
        id: Id::from_bytes([id; 16]),
        not_after,
        act,
    }
}

pub fn transfer(from: &Did, mic: i64, memo: Option<&str>) -> Act {
    let memo = memo.map(|memo| MemoHash::of(&SALT, memo));
    let (amount, fee_max) = (Amount::new(mic * 1_000_000), Amount::new(1000));
    Act::Transfer { from: from.clone(), to: Did::parse(BOB).unwrap(), amount, fee_max, memo }
}

pub fn signed(statement: &Statement, seed: &[u8; 32]) -> Value {
    let text = statement.text();
    let signature = Signature::sign(seed, text.as_bytes()).to_string();
    json!({ "intent": text, "public_key": PublicKey::of_secret(seed).to_string(), "signature": signature })
}

/// Brought by somebody far away, without a key.
pub async fn bring(hive: &Hive, body: &Value) -> Reply {
    let request = Request::post("/lab3/intents").header(header::CONTENT_TYPE, "application/json");
    let peer = Peer { remote: ([10, 0, 0, 7], 1).into(), trusted_user: None };
    hive.send(request.header(header::HOST, "desk.example").extension(peer).body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_signature_pays_once_and_stands_in_the_journal() {
    let (hive, operator, member) = closed().await;
    let wanted = statement(9, transfer(&member, 4, Some("for the midwife")));
    let mut body = signed(&wanted, &SEED);
    (body["memo"], body["memo_salt"]) = (json!("for the midwife"), json!("a5".repeat(16)));
    let done = bring(&hive, &body).await.ok();
    assert_eq!((&done["act"], &done["tx_id"]), (&json!("transfer"), &json!(wanted.id.text("tx").to_string())));
    let balance =
        async |did: &str| get_as(&hive, &operator, &format!("/lab3/financial/balance/{did}")).await.ok()["balance_gic"].to_string();
    assert_eq!((balance(BOB).await, balance(member.as_str()).await), ("4.0".to_owned(), "5.99996".to_owned()));
    let again = bring(&hive, &body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.ok(), done);
    assert_eq!(balance(BOB).await, "4.0");
    let stored = hive.engine.find(wanted.id).await.unwrap().unwrap();
    let Some(Signed::Intent(intent)) = stored.record.signed.as_deref() else { panic!("{stored:?}") };
    assert!(intent.clone().verify(&wanted).is_ok(), "an auditor can check it years later");
    assert_eq!(stored.record.actor, Actor::Signed);
}

#[tokio::test]
async fn what_was_not_signed_so_is_not_paid() {
    let (hive, _, member) = closed().await;
    let good = statement(9, transfer(&member, 1, None));
    let body = signed(&good, &SEED);
    let before = hive.state_hash().await;
    let with = |field: &str, value: Value| {
        let mut body = body.clone();
        body[field] = value;
        body
    };
    let text = good.text();
    let tampered = [
        with("intent", json!(text.replace("1000000", "9000000"))),
        with("intent", json!(text.replace(BOB, ALICE))),
        with("intent", json!(text.trim_end())),
        with("intent", json!(text.replace("riverside", "elsewhere"))),
        with("intent", json!(text.replace("lab3 intent 1", "lab3 intent 2"))),
        with("public_key", json!(PublicKey::of_secret(&[4; 32]).to_string())),
        with("public_key", json!("z6Mk")),
        with("signature", json!("AAAA")),
        signed(&good, &[4; 32]),
        signed(&Statement { not_after: Time::parse("2025-10-31T14:29:59Z").unwrap(), ..good.clone() }, &SEED),
        signed(&Statement { journal: Id::from_bytes([8; 16]), ..good.clone() }, &SEED),
        signed(&statement(9, transfer(&Did::parse(ALICE).unwrap(), 1, None)), &SEED),
        with("memo", json!("another memo")),
    ];
    for body in tampered {
        let reply = bring(&hive, &body).await;
        assert_eq!((reply.status, reply.json()["code"].as_str().unwrap()), (403, "L3-0038"), "{body}");
    }
    // The fee is above what was signed.
    let act = |fee_max| match transfer(&member, 4, None) {
        Act::Transfer { from, to, amount, memo, .. } => Act::Transfer { from, to, amount, fee_max: Amount::new(fee_max), memo },
        other => other,
    };
    bring(&hive, &signed(&statement(8, act(39)), &SEED)).await.refused(403, "L3-0038", Some("intent"));
    assert_eq!(hive.state_hash().await, before);
    bring(&hive, &signed(&statement(8, act(40)), &SEED)).await.ok();
}

#[tokio::test]
async fn who_has_a_key_to_sign_with_pays_nothing_unsigned() {
    let hive = Hive::with_alice("10").await;
    let alice = make(&hive, None, json!({ "kind": "citizen", "did": ALICE })).await;
    let member = PublicKey::of_secret(&SEED).to_did().unwrap();
    let pay = |from: &str, amount: &str| json!({ "from_did": from, "to_did": BOB, "amount": amount });
    let path = "/lab3/financial/transfer";
    post_as(&hive, &alice, path, &pay(ALICE, "1")).await.ok();
    post_as(&hive, &alice, path, &pay(ALICE, "1.000001")).await.refused(403, "L3-0037", Some("intent"));
    post_as(&hive, &alice, "/lab3/financial/contribute", &json!({ "from_did": ALICE, "amount": 2 })).await.refused(
        403,
        "L3-0037",
        Some("intent"),
    );
    drop(member);
}

#[tokio::test]
async fn a_member_enrols_her_key_and_from_then_on_signs() {
    let (hive, operator, _) = closed().await;
    let alice = Did::parse(ALICE).unwrap();
    let event = |id, number, change| statement(id, Act::DidKey(DidKeyEvent { did: alice.clone(), number, change, recovery: None }));
    let first = signed(&event(20, 1, Change::Add(PublicKey::of_secret(&SEED))), &SEED);
    // Nobody answers for a stranger's first key.
    bring(&hive, &first).await.refused(401, "L3-0035", None);
    post_as(&hive, &operator, "/lab3/intents", &first).await.ok();
    let keys = get_as(&hive, &operator, &format!("/lab3/dids/{ALICE}")).await.ok();
    assert_eq!((&keys["keys"], &keys["next_event"]), (&json!([PublicKey::of_secret(&SEED).to_string()]), &json!(2)));
    bring(&hive, &signed(&statement(21, transfer(&alice, 1, None)), &SEED)).await.ok();
    // She changes her key herself; the old one signs no more.
    let next = [5; 32];
    let rotate = Change::Rotate { old: PublicKey::of_secret(&SEED), new: PublicKey::of_secret(&next) };
    bring(&hive, &signed(&event(22, 2, rotate), &SEED)).await.ok();
    bring(&hive, &signed(&statement(23, transfer(&alice, 1, None)), &SEED)).await.refused(403, "L3-0038", Some("intent"));
    bring(&hive, &signed(&statement(23, transfer(&alice, 1, None)), &next)).await.ok();
}

#[tokio::test]
async fn nothing_leaves_a_frozen_account() {
    let (hive, operator, member) = closed().await;
    let freeze = json!({ "citizen_did": member.as_str(), "hours": 2, "reason": "her keys were stolen" });
    post_as(&hive, &operator, "/lab3/members/freeze", &freeze).await.ok();
    let pay = signed(&statement(9, transfer(&member, 1, None)), &SEED);
    bring(&hive, &pay).await.refused(403, "L3-0039", None);
    let refused = hive.engine.submit(waiting(&member)).await.unwrap_err();
    assert_eq!(refused.code(), lab3_units::Code::ACCOUNT_FROZEN, "nor does a query that waits");
    post_as(&hive, &operator, "/lab3/members/freeze", &freeze).await.refused(409, "L3-0064", Some("citizen_did"));
    post_as(&hive, &operator, "/lab3/members/thaw", &json!({ "citizen_did": member.as_str(), "reason": "found" })).await.ok();
    bring(&hive, &pay).await.ok();
    hive.engine.submit(waiting(&member)).await.unwrap();
}

/// A query that may wait until the evening.
fn waiting(citizen: &lab3_units::Did) -> lab3_engine::Submission {
    let allocate = lab3_compute::Allocate {
        citizen: citizen.clone(),
        tokens: 10,
        priority: lab3_compute::Priority::Standard,
        min_quality: None,
        max_cost: None,
        preferred: None,
        explain: false,
    };
    let deadline = lab3_units::Time::parse("2025-10-31T20:00:00Z").unwrap();
    let defer = lab3_compute::Defer { allocate, deadline, chances: Vec::new() };
    let id = lab3_units::Id::from_bytes([0xde; 16]);
    lab3_engine::Submission::new(lab3_engine::Actor::Signed, None, id, lab3_engine::Command::Defer(Box::new(defer)))
}

#[tokio::test]
async fn a_seal_closes_the_hive_without_a_key() {
    let hive = Hive::new();
    assert_eq!(hive.get("/lab3/hive").await.ok()["open"], json!(true));
    hive.post("/lab3/seal", &json!({})).await.ok();
    let told = hive.get("/lab3/hive").await.ok();
    assert_eq!((&told["open"], &told["closed_at"]), (&json!(false), &json!(crate::hive::NOW)));
    hive.post("/lab3/keys", &json!({ "kind": "operator" })).await.refused(401, "L3-0034", Some("Authorization"));
}
