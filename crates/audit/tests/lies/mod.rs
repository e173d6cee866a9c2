//! Lies: one record of an honest journal changed, or one added, and the log signed again by its own key.
//!
//! A case names the check that is for it. Take the check out, and the case fails: no other gives that class for that record.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::sync::OnceLock;

use crate::hive::{Hive, inscription, member, secret};
use crate::served::{Log, signer};
use lab3_audit::{Class, Terms, audit};
use lab3_compute::{Deferral, Fact as Compute};
use lab3_engine::{Actor, Fact, Record, Signed, write_entry};
use lab3_finance::Fact as Money;
use lab3_ledger::{AccountNo, Event, Kind, Purpose};
use lab3_trust::{Act, Holder, Intent, PublicKey, Signature, Statement};
use lab3_units::{Amount, Asset, Duration, FeeRate, Id, Owner, Time};

/// An honest Hive's log.
pub fn honest() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let live = || {
        let mut hive = Hive::new(78);
        hive.inscribe(*signer(7).verifier().public());
        hive.live(500);
        let entries = hive.entries();
        hive.stop();
        Log::of(entries)
    };
    LOG.get_or_init(live).clone()
}

pub fn terms() -> Terms {
    Terms { fee: FeeRate::from_percent("0.001").ok(), faults_max: 1000, ..Terms::default() }
}

/// What is found when one record is another: the first for which `change` says it changed something.
#[track_caller]
pub fn check(class: Class, change: impl FnMut(&mut Record) -> bool) {
    check_from(1, class, change);
}

#[track_caller]
pub fn check_from(first: usize, class: Class, change: impl FnMut(&mut Record) -> bool) {
    check_in(honest(), first, class, change);
}

/// The same in another log.
#[track_caller]
pub fn check_in(mut log: Log, first: usize, class: Class, mut change: impl FnMut(&mut Record) -> bool) {
    let found = (first..=log.entries.len()).find(|&sequence| {
        let mut record = log.record(sequence);
        let changed = change(&mut record);
        if changed {
            log.write(sequence, &record);
        }
        changed
    });
    let sequence = found.expect("the journal has no such record");
    judged(log, sequence, class);
}

/// What is found when a record is added at the end, in words.
#[track_caller]
pub fn check_added(class: Class, record: impl FnOnce(&Log) -> Record) -> String {
    let mut log = honest();
    let record = record(&log);
    log.entries.push(write_entry(&record).unwrap());
    let last = log.entries.len();
    judged(log, last, class)
}

#[track_caller]
pub fn judged(log: Log, sequence: usize, class: Class) -> String {
    let verdict = audit(&mut log.signed_again(), &terms(), |_, _| {});
    let found = verdict.faults.iter().find(|fault| fault.record == Some(sequence as u64) && fault.class == class);
    found.unwrap_or_else(|| panic!("record {sequence} should be a fault of {class:?}:\n{verdict}")).what.clone()
}

pub fn last(log: &Log) -> Record {
    log.record(log.entries.len())
}

/// A record after the last, with nothing in it yet: a payment by the first member's key, anything else by one who signed.
pub fn record(log: &Log, fact: Fact, entries: Vec<Event>) -> Record {
    let pays = matches!(fact, Fact::Finance(lab3_finance::Fact::Transferred | lab3_finance::Fact::Contributed { .. }));
    let actor = if pays { Actor::Key(key_of(log, |holder| *holder == Holder::Citizen(crate::hive::member(0)))) } else { Actor::Signed };
    let record = Record {
        at: last(log).at,
        actor,
        id: Id::from_bytes([0xab; 16]),
        aliases: Vec::new(),
        fingerprint: 0,
        fact,
        entries,
        signed: None,
    };
    signed(log, record)
}

/// The record, its first transfer signed by who pays if that is a member.
pub fn signed(log: &Log, mut record: Record) -> Record {
    let paid = record.entries.iter().find_map(|event| match event {
        Event::Transferred { from, to, amount, kind: Kind::Transfer, .. } => Some((*from, *to, *amount)),
        _ => None,
    });
    let owner = |no| (0..4).find(|&who| wallet(log, who) == no);
    let Some((Some(from), Some(to), amount)) = paid.map(|(from, to, amount)| (owner(from), owner(to), amount)) else { return record };
    let (fee_max, not_after) = (Amount::new(1_000_000_000), record.at.after(Duration::from_secs(60)));
    let act = Act::Transfer { from: member(from), to: member(to), amount, fee_max, memo: None };
    let ours = inscription([0; 32]);
    let statement = Statement { hive: ours.hive, journal: ours.journal, id: record.id, not_after, act };
    let signature = Signature::sign(&secret(from), statement.text().as_bytes());
    let intent = Intent { not_after, fee_max, key: PublicKey::of_secret(&secret(from)), signature };
    record.signed = Some(Box::new(Signed::Intent(intent)));
    record
}

