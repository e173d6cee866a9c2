//! Whose accounts are whose: the names behind account numbers, asked for all at once.

use std::collections::BTreeMap;

use lab3_engine::Engine;
use lab3_ledger::AccountNo;
use lab3_units::Problem;

/// Names of account owners.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<AccountNo, Box<str>>);

impl Names {
    /// Asks the books for the owners of these accounts. An account's owner never changes, so it does not matter when.
    pub(crate) async fn ask(engine: &Engine, accounts: impl Iterator<Item = AccountNo>) -> Result<Self, Problem> {
        let mut names = accounts.map(|account| (account, Box::default())).collect::<BTreeMap<AccountNo, Box<str>>>();
        if names.is_empty() {
            return Ok(Self::default());
        }
        let look = move |desk: &lab3_engine::Desk<'_>| {
            for (account, name) in &mut names {
                *name = desk.state.ledger.owner_name(*account).into();
            }
            Self(names)
        };
        engine.read(look).await
    }

    /// The owner of an account that was asked for.
    pub(crate) fn of(&self, account: AccountNo) -> &str {
        self.0.get(&account).map_or("", |name| name)
    }
}
