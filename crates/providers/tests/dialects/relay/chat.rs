//! Chat Completions.

use lab3_providers::dialect::openai_chat::{Flavour, OpenAiChat, OpenAiChatBack};
use serde_json::{Value, json};

use super::{Dialect, failure, query};

const CHAT: Dialect<'static> = Dialect { front: &OpenAiChat, back: &OpenAiChatBack { flavour: Flavour::Compatible } };

/// Words with log probabilities, as OpenAI streams them.
const LOGPROBS: &str = concat!(
    r#"data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"gpt-x","service_tier":"default","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aa"}"#,
    "\n\n",
    r#"data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"gpt-x","choices":[{"index":0,"delta":{"content":"Grüß"},"logprobs":{"content":[{"token":"Gr","logprob":-0.25,"bytes":[71],"top_logprobs":[]}],"refusal":null},"finish_reason":null}],"usage":null}"#,
    "\n\n",
    r#"data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"gpt-x","choices":[{"index":0,"delta":{"content":" Gott"},"logprobs":{"content":[{"token":" Gott","logprob":-1.5e-7,"bytes":[32],"top_logprobs":[]}],"refusal":null},"finish_reason":null}],"usage":null}"#,
    "\n\n",
);
const STOP: &str = r#"data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"gpt-x","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null§}"#;
const USAGE: &str = r#"data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"gpt-x","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"x":{"y":1}}§}"#;
const DONE: &str = "data: [DONE]\n\n";

/// Events of a stream; `§` stands in the one that gets the receipt.
fn stream(events: &[&str]) -> String {
    events.iter().map(|event| if event.ends_with('\n') { (*event).to_owned() } else { format!("{event}\n\n") }).collect()
}

/// The stream as the provider sends it.
fn sent(events: &[&str]) -> String {
    stream(events).replace('§', "")
}

fn unmarked(event: &str) -> String {
    event.replace('§', "")
}

#[test]
fn the_usage_that_was_asked_for_carries_the_receipt() {
    CHAT.check_stream(&query(true, true), &sent(&[LOGPROBS, STOP, USAGE, DONE]), &stream(&[LOGPROBS, &unmarked(STOP), USAGE, DONE]));
}

#[test]
fn the_usage_that_was_not_asked_for_goes_and_the_finish_carries_the_receipt() {
    CHAT.check_stream(&query(true, false), &sent(&[LOGPROBS, STOP, USAGE, DONE]), &stream(&[LOGPROBS, STOP, DONE]));
}

/// Azure tells of the prompt first; its chunk has no choice, and no id.
const AZURE: &str = r#"data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false}}}]}"#;

#[test]
fn a_chunk_without_choices_reaches_nobody_who_asked_for_no_usage() {
    let told = sent(&[AZURE, LOGPROBS, STOP, USAGE, DONE]);
    CHAT.check_stream(&query(true, false), &told, &stream(&[LOGPROBS, STOP, DONE]));
    CHAT.check_stream(&query(true, true), &told, &stream(&[AZURE, LOGPROBS, &unmarked(STOP), USAGE, DONE]));
}

/// How a stream looks elsewhere: the spaces of Python's JSON, CR LF, comments, names and ids of events, usage beside a choice.
const STRANGE: &str = concat!(
    ": PROCESSING\r\n\r\n",
    "event: message\r\nid: 1\r\n",
    r#"data: {"id": "c2", "object": "chat.completion.chunk", "created": 8, "model": "m", "provider": "x", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi", "reasoning_content": "hm"}, "finish_reason": null}]}"#,
    "\r\n\r\n",
    ": PROCESSING\r\n\r\n",
    "retry: 5\r\n",
);
const STRANGE_END: &str = concat!(
    r#"data:{"id": "c2", "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop", "stop_reason": 7}], "usage": {"prompt_tokens": 5, "completion_tokens": 2} §}"#,
    "\r\n\r\n",
    ": late\r\n\r\n",
);

