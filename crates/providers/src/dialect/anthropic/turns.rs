//! A conversation in the API's blocks and turns, which are stricter than other dialects': roles alternate, results follow their
//! calls at once, nothing is blank.

use std::collections::VecDeque;

use serde::Serialize;

use super::{Input, call_id};
use crate::dialect::Unreadable;
use crate::dialect::signature::ANTHROPIC;
use crate::{Image, Message, Part, Query, Role};

#[derive(Serialize)]
pub(super) struct Turn<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
    },
    /// Text that is ours.
    #[serde(rename = "text")]
    Said {
        text: String,
    },
    Image {
        source: Source<'a>,
    },
    Document {
        source: Source<'a>,
    },
    ToolUse {
        id: String,
        name: &'a str,
        input: Input<'a>,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Source<'a> {
    Base64 { media_type: &'a str, data: &'a str },
    Url { url: &'a str },
}

/// The instructions and the turns. Roles alternate, results of tools stand first in the user's turn, and the user begins.
pub(super) fn conversation(query: &Query) -> Result<(Vec<Block<'_>>, Vec<Turn<'_>>), Unreadable> {
    let (mut system, mut turns, mut ids) = (Vec::new(), Vec::<Turn>::new(), CallIds::default());
    system.extend(instructions(&query.system, "system")?);
    for (at, message) in query.messages.iter().enumerate() {
        let role = match message.role {
            // Most models take instructions at the beginning only.
            Role::System => {
                system.extend(instructions(&message.parts, &format!("messages[{at}]"))?);
                continue;
            }
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let mut content = Vec::new();
        for part in &message.parts {
            content.extend(block(part, &mut ids, &format!("messages[{at}].content"))?);
        }
        match turns.last_mut() {
            _ if content.is_empty() => {}
            Some(turn) if turn.role == role => turn.content.append(&mut content),
            _ => turns.push(Turn { role, content }),
        }
    }
    for turn in turns.iter_mut().filter(|turn| turn.role == "user") {
        turn.content.sort_by_key(|block| !matches!(block, Block::ToolResult { .. }));
    }
    match turns.first() {
        None => return Err(Unreadable::new("messages", "nothing is said in the conversation; say something")),
        // White space is refused; a stop is the least that is not.
        Some(turn) if turn.role == "assistant" => turns.insert(0, Turn { role: "user", content: vec![Block::Text { text: "." }] }),
        Some(_) => {}
    }
    Ok((system, turns))
}

fn instructions<'a>(parts: &'a [Part], field: &str) -> Result<Vec<Block<'a>>, Unreadable> {
    let block = |part: &'a Part| match part {
        Part::Text(text) => Ok(Block::Text { text }),
        _ => Err(Unreadable::new(field, "this provider takes instructions in words only")),
    };
    parts.iter().filter(|part| !is_blank(part)).map(block).collect()
}

/// Blank texts are refused.
fn is_blank(part: &Part) -> bool {
    matches!(part, Part::Text(text) if text.trim().is_empty())
}

fn block<'a>(part: &'a Part, ids: &mut CallIds, field: &str) -> Result<Option<Block<'a>>, Unreadable> {
    Ok(Some(match part {
        _ if is_blank(part) => return Ok(None),
        Part::Text(text) => Block::Text { text },
        Part::Image(Image::Url(url)) => Block::Image { source: Source::Url { url } },
        Part::Image(Image::Data { media_type, data }) => {
            let media_type = match media_type.as_str() {
                "image/jpg" => "image/jpeg",
                known @ ("image/jpeg" | "image/png" | "image/gif" | "image/webp") => known,
                other => {
                    let detail = format!("this provider takes no pictures of type `{other}`; send JPEG, PNG, GIF or WebP");
                    return Err(Unreadable::new(field, detail));
                }
            };
            Block::Image { source: Source::Base64 { media_type, data } }
        }
        Part::Document { media_type, data } if media_type == "application/pdf" => {
            Block::Document { source: Source::Base64 { media_type, data } }
        }
        Part::Document { media_type, .. } => {
            return Err(Unreadable::new(
                field,
                format!("this provider takes no documents of type `{media_type}`; send PDF, or text as text"),
            ));
        }
        Part::ToolCall(call) => Block::ToolUse { id: ids.call(&call.id, &call.name), name: &call.name, input: Input(&call.arguments) },
        Part::ToolResult { id, name, parts, is_error } => {
            let tool_use_id = ids.result(id, name.as_deref());
            let mut content = Vec::new();
            for part in parts {
                content.extend(block(part, ids, field)?);
            }
            Block::ToolResult { tool_use_id, content, is_error: *is_error }
        }
        Part::Thinking { text, signature } => match own(signature.as_deref()) {
            Some(signature) => Block::Thinking { thinking: text, signature },
            // Thoughts that are not the provider's own are refused.
            None => return Ok(None),
        },
    }))
}

/// The provider's own signature.
fn own(signature: Option<&str>) -> Option<&str> {
    signature?.strip_prefix(ANTHROPIC)
}

/// The ids of calls. Some dialects have none, or other letters in them: then results answer calls in their order.
#[derive(Default)]
struct CallIds {
    calls: u32,
    waiting: VecDeque<(String, String)>,
}

impl CallIds {
    fn call(&mut self, id: &str, name: &str) -> String {
        let id = if id.is_empty() { format!("call_{}", self.calls) } else { call_id(id) };
        self.calls = self.calls.saturating_add(1);
        self.waiting.push_back((id.clone(), name.to_owned()));
        id
    }

    fn result(&mut self, id: &str, name: Option<&str>) -> String {
        let id = call_id(id);
        let is_it = |(call, function): &(String, String)| {
            if id.is_empty() { name.is_none_or(|name| name == function) } else { *call == id }
        };
        let place = self.waiting.iter().position(is_it);
        match place.and_then(|place| self.waiting.remove(place)) {
            Some((call, _)) => call,
            None if id.is_empty() => "call_unknown".to_owned(),
            None => id,
        }
    }
}

/// Whether the model's last turn calls tools without signed thoughts before: then models with a budget refuse to think on.
pub(super) fn calls_without_thoughts(messages: &[Message]) -> bool {
    let last = messages.iter().rfind(|message| message.role == Role::Assistant);
    last.is_some_and(|message| {
        let calls = message.parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
        calls && !matches!(message.parts.first(), Some(Part::Thinking { signature, .. }) if own(signature.as_deref()).is_some())
    })
}
