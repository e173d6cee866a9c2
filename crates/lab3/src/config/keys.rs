//! The table of every key: its path, default, meaning, names in the environment, bounds, and where it lands.
//!
//! Help, error messages, `lab3 config show`, the default file and docs/configuration.md all follow from this table.

use super::{Provider, Range, Setting, Settings};

/// One key of a section, or of a provider.
pub struct Key<S: 'static> {
    /// `section.key`; for a provider only the part behind its name.
    pub path: &'static str,
    /// The default as it would stand in a file; `None` when it must be given.
    pub default: Option<&'static str>,
    /// One line for people.
    pub meaning: &'static str,
    /// The specification's names in the environment.
    pub env: &'static [&'static str],
    /// Bounds.
    pub range: Range,
    /// Where the value lands.
    pub at: fn(&mut S) -> &mut dyn Setting,
}

const fn range(min: u64, max: u64) -> Range {
    Range { min, max }
}

/// Prices of a provider: up to a million MIC per thousand tokens.
const PRICE: Range = range(0, 1_000_000);

/// Every key outside the providers.
pub const KEYS: &[Key<Settings>] = &[
    Key {
        path: "server.listen",
        default: Some("\"127.0.0.1:8003\""),
        meaning: "Address and port the server listens on; port 0 takes any free port.",
        env: &[],
        range: Range::NONE,
        at: |s| &mut s.server.listen,
    },
    Key {
        path: "server.body_bytes_max",
        default: Some("4_194_304"),
        meaning: "Largest request body accepted, in bytes.",
        env: &[],
        range: range(1_024, 1_073_741_824),
        at: |s| &mut s.server.body_bytes_max,
    },
    Key {
        path: "data.dir",
        default: Some("\"./lab3-data\""),
        meaning: "Folder of the journal and its snapshots; made when absent.",
        env: &[],
        range: Range::NONE,
        at: |s| &mut s.data.dir,
    },
    Key {
        path: "engine.queue_len_max",
        default: Some("65_536"),
        meaning: "Commands that may wait for the writer; past that the desk answers 503.",
        env: &[],
        range: range(1, 16_777_216),
        at: |s| &mut s.engine.queue_len_max,
    },
    Key {
        path: "engine.batch_len_max",
        default: Some("8_192"),
        meaning: "Commands made durable in one batch, at most; not more than engine.queue_len_max.",
        env: &[],
        range: range(1, 65_536),
        at: |s| &mut s.engine.batch_len_max,
    },
    Key {
        path: "engine.snapshot_every_records",
        default: Some("1_000_000"),
        meaning: "Journal records between two snapshots of the state.",
        env: &[],
        range: range(1, 1_000_000_000_000),
        at: |s| &mut s.engine.snapshot_every_records,
    },
    Key {
        path: "journal.verify_on_start",
        default: Some("\"all\""),
        meaning: "What is checked before the desk opens: all records, or the tail no snapshot covers.",
        env: &[],
        range: Range::NONE,
        at: |s| &mut s.journal.verify_on_start,
    },
    Key {
        path: "operator.token",
        default: Some("\"\""),
        meaning: "When set, mint, epoch close and governed grants require it: Authorization: Bearer TOKEN.",
        env: &[],
        range: range(16, 1_024),
        at: |s| &mut s.operator.token,
    },
    Key {
        path: "compute.quota_gic",
        default: Some("100"),
        meaning: "Compute allowance of a citizen in a calendar month (UTC), in MIC.",
        env: &["DEFAULT_CITIZEN_QUOTA_GIC"],
        range: Range::MIC,
        at: |s| &mut s.compute.quota,
    },
    Key {
        path: "compute.local_fallback",
        default: Some("true"),
        meaning: "Whether an exhausted quota, a cost limit or an outage falls back to the local model.",
        env: &["ENABLE_LOCAL_FALLBACK"],
        range: Range::NONE,
        at: |s| &mut s.compute.local_fallback,
    },
    Key {
        path: "compute.hold_seconds",
        default: Some("900"),
        meaning: "Seconds an allocation is held before it expires.",
        env: &[],
        range: range(1, 2_592_000),
        at: |s| &mut s.compute.hold,
    },
    Key {
        path: "compute.open_allocations_max",
        default: Some("1024"),
        meaning: "Open allocations one citizen may have; past that the desk answers 429.",
        env: &[],
        range: range(1, 1_000_000),
        at: |s| &mut s.compute.open_allocations_max,
    },
    Key {
        path: "compute.min_quality",
        default: Some("0.80"),
        meaning: "Least quality of a provider when a request names none, from 0 to 1.",
        env: &[],
        range: Range::NONE,
        at: |s| &mut s.compute.min_quality,
    },
    Key {
        path: "finance.pool_initial_balance_gic",
        default: Some("50_000"),
        meaning: "What the PublicGoodsPool holds at genesis, in MIC; has no effect on a Hive that exists.",
        env: &["PUBLIC_GOODS_POOL_INITIAL_BALANCE"],
        range: Range::MIC,
        at: |s| &mut s.finance.pool_initial_balance,
    },
    Key {
        path: "finance.fee_percent",
        default: Some("0.001"),
        meaning: "Fee on a transfer, in percent of its amount (0.001 is one part in 100,000), to the pool.",
        env: &["TRANSACTION_FEE_PERCENT"],
        range: Range::NONE,
        at: |s| &mut s.finance.fee,
    },
    Key {
        path: "finance.grants",
        default: Some("\"auto\""),
        meaning: "Who may give grants: open (anyone), governed (with approval), auto (open on loopback only).",
        env: &[],
        range: Range::NONE,
        at: |s| &mut s.finance.grants,
    },
    Key {
        path: "finance.epoch_days",
        default: Some("90"),
        meaning: "Days of an epoch.",
        env: &[],
        range: range(1, 36_525),
        at: |s| &mut s.finance.epoch_days,
    },
    Key {
        path: "finance.epoch_reward_gic",
        default: Some("1000"),
        meaning: "MIC minted when an epoch closes.",
        env: &[],
        range: Range::MIC,
        at: |s| &mut s.finance.epoch_reward,
    },
    Key {
        path: "finance.epoch_shares",
        default: Some("{ pool = 100 }"),
        meaning: "Who receives the epoch's reward, in percent: pool, reserve, or a DID; adds up to 100.",
        env: &[],
        range: Range::NONE,
        at: |s| &mut s.finance.epoch_shares,
    },
    Key {
        path: "log.format",
        default: Some("\"text\""),
        meaning: "What log lines look like: text for people, json for programs.",
        env: &[],
        range: Range::NONE,
        at: |s| &mut s.log.format,
    },
    Key {
        path: "log.level",
        default: Some("\"info\""),
        meaning: "Least severity that is logged.",
        env: &[],
        range: Range::NONE,
        at: |s| &mut s.log.level,
    },
];

