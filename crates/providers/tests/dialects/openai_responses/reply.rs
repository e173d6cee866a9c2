//! Responses as clients read them: whole, and as typed events.

use lab3_compute::Usage;
use lab3_providers::dialect::openai_responses::OpenAiResponses;
use lab3_providers::dialect::{Failure, Front};
use lab3_providers::{Answer, Effort, Finish, Format, Piece, Query, Tool, ToolChoice};
use serde_json::{Value, json};

use crate::said::{made_call, receipt, start, text};

fn query() -> Query {
    Query { model: "auto".to_owned(), asked_at: 9, ..Query::default() }
}

const USAGE: Usage = Usage { input: 5, cache_read: 3, cache_write_5m: 2, cache_write_1h: 1, output: 7, reasoning: 4, tool_runs: 0 };

fn usage() -> Value {
    json!({
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 3},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 18,
    })
}

/// A response of a plain query.
fn response(status: &str, output: &[Value]) -> Value {
    json!({
        "id": "resp_c1", "object": "response", "created_at": 9, "status": status, "model": "m", "output": output,
        "background": false, "error": null, "incomplete_details": null, "instructions": null, "max_output_tokens": null, "metadata": {},
        "parallel_tool_calls": true, "previous_response_id": null, "reasoning": {"effort": null, "summary": null}, "store": false,
        "temperature": null, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": null,
        "truncation": "disabled", "usage": null,
    })
}

/// A response that ended: with its receipt and the usage.
fn ended(status: &str, output: &[Value], told_usage: Value) -> Value {
    let mut response = response(status, output);
    response["usage"] = told_usage;
    response["lab3"] = json!(receipt());
    response
}

fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn message(index: usize, status: &str, content: &[Value]) -> Value {
    json!({"id": format!("msg_c1_{index}"), "type": "message", "status": status, "role": "assistant", "content": content})
}

fn call_item(index: usize, status: &str, id: &str, name: &str, arguments: &str) -> Value {
    let id_of_item = format!("fc_c1_{index}");
    json!({"id": id_of_item, "type": "function_call", "status": status, "call_id": id, "name": name, "arguments": arguments})
}

/// The events of a stream: names are types, numbers are dense.
fn numbered(out: Vec<u8>) -> Vec<Value> {
    let text = String::from_utf8(out).unwrap();
    let events = text.strip_suffix("\n\n").unwrap().split("\n\n").enumerate().map(|(number, event)| {
        let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let mut data: Value = serde_json::from_str(data).unwrap();
        assert_eq!((&data["type"], &data["sequence_number"]), (&json!(name), &json!(number)));
        data.as_object_mut().unwrap().remove("sequence_number");
        data
    });
    events.collect()
}

fn events(pieces: &[Piece]) -> Vec<Value> {
    let (mut writer, mut out) = (OpenAiResponses.writer(&query()), Vec::new());
    for piece in pieces {
        writer.piece(piece, &mut out);
    }
    writer.end(&receipt(), &mut out);
    numbered(out)
}

/// The first two events of every stream.
fn begun() -> Vec<Value> {
    let response = response("in_progress", &[]);
    vec![json!({"type": "response.created", "response": response}), json!({"type": "response.in_progress", "response": response})]
}

#[test]
fn a_stream_of_words() {
    let place = |kind: &str| json!({"type": kind, "item_id": "msg_c1_0", "output_index": 0, "content_index": 0});
    let with = |kind: &str, fields: Value| {
        let mut event = place(kind);
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        event
    };
    let done = message(0, "completed", &[text_part("ab")]);
    let mut expected = begun();
    expected.extend([
        json!({"type": "response.output_item.added", "output_index": 0, "item": message(0, "in_progress", &[])}),
        with("response.content_part.added", json!({"part": text_part("")})),
        with("response.output_text.delta", json!({"delta": "a", "logprobs": []})),
        with("response.output_text.delta", json!({"delta": "b", "logprobs": []})),
        with("response.output_text.done", json!({"text": "ab", "logprobs": []})),
        with("response.content_part.done", json!({"part": text_part("ab")})),
        json!({"type": "response.output_item.done", "output_index": 0, "item": done}),
        json!({"type": "response.completed", "response": ended("completed", &[done], usage())}),
    ]);
    assert_eq!(events(&[start("c1", "m"), text("a"), text("b"), Piece::Finish(Finish::Stop), Piece::Usage(USAGE)]), expected);
    // Cut off in the midst of it.
    let cut = message(0, "incomplete", &[text_part("ab")]);
    let last = expected.len() - 1;
    expected[last - 1]["item"] = cut.clone();
    for (finish, reason) in
        [(None, "max_output_tokens"), (Some(Finish::Length), "max_output_tokens"), (Some(Finish::Filtered), "content_filter")]
    {
        let mut response = ended("incomplete", std::slice::from_ref(&cut), Value::Null);
        response["incomplete_details"] = json!({"reason": reason});
        expected[last] = json!({"type": "response.incomplete", "response": response});
        let pieces: Vec<Piece> = [start("c1", "m"), text("a"), text("b")].into_iter().chain(finish.map(Piece::Finish)).collect();
        assert_eq!(events(&pieces), expected);
    }
    // Nothing at all.
    let mut expected = begun();
    expected.push(json!({"type": "response.completed", "response": ended("completed", &[], Value::Null)}));
    assert_eq!(events(&[start("c1", "m"), Piece::Finish(Finish::Stop)]), expected);
}

