//! `GET /lab3/errors`: every error code there is.

use lab3_units::Code;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, reply};

/// Every error code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorsReply {
    /// In the order of the codes.
    errors: Vec<ErrorLine>,
}

/// One error code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorLine {
    /// The code.
    #[schema(example = "L3-0040")]
    code: String,
    /// The HTTP status it comes with.
    #[schema(example = 402)]
    status: u16,
    /// What it means.
    #[schema(example = "Not enough MIC")]
    title: &'static str,
    /// Where the page about it is.
    #[schema(example = "/lab3/errors/L3-0040")]
    page: String,
}

pub(crate) fn doc() -> Doc {
    Doc::new("desk", "errors", "Every error code there is").plain().answers::<ErrorsReply>("The codes")
}

pub(crate) async fn errors(_: App, _: Permit<Plain>) -> Answer {
    let line = |code: &Code| ErrorLine {
        code: code.to_string(),
        status: code.status(),
        title: code.title(),
        page: format!("/lab3/errors/{code}"),
    };
    Ok(reply(&ErrorsReply { errors: Code::ALL.iter().map(line).collect() }))
}
