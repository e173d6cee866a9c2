//! `GET /lab3/energy/telemetry`: what devices read, as it came or in steps.

use lab3_units::{Code, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::Name;
use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::{Asked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, Shown, sized_reply};
use crate::json::{Whole, Word};
use crate::readings::steps::{Grid, folded};
use crate::readings::{Gauge, Quantity, ReadingMemory, Taken};

/// Most devices' quantities of one reply.
const GAUGES_MAX: usize = 10_000;

/// Most readings of one reply, as they came.
const READINGS_MAX: usize = 10_000;

/// Most readings that one reply's steps are made of, and most steps.
const FOLDED_MAX: usize = 1_000_000;
const STEPS_MAX: usize = 50_000;

/// What is shown when nobody says from when: the last day.
const SHOWN_MS: i64 = 86_400_000;

parameters! {
    /// Which readings.
    pub(crate) struct TelemetryQuery {
        /// The device; when left out, only what there is of each is told.
        pub device: Option<Name>,
        /// What was read; when left out, only what there is of the device is told.
        pub quantity: Option<Quantity>,
        /// The first moment; a day before `to` when left out.
        pub from: Option<Time>,
        /// The moment after the last; now when left out.
        pub to: Option<Time>,
        /// Give one value a step of that length: the mean of a power, the last of what is stored, the difference of a counter. When left out, readings as they came.
        pub step_minutes: Option<Whole<1, 1_440>>,
    }
}

impl Touching for TelemetryQuery {
    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

/// What devices read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadingsReply {
    /// What is read of which device, with the last reading of each.
    gauges: Vec<GaugeReply>,
    /// The readings, when device and quantity are named.
    #[schema(required)]
    readings: Option<RowReply>,
}

/// What there is of one quantity of one device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GaugeReply {
    /// The device.
    device: String,
    /// What is read.
    #[schema(example = "power_kw")]
    quantity: &'static str,
    /// When it was first read, of what is kept.
    #[schema(value_type = String, format = DateTime)]
    first: Shown<Time>,
    /// When it was last read.
    #[schema(value_type = String, format = DateTime)]
    last: Shown<Time>,
    /// What was read last.
    value: f64,
}

/// Readings in order of time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowReply {
    /// How a step's value follows from readings: `mean` (over time), `difference` (of a counter), `last`; or `as_read`.
    #[schema(example = "mean")]
    taken: &'static str,
    /// When each was read, or where each step begins.
    #[schema(value_type = Vec<String>)]
    times: Vec<Shown<Time>>,
    /// Each value; `null` for a step without readings.
    values: Vec<Option<f64>>,
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "read_telemetry", "What devices read")
        .about(
            "With device and quantity their readings; else what there is. In steps, a reading of a power holds until the next, for a quarter of an hour at most; a \
             counter that stands lower than before was begun anew at 0.",
        )
        .asks::<TelemetryQuery>(&[])
        .answers::<ReadingsReply>("The readings")
        .refuses(&[Code::READINGS_UNAVAILABLE, Code::QUEUE_FULL])
}

pub(crate) async fn telemetry(app: App, permit: Permit<Asked<TelemetryQuery>>) -> Answer {
    let (_, Asked(query)) = permit.open();
    let now = app.engine().now();
    let found = app.readings().ask(move |memory| found(memory, &query, now)).await?;
    let values = found.readings.as_ref().map_or(0, |row| row.values.len());
    Ok(sized_reply(&found, 1024 + 64 * values))
}

fn found(memory: &dyn ReadingMemory, query: &TelemetryQuery, now: Time) -> Result<ReadingsReply, Problem> {
    let device = query.device.as_ref().map(|device| &*device.0);
    let is_meant = |gauge: &Gauge| query.quantity.is_none_or(|quantity| quantity == gauge.quantity);
    let gauges = memory.gauges(device, GAUGES_MAX)?.into_iter().filter(is_meant).map(GaugeReply::new).collect();
    let readings = if let (Some(device), Some(quantity)) = (device, query.quantity) {
        Some(row(memory, query, device, quantity, now)?)
    } else {
        refuse_without_one(query)?;
        None
    };
    Ok(ReadingsReply { gauges, readings })
}

/// A time says nothing of what is not named.
fn refuse_without_one(query: &TelemetryQuery) -> Result<(), Problem> {
    let times = [("from", query.from.is_some()), ("to", query.to.is_some()), ("step_minutes", query.step_minutes.is_some())];
    let Some((field, _)) = times.into_iter().find(|(_, given)| *given) else { return Ok(()) };
    Err(Problem::new(Code::PARAMETER, format!("With {field} name the device and the quantity.")).in_field(field))
}

fn row(memory: &dyn ReadingMemory, query: &TelemetryQuery, device: &str, quantity: Quantity, now: Time) -> Result<RowReply, Problem> {
    // What was read this very moment belongs to it.
    let to = query.to.unwrap_or(Time::from_millis(now.millis().saturating_add(1)));
    let from = query.from.unwrap_or(Time::from_millis(to.millis().saturating_sub(SHOWN_MS)));
    if from >= to {
        let detail = format!("There is no time between {from} and {to}. Ask for a time that begins before it ends.");
        return Err(Problem::new(Code::PARAMETER, detail).in_field("from"));
    }
    let Some(minutes) = query.step_minutes else {
        let readings = memory.readings(device, quantity, (from, to), READINGS_MAX + 1)?;
        if readings.len() > READINGS_MAX {
            return Err(too_many("readings", READINGS_MAX));
        }
        let (times, values) = readings.into_iter().map(|(at, value)| (Shown(at), Some(value))).unzip();
        return Ok(RowReply { taken: "as_read", times, values });
    };
    let grid = Grid::over(from, to, u32::try_from(minutes.0 * 60).unwrap_or(u32::MAX), Time::from_millis(0));
    if grid.count > STEPS_MAX {
        return Err(too_many("steps", STEPS_MAX));
    }
    let readings = memory.readings(device, quantity, (grid.start, grid.end()), FOLDED_MAX + 1)?;
    if readings.len() > FOLDED_MAX {
        return Err(too_many("readings", FOLDED_MAX));
    }
    let before = memory.reading_before(device, quantity, grid.start)?;
    // Nothing is known of what is to come.
    let known = Grid::over(grid.start, grid.end().min(to), grid.step_s, grid.start);
    let values = folded(quantity.taken(), before, &readings, known);
    let times = (0..values.len()).map(|step| Shown(known.begin(step))).collect();
    Ok(RowReply { taken: taken(quantity), times, values })
}

fn taken(quantity: Quantity) -> &'static str {
    match quantity.taken() {
        Taken::Mean => "mean",
        Taken::Difference => "difference",
        Taken::Last => "last",
    }
}

fn too_many(what: &str, most: usize) -> Problem {
    let detail = format!("There are more than {most} {what} in that time. Ask for a shorter one, or longer steps (step_minutes).");
    Problem::new(Code::PARAMETER, detail).in_field("from")
}

impl GaugeReply {
    fn new(gauge: Gauge) -> Self {
        let Gauge { device, quantity, first, last, value } = gauge;
        Self { device, quantity: quantity.word(), first: Shown(first), last: Shown(last), value }
    }
}
