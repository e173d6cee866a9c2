//! `lab3 transfer FROM TO AMOUNT`

use serde::Serialize;
use serde_json::value::RawValue;

use crate::Failure;
use crate::cli::TransferArgs;
use crate::client::{Client, Document, Path};
use crate::table::pairs;

#[derive(Serialize)]
struct Request<'a> {
    from_did: &'a str,
    to_did: &'a str,
    amount: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// Moves MIC, once.
pub fn run(client: &Client, args: &TransferArgs) -> Result<String, Failure> {
    let request = Request {
        from_did: args.from.as_str(),
        to_did: args.to.as_str(),
        amount: super::mic(args.amount)?,
        reason: args.reason.as_deref(),
    };
    let reply = client.post(&Path::new("/lab3/financial/transfer"), &super::body(&request)?, args.write.key.as_deref())?;
    super::keep_receipt(&reply, &args.write.receipt)?;
    Ok(super::shown(&reply, &args.desk, table)?)
}

/// A transfer that was made, for people.
pub(super) fn table(transfer: &Document) -> String {
    pairs(&[
        ("transaction", transfer.text("tx_id")),
        ("amount", transfer.with_unit("amount_gic", "MIC")),
        ("fee", transfer.with_unit("fee_gic", "MIC")),
        ("time", transfer.text("timestamp")),
        ("record", transfer.text("sequence")),
    ])
}
