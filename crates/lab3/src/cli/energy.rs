//! The command line of the energy desk.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lab3_energy::signals::{Format, Kind};

use lab3_units::Did;

use super::{DeskArgs, WriteArgs, did};

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
    /// List the signals the desk keeps, and how those stand that it fetches.
    #[command(after_help = "Example:\n  lab3 energy signals")]
    Signals(EnergySignalsArgs),
    /// Import a file of signals: carbon intensity, prices, generation or load over time.
    #[command(
        after_help = "Examples:\n  lab3 energy import DE_2025_hourly.csv\n  lab3 energy import prices.xml --zone DE --mic-per-currency 1\n  lab3 energy import meter.csv --kind load --zone house --source meter --unit kW"
    )]
    Import(EnergyImportArgs),
    /// Share what exports earned among members, by rule.
    #[command(
        after_help = "Example:\n  lab3 energy share exports.json\n\nThe file:\n  { \"payer_did\": \"did:kaizen:alice\", \"device\": \"grid\", \"from\": \"2026-11-22T00:00:00Z\", \"to\": \"2026-11-23T00:00:00Z\",\n    \"amount_gic\": 12.5, \"rule\": \"equal\", \"members\": [{ \"did\": \"did:kaizen:bob\" }] }"
    )]
    Share(EnergyShareArgs),
    /// List what exports earned and was shared lately.
    #[command(after_help = "Example:\n  lab3 energy exports --payer did:kaizen:alice")]
    Exports(EnergyExportsArgs),
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

/// `lab3 energy signals`
#[derive(Args, Clone, Debug, Default)]
pub struct EnergySignalsArgs {
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 energy share`
#[derive(Args, Clone, Debug, Default)]
pub struct EnergyShareArgs {
    /// The request as JSON, as the HTTP API takes it; - for stdin.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The write.
    #[command(flatten)]
    pub write: WriteArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 energy exports`
#[derive(Args, Clone, Debug, Default)]
pub struct EnergyExportsArgs {
    /// Who paid; everybody's when left out.
    #[arg(long, value_name = "DID", value_parser = did)]
    pub payer: Option<Did>,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 energy import`
#[derive(Args, Clone, Debug)]
pub struct EnergyImportArgs {
    /// The file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Its format; without it, the one it looks like.
    #[arg(long, value_parser = format)]
    pub format: Option<Format>,
    /// What its values tell, where it does not say.
    #[arg(long, value_parser = kind)]
    pub kind: Option<Kind>,
    /// Where they hold, where it does not say.
    #[arg(long)]
    pub zone: Option<String>,
    /// Who publishes them, where it does not say.
    #[arg(long)]
    pub source: Option<String>,
    /// Their unit, such as EUR/MWh, where it does not say.
    #[arg(long)]
    pub unit: Option<String>,
    /// The zone of times without an offset, such as Europe/Berlin; otherwise UTC.
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// How many MIC a unit of the prices' currency is; otherwise one.
    #[arg(long, value_name = "RATE")]
    pub mic_per_currency: Option<f64>,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

fn format(text: &str) -> Result<Format, String> {
    Format::parse(text).ok_or_else(|| format!("must be one of {}", Format::ALL.map(Format::name).join(", ")))
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| format!("must be one of {}", Kind::ALL.map(Kind::name).join(", ")))
}
