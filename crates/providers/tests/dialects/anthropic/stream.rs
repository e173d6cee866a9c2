//! Streams of Anthropic's Messages API, as the API and servers that resemble it send them, in pieces of every size.

use lab3_compute::Usage;
use lab3_providers::dialect::anthropic::Anthropic;
use lab3_providers::dialect::{Back, Broken};
use lab3_providers::{Finish, Piece};

use crate::said::{arguments, call, start, text};
use crate::stream::{check_read, read, read_in};

/// An event with its name, as the API sends it.
fn event(data: &str) -> String {
    let kind = serde_json::from_str::<serde_json::Value>(data).unwrap()["type"].as_str().unwrap().to_owned();
    format!("event: {kind}\ndata: {data}\n\n")
}

fn events(data: &[&str]) -> String {
    data.iter().map(|data| event(data)).collect()
}

#[track_caller]
fn check(stream: &str, expected: &[Piece]) {
    check_read(&Anthropic, stream, expected, true);
}

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1}}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

fn started(output: u64) -> [Piece; 2] {
    [start("msg_1", "claude-opus-5"), Piece::Usage(Usage { input: 25, output, ..Usage::default() })]
}

/// The pieces between the beginning with 25 tokens and an end with `output` ones.
#[track_caller]
fn check_message(blocks: &[&str], delta: &str, expected: &[Piece], finish: Finish, output: u64) {
    let delta = format!(r#"{{"type":"message_delta","delta":{delta},"usage":{{"output_tokens":{output}}}}}"#);
    let stream = [&[START], blocks, &[delta.as_str(), STOP]].concat();
    let end = [Piece::Finish(finish), Piece::Usage(Usage { input: 25, output, ..Usage::default() })];
    check(&events(&stream), &[&started(1), expected, end.as_slice()].concat());
}

#[test]
fn text_is_read() {
    check_message(
        &[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" – \u00e9\n!"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"char_location","cited_text":"a"}}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
        ],
        r#"{"stop_reason":"end_turn","stop_sequence":null}"#,
        &[text("Hello"), text(" – é\n!")],
        Finish::Stop,
        15,
    );
}

#[test]
fn thoughts_and_calls_are_read() {
    check_message(
        &[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"EmwK"}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"look","input":{}}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"at\": \"S"}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"F\"}"}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_2","name":"now","input":{}}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_stop","index":3}"#,
        ],
        r#"{"stop_reason":"tool_use"}"#,
        &[
            Piece::Thinking("Hm.".to_owned()),
            Piece::Signature("anthropic:EqQB".to_owned()),
            call(0, "toolu_1", "look"),
            arguments(0, "{\"at\": \"S"),
            arguments(0, "F\"}"),
            call(1, "toolu_2", "now"),
            arguments(1, "{}"),
        ],
        Finish::ToolCalls,
        89,
    );
}

/// Servers that only resemble the API give all at the beginning of a block, forget to end it, and mix blocks.
#[test]
fn blocks_of_other_makes_are_read() {
    check_message(
        &[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"Hm.","signature":"sig"}}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"Hi","citations":null}}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"a","name":"one","input":{"b":[1]}}}"#,
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","name":"two","input":{"never":"counts"}}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
            r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"c","name":"three"}}"#,
            r#"{"type":"content_block_start","index":5,"content_block":{"type":"unheard_of","text":{"y":1}}}"#,
            r#"{"type":"content_block_delta","index":5,"delta":{"type":"unheard_of_delta","text":{"a":1}}}"#,
            r#"{"type":"unheard_of_event","index":5,"message":"b"}"#,
        ],
        r#"{"stop_reason":"tool_use"}"#,
        &[
            Piece::Thinking("Hm.".to_owned()),
            Piece::Signature("anthropic:sig".to_owned()),
            text("Hi"),
            call(0, "a", "one"),
            call(1, "", "two"),
            arguments(1, "{}"),
            call(2, "c", "three"),
            arguments(0, r#"{"b":[1]}"#),
            arguments(2, "{}"),
        ],
        Finish::ToolCalls,
        7,
    );
}

#[test]
fn tools_of_the_provider_are_no_calls_but_runs() {
    let stream = events(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"query\":\"a\"}"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","title":"A"}]}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Found."}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"pause_turn","stop_sequence":null},"usage":{"input_tokens":10682,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":510,"server_tool_use":{"web_search_requests":2,"web_fetch_requests":1}}}"#,
        STOP,
    ]);
    let usage = Usage { input: 10_682, output: 510, tool_runs: 2, ..Usage::default() };
    check(&stream, &[&started(1), [text("Found."), Piece::Finish(Finish::Paused), Piece::Usage(usage)].as_slice()].concat());
}

