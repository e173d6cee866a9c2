//! The command line is sound, and refuses what makes no sense with a sentence.

use clap::{CommandFactory as _, Parser as _};

use super::*;

fn parse(line: &str) -> Result<Command, String> {
    let words = std::iter::once("lab3").chain(line.split(' '));
    Cli::try_parse_from(words).map(|cli| cli.command).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_one_sentence_of_help() {
    fn check(command: &clap::Command) {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(about.chars().next().is_some_and(char::is_uppercase), "{}: {about}", sub.get_name());
            check(sub);
        }
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
        }
    }
    check(&Cli::command());
}

#[test]
fn serve_takes_the_flags_of_the_work_item() {
    let Ok(Command::Serve(args)) = parse("serve --data d --listen 127.0.0.1:0 --print-address f --set compute.quota_gic=5") else {
        panic!("serve does not parse");
    };
    let flags: Vec<_> = args.flags().into_iter().map(|flag| format!("{}|{}|{}", flag.name, flag.path, flag.text)).collect();
    let expected = ["--set compute.quota_gic|compute.quota_gic|5", "--data|data.dir|d", "--listen|server.listen|127.0.0.1:0"];
    assert_eq!(flags, expected);
    assert!(matches!(parse("serve --demo --config lab3.toml"), Ok(Command::Serve(args)) if args.demo));
}

#[test]
fn every_command_of_the_work_item_parses() {
    for line in [
        "demo",
        "demo --url http://127.0.0.1:8003",
        "balance did:kaizen:alice --at 3 --url http://h:1 --json",
        "balance did:kaizen:alice --proof --epoch 3",
        "balance --check f --key k",
        "quota did:kaizen:alice",
        "transfer did:kaizen:alice did:kaizen:bob 0.5 --reason tea --key k",
        "grant did:kaizen:solar 1000 Solar",
        "allocate did:kaizen:alice 5000 --priority cost_optimized --min-quality 0.9 --max-cost 1 --provider claude --deadline 2025-11-01T06:00:00Z --dry-run --explain",
        "history did:kaizen:alice --limit 3 --since 7",
        "stats",
        "energy signals --json",
        "energy import f --format entsoe --kind load --zone DE --source s --unit kW --time-zone Europe/Berlin --url http://h:1",
        "journal verify --data d",
        "journal export --format csv --out f --from 2 --to 3",
        "journal tail -n 3 --follow",
        "backup f --data d",
        "restore f --data d",
        "config show --toml",
        "config check --config f",
        "key create service --citizens did:k:a,did:k:b --scopes read,compute --daily-cap-gic 5 --data d --config f --quiet",
        "key list --did did:k:a --json",
        "key revoke 3 --reason lost",
        "key rotate 3 --overlap-seconds 0 --url http://h:1",
        "seal --data d",
        "doctor --data d --config f",
        "wallet new --file f",
        "wallet show --json",
        "wallet sign -",
        "wallet transfer did:k:a did:k:b 1 --reason tea --fee-max-gic 0.1 --valid-seconds 60",
        "wallet share exports.json --counted-max-gic 15 --file alice.pem --valid-seconds 60",
        "intent share - --valid-seconds 60",
        "explain L3-0040",
    ] {
        assert!(parse(line).is_ok(), "{line}: {:?}", parse(line));
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_the_reason() {
    for (line, message) in [
        (
            "balance alice",
            "error: invalid value 'alice' for '[DID]': a DID looks like did:kaizen:alice: did, a method in lower case, an id",
        ),
        ("balance", "error: the following required arguments were not provided:"),
        ("balance --check f", "error: the following required arguments were not provided:"),
        ("balance did:k:a --epoch 3", "error: the following required arguments were not provided:"),
        ("balance did:k:a --check f --key k", "error: the argument '[DID]' cannot be used with '--check <FILE>'"),
        ("transfer did:k:a did:k:b 0", "error: invalid value '0' for '<AMOUNT>': must be more than 0"),
        ("transfer did:k:a did:k:b 0.0000001", "error: invalid value '0.0000001' for '<AMOUNT>': more than 6 decimals"),
        ("transfer did:k:a did:k:b NaN", "error: invalid value 'NaN' for '<AMOUNT>': not a decimal number"),
        ("allocate did:k:a 0", "error: invalid value '0' for '<TOKENS>': 0 is not in 1..=10000000"),
        (
            "allocate did:k:a 1 --min-quality 2",
            "error: invalid value '2' for '--min-quality <MIN_QUALITY>': must be a number from 0 to 1, at most 6 decimals",
        ),
        ("history did:k:a --limit 501", "error: invalid value '501' for '--limit <LIMIT>': 501 is not in 1..=500"),
        (
            "transfer did:k:a did:k:b 1 --key é",
            "error: invalid value 'é' for '--key <KEY>': must be 1 to 255 visible ASCII characters without spaces",
        ),
        ("serve --set quota", "error: invalid value 'quota' for '--set <KEY=VALUE>': write it as KEY=VALUE, such as compute.quota_gic=250"),
        (
            "key create citizen --expires-at tomorrow",
            "error: invalid value 'tomorrow' for '--expires-at <TIME>': write the moment in RFC 3339, such as 2027-01-31T12:00:00Z",
        ),
        ("key create boss", "error: invalid value 'boss' for '<KIND>'"),
        (
            "key rotate 1 --overlap-seconds 2592001",
            "error: invalid value '2592001' for '--overlap-seconds <SECONDS>': 2592001 is not in 0..=2592000",
        ),
        ("seal --data d --url http://h:1", "error: the argument '--data <DIR>' cannot be used with '--url <URL>'"),
        ("serve --demo --data d", "error: the argument '--demo' cannot be used with '--data <DIR>'"),
    ] {
        assert_eq!(parse(line).map(|_| ()), Err(message.to_owned()), "{line}");
    }
}

#[test]
fn what_a_flag_sets_is_not_printed() {
    let printed = format!("{:?}", parse("serve --set providers.deepseek.api_key=tell-nobody-about-this"));
    assert!(printed.contains("providers.deepseek.api_key=...") && !printed.contains("tell-nobody"), "{printed}");
}
