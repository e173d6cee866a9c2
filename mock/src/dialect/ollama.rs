//! Ollama's chat and generate: lines of JSON, the last of which tells how it ended.

use serde::Deserialize;

use super::{Answer, Ask, CREATED_TEXT, Dialect, Head, Usage, body, json, when};
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
    format!(r#"{{"error":{}}}"#, json(message))
}

struct Writer<'a> {
    answer: &'a Answer<'a>,
    usage: Usage,
    is_chat: bool,
}

impl Writer<'_> {
    fn stream(&self) -> Plan {
        let mut plan = Plan::default();
        let mode = self.answer.script.usage;
        let running = when(mode == UsageMode::Every, || self.counts(OUTPUT));
        let line =
            |text: &str, thinking: &str, calls: &str| self.object(text, thinking, calls, &format!(r#","done":false{running}"#)) + "\n";
        let told = self.answer.tells_thoughts(true);
        let hidden = if told { 0 } else { self.answer.reasoning };
        if hidden > 0 || mode == UsageMode::StartOnly {
            let counts = if mode == UsageMode::StartOnly { self.counts(0) } else { running.clone() };
            plan.hidden(self.object("", "", "", &format!(r#","done":false{counts}"#)) + "\n", hidden);
        }
        if told {
            for thought in self.answer.thought_events() {
                plan.tokens([line("", &thought.text, "")], thought.times, thought.tokens);
            }
        }
        if let Some(call) = self.call() {
            if !self.answer.is_short {
                plan.tokens([line("", "", &call)], 1, self.answer.said);
            }
        } else {
            for said in self.answer.said_events() {
                plan.tokens([line(&said.text, "", "")], said.times, said.tokens);
            }
        }
        if self.answer.script.done {
            plan.event(self.object("", "", "", &self.end()) + "\n");
        }
        plan
    }

    fn whole(&self) -> String {
        let call = self.call();
        let text = when(call.is_none(), || self.answer.said_text());
        let thinking = when(self.answer.tells_thoughts(true), || self.answer.thought_text());
        let calls = call.filter(|_| !self.answer.is_short).unwrap_or_default();
        self.object(&text, &thinking, &calls, &self.end())
    }

    /// The call, whose arguments come whole: not at all when the limit cut them.
    fn call(&self) -> Option<String> {
        let name = json(self.answer.script.tool.as_deref()?);
        let arguments = self.answer.arguments();
        Some(format!(r#","tool_calls":[{{"function":{{"name":{name},"arguments":{arguments}}}}}]"#))
    }

    fn object(&self, text: &str, thinking: &str, calls: &str, rest: &str) -> String {
        let thinking = when(!thinking.is_empty(), || format!(r#","thinking":{}"#, json(thinking)));
        let said = if self.is_chat {
            format!(r#""message":{{"role":"assistant","content":{}{thinking}{calls}}}"#, json(text))
        } else {
            format!(r#""response":{}{thinking}"#, json(text))
        };
        format!(r#"{{"model":{},"created_at":"{CREATED_TEXT}",{said}{rest}}}"#, self.answer.model)
    }

    fn end(&self) -> String {
        let reason = self.answer.finish("length", "stop", "stop");
        let context = if self.is_chat { "" } else { r#","context":[1,2,3]"# };
        let counts = match self.answer.script.usage {
            UsageMode::StartOnly if self.answer.ask.stream => String::new(),
            _ => self.counts(self.usage.output),
        };
        format!(
            r#","done":true,"done_reason":{reason}{context},"total_duration":4883583458,"load_duration":1334875{counts},"prompt_eval_duration":342546000,"eval_duration":4535599000"#
        )
    }

    fn counts(&self, output: impl std::fmt::Display) -> String {
        match self.answer.script.usage {
            UsageMode::None => String::new(),
            UsageMode::Null => r#","prompt_eval_count":null,"eval_count":null"#.to_owned(),
            _ => format!(r#","prompt_eval_count":{},"eval_count":{output}"#, self.usage.input),
        }
    }
}
