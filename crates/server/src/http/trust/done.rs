//! Acts of administration: submitted, and told as what they are in the journal.

use lab3_engine::{Command, Committed, Key, Order};
use lab3_trust::Principal;
use lab3_units::{Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::submission;
use crate::http::permit::actor_of;
use crate::http::reply::{Answer, Shown, done};

/// An act that was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActReply {
    /// Always `true`.
    ok: bool,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    timestamp: Shown<Time>,
    /// The journal record it stands in.
    sequence: u64,
}

/// Submits a command of who may do what for its asker.
pub(crate) async fn order(
    app: &App,
    principal: Principal,
    key: Option<Key>,
    command: impl Into<lab3_trust::Command>,
) -> Result<Committed, Problem> {
    let actor = actor_of(&principal);
    let order = Order { principal, command: command.into() };
    app.engine().submit(submission(key, actor, Command::Trust(Box::new(order)))).await
}

/// As [`order`], told as nothing but done.
pub(crate) async fn act(app: &App, principal: Principal, key: Option<Key>, command: impl Into<lab3_trust::Command>) -> Answer {
    let committed = order(app, principal, key, command).await?;
    let reply = ActReply { ok: true, timestamp: Shown(committed.stored.record.at), sequence: committed.stored.sequence };
    Ok(done(app, &reply, &committed))
}
