//! OpenAI's responses.

use std::fmt::Display;

use serde::Deserialize;

use super::{ARGUMENTS_START, Answer, Ask, CREATED, Call, Dialect, Head, Text, array, body, json_inner, object, openai_chat, when};
use crate::plan::{Plan, SEQUENCE};
use crate::script::UsageMode;
use crate::words::Words;

pub(crate) struct OpenaiResponses;

#[derive(Deserialize)]
struct Request {
    model: String,
    input: Words,
    #[serde(default)]
    instructions: Words,
    stream: Option<bool>,
    max_output_tokens: Option<u64>,
}

impl Dialect for OpenaiResponses {
    fn read(_: Head<'_>, bytes: &[u8]) -> Result<Ask, String> {
        let request = body::<Request>(bytes)?;
        Ok(Ask {
            model: request.model,
            stream: request.stream.unwrap_or(false),
            limit: request.max_output_tokens,
            words: request.input.0 + request.instructions.0,
            answers: 1,
            ..Ask::default()
        })
    }

    fn stream(answer: &Answer<'_>) -> Plan {
        let writer = Writer { answer };
        let mut plan = Plan::default();
        let opened = writer.response("in_progress", "null", "[]", &writer.opening_usage());
        plan.event(event("response.created", &[("response", &opened)]));
        let hidden = if answer.tells_thoughts(false) { 0 } else { answer.reasoning };
        plan.hidden(event("response.in_progress", &[("response", &opened)]), hidden);
        if answer.reasoning > 0 {
            writer.think(&mut plan);
        }
        let place = u32::from(answer.reasoning > 0);
        let calls = answer.calls();
        if calls.is_empty() {
            writer.say(&mut plan, place);
        }
        for call in calls {
            writer.call(&mut plan, place + call.index, &call);
        }
        if answer.script.done && answer.script.finish.as_deref() != Some("none") {
            let (status, _) = writer.status();
            plan.event(event(&format!("response.{status}"), &[("response", &writer.ended())]));
        }
        plan
    }

    fn whole(answer: &Answer<'_>) -> String {
        Writer { answer }.ended()
    }

    fn error(status: u16, message: &str, _: Option<u64>) -> String {
        openai_chat::error(status, message)
    }

    fn stream_error(answer: &Answer<'_>) -> Vec<String> {
        let (code, message) = (Text("server_error"), Text("The server had an error while processing your request (scripted)"));
        let error = event("error", &[("code", &code), ("message", &message), ("param", &"null")]);
        let failed = Writer { answer }.response("failed", &object(&[("code", &code), ("message", &message)]), "[]", "null");
        vec![error, event("response.failed", &[("response", &failed)])]
    }
}

/// An event with what it has beside its type and number.
fn event(kind: &str, rest: &[(&str, &dyn Display)]) -> String {
    let name = Text(kind);
    let head: [(&str, &dyn Display); 2] = [("type", &name), ("sequence_number", &SEQUENCE)];
    format!("event: {kind}\ndata: {}\n\n", object(&[&head, rest].concat()))
}

/// An event of an item as a whole.
fn item_event(kind: &str, place: u32, item: &str) -> String {
    event(kind, &[("output_index", &place), ("item", &item)])
}

fn text_part(text: &str) -> String {
    object(&[("type", &Text("output_text")), ("annotations", &"[]"), ("logprobs", &"[]"), ("text", &Text(text))])
}

fn summary_part(text: &str) -> String {
    object(&[("type", &Text("summary_text")), ("text", &Text(text))])
}

fn function_call(call: &Call<'_>, status: &str, arguments: &str) -> String {
    object(&[
        ("id", &call.id("fc_")),
        ("type", &Text("function_call")),
        ("status", &Text(status)),
        ("call_id", &call.id("call_")),
        ("name", &call.name),
        ("arguments", &Text(arguments)),
    ])
}

struct Writer<'a> {
    answer: &'a Answer<'a>,
}

