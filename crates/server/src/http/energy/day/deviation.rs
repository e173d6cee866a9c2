//! Where a day is not as planned, or not known, as its reply tells it.

use lab3_energy::day::{Calendar, Cause, Day, Deviation, Part, Unmeasured};
use serde::Serialize;
use utoipa::ToSchema;

/// A difference between measured and planned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayDeviation {
    #[serde(flatten)]
    span: DaySpan,
    /// Bought less sold, measured less planned.
    energy_kwh: f64,
    /// What that cost at the prices as they were.
    #[schema(required)]
    cost_gic: Option<f64>,
    /// What that emitted.
    #[schema(required)]
    carbon_g: Option<f64>,
    /// What loads went without beyond the plan.
    unserved_kwh: f64,
    /// Why: the cause of the largest part.
    #[schema(required)]
    cause: Option<CauseWord>,
    /// What makes it up: the energies add up to `energy_kwh`.
    parts: Vec<DayPart>,
    /// The same in sentences.
    detail: String,
}

/// A part of a deviation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayPart {
    cause: CauseWord,
    /// The device or job it is about.
    #[schema(required)]
    device: Option<Box<str>>,
    energy_kwh: f64,
    #[schema(required)]
    cost_gic: Option<f64>,
    #[schema(required)]
    carbon_g: Option<f64>,
}

/// Why something is not as planned.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CauseWord {
    /// A source gave less than foreseen.
    LessSource,
    /// A source gave more than foreseen.
    MoreSource,
    /// A load took more than foreseen.
    MoreLoad,
    /// A load took less than foreseen.
    LessLoad,
    /// A battery did not follow the plan.
    Battery,
    /// A battery followed a price that was another than foreseen.
    PriceChanged,
    /// A job ran later than placed, or not yet.
    JobLate,
    /// A job ran earlier than placed.
    JobEarly,
    /// A job took more than it was placed with.
    JobMore,
    /// The grid was lost.
    GridLost,
    /// The grid was there where the plan reckoned without.
    GridBack,
    /// No meter saw it.
    Unmetered,
}

/// Steps of the day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DaySpan {
    /// The first step.
    first_step: usize,
    /// How many they are.
    steps: usize,
}

/// Steps that were not measured in full.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayGap {
    #[serde(flatten)]
    span: DaySpan,
    /// What was not measured: `grid`, and names of sources and batteries.
    devices: Vec<Box<str>>,
}

impl DayDeviation {
    pub(super) fn new(day: &Day, deviation: &Deviation, calendar: &Calendar) -> Self {
        let part = |part: &Part| DayPart {
            cause: CauseWord::new(part.cause),
            device: part.device.clone(),
            energy_kwh: part.energy,
            cost_gic: part.cost,
            carbon_g: part.carbon_g,
        };
        Self {
            span: DaySpan::new(&deviation.steps),
            energy_kwh: deviation.energy,
            cost_gic: deviation.cost,
            carbon_g: deviation.carbon_g,
            unserved_kwh: deviation.unserved,
            cause: deviation.parts.first().map(|part| CauseWord::new(part.cause)),
            parts: deviation.parts.iter().map(part).collect(),
            detail: day.sentence(deviation, calendar),
        }
    }
}

impl CauseWord {
    pub(super) fn new(cause: Cause) -> Self {
        match cause {
            Cause::LessSource => Self::LessSource,
            Cause::MoreSource => Self::MoreSource,
            Cause::MoreLoad => Self::MoreLoad,
            Cause::LessLoad => Self::LessLoad,
            Cause::Battery => Self::Battery,
            Cause::PriceChanged => Self::PriceChanged,
            Cause::JobLate => Self::JobLate,
            Cause::JobEarly => Self::JobEarly,
            Cause::JobMore => Self::JobMore,
            Cause::GridLost => Self::GridLost,
            Cause::GridBack => Self::GridBack,
            Cause::Unmetered => Self::Unmetered,
        }
    }
}

impl DaySpan {
    pub(super) fn new(steps: &std::ops::Range<usize>) -> Self {
        Self { first_step: steps.start, steps: steps.len() }
    }
}

impl DayGap {
    pub(super) fn new(gap: &Unmeasured) -> Self {
        Self { span: DaySpan::new(&gap.steps), devices: gap.devices.clone() }
    }
}
