//! The honest Hive that everything is compared with: as it was left, as a kill left it, as it was earlier, and other pasts that its key could
//! have signed; and what others have seen of it.

use std::sync::Arc;

use lab3_audit::Visit;
use lab3_engine::{Record, Stored, read_entry};
use lab3_tlog::{Checkpoint, Hash, Signer, TreeHead, VerifierKey};
use lab3_units::Time;
use tokio::runtime::Runtime;

use crate::desk::{Desk, runtime};
use crate::home::{Files, Scratch, sign};
use crate::life::Life;

/// The record whose words were erased.
const ERASED: u64 = 20;

/// A journal somebody else could be shown.
#[derive(Clone)]
pub struct Past {
    pub files: Files,
    /// As many records as it has in common with the honest one.
    pub common: usize,
}

/// What is known of the honest Hive.
pub struct Honest {
    pub closed: Files,
    pub killed: Files,
    /// Earlier copies, and how many records they have.
    pub earlier: Vec<Past>,
    /// Others that went on from an earlier copy, under the same key.
    pub others: Vec<Past>,
    pub entries: Vec<Vec<u8>>,
    pub records: Vec<Stored>,
    pub root: Hash,
    pub state_hash: Hash,
    pub now: Time,
    pub signer: Signer,
}

impl Honest {
    pub fn live(scratch: &Scratch) -> Self {
        let (home, runtime) = (scratch.home("honest"), runtime());
        Files::default().put(&home);
        let start = Time::parse("2025-10-31T14:30:00Z").unwrap();
        let mut now = start;
        let mut earlier = Vec::new();
        // Days between which the desk is closed, and copied.
        for day in 0..5 {
            let mut desk = Desk::open(&home, now, &runtime).unwrap();
            let mut life = Life::on(&desk, 10 + day);
            match day {
                0 => life.open(),
                1 => life.close(),
                _ => life.live_on(25),
            }
            now = desk.now();
            keep(&mut desk, &home);
            let common = usize::try_from(desk.engine.status().sequence).unwrap();
            drop(desk);
            earlier.push(Past { files: Files::of(&home), common });
        }
        let desk = Desk::open(&home, now, &runtime).unwrap();
        assert_eq!(desk.wait(desk.engine.erase(ERASED)).unwrap(), 1, "record {ERASED} has no words to erase");
        let (entries, root) = (desk.entries().unwrap(), desk.wait(desk.engine.log().head()).unwrap().root);
        let records = desk.records().into_iter().map(|read| read.unwrap().unwrap()).collect();
        let state_hash = desk.state_hash();
        drop(desk);
        let (closed, signer) = (Files::of(&home), home.signer().unwrap());
        earlier.pop();
        let others = earlier.iter().skip(1).map(|past| go_on(past, scratch, now, &runtime)).collect();
        let killed = killed(&closed, scratch);
        Self { closed, killed, earlier, others, entries, records, root, state_hash, now, signer }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn key(&self) -> &VerifierKey {
        self.signer.verifier()
    }

    pub fn record(&self, at: usize) -> Record {
        read_entry(at as u64 + 1, &self.entries[at]).unwrap().record
    }

    /// What an auditor kept who came when there were so many records.
    pub fn visit(&self, size: usize) -> Visit {
        Visit::new(self.key().clone(), sign(&self.signer, &self.entries[..size])).unwrap()
    }

    /// What a witness cosigned last: they are asked with every checkpoint.
    pub fn witnessed(&self) -> TreeHead {
        TreeHead { size: self.len() as u64, root: self.root }
    }
}

/// Keeps the desk's newest checkpoint, as it does itself before anybody sees it.
fn keep(desk: &mut Desk, home: &crate::home::Home) {
    desk.wait(async { while desk.engine.find(lab3_units::Id::from_bytes([0; 16])).await.is_err() {} });
    desk.sign();
    std::fs::write(home.at(crate::home::CHECKPOINT), desk.note.as_ref().unwrap().to_string()).unwrap();
}

/// Another past: an earlier copy goes on otherwise, for longer than the honest one.
fn go_on(past: &Past, scratch: &Scratch, now: Time, runtime: &Arc<Runtime>) -> Past {
    let home = scratch.home("other");
    past.files.put(&home);
    let mut desk = Desk::open(&home, now, runtime).unwrap();
    Life::on(&desk, 900 + past.common as u64).live_on(250);
    keep(&mut desk, &home);
    drop(desk);
    Past { files: Files::of(&home), common: past.common }
}

/// The same journal, the last of it in SQLite's log, as a kill leaves it.
fn killed(closed: &Files, scratch: &Scratch) -> Files {
    let home = scratch.home("killed");
    closed.put(&home);
    let rows = home.rows();
    let connection = home.sql();
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
    connection.execute("DELETE FROM records WHERE first > ?1", [rows[rows.len() / 2].first]).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    for row in rows.iter().skip(rows.len() / 2 + 1) {
        let insert = "INSERT INTO records(first, len, body, openings) VALUES (?1, ?2, ?3, nullif(?4, x''))";
        connection.execute(insert, (row.first, row.len, &row.body, &row.openings)).unwrap();
    }
    let files = Files::of(&home);
    assert!(files.0.contains_key(crate::home::LOG), "there is no log");
    files
}

/// The size a note tells of.
pub fn size_of(note: &lab3_tlog::Note) -> u64 {
    Checkpoint::parse(note.text()).unwrap().size
}
