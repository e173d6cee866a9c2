//! Several calls at once, in each dialect.

use lab3_mock::Mock;
use serde_json::Value;

use crate::dialects::{Anthropic, Chat, Dialect, Gemini, OllamaChat, Responses};

/// Every value of that name, wherever it stands, in the order of the text.
fn find<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                found.extend((key == name).then_some(value));
                find(value, name, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                find(item, name, found);
            }
        }
        _ => {}
    }
}

fn all<'a>(values: &'a [Value], name: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    for value in values {
        find(value, name, &mut found);
    }
    found
}

/// Arguments as an object, in whichever form they are told.
fn arguments(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| serde_json::from_str(text).unwrap())
}

#[test]
fn calls_share_the_tokens() {
    let mock = Mock::start().unwrap();
    let cases: [(Dialect, &str); 5] =
        [(Chat, "arguments"), (Responses, "arguments"), (Anthropic, "input"), (Gemini, "args"), (OllamaChat, "arguments")];
    for (dialect, name) in cases {
        let whole = [dialect.ask(&mock, "m;tokens=5;tool=find;calls=3", false, 9).json()];
        let told = all(&whole, name).into_iter().map(|value| arguments(value)["text"].as_str().unwrap().to_owned());
        assert_eq!(told.collect::<Vec<_>>(), ["tok tok tok ", "tok ", "tok "], "{dialect:?}");
    }
}

#[test]
fn calls_come_one_after_another_with_ids_of_their_own() {
    let mock = Mock::start().unwrap();
    let script = "m;tokens=2;tool=find;calls=2";
    let events = Chat.ask(&mock, script, true, 9).events();
    let ids = events.iter().filter_map(|event| event.pointer("/choices/0/delta/tool_calls/0/id")).collect::<Vec<_>>();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
    let of = |index: u64| {
        let calls = events.iter().filter_map(|event| event.pointer("/choices/0/delta/tool_calls/0")).filter(|call| call["index"] == index);
        calls.filter_map(|call| call["function"]["arguments"].as_str()).collect::<String>()
    };
    assert_eq!([of(0), of(1)], ["{\"text\":\"tok \"}", "{\"text\":\"tok \"}"]);
    let events = Anthropic.ask(&mock, script, true, 9).events();
    let blocks = events.iter().filter(|event| event["type"] == "content_block_start").collect::<Vec<_>>();
    assert_eq!(blocks.iter().map(|event| event["index"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1]);
    assert_ne!(blocks[0]["content_block"]["id"], blocks[1]["content_block"]["id"]);
    let last = Responses.ask(&mock, script, true, 9).events().pop().unwrap();
    let output = last["response"]["output"].as_array().unwrap();
    assert!(output.len() == 2 && output[0]["call_id"] != output[1]["call_id"], "{last}");
    let lines = OllamaChat.ask(&mock, script, true, 9).events();
    assert_eq!(all(&lines, "tool_calls").len(), 2);
}

#[test]
fn the_limit_cuts_the_last_call() {
    let mock = Mock::start().unwrap();
    let whole = [Chat.ask(&mock, "m;tokens=9;tool=find;calls=2", false, 4).json()];
    let told = all(&whole, "arguments").into_iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(told, ["{\"text\":\"tok tok \"}", "{\"text\":\"tok tok "]);
    assert_eq!(all(&[Gemini.ask(&mock, "m;tokens=9;tool=find;calls=2", false, 4).json()], "functionCall").len(), 0);
}
