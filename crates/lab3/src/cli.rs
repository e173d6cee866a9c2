//! The command line: every command, argument and help text.

mod did;
mod energy;
mod govern;
mod journal;
mod money;
mod trust;
mod wallet;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use lab3_units::{Amount, Asset, Did, Ratio};

use crate::config::Flag;

pub use did::{DidCommand, DidResolveArgs, DidShowArgs};
pub use energy::{
    EnergyBookArgs, EnergyCommand, EnergyDeskArgs, EnergyExportsArgs, EnergyFileArgs, EnergyHourArgs, EnergyImportArgs, EnergyOwnerArgs,
    EnergyRespondArgs, EnergyShareArgs, EnergyTodayArgs,
};
pub use govern::{
    IntentCommand, IntentFreezeArgs, IntentMoneyArgs, IntentPolicyArgs, IntentSendArgs, IntentShareArgs, IntentTextArgs,
    IntentTreasurersArgs, NamedSignature, PolicyCommand, PolicySetArgs, RulesArgs, TreasurersArgs, TreasurersCommand, TreasurersNameArgs,
    countersign,
};
pub use journal::{
    BackupArgs, ExportFormat, JournalCommand, JournalExportArgs, JournalResumeArgs, JournalTailArgs, JournalVerifyArgs, RestoreArgs,
};
pub use money::{
    AllocateArgs, BalanceArgs, EraseArgs, GrantArgs, HistoryArgs, Priority, QuotaArgs, ReceiptArgs, StatsArgs, TransferArgs, WriteArgs,
};
pub use trust::{KeyCommand, KeyCreateArgs, KeyListArgs, KeyRevokeArgs, KeyRotateArgs, PlaceArgs, SealArgs};
pub use wallet::{ShareFileArgs, WalletCommand, WalletFileArgs, WalletNewArgs, WalletShareArgs, WalletSignArgs, WalletTransferArgs};

