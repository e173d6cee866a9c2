//! `GET /lab3/energy/signals/{kind}`: a signal's values, and what is expected of those to come.

use lab3_energy::signals::Kind;
use lab3_energy::{Forecast, Mark, WITHIN_PERCENT, forecast};
use lab3_units::{Code, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::Name;
use super::signals::SignalReply;
use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::{NamedAsked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, Shown, sized_reply};
use crate::json::{Whole, Word};
use crate::readings::outlook::{PAST_S, PAST_STEPS};
use crate::readings::steps::{Grid, known, laid};
use crate::readings::{KeptSignal, ReadingMemory};

/// Most values of one reply.
const VALUES_MAX: usize = 100_000;

/// What is shown of a signal when nobody says from when: its last week.
const SHOWN_MS: i64 = 7 * 86_400_000;

/// Most steps that are foreseen.
const AHEAD_STEPS: usize = 20_000;

/// A signal that ended longer ago is foreseen from where it ended, not up to now.
const STALE_MS: i64 = 7 * 86_400_000;

parameters! {
    /// Which signal, and what of it.
    pub(crate) struct SignalQuery {
        /// Where it holds; may be left out when there is one such signal.
        pub zone: Option<Name>,
        /// Who publishes it; may be left out when there is one such signal.
        pub source: Option<Name>,
        /// What tells it from others of its kind, zone and source.
        pub detail: Option<Name>,
        /// The first moment; a week before `to` when left out.
        pub from: Option<Time>,
        /// The moment after the last; the signal's end when left out.
        pub to: Option<Time>,
        /// Give means over steps of that length; the signal's own when left out.
        pub step_minutes: Option<Whole<1, 1_440>>,
        /// Also foresee it, for so many hours from now.
        pub ahead_hours: Option<Whole<1, 336>>,
    }
}

/// A signal's values.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValuesReply {
    /// The signal.
    signal: SignalReply,
    /// Where the first step begins.
    #[schema(value_type = String, format = DateTime)]
    start: Shown<Time>,
    /// How long a step is.
    step_minutes: f64,
    /// The value of each step; `null` where there is none.
    values: Vec<Option<f64>>,
    /// Where each value is from: `measured`, `forecast`, `filled`, or `null`.
    marks: Vec<Option<&'static str>>,
    /// What is expected, when it was asked for.
    #[schema(required)]
    forecast: Option<ForecastReply>,
    /// Why nothing is expected though it was asked for.
    #[schema(required)]
    unforeseen: Option<String>,
}

/// What is expected of the steps after the last that is not itself a forecast.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ForecastReply {
    /// Where the first step begins.
    #[schema(value_type = String, format = DateTime)]
    start: Shown<Time>,
    /// How long a step is.
    step_minutes: f64,
    /// What is expected.
    values: Vec<f64>,
    /// For each step a value that few are below ...
    low: Vec<f64>,
    /// ... and one that few are above.
    high: Vec<f64>,
    /// Of a hundred values, so many are expected between the two.
    within_percent: usize,
    /// Where the values are from.
    #[schema(example = "forecast")]
    mark: &'static str,
    /// The model that was best in the back-test.
    model: ModelReply,
    /// Its mean absolute error in the back-test, in the signal's unit.
    error: f64,
}

/// A model of a forecast.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelReply {
    /// After how many hours the signal is expected to be the same again.
    period_hours: f64,
    /// The mean of so many periods.
    cycles: usize,
    /// Whether what the present step differs by is expected of the next, fading.
    corrected: bool,
}

impl Touching for Kind {
    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "read_signal", "A signal's values, measured, forecast and filled")
        .about(
            "With `ahead_hours` it is also foreseen from its own past: a back-test over 28 days chooses the model, and its errors give the interval. Values that a \
             publisher forecast stand among the others, marked.",
        )
        .names::<Kind>("kind", "What it tells.", Code::PARAMETER)
        .asks::<SignalQuery>(&[])
        .answers::<ValuesReply>("Its values")
        .refuses(&[Code::SIGNAL_UNKNOWN, Code::READINGS_UNAVAILABLE, Code::QUEUE_FULL])
}

pub(crate) async fn signal(app: App, permit: Permit<NamedAsked<Kind, SignalQuery>>) -> Answer {
    let (_, NamedAsked(kind, query)) = permit.open();
    let now = app.engine().now();
    let values = app.readings().ask(move |memory| Wanted { kind, query, now }.found(memory)).await?;
    let bytes = 64 * values.values.len();
    Ok(sized_reply(&values, 1024 + bytes))
}

/// A signal by what is said of it.
pub(super) struct Meant<'a> {
    pub(super) kind: Kind,
    pub(super) zone: Option<&'a Name>,
    pub(super) source: Option<&'a Name>,
    pub(super) detail: Option<&'a Name>,
}

impl Meant<'_> {
    /// The one signal that is meant.
    ///
    /// Errors: `PARAMETER` (`zone`, `source`) when it is one of several, `SIGNAL_UNKNOWN` (`kind`).
    pub(super) fn found(&self, memory: &dyn ReadingMemory) -> Result<KeptSignal, Problem> {
        let is = |wanted: Option<&Name>, name: &str| wanted.is_none_or(|wanted| &*wanted.0 == name);
        let meant = |signal: &KeptSignal| {
            let named = is(self.zone, &signal.zone) && is(self.source, &signal.source) && is(self.detail, &signal.detail);
            signal.kind == self.kind && named
        };
        let mut found: Vec<KeptSignal> = memory.signals()?.into_iter().filter(meant).collect();
        // Who names zone and source and no detail means the one without, if there is one.
        if found.len() > 1 && self.detail.is_none() && found.iter().filter(|signal| signal.detail.is_empty()).count() == 1 {
            found.retain(|signal| signal.detail.is_empty());
        }
        let kind = self.kind.name();
        if found.len() > 1 {
            let names = found.iter().take(5).map(|signal| [&*signal.zone, &signal.source, &signal.detail].join(" ").trim().to_owned());
            let names = names.collect::<Vec<_>>().join("; ");
            let detail = format!("There are {} of {kind}. Name zone, source and detail: {names}.", found.len());
            let field = if self.zone.is_none() { "zone" } else { "source" };
            return Err(Problem::new(Code::PARAMETER, detail).in_field(field));
        }
        let detail = format!("There is no such {kind} here. GET /lab3/energy/signals lists what there is.");
        found.pop().ok_or_else(|| Problem::new(Code::SIGNAL_UNKNOWN, detail).in_field("kind"))
    }
}

