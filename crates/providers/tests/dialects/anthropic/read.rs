//! Requests of clients of Anthropic's Messages API.

use lab3_providers::dialect::Front;
use lab3_providers::dialect::anthropic::{Anthropic, read, read_count, token_count};
use lab3_providers::{Effort, Format, Image, Message, Part, Query, Role, Tool, ToolCall, ToolChoice};
use serde_json::{Value, json};

use crate::said::{assistant, user, words};

/// The least a request can be, with other fields set in it.
fn request(fields: Value) -> Value {
    let mut request = json!({"model": "auto", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}]});
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

fn least() -> Query {
    Query {
        model: "auto".to_owned(),
        messages: vec![user(vec![words("Hi")])],
        output_tokens_max: Some(64),
        answers: 1,
        stream_usage: true,
        ..Query::default()
    }
}

#[track_caller]
fn check(fields: Value, expected: Query) {
    let body = request(fields).to_string();
    assert_eq!(Anthropic.read(body.as_bytes()).unwrap(), expected);
    assert_eq!(read_count(body.as_bytes()).unwrap().query, expected);
}

/// What the messages say.
#[track_caller]
fn check_messages(messages: Value, expected: Vec<Message>) {
    check(json!({"messages": messages}), Query { messages: expected, ..least() });
}

#[test]
fn settings_are_read() {
    check(json!({}), least());
    check(
        json!({
            "model": "claude-sonnet-4-5", "max_tokens": 0, "stream": true, "temperature": 0.7, "top_p": 0.95, "top_k": 40,
            "stop_sequences": ["\n\nHuman:", "END"], "metadata": {"user_id": "u"}, "service_tier": "auto", "cache_control": {"type": "ephemeral"},
            "container": null, "context_management": {"edits": []}, "system": "Be brief."
        }),
        Query {
            model: "claude-sonnet-4-5".to_owned(),
            output_tokens_max: Some(0),
            stream: true,
            temperature: serde_json::Number::from_f64(0.7),
            top_p: serde_json::Number::from_f64(0.95),
            top_k: Some(40),
            stop: vec!["\n\nHuman:".to_owned(), "END".to_owned()],
            system: vec![words("Be brief.")],
            ..least()
        },
    );
    let blocks =
        json!([{"type": "text", "text": "One.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}, {"type": "text", "text": "Two."}]);
    check(json!({"system": blocks, "stream": null}), Query { system: vec![words("One."), words("Two.")], ..least() });
}

#[test]
fn efforts_are_read() {
    let efforts = [
        (json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}), Some(Effort::Tokens(2048))),
        (json!({"thinking": {"type": "disabled"}}), Some(Effort::Tokens(0))),
        (json!({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}), Some(Effort::Tokens(0))),
        (json!({"thinking": {"type": "adaptive", "display": "summarized"}}), Some(Effort::Word("high".to_owned()))),
        (json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}), Some(Effort::Word("low".to_owned()))),
        (json!({"output_config": {"effort": "max"}}), Some(Effort::Word("max".to_owned()))),
        (json!({"thinking": {"type": "between_tools"}}), None),
        (json!({"thinking": null, "output_config": null}), None),
    ];
    for (fields, effort) in efforts {
        check(fields, Query { effort, ..least() });
    }
}

