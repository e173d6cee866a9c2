//! What the events of a game must add up to, judged from the events alone: what a journal keeps must explain the books.

use std::collections::BTreeMap;

use lab3_ledger::{AccountNo, Event, HoldEnd, Ledger};

/// Follows events and remembers what they add up to.
#[derive(Default)]
pub struct Audit {
    /// Balance and held by account.
    sums: BTreeMap<AccountNo, (i128, i128)>,
    assets: Vec<u16>,
    /// Open holds: id and the record that placed it.
    open: BTreeMap<(lab3_units::Id, u64), i64>,
    pub events: u64,
}

impl Audit {
    /// Takes one event in, or says what is wrong with it.
    pub fn follow(&mut self, sequence: u64, event: &Event) -> Result<(), String> {
        self.events += 1;
        for posting in event.postings().into_iter().flatten() {
            let sum = self.sums.entry(posting.account).or_default();
            *sum = (sum.0 + i128::from(posting.balance), sum.1 + i128::from(posting.held));
        }
        match event {
            Event::AccountOpened { asset, .. } => self.assets.push(asset.number()),
            Event::Transferred { amount, .. } if !amount.is_positive() => return Err(format!("moved {amount:?}")),
            Event::Transferred { .. } => {}
            Event::HoldPlaced { id, amount, .. } => {
                if self.open.insert((*id, sequence), amount.units()).is_some() {
                    return Err(format!("the hold {id:?} was placed twice in record {sequence}"));
                }
            }
            Event::HoldExtended { id, by, .. } => {
                let open = self.open.range_mut((*id, 0)..=(*id, u64::MAX)).next();
                let Some((_, amount)) = open else { return Err(format!("the hold {id:?} was extended, but was not open")) };
                *amount += by.units();
            }
            Event::HoldSettled { end, .. } | Event::HoldReleased(end) | Event::HoldExpired(end) => return self.ended(end),
        }
        Ok(())
    }

    fn ended(&mut self, end: &HoldEnd) -> Result<(), String> {
        match self.open.remove(&(end.id, end.placed)) {
            Some(amount) if amount == end.held.units() => Ok(()),
            Some(amount) => Err(format!("the hold {:?} was placed over {amount} and ended over {:?}", end.id, end.held)),
            None => Err(format!("the hold {:?} ended, but was not open", end.id)),
        }
    }

    /// The books must be what the events add up to, and every asset must balance.
    pub fn compare(&self, ledger: &Ledger) -> Result<(), String> {
        if self.open.len() as u64 != ledger.holds_len() {
            return Err(format!("{} holds are open by the events, {} in the books", self.open.len(), ledger.holds_len()));
        }
        let mut by_asset = BTreeMap::<u16, i128>::new();
        for (no, asset) in (0_u32..).zip(&self.assets) {
            let sums = self.sums.get(&AccountNo(no)).copied().unwrap_or_default();
            let Some(account) = ledger.account(AccountNo(no)) else { return Err(format!("account {no} is missing")) };
            let booked = (i128::from(account.balance().units()), i128::from(account.held().units()));
            if sums != booked {
                return Err(format!("account {no}: the events add up to {sums:?}, the books say {booked:?}"));
            }
            *by_asset.entry(*asset).or_default() += sums.0;
        }
        match by_asset.into_iter().find(|&(_, sum)| sum != 0) {
            Some((asset, sum)) => Err(format!("asset {asset} adds up to {sum}")),
            None => Ok(()),
        }
    }
}
