//! `GET` and `POST /lab3/policy`: the rules of the Hive that it changes itself, and where each value comes from.

use lab3_engine::RULES;
use lab3_trust::{Act, ChangePolicy, PolicyLines};
use lab3_units::{Code, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, reply};
use crate::http::trust::done::{ActReply, act};
use crate::http::trust::governed::with_text;
use crate::json::{RuleValues, request};

request! {
    /// A request to change rules of the Hive.
    #[example({ "set": { "log.readers": "everybody", "trust.unsigned_max_gic": 5 } })]
    pub(crate) struct PolicyRequest {
        /// Rules and what they shall be; `default` gives one back to the configuration.
        pub set: RuleValues,
    }
}

impl Touching for PolicyRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Hive
    }
}

/// The rules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyReply {
    /// Every rule there is, by name.
    rules: Vec<RuleTold>,
}

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleTold {
    /// Its name.
    #[schema(example = "trust.unsigned_max_gic")]
    name: &'static str,
    /// What holds.
    #[schema(example = "5.0")]
    value: String,
    /// `policy` when a record of the journal says so, else `configuration`.
    #[schema(example = "policy")]
    from: &'static str,
    /// What the configuration says, and holds where no record says otherwise.
    #[schema(example = "1.0")]
    configured: String,
    /// What it can be set to.
    #[schema(example = "an amount of MIC, at most 6 decimals")]
    takes: &'static str,
    /// What it is.
    meaning: &'static str,
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "policy", "The rules the Hive changes itself")
        .plain()
        .answers::<PolicyReply>("The rules, and where each value comes from")
}

pub(crate) fn set_doc() -> Doc {
    Doc::new("trust", "set_policy", "Change rules of the Hive")
        .about("They hold at once, for what is decided from then on. With treasurers it takes their signatures: `POST /lab3/intents`.")
        .reads::<PolicyRequest>()
        .answers::<ActReply>("They hold now")
        .refuses(&[Code::INTENT_MISSING])
}

pub(crate) async fn policy(app: App, _: Permit<Plain>) -> Answer {
    let trust = app.engine().trust();
    let told = |rule: &lab3_engine::HiveRule| {
        let standing = rule.standing(app.engine().configured(), &trust);
        let from = if standing.set { "policy" } else { "configuration" };
        let (value, configured) = (standing.value, standing.configured);
        RuleTold { name: rule.name, value, from, configured, takes: rule.takes, meaning: rule.meaning }
    };
    Ok(reply(&PolicyReply { rules: RULES.iter().map(told).collect() }))
}

pub(crate) async fn set(app: App, permit: Permit<Sent<PolicyRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (_, Sent { body: PolicyRequest { set: RuleValues(pairs) }, key }) = permit.open();
    let pairs = pairs.iter().map(|(name, value)| (*name, &**value));
    let lines = PolicyLines::new(pairs).map_err(|problem: Problem| problem.in_field("set"))?;
    let answer = act(&app, principal, key, ChangePolicy { lines: lines.clone(), approval: None }).await;
    answer.map_err(|refused| with_text(&app, refused.0, "", |_| Act::Policy(lines)).into())
}
