//! Requests to providers that speak Anthropic's Messages API.

use lab3_providers::dialect::anthropic::{Anthropic, read};
use lab3_providers::dialect::{Back, Call, Terms};
use lab3_providers::{Effort, Format, Image, Message, Part, Query, Role, Tool, ToolCall, ToolChoice};
use serde_json::{Value, json};

use super::terms;
use crate::said::{turn, words};

fn asked() -> Query {
    Query { model: "auto".to_owned(), messages: vec![turn(Role::User, vec![words("Hi")])], answers: 1, ..Query::default() }
}

fn weather() -> Tool {
    let parameters = json!({"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"], "additionalProperties": false});
    Tool { name: "weather".to_owned(), description: "Tells it.".to_owned(), parameters, strict: Some(true) }
}

fn body(call: &Call) -> Value {
    serde_json::from_slice(&call.body).unwrap()
}

/// The fields of a written request beside those that every one has.
#[track_caller]
fn check_for(model: &str, query: &Query, expected: Value) {
    assert_eq!(Anthropic.can_say(query, &terms(model)), Ok(()));
    let written = body(&Anthropic.write(query, &terms(model), None).unwrap());
    let mut full = json!({"model": model, "max_tokens": 4096, "stream": true, "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]});
    full.as_object_mut().unwrap().extend(expected.as_object().unwrap().clone());
    assert_eq!(written, full, "for {model}");
}

#[track_caller]
fn check(query: &Query, expected: Value) {
    check_for("claude-sonnet-4-5", query, expected);
}

#[track_caller]
fn check_messages(messages: Vec<Message>, expected: Value) {
    check(&Query { messages, ..asked() }, json!({"messages": expected}));
}

#[test]
fn a_call_carries_the_version_and_the_key() {
    let call = Anthropic.write(&asked(), &terms("claude-opus-5"), Some("sk-secret")).unwrap();
    assert_eq!(call.path, "/v1/messages");
    assert_eq!(call.headers, [("anthropic-version", "2023-06-01".to_owned()), ("x-api-key", "sk-secret".to_owned())]);
    let adapted = Anthropic.adapt(b"{}", &terms("m"), None).unwrap().unwrap();
    assert_eq!((adapted.path.as_str(), adapted.headers), ("/v1/messages", vec![("anthropic-version", "2023-06-01".to_owned())]));
}

#[test]
fn settings_are_written() {
    check(&asked(), json!({}));
    let number = |number: f64| serde_json::Number::from_f64(number);
    let query = Query {
        temperature: number(0.7),
        top_k: Some(40),
        stop: vec!["END".to_owned()],
        seed: Some(1),
        frequency_penalty: number(0.5),
        ..asked()
    };
    check(&query, json!({"temperature": 0.7, "top_k": 40, "stop_sequences": ["END"]}));
    check(&Query { top_p: number(0.9), ..asked() }, json!({"top_p": 0.9}));
    // Only one of the two is taken, and no temperature above 1.
    check(&Query { temperature: number(1.5), top_p: number(0.9), ..asked() }, json!({"temperature": 1}));
    // Newer models take none of them.
    check_for("claude-opus-4-7", &query, json!({"stop_sequences": ["END"]}));
    check_for("some-other-model", &query, json!({"temperature": 0.7, "top_k": 40, "stop_sequences": ["END"]}));
}

#[test]
fn thinking_leaves_out_what_does_not_go_with_it() {
    let query =
        Query { effort: Some(Effort::Word("low".to_owned())), temperature: serde_json::Number::from_f64(0.5), top_k: Some(5), ..asked() };
    check(&query, json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}));
    let none = Query { effort: Some(Effort::Tokens(0)), ..query.clone() };
    check(&none, json!({"temperature": 0.5, "top_k": 5}));
    let adaptive = json!({"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "low"}});
    check_for("claude-opus-4-8", &query, adaptive);
    check_for("claude-opus-5", &none, json!({"thinking": {"type": "disabled"}}));
    // A budget must be below the limit, and is left out where too little remains.
    let little = Terms { model: "claude-sonnet-4-5".to_owned(), output_tokens_max: 1300 };
    let written = body(&Anthropic.write(&query, &little, None).unwrap());
    assert_eq!((&written["thinking"], &written["temperature"]), (&Value::Null, &json!(0.5)));

    // In the midst of calls that the model did not think about, models with a budget refuse to.
    let call = Part::ToolCall(ToolCall { id: "a".to_owned(), name: "now".to_owned(), arguments: "{}".to_owned() });
    let result = turn(Role::User, vec![Part::ToolResult { id: "a".to_owned(), name: None, parts: Vec::new(), is_error: false }]);
    let thought = Part::Thinking { text: "Hm.".to_owned(), signature: Some("anthropic:Eq".to_owned()) };
    for (parts, thinks) in [(vec![call.clone()], false), (vec![thought, call], true)] {
        let messages = vec![asked().messages[0].clone(), turn(Role::Assistant, parts), result.clone()];
        let written = body(&Anthropic.write(&Query { messages, ..query.clone() }, &terms("claude-sonnet-4-5"), None).unwrap());
        assert_eq!(written.get("thinking").is_some(), thinks);
    }
}

#[test]
fn tools_are_written() {
    let plain = Tool { name: "now".to_owned(), description: String::new(), parameters: Value::Null, strict: None };
    let query = Query { tools: vec![weather(), plain.clone()], ..asked() };
    let tools = |strict: bool| {
        let mut first = json!({"name": "weather", "description": "Tells it.", "input_schema": weather().parameters});
        if strict {
            first["strict"] = json!(true);
        }
        json!([first, {"name": "now", "input_schema": {"type": "object"}}])
    };
    check(&query, json!({"tools": tools(true)}));
    check_for("claude-3-7-sonnet-latest", &query, json!({"tools": tools(false)}));

    let named = || ToolChoice::Named("weather".to_owned());
    let choices = [
        (ToolChoice::Auto, None, Value::Null),
        (ToolChoice::Auto, Some(true), Value::Null),
        (ToolChoice::Auto, Some(false), json!({"type": "auto", "disable_parallel_tool_use": true})),
        (ToolChoice::Any, None, json!({"type": "any"})),
        (named(), Some(false), json!({"type": "tool", "name": "weather", "disable_parallel_tool_use": true})),
        (ToolChoice::None, Some(false), json!({"type": "none"})),
    ];
    for (tool_choice, parallel_tools, expected) in choices {
        let query = Query { tool_choice, parallel_tools, ..query.clone() };
        let written = body(&Anthropic.write(&query, &terms("claude-sonnet-4-5"), None).unwrap());
        assert_eq!(written["tool_choice"], expected);
    }
    // Without tools there is no choice.
    check(&Query { tool_choice: ToolChoice::Any, ..asked() }, json!({}));

    // Thoughts do not go with a forced tool; models that always think cannot be forced, and are told.
    let forced = Query { tools: vec![plain], tool_choice: ToolChoice::Any, effort: Some(Effort::Word("high".to_owned())), ..asked() };
    let now = json!([{"name": "now", "input_schema": {"type": "object"}}]);
    check(&forced, json!({"tools": now, "tool_choice": {"type": "any"}}));
    check_for(
        "claude-opus-5",
        &Query { effort: None, ..forced.clone() },
        json!({"tools": now, "tool_choice": {"type": "any"}, "thinking": {"type": "disabled"}}),
    );
    let told = json!([{"type": "text", "text": "Answer by calling at least one of your tools."}]);
    check_for(
        "claude-opus-5-5",
        &Query { effort: None, ..forced.clone() },
        json!({"tools": now, "tool_choice": {"type": "auto"}, "system": told}),
    );
    let told = json!([{"type": "text", "text": "Answer by calling your tool `now`."}]);
    check_for(
        "claude-opus-5-5",
        &Query { effort: None, tool_choice: ToolChoice::Named("now".to_owned()), parallel_tools: Some(false), ..forced },
        json!({"tools": now, "tool_choice": {"type": "auto", "disable_parallel_tool_use": true}, "system": told}),
    );
}

#[test]
fn the_answers_form_is_enforced_or_asked_for() {
    let schema = |strict: Option<bool>, schema: Value| Format::Schema { name: "a".to_owned(), schema, strict };
    let closed = || {
        json!({"type": "object", "properties": {"at": {"type": ["string", "null"]}, "of": {"type": "array", "items": {"$ref": "#/$defs/of"}}},
            "required": ["at", "of"], "additionalProperties": false,
            "$defs": {"of": {"anyOf": [{"type": "string", "format": "date"}, {"enum": ["minimum"]}]}}})
    };
    let enforced = |schema: Value| json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}});
    let is_asked = |model: &str, format: Format| {
        let written = body(&Anthropic.write(&Query { format, ..asked() }, &terms(model), None).unwrap());
        assert!(written.get("output_config").is_none());
        written["system"][0]["text"].as_str().unwrap().to_owned()
    };
    check(&Query { format: schema(Some(true), closed()), ..asked() }, enforced(closed()));
    check_for(
        "claude-opus-4-6",
        &Query { format: schema(Some(true), closed()), effort: Some(Effort::Word("medium".to_owned())), ..asked() },
        json!({"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "medium", "format": {"type": "json_schema", "schema": closed()}}}),
    );

    let instruction = "Answer with one JSON object and nothing else: no words around it, no code fence.";
    assert_eq!(is_asked("claude-sonnet-4-5", Format::Json), instruction);
    let told = format!("{instruction} It must match this JSON Schema:\n{}", closed());
    assert_eq!(is_asked("claude-sonnet-4-5", schema(None, closed())), told);
    assert_eq!(is_asked("claude-3-5-haiku-latest", schema(Some(true), closed())), told);
    for unenforceable in [
        json!({"type": "object", "properties": {}}),
        json!({"type": "object", "properties": {"a": {"type": ["object", "null"]}}, "additionalProperties": false}),
        json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "additionalProperties": false}),
        json!({"type": "array", "minItems": 2, "items": {"type": "string"}}),
        json!({"anyOf": [{"type": "string", "format": "iri"}]}),
        json!({"type": "object", "properties": {"a": {"$ref": "#"}}, "additionalProperties": false}),
        json!(true),
    ] {
        assert!(is_asked("claude-sonnet-4-5", schema(Some(true), unenforceable.clone())).ends_with(&unenforceable.to_string()));
    }
}

