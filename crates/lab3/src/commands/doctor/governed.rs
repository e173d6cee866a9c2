//! Who decides about new money, grants and rules; and which rules are not the configuration's.

use lab3_engine::{Policy, RULES};
use lab3_trust::State;

use super::Finding;

pub(super) fn findings(trust: &State, configured: &Policy) -> Vec<Finding> {
    let rules = RULES.iter().filter_map(|rule| {
        let standing = rule.standing(configured, trust);
        let what = format!("the rule {} is {}, by policy; the configuration has {}", rule.name, standing.value, standing.configured);
        standing.set.then(|| Finding::ok(what))
    });
    std::iter::once(treasurers(trust)).chain(rules).collect()
}

fn treasurers(trust: &State) -> Finding {
    let Some(named) = trust.treasurers() else {
        return Finding::ok("there are no treasurers: the operator's keys decide about new money, grants and rules");
    };
    let (needed, all) = (usize::from(named.needed()), named.iter().count());
    let able = named.iter().filter(|did| !trust.keys_of(did).is_empty()).count();
    let what = format!("of {all} treasurers {needed} have to sign for new money, grants and rules");
    match able {
        able if able < needed => {
            let help = "their keys' holders have to register others: nobody else can decide, or name others";
            Finding::bad(format!("{what}, and {able} have a key to sign with"), help)
        }
        able if able < all => {
            Finding::look(format!("{what}; {able} have a key to sign with"), "have the others register one: lab3 treasurers show")
        }
        _ => Finding::ok(what),
    }
}
