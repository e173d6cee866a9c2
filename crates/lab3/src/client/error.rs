//! What a client's person reads when something went wrong.

use std::fmt;

use super::{Document, Reply};
use crate::json_text::printable;

/// Why there is no answer to show.
#[derive(Debug)]
pub enum ClientError {
    /// The URL is not one.
    Url(String),
    /// Nobody listens there.
    NotRunning {
        /// Where nobody listens.
        url: String,
    },
    /// The request may have arrived, but no reply came back.
    NoReply {
        /// Who was asked.
        url: String,
        /// What the last attempt met.
        cause: String,
        /// The key of the write whose outcome is unknown.
        key: Option<String>,
    },
    /// The server refused.
    Refused(Box<Problem>),
}

/// A refusal: an RFC 9457 problem document, or whatever else came with an error status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable code, such as `L3-0040`; empty when the reply has none.
    pub code: String,
    /// What the code means.
    pub title: String,
    /// What happened this time.
    pub detail: String,
    /// The field to blame, where one is.
    pub field: String,
}

impl Problem {
    /// The problem a reply tells of.
    pub fn of(reply: &Reply) -> Self {
        match Document::parse(&reply.body).filter(|document| document.has("code")) {
            Some(document) => Self {
                status: reply.status,
                code: document.text("code"),
                title: document.text("title"),
                detail: document.text("detail"),
                field: document.text("field"),
            },
            None => Self {
                status: reply.status,
                code: String::new(),
                title: format!("the server answered {} with something this client does not understand", reply.status),
                detail: printable(&reply.body.chars().take(200).collect::<String>()),
                field: String::new(),
            },
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.code {
            "" => write!(f, "error: {}", self.title)?,
            code => write!(f, "error[{code}]: {}", self.title)?,
        }
        if !self.detail.is_empty() {
            write!(f, "\n  {}", self.detail)?;
        }
        if !self.field.is_empty() {
            write!(f, "\n  field: {}", self.field)?;
        }
        if !self.code.is_empty() {
            write!(f, "\n  help: lab3 explain {}", self.code)?;
        }
        Ok(())
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Url(url) => write!(f, "error: {url:?} is not a URL such as http://127.0.0.1:8003"),
            ClientError::NotRunning { url } => {
                write!(f, "error: no desk answers at {url}\n  help: start one with `lab3 serve`, or name another with --url or LAB3_URL")
            }
            ClientError::NoReply { url, cause, key: None } => write!(f, "error: no reply from {url}: {cause}"),
            ClientError::NoReply { url, cause, key: Some(key) } => write!(
                f,
                "error: no reply from {url}: {cause}\n  Whether it was done is unknown.\n  help: repeat the command with --key {key}: it is done once, however often it is sent"
            ),
            ClientError::Refused(problem) => problem.fmt(f),
        }
    }
}

impl std::error::Error for ClientError {}
