//! Jobs as holds: their times are promised under the site's cap, the energy they take is set aside, and settled when they have run.

use lab3_ledger::{Draft, Event, Hold, PlaceHold};
use lab3_units::{Amount, Asset, Code, Did, Id, Owner, Problem, Time};

use crate::accounts::{self, Pair};
use crate::carbon::{CarbonError, Footprint, split};
use crate::draw::{book, refused, uncountable};
use crate::fact::{Booked, BookedJob, JobHour, JobSettled};
use crate::profile::Run;
use crate::state::{HOUR_MS, Job, State, hour_of};
use crate::{Desk, Fact};

/// Jobs that were given times, by a plan made outside of the writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// Whose they are.
    pub citizen: Did,
    /// The jobs; the first has the record's id, the others ids of their own.
    pub jobs: Vec<BookedJob>,
    /// How far the plan may be from the best, in millionths.
    pub gap_ppm: Option<u32>,
}

/// A job that has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleJob {
    /// Which.
    pub job: Id,
    /// What a meter says it took, in mWh; without one it took what was planned.
    pub metered_mwh: Option<Amount>,
    /// What a kWh of it emitted, in ug, on the average, at the margin and by contracts.
    pub intensities: [crate::carbon::Intensity; 3],
}

/// Promises jobs their times, and sets aside what they take. All of them or none.
///
/// Errors: `POWER_PROMISED` where less power is left than one needs, `STANDING` when one would have begun already, `FIELD_RANGE` for a job that takes
/// nothing or whose runs overlap, `ALLOCATIONS_OPEN` when too many jobs are booked.
pub fn book_jobs(desk: &Desk<'_>, command: &Book) -> Result<(Fact, Vec<Event>), Problem> {
    let mut draft = Draft::new(desk.ledger);
    let site = accounts::site(&mut draft);
    let account = accounts::citizen(&mut draft, &command.citizen).energy;
    let mut promised = desk.state.promised.clone();
    for (at, job) in command.jobs.iter().enumerate() {
        let blame = |problem: Problem| problem.in_field(format!("jobs[{at}]"));
        let end = check_runs(desk, job).map_err(blame)?;
        for run in &job.runs {
            promised.add(run);
            check_cap(desk, &promised, job, run).map_err(blame)?;
        }
        let (deadline, open_max) = (end.after(desk.policy.grace), desk.policy.jobs_open_max);
        let place = PlaceHold { id: job.id, account: site.energy, amount: job.energy_mwh, deadline, code: 0, open_max };
        draft.hold(&place).map_err(|refusal| blame(no_room(&refusal)))?;
    }
    let Book { citizen, jobs, gap_ppm } = command.clone();
    let citizen = Owner::from(&citizen);
    Ok((Fact::Booked(Box::new(Booked { citizen, account, jobs, gap_ppm })), draft.into_events()))
}

/// When the last run ends, if the runs follow each other and are still to come.
fn check_runs(desk: &Desk<'_>, job: &BookedJob) -> Result<Time, Problem> {
    let range = |detail: &str| Problem::new(Code::FIELD_RANGE, format!("{} {detail}", job.name));
    let first = job.runs.first().ok_or_else(|| range("has no time to run in."))?;
    if first.start < hour_of(desk.now) {
        let detail = format!("{} would have begun at {}. Ask for a plan from now on.", job.name, first.start);
        return Err(Problem::new(Code::STANDING, detail));
    }
    let mut end = first.start;
    for run in &job.runs {
        if run.start < end || run.end <= run.start {
            return Err(range("has runs that overlap, or end before they begin."));
        }
        end = run.end;
    }
    if job.energy_mwh.is_positive() { Ok(end) } else { Err(range("takes no energy.")) }
}

