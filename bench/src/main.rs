//! The numbers we publish. Each bench prints its machine, medians of several runs with their spread, and a reference
//! measured in the same run: the machines are shared and noisy, so quote the ratios.

mod audit;
mod booking;
mod desk;
mod echo;
mod energy;
mod gateway;
mod hostile;
mod http;
mod journal;
mod load;
mod machine;
mod proof;
mod random;
mod scale;
mod spread;
mod wrk;

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
    /// Requests a second over HTTP, against a bare axum JSON echo
    Http(http::Args),
    /// What the gateway adds between a client and a provider, against asking the provider directly
    Gateway(gateway::Args),
    /// What honest clients wait while others are slow, send wrong keys or crowd in, against the same without them
    Hostile(hostile::Args),
    /// Memory and speed with a million accounts, and starting with ten million records
    Scale(scale::Args),
    /// The proof of one entry among ten million: its bytes, and the time to make one
    Proof(proof::Args),
    /// Records a second that an audit replays on one core, with signatures and without, against the hashes and signatures alone
    Audit(audit::Args),
    /// Jobs under a cap, the best hours of 47 zones, plans of a day to a year, carbon of a request
    Energy(energy::Args),
    /// The reference server of `http`
    #[command(hide = true)]
    Echo(echo::Args),
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let bench = Cli::parse().bench;
    if !matches!(bench, Bench::Echo(_)) {
        machine::print();
    }
    match bench {
        Bench::Journal(args) => journal::run(&args),
        Bench::Http(args) => http::run(&args),
        Bench::Gateway(args) => gateway::run(&args),
        Bench::Hostile(args) => hostile::run(&args),
        Bench::Scale(args) => scale::run(&args),
        Bench::Proof(args) => proof::run(&args),
        Bench::Audit(args) => audit::run(&args),
        Bench::Energy(args) => energy::run(&args),
        Bench::Echo(args) => echo::run(&args),
    }
}
