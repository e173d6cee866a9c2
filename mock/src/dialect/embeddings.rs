//! OpenAI's embeddings: every text is the same vector, with 0.5 throughout.

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Ask, Dialect, Head, Text, array, body, object, openai_chat};
use crate::plan::Plan;
use crate::words::Words;

/// Length of a vector when nobody says.
const DIMENSIONS: usize = 8;

/// Longest vector, and most texts at once.
const MOST: usize = 4096;

pub(crate) struct Embeddings;

#[derive(Deserialize)]
struct Request {
    model: String,
    input: Value,
    encoding_format: Option<String>,
    dimensions: Option<usize>,
}

impl Dialect for Embeddings {
    fn read(_: Head<'_>, bytes: &[u8]) -> Result<Ask, String> {
        let request = body::<Request>(bytes)?;
        let Words(words) = Words::deserialize(&request.input).map_err(|error| format!("input is not as it should be: {error}"))?;
        // An array of numbers is one text; any other array is one of texts.
        let texts = match &request.input {
            Value::Array(items) if !items.iter().all(Value::is_number) => items.len(),
            _ => 1,
        };
        let dimensions = request.dimensions.unwrap_or(DIMENSIONS);
        if texts > MOST || !(1..=MOST).contains(&dimensions) {
            return Err(format!("at most {MOST} texts, and vectors of 1 to {MOST} dimensions"));
        }
        let packed = request.encoding_format.as_deref() == Some("base64");
        Ok(Ask { model: request.model, words, packed, limit: Some(0), answers: 1, embeddings: (texts, dimensions), ..Ask::default() })
    }

    fn stream(answer: &Answer<'_>) -> Plan {
        let mut plan = Plan::default();
        plan.event(Self::whole(answer));
        plan
    }

    fn whole(answer: &Answer<'_>) -> String {
        let (texts, dimensions) = answer.ask.embeddings;
        let vector = if answer.ask.packed {
            format!("\"{}\"", base64(&0.5_f32.to_le_bytes().repeat(dimensions)))
        } else {
            format!("[{}]", vec!["0.5"; dimensions].join(","))
        };
        let data = (0..texts).map(|index| object(&[("object", &Text("embedding")), ("index", &index), ("embedding", &vector)]));
        let tokens = answer.usage().input;
        let usage = answer.usage_or(|| object(&[("prompt_tokens", &tokens), ("total_tokens", &tokens)]));
        object(&[("object", &Text("list")), ("data", &array(data)), ("model", &answer.model), ("usage", &usage)])
    }

    fn error(status: u16, message: &str, _: Option<u64>) -> String {
        openai_chat::error(status, message)
    }

    fn stream_error(_: &Answer<'_>) -> Vec<String> {
        Vec::new()
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place)) as usize & 63;
            text.push(if place <= group.len() { char::from(DIGITS[digit]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (text, expected) in cases {
            assert_eq!(base64(text.as_bytes()), expected, "{text}");
        }
    }
}
