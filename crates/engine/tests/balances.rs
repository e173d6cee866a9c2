//! Every balance at the end of an epoch can be proved, and no other: random histories, restarts, snapshots, journals from before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;

use std::collections::BTreeSet;
use std::sync::Arc;

use hive::{FaultyStore, Hive, allocate, block_on, did, report, start_time, transfer};
use lab3_engine::{Actor, BalanceProof, Command, Fact, Limits, ManualClock, Store, Submission, read_records};
use lab3_finance::{Balanced, CloseEpoch, Contribute, Sheet};
use lab3_ledger::Purpose;
use lab3_tlog::{leaf_hash, verify_inclusion};
use lab3_units::{Amount, Asset, Code, Id, Owner, Problem};
use proptest::prelude::*;

const NAMES: [&str; 4] = ["alice", "bob", "carol", "dora"];

fn close(hive: &Hive) -> Sheet {
    let done = hive.submit(None, Command::CloseEpoch(CloseEpoch { epoch: None })).unwrap();
    sheet_of(&done.stored.record.fact).unwrap()
}

fn sheet_of(fact: &Fact) -> Option<Sheet> {
    match fact {
        Fact::Finance(lab3_finance::Fact::EpochBalanced(balanced)) => {
            let Balanced { sheet, .. } = &**balanced;
            Some(sheet.clone())
        }
        _ => None,
    }
}

fn prove(hive: &Hive, owner: &Owner, asset: Asset, purpose: Purpose, epoch: Option<u32>) -> Result<Option<BalanceProof>, Problem> {
    block_on(hive.engine.balance_proof(owner.clone(), asset, purpose, epoch)).map(|(_, proof)| proof)
}

fn wallet(hive: &Hive, name: &str, epoch: Option<u32>) -> BalanceProof {
    prove(hive, &Owner::from(&did(name)), Asset::MIC, Purpose::Wallet, epoch).unwrap().unwrap()
}

/// The value of one of a leaf's lines.
fn line<'a>(leaf: &'a str, name: &str) -> &'a str {
    leaf.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

fn number(leaf: &str, name: &str) -> i64 {
    line(leaf, name).parse().unwrap()
}

fn leads(proof: &BalanceProof, leaf: &str, sheet: &Sheet) -> bool {
    let account = number(&proof.leaf, "account").try_into().unwrap();
    verify_inclusion(account, sheet.accounts.into(), &leaf_hash(leaf.as_bytes()), &proof.path, &sheet.root).is_ok()
}

/// Every account there is now: its owner, what it is, what it has and holds.
type Account = (Owner, Asset, Purpose, i64, i64);

fn accounts(hive: &Hive) -> Vec<Account> {
    let look = |desk: &lab3_engine::Desk<'_>| {
        let ledger = &desk.state.ledger;
        let account = |no| {
            let (no, account) = (lab3_ledger::AccountNo(no), ledger.account(lab3_ledger::AccountNo(no))?);
            let name = ledger.owner_name(no);
            let owner = name.strip_prefix("hive:").map_or_else(|| Owner::from(&lab3_units::Did::parse(name).unwrap()), Owner::hive);
            Some((owner, account.asset(), account.purpose(), account.balance().units(), account.held().units()))
        };
        (0..).map_while(account).collect()
    };
    block_on(hive.engine.read(look)).unwrap()
}

/// What one step of a history does.
#[derive(Clone, Debug)]
enum Step {
    Mint(usize),
    Pay(usize, usize, i64),
    Give(usize, i64),
    Open(usize),
    Report(usize),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..NAMES.len();
    let step = prop_oneof![
        2 => who().prop_map(Step::Mint),
        4 => (who(), who(), 1_i64..2_000_000).prop_map(|(from, to, units)| Step::Pay(from, to, units)),
        1 => (who(), 1_i64..500_000).prop_map(|(from, units)| Step::Give(from, units)),
        2 => who().prop_map(Step::Open),
        1 => who().prop_map(Step::Report),
        2 => Just(Step::Close),
    ];
    prop::collection::vec(step, 1..40)
}

/// Does a step; what was closed by it. Steps that are refused do nothing.
fn step(hive: &Hive, step: &Step) -> Option<Sheet> {
    match step {
        Step::Mint(who) => hive.mint(NAMES[*who], 3),
        Step::Pay(from, to, units) => drop(hive.submit(None, Command::Transfer(transfer(NAMES[*from], NAMES[*to], *units)))),
        Step::Give(from, units) => {
            let give = Contribute { from: did(NAMES[*from]), amount: Amount::new(*units), reason: "".into() };
            drop(hive.submit(None, Command::Contribute(give)));
        }
        Step::Open(who) => drop(hive.submit(None, allocate(NAMES[*who], 500))),
        Step::Report(who) => drop(hive.submit(None, report(NAMES[*who], "anthropic_claude", None, 4000))),
        Step::Close => return Some(close(hive)),
    }
    None
}

