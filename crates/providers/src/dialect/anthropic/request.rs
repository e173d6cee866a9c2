//! Writing a request to the provider, and changing one that came in this very dialect.

use serde::Serialize;
use serde_json::{Number, Value, json};

use super::models::{self, Model};
use super::read;
use super::turns::{Block, Turn, calls_without_thoughts, conversation};
use crate::dialect::openai_chat::{Fields, parse};
use crate::dialect::signature::{is_marked, may_be_in};
use crate::dialect::{Terms, Unreadable};
use crate::{Envelope, Format, Query, Tool, ToolChoice};

const JSON_WANTED: &str = "Answer with one JSON object and nothing else: no words around it, no code fence.";

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Function<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<Value>,
    stream: bool,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    input_schema: Value,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
}

/// The request for a query.
pub(super) fn write(query: &Query, terms: &Terms) -> Result<Vec<u8>, Unreadable> {
    unsayable(query)?;
    let model = Model::named(&terms.model);
    let (mut system, messages) = conversation(query)?;
    let forced = !query.tools.is_empty() && matches!(query.tool_choice, ToolChoice::Any | ToolChoice::Named(_));
    let mut setting = model.setting(query.effort.as_ref(), forced, terms.output_tokens_max);
    if model.thinking == models::Thinking::Budgeted && calls_without_thoughts(&query.messages) {
        setting.thinking = None;
    }
    let schema = schema(&query.format, &model, &mut system);
    let tool_choice = tool_choice(query, &model, &mut system);
    let sampled = model.sampling && setting.thinking.is_none();
    let temperature = query.temperature.as_ref().filter(|_| sampled).map(at_most_one);
    let body = Body {
        model: &terms.model,
        max_tokens: terms.output_tokens_max,
        system,
        messages,
        tools: query.tools.iter().map(|tool| function(tool, &model)).collect(),
        tool_choice,
        stop_sequences: &query.stop,
        // One of the two: models refuse both since 4.1.
        top_p: query.top_p.clone().filter(|_| sampled && temperature.is_none()),
        temperature,
        top_k: query.top_k.filter(|_| sampled),
        output_config: output_config(setting.effort, schema),
        thinking: setting.thinking,
        stream: true,
    };
    serde_json::to_vec(&body).map_err(|error| Unreadable::new("", error.to_string()))
}

/// Whether this API can be asked that.
pub(super) fn can_say(query: &Query) -> Result<(), Unreadable> {
    unsayable(query)?;
    conversation(query).map(drop)
}

/// What this API cannot be asked, whatever is said.
fn unsayable(query: &Query) -> Result<(), Unreadable> {
    if query.answers > 1 {
        return Err(Unreadable::new("n", "this provider gives one answer a query; ask once for each"));
    }
    if let Some(name) = query.hosted_tools.first() {
        return Err(Unreadable::new("tools", format!("this provider runs no tool `{name}`; leave it out or choose another provider")));
    }
    if query.stop.iter().any(|text| text.trim().is_empty()) {
        return Err(Unreadable::new(
            "stop",
            "this provider takes no stop texts of white space alone; leave them out or choose another provider",
        ));
    }
    Ok(())
}

/// The request of a client, with only the model, the limit and the stream changed, and what else would be refused for that or cost
/// more than the desk knows.
pub(super) fn adapt(body: &[u8], terms: &Terms) -> Result<Vec<u8>, Unreadable> {
    let mut envelope = read_body(body)?;
    if envelope.read_field::<String>("model").as_deref() != Some(terms.model.as_str()) {
        fit(&mut envelope, body, terms)?;
        envelope.set("model", &json!(terms.model));
    }
    known_place(&envelope)?;
    own_thoughts(&mut envelope);
    plain_service(&mut envelope);
    envelope.set("max_tokens", &json!(terms.output_tokens_max));
    envelope.set("stream", &json!(true));
    // A budget for thoughts that is not below `max_tokens` is refused: when the hold pays for fewer tokens than the client wanted,
    // the budget is lowered with them, and thinking is left out when too few remain.
    let mut thinking = envelope.read_field::<Value>("thinking").unwrap_or_default();
    let wanted = thinking.get("budget_tokens").and_then(Value::as_u64);
    if let Some(wanted) = wanted.filter(|wanted| *wanted >= terms.output_tokens_max) {
        match models::budget(wanted, terms.output_tokens_max) {
            Some(budget) => {
                thinking["budget_tokens"] = json!(budget);
                envelope.set("thinking", &thinking);
            }
            None => envelope.remove("thinking"),
        }
    }
    Ok(envelope.to_bytes())
}

