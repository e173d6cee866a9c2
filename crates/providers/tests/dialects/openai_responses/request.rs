//! Responses as clients send them.

use lab3_providers::dialect::Front;
use lab3_providers::dialect::openai_responses::{OpenAiResponses, read};
use lab3_providers::{Effort, Format, Image, Message, Part, Query, Role, Tool, ToolChoice};
use serde_json::{Value, json};

use crate::said::{assistant, made_call, user, words};

/// A request of one word, with more fields.
fn request(fields: &Value) -> Value {
    let mut body = json!({"model": "auto", "input": "hi"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

/// What a request of one word is.
fn query() -> Query {
    Query { model: "auto".to_owned(), messages: vec![user(vec![words("hi")])], answers: 1, stream_usage: true, ..Query::default() }
}

/// The request with these fields is the plain query so changed.
fn check(fields: Value, change: impl FnOnce(&mut Query)) {
    let mut expected = query();
    change(&mut expected);
    assert_eq!(OpenAiResponses.read(request(&fields).to_string().as_bytes()), Ok(expected), "{fields}");
}

#[test]
fn settings_are_read() {
    let number = |text: &str| Some(serde_json::from_str(text).unwrap());
    check(json!({}), |_| ());
    check(json!({"store": false, "previous_response_id": null, "conversation": null, "background": false, "truncation": "auto"}), |_| ());
    check(json!({"instructions": "be kind", "stream": true}), |query| (query.system, query.stream) = (vec![words("be kind")], true));
    check(json!({"max_output_tokens": 16, "temperature": 0.2, "top_p": 0.9}), |query| {
        (query.output_tokens_max, query.temperature, query.top_p) = (Some(16), number("0.2"), number("0.9"));
    });
    check(json!({"reasoning": {"effort": "high", "summary": "auto"}}), |query| query.effort = Some(Effort::Word("high".to_owned())));
    check(json!({"text": {"format": {"type": "json_object"}, "verbosity": "low"}}), |query| query.format = Format::Json);
    let schema = json!({"type": "json_schema", "name": "Ev", "schema": {"type": "object"}, "strict": true});
    check(json!({"text": {"format": schema}}), |query| {
        query.format = Format::Schema { name: "Ev".to_owned(), schema: json!({"type": "object"}), strict: Some(true) };
    });
}

#[test]
fn tools_are_read() {
    let tool = |name: &str| Tool { name: name.to_owned(), description: String::new(), parameters: json!({"type": "object"}), strict: None };
    let told = |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object"}});
    let choose = |choice: Value, expected: ToolChoice, tools: &[&str]| {
        check(json!({"tools": [told("f"), told("g")], "tool_choice": choice, "parallel_tool_calls": false}), |query| {
            query.tools = tools.iter().map(|name| tool(name)).collect();
            (query.tool_choice, query.parallel_tools) = (expected, Some(false));
        });
    };
    choose(json!("required"), ToolChoice::Any, &["f", "g"]);
    choose(json!({"type": "function", "name": "g"}), ToolChoice::Named("g".to_owned()), &["f", "g"]);
    let allowed = json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "g"}]});
    choose(allowed, ToolChoice::Auto, &["g"]);
    let full = json!({"type": "function", "name": "f", "description": "does f", "parameters": {"type": "object"}, "strict": true});
    check(json!({"tools": [full]}), |query| {
        query.tools = vec![Tool { description: "does f".to_owned(), strict: Some(true), ..tool("f") }];
    });
    for hosted in ["web_search", "file_search", "code_interpreter", "image_generation", "mcp"] {
        check(json!({"tools": [{"type": hosted}]}), |query| query.hosted_tools = vec![hosted.to_owned()]);
    }
}

#[test]
fn items_are_read() {
    let check = |items: Value, system: &[Part], expected: &[Message]| {
        check(json!({"input": items}), |query| (query.system, query.messages) = (system.to_vec(), expected.to_vec()));
    };
    let hi = json!({"role": "user", "content": "hi"});
    check(json!([hi]), &[], &[user(vec![words("hi")])]);
    check(json!([hi, hi]), &[], &[user(vec![words("hi")]), user(vec![words("hi")])]);
    let late = Message { role: Role::System, parts: vec![words("late")] };
    let so = json!({"role": "assistant", "content": "so"});
    check(
        json!([{"type": "message", "role": "developer", "content": "a"}, hi, so, {"role": "system", "content": "late"}, so]),
        &[words("a")],
        &[user(vec![words("hi")]), assistant(vec![words("so")]), late, assistant(vec![words("so")])],
    );
    let parts = json!([
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_image", "detail": "auto", "image_url": "https://x"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
    ]);
    let expected = vec![
        words("a"),
        Part::Image(Image::Data { media_type: "image/png".to_owned(), data: "AAAA".to_owned() }),
        Part::Image(Image::Url("https://x".to_owned())),
        Part::Document { media_type: "application/pdf".to_owned(), data: "AAAA".to_owned() },
    ];
    check(json!([{"role": "user", "content": parts}]), &[], &[user(expected)]);
    // The model's turn is one message, and so is what its tools gave.
    let result = |id: &str, name: Option<&str>, parts: Vec<Part>| Part::ToolResult {
        id: id.to_owned(),
        name: name.map(str::to_owned),
        parts,
        is_error: false,
    };
    check(
        json!([
            hi,
            {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "x"}, {"type": "summary_text", "text": "y"}],
                "encrypted_content": "sig"},
            {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "x"}],
                "content": [{"type": "reasoning_text", "text": "raw"}]},
            {"type": "reasoning", "id": "rs", "summary": []},
            {"type": "message", "id": "msg", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "text": "so", "annotations": []}, {"type": "refusal", "refusal": "no"}]},
            {"type": "function_call", "id": "fc", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "b", "name": "g", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "1"},
            {"type": "function_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "2"}]},
            {"type": "function_call_output", "call_id": "c", "output": "3"},
            hi,
        ]),
        &[],
        &[
            user(vec![words("hi")]),
            assistant(vec![
                Part::Thinking { text: "x\n\ny".to_owned(), signature: Some("sig".to_owned()) },
                Part::Thinking { text: "raw".to_owned(), signature: None },
                words("so"),
                words("no"),
                Part::ToolCall(made_call("a", "f", "{}")),
                Part::ToolCall(made_call("b", "g", "{}")),
            ]),
            user(vec![
                result("a", Some("f"), vec![words("1")]),
                result("b", Some("g"), vec![words("2")]),
                result("c", None, vec![words("3")]),
            ]),
            user(vec![words("hi")]),
        ],
    );
}

