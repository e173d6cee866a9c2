//! Ollama's chat.

use lab3_providers::dialect::ollama::OllamaChat;
use serde_json::{Value, json};

use super::{Dialect, failure, query};

const OLLAMA: Dialect<'static> = Dialect { front: &OllamaChat, back: &OllamaChat };

/// Thoughts, words, two calls, probabilities.
const LINES: &str = concat!(
    r#"{"model":"m","created_at":"2026-01-01T00:00:00.1Z","message":{"role":"assistant","content":"","thinking":"h"},"done":false}"#,
    "\n",
    r#"{"model":"m","created_at":"2026-01-01T00:00:00.2Z","message":{"role":"assistant","content":"","thinking":"m"},"done":false}"#,
    "\r\n",
    "\n",
    r#"{ "model": "m", "created_at": "2026-01-01T00:00:00.3Z", "message": {"role": "assistant", "content": "Grüß"}, "done": false, "logprobs": [{"token": "G", "logprob": -0.5}]}"#,
    "\n",
    r#"{"model":"m","created_at":"2026-01-01T00:00:00.4Z","message":{"role":"assistant","content":" Gott","tool_calls":[{"id":"call_1","function":{"index":0,"name":"look","arguments":{"a":1}}}]},"done":false,"logprobs":[{"token":"t","logprob":-1}]}"#,
    "\n",
    r#"{"model":"m","created_at":"2026-01-01T00:00:00.5Z","message":{"role":"assistant","content":"","tool_calls":[{"id":"call_2","function":{"index":1,"name":"ask","arguments":{}}}]},"done":false}"#,
    "\n",
);
const LAST: &str = r#"{"model":"m","created_at":"2026-01-01T00:00:01Z","message":{"role":"assistant","content":"!"},"done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":5,"eval_count":7,"new":[1] §}"#;

#[test]
fn the_last_line_carries_the_receipt() {
    for end in ["\n", "\r\n"] {
        let expected = format!("{LINES}{LAST}{end}");
        OLLAMA.check_stream(&query(true, true), &expected.replace('§', ""), &expected);
    }
}

#[test]
fn a_last_line_without_end_gets_one() {
    let stream = format!("{LINES}{LAST}").replace('§', "");
    assert_eq!(OLLAMA.relay(&query(true, true), &stream, 7), format!("{LINES}{LAST}\n").replace('§', &super::lab3()));
}

#[test]
fn a_whole_body_is_the_last_line_with_all_that_was_said() {
    let call = |id: &str, index: u32, name: &str, arguments: Value| json!({"id": id, "function": {"index": index, "name": name, "arguments": arguments}});
    let calls = [call("call_1", 0, "look", json!({"a": 1})), call("call_2", 1, "ask", json!({}))];
    let expected = json!({
        "model": "m", "created_at": "2026-01-01T00:00:01Z",
        "message": {"role": "assistant", "content": "Grüß Gott!", "thinking": "hm", "tool_calls": calls},
        "logprobs": [{"token": "G", "logprob": -0.5}, {"token": "t", "logprob": -1}],
        "done": true, "done_reason": "stop", "total_duration": 9, "prompt_eval_count": 5, "eval_count": 7, "new": [1],
    });
    OLLAMA.check_whole(&format!("{LINES}{LAST}\n").replace('§', ""), expected);
}

#[test]
fn the_budget_ends_an_answer_anywhere() {
    let stream = format!("{LINES}{LAST}\n").replace('§', "");
    OLLAMA.check_cuts(&query(true, true), &stream);
    OLLAMA.check_cut_bodies(&stream, "/done_reason", "length");
}

#[test]
fn a_failure_is_the_last_line() {
    let out = OLLAMA.fail(&query(true, true), LINES);
    assert_eq!(serde_json::from_str::<Value>(out.strip_prefix(LINES).unwrap()).unwrap()["code"], failure().code);
}
