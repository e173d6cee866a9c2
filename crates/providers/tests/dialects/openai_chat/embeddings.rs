//! Embeddings on their way to a provider and back.

use lab3_compute::Usage;
use lab3_providers::dialect::Receipt;
use lab3_providers::dialect::openai_chat::embeddings::{Embeddings, adapt, read, usage, with_receipt};

#[test]
fn the_size_of_the_inputs_is_read() {
    let check = |input: &str, inputs: u64, tokens: u64| {
        let body = format!(r#"{{"model":"e","input":{input},"encoding_format":"base64"}}"#);
        let expected = Embeddings { model: "e".to_owned(), inputs, input_tokens_max: tokens + 4 * inputs };
        assert_eq!(read(body.as_bytes()), Ok(expected), "{input}");
    };
    check(r#""Grüße""#, 1, 7);
    check(r#"["a","bc",""]"#, 3, 3);
    check("[1,2,3]", 1, 3);
    check("[[1,2],[3]]", 2, 3);
}

#[test]
fn what_cannot_be_read_is_blamed_on_its_field() {
    let check = |body: &str, field: &str| assert_eq!(read(body.as_bytes()).unwrap_err().field, field, "{body}");
    check(r#"{"input":"a"}"#, "model");
    check(r#"{"model":"e"}"#, "input");
    for input in ["[]", "7", "{}", r#"["a",7]"#, "[-1]", "[[\"a\"]]", "[1.5]"] {
        check(&format!(r#"{{"model":"e","input":{input}}}"#), "input");
    }
}

#[test]
fn only_the_model_changes() {
    let call = adapt(br#"{"input": ["a"],"model":"auto","dimensions":8}"#, "m", Some("sk-1")).unwrap();
    assert_eq!(String::from_utf8(call.body).unwrap(), r#"{"input":["a"],"model":"m","dimensions":8}"#);
    assert_eq!(call.path, "/embeddings");
    assert!(call.headers.contains(&("authorization", "Bearer sk-1".to_owned())));
}

#[test]
fn usage_is_read_from_the_reply() {
    let check = |reply: &str, expected: Option<u64>| {
        assert_eq!(usage(reply.as_bytes()), expected.map(|input| Usage { input, ..Usage::default() }), "{reply}");
    };
    check(r#"{"object":"list","data":[],"usage":{"prompt_tokens":5,"total_tokens":5}}"#, Some(5));
    check(r#"{"usage":{"prompt_tokens":0,"total_tokens":0}}"#, Some(0));
    check(r#"{"usage":{"total_tokens":5}}"#, Some(5));
    check(r#"{"usage":null}"#, None);
    check(r#"{"data":[]}"#, None);
    check("<html>", None);
}

#[test]
fn the_reply_keeps_its_bytes_beside_the_receipt() {
    let receipt = Receipt { provider: "p".to_owned(), cost_mic: "0.1".to_owned(), ..Receipt::default() };
    let reply = r#"{"data":[{"embedding":[0.10,1e-3]}],"usage":{"prompt_tokens":5}}"#;
    let expected = format!("{},\"lab3\":{}}}", reply.strip_suffix('}').unwrap(), serde_json::to_string(&receipt).unwrap());
    assert_eq!(String::from_utf8(with_receipt(reply.as_bytes(), &receipt)).unwrap(), expected);
    assert_eq!(with_receipt(b"<html>", &receipt), b"<html>");
}
