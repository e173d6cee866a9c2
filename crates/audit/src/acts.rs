//! Who acted: an actor who was there, could do this, and touched only what was theirs to touch. And the trail of keys itself.

use lab3_compute::{Counted, Fact as Compute};
use lab3_energy::Fact as Energy;
use lab3_energy::carbon::certificates::Fact as Certified;
use lab3_engine::{Actor, Fact, Record};
use lab3_finance::Fact as Money;
use lab3_ledger::{AccountNo, Event, Kind as Move, Purpose};
use lab3_trust::{By, Deed, Fact as Trust, Holder, Key, Scope, State};
use lab3_units::{Amount, Did, Owner};

use crate::books::Books;
use crate::energy::Site;
use crate::treasurers;
use crate::verdict::{Class, Found};

fn bad<T>(what: String) -> Result<T, Found> {
    Err((Class::Actors, what))
}

/// Whether the record's actor could act so, by the state before it and the books after it.
pub(crate) fn check(state: &State, site: &Site, books: &Books, record: &Record) -> Result<(), Found> {
    let own = is_the_desks_own(&record.fact);
    match record.actor {
        Actor::Engine if own => Ok(()),
        _ if own => bad("only the desk itself does this, and it names somebody".to_owned()),
        Actor::Engine => bad("the desk itself does nothing of the kind".to_owned()),
        Actor::Open if !state.is_open() && !goes_on(&record.fact) => bad("it names nobody, and the Hive is closed".to_owned()),
        Actor::Operator if !state.is_open() && moves_members_money(record) => bad("the operator moved a member's money".to_owned()),
        Actor::Open | Actor::Operator | Actor::Signed => Ok(()),
        Actor::Key(number) => match state.key(number) {
            Some(key) => with_key(state, site, books, record, key),
            None => bad(format!("key {number} acts, which there is not")),
        },
    }
}

/// What nobody asks for: genesis, what a query drew that was settled, and the end of what nobody settled in time.
fn is_the_desks_own(fact: &Fact) -> bool {
    match fact {
        Fact::Finance(Money::Opened { .. })
        | Fact::Compute(Compute::Expired(_))
        | Fact::Energy(Energy::Drawn(_) | Energy::JobsExpired { .. }) => true,
        Fact::Compute(Compute::Settled(settled)) => settled.counted == Counted::Lease,
        _ => false,
    }
}

/// What was begun earlier, by somebody who could.
fn goes_on(fact: &Fact) -> bool {
    matches!(fact, Fact::Compute(Compute::Settled(_) | Compute::Extended(_)))
}

/// Money, or what is theirs as money is: certificates.
fn moves_members_money(record: &Record) -> bool {
    let theirs = matches!(&record.fact, Fact::Energy(Energy::Certified(fact)) if !matches!(fact, Certified::Issued { .. }));
    theirs
        || record
            .entries
            .iter()
            .any(|event| matches!(event, Event::Transferred { kind: Move::Transfer | Move::Contribution | Move::ExportShare, .. }))
}

fn with_key(state: &State, site: &Site, books: &Books, record: &Record, key: &Key) -> Result<(), Found> {
    let number = key.number;
    if moves_members_money(record) && matches!(key.holder, Holder::Operator) {
        return bad(format!("the operator's key {number} moved a member's money"));
    }
    // What was begun in time is ended in the name of who began it, also when the key has died since.
    let goes_on = goes_on(&record.fact);
    if !goes_on && !key.standing(record.at).works() {
        return bad(format!("key {number} acts, and is {}", key.standing(record.at).as_str()));
    }
    let scopes = key.scopes.both(key.holder.kind().acts());
    if let Some(scope) = needed(&record.fact).filter(|scope| !scopes.has(*scope)) {
        return bad(format!("key {number} ({}) acts without the scope {}", key.holder.kind(), scope.as_str()));
    }
    if let Fact::Energy(fact) = &record.fact {
        for_energy(state, site, books, fact, key)?;
    }
    for account in record.entries.iter().filter_map(spends).filter_map(|no| books.account(no)) {
        if matches!(account.purpose, Purpose::Wallet | Purpose::Quota) && !may_spend(state, key, &account.owner, goes_on) {
            return bad(format!("key {number} ({}) spends from the {} of {}", key.holder.kind(), account.purpose.as_str(), account.owner));
        }
    }
    let held = set_aside(record);
    if state.left_today(number, record.at).is_some_and(|left| held > left) {
        return bad(format!("the service of key {number} holds more than its day's cap"));
    }
    Ok(())
}

/// A steward looks after energy, and jobs and certificates are of those the key acts for.
fn for_energy(state: &State, site: &Site, books: &Books, fact: &Energy, key: &Key) -> Result<(), Found> {
    let (number, kind) = (key.number, key.holder.kind());
    if let Holder::Steward { module } = &key.holder
        && **module != *"energy"
    {
        return bad(format!("key {number} looks after {module}, and acts on energy"));
    }
    match site.owner(books, fact) {
        Some(owner) if !may_spend(state, key, owner, false) => bad(format!(
            "key {number} ({kind}) acts on a {} of {owner}",
            match fact {
                Energy::Certified(_) => "certificate",
                Energy::ExportShared(_) => "wallet",
                _ => "job",
            }
        )),
        _ => Ok(()),
    }
}

