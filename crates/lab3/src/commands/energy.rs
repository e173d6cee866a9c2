//! `lab3 energy ...`

mod bookings;
pub mod exports;
mod frame;
mod hour;
pub mod jobs;
mod now;
pub mod plan;
mod respond;
pub mod signals;
pub mod today;

use std::io::IsTerminal as _;
use std::path::Path as FilePath;

use super::Env;
use crate::Failure;
use crate::chart::Ink;
use crate::cli::{DeskArgs, EnergyCommand};
use crate::client::Client;

/// Minutes as they are said: 15, not 15.0.
fn minutes(number: &str) -> String {
    number.strip_suffix(".0").unwrap_or(number).to_owned()
}

/// What a page is drawn on.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Columns of it.
    pub width: usize,
    /// How it is drawn.
    pub ink: Ink,
}

/// Which desk a command asks.
pub fn desk(command: &EnergyCommand) -> &DeskArgs {
    match command {
        EnergyCommand::Today(args) => &args.desk,
        EnergyCommand::Plan(args) | EnergyCommand::Jobs(args) => &args.desk,
        EnergyCommand::Now(args) | EnergyCommand::Responses(args) | EnergyCommand::Signals(args) => &args.desk,
        EnergyCommand::Book(args) => &args.desk,
        EnergyCommand::Bookings(args) | EnergyCommand::Certificates(args) => &args.desk,
        EnergyCommand::Hour(args) => &args.desk,
        EnergyCommand::Respond(args) => &args.desk,
        EnergyCommand::Import(args) => &args.desk,
        EnergyCommand::Share(args) => &args.desk,
        EnergyCommand::Exports(args) => &args.desk,
    }
}

/// Does what the command asks.
pub fn run(client: &Client, command: &EnergyCommand, env: &Env) -> Result<String, Failure> {
    match command {
        EnergyCommand::Today(args) => today::run(client, args, Page::of(args.plain, env)),
        EnergyCommand::Plan(args) => plan::run(client, args, Page::of(args.plain, env)),
        EnergyCommand::Jobs(args) => jobs::run(client, args, Page::of(args.plain, env)),
        EnergyCommand::Now(args) => now::run(client, args),
        EnergyCommand::Book(args) => bookings::book(client, args),
        EnergyCommand::Bookings(args) => bookings::bookings(client, args),
        EnergyCommand::Certificates(args) => bookings::certificates(client, args),
        EnergyCommand::Hour(args) => hour::run(client, args),
        EnergyCommand::Respond(args) => respond::respond(client, args),
        EnergyCommand::Responses(args) => respond::responses(client, args),
        EnergyCommand::Signals(args) => signals::signals(client, args),
        EnergyCommand::Import(args) => signals::import(client, args),
        EnergyCommand::Share(args) => exports::share(client, args),
        EnergyCommand::Exports(args) => exports::exports(client, args),
    }
}

impl Page {
    /// The terminal stdout is, with colours unless they are unwanted; else 80 columns without.
    fn of(plain: bool, env: &Env) -> Self {
        let stdout = std::io::stdout();
        let colour = stdout.is_terminal() && !env.contains_key("NO_COLOR") && env.get("TERM").is_none_or(|term| term != "dumb");
        let ink = if plain {
            Ink::Plain
        } else if colour {
            Ink::Colour
        } else {
            Ink::Shade
        };
        let width = terminal_size::terminal_size_of(stdout).map_or(80, |(width, _)| usize::from(width.0));
        Self { width: width.clamp(32, 160), ink }
    }
}

/// The request in a file; - is stdin.
fn request(path: &FilePath) -> Result<String, Failure> {
    let text = super::intent::read(path)?;
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::Other(format!("{} is not JSON: {error}. Nothing is sent", path.display()))),
    }
}

/// A reply of another shape: another version of the desk, or no desk.
fn unread(client: &Client, error: &serde_json::Error) -> Failure {
    Failure::Other(format!("the desk at {} answers what this program cannot read ({error}); --json shows it as it is", client.url()))
}
