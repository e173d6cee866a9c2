//! The energy desk: in process on one core, plans over HTTP, too, and the best hours of all zones on all cores. For jobs the reference is the proven bound; what plans cost
//! shows that they are the best.

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lab3_energy::Horizon;
use lab3_energy::carbon::ecologits::{Coefficients, Hosting, Model, Site};
use lab3_energy::carbon::{Footprint, Formula, Interval, MeterReading, Sources, Stated, Work};
use lab3_energy::dispatch::{Battery, Dispatch, Grid, Load, Source, Unplanned};
use lab3_energy::jobs::{Job, Manner, Outlook, effort, place};
use lab3_solve::{Limits, Sums, sums_of_minima, sums_of_smallest};
use lab3_units::{Amount, Time};
use serde_json::json;

use crate::Failure;
use crate::booking;
use crate::desk::Desk;
use crate::random::Random;
use crate::spread::Times;

#[derive(clap::Args)]
pub struct Args {
    /// How often each is measured
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Where its data goes
    #[arg(long, default_value = "target/bench-energy")]
    folder: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(&args.folder);
    std::fs::create_dir_all(&args.folder)?;
    let desk = Desk::lab3(&args.folder.join("lab3"))?;
    jobs(args.rounds);
    zones(args.rounds)?;
    for (name, steps, hours) in [("a day in quarter hours", 96, 0.25), ("a week in hours", 168, 1.0), ("a year in hours", 8760, 1.0)] {
        plans(&desk, name, steps, hours, args.rounds)?;
    }
    plans_again(args.rounds)?;
    carbon(args.rounds)?;
    booking::run(&args.folder, args.rounds)
}

fn timed<T>(rounds: usize, mut act: impl FnMut() -> T) -> (Times, Option<T>) {
    let mut last = None;
    let times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let began = Instant::now();
            last = Some(act());
            began.elapsed()
        })
        .collect();
    (Times::of(times), last)
}

fn below(random: &mut Random, end: u32) -> u32 {
    u32::try_from(random.below(u64::from(end))).unwrap_or(0)
}

/// Something like the hours of a day: dear or dirty in the evening, with noise.
fn days(steps: usize, hours: f64, random: &mut Random) -> Vec<f64> {
    let noise = |random: &mut Random| f64::from(below(random, 1000)) / 1000.0;
    let hour = |step: usize| f64::from(u32::try_from(step).unwrap_or(0)) * hours;
    (0..steps).map(|step| 1.0 + 0.4 * ((hour(step) - 19.0) * std::f64::consts::TAU / 24.0).cos() + 0.2 * noise(random)).collect()
}

/// A thousand jobs in three days of quarter hours, half of them interruptible, under a cap a seventh above an even use.
fn jobs(rounds: usize) {
    let mut random = Random(7);
    let horizon = Horizon { start: Time::from_millis(0), step_s: 900, count: 288 };
    let carbon: Vec<f64> = days(288, 0.25, &mut random).iter().map(|value| 300.0 * value).collect();
    let jobs: Vec<Job> = (0..1000)
        .map(|number| {
            let work = 2 + below(&mut random, 30);
            let start = below(&mut random, 288 - work);
            let end = (start + work + 4 + below(&mut random, 96)).min(288);
            let manner = if number % 2 == 0 { Manner::Whole } else { Manner::Pieces { run_min_s: 0, restart_kwh: 0.0 } };
            Job {
                power_kw: 0.5 + f64::from(below(&mut random, 8)) / 2.0,
                duration_s: work * 900,
                earliest: horizon.begin_of(start as usize),
                deadline: horizon.begin_of(end as usize),
                manner,
                carbon_weight: 1.0,
            }
        })
        .collect();
    let all: f64 = jobs.iter().map(|job| job.power_kw * f64::from(job.duration_s / 900)).sum();
    let cap = vec![all / 288.0 * 1.15; 288];
    let outlook = Outlook { horizon, carbon: &carbon, price: &[], cap_kw: Some(&cap) };
    let (times, schedule) = timed(rounds, || effort(&jobs, &horizon).map(|effort| place(&jobs, &outlook, effort)));
    if let Some(schedule) = schedule.flatten() {
        let lost = schedule.places.iter().filter(|place| place.is_err()).count();
        println!("1,000 jobs under a cap: {times}; {lost} without a place, gap {:.2} %", 100.0 * schedule.gap.unwrap_or(1.0));
    }
}

