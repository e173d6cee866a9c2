//! Anthropic's messages, and the counting of their tokens.

use std::fmt::Display;

use serde::Deserialize;

use super::{ARGUMENTS_START, Answer, Ask, Call, Dialect, Head, Text, Usage, array, body, json_inner, object, when};
use crate::plan::Plan;
use crate::script::UsageMode;
use crate::words::Words;

pub(crate) struct Anthropic;

pub(crate) struct AnthropicCount;

#[derive(Deserialize)]
struct Request {
    model: String,
    messages: Words,
    #[serde(default)]
    system: Words,
    max_tokens: u64,
    #[serde(default)]
    stream: bool,
}

#[derive(Deserialize)]
struct CountRequest {
    model: String,
    messages: Words,
    #[serde(default)]
    system: Words,
}

impl Dialect for Anthropic {
    const KEEP_ALIVE: &'static str = "event: ping\ndata: {\"type\": \"ping\"}\n\n";

    fn read(_: Head<'_>, bytes: &[u8]) -> Result<Ask, String> {
        let request = body::<Request>(bytes)?;
        Ok(Ask {
            model: request.model,
            stream: request.stream,
            limit: Some(request.max_tokens),
            words: request.messages.0 + request.system.0,
            answers: 1,
            ..Ask::default()
        })
    }

    fn stream(answer: &Answer<'_>) -> Plan {
        let writer = Writer { answer, usage: answer.usage() };
        let mut plan = Plan::default();
        let told = answer.tells_thoughts(true);
        plan.hidden(writer.message_start(), if told { 0 } else { answer.reasoning });
        if told {
            writer.think(&mut plan);
        }
        // Which block of the answer comes next.
        let block = u32::from(told);
        let calls = answer.calls();
        if calls.is_empty() {
            writer.say(&mut plan, block);
        }
        for call in calls {
            write_call(&mut plan, block + call.index, &call);
        }
        plan.event(writer.message_delta());
        if answer.script.done {
            plan.event(event("message_stop", &[]));
        }
        plan
    }

    fn whole(answer: &Answer<'_>) -> String {
        let writer = Writer { answer, usage: answer.usage() };
        let thinking = answer
            .tells_thoughts(true)
            .then(|| object(&[("type", &Text("thinking")), ("thinking", &Text(&answer.thought_text())), ("signature", &Text(SIGNATURE))]));
        // What the limit cut is no JSON: the input is what could be read of it, nothing.
        let mut said = answer.calls().iter().map(|call| tool_use(call, &call.object())).collect::<Vec<_>>();
        if said.is_empty() {
            said.push(object(&[("type", &Text("text")), ("text", &Text(&answer.said_text()))]));
        }
        let usage = answer.usage_or(|| writer.usage_object(true, writer.usage.output));
        writer.message(&array(thinking.into_iter().chain(said)), &writer.stop_reason(), &usage)
    }

    fn error(status: u16, message: &str, _: Option<u64>) -> String {
        error(status, message)
    }

    fn stream_error(_: &Answer<'_>) -> Vec<String> {
        let error = object(&[("type", &Text("overloaded_error")), ("message", &Text("Overloaded"))]);
        vec![event("error", &[("error", &error)])]
    }
}

impl Dialect for AnthropicCount {
    fn read(_: Head<'_>, bytes: &[u8]) -> Result<Ask, String> {
        let request = body::<CountRequest>(bytes)?;
        Ok(Ask { model: request.model, words: request.messages.0 + request.system.0, limit: Some(0), answers: 1, ..Ask::default() })
    }

    fn stream(answer: &Answer<'_>) -> Plan {
        let mut plan = Plan::default();
        plan.event(Self::whole(answer));
        plan
    }

    fn whole(answer: &Answer<'_>) -> String {
        object(&[("input_tokens", &answer.usage().input)])
    }

    fn error(status: u16, message: &str, _: Option<u64>) -> String {
        error(status, message)
    }

    fn stream_error(answer: &Answer<'_>) -> Vec<String> {
        Anthropic::stream_error(answer)
    }
}

const SIGNATURE: &str = "bW9jayBzaWduYXR1cmU=";

fn error(status: u16, message: &str) -> String {
    let kind = match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let error = object(&[("type", &Text(kind)), ("message", &Text(message))]);
    object(&[("type", &Text("error")), ("error", &error), ("request_id", &Text("req_mock"))])
}

/// An event with what it has beside its type.
fn event(kind: &str, rest: &[(&str, &dyn Display)]) -> String {
    let name = Text(kind);
    let head: [(&str, &dyn Display); 1] = [("type", &name)];
    format!("event: {kind}\ndata: {}\n\n", object(&[&head, rest].concat()))
}

