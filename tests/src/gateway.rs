//! A desk between clients and a mock of every provider: what tests of the gateway share.

use lab3_mock::Mock;
use serde_json::Value;

use crate::amount::ks;
use crate::{Client, Desk, Folder};

/// A provider of the table that the mock plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    /// Its name.
    pub name: &'static str,
    /// What its base URL ends in.
    path: &'static str,
    /// Price of a token, in KS.
    pub rate: i64,
}

/// Every provider that the mock plays, by the dialects Anthropic, OpenAI, Gemini and OpenAI again.
pub const PLAYED: [Played; 4] = [
    Played { name: "anthropic_claude", path: "", rate: 15 },
    Played { name: "openai_gpt4", path: "/v1", rate: 10 },
    Played { name: "google_gemini", path: "", rate: 8 },
    Played { name: "deepseek", path: "/v1", rate: 2 },
];

/// Opens a desk on that folder whose providers are the mock. `models` gives each its models, scripts in their names; `more` is further
/// settings as `KEY=VALUE`.
pub fn open(folder: &Folder, mock: &Mock, models: impl Fn(&Played) -> Vec<String>, more: &[&str]) -> Desk {
    let mut settings = Vec::new();
    for played in PLAYED {
        let Played { name, path, .. } = played;
        settings.push(format!("providers.{name}.base_url={}{path}", mock.url()));
        settings.push(format!("providers.{name}.api_key=key-of-{name}"));
        settings.push(format!("providers.{name}.models={}", models(&played).join(",")));
    }
    settings.extend(more.iter().map(|&one| one.to_owned()));
    let arguments = settings.iter().flat_map(|setting| ["--set", setting]).collect::<Vec<_>>();
    Desk::open_with(&folder.at("data"), &arguments)
}

/// A citizen's allowance, in KS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What is neither used nor held.
    pub remaining: i64,
    /// What is held.
    pub held: i64,
    /// What is used.
    pub used: i64,
}

/// What the desk says of a citizen's allowance.
pub fn allowance(client: &Client, did: &str) -> Allowance {
    let quota: Value = client.ask(&format!("/lab3/compute/quota/{did}"));
    let [remaining, held, used] = ["quota_remaining_gic", "held_gic", "used_gic"].map(|name| ks(&quota[name]));
    Allowance { remaining, held, used }
}
