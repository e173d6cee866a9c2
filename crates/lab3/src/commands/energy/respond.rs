//! `lab3 energy respond|responses`: what the site can promise to buy less, and what was promised.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::Failure;
use crate::cli::{EnergyDeskArgs, EnergyRespondArgs};
use crate::client::{Client, Document, Path};
use crate::commands::{body, mic, number, shown};
use crate::table::{list, pairs};

const RESPONSES: &str = "/lab3/energy/responses";

#[derive(Serialize)]
struct Request<'a> {
    from: &'a str,
    to: &'a str,
    reduce_kw: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reward_per_kwh_gic: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    penalty_per_kwh_gic: Option<Box<RawValue>>,
    promise: bool,
}

/// Asks, and promises when that is wished.
pub fn respond(client: &Client, args: &EnergyRespondArgs) -> Result<String, Failure> {
    let request = Request {
        from: &args.from,
        to: &args.to,
        reduce_kw: number(args.reduce_kw)?,
        reward_per_kwh_gic: args.reward.map(mic).transpose()?,
        penalty_per_kwh_gic: args.penalty.map(mic).transpose()?,
        promise: args.promise,
    };
    let reply = client.post(&Path::new(RESPONSES), &body(&request)?, None)?;
    Ok(shown(&reply, &args.desk, |told| {
        let promised = match told.text("promised_kw").parse::<f64>() {
            _ if told.text("is_promised") == "true" => "yes",
            Ok(kw) if kw > 0.0 => "no: --promise does",
            _ => "no: nothing can be kept for certain",
        };
        let unknown = told.words("unknown").join("\n");
        let about = pairs(&[
            ("can be promised", told.with_unit("promised_kw", "kW less")),
            ("brings", told.with_unit("reward_gic", "MIC")),
            ("is worth", told.with_unit("worth_gic", "MIC")),
            ("is promised", promised.to_owned()),
        ]);
        if unknown.is_empty() { about } else { format!("{about}\n\n{unknown}") }
    })?)
}

/// What was promised.
pub fn responses(client: &Client, args: &EnergyDeskArgs) -> Result<String, Failure> {
    let reply = client.get(&Path::new(RESPONSES))?;
    Ok(shown(&reply, &args.desk, |told| listed(&told.list("responses")))?)
}

fn listed(promises: &[Document]) -> String {
    if promises.is_empty() {
        return "nothing was promised in the last month".to_owned();
    }
    let header = ["from", "to", "kW less", "brings MIC", "less kWh", "short kWh", "brought MIC"];
    let row = |promise: &Document| {
        let settled = promise.object("settled");
        let of = |field: &str| settled.as_ref().map(|settled| settled.text(field)).unwrap_or_default();
        let first = ["from", "to", "promised_kw", "reward_gic"].map(|field| promise.text(field));
        first.into_iter().chain(["reduced_kwh", "short_kwh", "earned_gic"].map(of)).collect()
    };
    list(&header, &[2, 3, 4, 5, 6], promises.iter().map(row))
}
