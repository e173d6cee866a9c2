//! `lab3 balance DID`

use crate::Failure;
use crate::cli::BalanceArgs;
use crate::client::{Client, Path};
use crate::table::pairs;

/// What the DID has, what of it is held, and what it can spend.
pub fn run(client: &Client, args: &BalanceArgs) -> Result<String, Failure> {
    let reply = client.get(&Path::new("/lab3/financial/balance").part(args.did.as_str()).query("at", args.at))?;
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
