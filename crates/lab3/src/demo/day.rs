//! The scripted day: money and compute in a small Hive, from the morning's mint to the evening's accounts.

use serde_json::json;

use super::Stage;
use crate::Failure;
use crate::client::Path;

const ALLOCATE: &str = "/lab3/compute/allocate";
const REPORT: &str = "/lab3/compute/report_usage";
const TRANSFER: &str = "/lab3/financial/transfer";

/// Plays the whole day.
pub fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let url = stage.client.url().to_owned();
    stage.say(&format!("A day in a Hive, through the API of the desk at {url}. MIC is its money; 1 MIC = 1,000,000 KS."))?;
    morning(stage)?;
    noon(stage)?;
    afternoon(stage)?;
    evening(stage)?;
    stage.say("\nThat was the day. Every line of it stands in the journal, and the books balance.")
}

/// Money arrives, and Alice asks a model a question.
fn morning(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let (alice, bob) = (stage.did("alice"), stage.did("bob"));
    for (narration, who, amount) in
        [("The operator mints 200 MIC for Alice: a ledger entry with a reason.", &alice, 200), ("And 20 MIC for Bob.", &bob, 20)]
    {
        let body = format!(r#"{{"to_did":"{who}","amount":{amount},"reason":"Welcome to the Hive"}}"#);
        stage.post(narration, "/lab3/financial/mint", &body)?;
    }
    let query = format!(r#""citizen_did":"{alice}","query_tokens":5000,"priority":"quality_optimized","min_quality":0.90"#);
    let dry = format!(r#"{{{query},"dry_run":true}}"#);
    stage.post("Alice asks what a query of 5,000 tokens would cost. A dry run holds nothing.", ALLOCATE, &dry)?;
    let held = stage.post("She allocates it: the estimate is held from her monthly allowance.", ALLOCATE, &format!("{{{query}}}"))?;
    let body = format!(
        r#"{{"citizen_did":"{alice}","provider":{},"actual_cost":0.078,"success":true,"allocation_id":{},"latency_ms":640}}"#,
        json!(held.text("provider")),
        json!(held.text("allocation_id"))
    );
    stage.post("The query cost a little more than estimated. Reporting it settles the hold.", REPORT, &body)?;
    Ok(())
}

/// Citizens pay each other.
fn noon(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let (alice, bob) = (stage.did("alice"), stage.did("bob"));
    let body = format!(r#"{{"from_did":"{alice}","to_did":"{bob}","amount":50.0,"reason":"API compute credits"}}"#);
    stage.post_twice(
        "Alice pays Bob 50 MIC. The fee is charged on top and goes to the PublicGoodsPool.",
        "The reply got lost, so the same request is sent again with the same key: nothing happens twice.",
        TRANSFER,
        &body,
    )?;
    let body = format!(r#"{{"from_did":"{bob}","to_did":"{alice}","amount":1000000,"reason":"A little too generous"}}"#);
    stage.post_refused("Bob tries to send more than he has. Refused, and nothing changes.", TRANSFER, &body, 402)
}

/// The pool gives and takes, and Carol has used her month up.
fn afternoon(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let (bob, carol, solar) = (stage.did("bob"), stage.did("carol"), stage.did("solar_microgrid"));
    let body = format!(r#"{{"from_did":"{bob}","amount":5,"reason":"For the common good"}}"#);
    stage.post("Bob contributes 5 MIC to the PublicGoodsPool.", "/lab3/financial/contribute", &body)?;
    let body = format!(r#"{{"recipient_did":"{solar}","amount":1000.0,"project":"Solar Microgrid Deployment"}}"#);
    stage.post("The pool grants 1,000 MIC to a solar project.", "/lab3/financial/grant", &body)?;
    let body = format!(r#"{{"citizen_did":"{carol}","provider":"google_gemini","actual_cost":100,"success":true}}"#);
    stage.post("Carol reports a very large job: her whole allowance for this month is used.", REPORT, &body)?;
    let body = format!(r#"{{"citizen_did":"{carol}","query_tokens":2000}}"#);
    stage.post("She asks again. Her quota is exhausted, so the local model answers, and the Hive pays.", ALLOCATE, &body)?;
    Ok(())
}

/// The accounts of the day.
fn evening(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let history = Path::new("/lab3/financial/transactions").query("did", Some(stage.did("alice"))).query("limit", Some(5));
    stage.get("Alice's transactions, newest first.", &history)?;
    stage.get("What the month's compute cost, and how the providers do.", &Path::new("/lab3/compute/stats"))?;
    stage.get("The PublicGoodsPool at the end of the day: fees and a contribution in, a grant out.", &Path::new("/lab3/financial/pool"))?;
    Ok(())
}
