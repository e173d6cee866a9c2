//! `GET /metrics`: the desk's figures for Prometheus.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use lab3_units::{Code, Problem, Time};

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::problem::Refused;
use crate::metrics::{Books, EnergyNow, LOOK_MAX, PlanNow, newest};
use crate::site::SiteDesk;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn doc() -> Doc {
    Doc::new("desk", "metrics", "The desk's figures for Prometheus")
        .plain()
        .answers_text("application/openmetrics-text", "The figures in the OpenMetrics text format")
}

pub(crate) async fn scrape(app: App, _: Permit<Plain>) -> Result<Response, Refused> {
    let count = |desk: &lab3_engine::Desk<'_>| {
        let (ledger, energy) = (&desk.state.ledger, &desk.state.energy);
        let (jobs, hours_open) = (energy.jobs().count(), energy.hours_open().count());
        Books { accounts: ledger.accounts_len(), open_holds: ledger.holds_len(), jobs, hours_open }
    };
    // A desk that cannot answer is the one whose figures are wanted most.
    let books = app.engine().read(move |desk| count(desk)).await.ok();
    let standings = app.checkpoints().map(|checkpoints| checkpoints.witnesses().standings()).unwrap_or_default();
    let text = app.metrics().text(&app.engine().status(), books, &energy(&app).await, &standings);
    let text = text.map_err(|_| Problem::new(Code::INTERNAL, "The figures could not be written."))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS))], text).into_response())
}

/// What the energy desk is like: readings that do not answer in time are out of reach, and say so.
async fn energy(app: &App) -> EnergyNow {
    let ends = tokio::time::timeout(LOOK_MAX, app.readings().ask(|memory| Ok(newest(&memory.signals()?))));
    let age = |made: Time| app.engine().now().millis().saturating_sub(made.millis());
    let plan = app.site().and_then(SiteDesk::kept).map(|plan| PlanNow {
        age: std::time::Duration::from_millis(u64::try_from(age(plan.made)).unwrap_or(0)),
        unknown: plan.unknown.len(),
    });
    EnergyNow { ends: ends.await.ok().and_then(Result::ok), plan }
}
