//! Which entry may stand under which fact, and between which accounts. MIC comes out of the issuance account by genesis, mint and the rewards of
//! epochs and in no other way, and never goes back; compute is granted by the month and lapses; energy and carbon are drawn, and what a meter takes back goes back. What exports
//! earned goes from wallet to wallet.

use lab3_energy::Fact as Energy;
use lab3_engine::{Fact, Record};
use lab3_finance::Fact as Money;
use lab3_ledger::{AccountNo, Event, Kind, Purpose};
use lab3_units::Asset;

use crate::books::Books;
use crate::verdict::{Class, Found};

/// What a record's fact allows its entries to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allows {
    Genesis,
    Transfers,
    Grant,
    Contribution,
    Mint,
    Rewards,
    Compute,
    Energy,
    Exports,
    Nothing,
}

impl Allows {
    const fn of(fact: &Fact) -> Self {
        match fact {
            Fact::Compute(_) => Self::Compute,
            Fact::Finance(Money::Opened { .. }) => Self::Genesis,
            Fact::Finance(Money::Transferred) => Self::Transfers,
            Fact::Finance(Money::Granted { .. }) => Self::Grant,
            Fact::Finance(Money::Contributed { .. }) => Self::Contribution,
            Fact::Finance(Money::Minted { .. }) => Self::Mint,
            Fact::Finance(Money::EpochClosed(_) | Money::EpochBalanced(_)) => Self::Rewards,
            Fact::Refused(_) | Fact::Batch { .. } | Fact::Trust(_) | Fact::Energy(Energy::Certified(_)) => Self::Nothing,
            Fact::Energy(Energy::ExportShared(_)) => Self::Exports,
            Fact::Energy(_) => Self::Energy,
        }
    }
}

/// Whether this entry, just made in the books, may stand in this record.
pub(crate) fn check(books: &Books, record: &Record, event: &Event) -> Result<(), Found> {
    let allows = Allows::of(&record.fact);
    let fits = match event {
        Event::AccountOpened { asset, .. } if allows == Allows::Exports => *asset == Asset::MIC,
        Event::AccountOpened { asset, .. } => allows != Allows::Nothing && is_energy(*asset) == (allows == Allows::Energy),
        Event::Transferred { from, to, kind, .. } => {
            let (Some((asset, from)), Some((_, to))) = (place(books, *from), place(books, *to)) else { return Ok(()) };
            moves(allows, *kind, asset, from, to)
        }
        Event::HoldSettled { end, to, .. } => {
            let to_them = |(asset, purpose)| place(books, *to).is_none_or(|place| place == (asset, purpose));
            holds(allows, books, end.account)
                && to_them(if allows == Allows::Compute { (Asset::COMPUTE, Purpose::Earnings) } else { (Asset::ENERGY, Purpose::Usage) })
        }
        Event::HoldPlaced { account, .. } => holds(allows, books, *account),
        Event::HoldReleased(end) | Event::HoldExpired(end) => holds(allows, books, end.account),
        Event::HoldExtended { account, .. } => allows == Allows::Compute && holds(allows, books, *account),
    };
    if fits { Ok(()) } else { Err((Class::Kinds, format!("{} does not belong into a record of this kind", told(books, event)))) }
}

fn place(books: &Books, no: AccountNo) -> Option<(Asset, Purpose)> {
    books.account(no).map(|account| (account.asset, account.purpose))
}

/// Whether a record that allows this changes holds on that account: compute's on allowances, energy's where energy comes from.
fn holds(allows: Allows, books: &Books, account: AccountNo) -> bool {
    let wanted = match allows {
        Allows::Compute => (Asset::COMPUTE, Purpose::Quota),
        Allows::Energy => (Asset::ENERGY, Purpose::Issuance),
        _ => return false,
    };
    place(books, account).is_none_or(|place| place == wanted)
}

fn is_energy(asset: Asset) -> bool {
    matches!(asset, Asset::ENERGY | Asset::CARBON)
}

/// Whether a transfer of this kind goes between such accounts, under such a fact.
fn moves(allows: Allows, kind: Kind, asset: Asset, from: Purpose, to: Purpose) -> bool {
    use Purpose as P;
    match kind {
        Kind::Transfer => asset == Asset::MIC && (from, to) == (P::Wallet, P::Wallet) && allows == Allows::Transfers,
        Kind::Fee => asset == Asset::MIC && (from, to) == (P::Wallet, P::Pool) && allows == Allows::Transfers,
        Kind::Grant => asset == Asset::MIC && (from, to) == (P::Pool, P::Wallet) && allows == Allows::Grant,
        Kind::Contribution => asset == Asset::MIC && (from, to) == (P::Wallet, P::Pool) && allows == Allows::Contribution,
        Kind::Mint => {
            let goes = matches!((allows, to), (Allows::Mint, P::Wallet) | (Allows::Genesis, P::Pool));
            asset == Asset::MIC && from == P::Issuance && goes
        }
        Kind::EpochReward => {
            let goes = matches!(to, P::Wallet | P::Pool | P::Reserve);
            asset == Asset::MIC && from == P::Issuance && goes && allows == Allows::Rewards
        }
        Kind::Allowance => asset == Asset::COMPUTE && (from, to) == (P::Issuance, P::Quota) && allows == Allows::Compute,
        Kind::Lapse => asset == Asset::COMPUTE && (from, to) == (P::Quota, P::Issuance) && allows == Allows::Compute,
        Kind::Settlement => {
            let goes = matches!((from, to), (P::Quota | P::Expense, P::Earnings) | (P::Earnings, P::Quota));
            asset == Asset::COMPUTE && goes && allows == Allows::Compute
        }
        Kind::Draw => is_energy(asset) && (from, to) == (P::Issuance, P::Usage) && allows == Allows::Energy,
        Kind::ExportShare => asset == Asset::MIC && (from, to) == (P::Wallet, P::Wallet) && allows == Allows::Exports,
        Kind::Correction => is_energy(asset) && (from, to) == (P::Usage, P::Issuance) && allows == Allows::Energy,
    }
}

fn told(books: &Books, event: &Event) -> String {
    let name = |no: &AccountNo| books.account(*no).map_or("nobody", |account| account.purpose.as_str());
    match event {
        Event::Transferred { from, to, kind, amount, .. } => {
            format!("{} of {} units from {} {} to {} {}", kind.as_str(), amount.units(), name(from), from.0, name(to), to.0)
        }
        Event::AccountOpened { owner, .. } => format!("the opening of an account of {owner}"),
        _ => "what it does to a hold".to_owned(),
    }
}
