//! The command line of the energy desk.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lab3_energy::signals::{Format, Kind};
use lab3_units::{Amount, Did};

use super::{DeskArgs, WriteArgs, amount, did};

/// `lab3 energy ...`
#[derive(Debug, Subcommand)]
pub enum EnergyCommand {
    /// Tell the plan of the Hive's site: what to do now, why, and how long it would last without the grid.
    #[command(after_help = "Example:\n  lab3 energy now")]
    Now(EnergyDeskArgs),
    /// Draw a site's day: what served it, batteries, price and carbon, jobs, what was saved, where it is not as planned and why.
    #[command(after_help = "Examples:\n  lab3 energy today\n  lab3 energy today --date 2026-11-22 --plain\n  lab3 energy today --json")]
    Today(EnergyTodayArgs),
    /// Plan sources, grid, batteries and loads at the least cost; nothing is held.
    #[command(after_help = "Examples:\n  lab3 energy plan site.json\n  lab3 energy plan - < site.json")]
    Plan(EnergyFileArgs),
    /// Find the clean or cheap hours for jobs that may wait; nothing is held.
    #[command(after_help = "Examples:\n  lab3 energy jobs jobs.json\n  lab3 energy jobs - < jobs.json")]
    Jobs(EnergyFileArgs),
    /// Book jobs that may wait: they get their times, and their energy is set aside.
    #[command(
        after_help = "Example:\n  lab3 energy book jobs.json\n\nThe file:\n  { \"citizen_did\": \"did:kaizen:alice\", \"plan\": { ... what lab3 energy jobs takes ... } }"
    )]
    Book(EnergyBookArgs),
    /// List a citizen's jobs that are booked.
    #[command(after_help = "Example:\n  lab3 energy bookings did:kaizen:alice")]
    Bookings(EnergyOwnerArgs),
    /// Divide an hour's meter over who drew, idle machines and the house.
    #[command(
        after_help = "Examples:\n  lab3 energy hour 2026-11-23T17:00:00Z\n  lab3 energy hour 2026-11-23T17:00:00Z --meter-kwh 12.408 --idle-kwh 0.4\n\nWithout --meter-kwh the meters of the Hive's own site say what was consumed."
    )]
    Hour(EnergyHourArgs),
    /// List a citizen's certificates.
    #[command(after_help = "Example:\n  lab3 energy certificates did:kaizen:alice")]
    Certificates(EnergyOwnerArgs),
    /// Tell what the site can promise to buy less for a while, and what that is worth.
    #[command(
        after_help = "Example:\n  lab3 energy respond --from 2026-11-23T17:00:00Z --to 2026-11-23T19:00:00Z --reduce-kw 5 --reward 0.4 --penalty 0.6\n\nWith --promise it is promised: every later plan keeps it."
    )]
    Respond(EnergyRespondArgs),
    /// List what was promised in the last month, and what it brought.
    #[command(after_help = "Example:\n  lab3 energy responses")]
    Responses(EnergyDeskArgs),
    /// List the signals the desk keeps, and how those stand that it fetches.
    #[command(after_help = "Example:\n  lab3 energy signals")]
    Signals(EnergyDeskArgs),
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

/// A question of the energy desk that takes nothing.
#[derive(Args, Clone, Debug, Default)]
pub struct EnergyDeskArgs {
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 energy book`
#[derive(Args, Clone, Debug, Default)]
pub struct EnergyBookArgs {
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

/// `lab3 energy bookings` and `lab3 energy certificates`
#[derive(Args, Clone, Debug)]
pub struct EnergyOwnerArgs {
    /// Whose.
    #[arg(value_name = "DID", value_parser = did)]
    pub did: Did,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 energy hour`
#[derive(Args, Clone, Debug)]
pub struct EnergyHourArgs {
    /// When it began.
    #[arg(value_name = "TIME")]
    pub hour: String,
    /// What the main meter read; without it, what the site's own meters did.
    #[arg(long, value_name = "KWH")]
    pub meter_kwh: Option<f64>,
    /// What machines drew for nobody.
    #[arg(long, value_name = "KWH")]
    pub idle_kwh: Option<f64>,
    /// The write.
    #[command(flatten)]
    pub write: WriteArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 energy respond`
#[derive(Args, Clone, Debug)]
pub struct EnergyRespondArgs {
    /// When it begins: where a step of the site's plan does.
    #[arg(long, value_name = "TIME")]
    pub from: String,
    /// When it ends.
    #[arg(long, value_name = "TIME")]
    pub to: String,
    /// How much less is asked for, in kW.
    #[arg(long, value_name = "KW")]
    pub reduce_kw: f64,
    /// What a kWh less brings, in MIC; nothing when left out.
    #[arg(long, value_name = "MIC", value_parser = amount)]
    pub reward: Option<Amount>,
    /// What a kWh costs that was promised and not kept, in MIC; nothing when left out.
    #[arg(long, value_name = "MIC", value_parser = amount)]
    pub penalty: Option<Amount>,
    /// Promise what can be.
    #[arg(long)]
    pub promise: bool,
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
