//! Kill -9 at random moments under load, and start again on the same folder, time after time.
//!
//! Shown: every acknowledged write is there once, with the same reply when it is asked again; what had an unknown outcome is
//! settled by asking again under the same key; nothing was invented; the chain is whole, and a replay gives the state the live desk
//! had. It fails when a reply leaves before its record is durable, a key is forgotten in a crash, a batch is torn apart so that
//! it cannot be repeated, or a snapshot is trusted that is not a state of this journal.
//!
//! In two of three rounds the disk is slow (`shim/failing_disk.c`), so that kills fall between a decision and its durability.
//!
//! `LAB3_KILLS` sets how often (10; 200 in `make faults`), `LAB3_SEED` the dice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::time::Duration;

use lab3_tests::{Desk, Dice, Folder, Shim, Workers, audit, setting};

const WORKERS: u32 = 16;

/// Snapshots so often that kills meet them.
const SNAPSHOTS: &str = "engine.snapshot_every_records=1500";

#[test]
fn nothing_acknowledged_is_lost_and_nothing_invented() {
    let (kills, seed) = (setting("LAB3_KILLS", 10), setting("LAB3_SEED", 7));
    let folder = Folder::new("kill");
    let data = folder.at("data");
    let shim = Shim::build(&folder);
    if let Some(shim) = &shim {
        shim.fail("d");
    }
    let mut dice = Dice::new(seed);
    let mut workers = Workers::new(WORKERS, seed);
    for kill in 1..=kills {
        // Mostly the quick start, from a snapshot; sometimes the whole chain is checked.
        let verify = if kill % 8 == 0 { "journal.verify_on_start=all" } else { "journal.verify_on_start=tail" };
        let arguments = ["--set", SNAPSHOTS, "--set", verify];
        let desk = match &shim {
            Some(shim) if kill % 3 != 0 => shim.open(&data, &arguments),
            _ => Desk::open_with(&data, &arguments),
        };
        let address = desk.address().to_owned();
        workers.write_while(&address, |_| {
            // The moment of the kill is what is random here; nobody waits for anything.
            std::thread::sleep(Duration::from_millis(u64::from(10 + dice.below(300))));
            desk.kill();
        });
    }
    let desk = Desk::open_with(&data, &["--set", SNAPSHOTS]);
    workers.resolve(&desk.client());
    println!("{kills} kills: {:?}", workers.counts);
    audit::audit(desk, &data, &workers.done());
}
