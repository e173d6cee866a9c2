//! Answers of providers that speak as the client does: relayed in their own bytes, put together where no stream was asked for, ended by
//! the budget at any place. Each stream is fed in pieces of every size.

mod chat;
mod messages;
mod ollama;
mod responses;
mod split;

use lab3_providers::dialect::{Back, Broken, Failure, Front};
use lab3_providers::{Answer, Chunk, Finish, Piece, Query};
use serde_json::{Value, json};

use crate::said::receipt;

/// A dialect, from both sides.
struct Dialect<'a> {
    front: &'a dyn Front,
    back: &'a dyn Back,
}

fn query(stream: bool, usage: bool) -> Query {
    Query { model: "auto".to_owned(), answers: 1, stream, stream_usage: usage, ..Query::default() }
}

fn failure() -> Failure {
    Failure { status: 502, code: "L3-0104".to_owned(), detail: "it broke off".to_owned(), field: None }
}

/// The field as it is put behind others.
fn lab3() -> String {
    format!(",\"lab3\":{}", serde_json::to_string(&receipt()).unwrap())
}

/// Where a stream is cut: anywhere, or in a long one around the ends of its events and here and there between.
fn places(stream: &str) -> impl Iterator<Item = usize> {
    let is_end = |place: usize| stream.as_bytes()[place.saturating_sub(2)..stream.len().min(place + 1)].contains(&b'\n');
    (0..=stream.len()).filter(move |&place| stream.len() < 2000 || place % 41 == 0 || is_end(place))
}

impl Dialect<'_> {
    /// The chunks of a stream that comes in pieces of a size, as a source reads them.
    fn chunks(&self, stream: &[u8], size: usize) -> Vec<Chunk> {
        let mut reader = self.back.reader();
        let chunk = |bytes: &[u8]| {
            let mut pieces = Vec::new();
            reader.read(bytes, &mut pieces).unwrap();
            Chunk { bytes: bytes.to_vec().into(), pieces }
        };
        stream.chunks(size).map(chunk).collect()
    }

    /// What becomes of a stream that comes in pieces of a size.
    fn relay(&self, query: &Query, stream: &str, size: usize) -> String {
        let (mut writer, mut out) = (self.front.relay(query).unwrap(), Vec::new());
        for chunk in self.chunks(stream.as_bytes(), size) {
            writer.chunk(&chunk, &mut out);
        }
        writer.end(&receipt(), &mut out);
        String::from_utf8(out).unwrap()
    }

    /// What goes out is `expected`, which has the mark § where the receipt is.
    #[track_caller]
    fn check_stream(&self, query: &Query, stream: &str, expected: &str) {
        let expected = expected.replace('§', &lab3());
        assert_eq!(expected.matches("\"lab3\"").count(), 1);
        for size in 1..=stream.len() {
            assert_eq!(self.relay(query, stream, size), expected, "in pieces of {size}");
        }
    }

    /// The whole body is this, and the receipt.
    #[track_caller]
    fn check_whole(&self, stream: &str, mut expected: Value) {
        expected["lab3"] = json!(receipt());
        for size in 1..=stream.len() {
            let body = self.relay(&query(false, true), stream, size);
            assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected, "in pieces of {size}");
        }
    }

    /// What the budget leaves of a stream when it ends it after so many bytes.
    fn cut(&self, query: &Query, stream: &[u8], size: usize) -> String {
        let (mut writer, mut out) = (self.front.relay(query).unwrap(), Vec::new());
        let mut has_started = false;
        for chunk in self.chunks(stream, size) {
            has_started |= chunk.pieces.iter().any(|piece| matches!(piece, Piece::Start { .. }));
            writer.chunk(&chunk, &mut out);
        }
        let mut last = Vec::new();
        if !has_started {
            last.push(Piece::Start { id: "made".to_owned(), model: "m".to_owned() });
        }
        last.push(Piece::Finish(Finish::Length));
        writer.chunk(&Chunk::own(last), &mut out);
        writer.end(&receipt(), &mut out);
        String::from_utf8(out).unwrap()
    }

    /// Reads what went out as a client would.
    fn answer(&self, stream: &[u8]) -> (Answer, Result<(), Broken>, bool) {
        let (mut reader, mut pieces, mut answer) = (self.back.reader(), Vec::new(), Answer::default());
        let result = reader.read(stream, &mut pieces);
        for piece in &pieces {
            answer.add(piece);
        }
        (answer, result, reader.is_done())
    }

    /// Wherever the budget ends a stream, what came before is in it, the end is the dialect's own and says why, and the receipt
    /// is there once.
    #[track_caller]
    fn check_cuts(&self, query: &Query, stream: &str) {
        for end in places(stream) {
            let came = &stream.as_bytes()[..end];
            let (before, ..) = self.answer(came);
            let out = self.cut(query, came, 7);
            let (after, result, is_done) = self.answer(out.as_bytes());
            assert_eq!((result, is_done), (Ok(()), true), "after {end} bytes: {out}");
            assert_eq!(after.finish, Some(Finish::Length), "after {end} bytes: {out}");
            assert_eq!(out.matches("\"lab3\":").count(), 1, "after {end} bytes: {out}");
            let said = |answer: &Answer| {
                let Answer { text, thinking, refusal, calls, .. } = answer;
                let calls = calls.iter().map(|call| (call.id.clone(), call.name.clone())).collect::<Vec<_>>();
                (text.clone(), thinking.clone(), refusal.clone(), calls)
            };
            assert_eq!(said(&after), said(&before), "after {end} bytes: {out}");
            if !before.id.is_empty() {
                assert_eq!((&after.id, &after.model), (&before.id, &before.model), "after {end} bytes: {out}");
            }
        }
    }

    /// The whole bodies of an answer cut anywhere: each is JSON, has the receipt, and says why at `path`.
    #[track_caller]
    fn check_cut_bodies(&self, stream: &str, path: &str, word: &str) {
        for end in places(stream) {
            let body = self.cut(&query(false, true), &stream.as_bytes()[..end], 11);
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body.pointer(path), Some(&json!(word)), "after {end} bytes: {body}");
            assert_eq!(body["lab3"], json!(receipt()), "after {end} bytes: {body}");
        }
    }

    /// What goes out of a stream of which so much came before it failed.
    fn fail(&self, query: &Query, stream: &str) -> String {
        let (mut writer, mut out) = (self.front.relay(query).unwrap(), Vec::new());
        for chunk in self.chunks(stream.as_bytes(), 5) {
            writer.chunk(&chunk, &mut out);
        }
        writer.fail(&failure(), &mut out);
        String::from_utf8(out).unwrap()
    }
}
