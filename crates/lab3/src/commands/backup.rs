//! `lab3 backup` and `lab3 restore`: a Hive's journal to another folder and back, each copy verified record by record; and its readings with it.

use std::io::Write as _;
use std::path::Path;

use lab3_store::{SqliteStore, copy_journal, copy_readings};

use super::Env;
use super::journal::{settings, verified};
use crate::Failure;
use crate::cli::{BackupArgs, RestoreArgs};
use crate::{progress, table};

/// Copies the journal while the desk stays open.
pub fn backup(args: &BackupArgs, env: &Env) -> Result<(), Failure> {
    copy(&settings(&args.data, env)?.data.dir, &args.to)
}

/// Makes a data folder from a backup.
pub fn restore(args: &RestoreArgs, env: &Env) -> Result<(), Failure> {
    copy(&args.from, &settings(&args.data, env)?.data.dir)
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let failed = |error: lab3_engine::StoreError| Failure::Other(error.to_string());
    let bar = progress::bar(0, "pages");
    let copied = copy_journal(from, to, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let copied = copied.map_err(failed)?;
    let found = verified(&SqliteStore::open_read_only(to).map_err(failed)?)?;
    // Readings are no part of the books: a backup without them is one all the same.
    let readings = copy_readings(from, to).unwrap_or_else(|error| {
        eprintln!("signals and telemetry could not be copied, the journal was: {error}");
        0
    });
    let text = |name: &str| found[name].as_str().map_or_else(|| found[name].to_string(), str::to_owned);
    let rows = [
        ("copied to", to.display().to_string()),
        ("bytes", copied.bytes.to_string()),
        ("bytes of readings", if readings > 0 { readings.to_string() } else { String::new() }),
        ("records", text("records")),
        ("record_hash", text("record_hash")),
        ("state_hash", text("state_hash")),
    ];
    Ok(writeln!(std::io::stdout().lock(), "{}", table::pairs(&rows))?)
}
