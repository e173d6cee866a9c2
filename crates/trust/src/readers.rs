//! Who may read the journal's records: what the Hive's rule `log.readers` says. Checkpoints and hashes are everybody's in any case.

use crate::{Kind, Owned, Rule, Scope, State};

/// What reading records asks for, unless everybody may.
pub const READ_RECORDS: Rule = Rule::new(&Kind::ALL, Scope::Journal, Owned::Records);

/// Who may read the journal's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Readers {
    /// Whoever comes, also those who name nobody.
    Everybody,
    /// Whoever has a key with the scope `journal`.
    #[default]
    Members,
    /// Auditors, and the operator.
    Auditors,
}

impl Readers {
    /// All of them, the most open first.
    pub const ALL: [Self; 3] = [Self::Everybody, Self::Members, Self::Auditors];

    /// The rule's name.
    pub const RULE: &'static str = "log.readers";

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everybody => "everybody",
            Self::Members => "members",
            Self::Auditors => "auditors",
        }
    }

    /// The one of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|readers| readers.as_str() == word)
    }

    /// What this Hive says. A word that says nothing is as if it were not there.
    pub fn of(state: &State) -> Self {
        state.policy(Self::RULE).and_then(Self::parse).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ALICE, Hive, citizen, signing};
    use crate::{ChangePolicy, Holder, PolicyLines, Principal, Touched};
    use lab3_units::Code;

    /// Who reads once the rule says this word: nobody named, a citizen's key, a signer, an auditor's key, the operator's.
    fn check(word: Option<&str>, expected: [Result<(), Code>; 5]) {
        let mut hive = Hive::open();
        let alice = hive.make(&Principal::Local, citizen(ALICE)).unwrap();
        let operator = hive.make(&Principal::Desk, Holder::Operator).unwrap();
        let auditor = hive.make(&operator, Holder::Auditor).unwrap();
        if let Some(word) = word {
            let lines = PolicyLines::new([(Readers::RULE, word)]).unwrap();
            hive.run(&operator, ChangePolicy { lines, approval: None }).unwrap();
        }
        let asked = [Principal::Nobody, alice, signing(1), auditor, operator];
        assert_eq!(asked.map(|who| hive.judge(&who, READ_RECORDS, &Touched::Records)), expected, "{word:?}");
    }

    #[test]
    fn the_rule_says_who_reads() {
        let (no, who) = (Err(Code::NOT_ALLOWED), Err(Code::UNNAMED));
        check(None, [who, Ok(()), Ok(()), Ok(()), Ok(())]);
        check(Some("members"), [who, Ok(()), Ok(()), Ok(()), Ok(())]);
        check(Some("nonsense"), [who, Ok(()), Ok(()), Ok(()), Ok(())]);
        check(Some("everybody"), [Ok(()); 5]);
        check(Some("auditors"), [who, no, no, Ok(()), Ok(())]);
    }
}
