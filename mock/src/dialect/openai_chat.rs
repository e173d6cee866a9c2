//! OpenAI's chat completions, and those who speak like it.

use std::fmt::Display;

use serde::Deserialize;

use super::{ARGUMENTS_START, Answer, Ask, CREATED, Call, Dialect, Head, Text, Usage, array, body, json_inner, object, when};
use crate::plan::{OUTPUT, Plan, TOTAL};
use crate::script::{Like, UsageMode};
use crate::words::Words;

pub(crate) struct OpenaiChat;

#[derive(Deserialize)]
struct Request {
    model: String,
    messages: Words,
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
        let told = writer.tells_thoughts();
        let mut hidden = if told { 0 } else { answer.reasoning * u64::from(answer.answers()) };
        for choice in 0..answer.answers() {
            let delta = r#"{"role":"assistant","content":"","refusal":null}"#;
            plan.hidden(writer.choice(choice, delta, "null", &writer.first_usage()), std::mem::take(&mut hidden));
        }
        if told {
            for event in answer.thought_events() {
                let delta = object(&[("reasoning_content", &Text(&event.text))]);
                plan.tokens(writer.deltas(&delta), event.times, event.tokens);
            }
        }
        writer.say(&mut plan);
        for choice in 0..answer.answers() {
            plan.event(writer.choice(choice, "{}", &writer.finish(), &writer.finish_usage()));
        }
        writer.last_usage(&mut plan);
        if answer.script.done {
            plan.event("data: [DONE]\n\n".to_owned());
        }
        plan
    }

    fn whole(answer: &Answer<'_>) -> String {
        let writer = Writer { answer, usage: answer.usage() };
        let calls = answer.calls().into_iter().map(|call| {
            let function = object(&[("name", &call.name), ("arguments", &Text(&call.arguments()))]);
            object(&[("id", &call.id("call_")), ("type", &Text("function")), ("function", &function)])
        });
        let calls = when(calls.len() > 0, || array(calls));
        let content = if calls.is_empty() { Text(&answer.said_text()).to_string() } else { "null".to_owned() };
        let thoughts = when(writer.tells_thoughts(), || Text(&answer.thought_text()).to_string());
        let message = object(&[
            ("role", &Text("assistant")),
            ("content", &content),
            ("reasoning_content", &thoughts),
            ("tool_calls", &calls),
            ("refusal", &"null"),
            ("annotations", &"[]"),
        ]);
        let finish = writer.finish();
        let choices = (0..answer.answers())
            .map(|choice| object(&[("index", &choice), ("message", &message), ("logprobs", &"null"), ("finish_reason", &finish)]));
        writer.completion("chat.completion", &array(choices), &answer.usage_or(|| writer.final_usage()))
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
    let error = object(&[("message", &Text(message)), ("type", &Text(kind)), ("param", &"null"), ("code", &code)]);
    object(&[("error", &error)])
}

struct Writer<'a> {
    answer: &'a Answer<'a>,
    usage: Usage,
}

