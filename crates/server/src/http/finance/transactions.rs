//! `GET /lab3/financial/transactions`: what happened to somebody's money, or to everybody's, page by page.
//!
//! A page ends between records, never inside one, so that a cursor is a record's number. A record of a linked batch may hold
//! many transactions; then the page is longer than `limit`, by less than one record's.

use lab3_engine::{Engine, Span, Stored};
use lab3_ledger::{AccountNo, Purpose};
use lab3_units::{Asset, Code, Did, Owner, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::finance::names::Names;
use crate::http::finance::statement::{Movement, Transaction, transactions_of};
use crate::http::parameters::{Asked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, reply};
use crate::json::{Sequence, Whole};

/// Transactions on a page when the request names no number.
const LIMIT: usize = 50;

/// Records looked through for one page of everybody's transactions.
const RECORDS_MAX: u64 = 5000;

/// Records read from the journal at once.
const RECORDS_AT_ONCE: u64 = 256;

parameters! {
    /// Whose transactions, and which part of them.
    pub(crate) struct TransactionsQuery {
        /// Whose; everybody's when left out.
        pub did: Option<Did>,
        /// What came after this record (a `sequence`, or the `next` of the page before), oldest first.
        pub since: Option<Sequence>,
        /// What came before this record (a `sequence`, or the `next` of the page before).
        pub before: Option<Sequence>,
        /// Transactions on a page; 50 when left out.
        pub limit: Option<Whole<1, 500>>,
    }
}

/// A page of transactions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransactionsReply<'a> {
    /// Newest first; oldest first when `since` was asked.
    transactions: Vec<Transaction<'a>>,
    /// Give it as `before` (or as `since`, when that was asked) for the next page; `null` when there is none now.
    #[schema(required, example = "1234")]
    next: Option<String>,
}

/// Which way a page goes, and from where to where; the ends are not in it.
#[derive(Clone, Copy)]
struct Stretch {
    after: u64,
    before: u64,
    oldest_first: bool,
}

impl Touching for TransactionsQuery {
    fn touches(&self) -> Touches<'_> {
        self.did.as_ref().map_or(Touches::Everybodys, Touches::Citizen)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "transactions", "What happened to somebody's money, or to everybody's")
        .about("Follow the Hive with `since`: what is acknowledged before the call is found by it.")
        .asks::<TransactionsQuery>(&[])
        .asks_engine()
        .answers::<TransactionsReply>("A page of transactions")
        .refuses(&[Code::DID_MALFORMED])
}

pub(crate) async fn transactions(app: App, permit: Permit<Asked<TransactionsQuery>>) -> Answer {
    let (_, Asked(query)) = permit.open();
    let engine = app.engine();
    let limit = query.limit.map_or(LIMIT, |limit| usize::try_from(limit.0).unwrap_or(LIMIT));
    let last = engine.status().sequence;
    let stretch = Stretch {
        after: query.since.map_or(0, |since| since.0),
        before: query.before.map_or(u64::MAX, |before| before.0).min(last.saturating_add(1)),
        oldest_first: query.since.is_some(),
    };
    let (page, account) = match &query.did {
        None => (everybodys(engine, stretch, limit).await?, None),
        Some(did) => match wallet(engine, did).await? {
            Some(wallet) => (somebodys(engine, wallet, stretch, limit).await?, Some(wallet)),
            None => (Page::default(), None),
        },
    };
    let movements = page.movements(account, stretch.oldest_first);
    let parties = movements.iter().flat_map(|movement| [movement.from, movement.to]);
    let names = Names::ask(engine, parties).await?;
    let transactions = movements.into_iter().map(|movement| movement.told(&names)).collect();
    Ok(reply(&TransactionsReply { transactions, next: page.next.map(|next| next.to_string()) }))
}

async fn wallet(engine: &Engine, did: &Did) -> Result<Option<AccountNo>, Problem> {
    let owner = Owner::from(did);
    engine.read(move |desk| desk.state.ledger.find(owner.as_str(), Asset::MIC, Purpose::Wallet)).await
}

/// The records of a page, in the page's order.
#[derive(Default)]
struct Page {
    records: Vec<Stored>,
    next: Option<u64>,
}

impl Page {
    /// The page's transactions: those that touch the account, when there is one.
    fn movements(&self, account: Option<AccountNo>, oldest_first: bool) -> Vec<Movement<'_>> {
        let mut all = Vec::new();
        for stored in &self.records {
            let start = all.len();
            all.extend(transactions_of(stored).filter(|movement| touches(movement, account)));
            if let Some(record) = all.get_mut(start..).filter(|_| !oldest_first) {
                record.reverse();
            }
        }
        all
    }
}

fn touches(movement: &Movement<'_>, account: Option<AccountNo>) -> bool {
    account.is_none_or(|account| movement.from == account || movement.to == account)
}

/// A page of one account's history.
async fn somebodys(engine: &Engine, wallet: AccountNo, stretch: Stretch, limit: usize) -> Result<Page, Problem> {
    let span = if stretch.oldest_first { Span::After(stretch.after) } else { Span::Before(stretch.before) };
    let entries = engine.history(wallet, span, limit + 1).await?;
    let within = |sequence: &u64| *sequence > stretch.after && *sequence < stretch.before;
    let sequences = entries.iter().map(|entry| entry.sequence).filter(within).collect::<Vec<_>>();
    let wanted = sequences.len();
    let mut page = Page::default();
    let mut found = 0;
    for stored in engine.records(sequences).await? {
        if found >= limit {
            break;
        }
        found += transactions_of(&stored).filter(|movement| touches(movement, Some(wallet))).count();
        page.records.push(stored);
    }
    let more = page.records.len() < wanted || wanted > limit;
    page.next = page.records.last().filter(|_| more).map(|last| last.sequence);
    Ok(page)
}

/// A page of the journal's records that hold transactions.
async fn everybodys(engine: &Engine, stretch: Stretch, limit: usize) -> Result<Page, Problem> {
    let Stretch { mut after, mut before, oldest_first } = stretch;
    let mut page = Page::default();
    let (mut found, mut looked) = (0, 0);
    while found < limit && looked < RECORDS_MAX && after.saturating_add(1) < before {
        let sequences: Vec<u64> = if oldest_first {
            (after + 1..before.min(after.saturating_add(1 + RECORDS_AT_ONCE))).collect()
        } else {
            ((after + 1).max(before.saturating_sub(RECORDS_AT_ONCE))..before).rev().collect()
        };
        looked += RECORDS_AT_ONCE;
        for stored in engine.records(sequences).await? {
            let transactions = transactions_of(&stored).count();
            if found >= limit {
                break;
            }
            *(if oldest_first { &mut after } else { &mut before }) = stored.sequence;
            if transactions > 0 {
                found += transactions;
                page.records.push(stored);
            }
        }
    }
    let more = after.saturating_add(1) < before;
    page.next = more.then_some(if oldest_first { after } else { before });
    Ok(page)
}
