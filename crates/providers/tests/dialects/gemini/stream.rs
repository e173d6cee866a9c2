//! Streams as Gemini's API sends them, in pieces of every size.

use lab3_compute::Usage;
use lab3_providers::dialect::gemini::Gemini;
use lab3_providers::dialect::{Back, Broken};
use lab3_providers::{Finish, Piece};

use crate::said::{start, text};
use crate::stream::{check_read, read_in};

fn check(stream: &str, expected: &[Piece], is_done: bool) {
    check_read(&Gemini, stream, expected, is_done);
}

fn check_broken(stream: &str, expected: &[Piece], broken: &Broken) {
    for size in 1..=stream.len() {
        let (pieces, outcome, _) = read_in(&Gemini, stream, size);
        assert_eq!((pieces.as_slice(), outcome.as_ref()), (expected, Err(broken)), "in pieces of {size}");
    }
}

fn used(input: u64, cache_read: u64, output: u64, reasoning: u64) -> Piece {
    Piece::Usage(Usage { input, cache_read, output, reasoning, ..Usage::default() })
}

#[test]
fn a_text_is_read_with_thoughts_and_what_was_used_so_far() {
    check(
        concat!(
            r#"data: {"candidates": [{"content": {"parts": [{"text": "**Weighing**","thought": true}],"role": "model"},"index": 0}],"#,
            r#""usageMetadata": {"promptTokenCount": 12,"totalTokenCount": 61,"thoughtsTokenCount": 49,"#,
            r#""promptTokensDetails": [{"modality": "TEXT","tokenCount": 12}]},"modelVersion": "gemini-2.5-flash","responseId": "kx-9_A"}"#,
            "\r\n\r\n",
            r#"data: {"candidates": [{"content": {"parts": [{"text": "Grüße, "}],"role": "model"},"index": 0}],"#,
            r#""usageMetadata": {"promptTokenCount": 12,"candidatesTokenCount": 3,"totalTokenCount": 64,"thoughtsTokenCount": 49},"#,
            r#""modelVersion": "gemini-2.5-flash","responseId": "kx-9_A"}"#,
            "\r\n\r\n",
            // A chunk that counts nothing takes nothing back.
            r#"data: {"candidates": [{"content": {"parts": [{"text": "Welt"}]},"index": 0}],"usageMetadata": {}}"#,
            "\r\n\r\n",
            r#"data: {"candidates": [{"content": {"parts": [{"text": ""}],"role": "model"},"finishReason": "STOP","index": 0}],"#,
            r#""usageMetadata": {"promptTokenCount": 12,"candidatesTokenCount": 5,"totalTokenCount": 66,"thoughtsTokenCount": 49},"#,
            r#""modelVersion": "gemini-2.5-flash","responseId": "kx-9_A"}"#,
            "\r\n\r\n",
        ),
        &[
            start("kx-9_A", "gemini-2.5-flash"),
            Piece::Thinking("**Weighing**".to_owned()),
            used(12, 0, 49, 49),
            text("Grüße, "),
            used(12, 0, 52, 49),
            text("Welt"),
            used(12, 0, 54, 49),
            Piece::Finish(Finish::Stop),
        ],
        true,
    );
}

