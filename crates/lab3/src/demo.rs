//! The demo: a stage on which every request and reply is shown, and the day played on it.

mod day;
mod seed;

use std::io::Write;

pub use day::play;
pub use seed::{invitation, seed};

use crate::Failure;
use crate::client::{Client, ClientError, Document, Path, Problem, Reply, fresh_key};
use crate::json_text::{Paint, pretty};

/// Where the day is played: a desk, the names of the citizens, and the terminal.
pub struct Stage<'a> {
    client: Client,
    prefix: &'a str,
    out: &'a mut dyn Write,
    colour: bool,
    step: u32,
}

impl<'a> Stage<'a> {
    /// A stage at that desk. `prefix` starts every DID of the cast (`did:kaizen:`).
    pub fn new(client: Client, prefix: &'a str, out: &'a mut dyn Write, colour: bool) -> Self {
        Self { client, prefix, out, colour, step: 0 }
    }

    /// The DID of one of the cast.
    fn did(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Says something between the steps.
    fn say(&mut self, text: &str) -> Result<(), Failure> {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Asks, and shows request and reply.
    fn get(&mut self, narration: &str, path: &Path) -> Result<Document, Failure> {
        self.narrate(narration)?;
        self.request("GET", path, None, None)?;
        let reply = self.client.exchange(path, None)?;
        self.expect(&reply, 200)
    }

    /// Writes, and shows request and reply.
    fn post(&mut self, narration: &str, path: &str, body: &str) -> Result<Document, Failure> {
        self.narrate(narration)?;
        let reply = self.send(path, body, &fresh_key(), false)?;
        self.expect(&reply, 200)
    }

    /// Writes twice under one key, and shows the key with both.
    fn post_twice(&mut self, first: &str, second: &str, path: &str, body: &str) -> Result<(), Failure> {
        let key = fresh_key();
        for narration in [first, second] {
            self.narrate(narration)?;
            let reply = self.send(path, body, &key, true)?;
            self.expect(&reply, 200)?;
        }
        Ok(())
    }

    /// Writes what must be refused with that status, and shows the refusal.
    fn post_refused(&mut self, narration: &str, path: &str, body: &str, status: u16) -> Result<(), Failure> {
        self.narrate(narration)?;
        let reply = self.send(path, body, &fresh_key(), false)?;
        self.expect(&reply, status)?;
        Ok(())
    }

    fn send(&mut self, path: &str, body: &str, key: &str, show_key: bool) -> Result<Reply, Failure> {
        let path = Path::new(path);
        self.request("POST", &path, show_key.then_some(key), Some(body))?;
        Ok(self.client.exchange(&path, Some((body, key)))?)
    }

    fn narrate(&mut self, narration: &str) -> Result<(), Failure> {
        self.step += 1;
        let (bold, end) = if self.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        Ok(writeln!(self.out, "\n{bold}{}. {narration}{end}", self.step)?)
    }

    fn request(&mut self, method: &str, path: &Path, key: Option<&str>, body: Option<&str>) -> Result<(), Failure> {
        writeln!(self.out, "   {method} {}", path.as_str())?;
        if let Some(key) = key {
            writeln!(self.out, "   Idempotency-Key: {key}")?;
        }
        if let Some(body) = body {
            writeln!(self.out, "   {body}")?;
        }
        Ok(())
    }

    /// Shows the reply; anything but the expected status ends the demo.
    fn expect(&mut self, reply: &Reply, status: u16) -> Result<Document, Failure> {
        let paint = if self.colour { Paint::COLOUR } else { Paint::PLAIN };
        let replayed = if reply.replayed { "  Idempotency-Replayed: true" } else { "" };
        writeln!(self.out, "   -> {}{replayed}", reply.status)?;
        for line in pretty(&reply.body, paint).lines() {
            writeln!(self.out, "   {line}")?;
        }
        if reply.status == status { Ok(reply.document()?) } else { Err(ClientError::Refused(Box::new(Problem::of(reply))).into()) }
    }
}

#[cfg(test)]
mod tests;