/// Lab 3: one ledger for everything scarce in a Hive.
#[derive(Debug, Parser)]
#[command(
    name = "lab3",
    version,
    arg_required_else_help = true,
    after_help = "Start here:\n  lab3 demo                      a day in a Hive, step by step\n  lab3 serve                     open the desk on 127.0.0.1:8003\n  lab3 balance did:kaizen:alice  ask the running desk"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the desk: serve the HTTP API of one Hive until SIGTERM.
    #[command(
        after_help = "Examples:\n  lab3 serve\n  lab3 serve --data /var/lib/lab3 --listen 0.0.0.0:8003 --config /etc/lab3.toml\n  lab3 serve --listen 127.0.0.1:0 --print-address address.txt\n  lab3 serve --set compute.quota_gic=250"
    )]
    Serve(ServeArgs),
    /// Play a scripted day in a Hive through the real API and show every request and reply.
    #[command(after_help = "Examples:\n  lab3 demo\n  lab3 demo --url http://127.0.0.1:8003")]
    Demo(DemoArgs),
    /// Show how much MIC a citizen or project has, or prove how much it was.
    #[command(
        after_help = "Examples:\n  lab3 balance did:kaizen:alice\n  lab3 balance did:kaizen:alice --at 1200 --json\n  lab3 balance did:kaizen:alice --proof > alice.proof\n  lab3 balance --check alice.proof --key \"$(curl -s http://127.0.0.1:8003/lab3/log/key)\""
    )]
    Balance(BalanceArgs),
    /// Show what is left of a citizen's compute allowance this month.
    #[command(after_help = "Example:\n  lab3 quota did:kaizen:alice")]
    Quota(QuotaArgs),
    /// Move MIC from one citizen to another; the fee is charged on top.
    #[command(
        after_help = "Examples:\n  lab3 transfer did:kaizen:alice did:kaizen:bob 50 --reason \"API compute credits\"\n  lab3 transfer did:kaizen:alice did:kaizen:bob 0.5 --key invoice-17"
    )]
    Transfer(TransferArgs),
    /// Grant MIC from the PublicGoodsPool to a project.
    #[command(after_help = "Example:\n  lab3 grant did:kaizen:community_project 1000 \"Solar Microgrid Deployment\"")]
    Grant(GrantArgs),
    /// Choose the provider for a query and hold its estimated cost.
    #[command(
        after_help = "Examples:\n  lab3 allocate did:kaizen:alice 5000 --priority quality_optimized --min-quality 0.90 --max-cost 0.10\n  lab3 allocate did:kaizen:alice 5000 --dry-run --explain\n  lab3 allocate did:kaizen:alice 5000 --provider local --deadline 2027-01-31T06:00:00Z"
    )]
    Allocate(AllocateArgs),
    /// List a citizen's transactions, newest first.
    #[command(after_help = "Examples:\n  lab3 history did:kaizen:alice --limit 10\n  lab3 history did:kaizen:alice --since 1200")]
    History(HistoryArgs),
    /// Erase what was written in a transaction's record: the words go, what was paid stays.
    #[command(after_help = "Example:\n  lab3 erase tx_06f2x1w0v7r9h3kz8q5d4c2bgm --reason \"asked for by the member\"")]
    Erase(EraseArgs),
    /// Show the health, latency and cost of every provider, and this month's totals.
    #[command(after_help = "Example:\n  lab3 stats --json")]
    Stats(StatsArgs),
    /// The energy desk: the day of a site, plans, jobs that may wait, signals of carbon, prices, generation and load.
    #[command(subcommand, arg_required_else_help = true)]
    Energy(EnergyCommand),
    /// Verify, export or follow the journal of a data folder.
    #[command(subcommand, arg_required_else_help = true)]
    Journal(JournalCommand),
    /// Copy a Hive's journal to a new folder while the desk stays open, and verify the copy.
    #[command(after_help = "Example:\n  lab3 backup --data /var/lib/lab3 /backup/lab3-monday")]
    Backup(BackupArgs),
    /// Make a data folder from a backup, verifying every record.
    #[command(after_help = "Example:\n  lab3 restore /backup/lab3-monday --data /var/lib/lab3-restored")]
    Restore(RestoreArgs),
    /// Make, list, revoke and replace keys.
    #[command(subcommand, arg_required_else_help = true)]
    Key(KeyCommand),
    /// Close an open Hive, for good, without making a key.
    #[command(after_help = "Examples:\n  lab3 seal\n  lab3 seal --data /var/lib/lab3")]
    Seal(SealArgs),
    /// Check a Hive's books from outside: signatures, every record, every balance, and that it goes on from the last visit.
    #[command(
        after_help = "Examples:\n  lab3 audit http://127.0.0.1:8003\n  lab3 audit https://riverside.example --visit riverside.visit --key 'riverside/jn_...+c74f20a3+ARpc...'"
    )]
    Audit(AuditArgs),
    /// Which keys sign for a DID here.
    #[command(subcommand, arg_required_else_help = true)]
    Did(DidCommand),
    /// Say how this Hive stands, what is wrong, and what to do; exit code 1 when something is bad.
    #[command(after_help = "Example:\n  lab3 doctor --data /var/lib/lab3 --config /etc/lab3.toml")]
    Doctor(DoctorArgs),
    /// Keep a key of your own, and sign what you pay.
    #[command(subcommand, arg_required_else_help = true)]
    Wallet(WalletCommand),
    /// Show or name the treasurers, who decide together about new money, grants and rules.
    #[command(subcommand, arg_required_else_help = true)]
    Treasurers(TreasurersCommand),
    /// Show or change the rules the Hive changes itself.
    #[command(subcommand, arg_required_else_help = true)]
    Policy(PolicyCommand),
    /// Print a text for several to sign, and bring it with their signatures.
    #[command(subcommand, arg_required_else_help = true)]
    Intent(IntentCommand),
    /// Show or check the configuration.
    #[command(subcommand, arg_required_else_help = true)]
    Config(ConfigCommand),
    /// Say what an error code means and what helps.
    #[command(after_help = "Examples:\n  lab3 explain L3-0040\n  lab3 explain 40")]
    Explain(ExplainArgs),
}

/// Where the configuration comes from.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigArgs {
    /// Configuration file (TOML); without it the file LAB3_CONFIG names, if any.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one key, over every other layer; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub assignments: Vec<Assignment>,
}

/// `--set KEY=VALUE`. Its `Debug` leaves the value out, which may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The key.
    pub path: String,
    /// The value as it was written.
    pub text: String,
}

impl std::fmt::Debug for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=...", self.path)
    }
}

/// `lab3 serve`
#[derive(Args, Clone, Debug, Default)]
pub struct ServeArgs {
    /// Folder of the journal and its snapshots [default: ./lab3-data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Address and port to listen on; port 0 takes any free port [default: 127.0.0.1:8003].
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Open a Hive with a few citizens and some history in a temporary folder.
    #[arg(long, conflicts_with = "data")]
    pub demo: bool,
    /// Write the bound address to this file once the desk is open.
    #[arg(long, value_name = "FILE")]
    pub print_address: Option<PathBuf>,
}

