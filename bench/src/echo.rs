//! The reference: a bare axum server that parses a JSON object and sends it back.

use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::Failure;

#[derive(clap::Args)]
pub struct Args {
    /// Write the bound address to this file
    #[arg(long)]
    print_address: std::path::PathBuf,
}

/// What the reference parses and writes: the fields of a transfer or an allocation, as plain serde does it.
#[derive(Deserialize, Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    from_did: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_did: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    citizen_did: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_quality: Option<f64>,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let echo = |Json(body): Json<Body>| async move { Json(body) };
        let router = Router::new().route("/", post(echo));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        std::fs::write(&args.print_address, listener.local_addr()?.to_string())?;
        Ok(axum::serve(listener, router).await?)
    })
}
