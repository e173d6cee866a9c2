//! `GET /lab3/energy/signals`: what signals there are, how far they reach, and how those stand that are fetched.

use lab3_units::{Code, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Shown, reply};
use crate::json::Word;
use crate::readings::{FetchStanding, KeptSignal};

/// The signals of a Hive.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignalsReply {
    /// Every signal.
    signals: Vec<SignalReply>,
    /// What is fetched on a schedule, in the order of the configuration.
    fetches: Vec<FetchReply>,
}

/// A signal, without its values.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignalReply {
    /// What it tells.
    #[schema(example = "carbon_average")]
    kind: &'static str,
    /// Where it holds.
    #[schema(example = "DE")]
    zone: String,
    /// Who publishes it.
    #[schema(example = "electricity_maps")]
    source: String,
    /// What tells it from others of its kind, zone and source.
    detail: String,
    /// What its values are in.
    #[schema(example = "gCO2e/kWh")]
    unit: &'static str,
    /// How long a step is.
    step_minutes: f64,
    /// Where its first step begins.
    #[schema(value_type = String, format = DateTime)]
    first: Shown<Time>,
    /// Where its last step ends.
    #[schema(value_type = String, format = DateTime)]
    end: Shown<Time>,
    /// How many of its values were measured.
    measured: u64,
    /// How many are somebody's forecast.
    forecast: u64,
    /// How many were made up from their neighbours.
    filled: u64,
    /// When it was last written.
    #[schema(value_type = String, format = DateTime)]
    written_at: Shown<Time>,
}

/// How a fetch on a schedule stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FetchReply {
    /// Where from, without what may be secret.
    from: String,
    /// How often.
    every_minutes: f64,
    /// When it last went well.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    last_success: Option<Shown<Time>>,
    /// How many values were written then.
    #[schema(required)]
    last_values: Option<u64>,
    /// When it last failed.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    last_failure: Option<Shown<Time>>,
    /// Why.
    #[schema(required)]
    last_error: Option<String>,
    /// How often it has failed since it last went well.
    failures: u32,
    /// When it is fetched next; none while it is being fetched.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    next: Option<Shown<Time>>,
}

impl SignalReply {
    pub(super) fn new(signal: KeptSignal) -> Self {
        Self {
            kind: signal.kind.word(),
            zone: signal.zone,
            source: signal.source,
            detail: signal.detail,
            unit: signal.kind.unit(),
            step_minutes: f64::from(signal.step_s) / 60.0,
            first: Shown(signal.first),
            end: Shown(signal.end),
            measured: signal.measured,
            forecast: signal.forecast,
            filled: signal.filled,
            written_at: Shown(signal.written),
        }
    }
}

impl FetchReply {
    #[allow(clippy::cast_precision_loss, reason = "a schedule of days")]
    fn new(standing: FetchStanding) -> Self {
        let (failed, why) = standing.failure.unzip();
        Self {
            from: standing.from,
            every_minutes: standing.every_s as f64 / 60.0,
            last_success: standing.success.map(|(at, _)| Shown(at)),
            last_values: standing.success.map(|(_, values)| values),
            last_failure: failed.map(Shown),
            last_error: why,
            failures: standing.failures,
            next: standing.next.map(Shown),
        }
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "list_signals", "What signals there are")
        .about("Each with how far it reaches and where its values are from; and how those stand that the desk fetches on a schedule.")
        .plain()
        .answers::<SignalsReply>("The signals")
        .refuses(&[Code::READINGS_UNAVAILABLE, Code::QUEUE_FULL])
}

pub(crate) async fn signals(app: App, _: Permit<Plain>) -> Answer {
    let signals = app.readings().ask(|memory| Ok(memory.signals()?)).await?;
    let fetches = app.readings().fetches().into_iter().map(FetchReply::new).collect();
    Ok(reply(&SignalsReply { signals: signals.into_iter().map(SignalReply::new).collect(), fetches }))
}
