//! The journal's description (`docs/journal.md`, as `docs/verify/verify.py` reads it) knows every kind of record there is, to the last byte.
//!
//! It fails when a fact, an event or one of their parts is written otherwise than described. A new variant belongs into `records` here, and there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use lab3_compute::{
    Allocated, Allotment, Attempted, Circuit, Counted, Deferral, Deferred, Excluded, Expired, Extended, Fact as Compute, Gain, Health,
    Line, Opening, Priority, Released, Reported, Sample, Settled, Terms, Usage,
};
use lab3_energy::carbon::certificates::{Certificate, Claim, Fact as Certified, Source, State};
use lab3_energy::carbon::{Footprint, Tier};
use lab3_energy::{
    Booked, BookedJob, Drawn, ExportShared, Fact as Energy, HourClosed, JobHour, JobSettled, MemberShare, Part, Run, Share, ShareRule,
};
use lab3_engine::{Actor, Fact, Record};
use lab3_finance::{Balanced, Closing, Fact as Money, Sheet, Total};
use lab3_ledger::{AccountNo, Event, HoldEnd, Kind, Limits, Purpose};
use lab3_trust::{
    Approval, By, Change, Countersign, Deed, DidKeyEvent, Fact as Trust, HiveName, Holder, Inscription, Intent, KeyCreated, KeyHash, KeyId,
    Note, PolicyLines, PublicKey, Resumption, Scopes, SealedBy, Signature, Treasurers,
};
use lab3_units::{Amount, Asset, Code, Did, Id, Owner, Problem, Ratio, Time};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify/verify.py");

/// Reads each record, and says where it ended and what kinds it saw.
const READ: &str = "
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import verify
for line in sys.stdin.read().split():
    reader = verify.Reader(bytes.fromhex(line))
    record = verify.RECORD(reader)
    fact = record['fact'][0], record['fact'][1] and (record['fact'][1]['deed'][0] if record['fact'][0] == 'Trust' else record['fact'][1][0]) \\
        if record['fact'][0] not in ('Refused', 'Batch') else ''
    print(len(reader.data) - reader.at, record['at'], record['actor'][0], *fact, *(name for name, _ in record['entries']))
";

const ALL: i64 = i64::MIN;
const ACCOUNT: AccountNo = AccountNo(u32::MAX);

fn id() -> Id {
    Id::from_bytes([0xa5; 16])
}

fn amount() -> Amount {
    Amount::new(ALL)
}

fn did() -> Did {
    Did::parse("did:kaizen:alice").unwrap()
}

fn opening() -> Opening {
    Opening { account: ACCOUNT, period: u16::MAX, quota: amount() }
}

fn circuit() -> Circuit {
    Circuit::Open { until: Time::from_millis(ALL), openings: 200, probes: 130 }
}

fn lines() -> Vec<Line> {
    use Excluded as E;
    let all = [E::Disabled, E::Context, E::Quality, E::CircuitOpen, E::Cost, E::Allowance, E::Unable];
    let line = |excluded_by: Option<Excluded>| Line {
        provider: "mistral".into(),
        excluded_by,
        cost: amount(),
        latency_ms: 300,
        quality: Ratio::ONE,
        reliability: Ratio::ZERO,
        score: excluded_by.is_none().then_some(u32::MAX),
        terms: excluded_by.is_none().then_some(Terms { cost: 1, latency: 200, quality: 3, reliability: 4 }),
    };
    all.into_iter().map(Some).chain([None]).map(line).collect()
}

fn allocated(priority: Priority) -> Allocated {
    Allocated {
        provider: "mistral".into(),
        query_tokens: u64::MAX,
        priority,
        estimated_cost: amount(),
        estimated_latency_ms: u32::MAX,
        quota_remaining: amount(),
        fallback_provider: Some("déjà".into()),
        reason: "why".into(),
        hive_pays: true,
        opening: Some(opening()),
        circuit: Some(circuit()),
        explanation: Some(lines()),
    }
}

