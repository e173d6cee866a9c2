//! Lays the layers over each other: every value is checked, the last one wins and is remembered with its source.

use std::collections::BTreeMap;

use super::file::raw_of;
use super::keys::{KEYS, Key, PROVIDER_KEYS};
use super::nearest::{nearest, nearest_key};
use super::registry::{BUILT_IN, built_in};
use super::setting::is_name;
use super::{ConfigFile, ConfigProblem, ConfigProblems, Provider, Raw, Settings, Source, env};

/// What is laid over the defaults, from the bottom up. Not printable: it may hold secrets.
#[derive(Default)]
pub struct Layers {
    /// The configuration file, when there is one.
    pub file: Option<ConfigFile>,
    /// The environment variables.
    pub env: BTreeMap<String, String>,
    /// The flags that set a key.
    pub flags: Vec<Flag>,
}

/// A flag that sets a key: `--listen ADDR:PORT` sets `server.listen`.
pub struct Flag {
    /// The flag's name, with its dashes.
    pub name: String,
    /// The key it sets.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The settings, and for each key its value as text and its source.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The values.
    pub settings: Settings,
    /// Every key, in the order of the table; the providers last.
    pub entries: Vec<Entry>,
}

/// One key as `lab3 config show` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key's whole path.
    pub path: String,
    /// Its value; a secret shows only whether it is set.
    pub value: String,
    /// The layer the value came from.
    pub source: Source,
    /// What the key means.
    pub meaning: &'static str,
}

/// A value some layer gave, before it is known whether such a key exists.
pub(super) struct Given {
    pub path: String,
    pub raw: Raw,
    pub source: Source,
}

/// Whether the path names a section, or one provider.
pub(super) fn is_section(path: &str) -> bool {
    path == "providers" || path.starts_with("providers.") || KEYS.iter().any(|key| key.path.split('.').next() == Some(path))
}

/// Lays the layers over the defaults.
pub fn resolve(layers: &Layers) -> Result<Resolved, ConfigProblems> {
    let mut problems = Vec::new();
    let mut given = layers.file.as_ref().map_or_else(Vec::new, |file| file.given(&mut problems));
    let names = provider_names(&given, &mut problems);
    given.extend(env::given(&layers.env));
    for flag in &layers.flags {
        let source = Source::Flag(flag.name.clone());
        given.push(Given { path: flag.path.clone(), raw: Raw::Loose(flag.text.clone()), source });
    }
    spell_providers(&mut given, &names);
    refuse_unknown(&given, &names, &mut problems);

    let mut settings = Settings::blank();
    let mut entries = Vec::new();
    for key in KEYS {
        let given = given.iter().filter(|given| given.path == key.path);
        entries.extend(read(&mut settings, key, key.path.to_owned(), key.default, given, &mut problems));
    }
    for name in &names {
        settings.providers.push(provider(name, &given, &mut entries, &mut problems));
    }
    settle_fallback(&mut settings, &mut entries);
    if problems.is_empty() {
        check_together(&settings, &entries, &mut problems);
    }
    problems.sort_by_key(|problem| match problem.source {
        Source::File { line, .. } => (0, line),
        Source::Default | Source::Env(_) | Source::Flag(_) => (1, 0),
    });
    if problems.is_empty() { Ok(Resolved { settings, entries }) } else { Err(ConfigProblems(problems)) }
}

/// The specification's providers and those the file adds.
fn provider_names(file: &[Given], problems: &mut Vec<ConfigProblem>) -> Vec<String> {
    let mut names: Vec<String> = BUILT_IN.iter().map(|provider| provider.name.to_owned()).collect();
    for given in file {
        let name = given.path.strip_prefix("providers.").and_then(|rest| rest.rsplit_once('.')).map(|(name, _)| name);
        match name {
            Some(name) if names.iter().any(|known| known == name) => {}
            Some(name) if is_name(name) => names.push(name.to_owned()),
            Some(name) => {
                let message = format!("{name:?} cannot name a provider: a name is 1 to 64 of a-z, 0-9, _ and -, without two _ in a row");
                let problem = ConfigProblem::new(&given.source, message);
                // One complaint a name, at its first key.
                if !problems.iter().any(|known| known.message == problem.message) {
                    problems.push(problem);
                }
            }
            None => {}
        }
    }
    names
}

