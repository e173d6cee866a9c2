//! Signed intents: a record's signatures are checked against the keys valid at its place. Treasurers' are in `treasurers.rs`.

use lab3_energy::{ExportShared, Fact as Energy, ShareRule};
use lab3_engine::{Actor, Fact, Record, Signed};
use lab3_finance::Fact as Money;
use lab3_ledger::{AccountNo, Event, Kind};
use lab3_trust::{Act, Deed, Intent, MemoHash, SignedEarned, SignedMembers, SignedShare, State, Statement, check_counted, check_intent};
use lab3_units::{Amount, Did, Problem};

use crate::books::Books;
use crate::treasurers;
use crate::verdict::{Class, Found};

/// Whether every signature a record needs is in it and holds by the keys as they are in `state`, which is the state before the record. The text
/// that was signed is rebuilt from the record.
pub(crate) fn hold(record: &Record, books: &Books, state: &State) -> Result<(), Found> {
    if let Fact::Trust(fact) = &record.fact {
        return match &fact.deed {
            _ if record.signed.is_some() => bad("a record that keeps its signatures in its fact has one behind it"),
            Deed::DidKeys(changed) => {
                let (event, intent) = &**changed;
                told(signed(record, state, Act::DidKey(event.clone()), intent).map(|_| ()))
            }
            _ => treasurers::deed(record, state, fact),
        };
    }
    paid(record, books, state)?;
    match record.signed.as_deref() {
        // An open Hive asks for none.
        None if record.actor == Actor::Signed && !state.is_open() && takes_money(record) => {
            bad("a payment that was signed has no signature")
        }
        None => treasurers::unsigned(record, state),
        Some(Signed::Intent(intent)) => by_who_pays(record, books, state, intent),
        Some(Signed::Approval(approval)) => treasurers::money(record, books, state, approval),
    }
}

/// Whether nobody who has a key paid without it, on a closed Hive, and nothing was paid beside what was signed.
fn paid(record: &Record, books: &Books, state: &State) -> Result<(), Found> {
    let shared = if let Fact::Energy(Energy::ExportShared(shared)) = &record.fact { Some(shared.payer) } else { None };
    let payments = record.entries.iter().filter_map(|event| match event {
        Event::Transferred { from, kind: Kind::Transfer | Kind::Contribution | Kind::ExportShare, .. } => Some(*from),
        _ => None,
    });
    // Who keeps all of it shares as well.
    let mut payments = payments.chain(shared);
    match record.signed.as_deref() {
        // What is shared goes to several; that it goes to them as was signed is looked at with the fact.
        Some(Signed::Intent(_)) if shared.is_none() && payments.clone().count() > 1 => bad("more was paid than was signed"),
        Some(_) => Ok(()),
        None if state.is_open() => Ok(()),
        None => match payments.find_map(|from| owner(books, from).filter(|did| !state.keys_of(did).is_empty())) {
            Some(did) => Err((Class::Signatures, format!("{did} has a key, and paid without its signature"))),
            None => Ok(()),
        },
    }
}

pub(crate) fn bad<T>(what: &str) -> Result<T, Found> {
    Err((Class::Signatures, what.to_owned()))
}

pub(crate) fn told<T>(checked: Result<T, Problem>) -> Result<T, Found> {
    checked.map_err(|problem| (Class::Signatures, problem.detail.into_owned()))
}

fn takes_money(record: &Record) -> bool {
    matches!(record.fact, Fact::Finance(Money::Transferred | Money::Contributed { .. }) | Fact::Energy(Energy::ExportShared(_)))
}

/// What one entry moved.
pub(crate) struct Move {
    pub from: AccountNo,
    pub to: AccountNo,
    pub amount: Amount,
    pub memo: Option<MemoHash>,
}

