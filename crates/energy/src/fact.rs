//! What happened at the energy desk, as facts: results, not rules. The journal stores them, replay folds them.
//!
//! The order of variants and fields is the journal's encoding: add variants at the end, never change one. Energies are mWh, carbon mg CO2e, powers W.

use lab3_ledger::AccountNo;
use lab3_units::{Amount, Id, Owner, Time};
use serde::{Deserialize, Serialize};

use crate::carbon::{Footprint, Tier, certificates};
use crate::exports::ExportShared;
use crate::profile::Run;

/// One thing that happened. The large ones are boxed: every record, of whatever module, has room for a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// A request drew energy: by what is known when it ends.
    Drawn(Box<Drawn>),
    /// An hour's meter was divided over who drew: what was booked before is made to fit it.
    HourClosed(Box<HourClosed>),
    /// Jobs were given their times, and the energy they take was set aside.
    Booked(Box<Booked>),
    /// A job has run.
    JobSettled(Box<JobSettled>),
    /// A job is not run.
    JobReleased {
        /// Which.
        job: Id,
        /// What it had set aside.
        released: Amount,
    },
    /// Jobs ended because nobody told in time that they have run.
    JobsExpired {
        /// Which.
        jobs: Vec<Id>,
        /// What they had set aside together.
        released: Amount,
    },
    /// What became of a certificate.
    Certified(certificates::Fact),
    /// What surplus earned was shared among members.
    ExportShared(Box<ExportShared>),
}

impl Fact {
    /// The word for it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Fact::Drawn(_) => "drawn",
            Fact::HourClosed(_) => "hour_closed",
            Fact::Booked(_) => "booked",
            Fact::JobSettled(_) => "job_settled",
            Fact::JobReleased { .. } => "job_released",
            Fact::JobsExpired { .. } => "jobs_expired",
            Fact::Certified(_) => "certified",
            Fact::ExportShared(_) => "export_shared",
        }
    }
}

/// A request drew energy. What was booked stands in the record's `Transferred`, where it is more than nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// The allocation it ran under, if it had one.
    pub allocation: Option<Id>,
    /// Who answered it.
    pub provider: Box<str>,
    /// Whether it ran behind the Hive's own meter; else in somebody's data centre.
    pub on_site: bool,
    /// Where its energy is counted.
    pub energy: AccountNo,
    /// Where its carbon is counted.
    pub carbon: AccountNo,
    /// What it is believed to have drawn at least, most likely, and at most.
    pub energy_mwh: [Amount; 3],
    /// The same, finer than it is booked: in uWh. By it an hour's meter is divided.
    pub weight_uwh: u64,
    /// On what ground.
    pub tier: Tier,
    /// What that emits. The average is what was booked.
    pub footprint: Footprint,
    /// Its part in making the machines it ran on, in mg, where that is known. Not booked: it was emitted when they were made.
    pub embodied_mg: Option<Amount>,
}

/// An hour's meter was divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourClosed {
    /// When the hour began.
    pub hour: Time,
    /// What the meter read.
    pub meter_mwh: Amount,
    /// What a meter before the machines alone read, where there is one.
    pub compute_mwh: Option<Amount>,
    /// What the machines are known to draw for nobody.
    pub idle_mwh: Amount,
    /// What the energy of the whole meter emits.
    pub footprint: Footprint,
    /// What each drew, by the account its energy is counted on, in the order of their numbers.
    pub shares: Vec<Share>,
    /// Machines that ran for nobody.
    pub idle: Part,
    /// Everything else behind the meter.
    pub house: Part,
}

/// What somebody drew in an hour, and what that emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Where the energy is counted.
    pub energy: AccountNo,
    /// Where the carbon is counted.
    pub carbon: AccountNo,
    /// How much it is.
    pub part: Part,
}

/// A part of an hour's meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its energy.
    pub energy_mwh: Amount,
    /// What that emits.
    pub footprint: Footprint,
}

/// Jobs were given their times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    /// Whose they are.
    pub citizen: Owner,
    /// Where their energy will be counted.
    pub account: AccountNo,
    /// The jobs. Each has a hold, of the record's id or an alias, in their order.
    pub jobs: Vec<BookedJob>,
    /// How far the plan may be from the best, in millionths of what it costs; `None` where some jobs have no place.
    pub gap_ppm: Option<u32>,
}

/// A job with its times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedJob {
    /// The hold on what it takes.
    pub id: Id,
    /// What the caller calls it.
    pub name: Box<str>,
    /// When it runs, in order, and what it draws.
    pub runs: Box<[Run]>,
    /// What it takes.
    pub energy_mwh: Amount,
    /// What that emits, by what was known.
    pub carbon_mg: Amount,
    /// What that costs, in KS, by what was known.
    pub cost: Amount,
    /// What is saved against running at once, in mg; below zero when more is emitted.
    pub carbon_saved_mg: Amount,
    /// What is saved against running at once, in KS; below zero when it costs more.
    pub cost_saved: Amount,
}

/// A job has run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSettled {
    /// Which.
    pub job: Id,
    /// Where its energy is counted.
    pub energy: AccountNo,
    /// Where its carbon is counted.
    pub carbon: AccountNo,
    /// What it took. What was booked stands in the record's `HoldSettled`: less, where hours that were divided have no more.
    pub energy_mwh: Amount,
    /// Whether a meter says so; else it is what was planned.
    pub metered: bool,
    /// What it emits.
    pub footprint: Footprint,
    /// What of it lies in which hour that is still to be divided. The rest is in hours that were: there it was the house's.
    pub hours: Vec<JobHour>,
    /// What was taken back from the house: energy, and carbon on the average.
    pub house: (Amount, Amount),
}

/// What a job took in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobHour {
    /// When the hour begins.
    pub hour: Time,
    /// The energy.
    pub energy_mwh: Amount,
    /// What it emits on the average.
    pub carbon_mg: Amount,
}
