//! `lab3 balance DID`, with `--proof` the file that proves what it had, and `lab3 balance --check FILE`.

use std::path::Path as FilePath;

use lab3_audit::{ProvenBalance, prove_balance};
use lab3_tlog::{Trust, VerifierKey};
use lab3_units::{Amount, Asset, Did};

use crate::Failure;
use crate::cli::BalanceArgs;
use crate::client::{Client, Path};
use crate::table::pairs;

/// What the DID has, what of it is held, and what it can spend; or the proof of what it had.
pub fn run(client: &Client, args: &BalanceArgs) -> Result<String, Failure> {
    let did = args.did.as_ref().map(Did::as_str).unwrap_or_default();
    let path = Path::new("/lab3/financial/balance").part(did);
    if args.proof {
        return Ok(client.get(&path.part("proof").query("epoch", args.epoch))?.body);
    }
    let reply = client.get(&path.query("at", args.at))?;
    Ok(super::shown(&reply, &args.desk, |balance| {
        pairs(&[
            ("citizen", balance.text("citizen_did")),
            ("balance", balance.with_unit("balance_gic", "MIC")),
            ("held", balance.with_unit("held_gic", "MIC")),
            ("available", balance.with_unit("available_gic", "MIC")),
            ("as of record", balance.text("sequence")),
        ])
    })?)
}

/// Checks a proof by the log's key; no desk is asked.
pub fn check(file: &FilePath, args: &BalanceArgs) -> Result<String, Failure> {
    let key = args.key.as_deref().unwrap_or_default();
    let log = VerifierKey::parse(key).map_err(|error| Failure::Usage(format!("--key: {error}")))?;
    let text = std::fs::read_to_string(file).map_err(|error| Failure::Other(format!("{}: {error}", file.display())))?;
    let trust = Trust { origin: log.name().to_owned(), log, witnesses: Vec::new() };
    let proven = prove_balance(&text, &trust).map_err(|error| Failure::Other(format!("{} proves nothing: {error}", file.display())))?;
    Ok(told(&proven))
}

fn told(proven: &ProvenBalance) -> String {
    let amount = |amount: Amount| format!("{} {}", proven.asset.decimal(amount), proven.asset.name());
    pairs(&[
        ("account", format!("{} ({})", proven.owner, proven.purpose.as_str())),
        ("balance", amount(proven.balance)),
        ("held", amount(proven.held)),
        ("as of", format!("the end of epoch {}, {}", proven.closing.closed, proven.at)),
        ("record", proven.record.to_string()),
        ("log", proven.origin.clone()),
        ("supply then", format!("{} MIC", Asset::MIC.decimal(proven.closing.supply))),
        ("verdict", "it holds".to_owned()),
    ])
}
