//! A disk that is full, and one that fails, under load.
//!
//! Shown, on a real tmpfs that fills up and with a preloaded shim (`shim/failing_disk.c`) that fails SQLite's writes and
//! its syncs: while the disk fails writers get 503 problem documents and reads are answered; afterwards the same process goes on without a
//! restart; nothing acknowledged is lost or done twice, nothing is invented, also when the process is killed while the disk
//! fails. It fails when a reply leaves although the append failed, when the state stays ahead of the journal after a failure, when a
//! write that became durable all the same is done again, or when the writer does not come back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::process::Command;
use std::sync::atomic::Ordering;

use lab3_tests::{Client, Desk, Folder, Shim, Workers, audit, binary, setting, skip, wait};

const WORKERS: u32 = 8;

/// Snapshots so often that they meet the faults.
const SNAPSHOTS: &str = "engine.snapshot_every_records=1000";

const NO_COMPILER: &str = "there is no C compiler (cc) to build the failing disk with";

/// A small file system of its own. Gone when dropped.
struct Tmpfs(String);

impl Tmpfs {
    fn mount(place: String, size: &str) -> Result<Self, String> {
        std::fs::create_dir_all(&place).unwrap();
        let mounting = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "lab3-tests", &place]).output();
        match mounting {
            Ok(output) if output.status.success() => Ok(Self(place)),
            Ok(output) => Err(format!("mount: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) => Err(format!("mount: {error}")),
        }
    }

    fn ballast(&self) -> String {
        format!("{}/ballast", self.0)
    }

    /// Writes until nothing more fits.
    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::options().create(true).append(true).open(self.ballast()).unwrap();
        for block in [vec![0; 1 << 16], vec![0; 1 << 8]] {
            while file.write_all(&block).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: when the test fails the desk may still have files open here.
        let _ = Command::new("umount").args(["-l", &self.0]).status();
    }
}

#[test]
fn a_full_disk() {
    let folder = Folder::new("full");
    let rounds = setting("LAB3_DISK_ROUNDS", 3);
    // Room for what the rounds write between one fault and the next, the journal's log included: only the ballast fills the disk.
    let tmpfs = match Tmpfs::mount(folder.at("small"), &format!("{}m", 24 * rounds)) {
        Ok(tmpfs) => tmpfs,
        Err(why) => return skip("disk::a_full_disk", &format!("a small file system cannot be mounted here ({why}); run it as root")),
    };
    let data = format!("{}/data", tmpfs.0);
    let mut command = binary::command(&["serve", "--data", &data]);
    command.args(["--set", SNAPSHOTS]);
    let desk = Desk::spawn(command, &folder.at("desk")).unwrap();
    let mut workers = Workers::new(WORKERS, 21);
    for _ in 0..rounds {
        // The workers go on filling what room is left; what they cannot write is refused.
        suffer(&desk, &mut workers, || tmpfs.fill(), || tmpfs.make_room());
    }
    finish(desk, &data, &mut workers);
}

#[test]
fn sqlite_meets_errors() {
    let folder = Folder::new("errors");
    let Some(shim) = Shim::build(&folder) else { return skip("disk::sqlite_meets_errors", NO_COMPILER) };
    let data = folder.at("data");
    let desk = shim.open(&data, &["--set", SNAPSHOTS]);
    let mut workers = Workers::new(WORKERS, 22);
    for round in 0..setting("LAB3_DISK_ROUNDS", 3) {
        for how in ["e", "s", "f"] {
            let failures = shim.failures();
            suffer(&desk, &mut workers, || shim.fail(how), || shim.work());
            assert!(shim.failures() > failures, "round {round}: the disk did not fail with {how}");
        }
    }
    finish(desk, &data, &mut workers);
}

#[test]
fn killed_while_the_disk_fails() {
    let folder = Folder::new("killed");
    let Some(shim) = Shim::build(&folder) else { return skip("disk::killed_while_the_disk_fails", NO_COMPILER) };
    let data = folder.at("data");
    let mut workers = Workers::new(WORKERS, 23);
    for round in 0..setting("LAB3_DISK_ROUNDS", 3) {
        for how in ["s", "e", "f"] {
            let desk = shim.open(&data, &["--set", SNAPSHOTS]);
            let address = desk.address().to_owned();
            workers.write_while(&address, |counts| {
                more(&counts.acknowledged, 30, "writes");
                shim.fail(how);
                more(&counts.unavailable, 1 + 7 * round, "refusals");
                desk.kill();
            });
            shim.work();
        }
    }
    let desk = shim.open(&data, &["--set", SNAPSHOTS]);
    finish(desk, &data, &mut workers);
}

/// The disk fails under load and works again; the desk refuses meanwhile, answers questions, and goes on.
fn suffer(desk: &Desk, workers: &mut Workers, fail: impl FnOnce(), work: impl FnOnce()) {
    workers.write_while(desk.address(), |counts| {
        more(&counts.acknowledged, 100, "writes before the fault");
        fail();
        more(&counts.unavailable, 40, "refusals while the disk fails");
        answers_questions(&desk.client());
        more(&counts.unavailable, 40, "refusals after the questions");
        work();
        more(&counts.acknowledged, 100, "writes after the fault");
        assert_eq!(counts.lost.load(Ordering::Relaxed), 0, "a connection was cut");
    });
}

/// Waits until a counter has risen by so much.
fn more(counter: &std::sync::atomic::AtomicU64, by: u64, what: &str) {
    let from = counter.load(Ordering::Relaxed);
    wait::until(what, || (counter.load(Ordering::Relaxed) >= from + by).then_some(()));
}

/// Balances, allowances and the pool are answered; a read may meet the moment in which the state is loaded again.
fn answers_questions(client: &Client) {
    for path in ["/lab3/financial/balance/did:kaizen:wallet1", "/lab3/compute/quota/did:kaizen:worker1-0", "/lab3/financial/pool"] {
        wait::until("an answer while the disk fails", || {
            let reply = client.get(path).unwrap();
            assert!(matches!(reply.status, 200 | 503), "{path}: {reply:?}");
            (reply.status == 200).then_some(())
        });
    }
    client.ask("/lab3/health");
}

/// Everything is known and accounted for, and the history has caught up.
fn finish(desk: Desk, data: &str, workers: &mut Workers) {
    workers.resolve(&desk.client());
    wait::until("the history to catch up", || {
        let reply = desk.client().get("/lab3/financial/transactions?limit=5").unwrap();
        (reply.status == 200).then_some(())
    });
    println!("{:?}", workers.counts);
    audit::audit(desk, data, &workers.done());
}
