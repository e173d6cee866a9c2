//! Holds that are extended: more is set aside for longer, never more than there is, and the end of the hold knows all of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use lab3_ledger::{AccountNo, Draft, Event, Kind, Ledger, Limits, PlaceHold, Purpose, Refusal, Transfer};
use lab3_units::{Amount, Asset, Id, Owner, Time};

const HOLD: Id = Id::from_bytes([7; 16]);

fn time(seconds: i64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn apply(ledger: &mut Ledger, sequence: u64, change: impl FnOnce(&mut Draft<'_>)) -> Vec<Event> {
    let mut draft = Draft::new(ledger);
    change(&mut draft);
    let events = draft.into_events();
    for event in &events {
        ledger.apply(sequence, event);
    }
    ledger.verify().unwrap();
    events
}

/// A citizen with 100, of which 30 are held until second 60; and the shop that will be paid.
fn books() -> (Ledger, AccountNo, AccountNo) {
    let (mut ledger, mut accounts) = (Ledger::default(), None);
    apply(&mut ledger, 1, |draft| {
        let open = |draft: &mut Draft<'_>, name, limits| draft.open(&Owner::hive(name), Asset::MIC, Purpose::Wallet, limits);
        let (mint, citizen) = (open(draft, "mint", Limits::OVERDRAFT), open(draft, "citizen", Limits::NO_OVERDRAFT));
        let shop = open(draft, "shop", Limits::NO_OVERDRAFT);
        draft.transfer(&Transfer { from: mint, to: citizen, amount: Amount::new(100), kind: Kind::Mint, memo: "" }).unwrap();
        let place = PlaceHold { id: HOLD, account: citizen, amount: Amount::new(30), deadline: time(60), code: 0, open_max: 1 };
        draft.hold(&place).unwrap();
        accounts = Some((citizen, shop));
    });
    let (citizen, shop) = accounts.unwrap();
    (ledger, citizen, shop)
}

#[test]
fn an_extended_hold_sets_more_aside_for_longer() {
    let (mut ledger, citizen, shop) = books();
    apply(&mut ledger, 2, |draft| draft.extend(HOLD, Amount::new(50), time(90)).unwrap());
    assert_eq!((ledger.hold(HOLD).unwrap().amount, ledger.account(citizen).unwrap().available()), (Amount::new(80), Amount::new(20)));
    assert_eq!((ledger.due(time(60)).count(), ledger.due(time(90)).count(), ledger.next_deadline()), (0, 1, Some(time(90))));
    let again = Ledger::from_books(ledger.books());
    assert_eq!((again.next_deadline(), again.verify()), (Some(time(90)), Ok(())));
    apply(&mut ledger, 3, |draft| {
        let settled = draft.settle(HOLD, shop, Amount::new(70)).unwrap();
        assert_eq!((settled.from_hold, settled.beyond, settled.freed), (Amount::new(70), Amount::ZERO, Amount::new(10)));
    });
    assert_eq!((ledger.account(citizen).unwrap().balance(), ledger.next_deadline()), (Amount::new(30), None));
}

#[test]
fn no_more_is_set_aside_than_there_is_and_a_draft_touches_a_hold_once() {
    let (mut ledger, citizen, shop) = books();
    let mut draft = Draft::new(&ledger);
    let too_much = draft.extend(HOLD, Amount::new(71), time(90));
    assert_eq!(too_much, Err(Refusal::Overdraft { account: citizen, needed: Amount::new(71), available: Amount::new(70) }));
    assert_eq!(draft.extend(HOLD, Amount::new(-1), time(90)), Err(Refusal::NotPositive));
    assert_eq!(draft.extend(Id::from_bytes([8; 16]), Amount::new(1), time(90)), Err(Refusal::NoHold(Id::from_bytes([8; 16]))));
    draft.extend(HOLD, Amount::new(70), time(90)).unwrap();
    assert_eq!(draft.available(citizen), Amount::ZERO);
    assert_eq!(draft.extend(HOLD, Amount::ZERO, time(95)), Err(Refusal::NoHold(HOLD)));
    assert_eq!(draft.settle(HOLD, shop, Amount::new(1)), Err(Refusal::NoHold(HOLD)));
    assert_eq!(draft.into_events().len(), 1);
    apply(&mut ledger, 2, |draft| draft.extend(HOLD, Amount::ZERO, time(90)).unwrap());
    assert_eq!(ledger.hold(HOLD).unwrap().amount, Amount::new(30));
}
