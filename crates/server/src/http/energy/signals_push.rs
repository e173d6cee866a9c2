//! `POST /lab3/energy/signals`: keeps a signal, in our own form or as a document in one of the formats people have.

use lab3_energy::Mark;
use lab3_energy::signals::{Finding, Format, Hints, Kind};
use lab3_units::{Code, Problem, Time};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::signals::SignalReply;
use super::{MODULE, Name};
use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, reply};
use crate::json::{Figure, Lines, List, Whole, Word, Words, request};
use crate::readings::{Import, Pushed};

/// Who publishes what nobody else says.
const SOURCE: &str = "push";

request! {
    /// A signal: its values, or a document that has them (`content`).
    #[example({
        "kind": "price_import", "zone": "DE", "source": "tariff", "start": "2026-11-23T00:00:00Z", "step_minutes": 60,
        "values": [0.31, 0.29, 0.28, 0.3], "mark": "forecast"
    })]
    pub(crate) struct SignalsRequest {
        /// What it tells: kW, g CO2e a kWh or MIC a kWh. Of a document: what it does not say itself.
        pub kind: Option<Kind>,
        /// Where it holds.
        pub zone: Option<Name>,
        /// Who publishes it; `push`, or the document's format, when left out.
        pub source: Option<Name>,
        /// What tells it from others of its kind, zone and source.
        pub detail: Option<Name>,
        /// Where the first step begins.
        pub start: Option<Time>,
        /// How long a step is.
        pub step_minutes: Option<Whole<1, 1_440>>,
        /// The value of each step; `null` where there is none.
        pub values: Option<List<Option<Figure<-1_000_000_000, 1_000_000_000>>, 1, 200_000>>,
        /// Where the values are from; measured when left out.
        pub mark: Option<Mark>,
        /// A document, as text, instead of `start` and `values`.
        pub content: Option<Lines<16_777_216>>,
        /// The document's format; when left out, the one it looks like.
        pub format: Option<Format>,
        /// The unit of the values, such as `EUR/MWh`; when left out, as the document says, or that of its kind.
        pub unit: Option<Words<1, 32>>,
        /// The zone of times that have no offset (`Europe/Berlin`, `+01:00`); UTC when left out.
        pub time_zone: Option<Words<1, 64>>,
        /// How many MIC a unit of the prices' currency is; 1 when left out.
        pub mic_per_currency: Option<Figure<0, 1_000_000_000>>,
        /// The longest gap that is filled by a straight line; two hours when left out.
        pub fill_minutes: Option<Whole<0, 1_440>>,
    }
}

/// What became of a push.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportReply {
    /// The format it was read as.
    #[schema(example = "entsoe")]
    format: &'static str,
    /// Whether somebody should look at the findings before relying on the values.
    doubtful: bool,
    /// Its signals.
    signals: Vec<ImportedReply>,
}

/// What became of one of its signals.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportedReply {
    /// The signal as it is now.
    signal: SignalReply,
    /// How many of its steps came.
    sent: u64,
    /// How many of them were written; the others were measured before, and what came was not.
    written: u64,
    /// What is odd about what came.
    findings: Vec<FindingReply>,
}

/// Something odd.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingReply {
    /// What, in a sentence.
    detail: String,
    /// Whether somebody should look before relying on the values.
    doubt: bool,
}

impl Touching for SignalsRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Module(MODULE)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "push_signals", "Keep a signal: carbon, prices, generation or load over time")
        .about(
            "Values take the place of those that were there, but only measured ones that of measured ones. A signal has one length of step, fixed by its first \
             values; others are taken where they lie whole on it. On an error nothing is kept. Sending the same again changes nothing.",
        )
        .reads::<SignalsRequest>()
        .answers::<ImportReply>("What became of it")
        .refuses(&[Code::SIGNALS_UNREADABLE, Code::READINGS_UNAVAILABLE])
}

pub(crate) async fn push(app: App, permit: Permit<Sent<SignalsRequest>>) -> Answer {
    let (_, Sent { body, .. }) = permit.open();
    let is_document = body.content.is_some();
    let (content, format, hints) = if is_document { document(body)? } else { own(body)? };
    let now = app.engine().now();
    let import = app.readings().import(content, format, hints, now).await.map_err(|problem| match problem.field.as_deref() {
        // Our own form has no content to blame.
        Some("content") if !is_document => {
            let field = if problem.detail.starts_with("Unit") { "unit" } else { "values" };
            problem.in_field(field)
        }
        _ => problem,
    })?;
    Ok(reply(&ImportReply::new(import)))
}

