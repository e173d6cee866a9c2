//! Ollama's chat and generate: lines of JSON, the last of which tells how it ended.

use std::fmt::Display;

use serde::Deserialize;

use super::{Answer, Ask, CREATED_TEXT, Call, Dialect, Head, Text, Usage, array, body, object, when};
use crate::plan::{OUTPUT, Plan};
use crate::script::UsageMode;
use crate::words::Words;

pub(crate) struct OllamaChat;

pub(crate) struct OllamaGenerate;

#[derive(Deserialize)]
struct Request {
    model: String,
    #[serde(default)]
    messages: Words,
    #[serde(default)]
    prompt: Words,
    #[serde(default)]
    system: Words,
    /// A stream unless refused.
    stream: Option<bool>,
    options: Option<Options>,
    think: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Options {
    /// Negative ones are no limit.
    num_predict: Option<i64>,
}

fn read(bytes: &[u8]) -> Result<Ask, String> {
    let request = body::<Request>(bytes)?;
    let limit = request.options.and_then(|options| options.num_predict).and_then(|limit| u64::try_from(limit).ok());
    Ok(Ask {
        model: request.model,
        stream: request.stream.unwrap_or(true),
        limit,
        words: request.messages.0 + request.prompt.0 + request.system.0,
        answers: 1,
        thoughts: request.think.map(|think| think != serde_json::Value::Bool(false)),
        ..Ask::default()
    })
}

impl Dialect for OllamaChat {
    const STREAM_TYPE: &'static str = "application/x-ndjson";
    const KEEP_ALIVE: &'static str = "";

    fn read(_: Head<'_>, bytes: &[u8]) -> Result<Ask, String> {
        read(bytes)
    }

    fn stream(answer: &Answer<'_>) -> Plan {
        Writer { answer, usage: answer.usage(), is_chat: true }.stream()
    }

    fn whole(answer: &Answer<'_>) -> String {
        Writer { answer, usage: answer.usage(), is_chat: true }.whole()
    }

    fn error(_: u16, message: &str, _: Option<u64>) -> String {
        error(message)
    }

    fn stream_error(_: &Answer<'_>) -> Vec<String> {
        vec![format!("{}\n", error("an error was encountered while running the model (scripted)"))]
    }
}

impl Dialect for OllamaGenerate {
    const STREAM_TYPE: &'static str = "application/x-ndjson";
    const KEEP_ALIVE: &'static str = "";

    fn read(_: Head<'_>, bytes: &[u8]) -> Result<Ask, String> {
        read(bytes)
    }

    fn stream(answer: &Answer<'_>) -> Plan {
        Writer { answer, usage: answer.usage(), is_chat: false }.stream()
    }

    fn whole(answer: &Answer<'_>) -> String {
        Writer { answer, usage: answer.usage(), is_chat: false }.whole()
    }

    fn error(_: u16, message: &str, _: Option<u64>) -> String {
        error(message)
    }

    fn stream_error(answer: &Answer<'_>) -> Vec<String> {
        OllamaChat::stream_error(answer)
    }
}

fn error(message: &str) -> String {
    object(&[("error", &Text(message))])
}

fn one_call(call: &Call<'_>) -> String {
    let function = object(&[("name", &call.name), ("arguments", &call.arguments())]);
    object(&[("function", &function)])
}

struct Writer<'a> {
    answer: &'a Answer<'a>,
    usage: Usage,
    is_chat: bool,
}

/// What a line says.
#[derive(Clone, Copy, Default)]
struct Said<'a> {
    text: &'a str,
    thinking: &'a str,
    /// As JSON; empty without any.
    calls: &'a str,
}

impl Writer<'_> {
    fn stream(&self) -> Plan {
        let mut plan = Plan::default();
        let is_early = self.answer.script.usage == UsageMode::StartOnly;
        let told = self.answer.tells_thoughts(true);
        let hidden = if told { 0 } else { self.answer.reasoning };
        if hidden > 0 || is_early {
            let count = if is_early { "0".to_owned() } else { self.running() };
            plan.hidden(self.line(Said::default(), &count), hidden);
        }
        if told {
            for thought in self.answer.thought_events() {
                let line = self.line(Said { thinking: &thought.text, ..Said::default() }, &self.running());
                plan.tokens([line], thought.times, thought.tokens);
            }
        }
        // Arguments come whole: not at all when the limit cut them.
        for call in self.calls() {
            let calls = array([one_call(&call)]);
            plan.tokens([self.line(Said { calls: &calls, ..Said::default() }, &self.running())], 1, call.tokens);
        }
        if self.answer.script.tool.is_none() {
            for said in self.answer.said_events() {
                plan.tokens([self.line(Said { text: &said.text, ..Said::default() }, &self.running())], said.times, said.tokens);
            }
        }
        plan.event(when(self.answer.script.done, || self.end(Said::default()) + "\n"));
        plan
    }

    fn whole(&self) -> String {
        let text = when(self.answer.script.tool.is_none(), || self.answer.said_text());
        let thinking = when(self.answer.tells_thoughts(true), || self.answer.thought_text());
        let calls = self.calls();
        let calls = when(!calls.is_empty(), || array(calls.iter().map(one_call)));
        self.end(Said { text: &text, thinking: &thinking, calls: &calls })
    }

    fn calls(&self) -> Vec<Call<'_>> {
        if self.answer.is_short { Vec::new() } else { self.answer.calls() }
    }

    /// The count told with every line, if it is.
    fn running(&self) -> String {
        when(self.answer.script.usage == UsageMode::Every, || OUTPUT.to_string())
    }

    /// A line before the last, perhaps with a count of the output so far.
    fn line(&self, said: Said<'_>, output: &str) -> String {
        let input = when(!output.is_empty(), || self.usage.input.to_string());
        self.object(said, &[("done", &false), ("prompt_eval_count", &input), ("eval_count", &output)]) + "\n"
    }

    /// The last line.
    fn end(&self, said: Said<'_>) -> String {
        let is_told_before = self.answer.script.usage == UsageMode::StartOnly && self.answer.ask.stream;
        let count = |count: u64| when(!is_told_before, || self.answer.usage_or(|| count.to_string()));
        let rest: [(&str, &dyn Display); 9] = [
            ("done", &true),
            ("done_reason", &self.answer.finish("length", "stop", "stop")),
            ("context", &when(!self.is_chat, || "[1,2,3]".to_owned())),
            ("total_duration", &4_883_583_458_u64),
            ("load_duration", &1_334_875),
            ("prompt_eval_count", &count(self.usage.input)),
            ("prompt_eval_duration", &342_546_000),
            ("eval_count", &count(self.usage.output)),
            ("eval_duration", &4_535_599_000_u64),
        ];
        self.object(said, &rest)
    }

    fn object(&self, said: Said<'_>, rest: &[(&str, &dyn Display)]) -> String {
        let thinking = when(!said.thinking.is_empty(), || Text(said.thinking).to_string());
        let text = Text(said.text);
        let message =
            [("role", &Text("assistant") as &dyn Display), ("content", &text), ("thinking", &thinking), ("tool_calls", &said.calls)];
        let message = object(&message);
        let chat: [(&str, &dyn Display); 1] = [("message", &message)];
        let generate: [(&str, &dyn Display); 2] = [("response", &text), ("thinking", &thinking)];
        let head: [(&str, &dyn Display); 2] = [("model", &self.answer.model), ("created_at", &Text(CREATED_TEXT))];
        object(&[&head[..], if self.is_chat { &chat } else { &generate }, rest].concat())
    }
}
