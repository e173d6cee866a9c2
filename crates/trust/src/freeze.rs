//! Freezing an account for a while: nothing leaves it. For an emergency, with a reason everybody can read.

use lab3_units::{Code, Did, Duration, Problem, Time};
use serde::{Deserialize, Serialize};

use crate::judge::judge;
use crate::text::check_reason;
use crate::treasurers::check_governed;
use crate::{Approval, Deed, Desk, Kind, Owned, Principal, Rule, Scope, State, Touched, Verified};

/// What freezing and thawing ask for; a treasurer brings the others' signatures too.
pub const FREEZE: Rule = Rule::new(&[Kind::Operator, Kind::Treasurer], Scope::Freeze, Owned::Citizen);

/// The longest a freeze lasts, in hours.
pub const FREEZE_HOURS_MAX: u8 = 72;

/// How long after a freeze the operator has to wait before the next: a day.
pub const FREEZE_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// The last freeze of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Until when.
    pub until: Time,
    /// Why.
    pub reason: Box<str>,
}

/// A request to freeze an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// Whose.
    pub citizen: Did,
    /// For how many hours, 1 to 72.
    pub hours: u8,
    /// Why, for everybody to read.
    pub reason: Box<str>,
    /// Treasurers' signatures: with them there is no pause to keep.
    pub approval: Option<Verified<Approval>>,
}

/// A request to end a freeze early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thaw {
    /// Whose account.
    pub citizen: Did,
    /// Why, for everybody to read.
    pub reason: Box<str>,
}

/// Freezes an account.
///
/// Errors: as [`judge()`] and, with an approval or from a treasurer, `check_approval`; `FIELD_RANGE` (`hours`, `reason`); `STANDING`
/// (`citizen_did`) while it is frozen, and within a day after; for treasurers only when it is frozen for longer already.
pub fn freeze(desk: &Desk<'_>, principal: &Principal, command: &Freeze) -> Result<Deed, Problem> {
    check_who(desk, principal, command)?;
    check_reason(&command.reason)?;
    if !(1..=FREEZE_HOURS_MAX).contains(&command.hours) {
        let detail = format!("An account is frozen for 1 to {FREEZE_HOURS_MAX} hours.");
        return Err(Problem::new(Code::FIELD_RANGE, detail).in_field("hours"));
    }
    let until = desk.now.after(Duration::from_secs(u32::from(command.hours) * 3600));
    check_pause(desk, command, until)?;
    let Freeze { citizen, reason, approval, hours } = command.clone();
    Ok(Deed::Frozen { citizen, hours, until, reason, approval: approval.map(Verified::into_inner) })
}

/// The operator may alone; treasurers by their signatures, whoever brings them. A treasurer's key passes for one only once treasurers are named,
/// and is not enough.
fn check_who(desk: &Desk<'_>, principal: &Principal, command: &Freeze) -> Result<(), Problem> {
    let asked = (&FREEZE, &Touched::Citizen(&command.citizen));
    if command.approval.is_none() && manages(principal) {
        return judge(desk.state, desk.now, principal, asked.0, asked.1);
    }
    check_governed(desk, principal, asked, command.approval.as_ref())
}

fn manages(principal: &Principal) -> bool {
    match principal {
        Principal::Local => true,
        Principal::Key(bearer) => bearer.holder.kind() == Kind::Operator,
        _ => false,
    }
}

/// Treasurers keep no pause, not even for the end of the last freeze; but a freeze does not shorten another.
fn check_pause(desk: &Desk<'_>, command: &Freeze, until: Time) -> Result<(), Problem> {
    let Some(last) = desk.state.last_freeze(&command.citizen) else { return Ok(()) };
    let standing = |detail| Err(Problem::new(Code::STANDING, detail).in_field("citizen_did"));
    if desk.now < last.until && (command.approval.is_none() || until <= last.until) {
        return standing(format!("{} is frozen until {} already.", command.citizen, last.until));
    }
    let free = last.until.after(FREEZE_PAUSE);
    if desk.now < free && command.approval.is_none() {
        return standing(format!("After a freeze a day has to pass: until {free} only treasurers freeze {} again.", command.citizen));
    }
    Ok(())
}

/// Ends a freeze early.
///
/// Errors: as [`judge()`]; `FIELD_RANGE` (`reason`); `STANDING` (`citizen_did`) when the account is not frozen.
pub fn thaw(desk: &Desk<'_>, principal: &Principal, command: &Thaw) -> Result<Deed, Problem> {
    judge(desk.state, desk.now, principal, &THAW, &Touched::Citizen(&command.citizen))?;
    check_reason(&command.reason)?;
    if desk.state.frozen(&command.citizen, desk.now).is_none() {
        return Err(Problem::new(Code::STANDING, format!("{} is not frozen.", command.citizen)).in_field("citizen_did"));
    }
    let Thaw { citizen, reason } = command.clone();
    Ok(Deed::Thawed { citizen, reason })
}

/// What thawing asks for.
pub const THAW: Rule = Rule::new(&[Kind::Operator], Scope::Freeze, Owned::Citizen);

/// Refuses to take anything from a frozen account: before a transfer, a contribution, an allocation.
///
/// Errors: `ACCOUNT_FROZEN`, with until when and why.
pub fn check_not_frozen(state: &State, now: Time, citizen: &Did) -> Result<(), Problem> {
    let Some(frozen) = state.frozen(citizen, now) else { return Ok(()) };
    let detail = format!("{citizen} is frozen until {}: {}. Until then nothing leaves the account.", frozen.until, frozen.reason);
    Err(Problem::new(Code::ACCOUNT_FROZEN, detail))
}
