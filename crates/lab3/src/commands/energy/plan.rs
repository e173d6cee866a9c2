//! `lab3 energy plan FILE`: the dispatch of a site, as numbers and charts.

use serde::Deserialize;

use super::frame::{BATTERY, Frame, GENERATOR, GRID, SUN, kilograms, kwh, legend, mic};
use super::today::view::{Name, Row};
use super::{Page, request, unread};
use crate::Failure;
use crate::chart::{Fill, Ink, Layer, spark, wrap};
use crate::cli::EnergyFileArgs;
use crate::client::{Client, Path};
use crate::table::pairs;

const PATH: &str = "/lab3/energy/dispatch";

/// What the page needs of the request.
#[derive(Debug, Deserialize)]
struct Asked {
    step_minutes: Vec<f64>,
    #[serde(default)]
    batteries: Vec<AskedBattery>,
}

#[derive(Debug, Deserialize)]
struct AskedBattery {
    capacity_kwh: f64,
}

/// The plan, as the desk tells it.
#[derive(Debug, Deserialize)]
struct Plan {
    import_kwh: Row,
    export_kwh: Row,
    sources: Vec<Source>,
    generators: Vec<Generator>,
    batteries: Vec<Battery>,
    flexible: Vec<Flexible>,
    totals: Totals,
    broken: Vec<Broken>,
    gap: f64,
}

#[derive(Debug, Deserialize)]
struct Source {
    name: Name,
    used_kwh: Row,
    curtailed_kwh: Row,
}

#[derive(Debug, Deserialize)]
struct Generator {
    name: Name,
    energy_kwh: Row,
}

#[derive(Debug, Deserialize)]
struct Battery {
    name: Name,
    charge_kwh: Row,
    discharge_kwh: Row,
    stored_kwh: Row,
}

#[derive(Debug, Deserialize)]
struct Flexible {
    name: Name,
    steps: Vec<usize>,
}

#[derive(Debug, Deserialize)]
struct Totals {
    cost_gic: f64,
    import_cost_gic: f64,
    export_income_gic: f64,
    peak_cost_gic: f64,
    generation_cost_gic: f64,
    wear_cost_gic: f64,
    carbon_g: f64,
    peak_above_kw: f64,
}

#[derive(Debug, Deserialize)]
struct Broken {
    limit: Name,
    detail: Name,
}

/// Sends the site and draws its plan.
pub fn run(client: &Client, args: &EnergyFileArgs, page: Page) -> Result<String, Failure> {
    let body = request(&args.file)?;
    let reply = client.post(&Path::new(PATH), &body, None)?;
    if args.desk.json {
        return Ok(reply.body);
    }
    let plan: Plan = serde_json::from_str(&reply.body).map_err(|error| unread(client, &error))?;
    let asked: Asked = serde_json::from_str(&body).map_err(|error| unread(client, &error))?;
    Ok(drawn(&asked, &plan, page))
}

fn drawn(asked: &Asked, plan: &Plan, page: Page) -> String {
    let frame = Frame::new(page, asked.step_minutes.iter().map(|minutes| minutes / 60.0).collect());
    let blocks = [vec![sums(plan)], stack(plan, &frame), batteries(asked, plan, &frame), flexible(plan, &frame), broken(plan, page.width)];
    let blocks: Vec<String> = blocks.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    blocks.join("\n\n")
}

fn total(row: &Row) -> f64 {
    row.iter().flatten().sum()
}

fn sums(plan: &Plan) -> String {
    let totals = &plan.totals;
    let some = |what: String, value: f64| if value.abs() < 0.005 { String::new() } else { what };
    let curtailed: f64 = plan.sources.iter().map(|source| total(&source.curtailed_kwh)).sum();
    pairs(&[
        ("cost", mic(totals.cost_gic)),
        ("bought", format!("{} for {}", kwh(total(&plan.import_kwh)), mic(totals.import_cost_gic))),
        ("sold", some(format!("{} for {}", kwh(total(&plan.export_kwh)), mic(totals.export_income_gic)), total(&plan.export_kwh))),
        ("sources", some(mic(totals.generation_cost_gic), totals.generation_cost_gic)),
        ("wear", some(mic(totals.wear_cost_gic), totals.wear_cost_gic)),
        ("new peak", some(format!("{:.2} kW above the last, {}", totals.peak_above_kw, mic(totals.peak_cost_gic)), totals.peak_above_kw)),
        ("not used", some(kwh(curtailed), curtailed)),
        ("carbon", kilograms(totals.carbon_g)),
        (
            "from the best",
            if plan.gap < 1e-6 { "nothing: it is the best".to_owned() } else { format!("at most {:.4} %", plan.gap * 100.0) },
        ),
    ])
}

