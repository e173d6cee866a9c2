//! `GET /lab3/witness/key`: the key this Hive cosigns others' checkpoints with.

use axum::response::{IntoResponse, Response};
use lab3_units::{Code, Problem};

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::problem::Refused;

pub(crate) fn doc() -> Doc {
    Doc::new("log", "witness_key", "The key this Hive cosigns others' checkpoints with")
        .about(
            "As signed notes write it: `<name>+<id>+<key>`. `POST /lab3/witness/add-checkpoint` is C2SP's tlog-witness, which has a document of \
             its own; the logs it answers are the operator's to name (`witness.logs`).",
        )
        .plain()
        .answers_text("text/plain", "The key")
        .refuses(&[Code::WITNESS_NONE])
}

pub(crate) async fn key(app: App, _: Permit<Plain>) -> Result<Response, Refused> {
    let none = || Problem::new(Code::WITNESS_NONE, "This desk has no key to cosign with: it was opened without a signer's folder.");
    Ok(format!("{}\n", app.witness().ok_or_else(none)?.key()).into_response())
}
