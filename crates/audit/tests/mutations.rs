//! A thousand random changes of what a log serves, each caught.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod mutate;
mod served;

use hive::Dice;
use lab3_audit::audit;
use lies::{honest, terms};
use mutate::mutated;

#[test]
fn a_thousand_changes_are_caught() {
    let honest = honest();
    let mut dice = Dice::new(4);
    for round in 0..1000 {
        let (what, mut log) = mutated(&honest, &mut dice, true);
        let verdict = audit(&mut log, &lab3_audit::Terms { key: Some(served::signer(7).verifier().clone()), ..terms() }, |_, _| {});
        assert!(!verdict.holds(), "round {round}: {what}");
    }
}
