//! Checks a Hive's books from outside: who signed them, that every leaf is under the root that was signed, that they go on from
//! what was seen before, and that every record follows from those before it.
//!
//! Nobody has to be believed. What is served comes through a [`Source`]; [`audit`] reads it in one pass and gives a [`Verdict`]. The books are kept
//! here a second time, in plain maps, by the journal's description (`docs/journal.md`): no rule and no balance of the ledger's own code decides
//! anything. What is shared with the desk is how bytes become records, how the facts about keys add up, `lab3_trust`'s rules of who may
//! act on keys, by which each such deed is judged again (`deeds.rs`), and how `lab3_energy` divides an hour's meter (`energy.rs`).

mod acts;
mod audit;
mod balance;
mod books;
mod deeds;
mod deferral;
mod energy;
mod facts;
mod fees;
mod head;
mod holds;
mod ids;
mod kinds;
mod leaves;
mod receipts;
mod replay;
mod sheets;
mod signatures;
mod source;
mod treasurers;
mod usage;
mod verdict;
mod visit;

pub use audit::{Terms, audit};
pub use balance::{NotProven, ProvenBalance, prove_balance};
pub use source::{Source, Unserved};
pub use verdict::{Class, Fault, FeeSeen, Figures, Verdict};
pub use visit::{Visit, VisitError};
