//! What exports earned, shared by the payer's signature: as was signed, once, and not otherwise.

use lab3_energy::Fact as Energy;
use lab3_engine::{Actor, Fact, Signed};
use lab3_trust::{Act, PublicKey, SignedEarned, SignedMembers, SignedShare};
use lab3_units::{Amount, Did, Id, Time};
use serde_json::json;

use crate::exports::{self, CAROL, SHARE, share};
use crate::hive::{BOB, Hive};
use crate::intents::{SEED, bring, closed, inscribe, signed, statement};
use crate::kept::Kept;
use crate::keys::{get_as, make, post_as};

/// What two hours earned, as the payer signs it.
fn wills(from: &Did, earned: SignedEarned, among: SignedMembers) -> Act {
    of_meter("grid", from, earned, among)
}

fn of_meter(device: &str, from: &Did, earned: SignedEarned, among: SignedMembers) -> Act {
    let time = |text| Time::parse(text).unwrap();
    let (begin, end) = (time("2025-10-31T12:00:00Z"), time("2025-10-31T14:00:00Z"));
    Act::ShareExports(Box::new(SignedShare { from: from.clone(), device: device.into(), begin, end, earned, among }))
}

fn said(units: i64) -> SignedEarned {
    SignedEarned::Said { amount: Amount::new(units), exported_mwh: Some(Amount::new(1_250_000)) }
}

fn by_weight() -> SignedMembers {
    SignedMembers::Weights([(Did::parse(BOB).unwrap(), 2), (Did::parse(CAROL).unwrap(), 1)].into())
}

#[tokio::test]
async fn who_has_a_key_to_sign_with_shares_as_was_signed() {
    let (hive, operator, member) = closed().await;
    let wanted = statement(9, wills(&member, said(2_000_000), by_weight()));
    let good = signed(&wanted, &SEED);
    let before = hive.state_hash().await;
    let text = wanted.text();
    for (from, to) in [
        ("amount-ks: 2000000", "amount-ks: 2000001"),
        ("did:kaizen:bob 2", "did:kaizen:bob 3"),
        (CAROL, "did:kaizen:dora"),
        ("device: grid", "device: roof"),
        ("begin: 2025-10-31T12", "begin: 2025-10-31T11"),
        ("exported-mwh: 1250000", "exported-mwh: -"),
        ("amount-ks: 2000000\nexported-mwh: 1250000", "counted-max-ks: 2000000"),
    ] {
        assert!(text.contains(from), "{text}");
        let mut body = good.clone();
        body["intent"] = json!(text.replace(from, to));
        bring(&hive, &body).await.refused(403, "L3-0038", Some("intent"));
    }
    bring(&hive, &signed(&wanted, &[4; 32])).await.refused(403, "L3-0038", Some("intent"));
    let mut with_memo = good.clone();
    with_memo["memo"] = json!("thanks");
    bring(&hive, &with_memo).await.refused(403, "L3-0038", Some("memo"));
    assert_eq!(hive.state_hash().await, before);

    let done = bring(&hive, &good).await.ok();
    assert_eq!((&done["act"], &done["tx_id"]), (&json!("share-exports"), &json!(wanted.id.text("tx").to_string())));
    let balance =
        async |did: &str| get_as(&hive, &operator, &format!("/lab3/financial/balance/{did}")).await.ok()["balance_gic"].to_string();
    assert_eq!([balance(member.as_str()).await, balance(BOB).await, balance(CAROL).await], ["8.0", "1.333333", "0.666667"]);
    let again = bring(&hive, &good).await;
    assert_eq!((again.header("idempotency-replayed"), again.ok()), (Some("true"), done));
    // The same hours once more, under another id.
    bring(&hive, &signed(&statement(10, wills(&member, said(1), by_weight())), &SEED)).await.refused(409, "L3-0066", Some("from"));
    let stored = hive.engine.find(wanted.id).await.unwrap().unwrap();
    let Some(Signed::Intent(intent)) = stored.record.signed.as_deref() else { panic!("{stored:?}") };
    assert!(intent.clone().verify(&wanted).is_ok(), "an auditor can check it years later");
    assert_eq!(stored.record.actor, Actor::Signed);
}

