//! The command line of a member's wallet.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lab3_units::{Amount, Did};

use super::{DeskArgs, ReceiptArgs, amount, did};

/// `lab3 wallet ...`
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Make a key of your own in a new file.
    #[command(after_help = "Example:\n  lab3 wallet new --file alice.pem")]
    New(WalletNewArgs),
    /// Show whose key the file has.
    Show(WalletNewArgs),
    /// Sign an intent's text exactly as it is, and print the signature in base 64.
    #[command(
        after_help = "Examples:\n  lab3 wallet sign intent.txt\n  lab3 wallet sign intent.txt --as did:kaizen:alice >> signatures.txt\n  cat intent.txt | lab3 wallet sign -"
    )]
    Sign(WalletSignArgs),
    /// Sign a transfer and send it to the desk.
    #[command(
        after_help = "Example:\n  lab3 wallet transfer did:key:z6Mkf5rGMoatrSj1f4CyvuHBeXJELe9RPdzo2PKGNCKVtZxP did:kaizen:bob 50 --reason \"API compute credits\""
    )]
    Transfer(WalletTransferArgs),
    /// Sign how exports are shared and send it to the desk.
    #[command(
        after_help = "Examples:\n  lab3 wallet share exports.json\n  lab3 wallet share counted.json --counted-max-gic 15\n\nThe file is the one lab3 energy share takes."
    )]
    Share(WalletShareArgs),
}

/// What exports earned, and among whom it is shared.
#[derive(Args, Clone, Debug)]
pub struct ShareFileArgs {
    /// The request as JSON, as lab3 energy share takes it; - for stdin.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Without an amount in the file: the most, in MIC, that the desk may count and share.
    #[arg(long = "counted-max-gic", value_name = "AMOUNT", value_parser = amount)]
    pub counted_max: Option<Amount>,
}

/// `lab3 wallet share`
#[derive(Args, Clone, Debug)]
pub struct WalletShareArgs {
    /// What.
    #[command(flatten)]
    pub share: ShareFileArgs,
    /// How long the desk may take it, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=2_592_000))]
    pub valid_seconds: u32,
    /// The wallet.
    #[command(flatten)]
    pub wallet: WalletFileArgs,
    /// The receipt.
    #[command(flatten)]
    pub receipt: ReceiptArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}

/// Which wallet is meant.
#[derive(Args, Clone, Debug, Default)]
pub struct WalletFileArgs {
    /// The wallet's file; without it LAB3_WALLET, else ~/.config/lab3/wallet.pem.
    #[arg(id = "wallet_file", long = "file", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `lab3 wallet new` and `lab3 wallet show`
#[derive(Args, Clone, Debug, Default)]
pub struct WalletNewArgs {
    /// The wallet.
    #[command(flatten)]
    pub file: WalletFileArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `lab3 wallet sign`
#[derive(Args, Clone, Debug)]
pub struct WalletSignArgs {
    /// The file with the intent's text; - for stdin.
    #[arg(value_name = "TEXT")]
    pub text: PathBuf,
    /// Whose signature it is: then DID=KEY:SIGNATURE is printed, as lab3 intent send takes it.
    #[arg(long = "as", value_name = "DID", value_parser = did)]
    pub signer: Option<Did>,
    /// The wallet.
    #[command(flatten)]
    pub file: WalletFileArgs,
}

/// `lab3 wallet transfer`
#[derive(Args, Clone, Debug)]
pub struct WalletTransferArgs {
    /// Who pays, and signs: the wallet's did:key, or a DID its key is registered for.
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
    /// The highest fee you agree to, in MIC; without it a hundredth of the amount and at least 0.01.
    #[arg(long = "fee-max-gic", value_name = "AMOUNT", value_parser = amount)]
    pub fee_max: Option<Amount>,
    /// How long the desk may take it, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=2_592_000))]
    pub valid_seconds: u32,
    /// The wallet.
    #[command(flatten)]
    pub file: WalletFileArgs,
    /// The receipt.
    #[command(flatten)]
    pub receipt: ReceiptArgs,
    /// The server.
    #[command(flatten)]
    pub desk: DeskArgs,
}
