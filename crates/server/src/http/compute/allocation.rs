//! `GET /lab3/compute/allocations/{allocation_id}`: one allocation, from its placing to its end.

use lab3_compute::{Allocated, Counted, Deferral, Fact as Compute};
use lab3_engine::{Engine, Fact, Stored, draw_id, report_id};
use lab3_ledger::{AccountNo, Event};
use lab3_units::{Amount, Code, Id, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::deferral::DeferralReply;
use super::drawn::DrawnReply;
use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Named;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Mic, Shown, reply};
use crate::json::AllocationId;

/// An allocation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Allocation)]
pub(crate) struct AllocationReply {
    /// Its id.
    #[schema(value_type = String, example = "al_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    allocation_id: AllocationId,
    /// Who asked and pays.
    #[schema(value_type = String, example = "did:kaizen:alice")]
    citizen_did: Box<str>,
    /// Who answers the query.
    #[schema(value_type = String, example = "anthropic_claude")]
    provider: Box<str>,
    /// `open`, `settled`, `released` (also by the report of a failed query) or `expired`.
    #[schema(example = "settled")]
    state: &'static str,
    /// Tokens of the query.
    #[schema(example = 5000)]
    query_tokens: u64,
    /// What the query was expected to cost, whoever pays.
    #[schema(value_type = f64, example = 0.075)]
    estimated_cost_gic: Mic,
    /// What the citizen paid; `null` while it is open.
    #[schema(value_type = Option<f64>, required, example = 0.078)]
    charged_gic: Option<Mic>,
    /// What the Hive paid because the citizen could not; `null` while it is open.
    #[schema(value_type = Option<f64>, required, example = 0.0)]
    overrun_gic: Option<Mic>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    allocated_at: Shown<Time>,
    /// When its hold ends by itself.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:45:00Z")]
    expires_at: Shown<Time>,
    /// When it ended; `null` while it is open.
    #[schema(required, value_type = Option<String>, format = DateTime, example = "2025-10-31T14:30:02Z")]
    ended_at: Option<Shown<Time>>,
    /// Why this provider, in one sentence.
    #[schema(value_type = String, example = "Quality score 0.97 meets min_quality 0.90")]
    reason: Box<str>,
    /// When it was to run; `null` of a query that did not wait.
    #[schema(required)]
    deferral: Option<DeferralReply>,
    /// What its query drew and emitted, as it was booked when it ended; `null` where nobody knows.
    #[schema(required)]
    energy: Option<DrawnReply>,
    /// The journal record it was made by.
    sequence: u64,
}

pub(crate) fn doc() -> Doc {
    Doc::new("compute", "allocation", "One allocation")
        .names::<AllocationId>("allocation_id", "The allocation.", Code::ID_MALFORMED)
        .asks_engine()
        .answers::<AllocationReply>("The allocation as it is now")
        .refuses(&[Code::ALLOCATION_UNKNOWN])
}

pub(crate) async fn allocation(app: App, permit: Permit<Named<AllocationId>>) -> Answer {
    let (_, Named(AllocationId(id))) = permit.open();
    let engine = app.engine();
    let unknown = || {
        let detail = "There is no such allocation. Its id stands in the reply to the allocate request.";
        Problem::new(Code::ALLOCATION_UNKNOWN, detail).in_field("allocation_id")
    };
    let stored = engine.find(id).await?.ok_or_else(unknown)?;
    let placed = Placed::of(&stored).ok_or_else(unknown)?;
    let account = placed.account;
    let look = move |desk: &lab3_engine::Desk<'_>| {
        let ledger = &desk.state.ledger;
        (Box::<str>::from(ledger.owner_name(account)), ledger.hold(id).is_some())
    };
    let (citizen, open) = engine.read(move |desk| look(desk)).await?;
    Ok(reply(&placed.told(engine, &citizen, open).await?))
}

