//! The command line of DIDs: their keys.

use clap::{Args, Subcommand};
use lab3_units::Did;

use super::{DeskArgs, WriteArgs, did};

/// `lab3 did ...`
#[derive(Debug, Subcommand)]
pub enum DidCommand {
    /// Show the keys that sign for a DID here.
    Show(DidShowArgs),
    /// Have the desk fetch a did:web's document, and note the keys it gives.
    #[command(after_help = "Example:\n  lab3 did resolve did:web:example.org:members:alice")]
    Resolve(DidResolveArgs),
}

/// `lab3 did show`
#[derive(Args, Clone, Debug)]
pub struct DidShowArgs {
    /// The DID.
    #[arg(value_parser = did)]
    pub did: Did,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 did resolve`
#[derive(Args, Clone, Debug)]
pub struct DidResolveArgs {
    /// The DID.
    #[arg(value_parser = did)]
    pub did: Did,
    /// How it is written.
    #[command(flatten)]
    pub write: WriteArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}
