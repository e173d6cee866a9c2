//! An exported journal, read as an auditor would: with no code of the product.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::amount::ks;
use crate::binary;

/// One line of `lab3 journal export`.
#[derive(Debug)]
pub struct Record {
    /// Its number.
    pub sequence: u64,
    /// Its id, without a prefix.
    pub id: String,
    /// The word for what it is about.
    pub fact: String,
    /// What it is about.
    pub detail: Value,
    /// What it did to the books.
    pub entries: Vec<Value>,
}

/// A whole journal.
#[derive(Debug)]
pub struct Journal(pub Vec<Record>);

impl Journal {
    /// Exports the journal of that data folder and reads it.
    pub fn of(data: &str) -> Self {
        Self::read(&binary::succeed(&["journal", "export", "--data", data]))
    }

    /// Reads JSON lines.
    pub fn read(lines: &str) -> Self {
        let records = lines.lines().map(record).collect::<Vec<_>>();
        let dense = records.iter().zip(1..).all(|(record, sequence)| record.sequence == sequence);
        assert!(dense, "the records are not numbered from 1 without gaps");
        Self(records)
    }

    /// How many records of each word there are.
    pub fn facts(&self) -> BTreeMap<&str, u64> {
        let mut facts = BTreeMap::new();
        self.0.iter().for_each(|record| *facts.entry(record.fact.as_str()).or_default() += 1);
        facts
    }
}

impl Record {
    /// What moved between accounts: asset, from, to, KS, and what for.
    pub fn moves(&self) -> impl Iterator<Item = (&str, &str, &str, i64, &str)> {
        let moving = |entry: &&Value| matches!(entry["entry"].as_str(), Some("transferred" | "hold_settled"));
        self.entries.iter().filter(moving).map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default();
            (text("asset"), text("from"), text("to"), ks(&entry["amount"]), text("kind"))
        })
    }
}

fn record(line: &str) -> Record {
    let mut value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    let text = |name: &str| value[name].as_str().unwrap_or_else(|| panic!("no {name} in {line}")).to_owned();
    let (sequence, id, fact) = (value["sequence"].as_u64().unwrap(), text("id"), text("fact"));
    let Value::Array(entries) = value["entries"].take() else { panic!("no entries in {line}") };
    Record { sequence, id, fact, detail: value["detail"].take(), entries }
}
