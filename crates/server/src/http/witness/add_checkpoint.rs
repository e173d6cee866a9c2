//! `POST /lab3/witness/add-checkpoint`: cosigns another log's checkpoint, as c2sp.org/tlog-witness has it. The log's signature counts, not
//! who brings it.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lab3_tlog::{ADD_CHECKPOINT_BYTES_MAX, Refusal, Seconds};
use lab3_trust::Principal;
use lab3_units::Problem;

use crate::App;
use crate::http::body::{check_no_query, short_body};
use crate::http::permit::{Input, Permit, Touches};
use crate::http::problem::hint;
use crate::witness::NotCosigned;

/// What a 409's body is said to be.
const SIZE: HeaderValue = HeaderValue::from_static("text/x.tlog.size");

/// A request's body, not yet read. The protocol names no content type, so none is asked for: that of this route alone, whose requests change
/// nothing of ours and count by their signature.
pub(crate) struct Added(Bytes);

impl Input for Added {
    async fn read(request: Request, app: &App, _: &Principal) -> Result<Self, Problem> {
        check_no_query(request.uri())?;
        short_body(request.into_body(), app, ADD_CHECKPOINT_BYTES_MAX).await.map(Self)
    }

    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

/// Our own refusals in the protocol's form: a line of text.
pub(crate) fn refused(problem: &Problem) -> Response {
    let code = problem.code();
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, format!("{} ({code})\n", problem.detail)).into_response();
    if let Some((name, value)) = hint(problem) {
        response.headers_mut().insert(name, value);
    }
    response
}

pub(crate) async fn add_checkpoint(app: App, permit: Permit<Added>) -> Response {
    let (_, Added(body)) = permit.open();
    // A witness of nobody knows no log.
    let Some(witness) = app.witness().cloned() else { return answer(Refusal::UnknownOrigin) };
    let now = u64::try_from(app.engine().now().millis().div_euclid(1000)).ok().and_then(Seconds::new);
    let Some(now) = now else { return failed("the clock is before 1970") };
    // On a thread of its own it ends, even when the client does not wait for it.
    let judged = tokio::task::spawn_blocking(move || witness.add_checkpoint(&body, now)).await;
    match judged {
        Ok(Ok(line)) => line.into_response(),
        Ok(Err(NotCosigned::Refused(refusal))) => answer(refusal),
        Ok(Err(NotCosigned::Unkept(error))) => failed(&error),
        Err(error) => failed(&error.to_string()),
    }
}

fn answer(refusal: Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, refusal.body()).into_response();
    if let Refusal::Conflict { .. } = refusal {
        response.headers_mut().insert(header::CONTENT_TYPE, SIZE);
    }
    response
}

fn failed(error: &str) -> Response {
    tracing::error!(error, "a checkpoint could not be kept, and was not cosigned");
    (StatusCode::INTERNAL_SERVER_ERROR, "the checkpoint could not be kept, so it is not cosigned; try again later\n").into_response()
}
