//! What is said of a day: its title, its sums, what is missing, what is not as planned.

use super::view::{Day, Deviation, Gap, Sums};
use crate::chart::wrap;
use crate::commands::energy::frame::{kilograms, kwh, mic};

/// Deviations that are told; of more it is said how many they are.
const DEVIATIONS_MAX: usize = 6;

/// Which day it is.
pub fn title(day: &Day, width: usize) -> String {
    let when = match day.now_hours() {
        Some(_) => format!("at {}", day.now.clock()),
        None if day.steps_over == 0 => "to come".to_owned(),
        None => "over".to_owned(),
    };
    wrap(&format!("{} in {}, {when}", day.date, day.zone), width, 2)
}

/// What it comes to, as far as it is known.
pub fn sums(day: &Day, width: usize) -> Vec<String> {
    let so_far = || format!("So far: {}.", told(day, &day.so_far));
    let lines = match (day.so_far.steps > 0, day.rest.steps > 0) {
        (true, true) => vec![format!("{}.", told(day, &day.total)), format!("{} The rest is planned.", so_far())],
        (true, false) if day.steps_over < day.begins.len() => vec![so_far()],
        (true, false) => vec![format!("{}.", told(day, &day.total))],
        (false, true) if day.steps_over > 0 => vec![format!("The rest of the day, as planned: {}.", told(day, &day.rest))],
        (false, true) => vec![format!("As planned: {}.", told(day, &day.rest))],
        (false, false) if day.is_known() => Vec::new(),
        (false, false) => vec!["Nothing is known of what flowed: nothing was measured, and no plan was made.".to_owned()],
    };
    lines.iter().map(|line| wrap(line, width, 2)).collect()
}

fn told(day: &Day, sums: &Sums) -> String {
    let mut parts = Vec::new();
    if day.grid.is_some() {
        parts.push(format!("bought {}, sold {}", kwh(sums.import_kwh), kwh(sums.export_kwh)));
    }
    let kinds: Vec<&str> =
        ["sun", "wind", "water"].into_iter().filter(|kind| day.sources.iter().any(|source| source.kind.0 == *kind)).collect();
    if !kinds.is_empty() {
        let used = format!("{:.1} of {}", sums.own_used_kwh.max(0.0), kwh(sums.generated_kwh));
        parts.push(format!("own {} used {used}", kinds.join(" and ")));
    }
    parts.push(saved(sums));
    match (sums.score, sums.own_score) {
        (Some(score), _) => parts.push(format!("24/7 score {:.0} %", score * 100.0)),
        (None, Some(own)) => parts.push(format!("24/7 score of one's own sources {:.0} % (the grid's share is not known)", own * 100.0)),
        (None, None) => {}
    }
    if sums.unserved_kwh >= 0.05 {
        parts.push(format!("{} not served", kwh(sums.unserved_kwh)));
    }
    parts.join(", ")
}

/// What was saved, or not, and how much of it is not known.
fn saved(sums: &Sums) -> String {
    let part = |value: f64, least: f64, unknown: usize, what: String, more: &str| {
        let without = if unknown > 0 { format!(" (without {unknown} steps that have no {more})") } else { String::new() };
        if unknown >= sums.steps {
            format!("no {more} known")
        } else {
            format!("{}{what}{without}", if value <= -least { "lost " } else { "saved " })
        }
    };
    let money = part(sums.cost_saved_gic, 0.005, sums.unpriced_steps, mic(sums.cost_saved_gic.abs()), "price");
    let carbon = part(sums.carbon_saved_g, 5.0, sums.unknown_carbon_steps, kilograms(sums.carbon_saved_g.abs()), "carbon intensity");
    match (money.strip_prefix("saved "), carbon.strip_prefix("saved ")) {
        (Some(_), Some(carbon)) => format!("{money} and {carbon}"),
        _ => format!("{money}, {carbon}"),
    }
}

/// What is missing, what was lost, and what is not as planned.
pub fn notes(day: &Day, width: usize) -> Vec<String> {
    let mut notes = missing(day);
    for outage in &day.outages {
        let is_to_come = outage.first_step >= day.steps_over;
        notes.push(format!("{} {}.", if is_to_come { "The grid is expected to be down" } else { "The grid was down" }, day.span(*outage)));
    }
    if day.price_effect_gic.abs() >= 0.005 {
        let way = if day.price_effect_gic > 0.0 { "dearer" } else { "cheaper" };
        notes.push(format!("Other prices than foreseen made what was planned {} {way}.", mic(day.price_effect_gic.abs())));
    }
    notes.extend(deviations(day));
    notes.iter().map(|note| wrap(note, width, 2)).collect()
}

fn missing(day: &Day) -> Vec<String> {
    let over: usize = day.steps_over;
    let mut notes = Vec::new();
    match (day.is_measured(), day.planned.is_some()) {
        (false, false) => return notes,
        (false, true) if over > 0 => return vec!["Nothing was measured: what is drawn is the plan.".to_owned()],
        (true, false) => notes.push("No plan was made: only what was measured is drawn.".to_owned()),
        _ => {}
    }
    if !day.unmeasured.is_empty() {
        let drawn = if day.planned.is_some() { "The plan is drawn there, and counts in no sum." } else { "Nothing is drawn there." };
        let gaps: Vec<String> = day.unmeasured.iter().map(|gap| gap_told(day, gap)).collect();
        notes.push(format!("Not measured: {}. {drawn}", gaps.join("; ")));
    }
    notes
}

fn gap_told(day: &Day, gap: &Gap) -> String {
    let devices: Vec<&str> = gap.devices.iter().map(|device| device.0.as_str()).collect();
    format!("{} {}", devices.join(", "), day.span(gap.span))
}

/// The deviations that weigh most, in order of time.
fn deviations(day: &Day) -> Vec<String> {
    let weight = |deviation: &Deviation| (deviation.cost_gic.unwrap_or(0.0).abs(), deviation.energy_kwh.abs());
    let mut order: Vec<usize> = (0..day.deviations.len()).collect();
    order.sort_by(|one, other| {
        let (one, other) = (weight(&day.deviations[*one]), weight(&day.deviations[*other]));
        other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1))
    });
    order.truncate(DEVIATIONS_MAX);
    order.sort_unstable();
    let mut lines: Vec<String> = order.iter().map(|number| day.deviations[*number].detail.to_string()).collect();
    let more = day.deviations.len() - lines.len();
    if more > 0 {
        lines.push(format!("And {more} smaller differences from the plan."));
    }
    lines
}
