//! `lab3 audit URL`: checks a Hive's books from outside: what was signed, every record, and that it goes on from the last visit.

mod desk;
mod fork;

use std::path::{Path, PathBuf};
use std::time::Duration;

use lab3_audit::{Terms, Verdict, Visit, audit};
use lab3_server::ago;
use lab3_tlog::{KeyKind, Receipt, Seconds, VerifierKey};
use lab3_units::Asset;

use self::desk::Desk;
use super::Env;
use super::key::now;
use crate::Failure;
use crate::cli::AuditArgs;
use crate::progress::bar;
use crate::table::pairs;

/// Checks the books, says what was found, and keeps the visit for the next time. With `--fork` only looks at checkpoints.
pub fn run(args: &AuditArgs, env: &Env) -> Result<String, Failure> {
    let key = args.key.as_deref().map(|key| verifier("--key", key, KeyKind::Note)).transpose()?;
    let mut desk = args.url.as_deref().map(|url| Desk::at(url, env.get("LAB3_KEY").cloned(), Duration::from_secs(args.wait_seconds)));
    if !args.fork.is_empty() {
        return fork::run(&args.fork, key, desk.as_mut());
    }
    let Some(desk) = &mut desk else { return Err(Failure::Usage("name the desk's URL".to_owned())) };
    let terms = terms(args, key)?;
    let mut shown = None;
    let verdict = audit(desk, &terms, |done, all| shown.get_or_insert_with(|| bar(all, "records")).set_position(done));
    if let Some(bar) = shown {
        bar.finish_and_clear();
    }
    if let (Some(file), Some(visit)) = (&args.visit, &verdict.visit) {
        write(file, &visit.to_string())?;
    }
    if verdict.holds() {
        return Ok(told(&verdict));
    }
    eprintln!("{}", told(&verdict));
    if let Some(proof) = &verdict.fork {
        tell_fork(args, &proof.to_string())?;
    }
    let mut faults = verdict.faults.iter().map(ToString::to_string).collect::<Vec<_>>();
    if verdict.faults_more > 0 {
        faults.push(format!("and {} more", verdict.faults_more));
    }
    Err(Failure::Other(format!("the books do not hold:\n  {}", faults.join("\n  "))))
}

/// What the auditor goes by.
fn terms(args: &AuditArgs, key: Option<VerifierKey>) -> Result<Terms, Failure> {
    let last = args.visit.as_ref().map(visited).transpose()?.flatten();
    let witnesses = args.witnesses.iter().map(|text| verifier("--witness", text, KeyKind::Cosignature)).collect::<Result<Vec<_>, _>>()?;
    let witnesses_needed = args.witnesses_needed.unwrap_or(witnesses.len());
    if witnesses_needed > witnesses.len() {
        let given = witnesses.len();
        return Err(Failure::Usage(format!("--witnesses-needed {witnesses_needed}: only {given} were given with --witness")));
    }
    let witnessed_since = Seconds::new(now_seconds().saturating_sub(args.witnessed_within_seconds));
    let receipts = args.receipts.iter().map(receipt).collect::<Result<_, _>>()?;
    Ok(Terms { key, last, witnesses, witnesses_needed, witnessed_since, receipts, ..Terms::default() })
}

fn verifier(flag: &str, text: &str, kind: KeyKind) -> Result<VerifierKey, Failure> {
    let key = VerifierKey::parse(text).map_err(|error| Failure::Usage(format!("{flag}: {error}")))?;
    match (key.kind() == kind, kind) {
        (true, _) => Ok(key),
        (false, KeyKind::Note) => Err(Failure::Usage(format!("{flag}: this is a witness's key; a log's is what its /lab3/log/key gives"))),
        (false, KeyKind::Cosignature) => {
            Err(Failure::Usage(format!("{flag}: this is a log's key; a witness's is what its /lab3/witness/key gives")))
        }
    }
}

/// Seconds since 1970.
fn now_seconds() -> u64 {
    u64::try_from(now().millis().div_euclid(1000)).unwrap_or(0)
}

/// Hands on the proof of two stories: in a file where there is a place for one, else on stdout.
fn tell_fork(args: &AuditArgs, proof: &str) -> Result<(), Failure> {
    let beside = |visit: &PathBuf| {
        let mut path = visit.clone().into_os_string();
        path.push(".fork");
        PathBuf::from(path)
    };
    let Some(file) = args.proof.clone().or_else(|| args.visit.as_ref().map(beside)) else {
        println!("{proof}");
        return Ok(());
    };
    write(&file, proof)?;
    let shown = file.display();
    eprintln!("the log told two stories: {shown} proves it to anybody (lab3 audit --fork {shown}); keep it, and show it to others");
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|error| Failure::Other(format!("{} cannot be written: {error}", file.display())))
}

/// The last visit, if there was one.
fn visited(file: &PathBuf) -> Result<Option<Visit>, Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => Visit::parse(&text).map(Some).map_err(|error| Failure::Other(format!("{}: {error}", file.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Other(format!("{}: {error}", file.display()))),
    }
}

/// A receipt: the note `--receipt` of other commands wrote, or the header's text as it came.
fn receipt(file: &PathBuf) -> Result<Vec<u8>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::Other(format!("{}: {error}", file.display())))?;
    Ok(Receipt::from_header(text.trim()).unwrap_or(text).into_bytes())
}

fn told(verdict: &Verdict) -> String {
    let figures = &verdict.figures;
    let mic = |amount| format!("{} MIC", Asset::MIC.decimal(amount));
    let follows = verdict.follows.map_or_else(|| "this is the first visit".to_owned(), |size| format!("record {size}, seen last time"));
    let seen = |(key, at): &(VerifierKey, Seconds)| format!("{}, {}", key.name(), ago(now_seconds().saturating_sub(at.get())));
    let mut lines = vec![
        ("log", verdict.checkpoint.as_ref().map(|checkpoint| checkpoint.origin.clone()).unwrap_or_default()),
        ("key", verdict.key.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("records", figures.records.to_string()),
        ("goes on from", follows),
        ("accounts", figures.accounts.to_string()),
        ("open holds", figures.holds_open.to_string()),
        ("keys", figures.keys.to_string()),
        ("supply", mic(figures.supply)),
    ];
    if !verdict.witnesses.is_empty() {
        lines.push(("seen by", verdict.witnesses.iter().map(seen).collect::<Vec<_>>().join("; ")));
    }
    if verdict.receipts > 0 {
        lines.push(("receipts kept", verdict.receipts.to_string()));
    }
    lines.push(("verdict", if verdict.holds() { "every check holds" } else { "the books do not hold" }.to_owned()));
    pairs(&lines)
}
