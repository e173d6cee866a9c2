//! The numbers we publish. Each bench prints its machine, medians of several runs with their spread, and a reference
//! measured in the same run: the machines are shared and noisy, so quote the ratios.

mod journal;
mod machine;
mod random;

use clap::{Parser, Subcommand};

/// The allocator of the lab3 binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Lab 3's benchmarks")]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Durable transfers through decide, apply and journal, against bare appends of blobs of the same size
    Journal(journal::Args),
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    machine::print();
    match Cli::parse().bench {
        Bench::Journal(args) => journal::run(&args),
    }
}
