//! The desk: every path, and the way a request takes whatever its dialect.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::books::{Books, Seen, Visit};
use crate::dialect::anthropic::{Anthropic, AnthropicCount};
use crate::dialect::embeddings::Embeddings;
use crate::dialect::gemini::Gemini;
use crate::dialect::ollama::{OllamaChat, OllamaGenerate};
use crate::dialect::openai_chat::OpenaiChat;
use crate::dialect::openai_responses::OpenaiResponses;
use crate::dialect::{Answer, Ask, CREATED, CREATED_TEXT, Dialect, Head, share};
use crate::plan::{Ending, Event, Plan};
use crate::reply::{Manner, Reply};
use crate::script::{After, Script, Trouble};
use crate::wire::{Close, Wire};

/// Largest request's body.
const BODY_BYTES_MAX: usize = 64 << 20;

/// What requests share.
#[derive(Debug)]
pub(crate) struct Desk {
    /// What a script says that does not say.
    base: Script,
    /// The models it says it has.
    models: Vec<String>,
    /// Swapped for empty ones at a reset.
    books: RwLock<Arc<Books>>,
    serial: AtomicU64,
}

impl Desk {
    pub(crate) fn new(base: Script, models: Vec<String>) -> Self {
        Self { base, models, books: RwLock::default(), serial: AtomicU64::new(1) }
    }

    pub(crate) fn books(&self) -> Arc<Books> {
        self.books.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn reset(&self) {
        *self.books.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }
}

/// Every path. OpenAI's stand with and without /v1, as base URLs end with and without it; Gemini's clients say v1 or v1beta.
pub(crate) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(answer::<OpenaiChat>))
        .route("/chat/completions", post(answer::<OpenaiChat>))
        .route("/v1/responses", post(answer::<OpenaiResponses>))
        .route("/responses", post(answer::<OpenaiResponses>))
        .route("/v1/embeddings", post(answer::<Embeddings>))
        .route("/embeddings", post(answer::<Embeddings>))
        .route("/v1/models", get(models))
        .route("/models", get(models))
        .route("/v1/messages", post(answer::<Anthropic>))
        .route("/v1/messages/count_tokens", post(answer::<AnthropicCount>))
        .route("/v1beta/models", get(gemini_models))
        .route("/v1beta/models/{*call}", post(answer::<Gemini>))
        .route("/v1/models/{*call}", post(answer::<Gemini>))
        .route("/api/chat", post(answer::<OllamaChat>))
        .route("/api/generate", post(answer::<OllamaGenerate>))
        .route("/api/tags", get(tags))
        .route("/mock/stats", get(stats))
        .route("/mock/stats/{id}", get(stats_of))
        .route("/mock/reset", post(reset))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(desk)
}

async fn answer<D: Dialect>(
    State(desk): State<Arc<Desk>>,
    Extension(wire): Extension<Arc<Wire>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let books = desk.books();
    let head = Head { path: uri.path(), query: uri.query().unwrap_or_default() };
    let read = D::read(head, &body).and_then(|ask| Script::read(&ask.model, &desk.base).map(|script| (ask, script)));
    let (ask, script) = match read {
        Ok(read) => read,
        Err(message) => {
            books.unread();
            return error::<D>(400, &message, None);
        }
    };
    let seen = Seen { path: uri.path().to_owned(), headers, body };
    let (visit, turn) = books.enter(seen, &ask, &script);
    wire.carry(visit.clone());
    if !script.first.is_zero() {
        tokio::time::sleep(script.first).await;
    }
    let trouble = script.trouble(turn);
    if let Some(response) = turn_away::<D>(trouble, &script, &ask) {
        books.refused();
        visit.complete();
        return response;
    }
    let answer = Answer::new(&script, &ask, desk.serial.fetch_add(1, Relaxed));
    if ask.stream { stream::<D>(&answer, trouble, visit, wire) } else { whole::<D>(&answer, trouble, visit, wire).await }
}

/// The answer of a script that has no answer.
fn turn_away<D: Dialect>(trouble: Option<&Trouble>, script: &Script, ask: &Ask) -> Option<Response> {
    match trouble? {
        Trouble::Fail(status) => Some(error::<D>(*status, "the script says so", script.retry_after)),
        Trouble::Error(_) if !ask.stream => Some(error::<D>(500, "the script says so", script.retry_after)),
        Trouble::Redirect(url) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::FOUND;
            match url.parse() {
                Ok(url) => drop(response.headers_mut().insert(header::LOCATION, url)),
                Err(_) => return Some(error::<D>(400, "mock: redirect is no URL", None)),
            }
            Some(response)
        }
        Trouble::Close => {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(Close);
            Some(response)
        }
        _ => None,
    }
}

