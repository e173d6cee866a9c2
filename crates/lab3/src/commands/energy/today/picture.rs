//! The day's charts: what served it, batteries, price, carbon, jobs.

use super::view::{Battery, Day, Job, Mark, Row, Signal};
use crate::chart::{Fill, Ink, Layer, spark, wrap};
use crate::commands::energy::Page;
use crate::commands::energy::frame::{BATTERY, Frame, GENERATOR, GRID, SUN, WATER, WIND, kilograms, kwh, legend, mic};

/// Jobs that are drawn; of more it is said how many they are.
const JOBS_MAX: usize = 8;

/// What served the loads, over time: an axis, and what the shades mean.
pub fn stack(day: &Day, page: Page) -> Vec<String> {
    if !day.is_known() {
        return Vec::new();
    }
    let frame = Frame::new(page, day.hours());
    let served = served(day);
    let layer = |(fill, _, energies): &(Fill, String, Row)| Layer { values: frame.power(energies), fill: *fill };
    let layers: Vec<Layer> = served.iter().map(layer).collect();
    let now = day.now_hours().map(|now| frame.column(now));
    let mut lines = frame.stack(&layers, now);
    lines.push(marks(day, &frame));
    lines.push(ticks(day, &frame));
    lines.extend(now.map(|now| now_line(day, &frame, now)));
    let sum = |row: &Row| row.iter().flatten().sum::<f64>();
    let some = served.iter().filter(|(_, _, energies)| sum(energies) > 0.0);
    let entries = some.map(|(fill, name, energies)| (page.ink.sign(*fill), format!("{name} {}", kwh(sum(energies)))));
    lines.extend(legend(&entries.chain(axis_legend(day, page)).collect::<Vec<_>>(), page.width));
    lines
}

/// What served the loads by kind, from the bottom up.
fn served(day: &Day) -> Vec<(Fill, String, Row)> {
    let sources = |kind: &str| {
        day.sources.iter().filter(|source| source.kind.0 == kind).map(|source| (&source.name.0, &source.served_kwh)).collect::<Vec<_>>()
    };
    let kinds = [(SUN, "sun", sources("sun")), (WIND, "wind", sources("wind")), (WATER, "water", sources("water"))];
    let batteries = day.batteries.iter().map(|battery| (&battery.name.0, &battery.served_kwh)).collect();
    let others = [(BATTERY, "battery", batteries), (GENERATOR, "generator", sources("generator"))];
    let mut layers: Vec<(Fill, String, Row)> = Vec::new();
    for (fill, kind, rows) in kinds.into_iter().chain(others) {
        let names: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
        let name = if names.is_empty() || names == [kind] { kind.to_owned() } else { format!("{kind} ({})", names.join(", ")) };
        layers.extend(sum(rows.into_iter().map(|(_, row)| row)).map(|row| (fill, name, row)));
    }
    layers.extend(day.grid.as_ref().map(|grid| (GRID, "grid".to_owned(), grid.served_kwh.clone())));
    layers
}

/// Rows added up; a step of which a part is not known is not known. None of none.
fn sum<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<Row> {
    rows.cloned().reduce(|one, other| one.into_iter().zip(other).map(|(one, other)| Some(one? + other?)).collect())
}

/// The axis, which tells what was measured from what is planned.
fn marks(day: &Day, frame: &Frame) -> String {
    let (measured, planned) = strokes(frame.page.ink);
    let known: Row = day.marks.iter().map(|mark| mark.map(|mark| if mark == Mark::Forecast { 0.0 } else { 1.0 })).collect();
    let sign = |column: &Option<f64>| match column {
        None => frame.page.ink.unknown(),
        Some(share) if *share > 0.5 => measured,
        Some(_) => planned,
    };
    let axis: String = frame.row(&known).iter().map(sign).collect();
    frame.axis(&axis)
}

/// How the axis is drawn where values were measured, and where they are planned.
fn strokes(ink: Ink) -> (char, char) {
    if ink == Ink::Plain { ('=', '-') } else { ('━', '╌') }
}

