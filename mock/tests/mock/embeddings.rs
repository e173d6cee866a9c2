//! Embeddings: how many, how long, in which encoding.

use lab3_mock::Mock;
use serde_json::{Value, json};

use crate::client::post;

fn check(mut body: Value, count: usize, dimensions: usize, tokens: u64) {
    let mock = Mock::start().unwrap();
    body["model"] = json!("mock");
    let reply = post(&mock, "/v1/embeddings", &body).json();
    let data = reply["data"].as_array().unwrap();
    assert_eq!(data.len(), count, "{reply}");
    for (place, embedding) in data.iter().enumerate() {
        assert_eq!((&embedding["object"], embedding["index"].as_u64().unwrap()), (&json!("embedding"), place as u64));
        match &embedding["embedding"] {
            Value::Array(numbers) => assert_eq!(numbers, &vec![json!(0.5); dimensions]),
            Value::String(text) => assert_eq!(text.trim_end_matches('=').len(), (dimensions * 4 * 8).div_ceil(6)),
            other => panic!("{other}"),
        }
    }
    assert_eq!(reply["usage"], json!({ "prompt_tokens": tokens, "total_tokens": tokens }));
    assert_eq!(reply["object"], "list");
}

#[test]
fn every_text_has_its_vector() {
    check(json!({ "input": "one two" }), 1, 8, 2);
    check(json!({ "input": ["one two", "three"] }), 2, 8, 3);
    check(json!({ "input": [1, 2, 3, 4] }), 1, 8, 4);
    check(json!({ "input": [[1, 2], [3]], "dimensions": 3 }), 2, 3, 3);
    check(json!({ "input": "one", "encoding_format": "base64", "dimensions": 5 }), 1, 5, 1);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mock = Mock::start().unwrap();
    for body in [json!({ "model": "m" }), json!({ "model": "m", "input": "a", "dimensions": 0 }), json!({ "input": "a" })] {
        assert_eq!(post(&mock, "/v1/embeddings", &body).status, 400, "{body}");
    }
    let failed = post(&mock, "/v1/embeddings", &json!({ "model": "m;fail=429;retry_after=3", "input": "a" }));
    assert_eq!((failed.status, failed.head.contains("retry-after: 3")), (429, true));
}
