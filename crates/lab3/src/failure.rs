//! Why a command failed, what it says on stderr, and the exit code.

use std::fmt;

use crate::client::ClientError;
use crate::config::ConfigProblems;

/// A command that did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// The command line makes no sense: exit code 2.
    Usage(String),
    /// The configuration cannot be used.
    Config(ConfigProblems),
    /// The server could not be asked, or refused.
    Client(ClientError),
    /// Anything else, in one sentence.
    Other(String),
    /// Whoever read our output has heard enough: no message, exit code 0.
    ReaderGone,
}

impl Failure {
    /// The process's exit code: 0 done, 1 failed, 2 asked wrongly.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) | Failure::Client(ClientError::Url(_)) => 2,
            Failure::ReaderGone => 0,
            _ => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(message) | Failure::Other(message) => write!(f, "error: {message}"),
            Failure::Config(problems) => write!(f, "error: {problems}"),
            Failure::Client(error) => error.fmt(f),
            Failure::ReaderGone => Ok(()),
        }
    }
}

impl From<ConfigProblems> for Failure {
    fn from(problems: ConfigProblems) -> Self {
        Failure::Config(problems)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Failure::Client(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::Other(error.to_string()),
        }
    }
}
