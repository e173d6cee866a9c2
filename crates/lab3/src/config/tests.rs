//! Every layer, every message in full, exact amounts, and no secret in any print.

use std::collections::BTreeSet;

use lab3_finance::{Recipient, Share};
use lab3_units::{Asset, Duration, FeeRate, Ratio, TokenRate};

use super::*;

fn layers(file: &str, env: &[(&str, &str)], flags: &[(&str, &str, &str)]) -> Layers {
    let flag = |&(name, path, text): &(&str, &str, &str)| Flag { name: name.to_owned(), path: path.to_owned(), text: text.to_owned() };
    Layers {
        file: (!file.is_empty()).then(|| ConfigFile { name: "lab3.toml".to_owned(), text: file.to_owned() }),
        env: env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        flags: flags.iter().map(flag).collect(),
    }
}

fn settings(file: &str, env: &[(&str, &str)]) -> Settings {
    resolve(&layers(file, env, &[])).unwrap().settings
}

/// The problems of a configuration, one a line.
fn problems(file: &str, env: &[(&str, &str)], flags: &[(&str, &str, &str)]) -> Vec<String> {
    match resolve(&layers(file, env, flags)) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

fn refuses(file: &str, message: &str) {
    assert_eq!(problems(file, &[], &[]), [message], "{file}");
}

fn env_refuses(name: &str, value: &str, message: &str) {
    assert_eq!(problems("", &[(name, value)], &[]), [message], "{name}={value}");
}

fn entry(resolved: &Resolved, path: &str) -> (String, String) {
    let entry = resolved.entries.iter().find(|entry| entry.path == path).unwrap();
    (entry.value.clone(), entry.source.to_string())
}

fn mic(text: &str) -> lab3_units::Amount {
    Asset::MIC.parse(text).unwrap()
}

#[test]
fn the_defaults_are_those_of_the_specification() {
    let settings = settings("", &[]);
    assert_eq!(settings.server, Server { listen: "127.0.0.1:8003".parse().unwrap(), body_bytes_max: 4_194_304 });
    assert_eq!(settings.data.dir.to_str(), Some("./lab3-data"));
    assert_eq!(settings.engine, Engine { queue_len_max: 65_536, batch_len_max: 8_192, snapshot_every_records: 1_000_000 });
    assert_eq!(settings.journal.verify_on_start, VerifyOnStart::All);
    let compute = Compute {
        quota: mic("100"),
        local_fallback: true,
        hold: Duration::from_secs(900),
        open_allocations_max: 1024,
        min_quality: Ratio::parse("0.8").unwrap(),
    };
    assert_eq!(settings.compute, compute);
    let finance = Finance {
        pool_initial_balance: mic("50000"),
        fee: FeeRate::from_percent("0.001").unwrap(),
        grants: Grants::Auto,
        epoch_days: 90,
        epoch_reward: mic("1000"),
        epoch_shares: vec![Share { recipient: Recipient::Pool, percent: FeeRate::from_percent("100").unwrap() }],
    };
    assert_eq!(settings.finance, finance);
    let (witnesses, witness_every) = (WitnessList::default(), Duration::from_secs(10));
    assert_eq!(settings.log, Log { format: LogFormat::Text, level: LogLevel::Info, witnesses, witness_every });
    assert_eq!(settings.witness.logs, LogKeys::default());
}

#[test]
fn the_default_providers_are_the_specifications_table() {
    let shown: Vec<_> = settings("", &[]).providers.iter().map(shown_provider).collect();
    let expected = [
        "anthropic_claude (anthropic,claude) 0.015 600 0.97 0.99 200000 false",
        "openai_gpt4 (openai) 0.01 800 0.95 0.98 128000 false",
        "google_gemini (gemini,google) 0.008 700 0.92 0.97 1000000 false",
        "deepseek () 0.002 1200 0.88 0.95 64000 false",
        "local_llama (local,llama) 0.0001 2500 0.80 0.99 32000 true",
    ];
    assert_eq!(shown, expected);
}

fn shown_provider(p: &Provider) -> String {
    let (aliases, cost) = (p.aliases.join(","), p.cost.mic_per_thousand());
    assert!(p.enabled && p.prices == Prices::default() && !p.api_key.is_set());
    format!("{} ({aliases}) {cost} {} {} {} {} {}", p.name, p.latency_ms, p.quality, p.reliability, p.context_tokens_max, p.fallback)
}

#[test]
fn the_later_layer_wins_and_is_remembered() {
    let file = "[compute]\nquota_gic = 1\nhold_seconds = 60\n[server]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"debug\"\n";
    let env = [("DEFAULT_CITIZEN_QUOTA_GIC", "2"), ("LAB3__SERVER__LISTEN", "127.0.0.1:2"), ("LAB3__LOG__LEVEL", "warn")];
    let resolved = resolve(&layers(file, &env, &[("--listen", "server.listen", "127.0.0.1:3")])).unwrap();
    for (path, value, source) in [
        ("engine.batch_len_max", "8192", "default"),
        ("compute.hold_seconds", "60", "lab3.toml:3"),
        ("compute.quota_gic", "2.0", "environment DEFAULT_CITIZEN_QUOTA_GIC"),
        ("log.level", "warn", "environment LAB3__LOG__LEVEL"),
        ("server.listen", "127.0.0.1:3", "flag --listen"),
    ] {
        assert_eq!(entry(&resolved, path), (value.to_owned(), source.to_owned()), "{path}");
    }
    assert_eq!(resolved.settings.server.listen.port(), 3);
    assert_eq!(resolved.settings.compute.quota, mic("2"));
}

#[test]
fn the_specifications_names_are_honoured() {
    let env = [
        ("DEFAULT_CITIZEN_QUOTA_GIC", "250.5"),
        ("ENABLE_LOCAL_FALLBACK", "False"),
        ("PUBLIC_GOODS_POOL_INITIAL_BALANCE", "75000"),
        ("TRANSACTION_FEE_PERCENT", "0.25"),
        ("ANTHROPIC_API_KEY", "sk-ant-1"),
        ("OPENAI_API_KEY", "sk-2"),
        ("GOOGLE_GENAI_API_KEY", "g-3"),
        ("DEEPSEEK_API_KEY", "d-4"),
        ("PATH", "/usr/bin"),
    ];
    let settings = settings("", &env);
    assert_eq!(settings.compute.quota, mic("250.5"));
    assert!(!settings.compute.local_fallback);
    assert_eq!(settings.finance.pool_initial_balance, mic("75000"));
    assert_eq!(settings.finance.fee, FeeRate::from_percent("0.25").unwrap());
    let keys: Vec<_> = settings.providers.iter().map(|provider| provider.api_key.expose()).collect();
    assert_eq!(keys, [Some("sk-ant-1"), Some("sk-2"), Some("g-3"), Some("d-4"), None]);
}

#[test]
fn aliases_stand_in_for_the_specifications_names_and_ours_win_over_both() {
    let key = |env: &[(&str, &str)], at: usize| settings("", env).providers[at].api_key.expose().map(str::to_owned);
    let google = [("GOOGLE_API_KEY", "third"), ("GEMINI_API_KEY", "second"), ("GOOGLE_GENAI_API_KEY", "first")];
    assert_eq!(key(&google[..1], 2).as_deref(), Some("third"));
    assert_eq!(key(&google[..2], 2).as_deref(), Some("second"));
    assert_eq!(key(&google, 2).as_deref(), Some("first"));
    assert_eq!(key(&[("CLAUDE_API_KEY", "alias")], 0).as_deref(), Some("alias"));
    let ours = [("ANTHROPIC_API_KEY", "theirs"), ("LAB3__PROVIDERS__ANTHROPIC_CLAUDE__API_KEY", "ours")];
    assert_eq!(key(&ours, 0).as_deref(), Some("ours"));
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let resolved = resolve(&layers("", &[("DEFAULT_CITIZEN_QUOTA_GIC", ""), ("LAB3__LOG__LEVEL", " ")], &[])).unwrap();
    assert_eq!(entry(&resolved, "compute.quota_gic"), ("100.0".to_owned(), "default".to_owned()));
}

#[test]
fn amounts_and_rates_are_exact_however_they_are_written() {
    for text in ["0.1", "\"0.1\"", "1e-1", "+0.1", "0.100_000"] {
        assert_eq!(settings(&format!("compute.quota_gic = {text}"), &[]).compute.quota, mic("0.1"), "{text}");
    }
    // 2^53 + 1 and a sixth decimal: no float can hold these.
    for text in ["900719925474.099301", "\"900719925474.099301\""] {
        assert_eq!(settings(&format!("finance.epoch_reward_gic = {text}"), &[]).finance.epoch_reward.units(), 900_719_925_474_099_301);
    }
    assert_eq!(settings("compute.quota_gic = 0x10", &[]).compute.quota, mic("16"));
    assert_eq!(settings("finance.fee_percent = 0.0000001", &[]).finance.fee, FeeRate::from_percent("0.0000001").unwrap());
    let rate = settings("providers.deepseek.cost_gic_per_1k = 0.000000001", &[]).providers[3].cost;
    assert_eq!(rate, TokenRate::from_mic_per_thousand("0.000000001").unwrap());
    assert_eq!(settings("", &[("LAB3__COMPUTE__QUOTA_GIC", " 0.000001 ")]).compute.quota.units(), 1);
}

#[test]
fn a_value_the_key_does_not_take_is_refused_with_what_it_takes() {
    let quota = "it takes an amount of MIC from 0 to 1,000,000,000,000, at most 6 decimals";
    for (value, shown) in [
        ("\"abc\"", "\"abc\""),
        ("-1", "-1"),
        ("0.0000001", "0.0000001"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1e12_0", "1e120"),
        ("1000000000000.1", "1000000000000.1"),
        ("true", "true"),
        ("[1]", "a list"),
        ("{ a = 1 }", "a table"),
        ("2026-01-01", "a date or time"),
    ] {
        refuses(&format!("\n[compute]\nquota_gic = {value}"), &format!("lab3.toml:3: `compute.quota_gic` cannot be {shown}: {quota}"));
    }
    env_refuses(
        "DEFAULT_CITIZEN_QUOTA_GIC",
        "lots",
        &format!("environment DEFAULT_CITIZEN_QUOTA_GIC: `compute.quota_gic` cannot be \"lots\": {quota}"),
    );
    let long = "x".repeat(100);
    let cut = "x".repeat(60);
    env_refuses(
        "LAB3__COMPUTE__QUOTA_GIC",
        &long,
        &format!("environment LAB3__COMPUTE__QUOTA_GIC: `compute.quota_gic` cannot be \"{cut}...\": {quota}"),
    );
}

#[test]
fn every_type_says_what_it_takes() {
    for (file, message) in [
        (
            "server.listen = \"8003\"",
            "`server.listen` cannot be \"8003\": it takes an address and a port, such as 127.0.0.1:8003, [::1]:8003 or localhost:0",
        ),
        ("server.body_bytes_max = 5.0", "`server.body_bytes_max` cannot be 5.0: it takes a whole number from 1,024 to 1,073,741,824"),
        ("engine.batch_len_max = 0", "`engine.batch_len_max` cannot be 0: it takes a whole number from 1 to 65,536"),
        ("engine.batch_len_max = \"8\"", "`engine.batch_len_max` cannot be \"8\": it takes a whole number from 1 to 65,536"),
        (
            "engine.batch_len_max = 99999999999999999999",
            "`engine.batch_len_max` cannot be 99999999999999999999: it takes a whole number from 1 to 65,536",
        ),
        ("data.dir = \"\"", "`data.dir` cannot be \"\": it takes a path"),
        ("journal.verify_on_start = \"none\"", "`journal.verify_on_start` cannot be \"none\": it takes one of \"all\", \"tail\""),
        ("compute.local_fallback = \"true\"", "`compute.local_fallback` cannot be \"true\": it takes true or false"),
        ("compute.hold_seconds = 0", "`compute.hold_seconds` cannot be 0: it takes a whole number of seconds from 1 to 2,592,000"),
        ("compute.min_quality = 1.01", "`compute.min_quality` cannot be 1.01: it takes a number from 0 to 1, at most 6 decimals"),
        ("finance.fee_percent = 100.1", "`finance.fee_percent` cannot be 100.1: it takes a percentage from 0 to 100, at most 7 decimals"),
        ("finance.grants = \"closed\"", "`finance.grants` cannot be \"closed\": it takes one of \"open\", \"governed\", \"auto\""),
        (
            "providers.deepseek.cost_gic_per_1k = -1",
            "`providers.deepseek.cost_gic_per_1k` cannot be -1: it takes a price in MIC per 1,000 tokens from 0 to 1,000,000, at most 9 decimals",
        ),
        (
            "providers.deepseek.output_cost_gic_per_1k = \"x\"",
            "`providers.deepseek.output_cost_gic_per_1k` cannot be \"x\": it takes a price in MIC per 1,000 tokens from 0 to 1,000,000, at most 9 decimals, or \"\" for none",
        ),
        ("providers.deepseek.gguf = 5", "`providers.deepseek.gguf` cannot be 5: it takes a path, or \"\" for none"),
        (
            "providers.deepseek.aliases = [\"Deep Seek\"]",
            "`providers.deepseek.aliases` cannot be a list: it takes a list of names of a-z, 0-9, _ and -, such as [\"claude\", \"anthropic\"]",
        ),
    ] {
        refuses(file, &format!("lab3.toml:1: {message}"));
    }
}

#[test]
fn an_unknown_key_is_refused_at_every_level_with_the_nearest_known() {
    for (file, message) in [
        ("[compute]\nquota_gc = 1", "lab3.toml:2: unknown key `compute.quota_gc`; did you mean `compute.quota_gic`?"),
        ("listen = \"x\"", "lab3.toml:1: unknown key `listen`; did you mean `server.listen`?"),
        ("[finance]\nquota_gic = 1", "lab3.toml:2: unknown key `finance.quota_gic`; did you mean `compute.quota_gic`?"),
        (
            "[finance]\ntransaction_fee_percent = 1",
            "lab3.toml:2: unknown key `finance.transaction_fee_percent`; did you mean `finance.fee_percent`?",
        ),
        (
            "[providers.deepseek]\n\nlatency = 1",
            "lab3.toml:3: unknown key `providers.deepseek.latency`; did you mean `providers.deepseek.latency_ms`?",
        ),
        ("[wombat]\nburrow = 1", "lab3.toml:2: unknown key `wombat.burrow`; `lab3 config show` lists every key"),
        ("[servr]", "lab3.toml:1: unknown section [servr]; did you mean [server]?"),
        ("[providers.deepsek]", "lab3.toml:1: unknown section [providers.deepsek]; did you mean [providers.deepseek]?"),
        ("[wombat]", "lab3.toml:1: unknown section [wombat]; `lab3 config show --toml` prints every section"),
        ("server = 3", "lab3.toml:1: `server` cannot be 3: it is a section, written [server]"),
        ("providers.deepseek = true", "lab3.toml:1: `providers.deepseek` cannot be true: it is a section, written [providers.deepseek]"),
    ] {
        refuses(file, message);
    }
}

#[test]
fn an_unknown_variable_is_refused_in_the_words_of_the_environment() {
    for (name, message) in [
        ("LAB3__COMPUTE__QUOTA_GC", "unknown key `compute.quota_gc`; did you mean `LAB3__COMPUTE__QUOTA_GIC`?"),
        ("LAB3__LISTEN", "unknown key `listen`; did you mean `LAB3__SERVER__LISTEN`?"),
        (
            "LAB3__PROVIDERS__DEEPSEK__LATENCY_MS",
            "unknown key `providers.deepsek.latency_ms`; did you mean `LAB3__PROVIDERS__DEEPSEEK__LATENCY_MS`?",
        ),
        ("LAB3__WOMBAT__BURROW", "unknown key `wombat.burrow`; `lab3 config show` lists every key"),
    ] {
        env_refuses(name, "1", &format!("environment {name}: {message}"));
    }
    let flags = [("--set compute.quota", "compute.quota", "1")];
    let message = "flag --set compute.quota: unknown key `compute.quota`; did you mean `compute.quota_gic`?";
    assert_eq!(problems("", &[], &flags), [message]);
}

#[test]
fn every_problem_is_told_at_once() {
    let found = problems("[log]\nlevel = \"loud\"\ncolour = true\n", &[("TRANSACTION_FEE_PERCENT", "free")], &[]);
    let expected = [
        "lab3.toml:2: `log.level` cannot be \"loud\": it takes one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\"",
        "lab3.toml:3: unknown key `log.colour`; the keys of log are format, level, witnesses, witness_seconds",
        "environment TRANSACTION_FEE_PERCENT: `finance.fee_percent` cannot be \"free\": it takes a percentage from 0 to 100, at most 7 decimals",
    ];
    assert_eq!(found, expected);
    let error = resolve(&layers("log.level = 1", &[], &[])).map(|_| ()).unwrap_err().to_string();
    let whole = "the configuration cannot be used\n  lab3.toml:1: `log.level` cannot be 1: it takes one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\"";
    assert_eq!(error, whole);
}

#[test]
fn what_is_not_toml_is_refused_at_its_line() {
    let found = problems("[log]\nlevel = \"info\nformat = \"json\"\n", &[], &[]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("lab3.toml:2: not valid TOML: "), "{found:?}");
    let twice = problems("[log]\nlevel = \"info\"\nlevel = \"info\"\n", &[], &[]);
    assert!(twice[0].starts_with("lab3.toml:3: not valid TOML: duplicate key"), "{twice:?}");
}

#[test]
fn secrets_are_never_printed() {
    let file = "[providers.deepseek]\napi_key = \"tell-nobody-about-this\"\n";
    let env = [("ANTHROPIC_API_KEY", "tell-nobody-either")];
    let resolved = resolve(&layers(file, &env, &[])).unwrap();
    let printed = format!("{resolved:?} {:?} {:?}", resolved.settings, resolved.entries);
    assert!(!printed.contains("tell-nobody") && printed.contains("(set)") && printed.contains("(not set)"), "{printed}");
    assert_eq!(entry(&resolved, "providers.deepseek.api_key").0, "(set)");
    env_refuses(
        "OPENAI_API_KEY",
        "tell nobody",
        "environment OPENAI_API_KEY: `providers.openai_gpt4.api_key` cannot be what it is (a secret, not shown): it takes 1 to 4,096 visible ASCII characters, or \"\" for none",
    );
}

#[test]
fn an_operator_adds_changes_and_disables_providers() {
    let file = r#"
        [providers.openai_gpt4]
        enabled = false
        [providers.deepseek]
        output_cost_gic_per_1k = 0.008
        cached_cost_gic_per_1k = "0.0005"
        [providers.hive-mistral]
        cost_gic_per_1k = 0.0002
        latency_ms = 900
        quality = 0.85
        reliability = 0.9
        context_tokens_max = 128_000
        aliases = ["mistral"]
        fallback = true
    "#;
    let env = [("LAB3__PROVIDERS__HIVE_MISTRAL__LATENCY_MS", "950"), ("LAB3__PROVIDERS__DEEPSEEK__ALIASES", "ds, deep")];
    let resolved = resolve(&layers(file, &env, &[])).unwrap();
    let settings = &resolved.settings;
    let names: Vec<_> = settings.providers.iter().filter(|provider| provider.enabled).map(|provider| &*provider.name).collect();
    assert_eq!(names, ["anthropic_claude", "google_gemini", "deepseek", "local_llama", "hive-mistral"]);
    let deepseek = &settings.providers[3];
    assert_eq!(deepseek.prices.usual.output, TokenRate::from_mic_per_thousand("0.008").ok());
    assert_eq!(deepseek.prices.usual.cached, TokenRate::from_mic_per_thousand("0.0005").ok());
    assert_eq!(deepseek.aliases, ["ds", "deep"]);
    assert_eq!(settings.providers[5].latency_ms, 950);
    assert_eq!(settings.fallback_provider().map(|provider| &*provider.name), Some("hive-mistral"));
    assert_eq!(settings.providers.iter().filter(|provider| provider.fallback).count(), 1);
    assert_eq!(entry(&resolved, "providers.local_llama.fallback").0, "false");
}

#[test]
fn every_price_lands_where_it_belongs() {
    let file = r#"
        [providers.deepseek]
        input_cost_gic_per_1k = 0.003
        output_cost_gic_per_1k = 0.015
        cached_cost_gic_per_1k = 0.0003
        cache_write_5m_cost_gic_per_1k = "0.00375"
        cache_write_1h_cost_gic_per_1k = 0.006
        reasoning_cost_gic_per_1k = 0.000000001
        tool_run_cost_gic = 0.01
        long_above_tokens = 200_000
        long_input_cost_gic_per_1k = 0.0060
        long_output_cost_gic_per_1k = 0.0225
        long_cached_cost_gic_per_1k = 0.0006
        long_cache_write_5m_cost_gic_per_1k = 0.0075
        long_cache_write_1h_cost_gic_per_1k = 0.012
    "#;
    let env = [("LAB3__PROVIDERS__DEEPSEEK__LONG_REASONING_COST_GIC_PER_1K", "1000000")];
    let resolved = resolve(&layers(file, &env, &[])).unwrap();
    let prices = &resolved.settings.providers[3].prices;
    let tier = |rates: [&str; 6]| {
        let [input, output, cached, cache_write_5m, cache_write_1h, reasoning] =
            rates.map(|rate| TokenRate::from_mic_per_thousand(rate).ok());
        Tier { input, output, cached, cache_write_5m, cache_write_1h, reasoning }
    };
    assert_eq!(prices.usual, tier(["0.003", "0.015", "0.0003", "0.00375", "0.006", "0.000000001"]));
    assert_eq!(prices.long, tier(["0.006", "0.0225", "0.0006", "0.0075", "0.012", "1000000"]));
    assert_eq!((prices.long_above_tokens, prices.tool_run), (200_000, Some(mic("0.01"))));
    assert_eq!(entry(&resolved, "providers.deepseek.tool_run_cost_gic"), ("0.01".to_owned(), "lab3.toml:9".to_owned()));
    assert_eq!(entry(&resolved, "providers.deepseek.long_input_cost_gic_per_1k").0, "0.006");
    assert_eq!(entry(&resolved, "providers.openai_gpt4.reasoning_cost_gic_per_1k"), (String::new(), "default".to_owned()));
}

#[test]
fn a_price_that_is_none_is_refused_by_its_key() {
    let price = "it takes a price in MIC per 1,000 tokens from 0 to 1,000,000, at most 9 decimals, or \"\" for none";
    for key in ["cache_write_1h_cost_gic_per_1k", "reasoning_cost_gic_per_1k", "long_cached_cost_gic_per_1k"] {
        for (value, shown) in [("-1", "-1"), ("0.0000000001", "0.0000000001"), ("\"cheap\"", "\"cheap\""), ("1_000_001", "1000001")] {
            let message = format!("lab3.toml:1: `providers.deepseek.{key}` cannot be {shown}: {price}");
            refuses(&format!("providers.deepseek.{key} = {value}"), &message);
        }
    }
    refuses(
        "providers.deepseek.tool_run_cost_gic = 0.0000001",
        "lab3.toml:1: `providers.deepseek.tool_run_cost_gic` cannot be 0.0000001: it takes an amount of MIC from 0 to 1,000,000, at most 6 decimals, or \"\" for none",
    );
    refuses(
        "providers.deepseek.long_above_tokens = \"many\"",
        "lab3.toml:1: `providers.deepseek.long_above_tokens` cannot be \"many\": it takes a whole number from 0 to 1,000,000,000",
    );
    refuses(
        "[providers.deepseek]\nlong_output_cost_gic_per_1k = 0.02\n",
        "lab3.toml:2: `providers.deepseek.long_output_cost_gic_per_1k` says what long queries cost, but `providers.deepseek.long_above_tokens` does not say which are long",
    );
}

#[test]
fn a_provider_must_be_whole_and_alone_in_its_names() {
    refuses(
        "[providers.antropic_claude]\nlatency_ms = 1\n",
        "lab3.toml:2: the provider `antropic_claude` lacks cost_gic_per_1k, quality, reliability, context_tokens_max; did you mean `providers.anthropic_claude`?",
    );
    refuses(
        "[providers.\"GPT 5\"]\nlatency_ms = 1\n",
        "lab3.toml:2: \"GPT 5\" cannot name a provider: a name is 1 to 64 of a-z, 0-9, _ and -, without two _ in a row",
    );
    refuses(
        "[providers.deepseek]\naliases = [\"claude\"]\n",
        "lab3.toml:2: the alias `claude` of the provider `deepseek` already names `anthropic_claude`",
    );
    refuses(
        "[providers.deepseek]\nfallback = true\n[providers.local_llama]\nfallback = true\n",
        "lab3.toml:4: only one provider can be the fallback: `deepseek` and `local_llama` both are",
    );
    refuses(
        "[providers.local_llama]\nenabled = false\n",
        "lab3.toml:2: `compute.local_fallback` is true, but no enabled provider is the fallback: mark one with fallback = true, or set compute.local_fallback = false",
    );
    let without = settings("compute.local_fallback = false\nproviders.local_llama.enabled = false", &[]);
    assert!(without.fallback_provider().is_none());
}

#[test]
fn shares_add_up_to_a_hundred() {
    let shares = |settings: &Settings| settings.finance.epoch_shares.show();
    let file = "[finance.epoch_shares]\npool = 59.9999999\nreserve = \"20\"\n\"did:kaizen:care\" = 20.0000001\n";
    assert_eq!(shares(&settings(file, &[])), "pool = 59.9999999, reserve = 20.0, did:kaizen:care = 20.0000001");
    let env = [("LAB3__FINANCE__EPOCH_SHARES", "pool=60, did:kaizen:care = 40")];
    assert_eq!(shares(&settings("", &env)), "pool = 60.0, did:kaizen:care = 40.0");
    let takes = "it takes percentages by recipient (pool, reserve or a DID) that add up to 100, such as { pool = 60, reserve = 40 }";
    for table in ["{ pool = 99.9999999 }", "{ pool = 60, reserve = 41 }", "{ pool = 150, reserve = -50 }", "{ alice = 100 }", "{}"] {
        refuses(&format!("finance.epoch_shares = {table}"), &format!("lab3.toml:1: `finance.epoch_shares` cannot be a table: {takes}"));
    }
    env_refuses(
        "LAB3__FINANCE__EPOCH_SHARES",
        "pool=50,pool=50",
        &format!("environment LAB3__FINANCE__EPOCH_SHARES: `finance.epoch_shares` cannot be \"pool=50,pool=50\": {takes}"),
    );
}

#[test]
fn a_batch_is_not_longer_than_the_queue() {
    let message = "`engine.batch_len_max` (8192) cannot be more than `engine.queue_len_max` (100)";
    refuses("engine.queue_len_max = 100", &format!("lab3.toml:1: {message}"));
}

#[test]
fn grants_are_open_on_loopback_and_governed_elsewhere() {
    for (file, governed) in [
        ("", false),
        ("server.listen = \"[::1]:0\"", false),
        ("server.listen = \"localhost:0\"", false),
        ("server.listen = \"0.0.0.0:8003\"", true),
        ("server.listen = \"0.0.0.0:8003\"\nfinance.grants = \"open\"", false),
        ("finance.grants = \"governed\"", true),
    ] {
        assert_eq!(settings(file, &[]).grants_governed(), governed, "{file}");
    }
}

#[test]
fn the_template_holds_every_default() {
    let text = template();
    let resolved = resolve(&layers(&text, &[], &[])).unwrap();
    assert_eq!(resolved.settings, settings("", &[]));
    let set: BTreeSet<_> = resolved.entries.iter().filter(|entry| entry.source != Source::Default).map(|entry| &*entry.path).collect();
    for key in keys::KEYS {
        assert!(set.contains(key.path), "{} is not in the template", key.path);
        assert!(text.contains(key.meaning), "the meaning of {} is not in the template", key.path);
    }
    for key in keys::PROVIDER_KEYS {
        assert!(text.contains(&format!("#   {}: {}", key.path, key.meaning)), "{} is not in the template", key.path);
    }
}

#[test]
fn every_default_is_accepted_and_every_key_stands_once() {
    let resolved = resolve(&layers("", &[], &[])).unwrap();
    let paths: BTreeSet<_> = resolved.entries.iter().map(|entry| &*entry.path).collect();
    assert_eq!(paths.len(), resolved.entries.len());
    assert_eq!(paths.len(), keys::KEYS.len() + 5 * keys::PROVIDER_KEYS.len());
    assert!(resolved.entries.iter().all(|entry| entry.source == Source::Default && entry.meaning.ends_with('.')));
}

#[test]
fn every_key_is_on_the_page() {
    let page = include_str!("../../../../docs/configuration.md");
    for key in keys::KEYS {
        let default = key.default.unwrap_or_default();
        let row = format!("| `{}` | `{default}` | {} |", key.path, key.meaning);
        assert!(page.contains(&row), "docs/configuration.md lacks the row\n{row}");
        assert!(key.env.iter().all(|name| page.contains(&format!("| `{name}` | `{}` |", key.path))), "{:?}", key.env);
    }
    for key in keys::PROVIDER_KEYS {
        let default = key.default.map_or_else(|| "must be given".to_owned(), |default| format!("`{default}`"));
        let row = format!("| `{}` | {default} | {} |", key.path, key.meaning);
        assert!(page.contains(&row), "docs/configuration.md lacks the row\n{row}");
    }
    for provider in registry::BUILT_IN {
        for name in provider.api_key_env {
            let row = format!("| `{name}` | `providers.{}.api_key` |", provider.name);
            assert!(page.contains(&row), "docs/configuration.md lacks the row\n{row}");
        }
    }
}
