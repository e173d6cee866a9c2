//! Responses on their way to OpenAI, and as OpenAI streams them, in bytes cut at every size.

use lab3_compute::Usage;
use lab3_providers::dialect::openai_responses::OpenAiResponses;
use lab3_providers::dialect::{Back, Broken, Terms};
use lab3_providers::{Finish, Piece, Query};
use serde_json::{Value, json};

use crate::said::{start, text};
use crate::stream::{Read, read};

#[test]
fn bytes_go_on_but_for_what_the_desk_decides() {
    let terms = Terms { model: "m".to_owned(), output_tokens_max: 99 };
    let adapted = |body: &str| OpenAiResponses.adapt(body.as_bytes(), &terms, Some("sk-1")).unwrap().unwrap();
    let call = adapted(r#"{"model":"auto","input":[ 1.0 ],"service_tier":"priority","max_output_tokens":7,"tools":[]}"#);
    let expected =
        r#"{"model":"m","input":[ 1.0 ],"service_tier":"default","max_output_tokens":99,"tools":[],"stream":true,"store":false}"#;
    assert_eq!(String::from_utf8(call.body).unwrap(), expected);
    assert_eq!(call.path, "/responses");
    assert!(call.headers.contains(&("authorization", "Bearer sk-1".to_owned())));
    assert!(OpenAiResponses.write(&Query::default(), &terms, None).is_err());
    // Thoughts of other providers do not go on.
    let (mine, yours) = (r#"{"encrypted_content":"gAA","type":"reasoning"}"#, r#"{"encrypted_content":"anthropic:Eq","type":"reasoning"}"#);
    let said = r#"{"content":"gemini:","role":"user"}"#;
    let body = |input: &str| String::from_utf8(adapted(&format!(r#"{{"model":"m","input":[{input}]}}"#)).body).unwrap();
    assert!(body(&format!("{said},{yours},{mine}")).contains(&format!(r#""input":[{said},{mine}],"#)));
    assert!(body(&format!("{said}, {mine}")).contains(&format!(r#""input":[{said}, {mine}],"#)));
}

fn read_stream(events: &[Value]) -> Read {
    let events = events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()));
    read(&OpenAiResponses, &events.collect::<String>())
}

fn created() -> Value {
    json!({"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "model": "gpt-5", "output": [], "usage": null}})
}

#[test]
fn an_answer_of_openai_is_read() {
    let told = json!({"input_tokens": 20, "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 4},
        "output_tokens": 10, "output_tokens_details": {"reasoning_tokens": 6}, "total_tokens": 30});
    let searched = |action: &str| json!({"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": action}});
    let output = [searched("search"), searched("open_page"), json!({"type": "code_interpreter_call", "id": "ci"})];
    let stream = [
        created(),
        json!({"type": "response.in_progress", "response": {}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "rs", "type": "reasoning", "summary": []}}),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 0, "part": {"type": "summary_text", "text": ""}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "h", "obfuscation": "x"}),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 1, "part": {"type": "summary_text", "text": ""}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 1, "delta": "m"}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"id": "rs", "type": "reasoning", "encrypted_content": "gAA"}}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": {"id": "msg", "type": "message", "content": []}}),
        json!({"type": "response.content_part.added", "output_index": 1, "content_index": 0, "part": {"type": "output_text", "text": ""}}),
        json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "Grüße"}),
        json!({"type": "response.output_text.done", "output_index": 1, "content_index": 0, "text": "Grüße"}),
        json!({"type": "response.refusal.delta", "output_index": 1, "content_index": 1, "delta": "no"}),
        json!({"type": "response.some.event.of.tomorrow", "delta": {"x": 1}}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": output, "usage": told}}),
    ];
    let usage = Usage { input: 8, cache_read: 8, cache_write_5m: 4, output: 10, reasoning: 6, tool_runs: 2, ..Usage::default() };
    let thinking = |text: &str| Piece::Thinking(text.to_owned());
    let expected = vec![
        start("resp_1", "gpt-5"),
        thinking("h"),
        thinking("\n\n"),
        thinking("m"),
        Piece::Signature("gAA".to_owned()),
        text("Grüße"),
        Piece::Refusal("no".to_owned()),
        Piece::Finish(Finish::Stop),
        Piece::Usage(usage),
    ];
    assert_eq!(read_stream(&stream), (expected, Ok(()), true));
    let (pieces, result, is_done) = read_stream(&stream[..14]);
    assert_eq!((pieces.len(), result, is_done), (7, Ok(()), false));
}

#[test]
fn calls_of_openai_are_read() {
    let item = |id: &str, name: &str, arguments: &str| json!({"type": "function_call", "id": "fc", "call_id": id, "name": name, "arguments": arguments});
    let stream = [
        created(),
        json!({"type": "response.output_item.added", "output_index": 3, "item": item("x", "f", "")}),
        json!({"type": "response.output_item.added", "output_index": 4, "item": item("y", "g", "")}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 4, "delta": "{}"}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 3, "delta": "{\"a\":"}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 3, "delta": "1}"}),
        json!({"type": "response.function_call_arguments.done", "output_index": 3, "arguments": "{\"a\":1}"}),
        json!({"type": "response.output_item.done", "output_index": 3, "item": item("x", "f", "{\"a\":1}")}),
        json!({"type": "response.output_item.done", "output_index": 4, "item": item("y", "g", "{}")}),
        // Some come whole.
        json!({"type": "response.output_item.done", "output_index": 5, "item": item("z", "h", "[]")}),
        json!({"type": "response.completed", "response": {"status": "completed", "output": []}}),
    ];
    let call = |call: u32, id: &str, name: &str| Piece::ToolCall { call, id: id.to_owned(), name: name.to_owned() };
    let arguments = |call: u32, json: &str| Piece::Arguments { call, json: json.to_owned() };
    let expected = vec![
        start("resp_1", "gpt-5"),
        call(0, "x", "f"),
        call(1, "y", "g"),
        arguments(1, "{}"),
        arguments(0, "{\"a\":"),
        arguments(0, "1}"),
        call(2, "z", "h"),
        arguments(2, "[]"),
        Piece::Finish(Finish::ToolCalls),
    ];
    assert_eq!(read_stream(&stream), (expected, Ok(()), true));
}

