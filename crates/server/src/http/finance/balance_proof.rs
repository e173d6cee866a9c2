//! `GET /lab3/financial/balance/{citizen_did}/proof`: what a citizen had when an epoch was closed, in a text file that proves it.

use axum::response::{IntoResponse, Response};
use lab3_ledger::Purpose;
use lab3_tlog::ListProof;
use lab3_units::{Asset, Code, Did, Owner, Problem};

use crate::App;
use crate::http::doc::Doc;
use crate::http::log::proof::of_record;
use crate::http::parameters::{NamedAsked, parameters};
use crate::http::permit::Permit;
use crate::http::problem::Refused;
use crate::json::Whole;

parameters! {
    /// When.
    pub(crate) struct BalanceProofQuery {
        /// An epoch that is closed: asks for the balance right after it. The last that was closed when left out.
        pub epoch: Option<Whole<1, 4_294_967_295>>,
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("finance", "balance_proof", "What a citizen had when an epoch was closed, in a text file that proves it")
        .about(
            "The balance in lines of text, the path from it to the root in the record that closed the epoch, and that record's C2SP tlog-proof. \
             Keep it: it holds whatever becomes of this desk. `lab3 balance --check` and docs/verify/balance.py check it against the log's key.",
        )
        .names::<Did>("citizen_did", "The citizen.", Code::DID_MALFORMED)
        .asks::<BalanceProofQuery>(&[])
        .asks_engine()
        .answers_text("text/plain", "The proof")
        .refuses(&[Code::EPOCH_UNPROVED, Code::BALANCE_ABSENT, Code::LOG_UNSIGNED])
}

pub(crate) async fn balance_proof(app: App, permit: Permit<NamedAsked<Did, BalanceProofQuery>>) -> Result<Response, Refused> {
    let (_, NamedAsked(citizen, query)) = permit.open();
    let epoch = query.epoch.map(|Whole(epoch)| u32::try_from(epoch).unwrap_or(u32::MAX));
    let (epoch, proof) = app.engine().balance_proof(Owner::from(&citizen), Asset::MIC, Purpose::Wallet, epoch).await?;
    let absent = || {
        let detail = format!("{citizen} had no wallet when epoch {epoch} was closed, and so no balance.");
        Problem::new(Code::BALANCE_ABSENT, detail).in_field("citizen_did")
    };
    let proof = proof.ok_or_else(absent)?;
    let record = of_record(&app, proof.sequence).await?;
    Ok(ListProof { leaf: proof.leaf, path: proof.path, record }.to_string().into_response())
}
