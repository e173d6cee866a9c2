//! A query as a request to an Ollama server.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::dialect::{Terms, Unreadable};
use crate::{Effort, Envelope, Format, Image, Message, Part, Query, Role, ToolCall, ToolChoice};

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: Vec<WireMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Value>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<WireFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<Value>,
    options: Options<'a>,
}

#[derive(Default, Serialize)]
struct WireMessage<'a> {
    role: &'static str,
    content: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    thinking: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct WireCall<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    arguments: &'a RawValue,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WireFormat<'a> {
    Word(&'static str),
    Schema(&'a Value),
}

#[derive(Serialize)]
struct Options<'a> {
    num_predict: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<&'a Number>,
}

/// Whether this dialect has words for all of it.
pub(super) fn can_say(query: &Query) -> Result<(), Unreadable> {
    if query.answers > 1 {
        return Err(Unreadable::new("n", "this provider gives one answer at a time; ask again for another"));
    }
    if !query.hosted_tools.is_empty() {
        return Err(Unreadable::new("tools", "this provider runs no tools itself; give functions only"));
    }
    if matches!(query.tool_choice, ToolChoice::Any | ToolChoice::Named(_)) {
        return Err(Unreadable::new("tool_choice", "this provider cannot be made to call a tool; leave the choice to the model"));
    }
    query.system.iter().try_for_each(|part| fits("system", part))?;
    let mut messages = query.messages.iter().enumerate();
    messages.try_for_each(|(at, message)| message.parts.iter().try_for_each(|part| fits(&format!("messages[{at}]"), part)))
}

fn fits(field: &str, part: &Part) -> Result<(), Unreadable> {
    match part {
        Part::Thinking { .. } => Ok(()),
        Part::ToolCall(call) => wire_call(field, call).map(drop),
        Part::ToolResult { parts, .. } => parts.iter().try_for_each(|part| is_content(field, part)),
        other => is_content(field, other),
    }
}

fn is_content(field: &str, part: &Part) -> Result<(), Unreadable> {
    match part {
        Part::Text(_) | Part::Image(Image::Data { .. }) => Ok(()),
        Part::Image(Image::Url(_)) => Err(Unreadable::new(field, "this provider fetches no images; send the image itself, in base64")),
        _ => Err(Unreadable::new(field, "this provider takes only text and images; give a document's text instead")),
    }
}

/// The body of a request for a query.
pub(super) fn body(query: &Query, terms: &Terms) -> Result<Vec<u8>, Unreadable> {
    can_say(query)?;
    let mut messages = Vec::new();
    if !query.system.is_empty() {
        add_turn(&mut messages, "system", "system", &query.system)?;
    }
    for (at, message) in query.messages.iter().enumerate() {
        let Message { role, parts } = message;
        let role = match role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System => "system",
        };
        add_turn(&mut messages, &format!("messages[{at}]"), role, parts)?;
    }
    let request = Request {
        model: &terms.model,
        messages,
        tools: tools(query),
        stream: true,
        format: match &query.format {
            Format::Text => None,
            Format::Json => Some(WireFormat::Word("json")),
            Format::Schema { schema, .. } => Some(WireFormat::Schema(schema)),
        },
        think: query.effort.as_ref().and_then(|effort| think(&terms.model, effort)),
        options: options(query, terms),
    };
    serde_json::to_vec(&request).map_err(|error| Unreadable::new("", error.to_string()))
}

/// The client's own body with the model, the stream and the limit set; `None` when it has no messages.
pub(super) fn adapted(body: &[u8], terms: &Terms) -> Result<Option<Vec<u8>>, Unreadable> {
    let mut fields = Envelope::read(body).map_err(|error| Unreadable::new("", format!("the body must be a JSON object: {error}")))?;
    if fields.get("messages").is_none() {
        return Ok(None);
    }
    let mut options = match fields.get("options") {
        None | Some("null") => Map::new(),
        Some(text) => serde_json::from_str(text).map_err(|_| Unreadable::new("options", "`options` must be an object"))?,
    };
    options.insert("num_predict".to_owned(), num_predict(terms).into());
    fields.set("model", &Value::from(terms.model.as_str()));
    fields.set("stream", &Value::Bool(true));
    fields.set("options", &Value::Object(options));
    Ok(Some(fields.to_bytes()))
}

/// Most tokens of the answer, thoughts included. Never 0, which would be no limit at all.
fn num_predict(terms: &Terms) -> u64 {
    terms.output_tokens_max.clamp(1, i32::MAX.unsigned_abs().into())
}

