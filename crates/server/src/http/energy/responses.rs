//! `POST /lab3/energy/responses`: an event in, what the site can promise out. `GET`: what was promised, and what it brought.

use lab3_energy::response::{Commitment, Settlement};
use lab3_units::{Amount, Code, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Kwh, MODULE, Positive, Row};
use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::parameters::{Asked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, Mic, Shown, reply};
use crate::json::{Figure, NotNegative, request};
use crate::site::{Promise, Wish, promises, respond as respond_to};

/// What is shown when nobody says from when: a month.
const SHOWN_MS: i64 = 31 * 86_400_000;

request! {
    /// Somebody pays for less being bought for a while.
    #[example({
        "from": "2026-11-23T17:00:00Z",
        "to": "2026-11-23T19:00:00Z",
        "reduce_kw": 5.0,
        "reward_per_kwh_gic": 0.4,
        "penalty_per_kwh_gic": 0.6,
        "promise": false
    })]
    pub(crate) struct RespondRequest {
        /// When it begins: where a step of the site's plan does, after the present one.
        pub from: Time,
        /// When it ends.
        pub to: Time,
        /// How much less is asked for.
        pub reduce_kw: Figure<0, 1_000_000_000>,
        /// What a kWh less brings; nothing when left out.
        pub reward_per_kwh_gic: Option<NotNegative>,
        /// What a kWh costs that was promised and not kept; nothing when left out.
        pub penalty_per_kwh_gic: Option<NotNegative>,
        /// What less is measured against, kWh of each of its steps; what the plan without it buys when left out.
        pub baseline_kwh: Option<Row<Positive>>,
        /// Promise what can be: every plan keeps it from then on. Only told when left out.
        pub promise: Option<bool>,
    }
}

parameters! {
    /// Which promises.
    pub(crate) struct ResponsesQuery {
        /// For events that begin from then on; of the last month when left out.
        pub from: Option<Time>,
        /// Before then; all to come when left out.
        pub to: Option<Time>,
    }
}

/// What the site can promise.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RespondReply {
    /// How much less is bought for certain in each step, in whole W. 0: better not to take part.
    promised_kw: f64,
    /// What less is measured against, kWh of each step.
    baseline_kwh: Vec<f64>,
    /// What keeping it brings, rounded down.
    #[schema(value_type = f64)]
    reward_gic: Mic,
    /// What taking part is worth: the reward, less what the plan costs more than without.
    worth_gic: f64,
    /// What is bought then, kWh of each step of the event, as things are expected.
    import_kwh: Vec<f64>,
    /// Whether it is promised.
    is_promised: bool,
    /// What had to be done without, in sentences: what is taken as nothing there may come, and what was promised then costs.
    unknown: Vec<String>,
}

/// What was promised.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResponsesReply {
    /// In order of time.
    responses: Vec<PromiseReply>,
}

/// A promise, and what it brought.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PromiseReply {
    /// When the event begins.
    #[schema(value_type = String, format = DateTime)]
    from: Shown<Time>,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    to: Shown<Time>,
    /// When it was promised.
    #[schema(value_type = String, format = DateTime)]
    made_at: Shown<Time>,
    /// How much less is bought in each step.
    promised_kw: f64,
    /// What less is measured against, kWh of each step.
    baseline_kwh: Vec<f64>,
    /// What keeping it brings.
    #[schema(value_type = f64)]
    reward_gic: Mic,
    /// What it brought; `null` until it is over and every step of it was measured.
    #[schema(required)]
    settled: Option<SettledReply>,
}

/// What a promise brought.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResponseSettled)]
pub(crate) struct SettledReply {
    /// What was bought less than the baseline, in each step no more than was promised.
    #[schema(value_type = f64)]
    reduced_kwh: Kwh,
    /// What was promised and not kept.
    #[schema(value_type = f64)]
    short_kwh: Kwh,
    /// The reward less the penalty; negative when it is owed.
    #[schema(value_type = f64)]
    earned_gic: Mic,
}

impl Touching for RespondRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Module(MODULE)
    }
}

