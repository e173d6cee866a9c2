//! What the client commands send, and what they print.

use clap::Parser as _;

use super::*;
use crate::fake_desk::{Asked, desk_replying};

/// Runs a client command against a desk with that reply; gives what it printed and what it asked.
fn run(line: &str, status: u16, reply: &str) -> (Result<String, String>, Asked) {
    let (client, asked) = desk_replying(status, reply);
    let printed = match Cli::try_parse_from(words(line)).unwrap().command {
        Command::Balance(args) => balance::run(&client, &args),
        Command::Quota(args) => quota::run(&client, &args),
        Command::Transfer(args) => transfer::run(&client, &args),
        Command::Grant(args) => grant::run(&client, &args),
        Command::Allocate(args) => allocate::run(&client, &args),
        Command::History(args) => history::run(&client, &args),
        Command::Stats(args) => stats::run(&client, &args),
        Command::Energy(command) => energy::run(&client, &command, &Env::new()),
        other => panic!("not a client command: {other:?}"),
    };
    (printed.map_err(|failure| failure.to_string()), asked.recv().unwrap())
}

/// Splits at spaces; an underscore inside `'...'` stands for a space.
fn words(line: &str) -> Vec<String> {
    std::iter::once("lab3")
        .chain(line.split(' '))
        .map(|word| match word.strip_prefix('\'') {
            Some(quoted) => quoted.trim_end_matches('\'').replace('_', " "),
            None => word.to_owned(),
        })
        .collect()
}