/// The number of the wallet (or allowance) of a member, the pool's, the issuance's.
pub fn account(log: &Log, owner: &Owner, purpose: Purpose) -> AccountNo {
    let asset = if matches!(purpose, Purpose::Quota | Purpose::Earnings | Purpose::Expense) { Asset::COMPUTE } else { Asset::MIC };
    account_of(log, owner, asset, purpose)
}

/// The number of an account.
pub fn account_of(log: &Log, owner: &Owner, asset: Asset, purpose: Purpose) -> AccountNo {
    let opened = (1..=log.entries.len()).flat_map(|sequence| log.record(sequence).entries);
    let opened = opened.filter_map(|event| match event {
        Event::AccountOpened { owner, asset, purpose, .. } => Some((owner, asset, purpose)),
        _ => None,
    });
    AccountNo((0..).zip(opened).find(|(_, (other, what, kind))| other == owner && (*what, *kind) == (asset, purpose)).unwrap().0)
}

pub fn wallet(log: &Log, who: usize) -> AccountNo {
    account(log, &Owner::from(&member(who)), Purpose::Wallet)
}

pub fn office(log: &Log, purpose: Purpose) -> AccountNo {
    account(log, &Owner::hive(purpose.as_str()), purpose)
}

pub fn moved(from: AccountNo, to: AccountNo, units: i64, kind: Kind) -> Event {
    Event::Transferred { from, to, amount: Amount::new(units), kind, memo: "".into() }
}

/// A transfer and its fee.
pub fn paid(log: &Log, from: usize, to: usize, units: i64) -> Vec<Event> {
    let fee = FeeRate::from_percent("0.001").unwrap().of(Amount::new(units)).units();
    vec![
        moved(wallet(log, from), wallet(log, to), units, Kind::Transfer),
        moved(wallet(log, from), office(log, Purpose::Pool), fee, Kind::Fee),
    ]
}

pub const TRANSFERRED: Fact = Fact::Finance(Money::Transferred);

pub fn is_transfer(record: &Record) -> bool {
    record.fact == TRANSFERRED && matches!(record.entries[..], [Event::Transferred { kind: Kind::Transfer, .. }, _])
}

/// The number of the operator's, the service's or the first member's key at the end, and the second member's.
pub fn key_of(log: &Log, wanted: impl Fn(&Holder) -> bool) -> u32 {
    let mut state = lab3_trust::State::default();
    for sequence in 1..=log.entries.len() {
        let record = log.record(sequence);
        if let Fact::Trust(fact) = &record.fact {
            state.apply(record.at, fact);
        }
    }
    let at = last(log).at;
    state.keys().find(|key| wanted(&key.holder) && key.standing(at) == lab3_trust::Standing::Valid).unwrap().number
}

/// What a query that waits can be said to do, and does not; with the time of its record.
pub const WAITING: [fn(&mut Deferral, Time); 9] = [
    |told, at| told.deadline = at,
    |told, at| told.deadline = at.after(Duration::from_secs(7 * 86_400 + 1)),
    |told, at| told.run_at = Time::from_millis(at.millis() - 1),
    |told, _| told.run_at = told.run_until.after(Duration::from_millis(1)),
    |told, _| told.run_until = told.deadline.after(Duration::from_millis(1)),
    // Within the deadline, and past the hold.
    |told, _| told.run_until = told.deadline,
    |told, _| told.gain.carbon_saved_mg = Some(Amount::new(91)),
    |told, _| told.gain.at_once_ug_per_kwh = Some(500_000_000),
    |told, _| told.gain.energy_mwh = None,
];

/// Tells this of a query that waits, if the record is of one.
pub fn waits(record: &mut Record, lie: fn(&mut Deferral, Time)) -> bool {
    let at = record.at;
    let Fact::Compute(Compute::Deferred(deferred)) = &mut record.fact else { return false };
    lie(&mut deferred.deferral, at);
    true
}
