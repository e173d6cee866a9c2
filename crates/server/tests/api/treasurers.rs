//! Treasurers over the API: named once by the operator, from then on k of n sign; and the rules of the Hive they change.

use lab3_engine::{Actor, Signed};
use lab3_trust::{Act, Change, DidKeyEvent, PolicyLines, PublicKey, Signature, Statement, Treasurers};
use lab3_units::{Amount, Did, Id, Time};
use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive, Reply};
use crate::intents::{bring, closed, statement};
use crate::keys::{get_as, make, post_as};

/// The secret of a treasurer is 32 of the same byte.
fn treasurer(secret: u8) -> Did {
    PublicKey::of_secret(&[secret; 32]).to_did().unwrap()
}

/// What treasurers of these secrets sign, as it is brought.
pub fn countersigned(statement: &Statement, secrets: &[u8]) -> Value {
    let text = statement.text();
    let sign = |&secret: &u8| {
        let key = PublicKey::of_secret(&[secret; 32]).to_string();
        let signature = Signature::sign(&[secret; 32], text.as_bytes()).to_string();
        json!({ "treasurer": treasurer(secret).to_string(), "public_key": key, "signature": signature })
    };
    json!({ "intent": text, "signatures": secrets.iter().map(sign).collect::<Vec<_>>() })
}

/// A closed Hive with its operator's key, of whose treasurers 11, 12 and 13 two have to sign.
async fn governed() -> (Hive, String) {
    let (hive, operator, _) = closed().await;
    let dids: Vec<String> = [11, 12, 13].map(|secret| treasurer(secret).to_string()).to_vec();
    post_as(&hive, &operator, "/lab3/treasurers", &json!({ "needed": 2, "treasurers": dids })).await.ok();
    (hive, operator)
}

fn mint(units: i64) -> Act {
    Act::Mint { to: Did::parse(BOB).unwrap(), amount: Amount::new(units), memo: None }
}

fn lines(pairs: &[(&str, &str)]) -> Act {
    Act::Policy(PolicyLines::new(pairs.iter().copied()).unwrap())
}

async fn balance(hive: &Hive, operator: &str, did: &str) -> String {
    get_as(hive, operator, &format!("/lab3/financial/balance/{did}")).await.ok()["balance_gic"].to_string()
}

/// Refused, and nothing changed.
#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str, field: Option<&str>, words: &str) {
    reply.refused(status, code, field);
    let detail = reply.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(words), "{detail}");
}

#[tokio::test]
async fn the_operator_names_them_once_and_then_only_they_do() {
    let (hive, operator, _) = closed().await;
    let told = get_as(&hive, &operator, "/lab3/treasurers").await.ok();
    assert_eq!(told, json!({ "needed": 0, "treasurers": [] }));
    let name = async |body: Value| post_as(&hive, &operator, "/lab3/treasurers", &body).await;
    let did = |secret| treasurer(secret).to_string();
    name(json!({ "needed": 2, "treasurers": [did(11)] })).await.refused(400, "L3-0006", Some("needed"));
    name(json!({ "needed": 0, "treasurers": [did(11)] })).await.refused(400, "L3-0006", Some("needed"));
    name(json!({ "needed": 1, "treasurers": [did(11), did(12), did(11)] })).await.refused(400, "L3-0006", Some("treasurers[2]"));
    name(json!({ "needed": 1, "treasurers": [ALICE] })).await.refused(400, "L3-0006", Some("treasurers"));
    name(json!({ "needed": 1, "treasurers": [] })).await.refused(400, "L3-0006", Some("treasurers"));
    name(json!({ "needed": 2, "treasurers": [did(11), did(12), did(13)] })).await.ok();
    let told = get_as(&hive, &operator, "/lab3/treasurers").await.ok();
    let key = PublicKey::of_secret(&[12; 32]).to_string();
    assert_eq!(told["needed"], 2);
    assert!(told["treasurers"].as_array().unwrap().contains(&json!({ "did": did(12), "public_keys": [key] })), "{told}");
    // The refusal has the text that has to be signed, and that text does it.
    let next = json!({ "needed": 1, "treasurers": [did(14)] });
    let reply = name(next).await;
    refused(&reply, 403, "L3-0037", Some("intent"), "lab3 wallet sign");
    let detail = reply.json()["detail"].as_str().unwrap().to_owned();
    let statement = Statement::parse(&detail[detail.find("lab3 intent 1\n").unwrap()..]).unwrap();
    bring(&hive, &countersigned(&statement, &[11])).await.refused(403, "L3-0038", Some("intent"));
    bring(&hive, &countersigned(&statement, &[13, 11])).await.ok();
    assert_eq!(get_as(&hive, &operator, "/lab3/treasurers").await.ok()["treasurers"][0]["did"], did(14));
    // Those before have no say any more.
    bring(&hive, &countersigned(&self::statement(50, mint(1)), &[11, 12])).await.refused(403, "L3-0038", Some("intent"));
    bring(&hive, &countersigned(&self::statement(50, mint(1)), &[14])).await.ok();
}