#[test]
fn what_cannot_be_read_is_blamed_on_its_field() {
    let check = |body: &str, field: &str, help: &str| {
        let complaint = OpenAiResponses.read(body.as_bytes()).unwrap_err();
        assert_eq!(complaint.field, field, "{body}");
        assert!(complaint.detail.contains(help), "{body}: {}", complaint.detail);
    };
    check("nothing", "", "JSON");
    check(r#"{"input":"hi"}"#, "model", "use auto");
    check(r#"{"model":"auto"}"#, "input", "missing");
    let fields = |fields: Value, field: &str, help: &str| check(&request(&fields).to_string(), field, help);
    fields(json!({"previous_response_id": "resp_1"}), "previous_response_id", "whole conversation");
    fields(json!({"conversation": {"id": "conv_1"}}), "conversation", "whole conversation");
    fields(json!({"store": true}), "store", "leave it out");
    fields(json!({"background": true}), "background", "stream");
    fields(json!({"prompt": {"id": "pmpt_1"}}), "prompt", "instructions");
    fields(json!({"input": 7}), "input", "a string or a list of items; it is 7");
    fields(json!({"input": []}), "input", "at least one");
    fields(json!({"instructions": []}), "instructions", "string");
    fields(json!({"max_output_tokens": 0}), "max_output_tokens", "above 0");
    fields(json!({"reasoning": {"effort": 1}}), "reasoning.effort", "string");
    fields(json!({"text": {"format": {"type": "xml"}}}), "text.format.type", "json_schema");
    fields(json!({"text": {"format": {"type": "json_schema", "schema": {}}}}), "text.format.name", "missing");
    fields(json!({"tools": [{"type": "function", "function": {"name": "f"}}]}), "tools[0].name", "missing");
    fields(json!({"tool_choice": "maybe"}), "tool_choice", "required");
    let item = |item: Value, field: &str, help: &str| fields(json!({"input": [{"role": "user", "content": "hi"}, item]}), field, help);
    item(json!("hi"), "input[1]", "object");
    item(json!({"type": "item_reference", "id": "msg_1"}), "input[1].type", "send the item itself");
    item(json!({"content": "hi"}), "input[1].role", "missing");
    item(json!({"role": "tool", "content": "hi"}), "input[1].role", "use system");
    item(json!({"role": "user"}), "input[1].content", "missing");
    item(json!({"role": "user", "content": [{"type": "input_text"}]}), "input[1].content[0].text", "missing");
    item(json!({"role": "user", "content": [{"type": "input_image", "image_url": "data:x"}]}), "input[1].content[0].image_url", "base64");
    item(json!({"type": "function_call", "name": "f"}), "input[1].call_id", "missing");
    item(json!({"type": "function_call_output", "call_id": "a", "output": {}}), "input[1].output", "list of parts");
}

#[test]
fn what_other_dialects_cannot_say_is_told() {
    let check = |fields: Value, field: &str| {
        let reading = read(request(&fields).to_string().as_bytes()).unwrap();
        let found: Vec<&str> = reading.only_here.iter().map(|note| note.field.as_str()).collect();
        assert_eq!(found, [field], "{fields}");
    };
    check(json!({"tools": [{"type": "custom", "name": "f"}]}), "tools[0].type");
    let part = |part: Value| json!({"input": [{"role": "user", "content": [part]}]});
    check(part(json!({"type": "input_image", "file_id": "file-1"})), "input[0].content[0].file_id");
    check(part(json!({"type": "input_file", "file_url": "https://x"})), "input[0].content[0]");
    check(part(json!({"type": "input_audio"})), "input[0].content[0].type");
    check(json!({"input": [{"type": "web_search_call", "id": "ws"}]}), "input[0].type");
}
