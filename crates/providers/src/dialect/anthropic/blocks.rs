//! The messages of a client's request, block by block.

use std::collections::HashMap;

use serde_json::Value;

use crate::dialect::Unreadable;
use crate::dialect::openai_chat::{Fields, Notes, Place, missing, within, wrong};
use crate::dialect::signature::{ANTHROPIC, is_marked};
use crate::{Image, Message, Part, Role, ToolCall};

const CONTENT: &str = "a string or a list of content blocks";

/// The functions of calls by their ids: results name their call by its id alone, and other dialects want the function's name, too.
type Functions = HashMap<String, String>;

/// Instructions: a text, or blocks of text.
pub(super) fn instructions(content: &Value) -> Result<Vec<Part>, Unreadable> {
    let mut notes = Notes::default();
    parts(content, &mut notes, |block, _| match block.need_text("type")? {
        "text" => text(block),
        kind => Err(Unreadable::new("type", format!("instructions are blocks of type text; {kind} cannot stand here"))),
    })
}

/// The conversation. What any provider but Anthropic could not be told goes to `notes`.
pub(super) fn messages(list: &[Value], notes: &mut Notes) -> Result<Vec<Message>, Unreadable> {
    let (mut messages, mut functions) = (Vec::new(), Functions::new());
    notes.each("messages", list, |notes, message| {
        messages.push(read(Fields::of(message)?, &mut functions, notes)?);
        Ok(())
    })?;
    Ok(messages)
}

fn read(message: Fields<'_>, functions: &mut Functions, notes: &mut Notes) -> Result<Message, Unreadable> {
    let role = match message.need_text("role")? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => {
            let detail =
                format!("role must be user, assistant or system, not {other:?}; what a tool gave is told by the user, as tool_result");
            return Err(Unreadable::new("role", detail));
        }
    };
    let content = message.get("content").ok_or_else(|| missing("content", CONTENT))?;
    let parts = notes.within(Place::Field("content"), |notes| match role {
        Role::System => instructions(content),
        _ => parts(content, notes, |block, notes| self::block(block, role, functions, notes)),
    })?;
    Ok(Message { role, parts })
}

