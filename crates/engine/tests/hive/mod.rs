//! A Hive for tests of the engine: a store that can be told to fail, a clock turned by hand, short words for commands.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use lab3_engine::{
    Actor, Command, Committed, Engine, Journal, JournalReader, Key, Limits, ManualClock, MemoryStore, Policy, Row, Shelf, Snapshots, Store,
    StoreError, Submission,
};
use lab3_units::{Amount, Asset, Did, Id, Owner, Problem, Time};

/// How the next append goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    None = 0,
    /// Fails, and nothing was written.
    Lost = 1,
    /// Fails, although everything was written.
    WrittenAllTheSame = 2,
}

/// A store in memory whose appends fail on demand.
#[derive(Clone, Default)]
pub struct FaultyStore {
    pub memory: MemoryStore,
    fault: Arc<AtomicU8>,
}

impl FaultyStore {
    pub fn set(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }
}

struct FaultyJournal {
    journal: Box<dyn Journal>,
    fault: Arc<AtomicU8>,
}

impl Journal for FaultyJournal {
    fn append(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        match self.fault.load(Ordering::SeqCst) {
            0 => self.journal.append(rows),
            1 => Err(StoreError::Full("told to".into())),
            _ => {
                self.fault.store(0, Ordering::SeqCst);
                self.journal.append(rows)?;
                Err(StoreError::Io("told to".into()))
            }
        }
    }

    fn replace_openings(&mut self, first: u64, openings: &[u8]) -> Result<(), StoreError> {
        self.journal.replace_openings(first, openings)
    }
}

impl Store for FaultyStore {
    fn journal(&self) -> Result<Box<dyn Journal>, StoreError> {
        Ok(Box::new(FaultyJournal { journal: self.memory.journal()?, fault: self.fault.clone() }))
    }

    fn reader(&self) -> Result<Box<dyn JournalReader>, StoreError> {
        self.memory.reader()
    }

    fn shelf(&self) -> Result<Box<dyn Shelf>, StoreError> {
        self.memory.shelf()
    }

    fn snapshots(&self) -> Box<dyn Snapshots> {
        self.memory.snapshots()
    }
}

/// One Hive under test.
pub struct Hive {
    pub store: FaultyStore,
    pub clock: Arc<ManualClock>,
    pub engine: Engine,
}

pub fn start_time() -> Time {
    Time::parse("2025-10-31T14:30:00Z").unwrap()
}

impl Hive {
    pub fn new() -> Self {
        Self::open(FaultyStore::default(), Arc::new(ManualClock::new(start_time())), Limits::default())
    }

    pub fn open(store: FaultyStore, clock: Arc<ManualClock>, limits: Limits) -> Self {
        let engine = Engine::start(Arc::new(store.clone()), Policy::default(), clock.clone(), limits).unwrap();
        let hive = Self { store, clock, engine };
        // The first record is made durable while the engine goes on: a fault that a test sets next is not meant for it.
        hive.state_hash();
        hive
    }

    /// Stops the engine and starts another on the same store.
    pub fn restart(self) -> Self {
        self.engine.stop();
        Self::open(self.store, self.clock, Limits::default())
    }

    pub fn submit(&self, key: Option<Key>, command: Command) -> Result<Committed, Problem> {
        block_on(self.engine.submit(submission(key, command)))
    }

    pub fn mint(&self, to: &str, mic: i64) {
        let mint = lab3_finance::Mint { to: did(to), amount: mic_of(mic), reason: "for a test".into() };
        self.submit(None, Command::Mint(mint)).unwrap();
    }

    pub fn balance(&self, of: &str) -> i64 {
        self.standing(of).0
    }

    /// Balance and held of somebody's wallet, in KS.
    pub fn standing(&self, of: &str) -> (i64, i64) {
        let owner = Owner::from(&did(of));
        let look = move |desk: &lab3_engine::Desk<'_>| {
            let ledger = &desk.state.ledger;
            let wallet = ledger.find(owner.as_str(), Asset::MIC, lab3_ledger::Purpose::Wallet).and_then(|no| ledger.account(no));
            wallet.map_or((0, 0), |account| (account.balance().units(), account.held().units()))
        };
        block_on(self.engine.read(look)).unwrap()
    }

    pub fn state_hash(&self) -> [u8; 32] {
        block_on(self.engine.freeze()).unwrap().hash()
    }
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap());
    runtime.block_on(work)
}