/// What a key must be good for. Facts about keys themselves are judged by [`trail`].
fn needed(fact: &Fact) -> Option<Scope> {
    match fact {
        Fact::Compute(_) | Fact::Energy(Energy::Booked(_) | Energy::JobSettled(_) | Energy::JobReleased { .. }) => Some(Scope::Compute),
        Fact::Energy(Energy::HourClosed(_) | Energy::Certified(Certified::Issued { .. })) => Some(Scope::Module),
        Fact::Energy(Energy::Certified(_) | Energy::ExportShared(_)) | Fact::Finance(Money::Transferred | Money::Contributed { .. }) => {
            Some(Scope::Money)
        }
        Fact::Finance(Money::Granted { .. }) => Some(Scope::Grants),
        Fact::Finance(Money::Minted { .. }) => Some(Scope::Mint),
        Fact::Finance(Money::EpochClosed(_) | Money::EpochBalanced(_)) => Some(Scope::Epoch),
        Fact::Trust(fact) => match fact.deed {
            Deed::TreasurersNamed { .. } | Deed::PolicyChanged { .. } => Some(Scope::Policy),
            Deed::Frozen { .. } | Deed::Thawed { .. } => Some(Scope::Freeze),
            _ => None,
        },
        _ => None,
    }
}

/// The account an entry spends from, or sets something aside on.
fn spends(event: &Event) -> Option<AccountNo> {
    match event {
        Event::Transferred { from, .. } => Some(*from),
        Event::HoldPlaced { account, .. } | Event::HoldExtended { account, .. } => Some(*account),
        Event::HoldSettled { end, .. } | Event::HoldReleased(end) | Event::HoldExpired(end) => Some(end.account),
        Event::AccountOpened { .. } => None,
    }
}

/// What a record sets aside of allowances: jobs set energy aside, which no cap of a day is about.
pub(crate) fn set_aside(record: &Record) -> Amount {
    if matches!(record.fact, Fact::Energy(_)) {
        return Amount::ZERO;
    }
    let held = record.entries.iter().map(|event| match event {
        Event::HoldPlaced { amount, .. } | Event::HoldExtended { by: amount, .. } => *amount,
        _ => Amount::ZERO,
    });
    held.fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(Amount::MAX))
}

fn may_spend(state: &State, key: &Key, owner: &Owner, goes_on: bool) -> bool {
    let owner = owner.as_str();
    match &key.holder {
        Holder::Citizen(did) => did.as_str() == owner,
        Holder::Service { .. } => goes_on || Did::parse(owner).is_ok_and(|did| state.acts_for(key.family, &did)),
        _ => false,
    }
}

/// Whether a fact about keys can follow: numbers are dense, ids new, what changes is there, and who did it is who asked.
pub(crate) fn trail(state: &State, record: &Record, fact: &Trust) -> Result<(), Found> {
    let bad = |what: String| Err((Class::Keys, what));
    let same = match (&fact.by, record.actor) {
        (By::Desk, Actor::Operator) | (By::Local, Actor::Open) | (By::Did(_), Actor::Signed) => true,
        (By::Key(by), Actor::Key(number)) => *by == number,
        _ => false,
    };
    if !same {
        return bad("who did it is not who asked for it".to_owned());
    }
    treasurers::alone(state, record, fact)?;
    treasurers::freeze(state, record.at, &fact.deed)?;
    match &fact.deed {
        Deed::KeyCreated(made) => {
            if !is_next(state, made.number) || state.key_of(made.id).is_some() {
                return bad(format!("key {} is made out of turn, or with an id that is taken", made.number));
            }
            if !made.scopes.is_within(made.holder.kind().widest()) {
                return bad(format!("key {} is made for more than its kind may", made.number));
            }
        }
        Deed::KeyRotated { old, number, id, .. } => {
            if !is_next(state, *number) || state.key_of(*id).is_some() {
                return bad(format!("key {number} is made out of turn, or with an id that is taken"));
            }
            if !state.key(*old).is_some_and(|key| key.standing(record.at).works() && key.rotated.is_none()) {
                return bad(format!("key {old} is replaced, which cannot be"));
            }
        }
        Deed::KeyRevoked { number, .. } if state.key(*number).is_none_or(|key| key.revoked.is_some()) => {
            return bad(format!("key {number} is revoked, which cannot be"));
        }
        _ => {}
    }
    Ok(())
}

fn is_next(state: &State, number: u32) -> bool {
    let before = number.checked_sub(1);
    state.key(number).is_none() && before.is_some_and(|before| before == 0 || state.key(before).is_some())
}
