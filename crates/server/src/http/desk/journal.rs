//! `GET /lab3/journal/head`: where the journal ends, and on request the hash of the whole state there.

use lab3_units::{Code, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::{Asked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, Shown, hexadecimal, reply};

parameters! {
    /// What to tell of the journal's end.
    pub(crate) struct HeadQuery {
        /// Whether to take the hash of the whole state too, which takes a while when the state is large.
        pub state_hash: Option<bool>,
    }
}

/// Where the journal ends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeadReply {
    /// The last record.
    #[schema(example = 1234)]
    sequence: u64,
    /// The chain's hash after it, in hexadecimal.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    record_hash: String,
    /// When it was taken.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    at: Shown<Time>,
    /// The last record in a snapshot; 0 when there is none.
    snapshot_sequence: u64,
    /// The hash of the whole state right after the last record, in hexadecimal: a replay must give it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[0-9a-f]{64}$")]
    state_hash: Option<String>,
}

impl Touching for HeadQuery {
    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("desk", "journal_head", "Where the journal ends")
        .asks::<HeadQuery>(&[])
        .asks_engine()
        .answers::<HeadReply>("The journal's last record")
}

pub(crate) async fn head(app: App, permit: Permit<Asked<HeadQuery>>) -> Answer {
    let (_, Asked(query)) = permit.open();
    let snapshot_sequence = app.engine().status().snapshot;
    let frozen = app.engine().freeze().await?;
    let (sequence, at, record_hash) = (frozen.sequence, Shown(frozen.at), hexadecimal(&frozen.head));
    let state_hash = if query.state_hash == Some(true) {
        let hashing = tokio::task::spawn_blocking(move || hexadecimal(&frozen.hash()));
        let failed = |_| Problem::new(Code::INTERNAL, "The state could not be hashed. The log says more.");
        Some(hashing.await.map_err(failed)?)
    } else {
        None
    };
    Ok(reply(&HeadReply { sequence, record_hash, at, snapshot_sequence, state_hash }))
}
