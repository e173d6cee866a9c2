//! An answer as a response: its items, and the object that holds them.

use lab3_compute::Usage;
use serde_json::{Map, Value, json};

use crate::dialect::Receipt;
use crate::dialect::openai_chat::call_id;
use crate::{Answer, Effort, Finish, Format, Query, ToolChoice};

/// An item of an answer.
#[derive(Debug)]
pub(super) struct Item {
    /// Its id.
    pub(super) id: String,
    /// What it is.
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Thoughts shown, and what proves them.
    Thoughts { summary: String, signature: String },
    /// Words.
    Message { parts: Vec<Said> },
    /// A call, by its number.
    Call { call: u32, id: String, name: String, arguments: String },
}

/// Part of what is said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) is_refusal: bool,
    pub(super) text: String,
}

impl Said {
    pub(super) fn to_json(&self) -> Value {
        if self.is_refusal {
            json!({"type": "refusal", "refusal": self.text})
        } else {
            json!({"type": "output_text", "text": self.text, "annotations": [], "logprobs": []})
        }
    }
}

impl Item {
    /// An item at its place in a response.
    pub(super) fn new(response: &str, index: usize, kind: Kind) -> Self {
        let prefix = match kind {
            Kind::Thoughts { .. } => "rs",
            Kind::Message { .. } => "msg",
            Kind::Call { .. } => "fc",
        };
        Self { id: format!("{prefix}_{}_{index}", response.trim_start_matches("resp_")), kind }
    }

    pub(super) fn to_json(&self, status: &str) -> Value {
        match &self.kind {
            Kind::Thoughts { summary, signature } => {
                let summary = if summary.is_empty() { json!([]) } else { json!([summary_part(summary)]) };
                let mut item = json!({"id": self.id, "type": "reasoning", "status": status, "summary": summary});
                if !signature.is_empty() {
                    item["encrypted_content"] = signature.as_str().into();
                }
                item
            }
            Kind::Message { parts } => {
                let content: Vec<Value> = parts.iter().map(Said::to_json).collect();
                json!({"id": self.id, "type": "message", "status": status, "role": "assistant", "content": content})
            }
            Kind::Call { call, id, name, arguments } => {
                let call_id = call_id(id, *call);
                let kind = "function_call";
                json!({"id": self.id, "type": kind, "status": status, "call_id": call_id, "name": name, "arguments": arguments})
            }
        }
    }
}

/// A part of a summary.
pub(super) fn summary_part(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

/// A response, whatever state it is in.
#[derive(Debug)]
pub(super) struct Response {
    /// What stays the same: the query's settings, and who answers.
    fields: Map<String, Value>,
}

impl Response {
    pub(super) fn new(query: &Query) -> Self {
        let tools = query.tools.iter().map(|tool| {
            let (name, description, parameters) = (&tool.name, &tool.description, &tool.parameters);
            json!({"type": "function", "name": name, "description": description, "parameters": parameters, "strict": tool.strict})
        });
        let effort = query.effort.as_ref().and_then(|effort| if let Effort::Word(word) = effort { Some(word) } else { None });
        let fields = [
            ("object", json!("response")),
            ("created_at", json!(query.asked_at)),
            ("model", json!(query.model)),
            ("background", json!(false)),
            ("instructions", Value::Null),
            ("max_output_tokens", json!(query.output_tokens_max)),
            ("metadata", json!({})),
            ("parallel_tool_calls", json!(query.parallel_tools.unwrap_or(true))),
            ("previous_response_id", Value::Null),
            ("reasoning", json!({"effort": effort, "summary": null})),
            ("store", json!(false)),
            ("temperature", json!(query.temperature)),
            ("text", json!({"format": format(&query.format)})),
            ("tool_choice", tool_choice(&query.tool_choice)),
            ("tools", tools.collect()),
            ("top_p", json!(query.top_p)),
            ("truncation", json!("disabled")),
        ];
        Self { fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }

    /// Sets who answers.
    pub(super) fn answered_by(&mut self, model: &str) {
        if !model.is_empty() {
            self.fields.insert("model".to_owned(), model.into());
        }
    }

    /// The response in a state, without the receipt.
    pub(super) fn to_json(&self, id: &str, state: &State<'_>, output: &[Value]) -> Value {
        let mut response = self.fields.clone();
        let usage = match state {
            State::Ended { usage, .. } => usage.map(|usage| self::usage(&usage)),
            _ => None,
        };
        let (status, incomplete, error) = state.told();
        let fields = [
            ("id", json!(id)),
            ("status", json!(status)),
            ("error", error),
            ("incomplete_details", incomplete.map_or(Value::Null, |reason| json!({"reason": reason}))),
            ("output", json!(output)),
            ("usage", json!(usage)),
        ];
        response.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Value::Object(response)
    }
}

/// How a response stands.
#[derive(Debug)]
pub(super) enum State<'a> {
    /// It is being made.
    InProgress,
    /// It ended.
    Ended { finish: Option<&'a Finish>, usage: Option<Usage> },
    /// It failed.
    Failed { error: Value },
}

impl State<'_> {
    /// The status, why it is incomplete, what failed.
    fn told(&self) -> (&'static str, Option<&'static str>, Value) {
        match self {
            Self::InProgress => ("in_progress", None, Value::Null),
            Self::Failed { error } => ("failed", None, error.clone()),
            Self::Ended { finish, .. } => match incomplete(*finish) {
                None => ("completed", None, Value::Null),
                reason => ("incomplete", reason, Value::Null),
            },
        }
    }
}

/// Why a response is incomplete; what was cut off is as long as was allowed.
pub(super) fn incomplete(finish: Option<&Finish>) -> Option<&'static str> {
    match finish {
        Some(Finish::Stop | Finish::StopText(_) | Finish::ToolCalls | Finish::Paused) => None,
        Some(Finish::Length) | None => Some("max_output_tokens"),
        Some(Finish::Filtered) => Some("content_filter"),
    }
}

