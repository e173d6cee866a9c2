//! `lab3 policy show|set`

use serde_json::{Map, Value, json};

use crate::Failure;
use crate::cli::{DeskArgs, PolicySetArgs};
use crate::client::{Client, Document, Path};
use crate::table::list;

const PATH: &str = "/lab3/policy";

/// Shows every rule.
pub fn show(client: &Client, desk: &DeskArgs) -> Result<String, Failure> {
    Ok(super::shown(&client.get(&Path::new(PATH))?, desk, table)?)
}

fn table(told: &Document) -> String {
    let row = |rule: &Document| ["name", "value", "from", "configured", "takes"].map(|field| rule.text(field)).to_vec();
    list(&["rule", "value", "from", "configured", "takes"], &[], told.list("rules").iter().map(row))
}

/// Changes rules.
pub fn set(client: &Client, args: &PolicySetArgs) -> Result<String, Failure> {
    let mut rules = Map::new();
    for rule in &args.rules.rules {
        if rules.insert(rule.path.clone(), Value::from(rule.text.as_str())).is_some() {
            return Err(Failure::Usage(format!("{} stands twice", rule.path)));
        }
    }
    let reply = client.post(&Path::new(PATH), &super::body(&json!({ "set": rules }))?, args.write.key.as_deref())?;
    super::keep_receipt(&reply, &args.write.receipt)?;
    Ok(super::shown(&reply, &args.desk, super::treasurers::done)?)
}