#[test]
fn every_ending_is_understood() {
    let endings = [
        (r#"{"stop_reason":"end_turn"}"#, Finish::Stop),
        (r#"{"stop_reason":"stop_sequence","stop_sequence":"END"}"#, Finish::StopText("END".to_owned())),
        (r#"{"stop_reason":"stop_sequence","stop_sequence":null}"#, Finish::Stop),
        (r#"{"stop_reason":"max_tokens"}"#, Finish::Length),
        (r#"{"stop_reason":"model_context_window_exceeded"}"#, Finish::Length),
        (r#"{"stop_reason":"refusal","stop_details":null}"#, Finish::Filtered),
        (r#"{"stop_reason":"pause_turn"}"#, Finish::Paused),
        (r#"{"stop_reason":"not_yet_known","container":{"id":"c"}}"#, Finish::Stop),
    ];
    for (delta, finish) in endings {
        check_message(&[], delta, &[], finish, 3);
    }
    check_message(
        &[],
        r#"{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"bio","explanation":"No."}}"#,
        &[Piece::Refusal("No.".to_owned())],
        Finish::Filtered,
        3,
    );
}

/// The usages told by a stream whose beginning and ends say this.
#[track_caller]
fn check_usage(start: &str, ends: &[&str], expected: &[Usage]) {
    let start = format!(r#"{{"type":"message_start","message":{{"id":"m","model":"c","usage":{start}}}}}"#);
    let ends = ends.iter().map(|usage| format!(r#"{{"type":"message_delta","delta":{{}},"usage":{usage}}}"#)).collect::<Vec<_>>();
    let stream = [&[start.as_str()], ends.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), &[STOP]].concat();
    let (pieces, ..) = read(&Anthropic, &events(&stream));
    let usages = pieces.iter().filter_map(|piece| if let Piece::Usage(usage) = piece { Some(*usage) } else { None }).collect::<Vec<_>>();
    assert_eq!(usages, expected);
}

#[test]
fn usage_counts_from_the_start() {
    let usage = |input, cache_read, cache_write_5m, cache_write_1h, output| Usage {
        input,
        cache_read,
        cache_write_5m,
        cache_write_1h,
        output,
        ..Usage::default()
    };
    // As the API tells it: all at the beginning, the answer's tokens at the end.
    check_usage(
        r#"{"input_tokens":2095,"cache_creation_input_tokens":2051,"cache_read_input_tokens":4096,"cache_creation":{"ephemeral_5m_input_tokens":1051,"ephemeral_1h_input_tokens":1000},"output_tokens":8,"service_tier":"standard"}"#,
        &[r#"{"output_tokens":503}"#],
        &[usage(2095, 4096, 1051, 1000, 8), usage(2095, 4096, 1051, 1000, 503)],
    );
    // And all of it again at the end, which is not added.
    check_usage(
        r#"{"input_tokens":2095,"cache_creation_input_tokens":2051,"cache_read_input_tokens":4096,"cache_creation":{"ephemeral_5m_input_tokens":1051,"ephemeral_1h_input_tokens":1000},"output_tokens":8}"#,
        &[
            r#"{"input_tokens":2095,"cache_creation_input_tokens":2051,"cache_read_input_tokens":4096,"output_tokens":503,"output_tokens_details":{"thinking_tokens":300}}"#,
        ],
        &[usage(2095, 4096, 1051, 1000, 8), Usage { reasoning: 300, ..usage(2095, 4096, 1051, 1000, 503) }],
    );
    // More than one end: each counts from the start.
    check_usage(
        r#"{"input_tokens":10,"output_tokens":1}"#,
        &[r#"{"output_tokens":20}"#, r#"{"input_tokens":500,"output_tokens":45,"server_tool_use":{"web_search_requests":1}}"#],
        &[usage(10, 0, 0, 0, 1), usage(10, 0, 0, 0, 20), Usage { tool_runs: 1, ..usage(500, 0, 0, 0, 45) }],
    );
    // Servers that know nothing at the beginning, and servers that know nothing at the end.
    check_usage(
        r#"{"input_tokens":0,"output_tokens":0}"#,
        &[r#"{"input_tokens":14,"output_tokens":3,"cache_read_input_tokens":6}"#],
        &[usage(0, 0, 0, 0, 0), usage(14, 6, 0, 0, 3)],
    );
    check_usage(
        r#"{"input_tokens":14,"cache_read_input_tokens":6,"output_tokens":0}"#,
        &[r#"{"input_tokens":0,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"output_tokens":3}"#],
        &[usage(14, 6, 0, 0, 0), usage(14, 6, 0, 0, 3)],
    );
    // Tokens found in the cache after all are not read at the full price, too.
    check_usage(
        r#"{"input_tokens":1000,"output_tokens":0}"#,
        &[r#"{"input_tokens":100,"cache_read_input_tokens":900,"output_tokens":3}"#],
        &[usage(1000, 0, 0, 0, 0), usage(100, 900, 0, 0, 3)],
    );
    // Everything was read from the cache.
    check_usage(r#"{"input_tokens":0,"cache_read_input_tokens":90,"output_tokens":1}"#, &[], &[usage(0, 90, 0, 0, 1)]);
}

#[test]
fn the_time_of_cached_tokens_is_kept() {
    let written = |cache_write_5m, cache_write_1h| Usage { input: 1, cache_write_5m, cache_write_1h, output: 1, ..Usage::default() };
    let written_first = [
        (r#""cache_creation_input_tokens":70"#, (70, 0)),
        (r#""cache_creation":{"ephemeral_5m_input_tokens":30,"ephemeral_1h_input_tokens":40}"#, (30, 40)),
        (r#""cache_creation_input_tokens":70,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":70}"#, (0, 70)),
        (r#""cache_creation_input_tokens":70,"cache_creation":null"#, (70, 0)),
        (r#""cache_creation_input_tokens":70,"cache_creation":{"ephemeral_1h_input_tokens":20}"#, (50, 20)),
    ];
    for (first, (short, long)) in written_first {
        check_usage(&format!(r#"{{"input_tokens":1,"output_tokens":1,{first}}}"#), &[], &[written(short, long)]);
    }
    // What was written later is written for as long as the rest.
    let all_long =
        r#"{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":70,"cache_creation":{"ephemeral_1h_input_tokens":70}}"#;
    let more = r#"{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":100}"#;
    check_usage(all_long, &[more], &[written(0, 70), written(0, 100)]);
    let mixed = r#"{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":70,"cache_creation":{"ephemeral_1h_input_tokens":30,"ephemeral_5m_input_tokens":40}}"#;
    check_usage(mixed, &[more], &[written(40, 30), written(70, 30)]);
}

#[test]
fn numbers_that_are_none_are_passed_over() {
    let usage = Usage { input: 9, output: 2, ..Usage::default() };
    let odd =
        r#"{"input_tokens":-1,"output_tokens":null,"cache_read_input_tokens":1.5,"output_tokens_details":null,"server_tool_use":null}"#;
    check_usage(r#"{"input_tokens":9,"output_tokens":2}"#, &[odd], &[usage, usage]);
    // Thoughts are part of the answer.
    let thoughts = Usage { reasoning: 2, ..usage };
    check_usage(r#"{"input_tokens":9,"output_tokens":2,"output_tokens_details":{"thinking_tokens":50}}"#, &[], &[thoughts]);
}

#[test]
fn streams_without_names_or_with_other_line_ends_are_read() {
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#;
    let end = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#;
    let expected = [&started(1), [text("Hi"), Piece::Finish(Finish::Stop)].as_slice()].concat();
    check(&format!("data: {START}\n\ndata: {delta}\n\ndata: {end}\n\ndata: {STOP}\n\ndata: [DONE]\n\n"), &expected);
    check(
        &format!(
            ": hello\r\n\r\nevent: ping\r\ndata: \r\n\r\ndata:{START}\r\n\r\ndata:{delta}\r\n\r\ndata:{end}\r\n\r\ndata:{STOP}\r\n\r\n"
        ),
        &expected,
    );
    // A second beginning is none, and nothing counts after the end.
    check(&events(&[START, START, delta, end, STOP, delta]), &expected);
}

#[test]
fn a_cut_stream_is_not_done() {
    let stream = events(&[START, r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#]);
    let (pieces, result, done) = read(&Anthropic, &stream);
    assert_eq!((pieces.len(), done, result), (3, false, Ok(())));
    let (pieces, _, done) = read(&Anthropic, &format!("{stream}event: message_stop\ndata: {STOP}\n"));
    assert_eq!((pieces.len(), done), (3, false));
}

#[test]
fn errors_in_mid_stream_are_told() {
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#;
    let failures = [
        (r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, "overloaded_error: Overloaded"),
        (r#"{"type":"error","error":{"message":"Out of memory"},"request_id":"req_1"}"#, "Out of memory"),
        (r#"{"type":"error"}"#, "no reason was given"),
    ];
    for (error, reason) in failures {
        let stream = events(&[START, delta, error, delta]);
        for size in [1, 10, stream.len()] {
            let (pieces, result, done) = read_in(&Anthropic, &stream, size);
            assert_eq!((pieces.len(), done, result), (3, false, Err(Broken::Failed(reason.to_owned()))));
        }
    }
    for broken in
        ["data: {\"type\":\n\n", "data: nonsense\n\n", "data: {\"type\":5}\n\n", "data: {\"type\":\"content_block_delta\",\"delta\":7}\n\n"]
    {
        assert!(matches!(read_in(&Anthropic, broken, 100).1, Err(Broken::Malformed(_))), "{broken}");
    }
}

#[test]
fn a_refusal_of_the_provider_is_told_in_a_sentence() {
    let errors = [
        (
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: 5 is too many"},"request_id":"req_1"}"#,
            "invalid_request_error: max_tokens: 5 is too many",
        ),
        (r#"{"error":{"message":"no"}}"#, "no"),
        (r#"{"error":"model not found"}"#, "model not found"),
        (r#"{"message":"Unauthorized"}"#, "Unauthorized"),
        (r#"{"detail":"Not Found"}"#, "Not Found"),
        ("<html>\n  <h1>502 Bad Gateway</h1></html>", "<html> <h1>502 Bad Gateway</h1></html>"),
        ("", "no reason was given"),
    ];
    for (body, expected) in errors {
        assert_eq!(Anthropic.error(body.as_bytes()), expected);
    }
    assert_eq!(Anthropic.error("é".repeat(1000).as_bytes()).chars().count(), 200);
}