/// An id as clients know it.
pub(super) fn response_id(id: &str) -> String {
    match id {
        "" => "resp_lab3".to_owned(),
        id if id.starts_with("resp_") => id.to_owned(),
        id => format!("resp_{id}"),
    }
}

/// The whole answer.
pub(super) fn whole(query: &Query, answer: &Answer, receipt: &Receipt) -> Vec<u8> {
    let id = response_id(&answer.id);
    let mut kinds = Vec::new();
    let signature = answer.signature.clone().unwrap_or_default();
    if !answer.thinking.is_empty() || !signature.is_empty() {
        kinds.push(Kind::Thoughts { summary: answer.thinking.clone(), signature });
    }
    let said = [(false, &answer.text), (true, &answer.refusal)];
    let said = said.into_iter().filter(|(_, text)| !text.is_empty());
    let parts: Vec<Said> = said.map(|(is_refusal, text)| Said { is_refusal, text: text.clone() }).collect();
    if !parts.is_empty() {
        kinds.push(Kind::Message { parts });
    }
    for (number, call) in (0..).zip(answer.calls.clone()) {
        kinds.push(Kind::Call { call: number, id: call.id, name: call.name, arguments: call.arguments });
    }
    let items = kinds.into_iter().enumerate().map(|(index, kind)| Item::new(&id, index, kind)).collect::<Vec<_>>();
    let state = State::Ended { finish: answer.finish.as_ref(), usage: answer.usage };
    let output = ended(&items, answer.finish.as_ref());
    let mut response = Response::new(query);
    response.answered_by(&answer.model);
    receipt.beside(&response.to_json(&id, &state, &output).to_string()).into_bytes()
}

/// The items of a response that ended: if it is incomplete, the last one is.
pub(super) fn ended(items: &[Item], finish: Option<&Finish>) -> Vec<Value> {
    let status = |index: usize| if incomplete(finish).is_some() && index + 1 == items.len() { "incomplete" } else { "completed" };
    items.iter().enumerate().map(|(index, item)| item.to_json(status(index))).collect()
}

/// The usage as clients read it.
pub(super) fn usage(usage: &Usage) -> Value {
    let input = usage.query_tokens();
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": written},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": input.saturating_add(usage.output),
    })
}

fn format(format: &Format) -> Value {
    match format {
        Format::Text => json!({"type": "text"}),
        Format::Json => json!({"type": "json_object"}),
        Format::Schema { name, schema, strict } => json!({"type": "json_schema", "name": name, "schema": schema, "strict": strict}),
    }
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Any => json!("required"),
        ToolChoice::Named(name) => json!({"type": "function", "name": name}),
    }
}
