//! Who gets how much of an epoch's reward.

use lab3_finance::{Recipient, Share};
use lab3_units::{Amount, Did, FeeRate};

use super::{Range, Raw, Setting};

/// All of something, in the parts a percentage with seven decimals is counted in.
const WHOLE: Amount = Amount::new(1_000_000_000);

/// The word a configuration has for a recipient.
fn word(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Pool => "pool".to_owned(),
        Recipient::Reserve => "reserve".to_owned(),
        Recipient::Did(did) => did.to_string(),
    }
}

impl Setting for Vec<Share> {
    fn accepts(&self, _: Range) -> String {
        "percentages by recipient (pool, reserve or a DID) that add up to 100, such as { pool = 60, reserve = 40 }".to_owned()
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        let shares = match raw {
            Raw::Table(rows) => shares(rows.iter().map(|(name, percent)| (name.as_str(), percent.decimal()))),
            Raw::Loose(text) => shares(text.split(',').map(|row| match row.split_once('=') {
                Some((name, percent)) => (name.trim(), Some(percent.trim())),
                None => (row, None),
            })),
            _ => None,
        };
        shares.map(|shares| *self = shares).is_some()
    }

    fn show(&self) -> String {
        let rows: Vec<String> = self.iter().map(|share| format!("{} = {}", word(&share.recipient), share.percent.percent())).collect();
        rows.join(", ")
    }
}

/// Reads the rows; `None` when one is wrong, a recipient stands twice, or they do not add up.
fn shares<'a>(rows: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Option<Vec<Share>> {
    let mut shares: Vec<Share> = Vec::new();
    let mut sum = Amount::ZERO;
    for (name, percent) in rows {
        let recipient = match name {
            "pool" => Recipient::Pool,
            "reserve" => Recipient::Reserve,
            did => Recipient::Did(Did::parse(did).ok()?),
        };
        let percent = percent?;
        sum = sum.checked_add(Amount::parse(percent, 7).ok()?)?;
        if shares.iter().any(|share| share.recipient == recipient) {
            return None;
        }
        shares.push(Share { recipient, percent: FeeRate::from_percent(percent).ok()? });
    }
    (sum == WHOLE).then_some(shares)
}
