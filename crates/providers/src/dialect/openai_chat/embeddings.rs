//! `POST /v1/embeddings`: passed on to a provider that speaks it, with only the model changed.

use lab3_compute::Usage;
use serde_json::{Value, json};

use super::fields::{Fields, missing, parse, wrong};
use super::{Call, adapt, call, request, usage};
use crate::Envelope;
use crate::dialect::{LAB3, Receipt, Unreadable};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embeddings {
    /// The model, as the client named it.
    pub model: String,
    /// How many texts.
    pub inputs: u64,
    /// Their tokens are no more than that: a token is at least a byte, and models add a few marks to each text.
    pub input_tokens_max: u64,
}

/// Marks a model puts around a text.
const MARKS: u64 = 4;

/// Reads a request.
pub fn read(body: &[u8]) -> Result<Embeddings, Unreadable> {
    let value = parse(body)?;
    let body = Fields::of(&value)?;
    let model = request::model(body)?;
    let input = body.get("input").ok_or_else(|| missing("input", WANTED))?;
    let (inputs, tokens) = size(input).ok_or_else(|| wrong("input", WANTED, input))?;
    Ok(Embeddings { model, inputs, input_tokens_max: tokens.saturating_add(inputs.saturating_mul(MARKS)) })
}

const WANTED: &str = "a string, a list of strings, or lists of tokens";

/// How many texts, and how many bytes or tokens.
fn size(input: &Value) -> Option<(u64, u64)> {
    let items = match input {
        Value::String(text) => return Some((1, length(text.len()))),
        Value::Array(items) if !items.is_empty() => items,
        _ => return None,
    };
    if items.iter().all(Value::is_u64) {
        return Some((1, length(items.len())));
    }
    items.iter().try_fold((0, 0), |(inputs, sum): (u64, u64), item| {
        let size = match item {
            Value::String(text) => text.len(),
            Value::Array(tokens) if tokens.iter().all(Value::is_u64) => tokens.len(),
            _ => return None,
        };
        Some((inputs + 1, sum.saturating_add(length(size))))
    })
}

fn length(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// The provider's request: the client's bytes with the provider's model.
pub fn adapt(body: &[u8], model: &str, key: Option<&str>) -> Result<Call, Unreadable> {
    let mut envelope = adapt::read(body)?;
    envelope.set("model", &json!(model));
    Ok(call("/embeddings", envelope.to_bytes(), key))
}

/// What a reply says was used; `None` when it does not.
pub fn usage(reply: &[u8]) -> Option<Usage> {
    let envelope = Envelope::read(reply).ok()?;
    let told: Value = envelope.read_field("usage")?;
    let input = told.get("prompt_tokens").or(told.get("total_tokens")).and_then(usage::count)?;
    Some(Usage { input, ..Usage::default() })
}

/// The reply with the receipt; as it is when it is no object.
pub fn with_receipt(reply: &[u8], receipt: &Receipt) -> Vec<u8> {
    let Ok(mut envelope) = Envelope::read(reply) else { return reply.to_vec() };
    envelope.set(LAB3, receipt);
    envelope.to_bytes()
}
