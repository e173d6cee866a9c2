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

/// The changes to try, one number each, and what came of those tried.
struct Trial<'a> {
    honest: &'a Honest,
    scratch: &'a Scratch,
    /// One is repeated, to look at.
    told: bool,
    next: AtomicU64,
    end: u64,
    table: Mutex<Table>,
    missed: Mutex<Vec<String>>,
}

impl Trial<'_> {
    /// Tries changes until none is left.
    fn work(&self, worker: usize) {
        let (home, runtime) = (self.scratch.home(&format!("worker{worker}")), desk::runtime());
        loop {
            let round = self.next.fetch_add(1, Ordering::Relaxed);
            if round >= self.end {
                return;
            }
            let mut dice = Dice::new(round);
            let kind = draw(&mut dice);
            let what = (kind.make)(&mut Scene { home: &home, honest: self.honest, dice: &mut dice });
            let visited = 1 + dice.below(self.honest.len());
            let found = judge(&home, self.honest, visited, &runtime);
            self.note(round, kind, &format!("{} ({what}), the auditor saw {visited}", kind.name), found);
        }
    }

    fn note(&self, round: u64, kind: &Kind, what: &str, found: Result<(Caught, String), String>) {
        match found {
            Ok((caught, how)) => {
                if self.told {
                    println!("{what}: {} ({how})", caught.as_str());
                }
                *self.table.lock().unwrap().entry(kind.name).or_default().entry(caught).or_default() += 1;
            }
            Err(why) => self.missed.lock().unwrap().push(format!("LAB3_MUTATION={round}: {what}: {why}")),
        }
    }
}

#[test]
fn every_change_of_a_stored_hive_is_caught() {
    // What a desk asserts while it opens is judged, not told.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panicked| {
        if !desk::is_assertion(panicked.payload()) {
            told(panicked);
        }
    }));
    let scratch = Scratch::new("stored");
    let honest = Honest::live(&scratch);
    honest.closed.put(&scratch.home("honest"));
    let whole = judge(&scratch.home("honest"), &honest, honest.len(), &desk::runtime());
    assert_eq!(whole, Ok((Caught::Harmless, String::new())), "the honest Hive itself");
    let one = setting("LAB3_MUTATION");
    let (first, end) = one.map_or_else(|| (0, setting("LAB3_MUTATIONS").unwrap_or(300)), |one| (one, one + 1));
    let (next, table, missed) = (AtomicU64::new(first), Mutex::default(), Mutex::default());
    let trial = Trial { honest: &honest, scratch: &scratch, told: one.is_some(), next, end, table, missed };
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        for worker in 0..workers {
            let trial = &trial;
            scope.spawn(move || trial.work(worker));
        }
    });
    print(&trial.table.into_inner().unwrap());
    let missed = trial.missed.into_inner().unwrap();
    assert!(missed.is_empty(), "{} of {} changes were caught by nobody:\n{}", missed.len(), end - first, missed.join("\n"));
}

fn print(table: &Table) {
    let line = |name: &str, counts: [String; Caught::ALL.len()]| {
        let [start, audit, witness, reading, harmless] = counts;
        println!("{name:34}{start:>9}{audit:>9}{witness:>9}{reading:>9}{harmless:>9}");
    };
    line("kind", Caught::ALL.map(|caught| caught.as_str().to_owned()));
    let row = |counts: &BTreeMap<Caught, u64>| Caught::ALL.map(|caught| counts.get(&caught).copied().unwrap_or(0).to_string());
    let mut all = BTreeMap::new();
    for kind in KINDS {
        let counts = table.get(kind.name).cloned().unwrap_or_default();
        line(kind.name, row(&counts));
        for (caught, count) in counts {
            *all.entry(caught).or_default() += count;
        }
    }
    line("all", row(&all));
}
