//! `POST /lab3/financial/transfers`: up to 8,000 transfers in one request, each for itself or all or none.

use std::collections::HashSet;

use lab3_engine::{Actor, Command, Committed, Fact, Key, Submission, item_id};
use lab3_finance::Transfer;
use lab3_ledger::Kind;
use lab3_units::{Amount, Code, Did, Id, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::{Sent, submission};
use crate::http::doc::Doc;
use crate::http::finance::statement::{Movement, transactions_of};
use crate::http::finance::transfer::TransferReply;
use crate::http::key::{fresh_id, id_of, item_fingerprint, linked_fingerprint};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, marked, sized_reply};
use crate::json::{ClientId, List, Positive, Words, request};
use lab3_trust::Principal;

request! {
    /// One of several transfers.
    #[example({ "from_did": "did:kaizen:alice", "to_did": "did:kaizen:bob", "amount": 50.0, "reason": "API compute credits" })]
    pub(crate) struct TransferItem {
        /// The client's own id for this transfer: an `Idempotency-Key` for one item.
        pub id: Option<ClientId>,
        /// Who pays, the fee included.
        pub from_did: Did,
        /// Who receives the amount.
        pub to_did: Did,
        /// How much.
        pub amount: Positive,
        /// What for, in the sender's words.
        pub reason: Option<Words<0, 500>>,
    }
}

request! {
    /// Several transfers.
    #[example({
        "transfers": [
            { "from_did": "did:kaizen:alice", "to_did": "did:kaizen:bob", "amount": 50.0 },
            { "from_did": "did:kaizen:bob", "to_did": "did:kaizen:carol", "amount": "12.5", "reason": "rent" }
        ],
        "atomic": false
    })]
    pub(crate) struct TransfersRequest {
        /// The transfers, in the order they are made.
        pub transfers: List<TransferItem, 1, 8000>,
        /// All of them or none; each for itself when left out.
        pub atomic: Option<bool>,
    }
}

/// What became of several transfers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransfersReply {
    /// How many were made.
    accepted: usize,
    /// How many a rule refused.
    rejected: usize,
    /// What became of each, in the order sent.
    results: Vec<TransferResult>,
}

/// What became of one transfer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(crate) enum TransferResult {
    /// It was made.
    Ok(TransferReply),
    /// A rule refused it.
    Rejected(Rejection),
}

/// Why one transfer was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rejection {
    /// The stable code.
    #[schema(example = "L3-0040")]
    code: String,
    /// What the code means.
    #[schema(example = "Not enough MIC")]
    title: &'static str,
    /// The item's field to blame.
    #[schema(required, example = "amount")]
    field: Option<String>,
    /// What happened and what would help.
    detail: String,
}

/// Bytes a result takes in the reply, about.
const RESULT_BYTES: usize = 190;

impl Touching for TransfersRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Each(self.transfers.0.iter().map(|item| &item.from_did).collect())
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "transfers", "Make up to 8,000 transfers in one request")
        .about(
            "Each transfer stands for itself, and its result tells what became of it; with `atomic` all are made or none, and a \
             refusal names the item (`transfers[3].amount`). A malformed item refuses the whole request.",
        )
        .reads::<TransfersRequest>()
        .answers::<TransfersReply>("What became of each")
        .refuses(&[Code::INTENT_MISSING, Code::ACCOUNT_FROZEN])
        .refuses(&[Code::MIC_INSUFFICIENT, Code::SAME_PARTY, Code::BOOKS_LIMIT])
}

pub(crate) async fn transfers(app: App, permit: Permit<Sent<TransfersRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (actor, Sent { body, key }) = permit.open();
    let ids = item_ids(&principal, &body.transfers.0, key)?;
    let transfers = body.transfers.0.into_iter().map(TransferItem::transfer);
    if body.atomic == Some(true) {
        return linked(&app, actor, key, ids.into_iter().zip(transfers).collect()).await;
    }
    let items = each_for_itself(actor, key, ids.into_iter().zip(transfers));
    let results = app.engine().submit_batch(key.map(|key| (actor, key)), items).await?;
    if let Some(problem) = all_unavailable(&results) {
        return Err(problem.into());
    }
    // They were made durable together, but for those that had been before.
    let newest = results.iter().flatten().min_by_key(|committed| committed.replayed).map(|newest| (newest.commit.clone(), newest.replayed));
    let results = results.into_iter().map(TransferResult::of).collect::<Result<Vec<_>, _>>()?;
    Ok(newest.into_iter().fold(told(results), |reply, (commit, replayed)| marked(&app, reply, &commit, replayed)))
}

