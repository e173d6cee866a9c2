//! Google's Gemini: one chunk a token, the last one with the reason it ends.

use std::fmt::Display;

use serde::Deserialize;

use super::{Answer, Ask, Dialect, Head, Usage, body, decoded, json, when};
use crate::plan::{Plan, SAID, THOUGHT, TOTAL};
use crate::script::UsageMode;
use crate::words::Words;

pub(crate) struct Gemini;

#[derive(Deserialize)]
struct Request {
    contents: Words,
    #[serde(default, rename = "systemInstruction", alias = "system_instruction")]
    system: Words,
    #[serde(default, rename = "generationConfig", alias = "generation_config")]
    config: Option<Config>,
}

#[derive(Default, Deserialize)]
struct Config {
    #[serde(rename = "maxOutputTokens", alias = "max_output_tokens")]
    limit: Option<u64>,
    #[serde(rename = "candidateCount", alias = "candidate_count")]
    answers: Option<u32>,
    #[serde(rename = "thinkingConfig", alias = "thinking_config")]
    thinking: Option<Thinking>,
}

#[derive(Deserialize)]
struct Thinking {
    #[serde(rename = "includeThoughts", alias = "include_thoughts")]
    told: Option<bool>,
}

impl Dialect for Gemini {
    const STREAM_TYPE: &'static str = "text/event-stream";

    fn read(head: Head<'_>, bytes: &[u8]) -> Result<Ask, String> {
        let (model, method) = head.path.rsplit_once(':').ok_or("the path names no method")?;
        let stream = match method {
            "generateContent" => false,
            "streamGenerateContent" => true,
            _ => return Err(format!("no method {method}")),
        };
        let model = decoded(model.split_once("/models/").map_or(model, |(_, model)| model));
        let request = body::<Request>(bytes)?;
        let config = request.config.unwrap_or_default();
        if config.answers.is_some_and(|answers| !(1..=8).contains(&answers)) {
            return Err("candidateCount must be between 1 and 8".to_owned());
        }
        Ok(Ask {
            model,
            stream,
            limit: config.limit,
            words: request.contents.0 + request.system.0,
            answers: config.answers.unwrap_or(1),
            thoughts: config.thinking.and_then(|thinking| thinking.told),
            packed: stream && !head.query.split('&').any(|pair| pair == "alt=sse"),
            ..Ask::default()
        })
    }

