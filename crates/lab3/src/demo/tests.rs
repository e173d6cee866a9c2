//! The day plays to its end on a desk that behaves, and stops where one does not.

use super::*;
use crate::fake_desk::{Answer, Asked, desk};

/// A desk that answers the day's requests plausibly.
fn answer(asked: &Asked) -> Answer {
    let path = asked.line.split(' ').nth(1).unwrap_or_default();
    if asked.body.contains("1000000") {
        let problem = r#"{"type":"/lab3/errors/L3-0040","title":"Not enough MIC","status":402,"code":"L3-0040","detail":"Bob has 70.0."}"#;
        return Answer::Reply(402, "", problem.to_owned());
    }
    let reply = match path {
        "/lab3/compute/allocate" => r#"{"provider":"anthropic_claude","estimated_cost_gic":0.075,"allocation_id":"al_1"}"#,
        _ => r#"{"ok":true}"#,
    };
    Answer::Reply(200, "", reply.to_owned())
}

#[test]
fn the_day_shows_every_request_and_reply() {
    let (client, asked) = desk(|_, asked| answer(asked));
    let mut out = Vec::new();
    play(&mut Stage::new(client, "did:kaizen:", &mut out, false)).unwrap();
    let shown = String::from_utf8(out).unwrap();
    let requests: Vec<_> = asked.try_iter().collect();
    for request in &requests {
        let line = request.line.trim_end_matches(" HTTP/1.1");
        assert!(shown.contains(&format!("   {line}\n")), "{line} is not shown in:\n{shown}");
        assert!(shown.contains(&request.body), "{} is not shown", request.body);
        if line.starts_with("POST") {
            assert!(serde_json::from_str::<serde_json::Value>(&request.body).is_ok(), "{}", request.body);
        }
    }
    assert!(
        shown.contains(
            "5. The query cost a little more than estimated. Reporting it settles the hold.\n   POST /lab3/compute/report_usage\n"
        )
    );
    assert!(shown.contains(r#""provider":"anthropic_claude","actual_cost":0.078,"success":true,"allocation_id":"al_1""#), "{shown}");
    assert!(shown.contains("   -> 402\n   {\n     \"type\": \"/lab3/errors/L3-0040\","), "{shown}");
    assert!(!shown.contains('\x1b'), "no colours but on a terminal");
    let keys: Vec<_> =
        requests.iter().filter(|asked| asked.body.contains("API compute")).map(|asked| asked.header("idempotency-key")).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1], "the same request is sent twice under one key");
    assert_eq!(shown.matches("Idempotency-Key: ").count(), 2);
}

#[test]
fn the_day_ends_where_the_desk_refuses() {
    let refusal = r#"{"code":"L3-0030","title":"The operator's token is missing or wrong","status":401,"detail":"Set it."}"#;
    let (client, _asked) = desk(|_, _| Answer::Reply(401, "", refusal.to_owned()));
    let mut out = Vec::new();
    let failure = play(&mut Stage::new(client, "did:kaizen:demo_", &mut out, true)).unwrap_err().to_string();
    assert_eq!(failure, "error[L3-0030]: The operator's token is missing or wrong\n  Set it.\n  help: lab3 explain L3-0030");
    let shown = String::from_utf8(out).unwrap();
    assert!(shown.contains("\x1b[1m1. The operator mints") && shown.contains("did:kaizen:demo_alice"), "{shown}");
}
