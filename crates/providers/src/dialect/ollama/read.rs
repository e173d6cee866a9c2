//! A client's request as a query.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Number, Value, json};

use super::reply::{self, Shape};
use crate::dialect::Unreadable;
use crate::{Effort, Envelope, Format, Image, Message, Part, Query, Role, Tool, ToolCall};

#[derive(Deserialize)]
struct WireMessage {
    role: String,
    content: Option<String>,
    thinking: Option<String>,
    images: Option<Vec<String>>,
    tool_calls: Option<Vec<WireCall>>,
    tool_name: Option<String>,
    tool_call_id: Option<String>,
}

#[derive(Deserialize)]
struct WireCall {
    id: Option<String>,
    function: WireFunction,
}

#[derive(Deserialize)]
struct WireFunction {
    name: String,
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct WireTool {
    r#type: Option<String>,
    function: Option<WireDeclaration>,
}

#[derive(Deserialize)]
struct WireDeclaration {
    name: String,
    description: Option<String>,
    parameters: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stops {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Think {
    Switch(bool),
    Word(String),
}

/// A request to `/api/chat`.
pub(super) fn chat(body: &[u8]) -> Result<Query, Unreadable> {
    let fields = open(body)?;
    let mut query = shared(&fields)?;
    let mut conversation = Conversation::default();
    for (at, raw) in field::<Vec<&RawValue>>(&fields, "messages", "a list of messages")?.unwrap_or_default().into_iter().enumerate() {
        let place = format!("messages[{at}]");
        let message = serde_json::from_str::<WireMessage>(raw.get()).map_err(|error| Unreadable::new(&place, reason(&error)))?;
        conversation.add(&place, message)?;
    }
    (query.system, query.messages) = (conversation.system, conversation.messages);
    if query.messages.is_empty() && query.system.is_empty() {
        return Err(Unreadable::new("messages", "`messages` must have at least one message with a text"));
    }
    for (at, raw) in field::<Vec<&RawValue>>(&fields, "tools", "a list of tools")?.unwrap_or_default().into_iter().enumerate() {
        let place = format!("tools[{at}]");
        let tool = serde_json::from_str::<WireTool>(raw.get()).map_err(|error| Unreadable::new(&place, reason(&error)))?;
        match (tool.function, tool.r#type) {
            (Some(declaration), _) => query.tools.push(tool_of(declaration)),
            (None, Some(hosted)) if hosted != "function" => query.hosted_tools.push(hosted),
            _ => return Err(Unreadable::new(place, "a tool must have a `function` with a name and parameters")),
        }
    }
    Ok(query)
}

/// A request to `/api/generate`.
pub(super) fn generate(body: &[u8]) -> Result<Query, Unreadable> {
    let fields = open(body)?;
    let mut query = shared(&fields)?;
    let only_a_template = |name: &'static str| {
        Unreadable::new(name, format!("`{name}` works only where the model's own template does; leave it out, or use /api/chat"))
    };
    for name in ["suffix", "template"] {
        if field::<String>(&fields, name, "a text")?.is_some_and(|text| !text.is_empty()) {
            return Err(only_a_template(name));
        }
    }
    if field::<Vec<Value>>(&fields, "context", "a list of numbers")?.is_some_and(|context| !context.is_empty()) {
        return Err(only_a_template("context"));
    }
    if field::<bool>(&fields, "raw", "true or false")? == Some(true) {
        return Err(only_a_template("raw"));
    }
    let images = field::<Vec<String>>(&fields, "images", "a list of images in base64")?.unwrap_or_default();
    let mut parts = pictures("", images)?;
    parts.extend(text(field(&fields, "prompt", "a text")?));
    if parts.is_empty() {
        return Err(Unreadable::new("prompt", "`prompt` must say what is asked"));
    }
    query.system = text(field(&fields, "system", "a text")?).into_iter().collect();
    query.messages = vec![Message { role: Role::User, parts }];
    Ok(query)
}

/// A request that only asks for a model to be loaded or unloaded, which clients send before the first query. There is nothing to load
/// here.
#[derive(Debug)]
pub struct Loading {
    /// The model, as the client named it.
    pub model: String,
    shape: Shape,
    is_unload: bool,
}

impl Loading {
    /// Reads one: to `/api/chat` without messages, or to `/api/generate` without a prompt. `None` for any other request.
    pub fn read(body: &[u8]) -> Option<Self> {
        let fields = Envelope::read(body).ok()?;
        let is_empty = |name| matches!(fields.get(name), None | Some("null" | "\"\"" | "[]"));
        let shape = match fields.get("messages") {
            Some(_) if is_empty("messages") => Shape::Chat,
            None if is_empty("prompt") && is_empty("images") => Shape::Generate,
            _ => return None,
        };
        let model = fields.read_field::<String>("model").filter(|model| !model.is_empty())?;
        // 0, 0.0, "0", "0s", "0m": a number of seconds or a duration that is none.
        let is_none = |text: &str| text.contains('0') && text.bytes().all(|byte| b"0.hms\"".contains(&byte));
        let is_unload = fields.get("keep_alive").is_some_and(is_none);
        Some(Self { model, shape, is_unload })
    }

