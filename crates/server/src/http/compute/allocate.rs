//! `POST /lab3/compute/allocate`: chooses a provider and holds the cost.

use axum::response::Response;
use lab3_compute::{Allocate, Allocated, Defer, Deferral, Fact as Compute, Line, Priority, Refusal, Terms};
use lab3_engine::{Command, Fact};
use lab3_ledger::Event;
use lab3_units::{Code, Did, Id, Problem, Ratio, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::deferral::DeferralReply;
use crate::App;
use crate::http::body::{Sent, submission};
use crate::http::doc::Doc;
use crate::http::key::fresh_id;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, Mic, Number, Shown, done, reply};
use crate::json::{AllocationId, Positive, Whole, Words, request};

request! {
    /// A request for a provider.
    #[example({
        "citizen_did": "did:kaizen:alice",
        "query_tokens": 5000,
        "priority": "quality_optimized",
        "min_quality": 0.90,
        "max_cost_gic": 0.10,
        "preferred_provider": null
    })]
    pub(crate) struct AllocateRequest {
        /// Who asks and pays.
        pub citizen_did: Did,
        /// Tokens of the query.
        pub query_tokens: Whole<1, 10_000_000>,
        /// What the caller wants most; `standard` when left out.
        pub priority: Option<Priority>,
        /// Least quality, from 0 to 1; the Hive's own (0.80) when left out.
        pub min_quality: Option<Ratio>,
        /// Most it may cost; the month's quota when left out.
        pub max_cost_gic: Option<Positive>,
        /// Wins when it is eligible. Aliases such as `claude` are understood.
        pub preferred_provider: Option<Words<1, 64>>,
        /// By when the answer has to be there, at most seven days from now: the query may wait until then, and is given the time that is expected to be the cleanest.
        pub deadline: Option<Time>,
        /// Answer the same, but hold nothing.
        pub dry_run: Option<bool>,
        /// Add every provider with its terms, or the rule that excluded it.
        pub explain: Option<bool>,
    }
}

/// Who answers a query, and what is held for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AllocateReply<'a> {
    /// Who answers the query.
    #[schema(example = "anthropic_claude")]
    provider: &'a str,
    /// What the query is expected to cost, whoever pays.
    #[schema(value_type = f64, example = 0.075)]
    estimated_cost_gic: Mic,
    /// How long it is expected to take.
    #[schema(example = 600)]
    estimated_latency_ms: u32,
    /// What the citizen has left this month after the hold.
    #[schema(value_type = f64, example = 99.925)]
    quota_remaining: Mic,
    /// Who would answer should the provider fail.
    #[schema(required, example = "local_llama")]
    fallback_provider: Option<&'a str>,
    /// Why this provider, in one sentence.
    #[schema(example = "Quality score 0.97 meets min_quality 0.90")]
    reason: &'a str,
    /// The allocation; `null` on a dry run.
    #[schema(required, value_type = Option<String>, example = "al_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    allocation_id: Option<AllocationId>,
    /// When the hold ends by itself; `null` on a dry run.
    #[schema(required, value_type = Option<String>, format = DateTime, example = "2025-10-31T14:45:00Z")]
    expires_at: Option<Shown<Time>>,
    /// Whether nothing was held.
    dry_run: bool,
    /// The journal record this stands in; on a dry run, the last record looked at.
    sequence: u64,
    /// When the query runs, when a `deadline` was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    deferral: Option<DeferralReply>,
    /// Every provider, when `explain` was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    providers: Option<Vec<ProviderLine<'a>>>,
}

/// One provider in the explanation of a choice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderLine<'a> {
    /// Its name.
    provider: &'a str,
    /// Whether it could have been chosen.
    eligible: bool,
    /// The rule that kept it out.
    #[schema(required, example = "quality")]
    excluded_by: Option<&'static str>,
    /// What the query would cost there.
    #[schema(value_type = f64)]
    cost_gic: Mic,
    /// The latency expected there.
    latency_ms: u32,
    /// The operator's figure, 0 to 1.
    #[schema(value_type = f64)]
    quality: Number<Ratio>,
    /// The share of queries expected to succeed, 0 to 1.
    #[schema(value_type = f64)]
    reliability: Number<Ratio>,
    /// The sum of the terms; `null` when it was not eligible.
    #[schema(required, value_type = Option<f64>)]
    score: Option<Number<Ratio>>,
    /// What the score is made of; `null` when it was not eligible.
    #[schema(required)]
    terms: Option<ScoreTerms>,
}

/// What each quantity added to a score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoreTerms {
    #[schema(value_type = f64)]
    cost: Number<Ratio>,
    #[schema(value_type = f64)]
    latency: Number<Ratio>,
    #[schema(value_type = f64)]
    quality: Number<Ratio>,
    #[schema(value_type = f64)]
    reliability: Number<Ratio>,
}

impl Touching for AllocateRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Citizen(&self.citizen_did)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("compute", "allocate", "Choose a provider for a query and hold its cost")
        .about(
            "The hold ends when the usage is reported, the allocation released, or after 15 minutes by itself. With a `deadline` the query may wait: the reply says \
             when to run it (`deferral`), and the 15 minutes begin when it begins at the latest.",
        )
        .reads::<AllocateRequest>()
        .answers::<AllocateReply>("Who answers the query, and what is held for it")
        .refuses(&[Code::ACCOUNT_FROZEN])
        .refuses(&[Code::QUOTA_EXHAUSTED, Code::NO_PROVIDER_FITS, Code::PROVIDER_UNKNOWN, Code::BOOKS_LIMIT])
        .refuses(&[Code::ALLOCATIONS_OPEN, Code::NO_PROVIDER_UP])
}

