//! Answers and refusals in Anthropic's Messages API.

use lab3_compute::Usage;
use lab3_providers::dialect::anthropic::{Anthropic, models};
use lab3_providers::dialect::{Back, Failure, Front};
use lab3_providers::{Answer, EventReader, Finish, Piece, Query};
use serde_json::{Value, json};

use crate::said::{arguments, call, receipt, text, thinking};

fn asked() -> Query {
    Query { model: "auto:cost".to_owned(), ..Query::default() }
}

/// What is written of these pieces, as a stream's events.
fn events(pieces: &[Piece]) -> Vec<Value> {
    let (mut writer, mut out) = (Anthropic.writer(&asked()), Vec::new());
    for piece in pieces {
        writer.piece(piece, &mut out);
    }
    writer.end(&receipt(), &mut out);
    parsed(&out)
}

fn parsed(out: &[u8]) -> Vec<Value> {
    let mut events = Vec::new();
    EventReader::default()
        .push(out, |event| {
            let data = serde_json::from_str::<Value>(&event.data).unwrap();
            assert_eq!(data["type"], event.name.as_str());
            events.push(data);
        })
        .unwrap();
    events
}

/// The events of the blocks, in short: what begins, what comes, what ends.
#[track_caller]
fn check_blocks(pieces: &[Piece], expected: &[&str], ending: Value) {
    let events = events(pieces);
    let short = |event: &Value| {
        let (index, block, delta) = (&event["index"], &event["content_block"], &event["delta"]);
        match event["type"].as_str().unwrap() {
            "content_block_start" if block["type"] == "tool_use" => {
                assert_eq!(block["input"], json!({}));
                format!("{index} tool_use {} {}", block["id"].as_str().unwrap(), block["name"].as_str().unwrap())
            }
            "content_block_start" => {
                let empty = block.as_object().unwrap().iter().all(|(name, value)| name == "type" || value == "");
                assert!(empty, "{block}");
                format!("{index} {}", block["type"].as_str().unwrap())
            }
            "content_block_stop" => format!("{index} ."),
            "content_block_delta" => match delta["type"].as_str().unwrap() {
                "text_delta" => format!("{index} + {}", delta["text"].as_str().unwrap()),
                "thinking_delta" => format!("{index} ? {}", delta["thinking"].as_str().unwrap()),
                "signature_delta" => format!("{index} ! {}", delta["signature"].as_str().unwrap()),
                "input_json_delta" => format!("{index} = {}", delta["partial_json"].as_str().unwrap()),
                other => panic!("{other}"),
            },
            other => other.to_owned(),
        }
    };
    let found = events.iter().map(short).collect::<Vec<_>>();
    let expected = [&["message_start"], expected, &["message_delta", "message_stop"]].concat();
    assert_eq!(found, expected);
    assert_eq!(events[events.len() - 2]["delta"], ending);
}

fn signature(text: &str) -> Piece {
    Piece::Signature(text.to_owned())
}

fn stop(reason: &str) -> Value {
    json!({"stop_reason": reason, "stop_sequence": null})
}

fn start() -> Piece {
    Piece::Start { id: "msg_1".to_owned(), model: "claude-opus-5".to_owned() }
}

#[test]
fn a_stream_tells_the_usage_and_the_receipt() {
    let early = Usage { input: 25, cache_read: 6, output: 1, ..Usage::default() };
    let late = Usage { output: 15, cache_write_5m: 3, cache_write_1h: 4, reasoning: 7, tool_runs: 2, ..early };
    let written = events(&[start(), Piece::Usage(early), text("Hi"), Piece::Usage(late), Piece::Finish(Finish::Stop)]);
    let told = |fields: Value| {
        let mut usage = json!({
            "input_tokens": 25, "cache_read_input_tokens": 6, "cache_creation_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, "output_tokens": 1,
        });
        usage.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        usage
    };
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": told(json!({})),
    });
    assert_eq!(written[0], json!({"type": "message_start", "message": message}));
    let usage = told(json!({
        "cache_creation_input_tokens": 7, "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
        "output_tokens": 15, "output_tokens_details": {"thinking_tokens": 7},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
    }));
    let lab3 = json!({
        "allocation_id": "al_1", "provider": "p", "cost_gic": 0.000_123, "quota_remaining_gic": 9.5, "reason": "cheapest",
    });
    assert_eq!(written[4], json!({"type": "message_delta", "delta": stop("end_turn"), "usage": usage, "lab3": lab3}));
    assert_eq!(written[5], json!({"type": "message_stop"}));
    assert_eq!(written.len(), 6);
}

