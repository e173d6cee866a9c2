//! A client's request, read into a [`Query`].

use serde_json::{Value, json};

use super::fields::{Fields, Notes, Place, missing, parse, within, wrong};
use super::messages;
use crate::dialect::Unreadable;
use crate::{Effort, Format, Query, Tool, ToolChoice};

/// A request that was read.
#[derive(Debug)]
pub struct Reading {
    /// What is asked.
    pub query: Query,
    /// What the query cannot carry: it passes to providers of the same dialect, and no other can be told it. Each entry is what a
    /// client is to hear when there is no such provider.
    pub only_here: Vec<Unreadable>,
}

impl Reading {
    /// The query, which says itself what only its own dialect can be told.
    pub fn into_query(self) -> Query {
        let Self { query, only_here } = self;
        Query { only_here, ..query }
    }
}

/// Reads the body of `POST /v1/chat/completions`.
pub fn read(body: &[u8]) -> Result<Reading, Unreadable> {
    let value = parse(body)?;
    let body = Fields::of(&value)?;
    let mut notes = Notes::default();
    let mut query = Query { model: model(body)?, answers: 1, ..Query::default() };
    settings(body, &mut query)?;
    let list = body.list("messages")?.ok_or_else(|| missing("messages", "a list of messages"))?;
    messages::read(list, &mut query, &mut notes)?;
    tools(body, &mut query, &mut notes)?;
    functions(body, &mut query)?;
    hosted_tools(body, &mut query);
    query.format = within(Place::Field("response_format"), body.fields("response_format")?.map_or(Ok(Format::Text), format))?;
    speech(body)?;
    Ok(Reading { query, only_here: notes.0 })
}

/// The model, as the client names it.
pub(crate) fn model(body: Fields<'_>) -> Result<String, Unreadable> {
    match body.text("model")? {
        Some(model) if !model.is_empty() => Ok(model.to_owned()),
        _ => Err(Unreadable::new("model", "model is missing; use auto, or the name of a provider or of its model")),
    }
}

fn settings(body: Fields<'_>, query: &mut Query) -> Result<(), Unreadable> {
    query.output_tokens_max = body.count("max_completion_tokens")?.or(body.count("max_tokens")?);
    if let Some(answers) = body.count("n")? {
        query.answers = u32::try_from(answers)
            .ok()
            .filter(|&answers| answers <= ANSWERS_MAX)
            .ok_or_else(|| Unreadable::new("n", format!("n must be at most {ANSWERS_MAX}")))?;
    }
    query.temperature = body.number("temperature")?;
    query.top_p = body.number("top_p")?;
    // Servers that know it take -1 as all.
    query.top_k = body.integer("top_k")?.and_then(|top_k| u64::try_from(top_k).ok()).filter(|&top_k| top_k > 0);
    query.seed = body.integer("seed")?;
    query.frequency_penalty = body.number("frequency_penalty")?;
    query.presence_penalty = body.number("presence_penalty")?;
    query.stop = match body.get("stop") {
        None => Vec::new(),
        Some(Value::String(stop)) => vec![stop.clone()],
        Some(list) => texts(list).ok_or_else(|| wrong("stop", "a string or a list of strings", list))?,
    };
    query.effort = body.text("reasoning_effort")?.map(|word| Effort::Word(word.to_owned()));
    query.parallel_tools = body.flag("parallel_tool_calls")?;
    query.stream = body.flag("stream")?.unwrap_or(false);
    if let Some(options) = body.fields("stream_options")? {
        query.stream_usage = within(Place::Field("stream_options"), options.flag("include_usage"))?.unwrap_or(false);
    }
    Ok(())
}

/// Most answers of one query, as OpenAI has it.
const ANSWERS_MAX: u32 = 128;

fn texts(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn tools(body: Fields<'_>, query: &mut Query, notes: &mut Notes) -> Result<(), Unreadable> {
    if let Some(list) = body.list("tools")? {
        notes.each("tools", list, |notes, tool| {
            let tool = Fields::of(tool)?;
            match tool.need_text("type")? {
                "function" => {
                    let function = within(Place::Field("function"), function(tool.need_fields("function")?))?;
                    query.tools.push(function);
                }
                "custom" => notes.add("type", "a custom tool can go only to a provider that speaks Chat Completions itself".to_owned()),
                hosted => query.hosted_tools.push(hosted.to_owned()),
            }
            Ok(())
        })?;
    }
    match body.get("tool_choice") {
        None => Ok(()),
        Some(choice) => within(Place::Field("tool_choice"), tool_choice(choice, query)),
    }
}

/// A function the model may call.
pub(crate) fn function(function: Fields<'_>) -> Result<Tool, Unreadable> {
    Ok(Tool {
        name: function.need_text("name")?.to_owned(),
        description: function.text("description")?.unwrap_or_default().to_owned(),
        parameters: function.fields("parameters")?.and(function.get("parameters")).cloned().unwrap_or_else(no_parameters),
        strict: function.flag("strict")?,
    })
}

fn no_parameters() -> Value {
    json!({"type": "object", "properties": {}})
}

/// The choice in a word.
pub(crate) fn choice_word(word: &str) -> Result<ToolChoice, Unreadable> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" => Ok(ToolChoice::Any),
        other => Err(Unreadable::new("", format!("{other:?} is no choice; use auto, none, required or name a function"))),
    }
}

