//! The lines of Ollama's servers, in pieces of every size.

use lab3_compute::Usage;
use lab3_providers::dialect::ollama::OllamaChat;
use lab3_providers::dialect::{Back, Broken};
use lab3_providers::{Finish, Piece};

use crate::said::{start, text};
use crate::stream::{check_read, read_in};

fn check(stream: &str, expected: &[Piece], is_done: bool) {
    check_read(&OllamaChat, stream, expected, is_done);
}

/// What was used, as lines tell it.
pub fn used(input: u64, cache_read: u64, output: u64) -> Piece {
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
        &[start("", "qwen3"), Piece::Thinking("Hm. ".to_owned()), text("Grüße"), used(20, 9, 3), Piece::Finish(Finish::Stop)],
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
            start("", ""),
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
    let (pieces, outcome, _) = read_in(&OllamaChat, &stream, stream.len());
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
        check(&stream, &[start("", ""), text("a"), Piece::Finish(expected)], true);
    }
    check("{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"done\":fal", &[start("", ""), text("a")], false);
}

#[test]
fn the_last_line_needs_no_end() {
    let line = r#"{"model":"m","message":{"role":"assistant","content":"Hi"},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":1}"#;
    let (mut reader, mut pieces) = (OllamaChat.reader(), Vec::new());
    reader.read(line.as_bytes(), &mut pieces).unwrap();
    assert_eq!((pieces.as_slice(), reader.is_done()), (&[][..], false));
    reader.end(&mut pieces).unwrap();
    assert_eq!((pieces, reader.is_done()), (vec![start("", "m"), text("Hi"), used(3, 0, 1), Piece::Finish(Finish::Stop)], true));
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
            let (pieces, outcome, done) = read_in(&OllamaChat, &stream, size);
            assert_eq!((pieces, outcome, done), (vec![start("", ""), text("a")], Err(Broken::Failed(expected.to_owned())), false));
        }
    }
    for stream in ["<html>\n", "{\"message\":7}\n", "data: {}\n", "{\"eval_count\":-1}\n"] {
        assert!(matches!(read_in(&OllamaChat, stream, 3).1, Err(Broken::Malformed(_))), "{stream}");
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
