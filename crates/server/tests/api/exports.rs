//! What exports earned, shared over HTTP: given and counted, with what members see of it, and what is refused.

use lab3_engine::{Actor, Command, Order, Submission};
use lab3_trust::{CreateKey, Holder, KeyText, Kind, Principal};
use lab3_units::Id;
use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive};
use crate::kept::Kept;
use crate::keys::{get_as, make, post_as};

pub const SHARE: &str = "/lab3/energy/exports/share";
const EXPORTS: &str = "/lab3/energy/exports";
pub const CAROL: &str = "did:kaizen:carol";

/// Alice shares what two hours earned, the last of which ended at 14:00; it is 14:30.
pub fn share(changes: &Value) -> Value {
    let mut body = json!({
        "payer_did": ALICE, "device": "grid", "from": "2025-10-31T12:00:00Z", "to": "2025-10-31T14:00:00Z", "amount_gic": "0.001", "exported_kwh": 1.25,
        "rule": "weights", "members": [{ "did": CAROL, "weight": 1 }, { "did": BOB, "weight": 2 }],
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value.clone(),
        }
    }
    body
}

#[tokio::test]
async fn it_goes_to_each_by_weight_once_under_a_key_and_without_a_fee() {
    let hive = Hive::with_alice("1").await;
    let reply = hive.post_keyed(SHARE, "k1", &share(&json!({}))).await;
    let told = reply.ok();
    let members = json!([{ "did": BOB, "weight": 2, "amount_gic": 0.000_667 }, { "did": CAROL, "weight": 1, "amount_gic": 0.000_333 }]);
    assert_eq!((&told["members"], &told["amount_gic"], &told["exported_kwh"]), (&members, &json!(0.001), &json!(1.25)));
    assert_eq!((&told["rule"], &told["measured"]), (&json!("weights"), &json!(false)));
    assert_eq!([hive.balance(ALICE).await, hive.balance(BOB).await, hive.balance(CAROL).await], ["0.999", "0.000667", "0.000333"]);
    let again = hive.post_keyed(SHARE, "k1", &share(&json!({}))).await;
    assert_eq!((again.text(), again.header("idempotency-replayed")), (reply.text(), Some("true")));
    hive.post(SHARE, &share(&json!({}))).await.refused(409, "L3-0066", Some("from"));
    hive.post(SHARE, &share(&json!({ "from": "2025-10-31T13:00:00Z" }))).await.refused(409, "L3-0066", Some("from"));
    assert_eq!(hive.balance(ALICE).await, "0.999");

    let hers = hive.get(&format!("/lab3/financial/transactions?did={CAROL}")).await.ok();
    let one = &hers["transactions"][0];
    let expected = ("export_share", ALICE, CAROL, "share of exports 2025-10-31T12:00:00Z to 2025-10-31T14:00:00Z");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = (text(&one["type"]), text(&one["from_did"]), text(&one["to_did"]), text(&one["metadata"]["reason"]));
    assert_eq!((&*found.0, &*found.1, &*found.2, &*found.3), expected);
    assert_eq!(text(&one["tx_id"]), format!("{}_1", text(&told["tx_id"])));
    let found = hive.get(&format!("/lab3/financial/transactions/{}", text(&one["tx_id"]))).await.ok();
    assert_eq!(&found, one);
}

#[tokio::test]
async fn the_latest_sharings_are_listed() {
    let hive = Hive::with_alice("1").await;
    assert_eq!(hive.get(EXPORTS).await.ok(), json!({ "sharings": [] }));
    let first = hive.post(SHARE, &share(&json!({}))).await.ok();
    hive.pass(60).await;
    hive.post(
        SHARE,
        &share(&json!({ "device": "barn", "rule": "equal", "members": [{ "did": BOB }, { "did": ALICE }], "exported_kwh": null })),
    )
    .await
    .ok();
    let listed = hive.get(&format!("{EXPORTS}?payer_did={ALICE}")).await.ok();
    let expected = json!({
        "tx_id": first["tx_id"], "payer_did": ALICE, "device": "grid", "from": "2025-10-31T12:00:00Z", "to": "2025-10-31T14:00:00Z", "amount_gic": 0.001,
        "exported_kwh": 1.25, "measured": false, "rule": "weights", "members": 2, "timestamp": "2025-10-31T14:30:00Z",
    });
    assert_eq!((&listed["sharings"][1], &listed["sharings"][0]["device"]), (&expected, &json!("barn")));
    assert_eq!((&listed["sharings"][0]["exported_kwh"], &hive.get(EXPORTS).await.ok()), (&Value::Null, &listed));
    assert_eq!(hive.get(&format!("{EXPORTS}?payer_did={CAROL}")).await.ok(), json!({ "sharings": [] }));
}