/// The lines without the blanks that align them.
fn lines(printed: &str) -> Vec<String> {
    printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn balance() {
    let reply = r#"{"citizen_did":"did:kaizen:alice","balance_gic":9223372036854.775807,"held_gic":0.0,"available_gic":9223372036854.775807,"sequence":17}"#;
    let (printed, asked) = run("balance did:web:x%3A1 --at 17", 200, reply);
    assert_eq!(asked.line, "GET /lab3/financial/balance/did:web:x%253A1?at=17 HTTP/1.1");
    let expected = [
        " citizen       did:kaizen:alice",
        " balance       9223372036854.775807 MIC",
        " held          0.0 MIC",
        " available     9223372036854.775807 MIC",
        " as of record  17",
    ];
    assert_eq!(printed.unwrap().lines().map(str::to_owned).collect::<Vec<_>>(), expected.map(|line| line[1..].to_owned()));
}

#[test]
fn a_proof_is_the_file_as_it_is() {
    let file = "lab3 balance 1\naccount: 3\n\nhash\n\nc2sp.org/tlog-proof@v1\n";
    let (printed, asked) = run("balance did:kaizen:alice --proof", 200, file);
    assert_eq!((asked.line.as_str(), printed.unwrap().as_str()), ("GET /lab3/financial/balance/did:kaizen:alice/proof HTTP/1.1", file));
    let (_, asked) = run("balance did:kaizen:alice --proof --epoch 4", 200, file);
    assert_eq!(asked.line, "GET /lab3/financial/balance/did:kaizen:alice/proof?epoch=4 HTTP/1.1");
}

#[test]
fn json_is_the_reply_as_it_is() {
    let reply = "{\"balance_gic\":1.500000,\n \"unknown\":[]}";
    assert_eq!(run("balance did:kaizen:alice --json", 200, reply).0.unwrap(), reply);
}

#[test]
fn quota() {
    let reply = r#"{"citizen_did":"did:kaizen:alice","quota_remaining_gic":99.925,"default_quota_gic":100.0,"held_gic":0.075,"used_gic":0.0,"period":"2026-11","resets_at":"2026-12-01T00:00:00Z"}"#;
    let (printed, asked) = run("quota did:kaizen:alice", 200, reply);
    assert_eq!(asked.line, "GET /lab3/compute/quota/did:kaizen:alice HTTP/1.1");
    let expected = [
        "citizen did:kaizen:alice",
        "remaining 99.925 MIC",
        "held 0.075 MIC",
        "used 0.0 MIC",
        "allowance 100.0 MIC",
        "month 2026-11",
        "renewed 2026-12-01T00:00:00Z",
    ];
    assert_eq!(lines(&printed.unwrap()), expected);
}

#[test]
fn transfer() {
    let reply = r#"{"tx_id":"tx_1","type":"transfer","amount_gic":50.0,"fee_gic":0.0005,"timestamp":"2025-10-31T14:30:00Z","sequence":4}"#;
    let (printed, asked) = run("transfer did:kaizen:alice did:kaizen:bob 50.000001 --reason 'API_credits' --key invoice-17", 200, reply);
    assert_eq!(asked.line, "POST /lab3/financial/transfer HTTP/1.1");
    assert_eq!(asked.header("idempotency-key"), Some("invoice-17"));
    assert_eq!(asked.body, r#"{"from_did":"did:kaizen:alice","to_did":"did:kaizen:bob","amount":50.000001,"reason":"API credits"}"#);
    let expected = ["transaction tx_1", "amount 50.0 MIC", "fee 0.0005 MIC", "time 2025-10-31T14:30:00Z", "record 4"];
    assert_eq!(lines(&printed.unwrap()), expected);
}

#[test]
fn grant() {
    let reply = r#"{"tx_id":"tx_2","type":"grant","amount_gic":1000.0,"project":"Solar","timestamp":"2025-10-31T14:30:00Z","pool_balance_remaining":49000.0,"sequence":5}"#;
    let (printed, asked) = run("grant did:kaizen:solar 1e3 'Solar_Microgrid'", 200, reply);
    assert_eq!(asked.line, "POST /lab3/financial/grant HTTP/1.1");
    assert_eq!(asked.body, r#"{"recipient_did":"did:kaizen:solar","amount":1000.0,"project":"Solar Microgrid"}"#);
    assert_eq!(lines(&printed.unwrap())[3], "left in the pool 49000.0 MIC");
}

#[test]
fn allocate_sends_only_what_was_said() {
    let reply = r#"{"provider":"deepseek","estimated_cost_gic":0.01,"estimated_latency_ms":1200,"quota_remaining":99.99,"fallback_provider":null,"reason":"Best score","allocation_id":"al_1","expires_at":"2025-10-31T14:45:00Z","dry_run":false,"sequence":6}"#;
    let (printed, asked) = run("allocate did:kaizen:alice 5000", 200, reply);
    assert_eq!(asked.body, r#"{"citizen_did":"did:kaizen:alice","query_tokens":5000}"#);
    let expected = [
        "provider deepseek",
        "reason Best score",
        "estimated cost 0.01 MIC",
        "estimated latency 1200 ms",
        "quota remaining 99.99 MIC",
        "allocation al_1",
        "expires 2025-10-31T14:45:00Z",
    ];
    assert_eq!(lines(&printed.unwrap()), expected);
}

#[test]
fn allocate_tells_when_a_query_runs_that_may_wait() {
    let reply = r#"{"provider":"local_llama","reason":"Best score","allocation_id":"al_1","expires_at":"2025-11-01T03:14:57.5Z","deferral":{
        "deadline":"2025-11-01T06:00:00Z","run_at":"2025-11-01T02:00:00Z","run_until":"2025-11-01T02:59:57.5Z","carbon_g_per_kwh":120.0,
        "at_once_carbon_g_per_kwh":400.0,"saved_percent":70.0,"energy_wh":null,"carbon_saved_g":null,"reason":"Cleaner"}}"#;
    let (printed, asked) = run("allocate did:kaizen:alice 5000 --deadline 2025-11-01T07:00:00+01:00", 200, reply);
    assert_eq!(asked.body, r#"{"citizen_did":"did:kaizen:alice","query_tokens":5000,"deadline":"2025-11-01T06:00:00Z"}"#);
    let expected = [
        "provider local_llama",
        "reason Best score",
        "run at 2025-11-01T02:00:00Z",
        "at the latest 2025-11-01T02:59:57.5Z",
        "why then Cleaner",
        "carbon then 120.0 g/kWh",
        "carbon at once 400.0 g/kWh",
        "saved 70.0 %",
        "allocation al_1",
        "expires 2025-11-01T03:14:57.5Z",
    ];
    assert_eq!(lines(&printed.unwrap()), expected);
}

#[test]
fn allocate_explains() {
    let reply = r#"{"provider":"anthropic_claude","allocation_id":null,"expires_at":null,"dry_run":true,"providers":[
        {"provider":"anthropic_claude","eligible":true,"excluded_by":null,"cost_gic":0.075,"latency_ms":600,"quality":0.97,"reliability":0.99,"score":0.778,"terms":{"cost":0.0}},
        {"provider":"deepseek","eligible":false,"excluded_by":"quality 0.88 is below 0.90","cost_gic":0.01,"latency_ms":1200,"quality":0.88,"reliability":0.95,"score":null,"terms":null}]}"#;
    let line = "allocate did:kaizen:alice 5000 --priority quality_optimized --min-quality 0.9 --max-cost 0.10 --provider claude --dry-run --explain";
    let (printed, asked) = run(line, 200, reply);
    let expected = r#"{"citizen_did":"did:kaizen:alice","query_tokens":5000,"priority":"quality_optimized","min_quality":0.90,"max_cost_gic":0.1,"preferred_provider":"claude","dry_run":true,"explain":true}"#;
    assert_eq!(asked.body, expected);
    let lines = lines(&printed.unwrap());
    assert_eq!(lines[1], "allocation none: a dry run holds nothing");
    assert!(lines.contains(&"provider score cost MIC latency ms quality reliability excluded by".to_owned()), "{lines:#?}");
    assert!(lines.contains(&"anthropic_claude 0.778 0.075 600 0.97 0.99".to_owned()), "{lines:#?}");
    assert!(lines.contains(&"deepseek 0.01 1200 0.88 0.95 quality 0.88 is below 0.90".to_owned()), "{lines:#?}");
}

#[test]
fn history() {
    let reply = r#"{"transactions":[
        {"tx_id":"tx_2","type":"grant","from_did":"hive:pool","to_did":"did:kaizen:a","amount_gic":1000.0,"timestamp":"2025-10-31T14:30:00Z","metadata":{"project":"Solar"},"sequence":5},
        {"tx_id":"tx_1","type":"transfer","from_did":"did:kaizen:a","to_did":"did:kaizen:b","amount_gic":0.5,"timestamp":"2025-10-31T14:29:00Z","metadata":{"reason":"tea"},"sequence":4}],"next":"4"}"#;
    let (printed, asked) = run("history did:kaizen:a --limit 2 --since 3", 200, reply);
    assert_eq!(asked.line, "GET /lab3/financial/transactions?did=did:kaizen:a&since=3&limit=2 HTTP/1.1");
    let lines = lines(&printed.unwrap());
    assert_eq!(lines[0], "record time type from to MIC what for");
    assert_eq!(lines[2], "5 2025-10-31T14:30:00Z grant hive:pool did:kaizen:a 1000.0 Solar");
    assert!(lines.contains(&"4 2025-10-31T14:29:00Z transfer did:kaizen:a did:kaizen:b 0.5 tea".to_owned()), "{lines:#?}");
}

