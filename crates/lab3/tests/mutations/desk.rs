//! A desk on a stored Hive, opened in process as `lab3 serve` opens it, and what it shows to others.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use lab3::signer;
use lab3_audit::{Source, Unserved};
use lab3_engine::{Clock, Engine, Limits, ManualClock, Policy, Stored};
use lab3_tlog::{Checkpoint, Hash, Note, Signer, encode_entries, verify_consistency};
use lab3_units::{Id, Problem, Time};
use tokio::runtime::Runtime;

use crate::home::Home;

pub const HIVE: &str = "Kaizen";

/// What the books assert when an event is applied, in a build with such assertions.
const ASSERTIONS: [&str; 3] = ["a decided event overflows", "a hold was extended that was not open", "a hold ended that was not open"];

/// Whether this is what somebody panicked with who asserts something of the books.
pub fn is_assertion(panicked: &dyn Any) -> bool {
    let said = panicked.downcast_ref::<&str>().copied().or_else(|| panicked.downcast_ref::<String>().map(String::as_str));
    said.is_some_and(|said| ASSERTIONS.contains(&said) || (said.starts_with("attempt to ") && said.ends_with(" with overflow")))
}

/// A running desk.
pub struct Desk {
    pub engine: Engine,
    pub runtime: Arc<Runtime>,
    pub clock: Arc<ManualClock>,
    /// What checkpoints are signed with; none when the desk opened and says that it signs nothing.
    pub signer: Option<Signer>,
    pub note: Option<Note>,
}

pub fn runtime() -> Arc<Runtime> {
    Arc::new(tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap())
}

/// Why a desk does not open.
pub enum Closed {
    /// It refuses, and says so.
    Refused(String),
    /// It was built to stop where a record does something to the books that no rule would have done, which a desk built for use passes over.
    Asserted,
}

impl Desk {
    /// Opens the desk at that moment.
    pub fn try_open(home: &Home, now: Time, runtime: &Arc<Runtime>) -> Result<Self, Closed> {
        let opened = panic::catch_unwind(AssertUnwindSafe(|| Self::open(home, now, runtime)));
        match opened {
            Ok(opened) => opened.map_err(Closed::Refused),
            Err(panicked) if is_assertion(&*panicked) => Err(Closed::Asserted),
            Err(panicked) => panic::resume_unwind(panicked),
        }
    }

    /// Opens the desk at that moment; else why it does not open.
    pub fn open(home: &Home, now: Time, runtime: &Arc<Runtime>) -> Result<Self, String> {
        let clock = Arc::new(ManualClock::new(now));
        let store = Arc::new(signer::store(&home.data()).map_err(|error| error.to_string())?);
        let limits = Limits { snapshot_every_records: 100, ..Limits::default() };
        let engine = Engine::start(store, Policy::default(), clock.clone(), limits).map_err(|error| error.to_string())?;
        let opened = runtime.block_on(signer::open(&engine, HIVE, &home.data()));
        // The signer says no more than whether it opens; its folder has the rest.
        let signs = match opened {
            Ok(signs) => signs.is_ok(),
            Err(refusal) => {
                engine.stop();
                return Err(refusal.to_string());
            }
        };
        let signer = signs.then(|| home.signer().unwrap());
        let mut desk =
            Self { engine, runtime: runtime.clone(), clock, signer, note: home.signed().filter(|_| signs).map(|(note, _)| note) };
        desk.sign();
        Ok(desk)
    }

    /// Signs what is new since the last checkpoint, as the desk does every second: only what continues it.
    pub fn sign(&mut self) {
        let Some(signer) = &self.signer else { return };
        let log = self.engine.log();
        let head = self.wait(log.head()).unwrap();
        let last = self.note.as_ref().map(|note| Checkpoint::parse(note.text()).unwrap());
        if let Some(last) = last.filter(|last| last.size > 0) {
            let proof = self.wait(log.consistency(last.size, head.size)).unwrap();
            verify_consistency(last.size, head.size, &last.root, &head.root, &proof).unwrap();
            if last.size == head.size {
                return;
            }
        }
        let origin = signer.verifier().name().to_owned();
        let checkpoint = Checkpoint { origin, size: head.size, root: head.root, extensions: Vec::new() };
        self.note = Some(checkpoint.sign(signer).unwrap());
    }

    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The records' bytes.
    pub fn entries(&self) -> Result<Vec<Vec<u8>>, Problem> {
        self.wait(self.engine.log().entries(1..self.engine.log().size() + 1))
    }

    /// The records with the words people wrote in them; none of one that is left out.
    pub fn records(&self) -> Vec<Result<Option<Stored>, Problem>> {
        let read = |sequence| self.wait(self.engine.records(vec![sequence])).map(|mut found| found.pop());
        (1..=self.engine.log().size()).map(read).collect()
    }

    pub fn find(&self, id: Id) -> Result<Option<Stored>, Problem> {
        self.wait(self.engine.find(id))
    }

    pub fn state_hash(&self) -> Hash {
        self.wait(self.engine.freeze()).unwrap().hash()
    }

    pub fn now(&self) -> Time {
        self.clock.now()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.engine.stop();
    }
}

fn unserved(error: impl std::fmt::Display) -> Unserved {
    Unserved(error.to_string())
}

impl Source for Desk {
    fn checkpoint(&mut self) -> Result<Vec<u8>, Unserved> {
        let note = self.note.as_ref().ok_or_else(|| unserved("this desk signs no checkpoints"))?;
        Ok(note.to_string().into_bytes())
    }

    fn key(&mut self) -> Result<String, Unserved> {
        self.signer.as_ref().map(|signer| signer.verifier().to_string()).ok_or_else(|| unserved("this desk signs no checkpoints"))
    }

    fn data_tile(&mut self, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        let first = index * 256 + 1;
        let entries = self.wait(self.engine.log().entries(first..first + u64::from(width))).map_err(unserved)?;
        encode_entries(&entries).map_err(unserved)
    }

    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        let first = index * 256;
        let hashes = self.wait(self.engine.log().nodes(level * 8, first..first + u64::from(width))).map_err(unserved)?;
        Ok(hashes.concat())
    }
}
