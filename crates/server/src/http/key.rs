//! Keys that make asking twice harmless: from the `Idempotency-Key` header to the engine's key.

use axum::http::HeaderName;
use axum::http::request::Parts;
use lab3_engine::Key;
use lab3_finance::Transfer;
use lab3_trust::Principal;
use lab3_units::{Code, Id, Problem};
use sha2::{Digest, Sha256};

use crate::json::ClientId;

/// The header.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The name the header is spoken of by.
pub(crate) const IDEMPOTENCY_KEY_NAME: &str = "Idempotency-Key";

/// The request's key, when it came with one.
pub(crate) fn of_request(parts: &Parts, principal: &Principal, body: &[u8]) -> Result<Option<Key>, Problem> {
    let Parts { headers, method, uri, .. } = parts;
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        let problem = Problem::new(Code::ID_MALFORMED, "The header stands twice. Send one key.");
        return Err(problem.in_field(IDEMPOTENCY_KEY_NAME));
    }
    let text = ClientId::parse(value.as_bytes()).map_err(|problem| problem.in_field(IDEMPOTENCY_KEY_NAME))?;
    let request = Sha256::new().chain_update(method.as_str()).chain_update(" ").chain_update(uri.path()).chain_update("\n");
    Ok(Some(Key { id: id_of(principal, text), fingerprint: fingerprint(request.chain_update(body)) }))
}

/// The id a client's key stands for. Each principal has keys of its own: nobody uses up another's.
pub(crate) fn id_of(principal: &Principal, key: &str) -> Id {
    let space = match principal {
        Principal::Key(bearer) => format!(" of {}\n", bearer.family),
        Principal::Signed { did, .. } => format!(" of {did}\n"),
        Principal::Nobody | Principal::Local | Principal::Desk => String::new(),
    };
    let hash: [u8; 32] = Sha256::new().chain_update("lab3 key").chain_update(space).chain_update(key).finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Id::from_bytes(bytes)
}

/// What tells one batch item from another under the same key: everything it asks for.
pub(crate) fn item_fingerprint(transfer: &Transfer) -> u64 {
    let Transfer { from, to, amount, reason } = transfer;
    let item = Sha256::new().chain_update("item\n").chain_update(from.as_str()).chain_update("\n").chain_update(to.as_str());
    fingerprint(item.chain_update("\n").chain_update(amount.units().to_le_bytes()).chain_update(&**reason))
}

/// What tells one linked batch from another when only its items have keys: all of its items.
pub(crate) fn linked_fingerprint(items: impl Iterator<Item = u64>) -> u64 {
    fingerprint(items.fold(Sha256::new(), |hash, item| hash.chain_update(item.to_le_bytes())))
}

/// Eight bytes of the hash; never 0, which stands for no key.
fn fingerprint(hash: Sha256) -> u64 {
    let hash: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(bytes) | 1
}

/// An id for a record whose request came without a key.
pub(crate) fn fresh_id() -> Id {
    Id::from_bytes(uuid::Uuid::now_v7().into_bytes())
}