/// Variables cannot spell a dash: `LAB3__PROVIDERS__MY_MODEL__...` means `providers.my-model`, where that one exists.
fn spell_providers(given: &mut [Given], names: &[String]) {
    for given in given.iter_mut().filter(|given| matches!(given.source, Source::Env(_))) {
        let Some((name, key)) = given.path.strip_prefix("providers.").and_then(|rest| rest.split_once('.')) else { continue };
        let meant = names.iter().find(|known| *known == name).or_else(|| names.iter().find(|known| known.replace('-', "_") == name));
        if let Some(meant) = meant {
            given.path = format!("providers.{meant}.{key}");
        }
    }
}

fn refuse_unknown(given: &[Given], names: &[String], problems: &mut Vec<ConfigProblem>) {
    let of_providers = names.iter().flat_map(|name| PROVIDER_KEYS.iter().map(move |key| format!("providers.{name}.{}", key.path)));
    let known: Vec<String> = KEYS.iter().map(|key| key.path.to_owned()).chain(of_providers).collect();
    for given in given {
        let misnamed = problems.iter().any(|problem| problem.source == given.source);
        if known.contains(&given.path) || misnamed {
            continue;
        }
        let spoken = |key: &str| match given.source {
            Source::Env(_) => env::variable_of(key),
            _ => key.to_owned(),
        };
        let help = match nearest_key(&given.path, &known) {
            Some(key) => format!("did you mean `{}`?", spoken(key)),
            None => keys_of_section(&given.path),
        };
        problems.push(ConfigProblem::new(&given.source, format!("unknown key `{}`; {help}", given.path)));
    }
}

/// The keys that stand where the unknown one stands.
fn keys_of_section(path: &str) -> String {
    let section = path.split('.').next().unwrap_or_default();
    let of_section = |key: &Key<Settings>| key.path.strip_prefix(section).and_then(|rest| rest.strip_prefix('.'));
    let keys: Vec<&str> = match section {
        "providers" => PROVIDER_KEYS.iter().map(|key| key.path).collect(),
        _ => KEYS.iter().filter_map(of_section).collect(),
    };
    if keys.is_empty() {
        return "`lab3 config show` lists every key".to_owned();
    }
    let section = if section == "providers" { "a provider" } else { section };
    format!("the keys of {section} are {}", keys.join(", "))
}

/// Reads the default and then every layer into the key's place. `None` when the key has no value at all.
fn read<'a, S>(
    into: &mut S,
    key: &Key<S>,
    path: String,
    default: Option<&str>,
    given: impl Iterator<Item = &'a Given>,
    problems: &mut Vec<ConfigProblem>,
) -> Option<Entry> {
    let setting = (key.at)(into);
    let mut source = None;
    if let Some(raw) = default.map(raw_of) {
        if !setting.read(&raw, key.range) {
            problems.push(ConfigProblem::not_accepted(&Source::Default, &path, setting, &raw, key.range));
        }
        source = Some(Source::Default);
    }
    for given in given {
        if !setting.read(&given.raw, key.range) {
            problems.push(ConfigProblem::not_accepted(&given.source, &path, setting, &given.raw, key.range));
        }
        source = Some(given.source.clone());
    }
    source.map(|source| Entry { path, value: setting.show(), source, meaning: key.meaning })
}

fn provider(name: &str, given: &[Given], entries: &mut Vec<Entry>, problems: &mut Vec<ConfigProblem>) -> Provider {
    let mut provider = Provider::blank(name);
    let mut missing = Vec::new();
    for key in PROVIDER_KEYS {
        let path = format!("providers.{name}.{}", key.path);
        let default = built_in(name).and_then(|known| known.default_of(key.path)).or(key.default);
        let here = given.iter().filter(|given| given.path == path);
        match read(&mut provider, key, path.clone(), default, here, problems) {
            Some(entry) => {
                // A file of all defaults states nothing.
                provider.quality_is_stated |= key.path == "quality" && default != Some(&*entry.value);
                entries.push(entry);
            }
            None => missing.push(key.path),
        }
    }
    if let Some(first) = given.iter().find(|given| given.path.starts_with(&format!("providers.{name}.")) && !missing.is_empty()) {
        let meant = nearest(name, BUILT_IN.iter().map(|known| known.name));
        let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `providers.{meant}`?"));
        problems.push(ConfigProblem::new(&first.source, format!("the provider `{name}` lacks {}{hint}", missing.join(", "))));
    }
    provider
}

