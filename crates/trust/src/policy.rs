//! Changes to the Hive's rules: names and values, on the record.

use std::collections::BTreeMap;

use lab3_units::{Code, Problem};
use serde::{Deserialize, Serialize};

use crate::treasurers::check_governed;
use crate::{Approval, Deed, Desk, GOVERN, Principal, Touched, Verified};

/// The most rules changed at once.
const LINES_MAX: usize = 64;

/// Longest name and value, in bytes.
const NAME_MAX: usize = 64;
const VALUE_MAX: usize = 255;

/// Names of rules and their new values, each name once, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyLines(BTreeMap<Box<str>, Box<str>>);

impl PolicyLines {
    /// Errors: `FIELD_RANGE` (`policy`) when there is none or more than 64, a name stands twice or has other than `a-z 0-9 . _ -`, or a
    /// value is long or no single line.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Problem> {
        let wrong = |detail: String| Problem::new(Code::FIELD_RANGE, detail).in_field("policy");
        let mut lines = BTreeMap::new();
        for (name, value) in pairs {
            let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
            if !(1..=NAME_MAX).contains(&name.len()) || !name.bytes().all(letter) {
                return Err(wrong(format!("A rule's name has 1 to {NAME_MAX} characters of a-z 0-9 . _ -.")));
            }
            if value.len() > VALUE_MAX || value.chars().any(char::is_control) {
                return Err(wrong(format!("The value of {name} has at most {VALUE_MAX} bytes, on one line.")));
            }
            if lines.insert(name.into(), value.into()).is_some() {
                return Err(wrong(format!("{name} stands twice.")));
            }
        }
        if lines.is_empty() || lines.len() > LINES_MAX {
            return Err(wrong(format!("Between 1 and {LINES_MAX} rules are changed at once.")));
        }
        Ok(Self(lines))
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// A request to change rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangePolicy {
    /// Which, to what.
    pub lines: PolicyLines,
    /// What treasurers signed.
    pub approval: Option<Verified<Approval>>,
}

/// Changes rules. What names there are and what they mean is for those who read them.
///
/// Errors: as [`check_governed`].
pub fn change_policy(desk: &Desk<'_>, principal: &Principal, command: &ChangePolicy) -> Result<Deed, Problem> {
    check_governed(desk, principal, (&GOVERN, &Touched::Hive), command.approval.as_ref())?;
    let ChangePolicy { lines, approval } = command.clone();
    Ok(Deed::PolicyChanged { lines, approval: approval.map(Verified::into_inner) })
}
