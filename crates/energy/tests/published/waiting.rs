//! "Let's wait awhile" (Wiesner and others, Middleware 2021): how much carbon jobs save that may wait, in Germany and Great Britain in 2020.

use lab3_energy::Horizon;
use lab3_energy::jobs::{EFFORT, Job, Manner, Outlook, Schedule, place};
use lab3_units::Time;

use crate::data::{number, rows, same, text, time};

const HALF_HOUR_MS: i64 = 1_800_000;
const DAY_STEPS: i64 = 48;

/// The year's half-hours and their carbon intensity.
struct Year {
    horizon: Horizon,
    carbon: Vec<f64>,
}

impl Year {
    fn read(country: &str) -> Option<Self> {
        let text = text("waiting", &format!("lets-wait-awhile/{country}_ci.csv"))?;
        let (_, rows) = rows(&text);
        let start = time("2020-01-01 00:00:00");
        let rows = rows.iter().map(|row| (time(row[0]), number(row[1])));
        let carbon: Vec<f64> = rows.filter(|(at, _)| *at >= start && at.millis() % HALF_HOUR_MS == 0).map(|(_, value)| value).collect();
        Some(Self { horizon: Horizon { start, step_s: 1800, count: carbon.len() }, carbon })
    }

    fn at(&self, step: i64) -> Time {
        Time::from_millis(self.horizon.start.millis() + step * HALF_HOUR_MS)
    }

    /// A job by its window in steps; it may begin in the first, and the last is its last.
    fn job(&self, earliest: i64, deadline: i64, length: i64, manner: Manner, power_kw: f64) -> Job {
        let duration_s = u32::try_from(length * 1800).unwrap();
        Job { power_kw, duration_s, earliest: self.at(earliest), deadline: self.at(deadline), manner, carbon_weight: 1.0 }
    }

    fn place(&self, jobs: &[Job]) -> Schedule {
        place(jobs, &Outlook { horizon: self.horizon, carbon: &self.carbon, price: &[], cap_kw: None }, EFFORT)
    }
}

/// Carbon of all jobs in g, and of all run at once.
fn carbon(schedule: &Schedule) -> (f64, f64) {
    let places = schedule.places.iter().map(|place| place.as_ref().expect("without a cap every job has a place"));
    places.fold((0.0, 0.0), |(sum, at_once), place| (sum + place.sums.carbon_g, at_once + place.at_once.carbon_g))
}

/// 365 jobs of half an hour at 01:00, each of which may move by so many steps to either side; mean intensity, g a kWh. From three steps on the first has no
/// whole window and is left out. What is published divides by 365 all the same; the fair mean is of those that ran.
fn nightly(year: &Year, steps: i64) -> (f64, f64) {
    let at = (0..365).map(|day| day * DAY_STEPS + 2).filter(|at| *at >= steps);
    let jobs: Vec<Job> = at.map(|at| year.job(at - steps, at + steps + 1, 1, Manner::Whole, 2.0)).collect();
    let (sum, _) = carbon(&year.place(&jobs));
    (sum / 365.0, sum / f64::from(u32::try_from(jobs.len()).unwrap()))
}

#[test]
fn nightly_jobs_save_what_is_published() {
    let published = [("ger", 305.328, [1.69, 2.80, 3.97, 7.52, 13.76]), ("gb", 184.096, [4.73, 6.81, 8.61, 9.12, 10.41])];
    for (country, base, figures) in published {
        let Some(year) = Year::read(country) else { return };
        let (at_night, _) = nightly(&year, 0);
        same(&format!("{country} at 01:00"), at_night, base, 0.0005);
        for (hours, figure) in [1, 2, 4, 6, 8].into_iter().zip(figures) {
            let (quirk, fair) = nightly(&year, 2 * hours);
            let [quirk, fair] = [quirk, fair].map(|mean| 100.0 * (1.0 - mean / at_night));
            eprintln!("{country} +-{hours} h: {quirk:.4} % saved ({figure} is published), {fair:.4} % of the jobs that ran");
            same(&format!("{country} +-{hours} h"), quirk, figure, 0.005);
            if (country, hours) == ("ger", 8) {
                same("ger +-8 h, of the jobs that ran", fair, 13.52, 0.0055);
            }
        }
    }
}

