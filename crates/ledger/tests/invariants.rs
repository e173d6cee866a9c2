//! One test for each invariant of ARCHITECTURE.md that the ledger can break, by its number. Invariants 4 and 7 are the engine's.
//!
//! How each was seen to fail: see the comment above it, which names the line that was broken.

#![allow(clippy::unwrap_used, clippy::panic, reason = "outside of #[test] functions clippy does not see that this is a test")]

mod play;

use lab3_ledger::{AccountNo, Draft, Event, Kind, Ledger, Limits, PlaceHold, Purpose, Refusal, Transfer};
use lab3_units::{Amount, Asset, Id, Owner, Time};
use play::game::Game;
use play::paper::Paper;
use play::step::step;
use play::world::Narrow;
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

const ISSUER: AccountNo = AccountNo(0);
const ALICE: AccountNo = AccountNo(1);
const BOB: AccountNo = AccountNo(2);

/// Books in which alice has 100, bob nothing, and the issuer owes what alice has.
fn books() -> Ledger {
    let mut ledger = Ledger::default();
    change(&mut ledger, |draft| {
        for (name, limits) in [("issuer", Limits::OVERDRAFT), ("alice", Limits::NO_OVERDRAFT), ("bob", Limits::NO_OVERDRAFT)] {
            draft.open(&Owner::hive(name), Asset::MIC, Purpose::Wallet, limits);
        }
        draft.transfer(&moving(ISSUER, ALICE, 100))
    })
    .unwrap();
    ledger
}

/// Draws up a draft and applies it, unless it is refused.
fn change<T>(ledger: &mut Ledger, draw: impl FnOnce(&mut Draft<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
    let mut draft = Draft::new(ledger);
    let drawn = draw(&mut draft)?;
    let events = draft.into_events();
    for event in &events {
        ledger.apply(1, event);
    }
    Ok(drawn)
}

fn moving(from: AccountNo, to: AccountNo, units: i64) -> Transfer<'static> {
    Transfer { from, to, amount: Amount::new(units), kind: Kind::Transfer, memo: "" }
}

fn hold(number: u8, account: AccountNo, units: i64) -> PlaceHold {
    let (amount, deadline) = (Amount::new(units), Time::from_millis(10));
    PlaceHold { id: id(number), account, amount, deadline, code: 0, open_max: 10 }
}

fn id(number: u8) -> Id {
    Id::from_bytes([number; 16])
}

fn units(ledger: &Ledger, account: AccountNo) -> (i64, i64, i64) {
    let account = ledger.account(account).unwrap();
    (account.balance().units(), account.held().units(), account.available().units())
}

/// What happens in a game of random steps, already compared with the model.
fn events(seed: u64, steps: usize) -> Vec<(u64, Event)> {
    let mut runner = TestRunner::new(play::config(seed));
    let steps = vec(step::<Narrow>(), steps).new_tree(&mut runner).unwrap().current();
    let mut paper = Paper::new::<Narrow>();
    let mut game = Game::new(&paper).unwrap();
    for step in &steps {
        paper.play(step);
        game.play(&paper).and_then(|()| game.compare(&paper)).unwrap();
    }
    game.events
}

/// Broken: `Event::postings` crediting `to` with one unit less.
#[test]
fn invariant_1_debits_equal_credits_after_every_event() {
    let mut ledger = Ledger::default();
    for (sequence, event) in &events(1, 3000) {
        ledger.apply(*sequence, event);
        let mut sums = std::collections::BTreeMap::<Asset, i128>::new();
        let accounts = (0_u32..).map_while(|no| ledger.account(AccountNo(no)));
        accounts.for_each(|account| *sums.entry(account.asset()).or_default() += i128::from(account.balance().units()));
        assert!(sums.values().all(|&sum| sum == 0), "after {event:?}: {sums:?}");
    }
}

