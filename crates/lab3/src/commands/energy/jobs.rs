//! `lab3 energy jobs FILE`: when jobs run that may wait, and what that saves.

use lab3_units::Time;
use serde::Deserialize;

use super::frame::{Frame, hours_between, kilograms, mic};
use super::today::view::{Name, Row, Run};
use super::{Page, request, unread};
use crate::Failure;
use crate::chart::{Ink, spark, wrap};
use crate::cli::EnergyFileArgs;
use crate::client::{Client, Path};
use crate::table::list;

const PATH: &str = "/lab3/energy/jobs";

/// Jobs that are drawn.
const DRAWN_MAX: usize = 12;
/// Jobs that are listed, and sentences of those without a place.
const LISTED_MAX: usize = 200;

/// What the page needs of the request.
#[derive(Debug, Deserialize)]
struct Asked {
    start: Name,
    step_minutes: f64,
    carbon_g_per_kwh: Row,
    #[serde(default)]
    price_per_kwh: Option<Row>,
}

#[derive(Debug, Deserialize)]
struct Placed {
    jobs: Vec<Job>,
    gap: Option<f64>,
    unplaced: usize,
    unplaced_min: usize,
}

#[derive(Debug, Deserialize)]
struct Job {
    id: Name,
    runs: Vec<Run>,
    sums: Option<Sums>,
    carbon_saved_g: Option<f64>,
    cost_saved_gic: Option<f64>,
    unplaced: Option<Name>,
}

#[derive(Debug, Deserialize)]
struct Sums {
    energy_kwh: f64,
}

/// Sends the jobs and shows their places.
pub fn run(client: &Client, args: &EnergyFileArgs, page: Page) -> Result<String, Failure> {
    let body = request(&args.file)?;
    let reply = client.post(&Path::new(PATH), &body, None)?;
    if args.desk.json {
        return Ok(reply.body);
    }
    let placed: Placed = serde_json::from_str(&reply.body).map_err(|error| unread(client, &error))?;
    let asked: Asked = serde_json::from_str(&body).map_err(|error| unread(client, &error))?;
    Ok(drawn(&asked, &placed, page))
}

fn drawn(asked: &Asked, placed: &Placed, page: Page) -> String {
    let frame = Frame::new(page, vec![asked.step_minutes / 60.0; asked.carbon_g_per_kwh.len()]);
    let blocks =
        [vec![sums(placed, page.width)], chart(asked, placed, &frame), table(placed, page.ink), times(asked), unplaced(placed, page.width)];
    let blocks: Vec<String> = blocks.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    blocks.join("\n\n")
}

fn sums(placed: &Placed, width: usize) -> String {
    let saved = |of: fn(&Job) -> Option<f64>| placed.jobs.iter().filter_map(of).sum::<f64>();
    let with_place = placed.jobs.len() - placed.unplaced.min(placed.jobs.len());
    let saved = format!("{} and {}", mic(saved(|job| job.cost_saved_gic)), kilograms(saved(|job| job.carbon_saved_g)));
    let places = format!("{with_place} of {} jobs have a place, which saves {saved} against running at once", placed.jobs.len());
    let gap = placed
        .gap
        .map(|gap| if gap < 1e-6 { "nothing is better".to_owned() } else { format!("at most {:.2} % from the best", gap * 100.0) });
    let nobody = (placed.unplaced_min > 0).then(|| format!("at least {} of the others nobody could place", placed.unplaced_min));
    let words: Vec<String> = std::iter::once(places).chain(gap).chain(nobody).collect();
    wrap(&words.join("; "), width, 2)
}

/// Carbon and price over time, and the first jobs as bars below.
fn chart(asked: &Asked, placed: &Placed, frame: &Frame) -> Vec<String> {
    let signal = |name: &str, unit: &str, row: &Row| {
        let known = || row.iter().flatten().copied();
        let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
        let words = if low > high { format!("{name}: none") } else { format!("{name}, {unit}: least {low}, most {high}") };
        [words, Frame::line(&spark(&frame.row(row), low, high, frame.page.ink))]
    };
    let mut lines = signal("carbon", "g CO2e a kWh", &asked.carbon_g_per_kwh).to_vec();
    lines.extend(asked.price_per_kwh.iter().flat_map(|row| signal("price", "MIC a kWh", row)));
    lines.push(frame.elapsed());
    let Some(start) = Time::parse(&asked.start.0) else { return lines };
    let hours = |moment: &Name| Time::parse(&moment.0).map(|moment| hours_between(start, moment));
    let spans = |job: &Job| job.runs.iter().filter_map(|run| Some((hours(&run.start)?, hours(&run.end)?))).collect::<Vec<_>>();
    let with_place = || placed.jobs.iter().filter(|job| !job.runs.is_empty());
    lines.extend(with_place().take(DRAWN_MAX).map(|job| frame.bar(&spans(job), &job.id.0)));
    let more = with_place().count().saturating_sub(DRAWN_MAX);
    if more > 0 {
        lines.push(Frame::line(&format!("and {more} more, listed below")));
    }
    lines
}

fn table(placed: &Placed, ink: Ink) -> Vec<String> {
    let with_place: Vec<&Job> = placed.jobs.iter().filter(|job| !job.runs.is_empty()).collect();
    if with_place.is_empty() {
        return Vec::new();
    }
    let rows = with_place.iter().take(LISTED_MAX).map(|job| {
        let saved = |value: Option<f64>, digits: usize| value.map_or_else(String::new, |value| format!("{value:.digits$}"));
        let energy = saved(job.sums.as_ref().map(|sums| sums.energy_kwh), 1);
        vec![job.id.to_string(), when(job), energy, saved(job.cost_saved_gic, 2), saved(job.carbon_saved_g.map(|grams| grams / 1000.0), 2)]
    });
    let listed = list(&["job", "when", "kWh", "saved MIC", "saved kg"], &[2, 3, 4], rows);
    let mut lines = vec![if ink == Ink::Plain { listed.replace('─', "-") } else { listed }];
    if with_place.len() > LISTED_MAX {
        lines.push(format!("and {} more: --json lists all", with_place.len() - LISTED_MAX));
    }
    lines
}

/// What clock the times are of, and where the chart begins.
fn times(asked: &Asked) -> Vec<String> {
    let start = Time::parse(&asked.start.0).map(|start| short(&Name(start.to_string())));
    start.map(|start| format!("Times are UTC, and all begins at {start}.")).into_iter().collect()
}

/// A moment to the minute.
fn short(moment: &Name) -> String {
    moment.0.get(..16).unwrap_or(&moment.0).replace('T', " ")
}

/// From the begin of the first run to the end of the last, and in how many pieces.
fn when(job: &Job) -> String {
    let (Some(first), Some(last)) = (job.runs.first(), job.runs.last()) else { return String::new() };
    let pieces = if job.runs.len() > 1 { format!(", in {} pieces", job.runs.len()) } else { String::new() };
    let end = if first.start.0.get(..10) == last.end.0.get(..10) { last.end.clock().to_owned() } else { short(&last.end) };
    format!("{} to {end}{pieces}", short(&first.start))
}

fn unplaced(placed: &Placed, width: usize) -> Vec<String> {
    let without = || placed.jobs.iter().filter_map(|job| Some((job, job.unplaced.as_ref()?)));
    let mut lines: Vec<String> =
        without().take(LISTED_MAX).map(|(job, why)| wrap(&format!("{} has no place: {why}.", job.id), width, 2)).collect();
    let more = without().count() - lines.len();
    if more > 0 {
        lines.push(format!("and {more} more without a place: --json tells why"));
    }
    lines
}

#[cfg(test)]
mod tests;
