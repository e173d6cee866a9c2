//! A request's messages, read into the conversation of a [`Query`].

use serde_json::Value;

use super::fields::{Fields, Notes, Place, missing, within, wrong};
use crate::dialect::Unreadable;
use crate::{Image, Message, Part, Query, Role, ToolCall};

/// Reads the messages into the query's instructions and conversation.
pub(super) fn read(list: &[Value], query: &mut Query, notes: &mut Notes) -> Result<(), Unreadable> {
    if list.is_empty() {
        return Err(Unreadable::new("messages", "messages is empty; send at least one message"));
    }
    let mut conversation = Conversation { query, calls: Vec::new(), after_result: false };
    notes.each("messages", list, |notes, message| conversation.message(message, notes))
}

/// The conversation so far.
struct Conversation<'a> {
    query: &'a mut Query,
    /// Ids and names of the calls so far: what a tool gave tells only the id.
    calls: Vec<(String, String)>,
    /// The last message told what a tool gave. What several tools gave is one message, as most dialects want it.
    after_result: bool,
}

impl Conversation<'_> {
    fn message(&mut self, message: &Value, notes: &mut Notes) -> Result<(), Unreadable> {
        let message = Fields::of(message)?;
        let role = message.need_text("role")?;
        let after_result = std::mem::replace(&mut self.after_result, matches!(role, "tool" | "function"));
        match role {
            "system" | "developer" => self.instructions(needed_content(message, notes)?),
            "user" => self.push(Role::User, needed_content(message, notes)?),
            "assistant" => self.assistant(message, notes)?,
            "tool" => {
                let id = message.need_text("tool_call_id")?.to_owned();
                let name = self.calls.iter().rev().find(|(call, _)| *call == id).map(|(_, name)| name.clone());
                self.result(id, name, needed_content(message, notes)?, after_result);
            }
            "function" => {
                let name = message.need_text("name")?.to_owned();
                let id = self.calls.iter().rev().find(|(_, called)| *called == name).map_or_else(|| call_id(0), |(id, _)| id.clone());
                self.result(id, Some(name), content(message, notes)?, after_result);
            }
            other => {
                let detail = format!("{other:?} is no role; use system, developer, user, assistant or tool");
                return Err(Unreadable::new("role", detail));
            }
        }
        Ok(())
    }

    fn push(&mut self, role: Role, parts: Vec<Part>) {
        self.query.messages.push(Message { role, parts });
    }

    fn instructions(&mut self, parts: Vec<Part>) {
        if self.query.messages.is_empty() {
            self.query.system.extend(parts);
        } else {
            self.push(Role::System, parts);
        }
    }

    fn result(&mut self, id: String, name: Option<String>, parts: Vec<Part>, after_result: bool) {
        let result = Part::ToolResult { id, name, parts, is_error: false };
        match self.query.messages.last_mut() {
            Some(last) if after_result => last.parts.push(result),
            _ => self.push(Role::User, vec![result]),
        }
    }

    fn assistant(&mut self, message: Fields<'_>, notes: &mut Notes) -> Result<(), Unreadable> {
        let mut parts = Vec::new();
        if let Some(text) = message.text("reasoning_content")?.or(message.text("reasoning")?).filter(|text| !text.is_empty()) {
            parts.push(Part::Thinking { text: text.to_owned(), signature: None });
        }
        // Clients send an empty text beside calls; other dialects refuse empty texts.
        parts.extend(content(message, notes)?.into_iter().filter(|part| !matches!(part, Part::Text(text) if text.is_empty())));
        parts.extend(message.text("refusal")?.map(|text| Part::Text(text.to_owned())));
        if message.get("audio").is_some() {
            notes.add("audio", only_here("an earlier spoken answer"));
        }
        if let Some(calls) = message.list("tool_calls")? {
            notes.each("tool_calls", calls, |notes, call| {
                parts.extend(tool_call(call, notes)?);
                Ok(())
            })?;
        }
        if let Some(call) = message.fields("function_call")? {
            let call = within(Place::Field("function_call"), function(call, call_id(self.calls.len())))?;
            parts.push(Part::ToolCall(call));
        }
        for part in &parts {
            if let Part::ToolCall(call) = part {
                self.calls.push((call.id.clone(), call.name.clone()));
            }
        }
        self.push(Role::Assistant, parts);
        Ok(())
    }
}

