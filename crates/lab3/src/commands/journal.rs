//! `lab3 journal verify|export|tail`: reads a data folder's journal.

use super::{Env, configure};
use crate::Failure;
use crate::cli::{DataArgs, JournalExportArgs, JournalTailArgs, JournalVerifyArgs};
use crate::config::Settings;

/// Checks every record's hash and the books' invariants. Wired by the lead.
pub fn verify(args: &JournalVerifyArgs, env: &Env) -> Result<(), Failure> {
    not_wired(&args.data, env, "journal verify")
}

/// Writes records as JSON lines or CSV. Wired by the lead.
pub fn export(args: &JournalExportArgs, env: &Env) -> Result<(), Failure> {
    not_wired(&args.data, env, "journal export")
}

/// Prints the newest records. Wired by the lead.
pub fn tail(args: &JournalTailArgs, env: &Env) -> Result<(), Failure> {
    not_wired(&args.data, env, "journal tail")
}

/// The settings of the Hive whose files are meant.
pub(super) fn settings(args: &DataArgs, env: &Env) -> Result<Settings, Failure> {
    Ok(configure(&args.config, args.flags(), env)?.settings)
}

fn not_wired(args: &DataArgs, env: &Env, name: &str) -> Result<(), Failure> {
    let settings = settings(args, env)?;
    Err(Failure::Other(format!("{name} of {} is not wired yet", settings.data.dir.display())))
}
