//! The environment layer: the specification's names, and `LAB3__SECTION__KEY` for every key.
//!
//! A variable that is set but empty counts as not set. Where both names of a key are set, `LAB3__...` wins.

use std::collections::BTreeMap;

use super::keys::KEYS;
use super::registry::BUILT_IN;
use super::resolve::Given;
use super::{Raw, Source};

/// What every variable of ours starts with.
pub(super) const PREFIX: &str = "LAB3__";

/// The variable that stands for a key.
pub(super) fn variable_of(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").replace('-', "_").to_uppercase())
}

/// Every value of the environment by its path: the specification's names first, so that ours win.
pub(super) fn given(env: &BTreeMap<String, String>) -> Vec<Given> {
    let mut given = Vec::new();
    let of_keys = KEYS.iter().map(|key| (key.path.to_owned(), key.env));
    let of_providers = BUILT_IN.iter().map(|provider| (format!("providers.{}.api_key", provider.name), provider.api_key_env));
    let of_urls = BUILT_IN.iter().map(|provider| (format!("providers.{}.base_url", provider.name), provider.base_url_env));
    for (path, names) in of_keys.chain(of_providers).chain(of_urls) {
        // The first name is the specification's own, the others are aliases: read last what counts most.
        for name in names.iter().rev() {
            given.extend(env.get(*name).and_then(|text| value(path.clone(), name, text)));
        }
    }
    for (name, text) in env {
        if let Some(path) = name.strip_prefix(PREFIX) {
            given.extend(value(path.replace("__", ".").to_lowercase(), name, text));
        }
    }
    given
}

fn value(path: String, name: &str, text: &str) -> Option<Given> {
    let raw = Raw::Loose(text.to_owned());
    (!text.trim().is_empty()).then(|| Given { path, raw, source: Source::Env(name.to_owned()) })
}
