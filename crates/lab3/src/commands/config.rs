//! `lab3 config show` and `lab3 config check`

use serde::Serialize;

use super::{Env, configure};
use crate::Failure;
use crate::cli::{ConfigArgs, ConfigShowArgs};
use crate::config::{Entry, template};
use crate::table::list;

#[derive(Serialize)]
struct Shown<'a> {
    key: &'a str,
    value: &'a str,
    source: String,
    meaning: &'a str,
}

/// Every key: its value, where the value came from, what it means.
pub fn show(args: &ConfigShowArgs, env: &Env) -> Result<String, Failure> {
    if args.toml {
        return Ok(template());
    }
    let resolved = configure(&args.config, args.config.flags(), env)?;
    if args.json {
        return super::body(&resolved.entries.iter().map(Shown::of).collect::<Vec<_>>());
    }
    let rows = resolved.entries.into_iter().map(|entry| vec![entry.path, entry.value, entry.source.to_string(), entry.meaning.to_owned()]);
    Ok(list(&["key", "value", "source", "meaning"], &[], rows))
}

/// Says whether the configuration can be used; every problem is in the failure.
pub fn check(args: &ConfigArgs, env: &Env) -> Result<String, Failure> {
    let resolved = configure(args, args.flags(), env)?;
    crate::site::open(&resolved.settings)?;
    let set = resolved.entries.iter().filter(|entry| entry.source != crate::config::Source::Default).count();
    let grants = if resolved.settings.grants_governed() { "governed" } else { "open" };
    Ok(format!("the configuration can be used: {} keys, {set} of them not at their default; grants are {grants}", resolved.entries.len()))
}

impl<'a> Shown<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self { key: &entry.path, value: &entry.value, source: entry.source.to_string(), meaning: entry.meaning }
    }
}