#[test]
fn calls_are_read_whole_and_get_ids() {
    let expected = |id: &str, ids: [&str; 2]| {
        vec![
            start(id, ""),
            Piece::Signature("gemini:c2ln".to_owned()),
            Piece::ToolCall { call: 0, id: ids[0].to_owned(), name: "weather".to_owned() },
            Piece::Arguments { call: 0, json: r#"{"city": "Rome","n": 1.50}"#.to_owned() },
            Piece::ToolCall { call: 1, id: ids[1].to_owned(), name: "now".to_owned() },
            Piece::Arguments { call: 1, json: "{}".to_owned() },
            // The reason comes after the calls, in a chunk without content.
            used(5, 0, 9, 0),
            Piece::Finish(Finish::ToolCalls),
        ]
    };
    let stream = |id: &str, call_id: &str| {
        [
            r#"data: {"candidates": [{"content": {"parts": [{"functionCall": {CALL"name": "weather","args": {"city": "Rome","n": 1.50}},"#,
            r#""thoughtSignature": "c2ln"}]}}]ID}"#,
            "\n\n",
            r#"data: {"candidates": [{"content": {"parts": [{"functionCall": {"name": "now"},"thoughtSignature": "bW9yZQ=="}]}}]ID}"#,
            "\n\n",
            r#"data: {"candidates": [{"content": {"role": "model"},"finishReason": "STOP"}],"#,
            r#""usageMetadata": {"promptTokenCount": 5,"candidatesTokenCount": 9,"totalTokenCount": 14}ID}"#,
            "\n\n",
        ]
        .concat()
        .replace("ID}", &if id.is_empty() { "}".to_owned() } else { format!(r#","responseId": "{id}"}}"#) })
        .replace("CALL", &if call_id.is_empty() { String::new() } else { format!(r#""id": "{call_id}","#) })
    };
    check(&stream("", ""), &expected("", ["call_0", "call_1"]), true);
    // Ids differ from answer to answer, and stay short.
    check(&stream("aB-9_", ""), &expected("aB-9_", ["call_aB-9__0", "call_aB-9__1"]), true);
    let long = "x".repeat(90);
    let ids = [format!("call_{}_0", "x".repeat(24)), format!("call_{}_1", "x".repeat(24))];
    check(&stream(&long, ""), &expected(&long, [&ids[0], &ids[1]]), true);
    check(&stream("r", "given"), &expected("r", ["given", "call_r_1"]), true);
}

/// What a chunk's counts are.
fn check_usage(counts: &str, expected: Option<Usage>) {
    let stream = format!("data: {{\"candidates\": [{{\"finishReason\": \"STOP\"}}], \"usageMetadata\": {counts}}}\n\n");
    let (pieces, outcome, _) = read_in(&Gemini, &stream, stream.len());
    assert_eq!(outcome, Ok(()));
    let found = pieces.iter().find_map(|piece| if let Piece::Usage(usage) = piece { Some(*usage) } else { None });
    assert_eq!(found, expected, "{counts}");
}

#[test]
fn every_token_is_counted_once() {
    let usage = |input, cache_read, output, reasoning| Some(Usage { input, cache_read, output, reasoning, ..Usage::default() });
    // The cache is part of the prompt; thoughts are not part of the candidates.
    check_usage(
        r#"{"promptTokenCount": 2000, "cachedContentTokenCount": 1500, "candidatesTokenCount": 20, "thoughtsTokenCount": 30, "totalTokenCount": 2050}"#,
        usage(500, 1_500, 50, 30),
    );
    // What tools found is read beside the prompt.
    check_usage(
        r#"{"promptTokenCount": 10, "toolUsePromptTokenCount": 90, "candidatesTokenCount": 5, "totalTokenCount": 105}"#,
        usage(100, 0, 5, 0),
    );
    // Thoughts used all there was: no candidates, and no count of them.
    check_usage(r#"{"promptTokenCount": 9, "totalTokenCount": 309, "thoughtsTokenCount": 300}"#, usage(9, 0, 300, 300));
    check_usage(r#"{"promptTokenCount": 9, "totalTokenCount": 9}"#, usage(9, 0, 0, 0));
    check_usage(r#"{"promptTokenCount": 9}"#, usage(9, 0, 0, 0));
    // The candidates' count is missing, but the total has it.
    check_usage(r#"{"promptTokenCount": 9, "thoughtsTokenCount": 2, "totalTokenCount": 18}"#, usage(9, 0, 9, 2));
    // An explicit zero is one.
    check_usage(r#"{"promptTokenCount": 9, "candidatesTokenCount": 0, "totalTokenCount": 18}"#, usage(9, 0, 0, 0));
    check_usage(r#"{"promptTokenCount": 5, "cachedContentTokenCount": 7, "candidatesTokenCount": 1}"#, usage(0, 7, 1, 0));
    check_usage(r#"{"trafficType": "ON_DEMAND"}"#, None);
}

#[test]
fn an_answer_ends_for_its_reason() {
    for (reason, expected) in [
        ("STOP", Finish::Stop),
        ("MAX_TOKENS", Finish::Length),
        ("SAFETY", Finish::Filtered),
        ("RECITATION", Finish::Filtered),
        ("BLOCKLIST", Finish::Filtered),
        ("PROHIBITED_CONTENT", Finish::Filtered),
        ("SPII", Finish::Filtered),
        ("OTHER", Finish::Filtered),
        ("SOMETHING_NEW", Finish::Filtered),
    ] {
        let stream = format!("data: {{\"candidates\": [{{\"finishReason\": \"{reason}\"}}]}}\n\n");
        check(&stream, &[start("", ""), Piece::Finish(expected)], true);
    }
    // No reason yet: if the connection ends here, the answer was cut off.
    check("data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"a\"}]}}]}\n\n", &[start("", ""), text("a")], false);
    check("data: {\"candidates\": [{\"finishReason\": \"FINISH_REASON_UNSPECIFIED\", \"content\": {}}]}\n\n", &[start("", "")], false);
}

#[test]
fn a_blocked_query_is_filtered_and_still_read() {
    check(
        concat!(
            r#"data: {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},"#,
            r#""usageMetadata": {"promptTokenCount": 7,"totalTokenCount": 7},"modelVersion": "gemini-2.5-flash"}"#,
            "\n\n"
        ),
        &[start("", "gemini-2.5-flash"), used(7, 0, 0, 0), Piece::Finish(Finish::Filtered)],
        true,
    );
    check(
        concat!(
            r#"data: {"promptFeedback": {"safetyRatings": []}, "candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]}"#,
            "\n\n",
        ),
        &[start("", ""), text("a"), Piece::Finish(Finish::Stop)],
        true,
    );
}

#[test]
fn odd_streams_are_read() {
    // Comments, names, several lines of data, no last blank line, a trailing count, an end it does not need, other candidates.
    check(
        concat!(
            ": hello\nevent: chunk\nid: 1\nretry: 9\n",
            "data: {\"candidates\":\ndata: [{\"content\": {\"parts\": [{\"text\": \"a\"}]}, \"finishReason\": \"STOP\"},\n",
            "data:  {\"index\": 1, \"content\": {\"parts\": [{\"text\": \"other\"}]}}]}\n\n",
            "data: {\"candidates\": [{\"index\": 1, \"content\": {\"parts\": [{\"text\": \"other\"}]}, \"finishReason\": \"SAFETY\"}]}\r\r",
            "data: {\"candidates\": null, \"usageMetadata\": {\"promptTokenCount\": 1, \"candidatesTokenCount\": 2}}\n\n",
            "data: {\"candidates\": [{\"finishReason\": \"STOP\"}]}\n\n",
            "data: [DONE]\n",
        ),
        &[start("", ""), text("a"), Piece::Finish(Finish::Stop), used(1, 0, 2, 0)],
        true,
    );
    // Parts that have no place here are passed over.
    check(
        concat!(
            r#"data: {"candidates": [{"content": {"parts": [{"executableCode": {"language": "PYTHON", "code": "1"}}, {"inlineData": {"mimeType": "image/png", "data": "AA"}}, {"text": "b", "thoughtSignature": "c2ln"}]}}]}"#,
            "\n\n"
        ),
        &[start("", ""), text("b")],
        false,
    );
}

#[test]
fn a_failure_in_mid_stream_is_told() {
    let begun = "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"a\"}]}}]}\n\n";
    let overloaded = Broken::Failed("The model is overloaded.".to_owned());
    for error in [
        // As an event, as a list in an event, and as the plain JSON of an error, over several lines.
        "data: {\"error\": {\"code\": 503, \"message\": \"The model is overloaded.\", \"status\": \"UNAVAILABLE\"}}\n\n",
        "data: [{\"error\": {\"code\": 503, \"message\": \"The model is overloaded.\"}}]\n\n",
        "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"The model is overloaded.\",\n    \"details\": []\n  }\n}\n",
        "[{\r\n  \"error\": {\r\n    \"message\": \"The model is overloaded.\"\r\n  }\r\n}\r\n]\r\n",
    ] {
        check_broken(&[begun, error].concat(), &[start("", ""), text("a")], &overloaded);
    }
    // The answer is of no use, but it was made: what it used comes first.
    check_broken(
        concat!(
            r#"data: {"candidates": [{"content": {}, "finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "print(default_api.f("}],"#,
            r#""usageMetadata": {"promptTokenCount": 3,"thoughtsTokenCount": 4,"totalTokenCount": 7}}"#,
            "\n\n"
        ),
        &[start("", ""), used(3, 0, 4, 4)],
        &Broken::Failed("the answer cannot be used (MALFORMED_FUNCTION_CALL)".to_owned()),
    );
}

#[test]
fn what_is_no_stream_is_broken() {
    let broken = |stream: &str| {
        let (_, outcome, _) = read_in(&Gemini, stream, 7);
        assert!(matches!(outcome, Err(Broken::Malformed(_))), "{stream}: {outcome:?}");
    };
    broken("data: {\"candidates\": 7}\n\n");
    broken("data: {\"candidates\": [\n\n");
    broken("data: nonsense\n\n");
    broken(&"<p>An error page</p>\n".repeat(1_000));
    broken(&"[{\"candidates\": [{}]}\n,\n".repeat(1_000));
    let mut reader = Gemini.reader();
    assert!(matches!(reader.read(b"data: \xff\n\n", &mut Vec::new()), Err(Broken::Malformed(_))));
}

#[test]
fn an_error_says_what_was_wrong_and_no_key() {
    for (body, expected) in [
        (r#"{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": []}}"#, "API key not valid."),
        (r#"[{"error": {"code": 429, "message": "You exceeded your current quota."}}]"#, "You exceeded your current quota."),
        (r#"{"error": "down"}"#, "down"),
        (
            r#"{"error": {"message": "Permission denied: Consumer 'api_key:AIza-Sy_123' has been suspended."}}"#,
            "Permission denied: Consumer 'api_key:...' has been suspended.",
        ),
        ("upstream api_key:AIza and api_key:b is bad\n", "upstream api_key:... and api_key:... is bad"),
        ("<html><body>502</body></html>", "a page instead of a message"),
        ("", "no message"),
    ] {
        assert_eq!(Gemini.error(body.as_bytes()), expected);
    }
    assert_eq!(Gemini.error(&vec![b'x'; 9_999]).len(), 500);
}