#[test]
fn the_end_and_failures_are_read() {
    let used = json!({"input_tokens": 3, "output_tokens": 2, "total_tokens": 5});
    let usage = Piece::Usage(Usage { input: 3, output: 2, ..Usage::default() });
    let check = |reason: &str, expected: Finish| {
        let response = json!({"status": "incomplete", "incomplete_details": {"reason": reason}, "usage": used});
        let found = read_stream(&[created(), json!({"type": "response.incomplete", "response": response})]);
        assert_eq!(found, (vec![start("resp_1", "gpt-5"), Piece::Finish(expected), usage.clone()], Ok(()), true), "{reason}");
    };
    check("max_output_tokens", Finish::Length);
    check("content_filter", Finish::Filtered);
    let searched = json!({"usage": used, "output": [], "tool_usage": {"web_search": {"num_requests": 3}}});
    let (pieces, ..) = read_stream(&[json!({"type": "response.completed", "response": searched})]);
    assert_eq!(pieces[1], Piece::Usage(Usage { input: 3, output: 2, tool_runs: 3, ..Usage::default() }));
    let failed = json!({"status": "failed", "error": {"code": "server_error", "message": "overloaded"}, "usage": used});
    let overloaded = Err(Broken::Failed("overloaded".to_owned()));
    let found = read_stream(&[created(), json!({"type": "response.failed", "response": failed})]);
    assert_eq!(found, (vec![start("resp_1", "gpt-5"), usage], overloaded.clone(), false));
    for error in [json!({"type": "error", "message": "overloaded"}), json!({"type": "error", "error": {"message": "overloaded"}})] {
        assert_eq!(read_stream(&[created(), error]), (vec![start("resp_1", "gpt-5")], overloaded.clone(), false));
    }
    let mut reader = OpenAiResponses.reader();
    assert!(matches!(reader.read(b"data: {\"no\":\"type\"}\n\n", &mut Vec::new()), Err(Broken::Malformed(_))));
    assert_eq!(OpenAiResponses.error(br#"{"error":{"message":"bad"}}"#), "bad");
}
