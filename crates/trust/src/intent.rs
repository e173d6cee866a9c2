//! A signature over a statement, and whether it holds: the curve first, by anybody; the state then, by the writer.

use lab3_units::{Amount, Asset, Code, Did, Problem, Time};
use serde::{Deserialize, Serialize};

use crate::{PublicKey, Signature, State, Statement};

/// What a record keeps of a signed statement; the rest of the text is rebuilt from the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The last moment it may be decided at.
    pub not_after: Time,
    /// The highest fee, in KS; of exports that are counted, the most they may have earned; zero where there is neither.
    pub fee_max: Amount,
    /// Whose signature it is.
    pub key: PublicKey,
    /// The signature.
    pub signature: Signature,
}

/// Something whose signatures were checked against the statement they are for: only checking makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// What was checked.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// What was checked.
    pub fn into_inner(self) -> T {
        self.0
    }

    pub(crate) const fn new(checked: T) -> Self {
        Self(checked)
    }
}

impl Intent {
    /// Checks the signature over the statement that was rebuilt from the request or the record. Knows no state: the server does
    /// it outside the writer, an auditor years later.
    ///
    /// Errors: `INTENT_INVALID` (`intent`) when it does not fit.
    pub fn verify(self, statement: &Statement) -> Result<Verified<Self>, Problem> {
        let same_most = statement.act.most() == self.fee_max;
        let text = signed_text(statement)?;
        if statement.not_after == self.not_after && same_most && self.key.verifies(text.as_bytes(), &self.signature) {
            return Ok(Verified(self));
        }
        let detail = format!(
            "The signature of {} does not fit the text the desk rebuilt. Sign these bytes, the line feed at the end included:\n{text}",
            self.key
        );
        Err(invalid(detail))
    }
}

/// The statement's text, once it is sure that it is of this statement only.
pub(crate) fn signed_text(statement: &Statement) -> Result<String, Problem> {
    let text = statement.text();
    match Statement::parse(&text) {
        Ok(read) if read == *statement => Ok(text),
        Ok(_) => Err(invalid("This cannot be signed: a field has no spelling of its own. Name a time between the years 1 and 9999.")),
        Err(error) => Err(invalid(format!("This cannot be signed: {error}."))),
    }
}

/// Whether an intent of `did` may be decided now, at that fee. Looks at the state only.
///
/// Errors: `INTENT_INVALID` (`intent`) when the key is not, or no longer, the DID's; when its time is over; when the fee is higher than
/// was signed.
pub fn check_intent(state: &State, now: Time, did: &Did, intent: &Verified<Intent>, fee: Amount) -> Result<(), Problem> {
    let intent = intent.get();
    check_key(state, did, intent.key)?;
    check_time(now, intent.not_after)?;
    if fee > intent.fee_max {
        let (fee, most) = (fee.units(), intent.fee_max.units());
        return Err(invalid(format!("The fee is {fee} KS, and at most {most} KS were signed. Sign a higher fee-max-ks.")));
    }
    Ok(())
}

/// Whether exports that the desk counted earned no more than was signed.
///
/// Errors: `INTENT_INVALID` (`intent`) when they earned more.
pub fn check_counted(intent: &Verified<Intent>, amount: Amount) -> Result<(), Problem> {
    let most = intent.get().fee_max;
    if amount <= most {
        return Ok(());
    }
    let mic = |amount: Amount| Asset::MIC.decimal(amount);
    let detail = format!("The meter counted {} MIC, and at most {} MIC were signed. Sign a higher counted-max-ks.", mic(amount), mic(most));
    Err(invalid(detail))
}

/// Whether a transfer may go without a signature: on an open Hive; else up to the ceiling (in KS) while the sender has no key, and
/// not at all once it has one.
///
/// Errors: `INTENT_MISSING` (`intent`) when it has to be signed.
pub fn check_unsigned(state: &State, from: &Did, amount: Amount, ceiling: Amount) -> Result<(), Problem> {
    let mic = |amount: Amount| Asset::MIC.decimal(amount);
    let why = match (state.is_open(), state.keys_of(from).is_empty()) {
        (true, _) => return Ok(()),
        (false, true) if amount <= ceiling => return Ok(()),
        (false, true) => format!("{} MIC is more than the {} MIC that go without, and {from} has no key yet", mic(amount), mic(ceiling)),
        (false, false) => format!("{from} has a key, so nothing is paid without it"),
    };
    let detail = format!("This payment takes a signature: {why}. Sign the intent (lab3 wallet sign) and send it along.");
    Err(Problem::new(Code::INTENT_MISSING, detail).in_field("intent"))
}

pub(crate) fn check_key(state: &State, did: &Did, key: PublicKey) -> Result<(), Problem> {
    if state.holds(did, &key) {
        return Ok(());
    }
    Err(invalid(format!("{key} is no key of {did}, or no longer. Sign with one that is.")))
}

pub(crate) fn check_time(now: Time, not_after: Time) -> Result<(), Problem> {
    if now <= not_after {
        return Ok(());
    }
    Err(invalid(format!("The intent was good until {not_after}. Sign a new one.")))
}

pub(crate) fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(Code::INTENT_INVALID, detail).in_field("intent")
}
