//! OpenAI's chat completions, and those who speak like it.

use serde::Deserialize;

use super::{ARGUMENTS_END, ARGUMENTS_START, Answer, Ask, CREATED, Dialect, Head, Usage, body, json, json_inner, when};
use crate::plan::{OUTPUT, Plan, TOTAL};
use crate::script::{Like, UsageMode};
use crate::words::Words;

pub(crate) struct OpenaiChat;

#[derive(Deserialize)]
struct Request {
    model: String,
    messages: Words,
    #[serde(default)]
    stream: Option<bool>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    n: Option<u32>,
    stream_options: Option<StreamOptions>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

impl Dialect for OpenaiChat {
    fn read(_: Head<'_>, bytes: &[u8]) -> Result<Ask, String> {
        let request = body::<Request>(bytes)?;
        let limits = [request.max_tokens, request.max_completion_tokens].into_iter().flatten();
        if request.n.is_some_and(|answers| !(1..=128).contains(&answers)) {
            return Err("n must be between 1 and 128".to_owned());
        }
        Ok(Ask {
            model: request.model,
            stream: request.stream.unwrap_or(false),
            limit: limits.min(),
            words: request.messages.0,
            answers: request.n.unwrap_or(1),
            usage: request.stream_options.is_some_and(|options| options.include_usage),
            ..Ask::default()
        })
    }

