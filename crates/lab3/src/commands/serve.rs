//! `lab3 serve`: opens the desk and serves until SIGTERM or Ctrl-C, then finishes what was accepted.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Env, configure};
use crate::Failure;
use crate::cli::ServeArgs;
use crate::config::Settings;
use crate::demo::seed;
use crate::{fetch, hive, logging, readings, signer, site, witness};

/// Opens the desk.
pub fn run(args: &ServeArgs, env: &Env) -> Result<(), Failure> {
    let settings = configure(&args.config, args.flags(), env)?.settings;
    logging::start(&settings.log);
    abort_when_the_engine_panics();
    leave_no_core();
    let temporary = if args.demo { Some(TemporaryFolder::make()?) } else { None };
    let folder = temporary.as_ref().map_or_else(|| settings.data.dir.clone(), TemporaryFolder::data);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(args, &settings, &folder, env))
}

/// A thread of the engine that panics leaves a desk that answers nobody. Better to end at once: the journal has all that was
/// acknowledged, and whoever watches over us starts us again.
fn abort_when_the_engine_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        if std::thread::current().name().is_some_and(|name| name.starts_with("lab3-")) {
            std::process::abort();
        }
    }));
}

/// What is in memory, providers' keys among it, is written to no file should the process end badly.
fn leave_no_core() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "a crash may leave the process's memory in a file");
    }
}

async fn serve(args: &ServeArgs, settings: &Settings, folder: &Path, env: &Env) -> Result<(), Failure> {
    let site = site::open(settings)?;
    // The port first: a second desk on it must not touch the data.
    let listener = TcpListener::bind(settings.server.listen).await.map_err(|error| cannot_listen(settings.server.listen, &error))?;
    let bound = listener.local_addr()?;
    let mut stop = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let engine = tokio::task::block_in_place(|| hive::open(settings, folder))?;
    if args.demo {
        seed(&engine).await?;
    }
    if engine.trust().is_open() && !bound.ip().to_canonical().is_loopback() {
        engine.stop();
        return Err(open_to_the_world(bound, folder));
    }
    let checkpoints = match signer::open(&engine, &settings.hive.name, folder).await? {
        Ok(signer) => Ok(witness::asked(signer, settings, folder)?),
        Err(why) => Err(why),
    };
    let witness = witness::open(settings, &engine, folder)?;
    let records = engine.read(|desk| desk.state.sequence).await.map_err(|problem| Failure::Other(problem.to_string()))?;
    announce(args, settings, folder, bound, records)?;
    let readings = tokio::task::block_in_place(|| readings::open(folder, settings.energy.keep_days));
    // Ends with the desk, between two fetches or within one: what was kept is whole.
    let _fetching = fetch::start(&settings.energy.fetch, &readings, &engine, env);
    let app = hive::app(settings, engine.clone(), checkpoints, witness, readings, site);
    let stopped = async move {
        tokio::select! { _ = stop.0.recv() => {}, _ = stop.1.recv() => {} }
        tracing::info!("stopping: finishing what was accepted");
    };
    let served = lab3_server::serve(listener, app, stopped).await;
    tokio::task::block_in_place(|| engine.stop());
    tracing::info!("stopped");
    Ok(served?)
}

/// Says where the desk is, to people on stdout and to programs in a file.
fn announce(args: &ServeArgs, settings: &Settings, folder: &Path, bound: SocketAddr, records: u64) -> Result<(), Failure> {
    tracing::info!(
        address = %bound, data = %folder.display(), records,
        fee_percent = %settings.finance.fee.percent(), "the desk is open"
    );
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "Lab 3 is open on http://{bound}  (requests to try: http://{bound}/lab3/docs)")?;
    if args.demo {
        writeln!(stdout, "{}", crate::demo::invitation(&format!("http://{bound}")))?;
    }
    stdout.flush()?;
    match &args.print_address {
        Some(path) => write_address(path, bound),
        None => Ok(()),
    }
}

/// Writes the address whole or not at all: whoever waits for the file must not read half of it.
fn write_address(path: &Path, bound: SocketAddr) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Other(format!("{} cannot be written: {error}", path.display()));
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, format!("{bound}\n")).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)
}

/// An open Hive beyond its own machine would be everybody's.
fn open_to_the_world(bound: SocketAddr, folder: &Path) -> Failure {
    let data = folder.display();
    Failure::Other(format!(
        "this Hive is open (nobody has a key yet), so it does not listen on {bound}, where others could reach it. Three ways forward:\n  \
         lab3 key create operator --data {data}    make the first key: from then on somebody has to be named\n  \
         lab3 seal --data {data}                   close it without a key; keys are then made the same way\n  \
         lab3 serve --listen 127.0.0.1:{}          stay on this machine",
        bound.port()
    ))
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    let help = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "; another program has it: stop that one, or choose another with --listen ADDR:PORT (port 0 takes any)"
        }
        std::io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges: choose another with --listen ADDR:PORT",
        _ => "",
    };
    Failure::Other(format!("cannot listen on {address}: {error}{help}"))
}

/// A folder that goes when this is dropped.
pub(super) struct TemporaryFolder(pub(super) PathBuf);

impl TemporaryFolder {
    pub(super) fn make() -> Result<Self, Failure> {
        // A fresh name and a folder that must not exist yet: nobody can have put one there for us.
        let path = std::env::temp_dir().join(format!("lab3-demo-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&path).map_err(|error| Failure::Other(format!("{} cannot be made: {error}", path.display())))?;
        Ok(Self(path))
    }

    /// Where the Hive's data is to stand; its signer's folder stands beside it.
    pub(super) fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the demo's folder could not be removed");
        }
    }
}
