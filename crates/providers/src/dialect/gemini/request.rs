//! A query as Gemini's request.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Number, Value};

use super::{SIGNATURE_MARK, model};
use crate::dialect::{Terms, Unreadable};
use crate::{Format, Image, Message, Part, Query, Role, ToolCall, ToolChoice};

/// Most texts that end an answer.
const STOPS_MAX: usize = 5;

/// What Google documents for calls that no Gemini model made, and which therefore have no signature.
const UNSIGNED: &str = "skip_thought_signature_validator";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Tools<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<Value>,
    generation_config: Config<'a>,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<WirePart<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WirePart<'a> {
    #[serde(flatten)]
    body: Body<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought_signature: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Body<'a> {
    Text(&'a str),
    InlineData(Blob<'a>),
    FileData(File<'a>),
    FunctionCall(FunctionCall<'a>),
    FunctionResponse(FunctionResponse<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Blob<'a> {
    mime_type: &'a str,
    data: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<&'static str>,
    file_uri: &'a str,
}

#[derive(Serialize)]
struct FunctionCall<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    name: &'a str,
    args: &'a RawValue,
}

#[derive(Serialize)]
struct FunctionResponse<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    name: &'a str,
    response: Outcome<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<WirePart<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Outcome<'a> {
    Output(Cow<'a, str>),
    Error(Cow<'a, str>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tools<'a> {
    function_declarations: Vec<Declaration<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Declaration<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    /// JSON Schema as it is: the older field `parameters` takes only a subset and refuses every other keyword.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    max_output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<&'a Value>,
    #[serde(rename = "thinkingConfig", skip_serializing_if = "Option::is_none")]
    thinking: Option<model::Thinking>,
}

/// Whether this dialect has words for all of it.
pub(super) fn can_say(query: &Query, terms: &Terms) -> Result<(), Unreadable> {
    unsayable(query)?;
    conversation(query, terms).map(drop)
}

/// The request's body.
pub(super) fn body(query: &Query, terms: &Terms) -> Result<Vec<u8>, Unreadable> {
    unsayable(query)?;
    let (contents, system_instruction) = conversation(query, terms)?;
    let request = Request {
        contents,
        system_instruction,
        tools: tools(query),
        tool_config: tool_config(query),
        generation_config: config(query, terms),
    };
    serde_json::to_vec(&request).map_err(|error| Unreadable::new("", error.to_string()))
}

/// What cannot be asked here, whatever is said.
fn unsayable(query: &Query) -> Result<(), Unreadable> {
    if !query.hosted_tools.is_empty() {
        return Err(Unreadable::new("tools", "Gemini's own tools are not for sale here; leave out tools that the provider runs itself"));
    }
    if query.answers > 1 {
        // All of them would be paid for, and the limit of the answer is each one's; a stream of pieces carries one.
        return Err(Unreadable::new("n", "this provider gives one answer at a time; ask again for another"));
    }
    if query.stop.len() > STOPS_MAX {
        return Err(Unreadable::new("stop", format!("this provider takes at most {STOPS_MAX} stop texts")));
    }
    Ok(())
}

/// What is said, and the instructions.
fn conversation<'a>(query: &'a Query, terms: &'a Terms) -> Result<(Vec<Content<'a>>, Option<Content<'a>>), Unreadable> {
    let mut conversation = Conversation { contents: Vec::new(), names: HashMap::new(), model: &terms.model };
    for (at, message) in query.messages.iter().enumerate() {
        conversation.add(&format!("messages[{at}]"), message)?;
    }
    let mut system_instruction = system(&query.system)?;
    if conversation.contents.is_empty() {
        // Instructions alone are a query elsewhere, but not here.
        let Some(only) = system_instruction.take() else {
            return Err(Unreadable::new("messages", "there is nothing to answer; give at least one message with a text"));
        };
        conversation.contents.push(Content { role: Some("user"), parts: only.parts });
    }
    Ok((conversation.contents, system_instruction))
}

fn system(parts: &[Part]) -> Result<Option<Content<'_>>, Unreadable> {
    let mut pieces = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) if text.is_empty() => {}
            Part::Text(text) => pieces.push(plain(Body::Text(text))),
            _ => return Err(Unreadable::new("system", "instructions must be text; move anything else into a message")),
        }
    }
    Ok((!pieces.is_empty()).then_some(Content { role: None, parts: pieces }))
}

/// The conversation as it grows.
struct Conversation<'a> {
    contents: Vec<Content<'a>>,
    /// The name of the last call with an id: results are told by name.
    names: HashMap<&'a str, &'a str>,
    model: &'a str,
}

impl<'a> Conversation<'a> {
    fn add(&mut self, field: &str, message: &'a Message) -> Result<(), Unreadable> {
        let mut signature = None;
        let mut is_first_call = true;
        for part in &message.parts {
            match part {
                Part::Text(text) if text.is_empty() => {}
                // A conversation has no place for instructions: they are said where they stand.
                Part::Text(text) => self.push(message.role, plain(Body::Text(text))),
                Part::Image(image) => self.push(message.role, plain(picture(image))),
                Part::Document { media_type, data } => {
                    self.push(message.role, plain(Body::InlineData(Blob { mime_type: media_type, data })));
                }
                // Thoughts need not be told again; what proves them stands with the call they led to.
                Part::Thinking { signature: proof, .. } => {
                    signature = proof.as_deref().and_then(|proof| proof.strip_prefix(SIGNATURE_MARK)).or(signature);
                }
                Part::ToolCall(call) => {
                    let unsigned = (is_first_call && model::checks_signatures(self.model)).then_some(UNSIGNED);
                    let body = self.call(field, call)?;
                    self.push(message.role, WirePart { body, thought_signature: signature.take().or(unsigned) });
                    is_first_call = false;
                }
                Part::ToolResult { id, name, parts, is_error } => {
                    let body = self.result(field, (id, name.as_deref()), parts, *is_error)?;
                    self.push(message.role, plain(body));
                }
            }
        }
        Ok(())
    }

