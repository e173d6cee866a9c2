//! The accounts energy is counted on: where it comes from, who used it; and members' wallets.

use std::sync::LazyLock;

use lab3_ledger::{AccountNo, Draft, Limits, Purpose};
use lab3_units::{Asset, Did, Owner};

/// `hive:energy`: what sun, grid and batteries give at the site.
static SITE: LazyLock<Owner> = LazyLock::new(|| Owner::hive("energy"));

/// `hive:idle`: machines that run for nobody.
static IDLE: LazyLock<Owner> = LazyLock::new(|| Owner::hive("idle"));

/// `hive:house`: everything else behind the meter.
static HOUSE: LazyLock<Owner> = LazyLock::new(|| Owner::hive("house"));

/// The assets of a use, in the order their accounts are opened.
const ASSETS: [Asset; 2] = [Asset::ENERGY, Asset::CARBON];

/// Two accounts of one owner: energy, and the carbon that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub energy: AccountNo,
    pub carbon: AccountNo,
}

impl Pair {
    fn open(draft: &mut Draft<'_>, owner: &Owner, purpose: Purpose, limits: Limits) -> Self {
        let [energy, carbon] = ASSETS.map(|asset| draft.open(owner, asset, purpose, limits));
        Self { energy, carbon }
    }
}

/// Where the site's energy enters the books.
pub(crate) fn site(draft: &mut Draft<'_>) -> Pair {
    Pair::open(draft, &SITE, Purpose::Issuance, Limits::OVERDRAFT)
}

/// Where the energy of a provider's data centre enters the books.
pub(crate) fn provider(draft: &mut Draft<'_>, name: &str) -> Pair {
    Pair::open(draft, &Owner::hive(&format!("provider/{name}")), Purpose::Issuance, Limits::OVERDRAFT)
}

/// What a citizen used.
pub(crate) fn citizen(draft: &mut Draft<'_>, did: &Did) -> Pair {
    Pair::open(draft, &Owner::from(did), Purpose::Usage, Limits::NO_OVERDRAFT)
}

/// A member's money.
pub(crate) fn wallet(draft: &mut Draft<'_>, did: &Did) -> AccountNo {
    draft.open(&Owner::from(did), Asset::MIC, Purpose::Wallet, Limits::NO_OVERDRAFT)
}

/// What machines drew for nobody.
pub(crate) fn idle(draft: &mut Draft<'_>) -> Pair {
    Pair::open(draft, &IDLE, Purpose::Usage, Limits::NO_OVERDRAFT)
}

/// What the house drew.
pub(crate) fn house(draft: &mut Draft<'_>) -> Pair {
    Pair::open(draft, &HOUSE, Purpose::Usage, Limits::NO_OVERDRAFT)
}
