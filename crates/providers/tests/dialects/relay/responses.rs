//! OpenAI's Responses.

use lab3_providers::dialect::openai_responses::OpenAiResponses;
use serde_json::{Value, json};

use super::{Dialect, failure, query};

const RESPONSES: Dialect<'static> = Dialect { front: &OpenAiResponses, back: &OpenAiResponses };

/// A stream of events, numbered, with their names.
fn stream(events: &[Value]) -> String {
    let event = |(number, event): (usize, &Value)| {
        let mut event = event.clone();
        event["sequence_number"] = number.into();
        format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
    };
    events.iter().enumerate().map(event).collect()
}

/// A response in a state.
fn response(status: &str, output: Value, usage: Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 7, "status": status, "model": "gpt-x", "output": output, "usage": usage,
        "error": null, "incomplete_details": null, "metadata": {"k": "v"}, "new": [1],
    })
}

/// The items of an answer: thoughts with their proof, a search, words with log probabilities and a citation, a refusal, two calls.
fn items() -> [Value; 6] {
    let logprob = json!({"token": "G", "logprob": -0.5, "bytes": [71], "top_logprobs": []});
    let text =
        json!({"type": "output_text", "text": "Grüß Gott", "annotations": [{"type": "url_citation", "url": "u"}], "logprobs": [logprob]});
    let message =
        |id: &str, part: Value| json!({"id": id, "type": "message", "status": "completed", "role": "assistant", "content": [part]});
    let call = |id: &str, call_id: &str, arguments: &str| json!({"id": id, "type": "function_call", "status": "completed", "call_id": call_id, "name": "look", "arguments": arguments});
    [
        json!({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "ee"}),
        json!({"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "x"}}),
        message("msg_1", text),
        message("msg_2", json!({"type": "refusal", "refusal": "I won't"})),
        call("fc_1", "call_1", "{\"a\":1}"),
        call("fc_2", "call_2", "{}"),
    ]
}

/// An item as it is announced: nothing of it came yet.
fn begun(item: &Value) -> Value {
    let mut item = item.clone();
    for (field, empty) in [("status", json!("in_progress")), ("summary", json!([])), ("content", json!([])), ("arguments", json!(""))] {
        if item.get(field).is_some() {
            item[field] = empty;
        }
    }
    item
}

fn usage() -> Value {
    json!({"input_tokens": 5, "output_tokens": 7, "total_tokens": 12, "output_tokens_details": {"reasoning_tokens": 3}, "new": 1})
}

/// The events of the answer; the two calls come at once.
fn events() -> Vec<Value> {
    let items = items();
    let of = |kind: &str, index: usize, fields: Value| {
        let mut event = json!({"type": format!("response.{kind}"), "output_index": index, "item_id": items[index]["id"]});
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        event
    };
    let added = |index: usize| json!({"type": "response.output_item.added", "output_index": index, "item": begun(&items[index])});
    let done = |index: usize| json!({"type": "response.output_item.done", "output_index": index, "item": items[index]});
    let summary = |kind: &str, fields: Value| {
        let mut event = of(kind, 0, fields);
        event["summary_index"] = 0.into();
        event
    };
    let content = |kind: &str, index: usize, fields: Value| {
        let mut event = of(kind, index, fields);
        event["content_index"] = 0.into();
        event
    };
    let empty_text = json!({"type": "output_text", "text": "", "annotations": [], "logprobs": []});
    let (part, refusal) = (items[2]["content"][0].clone(), items[3]["content"][0].clone());
    vec![
        json!({"type": "response.created", "response": response("in_progress", json!([]), Value::Null)}),
        json!({"type": "response.in_progress", "response": response("in_progress", json!([]), Value::Null)}),
        added(0),
        summary("reasoning_summary_part.added", json!({"part": {"type": "summary_text", "text": ""}})),
        summary("reasoning_summary_text.delta", json!({"delta": "Hm", "obfuscation": "x"})),
        summary("reasoning_summary_text.delta", json!({"delta": "."})),
        summary("reasoning_summary_text.done", json!({"text": "Hm."})),
        summary("reasoning_summary_part.done", json!({"part": items[0]["summary"][0]})),
        done(0),
        added(1),
        of("web_search_call.searching", 1, json!({})),
        done(1),
        added(2),
        content("content_part.added", 2, json!({"part": empty_text})),
        content("output_text.delta", 2, json!({"delta": "Grüß", "logprobs": part["logprobs"]})),
        content("output_text.delta", 2, json!({"delta": " Gott", "logprobs": []})),
        content("output_text.annotation.added", 2, json!({"annotation_index": 0, "annotation": part["annotations"][0]})),
        content("output_text.done", 2, json!({"text": "Grüß Gott", "logprobs": part["logprobs"]})),
        content("content_part.done", 2, json!({"part": part})),
        done(2),
        added(3),
        content("content_part.added", 3, json!({"part": {"type": "refusal", "refusal": ""}})),
        content("refusal.delta", 3, json!({"delta": "I won't"})),
        content("refusal.done", 3, json!({"refusal": "I won't"})),
        content("content_part.done", 3, json!({"part": refusal})),
        done(3),
        added(4),
        of("function_call_arguments.delta", 4, json!({"delta": "{\"a\""})),
        added(5),
        of("function_call_arguments.delta", 5, json!({"delta": "{}"})),
        of("function_call_arguments.delta", 4, json!({"delta": ":1}"})),
        of("function_call_arguments.done", 4, json!({"arguments": "{\"a\":1}"})),
        done(4),
        of("function_call_arguments.done", 5, json!({"arguments": "{}"})),
        done(5),
        json!({"type": "response.completed", "response": response("completed", json!(items), usage())}),
    ]
}

#[test]
fn the_last_event_carries_the_receipt_in_its_response() {
    // The fields of an event stand in the order of their names here, so that the response is not the last of them.
    let sent = stream(&events()).replace(": ", " : ").replace("event : ", "event: ").replace("data : ", "data: ");
    let at = sent.rfind("},\"sequence_number\"").unwrap();
    let expected = format!("{}§{}", &sent[..at], &sent[at..]);
    let few = |text: &str| text[text.find("event: response.function_call_arguments.done").unwrap()..].to_owned();
    let (sent, expected) = (format!(": hi\n\n{}", few(&sent)), format!(": hi\n\n{}", few(&expected)));
    RESPONSES.check_stream(&query(true, true), &sent, &expected);
    let strange = |text: &str| text.replace('\n', "\r\n");
    RESPONSES.check_stream(&query(true, true), &strange(&sent), &strange(&expected));
}

#[test]
fn all_events_pass() {
    let sent = stream(&events());
    for size in [1, 2, 3, 5, 64, 1000, sent.len()] {
        assert_eq!(RESPONSES.relay(&query(true, true), &sent, size).replacen(&super::lab3(), "", 1), sent, "in pieces of {size}");
    }
}

#[test]
fn a_whole_response_is_the_last_events() {
    let events = events();
    let few = [&events[..2], &events[events.len() - 1..]].concat();
    RESPONSES.check_whole(&stream(&few), response("completed", json!(items()), usage()));
}

#[test]
fn the_budget_ends_an_answer_anywhere() {
    let (query, sent) = (query(true, true), stream(&events()));
    RESPONSES.check_cuts(&query, &sent);
    RESPONSES.check_cut_bodies(&sent, "/incomplete_details/reason", "max_output_tokens");
}

/// Each item of a cut stream is done, and the response has what was told of it.
#[test]
fn what_the_budget_cuts_is_told_whole() {
    let events = events();
    for end in 1..events.len() {
        let out = RESPONSES.cut(&query(true, true), stream(&events[..end]).as_bytes(), 50);
        let told = out.lines().filter_map(|line| line.strip_prefix("data: ")).map(|data| serde_json::from_str::<Value>(data).unwrap());
        let told = told.collect::<Vec<_>>();
        for (number, event) in told.iter().enumerate() {
            assert_eq!(event["sequence_number"], number, "{out}");
        }
        let of = |kind: &str| told.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
        let (added, mut done) = (of("response.output_item.added"), of("response.output_item.done"));
        done.sort_by_key(|event| event["output_index"].as_u64());
        assert_eq!(added.len(), done.len(), "{out}");
        let last = told.last().unwrap();
        assert_eq!((&last["type"], &last["response"]["status"]), (&json!("response.incomplete"), &json!("incomplete")));
        let items = done.iter().map(|event| event["item"].clone()).collect::<Vec<_>>();
        assert_eq!(last["response"]["output"], json!(items), "{out}");
        for (at, kind) in [("content_part", "content_index"), ("reasoning_summary_part", "summary_index")] {
            let [added, done] = ["added", "done"].map(|end| of(&format!("response.{at}.{end}")).len());
            assert_eq!(added, done, "{kind} in {out}");
        }
    }
    // In the midst of the words, with what belongs to them.
    let out = RESPONSES.cut(&query(true, true), stream(&events[..16]).as_bytes(), 50);
    let last = out.lines().rfind(|line| line.starts_with("data: ")).unwrap();
    let last: Value = serde_json::from_str(&last[6..]).unwrap();
    let part = &last["response"]["output"][2]["content"][0];
    assert_eq!((&part["text"], &part["logprobs"][0]["token"]), (&json!("Grüß Gott"), &json!("G")));
    assert_eq!(last["response"]["output"][2]["status"], "incomplete");
}

#[test]
fn a_failure_fails_the_response() {
    let before = stream(&events()[..5]);
    let out = RESPONSES.fail(&query(true, true), &before);
    let rest = out.strip_prefix(&before).unwrap();
    let told = rest.lines().filter_map(|line| line.strip_prefix("data: ")).map(|data| serde_json::from_str::<Value>(data).unwrap());
    let told = told.collect::<Vec<_>>();
    assert_eq!((&told[0]["type"], &told[0]["response"]["id"]), (&json!("response.failed"), &json!("resp_1")));
    assert_eq!((&told[1]["type"], &told[1]["code"], &told[1]["sequence_number"]), (&json!("error"), &json!(failure().code), &json!(6)));
}
