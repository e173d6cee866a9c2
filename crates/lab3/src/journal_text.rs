//! Journal records as text: JSON lines for programs that know the desk, CSV for spreadsheets, one line each for people.

use lab3_engine::{Fact, Stored};
use lab3_ledger::{AccountNo, Event};
use lab3_units::{Amount, Asset};
use serde_json::{Value, json};

/// The accounts opened so far, so that records can be told with names instead of numbers.
#[derive(Default)]
pub struct Accounts(Vec<(String, Asset)>);

impl Accounts {
    /// Takes note of the accounts a record opens. Must see every record from the first.
    pub fn follow(&mut self, stored: &Stored) {
        for event in &stored.record.entries {
            if let Event::AccountOpened { owner, asset, .. } = event {
                self.0.push((owner.to_string(), *asset));
            }
        }
    }

    fn name(&self, account: AccountNo) -> &str {
        self.0.get(account.0 as usize).map_or("?", |(owner, _)| owner)
    }

    fn asset(&self, account: AccountNo) -> Asset {
        self.0.get(account.0 as usize).map_or(Asset::MIC, |&(_, asset)| asset)
    }
}

/// A record as one line of JSON: amounts as decimal strings, times in RFC 3339, names for accounts.
pub fn json_line(stored: &Stored, accounts: &Accounts) -> String {
    let record = &stored.record;
    let entries = record.entries.iter().map(|event| entry(event, accounts)).collect::<Vec<_>>();
    json!({
        "sequence": stored.sequence,
        "at": record.at,
        "actor": record.actor,
        "id": record.id,
        "aliases": record.aliases,
        "fact": fact_name(&record.fact),
        "detail": record.fact,
        "entries": entries.iter().map(Entry::json).collect::<Vec<_>>(),
    })
    .to_string()
}

/// The header of [`csv_lines`].
pub const CSV_HEADER: &str = "sequence,at,actor,id,fact,entry,from,to,asset,amount,kind,memo";

/// A record as lines of CSV (RFC 4180): one for each thing it did to the books, or one when it did nothing.
pub fn csv_lines(stored: &Stored, accounts: &Accounts) -> Vec<String> {
    let record = &stored.record;
    let id = record.id.text("tx").to_string();
    let head = format!("{},{},{:?},{id},{}", stored.sequence, record.at, record.actor, fact_name(&record.fact));
    if record.entries.is_empty() {
        return vec![format!("{head},,,,,,,")];
    }
    let line = |event: &Event| {
        let Entry { what, from, to, asset, amount, kind, memo } = entry(event, accounts);
        let amount = amount.map_or_else(String::new, |amount| asset.decimal(amount).to_string());
        let memo = quoted(&memo);
        format!("{head},{what},{},{},{},{amount},{kind},{memo}", quoted(&from), quoted(&to), asset.name())
    };
    record.entries.iter().map(line).collect()
}

/// A field as RFC 4180 wants it. A spreadsheet would take a leading `=`, `+`, `-` or `@` for a formula, so those are quoted.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@']);
    if formula {
        return format!("\"'{}\"", field.replace('"', "\"\""));
    }
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

/// The word for what a record is about.
fn fact_name(fact: &Fact) -> &'static str {
    use lab3_compute::Fact as Compute;
    use lab3_finance::Fact as Finance;
    match fact {
        Fact::Compute(Compute::Allocated(_)) => "allocated",
        Fact::Compute(Compute::Reported(_)) => "reported",
        Fact::Compute(Compute::Released(_)) => "released",
        Fact::Compute(Compute::Expired(_)) => "expired",
        Fact::Finance(Finance::Opened { .. }) => "opened",
        Fact::Finance(Finance::Transferred) => "transferred",
        Fact::Finance(Finance::Granted { .. }) => "granted",
        Fact::Finance(Finance::Contributed { .. }) => "contributed",
        Fact::Finance(Finance::Minted { .. }) => "minted",
        Fact::Finance(Finance::EpochClosed { .. }) => "epoch_closed",
        Fact::Refused(_) => "refused",
        Fact::Batch { .. } => "batch",
    }
}

/// What one event did, with names.
struct Entry {
    what: &'static str,
    from: String,
    to: String,
    asset: Asset,
    amount: Option<Amount>,
    kind: &'static str,
    memo: String,
}

impl Entry {
    fn json(&self) -> Value {
        let amount = self.amount.map(|amount| self.asset.decimal(amount).to_string());
        let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        json!({
            "entry": self.what, "from": text(&self.from), "to": text(&self.to), "asset": self.asset.name(), "amount": amount,
            "kind": text(self.kind), "memo": text(&self.memo),
        })
    }
}

fn entry(event: &Event, accounts: &Accounts) -> Entry {
    let of = |what, account: AccountNo, to: &str, amount: Option<Amount>| Entry {
        what,
        from: accounts.name(account).to_owned(),
        to: to.to_owned(),
        asset: accounts.asset(account),
        amount,
        kind: "",
        memo: String::new(),
    };
    match event {
        Event::AccountOpened { owner, asset, .. } => Entry {
            what: "account_opened",
            from: String::new(),
            to: owner.to_string(),
            asset: *asset,
            amount: None,
            kind: "",
            memo: String::new(),
        },
        Event::Transferred { from, to, amount, kind, memo } => {
            let moved = of("transferred", *from, accounts.name(*to), Some(*amount));
            Entry { kind: kind.as_str(), memo: memo.to_string(), ..moved }
        }
        Event::HoldPlaced { account, amount, .. } => of("hold_placed", *account, "", Some(*amount)),
        Event::HoldSettled { end, to, taken } => of("hold_settled", end.account, accounts.name(*to), Some(*taken)),
        Event::HoldReleased(end) => of("hold_released", end.account, "", Some(end.held)),
        Event::HoldExpired(end) => of("hold_expired", end.account, "", Some(end.held)),
    }
}