#[test]
fn a_stream_of_thoughts_a_refusal_and_calls() {
    let pieces = [
        start("c1", "m"),
        Piece::Thinking("h".to_owned()),
        Piece::Thinking("m".to_owned()),
        Piece::Signature("sig".to_owned()),
        text("a"),
        Piece::Refusal("no".to_owned()),
        Piece::ToolCall { call: 0, id: "x".to_owned(), name: "f".to_owned() },
        Piece::Arguments { call: 0, json: "{".to_owned() },
        Piece::ToolCall { call: 1, id: String::new(), name: "g".to_owned() },
        Piece::Arguments { call: 1, json: "{}".to_owned() },
        Piece::Arguments { call: 0, json: "}".to_owned() },
        Piece::Finish(Finish::ToolCalls),
    ];
    let thoughts = |status: &str, rest: Value| {
        let mut item = json!({"id": "rs_c1_0", "type": "reasoning", "status": status, "summary": []});
        item.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        item
    };
    let summary = |text: &str| json!({"type": "summary_text", "text": text});
    let refusal = |text: &str| json!({"type": "refusal", "refusal": text});
    let thought = thoughts("completed", json!({"summary": [summary("hm")], "encrypted_content": "sig"}));
    let said = message(1, "completed", &[text_part("a"), refusal("no")]);
    let (f, g) = (call_item(2, "completed", "x", "f", "{}"), call_item(3, "completed", "call_1", "g", "{}"));
    let at = |kind: &str, item: &str, index: usize, rest: Value| {
        let mut event = json!({"type": kind, "item_id": item, "output_index": index});
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event
    };
    let added = |index: usize, item: Value| json!({"type": "response.output_item.added", "output_index": index, "item": item});
    let done = |index: usize, item: &Value| json!({"type": "response.output_item.done", "output_index": index, "item": item});
    let rs = |kind: &str, rest: Value| at(kind, "rs_c1_0", 0, rest);
    let msg = |kind: &str, rest: Value| at(kind, "msg_c1_1", 1, rest);
    let mut expected = begun();
    expected.extend([
        added(0, thoughts("in_progress", json!({}))),
        rs("response.reasoning_summary_part.added", json!({"summary_index": 0, "part": summary("")})),
        rs("response.reasoning_summary_text.delta", json!({"summary_index": 0, "delta": "h"})),
        rs("response.reasoning_summary_text.delta", json!({"summary_index": 0, "delta": "m"})),
        rs("response.reasoning_summary_text.done", json!({"summary_index": 0, "text": "hm"})),
        rs("response.reasoning_summary_part.done", json!({"summary_index": 0, "part": summary("hm")})),
        done(0, &thought),
        added(1, message(1, "in_progress", &[])),
        msg("response.content_part.added", json!({"content_index": 0, "part": text_part("")})),
        msg("response.output_text.delta", json!({"content_index": 0, "delta": "a", "logprobs": []})),
        msg("response.output_text.done", json!({"content_index": 0, "text": "a", "logprobs": []})),
        msg("response.content_part.done", json!({"content_index": 0, "part": text_part("a")})),
        msg("response.content_part.added", json!({"content_index": 1, "part": refusal("")})),
        msg("response.refusal.delta", json!({"content_index": 1, "delta": "no"})),
        msg("response.refusal.done", json!({"content_index": 1, "refusal": "no"})),
        msg("response.content_part.done", json!({"content_index": 1, "part": refusal("no")})),
        done(1, &said),
        added(2, call_item(2, "in_progress", "x", "f", "")),
        at("response.function_call_arguments.delta", "fc_c1_2", 2, json!({"delta": "{"})),
        added(3, call_item(3, "in_progress", "call_1", "g", "")),
        at("response.function_call_arguments.delta", "fc_c1_3", 3, json!({"delta": "{}"})),
        at("response.function_call_arguments.delta", "fc_c1_2", 2, json!({"delta": "}"})),
        at("response.function_call_arguments.done", "fc_c1_2", 2, json!({"name": "f", "arguments": "{}"})),
        done(2, &f),
        at("response.function_call_arguments.done", "fc_c1_3", 3, json!({"name": "g", "arguments": "{}"})),
        done(3, &g),
        json!({"type": "response.completed", "response": ended("completed", &[thought, said, f, g], Value::Null)}),
    ]);
    assert_eq!(events(&pieces), expected);
}

