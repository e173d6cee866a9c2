//! The proof of one balance, checked by nothing but itself and the log's key: the leaf, the record that sums the balances up, the checkpoint.

use lab3_engine::{Fact, read_entry};
use lab3_finance::{Closing, Fact as Money};
use lab3_ledger::Purpose;
use lab3_tlog::{ListProof, ListProofError, ProofFileError, Seconds, Trust, VerifierKey, VerifyError, leaf_hash};
use lab3_units::{Amount, Asset, Time};

use crate::sheets::Leaf;

/// What a file proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenBalance {
    /// Whose account it is: a DID, or one of the Hive's own offices.
    pub owner: String,
    /// What it counts.
    pub asset: Asset,
    /// What it is for.
    pub purpose: Purpose,
    /// What it had, in the asset's smallest unit.
    pub balance: Amount,
    /// What of it was held.
    pub held: Amount,
    /// The end of the epoch after which it had so much.
    pub closing: Closing,
    /// When that was.
    pub at: Time,
    /// The number of the record that says so.
    pub record: u64,
    /// The log the record stands in.
    pub origin: String,
    /// The witnesses one trusts who cosigned the checkpoint, and when.
    pub witnesses: Vec<(VerifierKey, Seconds)>,
}

/// Why a file proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// It is no such file, or its record does not stand in the log.
    #[error(transparent)]
    File(#[from] ListProofError),
    /// Its first lines are no balance.
    #[error("its first lines are not a balance as docs/journal.md writes it")]
    Leaf,
    /// The record in it sums up no balances.
    #[error("the record in it sums up no balances")]
    Record,
    /// The balance is not among those the record sums up.
    #[error("the balance is not among those the record sums up: {0}")]
    Path(#[from] VerifyError),
}

/// Checks a file.
pub fn prove_balance(file: &str, trust: &Trust) -> Result<ProvenBalance, NotProven> {
    let file = ListProof::parse(file)?;
    let leaf = Leaf::parse(&file.leaf).ok_or(NotProven::Leaf)?;
    let extra = file.record.extra.as_deref().ok_or(NotProven::Record)?;
    let opened = file.record.verify(&leaf_hash(extra), trust).map_err(|error: ProofFileError| ListProofError::Record(error))?;
    let stored = read_entry(file.record.index + 1, extra).map_err(|_| NotProven::Record)?;
    let Fact::Finance(Money::EpochBalanced(balanced)) = &stored.record.fact else { return Err(NotProven::Record) };
    file.verify_leaf(leaf.account.into(), balanced.sheet.accounts.into(), &balanced.sheet.root)?;
    let Leaf { owner, asset, purpose, balance, held, .. } = leaf;
    Ok(ProvenBalance {
        owner: owner.to_owned(),
        asset,
        purpose,
        balance: Amount::new(balance),
        held: Amount::new(held),
        closing: balanced.closing,
        at: stored.record.at,
        record: stored.sequence,
        origin: opened.checkpoint.origin,
        witnesses: opened.witnesses,
    })
}
