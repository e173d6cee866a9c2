//! A did:web's keys: fetched when somebody asks for it, noted with the document's hash, good until it is asked for again.
//!
//! It fails when a key counts that no document gave, a document of another DID is taken, or a failed look changes anything.

use std::sync::{Arc, Mutex};

use lab3_engine::Policy;
use lab3_server::{Documents, Fetching, ServerSettings, Wiring};
use lab3_trust::PublicKey;
use serde_json::{Value, json};

use crate::hive::{ALICE, Hive};
use crate::keys::{get_as, make, post_as};

const DID: &str = "did:web:example.org:members:alice";
const URL: &str = "https://example.org/members/alice/did.json";
const RESOLVE: &str = "/lab3/dids/did:web:example.org:members:alice/resolve";

/// A web that answers as the test says, and remembers what it was asked for.
#[derive(Clone, Default)]
struct Web(Arc<Mutex<Vec<String>>>, Arc<Mutex<Option<(u16, String)>>>);

impl Web {
    fn shows(&self, status: u16, document: &impl ToString) {
        *self.1.lock().unwrap() = Some((status, document.to_string()));
    }
}

impl Documents for Web {
    fn fetch(&self, url: &str, _: usize) -> Fetching {
        self.0.lock().unwrap().push(url.to_owned());
        let shown = self.1.lock().unwrap().clone();
        Box::pin(async { shown.map(|(status, text)| (status, text.into_bytes())).ok_or_else(|| "nobody answers".to_owned()) })
    }
}

fn hive(web: &Web) -> Hive {
    let wiring = Wiring { documents: Some(Box::new(web.clone())), ..Wiring::default() };
    Hive::wired(Policy::default(), ServerSettings::default(), wiring)
}

fn key(number: u8) -> String {
    PublicKey::of_secret(&[number; 32]).to_string()
}

fn document(did: &str, keys: &[u8]) -> Value {
    let methods = keys.iter().map(|number| json!({ "id": format!("#{number}"), "publicKeyMultibase": key(*number) }));
    json!({ "id": did, "authentication": methods.collect::<Vec<_>>() })
}

/// The keys that sign for it now.
async fn keys(hive: &Hive, operator: &str) -> Value {
    get_as(hive, operator, "/lab3/dids/did:web:example.org:members:alice").await.ok()["keys"].clone()
}

#[tokio::test]
async fn what_the_document_says_counts_until_it_is_looked_at_again() {
    let web = Web::default();
    let hive = hive(&web);
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    assert_eq!(keys(&hive, &operator).await, json!([]));
    web.shows(200, &document(DID, &[1, 2]));
    let noted = post_as(&hive, &operator, RESOLVE, &json!({})).await.ok();
    assert_eq!((&noted["did"], &noted["url"], &noted["keys"]), (&json!(DID), &json!(URL), &json!([key(1), key(2)])));
    assert_eq!((*web.0.lock().unwrap()).as_slice(), [URL]);
    // The web moves on; here nothing does.
    web.shows(200, &document(DID, &[3]));
    assert_eq!(keys(&hive, &operator).await, json!([key(1), key(2)]));
    post_as(&hive, &operator, RESOLVE, &json!({})).await.ok();
    assert_eq!(keys(&hive, &operator).await, json!([key(3)]));
    // Gone for good.
    web.shows(410, &"");
    post_as(&hive, &operator, RESOLVE, &json!({})).await.ok();
    assert_eq!(keys(&hive, &operator).await, json!([]));
}

#[tokio::test]
async fn a_look_that_fails_changes_nothing() {
    let web = Web::default();
    let hive = hive(&web);
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    web.shows(200, &document(DID, &[1]));
    post_as(&hive, &operator, RESOLVE, &json!({})).await.ok();
    let before = hive.state_hash().await;
    let others = [(404, json!("")), (301, json!("")), (200, json!("<html>")), (200, document("did:web:evil.example", &[9]))];
    for (status, shown) in others {
        web.shows(status, &shown);
        post_as(&hive, &operator, RESOLVE, &json!({})).await.refused(422, "L3-0075", Some("did"));
    }
    *web.1.lock().unwrap() = None;
    post_as(&hive, &operator, RESOLVE, &json!({})).await.refused(422, "L3-0075", Some("did"));
    let fetched = web.0.lock().unwrap().len();
    // No document says anything of these; nothing is fetched for them.
    for other in [ALICE, "did:web:127.0.0.1", "did:web:localhost"] {
        post_as(&hive, &operator, &format!("/lab3/dids/{other}/resolve"), &json!({})).await.refused(422, "L3-0075", Some("did"));
    }
    assert_eq!(hive.state_hash().await, before);
    assert_eq!(web.0.lock().unwrap().len(), fetched);
}

#[tokio::test]
async fn a_member_may_have_her_own_looked_at() {
    let web = Web::default();
    let hive = hive(&web);
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    let mine = make(&hive, Some(&operator), json!({ "kind": "citizen", "did": DID, "scopes": ["read", "keys"] })).await;
    let other = make(&hive, Some(&operator), json!({ "kind": "citizen", "did": ALICE, "scopes": ["read", "keys"] })).await;
    web.shows(200, &document(DID, &[4]));
    post_as(&hive, &other, RESOLVE, &json!({})).await.refused(403, "L3-0036", None);
    assert!(web.0.lock().unwrap().is_empty(), "it was fetched before it was judged");
    let noted = post_as(&hive, &mine, RESOLVE, &json!({})).await.ok();
    assert_eq!(noted["keys"], json!([key(4)]));
}