#[test]
fn of_a_stream_that_was_cut_only_the_last_item_is_incomplete() {
    let call = |call: u32, name: &str| Piece::ToolCall { call, id: name.to_owned(), name: name.to_owned() };
    let arguments = |call: u32, json: &str| Piece::Arguments { call, json: json.to_owned() };
    let found =
        events(&[start("c1", "m"), call(0, "f"), arguments(0, "{}"), call(1, "g"), arguments(1, "{"), Piece::Finish(Finish::Length)]);
    let items = [call_item(0, "completed", "f", "f", "{}"), call_item(1, "incomplete", "g", "g", "{")];
    let done = found.iter().filter(|event| event["type"] == "response.output_item.done").map(|event| event["item"].clone());
    assert_eq!(done.collect::<Vec<_>>(), items);
    assert_eq!(found.last().unwrap()["response"]["output"], json!(items));
}

#[test]
fn hidden_thoughts_are_an_item_without_words() {
    let found = events(&[start("c1", "m"), Piece::Signature("sig".to_owned()), text("a"), Piece::Finish(Finish::Stop)]);
    let item = json!({"id": "rs_c1_0", "type": "reasoning", "status": "completed", "summary": [], "encrypted_content": "sig"});
    assert_eq!(found[3], json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
    assert_eq!(found.last().unwrap()["response"]["output"][0], item);
}

fn failure(status: u16) -> Failure {
    Failure { status, code: "L3-0031".to_owned(), detail: "what would help".to_owned(), field: None }
}

#[test]
fn failures_are_written() {
    let error = json!({
        "type": "error", "code": "L3-0031", "message": "what would help", "param": null,
        "error": {"message": "what would help", "type": "server_error", "param": null, "code": "L3-0031"},
    });
    let (mut writer, mut out) = (OpenAiResponses.writer(&query()), Vec::new());
    writer.fail(&failure(502), &mut out);
    assert_eq!(numbered(out), std::slice::from_ref(&error));
    let (mut writer, mut out) = (OpenAiResponses.writer(&query()), Vec::new());
    writer.piece(&start("c1", "m"), &mut out);
    writer.piece(&text("a"), &mut out);
    writer.fail(&failure(502), &mut out);
    let mut failed = response("failed", &[message(0, "incomplete", &[text_part("a")])]);
    failed["error"] = json!({"code": "server_error", "message": "what would help"});
    let found = numbered(out);
    assert_eq!(found[found.len() - 2..], [json!({"type": "response.failed", "response": failed}), error]);
    let refusal: Value = serde_json::from_slice(&OpenAiResponses.refusal(&failure(402))).unwrap();
    assert_eq!(refusal["error"]["type"], "insufficient_quota");
}

#[test]
fn whole_answers_are_written() {
    let check = |query: &Query, answer: &Answer, expected: Value| {
        let found: Value = serde_json::from_slice(&OpenAiResponses.whole(query, answer, &receipt())).unwrap();
        assert_eq!(found, expected);
    };
    let base = Answer { id: "c1".to_owned(), model: "m".to_owned(), finish: Some(Finish::Stop), usage: Some(USAGE), ..Answer::default() };
    check(&query(), &base, ended("completed", &[], usage()));
    let full = Answer {
        thinking: "hm".to_owned(),
        signature: Some("sig".to_owned()),
        text: "a".to_owned(),
        refusal: "no".to_owned(),
        calls: vec![made_call("x", "f", "{}")],
        ..base.clone()
    };
    let output = |status: &str| {
        let summary = [json!({"type": "summary_text", "text": "hm"})];
        [
            json!({"id": "rs_c1_0", "type": "reasoning", "status": "completed", "summary": summary, "encrypted_content": "sig"}),
            message(1, "completed", &[text_part("a"), json!({"type": "refusal", "refusal": "no"})]),
            call_item(2, status, "x", "f", "{}"),
        ]
    };
    check(&query(), &full, ended("completed", &output("completed"), usage()));
    let mut cut = ended("incomplete", &output("incomplete"), usage());
    cut["incomplete_details"] = json!({"reason": "max_output_tokens"});
    check(&query(), &Answer { finish: Some(Finish::Length), ..full }, cut);
    // What was asked is told again.
    let asked = Query {
        tools: vec![Tool { name: "f".to_owned(), description: "d".to_owned(), parameters: json!({}), strict: Some(true) }],
        tool_choice: ToolChoice::Named("f".to_owned()),
        format: Format::Schema { name: "S".to_owned(), schema: json!({}), strict: None },
        effort: Some(Effort::Word("low".to_owned())),
        output_tokens_max: Some(16),
        parallel_tools: Some(false),
        temperature: Some(1.into()),
        ..query()
    };
    let mut expected = ended("completed", &[], usage());
    let told = json!({
        "tools": [{"type": "function", "name": "f", "description": "d", "parameters": {}, "strict": true}],
        "tool_choice": {"type": "function", "name": "f"},
        "text": {"format": {"type": "json_schema", "name": "S", "schema": {}, "strict": null}},
        "reasoning": {"effort": "low", "summary": null},
        "max_output_tokens": 16, "parallel_tool_calls": false, "temperature": 1,
    });
    expected.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
    check(&asked, &base, expected);
}
