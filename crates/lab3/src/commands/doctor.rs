//! `lab3 doctor`: how a Hive stands, a line each. Only reads, beside a running desk or without one.

mod energy;
mod files;
mod governed;
mod signer;
mod standing;
mod witnesses;

use std::io::Write as _;
use std::path::PathBuf;

use lab3_engine::Store as _;
use lab3_store::SqliteStore;
use lab3_trust::State;

use super::key::{now, read_trust};
use super::{Env, configure};
use crate::Failure;
use crate::cli::DoctorArgs;
use crate::config::Resolved;
use crate::hive::policy;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// As it should be.
    Ok,
    /// Worth a look: it may be meant so.
    Look,
    /// Wrong.
    Bad,
}

/// What was found, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    mark: Mark,
    what: String,
    /// Empty when there is nothing to do.
    help: String,
}

impl Finding {
    fn ok(what: impl Into<String>) -> Self {
        Self { mark: Mark::Ok, what: what.into(), help: String::new() }
    }

    fn look(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { mark: Mark::Look, what: what.into(), help: help.into() }
    }

    fn bad(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { mark: Mark::Bad, what: what.into(), help: help.into() }
    }

    fn line(&self) -> String {
        let mark = match self.mark {
            Mark::Ok => "ok  ",
            Mark::Look => "look",
            Mark::Bad => "bad ",
        };
        let help = if self.help.is_empty() { String::new() } else { format!("\n      help: {}", self.help) };
        format!("{mark}  {}{help}", self.what)
    }
}

/// What the journal of a Hive tells.
struct Books {
    trust: State,
    records: u64,
}

/// Prints how the Hive stands. Something bad is a failure.
pub fn run(args: &DoctorArgs, env: &Env) -> Result<(), Failure> {
    let (config, flags) = (&args.data.config, args.data.flags());
    let file = config.config.clone().or_else(|| env.get("LAB3_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from));
    let findings = examine(&configure(config, flags, env)?, file);
    let mut stdout = std::io::stdout().lock();
    findings.iter().try_for_each(|finding| writeln!(stdout, "{}", finding.line()))?;
    stdout.flush()?;
    match findings.iter().filter(|finding| finding.mark == Mark::Bad).count() {
        0 => Ok(()),
        1 => Err(Failure::Other("one of these is bad".to_owned())),
        bad => Err(Failure::Other(format!("{bad} of these are bad"))),
    }
}

fn examine(resolved: &Resolved, config: Option<PathBuf>) -> Vec<Finding> {
    let settings = &resolved.settings;
    let data = &settings.data.dir;
    let (books, mut findings) = match books(data) {
        Ok(books) => (books, Vec::new()),
        Err(finding) => (None, vec![finding]),
    };
    if let Some(Books { trust, records }) = &books {
        findings.extend(standing::findings(trust, now(), data));
        findings.extend(governed::findings(trust, &policy(settings)));
        findings.extend(signer::findings(trust.inscription(), *records, data));
        let seconds = u64::try_from(now().millis().div_euclid(1000)).unwrap_or(0);
        findings.extend(witnesses::findings(settings, data, seconds));
    }
    findings.push(standing::listening(books.as_ref().is_none_or(|books| books.trust.is_open()), settings.server.listen));
    findings.extend(files::folder(data));
    findings.extend(config.and_then(|path| files::configuration(&path, &resolved.entries)));
    findings.extend(files::space(data));
    findings.extend(energy::readings(data));
    findings.extend(energy::site(settings));
    findings.extend(standing::providers(&settings.providers));
    findings
}

fn books(data: &std::path::Path) -> Result<Option<Books>, Finding> {
    if !data.join("journal.db").exists() {
        let help = "lab3 serve makes one there, or name another folder with --data DIR";
        return Err(Finding::look(format!("there is no Hive in {}", data.display()), help));
    }
    let unreadable = |error: &dyn std::fmt::Display| {
        let help = "restore a backup to another folder: lab3 restore BACKUP --data DIR";
        Finding::bad(format!("the journal in {} cannot be read: {error}", data.display()), help)
    };
    let store = SqliteStore::open_read_only(data).map_err(|error| unreadable(&error))?;
    let records = store.reader().and_then(|mut reader| reader.last()).map_err(|error| unreadable(&error))?;
    let trust = read_trust(&store).map_err(|failure| unreadable(&failure))?;
    Ok(Some(Books { trust, records }))
}

#[cfg(test)]
mod tests;