fn reported(full: bool) -> Reported {
    Reported {
        allocation: full.then(id),
        late: full,
        provider: "mistral".into(),
        success: !full,
        charged: amount(),
        overrun: amount(),
        hive_paid: amount(),
        quota_remaining: amount(),
        input_tokens: full.then_some(u64::MAX),
        output_tokens: full.then_some(300),
        latency_ms: full.then_some(u32::MAX),
        opening: full.then(opening),
        health: Health {
            reports: u64::MAX,
            circuit: if full { circuit() } else { Circuit::Closed },
            failures_in_row: 300,
            ..Health::default()
        },
        sample: full.then_some(Sample { bucket: 239, halvings: 200 }),
    }
}

fn settled(counted: Counted) -> Settled {
    let usage = Usage { input: 1, cache_read: 2, cache_write_5m: 3, cache_write_1h: 4, output: 5, reasoning: 6, tool_runs: u64::MAX };
    Settled { reported: reported(true), usage, counted, output_sample: Some(Sample { bucket: 128, halvings: 11 }) }
}

fn deferred(known: bool) -> Compute {
    let [carbon_ug_per_kwh, at_once_ug_per_kwh] = [300, u64::MAX].map(|micrograms| known.then_some(micrograms));
    let [energy_mwh, carbon_saved_mg] = [known.then(amount); 2];
    let gain = Gain { carbon_ug_per_kwh, at_once_ug_per_kwh, energy_mwh, carbon_saved_mg };
    let at = Time::from_millis(ALL);
    let deferral = Deferral { deadline: at, run_at: at, run_until: at, gain, reason: "déjà".into() };
    Compute::Deferred(Box::new(Deferred { allocated: allocated(Priority::Standard), deferral }))
}

fn compute() -> Vec<Compute> {
    let priorities = Priority::ALL.map(|priority| Compute::Allocated(Box::new(allocated(priority))));
    let allotment = Allotment { held: amount(), output_tokens_held: 300, output_tokens_max: u64::MAX };
    let attempted = Attempted { allocated: allocated(Priority::Standard), query_tokens_max: 300, tool_runs_max: 400, allotment };
    let extended = Extended { allocation: id(), held: amount(), output_tokens_held: 300, quota_remaining: amount() };
    let counted =
        [Counted::Provider, Counted::Estimate, Counted::Lease, Counted::Cache].map(|counted| Compute::Settled(Box::new(settled(counted))));
    let others = [
        Compute::Reported(Box::new(reported(true))),
        Compute::Reported(Box::new(reported(false))),
        Compute::Released(Released { allocation: id(), released: amount(), lapsed: amount(), quota_remaining: amount() }),
        Compute::Expired(Expired { allocations: u32::MAX, released: amount(), lapsed: amount() }),
        Compute::Attempted(Box::new(attempted)),
        Compute::Extended(extended),
        deferred(true),
        deferred(false),
    ];
    priorities.into_iter().chain(counted).chain(others).collect()
}

fn closing() -> Closing {
    Closing { closed: u32::MAX, opened: 300, reward: amount(), supply: amount() }
}

const PURPOSES: [Purpose; 8] = [
    Purpose::Wallet,
    Purpose::Quota,
    Purpose::Issuance,
    Purpose::Pool,
    Purpose::Reserve,
    Purpose::Earnings,
    Purpose::Expense,
    Purpose::Usage,
];

fn totals() -> Vec<Total> {
    PURPOSES.map(|purpose| Total { asset: Asset::COMPUTE, purpose, balance: amount() }).to_vec()
}

fn finance() -> Vec<Money> {
    vec![
        Money::Opened { issuance: ACCOUNT, pool: ACCOUNT, reserve: ACCOUNT, pool_balance: amount() },
        Money::Transferred,
        Money::Granted { pool_balance: amount() },
        Money::Contributed { pool_balance: amount() },
        Money::Minted { supply: amount() },
        Money::EpochClosed(closing()),
        Money::EpochBalanced(Box::new(Balanced {
            closing: closing(),
            sheet: Sheet { accounts: u32::MAX, totals: totals(), root: [0xfd; 32] },
        })),
    ]
}

