//! The mock provider by itself: listens, says where, and answers until SIGTERM.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Parser;
use lab3_mock::{FIELDS, Server, Settings};
use tokio::signal::unix::{SignalKind, signal};

/// The allocator of the lab3 binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A provider of answers nobody thought: OpenAI, Anthropic, Gemini and Ollama on one port, scripted by the model's name.
#[derive(Parser)]
#[command(version, after_long_help = FIELDS)]
struct Cli {
    /// Where to listen; port 0 takes any free port
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Write the address to this file, whole or not at all
    #[arg(long, value_name = "FILE")]
    print_address: Option<PathBuf>,
    /// Fields that hold for every request whose model's name does not say otherwise, such as tokens=200;gap_ms=2
    #[arg(long, value_name = "FIELDS", default_value = "")]
    script: String,
    /// Models it says it has
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "mock")]
    models: Vec<String>,
    /// Bytes the system keeps of what a client does not read [default: as the system likes]
    #[arg(long, value_name = "BYTES")]
    send_buffer: Option<u32>,
    /// Threads that answer
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let cli = Cli::parse();
    let mut runtime = match cli.threads {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.worker_threads(cli.threads.max(1)).enable_all().build()?;
    runtime.block_on(run(cli))
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let settings = Settings { listen: cli.listen, script: cli.script, models: cli.models, send_buffer_bytes: cli.send_buffer };
    let server = Server::bind(&settings)?;
    announce(server.address()?, cli.print_address.as_deref())?;
    tokio::select! {
        () = server.serve() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Says where it listens, to people on stdout and to programs in a file.
fn announce(address: SocketAddr, file: Option<&Path>) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "The mock answers on http://{address}")?;
    stdout.flush()?;
    if let Some(path) = file {
        // Whoever waits for the file must not read half of it.
        let unfinished = path.with_extension("unfinished");
        std::fs::write(&unfinished, format!("{address}\n"))?;
        std::fs::rename(&unfinished, path)?;
    }
    Ok(())
}
