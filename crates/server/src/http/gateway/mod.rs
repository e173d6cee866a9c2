//! The gateway's endpoints: clients of other protocols, answered in their own.

pub(crate) mod converse;
pub(crate) mod embed;
mod payer;
mod stream;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lab3_providers::Dialect;
use lab3_providers::dialect::{Failure, Front, anthropic, ollama, openai_chat, openai_responses};
use lab3_units::{Problem, Time};

use self::payer::{Free, Paid};
use crate::App;
use crate::http::permit::Permit;

/// A protocol clients speak.
pub(crate) struct Protocol {
    pub(crate) dialect: Dialect,
    pub(crate) front: &'static dyn Front,
}

const CHAT: Protocol = Protocol { dialect: Dialect::OpenAiChat, front: &openai_chat::OpenAiChat };
const RESPONSES: Protocol = Protocol { dialect: Dialect::OpenAiResponses, front: &openai_responses::OpenAiResponses };
const MESSAGES: Protocol = Protocol { dialect: Dialect::Anthropic, front: &anthropic::Anthropic };
const OLLAMA_CHAT: Protocol = Protocol { dialect: Dialect::Ollama, front: &ollama::OllamaChat };
const OLLAMA_GENERATE: Protocol = Protocol { dialect: Dialect::OllamaGenerate, front: &ollama::OllamaGenerate };

impl Protocol {
    /// What asks for no answer, but only for a model to be loaded.
    fn loading(&self, body: &[u8]) -> Option<ollama::Loading> {
        let has_such = matches!(self.dialect, Dialect::Ollama | Dialect::OllamaGenerate);
        if has_such { ollama::Loading::read(body) } else { None }
    }
}

/// Answers of one protocol: its queries, and refusals in its own form.
macro_rules! protocol {
    ($($name:ident, $refused:ident: $protocol:ident;)*) => {
        $(
            pub(crate) async fn $name(app: App, permit: Permit<Paid>) -> Response {
                converse::converse(&app, permit, &$protocol).await
            }

            pub(crate) fn $refused(problem: &Problem) -> Response {
                refusal($protocol.front, problem)
            }
        )*
    };
}

protocol! {
    chat, chat_refused: CHAT;
    responses, responses_refused: RESPONSES;
    messages, messages_refused: MESSAGES;
    ollama_chat, ollama_refused: OLLAMA_CHAT;
    ollama_generate, generate_refused: OLLAMA_GENERATE;
}

/// Names a query's `model` may have: the ways to let module 1 choose, the providers, their models.
fn model_names(app: &App) -> Vec<(String, String)> {
    let ways = ["auto", "auto:quality", "auto:cost", "auto:latency"].map(|way| (way.to_owned(), "lab3".to_owned()));
    let connected = app.gateway().connected().iter().filter(|one| one.source.absent().is_none());
    let of_provider = |one: &std::sync::Arc<crate::gateway::Connected>| {
        let owner = one.name.to_string();
        let models = one.models.clone();
        std::iter::once((owner.clone(), "lab3".to_owned())).chain(models.into_iter().map(move |model| (model, owner.clone())))
    };
    ways.into_iter().chain(connected.flat_map(of_provider).collect::<Vec<_>>()).collect()
}

/// A time in seconds since 1970, as the protocols count it.
fn seconds(time: Time) -> u64 {
    u64::try_from(time.millis() / 1000).unwrap_or_default()
}

/// `GET /v1/models`: OpenAI's clients ask there, and Anthropic's, which always say what version they speak.
pub(crate) async fn models(app: App, permit: Permit<Free>) -> Response {
    let (_, Free { headers, .. }) = permit.open();
    let (names, created) = (model_names(&app), seconds(app.opened()));
    let body = if headers.contains_key("anthropic-version") {
        anthropic::models(names.iter().map(|(name, _)| &**name), created)
    } else {
        openai_chat::models(names.iter().map(|(name, owner)| (&**name, &**owner)), created)
    };
    json(StatusCode::OK, body)
}

/// `GET /api/tags`.
pub(crate) async fn tags(app: App, _: Permit<Free>) -> Response {
    json(StatusCode::OK, ollama::tags(model_names(&app).iter().map(|(name, _)| &**name), seconds(app.opened())))
}

/// `GET /api/ps`: the models that run in this process.
pub(crate) async fn running(app: App, _: Permit<Free>) -> Response {
    let here = app.gateway().connected().iter().filter(|one| one.source.dialect().is_none() && one.source.absent().is_none());
    json(StatusCode::OK, ollama::running(here.flat_map(|one| one.models.iter().map(String::as_str))))
}

/// `GET /api/version`.
pub(crate) async fn version(_: App, _: Permit<Free>) -> Response {
    json(StatusCode::OK, ollama::version())
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = (status, Body::from(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A refusal in the client's own form.
fn refusal(front: &dyn Front, problem: &Problem) -> Response {
    let failure = failure(problem);
    let mut response = json(StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), front.refusal(&failure));
    if let Some((name, value)) = crate::http::problem::hint(problem) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn failure(problem: &Problem) -> Failure {
    let code = problem.code();
    Failure {
        status: code.status(),
        code: code.to_string(),
        detail: problem.detail.to_string(),
        field: problem.field.as_deref().map(str::to_owned),
    }
}

/// A header's text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// `POST /v1/messages/count_tokens`: our estimate, for no provider is asked.
pub(crate) async fn count_tokens(app: App, permit: Permit<Free>) -> Response {
    let front = MESSAGES.front;
    let (_, Free { body, .. }) = permit.open();
    let counted = async {
        let body = crate::http::body::whole_body(body, &app).await?;
        let query = anthropic::read_count(&body).map_err(converse::unreadable)?.query;
        Ok::<_, Problem>(crate::gateway::size_of(&query, body.len()).tokens)
    };
    match counted.await {
        Ok(tokens) => json(StatusCode::OK, anthropic::token_count(tokens)),
        Err(problem) => refusal(front, &problem),
    }
}