fn public() -> PublicKey {
    PublicKey::of_secret(&[3; 32])
}

fn intent() -> Intent {
    Intent { not_after: Time::from_millis(ALL), fee_max: amount(), key: public(), signature: Signature::from_bytes([0xff; 64]) }
}

fn approval() -> Approval {
    let one = || Countersign { treasurer: did(), key: public(), signature: Signature::from_bytes([0xfe; 64]) };
    Approval { not_after: Time::from_millis(ALL), signatures: vec![one(), one()] }
}

fn trust() -> Vec<Trust> {
    let (key, hash) = (KeyId::from_bytes([0xff; 8]), lab3_trust::KeyText::make(lab3_trust::Kind::Meter, [1; 8], &[2; 32]).hash());
    let made = |holder: Holder, hash: KeyHash| {
        Deed::KeyCreated(Box::new(KeyCreated {
            number: u32::MAX,
            id: key,
            hash,
            holder,
            scopes: Scopes::ALL,
            expires: Some(Time::from_millis(ALL)),
            note: "note".into(),
            citizens: vec![did(), did()],
        }))
    };
    let holders = [
        Holder::Operator,
        Holder::Citizen(did()),
        Holder::Service { daily_cap: amount() },
        Holder::Steward { module: "energy".into() },
        Holder::Treasurer(did()),
        Holder::Auditor,
        Holder::Meter { meter: "m".into() },
        Holder::Witness { name: "w".into() },
    ];
    let until = Time::from_millis(ALL);
    let others = [
        Deed::KeyRevoked { number: u32::MAX, reason: "lost".into() },
        Deed::KeyRotated { old: 300, until, number: u32::MAX, id: key, hash },
        Deed::Delegated { service: 300, citizen: did() },
        Deed::Undelegated { service: 300, citizen: did() },
        Deed::Noted(Box::new(Note {
            did: did(),
            url: "https://a.example/did.json".into(),
            document: [9; 32],
            keys: vec![public(), public()],
        })),
        Deed::TreasurersNamed { treasurers: Treasurers::new(1, [did()]).unwrap(), approval: Some(approval()) },
        Deed::PolicyChanged { lines: PolicyLines::new([("log.readers", "auditors"), ("a", "b")]).unwrap(), approval: None },
        Deed::Frozen { citizen: did(), hours: 72, until, reason: "why".into(), approval: Some(approval()) },
        Deed::Thawed { citizen: did(), reason: "why".into() },
        Deed::Sealed(SealedBy::Command),
        Deed::Sealed(SealedBy::Secret),
        Deed::Erased { record: 300, reason: "why".into() },
        Deed::Resumed(Box::new(Resumption { journal: id(), log_key: [8; 32], signed: 300, root: [9; 32], reason: "why".into() })),
        Deed::Inscribed(Inscription { hive: HiveName::parse("hive").unwrap(), journal: id(), log_key: [8; 32] }),
    ];
    let change = |change, recovery| {
        let event = DidKeyEvent { did: did(), number: 300, change, recovery };
        Deed::DidKeys(Box::new((event, intent())))
    };
    let (old, new) = (public(), public());
    let changes = [Change::Add(new), Change::Revoke(old), Change::Rotate { old, new }, Change::Recover(new)];
    let changes = changes.into_iter().zip([None, Some([7; 32])].into_iter().cycle()).map(|(to, recovery)| change(to, recovery));
    let others = others.into_iter().chain(changes);
    let by = [By::Desk, By::Local, By::Key(u32::MAX), By::Did(did())];
    let deeds = holders.into_iter().map(|holder| made(holder, hash)).chain(others);
    deeds.zip(by.into_iter().cycle()).map(|(deed, by)| Trust { by, deed }).collect()
}