/// The hours of 47 zones: for jobs of 1 to 168 hours and every slack of 24 to 8,760 hours, what a job that arrives in any hour emits at once, in its best run and in
/// its best hours, summed over the arrivals. A core takes a zone at a time.
fn zones(rounds: usize) -> Result<(), Failure> {
    let data = std::env::var_os("LAB3_DATA_DIR").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let file = data.join("energy/zones-2022/carbon_intensity.csv.gz");
    if !file.exists() {
        println!("zones: left out, there is no {} (LAB3_DATA_DIR says where the data is)", file.display());
        return Ok(());
    }
    let text = String::from_utf8(Command::new("gzip").arg("-dc").arg(&file).output()?.stdout)?;
    let columns = text.lines().next().map_or(0, |head| head.split(',').count());
    let rows: Vec<Vec<f64>> = text.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap_or(0.0)).collect()).collect();
    let zones: Vec<Vec<f64>> = (1..columns).map(|zone| rows.iter().map(|row| row[zone]).collect()).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (times, saved) = timed(rounds.min(3), || best_of_all(&zones, cores));
    let percent = 100.0 * saved.unwrap_or(0.0);
    println!(
        "{} zones x jobs of 1 to 168 h x slacks of 24 to 8,760 h, {cores} cores: {times}; {percent:.2} % saved in the mean",
        zones.len()
    );
    Ok(())
}

/// What is saved in the mean by the best hours against running at once.
fn best_of_all(zones: &[Vec<f64>], cores: usize) -> f64 {
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut at_once, mut best) = (0.0, 0.0);
        while let Some(hours) = zones.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = best_hours(hours);
            at_once += found.0;
            best += found.1;
        }
        (at_once, best)
    };
    let found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).fold((0.0, 0.0), |sum, found| (sum.0 + found.0, sum.1 + found.1))
    });
    1.0 - found.1 / found.0
}

/// All jobs and slacks of a zone: the sums of running at once and of the best hours.
fn best_hours(hours: &[f64]) -> (f64, f64) {
    const JOBS: usize = 168;
    const SLACKS: std::ops::RangeInclusive<usize> = 24..=8760;
    let sums = Sums::of(hours);
    let by_width = sums_of_smallest(hours, JOBS);
    let (mut all_at_once, mut all_best) = (0.0, 0.0);
    for job in 1..=JOBS {
        let runs = sums.runs(job);
        let at_once: f64 = runs.iter().sum();
        // Windows of as many begins as there are hours of slack, and one.
        let in_runs = sums_of_minima(&runs, *SLACKS.end() + 1);
        for slack in SLACKS {
            let width = (job + slack).min(hours.len());
            black_box(in_runs[slack + 1]);
            all_best += by_width[(width - 1) * JOBS + job - 1];
            all_at_once += at_once;
        }
    }
    (all_at_once, all_best)
}

/// A house with sun, a battery and a tariff that changes.
fn house(steps: usize, hours: f64) -> Dispatch {
    let mut random = Random(3);
    let scaled = |row: Vec<f64>, factor: f64| row.iter().map(|value| value * factor).collect::<Vec<_>>();
    let sun = days(steps, hours, &mut random).iter().map(|value| (1.2 - value).max(0.0) * 6.0 * hours).collect();
    Dispatch {
        hours: vec![hours; steps],
        sources: vec![Source { name: "sun".into(), available: sun, ..Source::default() }],
        grid: Some(Grid {
            import_price: scaled(days(steps, hours, &mut random), 0.3),
            export_price: vec![0.08; steps],
            up: vec![1.0; steps],
            import_max: Some(11.0),
            ..Grid::default()
        }),
        batteries: vec![Battery {
            name: "battery".into(),
            capacity: 10.0,
            most: 10.0,
            initial: 5.0,
            charge_max: 5.0,
            discharge_max: 5.0,
            charge_efficiency: 0.95,
            discharge_efficiency: 0.95,
            from_grid: true,
            ..Battery::default()
        }],
        loads: vec![Load { name: "house".into(), energy: scaled(days(steps, hours, &mut random), hours), worth: None }],
        ..Dispatch::default()
    }
}

/// In process and over HTTP.
fn plans(desk: &Desk, name: &str, steps: usize, hours: f64, rounds: usize) -> Result<(), Failure> {
    let site = house(steps, hours);
    let rounds = if steps > 1000 { rounds } else { rounds * 10 };
    let (times, plan) = timed(rounds, || site.solve(Limits { seconds: 60.0, gap: 1e-9 }));
    let cost = plan.ok_or("no rounds")??.totals.cost();
    println!("a plan of {name}: {times}; it costs {cost:.2}");
    let body = asked(&site);
    let (times, answer) = timed(rounds, || desk.post("/lab3/energy/dispatch", &body));
    answer.ok_or("no rounds")??;
    println!("the same over HTTP, {} KB in: {times}", body.len() / 1000);
    Ok(())
}