fn block_start(block: u32, content: &str) -> String {
    event("content_block_start", &[("index", &block), ("content_block", &content)])
}

fn block_delta(block: u32, kind: &str, name: &str, text: &str) -> String {
    let delta = object(&[("type", &Text(kind)), (name, &Text(text))]);
    event("content_block_delta", &[("index", &block), ("delta", &delta)])
}

fn block_stop(block: u32) -> String {
    event("content_block_stop", &[("index", &block)])
}

fn tool_use(call: &Call<'_>, input: &str) -> String {
    object(&[("type", &Text("tool_use")), ("id", &call.id("toolu_")), ("name", &call.name), ("input", &input)])
}

fn write_call(plan: &mut Plan, block: u32, call: &Call<'_>) {
    let delta = |text: &str| block_delta(block, "input_json_delta", "partial_json", text);
    plan.event(block_start(block, &tool_use(call, "{}")));
    plan.event(delta(""));
    plan.event(delta(ARGUMENTS_START));
    for said in &call.events {
        plan.tokens([delta(&json_inner(&said.text))], said.times, said.tokens);
    }
    plan.event(when(!call.end.is_empty(), || delta(call.end)));
    plan.event(block_stop(block));
}

struct Writer<'a> {
    answer: &'a Answer<'a>,
    usage: Usage,
}

impl Writer<'_> {
    fn message(&self, content: &str, stop_reason: &str, usage: &str) -> String {
        object(&[
            ("id", &self.answer.id("msg_")),
            ("type", &Text("message")),
            ("role", &Text("assistant")),
            ("model", &self.answer.model),
            ("content", &content),
            ("stop_reason", &stop_reason),
            ("stop_sequence", &"null"),
            ("usage", &usage),
        ])
    }

    fn stop_reason(&self) -> String {
        self.answer.finish("max_tokens", "tool_use", "end_turn")
    }

    /// The usage; `whole` tells what was written to the cache by its lifetime, too.
    fn usage_object(&self, whole: bool, output: u64) -> String {
        let Usage { cached, write_5m, write_1h, reasoning, .. } = self.usage;
        let lifetimes = || object(&[("ephemeral_5m_input_tokens", &write_5m), ("ephemeral_1h_input_tokens", &write_1h)]);
        let thoughts = reasoning.min(output);
        object(&[
            ("input_tokens", &self.usage.fresh()),
            ("cache_creation_input_tokens", &self.usage.written()),
            ("cache_read_input_tokens", &cached),
            ("cache_creation", &when(whole, lifetimes)),
            ("output_tokens", &output),
            ("output_tokens_details", &when(thoughts > 0, || object(&[("thinking_tokens", &thoughts)]))),
            ("service_tier", &when(whole, || Text("standard").to_string())),
        ])
    }

    fn message_start(&self) -> String {
        let usage = self.answer.usage_or(|| match self.answer.script.usage {
            UsageMode::EndOnly => Self { answer: self.answer, usage: Usage::default() }.usage_object(true, 0),
            // What came so far is a token, as a rule.
            _ => self.usage_object(true, self.usage.output.min(1)),
        });
        event("message_start", &[("message", &self.message("[]", "null", &usage))])
    }

    fn message_delta(&self) -> String {
        let usage = self.answer.usage_or(|| match self.answer.script.usage {
            UsageMode::StartOnly => String::new(),
            UsageMode::Brief => object(&[("output_tokens", &self.usage.output)]),
            _ => self.usage_object(false, self.usage.output),
        });
        let delta = object(&[("stop_reason", &self.stop_reason()), ("stop_sequence", &"null")]);
        event("message_delta", &[("delta", &delta), ("usage", &usage)])
    }

    fn think(&self, plan: &mut Plan) {
        plan.event(block_start(0, r#"{"type":"thinking","thinking":"","signature":""}"#));
        plan.event(Anthropic::KEEP_ALIVE.to_owned());
        for thought in self.answer.thought_events() {
            plan.tokens([block_delta(0, "thinking_delta", "thinking", &thought.text)], thought.times, thought.tokens);
        }
        plan.event(block_delta(0, "signature_delta", "signature", SIGNATURE));
        plan.event(block_stop(0));
    }

    fn say(&self, plan: &mut Plan, block: u32) {
        plan.event(block_start(block, r#"{"type":"text","text":""}"#));
        if block == 0 {
            plan.event(Anthropic::KEEP_ALIVE.to_owned());
        }
        for said in self.answer.said_events() {
            plan.tokens([block_delta(block, "text_delta", "text", &said.text)], said.times, said.tokens);
        }
        plan.event(block_stop(block));
    }
}
