//! What can be asked of the books in a game, and how it is made up. Amounts lie where rules have their edges.
//!
//! What comes first in a list, or is nearest to zero, is what a failing game is made shorter towards.

use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::prelude::*;

use super::world::World;

/// An amount, seen from the accounts it is about when the operation is tried.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    Units(i64),
    /// So much more than what the payer has available.
    Available(i64),
    /// So much more than the hold.
    Hold(i64),
    /// So much more than the hold and what is available beside it.
    HoldAndAvailable(i64),
    /// So much more than the payee's ceiling leaves room for.
    Room(i64),
}

/// An account: its owner, asset and purpose. It may not be open. An account's number would be shorter, but would mean another
/// account as soon as an earlier step is left out.
pub type Key = (u16, u8, u8);

/// One call on a draft.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    Open { account: Key, overdraft: bool, ceiling: i64 },
    Transfer { from: Key, to: Key, amount: Size },
    Hold { id: u16, account: Key, amount: Size, lasts: u16, open_max: u32 },
    Extend { id: u16, by: Size, lasts: u16 },
    Settle { id: u16, to: Key, amount: Size },
    Release { id: u16 },
    Expire { id: u16 },
}

/// Time passes, what is due expires (or is left lying), then one draft is drawn up.
#[derive(Clone, Debug)]
pub struct Step {
    pub passes: u16,
    pub expire_due: bool,
    /// The draft is given up at the first refusal; else the operations after it go on.
    pub linked: bool,
    pub operations: Vec<Operation>,
}

impl Step {
    /// Whether nothing happens in it.
    pub fn is_empty(&self) -> bool {
        self.passes == 0 && !self.expire_due && self.operations.is_empty()
    }
}

const EDGES: [i64; 12] = [0, 1, 2, -1, i64::MIN, i64::MAX, i64::MAX - 1, i64::MAX / 2, i64::MAX / 2 + 1, 3, 1000, 1 << 40];
const OPEN_MAX: [u32; 6] = [1000, 1000, 64, 3, 1, 0];
const CEILINGS: [i64; 6] = [i64::MAX, i64::MAX, i64::MAX, 1000, i64::MAX - 1, 0];

/// Any step of a game in that world.
pub fn step<W: World>() -> impl Strategy<Value = Step> {
    let passes = (0_u16..10).prop_map(|number| number.saturating_sub(6));
    let operations = vec(operation::<W>(), 0..=W::DRAFT_LEN_MAX);
    (passes, weighted(0.6), weighted(0.6), operations).prop_map(|(passes, expire_due, linked, operations)| Step {
        passes,
        expire_due,
        linked,
        operations,
    })
}

/// An operation is made up as plain numbers, which are then read as one. With `prop_oneof!`, which keeps a runner for every choice
/// it did not take, a game takes half as long again.
fn operation<W: World>() -> impl Strategy<Value = Operation> {
    let numbers = (0_u8..100, 0..W::IDS, account::<W>(), account::<W>(), size(), any::<u16>());
    numbers.prop_map(|(kind, id, account, to, amount, other)| {
        let (lasts, pick) = (other % W::LASTS_MAX, usize::from(other));
        match kind {
            0..36 => Operation::Transfer { from: account, to, amount },
            36..64 => Operation::Hold { id, account, amount, lasts, open_max: OPEN_MAX[pick % OPEN_MAX.len()] },
            64..69 => Operation::Release { id },
            69..73 => Operation::Expire { id },
            73..78 => Operation::Extend { id, by: amount, lasts },
            78..95 => Operation::Settle { id, to, amount },
            _ => {
                let account = (account.0, account.1, [0, 1, 2][pick % 3]);
                Operation::Open { account, overdraft: pick / 3 % 5 == 4, ceiling: CEILINGS[pick / 15 % CEILINGS.len()] }
            }
        }
    })
}

/// Most are wallets, and most of the first asset, so that they meet.
fn account<W: World>() -> impl Strategy<Value = Key> {
    (0..W::OWNERS, 0_u8..64).prop_map(|(owner, number)| (owner, u8::from(number % 8 == 7), (number / 8).saturating_sub(5)))
}

fn size() -> impl Strategy<Value = Size> {
    (0_u8..100, 0_i64..500).prop_map(|(seen_from, number)| {
        let pick = usize::try_from(number).unwrap();
        let near = [0, 0, 0, 1, -1][pick % 5];
        match seen_from {
            0..38 => Size::Units(number),
            38..50 => Size::Units(EDGES[pick % EDGES.len()]),
            50..60 => Size::Available(near),
            60..75 => Size::Hold(near),
            75..90 => Size::HoldAndAvailable(near),
            _ => Size::Room(near),
        }
    })
}