/// What a controller does in four months: a plan of the next day each hour.
fn plans_again(rounds: usize) -> Result<(), Failure> {
    const PLANS: usize = 2882;
    let year = house(PLANS + 24, 1.0);
    let cut = |row: &Vec<f64>, hour: usize| row[hour..hour + 24].to_vec();
    let at = |hour: usize| {
        let mut site = year.clone();
        site.hours.truncate(24);
        site.sources.iter_mut().for_each(|source| source.available = cut(&source.available, hour));
        site.loads.iter_mut().for_each(|load| load.energy = cut(&load.energy, hour));
        if let Some(grid) = &mut site.grid {
            for row in [&mut grid.import_price, &mut grid.export_price, &mut grid.up] {
                *row = cut(row, hour);
            }
        }
        site
    };
    let sites: Vec<Dispatch> = (0..PLANS).map(at).collect();
    let all = || sites.iter().map(|site| Ok(site.solve(Limits { seconds: 5.0, gap: 1e-9 })?.totals.cost())).sum::<Result<f64, Unplanned>>();
    let (times, cost) = timed(rounds.min(3), all);
    println!("{PLANS} plans of 24 hours: {times}; they cost {:.2}", cost.ok_or("no rounds")??);
    Ok(())
}

/// The request for such a house.
fn asked(site: &Dispatch) -> String {
    let minutes: Vec<f64> = site.hours.iter().map(|hours| hours * 60.0).collect();
    let sources = site.sources.iter().map(|source| json!({ "name": source.name, "available_kwh": source.available })).collect::<Vec<_>>();
    let loads = site.loads.iter().map(|load| json!({ "name": load.name, "energy_kwh": load.energy })).collect::<Vec<_>>();
    let battery = |battery: &Battery| {
        json!({
            "name": battery.name, "capacity_kwh": battery.capacity, "initial_kwh": battery.initial, "from_grid": battery.from_grid,
            "charge_max_kw": battery.charge_max, "discharge_max_kw": battery.discharge_max,
            "charge_efficiency": battery.charge_efficiency, "discharge_efficiency": battery.discharge_efficiency,
        })
    };
    let batteries = site.batteries.iter().map(battery).collect::<Vec<_>>();
    let grid = site
        .grid
        .as_ref()
        .map(|grid| json!({ "import_price": grid.import_price, "export_price": grid.export_price, "import_max_kw": grid.import_max }));
    json!({ "step_minutes": minutes, "sources": sources, "grid": grid, "batteries": batteries, "loads": loads }).to_string()
}

/// The carbon of ten thousand requests in an hour, estimated and shared out to the milligram.
fn carbon(rounds: usize) -> Result<(), Failure> {
    const REQUESTS: u32 = 10_000;
    let billions = Interval::between(44.0, 132.0)?;
    let model = Model { active_billions: billions, total_billions: billions, tokens_per_s: None, first_token_s: None };
    let hosting = Hosting { model, site: Site::of("anthropic").ok_or("a site")?, coefficients: Coefficients::default() };
    let stated = Stated { formula: Formula::EcoLogits(Box::new(hosting)), spread: 0.5 };
    let sources = Sources { stated: Some(&stated), ..Sources::default() };
    let whole = Footprint { average_mg: Amount::new(7_654_321), marginal_mg: Amount::new(9_876_543), market_mg: Amount::new(1_234_567) };
    let (times, _) = timed(rounds, || -> Result<(), Failure> {
        let estimated = |tokens| sources.estimate(&Work { input_tokens: 500, output_tokens: tokens, latency_s: None });
        let requests = (0..u64::from(REQUESTS)).filter_map(|tokens| estimated(tokens).transpose()).collect::<Result<Vec<_>, _>>()?;
        let reading =
            MeterReading { meter_mwh: Amount::new(20_000_000), compute_mwh: None, idle_mwh: Amount::new(50_000), requests: &requests };
        black_box(reading.divide()?.carbon(whole)?);
        Ok(())
    });
    println!("carbon of a request: {:.2?} (of {REQUESTS} together: {times})", times.percentile(50) / REQUESTS);
    Ok(())
}
