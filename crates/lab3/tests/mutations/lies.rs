//! What a forger writes into records who knows their format: other amounts, people, times and keys; records that nobody may make.

use lab3_engine::{Actor, Fact, Frozen, Record, Signed, Stamp, read_entry, write_entry};
use lab3_finance::Fact as Money;
use lab3_ledger::{AccountNo, Event, Kind, Purpose};
use lab3_trust::{Change, Deed, Holder, PublicKey, Scopes};
use lab3_units::{Amount, Did, Id, Owner, Time};

use crate::dice::Dice;
use crate::home::{Home, VIEWS};
use crate::honest::Honest;
use crate::life::member;
use crate::rows::Entry;

fn read(entry: &Entry) -> Record {
    read_entry(1, &entry.bytes).unwrap().record
}

/// Writes the record in the place of one; whether its bytes are others.
fn rewrite(entry: &mut Entry, record: &Record) -> bool {
    let bytes = write_entry(record).unwrap();
    let changed = bytes != entry.bytes;
    entry.bytes = bytes;
    changed
}

/// Changes the first record from `start` on, round to the beginning, that can be changed so.
fn first(entries: &mut [Entry], start: usize, mut change: impl FnMut(&mut Record) -> Option<String>) -> (usize, String) {
    for at in (start..entries.len()).chain(0..start) {
        let mut record = read(&entries[at]);
        if let Some(what) = change(&mut record)
            && rewrite(&mut entries[at], &record)
        {
            return (at, what);
        }
    }
    panic!("no record can be changed so");
}

/// Changes one field of a record.
pub fn edit(entries: &mut [Entry], start: usize, dice: &mut Dice) -> (usize, String) {
    let lie = dice.below(14);
    first(entries, start, |record| tell(record, lie, dice))
}

fn tell(record: &mut Record, lie: usize, dice: &mut Dice) -> Option<String> {
    let some = |what: &str| Some(what.to_owned());
    match lie {
        0 | 1 => {
            let amount = record.entries.iter_mut().find_map(amount)?;
            let more = 1 + i64::try_from(dice.below(1000)).ok()?;
            *amount = Amount::new(if dice.below(2) == 0 { amount.units() + more } else { amount.units() - more });
            some("another amount")
        }
        2 | 3 => {
            let party = record.entries.iter_mut().find_map(|event| party(event, dice.below(2) == 0))?;
            party.0 = (party.0 + 1 + u32::try_from(dice.below(6)).ok()?) % 12;
            some("another party")
        }
        4 => {
            let actors = [Actor::Engine, Actor::Open, Actor::Operator, Actor::Key(1), Actor::Key(4), Actor::Key(99), Actor::Signed];
            record.actor = *dice.of(&actors);
            some("another actor")
        }
        5 => {
            record.at = Time::from_millis(record.at.millis() + 1 - 2 * i64::try_from(dice.below(2)).ok()?);
            some("another time")
        }
        6 => {
            record.at = Time::from_millis(record.at.millis() - 86_400_000);
            some("a day earlier")
        }
        7 => {
            let mut bytes = record.id.to_bytes();
            bytes[dice.below(16)] ^= 1;
            record.id = Id::from_bytes(bytes);
            some("another id")
        }
        8 => {
            record.fingerprint ^= 1 << dice.below(60);
            some("another fingerprint")
        }
        9 => signature(record, dice),
        10 => {
            record.signed.take()?;
            some("no signature")
        }
        11 => {
            record.entries.pop()?;
            some("an entry less")
        }
        12 => {
            let again = record.entries.last()?.clone();
            record.entries.push(again);
            some("an entry twice")
        }
        _ => {
            let memo = record.entries.iter_mut().find_map(|event| match event {
                Event::Transferred { memo, kind, .. } if kind.has_words() && !memo.is_empty() => Some(memo),
                _ => None,
            })?;
            *memo = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".into();
            some("another commitment to what was written")
        }
    }
}

fn amount(event: &mut Event) -> Option<&mut Amount> {
    match event {
        Event::Transferred { amount, .. } | Event::HoldPlaced { amount, .. } => Some(amount),
        Event::HoldSettled { taken, .. } => Some(taken),
        Event::HoldReleased(end) | Event::HoldExpired(end) => Some(&mut end.held),
        Event::HoldExtended { by, .. } => Some(by),
        Event::AccountOpened { .. } => None,
    }
}

fn party(event: &mut Event, payer: bool) -> Option<&mut AccountNo> {
    match event {
        Event::Transferred { from, to, .. } => Some(if payer { from } else { to }),
        Event::HoldPlaced { account, .. } => Some(account),
        _ => None,
    }
}

