//! The rules of the Hive that it changes itself, by records, while the desk is open: a closed list. What the configuration says is the default, what
//! the journal says wins. They only bear on what is decided next: replay never looks at them.

use lab3_finance::Grants;
use lab3_trust::{PolicyLines, Readers, State};
use lab3_units::{Amount, Asset, Code, FeeRate, Problem};

use crate::decide::Policy;

/// The word that gives a rule back to the configuration.
const DEFAULT: &str = "default";

/// The most an amount can be set to: a million million MIC, as in the configuration.
const MIC_MAX: Amount = Amount::new(1_000_000_000_000_000_000);

/// One rule.
#[derive(Debug)]
pub struct HiveRule {
    /// Its name: that of the configuration's key, where there is one.
    pub name: &'static str,
    /// One line for people.
    pub meaning: &'static str,
    /// What it can be set to, in words.
    pub takes: &'static str,
    show: fn(&Policy) -> String,
    /// Sets it; whether the value is one.
    set: fn(&mut Policy, &str) -> bool,
}

/// How a rule stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiveRuleStanding {
    /// What holds.
    pub value: String,
    /// What the configuration says.
    pub configured: String,
    /// Whether the journal says otherwise, or the same once more.
    pub set: bool,
}

const AMOUNT: &str = "an amount of MIC, at most 6 decimals";

/// Every rule there is, by name.
pub const RULES: &[HiveRule] = &[
    HiveRule {
        name: "compute.quota_gic",
        meaning: "Compute allowance of a citizen in a calendar month (UTC), in MIC; of months that begin after it was set.",
        takes: AMOUNT,
        show: |policy| mic(policy.compute.quota),
        set: |policy, text| amount(&mut policy.compute.quota, text),
    },
    HiveRule {
        name: "finance.epoch_reward_gic",
        meaning: "MIC minted when an epoch closes.",
        takes: AMOUNT,
        show: |policy| mic(policy.finance.epoch_reward),
        set: |policy, text| amount(&mut policy.finance.epoch_reward, text),
    },
    HiveRule {
        name: "finance.fee_percent",
        meaning: "Fee on a transfer, in percent of its amount, to the pool.",
        takes: "a percentage from 0 to 100, at most 7 decimals",
        show: |policy| policy.finance.fee.percent().to_string(),
        set: |policy, text| put(&mut policy.finance.fee, FeeRate::from_percent(text).ok()),
    },
    HiveRule {
        name: "finance.grants",
        meaning: "Who may give grants on an open Hive: open (whoever is on its machine) or governed (only with an approval).",
        takes: "open or governed",
        show: |policy| policy.finance.grants.as_str().to_owned(),
        set: |policy, text| {
            put(&mut policy.finance.grants, [Grants::Open, Grants::Governed].into_iter().find(|grants| grants.as_str() == text))
        },
    },
    HiveRule {
        name: Readers::RULE,
        meaning: "Who may read the journal's records; checkpoints and hashes are everybody's.",
        takes: "everybody, members or auditors",
        // Whoever judges requests reads it where it stands, in the state.
        show: |_| Readers::default().as_str().to_owned(),
        set: |_, text| Readers::parse(text).is_some(),
    },
    HiveRule {
        name: "trust.unsigned_max_gic",
        meaning: "The most a member who has no key to sign with pays unsigned in one transfer, in MIC.",
        takes: AMOUNT,
        show: |policy| mic(policy.unsigned_max),
        set: |policy, text| amount(&mut policy.unsigned_max, text),
    },
];

impl HiveRule {
    /// The rule of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.name == name)
    }

    /// Whether it can be set to this.
    ///
    /// Errors: `FIELD_RANGE`, in the field of the rule's name.
    pub fn check(&self, value: &str) -> Result<(), Problem> {
        if value == DEFAULT || (self.set)(&mut Policy::default(), value) {
            return Ok(());
        }
        let detail = format!("The rule {} takes {}; or {DEFAULT}, for what the configuration says.", self.name, self.takes);
        Err(Problem::new(Code::FIELD_RANGE, detail).in_field(self.name))
    }

    /// How it stands.
    pub fn standing(&self, configured: &Policy, trust: &State) -> HiveRuleStanding {
        let set = self.value(trust);
        let in_force = set.map(|value| self.shown(configured, value));
        let configured = (self.show)(configured);
        HiveRuleStanding { set: set.is_some(), value: in_force.unwrap_or_else(|| configured.clone()), configured }
    }

    /// What the journal says, when that is something this version understands.
    fn value<'a>(&self, trust: &'a State) -> Option<&'a str> {
        trust.policy(self.name).filter(|value| *value != DEFAULT && self.check(value).is_ok())
    }

    /// The value in its usual spelling.
    fn shown(&self, configured: &Policy, value: &str) -> String {
        if self.name == Readers::RULE {
            return value.to_owned();
        }
        let mut policy = configured.clone();
        let _ = (self.set)(&mut policy, value);
        (self.show)(&policy)
    }
}

