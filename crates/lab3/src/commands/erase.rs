//! `lab3 erase TX`

use serde::Serialize;

use crate::Failure;
use crate::cli::EraseArgs;
use crate::client::{Client, Path};
use crate::table::pairs;

#[derive(Serialize)]
struct Request<'a> {
    reason: &'a str,
}

/// Erases what was written in a transaction's record.
pub fn run(client: &Client, args: &EraseArgs) -> Result<String, Failure> {
    let path = Path::new("/lab3/financial/transactions").part(&args.transaction).part("erase");
    let reply = client.post(&path, &super::body(&Request { reason: &args.reason })?, args.write.key.as_deref())?;
    super::keep_receipt(&reply, &args.write.receipt)?;
    let told = |done: &crate::client::Document| pairs(&[("time", done.text("timestamp")), ("record", done.text("sequence"))]);
    Ok(super::shown(&reply, &args.desk, told)?)
}
