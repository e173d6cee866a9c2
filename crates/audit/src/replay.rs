//! The replay: every record, in order, from nothing.

use lab3_engine::{Actor, Fact, Record, read_entry};
use lab3_ledger::Event;
use lab3_trust::{Deed, State};
use lab3_units::{Amount, FeeRate, Time};

use crate::books::Books;
use crate::energy::Site;
use crate::facts::Told;
use crate::fees::Fees;
use crate::ids::Ids;
use crate::sheets::Sheets;
use crate::verdict::{Class, Faults, Figures, Found};
use crate::{acts, deeds, kinds, signatures};

/// What is known after the records so far.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    books: Books,
    told: Told,
    site: Site,
    sheets: Sheets,
    fees: Fees,
    ids: Ids,
    trust: State,
    at: Time,
    sequence: u64,
    entries: u64,
    keys: u32,
    /// Room to write a record again.
    scratch: Vec<u8>,
    /// A record could not be read: nothing after it can be judged.
    lost: bool,
}

impl Replay {
    /// A replay that knows the rate of fees, or does not.
    pub fn new(rate: Option<FeeRate>) -> Self {
        Self { fees: Fees { rate, ..Fees::default() }, ..Self::default() }
    }

    /// Takes the next record.
    pub fn take(&mut self, bytes: &[u8], faults: &mut Faults) {
        if self.lost {
            return;
        }
        let sequence = self.sequence + 1;
        let record = match read_entry(sequence, bytes) {
            Ok(stored) => stored.record,
            Err(damage) => {
                self.lost = true;
                return faults.add(Some(sequence), (Class::Form, format!("{}; nothing after it can be judged", damage.what)));
            }
        };
        self.sequence = sequence;
        let mut note = |found: Result<(), Found>| {
            if let Err(found) = found {
                faults.add(Some(sequence), found);
            }
        };
        note(self.is_written_so(&record, bytes));
        note(self.time(record.at));
        note(self.ids(&record));
        for event in &record.entries {
            note(self.books.enter(sequence, record.at, event));
            note(kinds::check(&self.books, &record, event));
        }
        self.entries += record.entries.len() as u64;
        note(self.fees.check(sequence, &record.entries));
        note(self.told.check(sequence, &mut self.books, &record));
        note(self.site.check(&self.books, &record));
        note(self.sheets.check(&self.books, &record));
        note(signatures::hold(&record, &self.books, &self.trust));
        note(acts::check(&self.trust, &self.site, &self.books, &record));
        self.site.apply(&record);
        note(self.keys(&record));
    }

    /// There is one way to write a record, and this is it.
    fn is_written_so(&mut self, record: &Record, bytes: &[u8]) -> Result<(), Found> {
        self.scratch.resize(self.scratch.len().max(bytes.len()), 0);
        match write(record, &mut self.scratch) {
            Ok(len) if self.scratch.get(..len) == Some(bytes) => Ok(()),
            _ => Err((Class::Form, "its bytes are not the ones such a record is written with".to_owned())),
        }
    }

    fn time(&mut self, at: Time) -> Result<(), Found> {
        let before = std::mem::replace(&mut self.at, at);
        if at >= before { Ok(()) } else { Err((Class::Time, format!("it was taken at {at}, the one before it at {before}"))) }
    }

    /// No id stands for two records, and a hold goes by its record's: of a record of energy the first hold by its id, the others by its aliases.
    fn ids(&mut self, record: &Record) -> Result<(), Found> {
        for id in record.ids() {
            if !self.ids.add(id) {
                return Err((Class::Ids, format!("{} was used before", id.text("tx"))));
            }
        }
        let mut own = record.ids().take(if matches!(record.fact, Fact::Energy(_)) { usize::MAX } else { 1 });
        let other = record.entries.iter().any(|event| matches!(event, Event::HoldPlaced { id, .. } if own.next() != Some(*id)));
        if other { Err((Class::Holds, "it places a hold under another id than its own".to_owned())) } else { Ok(()) }
    }

    /// Folds what the record says about keys, when it can be.
    fn keys(&mut self, record: &Record) -> Result<(), Found> {
        let checked = match &record.fact {
            Fact::Trust(fact) => {
                let checked = acts::trail(&self.trust, record, fact).and_then(|()| deeds::check(&self.trust, record, fact));
                self.keys += u32::from(matches!(fact.deed, Deed::KeyCreated(_) | Deed::KeyRotated { .. }));
                self.trust.apply(record.at, fact);
                match fact.deed {
                    Deed::Erased { record: erased, .. } if erased >= self.sequence => {
                        Err((Class::Facts, format!("it erases what is written in record {erased}, later")))
                    }
                    _ => checked,
                }
            }
            _ => Ok(()),
        };
        if let Actor::Key(number) = record.actor {
            self.trust.count_held(record.at, number, acts::set_aside(record));
        }
        checked
    }

    /// The key that signs for this log, as the journal has it.
    pub fn log_key(&self) -> Option<[u8; 32]> {
        self.trust.inscription().map(|inscription| inscription.log_key)
    }

    /// What was counted.
    pub fn figures(&self) -> Figures {
        let whole = |sum: i128| Amount::new(i64::try_from(sum).unwrap_or(i64::MAX));
        Figures {
            leaves: 0,
            records: self.sequence,
            entries: self.entries,
            accounts: self.books.accounts_len(),
            holds_open: self.books.holds.len(),
            holds_placed: self.books.holds.placed,
            keys: self.keys,
            ids: self.ids.seen,
            ids_forgotten: self.ids.forgotten,
            supply: Amount::new(self.told.supply(&self.books)),
            minted: whole(self.told.minted),
            rewards: whole(self.told.rewards),
            fees: self.fees.seen.clone(),
            at: self.at,
        }
    }
}

/// The record as it is written: itself, and behind it what was signed for it.
fn write(record: &Record, out: &mut [u8]) -> Result<usize, postcard::Error> {
    let len = postcard::to_slice(record, out)?.len();
    let Some(signed) = &record.signed else { return Ok(len) };
    let (_, rest) = out.split_at_mut_checked(len).ok_or(postcard::Error::SerializeBufferFull)?;
    Ok(len + postcard::to_slice(signed, rest)?.len())
}
