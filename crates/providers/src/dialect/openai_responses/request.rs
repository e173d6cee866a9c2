//! A client's request, read into a [`Query`].

use serde_json::Value;

use super::items;
use crate::dialect::Unreadable;
use crate::dialect::openai_chat::{
    Fields, Notes, Place, Reading, allow, choice_word, function, missing, model, parse, plain_format, schema, within, wrong,
};
use crate::{Effort, Format, Message, Part, Query, Role, ToolChoice};

/// Reads the body of `POST /v1/responses`.
pub fn read(body: &[u8]) -> Result<Reading, Unreadable> {
    let value = parse(body)?;
    let body = Fields::of(&value)?;
    nothing_kept(body)?;
    let mut notes = Notes::default();
    let mut query = Query { model: model(body)?, answers: 1, stream_usage: true, ..Query::default() };
    settings(body, &mut query)?;
    if let Some(text) = body.text("instructions")? {
        query.system.push(Part::Text(text.to_owned()));
    }
    match body.get("input") {
        None => return Err(missing("input", INPUT)),
        Some(Value::String(text)) => query.messages.push(Message { role: Role::User, parts: vec![Part::Text(text.clone())] }),
        Some(Value::Array(list)) => items::read(list, &mut query, &mut notes)?,
        Some(other) => return Err(wrong("input", INPUT, other)),
    }
    tools(body, &mut query, &mut notes)?;
    Ok(Reading { query, only_here: notes.0 })
}

const INPUT: &str = "a string or a list of items";

/// What would need a memory of earlier requests, or somebody else's.
fn nothing_kept(body: Fields<'_>) -> Result<(), Unreadable> {
    let refused = [
        ("previous_response_id", "this desk keeps no answers; send the whole conversation in input"),
        ("conversation", "this desk keeps no conversations; send the whole conversation in input"),
        ("prompt", "this desk cannot see prompts kept elsewhere, nor what they cost; send their text in instructions or input"),
    ];
    if let Some((field, detail)) = refused.into_iter().find(|(field, _)| body.get(field).is_some()) {
        return Err(Unreadable::new(field, detail));
    }
    if body.flag("store")? == Some(true) {
        return Err(Unreadable::new("store", "this desk keeps no answers; send store: false, or leave it out: nothing is stored then"));
    }
    if body.flag("background")? == Some(true) {
        return Err(Unreadable::new("background", "this desk answers at once; leave background out, and ask for a stream"));
    }
    Ok(())
}

fn settings(body: Fields<'_>, query: &mut Query) -> Result<(), Unreadable> {
    query.output_tokens_max = body.count("max_output_tokens")?;
    query.temperature = body.number("temperature")?;
    query.top_p = body.number("top_p")?;
    query.parallel_tools = body.flag("parallel_tool_calls")?;
    query.stream = body.flag("stream")?.unwrap_or(false);
    if let Some(reasoning) = body.fields("reasoning")? {
        let effort = within(Place::Field("reasoning"), reasoning.text("effort"))?;
        query.effort = effort.map(|word| Effort::Word(word.to_owned()));
    }
    if let Some(text) = body.fields("text")? {
        let read = text.fields("format").and_then(|found| within(Place::Field("format"), found.map_or(Ok(Format::Text), format)));
        query.format = within(Place::Field("text"), read)?;
    }
    Ok(())
}

fn format(format: Fields<'_>) -> Result<Format, Unreadable> {
    match format.need_text("type")? {
        "json_schema" => schema(format),
        other => plain_format(other),
    }
}

fn tools(body: Fields<'_>, query: &mut Query, notes: &mut Notes) -> Result<(), Unreadable> {
    if let Some(list) = body.list("tools")? {
        notes.each("tools", list, |notes, tool| {
            let tool = Fields::of(tool)?;
            match tool.need_text("type")? {
                "function" => query.tools.push(function(tool)?),
                // The client runs these itself.
                kind @ ("custom" | "local_shell" | "apply_patch" | "computer" | "computer_use_preview" | "namespace") => {
                    notes.add("type", items::only_here(&format!("a tool of type {kind:?}")));
                }
                hosted => query.hosted_tools.push(hosted.to_owned()),
            }
            Ok(())
        })?;
    }
    match body.get("tool_choice") {
        None => Ok(()),
        Some(choice) => {
            query.tool_choice = within(Place::Field("tool_choice"), tool_choice(choice, query))?;
            Ok(())
        }
    }
}

fn tool_choice(choice: &Value, query: &mut Query) -> Result<ToolChoice, Unreadable> {
    if let Value::String(word) = choice {
        return choice_word(word);
    }
    let choice = Fields::of(choice)?;
    match choice.need_text("type")? {
        "function" => Ok(ToolChoice::Named(choice.need_text("name")?.to_owned())),
        "allowed_tools" => allow(choice, query, |tool| tool.text("name")),
        _ => Ok(ToolChoice::Any),
    }
}