pub fn did(name: &str) -> Did {
    Did::parse(&format!("did:kaizen:{name}")).unwrap()
}

pub fn mic_of(mic: i64) -> Amount {
    Amount::new(mic * 1_000_000)
}

pub fn key(name: &str, fingerprint: u64) -> Key {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Key { id: Id::from_bytes(bytes), fingerprint }
}

pub fn submission(key: Option<Key>, command: Command) -> Submission {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let fresh = (u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 64) | 0xf00d;
    Submission::new(Actor::Open, key, Id::from_bytes(fresh.to_be_bytes()), command)
}

pub fn transfer(from: &str, to: &str, units: i64) -> lab3_finance::Transfer {
    lab3_finance::Transfer { from: did(from), to: did(to), amount: Amount::new(units), reason: "a test".into() }
}

pub fn allocate(citizen: &str, tokens: u64) -> Command {
    Command::Allocate(lab3_compute::Allocate {
        citizen: did(citizen),
        tokens,
        priority: lab3_compute::Priority::QualityOptimized,
        min_quality: None,
        max_cost: None,
        preferred: Some("anthropic_claude".into()),
        explain: false,
    })
}

/// A query that may wait until tomorrow, and for whom it is clean four hours from now.
pub fn defer(citizen: &str, now: lab3_units::Time) -> Command {
    let Command::Allocate(allocate) = allocate(citizen, 100) else { panic!("an allocation") };
    let later = |hours: u32| now.after(lab3_units::Duration::from_secs(hours * 3600));
    let [carbon_ug_per_kwh, at_once_ug_per_kwh] = [Some(100_000_000), Some(400_000_000)];
    let [energy_mwh, carbon_saved_mg] = [300, 90].map(|units| Some(Amount::new(units)));
    let gain = lab3_compute::Gain { carbon_ug_per_kwh, at_once_ug_per_kwh, energy_mwh, carbon_saved_mg };
    let clean = Some((later(4), later(5)));
    let chance = lab3_compute::Chance { provider: "anthropic_claude".into(), clean, gain, reason: "cleaner".into() };
    Command::Defer(Box::new(lab3_compute::Defer { allocate, deadline: later(20), chances: vec![chance] }))
}

pub fn report(citizen: &str, provider: &str, allocation: Option<Id>, units: i64) -> Command {
    Command::Report(lab3_compute::Report {
        citizen: did(citizen),
        provider: provider.into(),
        actual_cost: Amount::new(units),
        success: true,
        allocation,
        input_tokens: None,
        output_tokens: None,
        latency_ms: None,
        late: None,
    })
}

/// What a query of an allocation drew: 0.3 Wh at 400 g a kWh.
pub fn draw(citizen: &str, allocation: Option<Id>, on_site: bool) -> Box<lab3_energy::Draw> {
    use lab3_energy::carbon::{Estimate, GridHour, Intensity, Interval, Tier};
    let intensity = Intensity::from_g_per_kwh(400.0).unwrap();
    let estimate = Estimate { energy_wh: Interval::new(0.2, 0.3, 0.6).unwrap(), tier: Tier::Measured };
    let grid = GridHour { average: intensity, marginal: intensity, residual: None };
    Box::new(lab3_energy::Draw {
        citizen: did(citizen),
        allocation,
        provider: "local_llama".into(),
        on_site,
        estimate,
        grid,
        embodied_mg: Some(Amount::new(9)),
    })
}

/// Jobs of an hour each, a kW each, the first under the record's id.
pub fn book(citizen: &str, ids: &[Id], start: Time) -> Command {
    let end = Time::from_millis(start.millis() + 3_600_000);
    let job = |id: &Id| lab3_energy::BookedJob {
        id: *id,
        name: "train".into(),
        runs: Box::new([lab3_energy::Run { start, end, power_w: 1000 }]),
        energy_mwh: Amount::new(1_000_000),
        carbon_mg: Amount::new(400_000),
        cost: Amount::new(310_000),
        carbon_saved_mg: Amount::new(-5),
        cost_saved: Amount::new(7),
    };
    let jobs = ids.iter().map(job).collect();
    Command::Energy(lab3_engine::Energy::Book(Box::new(lab3_energy::Book { citizen: did(citizen), jobs, gap_ppm: Some(1200) })))
}
