//! Answers and refusals as Ollama's clients read them.

use lab3_compute::Usage;
use lab3_providers::dialect::ollama::{OllamaChat, OllamaGenerate};
use lab3_providers::dialect::{Failure, Front};
use lab3_providers::{Answer, Finish, Piece, Query};
use serde_json::{Value, json};

use super::asks;
use super::stream::used;
use crate::said::{made_call, receipt, start, text};
use crate::stream::check_read;

/// When a query was asked, and how that is told.
const ASKED_AT: u64 = 1_763_847_845;
const TIME: &str = "2025-11-22T21:44:05Z";

/// What a stream of pieces is written as.
fn written(front: &dyn Front, pieces: &[Piece]) -> Vec<Value> {
    let (mut writer, mut out) = (front.writer(&Query { asked_at: ASKED_AT, ..asks(vec![]) }), Vec::new());
    for piece in pieces {
        writer.piece(piece, &mut out);
    }
    writer.end(&receipt(), &mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(out.ends_with('\n'));
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The last line's fields beside the content.
fn ending(reason: &str, counts: &Value) -> Value {
    let mut ending = json!({
        "model": "big", "created_at": TIME, "done": true, "done_reason": reason,
        "total_duration": 0, "load_duration": 0, "prompt_eval_duration": 0, "eval_duration": 0, "lab3": json!(receipt()),
    });
    ending.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
    ending
}

fn with(mut line: Value, field: &str, value: Value) -> Value {
    line[field] = value;
    line
}

#[test]
fn a_chat_is_written_in_lines() {
    let usage = Usage { input: 20, cache_read: 9, cache_write_5m: 1, output: 3, ..Usage::default() };
    let line = |message: Value| json!({"model": "big", "created_at": TIME, "message": message, "done": false});
    let found = written(
        &OllamaChat,
        &[
            Piece::Start { id: "x".to_owned(), model: "big".to_owned() },
            Piece::Thinking("hm".to_owned()),
            Piece::Signature("s".to_owned()),
            text("a\nb"),
            // One call's parts between another's; arguments over several lines, with a line's end in a text.
            Piece::ToolCall { call: 0, id: "1".to_owned(), name: "f".to_owned() },
            Piece::ToolCall { call: 1, id: "2".to_owned(), name: "g".to_owned() },
            Piece::Arguments { call: 0, json: "{\n  \"x\": \"a\\nb\",".to_owned() },
            Piece::Arguments { call: 0, json: "\r\n  \"n\": 1.50\n}".to_owned() },
            // This one never ended.
            Piece::ToolCall { call: 2, id: "3".to_owned(), name: "h".to_owned() },
            Piece::Arguments { call: 2, json: "{\"x\": ".to_owned() },
            // And this one's are no object.
            Piece::ToolCall { call: 3, id: "4".to_owned(), name: "i".to_owned() },
            Piece::Arguments { call: 3, json: "7".to_owned() },
            Piece::Usage(Usage { output: 1, ..usage }),
            Piece::Usage(usage),
            Piece::Finish(Finish::ToolCalls),
        ],
    );
    let expected = [
        line(json!({"role": "assistant", "content": "", "thinking": "hm"})),
        line(json!({"role": "assistant", "content": "a\nb"})),
        line(json!({"role": "assistant", "content": "", "tool_calls": [
            {"id": "1", "function": {"index": 0, "name": "f", "arguments": {"x": "a\nb", "n": 1.5}}},
            {"id": "2", "function": {"index": 1, "name": "g", "arguments": {}}},
        ]})),
        with(
            ending("stop", &json!({"prompt_eval_count": 30, "prompt_eval_cached_count": 9, "eval_count": 3})),
            "message",
            json!({"role": "assistant", "content": ""}),
        ),
    ];
    assert_eq!(found, expected);
    assert_eq!((OllamaChat.stream_type(), OllamaGenerate.stream_type()), ("application/x-ndjson", "application/x-ndjson"));
}

#[test]
fn a_text_is_written_in_lines() {
    let line = |more: Value| {
        let mut line = json!({"model": "auto", "created_at": TIME, "done": false});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let pieces =
        [start("", ""), Piece::Thinking("hm".to_owned()), text("a"), Piece::Refusal("no".to_owned()), Piece::Finish(Finish::Length)];
    let expected = [
        line(json!({"response": "", "thinking": "hm"})),
        line(json!({"response": "a"})),
        line(json!({"response": "no"})),
        // The provider told neither its model nor what was used.
        with(with(ending("length", &json!({})), "response", json!("")), "model", json!("auto")),
    ];
    assert_eq!(written(&OllamaGenerate, &pieces), expected);
    for (finish, expected) in [
        (Some(Finish::Stop), "stop"),
        (Some(Finish::StopText("x".to_owned())), "stop"),
        (Some(Finish::Filtered), "content_filter"),
        (None, "length"),
    ] {
        let pieces = finish.map(Piece::Finish).into_iter().collect::<Vec<_>>();
        assert_eq!(written(&OllamaGenerate, &pieces)[0]["done_reason"], json!(expected));
    }
}

#[test]
fn what_is_written_can_be_read() {
    let pieces = [
        start("", "big"),
        Piece::Thinking("hm".to_owned()),
        text("a"),
        Piece::ToolCall { call: 0, id: "1".to_owned(), name: "f".to_owned() },
        Piece::Arguments { call: 0, json: r#"{"x": 1}"#.to_owned() },
        used(20, 9, 3),
        Piece::Finish(Finish::ToolCalls),
    ];
    let (mut writer, mut out) = (OllamaChat.writer(&asks(vec![])), Vec::new());
    for piece in &pieces {
        writer.piece(piece, &mut out);
    }
    writer.end(&receipt(), &mut out);
    check_read(&OllamaChat, &String::from_utf8(out).unwrap(), &pieces, true);
}

#[test]
fn an_answer_is_written_whole() {
    let answer = Answer {
        model: "big".to_owned(),
        text: "a".to_owned(),
        thinking: "hm".to_owned(),
        refusal: "no".to_owned(),
        calls: vec![made_call("1", "f", "{\"x\":\n1}")],
        finish: Some(Finish::Stop),
        usage: Some(Usage { input: 20, output: 3, ..Usage::default() }),
        ..Answer::default()
    };
    let counts = json!({"prompt_eval_count": 20, "prompt_eval_cached_count": 0, "eval_count": 3});
    let found = OllamaChat.whole(&Query { asked_at: ASKED_AT, ..asks(vec![]) }, &answer, &receipt());
    let message = json!({
        "role": "assistant", "content": "ano", "thinking": "hm",
        "tool_calls": [{"id": "1", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}}],
    });
    assert_eq!(serde_json::from_slice::<Value>(&found).unwrap(), with(ending("stop", &counts), "message", message));
    let found = OllamaGenerate.whole(&Query { asked_at: ASKED_AT, ..asks(vec![]) }, &answer, &receipt());
    let expected = with(with(ending("stop", &counts), "response", json!("ano")), "thinking", json!("hm"));
    assert_eq!(serde_json::from_slice::<Value>(&found).unwrap(), expected);
}

#[test]
fn refusals_are_written() {
    let failure = Failure {
        status: 402,
        code: "L3-0031".to_owned(),
        detail: "The quota of this month is used up.".to_owned(),
        field: Some("model".to_owned()),
    };
    let expected = r#"{"error":"The quota of this month is used up.","code":"L3-0031","field":"model"}"#;
    assert_eq!(String::from_utf8(OllamaChat.refusal(&failure)).unwrap(), expected);
    assert_eq!(String::from_utf8(OllamaGenerate.refusal(&failure)).unwrap(), expected);
    let (mut writer, mut out) = (OllamaChat.writer(&asks(vec![])), Vec::new());
    writer.fail(&Failure { field: None, ..failure }, &mut out);
    let expected = "{\"error\":\"The quota of this month is used up.\",\"code\":\"L3-0031\"}\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
