//! Lab 3: parse the command line, configure, dispatch.

use std::process::ExitCode;

use clap::Parser as _;
use lab3::cli::Cli;
use lab3::commands::{Env, dispatch};

/// Requests come from one thread and end on another; this allocator does not mind.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(&cli, &environment()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                eprintln!("{message}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The process's environment. What is not UTF-8 is read with replacement characters.
fn environment() -> Env {
    std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())).collect()
}
