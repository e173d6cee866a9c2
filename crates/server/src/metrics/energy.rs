//! Figures of the energy desk: what is known of signals and devices, how old the site's plan is, and what is booked.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use lab3_energy::signals::Kind;
use lab3_units::Time;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::signed;
use crate::readings::KeptSignal;

/// How long a look at the signals may take before the figures go without.
pub(crate) const LOOK_MAX: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfKind {
    /// The kind of signal: there are as many as [`Kind::ALL`] has.
    kind: &'static str,
}

/// No labels at all.
type Unlabelled = [(&'static str, &'static str); 0];

/// What the energy desk is like when somebody looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct EnergyNow {
    /// Where the newest signal of each kind ends; none when signals and telemetry are out of reach.
    pub(crate) ends: Option<Vec<(Kind, Time)>>,
    /// The plan of the site that holds, if there is one.
    pub(crate) plan: Option<PlanNow>,
}

/// A plan, seen from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanNow {
    /// How long ago it was made.
    pub(crate) age: Duration,
    /// How many things it did without.
    pub(crate) unknown: usize,
}

/// Where the newest signal of each kind ends.
pub(crate) fn newest(signals: &[KeptSignal]) -> Vec<(Kind, Time)> {
    let end = |kind| signals.iter().filter(|signal| signal.kind == kind).map(|signal| signal.end).max().map(|end| (kind, end));
    Kind::ALL.into_iter().filter_map(end).collect()
}

/// The figures of energy; but for the counter, set when somebody looks.
#[derive(Debug, Default)]
pub(crate) struct EnergyFigures {
    readings: Counter,
    readings_ok: Gauge,
    ends: Family<OfKind, Gauge>,
    // Families without labels: a desk without a plan shows none rather than one of age 0.
    plan_age: Family<Unlabelled, Gauge<f64, AtomicU64>>,
    plan_unknown: Family<Unlabelled, Gauge>,
    jobs: Gauge,
    hours_open: Gauge,
}

impl EnergyFigures {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let new = Self::default();
        registry.register("energy_readings", "Readings of devices taken since the start", new.readings.clone());
        let about = "Whether signals and telemetry answer (1) or are out of reach (0)";
        registry.register("energy_readings_ok", about, new.readings_ok.clone());
        let about = "Where the newest signal of the kind ends, since 1970";
        registry.register_with_unit("energy_signal_end_timestamp", about, Unit::Seconds, new.ends.clone());
        registry.register_with_unit("energy_plan_age", "How long ago the site's plan was made", Unit::Seconds, new.plan_age.clone());
        registry.register("energy_plan_unknown", "Things the site's plan had to do without", new.plan_unknown.clone());
        registry.register("energy_jobs_booked", "Jobs that are booked and neither settled nor released", new.jobs.clone());
        registry.register("energy_hours_open", "Hours in which energy was drawn that are not divided yet", new.hours_open.clone());
        new
    }

    /// Counts readings that were new.
    pub(crate) fn taken(&self, new: u64) {
        self.readings.inc_by(new);
    }

    pub(super) fn set(&self, now: &EnergyNow) {
        self.readings_ok.set(i64::from(now.ends.is_some()));
        self.ends.clear();
        for (kind, end) in now.ends.iter().flatten() {
            self.ends.get_or_create(&OfKind { kind: kind.name() }).set(end.millis().div_euclid(1000));
        }
        self.plan_age.clear();
        self.plan_unknown.clear();
        if let Some(plan) = now.plan {
            self.plan_age.get_or_create(&[]).set(plan.age.as_secs_f64());
            self.plan_unknown.get_or_create(&[]).set(signed(plan.unknown as u64));
        }
    }

    pub(super) fn set_booked(&self, jobs: usize, hours_open: usize) {
        self.jobs.set(signed(jobs as u64));
        self.hours_open.set(signed(hours_open as u64));
    }
}
