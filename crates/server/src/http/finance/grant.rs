//! `POST /lab3/financial/grant`: pays a project from the PublicGoodsPool.

use lab3_engine::{Command, Fact};
use lab3_finance::{Fact as Finance, Grant};
use lab3_trust::{Act, Principal};
use lab3_units::{Code, Did, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::{Sent, submission};
use crate::http::doc::Doc;
use crate::http::finance::statement::transactions_of;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, Mic, Shown, done};
use crate::http::trust::governed::with_text;
use crate::json::{Positive, TransactionId, Words, request};

request! {
    /// A request to pay a project from the PublicGoodsPool.
    #[example({
        "recipient_did": "did:kaizen:community_project",
        "amount": 1000.0,
        "project": "Solar Microgrid Deployment"
    })]
    pub(crate) struct GrantRequest {
        /// Who receives it.
        pub recipient_did: Did,
        /// How much.
        pub amount: Positive,
        /// What for.
        pub project: Words<1, 500>,
    }
}

/// A grant that was paid.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrantReply<'a> {
    /// Its id.
    #[schema(value_type = String, example = "tx_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    tx_id: TransactionId,
    /// Always `grant`.
    #[serde(rename = "type")]
    #[schema(example = "grant")]
    type_: &'static str,
    /// How much.
    #[schema(value_type = f64, example = 1000.0)]
    amount_gic: Mic,
    /// What for.
    #[schema(example = "Solar Microgrid Deployment")]
    project: &'a str,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    timestamp: Shown<Time>,
    /// What the pool holds now.
    #[schema(value_type = f64, example = 49000.0)]
    pool_balance_remaining: Mic,
    /// The journal record this stands in.
    sequence: u64,
}

impl Touching for GrantRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Hive
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "grant", "Pay a project from the PublicGoodsPool")
        .about(
            "On a governed Hive a grant needs an approval: the operator's key or, once there are treasurers, their signatures: \
             `POST /lab3/intents`. Without these the refusal has the text to be signed.",
        )
        .reads::<GrantRequest>()
        .answers::<GrantReply>("The grant that was paid")
        .refuses(&[Code::INTENT_MISSING, Code::INTENT_INVALID])
        .refuses(&[Code::GRANT_UNAPPROVED, Code::POOL_INSUFFICIENT, Code::BOOKS_LIMIT])
}

pub(crate) async fn grant(app: App, permit: Permit<Sent<GrantRequest>>) -> Answer {
    // Whoever is on an open Hive speaks for nobody; on a closed one the rule of this route has asked for an operator or a treasurer.
    let approved = *permit.principal() != Principal::Local;
    let (actor, Sent { body, key }) = permit.open();
    let GrantRequest { recipient_did: recipient, amount: Positive(amount), project: Words(project) } = body;
    let command = Command::Grant(Grant { recipient: recipient.clone(), amount, project: project.clone(), approved });
    let submitted = app.engine().submit(submission(key, actor, command)).await;
    let to_sign = |problem| with_text(&app, problem, &project, |memo| Act::Grant { to: recipient, amount, memo });
    let committed = submitted.map_err(to_sign)?;
    let stored = &committed.stored;
    let (Fact::Finance(Finance::Granted { pool_balance }), Some(paid)) = (&stored.record.fact, transactions_of(stored).next()) else {
        return Err(unexpected(&committed).into());
    };
    let reply = GrantReply {
        tx_id: paid.id,
        type_: paid.kind.as_str(),
        amount_gic: Mic(paid.amount),
        project: paid.memo,
        timestamp: Shown(stored.record.at),
        pool_balance_remaining: Mic(*pool_balance),
        sequence: stored.sequence,
    };
    Ok(done(&app, &reply, &committed))
}
