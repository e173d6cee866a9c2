//! `POST /lab3/compute/allocations/{allocation_id}/release`: gives back an allocation that is not needed.

use lab3_compute::Fact as Compute;
use lab3_engine::{Command, Fact};
use lab3_units::Code;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::{Sent, submission};
use crate::http::doc::Doc;
use crate::http::parameters::Named;
use crate::http::permit::Permit;
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, Mic, done};
use crate::json::{AllocationId, request};

request! {
    /// A request to give an allocation back. It has no fields; the body may be left out.
    #[example({})]
    pub(crate) struct ReleaseRequest {}
}

/// What is free again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleaseReply {
    /// The allocation.
    #[schema(value_type = String, example = "al_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    allocation_id: AllocationId,
    /// Always `released`.
    #[schema(example = "released")]
    state: &'static str,
    /// What it had set aside.
    #[schema(value_type = f64, example = 0.075)]
    released_gic: Mic,
    /// What the citizen has left this month.
    #[schema(value_type = f64, example = 100.0)]
    quota_remaining: Mic,
    /// The journal record this stands in.
    sequence: u64,
}

pub(crate) fn doc() -> Doc {
    Doc::new("compute", "release_allocation", "Give back an allocation that is not needed")
        .names::<AllocationId>("allocation_id", "The allocation.", Code::ID_MALFORMED)
        .reads::<ReleaseRequest>()
        .answers::<ReleaseReply>("What is free again")
        .refuses(&[Code::ALLOCATION_UNKNOWN, Code::ALLOCATION_ENDED])
}

pub(crate) async fn release(app: App, permit: Permit<(Named<AllocationId>, Sent<ReleaseRequest>)>) -> Answer {
    let (actor, (Named(id), Sent { key, .. })) = permit.open();
    let committed = app.engine().submit(submission(key, actor, Command::Release(id.0))).await?;
    let Fact::Compute(Compute::Released(fact)) = &committed.stored.record.fact else { return Err(unexpected(&committed).into()) };
    let reply = ReleaseReply {
        allocation_id: AllocationId(fact.allocation),
        state: "released",
        released_gic: Mic(fact.released),
        quota_remaining: Mic(fact.quota_remaining),
        sequence: committed.stored.sequence,
    };
    Ok(done(&app, &reply, &committed))
}