/// A provider the operator marks as the fallback takes over from the one the defaults mark.
fn settle_fallback(settings: &mut Settings, entries: &mut [Entry]) {
    let path = |provider: &Provider| format!("providers.{}.fallback", provider.name);
    let marked = |entries: &[Entry], provider: &Provider| {
        provider.fallback && entries.iter().any(|entry| entry.path == path(provider) && entry.source != Source::Default)
    };
    if !settings.providers.iter().any(|provider| marked(entries, provider)) {
        return;
    }
    for provider in &mut settings.providers {
        if provider.fallback && !marked(entries, provider) {
            provider.fallback = false;
            let shown = entries.iter_mut().filter(|entry| entry.path == path(provider));
            shown.for_each(|entry| "false".clone_into(&mut entry.value));
        }
    }
}

/// What no key can know alone.
fn check_together(settings: &Settings, entries: &[Entry], problems: &mut Vec<ConfigProblem>) {
    let source = |path: &str| entries.iter().find(|entry| entry.path == path).map_or(Source::Default, |entry| entry.source.clone());
    if settings.engine.batch_len_max > settings.engine.queue_len_max {
        let message = format!(
            "`engine.batch_len_max` ({}) cannot be more than `engine.queue_len_max` ({})",
            settings.engine.batch_len_max, settings.engine.queue_len_max
        );
        let at = source("engine.batch_len_max");
        let at = if at == Source::Default { source("engine.queue_len_max") } else { at };
        problems.push(ConfigProblem::new(&at, message));
    }
    check_fallback(settings, &source, problems);
    check_prices(settings, entries, problems);
    let mut owners: BTreeMap<&str, &str> = settings.providers.iter().map(|provider| (&*provider.name, &*provider.name)).collect();
    for provider in &settings.providers {
        for alias in &provider.aliases {
            if let Some(owner) = owners.insert(alias, &provider.name) {
                let at = source(&format!("providers.{}.aliases", provider.name));
                let message = format!("the alias `{alias}` of the provider `{}` already names `{owner}`", provider.name);
                problems.push(ConfigProblem::new(&at, message));
            }
        }
    }
}

/// A price for long queries where none is long is a slip.
fn check_prices(settings: &Settings, entries: &[Entry], problems: &mut Vec<ConfigProblem>) {
    for provider in settings.providers.iter().filter(|provider| provider.prices.long_above_tokens == 0) {
        let prefix = format!("providers.{}.long_", provider.name);
        let is_price = |entry: &&Entry| entry.path.starts_with(&prefix) && entry.path.ends_with("_per_1k") && !entry.value.is_empty();
        for entry in entries.iter().filter(is_price) {
            let message = format!("`{}` says what long queries cost, but `{prefix}above_tokens` does not say which are long", entry.path);
            problems.push(ConfigProblem::new(&entry.source, message));
        }
    }
}

fn check_fallback(settings: &Settings, source: &impl Fn(&str) -> Source, problems: &mut Vec<ConfigProblem>) {
    let marked: Vec<&Provider> = settings.providers.iter().filter(|provider| provider.fallback).collect();
    if let [first, second, ..] = marked[..] {
        let at = source(&format!("providers.{}.fallback", second.name));
        let message = format!("only one provider can be the fallback: `{}` and `{}` both are", first.name, second.name);
        problems.push(ConfigProblem::new(&at, message));
    } else if settings.compute.local_fallback && settings.fallback_provider().is_none() {
        let message = "`compute.local_fallback` is true, but no enabled provider is the fallback: \
                       mark one with fallback = true, or set compute.local_fallback = false"
            .to_owned();
        let disabled = marked.first().map(|provider| source(&format!("providers.{}.enabled", provider.name)));
        problems.push(ConfigProblem::new(&disabled.unwrap_or(source("compute.local_fallback")), message));
    }
}
