//! What finance knows beside the books: which epoch it is, and where the Hive's own accounts stand.

use lab3_ledger::AccountNo;
use lab3_units::Time;
use serde::{Deserialize, Serialize};

use crate::{Closing, Fact};

/// What the module knows beside the books. Before genesis: epoch 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The current epoch, from 1.
    pub epoch: u32,
    /// When it began.
    pub started: Time,
    /// The Hive's own accounts, once genesis opened them.
    pub(crate) offices: Option<Offices>,
}

/// The Hive's own accounts. Kept here because every transfer needs the pool's, and looking it up by name costs as much as
/// the rest of the transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offices {
    pub(crate) issuance: AccountNo,
    pub(crate) pool: AccountNo,
    pub(crate) reserve: AccountNo,
}

impl State {
    /// Folds a fact of the record taken `at` into the state. Cannot fail.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        match *fact {
            Fact::Opened { issuance, pool, reserve, .. } => {
                *self = Self { epoch: 1, started: at, offices: Some(Offices { issuance, pool, reserve }) };
            }
            Fact::EpochClosed(closing) => self.begin(at, closing),
            Fact::EpochBalanced(ref balanced) => self.begin(at, balanced.closing),
            Fact::Transferred | Fact::Granted { .. } | Fact::Contributed { .. } | Fact::Minted { .. } => {}
        }
    }

    /// Begins the next epoch.
    fn begin(&mut self, at: Time, closing: Closing) {
        self.epoch = closing.opened;
        self.started = at;
    }
}
