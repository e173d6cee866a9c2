//! What clients of Ollama ask about the server: its models, those that run, its version.

use serde_json::{Value, json};

use crate::dialect::time::rfc3339;

/// The version of Ollama's API that is spoken here: the first with ids of calls. Some clients refuse servers that are older than
/// what they need.
const VERSION: &str = "0.12.10";

/// The reply to `GET /api/tags`: the models there are, since a time in seconds since 1970.
pub fn tags<'a>(models: impl IntoIterator<Item = &'a str>, since: u64) -> Vec<u8> {
    let since = rfc3339(since);
    list(models, |model| model["modified_at"] = since.as_str().into())
}

/// The reply to `GET /api/ps`: the models in memory. They stay there.
pub fn running<'a>(models: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let never = rfc3339(u64::MAX);
    list(models, |model| {
        model["expires_at"] = never.as_str().into();
        model["size_vram"] = 0.into();
    })
}

/// The reply to `GET /api/version`.
pub fn version() -> Vec<u8> {
    json!({ "version": VERSION }).to_string().into_bytes()
}

fn list<'a>(models: impl IntoIterator<Item = &'a str>, tell: impl Fn(&mut Value)) -> Vec<u8> {
    let models = models.into_iter().map(|name| {
        let mut model = json!({
            "name": name,
            "model": name,
            "size": 0,
            // The command line shows its first twelve characters, and fails when there are fewer.
            "digest": "0".repeat(64),
            "details": {
                "parent_model": "",
                "format": "",
                "family": "",
                "families": [],
                "parameter_size": "",
                "quantization_level": "",
            },
        });
        tell(&mut model);
        model
    });
    json!({ "models": models.collect::<Vec<_>>() }).to_string().into_bytes()
}
