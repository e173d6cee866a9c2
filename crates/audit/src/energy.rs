//! What records of energy say, against what their entries did, and against what may follow from the records before.
//!
//! The rules are those of `lab3_energy` where much depends on a long calculation: an hour is divided a second time, a job's energy laid over its hours again,
//! a certificate's fact asked for again. Everything else is looked at here.

use lab3_energy::carbon::certificates::Fact as Certified;
use lab3_energy::{Booked, CloseHour, Drawn, Fact as Energy, HourClosed, JobSettled, State, divide_hour, job_hours};
use lab3_engine::{Fact, Record, draw_id};
use lab3_ledger::{AccountNo, Event, Purpose};
use lab3_units::{Amount, Asset, Did, Id, Owner, Time};

use crate::books::Books;
use crate::verdict::{Class, Found};
use deeds::{Deeds, End};

mod deeds;
mod shares;

const HOUR_MS: i64 = 3_600_000;

/// Where the site's energy enters the books.
const SITE: &str = "hive:energy";

/// The last moment of the year 9999: what lies past it, or before 1970, is no time of a Hive.
const TIME_MAX: i64 = 253_402_300_799_999;

/// The longest a job may run, from its first moment to its last: a hundred years. It is laid over its hours, one by one.
const RUN_MS_MAX: i64 = 100 * 8_766 * HOUR_MS;

/// What the records so far leave to be known of energy.
#[derive(Debug, Default)]
pub(crate) struct Site {
    state: State,
}

fn bad<T>(what: impl Into<String>) -> Result<T, Found> {
    Err((Class::Facts, what.into()))
}

impl Site {
    /// Checks what a record of energy says against its entries, the books after it, and the records before.
    pub fn check(&self, books: &Books, record: &Record) -> Result<(), Found> {
        let Fact::Energy(fact) = &record.fact else { return Ok(()) };
        if !is_time(record.at) {
            return bad("energy is booked at a time that cannot be");
        }
        let said = match fact {
            Energy::Drawn(drawn) => drew(books, record, drawn)?,
            Energy::HourClosed(closed) => self.closes(books, record.at, closed)?,
            Energy::Booked(booked) => books_jobs(books, record, booked)?,
            Energy::JobSettled(settled) => self.settles(books, record.at, settled)?,
            Energy::JobReleased { job, released } => ends(&[*job], End::Released, *released),
            Energy::JobsExpired { jobs, released } => ends(jobs, End::Expired, *released),
            Energy::Certified(fact) => return self.certifies(record.at, fact),
            Energy::ExportShared(shared) => return shares::check(&self.state, books, record, shared),
        };
        let done = Deeds::done(books, &record.entries);
        if let Some(other) = done.from.iter().find(|owner| **owner != said.source) {
            return bad(format!("energy comes from {other} that is {}'s", said.source));
        }
        said.deeds.is(&done)
    }

    /// Folds a record in.
    pub fn apply(&mut self, record: &Record) {
        if let Fact::Energy(fact) = &record.fact
            && is_time(record.at)
            && !matches!(fact, Energy::HourClosed(closed) if closed.hour > record.at)
        {
            self.state.apply(record.at, fact);
        }
    }

