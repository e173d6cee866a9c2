//! Where in a request a value stands, and the first thing found wrong there.

use std::cell::OnceCell;
use std::fmt::Display;

use lab3_units::{Code, Problem};
use serde::de;

/// A place in a request. Lives on the stack; becomes text (`transfers[17].amount`) only when something is wrong there.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    fault: &'a OnceCell<Problem>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Body,
    Field(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl<'a> Place<'a> {
    /// The request as a whole; `fault` keeps the first thing found wrong in it.
    pub(crate) fn body(fault: &'a OnceCell<Problem>) -> Self {
        Self { fault, step: Step::Body }
    }

    /// A field of the object here.
    pub(crate) fn field(&'a self, name: &'a str) -> Self {
        Self { fault: self.fault, step: Step::Field(self, name) }
    }

    /// An item of the list here.
    pub(crate) fn item(&'a self, at: usize) -> Self {
        Self { fault: self.fault, step: Step::Item(self, at) }
    }

    /// Whether this is the request as a whole.
    pub(crate) fn is_body(&self) -> bool {
        matches!(self.step, Step::Body)
    }

    /// Notes the problem as this place's, and gives the error that stops the reading.
    pub(crate) fn refuse<E: de::Error>(&self, problem: Problem) -> E {
        self.note(problem);
        E::custom("refused")
    }

    /// Notes that the text here is not JSON, unless a problem deeper down is known already.
    pub(crate) fn malformed(&self, error: &impl Display) {
        if self.fault.get().is_none() {
            self.note(Problem::new(Code::MALFORMED_BODY, format!("What stands here is not JSON: {error}.")));
        }
    }

    fn note(&self, problem: Problem) {
        let problem = if self.is_body() { problem } else { problem.in_field(self.path()) };
        // Only the first problem is told; reading stops there.
        let _ = self.fault.set(problem);
    }

    fn path(&self) -> String {
        match self.step {
            Step::Body => String::new(),
            Step::Field(object, name) if object.is_body() => name.to_owned(),
            Step::Field(object, name) => format!("{}.{name}", object.path()),
            Step::Item(list, at) => format!("{}[{at}]", list.path()),
        }
    }
}