/// What serves loads: of all that comes in a step, the part that is neither stored nor sold.
fn stack(plan: &Plan, frame: &Frame) -> Vec<String> {
    let add = |rows: &[&Row]| {
        rows.iter().fold(vec![0.0; frame.hours.len()], |sum, row| {
            sum.iter().zip(row.iter()).map(|(sum, one)| sum + one.unwrap_or(0.0)).collect::<Vec<f64>>()
        })
    };
    let sources = add(&plan.sources.iter().map(|source| &source.used_kwh).collect::<Vec<_>>());
    let generators = add(&plan.generators.iter().map(|one| &one.energy_kwh).collect::<Vec<_>>());
    let discharge = add(&plan.batteries.iter().map(|battery| &battery.discharge_kwh).collect::<Vec<_>>());
    let out = add(&plan.batteries.iter().map(|battery| &battery.charge_kwh).chain([&plan.export_kwh]).collect::<Vec<_>>());
    let import = add(&[&plan.import_kwh]);
    let all = sources.iter().zip(&generators).zip(discharge.iter().zip(&import));
    let share: Vec<f64> = all
        .map(|((sources, generators), (discharge, import))| sources + generators + discharge + import)
        .zip(&out)
        .map(|(all, out)| if all > 0.0 { ((all - out) / all).clamp(0.0, 1.0) } else { 0.0 })
        .collect();
    let names = |names: Vec<&Name>| names.iter().map(|name| name.0.as_str()).collect::<Vec<_>>().join(", ");
    let layers: Vec<(Fill, String, Vec<f64>)> = [
        (SUN, names(plan.sources.iter().map(|one| &one.name).collect()), sources),
        (BATTERY, names(plan.batteries.iter().map(|one| &one.name).collect()), discharge),
        (GENERATOR, names(plan.generators.iter().map(|one| &one.name).collect()), generators),
        (GRID, "grid".to_owned(), import),
    ]
    .into_iter()
    .filter(|(_, name, energies)| !name.is_empty() && energies.iter().any(|energy| *energy > 0.0))
    .collect();
    let served = |energies: &[f64]| energies.iter().zip(&share).map(|(energy, share)| Some(energy * share)).collect::<Row>();
    let drawn: Vec<Layer> =
        layers.iter().map(|(fill, _, energies)| Layer { values: frame.power(&served(energies)), fill: *fill }).collect();
    let mut lines = frame.stack(&drawn, None);
    lines.push(frame.axis(&if frame.page.ink == Ink::Plain { "-" } else { "╌" }.repeat(frame.columns)));
    lines.push(frame.elapsed());
    let entry = |(fill, name, energies): &(Fill, String, Vec<f64>)| {
        (frame.page.ink.sign(*fill), format!("{name} {}", kwh(total(&served(energies)))))
    };
    lines.extend(legend(&layers.iter().map(entry).collect::<Vec<_>>(), frame.page.width));
    lines
}

fn batteries(asked: &Asked, plan: &Plan, frame: &Frame) -> Vec<String> {
    let each = plan.batteries.iter().enumerate().flat_map(|(number, battery)| {
        let known = || battery.stored_kwh.iter().flatten().copied();
        let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(0.0, f64::max));
        let capacity = asked.batteries.get(number).map_or(high, |asked| asked.capacity_kwh);
        let last = known().last().unwrap_or(0.0);
        let words = format!("{}, kWh of {capacity:.1}: least {low:.1}, most {high:.1}, at the end {last:.1}", battery.name);
        [wrap(&words, frame.page.width, 2), Frame::line(&spark(&frame.row(&battery.stored_kwh), 0.0, capacity, frame.page.ink))]
    });
    each.collect()
}

fn flexible(plan: &Plan, frame: &Frame) -> Vec<String> {
    let span = |step: &usize| (frame.begin_of(*step), frame.begin_of(step + 1));
    plan.flexible.iter().map(|load| frame.bar(&load.steps.iter().map(span).collect::<Vec<_>>(), &load.name.0)).collect()
}

fn broken(plan: &Plan, width: usize) -> Vec<String> {
    let each = plan.broken.iter().map(|broken| wrap(&format!("{}: {}", broken.limit, broken.detail), width, 2));
    let lines: Vec<String> = each.collect();
    if lines.is_empty() { lines } else { std::iter::once("what could not be kept".to_owned()).chain(lines).collect() }
}

#[cfg(test)]
mod tests;
