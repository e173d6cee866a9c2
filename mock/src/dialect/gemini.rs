//! Google's Gemini: one chunk a token, the last one with the reason it ends.

use std::fmt::Display;

use serde::Deserialize;

use super::{Answer, Ask, Call, Dialect, Head, Text, Usage, array, body, decoded, object, when};
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
        let chunk = |candidate: u32, part: &str| writer.chunk(candidate, part, "", &running);
        let told = answer.tells_thoughts(false);
        let hidden = if told { 0 } else { answer.reasoning * u64::from(answer.answers()) };
        if hidden > 0 || answer.script.usage == UsageMode::StartOnly {
            let usage = if running.is_empty() { writer.usage_told(0, 0, writer.usage.input) } else { running.clone() };
            plan.hidden(writer.chunk(0, &text_part(""), "", &usage), hidden);
        }
        if told {
            for thought in answer.thought_events() {
                let part = thought_part(&thought.text);
                plan.tokens(each().map(|candidate| chunk(candidate, &part)), thought.times, thought.tokens);
            }
        }
        for call in writer.calls() {
            let part = call_part(&call);
            plan.tokens(each().map(|candidate| chunk(candidate, &part)), 1, call.tokens);
        }
        if answer.script.tool.is_none() {
            for said in answer.said_events() {
                let part = text_part(&said.text);
                plan.tokens(each().map(|candidate| chunk(candidate, &part)), said.times, said.tokens);
            }
        }
        let last = if answer.script.usage == UsageMode::StartOnly { String::new() } else { writer.final_usage() };
        writer.end(&mut plan, &last);
        plan
    }

    fn whole(answer: &Answer<'_>) -> String {
        let writer = Writer { answer, usage: answer.usage() };
        let thoughts = answer.tells_thoughts(false).then(|| thought_part(&answer.thought_text()));
        let said = if answer.script.tool.is_none() { Some(text_part(&answer.said_text())) } else { None };
        let said = said.into_iter().chain(writer.calls().iter().map(call_part).collect::<Vec<_>>());
        let parts = thoughts.into_iter().chain(said).collect::<Vec<_>>().join(",");
        let candidates = (0..answer.answers()).map(|candidate| one_candidate(candidate, &parts, &writer.finish_reason()));
        writer.response(&array(candidates), &writer.final_usage())
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
            let kind = Text("type.googleapis.com/google.rpc.RetryInfo");
            array([object(&[("@type", &kind), ("retryDelay", &format!("\"{seconds}s\""))])])
        });
        let error = object(&[("code", &status), ("message", &Text(message)), ("status", &Text(name)), ("details", &details)]);
        object(&[("error", &error)])
    }

    fn stream_error(answer: &Answer<'_>) -> Vec<String> {
        let error = Self::error(503, "The model is overloaded. Please try again later. (scripted)", None);
        vec![if answer.ask.packed { format!("{error}]") } else { format!("data: {error}\r\n\r\n") }]
    }
}

fn text_part(text: &str) -> String {
    object(&[("text", &Text(text))])
}

fn thought_part(text: &str) -> String {
    object(&[("text", &Text(text)), ("thought", &true)])
}

fn call_part(call: &Call<'_>) -> String {
    let call = object(&[("name", &call.name), ("args", &call.arguments())]);
    object(&[("functionCall", &call)])
}

fn one_candidate(candidate: u32, parts: &str, finish: &str) -> String {
    let content = object(&[("parts", &format!("[{parts}]")), ("role", &Text("model"))]);
    object(&[("content", &content), ("finishReason", &finish), ("index", &candidate)])
}

struct Writer<'a> {
    answer: &'a Answer<'a>,
    usage: Usage,
}

impl Writer<'_> {
    /// The calls; none when the limit cut them, as arguments come whole.
    fn calls(&self) -> Vec<Call<'_>> {
        if self.answer.is_short { Vec::new() } else { self.answer.calls() }
    }

    fn finish_reason(&self) -> String {
        self.answer.finish("MAX_TOKENS", "STOP", "STOP")
    }

    fn response(&self, candidates: &str, usage: &str) -> String {
        object(&[
            ("candidates", &candidates),
            ("usageMetadata", &usage),
            ("modelVersion", &self.answer.model),
            ("responseId", &self.answer.id("")),
        ])
    }

    fn chunk(&self, candidate: u32, parts: &str, finish: &str, usage: &str) -> String {
        let response = self.response(&array([one_candidate(candidate, parts, finish)]), usage);
        if self.answer.ask.packed { format!("{response}\n,\r\n") } else { format!("data: {response}\r\n\r\n") }
    }

    /// The chunks that end each candidate.
    fn end(&self, plan: &mut Plan, usage: &str) {
        let last = self.answer.answers() - 1;
        for candidate in 0..=last {
            let mut text = self.chunk(candidate, &text_part(""), &self.finish_reason(), usage);
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
        let details = || array([object(&[("modality", &Text("TEXT")), ("tokenCount", &input)])]);
        let is_zero = self.answer.script.usage == UsageMode::Zero;
        let number = |number: &dyn Display| if is_zero { "0".to_owned() } else { number.to_string() };
        self.answer.usage_or(|| {
            object(&[
                ("promptTokenCount", &input),
                ("candidatesTokenCount", &number(&said)),
                ("totalTokenCount", &number(&total)),
                ("cachedContentTokenCount", &when(cached > 0, || cached.to_string())),
                ("promptTokensDetails", &when(!is_zero, details)),
                ("thoughtsTokenCount", &when(self.answer.reasoning > 0, || number(&thought))),
            ])
        })
    }
}
