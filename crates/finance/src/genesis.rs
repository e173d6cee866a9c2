//! Genesis: the Hive opens its books.

use lab3_ledger::{Draft, Event, Kind, Transfer};

use crate::accounts::Office;
use crate::{Desk, Fact};

/// The Hive's first record: opens `hive:issuance`, `hive:pool` and `hive:reserve`, mints the pool's first balance, begins
/// epoch 1. Everybody else starts at zero.
pub fn genesis(desk: &Desk<'_>) -> (Fact, Vec<Event>) {
    let mut draft = Draft::new(desk.ledger);
    let [issuance, pool, reserve] = [Office::Issuance, Office::Pool, Office::Reserve].map(|office| office.open(&mut draft));
    let amount = desk.policy.pool_initial;
    if amount.is_positive() {
        let minted = draft.transfer(&Transfer { from: issuance, to: pool, amount, kind: Kind::Mint, memo: "genesis" });
        debug_assert!(minted.is_ok(), "books without entries have room for any amount");
    }
    let fact = Fact::Opened { issuance, pool, reserve, pool_balance: draft.balance(pool) };
    (fact, draft.into_events())
}
