//! `GET /lab3/compute/allocations`: a citizen's allocations, newest first.

use lab3_engine::{Engine, Span, Stored};
use lab3_ledger::{AccountNo, Purpose};
use lab3_units::{Asset, Code, Did, Id, Owner, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::compute::allocation::{AllocationReply, Placed};
use crate::http::doc::Doc;
use crate::http::parameters::{Asked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, reply};
use crate::json::{Sequence, Whole};

/// Allocations on a page when the request names no number.
const LIMIT: usize = 50;

/// History entries looked through for one page. Every allocation has two, its placing and its end.
const ENTRIES_MAX: usize = 4096;

parameters! {
    /// Whose allocations, and which part of them.
    pub(crate) struct AllocationsQuery {
        /// The citizen. Required.
        pub citizen_did: Option<Did>,
        /// Allocations on a page; 50 when left out.
        pub limit: Option<Whole<1, 500>>,
        /// The `next` of the page before.
        pub before: Option<Sequence>,
    }
}

/// A page of allocations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AllocationsReply {
    /// Newest first.
    allocations: Vec<AllocationReply>,
    /// Give it as `before` for the next page; `null` when there is none.
    #[schema(required, example = "1234")]
    next: Option<String>,
}

impl Touching for AllocationsQuery {
    fn touches(&self) -> Touches<'_> {
        self.citizen_did.as_ref().map_or(Touches::Everybodys, Touches::Citizen)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("compute", "allocations", "A citizen's allocations, newest first")
        .asks::<AllocationsQuery>(&["citizen_did"])
        .asks_engine()
        .answers::<AllocationsReply>("A page of allocations")
        .refuses(&[Code::DID_MALFORMED])
}

pub(crate) async fn allocations(app: App, permit: Permit<Asked<AllocationsQuery>>) -> Answer {
    let (_, Asked(query)) = permit.open();
    let missing = || Problem::new(Code::PARAMETER, "Say whose: citizen_did=did:kaizen:alice.").in_field("citizen_did");
    let citizen = query.citizen_did.ok_or_else(missing)?;
    let limit = query.limit.map_or(LIMIT, |limit| usize::try_from(limit.0).unwrap_or(LIMIT));
    let before = query.before.map_or(u64::MAX, |before| before.0);
    let engine = app.engine();
    let owner = Owner::from(&citizen);
    let account = engine.read(move |desk| desk.state.ledger.find(owner.as_str(), Asset::COMPUTE, Purpose::Quota)).await?;
    let Some(account) = account else { return Ok(reply(&AllocationsReply { allocations: Vec::new(), next: None })) };
    let (stored, next) = placed(engine, account, before, limit).await?;
    let placed = stored.iter().filter_map(Placed::of).collect::<Vec<_>>();
    let open = open(engine, placed.iter().map(|placed| placed.id).collect()).await?;
    let mut allocations = Vec::with_capacity(placed.len());
    for (placed, open) in placed.iter().zip(open) {
        allocations.push(placed.told(engine, citizen.as_str(), open).await?);
    }
    Ok(reply(&AllocationsReply { allocations, next: next.map(|next| next.to_string()) }))
}

/// The records before `before` that placed a hold on the account, newest first, and where to go on.
async fn placed(engine: &Engine, account: AccountNo, mut before: u64, limit: usize) -> Result<(Vec<Stored>, Option<u64>), Problem> {
    let mut found = Vec::new();
    let mut looked = 0;
    loop {
        let at_once = (2 * limit).min(ENTRIES_MAX - looked);
        let entries = engine.history(account, Span::Before(before), at_once).await?;
        looked += entries.len();
        let sequences = entries.iter().map(|entry| entry.sequence).collect();
        for stored in engine.records(sequences).await? {
            before = stored.sequence;
            if Placed::of(&stored).is_some() {
                found.push(stored);
            }
            if found.len() == limit {
                return Ok((found, Some(before)));
            }
        }
        if entries.len() < at_once {
            return Ok((found, None));
        }
        if looked >= ENTRIES_MAX {
            return Ok((found, Some(before)));
        }
    }
}

/// Which of the holds are open.
async fn open(engine: &Engine, ids: Vec<Id>) -> Result<Vec<bool>, Problem> {
    engine.read(move |desk| ids.iter().map(|&id| desk.state.ledger.hold(id).is_some()).collect()).await
}