type Document = (Vec<u8>, Option<Format>, Hints);

/// A document, with what it does not say itself.
fn document(body: SignalsRequest) -> Result<Document, Problem> {
    let twice = [("start", body.start.is_some()), ("values", body.values.is_some()), ("detail", body.detail.is_some())];
    if let Some((field, _)) = twice.into_iter().find(|(_, given)| *given) {
        return Err(
            Problem::new(Code::FIELD_RANGE, format!("The document says this itself. Leave out {field} or content.")).in_field(field)
        );
    }
    let format = body.format;
    let (content, hints) = hinted(body);
    Ok((content, format, hints))
}

fn hinted(body: SignalsRequest) -> (Vec<u8>, Hints) {
    let seconds = |minutes: u64| u32::try_from(minutes * 60).ok();
    let text = |words: Box<str>| words.into_string();
    let hints = Hints {
        zone: body.zone.map(|zone| text(zone.0)),
        source: body.source.map(|source| text(source.0)),
        kind: body.kind,
        unit: body.unit.map(|unit| text(unit.0)),
        time_zone: body.time_zone.map(|zone| text(zone.0)),
        step_s: body.step_minutes.and_then(|minutes| seconds(minutes.0)),
        mark: body.mark,
        fill_s: body.fill_minutes.and_then(|minutes| seconds(minutes.0)),
        mic_per_currency: body.mic_per_currency.map(|rate| rate.0),
        columns: Vec::new(),
    };
    (body.content.map(|content| content.0.into_string().into_bytes()).unwrap_or_default(), hints)
}

/// Our own form, written as a document of our own, so that there is one way to read signals.
fn own(body: SignalsRequest) -> Result<Document, Problem> {
    let missing = |field: &'static str| {
        let detail = format!("The field {field} is missing. A signal needs kind, zone, start, step_minutes and values, or content.");
        Problem::new(Code::FIELD_MISSING, detail).in_field(field)
    };
    let kind = body.kind.ok_or_else(|| missing("kind"))?;
    let zone = body.zone.as_ref().ok_or_else(|| missing("zone"))?;
    let start = body.start.ok_or_else(|| missing("start"))?;
    let step_minutes = body.step_minutes.ok_or_else(|| missing("step_minutes"))?.0;
    let values = body.values.as_ref().ok_or_else(|| missing("values"))?;
    if let Some(format) = body.format {
        let detail = format!("There is no content to be read as {}. Leave it out.", format.name());
        return Err(Problem::new(Code::FIELD_RANGE, detail).in_field("format"));
    }
    if start.millis().rem_euclid(1000) != 0 {
        return Err(Problem::new(Code::FIELD_RANGE, "A step begins at a whole second.").in_field("start"));
    }
    let values: Vec<Option<f64>> = values.0.iter().map(|value| value.map(|value| value.0)).collect();
    let content = json!({
        "kind": kind.name(), "zone": zone.0, "source": body.source.as_ref().map_or(SOURCE, |source| &source.0), "detail": body.detail.as_ref().map(|detail| &*detail.0),
        "unit": body.unit.as_ref().map_or(kind.unit(), |unit| &unit.0),
        "series": [{ "start": start, "step_s": step_minutes * 60, "values": values }],
    });
    let (_, hints) = hinted(SignalsRequest { kind: None, unit: None, step_minutes: None, ..body });
    Ok((content.to_string().into_bytes(), Some(Format::Json), hints))
}

impl ImportReply {
    fn new(import: Import) -> Self {
        let doubtful = import.signals.iter().flat_map(|(_, findings)| findings).any(Finding::is_doubt);
        let signals = import.signals.into_iter().map(|(pushed, findings)| ImportedReply::new(pushed, &findings)).collect();
        Self { format: import.format.word(), doubtful, signals }
    }
}

impl ImportedReply {
    fn new(pushed: Pushed, findings: &[Finding]) -> Self {
        let finding = |finding: &Finding| FindingReply { detail: finding.to_string(), doubt: finding.is_doubt() };
        let Pushed { signal, sent, written } = pushed;
        Self { signal: SignalReply::new(signal), sent, written, findings: findings.iter().map(finding).collect() }
    }
}