/// When a job that would end at a step has to be done.
type Deadline = fn(i64) -> i64;

/// Hours since Monday 00:00. 1 January 2020 was a Wednesday.
fn hour_of_week(step: i64) -> (i64, f64) {
    let hours = step.rem_euclid(DAY_STEPS);
    ((step.div_euclid(DAY_STEPS) + 2).rem_euclid(7), f64::from(i32::try_from(hours).unwrap()) / 2.0)
}

/// The step of 09:00, so many days after the day of a step.
fn nine(step: i64, days: i64) -> i64 {
    (step.div_euclid(DAY_STEPS) + days) * DAY_STEPS + 18
}

/// When a job that would end at that step has to be done: by the next 09:00 of a workday, unless it ends within working hours.
fn next_workday(end: i64) -> i64 {
    match hour_of_week(end) {
        (5, _) => nine(end, 2),
        (6, _) => nine(end, 1),
        (_, hour) if hour > 17.0 => nine(end, 1),
        (_, hour) if hour < 9.0 => nine(end, 0),
        _ => end,
    }
}

/// By the next Monday or Thursday, 09:00.
fn semi_weekly(end: i64) -> i64 {
    let (day, hour) = hour_of_week(end);
    let thursday = (day == 0 && hour > 9.0) || day == 1 || day == 2 || (day == 3 && hour <= 9.0);
    nine(end, if thursday { (10 - day) % 7 } else { (7 - day) % 7 })
}

/// Carbon of the project, in t: as placed, and of the paper's baseline, in which each job has the one step of choice that all have.
fn project(year: &Year, jobs: &[(i64, i64)], deadline: Deadline, manner: Manner) -> (f64, f64) {
    let last = i64::try_from(year.horizon.count).unwrap();
    let windows = |deadline: Deadline, manner: Manner| -> Vec<Job> {
        let job = |(arrival, length): &(i64, i64)| year.job(*arrival, (deadline(arrival + length) + 1).min(last), *length, manner, 2.0366);
        jobs.iter().filter(|(arrival, length)| arrival + length <= last).map(job).collect()
    };
    let tonnes = |jobs: &[Job]| carbon(&year.place(jobs)).0 / 1e6;
    (tonnes(&windows(deadline, manner)), tonnes(&windows(|end| end, Manner::Whole)))
}

#[test]
fn a_project_of_3387_jobs_saves_what_is_published() {
    let Some(text) = text("waiting", "lets-wait-awhile/ml_jobs.csv") else { return };
    let (_, rows) = rows(&text);
    let jobs: Vec<(i64, i64)> = rows.iter().map(|row| (row[1].parse().unwrap(), row[2].parse().unwrap())).collect();
    assert_eq!((jobs.len(), jobs.iter().map(|(_, length)| length).sum::<i64>()), (3387, 311_252));
    let pieces = Manner::Pieces { run_min_s: 0, restart_kwh: 0.0 };
    for (country, base, saved) in [("ger", 100.83, [5.9262, 8.1557, 14.1302, 18.4978]), ("gb", 68.5205, [6.5708, 9.2294, 14.751, 20.0048])]
    {
        let Some(year) = Year::read(country) else { return };
        let deadlines: [(&str, Deadline); 2] = [("next workday", next_workday), ("twice a week", semi_weekly)];
        let cases = deadlines.into_iter().flat_map(|(name, deadline)| [(name, deadline, Manner::Whole), (name, deadline, pieces)]);
        for ((name, deadline, manner), saved) in cases.zip(saved) {
            let (placed, baseline) = project(&year, &jobs, deadline, manner);
            let found = 100.0 * (1.0 - placed / baseline);
            eprintln!("{country}, {name}, {manner:?}: {found:.4} % saved of {baseline:.4} t");
            same(&format!("{country} baseline"), baseline, base, 0.00005);
            same(&format!("{country}, {name}, {manner:?}"), found, saved, 0.005);
        }
    }
}
