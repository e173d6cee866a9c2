//! The command line of what a Hive decides together: treasurers, its rules, and texts for several to sign.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lab3_trust::{PublicKey, Signature};
use lab3_units::{Amount, Did};

use super::wallet::ShareFileArgs;
use super::{Assignment, DeskArgs, ReceiptArgs, WriteArgs, amount, assignment, did};

/// `lab3 treasurers ...`
#[derive(Debug, Subcommand)]
pub enum TreasurersCommand {
    /// Show who the treasurers are, how many of them have to sign, and the keys they sign with.
    Show(DeskArgs),
    /// Name the first treasurers; those after them are named by those before (lab3 intent treasurers).
    #[command(after_help = "Example:\n  lab3 treasurers name --needed 2 did:key:z6Mkf5rG... did:kaizen:alice did:kaizen:bob")]
    Name(TreasurersNameArgs),
}

/// Treasurers, and how many of them have to sign.
#[derive(Args, Clone, Debug)]
pub struct TreasurersArgs {
    /// How many of them have to sign.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(1..=32))]
    pub needed: u8,
    /// Who they shall be, each with a key to sign with.
    #[arg(required = true, value_name = "DID", value_parser = did)]
    pub treasurers: Vec<Did>,
}

/// `lab3 treasurers name`
#[derive(Args, Clone, Debug)]
pub struct TreasurersNameArgs {
    /// Who.
    #[command(flatten)]
    pub treasurers: TreasurersArgs,
    /// How it is written.
    #[command(flatten)]
    pub write: WriteArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 policy ...`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Show every rule the Hive changes itself: what holds, and what the configuration says.
    Show(DeskArgs),
    /// Change rules; with treasurers it takes their signatures (lab3 intent policy).
    #[command(
        after_help = "Examples:\n  lab3 policy set log.readers=everybody trust.unsigned_max_gic=5\n  lab3 policy set log.readers=default"
    )]
    Set(PolicySetArgs),
}

/// Rules and what they shall be.
#[derive(Args, Clone, Debug)]
pub struct RulesArgs {
    /// Rules and values; the value default gives a rule back to the configuration.
    #[arg(required = true, value_name = "RULE=VALUE", value_parser = assignment)]
    pub rules: Vec<Assignment>,
}

/// `lab3 policy set`
#[derive(Args, Clone, Debug)]
pub struct PolicySetArgs {
    /// What.
    #[command(flatten)]
    pub rules: RulesArgs,
    /// How it is written.
    #[command(flatten)]
    pub write: WriteArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// `lab3 intent ...`
#[derive(Debug, Subcommand)]
pub enum IntentCommand {
    /// Print the text treasurers sign for new money.
    #[command(after_help = "Example:\n  lab3 intent mint did:kaizen:bob 100 --reason \"welcome\" > intent.txt")]
    Mint(IntentMoneyArgs),
    /// Print the text treasurers sign for a grant from the PublicGoodsPool.
    #[command(after_help = "Example:\n  lab3 intent grant did:kaizen:solar 1000 --reason \"Solar Microgrid Deployment\" > intent.txt")]
    Grant(IntentMoneyArgs),
    /// Print the text treasurers sign for a change of rules.
    #[command(after_help = "Example:\n  lab3 intent policy log.readers=everybody > intent.txt")]
    Policy(IntentPolicyArgs),
    /// Print the text treasurers sign to name those who follow them.
    #[command(after_help = "Example:\n  lab3 intent treasurers --needed 2 did:kaizen:alice did:kaizen:bob > intent.txt")]
    Treasurers(IntentTreasurersArgs),
    /// Print the text treasurers sign to freeze an account.
    #[command(after_help = "Example:\n  lab3 intent freeze did:kaizen:alice 72 \"her keys were stolen\" > intent.txt")]
    Freeze(IntentFreezeArgs),
    /// Print the text a payer signs to share what exports earned; lab3 wallet share signs and sends it at once.
    #[command(after_help = "Example:\n  lab3 intent share exports.json > intent.txt")]
    Share(IntentShareArgs),
    /// Bring a text and its signatures to the desk. It is carried out once, whoever brings it.
    #[command(
        after_help = "Examples:\n  lab3 wallet sign intent.txt --as did:kaizen:alice >> signatures.txt\n  lab3 intent send intent.txt --signatures signatures.txt --memo welcome --memo-salt 5a...\n  lab3 intent send intent.txt --signature did:kaizen:alice=z6Mkf5rG...:AAAA... --signature did:key:z6Mk...=BBBB..."
    )]
    Send(IntentSendArgs),
}

/// What every text says beside what is willed.
#[derive(Args, Clone, Debug)]
pub struct IntentTextArgs {
    /// How long the desk may take it, in seconds; without it a week.
    #[arg(long, value_name = "SECONDS", default_value_t = 604_800, value_parser = clap::value_parser!(u32).range(1..=31_536_000))]
    pub valid_seconds: u32,
    /// The server, which names the Hive and its journal; without it LAB3_URL, else http://127.0.0.1:8003.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

/// `lab3 intent mint` and `lab3 intent grant`
#[derive(Args, Clone, Debug)]
pub struct IntentMoneyArgs {
    /// Who receives it.
    #[arg(value_parser = did)]
    pub to: Did,
    /// How much MIC, at most 6 decimals.
    #[arg(value_parser = amount)]
    pub amount: Amount,
    /// What for: what is signed has its salted hash, so keep what is printed to send it along.
    #[arg(long)]
    pub reason: Option<String>,
    /// The rest.
    #[command(flatten)]
    pub text: IntentTextArgs,
}

/// `lab3 intent policy`
#[derive(Args, Clone, Debug)]
pub struct IntentPolicyArgs {
    /// What.
    #[command(flatten)]
    pub rules: RulesArgs,
    /// The rest.
    #[command(flatten)]
    pub text: IntentTextArgs,
}

/// `lab3 intent treasurers`
#[derive(Args, Clone, Debug)]
pub struct IntentTreasurersArgs {
    /// Who.
    #[command(flatten)]
    pub treasurers: TreasurersArgs,
    /// The rest.
    #[command(flatten)]
    pub text: IntentTextArgs,
}

/// `lab3 intent freeze`
#[derive(Args, Clone, Debug)]
pub struct IntentFreezeArgs {
    /// Whose account.
    #[arg(value_parser = did)]
    pub citizen: Did,
    /// For how many hours, at most 72.
    #[arg(value_parser = clap::value_parser!(u8).range(1..=72))]
    pub hours: u8,
    /// Why, for everybody to read.
    #[arg(value_parser = one_line)]
    pub reason: String,
    /// The rest.
    #[command(flatten)]
    pub text: IntentTextArgs,
}

/// `lab3 intent share`
#[derive(Args, Clone, Debug)]
pub struct IntentShareArgs {
    /// What.
    #[command(flatten)]
    pub share: ShareFileArgs,
    /// The rest.
    #[command(flatten)]
    pub text: IntentTextArgs,
}

/// `lab3 intent send`
#[derive(Args, Clone, Debug)]
pub struct IntentSendArgs {
    /// The file with the text that was signed; - for stdin.
    #[arg(value_name = "TEXT")]
    pub text: PathBuf,
    /// A signature: whose, and the key unless it is in the DID; may be repeated.
    #[arg(long = "signature", value_name = "DID=[KEY:]SIGNATURE", value_parser = countersign)]
    pub signatures: Vec<NamedSignature>,
    /// A file of signatures, one on a line as lab3 wallet sign --as prints them; may be repeated.
    #[arg(long = "signatures", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The words whose hash stands in the text.
    #[arg(long, requires = "memo_salt")]
    pub memo: Option<String>,
    /// The salt of that hash.
    #[arg(long, value_name = "HEX", requires = "memo")]
    pub memo_salt: Option<String>,
    /// The receipt.
    #[command(flatten)]
    pub receipt: ReceiptArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

fn one_line(text: &str) -> Result<String, String> {
    let plain = !text.trim().is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if plain { Ok(text.to_owned()) } else { Err("must be 1 to 200 characters on one line".to_owned()) }
}

/// Somebody's signature, as `lab3 wallet sign --as` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSignature {
    /// Whose.
    pub did: Did,
    /// With which key.
    pub key: PublicKey,
    /// The signature.
    pub signature: Signature,
}

impl std::fmt::Display for NamedSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}:{}", self.did, self.key, self.signature)
    }
}

/// Reads `DID=KEY:SIGNATURE`; the key may be left out when it is in the DID.
pub fn countersign(text: &str) -> Result<NamedSignature, String> {
    let form = "write it as DID=KEY:SIGNATURE; KEY: may be left out for a did:key";
    let (name, rest) = text.trim().split_once('=').ok_or(form)?;
    let did = did(name)?;
    let (key, signature) = match rest.split_once(':') {
        Some((key, signature)) => (PublicKey::parse(key).ok_or("the key is none (z6Mk...)")?, signature),
        None => (PublicKey::of_did(&did).ok_or(form)?, rest),
    };
    let signature = Signature::parse(signature).ok_or("the signature is none: 64 bytes in base 64")?;
    Ok(NamedSignature { did, key, signature })
}
