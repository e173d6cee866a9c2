//! A client's request, read into a [`Query`]. What the API only asks of caches, tiers and accounts is left where it is, in the bytes.

use serde_json::Value;

use super::blocks;
use crate::dialect::Unreadable;
use crate::dialect::openai_chat::{Fields, Notes, Place, Reading, missing, parse, within, wrong};
use crate::{Effort, Format, Query, Tool, ToolChoice};

/// Whether a request must say `max_tokens`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Required,
    Optional,
}

/// Reads a request's body.
pub(super) fn read(body: &[u8], limit: Limit) -> Result<Reading, Unreadable> {
    let value = parse(body)?;
    let body = Fields::of(&value)?;
    let mut notes = Notes::default();
    let mut query = Query { model: body.need_text("model")?.to_owned(), answers: 1, stream_usage: true, ..Query::default() };
    query.output_tokens_max = tokens(body, "max_tokens")?;
    if query.output_tokens_max.is_none() && limit == Limit::Required {
        return Err(missing("max_tokens", "the most tokens the answer may have, a whole number"));
    }
    if let Some(system) = body.get("system") {
        query.system = within(Place::Field("system"), blocks::instructions(system))?;
    }
    let messages = body.list("messages")?.ok_or_else(|| missing("messages", "a list of messages"))?;
    query.messages = blocks::messages(messages, &mut notes)?;
    settings(body, &mut query)?;
    tools(body, &mut query, &mut notes)?;
    Ok(Reading { query, only_here: notes.0 })
}

fn settings(body: Fields<'_>, query: &mut Query) -> Result<(), Unreadable> {
    query.temperature = body.number("temperature")?;
    query.top_p = body.number("top_p")?;
    query.top_k = body.count("top_k")?;
    query.stream = body.flag("stream")?.unwrap_or(false);
    query.format = format(body)?;
    query.effort = effort(body)?;
    if let Some(list) = body.list("stop_sequences")? {
        let texts = list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>();
        query.stop = texts.ok_or_else(|| Unreadable::new("stop_sequences", "stop_sequences must be a list of strings"))?;
    }
    Ok(())
}

/// A number of tokens; 0 is one, too: it fills the cache, and nothing is answered.
fn tokens(object: Fields<'_>, name: &str) -> Result<Option<u64>, Unreadable> {
    let Some(tokens) = object.integer(name)? else { return Ok(None) };
    u64::try_from(tokens).map(Some).map_err(|_| Unreadable::new(name, format!("{name} must not be negative")))
}

/// How much the model may think.
pub(super) fn effort(body: Fields<'_>) -> Result<Option<Effort>, Unreadable> {
    let config = body.fields("output_config")?;
    let word = config.map(|config| within(Place::Field("output_config"), config.text("effort"))).transpose()?.flatten();
    let word = word.map(|word| Effort::Word(word.to_owned()));
    let Some(thinking) = body.fields("thinking")? else { return Ok(word) };
    within(
        Place::Field("thinking"),
        match thinking.need_text("type")? {
            "enabled" => tokens(thinking, "budget_tokens")?
                .map(|tokens| Some(Effort::Tokens(tokens)))
                .ok_or_else(|| missing("budget_tokens", "how many tokens the thoughts may take, a whole number")),
            "disabled" => Ok(Some(Effort::Tokens(0))),
            // What the API takes for granted.
            "adaptive" => Ok(word.or_else(|| Some(Effort::Word("high".to_owned())))),
            _ => Ok(word),
        },
    )
}

/// The client's functions, and the names of the tools that the provider runs.
fn tools(body: Fields<'_>, query: &mut Query, notes: &mut Notes) -> Result<(), Unreadable> {
    notes.each("tools", body.list("tools")?.unwrap_or_default(), |notes, tool| {
        let tool = Fields::of(tool)?;
        match tool.text("type")? {
            None | Some("custom") => query.tools.push(function(tool)?),
            Some(kind) if runs_at_client(kind) => {
                let help = "can be told only to a provider that speaks Anthropic's Messages itself; describe it as a custom tool";
                notes.add("type", format!("a tool of type {kind:?} {help}"));
            }
            Some(kind) => query.hosted_tools.push(kind.to_owned()),
        }
        Ok(())
    })?;
    let Some(choice) = body.fields("tool_choice")? else { return Ok(()) };
    within(Place::Field("tool_choice"), tool_choice(choice, query))
}

/// Whether the client runs a tool of the API's own making: these cost nothing but their tokens.
fn runs_at_client(kind: &str) -> bool {
    ["bash_", "text_editor_", "memory_", "computer_", "browser_"].into_iter().any(|tool| kind.starts_with(tool))
}

fn function(tool: Fields<'_>) -> Result<Tool, Unreadable> {
    tool.need_fields("input_schema")?;
    Ok(Tool {
        name: tool.need_text("name")?.to_owned(),
        description: tool.text("description")?.unwrap_or_default().to_owned(),
        parameters: tool.get("input_schema").cloned().unwrap_or_default(),
        strict: tool.flag("strict")?,
    })
}

fn tool_choice(choice: Fields<'_>, query: &mut Query) -> Result<(), Unreadable> {
    query.parallel_tools = choice.flag("disable_parallel_tool_use")?.map(|disabled| !disabled);
    query.tool_choice = match choice.need_text("type")? {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Any,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.need_text("name")?.to_owned()),
        other => return Err(wrong("type", "auto, any, tool or none", &Value::from(other))),
    };
    Ok(())
}

/// The answer's form: `output_config.format`, or `output_format` as it was called at first.
fn format(body: Fields<'_>) -> Result<Format, Unreadable> {
    let of = |object: Fields<'_>, name: &str| {
        let Some(format) = object.fields(name)? else { return Ok(Format::Text) };
        within(Place::Field(name), schema(format))
    };
    match body.fields("output_config")? {
        Some(config) if config.get("format").is_some() => within(Place::Field("output_config"), of(config, "format")),
        _ => of(body, "output_format"),
    }
}

fn schema(format: Fields<'_>) -> Result<Format, Unreadable> {
    match format.need_text("type")? {
        "json_schema" => {
            format.need_fields("schema")?;
            let schema = format.get("schema").cloned().unwrap_or_default();
            Ok(Format::Schema { name: "answer".to_owned(), schema, strict: Some(true) })
        }
        other => Err(wrong("type", "json_schema", &Value::from(other))),
    }
}
