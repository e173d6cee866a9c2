//! `lab3 treasurers show|name`

use serde_json::json;

use crate::Failure;
use crate::cli::{DeskArgs, TreasurersNameArgs};
use crate::client::{Client, Document, Path};
use crate::table::{list, pairs};

const PATH: &str = "/lab3/treasurers";

/// Shows who they are.
pub fn show(client: &Client, desk: &DeskArgs) -> Result<String, Failure> {
    Ok(super::shown(&client.get(&Path::new(PATH))?, desk, table)?)
}

fn table(told: &Document) -> String {
    let named = told.list("treasurers");
    if named.is_empty() {
        return "There are no treasurers: the operator's keys decide. lab3 treasurers name names the first.".to_owned();
    }
    let rows = named.iter().map(|one| {
        let keys = one.words("public_keys");
        vec![one.text("did"), if keys.is_empty() { "none: cannot sign".to_owned() } else { keys.join(" ") }]
    });
    format!("{} of {} have to sign.\n{}", told.text("needed"), named.len(), list(&["treasurer", "keys"], &[], rows))
}

/// Names the first.
pub fn name(client: &Client, args: &TreasurersNameArgs) -> Result<String, Failure> {
    let dids: Vec<&str> = args.treasurers.treasurers.iter().map(lab3_units::Did::as_str).collect();
    let request = json!({ "needed": args.treasurers.needed, "treasurers": dids });
    let reply = client.post(&Path::new(PATH), &super::body(&request)?, args.write.key.as_deref())?;
    super::keep_receipt(&reply, &args.write.receipt)?;
    Ok(super::shown(&reply, &args.desk, done)?)
}

/// An act of administration that was done.
pub(super) fn done(act: &Document) -> String {
    pairs(&[("time", act.text("timestamp")), ("record", act.text("sequence"))])
}