/// What the strokes of the axis mean, those that are there.
fn axis_legend(day: &Day, page: Page) -> impl Iterator<Item = (String, String)> {
    let (measured, planned) = strokes(page.ink);
    let is_planned = day.marks.contains(&Some(Mark::Forecast));
    let meanings = [
        (day.is_measured(), measured, "measured"),
        (is_planned, planned, "planned"),
        (day.marks.contains(&None), page.ink.unknown(), "not known"),
    ];
    meanings.into_iter().filter(|(is_there, ..)| *is_there).map(|(_, sign, meaning)| (sign.to_string(), meaning.to_owned()))
}

/// Every third hour, or every sixth where it is narrow.
fn ticks(day: &Day, frame: &Frame) -> String {
    let each = if frame.columns < 40 { 6 } else { 3 };
    let hour = |(step, begin): (usize, &super::view::Name)| {
        let (hour, minute) = begin.clock().split_once(':')?;
        let is_told = minute == "00" && hour.parse::<u32>().is_ok_and(|hour| hour % each == 0);
        is_told.then(|| (step, hour.to_owned()))
    };
    frame.ticks(day.begins.iter().enumerate().filter_map(hour))
}

/// Where the present is, and what the axis means.
fn now_line(day: &Day, frame: &Frame, now: usize) -> String {
    let arrow = if frame.page.ink == Ink::Plain { '^' } else { '▲' };
    let text = format!("now {}", day.now.clock());
    if now + text.len() + 2 <= frame.columns {
        Frame::line(&format!("{:now$}{arrow} {text}", ""))
    } else {
        Frame::line(&format!("{:>width$}", format!("{text} {arrow}"), width = now + 1))
    }
}

/// Batteries, price and carbon: each a line of words and a line of blocks.
pub fn signals(day: &Day, page: Page) -> Vec<String> {
    let frame = Frame::new(page, day.hours());
    let mut lines: Vec<String> = day.batteries.iter().flat_map(|one| battery(day, one, &frame)).collect();
    if let Some(grid) = &day.grid {
        lines.extend(signal(day, "price", "MIC a kWh", 2, &grid.import_price, &frame));
        lines.extend(signal(day, "carbon", "g CO2e a kWh", 0, &grid.carbon_g_per_kwh, &frame));
    }
    lines
}

fn battery(day: &Day, battery: &Battery, frame: &Frame) -> Vec<String> {
    let row = &battery.stored_kwh;
    let Some((low, high)) = extremes(row) else {
        return vec![wrap(&format!("{}: what it holds is not known", battery.name), frame.page.width, 2)];
    };
    let holds = |place: &(usize, f64)| format!("{:.1} at {}", place.1, day.clock(place.0 + 1));
    let extremes = format!("{}, kWh of {:.1}: least {}, most {}", battery.name, battery.capacity_kwh, holds(&low), holds(&high));
    let last = || row.get(day.steps_over.checked_sub(1)?).copied().flatten();
    let now = day.now_hours().and_then(|_| last()).map(|now| format!("now {now:.1}"));
    let words: Vec<String> = std::iter::once(extremes).chain(now).chain(unknown(day, row)).collect();
    vec![wrap(&words.join(", "), frame.page.width, 2), Frame::line(&spark(&frame.row(row), 0.0, battery.capacity_kwh, frame.page.ink))]
}