fn events() -> Vec<Event> {
    use Kind as K;
    let open = |purpose| Event::AccountOpened { owner: Owner::from(&did()), asset: Asset::COMPUTE, purpose, limits: Limits::OVERDRAFT };
    let paid = |kind| Event::Transferred { from: ACCOUNT, to: ACCOUNT, amount: amount(), kind, memo: "für alle".into() };
    let end = HoldEnd { id: id(), placed: u64::MAX, account: ACCOUNT, held: amount() };
    let deadline = Time::from_millis(ALL);
    let purposes = PURPOSES.map(open);
    let kinds = [K::Transfer, K::Grant, K::Settlement, K::Contribution, K::Fee, K::Mint, K::EpochReward, K::Allowance, K::Lapse];
    let kinds = kinds.into_iter().chain([K::Draw, K::Correction]).map(paid);
    let holds = [
        Event::HoldPlaced { id: id(), account: ACCOUNT, amount: amount(), deadline, code: u32::MAX },
        Event::HoldSettled { end: end.clone(), to: ACCOUNT, taken: amount() },
        Event::HoldReleased(end.clone()),
        Event::HoldExpired(end),
        Event::HoldExtended { id: id(), account: ACCOUNT, by: amount(), deadline },
    ];
    purposes.into_iter().chain(kinds).chain(holds).collect()
}

fn records() -> Vec<Record> {
    let problem = Problem::new(Code::MIC_INSUFFICIENT, "too little");
    let refused = [problem.clone().in_field("amount"), problem].map(|problem| Fact::Refused(Box::new(problem)));
    let facts = compute().into_iter().map(Fact::Compute).chain(finance().into_iter().map(Fact::Finance)).chain(refused);
    let facts = facts.chain([Fact::Batch { items: u32::MAX }]).chain(trust().into_iter().map(|fact| Fact::Trust(Box::new(fact))));
    let facts = facts.chain(energy().into_iter().map(Fact::Energy));
    let actors = [Actor::Engine, Actor::Open, Actor::Operator, Actor::Key(u32::MAX), Actor::Signed];
    let record = |(fact, actor)| Record {
        at: Time::from_millis(ALL),
        actor,
        id: id(),
        aliases: vec![id(), id()],
        fingerprint: u64::MAX,
        fact,
        entries: events(),
        signed: None,
    };
    facts.zip(actors.into_iter().cycle()).map(record).collect()
}

