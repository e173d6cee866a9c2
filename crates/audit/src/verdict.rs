//! What an audit found: what was checked, in figures, and what does not hold, in words.

use std::fmt;

use lab3_tlog::{Checkpoint, Fork, Seconds, VerifierKey};
use lab3_units::{Amount, Asset, Time};

use crate::Visit;

/// What a fault is against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The checkpoint is no checkpoint, not of this log, or not signed by its key.
    Checkpoint,
    /// Too few of the witnesses one trusts have cosigned.
    Witnesses,
    /// The log does not go on from what it showed last time.
    Visit,
    /// A promise the log gave somebody was not kept.
    Receipts,
    /// Something is not served, or not in its form.
    Served,
    /// The leaves lead to another root than the one signed.
    Root,
    /// A record's bytes are no record, or not the one way to write it.
    Form,
    /// Time goes back.
    Time,
    /// An id is used twice.
    Ids,
    /// An account is missing, opened twice, or none that may be.
    Accounts,
    /// An account has less than nothing, or more than it may.
    Limits,
    /// A hold is placed, extended or ended as it cannot be.
    Holds,
    /// Debits and credits differ.
    Sums,
    /// An amount moves between accounts or for reasons that do not go together; money appears without a trace.
    Kinds,
    /// A record says something else than its entries do.
    Facts,
    /// The balances summed up at the end of an epoch are not those of the books.
    Balances,
    /// A fee is missing, wrong, or without its transfer.
    Fees,
    /// Somebody acted who could not.
    Actors,
    /// Who may do what changed as it cannot.
    Keys,
    /// A signature does not hold at its place.
    Signatures,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The record it is in; none when it is about the log as a whole.
    pub record: Option<u64>,
    /// What it is against.
    pub class: Class,
    /// What is wrong, in words.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.record {
            Some(record) => write!(f, "record {record}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Something that does not hold, before it is known where.
pub(crate) type Found = (Class, String);

/// What was found so far: the first faults, and how many more.
#[derive(Debug)]
pub(crate) struct Faults {
    pub list: Vec<Fault>,
    pub more: u64,
    max: usize,
}

impl Faults {
    pub fn new(max: usize) -> Self {
        Self { list: Vec::new(), more: 0, max: max.max(1) }
    }

    pub fn add(&mut self, record: Option<u64>, (class, what): Found) {
        if self.list.len() < self.max {
            self.list.push(Fault { record, class, what });
        } else {
            self.more += 1;
        }
    }
}

/// A rate of fees that the journal shows: from a record on, between two rates in parts per billion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeSeen {
    /// The first record with it.
    pub from: u64,
    /// The lowest rate that explains every fee since.
    pub least: u64,
    /// The highest.
    pub most: u64,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Leaves hashed.
    pub leaves: u64,
    /// Records replayed.
    pub records: u64,
    /// Entries of the books applied.
    pub entries: u64,
    /// Accounts opened.
    pub accounts: u64,
    /// Holds open at the end.
    pub holds_open: u64,
    /// Holds placed in all.
    pub holds_placed: u64,
    /// Keys made.
    pub keys: u32,
    /// Ids compared with those before them.
    pub ids: u64,
    /// Ids no longer compared with: the memory for them has a bound.
    pub ids_forgotten: u64,
    /// MIC given out less none taken back, in KS.
    pub supply: Amount,
    /// MIC given out by genesis and mint, in KS.
    pub minted: Amount,
    /// MIC given out as rewards of epochs, in KS.
    pub rewards: Amount,
    /// Rates of fees seen, the first sixteen.
    pub fees: Vec<FeeSeen>,
    /// When the last record was taken.
    pub at: Time,
}

/// What an audit found.
#[derive(Debug)]
pub struct Verdict {
    /// The key the log was judged by.
    pub key: Option<VerifierKey>,
    /// What the log says.
    pub checkpoint: Option<Checkpoint>,
    /// The witnesses one trusts who cosigned it, and when.
    pub witnesses: Vec<(VerifierKey, Seconds)>,
    /// The size of the last visit's tree, when it was found to be the beginning of this one.
    pub follows: Option<u64>,
    /// Receipts that were kept.
    pub receipts: usize,
    /// What was counted.
    pub figures: Figures,
    /// The first faults, in the order of the journal.
    pub faults: Vec<Fault>,
    /// How many more there were.
    pub faults_more: u64,
    /// A proof for everybody that the log told two stories.
    pub fork: Option<Fork>,
    /// What to keep for the next visit. None while the log's own word does not hold: then the last one stays.
    pub visit: Option<Visit>,
}

impl Verdict {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A few lines for people.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(checkpoint) = &self.checkpoint {
            writeln!(f, "log        {}", checkpoint.origin)?;
            writeln!(f, "records    {} of {}, up to {}", self.figures.records, checkpoint.size, self.figures.at)?;
        }
        let Figures { entries, accounts, holds_open, holds_placed, supply, .. } = &self.figures;
        writeln!(f, "books      {entries} entries, {accounts} accounts, {holds_open} of {holds_placed} holds open")?;
        writeln!(f, "supply     {} MIC", Asset::MIC.decimal(*supply))?;
        for (key, time) in &self.witnesses {
            writeln!(f, "witness    {} at {}", key.name(), Time::from_millis(i64::try_from(time.get()).unwrap_or(0).saturating_mul(1000)))?;
        }
        if let Some(size) = self.follows {
            writeln!(f, "follows    the tree of {size} records seen last")?;
        }
        self.faults.iter().try_for_each(|fault| writeln!(f, "fault      {fault}"))?;
        match (self.faults.len() as u64 + self.faults_more, self.fork.is_some()) {
            (0, _) => writeln!(f, "verdict    everything holds"),
            (_, true) => writeln!(f, "verdict    the log told two stories, and its own signatures prove it"),
            (count, false) => writeln!(f, "verdict    {count} faults"),
        }
    }
}