    fn stream(answer: &Answer<'_>) -> Plan {
        let writer = Writer { answer, usage: answer.usage() };
        let mut plan = Plan::default();
        let each = || 0..answer.answers();
        let mut hidden = if writer.tells_thoughts() { 0 } else { answer.reasoning };
        for choice in each() {
            let usage = writer.first_usage();
            let text = writer.choice(choice, r#"{"role":"assistant","content":"","refusal":null}"#, "null", &usage);
            plan.hidden(text, std::mem::take(&mut hidden));
        }
        if writer.tells_thoughts() {
            for event in answer.thought_events() {
                let delta = format!(r#"{{"reasoning_content":{}}}"#, json(&event.text));
                plan.tokens(each().map(|choice| writer.delta(choice, &delta)), event.times, event.tokens);
            }
        }
        writer.say(&mut plan);
        for choice in each() {
            let usage = writer.finish_usage();
            plan.event(writer.choice(choice, "{}", &answer.finish("length", "tool_calls", "stop"), &usage));
        }
        writer.last_usage(&mut plan);
        if answer.script.done {
            plan.event("data: [DONE]\n\n".to_owned());
        }
        plan
    }

    fn whole(answer: &Answer<'_>) -> String {
        let writer = Writer { answer, usage: answer.usage() };
        let content = match &answer.script.tool {
            Some(name) => format!(
                r#""content":null,"tool_calls":[{{"id":"call_mock{}","type":"function","function":{{"name":{},"arguments":{}}}}}]"#,
                answer.serial,
                json(name),
                json(&answer.arguments())
            ),
            None => format!(r#""content":{}"#, json(&answer.said_text())),
        };
        let thoughts = when(writer.tells_thoughts(), || format!(r#","reasoning_content":{}"#, json(&answer.thought_text())));
        let finish = answer.finish("length", "tool_calls", "stop");
        let choices = (0..answer.answers()).map(|choice| {
            format!(
                r#"{{"index":{choice},"message":{{"role":"assistant",{content},"refusal":null,"annotations":[]{thoughts}}},"logprobs":null,"finish_reason":{finish}}}"#
            )
        });
        let choices = choices.collect::<Vec<_>>().join(",");
        let usage = match answer.script.usage {
            UsageMode::None => String::new(),
            UsageMode::Null => r#","usage":null"#.to_owned(),
            _ => format!(r#","usage":{}"#, writer.final_usage()),
        };
        format!("{{{},\"choices\":[{choices}]{usage}}}", writer.head("chat.completion"))
    }

    fn error(status: u16, message: &str, _: Option<u64>) -> String {
        error(status, message)
    }

    fn stream_error(_: &Answer<'_>) -> Vec<String> {
        vec![format!("data: {}\n\n", error(500, "The server had an error while processing your request (scripted)"))]
    }
}

/// The body of an error, as all of OpenAI's endpoints write it.
pub(super) fn error(status: u16, message: &str) -> String {
    let (kind, code) = match status {
        401 => ("invalid_request_error", r#""invalid_api_key""#),
        403 => ("invalid_request_error", r#""unsupported_country_region_territory""#),
        404 => ("invalid_request_error", r#""model_not_found""#),
        429 => ("requests", r#""rate_limit_exceeded""#),
        500.. => ("server_error", "null"),
        _ => ("invalid_request_error", "null"),
    };
    format!(r#"{{"error":{{"message":{},"type":"{kind}","param":null,"code":{code}}}}}"#, json(message))
}

struct Writer<'a> {
    answer: &'a Answer<'a>,
    usage: Usage,
}

impl Writer<'_> {
    fn tells_thoughts(&self) -> bool {
        self.answer.tells_thoughts(self.answer.script.like == Like::Deepseek)
    }

    fn head(&self, object: &str) -> String {
        format!(
            r#""id":"chatcmpl-mock{}","object":"{object}","created":{CREATED},"model":{},"service_tier":"default","system_fingerprint":"fp_mock""#,
            self.answer.serial, self.answer.model
        )
    }

    fn chunk(&self, choices: &str, usage: &str) -> String {
        format!("data: {{{},\"choices\":[{choices}]{usage}}}\n\n", self.head("chat.completion.chunk"))
    }

    fn choice(&self, choice: u32, delta: &str, finish: &str, usage: &str) -> String {
        let choice = format!(r#"{{"index":{choice},"delta":{delta},"logprobs":null,"finish_reason":{finish}}}"#);
        self.chunk(&choice, usage)
    }

    fn delta(&self, choice: u32, delta: &str) -> String {
        self.choice(choice, delta, "null", &self.running_usage())
    }

    /// The text, or the call.
    fn say(&self, plan: &mut Plan) {
        let each = || 0..self.answer.answers();
        let Some(name) = &self.answer.script.tool else {
            for event in self.answer.said_events() {
                let delta = format!(r#"{{"content":{}}}"#, json(&event.text));
                plan.tokens(each().map(|choice| self.delta(choice, &delta)), event.times, event.tokens);
            }
            return;
        };
        let arguments = |text: &str| format!(r#"{{"tool_calls":[{{"index":0,"function":{{"arguments":{}}}}}]}}"#, json(text));
        for choice in each() {
            let call = format!(
                r#"{{"tool_calls":[{{"index":0,"id":"call_mock{}","type":"function","function":{{"name":{},"arguments":""}}}}]}}"#,
                self.answer.serial,
                json(name)
            );
            plan.event(self.delta(choice, &call));
            plan.event(self.delta(choice, &arguments(ARGUMENTS_START)));
        }
        for event in self.answer.said_events() {
            let delta = arguments(&json_inner(&event.text));
            plan.tokens(each().map(|choice| self.delta(choice, &delta)), event.times, event.tokens);
        }
        for choice in each().filter(|_| !self.answer.is_short) {
            plan.event(self.delta(choice, &arguments(ARGUMENTS_END)));
        }
    }

    fn usage_object(&self, output: impl std::fmt::Display, total: impl std::fmt::Display) -> String {
        let Usage { input, cached, reasoning, .. } = self.usage;
        let written = self.usage.written();
        let written = when(written > 0, || format!(r#","cache_write_tokens":{written}"#));
        let missed = input.saturating_sub(cached);
        let deepseek = when(self.answer.script.like == Like::Deepseek, || {
            format!(r#","prompt_cache_hit_tokens":{cached},"prompt_cache_miss_tokens":{missed}"#)
        });
        format!(
            r#"{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{total},"prompt_tokens_details":{{"cached_tokens":{cached},"audio_tokens":0{written}}},"completion_tokens_details":{{"reasoning_tokens":{reasoning},"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}{deepseek}}}"#
        )
    }

    /// With the chunks before the last: nothing, or null when usage was asked for and comes last.
    fn running_usage(&self) -> String {
        match self.answer.script.usage {
            UsageMode::Every => format!(r#","usage":{}"#, self.usage_object(OUTPUT, TOTAL)),
            UsageMode::None => String::new(),
            _ if self.answer.ask.usage => r#","usage":null"#.to_owned(),
            _ => String::new(),
        }
    }

    fn first_usage(&self) -> String {
        match self.answer.script.usage {
            UsageMode::StartOnly => format!(r#","usage":{}"#, self.usage_object(0, self.usage.input)),
            _ => self.running_usage(),
        }
    }

    fn finish_usage(&self) -> String {
        match self.answer.script.usage {
            UsageMode::WithFinish => format!(r#","usage":{}"#, self.final_usage()),
            _ => self.running_usage(),
        }
    }

    fn final_usage(&self) -> String {
        self.usage_object(self.usage.output, self.usage.total())
    }

    /// The chunk after the last choice's end.
    fn last_usage(&self, plan: &mut Plan) {
        let asked = self.answer.ask.usage;
        match self.answer.script.usage {
            UsageMode::None | UsageMode::StartOnly | UsageMode::WithFinish | UsageMode::Every => {}
            UsageMode::WithChoices => {
                let usage = format!(r#","usage":{}"#, self.final_usage());
                plan.event(self.choice(0, r#"{"role":"assistant","content":""}"#, "null", &usage));
            }
            UsageMode::Null if asked => plan.event(self.chunk("", r#","usage":null"#)),
            _ if asked => plan.event(self.chunk("", &format!(r#","usage":{}"#, self.final_usage()))),
            _ => {}
        }
    }
}