/// Broken: `Draft::hold` comparing with the balance instead of what is available.
#[test]
fn invariant_2_what_may_not_be_overdrawn_never_is() {
    let mut ledger = books();
    let overdraft = |needed, available| {
        let (needed, available) = (Amount::new(needed), Amount::new(available));
        Err(Refusal::Overdraft { account: ALICE, needed, available })
    };
    assert_eq!(change(&mut ledger, |draft| draft.transfer(&moving(ALICE, BOB, 101))), overdraft(101, 100));
    change(&mut ledger, |draft| draft.hold(&hold(1, ALICE, 60))).unwrap();
    assert_eq!(change(&mut ledger, |draft| draft.hold(&hold(2, ALICE, 41))), overdraft(41, 40));
    assert_eq!(change(&mut ledger, |draft| draft.transfer(&moving(ALICE, BOB, 41))), overdraft(41, 40));
    let twice = |draft: &mut Draft<'_>| draft.transfer(&moving(ALICE, BOB, 30)).and_then(|()| draft.transfer(&moving(ALICE, BOB, 30)));
    assert_eq!(change(&mut ledger, twice), overdraft(30, 10), "linked transfers count together");
    change(&mut ledger, |draft| draft.transfer(&moving(ALICE, BOB, 40))).unwrap();
    assert_eq!(units(&ledger, ALICE), (60, 60, 0));
    assert_eq!(change(&mut ledger, |draft| draft.transfer(&moving(ALICE, BOB, 1))), overdraft(1, 0));
}

/// Broken: `Draft::end` no longer remembering what ended in the draft.
#[test]
fn invariant_3_a_hold_ends_exactly_once() {
    let mut ledger = books();
    change(&mut ledger, |draft| draft.hold(&hold(1, ALICE, 60))).unwrap();
    let twice = |draft: &mut Draft<'_>| draft.release(id(1)).and_then(|_| draft.settle(id(1), BOB, Amount::new(1)));
    assert_eq!(change(&mut ledger, twice), Err(Refusal::NoHold(id(1))), "twice in one draft");
    change(&mut ledger, |draft| draft.expire(id(1))).unwrap();
    for again in 0..3 {
        let outcome = change(&mut ledger, |draft| match again {
            0 => draft.release(id(1)),
            1 => draft.expire(id(1)),
            _ => draft.settle(id(1), BOB, Amount::ZERO).map(|settlement| settlement.freed),
        });
        assert_eq!(outcome, Err(Refusal::NoHold(id(1))));
    }
    change(&mut ledger, |draft| draft.hold(&hold(1, ALICE, 5))).unwrap();
    assert_eq!(units(&ledger, ALICE), (100, 5, 95), "an id may be used again once its hold has ended");
}

/// Broken: `move_amount` counting the freed hold twice.
#[test]
fn invariant_3_a_settlement_takes_no_more_than_the_hold_and_what_is_available() {
    for (taken, expected) in [(0, Ok((0, 0, 60))), (60, Ok((60, 0, 0))), (90, Ok((60, 30, 0))), (91, Err(()))] {
        let mut ledger = books();
        change(&mut ledger, |draft| draft.hold(&hold(1, ALICE, 60)).and_then(|()| draft.hold(&hold(2, ALICE, 10)))).unwrap();
        let settled = change(&mut ledger, |draft| draft.settle(id(1), BOB, Amount::new(taken)));
        let paid = settled.map(|paid| (paid.from_hold.units(), paid.beyond.units(), paid.freed.units())).map_err(drop);
        assert_eq!(paid, expected, "taking {taken}");
        let alice = if expected.is_ok() { (100 - taken, 10, 90 - taken) } else { (100, 70, 30) };
        assert_eq!(units(&ledger, ALICE), alice);
    }
}