fn error<D: Dialect>(status: u16, message: &str, retry_after: Option<u64>) -> Response {
    let mut response = Response::new(Body::from(D::error(status, message, retry_after)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

const JSON: header::HeaderValue = header::HeaderValue::from_static("application/json");

fn stream<D: Dialect>(answer: &Answer<'_>, trouble: Option<&Trouble>, visit: Arc<Visit>, wire: Arc<Wire>) -> Response {
    let mut plan = D::stream(answer);
    if answer.script.ping && !answer.ask.packed {
        plan.keep_alive(D::KEEP_ALIVE);
    }
    if let Some(trouble) = trouble {
        plan.befall(trouble, || D::stream_error(answer));
    }
    let kind = if answer.ask.packed { JSON } else { header::HeaderValue::from_static(D::STREAM_TYPE) };
    let manner = Manner {
        gap: answer.script.gap,
        split: answer.script.split,
        length: None,
        input: answer.usage().input,
        thoughts: answer.reasoning * u64::from(answer.answers()),
    };
    response(kind, Reply::new(plan, manner, visit, wire))
}

/// An answer in one piece, which takes as long as if it were streamed.
async fn whole<D: Dialect>(answer: &Answer<'_>, trouble: Option<&Trouble>, visit: Arc<Visit>, wire: Arc<Wire>) -> Response {
    let answers = u64::from(answer.answers());
    let tokens = (answer.said + answer.reasoning) * answers;
    let events = (answer.said.div_ceil(answer.script.per_event) + answer.reasoning.div_ceil(answer.script.per_event)) * answers;
    let waits = u32::try_from(events.saturating_sub(1)).unwrap_or(u32::MAX);
    if !answer.script.gap.is_zero() {
        tokio::time::sleep(answer.script.gap.saturating_mul(waits)).await;
    }
    let bytes = Bytes::from(D::whole(answer));
    let length = u64::try_from(bytes.len()).ok();
    let mut plan = Plan::default();
    let broken = match trouble {
        Some(Trouble::Cut(after)) => sent_before(*after, events).map(|sent| (sent, Ending::Cut)),
        Some(Trouble::Hang(after)) => sent_before(*after, events).map(|sent| (sent, Ending::Hang)),
        _ => None,
    };
    let length = match (broken, trouble) {
        (Some((sent, ending)), _) => {
            let part = share(&bytes, sent, events + 1);
            plan.piece(Event::bytes(part), tokens.min(sent.saturating_mul(answer.script.per_event)));
            plan.ending = ending;
            length
        }
        (None, Some(Trouble::Garbage(_))) => {
            plan.piece(Event::garbage(), 0);
            None
        }
        _ => {
            plan.piece(Event::bytes(bytes), tokens);
            length
        }
    };
    let manner = Manner { gap: Duration::ZERO, split: answer.script.split, length, input: 0, thoughts: 0 };
    response(JSON, Reply::new(plan, manner, visit, wire))
}

/// Events of so many that are sent before the trouble, if it comes at all.
fn sent_before(after: After, events: u64) -> Option<u64> {
    match after {
        After::Headers => Some(0),
        After::Events(sent) => Some(sent).filter(|sent| *sent <= events),
    }
}

fn response(kind: header::HeaderValue, reply: Reply) -> Response {
    let mut response = Response::new(Body::new(reply));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// OpenAI's list, or Anthropic's for who speaks like its clients.
async fn models(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Json<Value> {
    if headers.contains_key("anthropic-version") {
        let data =
            desk.models.iter().map(|id| json!({ "type": "model", "id": id, "display_name": id, "created_at": "2025-01-01T00:00:00Z" }));
        let data = data.collect::<Vec<_>>();
        return Json(json!({ "data": data, "has_more": false, "first_id": desk.models.first(), "last_id": desk.models.last() }));
    }
    let data = desk.models.iter().map(|id| json!({ "id": id, "object": "model", "created": CREATED, "owned_by": "mock" }));
    Json(json!({ "object": "list", "data": data.collect::<Vec<_>>() }))
}

async fn gemini_models(State(desk): State<Arc<Desk>>) -> Json<Value> {
    let models = desk.models.iter().map(|id| {
        let methods = ["generateContent", "streamGenerateContent"];
        json!({ "name": format!("models/{id}"), "version": "001", "displayName": id, "supportedGenerationMethods": methods })
    });
    Json(json!({ "models": models.collect::<Vec<_>>() }))
}

async fn tags(State(desk): State<Arc<Desk>>) -> Json<Value> {
    let models = desk.models.iter().map(|id| {
        let details = json!({
            "parent_model": "", "format": "gguf", "family": "mock", "families": ["mock"], "parameter_size": "1M", "quantization_level": "Q4_0"
        });
        json!({ "name": id, "model": id, "modified_at": CREATED_TEXT, "size": 1_000_000, "digest": "0".repeat(64), "details": details })
    });
    Json(json!({ "models": models.collect::<Vec<_>>() }))
}

async fn stats(State(desk): State<Arc<Desk>>) -> Json<Value> {
    Json(desk.books().told())
}

/// What is kept under one id; null when nothing is.
async fn stats_of(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Json<Value> {
    Json(desk.books().told_of(&id))
}

async fn reset(State(desk): State<Arc<Desk>>) -> StatusCode {
    desk.reset();
    StatusCode::NO_CONTENT
}