/// Thoughts of other providers are refused: they go, and messages of which nothing else is left.
fn own_thoughts(envelope: &mut Envelope) {
    let marked = envelope.get("messages").filter(|messages| may_be_in(messages));
    let Some(mut messages) = marked.and_then(|messages| serde_json::from_str::<Vec<Value>>(messages).ok()) else { return };
    let is_strange = |block: &Value| block["type"] == "thinking" && block["signature"].as_str().is_some_and(is_marked);
    let before = messages.clone();
    messages.retain_mut(|message| {
        let Some(blocks) = message.get_mut("content").and_then(Value::as_array_mut) else { return true };
        let had_blocks = !blocks.is_empty();
        blocks.retain(|block| !is_strange(block));
        !(had_blocks && blocks.is_empty())
    });
    if messages != before {
        envelope.set("messages", &messages);
    }
}

/// Quicker answers have other prices, and so have those of the models the provider would fall back on. Both can be left out: the desk
/// has its own ways to fall back.
fn plain_service(envelope: &mut Envelope) {
    envelope.remove("speed");
    envelope.remove("fallbacks");
}

/// Whether the client's request can go on.
pub(super) fn can_adapt(body: &[u8]) -> Result<(), Unreadable> {
    known_place(&read_body(body)?)
}

fn read_body(body: &[u8]) -> Result<Envelope<'_>, Unreadable> {
    Envelope::read(body).map_err(|error| Unreadable::new("", format!("the body is not a JSON object: {error}")))
}

/// Answers made in a place of choice have other prices; where an answer is made is nothing to pass over.
fn known_place(envelope: &Envelope) -> Result<(), Unreadable> {
    match envelope.read_field::<String>("inference_geo") {
        Some(place) if place != "global" => {
            let detail =
                format!("this desk has no prices for answers made in {place:?}; leave inference_geo out, or choose another provider");
            Err(Unreadable::new("inference_geo", detail))
        }
        _ => Ok(()),
    }
}

/// A client that named another model, or none, cannot know what this one takes: what it would refuse is said in its way.
fn fit(envelope: &mut Envelope, body: &[u8], terms: &Terms) -> Result<(), Unreadable> {
    let model = Model::named(&terms.model);
    if !model.sampling {
        for name in ["temperature", "top_p", "top_k"] {
            envelope.remove(name);
        }
    }
    let kind = |field: &str| envelope.read_field::<Value>(field).and_then(|value| Some(value.get("type")?.as_str()?.to_owned()));
    let (thinking, choice) = (kind("thinking"), kind("tool_choice"));
    let forced = choice.is_some_and(|choice| choice == "any" || choice == "tool");
    let mut config = envelope.read_field::<Value>("output_config").unwrap_or_default();
    let effort_fits = config.get("effort").is_none() || model.takes_effort();
    let thinking_fits = thinking.is_none_or(|kind| model.takes_thinking(&kind));
    if forced && !model.takes_forced_tools() {
        envelope.set("tool_choice", &json!({"type": "auto"}));
    }
    if effort_fits && thinking_fits {
        return Ok(());
    }
    let body = parse(body)?;
    let setting = model.setting(read::effort(Fields::of(&body)?)?.as_ref(), forced, terms.output_tokens_max);
    match setting.thinking {
        Some(thinking) => {
            // A budget does not go with them.
            for name in ["temperature", "top_p", "top_k"] {
                envelope.remove(name);
            }
            envelope.set("thinking", &thinking);
        }
        None => envelope.remove("thinking"),
    }
    if let Some(config) = config.as_object_mut() {
        config.remove("effort");
    }
    match setting.effort {
        Some(effort) if config.is_object() => config["effort"] = json!(effort),
        Some(effort) => config = json!({"effort": effort}),
        None => {}
    }
    match config.as_object() {
        Some(config) if !config.is_empty() => envelope.set("output_config", &json!(config)),
        _ => envelope.remove("output_config"),
    }
    Ok(())
}

