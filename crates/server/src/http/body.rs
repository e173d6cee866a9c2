//! Requests with a body: bounded, of the right content type, in UTF-8, and read strictly.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use lab3_engine::{Actor, Command, Key, Submission};
use lab3_trust::Principal;
use lab3_units::{Code, Problem};

use crate::App;
use crate::http::gather::gather;
use crate::http::key;
use crate::http::parameters::{Named, named};
use crate::http::permit::{Input, Touches, Touching};
use crate::json::{self, Object, Parameter};
use crate::limits::OWN_BYTES;

/// A request that was read: its body and its key.
pub(crate) struct Sent<T> {
    /// What was asked.
    pub(crate) body: T,
    /// The client's `Idempotency-Key`.
    pub(crate) key: Option<Key>,
}

/// A command on its way to the writer: under the client's key, or an id of its own.
pub(crate) fn submission(key: Option<Key>, actor: Actor, command: Command) -> Submission {
    Submission::new(actor, key, key::fresh_id(), command)
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
    let bytes = match principal {
        Principal::Nobody => small_body(body, app).await?,
        _ => whole_body(body, app).await?,
    };
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

/// Refuses a body that is packed, by the header that says so: unpacked it could be of any size.
pub(crate) fn check_encoding(request: &Request) -> Result<(), Problem> {
    if request.method() != Method::POST {
        // Nobody reads its body.
        return Ok(());
    }
    for (name, plain) in [(header::CONTENT_ENCODING, "identity"), (header::TRANSFER_ENCODING, "chunked")] {
        let values = request.headers().get_all(&name);
        if values.iter().any(|value| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(plain.as_bytes())) {
            let detail = "The body is encoded, which this desk does not undo. Send it as it is.";
            let field = if name == header::CONTENT_ENCODING { "Content-Encoding" } else { "Transfer-Encoding" };
            return Err(Problem::new(Code::CONTENT_TYPE, detail).in_field(field));
        }
    }
    Ok(())
}

/// The whole body, when it comes in time and is not too large.
pub(crate) async fn whole_body(body: Body, app: &App) -> Result<Bytes, Problem> {
    short_body(body, app, app.settings().body_bytes_max).await
}

/// The whole body, when it comes in time and has no more bytes than that.
pub(crate) async fn short_body(body: Body, app: &App, bytes_max: usize) -> Result<Bytes, Problem> {
    gather(body, bytes_max, app.limits().room()).await
}

/// The whole body of somebody nobody names, who gets no room but a connection's own.
async fn small_body(body: Body, app: &App) -> Result<Bytes, Problem> {
    gather(body, app.settings().body_bytes_max.min(OWN_BYTES), app.limits().room()).await
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