    fn stream(answer: &Answer<'_>) -> Plan {
        let writer = Writer { answer, usage: answer.usage() };
        let mut plan = Plan::default();
        if answer.ask.packed {
            plan.event("[".to_owned());
        }
        let each = || 0..answer.answers();
        let running = match answer.script.usage {
            UsageMode::EndOnly | UsageMode::StartOnly => String::new(),
            _ => writer.usage_told(SAID, THOUGHT, TOTAL),
        };
        let chunk = |answer: u32, part: &str| writer.chunk(answer, part, "", &running);
        let told = answer.tells_thoughts(false);
        let hidden = if told { 0 } else { answer.reasoning * u64::from(answer.answers()) };
        if hidden > 0 || answer.script.usage == UsageMode::StartOnly {
            let usage = if running.is_empty() { writer.usage_told(0, 0, writer.usage.input) } else { running.clone() };
            plan.hidden(writer.chunk(0, r#"{"text":""}"#, "", &usage), hidden);
        }
        if told {
            for thought in answer.thought_events() {
                let part = format!(r#"{{"text":{},"thought":true}}"#, json(&thought.text));
                plan.tokens(each().map(|candidate| chunk(candidate, &part)), thought.times, thought.tokens);
            }
        }
        match writer.call() {
            Some(call) if !call.is_empty() => plan.tokens(each().map(|candidate| chunk(candidate, &call)), 1, answer.said),
            Some(_) => {}
            None => {
                for said in answer.said_events() {
                    let part = format!(r#"{{"text":{}}}"#, json(&said.text));
                    plan.tokens(each().map(|candidate| chunk(candidate, &part)), said.times, said.tokens);
                }
            }
        }
        let last = if answer.script.usage == UsageMode::StartOnly { String::new() } else { writer.final_usage() };
        writer.end(&mut plan, &last);
        plan
    }

    fn whole(answer: &Answer<'_>) -> String {
        let writer = Writer { answer, usage: answer.usage() };
        let mut parts = Vec::with_capacity(2);
        if answer.tells_thoughts(false) {
            parts.push(format!(r#"{{"text":{},"thought":true}}"#, json(&answer.thought_text())));
        }
        parts.push(writer.call().unwrap_or_else(|| format!(r#"{{"text":{}}}"#, json(&answer.said_text()))));
        parts.retain(|part| !part.is_empty());
        let parts = parts.join(",");
        let candidates = (0..answer.answers()).map(|candidate| one_candidate(candidate, &parts, &writer.finish_reason()));
        writer.object(&candidates.collect::<Vec<_>>().join(","), &writer.final_usage())
    }

    fn error(status: u16, message: &str, retry_after: Option<u64>) -> String {
        let name = match status {
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            503 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            500.. => "INTERNAL",
            _ => "INVALID_ARGUMENT",
        };
        let details = retry_after.map_or_else(String::new, |seconds| {
            format!(r#","details":[{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{seconds}s"}}]"#)
        });
        format!(r#"{{"error":{{"code":{status},"message":{},"status":"{name}"{details}}}}}"#, json(message))
    }

    fn stream_error(answer: &Answer<'_>) -> Vec<String> {
        let error = Self::error(503, "The model is overloaded. Please try again later. (scripted)", None);
        vec![if answer.ask.packed { format!("{error}]") } else { format!("data: {error}\r\n\r\n") }]
    }
}

fn one_candidate(candidate: u32, parts: &str, finish: &str) -> String {
    format!(r#"{{"content":{{"parts":[{parts}],"role":"model"}}{finish},"index":{candidate}}}"#)
}

struct Writer<'a> {
    answer: &'a Answer<'a>,
    usage: Usage,
}

impl Writer<'_> {
    /// The part that calls the function: none without one, empty when the limit cut it, as arguments come whole.
    fn call(&self) -> Option<String> {
        let name = self.answer.script.tool.as_deref()?;
        let call = || format!(r#"{{"functionCall":{{"name":{},"args":{}}}}}"#, json(name), self.answer.arguments());
        Some(when(!self.answer.is_short, call))
    }

    fn finish_reason(&self) -> String {
        format!(r#","finishReason":{}"#, self.answer.finish("MAX_TOKENS", "STOP", "STOP"))
    }

    fn object(&self, candidates: &str, usage: &str) -> String {
        let Answer { serial, model, .. } = self.answer;
        format!(r#"{{"candidates":[{candidates}]{usage},"modelVersion":{model},"responseId":"mock{serial}"}}"#)
    }

    fn chunk(&self, candidate: u32, parts: &str, finish: &str, usage: &str) -> String {
        let object = self.object(&one_candidate(candidate, parts, finish), usage);
        if self.answer.ask.packed { format!("{object}\n,\r\n") } else { format!("data: {object}\r\n\r\n") }
    }

    /// The chunks that end each candidate.
    fn end(&self, plan: &mut Plan, usage: &str) {
        let last = self.answer.answers() - 1;
        for candidate in 0..=last {
            let mut text = self.chunk(candidate, r#"{"text":""}"#, &self.finish_reason(), usage);
            if self.answer.ask.packed && candidate == last {
                text.truncate(text.len() - ",\r\n".len());
                text.push(']');
            }
            plan.event(text);
        }
    }

    fn final_usage(&self) -> String {
        let Usage { output, reasoning, .. } = self.usage;
        self.usage_told(output.saturating_sub(reasoning), reasoning, self.usage.total())
    }

    fn usage_told(&self, said: impl Display, thought: impl Display, total: impl Display) -> String {
        let Usage { input, cached, .. } = self.usage;
        let thought = when(self.answer.reasoning > 0, || format!(r#","thoughtsTokenCount":{thought}"#));
        let cached = when(cached > 0, || format!(r#","cachedContentTokenCount":{cached}"#));
        match self.answer.script.usage {
            UsageMode::None => String::new(),
            UsageMode::Null => r#","usageMetadata":null"#.to_owned(),
            UsageMode::Zero => r#","usageMetadata":{"promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0}"#.to_owned(),
            _ => format!(
                r#","usageMetadata":{{"promptTokenCount":{input},"candidatesTokenCount":{said},"totalTokenCount":{total}{cached},"promptTokensDetails":[{{"modality":"TEXT","tokenCount":{input}}}]{thought}}}"#
            ),
        }
    }
}
