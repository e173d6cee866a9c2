//! The API's table of contents: one line a route.

mod body;
mod compute;
mod desk;
mod doc;
mod finance;
pub(crate) mod gateway;
mod guard;
mod key;
mod operator;
mod parameters;
mod problem;
mod reply;
mod table;

pub(crate) use key::fresh_id;
pub(crate) use operator::TokenHash;
use table::Table;

use crate::metrics::Metrics;

/// Every route there is.
#[rustfmt::skip]
pub(crate) fn table(metrics: &Metrics) -> Table<'_> {
    use compute::{allocate, allocation, allocations, providers, quota, release, report_usage, stats};
    use desk::{error, errors, health, journal, openapi, scrape};
    use finance::{balance, contribute, epoch_close, grant, mint, pool, transaction, transactions, transfer, transfers};
    Table::new(metrics)
        .post("/lab3/compute/allocate", allocate::allocate, allocate::doc())
        .post("/lab3/compute/report_usage", report_usage::report_usage, report_usage::doc())
        .get("/lab3/compute/allocations", allocations::allocations, allocations::doc())
        .get("/lab3/compute/allocations/{allocation_id}", allocation::allocation, allocation::doc())
        .post("/lab3/compute/allocations/{allocation_id}/release", release::release, release::doc())
        .get("/lab3/compute/quota/{citizen_did}", quota::quota, quota::doc())
        .get("/lab3/compute/stats", stats::stats, stats::doc())
        .get("/lab3/compute/providers", providers::providers, providers::doc())
        .post("/lab3/financial/transfer", transfer::transfer, transfer::doc())
        .post("/lab3/financial/transfers", transfers::transfers, transfers::doc())
        .post("/lab3/financial/grant", grant::grant, grant::doc())
        .post("/lab3/financial/contribute", contribute::contribute, contribute::doc())
        .post("/lab3/financial/mint", mint::mint, mint::doc())
        .post("/lab3/financial/epoch/close", epoch_close::epoch_close, epoch_close::doc())
        .get("/lab3/financial/balance/{citizen_did}", balance::balance, balance::doc())
        .get("/lab3/financial/pool", pool::pool, pool::doc())
        .get("/lab3/financial/transactions", transactions::transactions, transactions::doc())
        .get("/lab3/financial/transactions/{tx_id}", transaction::transaction, transaction::doc())
        .get("/lab3/health", health::health, health::doc())
        .get("/lab3/journal/head", journal::head, journal::doc())
        .get("/lab3/errors", errors::errors, errors::doc())
        .get("/lab3/errors/{code}", error::error, error::doc())
        .get("/lab3/openapi.json", openapi::document, openapi::doc())
        .get("/metrics", scrape::scrape, scrape::doc())
        .foreign("POST", &["/v1/chat/completions", "/chat/completions"], gateway::chat)
        .foreign("POST", &["/v1/responses", "/responses"], gateway::responses)
        .foreign("POST", &["/v1/embeddings", "/embeddings"], gateway::embed::embeddings)
        .foreign("GET", &["/v1/models", "/models"], gateway::models)
        .foreign("POST", &["/v1/messages"], gateway::messages)
        .foreign("POST", &["/v1/messages/count_tokens"], gateway::count_tokens)
        .foreign("POST", &["/api/chat"], gateway::ollama_chat)
        .foreign("POST", &["/api/generate"], gateway::ollama_generate)
        .foreign("GET", &["/api/tags"], gateway::tags)
}