fn signature(record: &mut Record, dice: &mut Dice) -> Option<String> {
    let flipped = |signature: &mut lab3_trust::Signature, dice: &mut Dice| {
        let mut bytes = signature.to_bytes();
        bytes[dice.below(64)] ^= 1 << dice.below(8);
        *signature = lab3_trust::Signature::from_bytes(bytes);
    };
    match record.signed.as_deref_mut()? {
        Signed::Intent(intent) => flipped(&mut intent.signature, dice),
        Signed::Approval(approval) => flipped(&mut approval.signatures[0].signature, dice),
    }
    Some("a bit of a signature".to_owned())
}

/// The same record under an id nobody used.
pub fn with_new_id(entry: &Entry, dice: &mut Dice) -> Entry {
    let mut record = read(entry);
    record.id = Id::from_bytes((u128::from(dice.bits()) << 64 | u128::from(dice.bits())).to_be_bytes());
    record.aliases.clear();
    Entry { bytes: write_entry(&record).unwrap(), openings: entry.openings.clone() }
}

/// Puts another log key into the inscription; its place.
pub fn inscribe(entries: &mut [Entry], log_key: [u8; 32]) -> usize {
    let swap = |record: &mut Record| match &mut record.fact {
        Fact::Trust(fact) => match &mut fact.deed {
            Deed::Inscribed(inscription) => {
                inscription.log_key = log_key;
                Some(String::new())
            }
            _ => None,
        },
        _ => None,
    };
    first(entries, 0, swap).0
}

/// Puts another key in the place of a member's: in the registry, under a signature, in a holder's name, as a key's hash.
pub fn swap_key(entries: &mut [Entry], start: usize, dice: &mut Dice) -> (usize, String) {
    let (where_, other) = (dice.below(4), PublicKey::of_secret(&[99; 32]));
    first(entries, start, |record| swap(record, where_, other))
}

fn swap(record: &mut Record, where_: usize, other: PublicKey) -> Option<String> {
    if where_ == 0 {
        let Signed::Intent(intent) = record.signed.as_deref_mut()? else { return None };
        intent.key = other;
        return Some("another key under its signature".to_owned());
    }
    let Fact::Trust(fact) = &mut record.fact else { return None };
    match (&mut fact.deed, where_) {
        (Deed::DidKeys(changed), 1) => match &mut changed.0.change {
            Change::Add(key) | Change::Rotate { new: key, .. } => *key = other,
            _ => return None,
        },
        (Deed::KeyCreated(made), 2) => made.holder = Holder::Citizen(other.to_did()?),
        (Deed::KeyCreated(made), 3) => made.hash = lab3_trust::KeyText::make(made.holder.kind(), [9; 8], &[9; 32]).hash(),
        _ => return None,
    }
    Some("another key in the registry".to_owned())
}

/// The accounts the journal opened, by owner and purpose.
fn account(honest: &Honest, owner: &Owner, purpose: Purpose) -> AccountNo {
    let opened = (0..honest.len()).flat_map(|at| honest.record(at).entries);
    let opened = opened.filter_map(|event| match event {
        Event::AccountOpened { owner, purpose, .. } => Some((owner, purpose)),
        _ => None,
    });
    AccountNo((0..).zip(opened).find(|(_, (other, kind))| other == owner && *kind == purpose).unwrap().0)
}

fn wallet(honest: &Honest, did: &Did) -> AccountNo {
    account(honest, &Owner::from(did), Purpose::Wallet)
}

fn moved(from: AccountNo, to: AccountNo, units: i64, kind: Kind) -> Event {
    Event::Transferred { from, to, amount: Amount::new(units), kind, memo: "".into() }
}

/// What an account has at the end.
fn balance(honest: &Honest, account: AccountNo) -> i64 {
    let postings = (0..honest.len()).flat_map(|at| honest.record(at).entries).flat_map(|event| event.postings().into_iter().flatten());
    postings.filter(|posting| posting.account == account).map(|posting| posting.balance).sum()
}

/// A record that nobody may make, well formed and in order, for the journal's end.
pub fn added(honest: &Honest, dice: &mut Dice) -> (String, Entry) {
    let lie = dice.below(9);
    let (what, record) = match lie {
        0 => {
            let at = dice.below(honest.len());
            return (format!("record {} once more", at + 1), without_words(&honest.record(at)));
        }
        1 => ("a payment nobody signed", transferred(honest, dice, Actor::Signed)),
        2 => ("a payment by the operator's key", transferred(honest, dice, Actor::Key(1))),
        3 => ("a member's payment with her API key, unsigned", transferred(honest, dice, Actor::Key(4))),
        4 => ("a payment signed for another", borrowed(honest, dice)),
        5 => ("new money without the treasurers", minted(honest, dice)),
        6 => ("a grant without the treasurers", granted(honest, dice)),
        7 => ("a key made out of turn", keyed(honest, dice, 2)),
        _ => ("an operator's key made by a member's", keyed(honest, dice, 1)),
    };
    (what.to_owned(), without_words(&record))
}

