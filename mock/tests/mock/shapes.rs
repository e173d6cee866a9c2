//! Each dialect's shape, event by event.

use lab3_mock::Mock;
use serde_json::{Value, json};

use crate::client::{get, post};
use crate::dialects::{Anthropic, Chat, Dialect, Gemini, OllamaChat, OllamaGenerate, Responses};

/// The stream's events, each as the value at that place.
fn places(dialect: Dialect, script: &str, limit: u64, place: &str) -> Vec<String> {
    let mock = Mock::start().unwrap();
    let events = dialect.ask(&mock, script, true, limit).events();
    let named = |event: &Value| event.pointer(place).unwrap_or(&Value::Null).to_string().replace('"', "");
    let mut runs = Vec::<(String, u32)>::new();
    for name in events.iter().map(named) {
        match runs.last_mut() {
            Some((last, times)) if *last == name => *times += 1,
            _ => runs.push((name, 1)),
        }
    }
    runs.into_iter().map(|(name, times)| if times == 1 { name } else { format!("{name} x{times}") }).collect()
}

/// The object has these fields, and those named are so.
fn check(found: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&found[name], value, "{name} of {found}");
    }
}

#[test]
fn openai_chat() {
    let mock = Mock::start().unwrap();
    let reply = Chat.ask(&mock, "mock;tokens=2", true, 9);
    assert!(reply.head.contains("content-type: text/event-stream"), "{}", reply.head);
    assert!(reply.text().ends_with("data: [DONE]\n\n"), "{}", reply.text());
    let events = reply.events();
    assert_eq!(events.len(), 5);
    for event in &events {
        check(event, &json!({ "id": events[0]["id"], "object": "chat.completion.chunk", "model": "mock;tokens=2" }));
    }
    assert_eq!(
        events[0]["choices"],
        json!([{
            "index": 0, "delta": { "role": "assistant", "content": "", "refusal": null }, "logprobs": null, "finish_reason": null
        }])
    );
    assert_eq!(events[1]["choices"], json!([{ "index": 0, "delta": { "content": "tok " }, "logprobs": null, "finish_reason": null }]));
    assert_eq!(events[3]["choices"], json!([{ "index": 0, "delta": {}, "logprobs": null, "finish_reason": "stop" }]));
    assert!(events[..4].iter().all(|event| event["usage"] == Value::Null && event.get("usage").is_some()));
    assert_eq!(events[4]["choices"], json!([]));
    check(&events[4]["usage"], &json!({ "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5 }));

    let whole = Chat.ask(&mock, "mock;tokens=2", false, 9);
    assert!(whole.head.contains("content-type: application/json") && whole.head.contains("content-length"), "{}", whole.head);
    let whole = whole.json();
    assert_ne!(whole["id"], events[0]["id"]);
    check(&whole, &json!({ "object": "chat.completion", "model": "mock;tokens=2" }));
    check(&whole["choices"][0], &json!({ "index": 0, "finish_reason": "stop" }));
    check(&whole["choices"][0]["message"], &json!({ "role": "assistant", "content": "tok tok ", "refusal": null }));
}

#[test]
fn openai_chat_tells_usage_only_when_asked() {
    let mock = Mock::start().unwrap();
    let events = post(&mock, "/v1/chat/completions", &json!({ "model": "m", "messages": [], "stream": true })).events();
    assert!(events.iter().all(|event| event.get("usage").is_none()));
    assert_eq!(events.last().unwrap()["choices"][0]["finish_reason"], "stop");
}

#[test]
fn openai_chat_calls() {
    let mock = Mock::start().unwrap();
    let events = Chat.ask(&mock, "mock;tokens=2;tool=find", true, 9).events();
    let call = &events[1]["choices"][0]["delta"]["tool_calls"][0];
    check(call, &json!({ "index": 0, "type": "function", "function": { "name": "find", "arguments": "" } }));
    let arguments = events[1..].iter().filter_map(|event| event.pointer("/choices/0/delta/tool_calls/0/function/arguments")?.as_str());
    assert_eq!(arguments.collect::<Vec<_>>(), ["", "{\"text\":\"", "tok ", "tok ", "\"}"]);
    assert_eq!(events[6]["choices"][0]["finish_reason"], "tool_calls");

    let whole = Chat.ask(&mock, "mock;tokens=2;tool=find;text=%22", false, 9).json();
    check(&whole["choices"][0], &json!({ "finish_reason": "tool_calls" }));
    let message = &whole["choices"][0]["message"];
    assert_eq!((&message["content"], &message["tool_calls"][0]["function"]["name"]), (&Value::Null, &json!("find")));
    let arguments = message["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(arguments).unwrap(), json!({ "text": "\"\"" }));
    // Cut by the limit, arguments are no JSON any more.
    let whole = Chat.ask(&mock, "mock;tool=find", false, 2).json();
    let arguments = whole["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!((arguments, &whole["choices"][0]["finish_reason"]), ("{\"text\":\"tok tok ", &json!("length")));
}

#[test]
fn deepseek_tells_thoughts() {
    let mock = Mock::start().unwrap();
    let events = Chat.ask(&mock, "m;tokens=3;reasoning=2;like=deepseek;input=9;cached=4", true, 9).events();
    let thoughts = events.iter().filter(|event| event["choices"][0]["delta"]["reasoning_content"] == "tok ").count();
    let said = events.iter().filter(|event| event["choices"][0]["delta"]["content"] == "tok ").count();
    assert_eq!((thoughts, said), (2, 1));
    check(
        &events.last().unwrap()["usage"],
        &json!({ "completion_tokens": 3, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5 }),
    );
    let whole = Chat.ask(&mock, "m;tokens=3;reasoning=2;like=deepseek", false, 9).json();
    check(&whole["choices"][0]["message"], &json!({ "content": "tok ", "reasoning_content": "tok tok " }));
    // Others do not: they only count.
    let events = Chat.ask(&mock, "m;tokens=3;reasoning=2", true, 9).events();
    assert_eq!(events.iter().filter(|event| event["choices"][0]["delta"]["content"] == "tok ").count(), 1);
    assert_eq!(events.last().unwrap()["usage"]["completion_tokens_details"]["reasoning_tokens"], 2);
}

#[test]
fn openai_responses() {
    let types = |script, limit| places(Responses, script, limit, "/type");
    let opened = ["response.created", "response.in_progress"];
    let said = [
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta x2",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
    ];
    assert_eq!(types("m;tokens=2", 9), [&opened[..], &said, &["response.completed"]].concat());
    assert_eq!(types("m;tokens=3", 2), [&opened[..], &said, &["response.incomplete"]].concat());
    let called = [
        "response.output_item.added",
        "response.function_call_arguments.delta x4",
        "response.function_call_arguments.done",
        "response.output_item.done",
    ];
    assert_eq!(types("m;tokens=2;tool=find", 9), [&opened[..], &called, &["response.completed"]].concat());
    let thought = ["response.output_item.added", "response.output_item.done"];
    assert_eq!(types("m;tokens=3;reasoning=1", 9), [&opened[..], &thought, &said, &["response.completed"]].concat());
    let told = [
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
    ];
    assert_eq!(types("m;tokens=3;reasoning=1;thoughts=true", 9), [&opened[..], &told, &said, &["response.completed"]].concat());
}

#[test]
fn openai_responses_number_their_events() {
    let mock = Mock::start().unwrap();
    for script in ["m;tokens=300", "m;tokens=300;split=7", "m;tokens=3;gap_ms=1", "m;error_after=2"] {
        let reply = Responses.ask(&mock, script, true, 999);
        let events = reply.events();
        let numbers = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect::<Vec<_>>();
        assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>(), "{script}");
        let names = reply.text().lines().filter_map(|line| line.strip_prefix("event: ").map(str::to_owned)).collect::<Vec<_>>();
        assert_eq!(names, events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
    }
}

#[test]
fn openai_responses_end_with_all_that_was_said() {
    let mock = Mock::start().unwrap();
    let events = Responses.ask(&mock, "m;tokens=3;reasoning=1", true, 9).events();
    let last = &events.last().unwrap()["response"];
    let whole = Responses.ask(&mock, "m;tokens=3;reasoning=1", false, 9).json();
    for response in [last, &whole] {
        check(response, &json!({ "object": "response", "status": "completed", "incomplete_details": null, "error": null }));
        assert_eq!(response["output"][0]["type"], "reasoning");
        check(&response["output"][1], &json!({ "type": "message", "role": "assistant", "status": "completed" }));
        check(&response["output"][1]["content"][0], &json!({ "type": "output_text", "text": "tok tok ", "annotations": [] }));
        check(
            &response["usage"],
            &json!({ "input_tokens": 3, "output_tokens": 3, "total_tokens": 6, "output_tokens_details": { "reasoning_tokens": 1 } }),
        );
    }
    assert_eq!(events[0]["response"]["usage"], Value::Null);
    let cut = Responses.ask(&mock, "m;tool=find", false, 2).json();
    check(&cut, &json!({ "status": "incomplete", "incomplete_details": { "reason": "max_output_tokens" } }));
    check(
        &cut["output"][0],
        &json!({ "type": "function_call", "status": "incomplete", "name": "find", "arguments": "{\"text\":\"tok tok " }),
    );
}

#[test]
fn anthropic() {
    let types = |script, limit| places(Anthropic, script, limit, "/type");
    let end = ["content_block_stop", "message_delta", "message_stop"];
    let said = ["message_start", "content_block_start", "ping", "content_block_delta x2"];
    assert_eq!(types("m;tokens=2", 9), [&said[..], &end].concat());
    let thought = [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta x3",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ];
    assert_eq!(types("m;tokens=3;reasoning=2", 9), [&thought[..], &end].concat());
    let called = ["message_start", "content_block_start", "content_block_delta x5"];
    assert_eq!(types("m;tokens=2;tool=find", 9), [&called[..], &end].concat());
    assert_eq!(places(Anthropic, "m;tokens=3;reasoning=2", 9, "/index"), ["null", "0", "null", "0 x4", "1 x3", "null x2"]);
    let deltas = places(Anthropic, "m;tokens=3;reasoning=2", 9, "/delta/type");
    assert_eq!(deltas, ["null x3", "thinking_delta x2", "signature_delta", "null x2", "text_delta", "null x3"]);
}

#[test]
fn anthropic_tells_usage_at_both_ends() {
    let mock = Mock::start().unwrap();
    let script = "m;tokens=5;reasoning=2;input=100;cached=20;write_5m=10;write_1h=5";
    let reply = Anthropic.ask(&mock, script, true, 9);
    let events = reply.events();
    check(&events[0]["message"], &json!({ "type": "message", "role": "assistant", "model": script, "content": [], "stop_reason": null }));
    let input = json!({ "input_tokens": 65, "cache_creation_input_tokens": 15, "cache_read_input_tokens": 20 });
    let lifetimes = json!({ "ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 5 });
    check(&events[0]["message"]["usage"], &input);
    check(&events[0]["message"]["usage"], &json!({ "output_tokens": 1, "cache_creation": lifetimes }));
    let delta = &events[events.len() - 2];
    check(&delta["usage"], &input);
    check(&delta["usage"], &json!({ "output_tokens": 5, "output_tokens_details": { "thinking_tokens": 2 } }));
    assert_eq!(delta["delta"], json!({ "stop_reason": "end_turn", "stop_sequence": null }));

    let whole = Anthropic.ask(&mock, script, false, 9).json();
    check(&whole, &json!({ "type": "message", "role": "assistant", "stop_reason": "end_turn", "stop_sequence": null }));
    check(&whole["content"][0], &json!({ "type": "thinking", "thinking": "tok tok " }));
    assert_eq!(whole["content"][1], json!({ "type": "text", "text": "tok tok tok " }));
    check(&whole["usage"], &input);
    check(&whole["usage"], &json!({ "output_tokens": 5, "cache_creation": lifetimes }));
}

#[test]
fn anthropic_calls() {
    let mock = Mock::start().unwrap();
    let events = Anthropic.ask(&mock, "m;tokens=2;tool=find", true, 9).events();
    check(&events[1]["content_block"], &json!({ "type": "tool_use", "name": "find", "input": {} }));
    let parts = events.iter().filter_map(|event| event["delta"]["partial_json"].as_str()).collect::<Vec<_>>();
    assert_eq!(parts, ["", "{\"text\":\"", "tok ", "tok ", "\"}"]);
    assert_eq!(events[events.len() - 2]["delta"]["stop_reason"], "tool_use");
    let whole = Anthropic.ask(&mock, "m;tokens=2;tool=find", false, 9).json();
    check(&whole["content"][0], &json!({ "type": "tool_use", "name": "find", "input": { "text": "tok tok " } }));
}

#[test]
fn anthropic_counts() {
    let mock = Mock::start().unwrap();
    let body =
        json!({ "model": "m", "system": "be brief", "messages": [{ "role": "user", "content": [{ "type": "text", "text": "one two" }] }] });
    let reply = post(&mock, "/v1/messages/count_tokens", &body);
    assert_eq!(reply.json(), json!({ "input_tokens": 4 }));
    assert_eq!(mock.stats()["tokens_sent"], 0);
    // Without a limit there is no message.
    let refused = post(&mock, "/v1/messages", &body);
    assert_eq!((refused.status, &refused.json()["error"]["type"]), (400, &json!("invalid_request_error")));
}

#[test]
fn gemini() {
    let mock = Mock::start().unwrap();
    let reply = Gemini.ask(&mock, "m;tokens=2", true, 9);
    assert!(reply.head.contains("content-type: text/event-stream"), "{}", reply.head);
    let events = reply.events();
    assert_eq!(events[0]["candidates"], json!([{ "content": { "parts": [{ "text": "tok " }], "role": "model" }, "index": 0 }]));
    let last = json!([{ "content": { "parts": [{ "text": "" }], "role": "model" }, "finishReason": "STOP", "index": 0 }]);
    assert_eq!((events.len(), &events[2]["candidates"]), (3, &last));
    let running = events.iter().map(|event| event["usageMetadata"]["candidatesTokenCount"].as_u64().unwrap()).collect::<Vec<_>>();
    let totals = events.iter().map(|event| event["usageMetadata"]["totalTokenCount"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!((running, totals), (vec![1, 2, 2], vec![4, 5, 5]));
    check(&events[2], &json!({ "modelVersion": "m;tokens=2", "responseId": events[0]["responseId"] }));
    let whole = Gemini.ask(&mock, "m;tokens=2;input=9;cached=4", false, 9).json();
    check(&whole["candidates"][0], &json!({ "content": { "parts": [{ "text": "tok tok " }], "role": "model" }, "finishReason": "STOP" }));
    check(
        &whole["usageMetadata"],
        &json!({ "promptTokenCount": 9, "cachedContentTokenCount": 4, "candidatesTokenCount": 2, "totalTokenCount": 11 }),
    );
}

#[test]
fn gemini_counts_thoughts_apart() {
    let mock = Mock::start().unwrap();
    let mut body = Gemini.body("", true, 9);
    for (include, thoughts) in [(false, 0), (true, 2)] {
        body["generationConfig"]["thinkingConfig"] = json!({ "includeThoughts": include });
        let events = post(&mock, "/v1beta/models/m;tokens=3;reasoning=2:streamGenerateContent?alt=sse", &body).events();
        let told = events.iter().filter(|event| event["candidates"][0]["content"]["parts"][0]["thought"] == true).count();
        assert_eq!(told, thoughts, "{events:?}");
        let usage = json!({ "candidatesTokenCount": 1, "thoughtsTokenCount": 2, "totalTokenCount": 6 });
        check(&events.last().unwrap()["usageMetadata"], &usage);
        let first = &events[0]["usageMetadata"];
        assert_eq!((&first["candidatesTokenCount"], &first["thoughtsTokenCount"]), (&json!(0), &json!(2 - u64::from(include))));
    }
}

#[test]
fn gemini_calls_and_comes_as_an_array_too() {
    let mock = Mock::start().unwrap();
    let call = json!({ "functionCall": { "name": "find", "args": { "text": "tok tok " } } });
    let events = Gemini.ask(&mock, "m;tokens=2;tool=find", true, 9).events();
    assert_eq!(events[0]["candidates"][0]["content"]["parts"], json!([call]));
    let whole = Gemini.ask(&mock, "m;tokens=2;tool=find", false, 9).json();
    assert_eq!(whole["candidates"][0]["content"]["parts"], json!([call]));
    for script in ["m;tokens=2", "m;tokens=2;split=3", "m;tokens=0", "m;tokens=2;error_after=1"] {
        let reply = post(&mock, &format!("/v1beta/models/{script}:streamGenerateContent"), &Gemini.body("", true, 9));
        assert!(reply.head.contains("content-type: application/json"), "{}", reply.head);
        assert!(!reply.json().as_array().unwrap().is_empty(), "{script}");
    }
    let two = json!({ "contents": [], "generationConfig": { "candidateCount": 2 } });
    let reply = post(&mock, "/v1beta/models/m;tokens=1:streamGenerateContent", &two).json();
    assert_eq!(reply.as_array().unwrap().len(), 4, "{reply}");
}

#[test]
fn ollama() {
    let mock = Mock::start().unwrap();
    let reply = OllamaChat.ask(&mock, "m;tokens=2", true, 9);
    assert!(reply.head.contains("content-type: application/x-ndjson"), "{}", reply.head);
    let events = reply.events();
    check(&events[0], &json!({ "model": "m;tokens=2", "message": { "role": "assistant", "content": "tok " }, "done": false }));
    check(&events[2], &json!({ "message": { "role": "assistant", "content": "" }, "done": true, "done_reason": "stop" }));
    check(&events[2], &json!({ "prompt_eval_count": 3, "eval_count": 2 }));
    let whole = OllamaChat.ask(&mock, "m;tokens=2", false, 9).json();
    check(&whole, &json!({ "message": { "role": "assistant", "content": "tok tok " }, "done": true, "eval_count": 2 }));
    let events = OllamaGenerate.ask(&mock, "m;tokens=2", true, 9).events();
    check(&events[0], &json!({ "response": "tok ", "done": false }));
    check(&events[2], &json!({ "response": "", "done": true, "context": [1, 2, 3] }));
    // It streams unless told not to.
    assert_eq!(post(&mock, "/api/chat", &json!({ "model": "m;tokens=2", "messages": [] })).events().len(), 3);
}

#[test]
fn ollama_calls_and_thinks() {
    let mock = Mock::start().unwrap();
    let calls = json!([{ "function": { "name": "find", "arguments": { "text": "tok tok " } } }]);
    let events = OllamaChat.ask(&mock, "m;tokens=2;tool=find", true, 9).events();
    assert_eq!((&events[0]["message"]["tool_calls"], events.len()), (&calls, 2));
    assert_eq!(OllamaChat.ask(&mock, "m;tokens=2;tool=find", false, 9).json()["message"]["tool_calls"], calls);
    let events = OllamaChat.ask(&mock, "m;tokens=2;reasoning=1", true, 9).events();
    check(&events[0]["message"], &json!({ "thinking": "tok ", "content": "" }));
    assert_eq!(OllamaGenerate.ask(&mock, "m;tokens=2;reasoning=1", false, 9).json()["thinking"], "tok ");
    let mut body = OllamaChat.body("m;tokens=2;reasoning=1", false, 9);
    body["think"] = json!(false);
    assert!(post(&mock, "/api/chat", &body).json()["message"].get("thinking").is_none());
}

#[test]
fn models_are_listed_in_each_dialect() {
    let settings = lab3_mock::Settings { models: vec!["a".to_owned(), "b".to_owned()], ..lab3_mock::Settings::default() };
    let mock = Mock::start_with(&settings).unwrap();
    let openai = get(&mock, "/v1/models", "").json();
    check(&openai["data"][1], &json!({ "id": "b", "object": "model", "owned_by": "mock" }));
    assert_eq!(get(&mock, "/models", "").json(), openai);
    let anthropic = get(&mock, "/v1/models", "anthropic-version: 2023-06-01\r\n").json();
    check(&anthropic, &json!({ "has_more": false, "first_id": "a", "last_id": "b" }));
    check(&anthropic["data"][0], &json!({ "type": "model", "id": "a" }));
    assert_eq!(get(&mock, "/api/tags", "").json()["models"][0]["name"], "a");
    assert_eq!(get(&mock, "/v1beta/models", "").json()["models"][0]["name"], "models/a");
}