impl Touching for ResponsesQuery {
    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

pub(crate) fn respond_doc() -> Doc {
    Doc::new("energy", "respond", "What the site can promise to buy less in an event")
        .about(
            "Promised is what can be kept at the pessimistic outlook, with the reserve, and with nobody going without. With `promise` every later plan keeps it; what it \
             brought is told when the event is over, by what the meter of the connection (`grid`) counted.",
        )
        .reads::<RespondRequest>()
        .answers::<RespondReply>("What can be promised, and what it is worth")
        .refuses(&[Code::SITE_NONE, Code::SITE_UNPLANNED, Code::POWER_PROMISED, Code::READINGS_UNAVAILABLE])
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "responses", "What was promised, and what it brought")
        .asks::<ResponsesQuery>(&[])
        .answers::<ResponsesReply>("The promises")
        .refuses(&[Code::READINGS_UNAVAILABLE, Code::QUEUE_FULL])
}

pub(crate) async fn respond(app: App, permit: Permit<Sent<RespondRequest>>) -> Answer {
    let (_, Sent { body, .. }) = permit.open();
    let price = |given: Option<NotNegative>| given.map_or(Amount::ZERO, |given| given.0);
    let wish = Wish {
        span: (body.from, body.to),
        reduce_kw: body.reduce_kw.0,
        baseline_kwh: body.baseline_kwh.map(|row| row.0.into_iter().map(|figure| figure.0).collect()),
        reward_per_kwh: price(body.reward_per_kwh_gic),
        penalty_per_kwh: price(body.penalty_per_kwh_gic),
    };
    let begin = wish.span.0;
    let (standing, commitment, promised) = respond_to(&app, wish, body.promise == Some(true)).await?;
    let first = begin.millis_since(standing.decision.ahead.now.at) / (u64::from(standing.step_s()) * 1000);
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    let unknown = standing.unknown.clone();
    Ok(reply(&RespondReply::new(commitment, first, promised.is_some(), unknown)))
}

pub(crate) async fn responses(app: App, permit: Permit<Asked<ResponsesQuery>>) -> Answer {
    let (_, Asked(query)) = permit.open();
    let now = app.engine().now();
    let from = query.from.unwrap_or(Time::from_millis(now.millis().saturating_sub(SHOWN_MS)));
    let to = query.to.unwrap_or(Time::from_millis(i64::MAX));
    let told = app.readings().ask(move |memory| {
        let told = |promise: Promise| Ok(PromiseReply::new(&promise, promise.settled(memory, now)?));
        promises(memory, (from, to))?.into_iter().map(told).collect()
    });
    Ok(reply(&ResponsesReply { responses: told.await? }))
}

impl RespondReply {
    fn new(commitment: Commitment, first: usize, is_promised: bool, unknown: Vec<String>) -> Self {
        let Commitment { promised_kw, baseline_kwh, reward, worth, planned, .. } = commitment;
        let import_kwh = planned.plan.import.into_iter().skip(first).take(baseline_kwh.len()).collect();
        Self { promised_kw, baseline_kwh, reward_gic: Mic(reward), worth_gic: whole_ks(worth), import_kwh, is_promised, unknown }
    }
}

/// MIC without what is finer than a KS: noise of sums.
fn whole_ks(mic: f64) -> f64 {
    (mic * 1e6).round() / 1e6
}

impl PromiseReply {
    fn new(promise: &Promise, settled: Option<Settlement>) -> Self {
        Self {
            from: Shown(promise.begin),
            to: Shown(promise.end),
            made_at: Shown(promise.made),
            promised_kw: promise.promised_kw,
            baseline_kwh: promise.baseline_kwh.clone(),
            reward_gic: Mic(promise.reward),
            settled: settled.map(SettledReply::new),
        }
    }
}

impl SettledReply {
    fn new(settlement: Settlement) -> Self {
        let Settlement { reduced_mwh, short_mwh, earned } = settlement;
        Self { reduced_kwh: Kwh(reduced_mwh), short_kwh: Kwh(short_mwh), earned_gic: Mic(earned) }
    }
}
