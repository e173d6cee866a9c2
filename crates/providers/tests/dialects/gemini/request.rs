//! Requests as Gemini's API takes them.

use lab3_providers::dialect::gemini::Gemini;
use lab3_providers::dialect::{Back, Terms};
use lab3_providers::{Effort, Format, Image, Message, Part, Query, Role, Tool, ToolChoice};
use serde_json::{Value, json};

use crate::said::{made_call, number, result, said, turn, words};

fn terms(model: &str) -> Terms {
    Terms { model: model.to_owned(), output_tokens_max: 300 }
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(made_call(id, name, arguments))
}

fn proof(signature: &str) -> Part {
    Part::Thinking { text: "hm".to_owned(), signature: Some(signature.to_owned()) }
}

fn asks(messages: Vec<Message>) -> Query {
    Query { messages, answers: 1, ..Query::default() }
}

fn body(model: &str, query: &Query) -> Value {
    assert_eq!(Gemini.can_say(query, &terms(model)), Ok(()));
    let call = Gemini.write(query, &terms(model), Some("secret")).unwrap_or_else(|error| panic!("{error}"));
    serde_json::from_slice(&call.body).unwrap()
}

/// The conversation of a query for a model.
fn check_contents(model: &str, messages: Vec<Message>, expected: &Value) {
    assert_eq!(&body(model, &asks(messages))["contents"], expected);
}

/// What a query for a model is refused for.
fn check_refused(query: &Query, field: &str) {
    let error = Gemini.write(query, &terms("gemini-2.5-flash"), None).unwrap_err();
    assert_eq!(Gemini.can_say(query, &terms("gemini-2.5-flash")), Err(error.clone()));
    assert_eq!(error.field, field, "{error}");
    assert!(error.detail.len() > 20, "{error}");
}

#[test]
fn a_request_has_its_place_its_key_and_every_setting() {
    let query = Query {
        model: "auto".to_owned(),
        system: vec![words("Be brief."), words("Be kind.")],
        messages: vec![said("Hi")],
        tools: vec![
            Tool {
                name: "add".to_owned(),
                description: "Adds.".to_owned(),
                parameters: json!({"$schema": "x", "type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": false}),
                strict: Some(true),
            },
            Tool {
                name: "now".to_owned(),
                description: String::new(),
                parameters: json!({"type": "object", "properties": {}}),
                strict: None,
            },
        ],
        tool_choice: ToolChoice::Named("add".to_owned()),
        output_tokens_max: Some(999),
        answers: 1,
        temperature: Some(number("0.70")),
        top_p: Some(number("0.9")),
        top_k: Some(40),
        seed: Some(7),
        stop: vec!["END".to_owned()],
        frequency_penalty: Some(number("0")),
        presence_penalty: Some(number("0.5")),
        format: Format::Schema { name: "n".to_owned(), schema: json!({"type": "object"}), strict: None },
        effort: Some(Effort::Word("low".to_owned())),
        ..Query::default()
    };
    let call = Gemini.write(&query, &terms("gemini-2.5-flash"), Some("secret")).unwrap();
    assert_eq!(call.path, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse");
    assert_eq!(call.headers, [("x-goog-api-key", "secret".to_owned())]);
    let found: Value = serde_json::from_slice(&call.body).unwrap();
    let expected = json!({
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "tools": [{"functionDeclarations": [
            {
                "name": "add",
                "description": "Adds.",
                "parametersJsonSchema":
                    {"$schema": "x", "type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": false},
            },
            {"name": "now"},
        ]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["add"]}},
        "generationConfig": {
            "maxOutputTokens": 300,
            "temperature": 0.7,
            "topP": 0.9,
            "topK": 40,
            "seed": 7,
            "stopSequences": ["END"],
            "presencePenalty": 0.5,
            "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object"},
            "thinkingConfig": {"includeThoughts": true, "thinkingBudget": 1024},
        },
    });
    assert_eq!(found, expected);
    assert!(Gemini.adapt(b"{}", &terms("gemini-2.5-flash"), None).is_none());
    assert!(Gemini.write(&asks(vec![said("Hi")]), &terms("m"), None).unwrap().headers.is_empty());
}

