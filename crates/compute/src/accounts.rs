//! The accounts compute writes to: a citizen's allowance, the Hive's offices, what providers earn.

use std::sync::LazyLock;

use lab3_ledger::{AccountNo, Draft, Ledger, Limits, Purpose};
use lab3_units::{Asset, Did, Owner};

/// `hive:compute`, who grants allowances and pays what citizens cannot. Written once: the hot path asks for it often.
static COMPUTE: LazyLock<Owner> = LazyLock::new(|| Owner::hive("compute"));

/// The citizen's allowance, when it was ever used.
pub(crate) fn find_quota(ledger: &Ledger, citizen: &Did) -> Option<AccountNo> {
    ledger.find(citizen.as_str(), Asset::COMPUTE, Purpose::Quota)
}

/// The citizen's allowance.
pub(crate) fn quota(draft: &mut Draft<'_>, citizen: &Did) -> AccountNo {
    draft.open(&Owner::from(citizen), Asset::COMPUTE, Purpose::Quota, Limits::NO_OVERDRAFT)
}

/// Where allowances come from and lapse to.
pub(crate) fn issuer(draft: &mut Draft<'_>) -> AccountNo {
    draft.open(&COMPUTE, Asset::COMPUTE, Purpose::Issuance, Limits::OVERDRAFT)
}

/// What the Hive pays on its citizens' behalf.
pub(crate) fn expense(draft: &mut Draft<'_>) -> AccountNo {
    draft.open(&COMPUTE, Asset::COMPUTE, Purpose::Expense, Limits::OVERDRAFT)
}

/// What the provider has earned.
pub(crate) fn earnings(draft: &mut Draft<'_>, provider: &str) -> AccountNo {
    draft.open(&Owner::hive(&format!("provider/{provider}")), Asset::COMPUTE, Purpose::Earnings, Limits::NO_OVERDRAFT)
}