/// A text, or what each block of a list says.
fn parts(
    content: &Value,
    notes: &mut Notes,
    mut block: impl FnMut(Fields<'_>, &mut Notes) -> Result<Vec<Part>, Unreadable>,
) -> Result<Vec<Part>, Unreadable> {
    match content {
        Value::String(text) => Ok(vec![Part::Text(text.clone())]),
        Value::Array(blocks) => {
            let mut parts = Vec::new();
            notes.each("", blocks, |notes, value| {
                parts.append(&mut block(Fields::of(value)?, notes)?);
                Ok(())
            })?;
            Ok(parts)
        }
        other => Err(wrong("", CONTENT, other)),
    }
}

/// A block of a message.
fn block(block: Fields<'_>, role: Role, functions: &mut Functions, notes: &mut Notes) -> Result<Vec<Part>, Unreadable> {
    let kind = block.need_text("type")?;
    let speaker = match kind {
        "tool_use" | "thinking" | "redacted_thinking" => Some((Role::Assistant, "assistant")),
        "tool_result" => Some((Role::User, "user")),
        _ => None,
    };
    if let Some((_, name)) = speaker.filter(|(speaker, _)| *speaker != role) {
        return Err(Unreadable::new("type", format!("a {kind} block can only stand in a message of the {name}")));
    }
    match kind {
        "tool_use" => {
            let (id, name) = (block.need_text("id")?, block.need_text("name")?);
            block.need_fields("input")?;
            let arguments = block.get("input").map(Value::to_string).unwrap_or_default();
            functions.insert(id.to_owned(), name.to_owned());
            Ok(vec![Part::ToolCall(ToolCall { id: id.to_owned(), name: name.to_owned(), arguments })])
        }
        "tool_result" => {
            let id = block.need_text("tool_use_id")?;
            let content = block.get("content");
            let parts = content.map(|content| notes.within(Place::Field("content"), |notes| parts(content, notes, shown))).transpose()?;
            let is_error = block.flag("is_error")?.unwrap_or(false);
            let name = functions.get(id).cloned();
            Ok(vec![Part::ToolResult { id: id.to_owned(), name, parts: parts.unwrap_or_default(), is_error }])
        }
        "thinking" => {
            let signature = block.text("signature")?.filter(|signature| !signature.is_empty());
            let signature = signature.map(|own| if is_marked(own) { own.to_owned() } else { format!("{ANTHROPIC}{own}") });
            Ok(vec![Part::Thinking { text: block.need_text("thinking")?.to_owned(), signature }])
        }
        // Only who wrote them can read them, and who wrote them gets the request's own bytes.
        "redacted_thinking" => Ok(Vec::new()),
        _ => shown(block, notes),
    }
}

/// A block that shows something to the model.
fn shown(block: Fields<'_>, notes: &mut Notes) -> Result<Vec<Part>, Unreadable> {
    match block.need_text("type")? {
        "text" => text(block),
        "image" => within(Place::Field("source"), image(block.need_fields("source")?)).map(|image| vec![image]),
        "document" => {
            let mut parts = Vec::new();
            for name in ["title", "context"] {
                parts.extend(block.text(name)?.map(|text| Part::Text(text.to_owned())));
            }
            let source = block.need_fields("source")?;
            parts.append(&mut notes.within(Place::Field("source"), |notes| document(source, notes))?);
            Ok(parts)
        }
        "search_result" => {
            let mut parts = vec![Part::Text(format!("{}\n{}", block.need_text("title")?, block.need_text("source")?))];
            let content = block.get("content").ok_or_else(|| missing("content", "a list of text blocks"))?;
            parts.append(&mut within(Place::Field("content"), instructions(content))?);
            Ok(parts)
        }
        kind => {
            let help =
                "can go only to a provider that speaks Anthropic's Messages itself; leave it out, or name such a provider as the model";
            notes.add("type", format!("a content block of type {kind:?} {help}"));
            Ok(Vec::new())
        }
    }
}

fn text(block: Fields<'_>) -> Result<Vec<Part>, Unreadable> {
    Ok(vec![Part::Text(block.need_text("text")?.to_owned())])
}

fn image(source: Fields<'_>) -> Result<Part, Unreadable> {
    match source.need_text("type")? {
        "base64" => {
            let (media_type, data) = data(source)?;
            Ok(Part::Image(Image::Data { media_type, data }))
        }
        "url" => crate::dialect::openai_chat::image(source.need_text("url")?, "url").map(Part::Image),
        kind => Err(elsewhere(kind)),
    }
}

fn document(source: Fields<'_>, notes: &mut Notes) -> Result<Vec<Part>, Unreadable> {
    match source.need_text("type")? {
        "base64" => {
            let (media_type, data) = data(source)?;
            Ok(vec![Part::Document { media_type, data }])
        }
        "text" => Ok(vec![Part::Text(source.need_text("data")?.to_owned())]),
        "content" => {
            let content = source.get("content").ok_or_else(|| missing("content", CONTENT))?;
            notes.within(Place::Field("content"), |notes| parts(content, notes, shown))
        }
        kind => Err(elsewhere(kind)),
    }
}

fn data(source: Fields<'_>) -> Result<(String, String), Unreadable> {
    Ok((source.need_text("media_type")?.to_owned(), source.need_text("data")?.to_owned()))
}

/// What lies elsewhere has no size that anyone here could know, so nobody could say what it may cost.
fn elsewhere(kind: &str) -> Unreadable {
    Unreadable::new("type", format!("what a source of type {kind:?} costs cannot be known before; send the data itself, as base64 or text"))
}
