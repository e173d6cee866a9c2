//! When a query runs that may wait, as its allocation tells.

use lab3_compute::{Deferral, Gain};
use lab3_units::Time;
use serde::Serialize;
use utoipa::ToSchema;

use super::drawn::thousandths;
use crate::http::reply::Shown;

/// When a query runs that may wait.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deferral)]
pub(crate) struct DeferralReply {
    /// By when the answer has to be there.
    #[schema(value_type = String, format = DateTime, example = "2025-11-01T06:00:00Z")]
    deadline: Shown<Time>,
    /// When to begin. Earlier is no mistake: what the query draws counts in the hour it runs.
    #[schema(value_type = String, format = DateTime, example = "2025-11-01T02:00:00Z")]
    run_at: Shown<Time>,
    /// When to begin at the latest.
    #[schema(value_type = String, format = DateTime, example = "2025-11-01T02:59:57.5Z")]
    run_until: Shown<Time>,
    /// What a kWh of the provider's grid is expected to emit then, by the average; `null` where nobody knows.
    #[schema(required, example = 120.0)]
    carbon_g_per_kwh: Option<f64>,
    /// What it emits at once.
    #[schema(required, example = 400.0)]
    at_once_carbon_g_per_kwh: Option<f64>,
    /// How much less that is, in percent.
    #[schema(required, example = 70.0)]
    saved_percent: Option<f64>,
    /// What the query is expected to draw, with an answer of the usual length; `null` where nobody knows.
    #[schema(required, example = 0.3)]
    energy_wh: Option<f64>,
    /// The carbon that is saved by waiting.
    #[schema(required, example = 0.084)]
    carbon_saved_g: Option<f64>,
    /// Why then, in a sentence.
    #[schema(value_type = String, example = "The grid is expected to emit 120 g a kWh then, and 400 g at once")]
    reason: Box<str>,
}

impl DeferralReply {
    pub(crate) fn new(told: &Deferral) -> Self {
        let Deferral { deadline, run_at, run_until, gain, reason } = told;
        let Gain { carbon_ug_per_kwh: then, at_once_ug_per_kwh: at_once, energy_mwh, carbon_saved_mg } = *gain;
        Self {
            deadline: Shown(*deadline),
            run_at: Shown(*run_at),
            run_until: Shown(*run_until),
            carbon_g_per_kwh: then.map(grams),
            at_once_carbon_g_per_kwh: at_once.map(grams),
            saved_percent: then.zip(at_once).and_then(|(then, at_once)| saved_percent(then, at_once)),
            energy_wh: energy_mwh.map(thousandths),
            carbon_saved_g: carbon_saved_mg.map(thousandths),
            reason: reason.clone(),
        }
    }
}

/// How much less than at once, in percent to one decimal; nothing can be less than nothing.
fn saved_percent(then: u64, at_once: u64) -> Option<f64> {
    let part = (i128::from(at_once) - i128::from(then)).checked_mul(1000)?.checked_div(i128::from(at_once))?;
    i32::try_from(part).ok().map(|part| f64::from(part) / 10.0)
}

/// Micrograms as grams.
#[allow(clippy::cast_precision_loss, reason = "for showing: an intensity is far below 2^53 micrograms")]
fn grams(micrograms: u64) -> f64 {
    micrograms as f64 / 1_000_000.0
}