#[test]
fn tools_are_read() {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let tools = json!([
        {"name": "weather", "description": "Tells it.", "input_schema": schema, "cache_control": {"type": "ephemeral"}, "strict": true},
        {"type": "custom", "name": "time", "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
    ]);
    let weather = Tool { name: "weather".to_owned(), description: "Tells it.".to_owned(), parameters: schema, strict: Some(true) };
    let time = Tool { name: "time".to_owned(), description: String::new(), parameters: json!({"type": "object"}), strict: None };
    let with_tools = Query { tools: vec![weather, time], hosted_tools: vec!["web_search_20250305".to_owned()], ..least() };
    check(json!({"tools": tools}), with_tools.clone());

    let choices = [
        (json!({"type": "auto"}), ToolChoice::Auto, None),
        (json!({"type": "any", "disable_parallel_tool_use": true}), ToolChoice::Any, Some(false)),
        (json!({"type": "tool", "name": "time", "disable_parallel_tool_use": false}), ToolChoice::Named("time".to_owned()), Some(true)),
        (json!({"type": "none"}), ToolChoice::None, None),
    ];
    for (choice, tool_choice, parallel_tools) in choices {
        check(json!({"tools": tools, "tool_choice": choice}), Query { tool_choice, parallel_tools, ..with_tools.clone() });
    }
}

#[test]
fn schemas_of_the_answer_are_read() {
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let format = Format::Schema { name: "answer".to_owned(), schema: schema.clone(), strict: Some(true) };
    for fields in [
        json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}}),
        json!({"output_format": {"type": "json_schema", "schema": schema}}),
        json!({"output_config": {"format": null}, "output_format": {"type": "json_schema", "schema": schema}}),
    ] {
        check(fields, Query { format: format.clone(), ..least() });
    }
}

#[test]
fn turns_are_read() {
    check_messages(
        json!([
            {"role": "user", "content": [
                {"type": "text", "text": "What is it?", "cache_control": {"type": "ephemeral"}, "citations": null},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}},
                {"type": "image", "source": {"type": "url", "url": "https://example.org/a.jpg"}},
                {"type": "image", "source": {"type": "url", "url": "data:image/png;base64,iVBORw0="}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "A cat.", "signature": "EqQB"},
                {"type": "thinking", "thinking": "", "signature": "gemini:EqQC"},
                {"type": "redacted_thinking", "data": "EmwK"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1, "b": {"c": [null]}}},
                {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "A cat"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": [
                    {"type": "text", "text": "no clock"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "R0lG"}},
                ]},
                {"type": "tool_result", "tool_use_id": "toolu_3"},
            ]},
            {"role": "system", "content": "Be kind."},
            {"role": "assistant", "content": "It is"},
        ]),
        vec![
            user(vec![
                words("What is it?"),
                Part::Image(Image::Data { media_type: "image/png".to_owned(), data: "iVBORw0=".to_owned() }),
                Part::Image(Image::Url("https://example.org/a.jpg".to_owned())),
                Part::Image(Image::Data { media_type: "image/png".to_owned(), data: "iVBORw0=".to_owned() }),
            ]),
            assistant(vec![
                Part::Thinking { text: "A cat.".to_owned(), signature: Some("anthropic:EqQB".to_owned()) },
                Part::Thinking { text: String::new(), signature: Some("gemini:EqQC".to_owned()) },
                words("Let me look."),
                Part::ToolCall(ToolCall {
                    id: "toolu_1".to_owned(),
                    name: "look".to_owned(),
                    arguments: r#"{"a":1,"b":{"c":[null]}}"#.to_owned(),
                }),
                Part::ToolCall(ToolCall { id: "toolu_2".to_owned(), name: "now".to_owned(), arguments: "{}".to_owned() }),
            ]),
            user(vec![
                Part::ToolResult { id: "toolu_1".to_owned(), name: Some("look".to_owned()), parts: vec![words("A cat")], is_error: false },
                Part::ToolResult {
                    id: "toolu_2".to_owned(),
                    name: Some("now".to_owned()),
                    parts: vec![
                        words("no clock"),
                        Part::Image(Image::Data { media_type: "image/gif".to_owned(), data: "R0lG".to_owned() }),
                    ],
                    is_error: true,
                },
                Part::ToolResult { id: "toolu_3".to_owned(), name: None, parts: Vec::new(), is_error: false },
            ]),
            Message { role: Role::System, parts: vec![words("Be kind.")] },
            assistant(vec![words("It is")]),
        ],
    );
}