#[track_caller]
fn check_account(hive: &Hive, epoch: u32, sheet: &Sheet, account: &Account) -> BalanceProof {
    let (owner, asset, purpose, balance, held) = account;
    let proof = prove(hive, owner, *asset, *purpose, Some(epoch)).unwrap().unwrap();
    let leaf = &proof.leaf;
    let asset_word = if *asset == Asset::MIC { "MIC" } else { "compute" };
    assert_eq!((line(leaf, "owner"), line(leaf, "asset"), line(leaf, "purpose")), (owner.as_str(), asset_word, purpose.as_str()));
    assert_eq!((number(leaf, "balance"), number(leaf, "held")), (*balance, *held), "{owner} in epoch {epoch}");
    assert!(leads(&proof, leaf, sheet), "{owner} in epoch {epoch}");
    let salt = line(leaf, "salt");
    let other_salt = format!("{:032x}", u128::from_str_radix(salt, 16).unwrap() ^ 1);
    for (name, was, other) in [
        ("balance", balance.to_string(), (balance + 1).to_string()),
        ("held", held.to_string(), (held + 1).to_string()),
        ("owner", owner.to_string(), "did:kaizen:mallory".to_owned()),
        ("salt", salt.to_owned(), other_salt),
    ] {
        let lie = leaf.replace(&format!("{name}: {was}\n"), &format!("{name}: {other}\n"));
        assert_ne!(&lie, leaf);
        assert!(!leads(&proof, &lie, sheet), "{name} of {owner} in epoch {epoch}");
    }
    proof
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn every_balance_of_every_epoch_can_be_proved_and_no_other(steps in steps()) {
        let hive = Hive::new();
        let mut closed = Vec::new();
        for wanted in &steps {
            if let Some(sheet) = step(&hive, wanted) {
                closed.push((sheet, accounts(&hive)));
            }
        }
        let mut salts = BTreeSet::new();
        for (epoch, (sheet, accounts)) in (1..).zip(&closed) {
            prop_assert_eq!(sheet.accounts as usize, accounts.len());
            for account in accounts {
                let proof = check_account(&hive, epoch, sheet, account);
                prop_assert!(salts.insert(line(&proof.leaf, "salt").to_owned()), "a salt was used twice");
            }
            for total in &sheet.totals {
                let same = accounts.iter().filter(|(_, asset, purpose, ..)| (*asset, *purpose) == (total.asset, total.purpose));
                prop_assert_eq!(total.balance.units(), same.map(|account| account.3).sum::<i64>());
            }
            let kinds: BTreeSet<_> = accounts.iter().map(|(_, asset, purpose, ..)| (*asset, *purpose)).collect();
            prop_assert_eq!(sheet.totals.iter().map(|total| (total.asset, total.purpose)).collect::<Vec<_>>(), kinds.into_iter().collect::<Vec<_>>());
        }
        hive.engine.stop();
    }
}

#[test]
fn a_reward_that_opens_a_wallet_is_in_the_sheet_of_its_own_record() {
    let garden = || lab3_finance::Recipient::Did(did("garden"));
    let mut policy = lab3_engine::Policy::default();
    policy.finance.epoch_shares =
        vec![lab3_finance::Share { recipient: garden(), percent: lab3_units::FeeRate::from_percent("100").unwrap() }];
    let store = FaultyStore::default();
    let clock = Arc::new(ManualClock::new(start_time()));
    let engine = lab3_engine::Engine::start(Arc::new(store.clone()), policy, clock.clone(), Limits::default()).unwrap();
    let hive = Hive { store, clock, engine };
    let sheet = close(&hive);
    assert_eq!(sheet.accounts, 4);
    let proof = wallet(&hive, "garden", None);
    assert_eq!(number(&proof.leaf, "balance"), 1_000_000_000);
    assert!(leads(&proof, &proof.leaf, &sheet));
}

/// A day, three epochs long.
fn live(hive: &Hive) {
    for round in 0..3 {
        for (at, name) in NAMES.iter().enumerate().take(round + 2) {
            hive.mint(name, 1 + i64::try_from(at).unwrap());
        }
        for units in 1..20 {
            hive.submit(None, Command::Transfer(transfer("alice", "bob", units))).unwrap();
        }
        hive.submit(None, allocate("bob", 500)).unwrap();
        close(hive);
    }
    hive.mint("late", 1);
}