/// Calls of old had no ids: those of other dialects need some.
fn call_id(number: usize) -> String {
    format!("call_{number}")
}

fn tool_call(call: &Value, notes: &mut Notes) -> Result<Option<Part>, Unreadable> {
    let call = Fields::of(call)?;
    if call.text("type")? == Some("custom") {
        notes.add("type", only_here("a call of a custom tool"));
        return Ok(None);
    }
    let id = call.need_text("id")?.to_owned();
    within(Place::Field("function"), function(call.need_fields("function")?, id)).map(|call| Some(Part::ToolCall(call)))
}

fn function(function: Fields<'_>, id: String) -> Result<ToolCall, Unreadable> {
    let arguments = function.text("arguments")?.unwrap_or_default();
    Ok(ToolCall { id, name: function.need_text("name")?.to_owned(), arguments: arguments.to_owned() })
}

fn needed_content(message: Fields<'_>, notes: &mut Notes) -> Result<Vec<Part>, Unreadable> {
    if message.get("content").is_none() {
        return Err(missing("content", "a string or a list of parts"));
    }
    content(message, notes)
}

fn content(message: Fields<'_>, notes: &mut Notes) -> Result<Vec<Part>, Unreadable> {
    match message.get("content") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Part::Text(text.clone())]),
        Some(Value::Array(list)) => {
            let mut parts = Vec::with_capacity(list.len());
            notes.each("content", list, |notes, part| {
                parts.extend(content_part(part, notes)?);
                Ok(())
            })?;
            Ok(parts)
        }
        Some(other) => Err(wrong("content", "a string or a list of parts", other)),
    }
}

fn content_part(part: &Value, notes: &mut Notes) -> Result<Option<Part>, Unreadable> {
    let part = Fields::of(part)?;
    match part.need_text("type")? {
        "text" => Ok(Some(Part::Text(part.need_text("text")?.to_owned()))),
        "refusal" => Ok(Some(Part::Text(part.need_text("refusal")?.to_owned()))),
        "image_url" => {
            let image = part.need_fields("image_url")?.need_text("url").and_then(|url| image(url, "url"));
            within(Place::Field("image_url"), image).map(|image| Some(Part::Image(image)))
        }
        "file" => {
            let file = part.need_fields("file")?;
            match file.text("file_data").and_then(|data| data.map(|data| document(data, "file_data")).transpose()) {
                Ok(None) => {
                    notes.add("file", only_here("a file kept by the provider"));
                    Ok(None)
                }
                document => within(Place::Field("file"), document),
            }
        }
        other => {
            notes.add("type", only_here(&format!("a part of type {other:?}")));
            Ok(None)
        }
    }
}

/// A picture by its URL or its bytes as a data URL.
pub(crate) fn image(url: &str, field: &str) -> Result<Image, Unreadable> {
    Ok(match data_url(url, field)? {
        Some((media_type, data)) => Image::Data { media_type, data },
        None => Image::Url(url.to_owned()),
    })
}

/// A document by its bytes as a data URL.
pub(crate) fn document(url: &str, field: &str) -> Result<Part, Unreadable> {
    match data_url(url, field)? {
        Some((media_type, data)) => Ok(Part::Document { media_type, data }),
        None => Err(Unreadable::new(field, format!("{field} must be a data URL, such as data:application/pdf;base64,JVBERi0x"))),
    }
}

/// Media type and base64 of a data URL; `None` when it is another URL.
fn data_url(url: &str, field: &str) -> Result<Option<(String, String)>, Unreadable> {
    if !url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return Ok(None);
    }
    let parts = url.get(5..).and_then(|rest| rest.split_once(',')).and_then(|(head, data)| {
        let (media_type, parameters) = head.split_once(';')?;
        let is_base64 = parameters.rsplit(';').next().is_some_and(|last| last.eq_ignore_ascii_case("base64"));
        (is_base64 && !media_type.is_empty()).then(|| (media_type.to_owned(), data.to_owned()))
    });
    let help = || Unreadable::new(field, format!("{field} is a data URL that cannot be read; write it as data:image/png;base64,iVBORw0K"));
    parts.map(Some).ok_or_else(help)
}

/// What would help when the provider speaks another dialect.
fn only_here(what: &str) -> String {
    format!("{what} can go only to a provider that speaks Chat Completions itself; leave it out, or name such a provider as the model")
}
