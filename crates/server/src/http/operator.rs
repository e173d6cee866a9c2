//! Who may do what only the operator may, until citizens have keys of their own.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use lab3_engine::Actor;
use lab3_units::{Code, Problem};
use sha2::{Digest, Sha256};

use crate::App;
use crate::http::problem::Refused;

/// What of the operator's token is kept: enough to compare, nothing to read.
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Compares in the same time wherever the difference lies.
    fn is_of(&self, token: &str) -> bool {
        let other: [u8; 32] = Sha256::digest(token).into();
        let differing = self.0.iter().zip(other).fold(0, |found, (mine, other)| found | (mine ^ other));
        differing == 0
    }
}

/// Somebody who may do what only the operator may.
pub(crate) struct Operator(pub(crate) Actor);

impl FromRequestParts<App> for Operator {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        match app.operator_token() {
            Some(_) if is_operator(&parts.headers, app)? => Ok(Self(Actor::Operator)),
            Some(_) => Err(Refused(wrong_token("The operator's token is missing."))),
            None if app.settings().loopback => Ok(Self(Actor::Open)),
            None => {
                let detail = "Only the operator may do this, and this desk, which listens beyond its own machine, has no operator token. \
                              Set one (operator.token in the configuration) and send it.";
                Err(Refused(Problem::new(Code::OPERATOR_ONLY, detail)))
            }
        }
    }
}

/// Whether the request carries the operator's token. A wrong token is refused, so that nobody is left to wonder.
pub(crate) fn is_operator(headers: &HeaderMap, app: &App) -> Result<bool, Problem> {
    let (Some(token), Some(sent)) = (app.operator_token(), headers.get(header::AUTHORIZATION)) else { return Ok(false) };
    let (scheme, word) = sent.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") && token.is_of(word.trim()) {
        return Ok(true);
    }
    Err(wrong_token("The operator's token is wrong."))
}

fn wrong_token(what: &str) -> Problem {
    Problem::new(Code::OPERATOR_TOKEN, format!("{what} Send it as Authorization: Bearer and the token.")).in_field("Authorization")
}
