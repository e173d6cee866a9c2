//! What a key may do: words for people, bits for the journal.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! scopes {
    ($($name:ident = $bit:literal, $word:literal, $what:literal;)*) => {
        /// One thing a key may do. The number is the bit in the journal: it never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum Scope {
            $(#[doc = $what] $name = $bit,)*
        }

        impl Scope {
            /// Every scope, in the order of the bits.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it allows, in a few words.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }
        }
    };
}

scopes! {
    Read = 0, "read", "see balances, quotas, histories, allocations";
    Journal = 1, "journal", "read the journal's entries and proofs";
    Metrics = 2, "metrics", "read the desk's metrics and how it stands";
    Compute = 3, "compute", "ask models, allocate, settle and release";
    Money = 4, "money", "pay from one's own wallet: transfer, contribute";
    Grants = 5, "grants", "pay grants from the pool";
    Mint = 6, "mint", "make new money";
    Epoch = 7, "epoch", "close the epoch";
    Policy = 8, "policy", "change the Hive's rules, name treasurers";
    Keys = 9, "keys", "create, rotate and revoke keys";
    Members = 10, "members", "approve a DID's first key, note did:web documents, change delegations";
    Freeze = 11, "freeze", "freeze an account for a while, and thaw it";
    Providers = 12, "providers", "change providers and their secrets";
    Limits = 13, "limits", "change limits";
    Backup = 14, "backup", "make and check backups";
    Seal = 15, "seal", "close the open Hive, inscribe the journal";
    Meter = 16, "meter", "append readings of one meter";
    Witness = 17, "witness", "have checkpoints countersigned";
    Module = 18, "module", "look after one module";
    Erase = 19, "erase", "erase what one wrote in a record";
}

impl Scope {
    /// The scope of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == word)
    }

    /// Whether it changes nothing.
    pub const fn only_reads(self) -> bool {
        matches!(self, Self::Read | Self::Journal | Self::Metrics)
    }
}

/// A set of scopes. Bits in the journal, a list of words in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scopes(u32);

impl Scopes {
    /// None.
    pub const NONE: Self = Self(0);

    /// Every scope there is.
    pub const ALL: Self = Self::of(Scope::ALL);

    /// These scopes.
    pub const fn of(scopes: &[Scope]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < scopes.len() {
            bits |= 1 << scopes[at] as u32;
            at += 1;
        }
        Self(bits)
    }

    /// Reads words; an unknown one comes back as the error.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        words.into_iter().try_fold(Self::NONE, |set, word| Ok(set.with(Scope::parse(word).ok_or(word)?)))
    }

    /// The bits, as the journal has them.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether the scope is one of them.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & 1 << scope as u32 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether each of them is in `other` too.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// What is in both.
    pub const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// These, and `scope`.
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | 1 << scope as u32)
    }

    /// These, and not `scope`.
    pub const fn without(self, scope: Scope) -> Self {
        Self(self.0 & !(1 << scope as u32))
    }

    /// What is here and not in `other`.
    pub const fn beyond(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The scopes, in order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.has(*scope))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_seq(self.iter().map(Scope::as_str));
        }
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let words = Vec::<String>::deserialize(deserializer)?;
            let unknown = |word| serde::de::Error::custom(format!("there is no scope {word}"));
            return Self::parse(words.iter().map(String::as_str)).map_err(unknown);
        }
        u32::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_bits_read_back() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(*scope));
            assert_eq!(Scopes::of(&[*scope]).bits(), 1 << *scope as u32);
        }
        assert_eq!(Scopes::parse(["read", "money"]), Ok(Scopes::of(&[Scope::Money, Scope::Read])));
        assert_eq!(Scopes::parse(["read", "Money"]), Err("Money"));
        let json = serde_json::to_string(&Scopes::of(&[Scope::Mint, Scope::Read])).unwrap();
        assert_eq!(json, r#"["read","mint"]"#);
        assert_eq!(serde_json::from_str::<Scopes>(&json).unwrap().to_string(), "read, mint");
    }

    #[test]
    fn sets_are_compared_scope_by_scope() {
        let both = Scopes::of(&[Scope::Read, Scope::Money]);
        let one = Scopes::of(&[Scope::Read]);
        assert!(one.is_within(both) && !both.is_within(one) && Scopes::NONE.is_within(one));
        assert_eq!((both.beyond(one), both.both(one), one.with(Scope::Money)), (Scopes::of(&[Scope::Money]), one, both));
    }
}