    /// The reply, at a time in seconds since 1970.
    pub fn reply(&self, now: u64) -> Vec<u8> {
        reply::loaded(self.shape, &self.model, self.is_unload, now)
    }
}

fn open(body: &[u8]) -> Result<Envelope<'_>, Unreadable> {
    Envelope::read(body).map_err(|error| Unreadable::new("", format!("the body must be a JSON object: {error}")))
}

/// A field, if it is there and is not null.
fn field<'s, T: Deserialize<'s>>(fields: &'s Envelope, name: &str, wanted: &str) -> Result<Option<T>, Unreadable> {
    match fields.get(name) {
        None | Some("null") => Ok(None),
        Some(text) => serde_json::from_str(text).map(Some).map_err(|_| Unreadable::new(name, format!("`{name}` must be {wanted}"))),
    }
}

/// What is wrong with a value, without the place in a text the client never saw by itself.
fn reason(error: &serde_json::Error) -> String {
    let words = error.to_string();
    words.split_once(" at line ").map_or(words.as_str(), |(before, _)| before).to_owned()
}

/// What requests to both endpoints have.
fn shared(fields: &Envelope) -> Result<Query, Unreadable> {
    let model = field::<String>(fields, "model", "a text")?.filter(|model| !model.is_empty());
    let mut query = Query {
        model: model.ok_or_else(|| Unreadable::new("model", "`model` must name a model, or be `auto`"))?,
        answers: 1,
        stream: field(fields, "stream", "true or false")?.unwrap_or(true),
        // The last line always tells what was used.
        stream_usage: true,
        format: match field::<Value>(fields, "format", "\"json\" or a JSON Schema")? {
            None => Format::Text,
            Some(Value::String(word)) if word.is_empty() => Format::Text,
            Some(Value::String(word)) if word == "json" => Format::Json,
            Some(schema @ Value::Object(_)) => Format::Schema { name: "answer".to_owned(), schema, strict: None },
            Some(_) => return Err(Unreadable::new("format", "`format` must be \"json\" or a JSON Schema")),
        },
        effort: field(fields, "think", "true, false or a word such as \"high\"")?.map(|think| match think {
            Think::Switch(true) => Effort::Word("medium".to_owned()),
            Think::Switch(false) => Effort::Word("none".to_owned()),
            Think::Word(word) => Effort::Word(word.to_lowercase()),
        }),
        ..Query::default()
    };
    if let Some(text) = fields.get("options").filter(|text| *text != "null") {
        let options = Envelope::read(text.as_bytes()).map_err(|_| Unreadable::new("options", "`options` must be an object"))?;
        read_options(&options, &mut query).map_err(|wrong| Unreadable::new(format!("options.{}", wrong.field), wrong.detail))?;
    }
    Ok(query)
}

fn read_options(options: &Envelope, query: &mut Query) -> Result<(), Unreadable> {
    let number = |name| field::<Number>(options, name, "a number");
    let whole = |name: &str| match field::<Number>(options, name, "a whole number")? {
        None => Ok(None),
        Some(number) => whole(&number).map(Some).ok_or_else(|| Unreadable::new(name, format!("`{name}` must be a whole number"))),
    };
    query.temperature = number("temperature")?;
    query.top_p = number("top_p")?;
    query.frequency_penalty = number("frequency_penalty")?;
    query.presence_penalty = number("presence_penalty")?;
    query.top_k = whole("top_k")?.and_then(|tokens| u64::try_from(tokens).ok()).filter(|tokens| *tokens > 0);
    query.seed = whole("seed")?;
    // -1 is no limit, -2 as much as there is room for; 0 ends nothing either.
    query.output_tokens_max = whole("num_predict")?.and_then(|tokens| u64::try_from(tokens).ok()).filter(|tokens| *tokens > 0);
    query.stop = match field(options, "stop", "a text or a list of texts")? {
        None => Vec::new(),
        Some(Stops::One(text)) => vec![text],
        Some(Stops::Many(texts)) => texts,
    };
    query.stop.retain(|text| !text.is_empty());
    Ok(())
}

/// A whole number, which some clients write with a point and zeros.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let text = number.to_string();
        let (digits, zeros) = text.split_once('.')?;
        zeros.bytes().all(|byte| byte == b'0').then(|| digits.parse().ok())?
    })
}

fn text(text: Option<String>) -> Option<Part> {
    text.filter(|text| !text.is_empty()).map(Part::Text)
}

