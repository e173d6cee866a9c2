//! A commented configuration file that holds every default: what `lab3 config show --toml` prints.

use std::fmt::Write as _;

use super::keys::{KEYS, PROVIDER_KEYS};
use super::registry::BUILT_IN;

/// The file. Read back it changes nothing.
pub fn template() -> String {
    let mut text = "# Lab 3: every key with its default. Delete what you do not change.\n\
                    # A key is also LAB3__SECTION__KEY in the environment, which wins over this file; flags win over both.\n"
        .to_owned();
    let mut section = "";
    for key in KEYS {
        let (of, name) = key.path.split_once('.').unwrap_or(("", key.path));
        if of != section {
            section = of;
            line(&mut text, &format!("\n[{section}]"));
        }
        let env = if key.env.is_empty() { String::new() } else { format!(" Environment: {}.", key.env.join(", ")) };
        line(&mut text, &format!("# {}{env}", key.meaning));
        line(&mut text, &format!("{name} = {}", key.default.unwrap_or_default()));
    }
    line(&mut text, "\n# A provider of your own needs the keys without \"(default ...)\"; enabled = false takes one out.");
    for key in PROVIDER_KEYS {
        let default = key.default.map_or_else(String::new, |default| format!(" (default {default})"));
        line(&mut text, &format!("#   {}: {}{default}", key.path, key.meaning));
    }
    for provider in BUILT_IN {
        line(&mut text, &format!("\n[providers.{}]", provider.name));
        if !provider.api_key_env.is_empty() {
            line(&mut text, &format!("# The API key is better set in the environment: {}.", provider.api_key_env.join(", or ")));
        }
        for key in PROVIDER_KEYS {
            if let Some(default) = provider.default_of(key.path) {
                line(&mut text, &format!("{} = {default}", key.path));
            }
        }
    }
    text
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}