/// Whether these can be set.
///
/// Errors: `FIELD_UNKNOWN` and `FIELD_RANGE`, in the field of the rule's name.
pub fn check_rules(lines: &PolicyLines) -> Result<(), Problem> {
    lines.iter().try_for_each(|(name, value)| HiveRule::named(name).ok_or_else(|| unknown(name))?.check(value))
}

fn unknown(name: &str) -> Problem {
    let known = RULES.iter().map(|rule| rule.name).collect::<Vec<_>>().join(", ");
    Problem::new(Code::FIELD_UNKNOWN, format!("There is no rule of that name. Known are: {known}.")).in_field(name.to_owned())
}

/// The rules' parameters as they hold now.
pub(crate) fn in_force(configured: &Policy, trust: &State) -> Policy {
    let mut policy = configured.clone();
    for rule in RULES {
        if let Some(value) = rule.value(trust) {
            let _ = (rule.set)(&mut policy, value);
        }
    }
    policy
}

fn mic(amount: Amount) -> String {
    Asset::MIC.decimal(amount).to_string()
}

fn amount(slot: &mut Amount, text: &str) -> bool {
    put(slot, Asset::MIC.parse(text).ok().filter(|amount| (Amount::ZERO..=MIC_MAX).contains(amount)))
}

fn put<T>(slot: &mut T, value: Option<T>) -> bool {
    value.map(|value| *slot = value).is_some()
}

#[cfg(test)]
mod tests {
    use lab3_trust::{By, Deed, Fact};
    use lab3_units::Time;

    use super::*;

    fn trust(pairs: &[(&str, &str)]) -> State {
        let mut state = State::default();
        for (name, value) in pairs {
            let lines = PolicyLines::new([(*name, *value)]).unwrap();
            state.apply(Time::from_millis(0), &Fact { by: By::Desk, deed: Deed::PolicyChanged { lines, approval: None } });
        }
        state
    }

    #[test]
    fn every_rule_takes_what_it_shows_and_no_nonsense() {
        assert!(RULES.is_sorted_by_key(|rule| rule.name));
        for rule in RULES {
            assert_eq!(rule.check(&(rule.show)(&Policy::default())), Ok(()), "{}", rule.name);
            assert_eq!(rule.check("default"), Ok(()));
            for wrong in ["", "x", "-1", "Default", "1e30", "0.00000001", "open ", "\u{1f}"] {
                let problem = rule.check(wrong).unwrap_err();
                assert_eq!((problem.code(), problem.field.as_deref()), (Code::FIELD_RANGE, Some(rule.name)), "{wrong:?}");
            }
        }
        let lines = PolicyLines::new([("log.reader", "members")]).unwrap();
        let problem = check_rules(&lines).unwrap_err();
        assert_eq!((problem.code(), problem.field.as_deref()), (Code::FIELD_UNKNOWN, Some("log.reader")));
    }

    #[test]
    fn what_the_journal_says_wins_until_it_gives_it_back() {
        let configured = Policy::default();
        let check = |pairs: &[(&str, &str)], name: &str, value: &str, set: bool| {
            let trust = trust(pairs);
            let standing = HiveRule::named(name).unwrap().standing(&configured, &trust);
            assert_eq!((&*standing.value, standing.set), (value, set), "{pairs:?}");
            let policy = in_force(&configured, &trust);
            if name != Readers::RULE {
                assert_eq!((HiveRule::named(name).unwrap().show)(&policy), value, "{pairs:?}");
            }
        };
        check(&[], "trust.unsigned_max_gic", "1.0", false);
        check(&[("trust.unsigned_max_gic", "2.5")], "trust.unsigned_max_gic", "2.5", true);
        check(&[("trust.unsigned_max_gic", "1")], "trust.unsigned_max_gic", "1.0", true);
        check(&[("trust.unsigned_max_gic", "2"), ("trust.unsigned_max_gic", "default")], "trust.unsigned_max_gic", "1.0", false);
        check(&[("finance.grants", "governed")], "finance.grants", "governed", true);
        check(&[("finance.fee_percent", "0.5")], "finance.fee_percent", "0.5", true);
        check(&[("finance.epoch_reward_gic", "0")], "finance.epoch_reward_gic", "0.0", true);
        check(&[("compute.quota_gic", "7")], "compute.quota_gic", "7.0", true);
        check(&[("log.readers", "everybody")], "log.readers", "everybody", true);
        // From a version that knew more.
        check(&[("log.readers", "friends"), ("log.colour", "red")], "log.readers", "members", false);
    }
}
