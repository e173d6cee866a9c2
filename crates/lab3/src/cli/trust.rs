//! The command line of who may do what: keys, the seal.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use lab3_trust::{Kind, Scope};
use lab3_units::{Amount, Did, Time};

use super::{ConfigArgs, DeskArgs, amount, data_flag, did, key};
use crate::config::Flag;

/// Where a command about keys is done.
#[derive(Args, Clone, Debug, Default)]
pub struct PlaceArgs {
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
    /// Work on this data folder itself while its desk is stopped: on operators' keys and the seal, whoever has keys.
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub data: Option<String>,
    /// The configuration, which only work on a folder reads.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `lab3 key ...`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it, this once; the first one closes an open Hive.
    #[command(
        after_help = "Examples:\n  lab3 key create operator --note \"the desk's admin\"\n  LAB3_KEY=$(lab3 key create operator --data /var/lib/lab3)\n  lab3 key create citizen --did did:kaizen:alice --scopes read,compute --expires-at 2027-01-31T12:00:00Z\n  lab3 key create service --citizens did:kaizen:alice,did:kaizen:bob --daily-cap-gic 25 --note \"chat bot\""
    )]
    Create(Box<KeyCreateArgs>),
    /// List every key there ever was, or one citizen's.
    #[command(
        after_help = "Examples:\n  lab3 key list\n  lab3 key list --did did:kaizen:alice --json\n  lab3 key list --data /var/lib/lab3"
    )]
    List(KeyListArgs),
    /// Revoke a key, at once and for good.
    #[command(after_help = "Example:\n  lab3 key revoke 3 --reason \"the laptop was stolen\"")]
    Revoke(KeyRevokeArgs),
    /// Replace a key by another that is good for the same, and print the new one, this once.
    #[command(after_help = "Examples:\n  lab3 key rotate 3\n  lab3 key rotate 3 --overlap-seconds 0")]
    Rotate(KeyRotateArgs),
}

/// `lab3 key create`
#[derive(Args, Clone, Debug)]
pub struct KeyCreateArgs {
    /// What its holder is.
    #[arg(value_parser = kinds())]
    pub kind: Kind,
    /// Whose it shall be: a citizen's or a treasurer's DID.
    #[arg(long, value_parser = did)]
    pub did: Option<Did>,
    /// What it shall be good for, with commas between; without it all that its kind can do, as far as you can give it.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = scopes())]
    pub scopes: Vec<Scope>,
    /// The citizens a service may act for, with commas between.
    #[arg(long, value_name = "DID", value_delimiter = ',', value_parser = did)]
    pub citizens: Vec<Did>,
    /// The most a service may hold in a day (UTC) for all its citizens together, in MIC.
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub daily_cap_gic: Option<Amount>,
    /// The module a steward looks after, the meter, or the name of the witnessed log.
    #[arg(long)]
    pub name: Option<String>,
    /// When it shall stop working, in RFC 3339: 2027-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub expires_at: Option<Time>,
    /// What it is for, at most 200 characters.
    #[arg(long)]
    pub note: Option<String>,
    /// Say nothing on stderr; stdout has the key alone in any case.
    #[arg(long)]
    pub quiet: bool,
    /// Idempotency key: the same key sent again makes no second key. Without it a fresh one.
    #[arg(long, value_parser = key)]
    pub key: Option<String>,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `lab3 key list`
#[derive(Args, Clone, Debug, Default)]
pub struct KeyListArgs {
    /// Only this citizen's or treasurer's.
    #[arg(long, value_parser = did)]
    pub did: Option<Did>,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `lab3 key revoke`
#[derive(Args, Clone, Debug)]
pub struct KeyRevokeArgs {
    /// The key, by its number in `lab3 key list`.
    pub number: u32,
    /// Why, for the journal, at most 200 characters.
    #[arg(long)]
    pub reason: Option<String>,
    /// Idempotency key: the same key sent again changes nothing. Without it a fresh one.
    #[arg(long, value_parser = key)]
    pub key: Option<String>,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `lab3 key rotate`
#[derive(Args, Clone, Debug)]
pub struct KeyRotateArgs {
    /// The key, by its number in `lab3 key list`.
    pub number: u32,
    /// How long the old key still works, at most 30 days; a day without it.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(..=2_592_000))]
    pub overlap_seconds: Option<u32>,
    /// Say nothing on stderr; stdout has the key alone in any case.
    #[arg(long)]
    pub quiet: bool,
    /// Idempotency key: the same key sent again makes no second key. Without it a fresh one.
    #[arg(long, value_parser = key)]
    pub key: Option<String>,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `lab3 seal`
#[derive(Args, Clone, Debug, Default)]
pub struct SealArgs {
    /// Idempotency key: the same key sent again changes nothing. Without it a fresh one.
    #[arg(long, value_parser = key)]
    pub key: Option<String>,
    /// Where.
    #[command(flatten)]
    pub place: PlaceArgs,
}

impl PlaceArgs {
    /// The flags that set keys.
    pub fn flags(&self) -> Vec<Flag> {
        self.config.flags().into_iter().chain(data_flag(self.data.as_ref())).collect()
    }
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    let known = PossibleValuesParser::new(Kind::ALL.map(Kind::as_str));
    known.try_map(|word| Kind::parse(&word).ok_or("no such kind"))
}

fn scopes() -> impl TypedValueParser<Value = Scope> {
    let known = Scope::ALL.iter().map(|scope| PossibleValue::new(scope.as_str()).help(scope.what()));
    PossibleValuesParser::new(known).try_map(|word| Scope::parse(&word).ok_or("no such scope"))
}

pub(super) fn time(text: &str) -> Result<Time, String> {
    Time::parse(text).ok_or_else(|| "write the moment in RFC 3339, such as 2027-01-31T12:00:00Z".to_owned())
}
