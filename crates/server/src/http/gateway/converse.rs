//! One query of a client: read in its dialect, asked, and answered as a stream or whole.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lab3_compute::Priority;
use lab3_engine::{Actor, Clock, SystemClock};
use lab3_providers::dialect::{Receipt, Unreadable, Writer, anthropic};
use lab3_providers::{Answer, Dialect, Query};
use lab3_units::{Amount, Asset, Code, Did, Problem};
use tokio::sync::mpsc::Receiver;

use super::payer::Paid;
use super::stream::AnswerBody;
use super::{Protocol, json, refusal, seconds, text};
use crate::App;
use crate::gateway::ask::{Begun, Ended, Inquiry, Told, ask};
use crate::gateway::{Operation, size_of};
use crate::http::body::whole_body;
use crate::http::permit::Permit;
use crate::limits::whole_seconds;

/// What `model` may say instead of a model.
const AUTO: &str = "auto";

/// Answers one query.
pub(crate) async fn converse(app: &App, permit: Permit<Paid>, protocol: &'static Protocol) -> Response {
    let (actor, Paid { citizen, parts, body }) = permit.open();
    let body = match whole_body(body, app).await {
        Ok(body) => body,
        Err(problem) => return refusal(protocol.front, &problem),
    };
    if let Some(loading) = protocol.loading(&body) {
        // Nothing is loaded for it, but who names what is not there learns it now.
        return match wish(app, &parts.headers, &loading.model, Operation::Chat) {
            Ok(_) => json(StatusCode::OK, loading.reply(seconds(SystemClock.now()))),
            Err(problem) => refusal(protocol.front, &problem),
        };
    }
    match inquiry(app, actor, citizen, &parts.headers, body, protocol) {
        Ok(inquiry) => answer(app, inquiry, protocol).await,
        Err(problem) => refusal(protocol.front, &problem),
    }
}

/// Puts a query, if its citizen has room for one more and keeps to the rates.
///
/// Errors: `QUERIES_OPEN`, `TOO_FAST`.
pub(super) fn put(app: &App, inquiry: Inquiry) -> Result<Receiver<Told>, Problem> {
    let place = app.gateway().place(&inquiry.citizen)?;
    let admitted = app.gateway().rates().admit(&inquiry.citizen, inquiry.size.tokens, Instant::now());
    admitted.map_err(|wait| too_fast(&inquiry.citizen, wait))?;
    Ok(ask(app, inquiry, place))
}

fn inquiry(app: &App, actor: Actor, citizen: Did, headers: &HeaderMap, body: Bytes, protocol: &Protocol) -> Result<Inquiry, Problem> {
    let mut query = protocol.front.read(&body).map_err(unreadable)?;
    query.asked_at = seconds(SystemClock.now());
    if protocol.dialect == Dialect::Anthropic {
        let betas = headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
        query.headers.extend(anthropic::betas(betas));
    }
    if query.answers > 1 {
        // All of them would be paid for, and only the first relayed.
        let detail = "This desk gives one answer to a query. Ask again for another.";
        return Err(Problem::new(Code::QUERY_UNREADABLE, detail).in_field("n"));
    }
    let Wish { priority, preferred, model, max_cost } = wish(app, headers, &query.model, Operation::Chat)?;
    let size = size_of(&query, body.len());
    Ok(Inquiry {
        citizen,
        actor,
        operation: Operation::Chat,
        size,
        query: Arc::new(query),
        body,
        dialect: protocol.dialect,
        priority,
        preferred,
        model,
        max_cost,
        may_cache: may_cache(headers),
    })
}

/// Refuses a query beyond the citizen's rates, and says when the next one passes.
fn too_fast(citizen: &Did, wait: Duration) -> Problem {
    let seconds = whole_seconds(wait);
    Problem::new(Code::TOO_FAST, format!("{citizen} asks for more than this desk allows in a minute. Try again in {seconds} s."))
        .after(seconds)
}