/// Broken: `Draft::hold` looking only at the books and not at what the draft has placed, as it first was.
#[test]
fn invariant_3_an_id_names_one_open_hold() {
    let mut ledger = books();
    let twice = |draft: &mut Draft<'_>| draft.hold(&hold(1, ALICE, 10)).and_then(|()| draft.hold(&hold(1, ALICE, 20)));
    assert_eq!(change(&mut ledger, twice), Err(Refusal::HoldExists(id(1))), "twice in one draft");
    change(&mut ledger, |draft| draft.hold(&hold(1, ALICE, 10))).unwrap();
    assert_eq!(change(&mut ledger, |draft| draft.hold(&hold(1, ALICE, 10))), Err(Refusal::HoldExists(id(1))));
}

/// Broken: `Ledger::from_books` forgetting the deadlines.
#[test]
fn invariant_5_replay_gives_the_same_books_wherever_it_begins() {
    let events = events(5, 2000);
    let mut live = Ledger::default();
    let mut thawed = Ledger::default();
    for (sequence, event) in &events {
        live.apply(*sequence, event);
        thawed.apply(*sequence, event);
        thawed = Ledger::from_books(thawed.books());
    }
    assert_eq!(format!("{:?}", thawed.books()), format!("{:?}", live.books()));
    let due = |ledger: &Ledger| ledger.due(Time::from_millis(i64::MAX)).map(|hold| hold.id).collect::<Vec<_>>();
    assert_eq!(due(&thawed), due(&live));
    assert!(live.verify().is_ok());
}

/// Broken: `Slots::remove` not putting the slot on the chain of free ones.
#[test]
fn invariant_5_ended_holds_leave_nothing_in_the_books() {
    let mut ledger = books();
    let mut after_one = String::new();
    for round in 0..1000 {
        change(&mut ledger, |draft| draft.hold(&hold(1, ALICE, 60)).and_then(|()| draft.hold(&hold(2, ALICE, 7)))).unwrap();
        change(&mut ledger, |draft| draft.release(id(1)).and_then(|_| draft.expire(id(2)))).unwrap();
        let books = format!("{:?}", ledger.books());
        if round == 0 {
            after_one.clone_from(&books);
        }
        assert_eq!(books.len(), after_one.len(), "the books grow with what has ended");
    }
}

/// Broken: a `std::time::Instant` in state.rs.
#[test]
fn invariant_6_the_ledger_has_no_clock_no_input_no_output_no_dice() {
    let impure = ["std::fs", "std::net", "std::io", "std::time", "std::env", "std::thread", "std::process", "SystemTime", "Instant"];
    let random = ["RandomState", "rand::", "getrandom", "println!", "static mut", "thread_local!"];
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut read = 0;
    for file in std::fs::read_dir(sources).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        read += 1;
        for word in impure.iter().chain(&random) {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
    assert!(read > 3, "the sources are not where they were");
}

/// Broken: `Draft::settle` marking the hold as ended before it knew whether the payment was possible, as it first was.
#[test]
fn invariant_8_a_refusal_leaves_nothing_behind() {
    let mut ledger = books();
    change(&mut ledger, |draft| draft.hold(&hold(1, ALICE, 60))).unwrap();
    let before = format!("{:?}", ledger.books());
    let mut draft = Draft::new(&ledger);
    assert!(draft.settle(id(1), BOB, Amount::new(101)).is_err());
    assert!(draft.settle(id(1), ALICE, Amount::new(1)).is_err());
    assert!(draft.transfer(&moving(ALICE, BOB, 41)).is_err());
    assert!(draft.transfer(&moving(ISSUER, BOB, i64::MIN)).is_err());
    assert!(draft.hold(&hold(2, ALICE, 41)).is_err());
    assert_eq!((draft.balance(ALICE).units(), draft.available(ALICE).units()), (100, 40));
    assert_eq!(draft.release(id(1)), Ok(Amount::new(60)), "the refused settlements have not ended the hold");
    assert_eq!(draft.available(ALICE).units(), 100);
    assert!(matches!(draft.into_events().as_slice(), [Event::HoldReleased(_)]));
    assert_eq!(format!("{:?}", ledger.books()), before);
}
