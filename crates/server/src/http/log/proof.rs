//! `GET /lab3/log/proof/{tx_id}`: that a transaction's record stands in the signed journal, in one text file.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use lab3_tlog::ProofFile;
use lab3_units::{Code, Problem};

use crate::App;
use crate::http::doc::Doc;
use crate::http::log::newest;
use crate::http::parameters::Named;
use crate::http::permit::Permit;
use crate::http::problem::Refused;
use crate::json::TransactionId;

/// Longest wait for a checkpoint that has the record: they come every second.
const PATIENCE: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) fn doc() -> Doc {
    Doc::new("log", "log_proof", "That a transaction stands in the signed journal, in one text file")
        .about("C2SP tlog-proof; `extra` is the record as it stands in the leaf. Keep it: it holds whatever becomes of this desk.")
        .names::<TransactionId>("tx_id", "The transaction.", Code::ID_MALFORMED)
        .asks_engine()
        .answers_text("text/plain", "The proof")
        .refuses(&[Code::TRANSACTION_UNKNOWN, Code::LOG_UNSIGNED])
}

pub(crate) async fn proof(app: App, permit: Permit<Named<TransactionId>>) -> Result<Response, Refused> {
    let (_, Named(id)) = permit.open();
    let unknown = || Problem::new(Code::TRANSACTION_UNKNOWN, "There is no such transaction.").in_field("tx_id");
    let stored = app.engine().find(id.id).await?.ok_or_else(unknown)?;
    Ok(of_record(&app, stored.sequence).await?.to_string().into_response())
}

/// The proof of a record that is durable, with the record as `extra`; waits for a checkpoint that has it.
pub(crate) async fn of_record(app: &App, sequence: u64) -> Result<ProofFile, Problem> {
    let index = sequence - 1;
    let mut published = newest(app)?;
    for _ in 0..PATIENCE {
        if published.checkpoint.size > index {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        published = newest(app)?;
    }
    let size = published.checkpoint.size;
    if size <= index {
        return Err(Problem::new(Code::VIEW_BEHIND, "No checkpoint has this record yet. Ask again in a second."));
    }
    let log = app.engine().log();
    let proof = log.inclusion(index, size).await?;
    let extra = log.entries(sequence..sequence + 1).await?.pop();
    Ok(ProofFile { extra, index, proof, note: published.note.clone() })
}
