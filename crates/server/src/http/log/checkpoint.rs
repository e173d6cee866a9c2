//! `GET /lab3/log/checkpoint`: the newest signed head of the journal's tree.

use axum::response::{IntoResponse, Response};
use lab3_units::Code;

use crate::App;
use crate::http::doc::Doc;
use crate::http::log::newest;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::problem::Refused;

pub(crate) fn doc() -> Doc {
    Doc::new("log", "log_checkpoint", "The newest signed head of the journal's tree")
        .about("A signed note (C2SP tlog-checkpoint): origin, number of records, root. A new one every second in which there were writes.")
        .plain()
        .answers_text("text/plain", "The checkpoint")
        .refuses(&[Code::LOG_UNSIGNED])
}

pub(crate) async fn checkpoint(app: App, _: Permit<Plain>) -> Result<Response, Refused> {
    Ok(newest(&app)?.note.to_string().into_response())
}
