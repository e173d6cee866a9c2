//! `GET /lab3/log/key`: the key the journal's checkpoints are checked with.

use axum::response::{IntoResponse, Response};
use lab3_units::Code;

use crate::App;
use crate::http::doc::Doc;
use crate::http::log::signer;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::problem::Refused;

pub(crate) fn doc() -> Doc {
    Doc::new("log", "log_key", "The key the journal's checkpoints are checked with")
        .about("As signed notes write it: `<origin>+<id>+<key>`. Compare it with what others of the Hive have.")
        .plain()
        .answers_text("text/plain", "The key")
        .refuses(&[Code::LOG_UNSIGNED])
}

pub(crate) async fn key(app: App, _: Permit<Plain>) -> Result<Response, Refused> {
    Ok(format!("{}\n", signer(&app)?.key()).into_response())
}
