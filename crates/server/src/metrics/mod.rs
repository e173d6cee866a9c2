//! The desk's figures for Prometheus, at `/metrics`.

mod energy;
mod queries;
mod witnesses;

use std::sync::atomic::Ordering;
use std::time::Duration;

use lab3_engine::Status;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub(crate) use energy::{EnergyFigures, EnergyNow, LOOK_MAX, PlanNow, newest};
pub(crate) use queries::{Asked, QueryFigures};
use witnesses::WitnessFigures;

use crate::witnesses::Standing;

/// Upper bounds of the latency histogram's buckets, in seconds.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    path: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StatusLabels {
    method: &'static str,
    path: &'static str,
    status: &'static str,
}

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<StatusLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    engine: EngineFigures,
    energy: EnergyFigures,
    queries: QueryFigures,
    witnesses: WitnessFigures,
}

/// The counters of one route, looked up once.
#[derive(Clone, Debug)]
pub(crate) struct RouteMetrics {
    classes: [Counter; 3],
    seconds: Histogram,
}

impl RouteMetrics {
    /// Counts an answered request.
    pub(crate) fn count(&self, status: u16, took: Duration) {
        let class = match status {
            ..400 => 0,
            400..500 => 1,
            500.. => 2,
        };
        if let Some(counter) = self.classes.get(class) {
            counter.inc();
        }
        self.seconds.observe(took.as_secs_f64());
    }

    /// What was counted, by status class.
    #[cfg(test)]
    pub(crate) fn counted(&self) -> [u64; 3] {
        self.classes.each_ref().map(Counter::get)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut everything = Registry::default();
        let queries = QueryFigures::register(&mut everything);
        let registry = everything.sub_registry_with_prefix("lab3");
        let requests = Family::default();
        registry.register("http_requests", "Requests answered, by status class", requests.clone());
        let seconds = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        registry.register_with_unit("http_request", "Time from a request's head to its reply", Unit::Seconds, seconds.clone());
        let engine = EngineFigures::register(registry);
        let energy = EnergyFigures::register(registry);
        let witnesses = WitnessFigures::register(registry);
        Self { registry: everything, requests, seconds, engine, energy, queries, witnesses }
    }
}

impl Metrics {
    /// The counters of a route.
    pub(crate) fn route(&self, method: &'static str, path: &'static str) -> RouteMetrics {
        let class = |status| self.requests.get_or_create(&StatusLabels { method, path, status }).clone();
        let seconds = self.seconds.get_or_create(&RouteLabels { method, path }).clone();
        RouteMetrics { classes: ["2xx", "4xx", "5xx"].map(class), seconds }
    }

    /// The figures of queries put to providers.
    pub(crate) fn queries(&self) -> &QueryFigures {
        &self.queries
    }

    /// The figures of energy.
    pub(crate) fn energy(&self) -> &EnergyFigures {
        &self.energy
    }

    /// Everything, in the OpenMetrics text format.
    pub(crate) fn text(
        &self,
        status: &Status,
        books: Option<Books>,
        energy: &EnergyNow,
        witnesses: &[Standing],
    ) -> Result<String, std::fmt::Error> {
        self.engine.set(status, books);
        self.energy.set(energy);
        if let Some(books) = books {
            self.energy.set_booked(books.jobs, books.hours_open);
        }
        self.witnesses.set(witnesses);
        let mut text = String::with_capacity(16 * 1024);
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// What the books hold, as far as it is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Books {
    pub(crate) accounts: usize,
    pub(crate) open_holds: u64,
    pub(crate) jobs: usize,
    pub(crate) hours_open: usize,
}

/// The engine's figures; set when somebody looks.
#[derive(Debug, Default)]
struct EngineFigures {
    sequence: Gauge,
    view_lag: Gauge,
    snapshot: Gauge,
    waiting: Gauge,
    views_ok: Gauge,
    accounts: Gauge,
    open_holds: Gauge,
    commits: Counter,
    records: Counter,
    commit_failures: Counter,
    commit_seconds: Counter<f64, std::sync::atomic::AtomicU64>,
}

impl EngineFigures {
    fn register(registry: &mut Registry) -> Self {
        let new = Self::default();
        registry.register("journal_sequence", "The last durable record", new.sequence.clone());
        registry.register("view_lag_records", "Durable records the views have not followed", new.view_lag.clone());
        registry.register("snapshot_sequence", "The last record in a snapshot", new.snapshot.clone());
        registry.register("queue_waiting", "Commands waiting for the writer", new.waiting.clone());
        registry.register("views_ok", "Whether the views are kept (1) or not (0)", new.views_ok.clone());
        registry.register("accounts", "Accounts in the books", new.accounts.clone());
        registry.register("open_holds", "Holds that are open", new.open_holds.clone());
        registry.register("journal_commits", "Batches appended since the start", new.commits.clone());
        registry.register("journal_records", "Records appended since the start", new.records.clone());
        registry.register("journal_commit_failures", "Appends that failed since the start", new.commit_failures.clone());
        let seconds = new.commit_seconds.clone();
        registry.register_with_unit("journal_commit", "Time spent appending since the start", Unit::Seconds, seconds);
        new
    }

    fn set(&self, status: &Status, books: Option<Books>) {
        self.sequence.set(signed(status.sequence));
        self.view_lag.set(signed(status.sequence.saturating_sub(status.followed)));
        self.snapshot.set(signed(status.snapshot));
        self.waiting.set(signed(status.waiting as u64));
        self.views_ok.set(i64::from(status.views_ok));
        self.commits.inner().store(status.commits, Ordering::Relaxed);
        self.records.inner().store(status.records, Ordering::Relaxed);
        self.commit_failures.inner().store(status.commit_failures, Ordering::Relaxed);
        let seconds = Duration::from_micros(status.commit_micros).as_secs_f64();
        self.commit_seconds.inner().store(seconds.to_bits(), Ordering::Relaxed);
        if let Some(books) = books {
            self.accounts.set(signed(books.accounts as u64));
            self.open_holds.set(signed(books.open_holds));
        }
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