/// Whether the client lets answers be kept: `Cache-Control: no-store` (or `no-cache`) says no.
pub(super) fn may_cache(headers: &HeaderMap) -> bool {
    let said = text(headers, "cache-control").unwrap_or_default().to_ascii_lowercase();
    !said.contains("no-store") && !said.contains("no-cache")
}

/// What a dialect says of a request it cannot read, as a problem.
pub(super) fn unreadable(unreadable: Unreadable) -> Problem {
    let problem = Problem::new(Code::QUERY_UNREADABLE, unreadable.detail);
    if unreadable.field.is_empty() { problem } else { problem.in_field(unreadable.field) }
}

pub(super) struct Wish {
    pub(super) priority: Priority,
    pub(super) preferred: Option<Box<str>>,
    pub(super) model: Option<String>,
    pub(super) max_cost: Option<Amount>,
}

/// What the client wants of module 1: from `model`, `x-lab3-priority` and `x-lab3-max-cost`.
pub(super) fn wish(app: &App, headers: &HeaderMap, model: &str, operation: Operation) -> Result<Wish, Problem> {
    let named = text(headers, "x-lab3-priority").map(priority).transpose()?;
    let max_cost = text(headers, "x-lab3-max-cost").map(cost).transpose()?;
    let any = |priority| Wish { priority, preferred: None, model: None, max_cost };
    let usual = named.unwrap_or(Priority::Standard);
    let model = model.trim();
    Ok(match model {
        AUTO | "" => any(usual),
        "auto:quality" => any(Priority::QualityOptimized),
        "auto:cost" => any(Priority::CostOptimized),
        "auto:latency" => any(Priority::LatencyOptimized),
        _ => {
            let of_model = app.gateway().with_model(model, operation).map(|connected| connected.name.clone());
            let of_name = || app.engine().policy().compute.provider(model).map(|provider| provider.name.clone());
            let Some(provider) = of_model.or_else(of_name) else {
                let detail = format!("There is no model or provider `{model}`. GET /v1/models lists them; `auto` lets the desk choose.");
                return Err(Problem::new(Code::MODEL_UNKNOWN, detail).in_field("model"));
            };
            if let Some(why) = app.gateway().find(&provider).and_then(|connected| connected.source.absent()) {
                return Err(Problem::new(Code::NO_PROVIDER_UP, format!("`{provider}` cannot be asked: {why}.")).in_field("model"));
            }
            Wish { preferred: Some(provider), model: Some(model.to_owned()), ..any(usual) }
        }
    })
}

fn priority(word: &str) -> Result<Priority, Problem> {
    let known = [
        ("standard", Priority::Standard),
        ("quality", Priority::QualityOptimized),
        ("quality_optimized", Priority::QualityOptimized),
        ("cost", Priority::CostOptimized),
        ("cost_optimized", Priority::CostOptimized),
        ("latency", Priority::LatencyOptimized),
        ("latency_optimized", Priority::LatencyOptimized),
    ];
    let found = known.into_iter().find(|(name, _)| *name == word).map(|(_, priority)| priority);
    found.ok_or_else(|| {
        let detail = format!("`{}` is no priority; use standard, quality, cost or latency.", shown(word));
        Problem::new(Code::FIELD_RANGE, detail).in_field("x-lab3-priority")
    })
}

fn cost(text: &str) -> Result<Amount, Problem> {
    let cost = Asset::COMPUTE.parse(text).ok().filter(|cost| cost.is_positive());
    cost.ok_or_else(|| {
        let detail = format!("`{}` is no amount of MIC; an example is 0.05.", shown(text));
        Problem::new(Code::FIELD_RANGE, detail).in_field("x-lab3-max-cost")
    })
}

fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

