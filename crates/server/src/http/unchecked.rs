//! Routes that leave the check out, one way each. Built with `--cfg lab3_unchecked` alone, and then none of them compiles: every line
//! that ends in `//~ CASE CODE` must be refused with that error, and no other line with any (`tests/tests/unchecked.rs`). There are two
//! cases, for the compiler looks at what is private only once all types are right.

#![allow(dead_code, clippy::needless_pass_by_value, reason = "nobody calls what does not compile")]

use axum::extract::Request;
use axum::routing::get;
use lab3_trust::{Principal, Rule};

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::table::Table;
use crate::json::request;

const PATH: &str = "/lab3/unchecked";

async fn checked(_: App, _: Permit<Plain>) {}

async fn takes_the_request(_: App, _: Request) {}

async fn takes_what_it_likes(_: Request) {}

request! {
    /// A request that does not say what it touches.
    #[example({})]
    pub(crate) struct Untouching {
        /// Anything.
        pub note: Option<crate::json::Words<0, 200>>,
    }
}

async fn takes_what_touches_nothing(_: App, _: Permit<Sent<Untouching>>) {}

/// The right way: were this not to compile, the others would show nothing.
fn right(table: Table<'_>) -> Table<'_> {
    table.get(PATH, Rule::PUBLIC, checked, doc())
}

#[cfg(lab3_unchecked = "route")]
fn without_a_permit(table: Table<'_>) -> Table<'_> {
    table.get(PATH, Rule::PUBLIC, takes_the_request, doc()) //~ route E0308
}

#[cfg(lab3_unchecked = "route")]
fn without_the_app(table: Table<'_>) -> Table<'_> {
    table.post(PATH, Rule::PUBLIC, takes_what_it_likes, doc()) //~ route E0308
}

#[cfg(lab3_unchecked = "route")]
fn without_a_rule(table: Table<'_>) -> Table<'_> {
    table.get(PATH, checked, doc()) //~ route E0061
}

#[cfg(lab3_unchecked = "route")]
fn without_saying_what_it_touches(table: Table<'_>) -> Table<'_> {
    table.post(PATH, Rule::PUBLIC, takes_what_touches_nothing, doc()) //~ route E0277
}

#[cfg(lab3_unchecked = "route")]
fn around_the_table(table: Table<'_>) -> axum::Router<App> {
    table.router.route(PATH, get(takes_what_it_likes)) //~ route E0616
}

#[cfg(lab3_unchecked = "permit")]
fn with_a_permit_of_its_own(asked: Plain) -> Permit<Plain> {
    let principal = Principal::Local;
    Permit { principal, asked } //~ permit E0451
}

#[cfg(lab3_unchecked = "route")]
fn with_what_a_permit_holds(permit: Permit<Plain>) -> Plain {
    permit.asked //~ route E0616
}

fn doc() -> Doc {
    Doc::new("desk", "unchecked", "Nothing")
}
