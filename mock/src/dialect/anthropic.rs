//! Anthropic's messages, and the counting of their tokens.

use serde::Deserialize;

use super::{ARGUMENTS_END, ARGUMENTS_START, Answer, Ask, Dialect, Head, Usage, body, json, json_inner, when};
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
        if answer.script.tool.is_some() {
            writer.call(&mut plan, block)
        } else {
            writer.say(&mut plan, block)
        }
        plan.event(writer.message_delta());
        if answer.script.done {
            plan.event(event("message_stop", ""));
        }
        plan
    }

    fn whole(answer: &Answer<'_>) -> String {
        let writer = Writer { answer, usage: answer.usage() };
        let mut blocks = Vec::with_capacity(2);
        if answer.tells_thoughts(true) {
            let thinking = json(&answer.thought_text());
            blocks.push(format!(r#"{{"type":"thinking","thinking":{thinking},"signature":"{SIGNATURE}"}}"#));
        }
        blocks.push(match &answer.script.tool {
            Some(name) => {
                // What the limit cut is no JSON: the input is what could be read of it, nothing.
                let input = if answer.is_short { "{}".to_owned() } else { answer.arguments() };
                format!(r#"{{"type":"tool_use","id":"toolu_mock{}","name":{},"input":{input}}}"#, answer.serial, json(name))
            }
            None => format!(r#"{{"type":"text","text":{}}}"#, json(&answer.said_text())),
        });
        let usage = match answer.script.usage {
            UsageMode::None => String::new(),
            UsageMode::Null => r#","usage":null"#.to_owned(),
            _ => format!(r#","usage":{}"#, writer.usage_object(true, writer.usage.output)),
        };
        writer.message(&blocks.join(","), &writer.stop_reason(), &usage)
    }

    fn error(status: u16, message: &str, _: Option<u64>) -> String {
        error(status, message)
    }

    fn stream_error(_: &Answer<'_>) -> Vec<String> {
        vec![event("error", r#","error":{"type":"overloaded_error","message":"Overloaded"}"#)]
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
        format!(r#"{{"input_tokens":{}}}"#, answer.usage().input)
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
    format!(r#"{{"type":"error","error":{{"type":"{kind}","message":{}}},"request_id":"req_mock"}}"#, json(message))
}

/// An event; its rest is what follows its type.
fn event(kind: &str, rest: &str) -> String {
    format!("event: {kind}\ndata: {{\"type\":\"{kind}\"{rest}}}\n\n")
}

fn block_start(block: u32, content: &str) -> String {
    event("content_block_start", &format!(r#","index":{block},"content_block":{content}"#))
}

fn block_delta(block: u32, delta: &str) -> String {
    event("content_block_delta", &format!(r#","index":{block},"delta":{delta}"#))
}

fn block_stop(block: u32) -> String {
    event("content_block_stop", &format!(r#","index":{block}"#))
}

struct Writer<'a> {
    answer: &'a Answer<'a>,
    usage: Usage,
}

impl Writer<'_> {
    fn message(&self, content: &str, stop_reason: &str, usage: &str) -> String {
        format!(
            r#"{{"id":"msg_mock{}","type":"message","role":"assistant","model":{},"content":[{content}],"stop_reason":{stop_reason},"stop_sequence":null{usage}}}"#,
            self.answer.serial, self.answer.model
        )
    }

    fn stop_reason(&self) -> String {
        self.answer.finish("max_tokens", "tool_use", "end_turn")
    }

    /// The usage; `whole` tells the reading of the query by lifetime of the cache, too.
    fn usage_object(&self, whole: bool, output: u64) -> String {
        let Usage { cached, write_5m, write_1h, reasoning, .. } = self.usage;
        let lifetimes = when(whole, || {
            format!(
                r#","cache_creation":{{"ephemeral_5m_input_tokens":{write_5m},"ephemeral_1h_input_tokens":{write_1h}}},"service_tier":"standard""#
            )
        });
        let thoughts = reasoning.min(output);
        let details = when(thoughts > 0, || format!(r#","output_tokens_details":{{"thinking_tokens":{thoughts}}}"#));
        format!(
            r#"{{"input_tokens":{},"cache_creation_input_tokens":{},"cache_read_input_tokens":{cached}{lifetimes},"output_tokens":{output}{details}}}"#,
            self.usage.fresh(),
            self.usage.written()
        )
    }

    fn message_start(&self) -> String {
        let usage = match self.answer.script.usage {
            UsageMode::None => String::new(),
            UsageMode::Null => r#","usage":null"#.to_owned(),
            UsageMode::EndOnly => {
                let nothing = Self { answer: self.answer, usage: Usage::default() };
                format!(r#","usage":{}"#, nothing.usage_object(true, 0))
            }
            // What came so far is a token, as a rule.
            _ => format!(r#","usage":{}"#, self.usage_object(true, self.usage.output.min(1))),
        };
        event("message_start", &format!(r#","message":{}"#, self.message("", "null", &usage)))
    }

    fn message_delta(&self) -> String {
        let usage = match self.answer.script.usage {
            UsageMode::None | UsageMode::StartOnly => String::new(),
            UsageMode::Null => r#","usage":null"#.to_owned(),
            UsageMode::Brief => format!(r#","usage":{{"output_tokens":{}}}"#, self.usage.output),
            _ => format!(r#","usage":{}"#, self.usage_object(false, self.usage.output)),
        };
        let reason = self.stop_reason();
        event("message_delta", &format!(r#","delta":{{"stop_reason":{reason},"stop_sequence":null}}{usage}"#))
    }

    fn think(&self, plan: &mut Plan) {
        plan.event(block_start(0, r#"{"type":"thinking","thinking":"","signature":""}"#));
        plan.event(Anthropic::KEEP_ALIVE.to_owned());
        for thought in self.answer.thought_events() {
            let delta = format!(r#"{{"type":"thinking_delta","thinking":{}}}"#, json(&thought.text));
            plan.tokens([block_delta(0, &delta)], thought.times, thought.tokens);
        }
        plan.event(block_delta(0, &format!(r#"{{"type":"signature_delta","signature":"{SIGNATURE}"}}"#)));
        plan.event(block_stop(0));
    }

    fn say(&self, plan: &mut Plan, block: u32) {
        plan.event(block_start(block, r#"{"type":"text","text":""}"#));
        if block == 0 {
            plan.event(Anthropic::KEEP_ALIVE.to_owned());
        }
        for said in self.answer.said_events() {
            let delta = format!(r#"{{"type":"text_delta","text":{}}}"#, json(&said.text));
            plan.tokens([block_delta(block, &delta)], said.times, said.tokens);
        }
        plan.event(block_stop(block));
    }

    fn call(&self, plan: &mut Plan, block: u32) {
        let name = json(self.answer.script.tool.as_deref().unwrap_or_default());
        let call = format!(r#"{{"type":"tool_use","id":"toolu_mock{}","name":{name},"input":{{}}}}"#, self.answer.serial);
        let delta = |text: &str| block_delta(block, &format!(r#"{{"type":"input_json_delta","partial_json":{}}}"#, json(text)));
        plan.event(block_start(block, &call));
        plan.event(delta(""));
        plan.event(delta(ARGUMENTS_START));
        for said in self.answer.said_events() {
            plan.tokens([delta(&json_inner(&said.text))], said.times, said.tokens);
        }
        if !self.answer.is_short {
            plan.event(delta(ARGUMENTS_END));
        }
        plan.event(block_stop(block));
    }
}