/// The beginning is written as soon as it can be, and only once.
#[test]
fn the_beginning_waits_for_the_usage_alone() {
    let (mut writer, mut out) = (Anthropic.writer(&asked()), Vec::new());
    writer.piece(&start(), &mut out);
    assert_eq!(out, b"");
    writer.piece(&Piece::Usage(Usage { input: 9, ..Usage::default() }), &mut out);
    assert_eq!(parsed(&out)[0]["message"]["usage"]["input_tokens"], 9);
    out.clear();
    writer.piece(&text("Hi"), &mut out);
    assert_eq!(parsed(&out).len(), 2);
}

#[test]
fn who_names_nothing_gets_names() {
    let nameless = events(&[text("Hi"), call(0, "", "now")]);
    assert_eq!((&nameless[0]["message"]["id"], &nameless[0]["message"]["model"]), (&json!("msg_lab3"), &json!("auto:cost")));
    assert_eq!(nameless[4]["content_block"]["id"], "toolu_lab3_0");
    let piece = Piece::Start { id: "chatcmpl:7".to_owned(), model: String::new() };
    let named = events(&[piece, call(0, "", "now"), call(1, "", "now")]);
    assert_eq!((&named[0]["message"]["id"], &named[0]["message"]["model"]), (&json!("chatcmpl:7"), &json!("auto:cost")));
    assert_eq!(named[1]["content_block"]["id"], "toolu_chatcmpl_7_0");
    assert_eq!(named[3]["content_block"]["id"], "toolu_chatcmpl_7_1");
    assert_eq!(events(&[]).len(), 3);
}

#[test]
fn a_block_ends_where_another_kind_begins() {
    check_blocks(&[start(), text("Hel"), text("lo\n")], &["0 text", "0 + Hel", "0 + lo\n", "0 ."], stop("max_tokens"));
    check_blocks(
        &[
            start(),
            thinking("Hm"),
            thinking("."),
            signature("anthropic:Eq"),
            signature("QB"),
            text("Look"),
            call(0, "a", "look"),
            arguments(0, "{\"at\":"),
            arguments(0, ""),
            arguments(0, "1}"),
            text("And"),
            Piece::Finish(Finish::ToolCalls),
        ],
        &[
            "0 thinking",
            "0 ? Hm",
            "0 ? .",
            "0 ! EqQB",
            "0 .",
            "1 text",
            "1 + Look",
            "1 .",
            "2 tool_use a look",
            "2 = {\"at\":",
            "2 = 1}",
            "2 .",
            "3 text",
            "3 + And",
            "3 .",
        ],
        stop("tool_use"),
    );
    // Thoughts after a signature are others; a signature alone has hidden thoughts before it.
    check_blocks(
        &[thinking("A"), signature("1"), thinking("B"), signature("2"), text("C"), signature("3"), Piece::Finish(Finish::Stop)],
        &[
            "0 thinking",
            "0 ? A",
            "0 ! 1",
            "0 .",
            "1 thinking",
            "1 ? B",
            "1 ! 2",
            "1 .",
            "2 text",
            "2 + C",
            "2 .",
            "3 thinking",
            "3 ! 3",
            "3 .",
        ],
        stop("end_turn"),
    );
}

