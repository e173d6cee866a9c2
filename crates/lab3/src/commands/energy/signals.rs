//! `lab3 energy signals|import`: what signals the desk keeps, and giving it some.

use std::path::Path as FilePath;

use serde::Serialize;

use super::minutes;
use crate::Failure;
use crate::cli::{EnergyDeskArgs, EnergyImportArgs};
use crate::client::{Client, Document, Path};
use crate::table::list;

const SIGNALS: &str = "/lab3/energy/signals";

/// Every signal, and every fetch if there is one.
pub fn signals(client: &Client, args: &EnergyDeskArgs) -> Result<String, Failure> {
    let reply = client.get(&Path::new(SIGNALS))?;
    let shown = |told: &Document| {
        let fetches = told.list("fetches");
        let fetched = if fetches.is_empty() { String::new() } else { format!("\n\n{}", fetched(&fetches)) };
        kept(&told.list("signals")) + &fetched
    };
    Ok(crate::commands::shown(&reply, &args.desk, shown)?)
}

fn kept(signals: &[Document]) -> String {
    if signals.is_empty() {
        return "no signals yet; lab3 energy import FILE gives the desk some".to_owned();
    }
    let header = ["kind", "zone", "source", "detail", "unit", "minutes", "first", "end", "measured", "forecast", "filled", "written"];
    let fields =
        ["kind", "zone", "source", "detail", "unit", "step_minutes", "first", "end", "measured", "forecast", "filled", "written_at"];
    list(&header, &[5, 8, 9, 10], signals.iter().map(|signal| fields.map(|field| told(signal, field)).to_vec()))
}

/// A field, minutes as they are said.
fn told(of: &Document, field: &str) -> String {
    if field.ends_with("_minutes") { minutes(&of.text(field)) } else { of.text(field) }
}

fn fetched(fetches: &[Document]) -> String {
    let header = ["fetched from", "minutes", "last success", "values", "last failure", "why", "failures", "next"];
    let fields = ["from", "every_minutes", "last_success", "last_values", "last_failure", "last_error", "failures", "next"];
    list(&header, &[1, 3, 6], fetches.iter().map(|fetch| fields.map(|field| told(fetch, field)).to_vec()))
}

/// A document, and what it does not say.
#[derive(Serialize)]
struct ImportBody<'a> {
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mic_per_currency: Option<f64>,
}

/// Gives the desk a file.
pub fn import(client: &Client, args: &EnergyImportArgs) -> Result<String, Failure> {
    let content = read(&args.file)?;
    let body = ImportBody {
        content: &content,
        format: args.format.map(lab3_energy::signals::Format::name),
        kind: args.kind.map(lab3_energy::signals::Kind::name),
        zone: args.zone.as_deref(),
        source: args.source.as_deref(),
        unit: args.unit.as_deref(),
        time_zone: args.time_zone.as_deref(),
        mic_per_currency: args.mic_per_currency,
    };
    let reply = client.post(&Path::new(SIGNALS), &crate::commands::body(&body)?, None)?;
    Ok(crate::commands::shown(&reply, &args.desk, imported)?)
}

fn read(file: &FilePath) -> Result<String, Failure> {
    let bytes = std::fs::read(file).map_err(|error| Failure::Other(format!("{} cannot be read: {error}", file.display())))?;
    let no_text = |_| Failure::Other(format!("{} is no UTF-8 text: unpack it, or save it as UTF-8", file.display()));
    String::from_utf8(bytes).map_err(no_text)
}

fn imported(told: &Document) -> String {
    let header = ["kind", "zone", "source", "detail", "first", "end", "sent", "written"];
    let signals = told.list("signals");
    let row = |imported: &Document| {
        let signal = imported.object("signal");
        let of_signal = |field: &str| signal.as_ref().map(|signal| signal.text(field)).unwrap_or_default();
        let named = ["kind", "zone", "source", "detail", "first", "end"].map(of_signal);
        named.into_iter().chain(["sent", "written"].map(|field| imported.text(field))).collect()
    };
    let findings = signals.iter().flat_map(|imported| imported.list("findings")).map(|finding| {
        let word = if finding.text("doubt") == "true" { "look: " } else { "note: " };
        format!("{word}{}", finding.text("detail"))
    });
    let findings: Vec<String> = findings.collect();
    let table = format!("read as {}\n\n{}", told.text("format"), list(&header, &[6, 7], signals.iter().map(row)));
    if findings.is_empty() { table } else { format!("{table}\n\n{}", findings.join("\n")) }
}
