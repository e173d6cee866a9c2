//! `POST /lab3/compute/report_usage`: settles what a query really cost.

use lab3_compute::{Fact as Compute, Report};
use lab3_energy::Draw;
use lab3_energy::carbon::Work;
use lab3_engine::{Command, Fact, Submission};
use lab3_trust::{Holder, Principal};
use lab3_units::{Amount, Code, Did, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::{Sent, submission};
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, Mic, done};
use crate::json::{AllocationId, Kwh as AskedKwh, NotNegative, Whole, Words, request};

request! {
    /// A report of what a query really cost.
    #[example({
        "citizen_did": "did:kaizen:alice",
        "provider": "anthropic_claude",
        "actual_cost": 0.078,
        "success": true
    })]
    pub(crate) struct ReportUsageRequest {
        /// Who asked and pays.
        pub citizen_did: Did,
        /// Who answered, by name or alias.
        pub provider: Words<1, 64>,
        /// What it cost.
        pub actual_cost: NotNegative,
        /// Whether the query succeeded. A query that did not costs the citizen nothing.
        pub success: bool,
        /// The allocation it was made under; the citizen's oldest open one with that provider when left out.
        pub allocation_id: Option<AllocationId>,
        /// Tokens of the query.
        pub input_tokens: Option<Whole<0, 1_000_000_000>>,
        /// Tokens of the answer.
        pub output_tokens: Option<Whole<0, 1_000_000_000>>,
        /// How long it took.
        pub latency_ms: Option<Whole<0, 86_400_000>>,
        /// What a meter that is bound to the query read, where it ran. A service says so, or who is on an open Hive's machine; a citizen's word is no meter's.
        pub energy_kwh: Option<AskedKwh>,
    }
}

/// Who paid what for a query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportUsageReply {
    /// Always `true`.
    ok: bool,
    /// The allocation settled; `null` when the usage was charged directly.
    #[schema(required, value_type = Option<String>, example = "al_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    allocation_id: Option<AllocationId>,
    /// What the citizen paid.
    #[schema(value_type = f64, example = 0.078)]
    charged_gic: Mic,
    /// What the Hive paid because the citizen could not.
    #[schema(value_type = f64, example = 0.0)]
    overrun_gic: Mic,
    /// All the Hive paid, a fallback's whole cost included.
    #[schema(value_type = f64, example = 0.0)]
    hive_paid_gic: Mic,
    /// What the citizen has left this month.
    #[schema(value_type = f64, example = 99.922)]
    quota_remaining: Mic,
    /// The journal record this stands in.
    sequence: u64,
}

impl Touching for ReportUsageRequest {
    fn touches(&self) -> Touches<'_> {
        self.allocation_id.map_or(Touches::Unnamed(&self.citizen_did), |id| Touches::Allocation(id.0))
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("compute", "report_usage", "Report what a query really cost, and settle it")
        .about("The report about one allocation counts once, whatever key it comes with: sent again, it gets the first reply.")
        .reads::<ReportUsageRequest>()
        .answers::<ReportUsageReply>("Who paid what")
        .refuses(&[Code::ALLOCATION_UNKNOWN, Code::ALLOCATION_ENDED, Code::ALLOCATION_DIFFERS])
        .refuses(&[Code::PROVIDER_UNKNOWN, Code::BOOKS_LIMIT])
}

pub(crate) async fn report_usage(app: App, permit: Permit<Sent<ReportUsageRequest>>) -> Answer {
    let is_citizen = matches!(permit.principal(), Principal::Signed { .. })
        || matches!(permit.principal(), Principal::Key(bearer) if matches!(bearer.holder, Holder::Citizen(_)));
    let (actor, Sent { body, key }) = permit.open();
    if body.energy_kwh.is_some() && is_citizen {
        let detail = "What a query drew is said by the service that ran it. Leave it out: then it is reckoned from tokens and time.";
        return Err(Problem::new(Code::NOT_ALLOWED, detail).in_field("energy_kwh").into());
    }
    let metered_mwh = body.energy_kwh.map(|energy| energy.0);
    let command = Report {
        citizen: body.citizen_did,
        provider: body.provider.0,
        actual_cost: body.actual_cost.0,
        success: body.success,
        allocation: body.allocation_id.map(|id| id.0),
        input_tokens: body.input_tokens.map(|tokens| tokens.0),
        output_tokens: body.output_tokens.map(|tokens| tokens.0),
        latency_ms: body.latency_ms.and_then(|latency| u32::try_from(latency.0).ok()),
        late: None,
    };
    let draw = drawn(&app, &command, metered_mwh);
    let committed = app.engine().submit(Submission { draw, ..submission(key, actor, Command::Report(command)) }).await?;
    let Fact::Compute(Compute::Reported(fact)) = &committed.stored.record.fact else { return Err(unexpected(&committed).into()) };
    let reply = ReportUsageReply {
        ok: true,
        allocation_id: fact.allocation.map(AllocationId),
        charged_gic: Mic(fact.charged),
        overrun_gic: Mic(fact.overrun),
        hive_paid_gic: Mic(fact.hive_paid),
        quota_remaining: Mic(fact.quota_remaining),
        sequence: committed.stored.sequence,
    };
    Ok(done(&app, &reply, &committed))
}

/// What the query drew, when the report says how long its answer was, or what its meter read.
fn drawn(app: &App, report: &Report, metered_mwh: Option<Amount>) -> Option<Box<Draw>> {
    if !report.success || report.output_tokens.is_none() && metered_mwh.is_none() {
        return None;
    }
    let output_tokens = report.output_tokens.unwrap_or(0);
    let latency_s = report.latency_ms.map(|latency| f64::from(latency) / 1000.0);
    let work = Work { input_tokens: report.input_tokens.unwrap_or(0), output_tokens, latency_s };
    let policy = app.engine().policy();
    let provider = policy.compute.provider(&report.provider)?;
    app.carbon().draw(&provider.name, &report.citizen, report.allocation, &work, metered_mwh)
}