/// Blocks come one after the other, whatever comes between the pieces of calls.
#[test]
fn calls_that_are_mixed_are_put_in_order() {
    let in_order = ["0 tool_use a one", "0 = {\"x\":", "0 = 1}", "0 .", "1 tool_use b two", "1 = {}", "1 .", "2 tool_use c three", "2 ."];
    check_blocks(
        &[
            call(0, "a", "one"),
            arguments(0, "{\"x\":"),
            call(1, "b", "two"),
            arguments(1, "{"),
            call(2, "c", "three"),
            arguments(0, "1}"),
            arguments(1, "}"),
            arguments(7, "nobody's"),
            Piece::Finish(Finish::Stop),
        ],
        &in_order,
        stop("tool_use"),
    );
    let said = [in_order.as_slice(), &["3 text", "3 + Well", "3 ."]].concat();
    check_blocks(
        &[
            call(0, "a", "one"),
            arguments(0, "{\"x\":"),
            call(1, "b", "two"),
            arguments(1, "{}"),
            call(2, "c", "three"),
            arguments(0, "1}"),
            text("Well"),
        ],
        &said,
        stop("max_tokens"),
    );
}

#[test]
fn every_ending_has_its_reason() {
    let refused = |text: &str| json!({"stop_reason": "refusal", "stop_sequence": null, "stop_details": {"type": "refusal", "category": null, "explanation": text}});
    let finish = Piece::Finish;
    check_blocks(&[finish(Finish::Stop)], &[], stop("end_turn"));
    check_blocks(&[finish(Finish::Length)], &[], stop("max_tokens"));
    check_blocks(&[finish(Finish::ToolCalls)], &[], stop("tool_use"));
    check_blocks(&[finish(Finish::Filtered)], &[], stop("refusal"));
    check_blocks(&[finish(Finish::Paused)], &[], stop("pause_turn"));
    check_blocks(&[], &[], stop("max_tokens"));
    check_blocks(&[finish(Finish::StopText("END".to_owned()))], &[], json!({"stop_reason": "stop_sequence", "stop_sequence": "END"}));
    let words = [Piece::Refusal("I ".to_owned()), Piece::Refusal("won't.".to_owned()), finish(Finish::Stop)];
    check_blocks(&words, &["0 text", "0 + I ", "0 + won't.", "0 ."], refused("I won't."));
}

/// What is written is read again as it was.
#[test]
fn what_is_written_is_read_alike() {
    let usage = Usage { input: 5, cache_read: 6, cache_write_5m: 7, cache_write_1h: 8, output: 90, reasoning: 10, tool_runs: 1 };
    let pieces = [
        start(),
        Piece::Usage(Usage { output: 1, reasoning: 0, tool_runs: 0, ..usage }),
        thinking("Hm.\n\n\u{2028}"),
        signature("anthropic:EqQB"),
        text("data: \r\n\n\"é\"\u{1f408}"),
        call(0, "toolu_1", "look"),
        arguments(0, "{\"a\":\"\\n\"}"),
        call(1, "toolu_2", "now"),
        arguments(1, "{}"),
        Piece::Finish(Finish::ToolCalls),
        Piece::Usage(usage),
    ];
    let (mut writer, mut out) = (Anthropic.writer(&asked()), Vec::new());
    for piece in &pieces {
        writer.piece(piece, &mut out);
    }
    writer.end(&receipt(), &mut out);
    let (mut reader, mut found) = (Anthropic.reader(), Vec::new());
    reader.read(&out, &mut found).unwrap();
    assert!(reader.is_done());
    assert_eq!(found, pieces);
}

