//! Chat Completions as clients send them.

use lab3_providers::dialect::Front;
use lab3_providers::dialect::openai_chat::{OpenAiChat, read};
use lab3_providers::{Effort, Format, Image, Message, Part, Query, Role, Tool, ToolChoice};
use serde_json::{Value, json};

use crate::said::{assistant, made_call, result, user, words};

/// A request of one word, with more fields.
fn request(fields: &Value) -> Value {
    let mut body = json!({"model": "auto", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

/// What a request of one word is.
fn query() -> Query {
    Query { model: "auto".to_owned(), messages: vec![user(vec![words("hi")])], answers: 1, ..Query::default() }
}

/// The request with these fields is the plain query so changed.
fn check(fields: Value, change: impl FnOnce(&mut Query)) {
    let mut expected = query();
    change(&mut expected);
    assert_eq!(OpenAiChat.read(request(&fields).to_string().as_bytes()), Ok(expected), "{fields}");
}

/// The messages are this conversation.
fn check_messages(messages: Value, system: &[Part], expected: &[Message]) {
    check(json!({"messages": messages}), |query| {
        query.system = system.to_vec();
        query.messages = expected.to_vec();
    });
}

#[test]
fn settings_are_read() {
    let number = |text: &str| Some(serde_json::from_str(text).unwrap());
    check(json!({}), |_| ());
    check(json!({"stream": true, "stream_options": {"include_usage": true}}), |query| (query.stream, query.stream_usage) = (true, true));
    check(json!({"stream": false, "stream_options": null, "stop": null, "tools": null, "max_tokens": null, "user": "x"}), |_| ());
    check(json!({"max_tokens": 5}), |query| query.output_tokens_max = Some(5));
    check(json!({"max_tokens": 5, "max_completion_tokens": 6}), |query| query.output_tokens_max = Some(6));
    check(json!({"n": 3, "seed": -7, "top_k": 40}), |query| (query.answers, query.seed, query.top_k) = (3, Some(-7), Some(40)));
    check(json!({"top_k": -1}), |_| ());
    check(json!({"temperature": 0.7, "top_p": 1, "frequency_penalty": -0.5, "presence_penalty": 2}), |query| {
        (query.temperature, query.top_p) = (number("0.7"), number("1"));
        (query.frequency_penalty, query.presence_penalty) = (number("-0.5"), number("2"));
    });
    check(json!({"stop": "\n"}), |query| query.stop = vec!["\n".to_owned()]);
    check(json!({"stop": ["a", "b"]}), |query| query.stop = vec!["a".to_owned(), "b".to_owned()]);
    check(json!({"reasoning_effort": "minimal"}), |query| query.effort = Some(Effort::Word("minimal".to_owned())));
    check(json!({"modalities": ["text"], "parallel_tool_calls": false}), |query| query.parallel_tools = Some(false));
    check(json!({"response_format": {"type": "json_object"}}), |query| query.format = Format::Json);
    check(json!({"response_format": {"type": "text"}}), |_| ());
    let schema = json!({"type": "json_schema", "json_schema": {"name": "Ev", "schema": {"type": "object"}, "strict": true}});
    check(json!({"response_format": schema}), |query| {
        query.format = Format::Schema { name: "Ev".to_owned(), schema: json!({"type": "object"}), strict: Some(true) };
    });
}

#[test]
fn tools_are_read() {
    let tool = |name: &str| Tool { name: name.to_owned(), description: String::new(), parameters: json!({"type": "object"}), strict: None };
    let told = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}});
    let both = || vec![tool("f"), tool("g")];
    let full = json!({"name": "f", "description": "does f", "parameters": {"type": "object"}, "strict": true});
    check(json!({"tools": [{"type": "function", "function": full}]}), |query| {
        query.tools = vec![Tool { description: "does f".to_owned(), strict: Some(true), ..tool("f") }];
    });
    check(json!({"tools": [{"type": "function", "function": {"name": "f"}}]}), |query| {
        query.tools = vec![Tool { parameters: json!({"type": "object", "properties": {}}), ..tool("f") }];
    });
    let choose = |choice: Value, expected: ToolChoice, tools: Vec<Tool>| {
        check(json!({"tools": [told("f"), told("g")], "tool_choice": choice}), |query| {
            (query.tools, query.tool_choice) = (tools, expected);
        });
    };
    choose(json!("auto"), ToolChoice::Auto, both());
    choose(json!("none"), ToolChoice::None, both());
    choose(json!("required"), ToolChoice::Any, both());
    choose(json!({"type": "function", "function": {"name": "g"}}), ToolChoice::Named("g".to_owned()), both());
    let allowed = json!({"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]});
    choose(json!({"type": "allowed_tools", "allowed_tools": allowed}), ToolChoice::Any, vec![tool("g")]);
    // As they were told before there were tools.
    let functions = json!([{"name": "f", "parameters": {"type": "object"}}]);
    check(json!({"functions": functions, "function_call": {"name": "f"}}), |query| {
        (query.tools, query.tool_choice) = (vec![tool("f")], ToolChoice::Named("f".to_owned()));
    });
    check(json!({"functions": functions, "function_call": "none"}), |query| {
        (query.tools, query.tool_choice) = (vec![tool("f")], ToolChoice::None);
    });
}

#[test]
fn tools_that_cost_are_named() {
    let hosted = |fields: Value, name: &str| check(fields, |query| query.hosted_tools = vec![name.to_owned()]);
    hosted(json!({"web_search_options": {}}), "web_search");
    hosted(json!({"tools": [{"type": "web_search_preview"}]}), "web_search_preview");
    hosted(json!({"search_parameters": {"mode": "auto"}}), "live_search");
    hosted(json!({"plugins": [{"id": "web"}]}), "plugins");
}

#[test]
fn conversations_are_read() {
    let hi = json!({"role": "user", "content": "hi"});
    check_messages(
        json!([{"role": "system", "content": "a"}, {"role": "developer", "content": [{"type": "text", "text": "b"}]}, hi]),
        &[words("a"), words("b")],
        &[user(vec![words("hi")])],
    );
    let late = Message { role: Role::System, parts: vec![words("late")] };
    check_messages(json!([hi, {"role": "developer", "content": "late"}]), &[], &[user(vec![words("hi")]), late]);
    // Calls, and what they gave, which is one message.
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    check_messages(
        json!([
            hi,
            {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [call("a"), call("b")]},
            {"role": "tool", "tool_call_id": "a", "content": "1"},
            {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
            hi,
            {"role": "assistant", "content": "ok", "refusal": null},
            {"role": "tool", "tool_call_id": "unknown", "content": "3"}
        ]),
        &[],
        &[
            user(vec![words("hi")]),
            assistant(vec![
                Part::Thinking { text: "hm".to_owned(), signature: None },
                Part::ToolCall(made_call("a", "f", "{}")),
                Part::ToolCall(made_call("b", "f", "{}")),
            ]),
            user(vec![result("a", Some("f"), "1"), result("b", Some("f"), "2")]),
            user(vec![words("hi")]),
            assistant(vec![words("ok")]),
            user(vec![result("unknown", None, "3")]),
        ],
    );
    // Functions of old have no ids: they get some.
    let old = json!({"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}});
    let gave = |text: &str| json!({"role": "function", "name": "f", "content": text});
    check_messages(
        json!([hi, old, gave("1"), old, gave("2")]),
        &[],
        &[
            user(vec![words("hi")]),
            assistant(vec![Part::ToolCall(made_call("call_0", "f", "{}"))]),
            user(vec![result("call_0", Some("f"), "1")]),
            assistant(vec![Part::ToolCall(made_call("call_1", "f", "{}"))]),
            user(vec![result("call_1", Some("f"), "2")]),
        ],
    );
    let refused = json!({"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]});
    check_messages(json!([refused, hi]), &[], &[assistant(vec![words("no")]), user(vec![words("hi")])]);
}

#[test]
fn pictures_and_documents_are_read() {
    let check = |part: Value, expected: Part| check_messages(json!([{"role": "user", "content": [part]}]), &[], &[user(vec![expected])]);
    let data = |media_type: &str| Part::Image(Image::Data { media_type: media_type.to_owned(), data: "AAAA".to_owned() });
    let picture = |url: &str| json!({"type": "image_url", "image_url": {"url": url, "detail": "low"}});
    check(picture("https://x/y.png"), Part::Image(Image::Url("https://x/y.png".to_owned())));
    check(picture("data:image/png;base64,AAAA"), data("image/png"));
    check(picture("DATA:image/svg+xml;charset=utf-8;BASE64,AAAA"), data("image/svg+xml"));
    check(
        json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}}),
        Part::Document { media_type: "application/pdf".to_owned(), data: "AAAA".to_owned() },
    );
}

#[test]
fn what_cannot_be_read_is_blamed_on_its_field() {
    let check = |body: &str, field: &str, help: &str| {
        let complaint = OpenAiChat.read(body.as_bytes()).unwrap_err();
        assert_eq!(complaint.field, field, "{body}");
        assert!(complaint.detail.contains(help), "{body}: {}", complaint.detail);
    };
    check("{", "", "JSON");
    check("[]", "", "must be an object; it is a list");
    check(r#"{"messages":[]}"#, "model", "use auto");
    check(r#"{"model":"auto"}"#, "messages", "missing");
    check(r#"{"model":"auto","messages":[]}"#, "messages", "at least one");
    check(r#"{"model":"auto","messages":{}}"#, "messages", "must be a list; it is an object");
    let fields = |fields: Value, field: &str, help: &str| check(&request(&fields).to_string(), field, help);
    fields(json!({"model": 7}), "model", "it is 7");
    fields(json!({"model": ""}), "model", "use auto");
    fields(json!({"temperature": "hot"}), "temperature", "must be a number; it is a string");
    fields(json!({"max_tokens": 0}), "max_tokens", "above 0");
    fields(json!({"max_completion_tokens": -1}), "max_completion_tokens", "above 0");
    fields(json!({"max_tokens": 1.5}), "max_tokens", "it is 1.5");
    fields(json!({"n": 129}), "n", "at most 128");
    fields(json!({"stop": ["a", 1]}), "stop", "list of strings");
    fields(json!({"stream": "yes"}), "stream", "true or false");
    fields(json!({"stream_options": {"include_usage": 1}}), "stream_options.include_usage", "true or false");
    fields(json!({"modalities": ["text", "audio"]}), "modalities", "leave modalities out");
    fields(json!({"response_format": {"type": "xml"}}), "response_format.type", "json_schema");
    fields(json!({"response_format": {"type": "json_schema"}}), "response_format.json_schema", "missing");
    fields(json!({"response_format": {"type": "json_schema", "json_schema": {}}}), "response_format.json_schema.name", "missing");
    fields(json!({"tools": [{"type": "function"}]}), "tools[0].function", "missing");
    fields(json!({"tools": [{"type": "function", "function": {"name": 1}}]}), "tools[0].function.name", "string");
    fields(json!({"tool_choice": "maybe"}), "tool_choice", "required");
    fields(json!({"tool_choice": {"type": "function", "function": {}}}), "tool_choice.function.name", "missing");
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"tools": [7]}});
    fields(json!({"tool_choice": allowed}), "tool_choice.allowed_tools.tools[0]", "object");
    fields(json!({"functions": [{}]}), "functions[0].name", "missing");
    let messages = |messages: Value, field: &str, help: &str| fields(json!({"messages": messages}), field, help);
    messages(json!(["hi"]), "messages[0]", "must be an object; it is a string");
    messages(json!([{"content": "hi"}]), "messages[0].role", "missing");
    messages(json!([{"role": "bot", "content": "hi"}]), "messages[0].role", "use system");
    messages(json!([{"role": "user"}]), "messages[0].content", "missing");
    messages(json!([{"role": "user", "content": 7}]), "messages[0].content", "a string or a list of parts; it is 7");
    messages(json!([{"role": "tool", "content": "x"}]), "messages[0].tool_call_id", "missing");
    let parts = |part: Value, field: &str, help: &str| {
        messages(
            json!([{"role": "user", "content": "hi"}, {"role": "user", "content": [{"type": "text", "text": "a"}, part]}]),
            field,
            help,
        );
    };
    parts(json!({"text": "a"}), "messages[1].content[1].type", "missing");
    parts(json!({"type": "text"}), "messages[1].content[1].text", "missing");
    parts(json!({"type": "image_url", "image_url": "https://x"}), "messages[1].content[1].image_url", "must be an object");
    parts(json!({"type": "image_url", "image_url": {"url": "data:image/png,x"}}), "messages[1].content[1].image_url.url", "base64");
    parts(json!({"type": "file", "file": {"file_data": "JVBE"}}), "messages[1].content[1].file.file_data", "data URL");
    let call = json!({"id": "a", "type": "function", "function": {"arguments": "{}"}});
    messages(json!([{"role": "assistant", "tool_calls": [call]}]), "messages[0].tool_calls[0].function.name", "missing");
    let call = json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": {}}});
    messages(json!([{"role": "assistant", "tool_calls": [call]}]), "messages[0].tool_calls[0].function.arguments", "must be a string");
}

#[test]
fn what_other_dialects_cannot_say_is_told() {
    let check = |fields: Value, field: &str| {
        let reading = read(request(&fields).to_string().as_bytes()).unwrap();
        let fields_found: Vec<&str> = reading.only_here.iter().map(|note| note.field.as_str()).collect();
        assert_eq!(fields_found, [field], "{fields}");
    };
    let part = |part: Value| json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, part]}]});
    check(part(json!({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}})), "messages[0].content[1].type");
    check(part(json!({"type": "file", "file": {"file_id": "file-1"}})), "messages[0].content[1].file");
    check(json!({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}), "messages[0].audio");
    let custom = json!({"id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}});
    check(json!({"messages": [{"role": "assistant", "tool_calls": [custom]}]}), "messages[0].tool_calls[0].type");
    check(json!({"tools": [{"type": "custom", "custom": {"name": "f"}}]}), "tools[0].type");
}
