//! The receipt in replies of every dialect: its amounts are the decimals they are, to the last digit.

use lab3_compute::Usage;
use lab3_providers::dialect::anthropic::Anthropic;
use lab3_providers::dialect::ollama::{OllamaChat, OllamaGenerate};
use lab3_providers::dialect::openai_chat::{Flavour, OpenAiChat, OpenAiChatBack, embeddings};
use lab3_providers::dialect::openai_responses::OpenAiResponses;
use lab3_providers::dialect::{Back, Front, Receipt};
use lab3_providers::{Answer, Chunk, Finish, Piece, Query};
use serde_json::{Value, json};

/// Amounts as the desk tells them, some beyond what a float can hold, and how JSON has them; what is no number is null.
const AMOUNTS: [(&str, &str); 7] = [
    ("0.000008", "0.000008"),
    ("99999.999999", "99999.999999"),
    ("0.0", "0.0"),
    ("-0.000001", "-0.000001"),
    ("9223372036854.775807", "9223372036854.775807"),
    ("", "null"),
    ("\"1\"", "null"),
];

fn receipts() -> impl Iterator<Item = (Receipt, String)> {
    let other = AMOUNTS.into_iter().cycle().skip(1);
    AMOUNTS.into_iter().zip(other).map(|((cost, cost_told), (left, left_told))| {
        let receipt = Receipt {
            allocation_id: "al_1".to_owned(),
            provider: "p".to_owned(),
            cost_mic: cost.to_owned(),
            quota_remaining_mic: left.to_owned(),
            reason: "cheapest".to_owned(),
        };
        let told = format!(
            r#""lab3":{{"allocation_id":"al_1","provider":"p","cost_gic":{cost_told},"quota_remaining_gic":{left_told},"reason":"cheapest"}}"#
        );
        (receipt, told)
    })
}

fn pieces() -> [Piece; 4] {
    [
        Piece::Start { id: "a".to_owned(), model: "m".to_owned() },
        Piece::Text("Hi".to_owned()),
        Piece::Usage(Usage { input: 3, output: 1, ..Usage::default() }),
        Piece::Finish(Finish::Stop),
    ]
}

fn query(stream: bool, stream_usage: bool) -> Query {
    Query { model: "auto".to_owned(), answers: 1, stream, stream_usage, ..Query::default() }
}

/// The receipt is in what was written, once, and as it must be.
#[track_caller]
fn check(out: &[u8], told: &str, what: &str) {
    let out = str::from_utf8(out).unwrap();
    assert!(out.contains(told), "{what}: no {told} in {out}");
    assert_eq!(out.matches("\"lab3\"").count(), 1, "{what}: {out}");
}

fn written(front: &dyn Front, query: &Query, receipt: &Receipt) -> Vec<u8> {
    let (mut writer, mut out) = (front.writer(query), Vec::new());
    for piece in &pieces() {
        writer.piece(piece, &mut out);
    }
    writer.end(receipt, &mut out);
    out
}

#[test]
fn amounts_are_exact_in_what_is_written() {
    let fronts: [(&str, &dyn Front); 5] = [
        ("chat", &OpenAiChat),
        ("responses", &OpenAiResponses),
        ("messages", &Anthropic),
        ("ollama chat", &OllamaChat),
        ("ollama generate", &OllamaGenerate),
    ];
    let mut answer = Answer::default();
    for piece in &pieces() {
        answer.add(piece);
    }
    for (name, front) in fronts {
        for (receipt, told) in receipts() {
            check(&written(front, &query(true, true), &receipt), &told, name);
            check(&written(front, &query(true, false), &receipt), &told, name);
            let whole = front.whole(&query(false, true), &answer, &receipt);
            check(&whole, &told, name);
            assert!(serde_json::from_slice::<Value>(&whole).unwrap()["lab3"].is_object(), "{name}");
        }
    }
}

#[test]
fn amounts_are_exact_in_what_is_passed_on() {
    let dialects: [(&str, &dyn Front, &dyn Back); 4] = [
        ("chat", &OpenAiChat, &OpenAiChatBack { flavour: Flavour::Compatible }),
        ("responses", &OpenAiResponses, &OpenAiResponses),
        ("messages", &Anthropic, &Anthropic),
        ("ollama", &OllamaChat, &OllamaChat),
    ];
    for (name, front, back) in dialects {
        // Another desk is the provider: it has a receipt of its own, which is no business of our client.
        let foreign = Receipt { cost_mic: "77.7".to_owned(), ..Receipt::default() };
        let stream = written(front, &query(true, true), &foreign);
        for (receipt, told) in receipts() {
            for query in [query(true, true), query(true, false), query(false, true)] {
                // All of it, or what the budget leaves: a part, or nothing.
                for came in [stream.len(), stream.len() / 2, 0] {
                    let (mut reader, mut pieces) = (back.reader(), Vec::new());
                    reader.read(&stream[..came], &mut pieces).unwrap();
                    let (mut writer, mut out) = (front.relay(&query).unwrap(), Vec::new());
                    writer.chunk(&Chunk { bytes: stream[..came].to_vec().into(), pieces }, &mut out);
                    if came < stream.len() {
                        writer.chunk(&Chunk::own(vec![Piece::Finish(Finish::Length)]), &mut out);
                    }
                    writer.end(&receipt, &mut out);
                    check(&out, &told, &format!("{name}, stream {}, {came} bytes", query.stream));
                }
            }
        }
    }
}

#[test]
fn amounts_are_exact_beside_embeddings() {
    for (receipt, told) in receipts() {
        let reply = json!({"data": [], "lab3": {"cost_gic": 77.7}}).to_string();
        check(&embeddings::with_receipt(reply.as_bytes(), &receipt), &told, "embeddings");
    }
}
