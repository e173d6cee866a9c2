//! A query from another dialect, written as a provider's request.

use serde_json::{Map, Value, json};

use super::{Flavour, LimitField};
use crate::dialect::{Terms, Unreadable};
use crate::{Effort, Format, Image, Message, Part, Query, Role, Tool, ToolChoice};

/// Most stop texts OpenAI takes.
const STOP_TEXTS_MAX: usize = 4;

/// The request's body.
pub(super) fn body(query: &Query, terms: &Terms, flavour: Flavour) -> Result<Value, Unreadable> {
    can_say(query, flavour)?;
    let mut body = Map::new();
    body.insert("model".to_owned(), terms.model.as_str().into());
    body.insert("messages".to_owned(), messages(query, flavour));
    body.insert(LimitField::of(flavour).name().to_owned(), terms.output_tokens_max.into());
    body.insert("stream".to_owned(), true.into());
    body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    let mut set = |name: &str, value: Option<Value>| {
        body.extend(value.map(|value| (name.to_owned(), value)));
    };
    set("temperature", query.temperature.clone().map(Value::Number));
    set("top_p", query.top_p.clone().map(Value::Number));
    set("frequency_penalty", query.frequency_penalty.clone().map(Value::Number));
    set("presence_penalty", query.presence_penalty.clone().map(Value::Number));
    set("seed", query.seed.map(Value::from));
    set("top_k", query.top_k.filter(|_| flavour == Flavour::Compatible).map(Value::from));
    set("stop", (!query.stop.is_empty()).then(|| query.stop.as_slice().into()));
    set("response_format", format(&query.format));
    set("reasoning_effort", query.effort.as_ref().and_then(effort).map(Value::from));
    // Without tools OpenAI refuses whatever is said of them.
    if !query.tools.is_empty() {
        set("tools", Some(query.tools.iter().map(tool).collect()));
        set("tool_choice", tool_choice(&query.tool_choice));
        set("parallel_tool_calls", query.parallel_tools.map(Value::Bool));
    }
    Ok(Value::Object(body))
}

/// Whether the dialect, or this flavour of it, has words for all of it.
pub(super) fn can_say(query: &Query, flavour: Flavour) -> Result<(), Unreadable> {
    let refuse = |field: &str, detail: &str| Err(Unreadable::new(field, detail));
    if let Some(tool) = query.hosted_tools.first() {
        return refuse("tools", &format!("this provider does not run {tool}; leave it out, or name a provider that does as the model"));
    }
    if query.answers > 1 {
        return refuse("n", "this provider gives one answer at a time; leave n out, or ask several times");
    }
    if flavour == Flavour::OpenAi && query.stop.len() > STOP_TEXTS_MAX {
        return refuse("stop", &format!("this provider takes at most {STOP_TEXTS_MAX} stop texts; send fewer"));
    }
    if flavour == Flavour::DeepSeek && matches!(query.format, Format::Schema { .. }) {
        return refuse("response_format", "this provider knows no schemas; ask for a JSON object and describe it in the prompt");
    }
    let parts = query.messages.iter().flat_map(|message| message.parts.iter().map(|part| (message.role, part)));
    let mut parts = query.system.iter().map(|part| (Role::System, part)).chain(parts);
    parts.try_for_each(|(role, part)| fits(part, role, flavour))
}

/// Whether a part can be said by who says it.
fn fits(part: &Part, role: Role, flavour: Flavour) -> Result<(), Unreadable> {
    let refuse = |detail: &str| Err(Unreadable::new("messages", detail));
    match part {
        Part::Text(_) | Part::Image(_) | Part::Thinking { .. } => Ok(()),
        Part::ToolCall(_) if role == Role::Assistant => Ok(()),
        // Pictures it gave are told as the user's.
        Part::ToolResult { parts, .. } if role == Role::User => parts.iter().try_for_each(|part| fits(part, Role::System, flavour)),
        Part::Document { .. } if flavour == Flavour::OpenAi => Ok(()),
        Part::Document { .. } => refuse("this provider reads no documents; send their text, or name a provider that does as the model"),
        Part::ToolCall(_) | Part::ToolResult { .. } => refuse("calls of tools belong to the assistant, what they gave to the user"),
    }
}

fn messages(query: &Query, flavour: Flavour) -> Value {
    let mut out = Vec::with_capacity(query.messages.len() + 1);
    if !query.system.is_empty() {
        out.push(json!({"role": "system", "content": content(&query.system)}));
    }
    for message in &query.messages {
        match message.role {
            Role::System => out.push(json!({"role": "system", "content": content(&message.parts)})),
            Role::User => user(message, &mut out),
            Role::Assistant => out.push(assistant(message, flavour)),
        }
    }
    Value::Array(out)
}