#[test]
fn a_whole_answer_is_a_message() {
    let pieces = [
        start(),
        thinking("Hm."),
        signature("anthropic:EqQB"),
        text("Look"),
        call(0, "toolu_1", "look"),
        arguments(0, "{\"b\": 1.50,\"a\":[]}"),
        call(1, "", "now"),
        call(2, "toolu_3", "cut"),
        arguments(2, "{\"a\": \"b"),
        Piece::Finish(Finish::ToolCalls),
        Piece::Usage(Usage { input: 5, output: 9, ..Usage::default() }),
    ];
    let mut answer = Answer::default();
    for piece in &pieces {
        answer.add(piece);
    }
    let body = Anthropic.whole(&asked(), &answer, &receipt());
    assert!(String::from_utf8(body.clone()).unwrap().contains(r#""input":{"b": 1.50,"a":[]}"#));
    let expected = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
            {"type": "text", "text": "Look"},
            {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"b": 1.5, "a": []}},
            {"type": "tool_use", "id": "toolu_msg_1_1", "name": "now", "input": {}},
            {"type": "tool_use", "id": "toolu_3", "name": "cut", "input": {"malformed_arguments": "{\"a\": \"b"}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {
            "input_tokens": 5, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, "output_tokens": 9,
        },
        "lab3": json!(receipt()),
    });
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
}

#[test]
fn a_whole_answer_says_little_when_there_is_little() {
    let whole = |answer: &Answer| serde_json::from_slice::<Value>(&Anthropic.whole(&asked(), answer, &receipt())).unwrap();
    let empty = whole(&Answer::default());
    assert_eq!((&empty["id"], &empty["model"], &empty["content"]), (&json!("msg_al_1"), &json!("auto:cost"), &json!([])));
    assert_eq!((&empty["stop_reason"], &empty["usage"]["output_tokens"]), (&json!("max_tokens"), &json!(0)));
    let refused = whole(&Answer { refusal: "No.".to_owned(), finish: Some(Finish::Stop), ..Answer::default() });
    assert_eq!((&refused["stop_reason"], &refused["content"][0]["text"]), (&json!("refusal"), &json!("No.")));
    assert_eq!(refused["stop_details"]["explanation"], "No.");
}

#[test]
fn models_are_listed() {
    let model = |id: &str| json!({"type": "model", "id": id, "display_name": id, "created_at": "2025-11-22T21:44:05Z"});
    let expected = json!({"data": [model("auto"), model("x")], "has_more": false, "first_id": "auto", "last_id": "x"});
    assert_eq!(serde_json::from_slice::<Value>(&models(["auto", "x"], 1_763_847_845)).unwrap(), expected);
    let expected = json!({"data": [], "has_more": false, "first_id": null, "last_id": null});
    assert_eq!(serde_json::from_slice::<Value>(&models([], 0)).unwrap(), expected);
}

#[test]
fn a_refusal_is_an_error_of_its_kind() {
    let failure = |status: u16, field: Option<&str>| Failure {
        status,
        code: "L3-0031".to_owned(),
        detail: "Not enough MIC.".to_owned(),
        field: field.map(str::to_owned),
    };
    let kinds = [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (409, "conflict_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ];
    for (status, kind) in kinds {
        let expected =
            json!({"type": "error", "error": {"type": kind, "message": "Not enough MIC.", "details": {"error_code": "L3-0031"}}});
        assert_eq!(serde_json::from_slice::<Value>(&Anthropic.refusal(&failure(status, None))).unwrap(), expected, "{status}");
        let (mut writer, mut out) = (Anthropic.writer(&asked()), Vec::new());
        writer.fail(&failure(status, None), &mut out);
        assert_eq!(parsed(&out), [expected]);
    }
    let blamed = serde_json::from_slice::<Value>(&Anthropic.refusal(&failure(400, Some("max_tokens")))).unwrap();
    assert_eq!(blamed["error"]["details"], json!({"error_code": "L3-0031", "field": "max_tokens"}));
    assert_eq!(Anthropic.error(&Anthropic.refusal(&failure(402, None))), "billing_error: Not enough MIC.");
    assert_eq!(Anthropic.stream_type(), "text/event-stream");
}
