//! How much is said, and why it ends.

use lab3_mock::Mock;
use serde_json::json;

use crate::client::post;
use crate::dialects::{ALL, Anthropic, Chat, Dialect, Gemini, OllamaChat, OllamaGenerate, Responses, Said};

/// The answer in every dialect, streamed and not; the finish is one of the dialect's words for stop and for length.
fn check(script: &str, limit: u64, text: &str, is_short: bool, output: u64) {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        let (stop, length) = words(dialect);
        let finish = if is_short { length } else { stop };
        let expected = Said { text: text.to_owned(), finish: Some(finish.to_owned()), usage: Some((3, output)) };
        for stream in [true, false] {
            let reply = dialect.ask(&mock, script, stream, limit);
            assert!(reply.is_whole && reply.status == 200, "{dialect:?} {stream} {reply:?}");
            assert_eq!(dialect.read(&reply, stream), expected, "{dialect:?} stream {stream}");
        }
    }
    let stats = mock.stats();
    assert_eq!((&stats["requests"], &stats["tokens_sent"]), (&json!(12), &json!(12 * output)), "{stats}");
}

fn words(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Responses => ("completed", "max_output_tokens"),
        Anthropic => ("end_turn", "max_tokens"),
        Gemini => ("STOP", "MAX_TOKENS"),
        Chat | OllamaChat | OllamaGenerate => ("stop", "length"),
    }
}

#[test]
fn as_many_tokens_are_said_as_wanted_and_allowed() {
    check("mock;tokens=3", 100, "tok tok tok ", false, 3);
    check("mock;tokens=3", 3, "tok tok tok ", false, 3);
    check("mock;tokens=4", 3, "tok tok tok ", true, 3);
    check("mock;tokens=0", 3, "", false, 0);
    check("mock;tokens=5;per_event=2;text=a", 100, "aaaaa", false, 5);
    check("mock;tokens=5;per_event=2;text=a", 3, "aaa", true, 3);
    check("mock;tokens=3;big=5;text=a", 100, "xxxxxaa", false, 3);
    check("mock;tokens=3;text=%C3%A9%22", 100, "é\"é\"é\"", false, 3);
    check("mock;tokens=3;split=1", 100, "tok tok tok ", false, 3);
    check("mock;tokens=3;ping=true", 100, "tok tok tok ", false, 3);
}

#[test]
fn many_tokens_are_no_fewer() {
    check("mock;tokens=20000", 100_000, &"tok ".repeat(20_000), false, 20_000);
}

#[test]
fn a_limit_may_be_ignored() {
    check("mock;tokens=5;ignore_limit=true", 2, "tok tok tok tok tok ", false, 5);
}

#[test]
fn each_event_carries_what_it_should() {
    let mock = Mock::start().unwrap();
    let reply = Chat.ask(&mock, "mock;tokens=5;per_event=2", true, 100);
    let texts =
        reply.events().iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(texts, ["", "tok tok ", "tok tok ", "tok "]);
}

#[test]
fn limits_have_other_names_too() {
    let mock = Mock::start().unwrap();
    let messages = json!([{ "role": "user", "content": "one" }]);
    let said = |dialect: Dialect, path: &str, body| dialect.read(&post(&mock, path, &body), false).text;
    let chat = "/chat/completions";
    assert_eq!(said(Chat, chat, json!({ "model": "m", "messages": messages, "max_tokens": 1 })), "tok ");
    assert_eq!(said(Chat, chat, json!({ "model": "m", "messages": messages, "max_tokens": 2, "max_completion_tokens": 1 })), "tok ");
    assert_eq!(said(Chat, chat, json!({ "model": "m", "messages": messages })), "tok ".repeat(16));
    let contents = json!([{ "parts": [{ "text": "one" }] }]);
    let body = json!({ "contents": contents, "generation_config": { "max_output_tokens": 1 } });
    assert_eq!(said(Gemini, "/v1/models/m:generateContent", body), "tok ");
    for unlimited in [-1, -2] {
        let body = json!({ "model": "m", "messages": messages, "stream": false, "options": { "num_predict": unlimited } });
        assert_eq!(said(OllamaChat, "/api/chat", body), "tok ".repeat(16));
    }
}

#[test]
fn the_reason_may_be_another() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        for stream in [true, false] {
            let reply = dialect.ask(&mock, "mock;finish=content_filter", stream, 100);
            assert_eq!(dialect.read(&reply, stream).finish.as_deref(), Some("content_filter"), "{dialect:?} {stream}");
        }
        let reply = dialect.ask(&mock, "mock;finish=none", true, 100);
        assert_eq!(dialect.read(&reply, true).finish, None, "{dialect:?}");
    }
}

#[test]
fn the_mark_of_the_end_may_be_missing() {
    let mock = Mock::start().unwrap();
    let marks = [(Chat, "[DONE]"), (Responses, "response.completed"), (Anthropic, "message_stop"), (OllamaChat, "\"done\":true")];
    for (dialect, mark) in marks {
        assert!(dialect.ask(&mock, "mock", true, 100).text().contains(mark), "{dialect:?}");
        let reply = dialect.ask(&mock, "mock;done=false", true, 100);
        assert!(reply.is_whole && !reply.text().contains(mark), "{dialect:?}");
    }
}

#[test]
fn several_answers_are_said_by_turns() {
    let mock = Mock::start().unwrap();
    let body = json!({ "model": "m;tokens=2", "n": 3, "stream": true, "stream_options": { "include_usage": true }, "messages": [] });
    let events = post(&mock, "/v1/chat/completions", &body).events();
    let places = events.iter().filter_map(|event| event["choices"][0]["index"].as_u64()).collect::<Vec<_>>();
    assert_eq!(places, [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
    assert_eq!(events.last().unwrap()["usage"]["completion_tokens"], 6);
    let body = json!({ "model": "m;tokens=2", "n": 3, "messages": [] });
    let whole = post(&mock, "/v1/chat/completions", &body).json();
    assert_eq!((whole["choices"].as_array().unwrap().len(), &whole["usage"]["completion_tokens"]), (3, &json!(6)));
    let body = json!({ "contents": [], "generationConfig": { "candidateCount": 2 } });
    let whole = post(&mock, "/v1beta/models/m;tokens=2:generateContent", &body).json();
    assert_eq!((&whole["candidates"][1]["index"], &whole["usageMetadata"]["candidatesTokenCount"]), (&json!(1), &json!(4)));
    assert_eq!(mock.stats()["tokens_sent"], 16);
    let refused = post(&mock, "/v1/chat/completions", &json!({ "model": "m", "n": 1000, "messages": [] }));
    assert_eq!(refused.status, 400);
}
