//! What a citizen has.

use lab3_units::{Amount, Asset, Did};

use crate::Desk;

/// A citizen's money, for `GET /lab3/financial/balance`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BalanceStatus {
    /// What the wallet has, in KS.
    pub balance: Amount,
    /// How much of it is held.
    pub held: Amount,
    /// What is not held.
    pub available: Amount,
}

/// What the DID has now. Whom the Hive has not met has nothing.
pub fn balance(desk: &Desk<'_>, did: &Did) -> BalanceStatus {
    let wallet = desk.ledger.find(did.as_str(), Asset::MIC, lab3_ledger::Purpose::Wallet);
    let status =
        |account: &lab3_ledger::Account| BalanceStatus { balance: account.balance(), held: account.held(), available: account.available() };
    wallet.and_then(|wallet| desk.ledger.account(wallet)).map(status).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Hive, did, mic};

    #[test]
    fn a_stranger_has_nothing() {
        let mut hive = Hive::new();
        assert_eq!(balance(&hive.desk(), &did("did:kaizen:alice")), BalanceStatus::default());
        hive.fund("did:kaizen:alice", "7.5");
        let status = BalanceStatus { balance: mic("7.5"), held: Amount::ZERO, available: mic("7.5") };
        assert_eq!(balance(&hive.desk(), &did("did:kaizen:alice")), status);
    }
}
