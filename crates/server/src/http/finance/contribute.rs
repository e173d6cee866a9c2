//! `POST /lab3/financial/contribute`: a citizen gives to the PublicGoodsPool.

use lab3_engine::{Command, Fact};
use lab3_finance::{Contribute, Fact as Finance};
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
use crate::json::{Positive, TransactionId, Words, request};

request! {
    /// A request to give to the PublicGoodsPool.
    #[example({ "from_did": "did:kaizen:alice", "amount": 5.0, "reason": "for the garden" })]
    pub(crate) struct ContributeRequest {
        /// Who gives.
        pub from_did: Did,
        /// How much.
        pub amount: Positive,
        /// The giver's words.
        pub reason: Option<Words<0, 500>>,
    }
}

/// A contribution that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContributeReply {
    /// Its id.
    #[schema(value_type = String, example = "tx_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    tx_id: TransactionId,
    /// Always `contribution`.
    #[serde(rename = "type")]
    #[schema(example = "contribution")]
    type_: &'static str,
    /// How much.
    #[schema(value_type = f64, example = 5.0)]
    amount_gic: Mic,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    timestamp: Shown<Time>,
    /// What the pool holds now.
    #[schema(value_type = f64, example = 50005.0)]
    pool_balance_gic: Mic,
    /// The journal record this stands in.
    sequence: u64,
}

impl Touching for ContributeRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Citizen(&self.from_did)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "contribute", "Give to the PublicGoodsPool")
        .about("There is no fee: all of it is for the pool.")
        .reads::<ContributeRequest>()
        .answers::<ContributeReply>("The contribution that was made")
        .refuses(&[Code::INTENT_MISSING, Code::ACCOUNT_FROZEN])
        .refuses(&[Code::MIC_INSUFFICIENT, Code::BOOKS_LIMIT])
}

pub(crate) async fn contribute(app: App, permit: Permit<Sent<ContributeRequest>>) -> Answer {
    let (actor, Sent { body, key }) = permit.open();
    let ContributeRequest { from_did: from, amount: Positive(amount), reason } = body;
    let reason = reason.map_or_else(Box::default, |words| words.0);
    let command = Command::Contribute(Contribute { from, amount, reason });
    let committed = app.engine().submit(submission(key, actor, command)).await?;
    let stored = &committed.stored;
    let (Fact::Finance(Finance::Contributed { pool_balance }), Some(given)) = (&stored.record.fact, transactions_of(stored).next()) else {
        return Err(unexpected(&committed).into());
    };
    let reply = ContributeReply {
        tx_id: given.id,
        type_: given.kind.as_str(),
        amount_gic: Mic(given.amount),
        timestamp: Shown(stored.record.at),
        pool_balance_gic: Mic(*pool_balance),
        sequence: stored.sequence,
    };
    Ok(done(&app, &reply, &committed))
}