#[tokio::test]
async fn generation_shares_by_what_was_certified() {
    let hive = Hive::with_alice("1").await;
    let by = |only: Value| share(&json!({ "rule": "generation", "members": only }));
    hive.post(SHARE, &by(Value::Null)).await.refused(404, "L3-0059", Some("rule"));
    for (device, owner, kwh) in [("roof", BOB, 3), ("barn", CAROL, 1)] {
        let issue =
            json!({ "device": device, "source": "solar", "hour": "2025-10-31T13:00:00Z", "generated_kwh": kwh, "owner_did": owner });
        hive.post("/lab3/energy/certificates", &issue).await.ok();
    }
    let told = hive.post(SHARE, &by(Value::Null)).await.ok();
    let members =
        json!([{ "did": BOB, "weight": 3000, "amount_gic": 0.000_750 }, { "did": CAROL, "weight": 1000, "amount_gic": 0.000_250 }]);
    assert_eq!(told["members"], members);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_field_and_nothing_moves() {
    let hive = Hive::with_alice("1").await;
    let before = hive.state_hash().await;
    for (changes, status, code, field) in [
        (json!({ "amount_gic": "1.000001" }), 402, "L3-0040", "amount_gic"),
        (json!({ "payer_did": BOB }), 402, "L3-0040", "amount_gic"),
        (json!({ "amount_gic": 0 }), 400, "L3-0006", "amount_gic"),
        (json!({ "to": "2025-10-31T15:00:00Z" }), 409, "L3-0066", "to"),
        (json!({ "to": "2025-10-31T13:30:00Z" }), 400, "L3-0006", "to"),
        (json!({ "from": "2025-10-31T14:00:00Z" }), 400, "L3-0006", "to"),
        (json!({ "from": "2024-10-30T13:00:00Z" }), 400, "L3-0006", "to"),
        (json!({ "rule": "fair" }), 400, "L3-0006", "rule"),
        (json!({ "rule": "equal" }), 400, "L3-0006", "members[0].weight"),
        (json!({ "rule": "generation" }), 400, "L3-0006", "members[0].weight"),
        (json!({ "members": [] }), 400, "L3-0006", "members"),
        (json!({ "members": null }), 400, "L3-0002", "members"),
        (json!({ "members": [{ "did": BOB }] }), 400, "L3-0002", "members[0].weight"),
        (json!({ "members": [{ "did": BOB, "weight": 0 }] }), 400, "L3-0006", "members[0].weight"),
        (json!({ "members": [{ "did": BOB, "weight": 0.5 }] }), 400, "L3-0005", "members[0].weight"),
        (json!({ "members": [{ "did": BOB, "weight": 1 }, { "did": BOB, "weight": 2 }] }), 400, "L3-0006", "members[1].did"),
        (json!({ "price_zone": "DE" }), 400, "L3-0006", "price_zone"),
        (json!({ "amount_gic": null }), 400, "L3-0006", "exported_kwh"),
        (json!({ "fee": 1 }), 400, "L3-0003", "fee"),
    ] {
        hive.post(SHARE, &share(&changes)).await.refused(status, code, Some(field));
    }
    assert_eq!(hive.state_hash().await, before);
}

/// A counter of what the grid's meter fed in: hour and minute, and its value.
pub fn counted(readings: &[(&str, f64)]) -> Value {
    let reading = |(clock, value): &(&str, f64)| json!({ "device": "grid", "quantity": "export_kwh", "at": format!("2025-10-31T{clock}:00Z"), "value": value });
    json!({ "readings": readings.iter().map(reading).collect::<Vec<_>>() })
}

#[tokio::test]
async fn what_the_meter_fed_in_is_counted_at_its_hours_price() {
    let kept = Kept::new();
    let hive = &kept.hive;
    hive.mint(ALICE, "1").await;
    let measured = share(&json!({ "amount_gic": null, "exported_kwh": null }));
    hive.post(SHARE, &measured).await.refused(404, "L3-0057", Some("price_zone"));
    let price = |source: &str, mark: &str, values: Value| json!({ "kind": "price_export", "zone": "DE", "source": source, "start": "2025-10-31T12:00:00Z", "step_minutes": 60, "values": values, "mark": mark });
    hive.post("/lab3/energy/signals", &price("tariff", "measured", json!([0.08, 0.05]))).await.ok();
    hive.post(SHARE, &measured).await.refused(400, "L3-0006", Some("device"));
    hive.post("/lab3/energy/telemetry", &counted(&[("11:45", 100.0), ("12:15", 101.0), ("13:00", 102.5), ("13:45", 104.5)])).await.ok();
    hive.post(SHARE, &measured).await.refused(400, "L3-0006", Some("device"));
    hive.post("/lab3/energy/telemetry", &counted(&[("14:15", 105.5)])).await.ok();
    hive.post("/lab3/energy/signals", &price("guess", "forecast", json!([9, 9]))).await.ok();
    hive.post(SHARE, &measured).await.refused(400, "L3-0006", Some("price_zone"));
    let with = |source: &str| share(&json!({ "amount_gic": null, "exported_kwh": null, "price_source": source }));
    hive.post(SHARE, &with("guess")).await.refused(400, "L3-0006", Some("from"));
    // 0.5 + 1.5 kWh at 0.08, and 2 + 0.5 kWh at 0.05.
    let told = hive.post_keyed(SHARE, "k1", &with("tariff")).await.ok();
    assert_eq!((&told["amount_gic"], &told["exported_kwh"], &told["measured"]), (&json!(0.285), &json!(4.5), &json!(true)));
    assert_eq!((hive.balance(BOB).await, hive.balance(CAROL).await), ("0.19".to_owned(), "0.095".to_owned()));
    // The first reply is the record's, whatever is known of the meter by now.
    hive.pass(500 * 86_400).await;
    assert_eq!(hive.post_keyed(SHARE, "k1", &with("tariff")).await.ok(), told);
}

/// The operator's key, made by the desk itself.
async fn operator(hive: &Hive) -> String {
    let key = KeyText::make(Kind::Operator, [1; 8], &[1; 32]);
    let (id, hash, scopes) = (key.id(), key.hash(), Kind::Operator.widest());
    let create = CreateKey { id, hash, holder: Holder::Operator, scopes, expires: None, note: "".into(), citizens: Vec::new() };
    let order = Order { principal: Principal::Desk, command: create.into() };
    let actor = Actor::of(&Principal::Desk).unwrap();
    let submission = Submission::new(actor, None, Id::from_bytes([100; 16]), Command::Trust(Box::new(order)));
    hive.engine.submit(submission).await.unwrap();
    key.show_once().to_owned()
}

#[tokio::test]
async fn nobody_but_the_payer_shares_and_not_from_a_frozen_account() {
    let kept = Kept::new();
    let hive = &kept.hive;
    hive.mint(ALICE, "1").await;
    // The first key closes the Hive; no later one gets the scope `money` without a signature.
    let alice = make(hive, None, json!({ "kind": "citizen", "did": ALICE, "scopes": ["money", "read"] })).await;
    let operator = operator(hive).await;
    let bob = make(hive, Some(&operator), json!({ "kind": "citizen", "did": BOB, "scopes": ["read"] })).await;
    post_as(hive, &alice, SHARE, &share(&json!({ "payer_did": BOB }))).await.refused(403, "L3-0036", None);
    post_as(hive, &operator, SHARE, &share(&json!({}))).await.refused(403, "L3-0036", None);
    post_as(hive, &alice, SHARE, &share(&json!({ "amount_gic": null, "exported_kwh": null, "device": "roof" }))).await.refused(
        403,
        "L3-0036",
        Some("device"),
    );
    post_as(hive, &alice, SHARE, &share(&json!({ "amount_gic": null, "exported_kwh": null }))).await.refused(
        404,
        "L3-0057",
        Some("price_zone"),
    );
    let freeze = json!({ "citizen_did": ALICE, "hours": 2, "reason": "to try it" });
    post_as(hive, &operator, "/lab3/members/freeze", &freeze).await.ok();
    post_as(hive, &alice, SHARE, &share(&json!({}))).await.refused(403, "L3-0039", None);
    post_as(hive, &operator, "/lab3/members/thaw", &json!({ "citizen_did": ALICE, "reason": "found" })).await.ok();
    post_as(hive, &alice, SHARE, &share(&json!({ "amount_gic": "1.000001" }))).await.refused(403, "L3-0037", Some("intent"));
    post_as(hive, &alice, SHARE, &share(&json!({}))).await.ok();
    get_as(hive, &bob, &format!("{EXPORTS}?payer_did={ALICE}")).await.refused(403, "L3-0036", None);
    assert_eq!(get_as(hive, &alice, &format!("{EXPORTS}?payer_did={ALICE}")).await.ok()["sharings"][0]["device"], "grid");
    let hers = get_as(hive, &bob, &format!("/lab3/financial/transactions?did={BOB}")).await.ok();
    assert_eq!(hers["transactions"][0]["amount_gic"], 0.000_667);
}
