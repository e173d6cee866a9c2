//! `POST /v1/embeddings`: texts in, vectors out, by a provider whose models make them; paid like any query.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use lab3_providers::dialect::openai_chat::{OpenAiChat, embeddings};
use lab3_providers::{Dialect, Query};
use lab3_units::{Code, Problem};

use super::converse::{Wish, headers, may_cache, put, receipt, unreadable, wish};
use super::payer::Paid;
use super::{json, refusal};
use crate::App;
use crate::gateway::ask::{Inquiry, Told};
use crate::gateway::{Operation, size_bounded};
use crate::http::body::whole_body;
use crate::http::permit::Permit;

pub(crate) async fn embeddings(app: App, permit: Permit<Paid>) -> Response {
    match inquiry(&app, permit).await {
        Ok(inquiry) => answer(&app, inquiry).await,
        Err(problem) => refusal(&OpenAiChat, &problem),
    }
}

async fn inquiry(app: &App, permit: Permit<Paid>) -> Result<Inquiry, Problem> {
    let (actor, Paid { citizen, parts, body }) = permit.open();
    let body = whole_body(body, app).await?;
    let asked = embeddings::read(&body).map_err(unreadable)?;
    let Wish { priority, preferred, model, max_cost } = wish(app, &parts.headers, &asked.model, Operation::Embeddings)?;
    let size = size_bounded(asked.input_tokens_max);
    let query = Query { model: asked.model, answers: 1, output_tokens_max: Some(0), ..Query::default() };
    let (operation, dialect) = (Operation::Embeddings, Dialect::OpenAiChat);
    Ok(Inquiry {
        citizen,
        actor,
        operation,
        size,
        query: Arc::new(query),
        body,
        dialect,
        priority,
        preferred,
        model,
        max_cost,
        may_cache: may_cache(&parts.headers),
    })
}

async fn answer(app: &App, inquiry: Inquiry) -> Response {
    let mut told = match put(app, inquiry) {
        Ok(told) => told,
        Err(problem) => return refusal(&OpenAiChat, &problem),
    };
    let (mut begun, mut reply) = (None, axum::body::Bytes::new());
    while let Some(next) = told.recv().await {
        match (next, &begun) {
            (Told::Begun(one), _) => begun = Some(one),
            (Told::Chunk(chunk), _) => reply = chunk.bytes,
            (Told::Ended(ended), Some(begun)) => {
                let mut response = json(StatusCode::OK, embeddings::with_receipt(&reply, &receipt(begun, &ended)));
                response.headers_mut().extend(headers(begun, Some(&ended)));
                return response;
            }
            (Told::Failed(problem), _) => return refusal(&OpenAiChat, &problem),
            (Told::Ended(_), None) => {}
        }
    }
    refusal(&OpenAiChat, &Problem::new(Code::INTERNAL, "The query was dropped. The log says more."))
}
