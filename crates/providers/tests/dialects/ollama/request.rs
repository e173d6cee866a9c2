//! Requests as Ollama's servers take them.

use lab3_providers::dialect::ollama::OllamaChat;
use lab3_providers::dialect::{Back, Terms};
use lab3_providers::{Effort, Format, Image, Part, Query, Role, Tool, ToolChoice};
use serde_json::{Value, json};

use super::{PNG, asks, png};
use crate::said::{made_call, number, result, said, turn, words};

fn terms() -> Terms {
    Terms { model: "llama3.2:3b".to_owned(), output_tokens_max: 300 }
}

/// A query's request to a server.
fn sent(query: &Query, model: &str) -> Value {
    assert_eq!(OllamaChat.can_say(query, &terms()), Ok(()));
    let call = OllamaChat.write(query, &Terms { model: model.to_owned(), ..terms() }, None).unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_slice(&call.body).unwrap()
}

#[test]
fn a_query_is_sent_with_every_setting() {
    let tool = Tool { name: "add".to_owned(), description: "Adds.".to_owned(), parameters: json!({"type": "object"}), strict: None };
    let query = Query {
        system: vec![words("Be brief."), words("Be kind.")],
        tools: vec![tool],
        output_tokens_max: Some(999),
        temperature: Some(number("0.5")),
        top_p: Some(number("0.9")),
        top_k: Some(40),
        seed: Some(7),
        stop: vec!["END".to_owned()],
        frequency_penalty: Some(number("0.1")),
        presence_penalty: Some(number("0.2")),
        format: Format::Schema { name: "n".to_owned(), schema: json!({"type": "object"}), strict: None },
        stream: false,
        ..asks(vec![
            turn(Role::User, vec![words("a"), png(), words("b")]),
            turn(
                Role::Assistant,
                vec![
                    Part::Thinking { text: "hm".to_owned(), signature: Some("x".to_owned()) },
                    Part::ToolCall(made_call("1", "add", "{\"a\": 1.50}")),
                    Part::ToolCall(made_call("2", "now", "")),
                ],
            ),
            turn(Role::User, vec![words("well"), result("1", None, "one"), result("2", Some("named"), "two"), words("so?")]),
            turn(Role::System, vec![words("c")]),
        ])
    };
    let call = OllamaChat.write(&query, &terms(), Some("secret")).unwrap();
    assert_eq!((call.path.as_str(), call.headers), ("/api/chat", vec![("authorization", "Bearer secret".to_owned())]));
    let body = serde_json::from_slice::<Value>(&call.body).unwrap();
    let expected = json!({
        "model": "llama3.2:3b",
        "messages": [
            {"role": "system", "content": "Be brief.\n\nBe kind."},
            {"role": "user", "content": "a\n\nb", "images": [PNG]},
            {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
                {"id": "1", "function": {"name": "add", "arguments": {"a": 1.5}}},
                {"id": "2", "function": {"name": "now", "arguments": {}}},
            ]},
            {"role": "user", "content": "well"},
            {"role": "tool", "content": "one", "tool_name": "add", "tool_call_id": "1"},
            {"role": "tool", "content": "two", "tool_name": "named", "tool_call_id": "2"},
            {"role": "user", "content": "so?"},
            {"role": "system", "content": "c"},
        ],
        "tools": [{"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}}],
        "stream": true,
        "format": {"type": "object"},
        "options": {
            "num_predict": 300, "temperature": 0.5, "top_p": 0.9, "top_k": 40, "seed": 7, "stop": ["END"],
            "frequency_penalty": 0.1, "presence_penalty": 0.2,
        },
    });
    assert_eq!(body, expected);

    let plain = OllamaChat.write(&asks(vec![said("Hi")]), &terms(), None).unwrap();
    assert!(plain.headers.is_empty());
    let expected = r#"{"model":"llama3.2:3b","messages":[{"role":"user","content":"Hi"}],"stream":true,"options":{"num_predict":300}}"#;
    assert_eq!(String::from_utf8(plain.body).unwrap(), expected);
    // Without a tool it may call, the model is told of none.
    let none = sent(&Query { tool_choice: ToolChoice::None, format: Format::Json, ..query }, "m");
    assert_eq!((&none["tools"], &none["format"]), (&Value::Null, &json!("json")));
}

#[test]
fn thinking_is_told_only_as_the_model_takes_it() {
    let word = |word: &str| Effort::Word(word.to_owned());
    for (model, effort, expected) in [
        ("qwen3:8b", word("none"), json!(false)),
        ("qwen3:8b", Effort::Tokens(0), json!(false)),
        ("qwen3:8b", word("high"), Value::Null),
        ("qwen3:8b", Effort::Tokens(5_000), Value::Null),
        ("gpt-oss:20b", word("none"), json!(false)),
        ("gpt-oss:20b", word("minimal"), json!("low")),
        ("gpt-oss:20b", word("medium"), json!("medium")),
        ("gpt-oss:20b", word("xhigh"), json!("high")),
        ("gpt-oss:20b", word("as you like"), Value::Null),
        ("gpt-oss:20b", Effort::Tokens(1_024), json!("low")),
        ("gpt-oss:20b", Effort::Tokens(8_192), json!("medium")),
        ("gpt-oss:20b", Effort::Tokens(8_193), json!("high")),
    ] {
        let query = Query { effort: Some(effort.clone()), ..asks(vec![said("Hi")]) };
        assert_eq!(sent(&query, model)["think"], expected, "{model} {effort:?}");
    }
}

#[test]
fn what_a_server_cannot_be_told_is_refused() {
    let query = || asks(vec![said("Hi")]);
    let check = |query: Query, field: &str| {
        let error = OllamaChat.write(&query, &terms(), None).unwrap_err();
        assert_eq!(OllamaChat.can_say(&query, &terms()), Err(error.clone()));
        assert_eq!(error.field, field, "{error}");
    };
    check(Query { hosted_tools: vec!["web_search".to_owned()], ..query() }, "tools");
    check(Query { tool_choice: ToolChoice::Any, ..query() }, "tool_choice");
    check(Query { tool_choice: ToolChoice::Named("f".to_owned()), ..query() }, "tool_choice");
    check(Query { answers: 2, ..query() }, "n");
    let part = |part: Part| asks(vec![said("Hi"), turn(Role::User, vec![part])]);
    check(part(Part::Image(Image::Url("https://a.example".to_owned()))), "messages[1]");
    check(part(Part::Document { media_type: "application/pdf".to_owned(), data: "AA".to_owned() }), "messages[1]");
    check(part(Part::ToolCall(made_call("1", "f", "[1]"))), "messages[1]");
}

/// A client's own request as it goes on.
fn check_adapted(body: &str, expected: &str) {
    let call = OllamaChat.adapt(body.as_bytes(), &terms(), Some("secret")).unwrap().unwrap();
    assert_eq!(String::from_utf8(call.body).unwrap(), expected);
    assert_eq!((call.path.as_str(), call.headers), ("/api/chat", vec![("authorization", "Bearer secret".to_owned())]));
}

#[test]
fn a_request_goes_on_as_it_came_but_for_three_fields() {
    check_adapted(
        r#"{"model":"auto","messages":[ {"role":"user", "content":"é\u00e9"} ],"logprobs":true,"stream":false,"options":{"num_ctx":4096,"num_predict":-1},"keep_alive":"5m"}"#,
        r#"{"model":"llama3.2:3b","messages":[ {"role":"user", "content":"é\u00e9"} ],"logprobs":true,"stream":true,"options":{"num_ctx":4096,"num_predict":300},"keep_alive":"5m"}"#,
    );
    let expected = r#"{"model":"llama3.2:3b","messages":[],"options":{"num_predict":300},"stream":true}"#;
    check_adapted(r#"{"model":"auto","messages":[],"options":null}"#, expected);
    check_adapted(r#"{"model":"auto","messages":[],"options":{"num_predict":1},"stream":null,"options":{}}"#, expected);
    let expected = r#"{"model":"llama3.2:3b","messages":[],"stream":true,"options":{"num_predict":300}}"#;
    check_adapted(r#"{"model":"auto","messages":[]}"#, expected);
    for body in ["[]", r#"{"messages":[],"options":[]}"#] {
        assert!(OllamaChat.adapt(body.as_bytes(), &terms(), None).unwrap().is_err(), "{body}");
    }
    // What came to the other endpoint is another dialect's.
    assert!(OllamaChat.adapt(br#"{"model":"auto","prompt":"Hi"}"#, &terms(), None).is_none());
}

#[test]
fn no_limit_is_never_sent() {
    let nothing = Terms { output_tokens_max: 0, ..terms() };
    let most = Terms { output_tokens_max: u64::MAX, ..terms() };
    for (terms, expected) in [(nothing, 1), (most, 2_147_483_647)] {
        let written = OllamaChat.write(&asks(vec![said("Hi")]), &terms, None).unwrap();
        let adapted = OllamaChat.adapt(br#"{"model":"auto","messages":[]}"#, &terms, None).unwrap().unwrap();
        for body in [written.body, adapted.body] {
            assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["options"]["num_predict"], json!(expected));
        }
    }
}