#[tokio::test]
async fn new_money_takes_two_of_three() {
    let (hive, operator) = governed().await;
    let before = hive.state_hash().await;
    let wanted = statement(9, mint(5_000_000));
    let text = wanted.text();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = countersigned(&wanted, &[11, 13]);
        change(&mut body);
        body
    };
    let holds_not = [
        countersigned(&wanted, &[11]),
        countersigned(&wanted, &[11, 11]),
        countersigned(&wanted, &[11, 14]),
        countersigned(&wanted, &[11, 12, 14]),
        with(&|body| body["signatures"][1]["treasurer"] = treasurer(12).to_string().into()),
        with(&|body| body["signatures"][1]["signature"] = body["signatures"][0]["signature"].clone()),
        with(&|body| body["intent"] = text.replace("5000000", "9000000").into()),
        with(&|body| body["intent"] = text.replace(BOB, ALICE).into()),
        with(&|body| body["memo"] = "another".into()),
        countersigned(&Statement { journal: Id::from_bytes([8; 16]), ..wanted.clone() }, &[11, 12]),
        countersigned(&Statement { hive: lab3_trust::HiveName::parse("elsewhere").unwrap(), ..wanted.clone() }, &[11, 12]),
        countersigned(&Statement { not_after: Time::parse("2025-10-31T14:29:59Z").unwrap(), ..wanted.clone() }, &[11, 12]),
    ];
    for body in &holds_not {
        let reply = bring(&hive, body).await;
        assert_eq!((reply.status, reply.json()["code"].as_str().unwrap()), (403, "L3-0038"), "{body}: {}", reply.text());
    }
    let malformed = with(&|body| body["signatures"][1]["signature"] = "AAAA".into());
    bring(&hive, &malformed).await.refused(403, "L3-0038", Some("signatures[1].signature"));
    let none = with(&|body| drop(body.as_object_mut().unwrap().remove("signatures")));
    bring(&hive, &none).await.refused(400, "L3-0002", Some("signatures"));
    let alone = with(&|body| body["public_key"] = "z6Mk".into());
    bring(&hive, &alone).await.refused(400, "L3-0006", Some("public_key"));
    bring(&hive, &with(&|body| body["signatures"] = json!([]))).await.refused(400, "L3-0006", Some("signatures"));
    assert_eq!(hive.state_hash().await, before, "nothing half done");

    let done = bring(&hive, &countersigned(&wanted, &[13, 11])).await.ok();
    assert_eq!((&done["act"], &done["tx_id"]), (&json!("mint"), &json!(wanted.id.text("tx").to_string())));
    assert_eq!(balance(&hive, &operator, BOB).await, "5.0");
    // Once, whoever brings it and whichever two signed.
    for secrets in [&[13, 11], &[12, 13]] {
        let again = bring(&hive, &countersigned(&wanted, secrets)).await;
        assert_eq!((again.header("idempotency-replayed"), again.ok()), (Some("true"), done.clone()));
    }
    assert_eq!(balance(&hive, &operator, BOB).await, "5.0");
    let stored = hive.engine.find(wanted.id).await.unwrap().unwrap();
    let Some(Signed::Approval(approval)) = stored.record.signed.as_deref() else { panic!("{stored:?}") };
    assert_eq!((stored.record.actor, approval.signatures.len()), (Actor::Signed, 2));
    assert!(approval.clone().verify(&wanted).is_ok(), "an auditor can check it years later");
}

#[tokio::test]
async fn the_operator_alone_makes_no_money_any_more() {
    let (hive, operator) = governed().await;
    let asked = [
        ("/lab3/financial/mint", json!({ "to_did": BOB, "amount": 3, "reason": "welcome" })),
        ("/lab3/financial/grant", json!({ "recipient_did": BOB, "amount": 2, "project": "beds" })),
        ("/lab3/policy", json!({ "set": { "finance.epoch_reward_gic": 1_000_000 } })),
    ];
    let early = make(&hive, Some(&operator), json!({ "kind": "treasurer", "did": treasurer(11).to_string() })).await;
    for (path, body) in &asked {
        let before = hive.state_hash().await;
        for key in [&operator, &early] {
            refused(&post_as(&hive, key, path, body).await, 403, "L3-0037", Some("intent"), "lab3 intent 1\nhive: riverside\n");
        }
        assert_eq!(hive.state_hash().await, before);
    }
    // What the refusal says to sign, signed and brought with its salt, is done; the memo is the words that were asked with.
    for (path, body) in &asked[..2] {
        let refusal = post_as(&hive, &operator, path, body).await.json()["detail"].as_str().unwrap().to_owned();
        let statement = Statement::parse(&refusal[refusal.find("lab3 intent 1\n").unwrap()..]).unwrap();
        let salt = refusal.split(" as memo_salt").next().unwrap().rsplit(' ').next().unwrap();
        let mut signed = countersigned(&statement, &[11, 12]);
        (signed["memo"], signed["memo_salt"]) = (body.get("reason").or(body.get("project")).unwrap().clone(), salt.into());
        bring(&hive, &signed).await.ok();
        let told = get_as(&hive, &operator, &format!("/lab3/financial/transactions/{}", statement.id.text("tx"))).await.ok();
        let words = told["metadata"].as_object().unwrap().values().next();
        assert_eq!(words, Some(&signed["memo"]), "{told}");
    }
    assert_eq!(balance(&hive, &operator, BOB).await, "5.0");
}

