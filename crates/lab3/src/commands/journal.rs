//! `lab3 journal verify|export|tail|resume`: works on a data folder's journal. All but `resume` only read it, beside a running server or
//! without one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use lab3_engine::{Store as _, read_records, verify as verify_journal};
use lab3_store::SqliteStore;
use serde_json::json;

use super::{Env, configure};
use crate::Failure;
use crate::cli::{DataArgs, ExportFormat, JournalExportArgs, JournalResumeArgs, JournalTailArgs, JournalVerifyArgs};
use crate::config::Settings;
use crate::journal_text::{Accounts, CSV_HEADER, csv_lines, json_line};
use crate::{hive, progress, signer, table};

/// How often `tail --follow` looks for new records.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

/// Checks every record's hash and the books' invariants, and prints the state's hash.
pub fn verify(args: &JournalVerifyArgs, env: &Env) -> Result<(), Failure> {
    let store = open(&args.data, env)?;
    let report = verified(&store)?;
    let mut stdout = std::io::stdout().lock();
    let text = if args.json {
        serde_json::to_string(&report).unwrap_or_default()
    } else {
        let field = |name: &'static str| (name, report[name].as_str().map_or_else(|| report[name].to_string(), str::to_owned));
        table::pairs(&["records", "record_hash", "state_hash", "accounts", "open_holds"].map(field))
    };
    Ok(writeln!(stdout, "{text}")?)
}

/// Verifies a store's journal with a progress bar; the result as a JSON object.
pub(super) fn verified(store: &SqliteStore) -> Result<serde_json::Value, Failure> {
    let bar = progress::bar(last(store)?, "records");
    let verified = verify_journal(store, |done| bar.set_position(done)).map_err(|error| failed(&error))?;
    bar.finish_and_clear();
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    Ok(json!({
        "records": verified.records, "record_hash": hex(&verified.head), "state_hash": hex(&verified.state_hash),
        "accounts": verified.accounts, "open_holds": verified.holds,
    }))
}

/// Writes records as JSON lines or CSV.
pub fn export(args: &JournalExportArgs, env: &Env) -> Result<(), Failure> {
    let store = open(&args.data, env)?;
    let mut out: Box<dyn Write> = match &args.out {
        Some(path) => Box::new(BufWriter::new(File::create(path).map_err(|error| cannot_write(path, &error))?)),
        None => Box::new(BufWriter::new(std::io::stdout().lock())),
    };
    if args.format == ExportFormat::Csv {
        writeln!(out, "{CSV_HEADER}")?;
    }
    let to = args.to.unwrap_or(u64::MAX);
    let bar = progress::bar(last(&store)?.min(to), "records");
    let mut accounts = Accounts::default();
    let mut written = Ok(());
    read_records(&store, 1, |stored| {
        accounts.follow(&stored);
        if stored.sequence.is_multiple_of(4096) {
            bar.set_position(stored.sequence);
        }
        if written.is_ok() && (args.from..=to).contains(&stored.sequence) {
            written = match args.format {
                ExportFormat::Jsonl => writeln!(out, "{}", json_line(&stored, &accounts)),
                ExportFormat::Csv => csv_lines(&stored, &accounts).iter().try_for_each(|line| writeln!(out, "{line}")),
            };
        }
    })
    .map_err(|error| failed(&error))?;
    bar.finish_and_clear();
    written?;
    Ok(out.flush()?)
}

/// Prints the newest records, and with `--follow` those to come.
pub fn tail(args: &JournalTailArgs, env: &Env) -> Result<(), Failure> {
    let store = open(&args.data, env)?;
    let mut accounts = Accounts::default();
    let shown_after = last(&store)?.saturating_sub(args.lines);
    let mut next = 1;
    let mut out = std::io::stdout().lock();
    loop {
        let mut written = Ok(());
        read_records(&store, next, |stored| {
            accounts.follow(&stored);
            next = stored.sequence + 1;
            if stored.sequence > shown_after && written.is_ok() {
                written = writeln!(out, "{}", json_line(&stored, &accounts));
            }
        })
        .map_err(|error| failed(&error))?;
        written?;
        out.flush()?;
        if !args.follow {
            return Ok(());
        }
        std::thread::sleep(FOLLOW_EVERY);
    }
}

/// The settings of the Hive whose files are meant.
/// Goes on as a new log.
pub fn resume(args: &JournalResumeArgs, env: &Env) -> Result<String, Failure> {
    let settings = settings(&args.data, env)?;
    let folder = &settings.data.dir;
    // What is not there is not made by asking for it.
    SqliteStore::open_read_only(folder).map_err(|error| Failure::Other(error.to_string()))?;
    let engine = hive::open(&settings, folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let resumed = runtime.block_on(signer::resume(&engine, folder, &args.reason));
    engine.stop();
    let signer::Resumed { record, signed, key } = resumed?;
    let signed = signed.map_or_else(|| "nobody knows".to_owned(), |signed| signed.to_string());
    eprintln!("Intents signed for the old log no longer count. Tell everybody who checks the books the new key.");
    Ok(table::pairs(&[("record", record.to_string()), ("signed before", signed), ("new key", key)]))
}

pub(super) fn settings(args: &DataArgs, env: &Env) -> Result<Settings, Failure> {
    Ok(configure(&args.config, args.flags(), env)?.settings)
}

fn open(args: &DataArgs, env: &Env) -> Result<SqliteStore, Failure> {
    let folder = settings(args, env)?.data.dir;
    SqliteStore::open_read_only(&folder).map_err(|error| Failure::Other(error.to_string()))
}

fn last(store: &SqliteStore) -> Result<u64, Failure> {
    let last = store.reader().and_then(|mut reader| reader.last());
    last.map_err(|error| Failure::Other(error.to_string()))
}

fn failed(error: &lab3_engine::StartError) -> Failure {
    Failure::Other(error.to_string())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Other(format!("{} cannot be written: {error}", path.display()))
}
