//! What records say of their own entries: the supply after a mint, a reward, the pool's balance, a month that was opened. And that genesis comes
//! first, and epochs follow each other.

use lab3_compute::{Fact as Compute, Opening};
use lab3_engine::{Fact, Record};
use lab3_finance::{Closing, Fact as Money};
use lab3_ledger::{AccountNo, Event, Kind, Purpose};
use lab3_units::{Amount, Asset};

use crate::books::Books;
use crate::usage;
use crate::verdict::{Class, Found};

/// What the facts so far leave to be known.
#[derive(Debug, Default)]
pub(crate) struct Told {
    offices: Option<(AccountNo, AccountNo)>,
    epoch: u32,
    pub minted: i128,
    pub rewards: i128,
}

fn bad<T>(what: String) -> Result<T, Found> {
    Err((Class::Facts, what))
}

impl Told {
    /// All the MIC there is.
    pub fn supply(&self, books: &Books) -> i64 {
        self.offices.map_or(0, |(issuance, _)| books.balance(issuance).saturating_neg())
    }

    /// Checks a record's fact against its entries and the books after it.
    pub fn check(&mut self, sequence: u64, books: &mut Books, record: &Record) -> Result<(), Found> {
        if (sequence == 1) != matches!(record.fact, Fact::Finance(Money::Opened { .. })) {
            return bad("the books are opened by the first record, and by no other".to_owned());
        }
        match &record.fact {
            Fact::Finance(money) => self.finance(books, money, &record.entries),
            Fact::Compute(compute) => {
                usage::check(books, record, compute)?;
                opened(books, record, opening(compute))
            }
            Fact::Refused(_) | Fact::Batch { .. } | Fact::Trust(_) | Fact::Energy(_) => Ok(()),
        }
    }

    fn finance(&mut self, books: &Books, fact: &Money, entries: &[Event]) -> Result<(), Found> {
        let sum = |wanted: Kind| entries.iter().filter_map(|event| amount_of(event, wanted)).sum::<i128>();
        let (minted, rewarded) = (sum(Kind::Mint), sum(Kind::EpochReward));
        self.minted += minted;
        self.rewards += rewarded;
        match *fact {
            Money::Opened { issuance, pool, reserve, pool_balance } => {
                self.offices = Some((issuance, pool));
                self.epoch = 1;
                for (no, purpose) in [(issuance, Purpose::Issuance), (pool, Purpose::Pool), (reserve, Purpose::Reserve)] {
                    if books.account(no).is_none_or(|account| (account.asset, account.purpose) != (Asset::MIC, purpose)) {
                        return bad(format!("it calls account {} the {}, which it is not", no.0, purpose.as_str()));
                    }
                }
                self.says("the pool holds", pool_balance, books.balance(pool))
            }
            Money::Transferred => Ok(()),
            Money::Granted { pool_balance } | Money::Contributed { pool_balance } => {
                self.says("the pool holds", pool_balance, self.offices.map_or(0, |(_, pool)| books.balance(pool)))
            }
            Money::Minted { supply } => self.says("there is a supply of", supply, self.supply(books)),
            Money::EpochClosed(closing) => self.closes(books, closing, rewarded),
            Money::EpochBalanced(ref balanced) => self.closes(books, balanced.closing, rewarded),
        }
    }

    fn closes(&mut self, books: &Books, Closing { closed, opened, reward, supply }: Closing, rewarded: i128) -> Result<(), Found> {
        let before = std::mem::replace(&mut self.epoch, opened);
        if closed != before || opened != closed.saturating_add(1) {
            return bad(format!("it closes epoch {closed} and opens {opened} while {before} is current"));
        }
        self.says("a reward was paid of", reward, i64::try_from(rewarded).unwrap_or(i64::MAX))?;
        self.says("there is a supply of", supply, self.supply(books))
    }

    #[expect(clippy::unused_self, reason = "reads as what the record says")]
    fn says(&self, what: &str, said: Amount, found: i64) -> Result<(), Found> {
        if said.units() == found { Ok(()) } else { bad(format!("it says {what} {} KS; by the entries it is {found}", said.units())) }
    }
}

fn amount_of(event: &Event, wanted: Kind) -> Option<i128> {
    match event {
        Event::Transferred { kind, amount, .. } if *kind == wanted => Some(i128::from(amount.units())),
        _ => None,
    }
}

/// The month a fact opens.
fn opening(fact: &Compute) -> Option<&Opening> {
    match fact {
        Compute::Allocated(allocated) => allocated.opening.as_ref(),
        Compute::Attempted(attempted) => attempted.allocated.opening.as_ref(),
        Compute::Deferred(deferred) => deferred.allocated.opening.as_ref(),
        Compute::Reported(reported) => reported.opening.as_ref(),
        Compute::Settled(settled) => settled.reported.opening.as_ref(),
        Compute::Released(_) | Compute::Expired(_) | Compute::Extended(_) => None,
    }
}

/// An allowance is granted to whose month is opened, as much as the fact says, once a month.
fn opened(books: &mut Books, record: &Record, opening: Option<&Opening>) -> Result<(), Found> {
    let mut granted = record.entries.iter().filter_map(|event| match event {
        Event::Transferred { to, amount, kind: Kind::Allowance, .. } => Some((*to, *amount)),
        _ => None,
    });
    let (first, more) = (granted.next(), granted.next().is_some());
    let said = opening.map(|opening| (opening.account, opening.quota)).filter(|(_, quota)| quota.is_positive());
    if more || first != said {
        return bad("the allowance it grants is not the one it tells of".to_owned());
    }
    let Some(Opening { account, period, .. }) = opening else { return Ok(()) };
    let Some(account) = books.account_mut(*account) else { return bad("it opens a month of an account there is not".to_owned()) };
    let last = std::mem::replace(&mut account.month, *period);
    if *period <= last || *period != record.at.period().number() {
        return bad(format!("it opens month {period} of {}, for whom {last} was opened", account.owner));
    }
    Ok(())
}
