//! Connections to providers: a request out, a stream back, over HTTP/1.1. Each stream has a connection of its own (HTTP/2 to one
//! host would queue silently past some hundred streams), kept for the next. Redirects are not followed: a key goes only where
//! the operator sent it.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT};
use hyper::http::request;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::dialect::{Back, Call};
use crate::redact::Redactor;

/// Most bytes read of a reply that says an error.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// Most that is read ahead of an answer: what a reader who takes nothing keeps of it, some times over.
const READ_AHEAD_BYTES: usize = 16 << 10;

/// What we call ourselves.
const AGENT: &str = concat!("lab3/", env!("CARGO_PKG_VERSION"));

/// Idle connections kept to a host, and for how long.
const IDLE_PER_HOST_MAX: usize = 256;
const IDLE_FOR: Duration = Duration::from_mins(1);

/// How long a provider may take for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// To be reached.
    pub connect: Duration,
    /// To begin its answer.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), first_byte: Duration::from_mins(1), idle: Duration::from_mins(1) }
    }
}

/// Why a provider did not answer, or not to the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No connection came about. It has not seen the query.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("it took longer than {0:?}")]
    TimedOut(Duration),
    /// It answered with an error.
    #[error("it answered {status}: {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        detail: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The stream broke off, or is not the protocol.
    #[error("{0}")]
    Broken(String),
}

/// A client for all providers: one pool of connections.
#[derive(Clone)]
pub struct Connections(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connections")
    }
}

impl AskError {
    /// The same, with the key taken out of what the provider said.
    fn without(self, key: &Redactor) -> Self {
        match self {
            Self::Unreachable(words) => Self::Unreachable(key.clean(words)),
            Self::Broken(words) => Self::Broken(key.clean(words)),
            // What is said of a key that is not taken is about the key, and often repeats a part of it.
            Self::Refused { status: 401, retry_after, .. } => {
                let detail = "it does not take the key it was sent; the operator sets it".to_owned();
                Self::Refused { status: 401, detail, retry_after }
            }
            Self::Refused { status, detail, retry_after } => Self::Refused { status, detail: key.clean(detail), retry_after },
            Self::TimedOut(after) => Self::TimedOut(after),
        }
    }
}

impl Connections {
    /// A client without connections yet, which waits so long for one.
    pub fn new(connect: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(connect));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let tls = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .http1_max_buf_size(READ_AHEAD_BYTES)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .build(tls);
        Self(client)
    }

    /// Gets what is at the address, and gives the answer's status and its body, of at most so many bytes. Redirects are answers like any.
    pub async fn get(&self, url: &str, bytes_max: usize) -> Result<(u16, Vec<u8>), AskError> {
        self.exchange(Request::get(url), Bytes::new(), bytes_max).await
    }

    /// The same with one header more, whose value no log shows.
    pub async fn get_with(&self, url: &str, (name, value): (&str, &str), bytes_max: usize) -> Result<(u16, Vec<u8>), AskError> {
        let mut value =
            HeaderValue::from_str(value).map_err(|_| AskError::Unreachable(format!("the value of the header {name} cannot be sent")))?;
        value.set_sensitive(true);
        self.exchange(Request::get(url).header(name, value), Bytes::new(), bytes_max).await
    }

    /// Posts a text that is no query, and gives the answer's status and its body, of at most so many bytes. Redirects are answers like any.
    pub async fn post(&self, url: &str, text: String, bytes_max: usize) -> Result<(u16, Vec<u8>), AskError> {
        let request = Request::post(url).header(CONTENT_TYPE, "text/plain; charset=utf-8");
        self.exchange(request, Bytes::from(text), bytes_max).await
    }

    async fn exchange(&self, request: request::Builder, body: Bytes, bytes_max: usize) -> Result<(u16, Vec<u8>), AskError> {
        let request = request.header(USER_AGENT, AGENT).body(Full::new(body));
        let request = request.map_err(|error| AskError::Unreachable(error.to_string()))?;
        let reply = self.0.request(request).await.map_err(|error| failed(&error))?;
        let status = reply.status().as_u16();
        let body = Limited::new(reply.into_body(), bytes_max).collect().await;
        let body = body.map_err(|error| AskError::Broken(format!("its answer did not arrive whole: {error}")))?;
        Ok((status, body.to_bytes().to_vec()))
    }

    /// Sends the request to the provider at `base`, and gives its stream once it begins.
    pub(crate) async fn ask(
        &self,
        base: &Base,
        back: &dyn Back,
        call: Call,
        key: Redactor,
        patience: &Patience,
    ) -> Result<Stream, AskError> {
        match self.begin(base, back, call, patience).await {
            Ok(body) => Ok(Stream { body, idle: patience.idle, key }),
            Err(error) => Err(error.without(&key)),
        }
    }

    async fn begin(&self, base: &Base, back: &dyn Back, call: Call, patience: &Patience) -> Result<Incoming, AskError> {
        let request = base.request(call).map_err(AskError::Unreachable)?;
        let sent = tokio::time::timeout(patience.connect + patience.first_byte, self.0.request(request)).await;
        let reply = sent.map_err(|_| AskError::TimedOut(patience.first_byte))?.map_err(|error| failed(&error))?;
        if let Some(packed) = packed(&reply) {
            return Err(AskError::Broken(format!("its answer is packed ({packed}), which nobody asked for")));
        }
        if reply.status().is_success() {
            return Ok(reply.into_body());
        }
        Err(refused(reply, back, patience.idle).await)
    }
}