#[test]
fn turns_alternate() {
    let call = |id: &str, name: &str, arguments: &str| {
        Part::ToolCall(ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() })
    };
    let result = |id: &str, name: Option<&str>, parts: Vec<Part>, is_error: bool| Part::ToolResult {
        id: id.to_owned(),
        name: name.map(str::to_owned),
        parts,
        is_error,
    };
    let said = |text: &str| json!({"type": "text", "text": text});
    // Neighbours are one turn; results stand first; what is blank is left out.
    check_messages(
        vec![
            turn(Role::User, vec![words("One"), words(" \n")]),
            turn(Role::User, vec![words("Two")]),
            turn(Role::Assistant, vec![words("")]),
            turn(Role::Assistant, vec![words("Look"), call("call_1", "look", r#"{"b": 1.50, "a":[ ]}"#)]),
            turn(Role::Assistant, vec![call("call 2", "now", "")]),
            turn(Role::User, vec![words("Well?")]),
            turn(Role::User, vec![result("call_1", None, vec![words("A cat"), words("")], false)]),
            turn(Role::User, vec![result("call 2", None, Vec::new(), true), words("And?")]),
        ],
        json!([
            {"role": "user", "content": [said("One"), said("Two")]},
            {"role": "assistant", "content": [
                said("Look"),
                {"type": "tool_use", "id": "call_1", "name": "look", "input": {"b": 1.5, "a": []}},
                {"type": "tool_use", "id": "call_2", "name": "now", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": [said("A cat")]},
                {"type": "tool_result", "tool_use_id": "call_2", "is_error": true},
                said("Well?"),
                said("And?"),
            ]},
        ]),
    );
    // Calls without ids are answered by name or in their order; broken arguments are told as they are.
    check_messages(
        vec![
            turn(Role::User, vec![words("Hi")]),
            turn(Role::Assistant, vec![call("", "look", "{\"a\": "), call("", "now", "[1]"), call("", "look", "null")]),
            turn(Role::User, vec![result("", Some("now"), vec![words("1")], false), result("", None, vec![words("2")], false)]),
            turn(Role::User, vec![result("", Some("look"), vec![words("3")], false), result("", None, vec![words("4")], false)]),
        ],
        json!([
            {"role": "user", "content": [said("Hi")]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "call_0", "name": "look", "input": {"malformed_arguments": "{\"a\":"}},
                {"type": "tool_use", "id": "call_1", "name": "now", "input": {"malformed_arguments": "[1]"}},
                {"type": "tool_use", "id": "call_2", "name": "look", "input": {"malformed_arguments": "null"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": [said("1")]},
                {"type": "tool_result", "tool_use_id": "call_0", "content": [said("2")]},
                {"type": "tool_result", "tool_use_id": "call_2", "content": [said("3")]},
                {"type": "tool_result", "tool_use_id": "call_unknown", "content": [said("4")]},
            ]},
        ]),
    );
    // The user begins.
    check_messages(
        vec![turn(Role::Assistant, vec![words("Welcome")]), turn(Role::User, vec![words("Hi")])],
        json!([
            {"role": "user", "content": [said(".")]},
            {"role": "assistant", "content": [said("Welcome")]},
            {"role": "user", "content": [said("Hi")]},
        ]),
    );
}

#[test]
fn instructions_stand_at_the_beginning() {
    let messages = vec![
        turn(Role::System, vec![words("Be brief.")]),
        turn(Role::User, vec![words("Hi")]),
        turn(Role::System, vec![words("Be kind."), words(" ")]),
    ];
    let query = Query { system: vec![words("You are a cat.")], messages, ..asked() };
    let block = |text: &str| json!({"type": "text", "text": text});
    check(&query, json!({"system": [block("You are a cat."), block("Be brief."), block("Be kind.")]}));
}

#[test]
fn pictures_documents_and_thoughts_are_written() {
    let data = |media_type: &str| Part::Image(Image::Data { media_type: media_type.to_owned(), data: "iVBO".to_owned() });
    let pdf = Part::Document { media_type: "application/pdf".to_owned(), data: "JVBE".to_owned() };
    let thought = |text: &str, signature: Option<&str>| Part::Thinking { text: text.to_owned(), signature: signature.map(str::to_owned) };
    check_messages(
        vec![
            turn(Role::User, vec![data("image/png"), data("image/jpg"), Part::Image(Image::Url("https://a.org/a".to_owned())), pdf]),
            // Thoughts of others have no place here.
            turn(Role::Assistant, vec![thought("Mine", Some("anthropic:Eq")), thought("Yours", None)]),
            turn(Role::Assistant, vec![thought("Google's", Some("gemini:Eg")), thought("OpenAI's", Some("gAA"))]),
            turn(Role::Assistant, vec![thought("", Some("anthropic:Er")), words("A cat")]),
            turn(Role::User, vec![words("Sure?")]),
        ],
        json!([
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "iVBO"}},
                {"type": "image", "source": {"type": "url", "url": "https://a.org/a"}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Mine", "signature": "Eq"},
                {"type": "thinking", "thinking": "", "signature": "Er"},
                {"type": "text", "text": "A cat"},
            ]},
            {"role": "user", "content": [{"type": "text", "text": "Sure?"}]},
        ]),
    );
}

