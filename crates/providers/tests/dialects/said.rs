//! What is said in tests of several dialects: the parts of queries, the pieces of answers, a receipt.

use lab3_providers::dialect::Receipt;
use lab3_providers::{Message, Part, Piece, Role, ToolCall};

pub fn words(text: &str) -> Part {
    Part::Text(text.to_owned())
}

pub fn turn(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

pub fn user(parts: Vec<Part>) -> Message {
    turn(Role::User, parts)
}

/// What a user says in so many words.
pub fn said(text: &str) -> Message {
    user(vec![words(text)])
}

pub fn assistant(parts: Vec<Part>) -> Message {
    turn(Role::Assistant, parts)
}

pub fn made_call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

pub fn result(id: &str, name: Option<&str>, text: &str) -> Part {
    Part::ToolResult { id: id.to_owned(), name: name.map(str::to_owned), parts: vec![words(text)], is_error: false }
}

pub fn number(text: &str) -> serde_json::Number {
    serde_json::from_str(text).unwrap()
}

pub fn start(id: &str, model: &str) -> Piece {
    Piece::Start { id: id.to_owned(), model: model.to_owned() }
}

pub fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

pub fn thinking(text: &str) -> Piece {
    Piece::Thinking(text.to_owned())
}

pub fn call(call: u32, id: &str, name: &str) -> Piece {
    Piece::ToolCall { call, id: id.to_owned(), name: name.to_owned() }
}

pub fn arguments(call: u32, json: &str) -> Piece {
    Piece::Arguments { call, json: json.to_owned() }
}

pub fn receipt() -> Receipt {
    Receipt {
        allocation_id: "al_1".to_owned(),
        provider: "p".to_owned(),
        cost_mic: "0.000123".to_owned(),
        quota_remaining_mic: "9.5".to_owned(),
        reason: "cheapest".to_owned(),
    }
}
