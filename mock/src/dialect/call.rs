//! Calls: what an answer does instead of saying something. A script's tokens are the arguments of its calls, shared among them.

use super::{Answer, Text, TextEvents, joined, json_inner};

/// How the arguments of a call begin; then come the tokens as a JSON text's inside.
pub(crate) const ARGUMENTS_START: &str = "{\"text\":\"";

/// How they end.
const ARGUMENTS_END: &str = "\"}";

/// A call of the script's function.
pub(crate) struct Call<'a> {
    pub(crate) name: Text<'a>,
    /// Which call of the answer, from 0.
    pub(crate) index: u32,
    /// Tokens of its arguments.
    pub(crate) tokens: u64,
    /// The tokens' texts, event by event, not yet as JSON.
    pub(crate) events: Vec<TextEvents>,
    /// How its arguments end: not at all when the limit cuts them.
    pub(crate) end: &'static str,
    serial: u64,
}

impl<'a> Answer<'a> {
    /// The calls; none when the script has no function. The limit cuts the last one.
    pub(crate) fn calls(&'a self) -> Vec<Call<'a>> {
        let Some(name) = self.script.tool.as_deref() else { return Vec::new() };
        let count = self.script.calls.max(1);
        let of = |index: u32| {
            // What cannot be shared is the first call's.
            let tokens = self.said / u64::from(count) + if index == 0 { self.said % u64::from(count) } else { 0 };
            let events = if index == 0 { self.text_events(tokens) } else { self.word_events(tokens) };
            let end = if self.is_short && index + 1 == count { "" } else { ARGUMENTS_END };
            Call { name: Text(name), index, tokens, events, end, serial: self.serial }
        };
        (0..count).map(of).collect()
    }
}

impl Call<'_> {
    /// The arguments, as JSON text; unfinished when the limit cuts them.
    pub(crate) fn arguments(&self) -> String {
        format!("{ARGUMENTS_START}{}{}", json_inner(&joined(&self.events)), self.end)
    }

    /// The arguments where broken ones are told as none.
    pub(crate) fn object(&self) -> String {
        if self.end.is_empty() { "{}".to_owned() } else { self.arguments() }
    }

    /// An id no other call has, written as JSON.
    pub(crate) fn id(&self, prefix: &str) -> String {
        match self.index {
            0 => format!("\"{prefix}mock{}\"", self.serial),
            index => format!("\"{prefix}mock{}_{index}\"", self.serial),
        }
    }
}