#[tokio::test]
async fn a_treasurer_whose_key_was_revoked_counts_no_more() {
    let (hive, operator, _) = closed().await;
    let alice = Did::parse(ALICE).unwrap();
    let key = PublicKey::of_secret(&[21; 32]);
    let event = |id, number, change| statement(id, Act::DidKey(DidKeyEvent { did: alice.clone(), number, change, recovery: None }));
    let own = |statement: &Statement| {
        let signature = Signature::sign(&[21; 32], statement.text().as_bytes()).to_string();
        json!({ "intent": statement.text(), "public_key": key.to_string(), "signature": signature })
    };
    post_as(&hive, &operator, "/lab3/intents", &own(&event(20, 1, Change::Add(key)))).await.ok();
    let body = json!({ "needed": 2, "treasurers": [ALICE, treasurer(11).to_string()] });
    post_as(&hive, &operator, "/lab3/treasurers", &body).await.ok();
    let signed = |id| {
        let mut body = countersigned(&statement(id, mint(1)), &[11, 21]);
        body["signatures"][1]["treasurer"] = ALICE.into();
        body
    };
    let (first, second) = (signed(30), signed(31));
    bring(&hive, &first).await.ok();
    // Between signing and bringing.
    let rotate = Change::Rotate { old: key, new: PublicKey::of_secret(&[22; 32]) };
    bring(&hive, &own(&event(32, 2, rotate))).await.ok();
    refused(&bring(&hive, &second).await, 403, "L3-0038", Some("intent"), "is no key of did:kaizen:alice, or no longer");
    assert_eq!(bring(&hive, &first).await.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn treasurers_freeze_again_at_once_and_the_operator_does_not() {
    let (hive, operator) = governed().await;
    let freeze = |id, hours| statement(id, Act::Freeze { citizen: Did::parse(ALICE).unwrap(), hours, reason: "stolen".into() });
    let until = async || get_as(&hive, &operator, &format!("/lab3/dids/{ALICE}")).await.ok()["frozen_until"].clone();
    let body = json!({ "citizen_did": ALICE, "hours": 1, "reason": "stolen" });
    post_as(&hive, &operator, "/lab3/members/freeze", &body).await.ok();
    assert_eq!(until().await, "2025-10-31T15:30:00Z");
    refused(&bring(&hive, &countersigned(&freeze(1, 1), &[11, 12])).await, 409, "L3-0064", Some("citizen_did"), "already");
    for hours in [73, 0] {
        bring(&hive, &countersigned(&freeze(2, hours), &[11, 12])).await.refused(400, "L3-0006", Some("hours"));
    }
    bring(&hive, &countersigned(&freeze(3, 72), &[11])).await.refused(403, "L3-0038", Some("intent"));
    bring(&hive, &countersigned(&freeze(3, 72), &[11, 12])).await.ok();
    assert_eq!(until().await, "2025-11-03T14:30:00Z");
    hive.pass(72 * 3600).await;
    post_as(&hive, &operator, "/lab3/members/freeze", &body).await.refused(409, "L3-0064", Some("citizen_did"));
    let again = Statement { not_after: Time::parse("2025-12-01T00:00:00Z").unwrap(), ..freeze(4, 2) };
    bring(&hive, &countersigned(&again, &[13, 12])).await.ok();
    assert_eq!(until().await, "2025-11-03T16:30:00Z");
}

#[tokio::test]
async fn rules_are_from_a_closed_list_and_hold_at_once() {
    let (hive, operator, _) = closed().await;
    let set = async |body: Value| post_as(&hive, &operator, "/lab3/policy", &json!({ "set": body })).await;
    let rule = async |name: &str| {
        let told = get_as(&hive, &operator, "/lab3/policy").await.ok();
        let rules = told["rules"].as_array().unwrap().clone();
        let rule = rules.into_iter().find(|rule| rule["name"] == name).unwrap();
        [&rule["value"], &rule["from"], &rule["configured"]].map(|word| word.as_str().unwrap().to_owned())
    };
    assert_eq!(rule("trust.unsigned_max_gic").await, ["1.0", "configuration", "1.0"]);
    refused(&set(json!({ "log.reader": "members" })).await, 400, "L3-0003", Some("set.log.reader"), "Did you mean log.readers?");
    refused(&set(json!({ "log.readers": "friends" })).await, 400, "L3-0006", Some("set.log.readers"), "everybody, members or auditors");
    for (value, code) in [(json!(-1), "L3-0006"), (json!(0.000_000_1), "L3-0006"), (json!(true), "L3-0005"), (json!(null), "L3-0005")] {
        set(json!({ "trust.unsigned_max_gic": value })).await.refused(400, code, Some("set.trust.unsigned_max_gic"));
    }
    set(json!({})).await.refused(400, "L3-0006", Some("set"));
    set(json!([])).await.refused(400, "L3-0005", Some("set"));
    let twice = r#"{"set": {"finance.grants": "open", "finance.grants": "governed"}}"#;
    let bearer = format!("Bearer {operator}");
    let sent = hive.post_text("/lab3/policy", &[("Authorization", &bearer)], twice).await;
    sent.refused(400, "L3-0004", Some("set.finance.grants"));

    let alice = make(&hive, Some(&operator), json!({ "kind": "citizen", "did": ALICE, "scopes": ["read", "journal"] })).await;
    set(json!({ "trust.unsigned_max_gic": 2.5, "finance.fee_percent": "1", "log.readers": "auditors" })).await.ok();
    assert_eq!(rule("trust.unsigned_max_gic").await, ["2.5", "policy", "1.0"]);
    assert_eq!(hive.get("/lab3/hive").await.ok()["unsigned_max_gic"].to_string(), "2.5");
    assert_eq!(get_as(&hive, &operator, "/lab3/financial/pool").await.ok()["fee_percent"].to_string(), "1.0");
    let records = "/lab3/log/tile/data/000.p/1";
    refused(&get_as(&hive, &alice, records).await, 403, "L3-0036", None, "log.readers");
    hive.get(records).await.refused(401, "L3-0034", Some("Authorization"));
    assert_eq!(get_as(&hive, &operator, records).await.status, 200);
    set(json!({ "log.readers": "everybody", "trust.unsigned_max_gic": "default" })).await.ok();
    assert_eq!((hive.get(records).await.status, get_as(&hive, &alice, records).await.status), (200, 200));
    assert_eq!(rule("trust.unsigned_max_gic").await, ["1.0", "configuration", "1.0"]);
    set(json!({ "log.readers": "default" })).await.ok();
    assert_eq!((hive.get(records).await.status, get_as(&hive, &alice, records).await.status), (401, 200));
}

#[tokio::test]
async fn treasurers_change_rules_together() {
    let (hive, operator) = governed().await;
    let good = lines(&[("finance.epoch_reward_gic", "7"), ("trust.unsigned_max_gic", "0")]);
    bring(&hive, &countersigned(&statement(1, good.clone()), &[12])).await.refused(403, "L3-0038", Some("intent"));
    let unknown = countersigned(&statement(1, lines(&[("finance.epoch_rewards_gic", "7")])), &[11, 12]);
    refused(&bring(&hive, &unknown).await, 400, "L3-0003", Some("intent"), "Did you mean finance.epoch_reward_gic?");
    let wrong = countersigned(&statement(1, lines(&[("finance.grants", "closed")])), &[11, 12]);
    refused(&bring(&hive, &wrong).await, 400, "L3-0006", Some("intent"), "open or governed");
    bring(&hive, &countersigned(&statement(1, good), &[12, 13])).await.ok();
    let closed = post_as(&hive, &operator, "/lab3/financial/epoch/close", &json!({})).await.ok();
    assert_eq!(closed["total_reward_gic"].to_string(), "7.0", "{closed}");
}

#[tokio::test]
async fn without_treasurers_nobodys_approval_counts() {
    let (hive, operator, _) = closed().await;
    refused(&bring(&hive, &countersigned(&statement(1, mint(1)), &[11])).await, 403, "L3-0038", Some("intent"), "no treasurers");
    let first = Act::Treasurers(Treasurers::new(1, [treasurer(11)]).unwrap());
    for body in [countersigned(&statement(2, first), &[11]), countersigned(&statement(3, lines(&[("log.readers", "everybody")])), &[11])] {
        refused(&bring(&hive, &body).await, 403, "L3-0038", Some("intent"), "no treasurers");
        // The operator names them, and does so by the other road: an approval of nobody's is nobody's.
        refused(&post_as(&hive, &operator, "/lab3/intents", &body).await, 403, "L3-0038", Some("intent"), "no treasurers");
    }
}
