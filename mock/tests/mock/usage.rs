//! How usage is told, and mistold.

use lab3_mock::Mock;
use serde_json::{Value, json};

use crate::dialects::{ALL, Anthropic, Chat, Dialect, Gemini, OllamaChat, OllamaGenerate, Responses};

/// The usage of each event, where there is one: what stands at the place.
fn told(dialect: Dialect, mode: &str) -> Vec<Value> {
    let mock = Mock::start().unwrap();
    let events = dialect.ask(&mock, &format!("m;tokens=2;input=10;usage={mode}"), true, 9).events();
    let place = match dialect {
        Chat => "/usage/completion_tokens",
        Responses => "/response/usage/output_tokens",
        Anthropic => "/usage/output_tokens",
        Gemini => "/usageMetadata/candidatesTokenCount",
        OllamaChat | OllamaGenerate => "/eval_count",
    };
    events
        .iter()
        .map(|event| event.pointer(place).or_else(|| event.pointer(&format!("/message{place}"))).cloned().unwrap_or_default())
        .collect()
}

fn check(dialect: Dialect, mode: &str, expected: &Value) {
    assert_eq!(&Value::from(told(dialect, mode)), expected, "{dialect:?} {mode}");
}

#[test]
fn nothing_zero_and_double() {
    for dialect in ALL {
        for mode in ["none", "null"] {
            assert!(told(dialect, mode).iter().all(Value::is_null), "{dialect:?} {mode}");
        }
        let most = |mode| told(dialect, mode).iter().filter_map(Value::as_u64).max();
        assert_eq!((most("zero"), most("normal"), most("double")), (Some(0), Some(2), Some(4)), "{dialect:?}");
        let mock = Mock::start().unwrap();
        for (mode, usage) in [("normal", Some((10, 2))), ("none", None), ("null", None), ("zero", Some((0, 0))), ("double", Some((20, 4)))]
        {
            for stream in [true, false] {
                let reply = dialect.ask(&mock, &format!("m;tokens=2;input=10;usage={mode}"), stream, 9);
                assert_eq!(dialect.read(&reply, stream).usage, usage, "{dialect:?} {mode} {stream}");
            }
        }
    }
}

#[test]
fn null_stands_there() {
    let mock = Mock::start().unwrap();
    let last = |dialect: Dialect, stream| {
        let reply = dialect.ask(&mock, "m;usage=null", stream, 99);
        if stream { reply.events().pop().unwrap() } else { reply.json() }
    };
    for stream in [true, false] {
        assert_eq!(last(Chat, stream).get("usage"), Some(&Value::Null));
        assert_eq!(last(Gemini, stream).get("usageMetadata"), Some(&Value::Null));
        assert_eq!(last(OllamaChat, stream).get("eval_count"), Some(&Value::Null));
    }
    assert_eq!(last(Chat, true)["choices"], json!([]));
    assert_eq!(last(Anthropic, false).get("usage"), Some(&Value::Null));
}

#[test]
fn early_late_and_often() {
    check(Chat, "normal", &json!([null, null, null, null, 2]));
    check(Chat, "every", &json!([0, 1, 2, 2]));
    check(Chat, "start_only", &json!([0, null, null, null]));
    check(Chat, "with_finish", &json!([null, null, null, 2]));
    check(Chat, "with_choices", &json!([null, null, null, null, 2]));
    check(Anthropic, "normal", &json!([1, null, null, null, null, null, 2, null]));
    check(Anthropic, "start_only", &json!([1, null, null, null, null, null, null, null]));
    check(Anthropic, "end_only", &json!([0, null, null, null, null, null, 2, null]));
    check(Gemini, "normal", &json!([1, 2, 2]));
    check(Gemini, "end_only", &json!([null, null, 2]));
    check(Gemini, "start_only", &json!([0, null, null, null]));
    check(OllamaChat, "every", &json!([1, 2, 2]));
    check(OllamaChat, "start_only", &json!([0, null, null, null]));
}

#[test]
fn the_last_chunk_may_have_a_choice_whether_usage_was_asked_for_or_not() {
    let mock = Mock::start().unwrap();
    for mode in ["with_choices", "with_finish"] {
        let body = json!({ "model": format!("m;tokens=2;usage={mode}"), "messages": [], "stream": true });
        let last = crate::client::post(&mock, "/v1/chat/completions", &body).events().pop().unwrap();
        assert_eq!((&last["usage"]["completion_tokens"], &last["choices"][0]["index"]), (&json!(2), &json!(0)), "{mode}");
        assert_eq!(last["choices"][0]["finish_reason"], if mode == "with_finish" { json!("stop") } else { Value::Null });
    }
}

#[test]
fn the_brief_delta_tells_the_output_only() {
    let mock = Mock::start().unwrap();
    let mut events = Anthropic.ask(&mock, "m;tokens=2;usage=brief", true, 9).events();
    assert_eq!(events.remove(events.len() - 2)["usage"], json!({ "output_tokens": 2 }));
    assert_eq!(events[0]["message"]["usage"]["input_tokens"], 3);
}

#[test]
fn the_query_is_no_smaller_than_its_parts() {
    let mock = Mock::start().unwrap();
    let usage = |script: &str| Anthropic.ask(&mock, script, false, 9).json()["usage"].clone();
    assert_eq!(usage("m;cached=50")["input_tokens"], 0);
    assert_eq!(usage("m;cached=2")["input_tokens"], 1);
    assert_eq!(usage("m;cached=50;input=60")["input_tokens"], 10);
    let openai = Chat.ask(&mock, "m;cached=50;write_1h=7;write_5m=1", false, 9).json()["usage"].clone();
    assert_eq!((&openai["prompt_tokens"], &openai["prompt_tokens_details"]["cached_tokens"]), (&json!(58), &json!(50)));
    assert_eq!(openai["prompt_tokens_details"]["cache_write_tokens"], 8);
    // Numbers beyond all measure are no reason to fall over.
    assert_eq!(usage(&format!("m;usage=double;input={0};cached={0};write_5m={0}", u64::MAX))["cache_read_input_tokens"], u64::MAX);
}
