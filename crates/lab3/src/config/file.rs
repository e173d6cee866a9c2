//! The file layer: TOML, walked with its spans, so that every message can name the line and numbers keep their digits.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::KEYS;
use super::nearest::nearest;
use super::registry::{BUILT_IN, built_in};
use super::resolve::{Given, is_section};
use super::{ConfigProblem, ConfigProblems, Raw, Source};

/// A configuration file. Not printable: it may hold secrets.
pub struct ConfigFile {
    /// The file as the operator named it.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl ConfigFile {
    /// Reads the file from disk.
    pub fn read(path: &Path) -> Result<Self, ConfigProblems> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => {
                let message = format!("the configuration file {name} cannot be read: {error}");
                Err(ConfigProblems(vec![ConfigProblem::new(&Source::Default, message)]))
            }
        }
    }

    fn source_at(&self, offset: usize) -> Source {
        let line = self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1;
        Source::File { name: self.name.clone(), line }
    }

    /// Every value of the file by its path, in the order of its lines.
    pub(super) fn given(&self, problems: &mut Vec<ConfigProblem>) -> Vec<Given> {
        let root = match DeTable::parse(&self.text) {
            Ok(root) => root,
            Err(error) => {
                let source = self.source_at(error.span().map_or(0, |span| span.start));
                problems.push(ConfigProblem::new(&source, format!("not valid TOML: {}", error.message())));
                return Vec::new();
            }
        };
        let mut given = Vec::new();
        for (section, value) in root.get_ref() {
            let depth = if *section.get_ref() == "providers" { 2 } else { 1 };
            self.walk(section.get_ref(), section.span().start, value, depth, &mut given, problems);
        }
        given.sort_by_key(|(offset, _)| *offset);
        given.into_iter().map(|(_, given)| given).collect()
    }

    /// Goes down `depth` levels of tables; what lies there are the values of keys.
    fn walk(
        &self,
        path: &str,
        offset: usize,
        value: &Spanned<DeValue<'_>>,
        depth: u8,
        given: &mut Vec<(usize, Given)>,
        problems: &mut Vec<ConfigProblem>,
    ) {
        let source = self.source_at(offset);
        match value.get_ref() {
            _ if depth == 0 => given.push((offset, Given { path: path.to_owned(), raw: raw(value.get_ref()), source })),
            DeValue::Table(table) => {
                if table.is_empty() && !is_known_table(path) {
                    problems.push(ConfigProblem::new(&source, format!("unknown section [{path}]; {}", section_help(path))));
                }
                for (name, value) in table {
                    self.walk(&format!("{path}.{}", name.get_ref()), name.span().start, value, depth - 1, given, problems);
                }
            }
            // Not a table where a section is due: an unknown key, unless it is the name of a section.
            other if is_section(path) => {
                let message = format!("`{path}` cannot be {}: it is a section, written [{path}]", raw(other).quoted());
                problems.push(ConfigProblem::new(&source, message));
            }
            other => given.push((offset, Given { path: path.to_owned(), raw: raw(other), source })),
        }
    }
}

/// Whether the path names a section of the table of keys, or a provider that has defaults.
fn is_known_table(path: &str) -> bool {
    match path.strip_prefix("providers.") {
        Some(provider) => built_in(provider).is_some(),
        None => is_section(path),
    }
}

fn section_help(path: &str) -> String {
    let sections = KEYS.iter().filter_map(|key| key.path.split('.').next()).map(str::to_owned).chain(["providers".to_owned()]);
    let providers = BUILT_IN.iter().map(|provider| format!("providers.{}", provider.name));
    let known: Vec<String> = sections.chain(providers).collect();
    match nearest(path, known.iter().map(String::as_str)) {
        Some(section) => format!("did you mean [{section}]?"),
        None => "`lab3 config show --toml` prints every section".to_owned(),
    }
}

/// A default as the table of keys writes it.
pub(super) fn raw_of(default: &str) -> Raw {
    DeValue::parse(default).map_or(Raw::Other("unreadable"), |value| raw(value.get_ref()))
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.clone().into_owned()),
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => Raw::Number(number.to_string()),
            Err(_) => Raw::Number(integer.as_str().to_owned()),
        },
        DeValue::Float(float) => Raw::Number(float.as_str().to_owned()),
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Datetime(_) => Raw::Other("a date or time"),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Table(rows) => {
            let mut rows: Vec<_> = rows.iter().collect();
            rows.sort_by_key(|(name, _)| name.span().start);
            Raw::Table(rows.into_iter().map(|(name, value)| (name.get_ref().clone().into_owned(), raw(value.get_ref()))).collect())
        }
    }
}