#[test]
fn what_is_not_asked_is_not_said() {
    let found = body("gemini-2.5-flash", &asks(vec![said("Hi")]));
    let expected = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 300}});
    assert_eq!(found, expected);

    let tool = Tool { name: "f".to_owned(), description: String::new(), parameters: Value::Null, strict: None };
    for (choice, expected) in [
        (ToolChoice::Auto, Value::Null),
        (ToolChoice::None, json!({"functionCallingConfig": {"mode": "NONE"}})),
        (ToolChoice::Any, json!({"functionCallingConfig": {"mode": "ANY"}})),
    ] {
        let query = Query { tools: vec![tool.clone()], tool_choice: choice, ..asks(vec![said("Hi")]) };
        assert_eq!(body("gemini-2.5-flash", &query)["toolConfig"], expected);
    }
    let json_only = Query { format: Format::Json, ..asks(vec![said("Hi")]) };
    let config = &body("gemini-2.5-flash", &json_only)["generationConfig"];
    assert_eq!(config, &json!({"maxOutputTokens": 300, "responseMimeType": "application/json"}));
}

#[test]
fn limits_and_seeds_fit_into_32_bits_and_no_limit_is_never_sent() {
    let query = asks(vec![said("Hi")]);
    for (asked, expected) in [(0, 1), (1, 1), (2_147_483_647, 2_147_483_647), (u64::MAX, 2_147_483_647)] {
        let call = Gemini.write(&query, &Terms { model: "m".to_owned(), output_tokens_max: asked }, None).unwrap();
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        assert_eq!(body["generationConfig"]["maxOutputTokens"], json!(expected));
    }
    for (seed, expected) in [(-5, -5), (i64::from(i32::MAX), 2_147_483_647), (1 << 40 | 3, 3)] {
        let query = Query { seed: Some(seed), ..query.clone() };
        assert_eq!(body("m", &query)["generationConfig"]["seed"], json!(expected));
    }
}

#[test]
fn turns_are_joined_and_empty_texts_left_out() {
    check_contents(
        "gemini-2.5-flash",
        vec![
            said("a"),
            turn(Role::System, vec![words("b")]),
            turn(Role::Assistant, vec![words(""), words("c"), words("d")]),
            turn(Role::Assistant, vec![words("")]),
            said("e"),
        ],
        &json!([
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
            {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
            {"role": "user", "parts": [{"text": "e"}]},
        ]),
    );
    // Instructions alone are said by the user.
    let found = body("gemini-2.5-flash", &Query { system: vec![words("Sing.")], ..asks(vec![]) });
    assert_eq!(found["contents"], json!([{"role": "user", "parts": [{"text": "Sing."}]}]));
    assert_eq!(found["systemInstruction"], Value::Null);
}

#[test]
fn pictures_and_documents_are_said() {
    let image = |data: &str| Image::Data { media_type: "image/png".to_owned(), data: data.to_owned() };
    let address = |url: &str| Part::Image(Image::Url(url.to_owned()));
    check_contents(
        "gemini-2.5-flash",
        vec![turn(
            Role::User,
            vec![
                Part::Image(image("AAAA")),
                Part::Document { media_type: "application/pdf".to_owned(), data: "BBBB".to_owned() },
                address("https://a.example/b.JPG?x=.png"),
                address("https://a.example/b"),
            ],
        )],
        &json!([{"role": "user", "parts": [
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "BBBB"}},
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://a.example/b.JPG?x=.png"}},
            {"fileData": {"fileUri": "https://a.example/b"}},
        ]}]),
    );
}