fn check_cap(desk: &Desk<'_>, promised: &crate::profile::Profile, job: &BookedJob, run: &Run) -> Result<(), Problem> {
    let Some(cap) = desk.policy.jobs_w_max else { return Ok(()) };
    let most = promised.most(run.start, run.end);
    if most <= cap {
        return Ok(());
    }
    let left = cap.saturating_sub(most - run.power_w);
    let detail = format!(
        "Of the {cap} W that jobs may draw, {left} W are left between {} and {}, and {} needs {} W. Others were faster; ask again.",
        run.start, run.end, job.name, run.power_w
    );
    Err(Problem::new(Code::POWER_PROMISED, detail))
}

fn no_room(refusal: &lab3_ledger::Refusal) -> Problem {
    match refusal {
        lab3_ledger::Refusal::HoldsMax { open_max } => {
            let detail = format!("{open_max} jobs are booked, and no more may be. Settle or release some.");
            Problem::new(Code::ALLOCATIONS_OPEN, detail)
        }
        other => refused(other),
    }
}

/// The hold of a job that is booked.
fn hold<'a>(desk: &Desk<'a>, id: Id) -> Result<(&'a Hold, &'a Job), Problem> {
    let found = desk.ledger.hold(id).zip(desk.state.jobs.get(&id));
    found.ok_or_else(|| Problem::new(Code::BOOKING_UNKNOWN, "No such job is booked: it never was, or has been settled, released or ended."))
}

/// Whether a hold is a job's.
pub fn is_job(ledger: &lab3_ledger::Ledger, hold: &Hold) -> bool {
    ledger.account(hold.account).is_some_and(|account| account.asset() == Asset::ENERGY)
}

/// Settles a job: what it took is its owner's. Of hours that were divided already it comes out of the house's part, where it was.
///
/// Errors: `BOOKING_UNKNOWN`; `STANDING` for a job that has not begun.
pub fn settle_job(desk: &Desk<'_>, command: &SettleJob) -> Result<(Fact, Vec<Event>), Problem> {
    let (hold, job) = hold(desk, command.job)?;
    if let Some(first) = job.runs.first().filter(|first| first.start > desk.now) {
        let detail = format!("{} begins at {}. Release it if it shall not run.", job.name, first.start);
        return Err(Problem::new(Code::STANDING, detail).in_field("job_id"));
    }
    let energy_mwh = command.metered_mwh.unwrap_or(job.energy_mwh);
    if energy_mwh < Amount::ZERO {
        return Err(Problem::new(Code::FIELD_RANGE, "What a job took is not below nothing.").in_field("energy_kwh"));
    }
    let [average, marginal, market] = command.intensities.map(|intensity| intensity.carbon_mg(energy_mwh));
    let whole = (|| Ok(Footprint { average_mg: average?, marginal_mg: marginal?, market_mg: market? }))();
    let footprint: Footprint = whole.map_err(uncountable)?;
    let (hours, past) = job_hours(desk.state, job, energy_mwh, footprint.average_mg).map_err(uncountable)?;

    let mut draft = Draft::new(desk.ledger);
    let (site, house) = (accounts::site(&mut draft), accounts::house(&mut draft));
    let owner = Did::parse(desk.ledger.owner_name(job.account));
    let owner = owner.map_err(|_| Problem::new(Code::INTERNAL, "The job's owner is nobody. Please report this."))?;
    let to = accounts::citizen(&mut draft, &owner);
    // An hour that was divided has no more than its meter: what the job took then is in the house's part, and no more than that can be its.
    let (energy, carbon) = past;
    let back = (energy.min(draft.balance(house.energy)), carbon.min(draft.balance(house.carbon)));
    let (energy, carbon) = total(&hours);
    let taken = sum(energy, back.0);
    draft.settle(hold.id, to.energy, taken).map_err(|refusal| refused(&refusal))?;
    book(&mut draft, site, to, Amount::ZERO, sum(carbon, back.1))?;
    book(&mut draft, site, house, minus(back.0), minus(back.1))?;
    let (metered, Pair { energy, carbon }) = (command.metered_mwh.is_some(), to);
    let settled = JobSettled { job: hold.id, energy, carbon, energy_mwh, metered, footprint, hours, house: back };
    Ok((Fact::JobSettled(Box::new(settled)), draft.into_events()))
}

