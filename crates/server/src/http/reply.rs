//! Replies: what was done or asked, as JSON whose numbers are written from text.

use std::fmt::{self, Display, Write as _};

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use lab3_engine::{Commit, Committed};
use lab3_units::{Amount, Asset, Code, Problem};
use serde::{Serialize, Serializer, ser};
use serde_json::value::RawValue;

use crate::App;
use crate::http::problem::Refused;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Refused>;

/// The header that tells a reply made again from one made first.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The header with the log's promise that what was done is in it: a signed note (`lab3_tlog::Receipt`) in base 64.
pub(crate) const RECEIPT: HeaderName = HeaderName::from_static("lab3-receipt");

/// Bytes set aside for a reply; few are longer.
const REPLY_BYTES: usize = 512;

/// What was asked.
pub(crate) fn reply(body: &impl Serialize) -> Response {
    sized_reply(body, REPLY_BYTES)
}

/// What was done, now or the first time the key was used.
pub(crate) fn done(app: &App, body: &impl Serialize, committed: &Committed) -> Response {
    marked(app, reply(body), &committed.commit, committed.replayed)
}

/// A reply of about that many bytes.
pub(crate) fn sized_reply(body: &impl Serialize, bytes: usize) -> Response {
    let mut text = Vec::with_capacity(bytes);
    if let Err(error) = serde_json::to_writer(&mut text, body) {
        tracing::error!(%error, "a reply could not be written");
        return Refused(Problem::new(Code::INTERNAL, "The reply could not be written. The log says more.")).into_response();
    }
    let mut response = Response::new(text.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The reply, with the log's promise of what was done, and marked when it is made again.
pub(crate) fn marked(app: &App, mut response: Response, commit: &Commit, replayed: bool) -> Response {
    let receipt = app.checkpoints().ok().and_then(|checkpoints| checkpoints.receipt(app.engine(), commit));
    if let Some(receipt) = receipt.and_then(|receipt| HeaderValue::from_str(&receipt).ok()) {
        response.headers_mut().insert(RECEIPT, receipt);
    }
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// A decimal number, written from its text: no float comes near it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<T>(pub(crate) T);

impl<T: Display> Serialize for Number<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = Digits::default();
        write!(digits, "{}", self.0).map_err(ser::Error::custom)?;
        let raw: &RawValue = serde_json::from_str(digits.as_str()).map_err(ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// An amount of MIC (or compute MIC), as a number with at most six decimals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mic(pub(crate) Amount);

impl Serialize for Mic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Number(Asset::MIC.decimal(self.0)).serialize(serializer)
    }
}

/// Something written as the string it displays as: an id, a time, a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Room for a number's text without the heap: the longest amount has 21 characters.
#[derive(Default)]
struct Digits {
    bytes: [u8; 32],
    len: usize,
}

impl Digits {
    fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Bytes as people compare them.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