/// The first entry of that kind; its memo is a commitment, which is the hash that was signed.
pub(crate) fn moved(record: &Record, wanted: Kind) -> Option<Move> {
    record.entries.iter().find_map(|event| match event {
        Event::Transferred { from, to, amount, kind, memo } if *kind == wanted => {
            Some(Move { from: *from, to: *to, amount: *amount, memo: MemoHash::parse(memo) })
        }
        _ => None,
    })
}

pub(crate) fn owner(books: &Books, no: AccountNo) -> Option<Did> {
    Did::parse(books.account(no)?.owner.as_str()).ok()
}

fn by_who_pays(record: &Record, books: &Books, state: &State, intent: &Intent) -> Result<(), Found> {
    let (act, payer) = match &record.fact {
        Fact::Finance(Money::Transferred) => {
            let Some(paid) = moved(record, Kind::Transfer) else { return bad("what was signed was not paid") };
            let (Some(from), Some(to)) = (owner(books, paid.from), owner(books, paid.to)) else {
                return bad("what was signed is not between DIDs");
            };
            (Act::Transfer { from: from.clone(), to, amount: paid.amount, fee_max: intent.fee_max, memo: paid.memo }, from)
        }
        Fact::Finance(Money::Contributed { .. }) => {
            let Some(given) = moved(record, Kind::Contribution) else { return bad("what was signed was not given") };
            let Some(from) = owner(books, given.from) else { return bad("what was signed is not of a DID") };
            (Act::Contribute { from: from.clone(), amount: given.amount, memo: given.memo }, from)
        }
        Fact::Energy(Energy::ExportShared(shared)) => {
            let Some(share) = share(books, shared, intent) else { return bad("what was signed is not shared between DIDs") };
            let from = share.from.clone();
            (Act::ShareExports(Box::new(share)), from)
        }
        _ => return bad("a record that nobody has to sign has a signature"),
    };
    let fee = moved(record, Kind::Fee).map_or(Amount::ZERO, |fee| fee.amount);
    let verified = told(signed(record, state, act, intent))?;
    told(check_intent(state, record.at, &payer, &verified, fee))?;
    match &record.fact {
        Fact::Energy(Energy::ExportShared(shared)) if shared.measured => told(check_counted(&verified, shared.amount)),
        _ => Ok(()),
    }
}

/// What must have been signed for exports to be shared so. Each share follows from it: that is looked at with the fact.
fn share(books: &Books, shared: &ExportShared, intent: &Intent) -> Option<SignedShare> {
    let members = || shared.shares.iter().map(|share| Some((owner(books, share.account)?, share.weight)));
    let earned = if shared.measured {
        SignedEarned::Counted { amount_max: intent.fee_max }
    } else {
        SignedEarned::Said { amount: shared.amount, exported_mwh: shared.exported_mwh }
    };
    let among = match shared.rule {
        ShareRule::Equal => SignedMembers::Equal(members().map(|member| Some(member?.0)).collect::<Option<_>>()?),
        ShareRule::Weights => SignedMembers::Weights(members().collect::<Option<_>>()?),
        ShareRule::Generation => SignedMembers::Generation,
    };
    let (from, device, begin, end) = (owner(books, shared.payer)?, shared.device.clone(), shared.from, shared.to);
    Some(SignedShare { from, device, begin, end, earned, among })
}

pub(crate) fn signed(record: &Record, state: &State, act: Act, intent: &Intent) -> Result<lab3_trust::Verified<Intent>, Problem> {
    intent.clone().verify(&statement(record, state, act, intent.not_after)?)
}

pub(crate) fn statement(record: &Record, state: &State, act: Act, not_after: lab3_units::Time) -> Result<Statement, Problem> {
    let unnamed = || Problem::new(lab3_units::Code::INTENT_INVALID, "the journal was not inscribed when this was signed");
    let ours = state.inscription().ok_or_else(unnamed)?;
    Ok(Statement { hive: ours.hive.clone(), journal: ours.journal, id: record.id, not_after, act })
}