fn signal(day: &Day, name: &str, unit: &str, decimals: usize, signal: &Signal, frame: &Frame) -> Vec<String> {
    let Some((low, high)) = extremes(&signal.values) else { return vec![format!("{name}: not known")] };
    let is_flat = (high.1 - low.1).abs() < 1e-9;
    let at = |place: &(usize, f64)| format!("{:.decimals$} at {}", place.1, day.clock(place.0));
    let extremes = if is_flat { format!("{:.decimals$}", low.1) } else { format!("least {}, most {}", at(&low), at(&high)) };
    let present = || signal.values.get(day.steps_over).copied().flatten();
    let now = day.now_hours().filter(|_| !is_flat).and_then(|_| present()).map(|now| format!("now {now:.decimals$}"));
    let filled = signal.marks.contains(&Some(Mark::Filled)).then(|| "gaps filled".to_owned());
    let extremes = format!("{name}, {unit}: {extremes}");
    let words = std::iter::once(extremes).chain(now).chain(forecast(day, signal)).chain(filled).chain(unknown(day, &signal.values));
    let mut lines = vec![wrap(&words.collect::<Vec<_>>().join(", "), frame.page.width, 2)];
    if !is_flat || signal.values.contains(&None) {
        lines.push(Frame::line(&spark(&frame.row(&signal.values), low.1, high.1, frame.page.ink)));
    }
    lines
}

/// From when on a signal is a forecast.
fn forecast(day: &Day, signal: &Signal) -> Option<String> {
    let first = signal.marks.iter().position(|mark| *mark == Some(Mark::Forecast))?;
    let all_after = signal.marks.iter().skip(first).flatten().all(|mark| *mark == Mark::Forecast);
    let any_before = signal.marks.iter().take(first).any(Option::is_some);
    Some(match (any_before, all_after) {
        (false, true) => "all forecast".to_owned(),
        (true, true) => format!("forecast from {}", day.clock(first)),
        (_, false) => "forecast in part".to_owned(),
    })
}

/// The first of the least and of the greatest values, with their steps.
fn extremes(row: &Row) -> Option<((usize, f64), (usize, f64))> {
    let mut known = row.iter().enumerate().filter_map(|(step, value)| Some((step, (*value)?)));
    let first = known.next()?;
    Some(known.fold((first, first), |(low, high), place| {
        (if place.1 < low.1 - 1e-9 { place } else { low }, if place.1 > high.1 + 1e-9 { place } else { high })
    }))
}

/// In which steps a row is not known.
fn unknown(day: &Day, row: &Row) -> Option<String> {
    let is_known = |step: &usize| row.get(*step).copied().flatten().is_some();
    let count = day.begins.len();
    let first = (0..count).find(|step| !is_known(step))?;
    let end = (first..count).find(is_known).unwrap_or(count);
    let more = if (end..count).all(|step| is_known(&step)) { "" } else { " and more" };
    Some(format!("not known {} to {}{more}", day.clock(first), day.clock(end)))
}

/// The jobs placed in the day, each as a bar.
pub fn jobs(day: &Day, page: Page) -> Vec<String> {
    let frame = Frame::new(page, day.hours());
    let mut lines: Vec<String> = day.jobs.iter().take(JOBS_MAX).map(|job| frame.bar(&spans(day, job), &label(job))).collect();
    if !lines.is_empty() {
        lines.insert(0, "jobs".to_owned());
    }
    if day.jobs.len() > JOBS_MAX {
        lines.push(Frame::line(&format!("and {} more jobs", day.jobs.len() - JOBS_MAX)));
    }
    lines
}

fn spans(day: &Day, job: &Job) -> Vec<(f64, f64)> {
    job.runs.iter().filter_map(|run| Some((day.hours_at(&run.start)?, day.hours_at(&run.end)?))).collect()
}

fn label(job: &Job) -> String {
    let owner = job.owner.iter().map(|owner| format!("of {owner}"));
    let power = job.runs.iter().map(|run| run.power_kw).fold(0.0, f64::max);
    let power = (power > 0.0).then(|| format!("{power:.1} kW"));
    let money = job.cost_saved_gic.filter(|saved| saved.abs() >= 0.005).map(mic);
    let carbon = job.carbon_saved_g.filter(|saved| saved.abs() >= 5.0).map(kilograms);
    let saved: Vec<String> = money.into_iter().chain(carbon).collect();
    let saved = (!saved.is_empty()).then(|| format!("saves {}", saved.join(" and ")));
    let parts: Vec<String> = owner.chain(power).chain(saved).collect();
    if parts.is_empty() { job.name.to_string() } else { format!("{} ({})", job.name, parts.join(", ")) }
}
