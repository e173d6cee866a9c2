//! Figures of the gateway's queries, under the names of OpenTelemetry's semantic conventions for generative AI
//! (`gen_ai.client.token.usage` is `gen_ai_client_token_usage` here), and what they cost.

#![allow(clippy::struct_field_names, reason = "labels are the conventions' names")]

use std::time::Duration;

use lab3_compute::Usage;
use lab3_units::Amount;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the buckets of tokens, as the conventions advise.
const TOKENS: [f64; 14] =
    [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0, 16_777_216.0, 67_108_864.0];

/// Upper bounds of the buckets of seconds, as the conventions advise.
const SECONDS: [f64; 14] = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/// Whom a query was put to.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct Asked {
    /// `chat` or `embeddings`.
    pub(crate) gen_ai_operation_name: &'static str,
    /// The provider, by its name on this desk.
    pub(crate) gen_ai_provider_name: String,
    /// The model it was asked for.
    pub(crate) gen_ai_request_model: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    gen_ai_operation_name: &'static str,
    gen_ai_provider_name: String,
    gen_ai_request_model: String,
    /// How it went wrong; empty when it did not.
    error_type: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tokens {
    gen_ai_operation_name: &'static str,
    gen_ai_provider_name: String,
    gen_ai_request_model: String,
    gen_ai_token_type: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Payer {
    gen_ai_provider_name: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Refusal {
    code: String,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The figures of queries.
#[derive(Debug)]
pub(crate) struct QueryFigures {
    tokens: Histograms<Tokens>,
    seconds: Histograms<Ended>,
    first_token: Histograms<Asked>,
    cost: Family<Payer, Counter>,
    refusals: Family<Refusal, Counter>,
    under_way: Gauge,
    waiting: Gauge,
}

impl QueryFigures {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let of_tokens: fn() -> Histogram = || Histogram::new(TOKENS);
        let of_seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        let new = Self {
            tokens: Family::new_with_constructor(of_tokens),
            seconds: Family::new_with_constructor(of_seconds),
            first_token: Family::new_with_constructor(of_seconds),
            cost: Family::default(),
            refusals: Family::default(),
            under_way: Gauge::default(),
            waiting: Gauge::default(),
        };
        registry.register("gen_ai_client_token_usage", "Tokens of queries and answers, as they were charged", new.tokens.clone());
        let (seconds, first) = (new.seconds.clone(), new.first_token.clone());
        registry.register_with_unit("gen_ai_client_operation_duration", "From asking a provider to its last word", Unit::Seconds, seconds);
        registry.register_with_unit("gen_ai_server_time_to_first_token", "From asking a provider to its first word", Unit::Seconds, first);
        registry.register("lab3_query_cost_ks", "What queries cost their citizens, in KS", new.cost.clone());
        registry.register("lab3_query_refusals", "Queries nobody answered, by the reason's code", new.refusals.clone());
        registry.register("lab3_queries_under_way", "Queries read and not yet ended", new.under_way.clone());
        registry.register("lab3_queries_waiting", "Queries that wait for room at a provider or for allowance", new.waiting.clone());
        new
    }

    /// The first word came.
    pub(crate) fn first_token(&self, asked: &Asked, after: Duration) {
        self.first_token.get_or_create(asked).observe(after.as_secs_f64());
    }

    /// An answer was settled, or a provider failed (`error_type` says how, and is empty otherwise).
    pub(crate) fn ended(&self, asked: &Asked, took: Duration, error_type: &'static str) {
        let Asked { gen_ai_operation_name, gen_ai_provider_name, gen_ai_request_model } = asked.clone();
        let labels = Ended { gen_ai_operation_name, gen_ai_provider_name, gen_ai_request_model, error_type };
        self.seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// What was charged.
    #[allow(clippy::cast_precision_loss, reason = "a histogram of tokens, whose sum nobody pays")]
    pub(crate) fn charged(&self, asked: &Asked, usage: &Usage, cost: Amount) {
        for (gen_ai_token_type, tokens) in [("input", usage.query_tokens()), ("output", usage.output)] {
            let Asked { gen_ai_operation_name, gen_ai_provider_name, gen_ai_request_model } = asked.clone();
            let labels = Tokens { gen_ai_operation_name, gen_ai_provider_name, gen_ai_request_model, gen_ai_token_type };
            self.tokens.get_or_create(&labels).observe(tokens as f64);
        }
        let payer = Payer { gen_ai_provider_name: asked.gen_ai_provider_name.clone() };
        self.cost.get_or_create(&payer).inc_by(u64::try_from(cost.units()).unwrap_or(0));
    }

    /// Nobody answered.
    pub(crate) fn refused(&self, code: String) {
        self.refusals.get_or_create(&Refusal { code }).inc();
    }

    /// Counts a query while the guard lives.
    pub(crate) fn under_way(&self) -> Counted {
        Counted::new(&self.under_way)
    }

    /// Counts a query that waits while the guard lives.
    pub(crate) fn waiting(&self) -> Counted {
        Counted::new(&self.waiting)
    }
}

/// Something counted while it lasts.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
