//! Somebody who talks to a desk over one keep-alive connection.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

/// Longest wait for a reply.
const REPLY_PATIENCE: Duration = Duration::from_mins(1);

/// Longest reply read, in bytes.
const REPLY_BYTES_MAX: u64 = 64 << 20;

/// A client of one desk. Each has a connection of its own.
pub struct Client {
    agent: Agent,
    base: String,
}

/// What the desk answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, or null when it is no JSON.
    pub body: Value,
    /// Whether the desk says that the key had been used before.
    pub replayed: bool,
    /// The content type.
    pub content_type: String,
    /// Seconds to wait, when the desk says so.
    pub retry_after: Option<u64>,
}

/// No reply: the connection was refused or cut. Whether a write happened is unknown.
#[derive(Debug)]
pub struct Lost(pub String);

impl Client {
    /// A client of the desk at that address.
    pub fn new(address: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections_per_host(1)
            .timeout_global(Some(REPLY_PATIENCE))
            .proxy(None);
        Self { agent: config.build().new_agent(), base: format!("http://{address}") }
    }

    /// Asks.
    pub fn get(&self, path: &str) -> Result<Reply, Lost> {
        let sent = self.agent.get(format!("{}{path}", self.base)).call();
        sent.map_err(lost).and_then(read)
    }

    /// Asks for what must be there.
    pub fn ask(&self, path: &str) -> Value {
        let reply = self.get(path).unwrap();
        assert_eq!(reply.status, 200, "GET {path}: {}", reply.body);
        reply.body
    }

    /// Writes.
    pub fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Result<Reply, Lost> {
        let mut request = self.agent.post(format!("{}{path}", self.base)).header("Content-Type", "application/json");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        request.send(body.to_string()).map_err(lost).and_then(read)
    }

    /// Writes what must succeed.
    pub fn write(&self, path: &str, key: Option<&str>, body: &Value) -> Value {
        let reply = self.post(path, key, body).unwrap();
        assert_eq!(reply.status, 200, "POST {path} {body}: {}", reply.body);
        reply.body
    }

    /// Gives a citizen money.
    pub fn mint(&self, did: &str, mic: u32) -> Value {
        let body = serde_json::json!({ "to_did": did, "amount": mic, "reason": "for a test" });
        self.write("/lab3/financial/mint", None, &body)
    }

    /// Where the journal ends, with the hash of the state there.
    pub fn head(&self) -> Value {
        self.ask("/lab3/journal/head?state_hash=true")
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Reply, Lost> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let replayed = header("idempotency-replayed").as_deref() == Some("true");
    let content_type = header("content-type").unwrap_or_default();
    let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(REPLY_BYTES_MAX).read_to_string().map_err(lost)?;
    Ok(Reply { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), replayed, content_type, retry_after })
}

fn lost(error: impl std::fmt::Display) -> Lost {
    Lost(error.to_string())
}
