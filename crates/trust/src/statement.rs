//! What is signed: fixed lines of text, which anybody rebuilds from a record and any shell with openssl signs.
//!
//! Each line is a name, a colon, a space and a value, and ends in one line feed; no value can hold one. The same statement has one
//! text, and a text is of one statement. It names the Hive, its journal and the record's id: it is good there, once.

mod parse;

use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lab3_units::{Amount, Did, Id, Time};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use parse::StatementError;

use crate::{Change, DidKeyEvent, PolicyLines, SignedEarned, SignedShare, Treasurers};

/// The first line: the format and its version.
const HEAD: &str = "lab3 intent 1";

/// Longest name of a Hive, in bytes.
const HIVE_MAX: usize = 128;

/// A Hive's name: one line, not empty, no space at its ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HiveName(Box<str>);

/// Salted SHA-256 of a memo, which is all that a record's leaf and a signature have of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemoHash([u8; 32]);

/// What somebody wills, and where and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The Hive's name.
    pub hive: HiveName,
    /// The journal's id.
    pub journal: Id,
    /// The record's id: a second use finds the first.
    pub id: Id,
    /// The last moment it may be decided at.
    pub not_after: Time,
    /// What is willed.
    pub act: Act,
}

/// What is willed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A citizen pays another.
    Transfer {
        /// Who pays, and signs.
        from: Did,
        /// Who receives.
        to: Did,
        /// How much, in KS.
        amount: Amount,
        /// The highest fee, in KS.
        fee_max: Amount,
        /// What for.
        memo: Option<MemoHash>,
    },
    /// A citizen gives to the pool.
    Contribute {
        /// Who gives, and signs.
        from: Did,
        /// How much, in KS.
        amount: Amount,
        /// What for.
        memo: Option<MemoHash>,
    },
    /// The pool pays a project.
    Grant {
        /// Who receives.
        to: Did,
        /// How much, in KS.
        amount: Amount,
        /// What for.
        memo: Option<MemoHash>,
    },
    /// New money is made.
    Mint {
        /// Who receives.
        to: Did,
        /// How much, in KS.
        amount: Amount,
        /// What for.
        memo: Option<MemoHash>,
    },
    /// The Hive's rules change.
    Policy(PolicyLines),
    /// A DID's keys change.
    DidKey(DidKeyEvent),
    /// The treasurers change.
    Treasurers(Treasurers),
    /// An account is frozen.
    Freeze {
        /// Whose.
        citizen: Did,
        /// For how many hours.
        hours: u8,
        /// Why, in words.
        reason: Box<str>,
    },
    /// What exports earned is shared among members.
    ShareExports(Box<SignedShare>),
}

impl HiveName {
    /// Checks the name.
    pub fn parse(text: &str) -> Option<Self> {
        let fine = (1..=HIVE_MAX).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control);
        fine.then(|| Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MemoHash {
    /// SHA-256 of the salt in hexadecimal (lower case), a colon and the memo. The salt is 16 random bytes: without it short memos
    /// could be guessed from their hash.
    pub fn of(salt: &[u8; 16], memo: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(hex(salt));
        hasher.update(b":");
        hasher.update(memo);
        Self(hasher.finalize().into())
    }

    /// Reads base 64, as leaves and statements have it.
    pub fn parse(text: &str) -> Option<Self> {
        BASE64.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The hash with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash's bytes.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for MemoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl Act {
    /// The word in the line `act`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Transfer { .. } => "transfer",
            Self::Contribute { .. } => "contribute",
            Self::Grant { .. } => "grant",
            Self::Mint { .. } => "mint",
            Self::Policy(_) => "policy",
            Self::DidKey(_) => "did-key",
            Self::Treasurers(_) => "treasurers",
            Self::Freeze { .. } => "freeze",
            Self::ShareExports(_) => "share-exports",
        }
    }

    /// The most that was signed beside what a record tells, in KS: the highest fee of a transfer, what exports that are counted may earn; else nothing.
    pub fn most(&self) -> Amount {
        match self {
            Self::Transfer { fee_max, .. } => *fee_max,
            Self::ShareExports(share) => share.counted_max(),
            _ => Amount::ZERO,
        }
    }
}

impl Statement {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(512);
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        writeln!(text, "{HEAD}")?;
        writeln!(text, "hive: {}", self.hive.as_str())?;
        writeln!(text, "journal: {}", self.journal.text("jn"))?;
        writeln!(text, "id: {}", self.id.text("tx"))?;
        writeln!(text, "not-after: {}", self.not_after)?;
        writeln!(text, "act: {}", self.act.as_str())?;
        match &self.act {
            Act::Transfer { from, to, amount, fee_max, memo } => {
                writeln!(text, "from: {from}\nto: {to}\namount-ks: {}\nfee-max-ks: {}", amount.units(), fee_max.units())?;
                writeln!(text, "memo: {}", or_dash(*memo))
            }
            Act::Contribute { from, amount, memo } => {
                writeln!(text, "from: {from}\namount-ks: {}\nmemo: {}", amount.units(), or_dash(*memo))
            }
            Act::Grant { to, amount, memo } | Act::Mint { to, amount, memo } => {
                writeln!(text, "to: {to}\namount-ks: {}\nmemo: {}", amount.units(), or_dash(*memo))
            }
            Act::Policy(lines) => lines.iter().try_for_each(|(name, value)| writeln!(text, "set: {name}={value}")),
            Act::DidKey(event) => write_event(text, event),
            Act::Treasurers(treasurers) => {
                writeln!(text, "needed: {}", treasurers.needed())?;
                treasurers.iter().try_for_each(|did| writeln!(text, "treasurer: {did}"))
            }
            Act::Freeze { citizen, hours, reason } => writeln!(text, "citizen: {citizen}\nhours: {hours}\nreason: {reason}"),
            Act::ShareExports(share) => write_share(text, share),
        }
    }
}

fn write_share(text: &mut String, share: &SignedShare) -> fmt::Result {
    let SignedShare { from, device, begin, end, earned, among } = share;
    writeln!(text, "from: {from}\ndevice: {device}\nbegin: {begin}\nend: {end}")?;
    match earned {
        SignedEarned::Said { amount, exported_mwh } => {
            writeln!(text, "amount-ks: {}\nexported-mwh: {}", amount.units(), or_dash(exported_mwh.map(Amount::units)))?;
        }
        SignedEarned::Counted { amount_max } => writeln!(text, "counted-max-ks: {}", amount_max.units())?,
    }
    writeln!(text, "rule: {}", among.rule())?;
    among.lines().into_iter().try_for_each(|member| writeln!(text, "member: {member}"))
}

fn write_event(text: &mut String, event: &DidKeyEvent) -> fmt::Result {
    let (key, old) = match event.change {
        Change::Add(key) | Change::Recover(key) => (Some(key), None),
        Change::Revoke(old) => (None, Some(old)),
        Change::Rotate { old, new } => (Some(new), Some(old)),
    };
    writeln!(text, "did: {}\nevent: {}\nchange: {}", event.did, event.number, event.change.as_str())?;
    writeln!(text, "key: {}\nold: {}\nrecovery: {}", or_dash(key), or_dash(old), or_dash(event.recovery.map(|hash| hex(&hash))))
}

fn or_dash(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
