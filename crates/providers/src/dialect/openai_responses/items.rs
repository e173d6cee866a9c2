//! A request's input items, read into the conversation of a [`Query`].

use serde_json::Value;

use crate::dialect::Unreadable;
use crate::dialect::openai_chat::{Fields, Notes, document, image, missing, wrong};
use crate::{Message, Part, Query, Role, ToolCall};

/// Reads the items into the query's instructions and conversation.
pub(super) fn read(list: &[Value], query: &mut Query, notes: &mut Notes) -> Result<(), Unreadable> {
    if list.is_empty() {
        return Err(Unreadable::new("input", "input is empty; send at least one item"));
    }
    let mut conversation = Conversation { query, last: Last::Other };
    notes.each("input", list, |notes, item| conversation.item(item, notes))
}

/// The conversation so far. Thoughts, words and calls of the model are items of their own and one message elsewhere, and so is what
/// several tools gave.
struct Conversation<'a> {
    query: &'a mut Query,
    last: Last,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Model,
    Results,
    Other,
}

impl Conversation<'_> {
    fn item(&mut self, item: &Value, notes: &mut Notes) -> Result<(), Unreadable> {
        let item = Fields::of(item)?;
        match item.text("type")?.unwrap_or("message") {
            "message" => self.message(item, notes),
            "reasoning" => {
                let (text, signature) = (thoughts(item)?, item.text("encrypted_content")?.map(str::to_owned));
                if !text.is_empty() || signature.is_some() {
                    self.push(Last::Model, vec![Part::Thinking { text, signature }]);
                }
                Ok(())
            }
            "function_call" => {
                let id = item.need_text("call_id")?.to_owned();
                let name = item.need_text("name")?.to_owned();
                let arguments = item.text("arguments")?.unwrap_or_default().to_owned();
                self.push(Last::Model, vec![Part::ToolCall(ToolCall { id, name, arguments })]);
                Ok(())
            }
            "function_call_output" => {
                let id = item.need_text("call_id")?.to_owned();
                let name = self.called(&id);
                let parts = content(item, "output", notes)?;
                self.push(Last::Results, vec![Part::ToolResult { id, name, parts, is_error: false }]);
                Ok(())
            }
            "item_reference" => {
                Err(Unreadable::new("type", "this desk keeps no items to refer to; send the item itself, and use store: false"))
            }
            other => {
                notes.add("type", only_here(&format!("an item of type {other:?}")));
                Ok(())
            }
        }
    }

    fn message(&mut self, item: Fields<'_>, notes: &mut Notes) -> Result<(), Unreadable> {
        let role = item.need_text("role")?;
        let parts = content(item, "content", notes)?;
        match role {
            "user" => self.push(Last::Other, parts),
            "assistant" => self.push(Last::Model, parts),
            "system" | "developer" if self.query.messages.is_empty() => self.query.system.extend(parts),
            "system" | "developer" => {
                self.last = Last::Other;
                self.query.messages.push(Message { role: Role::System, parts });
            }
            other => return Err(Unreadable::new("role", format!("{other:?} is no role; use system, developer, user or assistant"))),
        }
        Ok(())
    }

    /// Adds to the last message if it is of the same kind.
    fn push(&mut self, kind: Last, parts: Vec<Part>) {
        let goes_on = kind != Last::Other && self.last == kind;
        self.last = kind;
        match self.query.messages.last_mut() {
            Some(message) if goes_on => message.parts.extend(parts),
            _ => {
                let role = if kind == Last::Model { Role::Assistant } else { Role::User };
                self.query.messages.push(Message { role, parts });
            }
        }
    }

    /// The function that was called with an id.
    fn called(&self, id: &str) -> Option<String> {
        let parts = self.query.messages.iter().rev().flat_map(|message| &message.parts);
        parts.into_iter().find_map(|part| match part {
            Part::ToolCall(call) if call.id == id => Some(call.name.clone()),
            _ => None,
        })
    }
}

/// The thoughts themselves where they are shown, else what they come to.
fn thoughts(item: Fields<'_>) -> Result<String, Unreadable> {
    let texts = |name: &str| -> Result<Vec<&str>, Unreadable> {
        Ok(item.list(name)?.unwrap_or_default().iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect())
    };
    let content = texts("content")?;
    Ok(if content.is_empty() { texts("summary")? } else { content }.join("\n\n"))
}

fn content(item: Fields<'_>, field: &str, notes: &mut Notes) -> Result<Vec<Part>, Unreadable> {
    match item.get(field) {
        None => Err(missing(field, CONTENT)),
        Some(Value::String(text)) => Ok(vec![Part::Text(text.clone())]),
        Some(Value::Array(list)) => {
            let mut parts = Vec::with_capacity(list.len());
            notes.each(field, list, |notes, part| {
                parts.extend(content_part(part, notes)?);
                Ok(())
            })?;
            Ok(parts)
        }
        Some(other) => Err(wrong(field, CONTENT, other)),
    }
}

const CONTENT: &str = "a string or a list of parts";

fn content_part(part: &Value, notes: &mut Notes) -> Result<Option<Part>, Unreadable> {
    let part = Fields::of(part)?;
    match part.need_text("type")? {
        "input_text" | "output_text" | "text" => Ok(Some(Part::Text(part.need_text("text")?.to_owned()))),
        "refusal" => Ok(Some(Part::Text(part.need_text("refusal")?.to_owned()))),
        "input_image" => {
            let url = noted(part.text("image_url")?, "file_id", "a picture kept by the provider", notes);
            url.map(|url| image(url, "image_url").map(Part::Image)).transpose()
        }
        "input_file" => {
            let data = noted(part.text("file_data")?, "", "a file kept elsewhere", notes);
            data.map(|data| document(data, "file_data")).transpose()
        }
        other => {
            notes.add("type", only_here(&format!("a part of type {other:?}")));
            Ok(None)
        }
    }
}

/// What is there; else a note of what is there instead.
fn noted<'a>(found: Option<&'a str>, field: &str, instead: &str, notes: &mut Notes) -> Option<&'a str> {
    if found.is_none() {
        notes.add(field, only_here(instead));
    }
    found
}

/// What would help when the provider speaks another dialect.
pub(super) fn only_here(what: &str) -> String {
    format!("{what} can go only to a provider that speaks Responses itself; leave it out, or name such a provider as the model")
}
