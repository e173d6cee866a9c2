//! Requests to providers that speak Anthropic's Messages API, written and adapted.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test that cannot go on says so by panicking, and takes what it compares as it is written"
)]

use lab3_providers::dialect::anthropic::{Anthropic, betas, read};
use lab3_providers::dialect::{Back, Call, Terms};
use lab3_providers::{Effort, Format, Image, Message, Part, Query, Role, Tool, ToolCall, ToolChoice};
use serde_json::{Value, json};

fn terms(model: &str) -> Terms {
    Terms { model: model.to_owned(), output_tokens_max: 4096 }
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn asked() -> Query {
    Query { model: "auto".to_owned(), messages: vec![message(Role::User, vec![text("Hi")])], answers: 1, ..Query::default() }
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
    let result = message(Role::User, vec![Part::ToolResult { id: "a".to_owned(), name: None, parts: Vec::new(), is_error: false }]);
    let thought = Part::Thinking { text: "Hm.".to_owned(), signature: Some("anthropic:Eq".to_owned()) };
    for (parts, thinks) in [(vec![call.clone()], false), (vec![thought, call], true)] {
        let messages = vec![asked().messages[0].clone(), message(Role::Assistant, parts), result.clone()];
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
            message(Role::User, vec![text("One"), text(" \n")]),
            message(Role::User, vec![text("Two")]),
            message(Role::Assistant, vec![text("")]),
            message(Role::Assistant, vec![text("Look"), call("call_1", "look", r#"{"b": 1.50, "a":[ ]}"#)]),
            message(Role::Assistant, vec![call("call 2", "now", "")]),
            message(Role::User, vec![text("Well?")]),
            message(Role::User, vec![result("call_1", None, vec![text("A cat"), text("")], false)]),
            message(Role::User, vec![result("call 2", None, Vec::new(), true), text("And?")]),
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
            message(Role::User, vec![text("Hi")]),
            message(Role::Assistant, vec![call("", "look", "{\"a\": "), call("", "now", "[1]"), call("", "look", "null")]),
            message(Role::User, vec![result("", Some("now"), vec![text("1")], false), result("", None, vec![text("2")], false)]),
            message(Role::User, vec![result("", Some("look"), vec![text("3")], false), result("", None, vec![text("4")], false)]),
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
        vec![message(Role::Assistant, vec![text("Welcome")]), message(Role::User, vec![text("Hi")])],
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
        message(Role::System, vec![text("Be brief.")]),
        message(Role::User, vec![text("Hi")]),
        message(Role::System, vec![text("Be kind."), text(" ")]),
    ];
    let query = Query { system: vec![text("You are a cat.")], messages, ..asked() };
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
            message(Role::User, vec![data("image/png"), data("image/jpg"), Part::Image(Image::Url("https://a.org/a".to_owned())), pdf]),
            // Thoughts of others have no place here.
            message(Role::Assistant, vec![thought("Mine", Some("anthropic:Eq")), thought("Yours", None)]),
            message(Role::Assistant, vec![thought("Google's", Some("gemini:Eg")), thought("OpenAI's", Some("gAA"))]),
            message(Role::Assistant, vec![thought("", Some("anthropic:Er")), text("A cat")]),
            message(Role::User, vec![text("Sure?")]),
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
    let of = |role: Role, part: Part| Query { messages: vec![message(Role::User, vec![text("Hi")]), message(role, vec![part])], ..asked() };
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
    check_refused(&Query { messages: vec![message(Role::User, vec![text(" ")])], ..asked() }, "messages", "say something");
}

/// A request as it goes on to a model with a limit.
#[track_caller]
fn check_adapted(request: &str, model: &str, limit: u64, expected: &str) {
    let terms = Terms { model: model.to_owned(), output_tokens_max: limit };
    let call = Anthropic.adapt(request.as_bytes(), &terms, Some("k")).unwrap().unwrap();
    assert_eq!(String::from_utf8(call.body).unwrap(), expected);
}

#[test]
fn a_request_of_the_same_dialect_keeps_its_bytes() {
    check_adapted(
        r#"{ "model" : "claude-opus-5", "max_tokens":32000, "system":[{"type":"text" ,"text":"A","cache_control":{"type":"ephemeral"}}], "x":1.50, "messages":[ ], "temperature":1.0}"#,
        "claude-opus-5",
        700,
        r#"{"model":"claude-opus-5","max_tokens":700,"system":[{"type":"text" ,"text":"A","cache_control":{"type":"ephemeral"}}],"x":1.50,"messages":[ ],"temperature":1.0,"stream":true}"#,
    );
    check_adapted(r#"{"stream":false,"max_tokens":5}"#, "m", 4, r#"{"stream":true,"max_tokens":4,"model":"m"}"#);
    assert_eq!(Anthropic.adapt(b"[]", &terms("m"), None).unwrap().unwrap_err().field, "");
}

#[test]
fn a_budget_for_thoughts_stays_below_the_limit() {
    let request = |thinking: &str| format!(r#"{{"model":"claude-sonnet-4-5","max_tokens":9,"thinking":{thinking},"stream":true}}"#);
    let check = |limit: u64, before: &str, after: Option<&str>| {
        let after = after.map_or_else(String::new, |after| format!(r#""thinking":{after},"#));
        let expected = format!(r#"{{"model":"claude-sonnet-4-5","max_tokens":{limit},{after}"stream":true}}"#);
        check_adapted(&request(before), "claude-sonnet-4-5", limit, &expected);
    };
    let enabled = r#"{"type": "enabled", "budget_tokens": 10000}"#;
    check(10_001, enabled, Some(enabled));
    check(10_000, enabled, Some(r#"{"budget_tokens":7500,"type":"enabled"}"#));
    check(1365, enabled, Some(r#"{"budget_tokens":1024,"type":"enabled"}"#));
    check(1364, enabled, None);
    check(1, enabled, None);
    check(0, enabled, None);
    check(1, r#"{"type":"adaptive"}"#, Some(r#"{"type":"adaptive"}"#));
    check(1, r#"{"type":"disabled"}"#, Some(r#"{"type":"disabled"}"#));
}

#[test]
fn what_costs_more_than_the_desk_knows_is_left_out_or_refused() {
    check_adapted(
        r#"{"model":"m","speed":"fast","fallbacks":[{"model":"claude-fable-5"}],"inference_geo":"global"}"#,
        "m",
        7,
        r#"{"model":"m","inference_geo":"global","max_tokens":7,"stream":true}"#,
    );
    let error = Anthropic.adapt(br#"{"model":"m","inference_geo":"us"}"#, &terms("m"), None).unwrap().unwrap_err();
    assert_eq!(error.field, "inference_geo");
    assert_eq!(Anthropic.can_adapt(br#"{"model":"m","inference_geo":"us"}"#), Err(error));
    assert_eq!(Anthropic.can_adapt(br#"{"model":"m","inference_geo":"global"}"#), Ok(()));
}

/// A client that did not name the model cannot know what it takes.
#[test]
fn a_request_fits_the_model_that_answers() {
    let check = |model: &str, before: &str, after: &str| {
        let request = format!(r#"{{"model":"auto","max_tokens":9{before}}}"#);
        let expected = format!(r#"{{"model":"{model}","max_tokens":8000{after},"stream":true}}"#);
        check_adapted(&request, model, 8000, &expected);
    };
    let (old, new, newest) = ("claude-haiku-4-5", "claude-opus-4-8", "claude-opus-5-5");
    check(new, r#","temperature":0.2,"top_p":0.9,"top_k":4,"x":1"#, r#","x":1"#);
    check(old, r#","temperature":0.2,"top_k":4"#, r#","temperature":0.2,"top_k":4"#);

    let budget = r#","thinking":{"type":"enabled","budget_tokens":2000}"#;
    let adaptive = r#","thinking":{"display":"summarized","type":"adaptive"}"#;
    check(old, budget, budget);
    check(new, budget, &format!(r#"{adaptive},"output_config":{{"effort":"low"}}"#));
    check(
        old,
        r#","thinking":{"type":"adaptive"},"output_config":{"effort":"low"}"#,
        r#","thinking":{"budget_tokens":2048,"type":"enabled"}"#,
    );
    check(
        old,
        r#","output_config":{"effort":"low","format":{"a":1}}"#,
        r#","output_config":{"format":{"a":1}},"thinking":{"budget_tokens":2048,"type":"enabled"}"#,
    );
    check(
        new,
        r#","thinking":{"type":"adaptive"},"output_config":{"effort":"max"}"#,
        r#","thinking":{"type":"adaptive"},"output_config":{"effort":"max"}"#,
    );
    check(newest, r#","thinking":{"type":"disabled"}"#, r#","output_config":{"effort":"low"}"#);
    check(new, r#","thinking":{"type":"disabled"}"#, r#","thinking":{"type":"disabled"}"#);
    check(newest, r#","tool_choice":{"type":"any"}"#, r#","tool_choice":{"type":"auto"}"#);
    check(new, r#","tool_choice":{"type":"any"}"#, r#","tool_choice":{"type":"any"}"#);
    check(old, r#","thinking":{"type":"adaptive"},"temperature":0.5"#, r#","thinking":{"budget_tokens":6000,"type":"enabled"}"#);
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

#[test]
fn thoughts_of_other_providers_do_not_go_on() {
    let mine = r#"{"type":"thinking","thinking":"a","signature":"Eq"}"#;
    let yours = r#"{"type":"thinking","thinking":"gemini:","signature":"gemini:Eg"}"#;
    let (said, asked) = (r#"{"text":"gemini:","type":"text"}"#, r#"{"content":"Hi","role":"user"}"#);
    let request = |messages: &str| format!(r#"{{"model":"m","messages":[{messages}]"#);
    let check = |before: &str, after: &str| {
        check_adapted(&format!("{}}}", request(before)), "m", 7, &format!(r#"{},"max_tokens":7,"stream":true}}"#, request(after)));
    };
    let turn = |blocks: &str| format!(r#"{{"content":[{blocks}],"role":"assistant"}}"#);
    check(&format!("{asked},{}", turn(&format!("{yours},{said}"))), &format!("{asked},{}", turn(said)));
    check(&format!("{asked},{}", turn(yours)), asked);
    // Where nothing is to go every byte stays.
    check(&format!("{asked}, {}", turn(&format!("{mine} ,{said}"))), &format!("{asked}, {}", turn(&format!("{mine} ,{said}"))));
}

#[test]
fn features_pass_that_cost_nothing_the_desk_does_not_know() {
    let check = |headers: &[&str], expected: Option<&str>| {
        assert_eq!(betas(headers.iter().copied()), expected.map(|passed| ("anthropic-beta", passed.to_owned())), "{headers:?}");
    };
    check(&[], None);
    check(&["interleaved-thinking-2025-05-14"], Some("interleaved-thinking-2025-05-14"));
    check(&["context-1m-2025-08-07", "fast-mode-2026-02-01", "files-api-2025-04-14"], None);
    let many = "claude-code-20250219, context-1m-2025-08-07,prompt-caching-2024-07-31";
    check(&[many, "effort-2025-11-24"], Some("claude-code-20250219,prompt-caching-2024-07-31,effort-2025-11-24"));
    check(&["effort-2025\r\nx-api-key: 1", "effort-", "effort", ""], None);
}
