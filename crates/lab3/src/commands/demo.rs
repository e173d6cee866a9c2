//! `lab3 demo`: plays the scripted day on a fresh server, or on a running one.

use std::io::IsTerminal as _;

use lab3_engine::Engine;
use lab3_server::Readings;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::Env;
use super::serve::TemporaryFolder;
use crate::cli::{DemoArgs, DeskArgs};
use crate::client::Client;
use crate::config::{Layers, Secret, resolve};
use crate::demo::{self, Stage};
use crate::{Failure, hive, signer};

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

/// Starts a server on port 0 of loopback over a temporary folder.
fn start_ephemeral() -> Result<Ephemeral, Failure> {
    let folder = TemporaryFolder::make()?;
    let mut settings = resolve(&Layers { file: None, env: Env::new(), flags: Vec::new() })?.settings;
    settings.data.dir = folder.data();
    let engine = hive::open(&settings, &settings.data.dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let bound = listener.local_addr()?;
    let checkpoints = runtime.block_on(signer::open(&engine, &settings.hive.name, &settings.data.dir))?;
    let app = hive::app(&settings, engine.clone(), checkpoints, None, Readings::default(), None);
    runtime.spawn(lab3_server::serve(listener, app, std::future::pending()));
    let running = Running { runtime: Some(runtime), engine, _folder: folder };
    Ok(Ephemeral { url: format!("http://{bound}"), running: Box::new(running) })
}

/// What the demo's own server consists of, in the order it must end.
struct Running {
    runtime: Option<Runtime>,
    engine: Engine,
    _folder: TemporaryFolder,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        self.engine.stop();
    }
}
