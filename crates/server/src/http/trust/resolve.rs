//! `POST /lab3/dids/{did}/resolve`: fetches a `did:web`'s document and notes the keys it gives.

use std::pin::Pin;
use std::time::Duration;

use lab3_trust::{DOCUMENT_BYTES_MAX, Note, document_keys, document_url};
use lab3_units::{Code, Did, Problem};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::parameters::Named;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, done};
use crate::http::trust::done::order;
use crate::json::request;

/// Longest wait for a document.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is fetched: the HTTP status and the body, or why there is none, in words.
pub type Fetching = Pin<Box<dyn Future<Output = Result<(u16, Vec<u8>), String>> + Send>>;

/// The way to documents on the web.
pub trait Documents: Send + Sync {
    /// Gets what is at an `https` address, of at most so many bytes. Follows no redirect: the address is part of who is trusted.
    fn fetch(&self, url: &str, bytes_max: usize) -> Fetching;
}

request! {
    /// A request to fetch a document. It has no fields; the body may be left out.
    #[example({})]
    pub(crate) struct ResolveRequest {}
}

/// What a DID's document said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResolveReply {
    /// The DID.
    #[schema(example = "did:web:example.org:members:alice")]
    did: String,
    /// Where its document is.
    #[schema(example = "https://example.org/members/alice/did.json")]
    url: String,
    /// The keys that sign for it from now on.
    keys: Vec<String>,
    /// The journal record this stands in, with the document's hash.
    sequence: u64,
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "resolve_did", "Fetch a did:web's document, and note the keys it gives")
        .about(
            "The desk looks once, now: the keys stand in the journal with the document's hash, and sign for the DID until it is resolved again. The \
             Ed25519 keys listed under `authentication` and `assertionMethod` are taken. A document that is gone (410) leaves none.",
        )
        .names::<Did>("did", "The DID.", Code::DID_MALFORMED)
        .reads::<ResolveRequest>()
        .answers::<ResolveReply>("Its keys")
        .refuses(&[Code::DOCUMENT_UNREADABLE])
}

pub(crate) async fn resolve(app: App, permit: Permit<(Named<Did>, Sent<ResolveRequest>)>) -> Answer {
    let principal = permit.principal().clone();
    let (_, (Named(did), Sent { key, .. })) = permit.open();
    let url = document_url(&did).map_err(|error| unreadable(&error))?;
    let document = fetched(&app, &url).await?;
    let keys = match &document {
        Some(document) => document_keys(&did, document).map_err(|error| unreadable(&format!("{url}: {error}")))?,
        None => Vec::new(),
    };
    let hash = Sha256::digest(document.unwrap_or_default()).into();
    let note = Note { did: did.clone(), url: url.as_str().into(), document: hash, keys: keys.clone() };
    let committed = order(&app, principal, key, note).await?;
    let keys = keys.iter().map(ToString::to_string).collect();
    let reply = ResolveReply { did: did.to_string(), url, keys, sequence: committed.stored.sequence };
    Ok(done(&app, &reply, &committed))
}

/// The document; none when it is gone for good.
async fn fetched(app: &App, url: &str) -> Result<Option<Vec<u8>>, Problem> {
    let Some(documents) = app.documents() else { return Err(unreadable(&"this desk fetches nothing")) };
    let fetching = tokio::time::timeout(PATIENCE, documents.fetch(url, DOCUMENT_BYTES_MAX)).await;
    match fetching {
        Ok(Ok((200, document))) => Ok(Some(document)),
        Ok(Ok((410, _))) => Ok(None),
        Ok(Ok((status, _))) => Err(unreadable(&format!("{url} answered {status}"))),
        Ok(Err(why)) => Err(unreadable(&format!("{url}: {why}"))),
        Err(_) => Err(unreadable(&format!("{url} took more than {} s", PATIENCE.as_secs()))),
    }
}

fn unreadable(why: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::DOCUMENT_UNREADABLE, format!("The DID's document cannot be read: {why}.")).in_field("did")
}
