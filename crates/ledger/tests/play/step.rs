//! What can be asked of the books in a game, and how it is thrown by dice. Amounts lie where rules have their edges.

use super::dice::Dice;

/// How large a game's world is.
#[derive(Clone, Copy, Debug)]
pub struct World {
    /// Names that can own accounts.
    pub owners: u16,
    /// Ids holds can have; few, so that they are used again.
    pub ids: u16,
    /// Operations in one draft, at most.
    pub draft_len_max: u16,
    /// How many operations in a hundred open an account.
    pub opening_percent: u16,
}

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

/// One call on a draft. Accounts are numbers that the game brings into its range; the largest means one that does not exist.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    Open { owner: u16, asset: u8, purpose: u8, overdraft: bool, ceiling: i64 },
    Transfer { from: u16, to: u16, amount: Size },
    Hold { id: u16, account: u16, amount: Size, lasts: u16, open_max: u32 },
    Settle { id: u16, to: u16, amount: Size },
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

/// An account that does not exist.
pub const NOBODY: u16 = u16::MAX;

const EDGES: [i64; 12] = [0, 1, 2, -1, i64::MIN, i64::MAX, i64::MAX - 1, i64::MAX / 2, i64::MAX / 2 + 1, 3, 1000, 1 << 40];
const CEILINGS: [i64; 6] = [i64::MAX, i64::MAX, i64::MAX, 1000, i64::MAX - 1, 0];

impl Step {
    pub fn throw(dice: &mut Dice, world: World) -> Self {
        let many = if dice.chance(40) { dice.below(world.draft_len_max) } else { 0 };
        Self {
            passes: if dice.chance(30) { dice.below(4) } else { 0 },
            expire_due: dice.chance(60),
            linked: dice.chance(60),
            operations: (0..=many).map(|_| Operation::throw(dice, world)).collect(),
        }
    }
}

impl Operation {
    fn throw(dice: &mut Dice, world: World) -> Self {
        if dice.chance(world.opening_percent) {
            return Self::Open {
                owner: dice.below(world.owners),
                asset: u8::from(dice.chance(15)),
                purpose: dice.pick(&[0, 0, 1, 2]),
                overdraft: dice.chance(20),
                ceiling: dice.pick(&CEILINGS),
            };
        }
        let id = dice.below(world.ids);
        match dice.below(100) {
            0..40 => Self::Transfer { from: account(dice), to: account(dice), amount: size(dice) },
            40..66 => {
                let open_max = dice.pick(&[0, 1, 3, 64, 1000, 1000]);
                Self::Hold { id, account: account(dice), amount: size(dice), lasts: dice.below(40), open_max }
            }
            66..88 => Self::Settle { id, to: account(dice), amount: size(dice) },
            88..95 => Self::Release { id },
            _ => Self::Expire { id },
        }
    }
}

fn account(dice: &mut Dice) -> u16 {
    if dice.chance(1) { NOBODY } else { dice.below(NOBODY) }
}

fn size(dice: &mut Dice) -> Size {
    let near = dice.pick(&[0, 0, 0, -1, 1]);
    match dice.below(100) {
        0..12 => Size::Units(dice.pick(&EDGES)),
        12..50 => Size::Units(i64::from(dice.below(500))),
        50..60 => Size::Available(near),
        60..75 => Size::Hold(near),
        75..90 => Size::HoldAndAvailable(near),
        _ => Size::Room(near),
    }
}
