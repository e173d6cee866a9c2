//! What the module knows beside the books: providers' health, which months were opened, this month's counts.

use lab3_ledger::{AccountNo, Chunks};
use lab3_units::{Amount, Time};
use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;
use crate::quota::plus;
use crate::tag::PROVIDER_MAX;
use crate::{Allocated, Counted, Fact, Health, Opening, Reported, Settled};

/// What the module knows beside the books. Cheap to clone: what is there for every citizen is shared until it changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By number: the order in which providers first appeared, whatever the configuration became since.
    providers: Vec<Track>,
    /// By account: the month last opened. Accounts that are no allowance have a zero.
    months: Chunks<Month>,
    /// The allowances months were granted, in the order they first appeared: as a rule one.
    allowances: Vec<Amount>,
    /// When the month that the counts below belong to ends.
    month_ends: Time,
    active: u64,
    allocations: u64,
    open: u64,
}

/// An account's month. Four bytes: there are as many as there are citizens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Month {
    /// The month's number; 0 is never.
    period: u16,
    /// Which of the allowances it was granted.
    allowance: u16,
}

/// What is known of a provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Track {
    pub(crate) name: Box<str>,
    pub(crate) health: Health,
    /// When that was its health.
    pub(crate) since: Time,
    pub(crate) histogram: Histogram,
    /// How long its answers to metered queries were, in tokens.
    pub(crate) outputs: Histogram,
    /// Successful queries reported this month.
    pub(crate) queries: u64,
    /// What they cost.
    pub(crate) cost: Amount,
}

impl State {
    /// Folds a fact of the record taken `at` into the state. Cannot fail.
    pub fn apply(&mut self, at: Time, fact: &Fact) {
        if at >= self.month_ends {
            self.turn_month(at);
        }
        match fact {
            Fact::Allocated(allocated) => self.allocated(allocated),
            Fact::Reported(reported) => self.reported(at, reported),
            Fact::Attempted(attempted) => self.allocated(&attempted.allocated),
            Fact::Deferred(deferred) => self.allocated(&deferred.allocated),
            Fact::Extended(_) => {}
            Fact::Settled(settled) => self.settled(at, settled),
            Fact::Released(_) => self.open = self.open.saturating_sub(1),
            Fact::Expired(expired) => self.open = self.open.saturating_sub(u64::from(expired.allocations)),
        }
    }

    /// The name of the provider of that number.
    pub fn provider_name(&self, number: u16) -> Option<&str> {
        self.providers.get(usize::from(number)).map(|track| &*track.name)
    }

    /// The number of the provider of that name, or the one it would get.
    pub(crate) fn number(&self, name: &str) -> u16 {
        let place = self.providers.iter().position(|track| *track.name == *name).unwrap_or(self.providers.len());
        u16::try_from(place).unwrap_or(PROVIDER_MAX)
    }

    /// What is known of the provider of that name.
    pub(crate) fn track(&self, name: &str) -> Option<&Track> {
        self.providers.iter().find(|track| *track.name == *name)
    }

    /// Every provider that ever appeared.
    pub(crate) fn tracks(&self) -> &[Track] {
        &self.providers
    }

    /// The number of the month last opened on the account, and what it was granted.
    pub(crate) fn granted(&self, account: AccountNo) -> Option<(u16, Amount)> {
        let month = self.months.get(usize::try_from(account.0).ok()?).filter(|month| month.period > 0)?;
        Some((month.period, self.allowances.get(usize::from(month.allowance)).copied().unwrap_or(Amount::ZERO)))
    }

    /// Whether the month's counts are of the month `now` lies in.
    pub(crate) fn counts_month_of(&self, now: Time) -> bool {
        now < self.month_ends
    }

    /// Citizens who used compute in the month counted.
    pub(crate) fn active(&self) -> u64 {
        self.active
    }

    /// Allocations ever made.
    pub(crate) fn allocations(&self) -> u64 {
        self.allocations
    }

    /// Allocations open now.
    pub(crate) fn open(&self) -> u64 {
        self.open
    }

    fn turn_month(&mut self, at: Time) {
        self.month_ends = at.period().next().start();
        self.active = 0;
        for track in &mut self.providers {
            (track.queries, track.cost) = (0, Amount::ZERO);
        }
    }

    fn allocated(&mut self, allocated: &Allocated) {
        self.allocations += 1;
        self.open += 1;
        self.opened(allocated.opening);
        let track = self.intern(&allocated.provider);
        if let Some(circuit) = allocated.circuit {
            track.health.circuit = circuit;
        }
    }

    fn reported(&mut self, at: Time, reported: &Reported) {
        self.opened(reported.opening);
        if reported.allocation.is_some() && !reported.late {
            self.open = self.open.saturating_sub(1);
        }
        let track = self.intern(&reported.provider);
        (track.health, track.since) = (reported.health, at);
        if let (Some(sample), Some(ms)) = (reported.sample, reported.latency_ms) {
            track.histogram.add(at, sample, ms);
        }
        if reported.success {
            track.queries += 1;
            track.cost = plus(track.cost, plus(reported.charged, reported.hive_paid));
        }
    }

    fn settled(&mut self, at: Time, settled: &Settled) {
        if settled.counted == Counted::Lease {
            // Nobody knows what happened: it says nothing about the provider.
            self.open = self.open.saturating_sub(1);
            return;
        }
        if settled.counted == Counted::Cache {
            self.opened(settled.reported.opening);
            self.open = self.open.saturating_sub(1);
            let track = self.intern(&settled.reported.provider);
            track.cost = plus(track.cost, plus(settled.reported.charged, settled.reported.hive_paid));
            return;
        }
        self.reported(at, &settled.reported);
        if let Some(sample) = settled.output_sample {
            let tokens = u32::try_from(settled.usage.output).unwrap_or(u32::MAX);
            self.intern(&settled.reported.provider).outputs.add(at, sample, tokens);
        }
    }

    fn opened(&mut self, opening: Option<Opening>) {
        let Some(Opening { account, period, quota }) = opening else { return };
        self.active += 1;
        let allowance = self.allowances.iter().position(|&known| known == quota).unwrap_or_else(|| {
            self.allowances.push(quota);
            self.allowances.len() - 1
        });
        let month = Month { period, allowance: u16::try_from(allowance).unwrap_or(u16::MAX) };
        let index = usize::try_from(account.0).unwrap_or(usize::MAX);
        while self.months.len() <= index {
            self.months.push(Month::default());
        }
        if let Some(place) = self.months.get_mut(index) {
            *place = month;
        }
    }

    fn intern(&mut self, name: &str) -> &mut Track {
        let place = self.providers.iter().position(|track| *track.name == *name).unwrap_or_else(|| {
            self.providers.push(Track::new(name));
            self.providers.len() - 1
        });
        &mut self.providers[place]
    }
}

impl Track {
    fn new(name: &str) -> Self {
        let (health, since, histogram, outputs) = (Health::default(), Time::default(), Histogram::default(), Histogram::default());
        Self { name: name.into(), health, since, histogram, outputs, queries: 0, cost: Amount::ZERO }
    }
}
