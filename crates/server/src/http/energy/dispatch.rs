//! `POST /lab3/energy/dispatch`: the plan of sources, grid, batteries and loads that costs least.

use lab3_energy::dispatch::{Dispatch, Plan, Unplanned};
use lab3_solve::{Limits, Unsolved};
use lab3_units::{Code, Problem};

use super::plan::PlanReply;
use super::site::DispatchRequest;
use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, reply};

/// How near to the best is near enough: nearer than any price is known.
const GAP: f64 = 1e-9;
/// Time for a plan, when the request does not say, in milliseconds.
const BUDGET_MS: u64 = 10_000;

impl Touching for DispatchRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "plan_dispatch", "Plan sources, grid, batteries and loads at the least cost")
        .about(
            "There is always a plan: what cannot be kept is broken where that costs least, and named in `broken` with its price. The plan is made \
             and not kept: nothing is held.",
        )
        .reads::<DispatchRequest>()
        .answers::<PlanReply>("The plan")
        .refuses(&[Code::PLAN_UNFINISHED])
}

pub(crate) async fn dispatch(app: App, permit: Permit<Sent<DispatchRequest>>) -> Answer {
    let (_, Sent { body, .. }) = permit.open();
    let budget_ms = body.budget_ms.map_or(BUDGET_MS, |budget| budget.0);
    let site = body.into_site()?;
    let (site, plan) = app.planning().run(move || planned(site, budget_ms)).await?;
    Ok(reply(&PlanReply::new(&site, plan.map_err(|why| refused(&why))?)))
}

#[allow(clippy::cast_precision_loss, reason = "a budget of milliseconds is far below 2^52")]
fn planned(site: Dispatch, budget_ms: u64) -> (Dispatch, Result<Plan, Unplanned>) {
    let plan = site.solve(Limits { seconds: budget_ms as f64 / 1000.0, gap: GAP });
    (site, plan)
}

fn refused(why: &Unplanned) -> Problem {
    match why {
        Unplanned::Invalid(invalid) => Problem::new(Code::FIELD_RANGE, format!("It {}.", invalid.detail)).in_field(invalid.field.clone()),
        Unplanned::Unsolved(Unsolved::OutOfTime) => {
            let detail = "No plan was found in the time. Allow more (budget_ms), or ask for fewer steps.";
            Problem::new(Code::PLAN_UNFINISHED, detail).in_field("budget_ms")
        }
        Unplanned::Unsolved(why) => {
            tracing::error!(%why, "a site had no plan");
            Problem::new(Code::INTERNAL, "The plan could not be made. The log says more.")
        }
    }
}
