//! `lab3 demo`: plays the scripted day on a fresh server, or on a running one.

use std::io::IsTerminal as _;

use super::Env;
use crate::Failure;
use crate::cli::{DemoArgs, DeskArgs};
use crate::client::Client;
use crate::config::Secret;
use crate::demo::{self, Stage};

/// A server of our own over a temporary folder. It ends, and the folder goes, when this is dropped.
pub struct Ephemeral {
    /// Where it listens.
    pub url: String,
    /// What keeps it running.
    pub running: Box<dyn std::any::Any>,
}

/// Plays the day.
pub fn run(args: &DemoArgs, env: &Env) -> Result<(), Failure> {
    let mut stdout = std::io::stdout();
    let colour = stdout.is_terminal() && !env.contains_key("NO_COLOR");
    if let Some(url) = &args.url {
        let desk = DeskArgs { url: Some(url.clone()), json: false };
        let client = Client::of(&desk, &|name| env.get(name).cloned())?;
        // Citizens of its own: the day's money does not mix with anybody's.
        return demo::play(&mut Stage::new(client, "did:kaizen:demo_", &mut stdout, colour));
    }
    let ephemeral = start_ephemeral()?;
    let client = Client::new(&ephemeral.url, Secret::default())?;
    demo::play(&mut Stage::new(client, "did:kaizen:", &mut stdout, colour))
}

/// Starts a server on port 0 of loopback over a temporary folder. Wired by the lead.
fn start_ephemeral() -> Result<Ephemeral, Failure> {
    Err(Failure::Other("a server of the demo's own is not wired yet; start `lab3 serve` and use --url".to_owned()))
}
