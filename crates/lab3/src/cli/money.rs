//! The command line of what is asked of a desk: balances, quotas, payments, allocations, histories.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lab3_units::{Amount, Did, Ratio, Time};

use super::trust::time;
use super::{DeskArgs, amount, did, key, ratio};

/// What every write can be told.
#[derive(Args, Clone, Debug, Default)]
pub struct WriteArgs {
    /// Idempotency key: the same key sent again changes nothing. Without it a fresh one.
    #[arg(long, value_parser = key)]
    pub key: Option<String>,
    /// The receipt.
    #[command(flatten)]
    pub receipt: ReceiptArgs,
}

/// Where the desk's signed promise of a write is kept.
#[derive(Args, Clone, Debug, Default)]
pub struct ReceiptArgs {
    /// Keep the desk's receipt, its signed promise that this is in the books; lab3 audit --receipt checks it.
    #[arg(id = "receipt_file", long = "receipt", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `lab3 balance`
#[derive(Args, Clone, Debug)]
pub struct BalanceArgs {
    /// Whose balance.
    #[arg(value_parser = did, required_unless_present = "check")]
    pub did: Option<Did>,
    /// The balance right after this journal record.
    #[arg(long, value_name = "SEQ")]
    pub at: Option<u64>,
    /// Write the file that proves what it was when an epoch was closed.
    #[arg(long, conflicts_with = "at")]
    pub proof: bool,
    /// With --proof, the epoch; else the last that was closed.
    #[arg(long, value_name = "N", requires = "proof")]
    pub epoch: Option<u32>,
    /// Check such a file instead; no desk is asked.
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with_all = ["did", "proof", "at"])]
    pub check: Option<PathBuf>,
    /// With --check, the log's key, as you know it from elsewhere than the file's owner.
    #[arg(long, value_name = "KEY", requires = "check")]
    pub key: Option<String>,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 quota`
#[derive(Args, Clone, Debug)]
pub struct QuotaArgs {
    /// Whose allowance.
    #[arg(value_parser = did)]
    pub did: Did,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 transfer`
#[derive(Args, Clone, Debug)]
pub struct TransferArgs {
    /// Who pays.
    #[arg(value_parser = did)]
    pub from: Did,
    /// Who is paid.
    #[arg(value_parser = did)]
    pub to: Did,
    /// How much MIC, at most 6 decimals.
    #[arg(value_parser = amount)]
    pub amount: Amount,
    /// What for.
    #[arg(long)]
    pub reason: Option<String>,
    /// How it is written.
    #[command(flatten)]
    pub write: WriteArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 grant`
#[derive(Args, Clone, Debug)]
pub struct GrantArgs {
    /// Who receives it.
    #[arg(value_parser = did)]
    pub to: Did,
    /// How much MIC, at most 6 decimals.
    #[arg(value_parser = amount)]
    pub amount: Amount,
    /// The project it is for.
    pub project: String,
    /// How it is written.
    #[command(flatten)]
    pub write: WriteArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 allocate`
#[derive(Args, Clone, Debug)]
pub struct AllocateArgs {
    /// Who asks and pays.
    #[arg(value_parser = did)]
    pub did: Did,
    /// Tokens of the query.
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub tokens: u64,
    /// What matters most.
    #[arg(long, value_enum)]
    pub priority: Option<Priority>,
    /// Least quality, from 0 to 1.
    #[arg(long, value_parser = ratio)]
    pub min_quality: Option<Ratio>,
    /// Most it may cost, in MIC.
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub max_cost: Option<Amount>,
    /// The provider to prefer, by name or alias.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// By when the answer has to be there (RFC 3339, at most seven days ahead): until then the query may wait for cleaner hours.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub deadline: Option<Time>,
    /// Only ask: hold nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Show every provider with its score, or the rule that excluded it.
    #[arg(long)]
    pub explain: bool,
    /// How it is written.
    #[command(flatten)]
    pub write: WriteArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// What an allocation weighs most. The words are the specification's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Priority {
    /// Balance cost, latency and quality.
    Standard,
    /// Prefer the cheapest.
    CostOptimized,
    /// Prefer the fastest.
    LatencyOptimized,
    /// Prefer the best model.
    QualityOptimized,
}

/// `lab3 history`
#[derive(Args, Clone, Debug)]
pub struct HistoryArgs {
    /// Whose transactions.
    #[arg(value_parser = did)]
    pub did: Did,
    /// How many, at most 500.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub limit: u16,
    /// What came after this journal record (or cursor), oldest first.
    #[arg(long, value_name = "SEQ", conflicts_with = "before")]
    pub since: Option<String>,
    /// Go on where an earlier page ended.
    #[arg(long, value_name = "CURSOR")]
    pub before: Option<String>,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 erase`
#[derive(Args, Clone, Debug)]
pub struct EraseArgs {
    /// The transaction in whose record it was written.
    #[arg(value_name = "TX")]
    pub transaction: String,
    /// Why, for everybody to read: this stays, so name nobody.
    #[arg(long)]
    pub reason: String,
    /// How it is written.
    #[command(flatten)]
    pub write: WriteArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 stats`
#[derive(Args, Clone, Debug)]
pub struct StatsArgs {
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}
