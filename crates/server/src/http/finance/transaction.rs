//! `GET /lab3/financial/transactions/{tx_id}`: one transaction.

use lab3_units::{Code, Problem};

use crate::App;
use crate::http::doc::Doc;
use crate::http::finance::names::Names;
use crate::http::finance::statement::{Transaction, transactions_of};
use crate::http::parameters::Named;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, reply};
use crate::json::TransactionId;

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "transaction", "One transaction")
        .names::<TransactionId>("tx_id", "The transaction.", Code::ID_MALFORMED)
        .asks_engine()
        .answers::<Transaction>("The transaction")
        .refuses(&[Code::TRANSACTION_UNKNOWN])
}

pub(crate) async fn transaction(app: App, permit: Permit<Named<TransactionId>>) -> Answer {
    let (_, Named(id)) = permit.open();
    let unknown = || {
        let detail = "There is no such transaction. Its id stands in the reply to the transfer and in the lists of transactions.";
        Problem::new(Code::TRANSACTION_UNKNOWN, detail).in_field("tx_id")
    };
    let stored = app.engine().find(id.id).await?.ok_or_else(unknown)?;
    let movement = transactions_of(&stored).find(|movement| movement.id == id).ok_or_else(unknown)?;
    let names = Names::ask(app.engine(), [movement.from, movement.to].into_iter()).await?;
    Ok(reply(&movement.told(&names)))
}
