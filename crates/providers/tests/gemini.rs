//! Gemini's dialect: requests as its API takes them, streams as its API sends them, in pieces of every size.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use lab3_compute::Usage;
use lab3_providers::dialect::gemini::Gemini;
use lab3_providers::dialect::{Back, Broken, Terms};
use lab3_providers::{Effort, Finish, Format, Image, Message, Part, Piece, Query, Role, Tool, ToolCall, ToolChoice};
use serde_json::{Value, json};

fn terms(model: &str) -> Terms {
    Terms { model: model.to_owned(), output_tokens_max: 300 }
}

fn says(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn turn(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

fn user(text: &str) -> Message {
    turn(Role::User, vec![says(text)])
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() })
}

fn result(id: &str, name: Option<&str>, text: &str) -> Part {
    Part::ToolResult { id: id.to_owned(), name: name.map(str::to_owned), parts: vec![says(text)], is_error: false }
}

fn proof(signature: &str) -> Part {
    Part::Thinking { text: "hm".to_owned(), signature: Some(signature.to_owned()) }
}

fn asks(messages: Vec<Message>) -> Query {
    Query { messages, answers: 1, ..Query::default() }
}

fn number(text: &str) -> serde_json::Number {
    serde_json::from_str(text).unwrap()
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
        system: vec![says("Be brief."), says("Be kind.")],
        messages: vec![user("Hi")],
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
    assert!(Gemini.write(&asks(vec![user("Hi")]), &terms("m"), None).unwrap().headers.is_empty());
}

#[test]
fn what_is_not_asked_is_not_said() {
    let found = body("gemini-2.5-flash", &asks(vec![user("Hi")]));
    let expected = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 300}});
    assert_eq!(found, expected);

    let tool = Tool { name: "f".to_owned(), description: String::new(), parameters: Value::Null, strict: None };
    for (choice, expected) in [
        (ToolChoice::Auto, Value::Null),
        (ToolChoice::None, json!({"functionCallingConfig": {"mode": "NONE"}})),
        (ToolChoice::Any, json!({"functionCallingConfig": {"mode": "ANY"}})),
    ] {
        let query = Query { tools: vec![tool.clone()], tool_choice: choice, ..asks(vec![user("Hi")]) };
        assert_eq!(body("gemini-2.5-flash", &query)["toolConfig"], expected);
    }
    let json_only = Query { format: Format::Json, ..asks(vec![user("Hi")]) };
    let config = &body("gemini-2.5-flash", &json_only)["generationConfig"];
    assert_eq!(config, &json!({"maxOutputTokens": 300, "responseMimeType": "application/json"}));
}