#[track_caller]
fn check_refused(query: &Query, field: &str, detail: &str) {
    let error = Anthropic.write(query, &terms("claude-sonnet-4-5"), None).unwrap_err();
    assert_eq!(Anthropic.can_say(query, &terms("claude-sonnet-4-5")), Err(error.clone()));
    assert_eq!(error.field, field);
    assert!(error.detail.contains(detail), "{}", error.detail);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let of = |role: Role, part: Part| Query { messages: vec![turn(Role::User, vec![words("Hi")]), turn(role, vec![part])], ..asked() };
    let image = |media_type: &str| Part::Image(Image::Data { media_type: media_type.to_owned(), data: String::new() });
    check_refused(&Query { answers: 2, ..asked() }, "n", "one answer");
    check_refused(&Query { hosted_tools: vec!["web_search".to_owned()], ..asked() }, "tools", "`web_search`");
    check_refused(&Query { stop: vec!["END".to_owned(), "\n".to_owned()], ..asked() }, "stop", "white space");
    check_refused(&of(Role::User, image("image/bmp")), "messages[1].content", "image/bmp");
    check_refused(&of(Role::System, image("image/png")), "messages[1]", "words only");
    let sheet = Part::Document { media_type: "text/csv".to_owned(), data: String::new() };
    check_refused(&of(Role::User, sheet.clone()), "messages[1].content", "text/csv");
    let nested = Part::ToolResult { id: "a".to_owned(), name: None, parts: vec![sheet], is_error: false };
    check_refused(&of(Role::User, nested), "messages[1].content", "text/csv");
    check_refused(&Query { system: vec![image("image/png")], ..asked() }, "system", "words only");
    check_refused(&Query { messages: vec![turn(Role::User, vec![words(" ")])], ..asked() }, "messages", "say something");
}

/// What a client of this dialect says is said again when it is written anew.
#[test]
fn a_request_that_was_read_is_written_alike() {
    let request = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 4096, "stream": true, "temperature": 0.5, "stop_sequences": ["END"],
        "system": [{"type": "text", "text": "Be brief."}],
        "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image", "source": {"type": "url", "url": "https://a.org/a"}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "Eq"},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "Cat"}]}]},
        ],
    });
    let query = read(request.to_string().as_bytes()).unwrap().query;
    assert_eq!(body(&Anthropic.write(&query, &terms("claude-sonnet-4-5"), None).unwrap()), request);
}
