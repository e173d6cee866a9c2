//! Requests to providers that speak Chat Completions: a client's own bytes, or a query of another dialect.

use lab3_providers::dialect::openai_chat::{Flavour, OpenAiChatBack};
use lab3_providers::dialect::{Back, Terms};
use lab3_providers::{Effort, Format, Image, Message, Part, Query, Role, Tool, ToolCall, ToolChoice};
use serde_json::{Value, json};

use crate::said::words;

const OPENAI: OpenAiChatBack = OpenAiChatBack { flavour: Flavour::OpenAi };
const DEEPSEEK: OpenAiChatBack = OpenAiChatBack { flavour: Flavour::DeepSeek };
const OTHER: OpenAiChatBack = OpenAiChatBack { flavour: Flavour::Compatible };

fn terms() -> Terms {
    Terms { model: "m".to_owned(), output_tokens_max: 99 }
}

#[test]
fn a_call_has_path_and_key() {
    let call = OPENAI.adapt(b"{}", &terms(), Some("sk-1")).unwrap().unwrap();
    assert_eq!(call.path, "/chat/completions");
    assert!(call.headers.contains(&("authorization", "Bearer sk-1".to_owned())), "{:?}", call.headers);
    let without = OTHER.write(&Query::default(), &terms(), None).unwrap();
    assert!(without.headers.iter().all(|(name, _)| *name != "authorization"));
    assert!(OPENAI.adapt(b"[]", &terms(), None).unwrap().is_err());
}