#[test]
fn limits_and_seeds_fit_into_32_bits_and_no_limit_is_never_sent() {
    let query = asks(vec![user("Hi")]);
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
            user("a"),
            turn(Role::System, vec![says("b")]),
            turn(Role::Assistant, vec![says(""), says("c"), says("d")]),
            turn(Role::Assistant, vec![says("")]),
            user("e"),
        ],
        &json!([
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
            {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
            {"role": "user", "parts": [{"text": "e"}]},
        ]),
    );
    // Instructions alone are said by the user.
    let found = body("gemini-2.5-flash", &Query { system: vec![says("Sing.")], ..asks(vec![]) });
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
    let failed = Part::ToolResult { id: "2".to_owned(), name: None, parts: vec![says("no"), says("way")], is_error: true };
    check_contents(
        "gemini-2.5-flash",
        vec![
            user("go"),
            turn(Role::Assistant, vec![says("ok"), call("1", "f", r#"{"a": 1.50}"#), call("2", "g", "")]),
            // As OpenAI's dialect has them: a message each, and no names.
            turn(Role::User, vec![result("1", None, "one")]),
            turn(Role::User, vec![failed]),
            user("and?"),
            // The same id again: it is the later call that is answered.
            turn(Role::Assistant, vec![call("1", "h", "{}")]),
            turn(Role::User, vec![result("1", None, "three"), says("hurry")]),
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
            user("go"),
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
    let shows = Part::ToolResult { id: "1".to_owned(), name: None, parts: vec![says("see"), image], is_error: false };
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
    let query = || asks(vec![user("Hi")]);
    check_refused(&Query { hosted_tools: vec!["google_search".to_owned()], ..query() }, "tools");
    check_refused(&Query { answers: 2, ..query() }, "n");
    check_refused(&Query { stop: vec!["x".to_owned(); 6], ..query() }, "stop");
    check_refused(&asks(vec![]), "messages");
    check_refused(&asks(vec![user("")]), "messages");
    check_refused(&asks(vec![user("Hi"), turn(Role::User, vec![result("gone", None, "x")])]), "messages[1]");
    for arguments in ["[1]", "{", "7", "{} {}"] {
        check_refused(&asks(vec![turn(Role::Assistant, vec![call("1", "f", arguments)])]), "messages[0]");
    }
    check_refused(&Query { system: vec![Part::Image(Image::Url("https://a.example".to_owned()))], ..query() }, "system");
}

/// What a stream gives, in pieces of every size up to its length.
fn read(stream: &str, size: usize) -> (Vec<Piece>, Result<(), Broken>, bool) {
    let (mut reader, mut pieces, mut outcome) = (Gemini.reader(), Vec::new(), Ok(()));
    for bytes in stream.as_bytes().chunks(size) {
        outcome = reader.read(bytes, &mut pieces);
        if outcome.is_err() {
            break;
        }
    }
    (pieces, outcome, reader.is_done())
}

fn check(stream: &str, expected: &[Piece], is_done: bool) {
    for size in 1..=stream.len() {
        let (pieces, outcome, done) = read(stream, size);
        assert_eq!((pieces.as_slice(), outcome, done), (expected, Ok(()), is_done), "in pieces of {size}");
    }
}

fn check_broken(stream: &str, expected: &[Piece], broken: &Broken) {
    for size in 1..=stream.len() {
        let (pieces, outcome, _) = read(stream, size);
        assert_eq!((pieces.as_slice(), outcome.as_ref()), (expected, Err(broken)), "in pieces of {size}");
    }
}

fn start(id: &str, model: &str) -> Piece {
    Piece::Start { id: id.to_owned(), model: model.to_owned() }
}

fn used(input: u64, cache_read: u64, output: u64, reasoning: u64) -> Piece {
    Piece::Usage(Usage { input, cache_read, output, reasoning, ..Usage::default() })
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

#[test]
fn a_text_is_read_with_thoughts_and_what_was_used_so_far() {
    check(
        concat!(
            r#"data: {"candidates": [{"content": {"parts": [{"text": "**Weighing**","thought": true}],"role": "model"},"index": 0}],"#,
            r#""usageMetadata": {"promptTokenCount": 12,"totalTokenCount": 61,"thoughtsTokenCount": 49,"#,
            r#""promptTokensDetails": [{"modality": "TEXT","tokenCount": 12}]},"modelVersion": "gemini-2.5-flash","responseId": "kx-9_A"}"#,
            "\r\n\r\n",
            r#"data: {"candidates": [{"content": {"parts": [{"text": "Grüße, "}],"role": "model"},"index": 0}],"#,
            r#""usageMetadata": {"promptTokenCount": 12,"candidatesTokenCount": 3,"totalTokenCount": 64,"thoughtsTokenCount": 49},"#,
            r#""modelVersion": "gemini-2.5-flash","responseId": "kx-9_A"}"#,
            "\r\n\r\n",
            // A chunk that counts nothing takes nothing back.
            r#"data: {"candidates": [{"content": {"parts": [{"text": "Welt"}]},"index": 0}],"usageMetadata": {}}"#,
            "\r\n\r\n",
            r#"data: {"candidates": [{"content": {"parts": [{"text": ""}],"role": "model"},"finishReason": "STOP","index": 0}],"#,
            r#""usageMetadata": {"promptTokenCount": 12,"candidatesTokenCount": 5,"totalTokenCount": 66,"thoughtsTokenCount": 49},"#,
            r#""modelVersion": "gemini-2.5-flash","responseId": "kx-9_A"}"#,
            "\r\n\r\n",
        ),
        &[
            start("kx-9_A", "gemini-2.5-flash"),
            Piece::Thinking("**Weighing**".to_owned()),
            used(12, 0, 49, 49),
            text("Grüße, "),
            used(12, 0, 52, 49),
            text("Welt"),
            used(12, 0, 54, 49),
            Piece::Finish(Finish::Stop),
        ],
        true,
    );
}

#[test]
fn calls_are_read_whole_and_get_ids() {
    let expected = |id: &str, ids: [&str; 2]| {
        vec![
            start(id, ""),
            Piece::Signature("gemini:c2ln".to_owned()),
            Piece::ToolCall { call: 0, id: ids[0].to_owned(), name: "weather".to_owned() },
            Piece::Arguments { call: 0, json: r#"{"city": "Rome","n": 1.50}"#.to_owned() },
            Piece::ToolCall { call: 1, id: ids[1].to_owned(), name: "now".to_owned() },
            Piece::Arguments { call: 1, json: "{}".to_owned() },
            // The reason comes after the calls, in a chunk without content.
            used(5, 0, 9, 0),
            Piece::Finish(Finish::ToolCalls),
        ]
    };
    let stream = |id: &str, call_id: &str| {
        [
            r#"data: {"candidates": [{"content": {"parts": [{"functionCall": {CALL"name": "weather","args": {"city": "Rome","n": 1.50}},"#,
            r#""thoughtSignature": "c2ln"}]}}]ID}"#,
            "\n\n",
            r#"data: {"candidates": [{"content": {"parts": [{"functionCall": {"name": "now"},"thoughtSignature": "bW9yZQ=="}]}}]ID}"#,
            "\n\n",
            r#"data: {"candidates": [{"content": {"role": "model"},"finishReason": "STOP"}],"#,
            r#""usageMetadata": {"promptTokenCount": 5,"candidatesTokenCount": 9,"totalTokenCount": 14}ID}"#,
            "\n\n",
        ]
        .concat()
        .replace("ID}", &if id.is_empty() { "}".to_owned() } else { format!(r#","responseId": "{id}"}}"#) })
        .replace("CALL", &if call_id.is_empty() { String::new() } else { format!(r#""id": "{call_id}","#) })
    };
    check(&stream("", ""), &expected("", ["call_0", "call_1"]), true);
    // Ids differ from answer to answer, and stay short.
    check(&stream("aB-9_", ""), &expected("aB-9_", ["call_aB-9__0", "call_aB-9__1"]), true);
    let long = "x".repeat(90);
    let ids = [format!("call_{}_0", "x".repeat(24)), format!("call_{}_1", "x".repeat(24))];
    check(&stream(&long, ""), &expected(&long, [&ids[0], &ids[1]]), true);
    check(&stream("r", "given"), &expected("r", ["given", "call_r_1"]), true);
}

/// What a chunk's counts are.
fn check_usage(counts: &str, expected: Option<Usage>) {
    let stream = format!("data: {{\"candidates\": [{{\"finishReason\": \"STOP\"}}], \"usageMetadata\": {counts}}}\n\n");
    let (pieces, outcome, _) = read(&stream, stream.len());
    assert_eq!(outcome, Ok(()));
    let found = pieces.iter().find_map(|piece| if let Piece::Usage(usage) = piece { Some(*usage) } else { None });
    assert_eq!(found, expected, "{counts}");
}

#[test]
fn every_token_is_counted_once() {
    let usage = |input, cache_read, output, reasoning| Some(Usage { input, cache_read, output, reasoning, ..Usage::default() });
    // The cache is part of the prompt; thoughts are not part of the candidates.
    check_usage(
        r#"{"promptTokenCount": 2000, "cachedContentTokenCount": 1500, "candidatesTokenCount": 20, "thoughtsTokenCount": 30, "totalTokenCount": 2050}"#,
        usage(500, 1_500, 50, 30),
    );
    // What tools found is read beside the prompt.
    check_usage(
        r#"{"promptTokenCount": 10, "toolUsePromptTokenCount": 90, "candidatesTokenCount": 5, "totalTokenCount": 105}"#,
        usage(100, 0, 5, 0),
    );
    // Thoughts used all there was: no candidates, and no count of them.
    check_usage(r#"{"promptTokenCount": 9, "totalTokenCount": 309, "thoughtsTokenCount": 300}"#, usage(9, 0, 300, 300));
    check_usage(r#"{"promptTokenCount": 9, "totalTokenCount": 9}"#, usage(9, 0, 0, 0));
    check_usage(r#"{"promptTokenCount": 9}"#, usage(9, 0, 0, 0));
    // The candidates' count is missing, but the total has it.
    check_usage(r#"{"promptTokenCount": 9, "thoughtsTokenCount": 2, "totalTokenCount": 18}"#, usage(9, 0, 9, 2));
    // An explicit zero is one.
    check_usage(r#"{"promptTokenCount": 9, "candidatesTokenCount": 0, "totalTokenCount": 18}"#, usage(9, 0, 0, 0));
    check_usage(r#"{"promptTokenCount": 5, "cachedContentTokenCount": 7, "candidatesTokenCount": 1}"#, usage(0, 7, 1, 0));
    check_usage(r#"{"trafficType": "ON_DEMAND"}"#, None);
}

#[test]
fn an_answer_ends_for_its_reason() {
    for (reason, expected) in [
        ("STOP", Finish::Stop),
        ("MAX_TOKENS", Finish::Length),
        ("SAFETY", Finish::Filtered),
        ("RECITATION", Finish::Filtered),
        ("BLOCKLIST", Finish::Filtered),
        ("PROHIBITED_CONTENT", Finish::Filtered),
        ("SPII", Finish::Filtered),
        ("OTHER", Finish::Filtered),
        ("SOMETHING_NEW", Finish::Filtered),
    ] {
        let stream = format!("data: {{\"candidates\": [{{\"finishReason\": \"{reason}\"}}]}}\n\n");
        check(&stream, &[start("", ""), Piece::Finish(expected)], true);
    }
    // No reason yet: if the connection ends here, the answer was cut off.
    check("data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"a\"}]}}]}\n\n", &[start("", ""), text("a")], false);
    check("data: {\"candidates\": [{\"finishReason\": \"FINISH_REASON_UNSPECIFIED\", \"content\": {}}]}\n\n", &[start("", "")], false);
}

#[test]
fn a_blocked_query_is_filtered_and_still_read() {
    check(
        concat!(
            r#"data: {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},"#,
            r#""usageMetadata": {"promptTokenCount": 7,"totalTokenCount": 7},"modelVersion": "gemini-2.5-flash"}"#,
            "\n\n"
        ),
        &[start("", "gemini-2.5-flash"), used(7, 0, 0, 0), Piece::Finish(Finish::Filtered)],
        true,
    );
    check(
        concat!(
            r#"data: {"promptFeedback": {"safetyRatings": []}, "candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]}"#,
            "\n\n",
        ),
        &[start("", ""), text("a"), Piece::Finish(Finish::Stop)],
        true,
    );
}

#[test]
fn odd_streams_are_read() {
    // Comments, names, several lines of data, no last blank line, a trailing count, an end it does not need, other candidates.
    check(
        concat!(
            ": hello\nevent: chunk\nid: 1\nretry: 9\n",
            "data: {\"candidates\":\ndata: [{\"content\": {\"parts\": [{\"text\": \"a\"}]}, \"finishReason\": \"STOP\"},\n",
            "data:  {\"index\": 1, \"content\": {\"parts\": [{\"text\": \"other\"}]}}]}\n\n",
            "data: {\"candidates\": [{\"index\": 1, \"content\": {\"parts\": [{\"text\": \"other\"}]}, \"finishReason\": \"SAFETY\"}]}\r\r",
            "data: {\"candidates\": null, \"usageMetadata\": {\"promptTokenCount\": 1, \"candidatesTokenCount\": 2}}\n\n",
            "data: {\"candidates\": [{\"finishReason\": \"STOP\"}]}\n\n",
            "data: [DONE]\n",
        ),
        &[start("", ""), text("a"), Piece::Finish(Finish::Stop), used(1, 0, 2, 0)],
        true,
    );
    // Parts that have no place here are passed over.
    check(
        concat!(
            r#"data: {"candidates": [{"content": {"parts": [{"executableCode": {"language": "PYTHON", "code": "1"}}, {"inlineData": {"mimeType": "image/png", "data": "AA"}}, {"text": "b", "thoughtSignature": "c2ln"}]}}]}"#,
            "\n\n"
        ),
        &[start("", ""), text("b")],
        false,
    );
}

#[test]
fn a_failure_in_mid_stream_is_told() {
    let begun = "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"a\"}]}}]}\n\n";
    let overloaded = Broken::Failed("The model is overloaded.".to_owned());
    for error in [
        // As an event, as a list in an event, and as the plain JSON of an error, over several lines.
        "data: {\"error\": {\"code\": 503, \"message\": \"The model is overloaded.\", \"status\": \"UNAVAILABLE\"}}\n\n",
        "data: [{\"error\": {\"code\": 503, \"message\": \"The model is overloaded.\"}}]\n\n",
        "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"The model is overloaded.\",\n    \"details\": []\n  }\n}\n",
        "[{\r\n  \"error\": {\r\n    \"message\": \"The model is overloaded.\"\r\n  }\r\n}\r\n]\r\n",
    ] {
        check_broken(&[begun, error].concat(), &[start("", ""), text("a")], &overloaded);
    }
    // The answer is of no use, but it was made: what it used comes first.
    check_broken(
        concat!(
            r#"data: {"candidates": [{"content": {}, "finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "print(default_api.f("}],"#,
            r#""usageMetadata": {"promptTokenCount": 3,"thoughtsTokenCount": 4,"totalTokenCount": 7}}"#,
            "\n\n"
        ),
        &[start("", ""), used(3, 0, 4, 4)],
        &Broken::Failed("the answer cannot be used (MALFORMED_FUNCTION_CALL)".to_owned()),
    );
}

#[test]
fn what_is_no_stream_is_broken() {
    let broken = |stream: &str| {
        let (_, outcome, _) = read(stream, 7);
        assert!(matches!(outcome, Err(Broken::Malformed(_))), "{stream}: {outcome:?}");
    };
    broken("data: {\"candidates\": 7}\n\n");
    broken("data: {\"candidates\": [\n\n");
    broken("data: nonsense\n\n");
    broken(&"<p>An error page</p>\n".repeat(1_000));
    broken(&"[{\"candidates\": [{}]}\n,\n".repeat(1_000));
    let mut reader = Gemini.reader();
    assert!(matches!(reader.read(b"data: \xff\n\n", &mut Vec::new()), Err(Broken::Malformed(_))));
}

#[test]
fn an_error_says_what_was_wrong_and_no_key() {
    for (body, expected) in [
        (r#"{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": []}}"#, "API key not valid."),
        (r#"[{"error": {"code": 429, "message": "You exceeded your current quota."}}]"#, "You exceeded your current quota."),
        (r#"{"error": "down"}"#, "down"),
        (
            r#"{"error": {"message": "Permission denied: Consumer 'api_key:AIza-Sy_123' has been suspended."}}"#,
            "Permission denied: Consumer 'api_key:...' has been suspended.",
        ),
        ("upstream api_key:AIza and api_key:b is bad\n", "upstream api_key:... and api_key:... is bad"),
        ("<html><body>502</body></html>", "a page instead of a message"),
        ("", "no message"),
    ] {
        assert_eq!(Gemini.error(body.as_bytes()), expected);
    }
    assert_eq!(Gemini.error(&vec![b'x'; 9_999]).len(), 500);
}
