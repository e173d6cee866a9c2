//! A query as turns of plain text, which is what the model reads; and what of it the model cannot do.

use lab3_providers::{Format, Part, Query, Role, ToolChoice};

use crate::ModelError;
use crate::template::Turn;

/// The turns of a query. Functions the model *may* call are passed over: it answers in words. Calls and results of earlier turns are
/// told as text, so that a conversation begun elsewhere can go on here.
pub(crate) fn turns(query: &Query) -> Result<Vec<Turn>, ModelError> {
    check(query)?;
    let mut turns = Vec::with_capacity(query.messages.len() + 1);
    if !query.system.is_empty() {
        turns.push(Turn { role: "system", content: text(&query.system, "system")? });
    }
    for (at, message) in query.messages.iter().enumerate() {
        let role = match message.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System => "system",
        };
        turns.push(Turn { role, content: text(&message.parts, &format!("messages[{at}]"))? });
    }
    Ok(turns)
}

fn check(query: &Query) -> Result<(), ModelError> {
    if query.messages.is_empty() {
        return Err(ModelError::unfit("messages", "there is nothing to answer: send at least one message"));
    }
    if query.answers > 1 {
        return Err(ModelError::unfit("n", "the local model gives one answer at a time: ask once for each, or leave this out"));
    }
    if let Some(tool) = query.hosted_tools.first() {
        return Err(ModelError::unfit("tools", format!("the local model has no tool `{tool}` of its own: leave it out")));
    }
    if matches!(query.tool_choice, ToolChoice::Any | ToolChoice::Named(_)) {
        return Err(ModelError::unfit("tool_choice", "the local model calls no functions: use `auto` or `none`, or another provider"));
    }
    if query.format != Format::Text {
        let detail = "the local model cannot promise JSON: ask for it in words, or use another provider";
        return Err(ModelError::unfit("response_format", detail));
    }
    Ok(())
}

fn text(parts: &[Part], field: &str) -> Result<String, ModelError> {
    let mut texts = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Part::Text(text) => texts.push(text.clone()),
            Part::ToolCall(call) => texts.push(format!("{}({})", call.name, call.arguments)),
            Part::ToolResult { parts, .. } => texts.push(text(parts, field)?),
            Part::Thinking { .. } => {}
            Part::Image(_) | Part::Document { .. } => {
                return Err(ModelError::unfit(field, "the local model reads text only: leave pictures and documents out"));
            }
        }
    }
    Ok(texts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab3_providers::{Image, Message, ToolCall};

    fn said(role: Role, parts: Vec<Part>) -> Message {
        Message { role, parts }
    }

    fn query() -> Query {
        Query { messages: vec![said(Role::User, vec![Part::Text("Hi".to_owned())])], ..Query::default() }
    }

    #[test]
    fn a_conversation_is_told_as_text() {
        let call = ToolCall { id: "1".to_owned(), name: "sum".to_owned(), arguments: r#"{"a":1}"#.to_owned() };
        let result = Part::ToolResult { id: "1".to_owned(), name: None, parts: vec![Part::Text("2".to_owned())], is_error: false };
        let query = Query {
            system: vec![Part::Text("Be".to_owned()), Part::Text("brief.".to_owned())],
            messages: vec![
                said(Role::User, vec![Part::Text("Add".to_owned())]),
                said(Role::Assistant, vec![Part::Thinking { text: "hm".to_owned(), signature: None }, Part::ToolCall(call)]),
                said(Role::User, vec![result, Part::Text("So?".to_owned())]),
                said(Role::System, vec![]),
            ],
            ..Query::default()
        };
        let turns = turns(&query).unwrap().into_iter().map(|turn| (turn.role, turn.content)).collect::<Vec<_>>();
        let expected = [("system", "Be\nbrief."), ("user", "Add"), ("assistant", "sum({\"a\":1})"), ("user", "2\nSo?"), ("system", "")];
        assert_eq!(turns, expected.map(|(role, content)| (role, content.to_owned())));
    }

    #[test]
    fn what_the_model_cannot_do_is_refused_by_its_field() {
        let picture = Part::Image(Image::Url("https://example.org/a.png".to_owned()));
        let nested = Part::ToolResult { id: String::new(), name: None, parts: vec![picture.clone()], is_error: false };
        let seeing = |part| Query { messages: vec![query().messages.remove(0), said(Role::User, vec![part])], ..Query::default() };
        let cases = [
            ("messages", Query::default()),
            ("messages[1]", seeing(picture)),
            ("messages[1]", seeing(nested)),
            ("n", Query { answers: 2, ..query() }),
            ("tools", Query { hosted_tools: vec!["web_search".to_owned()], ..query() }),
            ("tool_choice", Query { tool_choice: ToolChoice::Any, ..query() }),
            ("tool_choice", Query { tool_choice: ToolChoice::Named("f".to_owned()), ..query() }),
            ("response_format", Query { format: Format::Json, ..query() }),
        ];
        for (expected, query) in cases {
            let Err(ModelError::Unfit { field, detail }) = turns(&query) else { panic!("{expected} was taken") };
            assert_eq!(field, expected, "{detail}");
        }
        let willing = Query { tool_choice: ToolChoice::None, answers: 1, ..query() };
        assert_eq!(turns(&willing).unwrap().len(), 1);
    }
}
