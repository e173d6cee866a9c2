//! The command line of the energy desk.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DeskArgs;

/// `lab3 energy ...`
#[derive(Debug, Subcommand)]
pub enum EnergyCommand {
    /// Draw a site's day: what served it, batteries, price and carbon, jobs, what was saved, where it is not as planned and why.
    #[command(after_help = "Examples:\n  lab3 energy today\n  lab3 energy today --date 2026-11-22 --plain\n  lab3 energy today --json")]
    Today(EnergyTodayArgs),
    /// Plan sources, grid, batteries and loads at the least cost; nothing is held.
    #[command(after_help = "Examples:\n  lab3 energy plan site.json\n  lab3 energy plan - < site.json")]
    Plan(EnergyFileArgs),
    /// Find the clean or cheap hours for jobs that may wait; nothing is held.
    #[command(after_help = "Examples:\n  lab3 energy jobs jobs.json\n  lab3 energy jobs - < jobs.json")]
    Jobs(EnergyFileArgs),
}

/// `lab3 energy today`
#[derive(Args, Clone, Debug, Default)]
pub struct EnergyTodayArgs {
    /// The day; today at the site when left out.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: Option<String>,
    /// Draw with ASCII characters alone.
    #[arg(long)]
    pub plain: bool,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 energy plan` and `lab3 energy jobs`
#[derive(Args, Clone, Debug, Default)]
pub struct EnergyFileArgs {
    /// The request as JSON, as the HTTP API takes it; - for stdin.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Draw with ASCII characters alone.
    #[arg(long)]
    pub plain: bool,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}