fn energy() -> Vec<Energy> {
    let (time, owner) = (Time::from_millis(ALL), Owner::from(&did()));
    let footprint = Footprint { average_mg: amount(), marginal_mg: Amount::ZERO, market_mg: Amount::MAX };
    let part = Part { energy_mwh: amount(), footprint };
    let drawn = |tier, on_site: bool| Drawn {
        allocation: on_site.then(id),
        provider: "mistral".into(),
        on_site,
        energy: ACCOUNT,
        carbon: AccountNo(300),
        energy_mwh: [amount(), Amount::ZERO, Amount::MAX],
        weight_uwh: u64::MAX,
        tier,
        footprint,
        embodied_mg: on_site.then(amount),
    };
    let drawn = [(Tier::Metered, true), (Tier::Measured, false), (Tier::Modelled, true)].map(|(tier, here)| drawn(tier, here));
    let closed = |compute_mwh| HourClosed {
        hour: time,
        meter_mwh: amount(),
        compute_mwh,
        idle_mwh: amount(),
        footprint,
        shares: vec![Share { energy: ACCOUNT, carbon: AccountNo(0), part }; 2],
        idle: part,
        house: part,
    };
    let job = BookedJob {
        id: id(),
        name: "train".into(),
        runs: vec![Run { start: time, end: time, power_w: u64::MAX }; 2].into(),
        energy_mwh: amount(),
        carbon_mg: amount(),
        cost: amount(),
        carbon_saved_mg: amount(),
        cost_saved: amount(),
    };
    let booked = |gap_ppm| Booked { citizen: owner.clone(), account: ACCOUNT, jobs: vec![job.clone(), job.clone()], gap_ppm };
    let settled = JobSettled {
        job: id(),
        energy: ACCOUNT,
        carbon: ACCOUNT,
        energy_mwh: amount(),
        metered: true,
        footprint,
        hours: vec![JobHour { hour: time, energy_mwh: amount(), carbon_mg: Amount::ZERO }; 2],
        house: (amount(), Amount::MAX),
    };
    let claim = || Claim { by: owner.clone(), at: time };
    let certificate =
        |(source, state)| Certificate { energy_wh: amount(), hour: time, source, device: "roof".into(), owner: owner.clone(), state };
    let states = [State::Active, State::Split([id(); 2]), State::Claimed(claim())];
    let sources = [Source::Solar, Source::Wind, Source::Hydro, Source::Geothermal, Source::Biomass, Source::Nuclear];
    let certificates = sources.into_iter().zip(states.into_iter().cycle()).map(certificate);
    let issued = certificates.map(|certificate| Certified::Issued { id: id(), certificate });
    let others = [
        Certified::Split { id: id(), into: [id(); 2], first_wh: amount() },
        Certified::Handed { id: id(), to: owner.clone() },
        Certified::Claimed { id: id(), claim: claim() },
    ];
    let certified = issued.chain(others).map(Energy::Certified);
    let released = amount();
    let jobs = [
        Energy::HourClosed(Box::new(closed(Some(amount())))),
        Energy::HourClosed(Box::new(closed(None))),
        Energy::Booked(Box::new(booked(Some(u32::MAX)))),
        Energy::Booked(Box::new(booked(None))),
        Energy::JobSettled(Box::new(settled)),
        Energy::JobReleased { job: id(), released },
        Energy::JobsExpired { jobs: vec![id(); 2], released },
    ];
    let rules = [ShareRule::Equal, ShareRule::Weights, ShareRule::Generation];
    let shared = rules.map(|rule| Energy::ExportShared(Box::new(shared(rule, time))));
    drawn.into_iter().map(|drawn| Energy::Drawn(Box::new(drawn))).chain(jobs).chain(certified).chain(shared).collect()
}

fn shared(rule: ShareRule, time: Time) -> ExportShared {
    let known = rule == ShareRule::Weights;
    ExportShared {
        id: id(),
        payer: ACCOUNT,
        device: "grid".into(),
        from: time,
        to: time,
        amount: amount(),
        exported_mwh: known.then(amount),
        measured: known,
        rule,
        shares: vec![MemberShare { account: AccountNo(300), weight: u64::MAX, amount: Amount::ZERO }; 2],
    }
}

/// The words that name a value's variant, as `{:?}` writes it.
fn name(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

#[test]
fn every_kind_of_record_is_described() {
    let records = records();
    let hex = |record: &Record| postcard::to_stdvec(record).unwrap().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let lines = records.iter().map(hex).collect::<Vec<_>>().join("\n");
    let folder = Path::new(PROGRAM).parent().unwrap();
    let mut command = Command::new("python3");
    command.args(["-c", READ]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut python = match command.spawn() {
        Ok(python) => python,
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => panic!("{error}"),
    };
    // All of it is read before anything is written: no pipe fills up.
    python.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let run = python.wait_with_output().unwrap();
    let (out, trouble) = (String::from_utf8(run.stdout).unwrap(), String::from_utf8_lossy(&run.stderr).into_owned());
    assert!(run.status.success(), "{out}{trouble}");
    assert_eq!(out.lines().count(), records.len());
    for (line, record) in out.lines().zip(&records) {
        let inner = match &record.fact {
            Fact::Compute(fact) => name(fact),
            Fact::Finance(fact) => name(fact),
            Fact::Trust(fact) => name(&fact.deed),
            Fact::Energy(fact) => name(fact),
            _ => String::new(),
        };
        let events: Vec<String> = record.entries.iter().map(name).collect();
        let expected = format!("0 {ALL} {} {} {inner} {}", name(&record.actor), name(&record.fact), events.join(" "));
        assert_eq!(line.split_whitespace().collect::<Vec<_>>(), expected.split_whitespace().collect::<Vec<_>>());
    }
}