fn tool_choice(choice: &Value, query: &mut Query) -> Result<(), Unreadable> {
    if let Value::String(word) = choice {
        query.tool_choice = choice_word(word)?;
        return Ok(());
    }
    let choice = Fields::of(choice)?;
    query.tool_choice = match choice.need_text("type")? {
        "function" => {
            let name = within(Place::Field("function"), choice.need_fields("function")?.need_text("name"))?;
            ToolChoice::Named(name.to_owned())
        }
        "allowed_tools" => {
            let allowed = choice.need_fields("allowed_tools")?;
            within(
                Place::Field("allowed_tools"),
                allow(allowed, query, |tool| tool.fields("function")?.map_or(Ok(None), |function| function.text("name"))),
            )?
        }
        _ => ToolChoice::Any,
    };
    Ok(())
}

/// Keeps the tools that may be called; `name` finds a tool's.
pub(crate) fn allow<'a>(
    allowed: Fields<'a>,
    query: &mut Query,
    name: impl Fn(Fields<'a>) -> Result<Option<&'a str>, Unreadable>,
) -> Result<ToolChoice, Unreadable> {
    let mut names = Vec::new();
    for (index, tool) in allowed.list("tools")?.unwrap_or_default().iter().enumerate() {
        let found = Fields::of(tool).and_then(&name);
        names.extend(within(Place::Field("tools"), within(Place::Item(index), found))?);
    }
    query.tools.retain(|tool| names.contains(&tool.name.as_str()));
    within(Place::Field("mode"), choice_word(allowed.text("mode")?.unwrap_or("auto")))
}

/// Functions as they were told before there were tools.
fn functions(body: Fields<'_>, query: &mut Query) -> Result<(), Unreadable> {
    for (index, item) in body.list("functions")?.unwrap_or_default().iter().enumerate() {
        let read = Fields::of(item).and_then(function);
        query.tools.push(within(Place::Field("functions"), within(Place::Item(index), read))?);
    }
    match body.get("function_call") {
        None => {}
        Some(Value::String(word)) => query.tool_choice = within(Place::Field("function_call"), choice_word(word))?,
        Some(named) => {
            let name = within(Place::Field("function_call"), Fields::of(named).and_then(|named| named.need_text("name")))?;
            query.tool_choice = ToolChoice::Named(name.to_owned());
        }
    }
    Ok(())
}

/// What providers run and charge for without it being told as a tool: OpenAI's search, that of xAI, plugins of OpenRouter.
fn hosted_tools(body: Fields<'_>, query: &mut Query) {
    for (field, name) in [("web_search_options", "web_search"), ("search_parameters", "live_search"), ("plugins", "plugins")] {
        query.hosted_tools.extend(body.get(field).map(|_| name.to_owned()));
    }
}

/// Spoken answers have prices of their own, by token, which nobody here knows.
fn speech(body: Fields<'_>) -> Result<(), Unreadable> {
    let modalities = body.list("modalities")?.unwrap_or_default();
    if modalities.iter().all(|modality| modality.as_str() == Some("text")) {
        return Ok(());
    }
    Err(Unreadable::new("modalities", "answers come as text only: this desk has no prices for others; leave modalities out"))
}

fn format(format: Fields<'_>) -> Result<Format, Unreadable> {
    match format.need_text("type")? {
        "json_schema" => within(Place::Field("json_schema"), schema(format.need_fields("json_schema")?)),
        other => plain_format(other),
    }
}

/// A form that has only a name.
pub(crate) fn plain_format(name: &str) -> Result<Format, Unreadable> {
    match name {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Json),
        other => Err(Unreadable::new("type", format!("{other:?} is no form of answers; use text, json_object or json_schema"))),
    }
}

/// JSON of a schema.
pub(crate) fn schema(schema: Fields<'_>) -> Result<Format, Unreadable> {
    Ok(Format::Schema {
        name: schema.need_text("name")?.to_owned(),
        schema: schema.fields("schema")?.and(schema.get("schema")).cloned().unwrap_or_else(|| json!({})),
        strict: schema.flag("strict")?,
    })
}
