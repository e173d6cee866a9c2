//! `POST /lab3/financial/transactions/{tx_id}/erase`: what people wrote in a transaction's record is gone; what was paid stays.

use lab3_ledger::AccountNo;
use lab3_trust::Erase;
use lab3_units::{Code, Did, Id, Problem};

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::finance::statement::transactions_of;
use crate::http::parameters::Named;
use crate::http::permit::{Permit, Touches, Touching, owners};
use crate::http::reply::Answer;
use crate::http::trust::done::{ActReply, act};
use crate::json::{Parameter, TransactionId, Words, request};

request! {
    /// A request to erase what was written in a transaction's record.
    #[example({ "reason": "asked for by the member" })]
    pub(crate) struct EraseRequest {
        /// Why, for everybody to read: this stays in the journal, so name nobody.
        pub reason: Words<1, 200>,
    }
}

/// A transaction in whose record something was written.
#[derive(Clone, Copy)]
pub(crate) struct Written(TransactionId);

impl Parameter for Written {
    fn parse(text: &str) -> Result<Self, Problem> {
        TransactionId::parse(text).map(Self)
    }

    fn schema() -> utoipa::openapi::Schema {
        <TransactionId as Parameter>::schema()
    }
}

impl Touching for Written {
    fn touches(&self) -> Touches<'_> {
        Touches::Written(self.0.id)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "erase", "Erase what was written in a transaction's record")
        .about(
            "The words of a transfer, contribution, grant or mint: whoever paid may erase them, and the operator. They stand beside the \
             journal and are gone from every file of it; amounts, names and times stay, and so does every proof. Of transfers that were made all \
             or none, the words of all are erased. Copies that were made before keep them.",
        )
        .names::<TransactionId>("tx_id", "The transaction.", Code::ID_MALFORMED)
        .reads::<EraseRequest>()
        .answers::<ActReply>("They are gone")
        .refuses(&[Code::TRANSACTION_UNKNOWN])
}

pub(crate) async fn erase(app: App, permit: Permit<(Named<Written>, Sent<EraseRequest>)>) -> Answer {
    let principal = permit.principal().clone();
    let (_, (Named(Written(id)), Sent { body, key })) = permit.open();
    let Some((record, writers)) = writers(&app, id.id).await? else {
        return Err(Problem::new(Code::TRANSACTION_UNKNOWN, "There is no such transaction.").in_field("tx_id").into());
    };
    let noted = act(&app, principal, key, Erase { record, writers, reason: body.reason.0 }).await?;
    // After it is noted, and again whenever it is asked for again: a desk that falls in between has the words still.
    app.engine().erase(record).await?;
    Ok(noted)
}

/// The record of a transaction, and the citizens who wrote in it: nobody when the Hive did.
pub(crate) async fn writers(app: &App, id: Id) -> Result<Option<(u64, Vec<Did>)>, Problem> {
    let Some(stored) = app.engine().find(id).await? else { return Ok(None) };
    let written = transactions_of(&stored).filter(|movement| movement.kind.has_words());
    let accounts = written.map(|movement| movement.from).collect::<std::collections::BTreeSet<AccountNo>>();
    if accounts.is_empty() {
        return Ok(None);
    }
    Ok(Some((stored.sequence, owners(app, accounts.into_iter().collect()).await?)))
}
