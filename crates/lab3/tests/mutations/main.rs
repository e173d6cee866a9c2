//! Random changes of a stored Hive, each caught: by the start, by `lab3 audit`, by a witness, or by who reads; or shown to change nothing that anybody
//! could see.
//!
//! A real Hive is stored once: data folder and signer's folder, with keys, treasurers, signed intents, an epoch, refusals, words that were
//! erased. Each round puts it into a folder, changes it as a careless disk, a thief of the data or a thief of both folders would, and
//! opens it as `lab3 serve` does. `LAB3_MUTATIONS` says how many, `LAB3_MUTATION` repeats one by its number.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod desk;
mod dice;
mod home;
mod honest;
mod judge;
mod kinds;
mod lies;
mod life;
mod rows;
mod stored;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use dice::Dice;
use home::Scratch;
use honest::Honest;
use judge::{Caught, judge};
use kinds::{KINDS, Kind, Scene};

/// How many changes were caught by whom, by kind.
type Table = BTreeMap<&'static str, BTreeMap<Caught, u64>>;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn draw(dice: &mut Dice) -> &'static Kind {
    let mut left = dice.below(KINDS.iter().map(|kind| kind.weight).sum());
    KINDS.iter().find(|kind| left.checked_sub(kind.weight).map(|rest| left = rest).is_none()).unwrap()
}

#[test]
fn every_change_of_a_stored_hive_is_caught() {
    // What a desk asserts while it opens is judged, not told.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panicked| {
        if !desk::is_assertion(panicked.payload()) {
            told(panicked)
        }
    }));
    let scratch = Scratch::new("stored");
    let honest = Honest::live(&scratch);
    honest.closed.put(&scratch.home("honest"));
    let whole = judge(&scratch.home("honest"), &honest, honest.len(), &desk::runtime());
    assert_eq!(whole, Ok((Caught::Harmless, String::new())), "the honest Hive itself");
    let (first, end) = setting("LAB3_MUTATION").map_or_else(|| (0, setting("LAB3_MUTATIONS").unwrap_or(300)), |one| (one, one + 1));
    let (next, table, missed) = (AtomicU64::new(first), Mutex::new(Table::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..std::thread::available_parallelism().map_or(1, usize::from).min(4) {
            let (honest, scratch, next, table, missed) = (&honest, &scratch, &next, &table, &missed);
            let work = move || {
                let (home, runtime) = (scratch.home(&format!("worker{worker}")), desk::runtime());
                loop {
                    let round = next.fetch_add(1, Ordering::Relaxed);
                    if round >= end {
                        return;
                    }
                    let mut dice = Dice::new(round);
                    let kind = draw(&mut dice);
                    let what = (kind.make)(&mut Scene { home: &home, honest, dice: &mut dice });
                    let visited = 1 + dice.below(honest.len());
                    match judge(&home, honest, visited, &runtime) {
                        Ok((caught, how)) => {
                            if first + 1 == end {
                                println!("{} ({what}), the auditor saw {visited}: {} ({how})", kind.name, caught.as_str());
                            }
                            *table.lock().unwrap().entry(kind.name).or_default().entry(caught).or_default() += 1;
                        }
                        Err(why) => missed
                            .lock()
                            .unwrap()
                            .push(format!("LAB3_MUTATION={round}: {} ({what}), the auditor saw {visited}: {why}", kind.name)),
                    }
                }
            };
            scope.spawn(work);
        }
    });
    print(&table.into_inner().unwrap());
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "{} of {} changes were caught by nobody:\n{}", missed.len(), end - first, missed.join("\n"));
}

fn print(table: &Table) {
    let line =
        |name: &str, counts: Vec<String>| println!("{name:34}{}", counts.iter().map(|text| format!("{text:>9}")).collect::<String>());
    line("kind", Caught::ALL.iter().map(|caught| caught.as_str().to_owned()).collect());
    let row = |counts: &BTreeMap<Caught, u64>| {
        Caught::ALL.iter().map(|caught| counts.get(caught).map_or(0, |&count| count).to_string()).collect()
    };
    let mut all = BTreeMap::new();
    for kind in KINDS {
        let counts = table.get(kind.name).cloned().unwrap_or_default();
        line(kind.name, row(&counts));
        counts.into_iter().for_each(|(caught, count)| *all.entry(caught).or_default() += count);
    }
    line("all", row(&all));
}
