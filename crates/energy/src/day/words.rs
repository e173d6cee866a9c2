//! Deviations in sentences.

use super::Day;
use super::calendar::Calendar;
use super::deviation::{Cause, Deviation, Part};
use super::inputs::SourceKind;

/// Parts smaller than this share of a deviation are not told.
const TOLD: f64 = 0.1;

impl Day {
    /// What a deviation was, why, and what it made, in sentences.
    pub fn sentence(&self, deviation: &Deviation, calendar: &Calendar) -> String {
        let clock = |step: usize| calendar.clock(self.inputs.horizon.begin_of(step));
        let signed = |value: f64| format!("{value:+.2}");
        let cost = deviation.cost.filter(|cost| cost.abs() >= 0.005).map(|cost| format!("{} MIC", signed(cost)));
        let carbon = deviation.carbon_g.filter(|carbon| carbon.abs() >= 5.0).map(|g| format!("{} kg CO2e", signed(g / 1000.0)));
        let made: Vec<String> = cost.into_iter().chain(carbon).collect();
        let made = if made.is_empty() { String::new() } else { format!(" ({})", made.join(", ")) };
        let is_told = |(number, part): &(usize, &Part)| *number == 0 || part.energy.abs() >= TOLD * deviation.energy.abs();
        let parts = deviation.parts.iter().enumerate().filter(is_told);
        let why: Vec<String> = parts.map(|(_, part)| self.phrase(part, deviation.energy)).collect();
        let without = if deviation.unserved > 0.05 { format!(" Loads went without {:.1} kWh.", deviation.unserved) } else { String::new() };
        let (from, to) = (clock(deviation.steps.start), clock(deviation.steps.end));
        format!("{from} to {to}, {}{made}: {}.{without}", bought(deviation), why.join("; "))
    }

    fn phrase(&self, part: &Part, whole: f64) -> String {
        let device = part.device.as_deref().unwrap_or_default();
        let (size, more) = (part.energy.abs(), part.energy > 0.0);
        let against = if part.energy * whole < 0.0 { "against it, " } else { "" };
        let told = match part.cause {
            Cause::LessSource => format!("{size:.1} kWh less {} than foreseen", self.source(device)),
            Cause::MoreSource => format!("{size:.1} kWh more {} than foreseen", self.source(device)),
            Cause::MoreLoad => format!("{device} took {size:.1} kWh more"),
            Cause::LessLoad => format!("{device} took {size:.1} kWh less"),
            Cause::Battery => format!("{device} did not follow the plan and {} {size:.1} kWh more", if more { "took" } else { "gave" }),
            Cause::PriceChanged => {
                let (price, did) = if more { ("lower", "took") } else { ("higher", "gave") };
                format!("the price was {price} than foreseen, so {device} {did} {size:.1} kWh more")
            }
            Cause::JobLate if more => format!("{device} ran late, {size:.1} kWh"),
            Cause::JobLate => format!("{device} did not run when it was placed, {size:.1} kWh"),
            Cause::JobEarly if more => format!("{device} ran early, {size:.1} kWh"),
            Cause::JobEarly => format!("{device} had run before, {size:.1} kWh"),
            Cause::JobMore => format!("{device} took {size:.1} kWh more than it was placed with"),
            Cause::GridLost => "the grid was lost".to_owned(),
            Cause::GridBack => "the grid was there where the plan reckoned without".to_owned(),
            Cause::Unmetered => format!("{size:.1} kWh {} that no meter saw", if more { "more taken" } else { "less taken" }),
        };
        format!("{against}{told}")
    }

    fn source(&self, name: &str) -> String {
        let kind = self.inputs.site.sources.iter().find(|source| *source.name == *name).map(|source| source.kind);
        match kind {
            Some(SourceKind::Sun) => format!("sun ({name})"),
            Some(SourceKind::Wind) => format!("wind ({name})"),
            Some(SourceKind::Water) => format!("water ({name})"),
            Some(SourceKind::Generator) | None => format!("from {name}"),
        }
    }
}

/// What was exchanged with the grid otherwise: bought, sold, or some of both.
fn bought(deviation: &Deviation) -> String {
    let (size, more) = (deviation.energy.abs(), deviation.energy > 0.0);
    let share = deviation.import / deviation.energy;
    let word = |more: bool, done: &str| format!("{} {done}", if more { "more" } else { "less" });
    let told = if share > 0.9 {
        word(more, "bought")
    } else if share < 0.1 {
        word(!more, "sold")
    } else {
        format!("{} and {}", word(more, "bought"), word(!more, "sold"))
    };
    format!("{size:.1} kWh {told} than planned")
}
