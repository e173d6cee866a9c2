//! `GET /lab3/log/witnessed`: the newest checkpoint that witnesses have cosigned.

use axum::response::{IntoResponse, Response};
use lab3_units::{Code, Problem};

use crate::App;
use crate::http::doc::Doc;
use crate::http::log::signer;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::problem::Refused;

pub(crate) fn doc() -> Doc {
    Doc::new("log", "log_witnessed", "The newest checkpoint that witnesses have cosigned")
        .about(
            "A signed note with a line (C2SP tlog-cosignature) of each witness that saw it, and when. Checkpoints are made every second and \
             shown to witnesses less often, so this one is mostly a little older than the newest.",
        )
        .plain()
        .answers_text("text/plain", "The checkpoint")
        .refuses(&[Code::LOG_UNSIGNED, Code::LOG_UNWITNESSED])
}

pub(crate) async fn witnessed(app: App, _: Permit<Plain>) -> Result<Response, Refused> {
    let none = || {
        let detail = "No witness has cosigned a checkpoint of this journal. The operator names witnesses in log.witnesses; /lab3/health \
                      tells how they stand.";
        Problem::new(Code::LOG_UNWITNESSED, detail)
    };
    let note = signer(&app)?.witnesses().newest().ok_or_else(none)?;
    Ok(note.to_string().into_response())
}