    /// Whose jobs, certificate or money a fact is about, where they are somebody's.
    pub fn owner<'a>(&'a self, books: &'a Books, fact: &'a Energy) -> Option<&'a Owner> {
        let of_job = |job: &Id| Some(&books.account(self.state.job(*job)?.account)?.owner);
        match fact {
            Energy::Booked(booked) => Some(&booked.citizen),
            Energy::JobSettled(settled) => of_job(&settled.job),
            Energy::JobReleased { job, .. } => of_job(job),
            Energy::Certified(Certified::Split { id, .. } | Certified::Handed { id, .. } | Certified::Claimed { id, .. }) => {
                Some(&self.state.register().get(*id)?.owner)
            }
            Energy::ExportShared(shared) => Some(&books.account(shared.payer)?.owner),
            Energy::Certified(Certified::Issued { .. }) | Energy::Drawn(_) | Energy::HourClosed(_) | Energy::JobsExpired { .. } => None,
        }
    }

    fn closes(&self, books: &Books, at: Time, closed: &HourClosed) -> Result<Said, Found> {
        let &HourClosed { hour, meter_mwh, compute_mwh, idle_mwh, footprint, .. } = closed;
        let (again, booked) = divide_hour(&self.state, at, &CloseHour { hour, meter_mwh, compute_mwh, idle_mwh, footprint })
            .map_err(|problem| (Class::Facts, problem.detail.into_owned()))?;
        if again != *closed {
            return bad("the hour's meter is divided otherwise than by what was drawn");
        }
        let mut deeds = Deeds::default();
        for (share, (energy, carbon)) in closed.shares.iter().zip(booked) {
            deeds.gets(share.energy, units(share.part.energy_mwh) - units(energy));
            deeds.gets(share.carbon, units(share.part.footprint.average_mg) - units(carbon));
        }
        for (part, office) in [(closed.idle, "idle"), (closed.house, "house")] {
            for (asset, amount) in [(Asset::ENERGY, part.energy_mwh), (Asset::CARBON, part.footprint.average_mg)] {
                let Some(no) = usage(books, office, asset) else { return bad(format!("hive:{office} has no account")) };
                deeds.gets(no, units(amount));
            }
        }
        Ok(Said { source: SITE.to_owned(), deeds })
    }

    fn settles(&self, books: &Books, at: Time, settled: &JobSettled) -> Result<Said, Found> {
        let Some(job) = self.state.job(settled.job) else { return bad("a job has run that is not booked") };
        if owner_of(books, settled.energy, settled.carbon)?.is_none() || settled.energy != job.account {
            return bad("a job's energy is another's than who booked it");
        }
        if job.runs.first().is_none_or(|first| first.start > at) {
            return bad("a job has run that has not begun");
        }
        if !settled.metered && settled.energy_mwh != job.energy_mwh {
            return bad("a job that nobody metered took another energy than was planned");
        }
        if length(job.runs.iter().map(|run| (run.start, run.end))).is_none() {
            return bad("a job ran for longer than can be");
        }
        let hours = job_hours(&self.state, job, settled.energy_mwh, settled.footprint.average_mg);
        let (hours, past) = hours.map_err(|error| (Class::Facts, format!("a job's energy cannot be: {error}")))?;
        if hours != settled.hours {
            return bad("a job's energy lies in other hours than it ran in, or in hours that were divided");
        }
        let mut deeds = Deeds { ended: vec![(End::Settled, settled.job)], ..Deeds::default() };
        for part in &hours {
            deeds.gets(settled.energy, units(part.energy_mwh));
            deeds.gets(settled.carbon, units(part.carbon_mg));
        }
        let places = [(Asset::ENERGY, settled.energy), (Asset::CARBON, settled.carbon)];
        for ((asset, to), (back, past)) in places.into_iter().zip([(settled.house.0, past.0), (settled.house.1, past.1)]) {
            let house = usage(books, "house", asset);
            let left = house.map_or(0, |no| books.balance(no));
            // As much as it took in hours that were divided, or all the house had.
            if back < Amount::ZERO || back > past || back < past && left != 0 {
                return bad("a job took other energy of the house than it ran on in hours that were divided");
            }
            deeds.gets(to, units(back));
            if let Some(no) = house {
                deeds.gets(no, -units(back));
            }
        }
        Ok(Said { source: SITE.to_owned(), deeds })
    }

    fn certifies(&self, at: Time, fact: &Certified) -> Result<(), Found> {
        match self.state.register().again(fact, at) {
            Ok(again) if again != *fact => bad("the certificate is not what comes of asking for it"),
            Err(refusal) => bad(format!("the certificate cannot be used so: {refusal}")),
            Ok(Certified::Issued { certificate, .. }) if certificate.hour.millis().saturating_add(HOUR_MS) > at.millis() => {
                bad("an hour is certified that has not ended")
            }
            Ok(_) => Ok(()),
        }
    }
}

/// What a fact says its entries do, and whose energy it is.
struct Said {
    source: String,
    deeds: Deeds,
}

