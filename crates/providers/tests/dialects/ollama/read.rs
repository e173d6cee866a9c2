//! Requests as Ollama's clients make them.

use lab3_providers::dialect::Front;
use lab3_providers::dialect::ollama::{OllamaChat, OllamaGenerate};
use lab3_providers::{Effort, Format, Image, Message, Part, Query, Role, Tool};
use serde_json::{Value, json};

use super::{PNG, asks, png};
use crate::said::{made_call, number, result, said, turn, words};

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
        system: vec![words("Be brief.")],
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
        ..asks(vec![turn(Role::User, vec![png(), words("Look")])])
    };
    assert_eq!(chat(&body), expected);
}

#[test]
fn what_a_request_does_not_say_has_its_default() {
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let plain = asks(vec![said("Hi")]);
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
    let call = |id: &str, name: &str, arguments: &str| Part::ToolCall(made_call(id, name, arguments));
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
        &[words("a"), words("b")],
        &[
            said("c"),
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
            turn(Role::System, vec![words("d")]),
            turn(Role::Assistant, vec![call("given", "f", "{}")]),
            turn(Role::User, vec![result("given", Some("f"), "4"), result("", Some("stray"), "5")]),
        ],
    );
    check_messages(&json!([{"role": "system", "content": "Sing."}]), &[words("Sing.")], &[]);
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
    assert_eq!(read(json!({"model": "auto", "prompt": "Hi"})), asks(vec![said("Hi")]));
    // As the Python client sends it.
    let body = json!({
        "model": "auto", "prompt": "Hi", "suffix": "", "system": "Be brief.", "template": "", "context": [], "raw": false,
        "stream": false, "images": [PNG], "format": "json", "options": {"num_predict": 9}, "think": false,
    });
    let expected = Query {
        system: vec![words("Be brief.")],
        output_tokens_max: Some(9),
        format: Format::Json,
        effort: Some(Effort::Word("none".to_owned())),
        stream: false,
        ..asks(vec![turn(Role::User, vec![png(), words("Hi")])])
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
