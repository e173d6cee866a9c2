//! The worlds games are played in.

/// How large a game's world is.
pub trait World: 'static {
    /// Names that can own accounts.
    const OWNERS: u16;
    /// Ids holds can have; few, so that they are used again.
    const IDS: u16;
    /// Holds open at the beginning of a game.
    const HOLDS_FIRST: u16;
    /// How long a hold may last, in milliseconds; a step takes half of one.
    const LASTS_MAX: u16;
    /// Operations in one draft, at most.
    const DRAFT_LEN_MAX: usize;
    /// Steps in a game. Making a failing game short takes time with their square.
    const STEPS: usize;
}

/// A few accounts that meet often, and a few ids.
pub struct Narrow;

impl World for Narrow {
    const OWNERS: u16 = 3;
    const IDS: u16 = 16;
    const HOLDS_FIRST: u16 = 0;
    const LASTS_MAX: u16 = 300;
    const DRAFT_LEN_MAX: usize = 5;
    const STEPS: usize = 500;
}

/// More accounts and holds than one chunk of the books has, and drafts over more accounts than are looked up one by one.
pub struct Wide;

impl World for Wide {
    const OWNERS: u16 = 200;
    const IDS: u16 = 1000;
    const HOLDS_FIRST: u16 = 300;
    const LASTS_MAX: u16 = 5000;
    const DRAFT_LEN_MAX: usize = 60;
    const STEPS: usize = 100;
}