/// The record with what was written in it told to be erased, so that nothing is missing beside it.
fn without_words(record: &Record) -> Entry {
    let written = |event: &&Event| matches!(event, Event::Transferred { kind, memo, .. } if kind.has_words() && !memo.is_empty());
    let openings = record.entries.iter().filter(written).map(|_| vec![0]).collect();
    Entry { bytes: write_entry(record).unwrap(), openings }
}

/// A record after the last, with nothing in it yet.
fn record(honest: &Honest, dice: &mut Dice, actor: Actor, fact: Fact, entries: Vec<Event>) -> Record {
    let id = Id::from_bytes((u128::from(dice.bits()) << 64 | u128::from(dice.bits())).to_be_bytes());
    let at = honest.record(honest.len() - 1).at;
    Record { at, actor, id, aliases: Vec::new(), fingerprint: 0, fact, entries, signed: None }
}

fn transferred(honest: &Honest, dice: &mut Dice, actor: Actor) -> Record {
    let (from, to) = (wallet(honest, &member(0)), wallet(honest, &member(1)));
    let pool = account(honest, &Owner::hive("pool"), Purpose::Pool);
    let entries = vec![moved(from, to, 1000, Kind::Transfer), moved(from, pool, 1, Kind::Fee)];
    record(honest, dice, actor, Fact::Finance(Money::Transferred), entries)
}

/// A payment under the signature that stands in another record.
fn borrowed(honest: &Honest, dice: &mut Dice) -> Record {
    let mut records = (0..honest.len()).rev().map(|at| honest.record(at));
    let mut signed = records.find(|record| matches!(record.signed.as_deref(), Some(Signed::Intent(_)))).unwrap();
    let last = transferred(honest, dice, Actor::Signed);
    (signed.id, signed.at) = (last.id, last.at);
    signed
}

fn minted(honest: &Honest, dice: &mut Dice) -> Record {
    let (issuance, to) = (account(honest, &Owner::hive("issuance"), Purpose::Issuance), wallet(honest, &member(0)));
    let fact = Money::Minted { supply: Amount::new(5_000_000 - balance(honest, issuance)) };
    record(honest, dice, Actor::Signed, Fact::Finance(fact), vec![moved(issuance, to, 5_000_000, Kind::Mint)])
}

fn granted(honest: &Honest, dice: &mut Dice) -> Record {
    let pool = account(honest, &Owner::hive("pool"), Purpose::Pool);
    let fact = Money::Granted { pool_balance: Amount::new(balance(honest, pool) - 1000) };
    let paid = moved(pool, wallet(honest, &member(0)), 1000, Kind::Grant);
    record(honest, dice, Actor::Signed, Fact::Finance(fact), vec![paid])
}

/// A key made by who may not, or whose number is not the next.
fn keyed(honest: &Honest, dice: &mut Dice, step: u32) -> Record {
    let mut records = (0..honest.len()).map(|at| honest.record(at));
    let last = records.by_ref().filter_map(|record| made(&record)).last().unwrap();
    let mut first = (0..honest.len()).map(|at| honest.record(at)).find(|record| made(record).is_some()).unwrap();
    let Fact::Trust(fact) = &mut first.fact else { panic!("a key is made by a fact of trust") };
    let Deed::KeyCreated(key) = &mut fact.deed else { panic!("the first key is made, not rotated") };
    (key.number, key.id) = (last + step, lab3_trust::KeyText::make(lab3_trust::Kind::Operator, [77; 8], &[77; 32]).id());
    key.scopes = Scopes::of(&[lab3_trust::Scope::Keys]);
    // The member's key that was made fourth.
    fact.by = lab3_trust::By::Key(if step == 1 { 4 } else { last });
    let actor = Actor::Key(if step == 1 { 4 } else { last });
    record(honest, dice, actor, first.fact, Vec::new())
}

fn made(record: &Record) -> Option<u32> {
    let Fact::Trust(fact) = &record.fact else { return None };
    match &fact.deed {
        Deed::KeyCreated(made) => Some(made.number),
        Deed::KeyRotated { number, .. } => Some(*number),
        _ => None,
    }
}

/// A snapshot as it is read.
pub fn snapshot(bytes: &[u8], stamp: &Stamp) -> Frozen {
    Frozen::read(&mut &*bytes, stamp).unwrap()
}

/// Puts something on the shelf that the views did not.
pub fn put_on_shelf(home: &Home, dice: &mut Dice) -> String {
    let connection = rusqlite::Connection::open(home.at(VIEWS)).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut names = connection.prepare(tables).unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let (table, key) = (dice.of(&names), i64::try_from(dice.below(3)).unwrap());
    let value: Vec<u8> = (0..32 * (1 + dice.below(3))).map(|_| dice.bits().to_le_bytes()[0] % 8).collect();
    connection.execute(&format!("REPLACE INTO {table}(key, value) VALUES (?1, ?2)"), (key, &value)).unwrap();
    format!("{table} {key}: {value:?}")
}