/// `lab3 demo`
#[derive(Args, Clone, Debug, Default)]
pub struct DemoArgs {
    /// Play it on this running server instead of a fresh one; it mints and moves MIC there.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// Which server is asked, and how its reply is shown.
#[derive(Args, Clone, Debug, Default)]
pub struct DeskArgs {
    /// The server; without it LAB3_URL, else http://127.0.0.1:8003.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Print the server's reply as it is.
    #[arg(long)]
    pub json: bool,
}

/// Which Hive's files are meant.
#[derive(Args, Clone, Debug, Default)]
pub struct DataArgs {
    /// The Hive's data folder [default: ./lab3-data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `lab3 audit`
#[derive(Args, Clone, Debug, Default)]
pub struct AuditArgs {
    /// The Hive's desk.
    #[arg(value_name = "URL", required_unless_present = "fork")]
    pub url: Option<String>,
    /// The log's key, as you know it from elsewhere; else the last visit's, at a first visit the one it shows.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Where the last visit is kept: read, and written anew.
    #[arg(long, value_name = "FILE")]
    pub visit: Option<PathBuf>,
    /// A receipt the desk gave, to see whether it was kept; may be repeated.
    #[arg(long = "receipt", value_name = "FILE")]
    pub receipts: Vec<PathBuf>,
    /// The key of a witness you trust, who must have seen all that the log shows; may be repeated.
    #[arg(long = "witness", value_name = "KEY")]
    pub witnesses: Vec<String>,
    /// How many of the witnesses must have seen it; all of them, if you do not say.
    #[arg(long, value_name = "COUNT")]
    pub witnesses_needed: Option<usize>,
    /// How long ago the witnesses may have seen it, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub witnessed_within_seconds: u64,
    /// How long to wait until the witnesses have seen what the log shows, in seconds; a Hive asks them every ten, if nobody set it otherwise.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub wait_seconds: u64,
    /// Where to write the proof when the log told two stories; FILE.fork beside the visit, if you do not say.
    #[arg(long, value_name = "FILE")]
    pub proof: Option<PathBuf>,
    /// Audit nothing: find the proof that two checkpoints (visits, or as the log serves them) contradict, or check a proof.
    #[arg(long, value_name = "FILE", num_args = 1..=2)]
    pub fork: Vec<PathBuf>,
}

/// `lab3 doctor`
#[derive(Args, Clone, Debug, Default)]
pub struct DoctorArgs {
    /// The Hive.
    #[command(flatten)]
    pub data: DataArgs,
}

/// `lab3 config ...`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every key: its value, where the value came from, what it means.
    #[command(after_help = "Examples:\n  lab3 config show --config lab3.toml\n  lab3 config show --toml > lab3.toml")]
    Show(ConfigShowArgs),
    /// Check the configuration: exit code 0 when it can be used, else 1 and every problem.
    #[command(after_help = "Example:\n  lab3 config check --config lab3.toml")]
    Check(ConfigArgs),
}

/// `lab3 config show`
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigShowArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print JSON.
    #[arg(long, conflicts_with = "toml")]
    pub json: bool,
    /// Print a commented file of the defaults.
    #[arg(long)]
    pub toml: bool,
}

/// `lab3 explain`
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// The code, such as L3-0040.
    pub code: String,
}

impl ServeArgs {
    /// The flags that set keys.
    pub fn flags(&self) -> Vec<Flag> {
        let listen = self.listen.iter().map(|text| flag("--listen", "server.listen", text));
        self.config.flags().into_iter().chain(data_flag(self.data.as_ref())).chain(listen).collect()
    }
}

impl DataArgs {
    /// The flags that set keys.
    pub fn flags(&self) -> Vec<Flag> {
        self.config.flags().into_iter().chain(data_flag(self.data.as_ref())).collect()
    }
}

impl ConfigArgs {
    /// The flags that set keys.
    pub fn flags(&self) -> Vec<Flag> {
        self.assignments.iter().map(|set| flag(&format!("--set {}", set.path), &set.path, &set.text)).collect()
    }
}

fn data_flag(data: Option<&String>) -> Option<Flag> {
    data.map(|text| flag("--data", "data.dir", text))
}

fn flag(name: &str, path: &str, text: &str) -> Flag {
    Flag { name: name.to_owned(), path: path.to_owned(), text: text.to_owned() }
}

fn assignment(text: &str) -> Result<Assignment, String> {
    let (path, value) = text.split_once('=').ok_or("write it as KEY=VALUE, such as compute.quota_gic=250")?;
    Ok(Assignment { path: path.trim().to_owned(), text: value.trim().to_owned() })
}

fn did(text: &str) -> Result<Did, String> {
    Did::parse(text).map_err(|error| error.to_string())
}

fn amount(text: &str) -> Result<Amount, String> {
    match Asset::MIC.parse(text) {
        Ok(amount) if amount.is_positive() => Ok(amount),
        Ok(_) => Err("must be more than 0".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn ratio(text: &str) -> Result<Ratio, String> {
    Ratio::parse(text).map_err(|_| "must be a number from 0 to 1, at most 6 decimals".to_owned())
}

fn key(text: &str) -> Result<String, String> {
    let fits = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("must be 1 to 255 visible ASCII characters without spaces".to_owned()) }
}

#[cfg(test)]
mod tests;