#[test]
fn every_byte_stays_where_it_was() {
    let done = "data: [DONE]\r\n\r\n";
    for usage in [true, false] {
        CHAT.check_stream(&query(true, usage), &sent(&[STRANGE, STRANGE_END, done]), &stream(&[STRANGE, STRANGE_END, done]));
        // Not every server says that it is done.
        CHAT.check_stream(&query(true, usage), &sent(&[STRANGE, STRANGE_END]), &stream(&[STRANGE, STRANGE_END, DONE]));
    }
}

/// Two calls at once, the second before the first is told.
const CALLS: &str = concat!(
    r#"data: {"id":"c3","object":"chat.completion.chunk","created":9,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"look","arguments":""}}],"refusal":null},"logprobs":null,"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"c3","object":"chat.completion.chunk","created":9,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]},"logprobs":null,"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"c3","object":"chat.completion.chunk","created":9,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"ask","arguments":"{}"}}]},"logprobs":null,"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"c3","object":"chat.completion.chunk","created":9,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"logprobs":null,"finish_reason":null}]}"#,
    "\n\n",
);
const CALLS_END: &str = r#"data: {"id":"c3","object":"chat.completion.chunk","created":9,"model":"m","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]§}"#;

const REFUSAL: &str = concat!(
    r#"data: {"id":"c4","object":"chat.completion.chunk","created":9,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"c4","object":"chat.completion.chunk","created":9,"model":"m","choices":[{"index":0,"delta":{"refusal":"I"},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"c4","object":"chat.completion.chunk","created":9,"model":"m","choices":[{"index":0,"delta":{"refusal":" won't"},"finish_reason":null}]}"#,
    "\n\n",
);

#[test]
fn calls_and_refusals_pass() {
    CHAT.check_stream(&query(true, false), &sent(&[CALLS, CALLS_END, DONE]), &stream(&[CALLS, CALLS_END, DONE]));
    CHAT.check_stream(&query(true, false), &sent(&[REFUSAL, STOP, DONE]), &stream(&[REFUSAL, STOP, DONE]));
}

#[test]
fn several_answers_end_with_the_last_one() {
    let choice = |index: u32, delta: &str, finish: &str| {
        format!(r#"data: {{"id":"c5","choices":[{{"index":{index},"delta":{{"content":"{delta}"}},"finish_reason":{finish}}}]}}"#)
    };
    let events = [choice(0, "a", "null"), choice(0, "", "\"stop\""), choice(1, "b", "null"), choice(1, "c", "\"length\"")];
    let events = events.iter().map(String::as_str).collect::<Vec<_>>();
    let mut wanted = query(true, false);
    wanted.answers = 2;
    let last = events[3].replacen("}]}", "}]§}", 1);
    CHAT.check_stream(&wanted, &stream(&[&stream(&events), DONE]), &stream(&[&stream(&events[..3]), &last, DONE]));
    let choices = [(0, "a", "stop"), (1, "bc", "length")].map(|(index, content, finish)| {
        json!({"index": index, "message": {"role": "assistant", "content": content, "refusal": null}, "logprobs": null, "finish_reason": finish})
    });
    let body = json!({"id": "c5", "object": "chat.completion", "created": 0, "model": "auto", "choices": choices});
    CHAT.check_whole(&stream(&[&stream(&events), DONE]), body);
}

/// A completion of one choice.
fn completion(fields: Value, message: Value, choice: Value) -> Value {
    let mut whole = json!({"object": "chat.completion", "choices": [{"index": 0, "message": message, "logprobs": null}]});
    whole["choices"][0].as_object_mut().unwrap().extend(choice.as_object().unwrap().clone());
    whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    whole
}

#[test]
fn a_whole_body_has_all_that_the_chunks_had() {
    let probability =
        |token: &str, logprob: f64, byte: u8| json!({"token": token, "logprob": logprob, "bytes": [byte], "top_logprobs": []});
    let logprobs = json!({"content": [probability("Gr", -0.25, 71), probability(" Gott", -1.5e-7, 32)], "refusal": null});
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "x": {"y": 1}});
    let said = |content: &str| json!({"role": "assistant", "content": content, "refusal": null});
    let mut fields =
        json!({"id": "c1", "created": 7, "model": "gpt-x", "service_tier": "default", "system_fingerprint": "fp", "usage": usage});
    let choice = json!({"finish_reason": "stop", "logprobs": logprobs});
    CHAT.check_whole(&sent(&[LOGPROBS, STOP, USAGE, DONE]), completion(fields.clone(), said("Grüß Gott"), choice.clone()));
    fields["prompt_filter_results"] = json!([{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": false}}}]);
    CHAT.check_whole(&sent(&[AZURE, LOGPROBS, STOP, USAGE, DONE]), completion(fields, said("Grüß Gott"), choice));
    let mut thought = said("Hi");
    thought["reasoning_content"] = "hm".into();
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 2});
    let fields = json!({"id": "c2", "created": 8, "model": "m", "provider": "x", "usage": usage});
    CHAT.check_whole(&sent(&[STRANGE, STRANGE_END]), completion(fields, thought, json!({"finish_reason": "stop", "stop_reason": 7})));
}

