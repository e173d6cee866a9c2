//! Requests with a body: bounded, of the right content type, in UTF-8, and read strictly.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use http_body_util::BodyExt;
use lab3_engine::{Actor, Command, Key, Submission};
use lab3_trust::Principal;
use lab3_units::{Code, Problem};

use crate::App;
use crate::http::key;
use crate::http::parameters::{Named, named};
use crate::http::permit::{Input, Touches, Touching};
use crate::json::{self, Object, Parameter};

/// What is read, and thrown away, of a body that is too large, so that the client gets to read the refusal.
const DISCARDED_BYTES_MAX: usize = 64 << 20;

/// Longest wait for a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that was read: its body and its key.
pub(crate) struct Sent<T> {
    /// What was asked.
    pub(crate) body: T,
    /// The client's `Idempotency-Key`.
    pub(crate) key: Option<Key>,
}

/// A command on its way to the writer: under the client's key, or an id of its own.
pub(crate) fn submission(key: Option<Key>, actor: Actor, command: Command) -> Submission {
    let id = key.map_or_else(key::fresh_id, |key| key.id);
    Submission { actor, id, key, command, will: None }
}

impl<T: Object + Touching + Send> Input for Sent<T> {
    async fn read(request: Request, app: &App, principal: &Principal) -> Result<Self, Problem> {
        check_no_query(request.uri())?;
        let (parts, body) = request.into_parts();
        read_sent(&parts, body, app, principal).await
    }

    fn touches(&self) -> Touches<'_> {
        self.body.touches()
    }
}

/// Something a path names, told to do what the body says. What is touched is what the path names.
impl<T: Parameter + Touching + Send, B: Object + Send> Input for (Named<T>, Sent<B>) {
    async fn read(request: Request, app: &App, principal: &Principal) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let named = Named(named(&mut parts, app).await?);
        Ok((named, read_sent(&parts, body, app, principal).await?))
    }

    fn touches(&self) -> Touches<'_> {
        self.0.0.touches()
    }
}

async fn read_sent<T: Object>(parts: &Parts, body: Body, app: &App, principal: &Principal) -> Result<Sent<T>, Problem> {
    let bytes = whole_body(body, app).await?;
    let bare = bytes.is_empty() && T::OPTIONAL;
    if !bare {
        check_content_type(&parts.headers)?;
    }
    let read = if bare { json::read("{}") } else { utf8(&bytes).and_then(json::read) };
    let key = key::of_request(parts, principal, &bytes)?;
    Ok(Sent { body: read?, key })
}

/// Refuses a query where none is understood.
pub(crate) fn check_no_query(uri: &Uri) -> Result<(), Problem> {
    match uri.query() {
        None | Some("") => Ok(()),
        Some(query) => {
            let name = query.split(['=', '&']).next().unwrap_or_default();
            let shown: String = name.chars().take(64).collect();
            Err(Problem::new(Code::PARAMETER, "This path takes no query parameters. Leave them out.").in_field(shown))
        }
    }
}

/// The whole body, when it comes in time and is not too large.
pub(crate) async fn whole_body(body: Body, app: &App) -> Result<Bytes, Problem> {
    short_body(body, app.settings().body_bytes_max).await
}

/// The whole body, when it comes in time and has no more bytes than that.
pub(crate) async fn short_body(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let late = |_| Problem::new(Code::MALFORMED_BODY, "The body did not arrive within half a minute. Send it again.");
    tokio::time::timeout(PATIENCE, whole(body, bytes_max)).await.map_err(late)?
}

/// The whole body, when it is not too large.
async fn whole(mut body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut rest = Vec::new();
    let mut len: usize = 0;
    while let Some(frame) = body.frame().await {
        let cut = |_| Problem::new(Code::MALFORMED_BODY, "The body did not arrive whole. Send it again.");
        let Ok(data) = frame.map_err(cut)?.into_data() else { continue };
        len = len.saturating_add(data.len());
        if len > bytes_max {
            (first, rest) = (Bytes::new(), Vec::new());
        } else if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(bytes_max.min(2 * len));
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
        if len > bytes_max.saturating_add(DISCARDED_BYTES_MAX) {
            break;
        }
    }
    if len > bytes_max {
        return Err(Problem::new(Code::BODY_TOO_LARGE, format!("The body has more than {bytes_max} bytes. Send less at once.")));
    }
    Ok(if rest.is_empty() { first } else { rest.into() })
}

fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.is_empty() {
        return Err(Problem::new(Code::MALFORMED_BODY, "The body is empty. Send a JSON object."));
    }
    let broken = |error: std::str::Utf8Error| {
        Problem::new(Code::MALFORMED_BODY, format!("The body is not UTF-8: byte {} is wrong.", error.valid_up_to()))
    };
    str::from_utf8(bytes).map_err(broken)
}

pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let sent = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let refused = || Problem::new(Code::CONTENT_TYPE, "Send JSON, and say so: Content-Type: application/json.");
    match sent {
        Some("application/json") => Ok(()),
        Some(other) if is_json(other) => Ok(()),
        _ => Err(refused()),
    }
}

/// Whether a content type is `application/json`, perhaps with `charset=utf-8`.
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let is_utf8 = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    };
    named && parts.all(is_utf8)
}
