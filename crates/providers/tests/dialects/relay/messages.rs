//! Anthropic's Messages.

use lab3_providers::dialect::anthropic::Anthropic;
use serde_json::{Value, json};

use super::{Dialect, failure, query};

const MESSAGES: Dialect<'static> = Dialect { front: &Anthropic, back: &Anthropic };

/// Events with their names, as the API sends them.
fn stream(events: &[&str]) -> String {
    let name = |data: &str| data.split('"').nth(3).unwrap().to_owned();
    events.iter().map(|data| format!("event: {}\ndata: {data}\n\n", name(data))).collect()
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_read_input_tokens":3,"output_tokens":1,"service_tier":"standard"},"new":{"a":1}}}"#;
const PING: &str = r#"{"type": "ping"}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

/// Thoughts with a signature and hidden ones, a search that the provider ran, words with citations, two calls, and what nobody knows.
const BLOCKS: &[&str] = &[
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}"#,
    PING,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"."}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"xx"}}"#,
    r#"{"type":"content_block_stop","index":1}"#,
    r#"{"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"query\":"}}"#,
    r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":" \"x\"}"}}"#,
    r#"{"type":"content_block_stop","index":2}"#,
    r#"{"type":"content_block_start","index":3,"content_block":{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","title":"T","url":"u","encrypted_content":"e"}]}}"#,
    r#"{"type":"content_block_stop","index":3}"#,
    r#"{"type":"content_block_start","index":4,"content_block":{"type":"text","text":"","citations":[]}}"#,
    r#"{"type":"content_block_delta","index":4,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"u","cited_text":"c"}}}"#,
    r#"{"type":"content_block_delta","index":4,"delta":{"type":"text_delta","text":"Grüß"}}"#,
    r#"{"type":"content_block_delta","index":4,"delta":{"type":"text_delta","text":" Gott"}}"#,
    r#"{"type":"content_block_stop","index":4}"#,
    r#"{"type":"content_block_start","index":5,"content_block":{"type":"compaction","content":null}}"#,
    r#"{"type":"content_block_delta","index":5,"delta":{"type":"compaction_delta","content":"short"}}"#,
    r#"{"type":"content_block_stop","index":5}"#,
    r#"{"type":"content_block_start","index":6,"content_block":{"type":"tool_use","id":"toolu_1","name":"look","input":{},"caller":{"type":"direct"}}}"#,
    r#"{"type":"content_block_delta","index":6,"delta":{"type":"input_json_delta","partial_json":""}}"#,
    r#"{"type":"content_block_delta","index":6,"delta":{"type":"input_json_delta","partial_json":"{\"a\": 1}"}}"#,
    r#"{"type":"content_block_stop","index":6}"#,
    r#"{"type":"content_block_start","index":7,"content_block":{"type":"tool_use","id":"toolu_2","name":"ask","input":{}}}"#,
    r#"{"type":"content_block_stop","index":7}"#,
];
const DELTA: &str = r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null,"container":{"id":"k"}},"usage":{"input_tokens":30,"output_tokens":40,"cache_read_input_tokens":null,"server_tool_use":{"web_search_requests":1}},"context_management":{"applied_edits":[]} §}"#;

fn all(blocks: &[&str]) -> String {
    stream(&[&[START, PING], blocks, &[DELTA, PING, STOP]].concat())
}

fn sent(blocks: &[&str]) -> String {
    all(blocks).replace('§', "")
}

#[test]
fn the_message_delta_carries_the_receipt() {
    MESSAGES.check_stream(&query(true, true), &sent(BLOCKS), &all(BLOCKS));
    let strange = |stream: String| format!(": hello\r\n\r\n{}", stream.replace('\n', "\r\n"));
    MESSAGES.check_stream(&query(true, true), &strange(sent(&BLOCKS[..6])), &strange(all(&BLOCKS[..6])));
}

#[test]
fn a_whole_message_has_blocks_of_every_kind() {
    let citation = json!({"type": "web_search_result_location", "url": "u", "cited_text": "c"});
    let result = json!({"type": "web_search_result", "title": "T", "url": "u", "encrypted_content": "e"});
    let content = json!([
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "xx"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [result]},
        {"type": "text", "text": "Grüß Gott", "citations": [citation]},
        {"type": "compaction", "content": "short"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}, "caller": {"type": "direct"}},
        {"type": "tool_use", "id": "toolu_2", "name": "ask", "input": {}},
    ]);
    let usage = json!({
        "input_tokens": 30, "cache_read_input_tokens": 3, "output_tokens": 40, "service_tier": "standard",
        "server_tool_use": {"web_search_requests": 1},
    });
    let expected = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": content, "stop_reason": "tool_use",
        "stop_sequence": null, "container": {"id": "k"}, "usage": usage, "context_management": {"applied_edits": []}, "new": {"a": 1},
    });
    MESSAGES.check_whole(&sent(BLOCKS), expected);
}

#[test]
fn the_budget_ends_an_answer_anywhere() {
    MESSAGES.check_cuts(&query(true, true), &sent(BLOCKS));
    MESSAGES.check_cut_bodies(&sent(BLOCKS), "/stop_reason", "max_tokens");
}

#[test]
fn what_the_budget_cuts_is_closed() {
    let before = stream(&[&[START], &BLOCKS[..2]].concat());
    let out = MESSAGES.cut(&query(true, true), before.as_bytes(), 3);
    let rest = out.strip_prefix(&before).unwrap();
    let events = rest.lines().filter_map(|line| line.strip_prefix("data: ")).map(|data| serde_json::from_str::<Value>(data).unwrap());
    let events = events.collect::<Vec<_>>();
    assert_eq!(events[0], json!({"type": "content_block_stop", "index": 0}));
    assert_eq!((&events[1]["type"], &events[1]["delta"]["stop_reason"]), (&json!("message_delta"), &json!("max_tokens")));
    assert_eq!((&events[1]["usage"]["input_tokens"], events[1]["lab3"].is_object()), (&json!(25), true));
    assert_eq!(events[2..], [json!({"type": "message_stop"})]);
}

#[test]
fn a_failure_is_the_last_event() {
    let before = stream(&[&[START], &BLOCKS[..2]].concat());
    let out = MESSAGES.fail(&query(true, true), &before);
    let error = out.strip_prefix(&before).and_then(|rest| rest.strip_prefix("event: error\ndata: ")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(error).unwrap()["error"]["details"]["error_code"], failure().code);
}
