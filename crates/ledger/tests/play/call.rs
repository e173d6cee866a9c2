//! Calls on a draft, and how the model's plain numbers are written in the ledger's words.

use lab3_ledger::{AccountNo, Draft, Kind, Limits, PlaceHold, Purpose, Refusal, Settlement, Transfer};
use lab3_units::{Amount, Asset, Id, Owner, Time};

use super::step::Key;

pub const PURPOSES: [Purpose; 3] = [Purpose::Wallet, Purpose::Quota, Purpose::Issuance];
pub const ASSETS: [Asset; 2] = [Asset::MIC, Asset::COMPUTE];

/// A call on a draft, all of it known.
#[derive(Clone, Debug)]
pub enum Call {
    /// `opened` is what the model says the account's number is.
    Open {
        account: Key,
        limits: Limits,
        opened: AccountNo,
    },
    Transfer(Transfer<'static>),
    Hold(PlaceHold),
    Extend {
        id: Id,
        by: Amount,
        deadline: Time,
    },
    Settle {
        id: Id,
        to: AccountNo,
        amount: Amount,
    },
    Release(Id),
    Expire(Id),
}

impl Call {
    pub fn transfer(from: usize, to: usize, amount: i64) -> Self {
        let (from, to) = (account_no(from), account_no(to));
        Self::Transfer(Transfer { from, to, amount: Amount::new(amount), kind: Kind::Transfer, memo: "" })
    }

    pub fn hold(id: u16, account: usize, amount: i64, deadline: i64, open_max: u32) -> Self {
        let (account, amount, deadline) = (account_no(account), Amount::new(amount), Time::from_millis(deadline));
        Self::Hold(PlaceHold { id: id_of(id), account, amount, deadline, code: u32::from(id), open_max })
    }

    pub fn extend(id: u16, by: i64, deadline: i64) -> Self {
        Self::Extend { id: id_of(id), by: Amount::new(by), deadline: Time::from_millis(deadline) }
    }

    pub fn settle(id: u16, to: usize, amount: i64) -> Self {
        Self::Settle { id: id_of(id), to: account_no(to), amount: Amount::new(amount) }
    }

    /// Makes the call; says how the hold was paid out, if it ended one.
    pub fn make(&self, draft: &mut Draft<'_>) -> Result<Option<Settlement>, Refusal> {
        let freed = |freed| Some(Settlement { from_hold: Amount::ZERO, beyond: Amount::ZERO, freed });
        match self {
            Self::Open { account: (owner, asset, purpose), limits, opened } => {
                let account = draft.open(&owner_of(*owner), ASSETS[usize::from(*asset)], PURPOSES[usize::from(*purpose)], *limits);
                assert_eq!(account, *opened, "another account was opened");
                Ok(None)
            }
            Self::Transfer(transfer) => draft.transfer(transfer).map(|()| None),
            Self::Hold(place) => draft.hold(place).map(|()| None),
            Self::Extend { id, by, deadline } => draft.extend(*id, *by, *deadline).map(|()| None),
            Self::Settle { id, to, amount } => draft.settle(*id, *to, *amount).map(Some),
            Self::Release(id) => draft.release(*id).map(freed),
            Self::Expire(id) => draft.expire(*id).map(freed),
        }
    }
}

pub fn account_no(no: usize) -> AccountNo {
    AccountNo(u32::try_from(no).unwrap())
}

pub fn owner_of(owner: u16) -> Owner {
    Owner::hive(&format!("owner/{owner}"))
}

/// Ids look random, as those of clients do.
pub fn id_of(id: u16) -> Id {
    let mixed = (u128::from(id) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) & !0xffff;
    Id::from_bytes((mixed | u128::from(id)).to_be_bytes())
}

pub fn number_of(id: Id) -> u16 {
    let [.., high, low] = id.to_bytes();
    u16::from_be_bytes([high, low])
}
