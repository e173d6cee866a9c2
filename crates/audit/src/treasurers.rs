//! What treasurers decide together: new money, grants, rules, who they are; and freezes, which the operator may decide alone.

use lab3_engine::{Actor, Fact, Record};
use lab3_finance::Fact as Money;
use lab3_ledger::Kind;
use lab3_trust::{Act, Approval, By, Deed, FREEZE_HOURS_MAX, FREEZE_PAUSE, Fact as Trust, State, check_approval};
use lab3_units::{Did, Duration, Time};

use crate::books::Books;
use crate::signatures::{bad, moved, owner, statement, told};
use crate::verdict::{Class, Found};

/// Whether a record without signatures can do without: new money and grants are the treasurers' once there are some, and nobody's who signs
/// alone.
pub(crate) fn unsigned(record: &Record, state: &State) -> Result<(), Found> {
    let theirs = matches!(record.fact, Fact::Finance(Money::Granted { .. } | Money::Minted { .. }));
    if theirs && (state.treasurers().is_some() || record.actor == Actor::Signed) {
        return bad("it takes the treasurers' signatures, and has none");
    }
    Ok(())
}

/// Whether enough treasurers signed the money that was made or granted.
pub(crate) fn money(record: &Record, books: &Books, state: &State, approval: &Approval) -> Result<(), Found> {
    let (kind, grant) = match &record.fact {
        Fact::Finance(Money::Granted { .. }) => (Kind::Grant, true),
        Fact::Finance(Money::Minted { .. }) => (Kind::Mint, false),
        _ => return bad("a record that treasurers have no say in has their signatures"),
    };
    if record.actor != Actor::Signed {
        return bad("treasurers signed it, and somebody else is said to have acted");
    }
    let Some(made) = moved(record, kind) else { return bad("what treasurers signed did not happen") };
    let Some(to) = owner(books, made.to) else { return bad("what treasurers signed is for no DID") };
    let (amount, memo) = (made.amount, made.memo);
    let act = if grant { Act::Grant { to, amount, memo } } else { Act::Mint { to, amount, memo } };
    hold(record, state, act, approval)
}

/// Whether a deed that is theirs has their signatures, and one without them is somebody's who may do it alone.
pub(crate) fn deed(record: &Record, state: &State, fact: &Trust) -> Result<(), Found> {
    let (act, approval) = match &fact.deed {
        Deed::TreasurersNamed { treasurers, approval } => (Act::Treasurers(treasurers.clone()), approval),
        Deed::PolicyChanged { lines, approval } => (Act::Policy(lines.clone()), approval),
        Deed::Frozen { citizen, hours, reason, approval, .. } => {
            (Act::Freeze { citizen: citizen.clone(), hours: *hours, reason: reason.clone() }, approval)
        }
        _ => return Ok(()),
    };
    let Some(approval) = approval else {
        let alone = matches!(fact.deed, Deed::Frozen { .. }) || state.treasurers().is_none();
        return if alone { Ok(()) } else { bad("it takes the treasurers' signatures, and has none") };
    };
    if record.actor != Actor::Signed || !matches!(&fact.by, By::Did(did) if approval.signer() == Some(did)) {
        return bad("treasurers signed it, and somebody else is said to have done it");
    }
    hold(record, state, act, approval)
}

fn hold(record: &Record, state: &State, act: Act, approval: &Approval) -> Result<(), Found> {
    let statement = told(statement(record, state, act, approval.not_after))?;
    let verified = told(approval.clone().verify(&statement))?;
    told(check_approval(state, record.at, Some(&verified)))
}

/// Whether nobody but the operator, or somebody on an open Hive, decided alone what is the treasurers' or the operator's.
pub(crate) fn alone(state: &State, record: &Record, fact: &Trust) -> Result<(), Found> {
    let approved = match &fact.deed {
        Deed::TreasurersNamed { approval, .. } | Deed::PolicyChanged { approval, .. } | Deed::Frozen { approval, .. } => approval.is_some(),
        Deed::Thawed { .. } => false,
        _ => return Ok(()),
    };
    let may = match record.actor {
        Actor::Open => true,
        Actor::Key(number) => state.key(number).is_some_and(|key| key.holder == lab3_trust::Holder::Operator),
        Actor::Engine | Actor::Operator | Actor::Signed => false,
    };
    if approved || may {
        Ok(())
    } else {
        Err((Class::Actors, "somebody decides alone what is the operator's or the treasurers'".to_owned()))
    }
}

/// Whether a freeze is as long as it says, and its account was free long enough; and whether what is thawed is frozen.
pub(crate) fn freeze(state: &State, at: Time, deed: &Deed) -> Result<(), Found> {
    let bad = |what: &str| Err((Class::Actors, what.to_owned()));
    match deed {
        Deed::Frozen { hours, until, .. } if !(1..=FREEZE_HOURS_MAX).contains(hours) || *until != end(at, *hours) => {
            bad("an account is frozen for longer than may be, or than it says")
        }
        Deed::Frozen { citizen, until, approval, .. } if !may_begin(state, at, citizen, *until, approval.is_some()) => {
            bad("an account is frozen again too soon")
        }
        Deed::Thawed { citizen, .. } if state.frozen(citizen, at).is_none() => bad("an account is thawed that is not frozen"),
        _ => Ok(()),
    }
}

fn end(at: Time, hours: u8) -> Time {
    at.after(Duration::from_secs(u32::from(hours) * 3600))
}

/// The operator leaves a day between freezes; treasurers need not, but do not shorten one.
fn may_begin(state: &State, at: Time, citizen: &Did, until: Time, approved: bool) -> bool {
    let Some(last) = state.last_freeze(citizen) else { return true };
    if approved { at >= last.until || until > last.until } else { at >= last.until.after(FREEZE_PAUSE) }
}