/// Every key of `[providers.<name>]`. The specification's five have defaults of their own.
pub const PROVIDER_KEYS: &[Key<Provider>] = &[
    Key {
        path: "enabled",
        default: Some("true"),
        meaning: "Whether queries may go to this provider.",
        env: &[],
        range: Range::NONE,
        at: |p| &mut p.enabled,
    },
    Key {
        path: "aliases",
        default: Some("[]"),
        meaning: "Other names requests may call it by.",
        env: &[],
        range: Range::NONE,
        at: |p| &mut p.aliases,
    },
    Key { path: "cost_gic_per_1k", default: None, meaning: "Price in MIC per 1,000 tokens.", env: &[], range: PRICE, at: |p| &mut p.cost },
    Key {
        path: "output_cost_gic_per_1k",
        default: Some("\"\""),
        meaning: "Price of 1,000 output tokens, where it differs.",
        env: &[],
        range: PRICE,
        at: |p| &mut p.output_cost,
    },
    Key {
        path: "cached_cost_gic_per_1k",
        default: Some("\"\""),
        meaning: "Price of 1,000 cached input tokens, where it differs.",
        env: &[],
        range: PRICE,
        at: |p| &mut p.cached_cost,
    },
    Key {
        path: "latency_ms",
        default: None,
        meaning: "Expected latency in milliseconds; measured latency replaces it.",
        env: &[],
        range: range(1, 3_600_000),
        at: |p| &mut p.latency_ms,
    },
    Key {
        path: "quality",
        default: None,
        meaning: "Capability of the model, from 0 to 1.",
        env: &[],
        range: Range::NONE,
        at: |p| &mut p.quality,
    },
    Key {
        path: "reliability",
        default: None,
        meaning: "Expected share of queries that succeed, from 0 to 1; measured success replaces it.",
        env: &[],
        range: Range::NONE,
        at: |p| &mut p.reliability,
    },
    Key {
        path: "context_tokens_max",
        default: None,
        meaning: "Longest query it takes, in tokens.",
        env: &[],
        range: range(1, 1_000_000_000),
        at: |p| &mut p.context_tokens_max,
    },
    Key {
        path: "output_tokens_max",
        default: Some("128_000"),
        meaning: "Longest answer it makes, in tokens, thoughts included.",
        env: &[],
        range: range(1, 1_000_000_000),
        at: |p| &mut p.output_tokens_max,
    },
    Key {
        path: "kind",
        default: Some("\"none\""),
        meaning: "What it speaks; the gateway asks it when this, base_url and (where one is needed) api_key are set.",
        env: &[],
        range: Range::NONE,
        at: |p| &mut p.kind,
    },
    Key {
        path: "base_url",
        default: Some("\"\""),
        meaning: "Where the gateway asks it.",
        env: &[],
        range: Range::NONE,
        at: |p| &mut p.base_url,
    },
    Key {
        path: "models",
        default: Some("[]"),
        meaning: "Its models; the first is asked when a query names none.",
        env: &[],
        range: Range::NONE,
        at: |p| &mut p.models,
    },
    Key {
        path: "gguf",
        default: Some("\"\""),
        meaning: "Model file the desk runs itself, unless base_url is set; local_llama takes data.dir/models/*.gguf when this is empty.",
        env: &[],
        range: Range::NONE,
        at: |p| &mut p.gguf,
    },
    Key {
        path: "api_key",
        default: Some("\"\""),
        meaning: "The key its API asks for.",
        env: &[],
        range: range(1, 4_096),
        at: |p| &mut p.api_key,
    },
    Key {
        path: "fallback",
        default: Some("false"),
        meaning: "Whether this is the local fallback; at most one provider is.",
        env: &[],
        range: Range::NONE,
        at: |p| &mut p.fallback,
    },
];
