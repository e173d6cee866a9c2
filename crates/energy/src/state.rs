//! What the energy desk knows beside the books: power promised, jobs booked, what was drawn in hours that are to be divided, certificates.

use std::collections::BTreeMap;

use lab3_ledger::AccountNo;
use lab3_units::{Amount, Id, Time};
use serde::{Deserialize, Serialize};

use crate::carbon::Tier;
use crate::carbon::certificates::Register;
use crate::exports::Exports;
use crate::fact::{Booked, Drawn, Fact, HourClosed, JobSettled};
use crate::profile::{Profile, Run};

/// Milliseconds in an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Hours that wait for their meter; older ones stay as they were booked.
const HOURS_MAX: i64 = 7 * 24;

/// Jobs that were settled are remembered for so long after their end, to tell the day they ran in, and no more of them than this.
const RAN_MS: i64 = 3 * 24 * HOUR_MS;
const RAN_MAX: usize = 10_000;

/// Certificates that may be known, those that were split or claimed included.
const CERTIFICATES_MAX: usize = 100_000;

/// What the module knows beside the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Power promised to jobs.
    pub(crate) promised: Profile,
    /// Jobs that are booked, by their holds.
    pub(crate) jobs: BTreeMap<Id, Job>,
    /// Jobs that were settled lately, by when they were to end.
    pub(crate) ran: BTreeMap<(Time, Id), Job>,
    /// What was drawn behind the Hive's meter, by hours not divided yet and by the account the energy is counted on.
    pub(crate) hours: BTreeMap<Time, BTreeMap<AccountNo, Tally>>,
    /// When the last hour that was divided began.
    pub(crate) closed: Option<Time>,
    /// Certificates.
    pub(crate) register: Register,
    /// What of exports was shared.
    pub(crate) exports: Exports,
}

/// A job that is booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// What the caller calls it.
    pub name: Box<str>,
    /// Where its energy will be counted.
    pub account: AccountNo,
    /// When it runs.
    pub runs: Box<[Run]>,
    /// What it takes, in mWh.
    pub energy_mwh: Amount,
    /// Carbon saved against running at once, in mg, as it was told.
    pub carbon_saved_mg: Amount,
    /// Money saved against running at once, in KS, as it was told.
    pub cost_saved: Amount,
}

/// What somebody drew in an hour, as it was booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Where the carbon is counted.
    pub(crate) carbon: AccountNo,
    /// What meters say of it, in uWh.
    pub(crate) metered_uwh: u64,
    /// What is believed of the rest, in uWh.
    pub(crate) estimated_uwh: u64,
    /// What was booked, in mWh.
    pub(crate) booked_mwh: Amount,
    /// What was booked, in mg.
    pub(crate) booked_mg: Amount,
}

impl Tally {
    fn new(carbon: AccountNo) -> Self {
        Self { carbon, metered_uwh: 0, estimated_uwh: 0, booked_mwh: Amount::ZERO, booked_mg: Amount::ZERO }
    }
}

impl Default for State {
    fn default() -> Self {
        let register = Register::new(CERTIFICATES_MAX);
        let exports = Exports::default();
        Self {
            promised: Profile::default(),
            jobs: BTreeMap::new(),
            ran: BTreeMap::new(),
            hours: BTreeMap::new(),
            closed: None,
            register,
            exports,
        }
    }
}

/// The hour a moment is in.
pub(crate) fn hour_of(at: Time) -> Time {
    Time::from_millis(at.millis() - at.millis().rem_euclid(HOUR_MS))
}

impl State {
    /// Power promised to jobs over time.
    pub fn promised(&self) -> &Profile {
        &self.promised
    }

    /// The job of that hold, while it is booked.
    pub fn job(&self, id: Id) -> Option<&Job> {
        self.jobs.get(&id)
    }

    /// Every job that is booked.
    pub fn jobs(&self) -> impl Iterator<Item = (Id, &Job)> {
        self.jobs.iter().map(|(&id, job)| (id, job))
    }

    /// Jobs that were settled in the last days.
    pub fn jobs_that_ran(&self) -> impl Iterator<Item = &Job> {
        self.ran.values()
    }