/// What is asked for.
struct Wanted {
    kind: Kind,
    query: SignalQuery,
    now: Time,
}

impl Wanted {
    fn found(&self, memory: &dyn ReadingMemory) -> Result<ValuesReply, Problem> {
        let signal = self.signal(memory)?;
        let step_s = self.query.step_minutes.map_or(signal.step_s, |minutes| u32::try_from(minutes.0 * 60).unwrap_or(u32::MAX));
        let to = self.query.to.unwrap_or(signal.end);
        let from = self.query.from.unwrap_or(Time::from_millis(to.millis().saturating_sub(SHOWN_MS)).max(signal.first.min(to)));
        let grid = Grid::over(from, to, step_s, signal.first);
        check_size(&grid, from, to, &signal)?;
        let pieces = memory.steps(&signal, grid.start, grid.end(), usize::MAX)?;
        let (values, marks) = laid(&pieces, grid).into_iter().map(|step| step.map(|(value, mark)| (value, mark.word())).unzip()).unzip();
        let (forecast, unforeseen) = match self.query.ahead_hours {
            None => (None, None),
            Some(hours) => match self.ahead(memory, &signal, step_s, hours.0)? {
                Ok(foreseen) => (Some(foreseen), None),
                Err(why) => (None, Some(why)),
            },
        };
        let (start, step_minutes) = (Shown(grid.start), f64::from(step_s) / 60.0);
        Ok(ValuesReply { signal: SignalReply::new(signal), start, step_minutes, values, marks, forecast, unforeseen })
    }

    fn signal(&self, memory: &dyn ReadingMemory) -> Result<KeptSignal, Problem> {
        let SignalQuery { zone, source, detail, .. } = &self.query;
        Meant { kind: self.kind, zone: zone.as_ref(), source: source.as_ref(), detail: detail.as_ref() }.found(memory)
    }

    /// What is expected, or the words why nothing is.
    fn ahead(
        &self,
        memory: &dyn ReadingMemory,
        signal: &KeptSignal,
        step_s: u32,
        hours: u64,
    ) -> Result<Result<ForecastReply, String>, Problem> {
        let past_ms = PAST_S.min(PAST_STEPS * i64::from(signal.step_s)) * 1000;
        let from = Time::from_millis(signal.end.millis().saturating_sub(past_ms));
        let Some(past) = known(memory.steps(signal, from, signal.end, usize::MAX)?, step_s, signal.first) else {
            return Ok(Err("no value is measured: what is kept is all forecast".to_owned()));
        };
        let end = past.end();
        let present = self.now.clamp(end, Time::from_millis(end.millis().saturating_add(STALE_MS)));
        let until = Time::from_millis(present.millis().saturating_add(i64::try_from(hours).unwrap_or(i64::MAX).saturating_mul(3_600_000)));
        let count = Grid::over(end, until, step_s, end).count;
        if count > AHEAD_STEPS {
            let detail =
                format!("That would be {count} steps. Ask for fewer hours, or longer steps (step_minutes); at most {AHEAD_STEPS}.");
            return Err(Problem::new(Code::PARAMETER, detail).in_field("ahead_hours"));
        }
        let foreseen = forecast(&past, count);
        Ok(foreseen.map(ForecastReply::new).ok_or_else(|| {
            let days = past.len() as u64 * u64::from(step_s) / 86_400;
            format!("the past is too short: {days} days without a gap end at {end}, and it takes more than two")
        }))
    }
}

fn check_size(grid: &Grid, from: Time, to: Time, signal: &KeptSignal) -> Result<(), Problem> {
    if from >= to {
        let detail = format!("There is no time between {from} and {to}. Ask for a time that begins before it ends.");
        return Err(Problem::new(Code::PARAMETER, detail).in_field("from"));
    }
    let span_s = to.millis_since(from) / 1000;
    let own = usize::try_from(span_s / u64::from(signal.step_s.max(1))).unwrap_or(usize::MAX);
    let count = grid.count.max(own / 10);
    if count > VALUES_MAX {
        let detail = format!("That would be {count} steps. Ask for a shorter time, or longer steps (step_minutes); at most {VALUES_MAX}.");
        return Err(Problem::new(Code::PARAMETER, detail).in_field("from"));
    }
    Ok(())
}

impl ForecastReply {
    fn new(foreseen: Forecast) -> Self {
        let Forecast { expected, low, high, model, error } = foreseen;
        #[allow(clippy::cast_precision_loss, reason = "a period is at most a week")]
        let period_hours = model.period as f64 * f64::from(expected.step_s) / 3600.0;
        Self {
            start: Shown(expected.start),
            step_minutes: f64::from(expected.step_s) / 60.0,
            values: expected.values,
            low,
            high,
            within_percent: WITHIN_PERCENT,
            mark: Mark::Forecast.word(),
            model: ModelReply { period_hours, cycles: model.cycles, corrected: model.corrected },
            error,
        }
    }
}