pub(crate) async fn allocate(app: App, permit: Permit<Sent<AllocateRequest>>) -> Answer {
    let (actor, Sent { body, key }) = permit.open();
    let dry_run = body.dry_run == Some(true);
    let deadline = body.deadline;
    let command = Allocate {
        citizen: body.citizen_did,
        tokens: body.query_tokens.0,
        priority: body.priority.unwrap_or_default(),
        min_quality: body.min_quality,
        max_cost: body.max_cost_gic.map(|cost| cost.0),
        preferred: body.preferred_provider.map(|name| name.0),
        explain: body.explain == Some(true),
    };
    let command = match deadline {
        Some(deadline) => Command::Defer(Box::new(waiting(&app, command, deadline))),
        None => Command::Allocate(command),
    };
    if dry_run {
        return Ok(try_out(&app, command).await?);
    }
    let committed = app.engine().submit(submission(key, actor, command)).await?;
    let record = &committed.stored.record;
    let hold = record.entries.iter().find_map(held);
    let Some(reply) = (match &record.fact {
        Fact::Compute(fact) => AllocateReply::of(fact, hold, committed.stored.sequence),
        _ => None,
    }) else {
        return Err(unexpected(&committed).into());
    };
    Ok(done(&app, &reply, &committed))
}

/// The request of a query that may wait: the writer gets what waiting gains at whichever provider it chooses.
fn waiting(app: &App, allocate: Allocate, deadline: Time) -> Defer {
    let policy = app.engine().policy();
    let chances = app.carbon().chances(&policy.compute, allocate.tokens, (app.engine().now(), deadline));
    Defer { allocate, deadline, chances }
}

/// Asks the rule what it would decide now, and holds nothing.
async fn try_out(app: &App, command: Command) -> Result<Response, Problem> {
    let decide = move |desk: &lab3_compute::Desk<'_>| match &command {
        Command::Defer(defer) => Some(lab3_compute::defer(desk, fresh_id(), defer)),
        Command::Allocate(allocate) => Some(lab3_compute::allocate(desk, fresh_id(), allocate)),
        _ => None,
    };
    let (decided, sequence) = app.engine().read(move |desk| (decide(&desk.compute()), desk.state.sequence)).await?;
    let shown = match decided {
        Some(Ok((fact, _))) => AllocateReply::of(&fact, None, sequence).map(|shown| reply(&shown)),
        Some(Err(Refusal::Problem(problem))) => return Err(problem),
        _ => None,
    };
    shown.ok_or_else(|| Problem::new(Code::INTERNAL, "A dry run gave something else than an allocation. Please report this."))
}

/// The hold a record placed.
fn held(event: &Event) -> Option<(Id, Time)> {
    match event {
        Event::HoldPlaced { id, deadline, .. } => Some((*id, *deadline)),
        _ => None,
    }
}

impl<'a> AllocateReply<'a> {
    /// The reply that the fact of an allocation makes.
    fn of(fact: &'a Compute, hold: Option<(Id, Time)>, sequence: u64) -> Option<Self> {
        match fact {
            Compute::Allocated(fact) => Some(Self::new(fact, None, hold, sequence)),
            Compute::Deferred(fact) => Some(Self::new(&fact.allocated, Some(&fact.deferral), hold, sequence)),
            _ => None,
        }
    }

    fn new(fact: &'a Allocated, deferral: Option<&Deferral>, hold: Option<(Id, Time)>, sequence: u64) -> Self {
        let lines = fact.explanation.as_ref();
        Self {
            provider: &fact.provider,
            estimated_cost_gic: Mic(fact.estimated_cost),
            estimated_latency_ms: fact.estimated_latency_ms,
            quota_remaining: Mic(fact.quota_remaining),
            fallback_provider: fact.fallback_provider.as_deref(),
            reason: &fact.reason,
            allocation_id: hold.map(|(id, _)| AllocationId(id)),
            expires_at: hold.map(|(_, deadline)| Shown(deadline)),
            dry_run: hold.is_none(),
            sequence,
            deferral: deferral.map(DeferralReply::new),
            providers: lines.map(|lines| lines.iter().map(ProviderLine::new).collect()),
        }
    }
}

impl<'a> ProviderLine<'a> {
    fn new(line: &'a Line) -> Self {
        let millionths = |number| Number(Ratio::from_millionths(number));
        let terms = |terms: Terms| ScoreTerms {
            cost: millionths(terms.cost),
            latency: millionths(terms.latency),
            quality: millionths(terms.quality),
            reliability: millionths(terms.reliability),
        };
        Self {
            provider: &line.provider,
            eligible: line.excluded_by.is_none(),
            excluded_by: line.excluded_by.map(lab3_compute::Excluded::as_str),
            cost_gic: Mic(line.cost),
            latency_ms: line.latency_ms,
            quality: Number(line.quality),
            reliability: Number(line.reliability),
            score: line.score.map(millionths),
            terms: line.terms.map(terms),
        }
    }
}
