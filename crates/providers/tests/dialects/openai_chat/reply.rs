//! Chat Completions as clients read them: whole, and in chunks.

use lab3_compute::Usage;
use lab3_providers::dialect::openai_chat::{OpenAiChat, models};
use lab3_providers::dialect::{Failure, Front};
use lab3_providers::{Answer, Finish, Piece, Query};
use serde_json::{Value, json};

use crate::said::{made_call, receipt};

fn query() -> Query {
    Query { model: "auto".to_owned(), asked_at: 9, ..Query::default() }
}

/// The data of a stream's events; the last must say that it is done.
fn events(query: &Query, pieces: &[Piece]) -> Vec<Value> {
    let (mut writer, mut out) = (OpenAiChat.writer(query), Vec::new());
    for piece in pieces {
        writer.piece(piece, &mut out);
    }
    writer.end(&receipt(), &mut out);
    let text = String::from_utf8(out).unwrap();
    let mut events: Vec<&str> = text.strip_suffix("\n\n").unwrap().split("\n\n").collect();
    assert_eq!(events.pop(), Some("data: [DONE]"));
    events.iter().map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap()).collect()
}

/// A chunk of one choice.
fn chunk(delta: Value, finish: Value) -> Value {
    let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
    json!({"id": "c1", "object": "chat.completion.chunk", "created": 9, "model": "m", "choices": [choice]})
}

fn with(mut chunk: Value, field: &str, value: Value) -> Value {
    chunk[field] = value;
    chunk
}

const USAGE: Usage = Usage { input: 5, cache_read: 3, cache_write_5m: 2, cache_write_1h: 1, output: 7, reasoning: 4, tool_runs: 0 };

fn usage() -> Value {
    json!({
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "total_tokens": 18,
        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 4},
    })
}

fn start() -> Piece {
    Piece::Start { id: "c1".to_owned(), model: "m".to_owned() }
}

#[test]
fn streams_are_written() {
    let pieces = [
        start(),
        Piece::Thinking("hm".to_owned()),
        Piece::Signature("sig".to_owned()),
        Piece::Text("a\n".to_owned()),
        Piece::Refusal("no".to_owned()),
        Piece::ToolCall { call: 0, id: "x".to_owned(), name: "f".to_owned() },
        Piece::ToolCall { call: 1, id: String::new(), name: "g".to_owned() },
        Piece::Arguments { call: 0, json: "{}".to_owned() },
        Piece::Usage(Usage::default()),
        Piece::Finish(Finish::ToolCalls),
        Piece::Usage(USAGE),
    ];
    let call = |index: u32, id: &str, name: &str| json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}]});
    let none = Value::Null;
    let mut expected = vec![
        chunk(json!({"role": "assistant", "content": ""}), none.clone()),
        chunk(json!({"reasoning_content": "hm"}), none.clone()),
        chunk(json!({"content": "a\n"}), none.clone()),
        chunk(json!({"refusal": "no"}), none.clone()),
        chunk(call(0, "x", "f"), none.clone()),
        chunk(call(1, "call_1", "g"), none.clone()),
        chunk(json!({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}), none.clone()),
        with(chunk(json!({}), json!("tool_calls")), "lab3", json!(receipt())),
    ];
    assert_eq!(events(&query(), &pieces), expected);
    // With the usage at the end, where it is asked for.
    let last = expected.last_mut().unwrap().as_object_mut().unwrap();
    last.remove("lab3");
    for chunk in &mut expected {
        chunk["usage"] = Value::Null;
    }
    let end = with(with(with(chunk(json!({}), none), "choices", json!([])), "usage", usage()), "lab3", json!(receipt()));
    expected.push(end);
    assert_eq!(events(&Query { stream_usage: true, ..query() }, &pieces), expected);
}

