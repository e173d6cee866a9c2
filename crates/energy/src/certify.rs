//! Certificates at the desk: issued for what a device generated, split, handed on and claimed once, each as a record.

use lab3_units::{Amount, Code, Id, Owner, Problem, Time};

use crate::carbon::certificates::{self, Issue, Refusal};
use crate::{Desk, Fact};

/// What is asked of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certify {
    /// Certify what a device generated in an hour.
    Issue(Issue),
    /// Make two of one.
    Split {
        /// Which.
        id: Id,
        /// Who asks.
        by: Owner,
        /// Whole Wh of the first.
        first_wh: Amount,
        /// The ids of both.
        into: [Id; 2],
    },
    /// Give one to somebody.
    Hand {
        /// Which.
        id: Id,
        /// Who asks.
        by: Owner,
        /// To whom.
        to: Owner,
    },
    /// Claim one for what was consumed.
    Claim {
        /// Which.
        id: Id,
        /// Who asks.
        by: Owner,
        /// The hour of the consumption.
        hour: Time,
    },
}

/// Does it, when the register allows. Nothing on the ledger changes: certificates of different hours and devices are not one asset.
///
/// Errors: `CERTIFICATE_UNKNOWN`, `CERTIFICATE_USED`, `NOT_ALLOWED` for another's, `FIELD_RANGE`, `BOOKS_LIMIT` when the register is full.
pub fn certify(desk: &Desk<'_>, command: &Certify) -> Result<Fact, Problem> {
    let register = &desk.state.register;
    let decided = match command.clone() {
        Certify::Issue(issue) if issue.hour.millis().saturating_add(crate::state::HOUR_MS) > desk.now.millis() => {
            let detail = format!("The hour that begins at {} has not ended. Certify it when it has.", issue.hour);
            return Err(Problem::new(Code::HOUR_CLOSED, detail).in_field("hour"));
        }
        Certify::Issue(issue) => register.issue(issue),
        Certify::Split { id, by, first_wh, into } => register.split(id, &by, first_wh, into),
        Certify::Hand { id, by, to } => register.hand(id, &by, to),
        Certify::Claim { id, by, hour } => register.claim(id, &by, hour, desk.now),
    };
    decided.map(Fact::Certified).map_err(|refusal| in_words(&refusal))
}

fn in_words(refusal: &Refusal) -> Problem {
    let (code, field): (Code, &'static str) = match refusal {
        Refusal::Unknown => (Code::CERTIFICATE_UNKNOWN, "certificate_id"),
        Refusal::Claimed(_) | Refusal::Split(_) | Refusal::IdTaken => (Code::CERTIFICATE_USED, "certificate_id"),
        Refusal::AlreadyIssued(_) => (Code::CERTIFICATE_USED, "hour"),
        Refusal::NotOwner(_) => (Code::NOT_ALLOWED, "certificate_id"),
        Refusal::OtherHour(_) | Refusal::NotAnHour => (Code::FIELD_RANGE, "hour"),
        Refusal::NoEnergy => (Code::FIELD_RANGE, "energy_wh"),
        Refusal::Full => (Code::BOOKS_LIMIT, "certificate_id"),
    };
    let text = refusal.to_string();
    let mut letters = text.chars();
    let sentence: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).chain(['.']).collect();
    Problem::new(code, sentence).in_field(field)
}

/// Whether somebody's certificates of that hour cover so many mWh of it: what of them is claimed.
pub fn claimed_mwh(state: &crate::State, hour: Time) -> Amount {
    let claimed = state.register.iter().filter(|(_, certificate)| certificate.hour == hour);
    let claimed = claimed.filter(|(_, certificate)| matches!(certificate.state, certificates::State::Claimed(_)));
    claimed
        .map(|(_, certificate)| certificate.energy_wh.units().saturating_mul(1000))
        .fold(Amount::ZERO, |sum, mwh| sum.checked_add(Amount::new(mwh)).unwrap_or(Amount::MAX))
}