#[tokio::test]
async fn many_members_fit_into_an_intent() {
    let (hive, operator, member) = closed().await;
    let members = (0..u16::try_from(lab3_energy::MEMBERS_MAX).unwrap()).map(|at| {
        let [high, low] = at.to_be_bytes();
        let mut secret = [77; 32];
        (secret[0], secret[1]) = (high, low);
        PublicKey::of_secret(&secret).to_did().unwrap()
    });
    let wanted = statement(9, wills(&member, said(8_000), SignedMembers::Equal(members.collect())));
    // Nobody who is not named gets room for so many.
    bring(&hive, &signed(&wanted, &SEED)).await.refused(413, "L3-0012", None);
    post_as(&hive, &operator, "/lab3/intents", &signed(&wanted, &SEED)).await.ok();
    let stored = hive.engine.find(wanted.id).await.unwrap().unwrap();
    let Fact::Energy(Energy::ExportShared(shared)) = &stored.record.fact else { panic!("{stored:?}") };
    assert!(shared.shares.len() == lab3_energy::MEMBERS_MAX && shared.shares.iter().all(|share| share.amount == Amount::new(2)));
}

#[tokio::test]
async fn what_is_counted_is_shared_up_to_what_was_signed() {
    let kept = Kept::new();
    let hive = &kept.hive;
    let member = PublicKey::of_secret(&SEED).to_did().unwrap();
    inscribe(hive).await;
    hive.mint(member.as_str(), "1").await;
    let price = |source: &str| json!({ "kind": "price_export", "zone": "DE", "source": source, "start": "2025-10-31T12:00:00Z", "step_minutes": 60, "values": [0.08, 0.05], "mark": "measured" });
    hive.post("/lab3/energy/signals", &price("tariff")).await.ok();
    let operator = make(hive, None, json!({ "kind": "operator" })).await;
    let counted = |id, most, among| {
        let earned = SignedEarned::Counted { amount_max: Amount::new(most) };
        signed(&statement(id, wills(&member, earned, among)), &SEED)
    };
    // The id is not used up by what the desk does not know yet.
    bring(hive, &counted(9, 285_000, by_weight())).await.refused(400, "L3-0006", Some("intent"));
    let meter = make(hive, Some(&operator), json!({ "kind": "meter", "name": "grid" })).await;
    let readings = exports::counted(&[("11:45", 100.0), ("12:15", 101.0), ("13:00", 102.5), ("13:45", 104.5), ("14:15", 105.5)]);
    post_as(hive, &meter, "/lab3/energy/telemetry", &readings).await.ok();
    bring(hive, &counted(8, 284_999, by_weight())).await.refused(403, "L3-0038", Some("intent"));
    bring(hive, &counted(9, 285_000, by_weight())).await.ok();
    let stored = hive.engine.find(Id::from_bytes([9; 16])).await.unwrap().unwrap();
    let Fact::Energy(Energy::ExportShared(shared)) = &stored.record.fact else { panic!("{stored:?}") };
    assert_eq!((shared.amount, shared.exported_mwh, shared.measured), (Amount::new(285_000), Some(Amount::new(4_500_000)), true));
    // What was shared stays so, whatever else is published by now.
    let steward = make(hive, Some(&operator), json!({ "kind": "steward", "name": "energy" })).await;
    post_as(hive, &steward, "/lab3/energy/signals", &price("other")).await.ok();
    assert_eq!(bring(hive, &counted(9, 285_000, by_weight())).await.header("idempotency-replayed"), Some("true"));
    let refused = bring(hive, &counted(10, 285_000, by_weight())).await;
    refused.refused(400, "L3-0006", Some("intent"));
    assert!(refused.text().contains("names no price"), "{}", refused.text());
    // What the roof's meter reads is not a stranger's to learn.
    let roof = of_meter("roof", &member, SignedEarned::Counted { amount_max: Amount::new(1) }, by_weight());
    bring(hive, &signed(&statement(11, roof), &SEED)).await.refused(403, "L3-0036", Some("intent"));
}

#[tokio::test]
async fn nothing_is_shared_unsigned_by_who_can_sign() {
    let hive = Hive::new();
    let member = PublicKey::of_secret(&SEED).to_did().unwrap();
    inscribe(&hive).await;
    hive.mint(member.as_str(), "1").await;
    let own = make(&hive, None, json!({ "kind": "citizen", "did": member.as_str(), "scopes": ["money", "read"] })).await;
    let body = share(&json!({ "payer_did": member.as_str() }));
    post_as(&hive, &own, SHARE, &body).await.refused(403, "L3-0037", Some("intent"));
    bring(&hive, &signed(&statement(9, wills(&member, said(1_000), by_weight())), &SEED)).await.ok();
}