fn options<'a>(query: &'a Query, terms: &Terms) -> Options<'a> {
    Options {
        num_predict: num_predict(terms),
        temperature: query.temperature.as_ref(),
        top_p: query.top_p.as_ref(),
        top_k: query.top_k,
        seed: query.seed,
        stop: &query.stop,
        frequency_penalty: query.frequency_penalty.as_ref(),
        presence_penalty: query.presence_penalty.as_ref(),
    }
}

fn tools(query: &Query) -> Vec<Value> {
    // What it does not know it cannot call.
    if query.tool_choice == ToolChoice::None {
        return Vec::new();
    }
    let wire = |tool: &crate::Tool| {
        let function = serde_json::json!({"name": tool.name, "description": tool.description, "parameters": tool.parameters});
        serde_json::json!({"type": "function", "function": function})
    };
    query.tools.iter().map(wire).collect()
}

/// How the model is told to think. Only gpt-oss knows degrees, and others refuse them; models that cannot think refuse to be told
/// to, while those that can do so unless they are told not to.
fn think(model: &str, effort: &Effort) -> Option<Value> {
    let degree = match effort {
        Effort::Word(word) if word == "none" => return Some(Value::Bool(false)),
        Effort::Tokens(0) => return Some(Value::Bool(false)),
        _ if !model.contains("gpt-oss") => return None,
        Effort::Word(word) => match word.as_str() {
            "minimal" | "low" => "low",
            "medium" => "medium",
            "high" | "xhigh" | "max" => "high",
            _ => return None,
        },
        Effort::Tokens(..=1_024) => "low",
        Effort::Tokens(..=8_192) => "medium",
        Effort::Tokens(_) => "high",
    };
    Some(degree.into())
}

/// Adds a turn. Results of tools in it are messages of their own.
fn add_turn<'a>(messages: &mut Vec<WireMessage<'a>>, field: &str, role: &'static str, parts: &'a [Part]) -> Result<(), Unreadable> {
    let mut turn = WireMessage { role, ..WireMessage::default() };
    for part in parts {
        match part {
            Part::Thinking { text, .. } => turn.thinking.push_str(text),
            Part::ToolCall(call) => turn.tool_calls.push(wire_call(field, call)?),
            Part::ToolResult { id, name, parts, .. } => {
                flush(messages, &mut turn);
                let mut result = WireMessage {
                    role: "tool",
                    tool_name: name.as_deref().or_else(|| name_of(messages, id)),
                    tool_call_id: Some(id.as_str()).filter(|id| !id.is_empty()),
                    ..WireMessage::default()
                };
                for part in parts {
                    add_content(&mut result, part);
                }
                messages.push(result);
            }
            _ => add_content(&mut turn, part),
        }
    }
    flush(messages, &mut turn);
    Ok(())
}

fn flush<'a>(messages: &mut Vec<WireMessage<'a>>, turn: &mut WireMessage<'a>) {
    let role = turn.role;
    let turn = std::mem::replace(turn, WireMessage { role, ..WireMessage::default() });
    if !(turn.content.is_empty() && turn.thinking.is_empty() && turn.images.is_empty() && turn.tool_calls.is_empty()) {
        messages.push(turn);
    }
}

/// The function that the last call with an id was of.
fn name_of<'a>(messages: &[WireMessage<'a>], id: &str) -> Option<&'a str> {
    let mut calls = messages.iter().rev().flat_map(|message| &message.tool_calls);
    calls.find(|call| call.id == id).map(|call| call.function.name)
}

fn add_content<'a>(message: &mut WireMessage<'a>, part: &'a Part) {
    match part {
        Part::Text(text) if text.is_empty() => {}
        Part::Text(text) => {
            // As Ollama itself joins what one speaker says in several messages.
            if !message.content.is_empty() {
                message.content.push_str("\n\n");
            }
            message.content.push_str(text);
        }
        Part::Image(Image::Data { data, .. }) => message.images.push(data),
        // Nothing else fits, which was found before.
        _ => {}
    }
}

fn wire_call<'a>(field: &str, call: &'a ToolCall) -> Result<WireCall<'a>, Unreadable> {
    let text = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.trim() };
    let arguments = serde_json::from_str::<&RawValue>(text).ok().filter(|arguments| arguments.get().starts_with('{'));
    let arguments =
        arguments.ok_or_else(|| Unreadable::new(field, format!("the arguments of the call of {} must be a JSON object", call.name)))?;
    Ok(WireCall { id: &call.id, function: WireFunction { name: &call.name, arguments } })
}