impl Writer<'_> {
    fn tells_thoughts(&self) -> bool {
        self.answer.tells_thoughts(self.answer.script.like == Like::Deepseek)
    }

    fn finish(&self) -> String {
        self.answer.finish("length", "tool_calls", "stop")
    }

    /// A completion, or a chunk of one.
    fn completion(&self, kind: &str, choices: &str, usage: &str) -> String {
        object(&[
            ("id", &self.answer.id("chatcmpl-")),
            ("object", &Text(kind)),
            ("created", &CREATED),
            ("model", &self.answer.model),
            ("service_tier", &Text("default")),
            ("system_fingerprint", &Text("fp_mock")),
            ("choices", &choices),
            ("usage", &usage),
        ])
    }

    fn chunk(&self, choices: &str, usage: &str) -> String {
        format!("data: {}\n\n", self.completion("chat.completion.chunk", choices, usage))
    }

    fn choice(&self, choice: u32, delta: &str, finish: &str, usage: &str) -> String {
        let choice = object(&[("index", &choice), ("delta", &delta), ("logprobs", &"null"), ("finish_reason", &finish)]);
        self.chunk(&array([choice]), usage)
    }

    /// The same delta for each choice.
    fn deltas(&self, delta: &str) -> Vec<String> {
        let usage = self.running_usage();
        (0..self.answer.answers()).map(|choice| self.choice(choice, delta, "null", &usage)).collect()
    }

    /// The text, or the calls.
    fn say(&self, plan: &mut Plan) {
        let calls = self.answer.calls();
        if calls.is_empty() {
            for event in self.answer.said_events() {
                let delta = object(&[("content", &Text(&event.text))]);
                plan.tokens(self.deltas(&delta), event.times, event.tokens);
            }
        }
        for call in calls {
            self.call(plan, &call);
        }
    }

    fn call(&self, plan: &mut Plan, call: &Call<'_>) {
        let deltas = |call: String| self.deltas(&object(&[("tool_calls", &array([call]))]));
        let arguments = |text: &str| {
            let function = object(&[("arguments", &Text(text))]);
            deltas(object(&[("index", &call.index), ("function", &function)]))
        };
        let function = object(&[("name", &call.name), ("arguments", &Text(""))]);
        let id = call.id("call_");
        plan.events(deltas(object(&[("index", &call.index), ("id", &id), ("type", &Text("function")), ("function", &function)])));
        plan.events(arguments(ARGUMENTS_START));
        for event in &call.events {
            plan.tokens(arguments(&json_inner(&event.text)), event.times, event.tokens);
        }
        if !call.end.is_empty() {
            plan.events(arguments(call.end));
        }
    }

    fn usage_object(&self, output: impl Display, total: impl Display) -> String {
        let Usage { input, cached, reasoning, .. } = self.usage;
        let written = when(self.usage.written() > 0, || self.usage.written().to_string());
        let is_deepseek = self.answer.script.like == Like::Deepseek;
        object(&[
            ("prompt_tokens", &input),
            ("completion_tokens", &output),
            ("total_tokens", &total),
            ("prompt_tokens_details", &object(&[("cached_tokens", &cached), ("audio_tokens", &0), ("cache_write_tokens", &written)])),
            (
                "completion_tokens_details",
                &object(&[
                    ("reasoning_tokens", &reasoning),
                    ("audio_tokens", &0),
                    ("accepted_prediction_tokens", &0),
                    ("rejected_prediction_tokens", &0),
                ]),
            ),
            ("prompt_cache_hit_tokens", &when(is_deepseek, || cached.to_string())),
            ("prompt_cache_miss_tokens", &when(is_deepseek, || input.saturating_sub(cached).to_string())),
        ])
    }

    /// With the chunks before the last: nothing, or null when usage was asked for and comes last.
    fn running_usage(&self) -> String {
        match self.answer.script.usage {
            UsageMode::Every => self.usage_object(OUTPUT, TOTAL),
            UsageMode::None => String::new(),
            _ => when(self.answer.ask.usage, || "null".to_owned()),
        }
    }

    fn first_usage(&self) -> String {
        match self.answer.script.usage {
            UsageMode::StartOnly => self.usage_object(0, self.usage.input),
            _ => self.running_usage(),
        }
    }

    fn finish_usage(&self) -> String {
        match self.answer.script.usage {
            UsageMode::WithFinish => self.final_usage(),
            _ => self.running_usage(),
        }
    }

    fn final_usage(&self) -> String {
        self.usage_object(self.usage.output, self.usage.total())
    }

    /// The chunk after the last choice's end.
    fn last_usage(&self, plan: &mut Plan) {
        match self.answer.script.usage {
            UsageMode::None | UsageMode::StartOnly | UsageMode::WithFinish | UsageMode::Every => {}
            UsageMode::WithChoices => {
                plan.event(self.choice(0, r#"{"role":"assistant","content":""}"#, "null", &self.final_usage()));
            }
            _ if self.answer.ask.usage => plan.event(self.chunk("[]", &self.answer.usage_or(|| self.final_usage()))),
            _ => {}
        }
    }
}