/// The energy and the carbon of parts together.
fn total(parts: &[JobHour]) -> (Amount, Amount) {
    parts.iter().fold((Amount::ZERO, Amount::ZERO), |(energy, carbon), part| (sum(energy, part.energy_mwh), sum(carbon, part.carbon_mg)))
}

/// A sum of parts of what was counted whole, so that it fits.
fn sum(one: Amount, other: Amount) -> Amount {
    one.checked_add(other).unwrap_or(Amount::MAX)
}

fn minus(amount: Amount) -> Amount {
    amount.checked_neg().unwrap_or(Amount::ZERO)
}

/// Whether an hour is still to be divided.
fn is_open(state: &State, hour: Time) -> bool {
    state.closed.is_none_or(|last| hour > last)
}

/// What a job takes in each hour that is still to be divided, and in those together that were: energy in mWh, carbon in mg.
///
/// Errors: [`CarbonError::Negative`] for less than nothing, [`CarbonError::NoWeight`] for something of a job that does not run.
pub fn job_hours(state: &State, job: &Job, energy_mwh: Amount, carbon_mg: Amount) -> Result<(Vec<JobHour>, (Amount, Amount)), CarbonError> {
    let parts = by_hours(job, energy_mwh, carbon_mg)?;
    let (hours, past): (Vec<JobHour>, Vec<JobHour>) = parts.into_iter().partition(|part| is_open(state, part.hour));
    Ok((hours, total(&past)))
}

/// What a job takes, by the hours it runs in: in proportion to what it draws in each.
fn by_hours(job: &Job, energy_mwh: Amount, carbon_mg: Amount) -> Result<Vec<JobHour>, CarbonError> {
    let mut weights: Vec<(Time, u64)> = Vec::new();
    for run in &job.runs {
        let mut at = run.start;
        while at < run.end {
            let hour = hour_of(at);
            let end = Time::from_millis(hour.millis() + HOUR_MS).min(run.end);
            let weight = end.millis_since(at).saturating_mul(run.power_w.max(1));
            match weights.last_mut() {
                Some((last, sum)) if *last == hour => *sum = sum.saturating_add(weight),
                _ => weights.push((hour, weight)),
            }
            at = end;
        }
    }
    let numbers: Vec<u64> = weights.iter().map(|(_, weight)| *weight).collect();
    let parts = split(energy_mwh, &numbers)?.into_iter().zip(split(carbon_mg, &numbers)?);
    Ok(weights.iter().zip(parts).map(|(&(hour, _), (energy_mwh, carbon_mg))| JobHour { hour, energy_mwh, carbon_mg }).collect())
}

/// Gives a job's time and energy back.
///
/// Errors: `BOOKING_UNKNOWN`.
pub fn release_job(desk: &Desk<'_>, job: Id) -> Result<(Fact, Vec<Event>), Problem> {
    hold(desk, job)?;
    let mut draft = Draft::new(desk.ledger);
    let released = draft.release(job).map_err(|refusal| refused(&refusal))?;
    Ok((Fact::JobReleased { job, released }, draft.into_events()))
}

/// Ends jobs because their time is over and nobody told that they have run: nothing is counted of them, and what they drew is the house's. One that is not
/// booked is passed over.
pub fn expire_jobs(desk: &Desk<'_>, holds: &[Id]) -> (Fact, Vec<Event>) {
    let mut draft = Draft::new(desk.ledger);
    let (mut jobs, mut released) = (Vec::new(), Amount::ZERO);
    for &id in holds {
        if let Ok(freed) = draft.expire(id) {
            jobs.push(id);
            released = released.checked_add(freed).unwrap_or(Amount::MAX);
        }
    }
    (Fact::JobsExpired { jobs, released }, draft.into_events())
}