#[test]
fn streams_end_for_a_reason() {
    let check = |finish: Option<Finish>, expected: &str| {
        let pieces: Vec<Piece> = [start()].into_iter().chain(finish.clone().map(Piece::Finish)).collect();
        let found = events(&query(), &pieces).pop().unwrap();
        assert_eq!(found, with(chunk(json!({}), json!(expected)), "lab3", json!(receipt())), "{finish:?}");
    };
    check(Some(Finish::Stop), "stop");
    check(Some(Finish::StopText("x".to_owned())), "stop");
    check(Some(Finish::Paused), "stop");
    check(Some(Finish::Length), "length");
    check(Some(Finish::Filtered), "content_filter");
    check(None, "length");
    // Without a beginning there is one all the same, by the model that was asked for.
    let found = events(&Query { stream_usage: true, ..query() }, &[]);
    assert_eq!((found.len(), &found[0]["id"], &found[0]["model"]), (2, &json!("chatcmpl-lab3"), &json!("auto")));
    assert_eq!(found[0]["choices"][0]["delta"]["role"], "assistant");
}

#[test]
fn failures_in_mid_stream_are_written() {
    let (mut writer, mut out) = (OpenAiChat.writer(&query()), Vec::new());
    writer.fail(&failure(502, None), &mut out);
    let text = String::from_utf8(out).unwrap();
    let data: Value = serde_json::from_str(text.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap()).unwrap();
    let error = json!({"message": "what would help", "type": "server_error", "param": null, "code": "L3-0031"});
    assert_eq!(data, json!({"error": error}));
}

fn failure(status: u16, field: Option<&str>) -> Failure {
    let (code, detail) = ("L3-0031".to_owned(), "what would help".to_owned());
    Failure { status, code, detail, field: field.map(str::to_owned) }
}

#[test]
fn refusals_have_the_types_of_openai() {
    let check = |status: u16, kind: &str| {
        let body: Value = serde_json::from_slice(&OpenAiChat.refusal(&failure(status, Some("n")))).unwrap();
        let error = json!({"message": "what would help", "type": kind, "param": "n", "code": "L3-0031"});
        assert_eq!(body, json!({"error": error}), "{status}");
    };
    check(400, "invalid_request_error");
    check(402, "insufficient_quota");
    check(404, "invalid_request_error");
    check(413, "invalid_request_error");
    check(429, "rate_limit_error");
    check(503, "server_error");
}

#[test]
fn whole_answers_are_written() {
    let check = |answer: &Answer, message: Value, finish: &str| {
        let body: Value = serde_json::from_slice(&OpenAiChat.whole(&query(), answer, &receipt())).unwrap();
        let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": finish});
        let mut expected = json!({
            "id": "c1", "object": "chat.completion", "created": 9, "model": "m", "choices": [choice], "lab3": json!(receipt()),
        });
        if answer.usage.is_some() {
            expected["usage"] = usage();
        }
        assert_eq!(body, expected);
    };
    let base = Answer { id: "c1".to_owned(), model: "m".to_owned(), finish: Some(Finish::Stop), ..Answer::default() };
    let said = Answer { text: "a".to_owned(), usage: Some(USAGE), ..base.clone() };
    check(&said, json!({"role": "assistant", "content": "a", "refusal": null}), "stop");
    check(&base, json!({"role": "assistant", "content": "", "refusal": null}), "stop");
    let refused = Answer { refusal: "no".to_owned(), finish: None, ..base.clone() };
    check(&refused, json!({"role": "assistant", "content": null, "refusal": "no"}), "length");
    let calls = vec![made_call("x", "f", "{}"), made_call("", "g", "")];
    let called = Answer { thinking: "hm".to_owned(), calls, finish: Some(Finish::ToolCalls), ..base };
    let told =
        |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    let calls = [told("x", "f", "{}"), told("call_1", "g", "")];
    let message = json!({"role": "assistant", "content": null, "refusal": null, "reasoning_content": "hm", "tool_calls": calls});
    check(&called, message, "tool_calls");
}

#[test]
fn models_are_listed() {
    let body: Value = serde_json::from_slice(&models([("auto", "lab3"), ("gpt-5", "openai")], 1_763_847_845)).unwrap();
    let model = |id: &str, owner: &str| json!({"id": id, "object": "model", "created": 1_763_847_845, "owned_by": owner});
    assert_eq!(body, json!({"object": "list", "data": [model("auto", "lab3"), model("gpt-5", "openai")]}));
}
