//! The command line of a journal's files: verify, export, follow, back up, restore.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::DataArgs;

/// `lab3 journal ...`
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Check every record's hash and the books' invariants, and print the state's hash.
    Verify(JournalVerifyArgs),
    /// Write records as JSON lines or CSV.
    #[command(after_help = "Examples:\n  lab3 journal export --out journal.jsonl\n  lab3 journal export --format csv --from 1 --to 1000")]
    Export(JournalExportArgs),
    /// Print the newest records, and with --follow those to come.
    Tail(JournalTailArgs),
    /// After a loss, or without the signer's key: go on as a new log, and say so for ever. The desk must be stopped.
    #[command(
        after_help = "Example:\n  lab3 journal resume --data /var/lib/lab3 --reason \"the disk failed on Tuesday; Monday's backup was put back\""
    )]
    Resume(JournalResumeArgs),
}

/// `lab3 journal verify`
#[derive(Args, Clone, Debug, Default)]
pub struct JournalVerifyArgs {
    /// The Hive.
    #[command(flatten)]
    pub data: DataArgs,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `lab3 journal export`
#[derive(Args, Clone, Debug)]
pub struct JournalExportArgs {
    /// The Hive.
    #[command(flatten)]
    pub data: DataArgs,
    /// JSON lines or CSV.
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub format: ExportFormat,
    /// The file to write; without it stdout.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// First record.
    #[arg(long, value_name = "SEQ", default_value_t = 1)]
    pub from: u64,
    /// Last record; without it the journal's end.
    #[arg(long, value_name = "SEQ")]
    pub to: Option<u64>,
}

/// What an export looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values under a header.
    Csv,
}

/// `lab3 journal tail`
#[derive(Args, Clone, Debug)]
pub struct JournalTailArgs {
    /// The Hive.
    #[command(flatten)]
    pub data: DataArgs,
    /// How many records.
    #[arg(long, short = 'n', default_value_t = 10)]
    pub lines: u64,
    /// Go on printing as records are added.
    #[arg(long, short)]
    pub follow: bool,
}

/// `lab3 journal resume`
#[derive(Args, Clone, Debug)]
pub struct JournalResumeArgs {
    /// Why, for everybody to read.
    #[arg(long)]
    pub reason: String,
    /// The Hive.
    #[command(flatten)]
    pub data: DataArgs,
}

/// `lab3 backup`
#[derive(Args, Clone, Debug)]
pub struct BackupArgs {
    /// The folder to write; it must be empty or absent.
    #[arg(value_name = "DIR")]
    pub to: PathBuf,
    /// The Hive.
    #[command(flatten)]
    pub data: DataArgs,
}

/// `lab3 restore`
#[derive(Args, Clone, Debug)]
pub struct RestoreArgs {
    /// The backup's folder.
    #[arg(value_name = "DIR")]
    pub from: PathBuf,
    /// The Hive to make; its data folder must be empty or absent.
    #[command(flatten)]
    pub data: DataArgs,
}
