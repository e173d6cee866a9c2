//! `POST /lab3/financial/transfer`: moves MIC from one citizen to another.

use lab3_engine::{Command, Committed};
use lab3_finance::Transfer;
use lab3_ledger::Kind;
use lab3_units::{Amount, Code, Did, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::{Sent, submission};
use crate::http::doc::Doc;
use crate::http::finance::statement::{Movement, transactions_of};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, Mic, Shown, done};
use crate::json::{Positive, TransactionId, Words, request};

request! {
    /// A request to move MIC from one citizen to another.
    #[example({
        "from_did": "did:kaizen:alice",
        "to_did": "did:kaizen:bob",
        "amount": 50.0,
        "reason": "API compute credits"
    })]
    pub(crate) struct TransferRequest {
        /// Who pays, the fee included.
        pub from_did: Did,
        /// Who receives the amount.
        pub to_did: Did,
        /// How much.
        pub amount: Positive,
        /// What for, in the sender's words.
        pub reason: Option<Words<0, 500>>,
    }
}

/// A transfer that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransferReply {
    /// Its id.
    #[schema(value_type = String, example = "tx_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    tx_id: TransactionId,
    /// Always `transfer`.
    #[serde(rename = "type")]
    #[schema(example = "transfer")]
    type_: &'static str,
    /// What the recipient got.
    #[schema(value_type = f64, example = 50.0)]
    amount_gic: Mic,
    /// What the sender paid on top of it.
    #[schema(value_type = f64, example = 0.0005)]
    fee_gic: Mic,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    timestamp: Shown<Time>,
    /// The journal record it stands in.
    sequence: u64,
}

impl Touching for TransferRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Citizen(&self.from_did)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "transfer", "Move MIC from one citizen to another")
        .about("The fee is charged on top of the amount, to the sender, rounded up to one KS, and goes to the PublicGoodsPool.")
        .reads::<TransferRequest>()
        .answers::<TransferReply>("The transfer that was made")
        .refuses(&[Code::INTENT_MISSING, Code::ACCOUNT_FROZEN])
        .refuses(&[Code::MIC_INSUFFICIENT, Code::SAME_PARTY, Code::BOOKS_LIMIT])
}

pub(crate) async fn transfer(app: App, permit: Permit<Sent<TransferRequest>>) -> Answer {
    let (actor, Sent { body, key }) = permit.open();
    let TransferRequest { from_did: from, to_did: to, amount: Positive(amount), reason } = body;
    let reason = reason.map_or_else(Box::default, |words| words.0);
    let command = Command::Transfer(Transfer { from, to, amount, reason });
    let committed = app.engine().submit(submission(key, actor, command)).await?;
    Ok(done(&app, &TransferReply::of(&committed)?, &committed))
}

impl TransferReply {
    /// The reply to a record of one transfer.
    pub(crate) fn of(committed: &Committed) -> Result<Self, Problem> {
        let mut movements = transactions_of(&committed.stored);
        let transfer = movements.next().ok_or_else(|| unexpected(committed))?;
        let fee = movements.next().filter(|movement| movement.kind == Kind::Fee);
        Ok(Self::new(&transfer, fee.map_or(Amount::ZERO, |fee| fee.amount), committed.stored.record.at))
    }

    /// The reply to one transfer with its fee.
    pub(crate) fn new(transfer: &Movement<'_>, fee: Amount, at: Time) -> Self {
        Self {
            tx_id: transfer.id,
            type_: transfer.kind.as_str(),
            amount_gic: Mic(transfer.amount),
            fee_gic: Mic(fee),
            timestamp: Shown(at),
            sequence: transfer.sequence,
        }
    }
}
