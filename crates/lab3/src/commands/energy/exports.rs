//! `lab3 energy share|exports`: what exports earned, shared among members, and what was shared lately.

use super::request;
use crate::Failure;
use crate::cli::{EnergyExportsArgs, EnergyShareArgs};
use crate::client::{Client, Document, Path};
use crate::table::{list, pairs};

const EXPORTS: &str = "/lab3/energy/exports";
const SHARE: &str = "/lab3/energy/exports/share";

/// Shares it, once.
pub fn share(client: &Client, args: &EnergyShareArgs) -> Result<String, Failure> {
    let body = request(&args.file)?;
    let reply = client.post(&Path::new(SHARE), &body, args.write.key.as_deref())?;
    crate::commands::keep_receipt(&reply, &args.write.receipt)?;
    Ok(crate::commands::shown(&reply, &args.desk, shared)?)
}

fn shared(told: &Document) -> String {
    let about = pairs(&[
        ("transaction", told.text("tx_id")),
        ("from", told.text("from")),
        ("to", told.text("to")),
        ("fed in", told.with_unit("exported_kwh", "kWh")),
        ("shared", told.with_unit("amount_gic", "MIC")),
        ("rule", told.text("rule")),
        ("record", told.text("sequence")),
    ]);
    let members = told.list("members");
    let row = |member: &Document| ["did", "weight", "amount_gic"].map(|field| member.text(field)).to_vec();
    format!("{about}\n\n{}", list(&["member", "weight", "MIC"], &[1, 2], members.iter().map(row)))
}

/// The latest sharings.
pub fn exports(client: &Client, args: &EnergyExportsArgs) -> Result<String, Failure> {
    let reply = client.get(&Path::new(EXPORTS).query("payer_did", args.payer.as_ref()))?;
    Ok(crate::commands::shown(&reply, &args.desk, |told| listed(&told.list("sharings")))?)
}

fn listed(sharings: &[Document]) -> String {
    if sharings.is_empty() {
        return "nothing was shared yet; lab3 energy share FILE does".to_owned();
    }
    let header = ["from", "to", "meter", "paid by", "MIC", "kWh", "rule", "members", "transaction"];
    let fields = ["from", "to", "device", "payer_did", "amount_gic", "exported_kwh", "rule", "members", "tx_id"];
    list(&header, &[4, 5, 7], sharings.iter().map(|sharing| fields.map(|field| sharing.text(field)).to_vec()))
}