/// An allocation as its first record tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) id: Id,
    pub(crate) account: AccountNo,
    deadline: Time,
    stored: &'a Stored,
    fact: &'a Allocated,
    deferral: Option<&'a Deferral>,
}

/// How an allocation ended.
struct Ended {
    state: &'static str,
    at: Time,
    charged: Amount,
    overrun: Amount,
}

impl<'a> Placed<'a> {
    /// The allocation this record made, if it made one.
    pub(crate) fn of(stored: &'a Stored) -> Option<Self> {
        let (fact, deferral) = match &stored.record.fact {
            Fact::Compute(Compute::Allocated(fact)) => (&**fact, None),
            Fact::Compute(Compute::Attempted(fact)) => (&fact.allocated, None),
            Fact::Compute(Compute::Deferred(fact)) => (&fact.allocated, Some(&fact.deferral)),
            _ => return None,
        };
        stored.record.entries.iter().find_map(|event| match *event {
            Event::HoldPlaced { id, account, deadline, .. } => Some(Self { id, account, deadline, stored, fact, deferral }),
            _ => None,
        })
    }

    /// The allocation with what became of it.
    pub(crate) async fn told(&self, engine: &Engine, citizen: &str, open: bool) -> Result<AllocationReply, Problem> {
        let ended = if open { None } else { self.ended(engine).await? };
        let drawn = if open { None } else { engine.find(draw_id(self.id)).await? };
        Ok(AllocationReply {
            allocation_id: AllocationId(self.id),
            citizen_did: citizen.into(),
            provider: self.fact.provider.clone(),
            state: ended.as_ref().map_or("open", |ended| ended.state),
            query_tokens: self.fact.query_tokens,
            estimated_cost_gic: Mic(self.fact.estimated_cost),
            charged_gic: ended.as_ref().map(|ended| Mic(ended.charged)),
            overrun_gic: ended.as_ref().map(|ended| Mic(ended.overrun)),
            allocated_at: Shown(self.stored.record.at),
            expires_at: Shown(self.deadline),
            ended_at: ended.as_ref().map(|ended| Shown(ended.at)),
            reason: self.fact.reason.clone(),
            deferral: self.deferral.map(DeferralReply::new),
            energy: drawn.as_ref().and_then(DrawnReply::of),
            sequence: self.stored.sequence,
        })
    }

    /// How it ended. An allocation that expired may have been reported later, which is when it was paid for.
    async fn ended(&self, engine: &Engine) -> Result<Option<Ended>, Problem> {
        let Some(ending) = engine.ending(self.stored.sequence).await? else { return Ok(None) };
        let state = ending.record.entries.iter().find_map(|event| match event {
            Event::HoldSettled { end, .. } if end.id == self.id => Some("settled"),
            Event::HoldReleased(end) if end.id == self.id => Some("released"),
            Event::HoldExpired(end) if end.id == self.id => Some("expired"),
            _ => None,
        });
        let lease = matches!(&ending.record.fact, Fact::Compute(Compute::Settled(fact)) if fact.counted == Counted::Lease);
        // What expired, or was charged because nobody told its outcome, may have been reported later.
        let late = if lease || state == Some("expired") { engine.find(report_id(self.id)).await? } else { None };
        let paid = paid(late.as_ref().unwrap_or(&ending));
        let (charged, overrun) = paid.unwrap_or((Amount::ZERO, Amount::ZERO));
        Ok(state.map(|state| Ended { state, at: ending.record.at, charged, overrun }))
    }
}

/// What a report charged the citizen, and what it could not charge.
fn paid(stored: &Stored) -> Option<(Amount, Amount)> {
    match &stored.record.fact {
        Fact::Compute(Compute::Reported(fact)) => Some((fact.charged, fact.overrun)),
        Fact::Compute(Compute::Settled(fact)) => Some((fact.reported.charged, fact.reported.overrun)),
        _ => None,
    }
}