/// What tools gave are messages of their own, and come first: they must follow the calls.
fn user(message: &Message, out: &mut Vec<Value>) {
    let mut said = Vec::new();
    let mut pictures = Vec::new();
    for part in &message.parts {
        let Part::ToolResult { id, parts, is_error, .. } = part else {
            said.push(part.clone());
            continue;
        };
        let (texts, others): (Vec<Part>, Vec<Part>) = parts.iter().cloned().partition(|part| matches!(part, Part::Text(_)));
        // There is no other place to say so.
        let text = if *is_error { format!("Error: {}", joined(&texts)) } else { joined(&texts) };
        out.push(json!({"role": "tool", "tool_call_id": id, "content": text}));
        pictures.extend(others);
    }
    // A tool's message has text only: the pictures it gave come after it, as the user's.
    pictures.extend(said);
    if !pictures.is_empty() {
        out.push(json!({"role": "user", "content": content(&pictures)}));
    }
}

fn assistant(message: &Message, flavour: Flavour) -> Value {
    let (mut said, mut calls, mut thoughts) = (Vec::new(), Vec::new(), String::new());
    for part in &message.parts {
        match part {
            Part::ToolCall(call) => {
                let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
                let function = json!({"name": call.name, "arguments": arguments});
                calls.push(json!({"id": call.id, "type": "function", "function": function}));
            }
            Part::Thinking { text, .. } => thoughts.push_str(text),
            other => said.push(other.clone()),
        }
    }
    let mut out = json!({"role": "assistant", "content": content(&said)});
    if !calls.is_empty() {
        out["tool_calls"] = calls.into();
        if said.is_empty() {
            out["content"] = Value::Null;
        }
    }
    // DeepSeek wants its thoughts back after calls; others do not know the field.
    if flavour == Flavour::DeepSeek && !thoughts.is_empty() {
        out["reasoning_content"] = thoughts.into();
    }
    out
}

/// Words alone as one string, which every server takes; else a list of parts.
fn content(parts: &[Part]) -> Value {
    if parts.iter().all(|part| matches!(part, Part::Text(_) | Part::Thinking { .. })) {
        return joined(parts).into();
    }
    parts.iter().filter_map(content_part).collect()
}

fn joined(parts: &[Part]) -> String {
    let texts = parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None });
    texts.collect::<Vec<_>>().join("\n\n")
}

/// A part of a list; what has a place of its own, or none, is no part of it.
fn content_part(part: &Part) -> Option<Value> {
    match part {
        Part::Text(text) => Some(json!({"type": "text", "text": text})),
        Part::Image(Image::Url(url)) => Some(json!({"type": "image_url", "image_url": {"url": url}})),
        Part::Image(Image::Data { media_type, data }) => {
            Some(json!({"type": "image_url", "image_url": {"url": format!("data:{media_type};base64,{data}")}}))
        }
        Part::Document { media_type, data } => {
            let file_data = format!("data:{media_type};base64,{data}");
            Some(json!({"type": "file", "file": {"filename": "document.pdf", "file_data": file_data}}))
        }
        Part::ToolCall(_) | Part::ToolResult { .. } | Part::Thinking { .. } => None,
    }
}

fn tool(tool: &Tool) -> Value {
    let mut function = json!({"name": tool.name, "parameters": tool.parameters});
    if !tool.description.is_empty() {
        function["description"] = tool.description.as_str().into();
    }
    if let Some(strict) = tool.strict {
        function["strict"] = strict.into();
    }
    json!({"type": "function", "function": function})
}

fn tool_choice(choice: &ToolChoice) -> Option<Value> {
    match choice {
        ToolChoice::Auto => None,
        ToolChoice::None => Some("none".into()),
        ToolChoice::Any => Some("required".into()),
        ToolChoice::Named(name) => Some(json!({"type": "function", "function": {"name": name}})),
    }
}

fn format(format: &Format) -> Option<Value> {
    match format {
        Format::Text => None,
        Format::Json => Some(json!({"type": "json_object"})),
        Format::Schema { name, schema, strict } => {
            let mut inner = json!({"name": name, "schema": schema});
            if let Some(strict) = strict {
                inner["strict"] = (*strict).into();
            }
            Some(json!({"type": "json_schema", "json_schema": inner}))
        }
    }
}

/// The effort in a word. Where no thoughts at all are wanted nothing is said: not every model has a word for it, and some refuse the
/// field.
fn effort(effort: &Effort) -> Option<&str> {
    match effort {
        Effort::Word(word) => Some(word),
        Effort::Tokens(0) => None,
        Effort::Tokens(..=4_096) => Some("low"),
        Effort::Tokens(..=16_384) => Some("medium"),
        Effort::Tokens(_) => Some("high"),
    }
}
