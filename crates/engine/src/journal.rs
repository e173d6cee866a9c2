//! Reading a whole journal, as `lab3 journal` does: checking the chain, replaying, handing records on.

use crate::codec::{self, CHAIN_START, ChainHash};
use crate::load::{StartError, each_row};
use crate::record::Stored;
use crate::state::State;
use crate::storage::{Store, StoreError};

/// What checking a whole journal found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Records in the journal.
    pub records: u64,
    /// The chain's hash after the last.
    pub head: ChainHash,
    /// Hash of the state that replaying every record gives.
    pub state_hash: [u8; 32],
    /// Accounts in the books.
    pub accounts: usize,
    /// Holds open.
    pub holds: u64,
}

/// Checks the chain, replays every record from the first and checks the books. `progress` is told the last record done.
pub fn verify(store: &dyn Store, mut progress: impl FnMut(u64)) -> Result<Verified, StartError> {
    let mut head = CHAIN_START;
    let mut state = State::default();
    let mut reader = store.reader()?;
    each_row(&mut *reader, 1, None, |row| {
        head = codec::read_checked(row, &head, |stored| {
            state.apply(stored.sequence, &stored.record);
            Ok(())
        })?;
        progress(row.last());
        Ok(())
    })?;
    state.ledger.verify().map_err(|fault| StoreError::Damaged(fault.to_string()))?;
    let (accounts, holds) = (state.ledger.accounts_len(), state.ledger.holds_len());
    Ok(Verified { records: state.sequence, head, state_hash: state.freeze(head).hash(), accounts, holds })
}

/// Hands on every record from `first` to the journal's end, without checking the chain.
pub fn read_records(store: &dyn Store, first: u64, mut each: impl FnMut(Stored)) -> Result<(), StartError> {
    let mut reader = store.reader()?;
    each_row(&mut *reader, first.max(1), None, |row| {
        codec::read_row(row)?.into_iter().filter(|stored| stored.sequence >= first).for_each(&mut each);
        Ok(())
    })
}
