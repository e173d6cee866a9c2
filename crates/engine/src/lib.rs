//! The engine runs the modules: one writer decides, the journal makes durable, the state is the fold of the journal.
//!
//! [`Engine`] is the handle everybody outside uses. Inside, four threads: the *writer* decides and applies commands, the
//! *committer* appends what was decided to the journal and then answers, the *follower* keeps the views, the *snapshotter*
//! writes frozen states.

mod authority;
mod balances;
mod clock;
mod codec;
mod command;
mod commit;
mod committer;
mod decide;
mod engine;
mod journal;
mod load;
mod log;
mod lookup;
mod outcome;
mod recent;
mod record;
mod rules;
mod shared;
mod sheets;
mod snapshot;
mod state;
mod storage;
mod views;
mod writer;

pub use clock::{Clock, ManualClock, SystemClock};
pub use codec::{ChainHash, Damage, read_entry, write_entry};
pub use command::{Command, Energy, Key, Order, Submission, Will, draw_id, item_id, job_end_id, report_id};
pub use commit::Commit;
pub use decide::{Desk, Policy};
pub use engine::{Committed, Engine, Limits, Status};
pub use journal::{Verified, read_records, verify};
pub use load::{StartError, VerifyOnStart};
pub use log::{Log, TreeHead};
pub use record::{Actor, Fact, Record, Signed, Stored};
pub use rules::{HiveRule, HiveRuleStanding, RULES, check_rules};
pub use sheets::BalanceProof;
pub use state::{Frozen, State};
pub use storage::{Journal, JournalReader, MemoryStore, Put, Row, Shelf, ShelfTable, Snapshots, Stamp, Store, StoreError};
pub use views::{Entry, Span};