    /// Adds to the last turn when the same one speaks. Results of tools stand in a turn of their own, all of them together: there
    /// must be as many in it as there were calls in the turn before.
    fn push(&mut self, role: Role, piece: WirePart<'a>) {
        let role = if role == Role::Assistant { "model" } else { "user" };
        let is_result = |piece: &WirePart| matches!(piece.body, Body::FunctionResponse(_));
        match self.contents.last_mut() {
            Some(last) if last.role == Some(role) && last.parts.last().is_some_and(|before| is_result(before) == is_result(&piece)) => {
                last.parts.push(piece);
            }
            _ => self.contents.push(Content { role: Some(role), parts: vec![piece] }),
        }
    }

    fn call(&mut self, field: &str, call: &'a ToolCall) -> Result<Body<'a>, Unreadable> {
        self.names.insert(&call.id, &call.name);
        let text = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.trim() };
        let args = serde_json::from_str::<&RawValue>(text).ok().filter(|args| args.get().starts_with('{'));
        let args =
            args.ok_or_else(|| Unreadable::new(field, format!("the arguments of the call of {} must be a JSON object", call.name)))?;
        Ok(Body::FunctionCall(FunctionCall { id: &call.id, name: &call.name, args }))
    }

    fn result(
        &self,
        field: &str,
        (id, name): (&'a str, Option<&'a str>),
        parts: &'a [Part],
        is_error: bool,
    ) -> Result<Body<'a>, Unreadable> {
        let Some(name) = name.or_else(|| self.names.get(id).copied()) else {
            return Err(Unreadable::new(field, format!("no call before this result has the id {id:?}; repeat the call it answers")));
        };
        let (mut text, mut images) = (Cow::Borrowed(""), Vec::new());
        for part in parts {
            match part {
                Part::Text(more) if text.is_empty() => text = Cow::Borrowed(more),
                Part::Text(more) => text.to_mut().extend(["\n", more]),
                Part::Image(Image::Data { media_type, data }) if model::takes_images_of_tools(self.model) => {
                    images.push(plain(Body::InlineData(Blob { mime_type: media_type, data })));
                }
                _ => return Err(Unreadable::new(field, "this model takes only text as a tool's result; say the rest in a message")),
            }
        }
        let response = if is_error { Outcome::Error(text) } else { Outcome::Output(text) };
        Ok(Body::FunctionResponse(FunctionResponse { id, name, response, parts: images }))
    }
}

fn plain(body: Body<'_>) -> WirePart<'_> {
    WirePart { body, thought_signature: None }
}

fn picture(image: &Image) -> Body<'_> {
    match image {
        Image::Data { media_type, data } => Body::InlineData(Blob { mime_type: media_type, data }),
        Image::Url(url) => Body::FileData(File { mime_type: media_type_of(url), file_uri: url }),
    }
}

/// What an address seems to lead to, by its ending.
fn media_type_of(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let (_, ending) = path.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        _ => return None,
    })
}

fn tools(query: &Query) -> Option<[Tools<'_>; 1]> {
    // A function without parameters has no schema: one without properties is refused by some models.
    let has_parameters = |schema: &&Value| match schema {
        Value::Object(fields) if fields.get("properties").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty) => false,
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    };
    let function_declarations = query
        .tools
        .iter()
        .map(|tool| Declaration {
            name: &tool.name,
            description: &tool.description,
            parameters_json_schema: Some(&tool.parameters).filter(has_parameters),
        })
        .collect::<Vec<_>>();
    (!function_declarations.is_empty()).then_some([Tools { function_declarations }])
}

fn tool_config(query: &Query) -> Option<Value> {
    let config = match &query.tool_choice {
        _ if query.tools.is_empty() => return None,
        ToolChoice::Auto => return None,
        ToolChoice::None => serde_json::json!({"mode": "NONE"}),
        ToolChoice::Any => serde_json::json!({"mode": "ANY"}),
        ToolChoice::Named(name) => serde_json::json!({"mode": "ANY", "allowedFunctionNames": [name]}),
    };
    Some(serde_json::json!({ "functionCallingConfig": config }))
}

fn config<'a>(query: &'a Query, terms: &Terms) -> Config<'a> {
    let (response_mime_type, response_json_schema) = match &query.format {
        Format::Text => (None, None),
        Format::Json => (Some("application/json"), None),
        Format::Schema { schema, .. } => (Some("application/json"), Some(schema)),
    };
    // Many models refuse to be told of penalties, and many clients always send them as 0.
    let unless_zero = |number: &'a Option<Number>| number.as_ref().filter(|number| number.as_f64().is_none_or(|value| value.abs() > 0.0));
    Config {
        // It bounds thoughts and text together. 0 would be read as no limit at all.
        max_output_tokens: terms.output_tokens_max.clamp(1, i32::MAX.unsigned_abs().into()),
        temperature: query.temperature.as_ref(),
        top_p: query.top_p.as_ref(),
        top_k: query.top_k,
        // 32 bits here: a larger one is folded, which repeats as well.
        seed: query.seed.map(|seed| i32::try_from(seed).map_or(seed & i64::from(i32::MAX), i64::from)),
        stop_sequences: &query.stop,
        frequency_penalty: unless_zero(&query.frequency_penalty),
        presence_penalty: unless_zero(&query.presence_penalty),
        response_mime_type,
        response_json_schema,
        thinking: query.effort.as_ref().and_then(|effort| model::thinking(&terms.model, effort)),
    }
}
