//! A key, as people are told of it; and one that was made, with its secret.

use lab3_engine::{Committed, Fact};
use lab3_trust::{By, Deed, Holder, Key, KeyText, Kind};
use lab3_units::{Amount, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::unexpected;
use crate::http::reply::{Mic, Shown};

/// A key. Its secret is nowhere.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyTold {
    /// Its number.
    #[schema(example = 3)]
    number: u32,
    /// Its public part, as it stands in the key.
    #[schema(example = "3v9h2k5m8p1q4")]
    key_id: String,
    /// `operator`, `citizen`, `service`, `steward`, `treasurer`, `auditor`, `meter` or `witness`.
    #[schema(example = "citizen")]
    kind: &'static str,
    /// The citizen or treasurer whose it is.
    #[schema(required, example = "did:kaizen:alice")]
    did: Option<String>,
    /// The module, meter or log it is for.
    #[schema(required)]
    name: Option<String>,
    /// What it may do.
    #[schema(example = json!(["read", "compute"]))]
    scopes: Vec<&'static str>,
    /// The most a service may hold in a day, for all its citizens together.
    #[schema(required, value_type = Option<f64>)]
    daily_cap_gic: Option<Mic>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Shown<Time>,
    /// Who made it: `desk`, `local`, `key 1` or a DID.
    #[schema(example = "key 1")]
    created_by: String,
    /// When it stops working.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    expires_at: Option<Shown<Time>>,
    /// `valid`, `overlap`, `expired` or `revoked`.
    #[schema(example = "valid")]
    standing: &'static str,
    /// The number of the key that replaces it.
    #[schema(required)]
    replaced_by: Option<u32>,
    /// When it was used last, as far as the desk has seen since it was opened.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Shown<Time>>,
    /// What it is for.
    note: Box<str>,
}

impl KeyTold {
    pub(crate) fn of(key: &Key, now: Time, last_used: Option<Time>) -> Self {
        let (name, daily_cap) = match &key.holder {
            Holder::Steward { module: name } | Holder::Meter { meter: name } | Holder::Witness { name } => (Some(name.to_string()), None),
            Holder::Service { daily_cap } => (None, Some(*daily_cap)),
            Holder::Operator | Holder::Citizen(_) | Holder::Treasurer(_) | Holder::Auditor => (None, None),
        };
        Self {
            number: key.number,
            key_id: key.id.to_string(),
            kind: key.holder.kind().as_str(),
            did: key.holder.did().map(ToString::to_string),
            name,
            scopes: key.scopes.iter().map(lab3_trust::Scope::as_str).collect(),
            daily_cap_gic: daily_cap.map(|cap: Amount| Mic(cap)),
            created_at: Shown(key.created),
            created_by: by(&key.by),
            expires_at: key.expires.map(Shown),
            standing: key.standing(now).as_str(),
            replaced_by: key.rotated.map(|rotated| rotated.to),
            last_used_at: last_used.map(Shown),
            note: key.note.clone(),
        }
    }
}

/// Who did something, in words.
fn by(by: &By) -> String {
    match by {
        By::Desk => "desk".to_owned(),
        By::Local => "local".to_owned(),
        By::Key(number) => format!("key {number}"),
        By::Did(did) => did.to_string(),
    }
}

/// A key that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyMade {
    /// The key, shown this once: the desk keeps its hash alone. `null` when the request is repeated.
    #[schema(required, example = "lab3_citizen_3v9h2k5m8p1q4_...")]
    key: Option<String>,
    /// Its number.
    #[schema(example = 3)]
    number: u32,
    /// Its public part.
    #[schema(example = "3v9h2k5m8p1q4")]
    key_id: String,
    /// Until when the key it replaces still works.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    old_works_until: Option<Shown<Time>>,
    /// The journal record this stands in.
    sequence: u64,
}

impl KeyMade {
    /// The reply to a record that made a key: with `fresh`, if this is the key it made.
    pub(crate) fn of(committed: &Committed, fresh: &KeyText) -> Result<Self, Problem> {
        let Fact::Trust(fact) = &committed.stored.record.fact else { return Err(unexpected(committed)) };
        let (number, id, until) = match &fact.deed {
            Deed::KeyCreated(made) => (made.number, made.id, None),
            Deed::KeyRotated { number, id, until, .. } => (*number, *id, Some(*until)),
            _ => return Err(unexpected(committed)),
        };
        let key = (id == fresh.id()).then(|| fresh.show_once().to_owned());
        Ok(Self { key, number, key_id: id.to_string(), old_works_until: until.map(Shown), sequence: committed.stored.sequence })
    }
}

/// A new key, from the system's randomness.
pub(crate) fn fresh_key(kind: Kind) -> Result<KeyText, Problem> {
    let (mut id, mut secret) = ([0; 8], zeroize::Zeroizing::new([0; 32]));
    let drawn = getrandom::fill(&mut id).and_then(|()| getrandom::fill(&mut *secret));
    drawn.map_err(|error| {
        tracing::error!(%error, "the system gives no randomness");
        Problem::new(lab3_units::Code::INTERNAL, "The system gives no randomness to make a key of. The log says more.")
    })?;
    Ok(KeyText::make(kind, id, &secret))
}