#[test]
fn stats() {
    let reply = r#"{"total_allocations":3,"open_allocations":1,"queries_this_month":2,"total_cost_this_month":0.156,"avg_cost_per_query":0.078,"active_citizens":1,"provider_health":{"deepseek":1},"providers":{"deepseek":{"state":"closed","success_rate":1.0,"latency_ms_p50":1100,"latency_ms_p95":1900,"queries":2,"cost_gic":0.156}},"period":"2026-11"}"#;
    let (printed, asked) = run("stats", 200, reply);
    assert_eq!(asked.line, "GET /lab3/compute/stats HTTP/1.1");
    let lines = lines(&printed.unwrap());
    assert_eq!(lines[2], "cost 0.156 MIC");
    assert!(lines.contains(&"deepseek closed 1.0 1100 1900 2 0.156".to_owned()), "{lines:#?}");
}

#[test]
fn a_refusal_is_the_failure() {
    let reply = r#"{"code":"L3-0040","title":"Not enough MIC","status":402,"field":"amount","detail":"Too little."}"#;
    let (printed, _) = run("transfer did:kaizen:alice did:kaizen:bob 50", 402, reply);
    assert_eq!(printed.unwrap_err(), "error[L3-0040]: Not enough MIC\n  Too little.\n  field: amount\n  help: lab3 explain L3-0040");
}

