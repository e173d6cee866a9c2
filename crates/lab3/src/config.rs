//! Configuration: embedded defaults, then the file, then the environment, then the flags; the later layer wins.
//!
//! One table ([`keys::KEYS`], and [`keys::PROVIDER_KEYS`] for each provider) names every key, its default, its meaning
//! and where its value lands in [`Settings`]. Nothing here reads the process: files and variables are handed in as
//! [`Layers`], so a test needs no environment of its own.

mod draws;
mod energy;
mod env;
mod file;
pub mod keys;
mod nearest;
mod prices;
mod problem;
mod registry;
mod resolve;
mod secret;
mod setting;
mod settings;
mod shares;
mod template;
mod witnesses;

pub use draws::{DrawList, grid};
pub use energy::{Fetch, FetchList};
pub use file::ConfigFile;
pub use prices::{Prices, Tier};
pub use problem::{ConfigProblem, ConfigProblems};
pub use resolve::{Entry, Flag, Layers, Resolved, resolve};
pub use secret::Secret;
pub use setting::{BaseUrl, Models, Range, Raw, Setting};
pub use settings::{
    Compute, Data, Energy, Engine, Finance, Grants, Journal, Kind, Log, LogFormat, LogLevel, Provider, Server, Settings, VerifyOnStart,
    Witness,
};
pub use template::template;
pub use witnesses::{LogKeys, NamedWitness, WitnessList};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The table of keys.
    Default,
    /// A line of the configuration file.
    File {
        /// The file as the operator named it.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable of that name.
    Env(String),
    /// A flag of that name, such as `--listen`.
    Flag(String),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File { name, line } => write!(f, "{name}:{line}"),
            Source::Env(name) => write!(f, "environment {name}"),
            Source::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

#[cfg(test)]
mod tests;
