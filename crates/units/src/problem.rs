//! A refusal in words: what was wrong, in which field, and what would help.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::Code;

/// Why a request was refused. Every room speaks of refusals in this form; the journal keeps those that pin a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {detail}", self.code())]
pub struct Problem {
    code: u16,
    /// The field to blame, as the request spells it (`amount`, `transfers[3].to_did`).
    pub field: Option<Cow<'static, str>>,
    /// What happened and what would help, in sentences.
    pub detail: Cow<'static, str>,
    /// Seconds after which asking again makes sense, where that is known. Not kept in the journal: it is about now.
    #[serde(skip)]
    pub retry_after_seconds: Option<u32>,
}

impl Problem {
    /// A problem nobody's field is to blame for.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.number(), field: None, detail: detail.into(), retry_after_seconds: None }
    }

    /// The same problem, blamed on a field.
    pub fn in_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same problem, which has passed after so many seconds.
    pub fn after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// What went wrong. A number from a journal of a later version reads as [`Code::INTERNAL`].
    pub fn code(&self) -> Code {
        Code::from_number(self.code).unwrap_or(Code::INTERNAL)
    }
}
