//! Chat Completions as servers really stream them, read into pieces, in bytes cut at every size.

use lab3_compute::Usage;
use lab3_providers::dialect::openai_chat::{Flavour, OpenAiChatBack};
use lab3_providers::dialect::{Back, Broken};
use lab3_providers::{Finish, Piece};

use crate::said::{arguments, call, start, text, thinking};
use crate::stream::{Read, check_read};

const BACK: OpenAiChatBack = OpenAiChatBack { flavour: Flavour::Compatible };

fn read(stream: &str) -> Read {
    crate::stream::read(&BACK, stream)
}

/// The stream gives these pieces, and came to its own end.
#[track_caller]
fn check(stream: &str, expected: &[Piece]) {
    check_read(&BACK, stream, expected, true);
}

/// One event for each of these.
fn events(data: &[&str]) -> String {
    data.iter().map(|data| format!("data: {data}\n\n")).collect::<Vec<_>>().concat()
}

/// A chunk with one choice.
fn chunk(delta: &str, finish: &str) -> String {
    format!(r#"{{"id":"c1","model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}"#)
}

/// A stream of deltas that stops.
fn deltas(deltas: &[&str]) -> String {
    let chunks = deltas.iter().map(|delta| format!("data: {}\n\n", chunk(delta, "null")));
    chunks.chain([format!("data: {}\n\ndata: [DONE]\n\n", chunk("{}", "\"stop\""))]).collect()
}

fn usage(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

#[test]
fn an_answer_of_openai() {
    let stream = events(&[
        r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5","service_tier":"default","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x"}"#,
        r#"{"id":"chatcmpl-1","model":"gpt-5","choices":[{"index":0,"delta":{"content":"Grüß"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        r#"{"id":"chatcmpl-1","model":"gpt-5","choices":[{"index":0,"delta":{"content":"e \ud83d\ude00"},"finish_reason":null}],"usage":null}"#,
        r#"{"id":"chatcmpl-1","model":"gpt-5","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
        r#"{"id":"chatcmpl-1","model":"gpt-5","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30,"prompt_tokens_details":{"cached_tokens":8,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":4,"audio_tokens":0}}}"#,
        "[DONE]",
    ]);
    let usage = Usage { input: 12, cache_read: 8, output: 10, reasoning: 4, ..Usage::default() };
    let start = Piece::Start { id: "chatcmpl-1".to_owned(), model: "gpt-5".to_owned() };
    check(&stream, &[start, text("Grüß"), text("e 😀"), Piece::Finish(Finish::Stop), Piece::Usage(usage)]);
}

#[test]
fn usage_hides_in_many_places() {
    let told = r#"{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}"#;
    let last = |finish: &str, choice: &str, rest: &str| {
        let choices = format!(r#""choices":[{{"index":0,"delta":{{}},"finish_reason":{finish}{choice}}}]"#);
        events(&[&format!(r#"{{"id":"c1","model":"m",{choices}{rest}}}"#)])
    };
    let expected = [start("c1", "m"), Piece::Finish(Finish::Stop), Piece::Usage(usage(3, 2))];
    // Beside the last choice (Mistral, Together), in it (Moonshot), in Groq's own field.
    check(&last("\"stop\"", "", &format!(r#","usage":{told}"#)), &expected);
    check(&last("\"stop\"", &format!(r#","usage":{told}"#), ""), &expected);
    check(&last("\"stop\"", "", &format!(r#","x_groq":{{"id":"r","usage":{told}}}"#)), &expected);
    // Nowhere.
    check(&last("\"stop\"", "", r#","usage":null"#), &expected[..2]);
    check(&last("\"stop\"", "", ""), &expected[..2]);
    check(&last("\"stop\"", "", r#","usage":{}"#), &expected[..2]);
    // In every chunk, growing: the last counts.
    let grows = |tokens: u64, delta: &str, finish: &str| {
        let usage = format!(r#"{{"prompt_tokens":3,"completion_tokens":{tokens},"total_tokens":{}}}"#, tokens + 3);
        format!(r#"{{"id":"c1","model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}],"usage":{usage}}}"#)
    };
    let stream = events(&[&grows(0, "{}", "null"), &grows(1, r#"{"content":"a"}"#, "null"), &grows(2, "{}", "\"length\"")]);
    let used = |output| Piece::Usage(usage(3, output));
    check(&stream, &[start("c1", "m"), used(0), text("a"), used(1), Piece::Finish(Finish::Length), used(2)]);
}

#[test]
fn usage_is_told_in_many_ways() {
    let check = |told: &str, expected: Option<Usage>| {
        let stream = events(&[&chunk("{}", "\"stop\""), &format!(r#"{{"choices":[],"usage":{told}}}"#), "[DONE]"]);
        let (pieces, ..) = read(&stream);
        let found = pieces.iter().find_map(|piece| if let Piece::Usage(usage) = piece { Some(*usage) } else { None });
        assert_eq!(found, expected, "{told}");
    };
    check(r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#, Some(usage(0, 0)));
    check(r#"{"prompt_tokens":7,"completion_tokens":0}"#, Some(usage(7, 0)));
    check(r#"{"prompt_tokens":7.0,"completion_tokens":2.0}"#, Some(usage(7, 2)));
    check(r#"{"prompt_tokens":7,"total_tokens":9}"#, Some(usage(7, 2)));
    check(r#"{"completion_tokens":2,"total_tokens":9}"#, Some(usage(7, 2)));
    check(r#"{"prompt_tokens":7}"#, None);
    check(r#"{"prompt_tokens":-1,"completion_tokens":2}"#, None);
    check(r#"{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":null,"completion_tokens_details":null}"#, Some(usage(7, 2)));
    // DeepSeek's own fields, Moonshot's; a server that counts more cached tokens than there are.
    let cached = |cached: u64| Some(Usage { cache_read: cached, ..usage(10 - cached, 2) });
    check(r#"{"prompt_tokens":10,"completion_tokens":2,"prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":4}"#, cached(6));
    check(r#"{"prompt_tokens":10,"completion_tokens":2,"cached_tokens":6}"#, cached(6));
    check(r#"{"prompt_tokens":10,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":11}}"#, cached(10));
    check(
        r#"{"prompt_tokens":10,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":0},"prompt_cache_hit_tokens":6}"#,
        cached(0),
    );
    // Written to the cache, which newer models of OpenAI charge for.
    let written = Usage { cache_read: 3, cache_write_5m: 5, ..usage(2, 2) };
    let told = r#"{"prompt_tokens":10,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":5}}"#;
    check(told, Some(written));
    // Thoughts that are not in completion_tokens: xAI's, Gemini's.
    let thoughts = Some(Usage { reasoning: 5, ..usage(3, 7) });
    let details = r#""completion_tokens_details":{"reasoning_tokens":5}"#;
    check(&format!(r#"{{"prompt_tokens":3,"completion_tokens":2,"total_tokens":10,{details}}}"#), thoughts);
    check(r#"{"prompt_tokens":3,"completion_tokens":2,"total_tokens":10}"#, thoughts);
    check(&format!(r#"{{"prompt_tokens":3,"completion_tokens":7,"total_tokens":10,{details}}}"#), thoughts);
    let too_many = Some(Usage { reasoning: 2, ..usage(3, 2) });
    check(&format!(r#"{{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,{details}}}"#), too_many);
    // Sources searched.
    let searched = Some(Usage { tool_runs: 4, ..usage(3, 2) });
    check(r#"{"prompt_tokens":3,"completion_tokens":2,"num_sources_used":4}"#, searched);
    check(r#"{"prompt_tokens":18446744073709551615,"completion_tokens":2,"total_tokens":1}"#, Some(usage(u64::MAX, 2)));
}

#[test]
fn the_end_has_many_names() {
    let check = |reason: &str, expected: Finish| {
        check(&events(&[&chunk("{}", &format!("\"{reason}\""))]), &[start("c1", "m"), Piece::Finish(expected)]);
    };
    check("stop", Finish::Stop);
    check("length", Finish::Length);
    check("tool_calls", Finish::ToolCalls);
    check("function_call", Finish::ToolCalls);
    check("content_filter", Finish::Filtered);
    check("eos_token", Finish::Stop);
    check("model_length", Finish::Length);
    // An empty reason is none.
    let stream = events(&[&chunk(r#"{"content":"a"}"#, "\"\""), &chunk("{}", "\"stop\"")]);
    self::check(&stream, &[start("c1", "m"), text("a"), Piece::Finish(Finish::Stop)]);
}

#[test]
fn a_stream_that_does_not_come_to_its_end_was_cut() {
    let stream = events(&[&chunk(r#"{"content":"a"}"#, "null")]);
    assert_eq!(read(&stream), (vec![start("c1", "m"), text("a")], Ok(()), false));
    assert_eq!(read("data: [DONE]\n\n"), (vec![], Ok(()), true));
    // What comes after the end is not looked at.
    assert_eq!(read("data: [DONE]\n\ndata: {\"choices\":\n\n"), (vec![], Ok(()), true));
}

#[test]
fn events_that_are_not_of_the_answer() {
    // Comments, a first chunk about the query alone (Azure), other lines of events, other choices of the same query.
    let azure = r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}"#;
    let other = r#"{"id":"c1","model":"m","choices":[{"index":1,"delta":{"content":"not this"},"finish_reason":"length"}]}"#;
    let this = chunk(r#"{"content":"this"}"#, "\"stop\"");
    let stream = format!(": OPENROUTER PROCESSING\n\ndata: {azure}\n\nid: 3\r\ndata: {other}\r\n\r\ndata:{this}\n\ndata: [DONE]\n\n");
    check(&stream, &[start("c1", "m"), text("this"), Piece::Finish(Finish::Stop)]);
    // Chunks without what chunks have.
    let bare = r#"{"choices":[{"delta":null},{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":null}}]}"#;
    let nameless = Piece::Start { id: String::new(), model: String::new() };
    check(&events(&[bare, "[DONE]"]), &[nameless]);
    check(&events(&[r#"{"id":7,"model":null,"choices":null,"error":null}"#, r#"{"error":{},"choices":[]}"#, "", "[DONE]"]), &[]);
}

#[test]
fn thoughts_and_refusals_are_told_apart() {
    let stream = deltas(&[
        r#"{"role":"assistant","content":null,"reasoning_content":"hm"}"#,
        r#"{"content":"","reasoning":"so","reasoning_content":"so"}"#,
        r#"{"content":"a","reasoning":""}"#,
        r#"{"refusal":"no"}"#,
    ]);
    let stop = Piece::Finish(Finish::Stop);
    check(&stream, &[start("c1", "m"), thinking("hm"), thinking("so"), text("a"), Piece::Refusal("no".to_owned()), stop.clone()]);
    check(&deltas(&[r#"{"reasoning":"hm"}"#]), &[start("c1", "m"), thinking("hm"), stop.clone()]);
    let parts = r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"}]}"#;
    check(&deltas(&[parts]), &[start("c1", "m"), thinking("hm"), text("a"), stop]);
}

#[test]
fn calls_are_told_apart_however_they_are_numbered() {
    let check = |parts: &[&str], expected: &[Piece]| {
        let found: Vec<String> = parts.iter().map(|parts| format!(r#"{{"tool_calls":[{parts}]}}"#)).collect();
        let stream = deltas(&found.iter().map(String::as_str).collect::<Vec<_>>());
        let all = [&[start("c1", "m")], expected, &[Piece::Finish(Finish::ToolCalls)]].concat();
        check(&stream, &all);
    };
    let two = [call(0, "a", "f"), arguments(0, "{\"x\":"), arguments(0, "1}"), call(1, "b", "g"), arguments(1, "{}")];
    let a = r#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#;
    let a1 = r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#;
    let a2 = r#"{"index":0,"function":{"arguments":"1}"}}"#;
    let b = r#"{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}"#;
    // As OpenAI has it; two parts in one chunk; parts mixed.
    check(&[a, a1, a2, b], &two);
    check(&[&format!("{a},{a1}"), &format!("{a2},{b}")], &two);
    check(&[a, b, a1, a2], &[call(0, "a", "f"), call(1, "b", "g"), arguments(1, "{}"), arguments(0, "{\"x\":"), arguments(0, "1}")]);
    // Name and id in every part.
    let again = |json: &str| format!(r#"{{"index":0,"id":"a","function":{{"name":"f","arguments":{json:?}}}}}"#);
    check(&[&again("{\"x\":"), &again("1}"), b], &two);
    // An id made up for each part.
    let made_up = r#"{"index":0,"id":"zz","function":{"arguments":"1}"}}"#;
    check(&[a, a1, made_up, b], &two);
    // The same index for each call: Gemini, Ollama.
    let whole =
        r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}"#;
    check(&[whole], &[call(0, "a", "f"), arguments(0, "{}"), call(1, "b", "f"), arguments(1, "{}")]);
    // No index: with ids, with names alone, with names in every part.
    let bare = |id: &str, name: &str, json: &str| {
        let id = if id.is_empty() { String::new() } else { format!("\"id\":{id:?},") };
        let name = if name.is_empty() { String::new() } else { format!("\"name\":{name:?},") };
        format!(r#"{{{id}"function":{{{name}"arguments":{json:?}}}}}"#)
    };
    check(&[&bare("a", "f", "{\"x\":"), &bare("a", "", "1}"), &bare("b", "g", "{}")], &two);
    check(&[&bare("a", "f", "{\"x\":"), &bare("", "", "1}"), &bare("b", "g", "{}")], &two);
    let same = [call(0, "", "f"), arguments(0, "{}"), call(1, "", "f"), arguments(1, "{\"x\":"), arguments(1, "1}")];
    check(&[&bare("", "f", "{}"), &bare("", "f", "{\"x\":"), &bare("", "f", "1}")], &same);
    // The name comes late; arguments are no string.
    let late = [r#"{"index":0,"id":"a"}"#, a1, r#"{"index":0,"function":{"name":"f","arguments":"1}"}}"#, b];
    check(&late, &two);
    let object = r#"{"index":0,"id":"a","function":{"name":"f","arguments":{"x": 1}}}"#;
    check(&[object], &[call(0, "a", "f"), arguments(0, "{\"x\": 1}")]);
    check(&[r#"{"index":0,"id":"a","function":{"name":"f","arguments":null}}"#], &[call(0, "a", "f")]);
}

#[test]
fn functions_as_of_old() {
    let stream = events(&[
        &chunk(r#"{"content":null,"function_call":{"name":"f","arguments":""}}"#, "null"),
        &chunk(r#"{"function_call":{"arguments":"{}"}}"#, "null"),
        &chunk("{}", "\"function_call\""),
    ]);
    check(&stream, &[start("c1", "m"), call(0, "", "f"), arguments(0, "{}"), Piece::Finish(Finish::ToolCalls)]);
}

#[test]
fn failures_in_mid_stream_keep_what_came() {
    let begun = chunk(r#"{"content":"a"}"#, "null");
    let check = |event: &str, message: &str| {
        let (pieces, result, is_done) = read(&format!("data: {begun}\n\n{event}\n\n"));
        assert_eq!((pieces, is_done), (vec![start("c1", "m"), text("a")], false), "{event}");
        assert_eq!(result, Err(Broken::Failed(message.to_owned())), "{event}");
    };
    check(r#"data: {"error":{"message":"overloaded","type":"server_error","code":null}}"#, "overloaded");
    check(r#"data: {"error":"overloaded"}"#, "overloaded");
    check("event: error\ndata: {\"message\":\"overloaded\"}", "overloaded");
    check(r#"data: {"object":"error","message":"overloaded","type":"BadRequestError","code":400}"#, "overloaded");
    check(r#"data: {"error":{"code":502}}"#, "it did not say why");
    let openrouter =
        r#"{"id":"c1","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"overloaded"}}"#;
    let (_, result, _) = read(&format!("data: {openrouter}\n\n"));
    assert_eq!(result, Err(Broken::Failed("overloaded".to_owned())));
    let deepseek = r#"{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    let (pieces, result, is_done) = read(&format!("data: {deepseek}\n\n"));
    assert_eq!(pieces.last(), Some(&Piece::Usage(usage(3, 2))));
    assert!(matches!(result, Err(Broken::Failed(_))) && !is_done);
    for broken in ["data: {\"choices\":\n\n", "data: <html>\n\n", "data: []\n\n", "data: {\"choices\":7}\n\n"] {
        assert!(matches!(read(broken).1, Err(Broken::Malformed(_))), "{broken}");
    }
    let mut reader = BACK.reader();
    assert!(matches!(reader.read(b"data: \xff\n\n", &mut Vec::new()), Err(Broken::Malformed(_))));
}

#[test]
fn errors_say_what_the_provider_said() {
    let check = |body: &str, expected: &str| assert_eq!(BACK.error(body.as_bytes()), expected, "{body}");
    check(
        r#"{"error":{"message":"Incorrect API key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
        "Incorrect API key",
    );
    check(r#"{"error":"model not found"}"#, "model not found");
    check(r#"{"object":"error","message":"too long","code":400}"#, "too long");
    check(r#"{"detail":"Not Found"}"#, "Not Found");
    check(r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#, "field required");
    check(r#"[{"error":{"code":400,"message":"bad"}}]"#, "bad");
    check("upstream connect error\n", "upstream connect error");
    check("", "it did not say why");
    check("{}", "it did not say why");
    check(&"ü".repeat(400), &"ü".repeat(250));
}
