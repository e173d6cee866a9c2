//! `lab3 history DID`

use crate::Failure;
use crate::cli::HistoryArgs;
use crate::client::{Client, Document, Path};
use crate::table::list;

/// The DID's transactions.
pub fn run(client: &Client, args: &HistoryArgs) -> Result<String, Failure> {
    let path = Path::new("/lab3/financial/transactions").query("did", Some(&args.did));
    let path = path.query("since", args.since.as_ref()).query("before", args.before.as_ref()).query("limit", Some(args.limit));
    let reply = client.get(&path)?;
    Ok(super::shown(&reply, &args.desk, |page| {
        if page.has("next") {
            let flag = if args.since.is_some() { "--since" } else { "--before" };
            eprintln!("there are more: lab3 history {} {flag} {}", args.did, page.text("next"));
        }
        let transactions = page.list("transactions");
        list(&["record", "time", "type", "from", "to", "MIC", "what for"], &[0, 5], transactions.iter().map(row))
    })?)
}

fn row(transaction: &Document) -> Vec<String> {
    let metadata = transaction.object("metadata");
    let said = |field: &str| metadata.as_ref().map(|metadata| metadata.text(field)).filter(|text| !text.is_empty());
    let purpose = said("reason").or_else(|| said("project")).unwrap_or_default();
    let mut row: Vec<String> =
        ["sequence", "timestamp", "type", "from_did", "to_did", "amount_gic"].iter().map(|field| transaction.text(field)).collect();
    row.push(purpose);
    row
}
