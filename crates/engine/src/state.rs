//! The state: the fold of the journal. And its frozen form, which a snapshot keeps and a state hash is taken of.

use std::io::{self, Read, Write};

use lab3_ledger::{Books, Ledger};
use lab3_units::Time;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::balances::Closings;
use crate::codec::{CHAIN_START, ChainHash};
use crate::record::{Actor, Fact, Record, held};
use crate::storage::Stamp;

/// Everything the desk knows, right after record `sequence`.
#[derive(Debug, Default)]
pub struct State {
    /// The books.
    pub ledger: Ledger,
    /// Module 1's.
    pub compute: lab3_compute::State,
    /// Module 2's.
    pub energy: lab3_energy::State,
    /// Module 4's.
    pub finance: lab3_finance::State,
    /// Who may do what.
    pub trust: lab3_trust::State,
    /// What it takes to prove balances as they were at the ends of epochs.
    pub(crate) closings: Closings,
    /// Number of the last record applied.
    pub sequence: u64,
    /// When that record was taken; the writer's time never goes back.
    pub at: Time,
}

impl State {
    /// Folds a record into the state.
    pub fn apply(&mut self, sequence: u64, record: &Record) {
        self.closings.note(sequence, record);
        for entry in &record.entries {
            self.ledger.apply(sequence, entry);
        }
        match &record.fact {
            Fact::Compute(fact) => self.compute.apply(record.at, fact),
            Fact::Energy(fact) => self.energy.apply(record.at, fact),
            Fact::Finance(fact) => self.finance.apply(record.at, fact),
            Fact::Trust(fact) => self.trust.apply(record.at, fact),
            Fact::Refused(_) | Fact::Batch { .. } => {}
        }
        if let Actor::Key(number) = record.actor {
            self.trust.count_held(record.at, number, held(&record.fact, &record.entries));
        }
        self.sequence = sequence;
        self.at = record.at;
    }

    /// The state as it is now, to keep: a cheap clone that later records do not touch. `head` is the chain's hash there.
    pub fn freeze(&self, head: ChainHash) -> Frozen {
        let (books, compute, energy, trust) = (self.ledger.books(), self.compute.clone(), self.energy.clone(), self.trust.clone());
        let (sequence, at, finance, closings) = (self.sequence, self.at, self.finance, self.closings.clone());
        Frozen { sequence, at, head, books, compute, energy, finance, trust, closings }
    }
}

/// A state that stands still.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Frozen {
    /// Number of the last record in it.
    pub sequence: u64,
    /// When that record was taken.
    pub at: Time,
    /// The chain's hash after that record.
    pub head: ChainHash,
    books: Books,
    compute: lab3_compute::State,
    energy: lab3_energy::State,
    finance: lab3_finance::State,
    trust: lab3_trust::State,
    closings: Closings,
}

/// What a snapshot begins with: a name, and the version of what follows.
const SNAPSHOT_MAGIC: &[u8; 8] = b"lab3sn05";

impl Frozen {
    /// The state before the first record.
    pub fn empty() -> Self {
        State::default().freeze(CHAIN_START)
    }

    /// The state again, with its indexes.
    pub fn thaw(self) -> State {
        let ledger = Ledger::from_books(self.books);
        let Self { sequence, at, compute, energy, finance, trust, closings, .. } = self;
        State { ledger, compute, energy, finance, trust, closings, sequence, at }
    }

    /// The books, and what it takes to prove balances of later epochs.
    pub(crate) fn into_balances(self) -> (Ledger, Closings) {
        (Ledger::from_books(self.books), self.closings)
    }

    /// SHA-256 of the state: the same after the same records, on any machine.
    pub fn hash(&self) -> [u8; 32] {
        let mut hashing = Hashing { hasher: Sha256::new(), out: io::sink() };
        // A sink cannot fail, and the encoding has no failing case of its own.
        let _ = postcard::to_io(self, &mut hashing);
        hashing.hasher.finalize().into()
    }

    /// Writes the state as a snapshot: magic, state, SHA-256 of the state between the stamp and the stamp again.
    pub fn write(&self, out: &mut dyn Write, stamp: &Stamp) -> io::Result<()> {
        let mut out = io::BufWriter::with_capacity(1 << 16, out);
        out.write_all(SNAPSHOT_MAGIC)?;
        let mut hashing = Hashing { hasher: Sha256::new().chain_update(stamp), out: &mut out };
        postcard::to_io(self, &mut hashing).map_err(io::Error::other)?;
        let hash: [u8; 32] = hashing.hasher.chain_update(stamp).finalize().into();
        out.write_all(&hash)?;
        out.flush()
    }

    /// Reads what [`Frozen::write`] wrote with this stamp, and checks it.
    pub fn read(input: &mut dyn Read, stamp: &Stamp) -> io::Result<Self> {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes)?;
        let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let body = bytes.strip_prefix(SNAPSHOT_MAGIC).ok_or_else(|| damaged("is not a snapshot of this version"))?;
        let (body, stated) = body.split_last_chunk::<32>().ok_or_else(|| damaged("is cut short"))?;
        if Sha256::new().chain_update(stamp).chain_update(body).chain_update(stamp).finalize()[..] != stated[..] {
            return Err(damaged("does not match its hash, or has not this desk's stamp"));
        }
        postcard::from_bytes(body).map_err(|error| damaged(&error.to_string()))
    }
}

/// A writer that hashes what passes.
struct Hashing<W> {
    hasher: Sha256,
    out: W,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