fn function<'a>(tool: &'a Tool, model: &Model) -> Function<'a> {
    // The API wants an object's schema, and no schema is none.
    let mut input_schema = match &tool.parameters {
        Value::Object(schema) => schema.clone(),
        _ => serde_json::Map::new(),
    };
    input_schema.entry("type").or_insert_with(|| json!("object"));
    let input_schema = Value::Object(input_schema);
    let strict = tool.strict == Some(true) && model.schemas && can_be_strict(&input_schema);
    Function { name: &tool.name, description: &tool.description, input_schema, strict }
}

/// The choice of a tool; models that cannot be forced are told in words.
fn tool_choice(query: &Query, model: &Model, system: &mut Vec<Block<'_>>) -> Option<Value> {
    if query.tools.is_empty() {
        return None;
    }
    let alone = query.parallel_tools == Some(false);
    let mut choice = match &query.tool_choice {
        ToolChoice::None => return Some(json!({"type": "none"})),
        ToolChoice::Auto if alone => json!({"type": "auto"}),
        ToolChoice::Auto => return None,
        ToolChoice::Any if model.takes_forced_tools() => json!({"type": "any"}),
        ToolChoice::Named(name) if model.takes_forced_tools() => json!({"type": "tool", "name": name}),
        ToolChoice::Any => {
            system.push(Block::Said { text: "Answer by calling at least one of your tools.".to_owned() });
            json!({"type": "auto"})
        }
        ToolChoice::Named(name) => {
            system.push(Block::Said { text: format!("Answer by calling your tool `{name}`.") });
            json!({"type": "auto"})
        }
    };
    if alone {
        choice["disable_parallel_tool_use"] = json!(true);
    }
    Some(choice)
}

/// The schema for the API to enforce, where it can; else the form is asked for in words.
fn schema<'a>(format: &'a Format, model: &Model, system: &mut Vec<Block<'a>>) -> Option<&'a Value> {
    match format {
        Format::Text => None,
        Format::Json => {
            system.push(Block::Text { text: JSON_WANTED });
            None
        }
        Format::Schema { schema, strict: Some(true), .. } if model.schemas && can_be_strict(schema) => Some(schema),
        Format::Schema { schema, .. } => {
            system.push(Block::Said { text: format!("{JSON_WANTED} It must match this JSON Schema:\n{schema}") });
            None
        }
    }
}

fn output_config(effort: Option<&str>, schema: Option<&Value>) -> Option<Value> {
    let mut config = serde_json::Map::new();
    config.extend(effort.map(|effort| ("effort".to_owned(), json!(effort))));
    config.extend(schema.map(|schema| ("format".to_owned(), json!({"type": "json_schema", "schema": schema}))));
    (!config.is_empty()).then_some(Value::Object(config))
}

/// Whether the API can enforce a schema: it knows some keywords, and wants every object closed.
fn can_be_strict(schema: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return false };
    let is_object =
        schema.get("type").is_some_and(|kind| kind == "object" || kind.as_array().is_some_and(|k| k.contains(&json!("object"))));
    if is_object && schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return false;
    }
    schema.iter().all(|(keyword, value)| match keyword.as_str() {
        "type" | "required" | "enum" | "const" | "description" | "title" | "default" | "additionalProperties" => true,
        // A schema that contains itself is refused.
        "$ref" => value != "#",
        "properties" | "$defs" | "definitions" => value.as_object().is_some_and(|schemas| schemas.values().all(can_be_strict)),
        "anyOf" | "allOf" => value.as_array().is_some_and(|schemas| schemas.iter().all(can_be_strict)),
        "items" => can_be_strict(value),
        "minItems" => value.as_u64().is_some_and(|items| items <= 1),
        "format" => value.as_str().is_some_and(|format| {
            let known = ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
            known.contains(&format)
        }),
        _ => false,
    })
}

/// The API's temperatures end at 1; other dialects go to 2.
fn at_most_one(temperature: &Number) -> Number {
    if temperature.as_f64().is_some_and(|degrees| degrees > 1.0) { Number::from(1) } else { temperature.clone() }
}