impl Writer<'_> {
    /// The response's status and, when it is not complete, the reason.
    fn status(&self) -> (&str, Option<&str>) {
        match self.answer.script.finish.as_deref() {
            Some("completed") => ("completed", None),
            Some("failed") => ("failed", None),
            Some(reason) if reason != "none" => ("incomplete", Some(reason)),
            _ if self.answer.is_short => ("incomplete", Some("max_output_tokens")),
            _ => ("completed", None),
        }
    }

    fn item_status(&self) -> &str {
        if self.status().0 == "completed" { "completed" } else { "incomplete" }
    }

    /// Of several calls only the last one can be cut.
    fn call_status(&self, call: &Call<'_>) -> &str {
        if self.answer.is_short && !call.end.is_empty() { "completed" } else { self.item_status() }
    }

    fn message(&self, status: &str, content: &str) -> String {
        object(&[
            ("id", &self.answer.id("msg_")),
            ("type", &Text("message")),
            ("status", &Text(status)),
            ("role", &Text("assistant")),
            ("content", &content),
        ])
    }

    fn reasoning(&self, summary: &str) -> String {
        object(&[("id", &self.answer.id("rs_")), ("type", &Text("reasoning")), ("summary", &summary)])
    }

    /// The response as it ended.
    fn ended(&self) -> String {
        let mut output = Vec::with_capacity(2);
        if self.answer.reasoning > 0 {
            output.push(self.reasoning(&self.summary()));
        }
        let calls = self.answer.calls();
        if calls.is_empty() {
            output.push(self.message(self.item_status(), &array([text_part(&self.answer.said_text())])));
        }
        output.extend(calls.iter().map(|call| function_call(call, self.call_status(call), &call.arguments())));
        let is_told_before = self.answer.script.usage == UsageMode::StartOnly && self.answer.ask.stream;
        let usage = if is_told_before { "null".to_owned() } else { self.answer.usage_or(|| self.usage_object()) };
        self.response(self.status().0, "null", &array(output), &usage)
    }

    /// The thoughts as they are told.
    fn summary(&self) -> String {
        array(self.answer.tells_thoughts(false).then(|| summary_part(&self.answer.thought_text())))
    }

    fn response(&self, status: &str, error: &str, output: &str, usage: &str) -> String {
        let reason = (status == "incomplete").then(|| self.status().1).flatten();
        let incomplete = reason.map_or_else(|| "null".to_owned(), |reason| object(&[("reason", &Text(reason))]));
        let limit = self.answer.ask.limit.map_or_else(|| "null".to_owned(), |limit| limit.to_string());
        object(&[
            ("id", &self.answer.id("resp_")),
            ("object", &Text("response")),
            ("created_at", &CREATED),
            ("status", &Text(status)),
            ("background", &false),
            ("error", &error),
            ("incomplete_details", &incomplete),
            ("instructions", &"null"),
            ("max_output_tokens", &limit),
            ("metadata", &"{}"),
            ("model", &self.answer.model),
            ("output", &output),
            ("parallel_tool_calls", &true),
            ("previous_response_id", &"null"),
            ("reasoning", &r#"{"effort":null,"summary":null}"#),
            ("service_tier", &Text("default")),
            ("store", &true),
            ("temperature", &"1.0"),
            ("text", &r#"{"format":{"type":"text"}}"#),
            ("tool_choice", &Text("auto")),
            ("tools", &"[]"),
            ("top_p", &"1.0"),
            ("truncation", &Text("disabled")),
            ("usage", &usage),
            ("user", &"null"),
        ])
    }

    fn usage_object(&self) -> String {
        let usage = self.answer.usage();
        object(&[
            ("input_tokens", &usage.input),
            ("input_tokens_details", &object(&[("cached_tokens", &usage.cached), ("cache_write_tokens", &usage.written())])),
            ("output_tokens", &usage.output),
            ("output_tokens_details", &object(&[("reasoning_tokens", &usage.reasoning)])),
            ("total_tokens", &usage.total()),
        ])
    }

    /// What the first events tell.
    fn opening_usage(&self) -> String {
        match self.answer.script.usage {
            UsageMode::None => String::new(),
            UsageMode::StartOnly | UsageMode::Every => self.usage_object(),
            _ => "null".to_owned(),
        }
    }

    /// The item of thoughts: told as a summary, or empty.
    fn think(&self, plan: &mut Plan) {
        plan.event(item_event("response.output_item.added", 0, &self.reasoning("[]")));
        if self.answer.tells_thoughts(false) {
            let id = self.answer.id("rs_");
            let part = |kind: &str, name: &str, value: &dyn Display| {
                event(kind, &[("item_id", &id), ("output_index", &0), ("summary_index", &0), (name, value)])
            };
            plan.event(part("response.reasoning_summary_part.added", "part", &summary_part("")));
            for thought in self.answer.thought_events() {
                let delta = part("response.reasoning_summary_text.delta", "delta", &Text(&thought.text));
                plan.tokens([delta], thought.times, thought.tokens);
            }
            let text = self.answer.thought_text();
            plan.event(part("response.reasoning_summary_text.done", "text", &Text(&text)));
            plan.event(part("response.reasoning_summary_part.done", "part", &summary_part(&text)));
        }
        plan.event(item_event("response.output_item.done", 0, &self.reasoning(&self.summary())));
    }

    fn say(&self, plan: &mut Plan, place: u32) {
        let id = self.answer.id("msg_");
        let part = |kind: &str, name: &str, value: &dyn Display, logprobs: &str| {
            let at: [(&str, &dyn Display); 3] = [("item_id", &id), ("output_index", &place), ("content_index", &0)];
            event(kind, &[&at[..], &[(name, value), ("logprobs", &logprobs)]].concat())
        };
        plan.event(item_event("response.output_item.added", place, &self.message("in_progress", "[]")));
        plan.event(part("response.content_part.added", "part", &text_part(""), ""));
        for said in self.answer.said_events() {
            plan.tokens([part("response.output_text.delta", "delta", &Text(&said.text), "[]")], said.times, said.tokens);
        }
        let text = self.answer.said_text();
        plan.event(part("response.output_text.done", "text", &Text(&text), "[]"));
        plan.event(part("response.content_part.done", "part", &text_part(&text), ""));
        plan.event(item_event("response.output_item.done", place, &self.message(self.item_status(), &array([text_part(&text)]))));
    }

    fn call(&self, plan: &mut Plan, place: u32, call: &Call<'_>) {
        let id = call.id("fc_");
        let delta = |text: &str| {
            let rest: [(&str, &dyn Display); 3] = [("item_id", &id), ("output_index", &place), ("delta", &Text(text))];
            event("response.function_call_arguments.delta", &rest)
        };
        plan.event(item_event("response.output_item.added", place, &function_call(call, "in_progress", "")));
        plan.event(delta(ARGUMENTS_START));
        for said in &call.events {
            plan.tokens([delta(&json_inner(&said.text))], said.times, said.tokens);
        }
        plan.event(when(!call.end.is_empty(), || delta(call.end)));
        let arguments = call.arguments();
        let done: [(&str, &dyn Display); 4] =
            [("item_id", &id), ("output_index", &place), ("name", &call.name), ("arguments", &Text(&arguments))];
        plan.event(event("response.function_call_arguments.done", &done));
        plan.event(item_event("response.output_item.done", place, &function_call(call, self.call_status(call), &arguments)));
    }
}