impl TransferItem {
    fn transfer(self) -> Transfer {
        let Self { from_did: from, to_did: to, amount: Positive(amount), reason, .. } = self;
        Transfer { from, to, amount, reason: reason.map_or_else(Box::default, |words| words.0) }
    }
}

/// The items' own ids, hashed; refuses one that stands twice.
fn item_ids(principal: &Principal, items: &[TransferItem], key: Option<Key>) -> Result<Vec<Option<Id>>, Problem> {
    let mut seen = key.iter().map(|key| key.id).collect::<HashSet<_>>();
    let mut ids = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let id = item.id.as_ref().map(|id| id_of(principal, &id.0));
        if id.is_some_and(|id| !seen.insert(id)) {
            let problem = Problem::new(
                Code::FIELD_TWICE,
                "This id stands twice in the request, or is its Idempotency-Key. Each transfer has an id of its own.",
            );
            return Err(problem.in_field(format!("transfers[{at}].id")));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Submissions that stand each for itself. An item without an id has one that follows from the batch's key, or a fresh one.
fn each_for_itself(actor: Actor, key: Option<Key>, items: impl Iterator<Item = (Option<Id>, Transfer)>) -> Vec<Submission> {
    let fresh = fresh_id();
    let submission = |(at, (id, transfer)): (u32, (Option<Id>, Transfer))| {
        let id = id.or_else(|| key.map(|key| item_id(key.id, at)));
        let key = id.map(|id| Key { id, fingerprint: item_fingerprint(&transfer) });
        Submission::new(actor, key, item_id(fresh, at), Command::Transfer(transfer))
    };
    (0..).zip(items).map(submission).collect()
}

/// All or none. The record keeps one fingerprint, the whole request's, so every key of the request has that one.
async fn linked(app: &App, actor: Actor, key: Option<Key>, items: Vec<(Option<Id>, Transfer)>) -> Answer {
    let fingerprint = match key {
        Some(key) => key.fingerprint,
        None => linked_fingerprint(items.iter().map(|(_, transfer)| item_fingerprint(transfer))),
    };
    let keyed = |(id, transfer): (Option<Id>, Transfer)| (id.map(|id| Key { id, fingerprint }), transfer);
    let command = Command::TransferLinked(items.into_iter().map(keyed).collect());
    let committed = app.engine().submit(submission(key, actor, command)).await?;
    Ok(marked(app, told(linked_results(&committed)), &committed.commit, committed.replayed))
}

/// The transfers of a linked batch's record, each with its fee.
fn linked_results(committed: &Committed) -> Vec<TransferResult> {
    let at = committed.stored.record.at;
    let mut movements = transactions_of(&committed.stored).peekable();
    let mut results = Vec::with_capacity(committed.stored.record.aliases.len());
    while let Some(transfer) = movements.next() {
        let fee = movements.next_if(|movement: &Movement<'_>| movement.kind == Kind::Fee);
        results.push(TransferResult::Ok(TransferReply::new(&transfer, fee.map_or(Amount::ZERO, |fee| fee.amount), at)));
    }
    results
}

/// The problem of a batch whose every item was turned away because the desk could not work: then nothing was decided.
fn all_unavailable(results: &[Result<Committed, Problem>]) -> Option<Problem> {
    let turned_away = |result: &Result<Committed, Problem>| matches!(result, Err(problem) if problem.code().status() >= 500);
    let first = results.first().and_then(|result| result.as_ref().err())?;
    results.iter().all(turned_away).then(|| first.clone())
}

impl TransferResult {
    fn of(result: Result<Committed, Problem>) -> Result<Self, Problem> {
        match result {
            Ok(committed) if matches!(committed.stored.record.fact, Fact::Finance(_)) => TransferReply::of(&committed).map(Self::Ok),
            Ok(committed) => Err(unexpected(&committed)),
            Err(problem) => Ok(Self::Rejected(Rejection {
                code: problem.code().to_string(),
                title: problem.code().title(),
                field: problem.field.map(String::from),
                detail: problem.detail.into(),
            })),
        }
    }
}

fn told(results: Vec<TransferResult>) -> axum::response::Response {
    let rejected = results.iter().filter(|result| matches!(result, TransferResult::Rejected(_))).count();
    let bytes = 64 + RESULT_BYTES * results.len();
    sized_reply(&TransfersReply { accepted: results.len() - rejected, rejected, results }, bytes)
}
