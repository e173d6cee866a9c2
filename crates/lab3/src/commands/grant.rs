//! `lab3 grant TO AMOUNT PROJECT`

use serde::Serialize;
use serde_json::value::RawValue;

use crate::Failure;
use crate::cli::GrantArgs;
use crate::client::{Client, Path};
use crate::table::pairs;

#[derive(Serialize)]
struct Request<'a> {
    recipient_did: &'a str,
    amount: Box<RawValue>,
    project: &'a str,
}

/// Grants MIC from the pool, once.
pub fn run(client: &Client, args: &GrantArgs) -> Result<String, Failure> {
    let request = Request { recipient_did: args.to.as_str(), amount: super::mic(args.amount)?, project: &args.project };
    let reply = client.post(&Path::new("/lab3/financial/grant"), &super::body(&request)?, args.write.key.as_deref())?;
    super::keep_receipt(&reply, &args.write.receipt)?;
    Ok(super::shown(&reply, &args.desk, |grant| {
        pairs(&[
            ("transaction", grant.text("tx_id")),
            ("amount", grant.with_unit("amount_gic", "MIC")),
            ("project", grant.text("project")),
            ("left in the pool", grant.with_unit("pool_balance_remaining", "MIC")),
            ("time", grant.text("timestamp")),
            ("record", grant.text("sequence")),
        ])
    })?)
}