fn proofs(hive: &Hive) -> Vec<BalanceProof> {
    let names = |epoch: usize| NAMES.iter().take(epoch + 1);
    (1..4).flat_map(|epoch| names(epoch).map(move |name| wallet(hive, name, Some(epoch.try_into().unwrap())))).collect()
}

#[test]
fn proofs_are_the_same_from_the_first_record_and_from_a_snapshot() {
    let limits = Limits { snapshot_every_records: 30, ..Limits::default() };
    let hive = Hive::open(FaultyStore::default(), Arc::new(ManualClock::new(start_time())), limits);
    live(&hive);
    let live = proofs(&hive);
    assert_eq!(wallet(&hive, "alice", None), wallet(&hive, "alice", Some(3)));
    let hive = hive.restart();
    let snapshots = hive.store.snapshots().list().unwrap();
    assert!(snapshots.iter().any(|&snapshot| snapshot < live.last().unwrap().sequence), "{snapshots:?}");
    assert_eq!(proofs(&hive), live);
    for snapshot in snapshots {
        hive.store.snapshots().remove(snapshot).unwrap();
    }
    let hive = hive.restart();
    assert_eq!(proofs(&hive), live);
}

#[test]
fn a_snapshot_of_another_journal_proves_nothing_wrong() {
    let (one, other) = (Hive::new(), Hive::new());
    live(&one);
    (0..200).for_each(|_| other.mint("mallory", 1));
    let mut foreign = block_on(other.engine.freeze()).unwrap();
    foreign.sequence = 10;
    one.store.snapshots().save(10, &mut |out| foreign.write(out, &[0; 32])).unwrap();
    let mut stated = Vec::new();
    read_records(&one.store, 1, |stored| stated.extend(sheet_of(&stored.record.fact))).unwrap();
    let proof = wallet(&one, "bob", Some(2));
    assert!(leads(&proof, &proof.leaf, &stated[1]));
}

#[track_caller]
fn check_unproved(hive: &Hive, epoch: Option<u32>, detail: &str) {
    let problem = prove(hive, &Owner::from(&did("alice")), Asset::MIC, Purpose::Wallet, epoch).unwrap_err();
    assert_eq!((problem.code(), problem.field.as_deref(), &*problem.detail), (Code::EPOCH_UNPROVED, Some("epoch"), detail));
}

#[test]
fn what_cannot_be_proved_is_told_why() {
    let hive = Hive::new();
    check_unproved(&hive, None, "No epoch is closed yet. Balances can be proved as they are when the first one closes.");
    close(&hive);
    for epoch in [0, 2, u32::MAX] {
        check_unproved(&hive, Some(epoch), &format!("Epoch {epoch} is not closed; the last that is is 1."));
    }
    hive.mint("alice", 5);
    assert_eq!(prove(&hive, &Owner::from(&did("alice")), Asset::MIC, Purpose::Wallet, None), Ok(None));
}

#[test]
fn who_knows_all_openings_but_one_cannot_tell_a_salt() {
    // Two Hives that differ in the id of one record, which opened somebody else's wallet.
    let salt = |id: u128| {
        let hive = Hive::new();
        hive.mint("alice", 5);
        let mint = lab3_finance::Mint { to: did("bob"), amount: hive::mic_of(5), reason: "".into() };
        let submission = Submission::new(Actor::Open, None, Id::from_bytes(id.to_be_bytes()), Command::Mint(mint));
        block_on(hive.engine.submit(submission)).unwrap();
        close(&hive);
        line(&wallet(&hive, "alice", None).leaf, "salt").to_owned()
    };
    assert_ne!(salt(0xabc), salt(0xabd));
}

#[test]
fn thousands_of_accounts_are_one_tree() {
    let hive = Hive::new();
    let mint = |number: u32| {
        let mint = lab3_finance::Mint { to: did(&format!("c{number}")), amount: Amount::new(i64::from(number) + 1), reason: "".into() };
        hive::submission(None, Command::Mint(mint))
    };
    for part in [0..5000, 5000..9000] {
        block_on(hive.engine.submit_batch(None, part.map(mint).collect())).unwrap();
    }
    let sheet = close(&hive);
    assert_eq!(sheet.accounts, 9003);
    // The first three are the Hive's own.
    for at in [0, 1, 4092, 4093, 8188, 8189, 8190, 8999] {
        let proof = wallet(&hive, &format!("c{at}"), None);
        assert_eq!((number(&proof.leaf, "account"), number(&proof.leaf, "balance")), (at + 3, at + 1));
        assert!(leads(&proof, &proof.leaf, &sheet), "{at}");
    }
}