#[test]
fn documents_are_read() {
    let pdf = Part::Document { media_type: "application/pdf".to_owned(), data: "JVBE".to_owned() };
    check_messages(
        json!([{"role": "user", "content": [
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}, "citations": {"enabled": true}},
            {"type": "document", "title": "Notes", "context": "Of May", "source": {"type": "text", "media_type": "text/plain", "data": "Rain."}},
            {"type": "document", "source": {"type": "content", "content": "Sun."}},
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "Snow."}]}},
            {"type": "search_result", "source": "https://a.org", "title": "A", "content": [{"type": "text", "text": "Wind."}]},
        ]}]),
        vec![user(vec![
            pdf,
            words("Notes"),
            words("Of May"),
            words("Rain."),
            words("Sun."),
            words("Snow."),
            words("A\nhttps://a.org"),
            words("Wind."),
        ])],
    );
}

#[track_caller]
fn check_unreadable(fields: Value, field: &str, detail: &str) {
    let error = Anthropic.read(request(fields).to_string().as_bytes()).unwrap_err();
    assert_eq!(error.field, field, "{}", error.detail);
    assert!(error.detail.contains(detail), "{}", error.detail);
}

#[test]
fn what_is_wrong_is_blamed_on_its_field() {
    let said = |content: Value| json!({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": content}]});
    let thought = |block: Value| json!({"messages": [{"role": "assistant", "content": [block]}]});

    check_unreadable(json!({"max_tokens": null}), "max_tokens", "missing");
    check_unreadable(json!({"max_tokens": "64"}), "max_tokens", "whole number");
    check_unreadable(json!({"max_tokens": -1}), "max_tokens", "negative");
    check_unreadable(json!({"max_tokens": 1.5}), "max_tokens", "whole number");
    check_unreadable(json!({"model": null}), "model", "missing");
    check_unreadable(json!({"messages": null}), "messages", "missing");
    check_unreadable(json!({"messages": "Hi"}), "messages", "list");
    check_unreadable(json!({"messages": ["Hi"]}), "messages[0]", "object");
    check_unreadable(json!({"messages": [{"role": "tool", "content": "4"}]}), "messages[0].role", "tool_result");
    check_unreadable(json!({"messages": [{"content": "4"}]}), "messages[0].role", "missing");
    check_unreadable(json!({"messages": [{"role": "user"}]}), "messages[0].content", "missing");
    check_unreadable(said(json!(5)), "messages[2].content", "content blocks");
    check_unreadable(said(json!(["Hi"])), "messages[2].content[0]", "object");
    check_unreadable(said(json!([{"text": "Hi"}])), "messages[2].content[0].type", "missing");
    check_unreadable(said(json!([{"type": "text"}])), "messages[2].content[0].text", "missing");
    let image = json!([{"type": "image", "source": {"type": "base64", "data": "iVBO"}}]);
    check_unreadable(said(image), "messages[2].content[0].source.media_type", "missing");
    check_unreadable(said(json!([{"type": "image"}])), "messages[2].content[0].source", "missing");
    let kept = json!([{"type": "text", "text": "a"}, {"type": "image", "source": {"type": "file", "file_id": "file_1"}}]);
    check_unreadable(said(kept), "messages[2].content[1].source.type", "base64");
    let linked = json!([{"type": "document", "source": {"type": "url", "url": "https://a.org/a.pdf"}}]);
    check_unreadable(said(linked), "messages[2].content[0].source.type", "cannot be known");
    let result = json!([{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": 1}]}]);
    check_unreadable(said(result), "messages[2].content[0].content[0].text", "string");
    let nested = json!([{"type": "document", "source": {"type": "content", "content": [{"type": "image", "source": {"type": "url"}}]}}]);
    check_unreadable(said(nested), "messages[2].content[0].source.content[0].source.url", "missing");
    check_unreadable(said(json!([{"type": "tool_result"}])), "messages[2].content[0].tool_use_id", "missing");
    check_unreadable(said(json!([{"type": "tool_use", "id": "a", "name": "b", "input": {}}])), "messages[2].content[0].type", "assistant");
    check_unreadable(thought(json!({"type": "tool_result", "tool_use_id": "a"})), "messages[0].content[0].type", "user");
    check_unreadable(thought(json!({"type": "tool_use", "id": "a", "name": "b", "input": "{}"})), "messages[0].content[0].input", "object");
    check_unreadable(thought(json!({"type": "tool_use", "id": "a", "name": "b"})), "messages[0].content[0].input", "missing");
    check_unreadable(json!({"system": [{"type": "image"}]}), "system[0].type", "instructions");
    check_unreadable(json!({"system": {"text": "a"}}), "system", "content blocks");
    check_unreadable(json!({"tools": [{"name": "a"}]}), "tools[0].input_schema", "missing");
    check_unreadable(json!({"tools": [{"input_schema": {}}]}), "tools[0].name", "missing");
    check_unreadable(json!({"tools": [{"name": "a", "input_schema": "{}"}]}), "tools[0].input_schema", "object");
    check_unreadable(json!({"tool_choice": {"type": "required"}}), "tool_choice.type", "any");
    check_unreadable(json!({"tool_choice": {"type": "tool"}}), "tool_choice.name", "missing");
    check_unreadable(json!({"tool_choice": "auto"}), "tool_choice", "object");
    check_unreadable(json!({"thinking": {"type": "enabled"}}), "thinking.budget_tokens", "missing");
    check_unreadable(json!({"thinking": true}), "thinking", "object");
    check_unreadable(json!({"output_config": {"effort": 3}}), "output_config.effort", "string");
    check_unreadable(json!({"output_config": {"format": {"type": "json"}}}), "output_config.format.type", "json_schema");
    check_unreadable(json!({"stop_sequences": ["a", 1]}), "stop_sequences", "strings");
    check_unreadable(json!({"temperature": "hot"}), "temperature", "number");
    check_unreadable(json!({"stream": "yes"}), "stream", "true or false");
    for body in ["", "[]", "nonsense", "{\"model\":"] {
        assert_eq!(Anthropic.read(body.as_bytes()).unwrap_err().field, "", "{body}");
    }
}

/// What Anthropic alone can be told is left out of the query, and noted.
#[track_caller]
fn check_only_here(fields: Value, expected: &[&str], messages: usize) {
    let body = request(fields).to_string();
    let reading = read(body.as_bytes()).unwrap();
    let fields = reading.only_here.iter().map(|note| note.field.as_str()).collect::<Vec<_>>();
    assert_eq!((fields.as_slice(), reading.query.messages.len()), (expected, messages));
    assert_eq!(Anthropic.read(body.as_bytes()).unwrap().only_here, reading.only_here);
}

#[test]
fn what_no_other_dialect_can_say_is_noted() {
    let searched = json!([
        {"role": "user", "content": "Search"},
        {"role": "assistant", "content": [
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "a"}},
            {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
            {"type": "text", "text": "Found"},
        ]},
    ]);
    check_only_here(json!({"messages": searched}), &["messages[1].content[0].type", "messages[1].content[1].type"], 2);
    let found = json!([{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "tool_reference", "tool_name": "b"}]}]}]);
    check_only_here(json!({"messages": found}), &["messages[0].content[0].content[0].type"], 1);
    let tools = json!([{"type": "bash_20250124", "name": "bash"}, {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}]);
    check_only_here(json!({"tools": tools}), &["tools[0].type", "tools[1].type"], 1);
}

#[test]
fn tokens_are_counted_without_a_limit() {
    let body = br#"{"model":"auto","messages":[{"role":"user","content":"Hi"}]}"#;
    assert_eq!(read_count(body).unwrap().query, Query { output_tokens_max: None, ..least() });
    assert_eq!(read(body).unwrap_err().field, "max_tokens");
    assert_eq!(token_count(2095), br#"{"input_tokens":2095}"#);
}
