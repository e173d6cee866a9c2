//! `POST /lab3/energy/telemetry`: what devices read, many readings at once.

use lab3_units::{Code, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MODULE, Name};
use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, reply};
use crate::json::{Figure, List, request};
use crate::readings::{Appended, Quantity, Reading};
use crate::site::GRID;

/// How far a device's clock may run ahead of ours.
const AHEAD_MS: i64 = 5 * 60_000;

request! {
    /// A reading of a device.
    #[example({ "device": "roof", "quantity": "power_kw", "at": "2026-11-23T12:00:00Z", "value": 3.2 })]
    pub(crate) struct ReadingItem {
        /// The device; for a meter's key the name it was made for.
        pub device: Name,
        /// What was read.
        pub quantity: Quantity,
        /// When; at most five minutes from now.
        pub at: Time,
        /// How much.
        pub value: Figure<-1_000_000_000_000, 1_000_000_000_000>,
    }
}

request! {
    /// Readings of devices.
    #[example({ "readings": [{ "device": "roof", "quantity": "power_kw", "at": "2026-11-23T12:00:00Z", "value": 3.2 }] })]
    pub(crate) struct TelemetryRequest {
        /// The readings, in any order.
        pub readings: List<ReadingItem, 1, 10_000>,
    }
}

/// What became of readings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TelemetryReply {
    /// How many are new.
    new: u64,
    /// How many were there already; they count once.
    known: u64,
    /// How many moments had another value, which stays.
    differing: u64,
}

impl Touching for TelemetryRequest {
    fn touches(&self) -> Touches<'_> {
        let mut devices: Vec<&str> = self.readings.0.iter().map(|reading| &*reading.device.0).collect();
        devices.sort_unstable();
        devices.dedup();
        Touches::Meters(MODULE, devices)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "append_telemetry", "Append what devices read")
        .about(
            "All of it is kept or nothing. A device has one reading of a quantity at a moment: sending it again changes nothing, and another value for the moment is \
             counted and not taken.",
        )
        .reads::<TelemetryRequest>()
        .answers::<TelemetryReply>("What became of them")
        .refuses(&[Code::SIGNALS_UNREADABLE, Code::READINGS_UNAVAILABLE])
}

pub(crate) async fn append(app: App, permit: Permit<Sent<TelemetryRequest>>) -> Answer {
    let (_, Sent { body, .. }) = permit.open();
    let now = app.engine().now();
    let of_grid = body.readings.0.iter().any(|reading| reading.quantity == Quantity::GridUp && &*reading.device.0 == GRID);
    let appended = app
        .readings()
        .ask(move |memory| {
            let keeps_from = memory.keeps_from(now);
            let readings = body.readings.0.into_iter().enumerate().map(|(at, item)| reading(at, item, keeps_from, now));
            let readings = readings.collect::<Result<Vec<_>, Problem>>()?;
            Ok(memory.append(&readings, now)?)
        })
        .await?;
    // When the grid is lost or comes back, what is to be done now changes at once.
    if let Some(desk) = app.site().filter(|_| of_grid) {
        desk.wake();
    }
    let Appended { new, known, differing } = appended;
    app.metrics().energy().taken(new);
    Ok(reply(&TelemetryReply { new, known, differing }))
}

/// A reading that makes sense.
fn reading(place: usize, item: ReadingItem, keeps_from: Time, now: Time) -> Result<Reading, Problem> {
    let ReadingItem { device, quantity, at, value } = item;
    let refused = |field: &str, detail: String| Err(Problem::new(Code::FIELD_RANGE, detail).in_field(format!("readings[{place}].{field}")));
    if at.millis() > now.millis().saturating_add(AHEAD_MS) {
        return refused("at", format!("{at} is to come: it is {now} here. Set the device's clock."));
    }
    if at < keeps_from {
        return refused("at", format!("{at} is longer ago than readings are kept, which is from {keeps_from}. Leave it out."));
    }
    if !quantity.allows(value.0) {
        let (least, greatest) = quantity.range();
        let whole = if quantity == Quantity::GridUp { ", 1 when it is there and 0 when not" } else { "" };
        return refused("value", format!("{} is no {}: it is from {least} to {greatest}{whole}.", value.0, quantity.name()));
    }
    Ok(Reading { device: device.0.into_string(), quantity, at, value: value.0 })
}
