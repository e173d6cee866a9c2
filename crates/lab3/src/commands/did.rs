//! `lab3 did show|resolve`: which keys sign for a DID here, and having a did:web's document looked at.

use crate::Failure;
use crate::cli::{DidResolveArgs, DidShowArgs};
use crate::client::{Client, Document, Path};
use crate::table::pairs;

/// Shows the keys that sign for it.
pub fn show(client: &Client, args: &DidShowArgs) -> Result<String, Failure> {
    let reply = client.get(&Path::new("/lab3/dids").part(args.did.as_str()))?;
    let table = |did: &Document| {
        let frozen = if did.has("frozen_until") { did.text("frozen_until") } else { "no".to_owned() };
        pairs(&[("DID", did.text("did")), ("keys", keys(did)), ("next event", did.text("next_event")), ("frozen until", frozen)])
    };
    Ok(super::shown(&reply, &args.desk, table)?)
}

/// Has its document fetched, and the keys in it noted.
pub fn resolve(client: &Client, args: &DidResolveArgs) -> Result<String, Failure> {
    let path = Path::new("/lab3/dids").part(args.did.as_str()).part("resolve");
    let reply = client.post(&path, "{}", args.write.key.as_deref())?;
    super::keep_receipt(&reply, &args.write.receipt)?;
    let table = |noted: &Document| {
        pairs(&[("DID", noted.text("did")), ("document", noted.text("url")), ("keys", keys(noted)), ("record", noted.text("sequence"))])
    };
    Ok(super::shown(&reply, &args.desk, table)?)
}

fn keys(document: &Document) -> String {
    let keys = document.words("keys");
    if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
}