fn drew(books: &Books, record: &Record, drawn: &Drawn) -> Result<Said, Found> {
    let [low, mid, high] = drawn.energy_mwh;
    if low < Amount::ZERO || low > mid || mid > high {
        return bad("a request drew between bounds that are not in order");
    }
    // Both are the same figure, each rounded once.
    if (i128::from(drawn.weight_uwh) - 1000 * units(mid)).abs() > 1000 {
        return bad("a request's weight in its hour is not its energy");
    }
    if drawn.allocation.is_some_and(|allocation| record.id != draw_id(allocation)) {
        return bad("a request's energy is not under the id that its allocation gives it");
    }
    if owner_of(books, drawn.energy, drawn.carbon)?.is_none() {
        return bad("a request is nobody's");
    }
    let source = if drawn.on_site { SITE.to_owned() } else { format!("hive:provider/{}", drawn.provider) };
    let mut deeds = Deeds::default();
    deeds.gets(drawn.energy, units(mid));
    deeds.gets(drawn.carbon, units(drawn.footprint.average_mg));
    Ok(Said { source, deeds })
}

fn books_jobs(books: &Books, record: &Record, booked: &Booked) -> Result<Said, Found> {
    let account = books.account(booked.account).filter(|account| (account.asset, account.purpose) == (Asset::ENERGY, Purpose::Usage));
    if account.is_none_or(|account| account.owner != booked.citizen || Did::parse(account.owner.as_str()).is_err()) {
        return bad("jobs are booked on an account that is not their owner's");
    }
    if !booked.jobs.is_empty() && !record.ids().eq(booked.jobs.iter().map(|job| job.id)) {
        return bad("its jobs do not go by its ids");
    }
    for job in &booked.jobs {
        let begins = job.runs.first().is_some_and(|first| first.start.millis() >= record.at.millis() / HOUR_MS * HOUR_MS);
        let Some(end) = length(job.runs.iter().map(|run| (run.start, run.end))).filter(|_| begins && job.energy_mwh.is_positive()) else {
            return bad(format!("{} takes nothing, began earlier, or runs in no order", job.name));
        };
        if record.entries.iter().any(|event| matches!(event, Event::HoldPlaced { id, deadline, .. } if *id == job.id && *deadline < end)) {
            return bad(format!("the hold of {} may end before the job does", job.name));
        }
    }
    let placed = booked.jobs.iter().map(|job| (job.id, job.energy_mwh)).collect();
    Ok(Said { source: SITE.to_owned(), deeds: Deeds { placed, ..Deeds::default() } })
}

/// The holds of jobs end: each was placed as a job's, for no other stands where energy comes from.
fn ends(jobs: &[Id], end: End, freed: Amount) -> Said {
    let ended = jobs.iter().map(|job| (end, *job)).collect();
    Said { source: SITE.to_owned(), deeds: Deeds { ended, freed: units(freed), ..Deeds::default() } }
}

/// When the last of these runs ends, if each begins after the one before it, and ends after it begins.
fn length(mut runs: impl Iterator<Item = (Time, Time)>) -> Option<Time> {
    let (start, end) = runs.next().filter(|(start, end)| start < end)?;
    let end = runs.try_fold(end, |before, (start, end)| (before <= start && start < end).then_some(end))?;
    (is_time(start) && is_time(end) && end.millis() - start.millis() <= RUN_MS_MAX).then_some(end)
}

/// The member whose energy and carbon these accounts count; none when they are the Hive's own.
fn owner_of(books: &Books, energy: AccountNo, carbon: AccountNo) -> Result<Option<Did>, Found> {
    let of = |no, asset| books.account(no).filter(|account| (account.asset, account.purpose) == (asset, Purpose::Usage));
    match (of(energy, Asset::ENERGY), of(carbon, Asset::CARBON)) {
        (Some(energy), Some(carbon)) if energy.owner == carbon.owner => Ok(Did::parse(energy.owner.as_str()).ok()),
        _ => bad("energy and its carbon are counted on accounts that are not one owner's"),
    }
}

/// The account on which an office of the Hive counts what it used.
fn usage(books: &Books, office: &str, asset: Asset) -> Option<AccountNo> {
    books.find(&Owner::hive(office), asset, Purpose::Usage)
}

fn is_time(at: Time) -> bool {
    (0..=TIME_MAX).contains(&at.millis())
}

fn units(amount: Amount) -> i128 {
    i128::from(amount.units())
}