#[test]
fn bytes_go_on_but_for_what_the_desk_decides() {
    let check = |back: OpenAiChatBack, body: &str, expected: &str| {
        let call = back.adapt(body.as_bytes(), &terms(), None).unwrap().unwrap();
        assert_eq!(String::from_utf8(call.body).unwrap(), expected);
    };
    let body = r#"{"model":"auto", "messages":[ {"role":"user","content":"h\u0069"} ],"x":1.50, "max_tokens":7,"n":2}"#;
    let kept = r#""messages":[ {"role":"user","content":"h\u0069"} ],"x":1.50"#;
    let end = r#""stream":true,"stream_options":{"include_usage":true}"#;
    check(OPENAI, body, &format!(r#"{{"model":"m",{kept},"n":2,"max_completion_tokens":99,{end}}}"#));
    check(OTHER, body, &format!(r#"{{"model":"m",{kept},"max_tokens":99,"n":2,{end}}}"#));
    check(
        DEEPSEEK,
        r#"{"max_completion_tokens":7,"stream":false}"#,
        r#"{"stream":true,"model":"m","max_tokens":99,"stream_options":{"include_usage":true}}"#,
    );
    // Options beside ours stay, ours holds.
    check(
        OPENAI,
        r#"{"stream_options":{"include_obfuscation":false,"include_usage":false},"model":"a","max_completion_tokens":1,"stream":true}"#,
        r#"{"stream_options":{"include_obfuscation":false,"include_usage":true},"model":"m","max_completion_tokens":99,"stream":true}"#,
    );
    let set = r#""model":"m","max_completion_tokens":99,"stream":true,"stream_options":{"include_usage":true}"#;
    check(
        OPENAI,
        r#"{"stream_options":null}"#,
        r#"{"stream_options":{"include_usage":true},"model":"m","max_completion_tokens":99,"stream":true}"#,
    );
    // What would cost more than the hold can know.
    check(OPENAI, r#"{"prediction":{"type":"content","content":"x"}}"#, &format!("{{{set}}}"));
    check(OPENAI, r#"{"service_tier":"priority"}"#, &format!(r#"{{"service_tier":"default",{set}}}"#));
    check(OPENAI, r#"{"service_tier":"flex"}"#, &format!(r#"{{"service_tier":"flex",{set}}}"#));
    // Only OpenAI knows developers.
    let developer = r#"[{"content":"x","role":"developer"}]"#;
    let set_old = set.replace("max_completion_tokens", "max_tokens");
    check(OPENAI, &format!(r#"{{"messages":{developer}}}"#), &format!(r#"{{"messages":{developer},{set}}}"#));
    check(
        OTHER,
        &format!(r#"{{"messages":{developer}}}"#),
        &format!(r#"{{"messages":{},{set_old}}}"#, developer.replace("developer", "system")),
    );
    let said = r#"[{"role":"user", "content":"developer"}]"#;
    check(OTHER, &format!(r#"{{"messages":{said}}}"#), &format!(r#"{{"messages":[{{"content":"developer","role":"user"}}],{set_old}}}"#));
}

/// The request's body, without what every request has.
fn written(back: OpenAiChatBack, query: &Query) -> Value {
    let call = back.write(query, &terms(), None).unwrap();
    let mut body: Value = serde_json::from_slice(&call.body).unwrap();
    let fields = body.as_object_mut().unwrap();
    assert_eq!(fields.remove("model"), Some(json!("m")));
    assert_eq!(fields.remove("stream"), Some(json!(true)));
    assert_eq!(fields.remove("stream_options"), Some(json!({"include_usage": true})));
    let limit = if back.flavour == Flavour::OpenAi { "max_completion_tokens" } else { "max_tokens" };
    assert_eq!(fields.remove(limit), Some(json!(99)));
    body
}

#[test]
fn settings_are_written() {
    let check = |back: OpenAiChatBack, query: Query, expected: Value| {
        let mut body = written(back, &query);
        assert_eq!(body.as_object_mut().unwrap().remove("messages"), Some(json!([])));
        assert_eq!(body, expected, "{query:?}");
    };
    let number = |text: &str| Some(serde_json::from_str(text).unwrap());
    check(OPENAI, Query::default(), json!({}));
    let query = Query {
        temperature: number("0.5"),
        top_p: number("1"),
        frequency_penalty: number("0.1"),
        presence_penalty: number("-1"),
        seed: Some(-3),
        top_k: Some(40),
        stop: vec!["x".to_owned()],
        effort: Some(Effort::Word("high".to_owned())),
        // The desk's limit holds.
        output_tokens_max: Some(5),
        ..Query::default()
    };
    let settings = json!({
        "temperature": 0.5, "top_p": 1, "frequency_penalty": 0.1, "presence_penalty": -1, "seed": -3, "stop": ["x"], "reasoning_effort": "high",
    });
    check(OPENAI, query.clone(), settings.clone());
    let mut with_top_k = settings;
    with_top_k["top_k"] = json!(40);
    check(OTHER, query, with_top_k);
    let effort = |tokens| Query { effort: Some(Effort::Tokens(tokens)), ..Query::default() };
    check(OPENAI, effort(0), json!({}));
    check(OPENAI, effort(4096), json!({"reasoning_effort": "low"}));
    check(OPENAI, effort(4097), json!({"reasoning_effort": "medium"}));
    check(OPENAI, effort(16385), json!({"reasoning_effort": "high"}));
    let format = |format| Query { format, ..Query::default() };
    check(DEEPSEEK, format(Format::Json), json!({"response_format": {"type": "json_object"}}));
    let schema = Format::Schema { name: "S".to_owned(), schema: json!({"type": "object"}), strict: Some(false) };
    let told = json!({"name": "S", "schema": {"type": "object"}, "strict": false});
    check(OTHER, format(schema), json!({"response_format": {"type": "json_schema", "json_schema": told}}));
}

#[test]
fn tools_are_written() {
    let tool = Tool { name: "f".to_owned(), description: "does f".to_owned(), parameters: json!({"type": "object"}), strict: Some(true) };
    let told = json!([{
        "type": "function",
        "function": {"name": "f", "description": "does f", "parameters": {"type": "object"}, "strict": true},
    }]);
    let check = |choice: ToolChoice, expected: Value| {
        let query = Query { tools: vec![tool.clone()], tool_choice: choice, ..Query::default() };
        let body = written(OPENAI, &query);
        assert_eq!((&body["tools"], &body["tool_choice"]), (&told, &expected));
    };
    check(ToolChoice::Auto, Value::Null);
    check(ToolChoice::None, json!("none"));
    check(ToolChoice::Any, json!("required"));
    check(ToolChoice::Named("f".to_owned()), json!({"type": "function", "function": {"name": "f"}}));
    let one_by_one = Query { tools: vec![tool], parallel_tools: Some(false), ..Query::default() };
    assert_eq!(written(OPENAI, &one_by_one)["parallel_tool_calls"], json!(false));
    // Nothing is said of tools where there are none.
    let none = Query { tool_choice: ToolChoice::Any, parallel_tools: Some(true), ..Query::default() };
    assert_eq!(written(OPENAI, &none), json!({"messages": []}));
}

#[test]
fn conversations_are_written() {
    let check = |back: OpenAiChatBack, messages: Vec<(Role, Vec<Part>)>, expected: Value| {
        let messages = messages.into_iter().map(|(role, parts)| Message { role, parts }).collect();
        assert_eq!(written(back, &Query { messages, ..Query::default() })["messages"], expected);
    };
    let system = Query { system: vec![words("a"), words("b")], ..Query::default() };
    assert_eq!(written(OPENAI, &system)["messages"], json!([{"role": "system", "content": "a\n\nb"}]));
    check(
        OTHER,
        vec![(Role::User, vec![words("a")]), (Role::System, vec![words("b")])],
        json!([
            {"role": "user", "content": "a"}, {"role": "system", "content": "b"},
        ]),
    );
    let data = Part::Image(Image::Data { media_type: "image/png".to_owned(), data: "AA".to_owned() });
    let told_data = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}});
    let pictures = vec![words("a"), data.clone(), Part::Image(Image::Url("https://x".to_owned()))];
    check(
        OTHER,
        vec![(Role::User, pictures)],
        json!([{"role": "user", "content": [
            {"type": "text", "text": "a"}, told_data, {"type": "image_url", "image_url": {"url": "https://x"}},
        ]}]),
    );
    let document = Part::Document { media_type: "application/pdf".to_owned(), data: "AA".to_owned() };
    check(
        OPENAI,
        vec![(Role::User, vec![document])],
        json!([{"role": "user", "content": [
            {"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,AA"}},
        ]}]),
    );
    // Calls and what they gave: results first, then the pictures they gave, then what was said.
    let call = |arguments: &str| Part::ToolCall(ToolCall { id: "x".to_owned(), name: "f".to_owned(), arguments: arguments.to_owned() });
    let gave = |parts: Vec<Part>, is_error| Part::ToolResult { id: "x".to_owned(), name: None, parts, is_error };
    let thoughts = Part::Thinking { text: "hm".to_owned(), signature: Some("sig".to_owned()) };
    let conversation = vec![
        (Role::Assistant, vec![thoughts, words("so"), call("")]),
        (Role::User, vec![words("and"), gave(vec![words("1"), data], false), gave(vec![words("broken")], true)]),
        (Role::Assistant, vec![call("{}")]),
    ];
    let told_call = json!([{"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    let mut expected = json!([
        {"role": "assistant", "content": "so", "tool_calls": told_call},
        {"role": "tool", "tool_call_id": "x", "content": "1"},
        {"role": "tool", "tool_call_id": "x", "content": "Error: broken"},
        {"role": "user", "content": [told_data, {"type": "text", "text": "and"}]},
        {"role": "assistant", "content": null, "tool_calls": told_call},
    ]);
    check(OPENAI, conversation.clone(), expected.clone());
    // DeepSeek wants its thoughts back.
    expected[0]["reasoning_content"] = json!("hm");
    check(DEEPSEEK, conversation, expected);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let check = |back: OpenAiChatBack, query: Query, field: &str| {
        let complaint = back.write(&query, &terms(), None).unwrap_err();
        assert_eq!(back.can_say(&query, &terms()), Err(complaint.clone()));
        assert_eq!(complaint.field, field, "{query:?}");
    };
    check(OPENAI, Query { hosted_tools: vec!["web_search".to_owned()], ..Query::default() }, "tools");
    check(OTHER, Query { answers: 2, ..Query::default() }, "n");
    let stops = Query { stop: vec!["x".to_owned(); 5], ..Query::default() };
    check(OPENAI, stops.clone(), "stop");
    assert!(OTHER.write(&stops, &terms(), None).is_ok());
    let schema = Format::Schema { name: "S".to_owned(), schema: json!({}), strict: None };
    check(DEEPSEEK, Query { format: schema, ..Query::default() }, "response_format");
    let document = Part::Document { media_type: "application/pdf".to_owned(), data: "AA".to_owned() };
    let messages = vec![Message { role: Role::User, parts: vec![document] }];
    check(OTHER, Query { messages, ..Query::default() }, "messages");
}
