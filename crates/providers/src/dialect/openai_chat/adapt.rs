//! A request in this very dialect, on its way to a provider: its own bytes, but for what the desk decides.

use serde_json::{Map, Value, json};

use super::{Flavour, LimitField};
use crate::Envelope;
use crate::dialect::{Terms, Unreadable};

/// The request's body.
pub(super) fn body(body: &[u8], terms: &Terms, flavour: Flavour) -> Result<Vec<u8>, Unreadable> {
    let mut envelope = read(body)?;
    let limit = LimitField::of(flavour);
    envelope.set("model", &json!(terms.model));
    envelope.remove(limit.other().name());
    envelope.set(limit.name(), &json!(terms.output_tokens_max));
    envelope.set("stream", &json!(true));
    let mut options: Map<String, Value> = envelope.read_field("stream_options").unwrap_or_default();
    options.insert("include_usage".to_owned(), true.into());
    envelope.set("stream_options", &Value::Object(options));
    // It makes answers quicker, not other; but what of it is not used is charged as output, whatever the limit is.
    envelope.remove("prediction");
    plain_service(&mut envelope);
    if flavour != Flavour::OpenAi {
        plain_roles(&mut envelope);
    }
    Ok(envelope.to_bytes())
}

/// A body as an envelope.
pub(crate) fn read(body: &[u8]) -> Result<Envelope<'_>, Unreadable> {
    Envelope::read(body).map_err(|error| Unreadable::new("", format!("the body is no JSON object: {error}")))
}

/// Quicker service has other prices, which nobody here knows; that a reply comes by another service than asked for is foreseen.
pub(crate) fn plain_service(envelope: &mut Envelope<'_>) {
    let tier = envelope.read_field::<String>("service_tier");
    if tier.is_some_and(|tier| !matches!(tier.as_str(), "auto" | "default" | "flex")) {
        envelope.set("service_tier", &json!("default"));
    }
}

/// OpenAI's role of the developer is the system's everywhere else.
fn plain_roles(envelope: &mut Envelope<'_>) {
    let Some(messages) = envelope.get("messages").filter(|messages| messages.contains("developer")) else { return };
    let Ok(mut messages) = serde_json::from_str::<Vec<Value>>(messages) else { return };
    for message in &mut messages {
        if message["role"] == "developer" {
            message["role"] = "system".into();
        }
    }
    envelope.set("messages", &Value::Array(messages));
}