#[test]
fn results_stand_together_under_the_names_of_their_calls() {
    let failed = Part::ToolResult { id: "2".to_owned(), name: None, parts: vec![words("no"), words("way")], is_error: true };
    check_contents(
        "gemini-2.5-flash",
        vec![
            said("go"),
            turn(Role::Assistant, vec![words("ok"), call("1", "f", r#"{"a": 1.50}"#), call("2", "g", "")]),
            // As OpenAI's dialect has them: a message each, and no names.
            turn(Role::User, vec![result("1", None, "one")]),
            turn(Role::User, vec![failed]),
            said("and?"),
            // The same id again: it is the later call that is answered.
            turn(Role::Assistant, vec![call("1", "h", "{}")]),
            turn(Role::User, vec![result("1", None, "three"), words("hurry")]),
            turn(Role::User, vec![result("", Some("named"), "four")]),
        ],
        &json!([
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [
                {"text": "ok"},
                {"functionCall": {"id": "1", "name": "f", "args": {"a": 1.5}}},
                {"functionCall": {"id": "2", "name": "g", "args": {}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "1", "name": "f", "response": {"output": "one"}}},
                {"functionResponse": {"id": "2", "name": "g", "response": {"error": "no\nway"}}},
            ]},
            {"role": "user", "parts": [{"text": "and?"}]},
            {"role": "model", "parts": [{"functionCall": {"id": "1", "name": "h", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"id": "1", "name": "h", "response": {"output": "three"}}}]},
            {"role": "user", "parts": [{"text": "hurry"}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "named", "response": {"output": "four"}}}]},
        ]),
    );
}

#[test]
fn calls_are_signed_where_that_is_demanded() {
    let conversation = |thoughts: Part| {
        vec![
            said("go"),
            turn(Role::Assistant, vec![thoughts, call("1", "f", "{}"), call("2", "f", "{}")]),
            turn(Role::User, vec![result("1", None, "x"), result("2", None, "y")]),
        ]
    };
    let signatures = |model: &str, thoughts: Part| {
        let body = body(model, &asks(conversation(thoughts)));
        body["contents"][1]["parts"].as_array().unwrap().iter().map(|part| part["thoughtSignature"].clone()).collect::<Vec<_>>()
    };
    let skip = json!("skip_thought_signature_validator");
    // Its own signature comes back to it, without our mark; thoughts are not said again.
    assert_eq!(signatures("gemini-3-pro-preview", proof("gemini:Ab+/=")), [json!("Ab+/="), Value::Null]);
    assert_eq!(signatures("gemini-2.5-flash", proof("gemini:Ab+/=")), [json!("Ab+/="), Value::Null]);
    // Another provider's does not, nor is any sent to models that ask for none.
    assert_eq!(signatures("gemini-3-pro-preview", proof("EqQBCg")), [skip.clone(), Value::Null]);
    assert_eq!(signatures("gemini-flash-latest", Part::Thinking { text: String::new(), signature: None }), [skip, Value::Null]);
    assert_eq!(signatures("gemini-2.5-flash", proof("EqQBCg")), [Value::Null, Value::Null]);
}

#[test]
fn a_tool_may_give_images_to_models_that_take_them() {
    let image = Part::Image(Image::Data { media_type: "image/png".to_owned(), data: "AAAA".to_owned() });
    let shows = Part::ToolResult { id: "1".to_owned(), name: None, parts: vec![words("see"), image], is_error: false };
    let query = asks(vec![turn(Role::Assistant, vec![call("1", "shot", "{}")]), turn(Role::User, vec![shows])]);
    let expected = json!({"functionResponse": {
        "id": "1",
        "name": "shot",
        "response": {"output": "see"},
        "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
    }});
    assert_eq!(body("gemini-3-flash-preview", &query)["contents"][1]["parts"][0], expected);
    check_refused(&query, "messages[1]");
}

#[test]
fn what_cannot_be_said_is_refused() {
    let query = || asks(vec![said("Hi")]);
    check_refused(&Query { hosted_tools: vec!["google_search".to_owned()], ..query() }, "tools");
    check_refused(&Query { answers: 2, ..query() }, "n");
    check_refused(&Query { stop: vec!["x".to_owned(); 6], ..query() }, "stop");
    check_refused(&asks(vec![]), "messages");
    check_refused(&asks(vec![said("")]), "messages");
    check_refused(&asks(vec![said("Hi"), turn(Role::User, vec![result("gone", None, "x")])]), "messages[1]");
    for arguments in ["[1]", "{", "7", "{} {}"] {
        check_refused(&asks(vec![turn(Role::Assistant, vec![call("1", "f", arguments)])]), "messages[0]");
    }
    check_refused(&Query { system: vec![Part::Image(Image::Url("https://a.example".to_owned()))], ..query() }, "system");
}