    /// Certificates.
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// What of exports was shared.
    pub fn exports(&self) -> &Exports {
        &self.exports
    }

    /// Hours in which something was drawn behind the Hive's meter and that were not divided yet.
    pub fn hours_open(&self) -> impl Iterator<Item = Time> {
        self.hours.keys().copied()
    }

    /// Folds a fact of the record taken `at` into the state. Cannot fail.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        match fact {
            Fact::Drawn(drawn) => self.drawn(at, drawn),
            Fact::HourClosed(closed) => self.hour_closed(closed),
            Fact::Booked(booked) => self.booked(at, booked),
            Fact::JobSettled(settled) => self.job_settled(at, settled),
            Fact::JobReleased { job, .. } => drop(self.forget(*job)),
            Fact::JobsExpired { jobs, .. } => jobs.iter().for_each(|job| drop(self.forget(*job))),
            Fact::Certified(fact) => self.register.apply(fact),
            Fact::ExportShared(shared) => self.exports.apply(at, shared),
        }
    }

    fn drawn(&mut self, at: Time, drawn: &Drawn) {
        if !drawn.on_site {
            return;
        }
        let hour = hour_of(at);
        let oldest = Time::from_millis(hour.millis() - HOURS_MAX * HOUR_MS);
        self.hours = self.hours.split_off(&oldest);
        let metered = drawn.tier == Tier::Metered;
        let [_, mid, _] = drawn.energy_mwh;
        self.count(hour, drawn.energy, drawn.carbon, (drawn.weight_uwh, metered), (mid, drawn.footprint.average_mg));
    }

    fn count(&mut self, hour: Time, energy: AccountNo, carbon: AccountNo, (weight, metered): (u64, bool), booked: (Amount, Amount)) {
        let tally = self.hours.entry(hour).or_default().entry(energy).or_insert_with(|| Tally::new(carbon));
        let sum = if metered { &mut tally.metered_uwh } else { &mut tally.estimated_uwh };
        *sum = sum.saturating_add(weight);
        tally.booked_mwh = tally.booked_mwh.checked_add(booked.0).unwrap_or(Amount::MAX);
        tally.booked_mg = tally.booked_mg.checked_add(booked.1).unwrap_or(Amount::MAX);
    }

    fn hour_closed(&mut self, closed: &HourClosed) {
        self.closed = Some(closed.hour);
        let after = Time::from_millis(closed.hour.millis() + 1);
        self.hours = self.hours.split_off(&after);
    }

    fn booked(&mut self, at: Time, booked: &Booked) {
        self.promised.forget(at);
        for job in &booked.jobs {
            job.runs.iter().for_each(|run| self.promised.add(run));
            let kept = Job {
                name: job.name.clone(),
                account: booked.account,
                runs: job.runs.clone(),
                energy_mwh: job.energy_mwh,
                carbon_saved_mg: job.carbon_saved_mg,
                cost_saved: job.cost_saved,
            };
            self.jobs.insert(job.id, kept);
        }
    }

    fn job_settled(&mut self, at: Time, settled: &JobSettled) {
        if let Some(job) = self.forget(settled.job) {
            let end = job.runs.last().map_or(at, |run| run.end);
            self.ran.insert((end, settled.job), job);
        }
        let oldest = Time::from_millis(at.millis().saturating_sub(RAN_MS));
        while self.ran.first_key_value().is_some_and(|((end, _), _)| *end < oldest || self.ran.len() > RAN_MAX) {
            self.ran.pop_first();
        }
        for part in &settled.hours {
            let weight = u64::try_from(part.energy_mwh.units()).unwrap_or(0).saturating_mul(1000);
            self.count(part.hour, settled.energy, settled.carbon, (weight, settled.metered), (part.energy_mwh, part.carbon_mg));
        }
    }

    fn forget(&mut self, job: Id) -> Option<Job> {
        let job = self.jobs.remove(&job)?;
        job.runs.iter().for_each(|run| self.promised.remove(run));
        Some(job)
    }
}