#[test]
fn a_whole_body_has_the_calls_and_the_refusal() {
    let call =
        |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
    let calls = [call("call_a", "look", "{\"a\":1}"), call("call_b", "ask", "{}")];
    let message = json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": calls});
    let fields = json!({"id": "c3", "created": 9, "model": "m"});
    CHAT.check_whole(&sent(&[CALLS, CALLS_END, DONE]), completion(fields, message, json!({"finish_reason": "tool_calls"})));
    let message = json!({"role": "assistant", "content": null, "refusal": "I won't"});
    let fields = json!({"id": "c4", "created": 9, "model": "m", "usage": null});
    CHAT.check_whole(&sent(&[REFUSAL, STOP, DONE]), completion(fields, message, json!({"finish_reason": "stop"})));
}

#[test]
fn the_budget_ends_an_answer_anywhere() {
    let streams = [
        &[LOGPROBS, STOP, USAGE, DONE][..],
        &[AZURE, LOGPROBS, STOP, DONE],
        &[STRANGE, STRANGE_END],
        &[CALLS, CALLS_END, DONE],
        &[REFUSAL, STOP],
    ];
    for events in streams {
        for usage in [true, false] {
            CHAT.check_cuts(&query(true, usage), &sent(events));
        }
        CHAT.check_cut_bodies(&sent(events), "/choices/0/finish_reason", "length");
    }
}

#[test]
fn a_cut_answer_ends_as_it_began() {
    let expected = r#"data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"gpt-x","service_tier":"default","system_fingerprint":"fp","choices":[{"delta":{},"finish_reason":"length","index":0,"logprobs":null}]§}"#;
    let expected = stream(&[LOGPROBS, expected, DONE]).replace('§', &super::lab3());
    assert_eq!(CHAT.cut(&query(true, false), LOGPROBS.as_bytes(), 9), expected);
}

#[test]
fn who_says_done_and_not_why_was_cut_off() {
    let out = CHAT.relay(&query(true, false), &sent(&[LOGPROBS, DONE]), 3);
    let (before, after) = out.split_at(LOGPROBS.len());
    assert_eq!(before, LOGPROBS);
    assert!(after.contains(r#""finish_reason":"length""#) && after.contains("lab3") && after.ends_with(DONE), "{after}");
}

#[test]
fn a_failure_is_the_last_word() {
    let out = CHAT.fail(&query(true, false), &sent(&[LOGPROBS, STOP]));
    let error = out.strip_prefix(LOGPROBS).and_then(|rest| rest.strip_prefix("data: ")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(error).unwrap()["error"]["code"], failure().code);
    let body = CHAT.fail(&query(false, false), LOGPROBS);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["error"]["code"], failure().code);
}