fn tool_of(declaration: WireDeclaration) -> Tool {
    Tool {
        name: declaration.name,
        description: declaration.description.unwrap_or_default(),
        parameters: declaration.parameters.unwrap_or_else(|| json!({"type": "object", "properties": {}})),
        strict: None,
    }
}

/// Images, which come without a media type: what they are is told by how they begin.
fn pictures(place: &str, images: Vec<String>) -> Result<Vec<Part>, Unreadable> {
    let dot = if place.is_empty() { "" } else { "." };
    let part = |(at, image): (usize, String)| {
        let data = match image.split_once("base64,") {
            Some((_, data)) if image.starts_with("data:") => data.to_owned(),
            _ => image,
        };
        let kinds = [("iVBOR", "png"), ("/9j/", "jpeg"), ("R0lGOD", "gif"), ("UklGR", "webp"), ("Qk", "bmp")];
        match kinds.iter().find(|(begin, _)| data.starts_with(begin)) {
            Some((_, kind)) => Ok(Part::Image(Image::Data { media_type: format!("image/{kind}"), data })),
            None => Err(Unreadable::new(format!("{place}{dot}images[{at}]"), "an image must be a PNG, JPEG, GIF, WebP or BMP in base64")),
        }
    };
    images.into_iter().enumerate().map(part).collect()
}

/// The conversation as it is read. Results of tools belong to calls by id; older clients tell none, or only a name.
#[derive(Default)]
struct Conversation {
    system: Vec<Part>,
    messages: Vec<Message>,
    calls: usize,
    /// Calls without a result yet, by id and name.
    open: VecDeque<(String, String)>,
}

impl Conversation {
    fn add(&mut self, place: &str, message: WireMessage) -> Result<(), Unreadable> {
        if message.role == "tool" {
            self.add_result(message);
            return Ok(());
        }
        // Pictures come before the text that speaks of them, as the model would get them.
        let mut parts = pictures(place, message.images.unwrap_or_default())?;
        parts.extend(message.thinking.filter(|text| !text.is_empty()).map(|text| Part::Thinking { text, signature: None }));
        parts.extend(text(message.content));
        let role = match message.role.as_str() {
            "system" | "developer" => Role::System,
            "assistant" => Role::Assistant,
            "user" => Role::User,
            other => {
                let detail = format!("{other:?} is no role; it must be \"system\", \"user\", \"assistant\" or \"tool\"");
                return Err(Unreadable::new(format!("{place}.role"), detail));
            }
        };
        for call in message.tool_calls.unwrap_or_default() {
            let call = self.call(place, call)?;
            self.open.push_back((call.id.clone(), call.name.clone()));
            parts.push(Part::ToolCall(call));
        }
        match role {
            _ if parts.is_empty() => {}
            Role::System if self.messages.is_empty() => self.system.extend(parts),
            _ => self.messages.push(Message { role, parts }),
        }
        Ok(())
    }

    fn call(&mut self, place: &str, call: WireCall) -> Result<ToolCall, Unreadable> {
        let arguments = match call.function.arguments {
            None | Some(Value::Null) => "{}".to_owned(),
            Some(arguments @ Value::Object(_)) => arguments.to_string(),
            // As in OpenAI's dialect, from clients that speak both.
            Some(Value::String(text)) if serde_json::from_str::<Value>(&text).is_ok_and(|value| value.is_object()) => text,
            Some(_) => return Err(Unreadable::new(format!("{place}.tool_calls"), "`arguments` must be an object")),
        };
        let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{}", self.calls));
        self.calls += 1;
        Ok(ToolCall { id, name: call.function.name, arguments })
    }

    /// A result answers the call with its id; or else the oldest open one of its name, or the oldest at all.
    fn add_result(&mut self, message: WireMessage) {
        let (id, name) = (message.tool_call_id.filter(|id| !id.is_empty()), message.tool_name.filter(|name| !name.is_empty()));
        let at = match (&id, &name) {
            (Some(id), _) => self.open.iter().position(|(call, _)| call == id),
            (None, Some(name)) => self.open.iter().position(|(_, call)| call == name),
            (None, None) => (!self.open.is_empty()).then_some(0),
        };
        let call = at.and_then(|at| self.open.remove(at));
        let (call_id, call_name) = call.map_or((None, None), |(id, name)| (Some(id), Some(name)));
        let part = Part::ToolResult {
            id: id.or(call_id).unwrap_or_default(),
            name: name.or(call_name),
            parts: text(message.content).into_iter().collect(),
            is_error: false,
        };
        // The results of one turn are told together.
        match self.messages.last_mut() {
            Some(Message { role: Role::User, parts }) if matches!(parts.last(), Some(Part::ToolResult { .. })) => parts.push(part),
            _ => self.messages.push(Message { role: Role::User, parts: vec![part] }),
        }
    }
}
