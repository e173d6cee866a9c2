//! Module 4: money between citizens, the PublicGoodsPool, new money, epochs.
//!
//! Pure. A command looks at a [`Desk`] and says what would happen: one [`Fact`] and the ledger's events, or a `Problem`.
//! [`State::apply`] folds the fact into the module's state and cannot fail. The rules with their numbers are told in
//! `docs/modules/finance.md`.

mod accounts;
mod balance;
mod contribute;
mod desk;
mod epoch;
mod fact;
mod genesis;
mod grant;
mod mint;
mod policy;
mod pool;
#[cfg(test)]
mod random;
mod state;
#[cfg(test)]
mod testing;
mod transfer;

pub use balance::{BalanceStatus, balance};
pub use contribute::{Contribute, contribute};
pub use desk::Desk;
pub use epoch::{CloseEpoch, close_epoch};
pub use fact::{Balanced, Closing, Fact, Sheet, Total};
pub use genesis::genesis;
pub use grant::{Grant, grant};
pub use mint::{Mint, mint};
pub use policy::{Grants, Policy, Recipient, Share};
pub use pool::{PoolStatus, pool};
pub use state::State;
pub use transfer::{Transfer, Wallets, transfer, transfer_linked};
