//! Fees: each right after its transfer, by one rate.

use lab3_ledger::{Event, Kind};
use lab3_units::{Amount, FeeRate};

use crate::verdict::{Class, FeeSeen, Found};

/// A whole, in the parts rates are counted in.
const WHOLE: i128 = 1_000_000_000;

/// Changes of the rate that are told one by one.
const SEEN_MAX: usize = 16;

/// What the journal shows of the rate, when nobody told it.
#[derive(Debug, Default)]
pub(crate) struct Fees {
    pub rate: Option<FeeRate>,
    pub seen: Vec<FeeSeen>,
}

impl Fees {
    /// Checks the fees of one record.
    pub fn check(&mut self, sequence: u64, entries: &[Event]) -> Result<(), Found> {
        let bad = |what: String| Err((Class::Fees, what));
        let mut bounds = (0, WHOLE);
        let mut transfers = 0_u32;
        let mut before = None;
        for (at, event) in entries.iter().enumerate() {
            match event {
                Event::Transferred { from, amount, kind: Kind::Transfer, .. } => {
                    transfers += 1;
                    let fee = match entries.get(at + 1) {
                        Some(Event::Transferred { kind: Kind::Fee, amount, .. }) => *amount,
                        _ => Amount::ZERO,
                    };
                    if let Some(owed) = self.rate.map(|rate| rate.of(*amount)).filter(|&owed| owed != fee) {
                        return bad(format!("the fee on {} KS is {} KS, not {}", amount.units(), owed.units(), fee.units()));
                    }
                    bounds = narrower(bounds, rates(*amount, fee));
                    before = Some(*from);
                }
                Event::Transferred { from, kind: Kind::Fee, .. } => {
                    if before.take() != Some(*from) {
                        return bad(format!("a fee of account {} does not follow a transfer of it", from.0));
                    }
                }
                _ => before = None,
            }
        }
        if transfers == 0 || self.rate.is_some() {
            return Ok(());
        }
        if bounds.0 > bounds.1 {
            return bad("its transfers' fees follow no one rate".to_owned());
        }
        self.see(sequence, bounds);
        Ok(())
    }

    fn see(&mut self, from: u64, bounds: (i128, i128)) {
        let parts = |rate: i128| u64::try_from(rate).unwrap_or(0);
        if let Some(last) = self.seen.last_mut() {
            let both = narrower((i128::from(last.least), i128::from(last.most)), bounds);
            if both.0 <= both.1 {
                (last.least, last.most) = (parts(both.0), parts(both.1));
                return;
            }
        }
        if self.seen.len() < SEEN_MAX {
            self.seen.push(FeeSeen { from, least: parts(bounds.0), most: parts(bounds.1) });
        }
    }
}

/// The rates, in parts per billion, by which the fee on an amount, rounded up, is this one.
fn rates(amount: Amount, fee: Amount) -> (i128, i128) {
    let (amount, fee) = (i128::from(amount.units()).max(1), i128::from(fee.units()));
    if fee <= 0 {
        return (0, 0);
    }
    ((fee - 1) * WHOLE / amount + 1, (fee * WHOLE / amount).min(WHOLE))
}

fn narrower(one: (i128, i128), other: (i128, i128)) -> (i128, i128) {
    (one.0.max(other.0), one.1.min(other.1))
}
