//! The sums of a day, as its reply tells them.

use lab3_energy::day::Sums;
use serde::Serialize;
use utoipa::ToSchema;

use super::rounded;

/// A part of the day, summed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DaySums {
    steps: usize,
    consumption_kwh: f64,
    import_kwh: f64,
    export_kwh: f64,
    /// What sun, wind and water gave.
    generated_kwh: f64,
    /// What of that was used or stored on the site.
    own_used_kwh: f64,
    /// What loads went without.
    unserved_kwh: f64,
    /// Bought less sold, sources, wear.
    cost_gic: f64,
    carbon_g: f64,
    /// The same without batteries and with jobs at once.
    baseline_cost_gic: f64,
    baseline_carbon_g: f64,
    baseline_unserved_kwh: f64,
    /// What the batteries can give more at its end than at its begin.
    stored_kwh: f64,
    /// What jobs would have taken by its end if they had run at once, and have not.
    owed_kwh: f64,
    /// Saved against the baseline; what is stored and owed at the day's mean price.
    cost_saved_gic: f64,
    carbon_saved_g: f64,
    /// Steps without a price: they count in no money.
    unpriced_steps: usize,
    /// Steps without a carbon intensity: they count in no carbon.
    unknown_carbon_steps: usize,
    /// The 24/7 score, 0 to 1; `null` where nothing was consumed, or the grid's carbon-free share is not known.
    #[schema(required)]
    score: Option<f64>,
    /// The part of it that one's own sources earn.
    #[schema(required)]
    own_score: Option<f64>,
}

impl DaySums {
    pub(super) fn new(sums: &Sums) -> Self {
        Self {
            steps: sums.steps,
            consumption_kwh: rounded(sums.consumption),
            import_kwh: rounded(sums.import),
            export_kwh: rounded(sums.export),
            generated_kwh: rounded(sums.generated),
            own_used_kwh: rounded(sums.own_used),
            unserved_kwh: rounded(sums.unserved),
            cost_gic: sums.cost,
            carbon_g: sums.carbon_g,
            baseline_cost_gic: sums.baseline_cost,
            baseline_carbon_g: sums.baseline_carbon_g,
            baseline_unserved_kwh: rounded(sums.baseline_unserved),
            stored_kwh: rounded(sums.stored),
            owed_kwh: rounded(sums.owed),
            cost_saved_gic: sums.cost_saved,
            carbon_saved_g: sums.carbon_saved_g,
            unpriced_steps: sums.unpriced,
            unknown_carbon_steps: sums.unknown_carbon,
            score: sums.score,
            own_score: sums.own_score,
        }
    }
}
