//! `lab3 wallet new|show|sign|transfer|share`: a member's own key, and what is paid with it.
//!
//! The key stands in a file as openssl writes Ed25519 keys, so that any shell can do the same without us.

mod file;

use std::path::PathBuf;

use lab3_trust::{Act, MemoHash, PublicKey, Signature, Statement};
use lab3_units::{Amount, Did};
use serde::Serialize;
use serde_json::json;

use super::Env;
use crate::Failure;
use crate::cli::{DeskArgs, ReceiptArgs};
use crate::cli::{NamedSignature, WalletFileArgs, WalletNewArgs, WalletShareArgs, WalletSignArgs, WalletTransferArgs};
use crate::client::{Client, Path};
use crate::table::pairs;

use file::Wallet;

/// The least that is signed as the highest fee when nobody says another, in KS: 0.01 MIC.
const FEE_MAX_LEAST: i64 = 10_000;

/// Makes a wallet.
pub fn new(args: &WalletNewArgs, env: &Env) -> Result<String, Failure> {
    let (path, wallet) = (path(&args.file, env)?, Wallet::fresh()?);
    wallet.keep(&path)?;
    eprintln!("This file is the key: who has it pays with it, and nobody can make it again. Keep a copy where others cannot read it.");
    Ok(shown(&wallet, &path, args.json))
}

/// Shows whose key it is.
pub fn show(args: &WalletNewArgs, env: &Env) -> Result<String, Failure> {
    let path = path(&args.file, env)?;
    Ok(shown(&Wallet::read(&path)?, &path, args.json))
}

fn shown(wallet: &Wallet, path: &std::path::Path, json: bool) -> String {
    let (did, key, file) = (format!("did:key:{}", wallet.public()), wallet.public().to_string(), path.display().to_string());
    if json {
        return json!({ "did": did, "public_key": key, "file": file }).to_string();
    }
    pairs(&[("DID", did), ("public key", key), ("file", file)])
}

/// Signs an intent's text as it is.
pub fn sign(args: &WalletSignArgs, env: &Env) -> Result<String, Failure> {
    let wallet = Wallet::read(&path(&args.file, env)?)?;
    if let Some(signer) = &args.signer {
        check_own(&wallet, signer)?;
    }
    let text = super::intent::read(&args.text)?;
    let statement = Statement::parse(&text).map_err(|error| Failure::Other(format!("{error}. Nothing is signed")))?;
    let signature = signed(&wallet, &statement);
    Ok(match args.signer.clone() {
        None => signature.to_string(),
        Some(did) => NamedSignature { did, key: wallet.public(), signature }.to_string(),
    })
}

/// Refuses to sign for a DID that has another key in its name.
fn check_own(wallet: &Wallet, did: &Did) -> Result<(), Failure> {
    match PublicKey::of_did(did).filter(|key| *key != wallet.public()) {
        Some(key) => Err(Failure::Usage(format!("{did} signs with {key}, and this wallet has {}", wallet.public()))),
        None => Ok(()),
    }
}

/// A salt for the hash of a memo, from the system's randomness.
pub(super) fn salt() -> Result<[u8; 16], Failure> {
    file::random().map(|salt| *salt)
}

/// The signature, once it was said what is signed.
fn signed(wallet: &Wallet, statement: &Statement) -> Signature {
    let text = statement.text();
    eprint!("signed with {}:\n{text}", wallet.public());
    wallet.sign(&text)
}

#[derive(Serialize)]
struct Request<'a> {
    intent: String,
    public_key: String,
    signature: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    memo: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memo_salt: Option<String>,
}

/// Signs a transfer and sends it.
pub fn transfer(client: &Client, args: &WalletTransferArgs, env: &Env) -> Result<String, Failure> {
    let wallet = Wallet::read(&path(&args.file, env)?)?;
    check_own(&wallet, &args.from)?;
    let salt = args.reason.as_ref().map(|_| salt()).transpose()?;
    let memo = args.reason.as_deref().zip(salt).map(|(reason, salt)| MemoHash::of(&salt, reason));
    let act = Act::Transfer { from: args.from.clone(), to: args.to.clone(), amount: args.amount, fee_max: fee_max(args), memo };
    let statement = super::intent::stated(client, args.valid_seconds, act)?;
    let memo = args.reason.as_deref().zip(salt);
    send(client, &wallet, &statement, memo, (&args.receipt, &args.desk))
}

/// Signs how exports are shared and sends it.
pub fn share(client: &Client, args: &WalletShareArgs, env: &Env) -> Result<String, Failure> {
    let wallet = Wallet::read(&path(&args.wallet, env)?)?;
    let act = super::intent::share_act(&args.share.file, args.share.counted_max)?;
    if let Act::ShareExports(share) = &act {
        check_own(&wallet, &share.from)?;
    }
    let statement = super::intent::stated(client, args.valid_seconds, act)?;
    // What cannot be read back as it is, such as a sharing among nobody, nobody can sign.
    Statement::parse(&statement.text()).map_err(|error| Failure::Other(format!("{error}. Nothing is signed")))?;
    send(client, &wallet, &statement, None, (&args.receipt, &args.desk))
}

/// Signs the statement and brings it, with the memo's words and their salt.
fn send(
    client: &Client,
    wallet: &Wallet,
    statement: &Statement,
    memo: Option<(&str, [u8; 16])>,
    (receipt, desk): (&ReceiptArgs, &DeskArgs),
) -> Result<String, Failure> {
    let request = Request {
        intent: statement.text(),
        public_key: wallet.public().to_string(),
        signature: signed(wallet, statement).to_string(),
        memo: memo.map(|(words, _)| words),
        memo_salt: memo.map(|(_, salt)| format!("{:032x}", u128::from_be_bytes(salt))),
    };
    // However often it is sent, it is done once: the statement has an id of its own.
    let reply = client.post(&Path::new("/lab3/intents"), &super::body(&request)?, None)?;
    super::keep_receipt(&reply, receipt)?;
    let table = |done: &crate::client::Document| {
        pairs(&[("transaction", done.text("tx_id")), ("time", done.text("timestamp")), ("record", done.text("sequence"))])
    };
    Ok(super::shown(&reply, desk, table)?)
}

/// The highest fee that is signed: what was said, else a hundredth of the amount and at least 0.01 MIC.
fn fee_max(args: &WalletTransferArgs) -> Amount {
    args.fee_max.unwrap_or_else(|| Amount::new((args.amount.units() / 100).max(FEE_MAX_LEAST)))
}

/// The wallet's file: the one named, else `LAB3_WALLET`, else one in the home.
fn path(args: &WalletFileArgs, env: &Env) -> Result<PathBuf, Failure> {
    let variable = |name: &str| env.get(name).filter(|text| !text.is_empty()).map(PathBuf::from);
    let home = || variable("HOME").map(|home| home.join(".config/lab3/wallet.pem"));
    let none = || Failure::Usage("name the wallet's file: --file FILE, or LAB3_WALLET".to_owned());
    args.file.clone().or_else(|| variable("LAB3_WALLET")).or_else(home).ok_or_else(none)
}

#[cfg(test)]
mod tests;
