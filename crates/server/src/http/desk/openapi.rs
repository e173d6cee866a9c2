//! `GET /lab3/openapi.json`: the API's contract.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;

/// Made once: it never changes while the desk is open.
static DOCUMENT: LazyLock<String> = LazyLock::new(crate::openapi);

pub(crate) fn doc() -> Doc {
    Doc::new("desk", "openapi", "The API's contract: OpenAPI 3.1").plain().answers_json("The document")
}

pub(crate) async fn document(_: App, _: Permit<Plain>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], DOCUMENT.as_str()).into_response()
}