/// Where a provider is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Without a slash at its end.
    url: String,
}

impl Base {
    /// Reads a base URL: `http` or `https`, a host, perhaps a path.
    pub fn parse(url: &str) -> Result<Self, String> {
        let uri = url.parse::<Uri>().map_err(|error| format!("`{url}` is not a URL: {error}"))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if !matches!(scheme, "http" | "https") || uri.host().is_none_or(str::is_empty) {
            return Err(format!("`{url}` is not the URL of a server; one looks like https://api.example.org/v1"));
        }
        if uri.query().is_some() {
            return Err(format!("`{url}` has a query; give the URL without it"));
        }
        Ok(Self { url: url.trim_end_matches('/').to_owned() })
    }

    fn request(&self, call: Call) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder().method(Method::POST).uri(format!("{}{}", self.url, call.path)).header(USER_AGENT, AGENT);
        if call.headers.iter().all(|(name, _)| *name != CONTENT_TYPE.as_str()) {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in call.headers {
            let mut value = HeaderValue::from_str(&value).map_err(|_| format!("the value of the header {name} cannot be sent"))?;
            value.set_sensitive(true);
            request = request.header(HeaderName::from_static(name), value);
        }
        request.body(Full::new(Bytes::from(call.body))).map_err(|error| error.to_string())
    }
}

/// A provider's stream.
pub struct Stream {
    body: Incoming,
    idle: Duration,
    /// What it may not repeat when it fails.
    key: Redactor,
}

impl Stream {
    /// More bytes; `None` at the stream's end. Dropping the stream closes the connection: the provider stops.
    pub async fn next(&mut self) -> Result<Option<Bytes>, AskError> {
        loop {
            let frame = tokio::time::timeout(self.idle, self.body.frame()).await.map_err(|_| AskError::TimedOut(self.idle))?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| self.broken(format!("the connection broke off: {error}")))?;
            // What is no data is trailers.
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }
}

impl Stream {
    /// The stream cannot be read on, in the provider's own words, perhaps.
    pub(crate) fn broken(&self, words: String) -> AskError {
        AskError::Broken(words).without(&self.key)
    }
}

/// How a reply is packed, if it is. Nothing is unpacked here: it could become of any size.
fn packed(reply: &Response<Incoming>) -> Option<String> {
    let said = reply.headers().get(CONTENT_ENCODING)?.to_str().unwrap_or("?").trim();
    (!said.eq_ignore_ascii_case("identity")).then(|| said.chars().take(20).collect())
}

/// The cause under a client's error: "connection refused" rather than "client error".
fn failed(error: &hyper_util::client::legacy::Error) -> AskError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if error.is_connect() { AskError::Unreachable(cause.to_string()) } else { AskError::Broken(cause.to_string()) }
}

async fn refused(reply: Response<Incoming>, back: &dyn Back, patience: Duration) -> AskError {
    let status = reply.status();
    let retry_after = reply.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok()).map(Duration::from_secs);
    if status.is_redirection() {
        let to = reply.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
        let detail = format!("redirects are not followed (to {to}); the operator sets the base URL");
        return AskError::Refused { status: status.as_u16(), detail, retry_after: None };
    }
    let body = tokio::time::timeout(patience, Limited::new(reply.into_body(), ERROR_BYTES_MAX).collect()).await;
    let detail = match body {
        Ok(Ok(body)) => back.error(&body.to_bytes()),
        _ => status.canonical_reason().unwrap_or(StatusCode::BAD_GATEWAY.as_str()).to_owned(),
    };
    AskError::Refused { status: status.as_u16(), detail, retry_after }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_that_of_a_server() {
        assert_eq!(Base::parse("https://api.openai.com/v1/").map(|base| base.url), Ok("https://api.openai.com/v1".to_owned()));
        assert!(Base::parse("http://127.0.0.1:11434").is_ok());
        for url in ["", "api.openai.com", "ftp://x", "https://", "https://x/v1?key=1", "file:///etc/passwd"] {
            assert!(Base::parse(url).is_err(), "{url}");
        }
    }
}