async fn answer(app: &App, inquiry: Inquiry, protocol: &'static Protocol) -> Response {
    let query = Arc::clone(&inquiry.query);
    let mut told = match put(app, inquiry) {
        Ok(told) => told,
        Err(problem) => return refusal(protocol.front, &problem),
    };
    match told.recv().await {
        Some(Told::Begun(begun)) if query.stream => streamed(protocol, &query, begun, told),
        Some(Told::Begun(begun)) => whole(protocol, &query, &begun, told).await,
        Some(Told::Failed(problem)) => refusal(protocol.front, &problem),
        _ => refusal(protocol.front, &Problem::new(Code::INTERNAL, "The query was dropped. The log says more.")),
    }
}

fn streamed(protocol: &'static Protocol, query: &Query, begun: Begun, told: Receiver<Told>) -> Response {
    let head = headers(&begun, None);
    let writer = relay(protocol, query, &begun).unwrap_or_else(|| protocol.front.writer(query));
    let body = AnswerBody::new(writer, begun, told);
    let mut response = (StatusCode::OK, Body::new(body)).into_response();
    response.headers_mut().extend(head);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(protocol.front.stream_type()));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// What passes the provider's own bytes on, where it speaks as the client does.
fn relay(protocol: &Protocol, query: &Query, begun: &Begun) -> Option<Box<dyn Writer>> {
    protocol.front.relay(query).filter(|_| begun.dialect == Some(protocol.dialect))
}

async fn whole(protocol: &Protocol, query: &Query, begun: &Begun, mut told: Receiver<Told>) -> Response {
    let mut answer = Answer::default();
    let mut relay = relay(protocol, query, begun);
    let mut body = Vec::new();
    while let Some(next) = told.recv().await {
        match next {
            Told::Chunk(chunk) => match &mut relay {
                Some(relay) => relay.chunk(&chunk, &mut body),
                None => chunk.pieces.iter().for_each(|piece| answer.add(piece)),
            },
            Told::Ended(ended) => {
                let receipt = receipt(begun, &ended);
                match &mut relay {
                    Some(relay) => relay.end(&receipt, &mut body),
                    None => body = protocol.front.whole(query, &answer, &receipt),
                }
                let mut response = json(StatusCode::OK, body);
                response.headers_mut().extend(headers(begun, Some(&ended)));
                return response;
            }
            Told::Failed(problem) => return refusal(protocol.front, &problem),
            Told::Begun(_) => {}
        }
    }
    refusal(protocol.front, &Problem::new(Code::INTERNAL, "The query was dropped. The log says more."))
}

/// What the reply's own fields tell of the allocation.
pub(super) fn receipt(begun: &Begun, ended: &Ended) -> Receipt {
    let mic = |amount| Asset::COMPUTE.decimal(amount).to_string();
    let cut = if ended.cut { "; the allowance ended the answer early" } else { "" };
    Receipt {
        allocation_id: begun.allocation.text("al").to_string(),
        provider: begun.provider.to_string(),
        cost_mic: mic(ended.charged),
        quota_remaining_mic: mic(ended.quota_remaining),
        reason: format!("{}{cut}", begun.reason),
    }
}

/// What the reply's headers tell of the allocation: before the answer what is known then, after it the cost, too.
pub(super) fn headers(begun: &Begun, ended: Option<&Ended>) -> HeaderMap {
    let mic = |amount: Amount| Asset::COMPUTE.decimal(amount).to_string();
    let remaining = ended.map_or(begun.quota_remaining, |ended| ended.quota_remaining);
    let fields = [
        ("x-lab3-allocation-id", Some(begun.allocation.text("al").to_string())),
        ("x-lab3-provider", Some(begun.provider.to_string())),
        ("x-lab3-cost-gic", ended.map(|ended| mic(ended.charged))),
        ("x-lab3-quota-remaining-gic", Some(mic(remaining))),
        ("x-lab3-reason", Some(begun.reason.to_string())),
    ];
    let header = |(name, value): (&'static str, Option<String>)| {
        Some((HeaderName::from_static(name), HeaderValue::from_bytes(Bytes::from(value?).as_ref()).ok()?))
    };
    fields.into_iter().filter_map(header).collect()
}
