//! `POST /lab3/financial/mint`: the operator makes new money.

use lab3_engine::{Command, Fact};
use lab3_finance::{Fact as Finance, Mint};
use lab3_trust::Act;
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
    /// A request to make new money.
    #[example({ "to_did": "did:kaizen:alice", "amount": 100.0, "reason": "founding member" })]
    pub(crate) struct MintRequest {
        /// Who receives it.
        pub to_did: Did,
        /// How much.
        pub amount: Positive,
        /// Why, for everybody to read.
        pub reason: Words<1, 500>,
    }
}

/// New money that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MintReply {
    /// Its id.
    #[schema(value_type = String, example = "tx_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    tx_id: TransactionId,
    /// Always `mint`.
    #[serde(rename = "type")]
    #[schema(example = "mint")]
    type_: &'static str,
    /// How much.
    #[schema(value_type = f64, example = 100.0)]
    amount_gic: Mic,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    timestamp: Shown<Time>,
    /// All the MIC there is now.
    #[schema(value_type = f64, example = 50100.0)]
    total_gic_supply: Mic,
    /// The journal record this stands in.
    sequence: u64,
}

impl Touching for MintRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Hive
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "mint", "Make new money")
        .about(
            "For the operator while there are no treasurers; on an open Hive, for whoever is on its machine. Treasurers sign it: \
             `POST /lab3/intents`. Without their signatures the refusal has the text to be signed.",
        )
        .reads::<MintRequest>()
        .answers::<MintReply>("The money that was made")
        .refuses(&[Code::INTENT_MISSING, Code::INTENT_INVALID])
        .refuses(&[Code::BOOKS_LIMIT])
}

pub(crate) async fn mint(app: App, permit: Permit<Sent<MintRequest>>) -> Answer {
    let (actor, Sent { body, key }) = permit.open();
    let MintRequest { to_did: to, amount: Positive(amount), reason: Words(reason) } = body;
    let command = Command::Mint(Mint { to: to.clone(), amount, reason: reason.clone() });
    let submitted = app.engine().submit(submission(key, actor, command)).await;
    let committed = submitted.map_err(|problem| with_text(&app, problem, &reason, |memo| Act::Mint { to, amount, memo }))?;
    let stored = &committed.stored;
    let (Fact::Finance(Finance::Minted { supply }), Some(made)) = (&stored.record.fact, transactions_of(stored).next()) else {
        return Err(unexpected(&committed).into());
    };
    let reply = MintReply {
        tx_id: made.id,
        type_: made.kind.as_str(),
        amount_gic: Mic(made.amount),
        timestamp: Shown(stored.record.at),
        total_gic_supply: Mic(*supply),
        sequence: stored.sequence,
    };
    Ok(done(&app, &reply, &committed))
}
