//! Signed intents: the one place where a record's signatures are checked against the keys valid at its place.

use lab3_engine::Record;
use lab3_trust::State;

use crate::verdict::Found;

/// Whether every signature a record needs is in it and holds by the keys as they are in `state`, which is the state before the record.
///
/// Records have no signatures yet. When `Fact`s and intents carry them, rebuild the intent's lines from the record here, check each signature
/// against `state.holds(did, key)`, and give `Class::Signatures` with the words for people: everything calls this once a record, before its fact
/// is folded. A record by [`Actor::Signed`](lab3_engine::Actor::Signed) must then have one.
#[expect(clippy::unnecessary_wraps, reason = "what it finds once records have signatures")]
pub(crate) fn hold(_record: &Record, _state: &State) -> Result<(), Found> {
    Ok(())
}
