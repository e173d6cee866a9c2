//! Ollama's dialect: requests as its clients make them, requests as its servers take them, lines both ways, in pieces of every size.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use lab3_compute::Usage;
use lab3_providers::dialect::ollama::{Loading, OllamaChat, OllamaGenerate, tags, version};
use lab3_providers::dialect::{Back, Broken, Failure, Front, Receipt, Terms};
use lab3_providers::{Answer, Effort, Finish, Format, Image, Message, Part, Piece, Query, Role, Tool, ToolCall, ToolChoice};
use serde_json::{Value, json};

const PNG: &str = "iVBORw0KGgo=";

fn terms() -> Terms {
    Terms { model: "llama3.2:3b".to_owned(), output_tokens_max: 300 }
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

fn tool_call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

fn result(id: &str, name: Option<&str>, text: &str) -> Part {
    Part::ToolResult { id: id.to_owned(), name: name.map(str::to_owned), parts: vec![says(text)], is_error: false }
}

fn png() -> Part {
    Part::Image(Image::Data { media_type: "image/png".to_owned(), data: PNG.to_owned() })
}

fn number(text: &str) -> serde_json::Number {
    serde_json::from_str(text).unwrap()
}

/// What every request is read as, before what it says itself.
fn asks(messages: Vec<Message>) -> Query {
    Query { model: "auto".to_owned(), messages, answers: 1, stream: true, stream_usage: true, ..Query::default() }
}

fn chat(body: &Value) -> Query {
    OllamaChat.read(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// The conversation of a request.
fn check_messages(messages: &Value, system: &[Part], expected: &[Message]) {
    let query = chat(&json!({"model": "auto", "messages": messages}));
    assert_eq!((query.system.as_slice(), query.messages.as_slice()), (system, expected));
}

/// What a request is refused for.
fn check_unreadable(front: &dyn Front, body: &str, field: &str) {
    let error = front.read(body.as_bytes()).unwrap_err();
    assert_eq!(error.field, field, "{body}: {error}");
    assert!(error.detail.len() > 15, "{error}");
}

#[test]
fn a_chat_is_read_with_every_setting() {
    let body = json!({
        "model": "auto",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Look", "images": [PNG]}],
        "tools": [
            {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}},
            {"type": "function", "function": {"name": "now"}},
            {"type": "web_search"},
        ],
        "stream": false,
        "format": {"type": "object"},
        "think": "HIGH",
        "keep_alive": "5m",
        "options": {
            "num_predict": 128, "temperature": 0.70, "top_p": 1, "top_k": 40.0, "seed": -3, "stop": ["a", "", "b"],
            "frequency_penalty": 0.5, "presence_penalty": 1.5, "num_ctx": 4096, "repeat_penalty": 1.1, "mirostat": null,
        },
    });
    let tool = |name: &str, description: &str, parameters: Value| Tool {
        name: name.to_owned(),
        description: description.to_owned(),
        parameters,
        strict: None,
    };
    let expected = Query {
        system: vec![says("Be brief.")],
        tools: vec![tool("add", "Adds.", json!({"type": "object"})), tool("now", "", json!({"type": "object", "properties": {}}))],
        hosted_tools: vec!["web_search".to_owned()],
        output_tokens_max: Some(128),
        temperature: Some(number("0.7")),
        top_p: Some(number("1")),
        top_k: Some(40),
        seed: Some(-3),
        stop: vec!["a".to_owned(), "b".to_owned()],
        frequency_penalty: Some(number("0.5")),
        presence_penalty: Some(number("1.5")),
        format: Format::Schema { name: "answer".to_owned(), schema: json!({"type": "object"}), strict: None },
        effort: Some(Effort::Word("high".to_owned())),
        stream: false,
        ..asks(vec![turn(Role::User, vec![png(), says("Look")])])
    };
    assert_eq!(chat(&body), expected);
}

#[test]
fn what_a_request_does_not_say_has_its_default() {
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let plain = asks(vec![user("Hi")]);
    let check = |more: Value, expected: Query| {
        let mut body = json!({"model": "auto", "messages": messages});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(chat(&body), expected, "{body}");
    };
    check(json!({}), plain.clone());
    // As the Python client sends what it was not given.
    check(json!({"tools": [], "stream": null, "format": "", "options": null, "keep_alive": null, "think": null}), plain.clone());
    check(json!({"stream": true, "options": {}}), plain.clone());
    check(json!({"format": "json"}), Query { format: Format::Json, ..plain.clone() });
    check(json!({"think": true}), Query { effort: Some(Effort::Word("medium".to_owned())), ..plain.clone() });
    check(json!({"think": false}), Query { effort: Some(Effort::Word("none".to_owned())), ..plain.clone() });
    for (limit, expected) in [(json!(-1), None), (json!(-2), None), (json!(0), None), (json!(7.0), Some(7)), (Value::Null, None)] {
        check(json!({"options": {"num_predict": limit}}), Query { output_tokens_max: expected, ..plain.clone() });
    }
    check(json!({"options": {"stop": "END"}}), Query { stop: vec!["END".to_owned()], ..plain });
}

#[test]
fn a_conversation_is_read_and_results_find_their_calls() {
    let call = |id: &str, name: &str, arguments: &str| Part::ToolCall(tool_call(id, name, arguments));
    let asked = |name: &str, arguments: Value| json!({"function": {"name": name, "arguments": arguments}});
    check_messages(
        &json!([
            {"role": "system", "content": "a"},
            {"role": "system", "content": "b"},
            {"role": "user", "content": "c"},
            {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
                asked("f", json!({"x": 1})), asked("g", json!({})), asked("f", json!("{\"y\": 2}")),
            ]},
            // By name, by nothing at all, and by name again.
            {"role": "tool", "content": "1", "tool_name": "g"},
            {"role": "tool", "content": "2"},
            {"role": "tool", "content": "3", "tool_name": "f"},
            {"role": "system", "content": "d"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "given", "function": {"name": "f", "arguments": null}}]},
            {"role": "tool", "content": "4", "tool_call_id": "given"},
            {"role": "tool", "content": "5", "tool_name": "stray"},
            {"role": "assistant", "content": ""},
        ]),
        &[says("a"), says("b")],
        &[
            user("c"),
            turn(
                Role::Assistant,
                vec![
                    Part::Thinking { text: "hm".to_owned(), signature: None },
                    call("call_0", "f", r#"{"x":1}"#),
                    call("call_1", "g", "{}"),
                    call("call_2", "f", r#"{"y": 2}"#),
                ],
            ),
            turn(Role::User, vec![result("call_1", Some("g"), "1"), result("call_0", Some("f"), "2"), result("call_2", Some("f"), "3")]),
            turn(Role::System, vec![says("d")]),
            turn(Role::Assistant, vec![call("given", "f", "{}")]),
            turn(Role::User, vec![result("given", Some("f"), "4"), result("", Some("stray"), "5")]),
        ],
    );
    check_messages(&json!([{"role": "system", "content": "Sing."}]), &[says("Sing.")], &[]);
}

#[test]
fn pictures_are_known_by_how_they_begin() {
    for (data, expected) in
        [(PNG, "image/png"), ("/9j/4AAQ", "image/jpeg"), ("R0lGODlh", "image/gif"), ("UklGRiQA", "image/webp"), ("QkIAAA==", "image/bmp")]
    {
        let image = Part::Image(Image::Data { media_type: expected.to_owned(), data: data.to_owned() });
        check_messages(&json!([{"role": "user", "images": [data]}]), &[], &[turn(Role::User, vec![image.clone()])]);
        let address = format!("data:whatever;base64,{data}");
        check_messages(&json!([{"role": "user", "images": [address]}]), &[], &[turn(Role::User, vec![image])]);
    }
}

#[test]
fn a_prompt_is_read() {
    let read = |body: Value| OllamaGenerate.read(body.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read(json!({"model": "auto", "prompt": "Hi"})), asks(vec![user("Hi")]));
    // As the Python client sends it.
    let body = json!({
        "model": "auto", "prompt": "Hi", "suffix": "", "system": "Be brief.", "template": "", "context": [], "raw": false,
        "stream": false, "images": [PNG], "format": "json", "options": {"num_predict": 9}, "think": false,
    });
    let expected = Query {
        system: vec![says("Be brief.")],
        output_tokens_max: Some(9),
        format: Format::Json,
        effort: Some(Effort::Word("none".to_owned())),
        stream: false,
        ..asks(vec![turn(Role::User, vec![png(), says("Hi")])])
    };
    assert_eq!(read(body), expected);
}

#[test]
fn what_is_wrong_is_named() {
    let check = |body: &str, field: &str| check_unreadable(&OllamaChat, body, field);
    check("", "");
    check("[]", "");
    check(r#"{"messages": [{"role": "user", "content": "a"}]}"#, "model");
    check(r#"{"model": "", "messages": [{"role": "user", "content": "a"}]}"#, "model");
    check(r#"{"model": "m"}"#, "messages");
    check(r#"{"model": "m", "messages": {}}"#, "messages");
    check(r#"{"model": "m", "messages": [{"role": "user", "content": "a"}, {"content": "a"}]}"#, "messages[1]");
    check(r#"{"model": "m", "messages": [{"role": "user", "content": [1]}]}"#, "messages[0]");
    check(r#"{"model": "m", "messages": [{"role": "robot", "content": "a"}]}"#, "messages[0].role");
    check(r#"{"model": "m", "messages": [{"role": "user", "images": ["iVBORw", "http://a"]}]}"#, "messages[0].images[1]");
    check(
        r#"{"model": "m", "messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": [1]}}]}]}"#,
        "messages[0].tool_calls",
    );
    let with = |more: &str| format!(r#"{{"model": "m", "messages": [{{"role": "user", "content": "a"}}], {more}}}"#);
    check(&with(r#""stream": "yes""#), "stream");
    check(&with(r#""format": "xml""#), "format");
    check(&with(r#""format": 7"#), "format");
    check(&with(r#""think": 7"#), "think");
    check(&with(r#""options": []"#), "options");
    check(&with(r#""options": {"temperature": "hot"}"#), "options.temperature");
    check(&with(r#""options": {"num_predict": 1.5}"#), "options.num_predict");
    check(&with(r#""options": {"num_predict": "many"}"#), "options.num_predict");
    check(&with(r#""options": {"stop": [1]}"#), "options.stop");
    check(&with(r#""tools": [{"type": "function"}]"#), "tools[0]");
    check(&with(r#""tools": [{"type": "function", "function": {}}]"#), "tools[0]");
    check(&with(r#""tools": {}"#), "tools");

    let with = |more: &str| format!(r#"{{"model": "m", "prompt": "a", {more}}}"#);
    let check = |body: &str, field: &str| check_unreadable(&OllamaGenerate, body, field);
    check(&with(r#""template": "{{ .Prompt }}""#), "template");
    check(&with(r#""suffix": "}""#), "suffix");
    check(&with(r#""context": [1, 2]"#), "context");
    check(&with(r#""raw": true"#), "raw");
    check(&with(r#""images": ["x"]"#), "images[0]");
    check(r#"{"model": "m", "prompt": ""}"#, "prompt");
    check(r#"{"model": "m", "prompt": 1}"#, "prompt");
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
        system: vec![says("Be brief."), says("Be kind.")],
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
            turn(Role::User, vec![says("a"), png(), says("b")]),
            turn(
                Role::Assistant,
                vec![
                    Part::Thinking { text: "hm".to_owned(), signature: Some("x".to_owned()) },
                    Part::ToolCall(tool_call("1", "add", "{\"a\": 1.50}")),
                    Part::ToolCall(tool_call("2", "now", "")),
                ],
            ),
            turn(Role::User, vec![says("well"), result("1", None, "one"), result("2", Some("named"), "two"), says("so?")]),
            turn(Role::System, vec![says("c")]),
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

    let plain = OllamaChat.write(&asks(vec![user("Hi")]), &terms(), None).unwrap();
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
        let query = Query { effort: Some(effort.clone()), ..asks(vec![user("Hi")]) };
        assert_eq!(sent(&query, model)["think"], expected, "{model} {effort:?}");
    }
}

#[test]
fn what_a_server_cannot_be_told_is_refused() {
    let query = || asks(vec![user("Hi")]);
    let check = |query: Query, field: &str| {
        let error = OllamaChat.write(&query, &terms(), None).unwrap_err();
        assert_eq!(OllamaChat.can_say(&query, &terms()), Err(error.clone()));
        assert_eq!(error.field, field, "{error}");
    };
    check(Query { hosted_tools: vec!["web_search".to_owned()], ..query() }, "tools");
    check(Query { tool_choice: ToolChoice::Any, ..query() }, "tool_choice");
    check(Query { tool_choice: ToolChoice::Named("f".to_owned()), ..query() }, "tool_choice");
    check(Query { answers: 2, ..query() }, "n");
    let part = |part: Part| asks(vec![user("Hi"), turn(Role::User, vec![part])]);
    check(part(Part::Image(Image::Url("https://a.example".to_owned()))), "messages[1]");
    check(part(Part::Document { media_type: "application/pdf".to_owned(), data: "AA".to_owned() }), "messages[1]");
    check(part(Part::ToolCall(tool_call("1", "f", "[1]"))), "messages[1]");
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
        let written = OllamaChat.write(&asks(vec![user("Hi")]), &terms, None).unwrap();
        let adapted = OllamaChat.adapt(br#"{"model":"auto","messages":[]}"#, &terms, None).unwrap().unwrap();
        for body in [written.body, adapted.body] {
            assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["options"]["num_predict"], json!(expected));
        }
    }
}

/// What a stream gives, in pieces of one size.
fn read(stream: &str, size: usize) -> (Vec<Piece>, Result<(), Broken>, bool) {
    let (mut reader, mut pieces, mut outcome) = (OllamaChat.reader(), Vec::new(), Ok(()));
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

fn start(model: &str) -> Piece {
    Piece::Start { id: String::new(), model: model.to_owned() }
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

fn used(input: u64, cache_read: u64, output: u64) -> Piece {
    Piece::Usage(Usage { input, cache_read, output, ..Usage::default() })
}

#[test]
fn a_text_is_read_with_its_thoughts() {
    check(
        concat!(
            r#"{"model":"qwen3","created_at":"2025-09-17T15:42:59.74Z","message":{"role":"assistant","content":"","thinking":"Hm. "},"done":false}"#,
            "\n",
            r#"{"model":"qwen3","created_at":"2025-09-17T15:42:59.75Z","message":{"role":"assistant","content":"Grüße"},"done":false}"#,
            "\r\n\n",
            r#"{"model":"qwen3","created_at":"2025-09-17T15:42:59.76Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","#,
            r#""total_duration":30258609300,"load_duration":19906358300,"prompt_eval_count":29,"prompt_eval_cached_count":9,"#,
            r#""prompt_eval_duration":10175903000,"eval_count":3,"eval_duration":173639000}"#,
            "\n",
        ),
        &[start("qwen3"), Piece::Thinking("Hm. ".to_owned()), text("Grüße"), used(20, 9, 3), Piece::Finish(Finish::Stop)],
        true,
    );
}

#[test]
fn calls_are_read_whole_and_get_ids() {
    let stream = |id: &str, time: &str, arguments: &str| {
        format!(
            concat!(
                "{{\"message\":{{\"content\":\"\",\"tool_calls\":[{{{}\"function\":{{\"index\":0,\"name\":\"f\",\"arguments\":{}}}}}]}}{},\"done\":false}}\n",
                "{{\"message\":{{\"tool_calls\":[{{\"function\":{{\"name\":\"g\"}}}}]}}{},\"done\":false}}\n",
                "{{\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":5,\"eval_count\":7}}\n"
            ),
            id, arguments, time, time
        )
    };
    let expected = |ids: [&str; 2], json: &str| {
        [
            start(""),
            Piece::ToolCall { call: 0, id: ids[0].to_owned(), name: "f".to_owned() },
            Piece::Arguments { call: 0, json: json.to_owned() },
            Piece::ToolCall { call: 1, id: ids[1].to_owned(), name: "g".to_owned() },
            Piece::Arguments { call: 1, json: "{}".to_owned() },
            used(5, 0, 7),
            Piece::Finish(Finish::ToolCalls),
        ]
    };
    check(&stream("", "", r#"{"a": 1.50}"#), &expected(["call_0", "call_1"], r#"{"a": 1.50}"#), true);
    check(&stream(r#""id":"call_x","#, "", r#""{\"a\":1}""#), &expected(["call_x", "call_1"], r#"{"a":1}"#), true);
    // The time tells one answer's calls from another's.
    let time = r#","created_at":"2025-09-17T15:42:59.7420965Z""#;
    let ids = ["call_202509171542597420965_0", "call_202509171542597420965_1"];
    check(&stream("", time, "null"), &expected(ids, "{}"), true);
}

/// What the last line's counts are, after some content or none.
fn check_usage(content: &str, counts: &str, expected: Option<Usage>) {
    let stream = format!("{{\"message\":{{\"content\":\"{content}\"}},\"done\":true{counts}}}\n");
    let (pieces, outcome, _) = read(&stream, stream.len());
    assert_eq!(outcome, Ok(()));
    let found = pieces.iter().find_map(|piece| if let Piece::Usage(usage) = piece { Some(*usage) } else { None });
    assert_eq!(found, expected, "{counts}");
}

#[test]
fn what_is_not_counted_is_not_called_nothing() {
    let usage = |input, cache_read, output| Some(Usage { input, cache_read, output, ..Usage::default() });
    check_usage("a", r#","prompt_eval_count":26,"eval_count":259"#, usage(26, 0, 259));
    check_usage("a", r#","prompt_eval_count":26,"prompt_eval_cached_count":26,"eval_count":2"#, usage(0, 26, 2));
    check_usage("a", r#","prompt_eval_count":26,"prompt_eval_cached_count":30,"eval_count":2"#, usage(0, 30, 2));
    check_usage("a", r#","prompt_eval_count":0,"eval_count":0"#, usage(0, 0, 0));
    // The prompt was cached: older servers say nothing of it.
    check_usage("a", r#","eval_count":259"#, None);
    // A count of 0 is left out, but something came.
    check_usage("a", r#","prompt_eval_count":26"#, None);
    check_usage("", r#","prompt_eval_count":26"#, usage(26, 0, 0));
    check_usage("a", "", None);
}

#[test]
fn an_answer_ends_for_its_reason() {
    for (end, expected) in [
        (r#""done":true,"done_reason":"stop""#, Finish::Stop),
        (r#""done":true,"done_reason":"length""#, Finish::Length),
        (r#""done":true"#, Finish::Stop),
        // Some servers forget to say that they are done.
        (r#""done":false,"done_reason":"length""#, Finish::Length),
        (r#""done_reason":"stop""#, Finish::Stop),
    ] {
        // Content in the last line counts, and nothing after it ends the answer again.
        let stream = format!("{{\"message\":{{\"content\":\"a\"}},{end}}}\n{{\"done\":true}}\n");
        check(&stream, &[start(""), text("a"), Piece::Finish(expected)], true);
    }
    check("{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"done\":fal", &[start(""), text("a")], false);
}

#[test]
fn the_last_line_needs_no_end() {
    let line = r#"{"model":"m","message":{"role":"assistant","content":"Hi"},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":1}"#;
    let (mut reader, mut pieces) = (OllamaChat.reader(), Vec::new());
    reader.read(line.as_bytes(), &mut pieces).unwrap();
    assert_eq!((pieces.as_slice(), reader.is_done()), (&[][..], false));
    reader.end(&mut pieces).unwrap();
    assert_eq!((pieces, reader.is_done()), (vec![start("m"), text("Hi"), used(3, 0, 1), Piece::Finish(Finish::Stop)], true));
    // What was cut off is no line.
    let (mut reader, mut pieces) = (OllamaChat.reader(), Vec::new());
    reader.read(&line.as_bytes()[..60], &mut pieces).unwrap();
    reader.end(&mut pieces).unwrap();
    assert_eq!((pieces, reader.is_done()), (vec![], false));
}

#[test]
fn a_failure_in_mid_stream_is_told() {
    let begun = "{\"message\":{\"content\":\"a\"},\"done\":false,\"error\":null}\n";
    for (error, expected) in [
        (r#"{"error":"an error was encountered while running the model"}"#, "an error was encountered while running the model"),
        (r#"{"error":{"message":"busy","type":"api_error"}}"#, "busy"),
        (r#"{"error":7}"#, "without a message"),
    ] {
        let stream = format!("{begun}{error}\n");
        for size in 1..=stream.len() {
            let (pieces, outcome, done) = read(&stream, size);
            assert_eq!((pieces, outcome, done), (vec![start(""), text("a")], Err(Broken::Failed(expected.to_owned())), false));
        }
    }
    for stream in ["<html>\n", "{\"message\":7}\n", "data: {}\n", "{\"eval_count\":-1}\n"] {
        assert!(matches!(read(stream, 3).1, Err(Broken::Malformed(_))), "{stream}");
    }
    assert!(matches!(OllamaChat.reader().read(b"\xff\n", &mut Vec::new()), Err(Broken::Malformed(_))));
}

#[test]
fn an_error_says_what_was_wrong() {
    for (body, expected) in [
        (r#"{"error":"model 'x' not found"}"#, "model 'x' not found"),
        (r#"{"error":{"message":"think value is not supported"}}"#, "think value is not supported"),
        ("404 page not found\n", "404 page not found"),
        ("<html>", "a page instead of a message"),
        (" ", "no message"),
    ] {
        assert_eq!(OllamaChat.error(body.as_bytes()), expected);
    }
    assert_eq!(OllamaChat.error(&vec![b'x'; 9_999]).len(), 500);
}

/// When a query was asked, and how that is told.
const ASKED_AT: u64 = 1_763_847_845;
const TIME: &str = "2025-11-22T21:44:05Z";

fn receipt() -> Receipt {
    Receipt {
        allocation_id: "al-1".to_owned(),
        provider: "local".to_owned(),
        cost_mic: "0.000123".to_owned(),
        quota_remaining_mic: "9.5".to_owned(),
        reason: "cheapest".to_owned(),
    }
}

/// What a stream of pieces is written as.
fn written(front: &dyn Front, pieces: &[Piece]) -> Vec<Value> {
    let (mut writer, mut out) = (front.writer(&Query { asked_at: ASKED_AT, ..asks(vec![]) }), Vec::new());
    for piece in pieces {
        writer.piece(piece, &mut out);
    }
    writer.end(&receipt(), &mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(out.ends_with('\n'));
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The last line's fields beside the content.
fn ending(reason: &str, counts: &Value) -> Value {
    let mut ending = json!({
        "model": "big", "created_at": TIME, "done": true, "done_reason": reason,
        "total_duration": 0, "load_duration": 0, "prompt_eval_duration": 0, "eval_duration": 0, "lab3": json!(receipt()),
    });
    ending.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
    ending
}

fn with(mut line: Value, field: &str, value: Value) -> Value {
    line[field] = value;
    line
}

#[test]
fn a_chat_is_written_in_lines() {
    let usage = Usage { input: 20, cache_read: 9, cache_write_5m: 1, output: 3, ..Usage::default() };
    let line = |message: Value| json!({"model": "big", "created_at": TIME, "message": message, "done": false});
    let found = written(
        &OllamaChat,
        &[
            Piece::Start { id: "x".to_owned(), model: "big".to_owned() },
            Piece::Thinking("hm".to_owned()),
            Piece::Signature("s".to_owned()),
            text("a\nb"),
            // One call's parts between another's; arguments over several lines, with a line's end in a text.
            Piece::ToolCall { call: 0, id: "1".to_owned(), name: "f".to_owned() },
            Piece::ToolCall { call: 1, id: "2".to_owned(), name: "g".to_owned() },
            Piece::Arguments { call: 0, json: "{\n  \"x\": \"a\\nb\",".to_owned() },
            Piece::Arguments { call: 0, json: "\r\n  \"n\": 1.50\n}".to_owned() },
            // This one never ended.
            Piece::ToolCall { call: 2, id: "3".to_owned(), name: "h".to_owned() },
            Piece::Arguments { call: 2, json: "{\"x\": ".to_owned() },
            // And this one's are no object.
            Piece::ToolCall { call: 3, id: "4".to_owned(), name: "i".to_owned() },
            Piece::Arguments { call: 3, json: "7".to_owned() },
            Piece::Usage(Usage { output: 1, ..usage }),
            Piece::Usage(usage),
            Piece::Finish(Finish::ToolCalls),
        ],
    );
    let expected = [
        line(json!({"role": "assistant", "content": "", "thinking": "hm"})),
        line(json!({"role": "assistant", "content": "a\nb"})),
        line(json!({"role": "assistant", "content": "", "tool_calls": [
            {"id": "1", "function": {"index": 0, "name": "f", "arguments": {"x": "a\nb", "n": 1.5}}},
            {"id": "2", "function": {"index": 1, "name": "g", "arguments": {}}},
        ]})),
        with(
            ending("stop", &json!({"prompt_eval_count": 30, "prompt_eval_cached_count": 9, "eval_count": 3})),
            "message",
            json!({"role": "assistant", "content": ""}),
        ),
    ];
    assert_eq!(found, expected);
    assert_eq!((OllamaChat.stream_type(), OllamaGenerate.stream_type()), ("application/x-ndjson", "application/x-ndjson"));
}

#[test]
fn a_text_is_written_in_lines() {
    let line = |more: Value| {
        let mut line = json!({"model": "auto", "created_at": TIME, "done": false});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let pieces = [start(""), Piece::Thinking("hm".to_owned()), text("a"), Piece::Refusal("no".to_owned()), Piece::Finish(Finish::Length)];
    let expected = [
        line(json!({"response": "", "thinking": "hm"})),
        line(json!({"response": "a"})),
        line(json!({"response": "no"})),
        // The provider told neither its model nor what was used.
        with(with(ending("length", &json!({})), "response", json!("")), "model", json!("auto")),
    ];
    assert_eq!(written(&OllamaGenerate, &pieces), expected);
    for (finish, expected) in [
        (Some(Finish::Stop), "stop"),
        (Some(Finish::StopText("x".to_owned())), "stop"),
        (Some(Finish::Filtered), "content_filter"),
        (None, "length"),
    ] {
        let pieces = finish.map(Piece::Finish).into_iter().collect::<Vec<_>>();
        assert_eq!(written(&OllamaGenerate, &pieces)[0]["done_reason"], json!(expected));
    }
}

#[test]
fn what_is_written_can_be_read() {
    let pieces = [
        start("big"),
        Piece::Thinking("hm".to_owned()),
        text("a"),
        Piece::ToolCall { call: 0, id: "1".to_owned(), name: "f".to_owned() },
        Piece::Arguments { call: 0, json: r#"{"x": 1}"#.to_owned() },
        used(20, 9, 3),
        Piece::Finish(Finish::ToolCalls),
    ];
    let (mut writer, mut out) = (OllamaChat.writer(&asks(vec![])), Vec::new());
    for piece in &pieces {
        writer.piece(piece, &mut out);
    }
    writer.end(&receipt(), &mut out);
    check(&String::from_utf8(out).unwrap(), &pieces, true);
}

#[test]
fn an_answer_is_written_whole() {
    let answer = Answer {
        model: "big".to_owned(),
        text: "a".to_owned(),
        thinking: "hm".to_owned(),
        refusal: "no".to_owned(),
        calls: vec![tool_call("1", "f", "{\"x\":\n1}")],
        finish: Some(Finish::Stop),
        usage: Some(Usage { input: 20, output: 3, ..Usage::default() }),
        ..Answer::default()
    };
    let counts = json!({"prompt_eval_count": 20, "prompt_eval_cached_count": 0, "eval_count": 3});
    let found = OllamaChat.whole(&Query { asked_at: ASKED_AT, ..asks(vec![]) }, &answer, &receipt());
    let message = json!({
        "role": "assistant", "content": "ano", "thinking": "hm",
        "tool_calls": [{"id": "1", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}}],
    });
    assert_eq!(serde_json::from_slice::<Value>(&found).unwrap(), with(ending("stop", &counts), "message", message));
    let found = OllamaGenerate.whole(&Query { asked_at: ASKED_AT, ..asks(vec![]) }, &answer, &receipt());
    let expected = with(with(ending("stop", &counts), "response", json!("ano")), "thinking", json!("hm"));
    assert_eq!(serde_json::from_slice::<Value>(&found).unwrap(), expected);
}

#[test]
fn refusals_are_written() {
    let failure = Failure {
        status: 402,
        code: "L3-0031".to_owned(),
        detail: "The quota of this month is used up.".to_owned(),
        field: Some("model".to_owned()),
    };
    let expected = r#"{"error":"The quota of this month is used up.","code":"L3-0031","field":"model"}"#;
    assert_eq!(String::from_utf8(OllamaChat.refusal(&failure)).unwrap(), expected);
    assert_eq!(String::from_utf8(OllamaGenerate.refusal(&failure)).unwrap(), expected);
    let (mut writer, mut out) = (OllamaChat.writer(&asks(vec![])), Vec::new());
    writer.fail(&Failure { field: None, ..failure }, &mut out);
    let expected = "{\"error\":\"The quota of this month is used up.\",\"code\":\"L3-0031\"}\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn models_and_the_version_are_listed() {
    let list: Value = serde_json::from_slice(&tags(["auto", "claude"], ASKED_AT)).unwrap();
    let names = list["models"].as_array().unwrap().iter().map(|model| (&model["name"], &model["model"])).collect::<Vec<_>>();
    assert_eq!(names, [(&json!("auto"), &json!("auto")), (&json!("claude"), &json!("claude"))]);
    assert_eq!(list["models"][0]["digest"].as_str().unwrap().len(), 64);
    assert_eq!(tags([], 0), br#"{"models":[]}"#);
    assert_eq!(version(), br#"{"version":"0.12.10"}"#);
}

#[test]
fn asking_only_to_load_a_model_is_no_query() {
    let loaded = |body: &[u8]| Loading::read(body).map(|loading| loading.reply(ASKED_AT));
    let check = |body: &str, expected: Option<(&str, bool)>| {
        let found = loaded(body.as_bytes()).map(|reply| serde_json::from_slice::<Value>(&reply).unwrap());
        let found = found.map(|reply| (reply["done_reason"].as_str().unwrap().to_owned(), reply["message"].is_object()));
        assert_eq!(found, expected.map(|(reason, is_chat)| (reason.to_owned(), is_chat)), "{body}");
    };
    check(r#"{"model": "m"}"#, Some(("load", false)));
    check(r#"{"model": "m", "prompt": "", "keep_alive": "5m"}"#, Some(("load", false)));
    check(r#"{"model": "m", "prompt": null, "keep_alive": 0}"#, Some(("unload", false)));
    check(r#"{"model": "m", "messages": []}"#, Some(("load", true)));
    check(r#"{"model": "m", "messages": [], "keep_alive": "0s"}"#, Some(("unload", true)));
    // As the Python client writes it.
    check(r#"{"model": "m", "prompt": "", "keep_alive": 0.0}"#, Some(("unload", false)));
    check(r#"{"model": "m", "prompt": "", "keep_alive": "10m"}"#, Some(("load", false)));
    check(r#"{"model": "m", "prompt": "", "keep_alive": -1}"#, Some(("load", false)));
    check(r#"{"model": "m", "prompt": "a"}"#, None);
    check(r#"{"model": "m", "images": ["a"]}"#, None);
    check(r#"{"model": "m", "messages": [{}]}"#, None);
    check(r#"{"messages": []}"#, None);
    check("nonsense", None);
    let reply = String::from_utf8(loaded(br#"{"model": "m"}"#).unwrap()).unwrap();
    assert!(!reply.contains("lab3") && reply.contains(r#""done":true"#), "{reply}");
}
