//! `lab3 allocate DID TOKENS`

use clap::ValueEnum as _;
use lab3_units::Time;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Failure;
use crate::cli::AllocateArgs;
use crate::client::{Client, Document, Path};
use crate::table::{list, pairs};

#[derive(Serialize)]
struct Request<'a> {
    citizen_did: &'a str,
    query_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_quality: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_cost_gic: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Time>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    explain: bool,
}

/// Chooses a provider and holds the estimate, once; a dry run only asks.
pub fn run(client: &Client, args: &AllocateArgs) -> Result<String, Failure> {
    let priority = args.priority.and_then(|priority| priority.to_possible_value());
    let request = Request {
        citizen_did: args.did.as_str(),
        query_tokens: args.tokens,
        priority: priority.map(|priority| priority.get_name().to_owned()),
        min_quality: args.min_quality.map(super::number).transpose()?,
        max_cost_gic: args.max_cost.map(super::mic).transpose()?,
        preferred_provider: args.provider.as_deref(),
        deadline: args.deadline,
        dry_run: args.dry_run,
        explain: args.explain,
    };
    let reply = client.post(&Path::new("/lab3/compute/allocate"), &super::body(&request)?, args.write.key.as_deref())?;
    super::keep_receipt(&reply, &args.write.receipt)?;
    Ok(super::shown(&reply, &args.desk, |allocation| {
        let chosen = chosen(allocation);
        if args.explain { format!("{chosen}\n\n{}", candidates(&allocation.list("providers"))) } else { chosen }
    })?)
}

fn chosen(allocation: &Document) -> String {
    let held = if allocation.has("allocation_id") { allocation.text("allocation_id") } else { "none: a dry run holds nothing".to_owned() };
    let deferral = allocation.object("deferral");
    let of_deferral = |field| deferral.as_ref().map_or_else(String::new, |deferral| deferral.text(field));
    let with_unit = |field, unit| deferral.as_ref().map_or_else(String::new, |deferral| deferral.with_unit(field, unit));
    pairs(&[
        ("provider", allocation.text("provider")),
        ("reason", allocation.text("reason")),
        ("estimated cost", allocation.with_unit("estimated_cost_gic", "MIC")),
        ("estimated latency", allocation.with_unit("estimated_latency_ms", "ms")),
        ("quota remaining", allocation.with_unit("quota_remaining", "MIC")),
        ("fallback", allocation.text("fallback_provider")),
        ("run at", of_deferral("run_at")),
        ("at the latest", of_deferral("run_until")),
        ("why then", of_deferral("reason")),
        ("carbon then", with_unit("carbon_g_per_kwh", "g/kWh")),
        ("carbon at once", with_unit("at_once_carbon_g_per_kwh", "g/kWh")),
        ("saved", with_unit("saved_percent", "%")),
        ("carbon saved", with_unit("carbon_saved_g", "g")),
        ("allocation", held),
        ("expires", allocation.text("expires_at")),
    ])
}

fn candidates(providers: &[Document]) -> String {
    let header = ["provider", "score", "cost MIC", "latency ms", "quality", "reliability", "excluded by"];
    let fields = ["provider", "score", "cost_gic", "latency_ms", "quality", "reliability", "excluded_by"];
    list(&header, &[1, 2, 3, 4, 5], providers.iter().map(|provider| fields.iter().map(|field| provider.text(field)).collect()))
}
