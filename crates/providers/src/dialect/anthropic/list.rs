//! What Anthropic's clients ask about the models there are.

use serde_json::{Value, json};

use crate::dialect::time::rfc3339;

/// The reply to `GET /v1/models`, all on one page; `created` in seconds since 1970, the same for all.
pub fn models<'a>(models: impl IntoIterator<Item = &'a str>, created: u64) -> Vec<u8> {
    let created = rfc3339(created);
    let model = |id| json!({"type": "model", "id": id, "display_name": id, "created_at": created});
    let data: Vec<Value> = models.into_iter().map(model).collect();
    let id = |model: Option<&Value>| model.map_or(Value::Null, |model| model["id"].clone());
    let (first_id, last_id) = (id(data.first()), id(data.last()));
    json!({"data": data, "has_more": false, "first_id": first_id, "last_id": last_id}).to_string().into_bytes()
}
