//! Refusals on the wire: a [`Problem`] as an RFC 9457 document.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lab3_engine::Committed;
use lab3_units::{Code, Problem};
use serde::Serialize;
use utoipa::ToSchema;

/// A refusal, on its way to the client.
#[derive(Clone, Debug)]
pub(crate) struct Refused(pub(crate) Problem);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

/// Why a request was refused: an RFC 9457 problem document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'a> {
    /// Where the page about this code is.
    #[serde(rename = "type")]
    #[schema(example = "/lab3/errors/L3-0040")]
    type_: String,
    /// What the code means, always the same words.
    #[schema(example = "Not enough MIC")]
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 402)]
    status: u16,
    /// The stable code.
    #[schema(pattern = "^L3-[0-9]{4}$", example = "L3-0040")]
    code: String,
    /// The field or parameter to blame, as the request spells it (`transfers[3].amount`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "amount", nullable = false)]
    field: Option<&'a str>,
    /// What happened and what would help, in sentences.
    #[schema(example = "did:kaizen:alice needs 50.0005 MIC with the fee of 0.0005, has 12.0. Send less, or receive MIC first.")]
    detail: Cow<'a, str>,
}

impl<'a> ProblemDocument<'a> {
    pub(crate) fn new(problem: &'a Problem) -> Self {
        let code = problem.code();
        Self {
            type_: format!("/lab3/errors/{code}"),
            title: code.title(),
            status: code.status(),
            code: code.to_string(),
            field: problem.field.as_deref(),
            detail: Cow::Borrowed(&problem.detail),
        }
    }
}

/// The content type of a problem document.
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What else a client should know: by status, and when to ask again as the problem says, if it does.
pub(crate) fn hint(problem: &Problem) -> Option<(HeaderName, HeaderValue)> {
    let again = |usual: u32| Some((header::RETRY_AFTER, problem.retry_after_seconds.unwrap_or(usual).into()));
    match problem.code().status() {
        401 => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        // Allocations end by being reported, released or expired: none of that happens at once.
        429 => again(10),
        503 => again(1),
        _ => None,
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let code = self.0.code();
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Numbers and strings only, so this cannot fail.
        let body = serde_json::to_vec(&ProblemDocument::new(&self.0)).unwrap_or_default();
        let mut response = (status, body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Some((name, value)) = hint(&self.0) {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// The refusal when a record tells something else than its command asked for. A defect, if it is ever seen.
pub(crate) fn unexpected(committed: &Committed) -> Problem {
    tracing::error!(sequence = committed.stored.sequence, "a record does not fit the request it was found for");
    Problem::new(Code::INTERNAL, "The journal's record does not fit this request. Please report this.")
}

/// Answers for a path there is not.
pub(crate) async fn no_such_path() -> Refused {
    let detail = "The API stands under /lab3; /lab3/docs lists its paths.";
    Refused(Problem::new(Code::NO_SUCH_PATH, detail))
}

/// Answers for a file the page to try requests on does not have.
pub(crate) async fn no_such_file(response: Response) -> Response {
    if response.status() == StatusCode::NOT_FOUND { no_such_path().await.into_response() } else { response }
}

/// Answers for a method the path does not know; the router adds `Allow`.
pub(crate) async fn no_such_method(method: axum::http::Method) -> Response {
    if method == axum::http::Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("The path does not know {method}. The header Allow lists the methods it knows.");
    Refused(Problem::new(Code::METHOD, detail)).into_response()
}