#[test]
fn config_show_names_value_and_source_and_no_secret() {
    let env = Env::from([("DEEPSEEK_API_KEY".to_owned(), "a-token-nobody-may-see".to_owned())]);
    let args = crate::cli::ConfigShowArgs::default();
    let printed = config::show(&args, &env).unwrap();
    assert!(!printed.contains("nobody-may-see"), "{printed}");
    let lines = lines(&printed);
    assert!(lines.iter().any(|line| line.starts_with("providers.deepseek.api_key (set) environment DEEPSEEK_API_KEY ")), "{printed}");
    let fee = "providers.deepseek.latency_ms 1200 default Expected latency in milliseconds; measured latency replaces it.";
    assert!(lines.contains(&fee.to_owned()), "{printed}");
    let json = config::show(&crate::cli::ConfigShowArgs { json: true, ..args }, &env).unwrap();
    assert!(json.contains(r#"{"key":"compute.quota_gic","value":"100.0","source":"default","#), "{json}");
    assert!(!json.contains("nobody-may-see"), "{json}");
}

#[test]
fn config_check_answers_with_a_sentence_or_the_problems() {
    let check = |env: Env| config::check(&ConfigArgs::default(), &env).map_err(|failure| (failure.to_string(), failure.exit_code()));
    let good = check(Env::from([("DEFAULT_CITIZEN_QUOTA_GIC".to_owned(), "5".to_owned())])).unwrap();
    let keys = crate::config::keys::KEYS.len() + 5 * crate::config::keys::PROVIDER_KEYS.len();
    assert_eq!(good, format!("the configuration can be used: {keys} keys, 1 of them not at their default; grants are open"));
    let (message, exit_code) = check(Env::from([("LAB3__LOG__LEVEL".to_owned(), "loud".to_owned())])).unwrap_err();
    let expected = "error: the configuration cannot be used\n  environment LAB3__LOG__LEVEL: `log.level` cannot be \"loud\": \
                    it takes one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\"";
    assert_eq!((&*message, exit_code), (expected, 1));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let args = ConfigArgs { config: Some("/nowhere/lab3.toml".into()), ..ConfigArgs::default() };
    let message = config::check(&args, &Env::new()).unwrap_err().to_string();
    let expected = "error: the configuration cannot be used\n  the configuration file /nowhere/lab3.toml cannot be read: No such file or directory (os error 2)";
    assert_eq!(message, expected);
}

#[test]
fn energy_signals() {
    let reply = r#"{"signals":[{"kind":"load","zone":"house","source":"meter","detail":"","unit":"kW","step_minutes":15.0,"first":"2026-11-22T00:00:00Z","end":"2026-11-23T00:00:00Z","measured":90,"forecast":0,"filled":6,"written_at":"2026-11-23T01:00:00Z"}],"fetches":[{"from":"https://x.example/y?...","every_minutes":30.0,"last_success":null,"last_values":null,"last_failure":"2026-11-23T01:00:00Z","last_error":"it answered 503","failures":2,"next":"2026-11-23T01:02:00Z"}]}"#;
    let (printed, asked) = run("energy signals", 200, reply);
    assert_eq!(asked.line, "GET /lab3/energy/signals HTTP/1.1");
    let printed = lines(&printed.unwrap());
    assert_eq!(printed[0], "kind zone source detail unit minutes first end measured forecast filled written");
    assert_eq!(printed[2], "load house meter kW 15 2026-11-22T00:00:00Z 2026-11-23T00:00:00Z 90 0 6 2026-11-23T01:00:00Z");
    assert_eq!(printed[6], "https://x.example/y?... 30 2026-11-23T01:00:00Z it answered 503 2 2026-11-23T01:02:00Z");
    let (printed, _) = run("energy signals", 200, r#"{"signals":[],"fetches":[]}"#);
    assert_eq!(printed.unwrap(), "no signals yet; lab3 energy import FILE gives the desk some");
}

#[test]
fn energy_import() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("meter.csv");
    std::fs::write(&file, "time,load\n2026-11-22T00:00Z,3\n").unwrap();
    let reply = r#"{"format":"csv","doubtful":true,"signals":[{"signal":{"kind":"load","zone":"house","source":"meter","detail":"","first":"2026-11-22T00:00:00Z","end":"2026-11-22T01:00:00Z"},"sent":1,"written":1,"findings":[{"detail":"times have no offset","doubt":true},{"detail":"values are in W","doubt":false}]}]}"#;
    let line = format!("energy import {} --format csv --kind load --zone house --mic-per-currency 2.5", file.display());
    let (printed, asked) = run(&line, 200, reply);
    assert_eq!(asked.line, "POST /lab3/energy/signals HTTP/1.1");
    let sent = r#"{"content":"time,load\n2026-11-22T00:00Z,3\n","format":"csv","kind":"load","zone":"house","mic_per_currency":2.5}"#;
    assert_eq!(asked.body, sent);
    let expected = [
        "read as csv",
        "",
        "kind zone source detail first end sent written",
        "load house meter 2026-11-22T00:00:00Z 2026-11-22T01:00:00Z 1 1",
        "",
        "look: times have no offset",
        "note: values are in W",
    ];
    let printed: Vec<String> = lines(&printed.unwrap()).into_iter().filter(|line| !line.starts_with('\u{2500}')).collect();
    assert_eq!(printed, expected);
    for line in ["energy import x --format xls", "energy import x --kind carbon"] {
        assert!(Cli::try_parse_from(words(line)).is_err(), "{line}");
    }
}

#[test]
fn energy_share() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("exports.json");
    let request = r#"{"payer_did":"did:kaizen:alice","device":"grid","rule":"equal"}"#;
    std::fs::write(&file, request).unwrap();
    let reply = r#"{"tx_id":"tx_06f2x1w0v7r9h3kz8q5d4c2bgm","from":"2026-11-22T00:00:00Z","to":"2026-11-23T00:00:00Z","amount_gic":12.5,"exported_kwh":null,"measured":false,"rule":"equal","members":[{"did":"did:kaizen:bob","weight":1,"amount_gic":12.5}],"sequence":7}"#;
    let (printed, asked) = run(&format!("energy share {} --key k1", file.display()), 200, reply);
    assert_eq!((asked.line.as_str(), asked.body.as_str()), ("POST /lab3/energy/exports/share HTTP/1.1", request));
    let printed = lines(&printed.unwrap());
    assert!(
        ["shared 12.5 MIC", "rule equal", "did:kaizen:bob 1 12.5"].iter().all(|line| printed.iter().any(|other| other == line)),
        "{printed:?}"
    );
}

#[test]
fn energy_exports() {
    let reply = r#"{"sharings":[{"tx_id":"tx_06f2x1w0v7r9h3kz8q5d4c2bgm","payer_did":"did:kaizen:alice","device":"grid","from":"2026-11-22T00:00:00Z","to":"2026-11-23T00:00:00Z","amount_gic":12.5,"exported_kwh":160.25,"measured":true,"rule":"weights","members":12,"timestamp":"2026-11-23T01:00:00Z"}]}"#;
    let (printed, asked) = run("energy exports --payer did:kaizen:alice", 200, reply);
    assert_eq!(asked.line, "GET /lab3/energy/exports?payer_did=did:kaizen:alice HTTP/1.1");
    let expected = "2026-11-22T00:00:00Z 2026-11-23T00:00:00Z grid did:kaizen:alice 12.5 160.25 weights 12 tx_06f2x1w0v7r9h3kz8q5d4c2bgm";
    assert_eq!(lines(&printed.unwrap())[2], expected);
    let (printed, _) = run("energy exports", 200, r#"{"sharings":[]}"#);
    assert_eq!(printed.unwrap(), "nothing was shared yet; lab3 energy share FILE does");
}
