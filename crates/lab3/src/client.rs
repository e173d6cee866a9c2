//! A client of a running desk: sends a request, and a write again under the same key until its outcome is known.

mod document;
mod error;

use std::time::Duration;

use lab3_tlog::Receipt;
use ureq::Agent;
use ureq::http::{Response, Uri};

pub use document::{Document, Path};
pub use error::{ClientError, Problem};

use crate::cli::DeskArgs;
use crate::config::Secret;

/// Where a desk listens when nobody says otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8003";

/// Times a request is sent, at most.
const ATTEMPTS_MAX: u32 = 5;

/// The longest pause between two attempts, whatever the server asks for.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// A client of one desk.
pub struct Client {
    agent: Agent,
    base: String,
    key: Secret,
    pause: fn(Duration),
}

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body as it came.
    pub body: String,
    /// Whether the key had been used before, and this is the first reply once more.
    pub replayed: bool,
    /// The log's promise that what was done is in it: a signed note.
    pub receipt: Option<String>,
    /// What the server asks to wait before the next attempt.
    retry_after: Option<Duration>,
}

/// One attempt that brought no reply.
enum Lost {
    /// The request never left.
    Refused(String),
    /// It may have arrived.
    Unknown(String),
    /// It cannot be written as HTTP, now or later.
    Impossible(String),
}

impl Client {
    /// A client of the desk the arguments name, else `LAB3_URL`, else the default. `env` looks a variable up.
    pub fn of(desk: &DeskArgs, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ClientError> {
        let url = desk.url.clone().or_else(|| env("LAB3_URL").filter(|url| !url.is_empty()));
        let key = env("LAB3_KEY").unwrap_or_default();
        Self::new(url.as_deref().unwrap_or(DEFAULT_URL), Secret::new(key.trim()))
    }

    /// A client of the desk at `url`, which sends the key (`LAB3_KEY`) when there is one.
    pub fn new(url: &str, key: Secret) -> Result<Self, ClientError> {
        let base = url.trim_end_matches('/').to_owned();
        let uri: Option<Uri> = base.parse().ok();
        let host = uri.as_ref().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https"))).and_then(Uri::host);
        let host = host.ok_or_else(|| ClientError::Url(url.to_owned()))?;
        let local = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("lab3/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(30)));
        if local {
            // A proxy of the environment is for the world outside.
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().new_agent(), base, key, pause: std::thread::sleep })
    }

    /// The same client that pauses in its own way between attempts; tests do not wait.
    #[must_use]
    pub fn pausing_with(self, pause: fn(Duration)) -> Self {
        Self { pause, ..self }
    }

    /// The desk's address.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Asks. A refusal is an error that holds the problem document.
    pub fn get(&self, path: &Path) -> Result<Reply, ClientError> {
        self.exchange(path, None)?.accepted()
    }

    /// Writes under the key, or a fresh one. A refusal is an error that holds the problem document.
    pub fn post(&self, path: &Path, body: &str, key: Option<&str>) -> Result<Reply, ClientError> {
        let key = key.map_or_else(fresh_key, str::to_owned);
        self.exchange(path, Some((body, &key)))?.accepted()
    }

    /// Sends until a reply is known, refusals included. With a body and a key it is a POST, else a GET.
    pub fn exchange(&self, path: &Path, write: Option<(&str, &str)>) -> Result<Reply, ClientError> {
        let mut sent = false;
        let mut attempt = 1;
        loop {
            let last = attempt == ATTEMPTS_MAX;
            let wait = match self.send(path.as_str(), write) {
                Ok(reply) if reply.status != 503 || last => return Ok(reply),
                Ok(reply) => reply.retry_after,
                Err(Lost::Refused(_)) if !sent => return Err(ClientError::NotRunning { url: self.base.clone() }),
                Err(Lost::Impossible(cause)) => return Err(ClientError::NoReply { url: self.base.clone(), cause, key: None }),
                Err(Lost::Refused(cause) | Lost::Unknown(cause)) if last => {
                    let key = write.map(|(_, key)| key.to_owned());
                    return Err(ClientError::NoReply { url: self.base.clone(), cause, key });
                }
                Err(_) => None,
            };
            sent = true;
            attempt += 1;
            let wait = wait.unwrap_or(Duration::from_millis(100) * 2_u32.pow(attempt)).min(PAUSE_MAX);
            let same_key = if write.is_some() { " with the same key" } else { "" };
            eprintln!("no answer yet; asking again{same_key} in {:.1} s ({attempt} of {ATTEMPTS_MAX})", wait.as_secs_f32());
            (self.pause)(wait);
        }
    }

    fn send(&self, path: &str, write: Option<(&str, &str)>) -> Result<Reply, Lost> {
        let url = format!("{}{path}", self.base);
        let bearer = self.key.expose().map(|token| format!("Bearer {token}"));
        let sent = match write {
            None => match &bearer {
                Some(bearer) => self.agent.get(&url).header("Authorization", bearer).call(),
                None => self.agent.get(&url).call(),
            },
            Some((body, key)) => {
                let mut request = self.agent.post(&url).header("Content-Type", "application/json").header("Idempotency-Key", key);
                if let Some(bearer) = &bearer {
                    request = request.header("Authorization", bearer);
                }
                request.send(body)
            }
        };
        sent.map_err(Lost::from).and_then(Reply::read)
    }
}

/// A key nobody has used.
pub fn fresh_key() -> String {
    uuid::Uuid::now_v7().to_string()
}

impl Reply {
    /// What the program itself answers where no desk was asked.
    pub(crate) const fn own(body: String) -> Self {
        Self { status: 200, body, replayed: false, receipt: None, retry_after: None }
    }

    fn read(mut response: Response<ureq::Body>) -> Result<Self, Lost> {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let replayed = header("idempotency-replayed") == Some("true");
        let receipt = header("lab3-receipt").and_then(Receipt::from_header);
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_string().map_err(Lost::from)?;
        Ok(Self { status, body, replayed, receipt, retry_after })
    }

    /// The reply, unless it is a refusal.
    fn accepted(self) -> Result<Self, ClientError> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(ClientError::Refused(Box::new(Problem::of(&self)))) }
    }

    /// The body's fields.
    pub fn document(&self) -> Result<Document, ClientError> {
        Document::parse(&self.body).ok_or_else(|| ClientError::Refused(Box::new(Problem::of(self))))
    }
}

impl From<ureq::Error> for Lost {
    fn from(error: ureq::Error) -> Self {
        match &error {
            ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => Lost::Refused(error.to_string()),
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => Lost::Refused(error.to_string()),
            ureq::Error::Http(_) | ureq::Error::BadUri(_) => Lost::Impossible(error.to_string()),
            _ => Lost::Unknown(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
