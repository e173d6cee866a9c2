//! Journal records as text: JSON lines for programs that know the desk, CSV for spreadsheets, one line each for people.

use lab3_engine::{Fact, Stored};
use lab3_ledger::{AccountNo, Event, HoldEnd, Purpose};
use lab3_units::{Amount, Asset, Id};
use serde_json::{Value, json};

/// The accounts opened so far, so that records can be told with names instead of numbers.
#[derive(Default)]
pub struct Accounts(Vec<(String, Asset, Purpose)>);

impl Accounts {
    /// Takes note of the accounts a record opens. Must see every record from the first.
    pub fn follow(&mut self, stored: &Stored) {
        for event in &stored.record.entries {
            if let Event::AccountOpened { owner, asset, purpose, .. } = event {
                self.0.push((owner.to_string(), *asset, *purpose));
            }
        }
    }

    fn side(&self, account: AccountNo) -> Side {
        let known = self.0.get(account.0 as usize);
        known.map_or_else(Side::default, |(owner, _, purpose)| Side { owner: owner.clone(), purpose: purpose.as_str() })
    }

    fn asset(&self, account: AccountNo) -> Asset {
        self.0.get(account.0 as usize).map_or(Asset::MIC, |&(_, asset, _)| asset)
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
pub const CSV_HEADER: &str = "sequence,at,actor,id,fact,entry,from,from_purpose,to,to_purpose,asset,amount,kind,memo,hold,held";

/// A record as lines of CSV (RFC 4180): one for each thing it did to the books, or one when it did nothing.
pub fn csv_lines(stored: &Stored, accounts: &Accounts) -> Vec<String> {
    let record = &stored.record;
    let id = record.id.text("tx").to_string();
    let head = format!("{},{},{:?},{id},{}", stored.sequence, record.at, record.actor, fact_name(&record.fact));
    if record.entries.is_empty() {
        return vec![format!("{head},,,,,,,,,,,")];
    }
    let line = |event: &Event| {
        let Entry { what, from, to, asset, amount, kind, memo, hold, held } = entry(event, accounts);
        let decimal = |amount: Option<Amount>| amount.map_or_else(String::new, |amount| asset.decimal(amount).to_string());
        let sides = format!("{},{},{},{}", quoted(&from.owner), from.purpose, quoted(&to.owner), to.purpose);
        let hold = hold.map_or_else(String::new, |id| id.text("al").to_string());
        let (amount, held, memo) = (decimal(amount), decimal(held), quoted(&memo));
        format!("{head},{what},{sides},{},{amount},{kind},{memo},{hold},{held}", asset.name())
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
        Fact::Compute(Compute::Attempted(_)) => "attempted",
        Fact::Compute(Compute::Extended(_)) => "extended",
        Fact::Compute(Compute::Settled(_)) => "settled",
        Fact::Compute(Compute::Deferred(_)) => "deferred",
        Fact::Finance(Finance::Opened { .. }) => "opened",
        Fact::Finance(Finance::Transferred) => "transferred",
        Fact::Finance(Finance::Granted { .. }) => "granted",
        Fact::Finance(Finance::Contributed { .. }) => "contributed",
        Fact::Finance(Finance::Minted { .. }) => "minted",
        Fact::Finance(Finance::EpochClosed(_) | Finance::EpochBalanced(_)) => "epoch_closed",
        Fact::Refused(_) => "refused",
        Fact::Batch { .. } => "batch",
        Fact::Trust(fact) => fact.deed.as_str(),
        Fact::Energy(fact) => fact.as_str(),
    }
}

/// What one event did, with names.
struct Entry {
    what: &'static str,
    from: Side,
    to: Side,
    asset: Asset,
    amount: Option<Amount>,
    kind: &'static str,
    memo: String,
    /// The hold placed or ended, and what an ended one had set aside.
    hold: Option<Id>,
    held: Option<Amount>,
}

/// An account as a person knows it; nothing for a side an event does not have.
#[derive(Default)]
struct Side {
    owner: String,
    purpose: &'static str,
}

impl Entry {
    fn json(&self) -> Value {
        let amount = |amount: Option<Amount>| amount.map(|amount| self.asset.decimal(amount).to_string());
        let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        json!({
            "entry": self.what,
            "from": text(&self.from.owner), "from_purpose": text(self.from.purpose),
            "to": text(&self.to.owner), "to_purpose": text(self.to.purpose),
            "asset": self.asset.name(), "amount": amount(self.amount), "kind": text(self.kind), "memo": text(&self.memo),
            "hold": self.hold.map(|id| id.text("al").to_string()), "held": amount(self.held),
        })
    }

    fn of(what: &'static str, account: AccountNo, amount: Amount, accounts: &Accounts) -> Self {
        let (from, asset) = (accounts.side(account), accounts.asset(account));
        let (kind, memo, to) = ("", String::new(), Side::default());
        Self { what, from, to, asset, amount: Some(amount), kind, memo, hold: None, held: None }
    }

    fn ending(what: &'static str, end: &HoldEnd, accounts: &Accounts) -> Self {
        Self { hold: Some(end.id), held: Some(end.held), ..Self::of(what, end.account, end.held, accounts) }
    }
}

fn entry(event: &Event, accounts: &Accounts) -> Entry {
    match event {
        Event::AccountOpened { owner, asset, purpose, .. } => Entry {
            what: "account_opened",
            from: Side::default(),
            to: Side { owner: owner.to_string(), purpose: purpose.as_str() },
            asset: *asset,
            amount: None,
            kind: "",
            memo: String::new(),
            hold: None,
            held: None,
        },
        Event::Transferred { from, to, amount, kind, memo } => {
            let moved = Entry::of("transferred", *from, *amount, accounts);
            Entry { to: accounts.side(*to), kind: kind.as_str(), memo: memo.to_string(), ..moved }
        }
        Event::HoldPlaced { id, account, amount, .. } => Entry { hold: Some(*id), ..Entry::of("hold_placed", *account, *amount, accounts) },
        Event::HoldExtended { id, account, by, .. } => Entry { hold: Some(*id), ..Entry::of("hold_extended", *account, *by, accounts) },
        Event::HoldSettled { end, to, taken } => {
            Entry { to: accounts.side(*to), amount: Some(*taken), ..Entry::ending("hold_settled", end, accounts) }
        }
        Event::HoldReleased(end) => Entry::ending("hold_released", end, accounts),
        Event::HoldExpired(end) => Entry::ending("hold_expired", end, accounts),
    }
}
