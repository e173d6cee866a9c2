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

/// The key of a price that may be left open.
const fn price(path: &'static str, meaning: &'static str, at: fn(&mut Provider) -> &mut dyn Setting) -> Key<Provider> {
    Key { path, default: Some("\"\""), meaning, env: &[], range: PRICE, at }
}

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
        path: "limits.requests_per_minute",
        default: Some("600_000"),
        meaning: "Requests of a citizen, service or other holder of a key in a minute; 0 is no limit. An open Hive's own machine has none.",
        env: &[],
        range: range(0, 1_000_000_000),
        at: |s| &mut s.limits.requests_per_minute,
    },
    Key {
        path: "limits.address_requests_per_minute",
        default: Some("120_000"),
        meaning: "Requests that name nobody, of one address in a minute; 0 is no limit.",
        env: &[],
        range: range(0, 1_000_000_000),
        at: |s| &mut s.limits.address_requests_per_minute,
    },
    Key {
        path: "limits.wrong_per_minute",
        default: Some("60"),
        meaning: "Wrong keys and signatures of one address in a minute that are answered as such; 0 is no limit.",
        env: &[],
        range: range(0, 1_000_000_000),
        at: |s| &mut s.limits.wrong_per_minute,
    },
    Key {
        path: "limits.connections_max",
        default: Some("8192"),
        meaning: "Connections open at once; further ones wait.",
        env: &[],
        range: range(16, 1_000_000),
        at: |s| &mut s.limits.connections_max,
    },
    Key {
        path: "limits.connections_per_address",
        default: Some("4096"),
        meaning: "Connections open at once from one address; 0 is no limit.",
        env: &[],
        range: range(0, 1_000_000),
        at: |s| &mut s.limits.connections_per_address,
    },
    Key {
        path: "limits.bodies_mb",
        default: Some("256"),
        meaning: "Megabytes that large request bodies may take together; small ones, up to 64 KB, need none.",
        env: &[],
        range: range(1, 1_048_576),
        at: |s| &mut s.limits.bodies_mb,
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
        path: "hive.name",
        default: Some("\"hive\""),
        meaning: "The Hive's name, as intents and checkpoints have it; fixed when the journal is begun.",
        env: &[],
        range: range(1, 128),
        at: |s| &mut s.hive.name,
    },
    Key {
        path: "trust.unsigned_max_gic",
        default: Some("1"),
        meaning: "The most a member who has no key to sign with pays unsigned in one transfer, in MIC; an open Hive asks for no signatures.",
        env: &[],
        range: Range::MIC,
        at: |s| &mut s.trust.unsigned_max,
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
        path: "gateway.queries_per_minute",
        default: Some("0"),
        meaning: "Queries a citizen may put to the gateway in a minute; 0 is no limit.",
        env: &[],
        range: range(0, 1_000_000),
        at: |s| &mut s.gateway.queries_per_minute,
    },
    Key {
        path: "gateway.tokens_per_minute",
        default: Some("0"),
        meaning: "Tokens of a citizen's queries and answers in a minute; 0 is no limit.",
        env: &[],
        range: range(0, 1_000_000_000),
        at: |s| &mut s.gateway.tokens_per_minute,
    },
    Key {
        path: "gateway.queries_open_max",
        default: Some("256"),
        meaning: "Queries of a citizen at the gateway at once, streams included; past that 429; 0 is no limit.",
        env: &[],
        range: range(0, 1_000_000),
        at: |s| &mut s.gateway.queries_open_max,
    },
    Key {
        path: "gateway.wait_seconds",
        default: Some("20"),
        meaning: "Seconds a query waits for room at a provider, or for what the citizen's others give back.",
        env: &[],
        range: range(0, 600),
        at: |s| &mut s.gateway.wait,
    },
    Key {
        path: "gateway.cache_mb",
        default: Some("0"),
        meaning: "Megabytes of answers kept for the very same query; 0 keeps none.",
        env: &[],
        range: range(0, 65_536),
        at: |s| &mut s.gateway.cache_mb,
    },
    Key {
        path: "gateway.cache_seconds",
        default: Some("3600"),
        meaning: "Seconds an answer is kept.",
        env: &[],
        range: range(1, 2_592_000),
        at: |s| &mut s.gateway.cache,
    },
    Key {
        path: "gateway.cache_price_percent",
        default: Some("0"),
        meaning: "What a kept answer costs, in percent of what its provider was paid.",
        env: &[],
        range: range(0, 100),
        at: |s| &mut s.gateway.cache_price_percent,
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
    Key {
        path: "log.witnesses",
        default: Some("[]"),
        meaning: "Who is asked to cosign the journal's checkpoints: of each its key and its URL, with a space between.",
        env: &[],
        range: Range::NONE,
        at: |s| &mut s.log.witnesses,
    },
    Key {
        path: "log.witness_seconds",
        default: Some("10"),
        meaning: "Seconds between two checkpoints that witnesses are asked to cosign, at least.",
        env: &[],
        range: range(1, 86_400),
        at: |s| &mut s.log.witness_every,
    },
    Key {
        path: "witness.logs",
        default: Some("[]"),
        meaning: "Keys of the logs whose checkpoints this Hive cosigns as a witness; none by default.",
        env: &[],
        range: Range::NONE,
        at: |s| &mut s.witness.logs,
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
    price("input_cost_gic_per_1k", "Price of 1,000 input tokens, where it differs.", |p| &mut p.prices.usual.input),
    price("output_cost_gic_per_1k", "Price of 1,000 output tokens, where it differs.", |p| &mut p.prices.usual.output),
    price("cached_cost_gic_per_1k", "Price of 1,000 cached input tokens, where it differs.", |p| &mut p.prices.usual.cached),
    price("cache_write_5m_cost_gic_per_1k", "Price of 1,000 input tokens written to the cache for 5 minutes, where it differs.", |p| {
        &mut p.prices.usual.cache_write_5m
    }),
    price("cache_write_1h_cost_gic_per_1k", "Price of 1,000 input tokens written to the cache for an hour, where it differs.", |p| {
        &mut p.prices.usual.cache_write_1h
    }),
    price("reasoning_cost_gic_per_1k", "Price of 1,000 output tokens that are thoughts, where it differs.", |p| {
        &mut p.prices.usual.reasoning
    }),
    Key {
        path: "tool_run_cost_gic",
        default: Some("\"\""),
        meaning: "Price in MIC of a run of its own tools, such as a web search; without one they are not for sale.",
        env: &[],
        range: PRICE,
        at: |p| &mut p.prices.tool_run,
    },
    Key {
        path: "long_above_tokens",
        default: Some("0"),
        meaning: "A query of more tokens has the long prices, for every token of it; 0 for none.",
        env: &[],
        range: range(0, 1_000_000_000),
        at: |p| &mut p.prices.long_above_tokens,
    },
    price("long_input_cost_gic_per_1k", "Price of 1,000 input tokens of a long query, where it differs.", |p| &mut p.prices.long.input),
    price("long_output_cost_gic_per_1k", "Price of 1,000 output tokens after a long query, where it differs.", |p| {
        &mut p.prices.long.output
    }),
    price("long_cached_cost_gic_per_1k", "Price of 1,000 cached input tokens of a long query, where it differs.", |p| {
        &mut p.prices.long.cached
    }),
    price(
        "long_cache_write_5m_cost_gic_per_1k",
        "Price of 1,000 tokens of a long query written to the cache for 5 minutes, where it differs.",
        |p| &mut p.prices.long.cache_write_5m,
    ),
    price(
        "long_cache_write_1h_cost_gic_per_1k",
        "Price of 1,000 tokens of a long query written to the cache for an hour, where it differs.",
        |p| &mut p.prices.long.cache_write_1h,
    ),
    price("long_reasoning_cost_gic_per_1k", "Price of 1,000 thoughts after a long query, where it differs.", |p| {
        &mut p.prices.long.reasoning
    }),
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
        path: "embeds",
        default: Some("false"),
        meaning: "Whether its models make embeddings, and no answers.",
        env: &[],
        range: Range::NONE,
        at: |p| &mut p.embeds,
    },
    Key {
        path: "answers_max",
        default: Some("1024"),
        meaning: "Answers it makes at once, at most; further queries go elsewhere or wait.",
        env: &[],
        range: range(1, 65_536),
        at: |p| &mut p.answers_max,
    },
    Key {
        path: "connect_seconds",
        default: Some("5"),
        meaning: "Seconds it may take to be reached.",
        env: &[],
        range: range(1, 600),
        at: |p| &mut p.connect,
    },
    Key {
        path: "first_byte_seconds",
        default: Some("60"),
        meaning: "Seconds it may take to begin its answer.",
        env: &[],
        range: range(1, 3_600),
        at: |p| &mut p.first_byte,
    },
    Key {
        path: "idle_seconds",
        default: Some("60"),
        meaning: "Seconds it may be silent within an answer.",
        env: &[],
        range: range(1, 3_600),
        at: |p| &mut p.idle,
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
