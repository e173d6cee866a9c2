//! `GET /lab3/errors/{code}`: the page about one error code.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use lab3_units::{Code, Problem};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::App;
use crate::errors::page;
use crate::http::doc::Doc;
use crate::http::parameters::Named;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::Refused;
use crate::json::Parameter;

/// A page, by the code it is about.
pub(crate) struct Page(&'static str);

impl Parameter for Page {
    fn parse(text: &str) -> Result<Self, Problem> {
        let unknown = || Problem::new(Code::ERROR_UNKNOWN, "There is no such error code. /lab3/errors lists them all.");
        Code::parse(text).filter(|code| code.to_string() == text).and_then(page).map(Self).ok_or_else(unknown)
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some("^L3-[0-9]{4}$")).examples(["L3-0040"]).into()
    }
}

impl Touching for Page {
    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("desk", "error", "The page about one error code")
        .names::<Page>("code", "The code.", Code::ERROR_UNKNOWN)
        .answers_text("text/markdown", "What happened, an example, what helps")
}

pub(crate) async fn error(_: App, permit: Permit<Named<Page>>) -> Result<Response, Refused> {
    let (_, Named(Page(text))) = permit.open();
    let markdown = HeaderValue::from_static("text/markdown; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, markdown)], text).into_response())
}
