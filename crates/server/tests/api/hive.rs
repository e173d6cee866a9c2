//! A Hive to test with: its router, its clock, and requests in few words.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use lab3_engine::{Engine, Limits, ManualClock, MemoryStore, Policy};
use lab3_server::{App, Gateway, LimitSettings, Peer, ServerSettings, Wiring, router};
use lab3_units::{Duration, Time};
use serde_json::{Value, json};
use tower::ServiceExt;

pub const ALICE: &str = "did:kaizen:alice";
pub const BOB: &str = "did:kaizen:bob";
/// The specification's moment.
pub const NOW: &str = "2025-10-31T14:30:00Z";

pub struct Hive {
    pub engine: Engine,
    pub app: App,
    pub router: Router,
    pub clock: Arc<ManualClock>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Hive {
    /// A Hive that answers wrong keys as often as a test sends them.
    pub fn new() -> Self {
        let limits = LimitSettings { wrong_per_minute: 0, ..LimitSettings::default() };
        Self::with(Policy::default(), ServerSettings { limits, ..ServerSettings::default() })
    }

    pub fn with(policy: Policy, settings: ServerSettings) -> Self {
        Self::wired(policy, settings, Wiring::default())
    }

    /// A Hive whose gateway can ask these.
    pub fn with_gateway(policy: Policy, settings: ServerSettings, gateway: Gateway) -> Self {
        Self::wired(policy, settings, Wiring { gateway, ..Wiring::default() })
    }

    /// A Hive with what it works with beside its engine.
    pub fn wired(policy: Policy, settings: ServerSettings, wiring: Wiring) -> Self {
        let clock = Arc::new(ManualClock::new(Time::parse(NOW).unwrap()));
        let engine = Engine::start(Arc::new(MemoryStore::new()), policy, clock.clone(), Limits::default()).unwrap();
        let app = App::wired(engine.clone(), settings, wiring);
        Self { engine, router: router(app.clone()), app, clock }
    }

    /// A Hive in which alice has money.
    pub async fn with_alice(amount: &str) -> Self {
        let hive = Self::new();
        hive.mint(ALICE, amount).await;
        hive
    }

    pub async fn mint(&self, to: &str, amount: &str) {
        let body = json!({ "to_did": to, "amount": amount, "reason": "for the test" });
        self.post("/lab3/financial/mint", &body).await.ok();
    }

    /// Sends any request, and checks that the API's document knows the answer.
    pub async fn send(&self, mut request: Request<Body>) -> Reply {
        if !request.headers().contains_key(header::HOST) {
            request.headers_mut().insert(header::HOST, HeaderValue::from_static("127.0.0.1:8003"));
        }
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer { remote: ([127, 0, 0, 1], 40_000).into(), trusted_user: Some(true) });
        }
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let reply = Reply { status: parts.status.as_u16(), headers: parts.headers, body };
        check_documented(&method, &path, &reply);
        reply
    }

    pub async fn post_text(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Reply {
        let mut request = Request::post(path);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.into())).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_text(path, &[], body.to_string()).await
    }

    pub async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Reply {
        self.post_text(path, &[("Idempotency-Key", key)], body.to_string()).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// What alice, bob or anybody has.
    pub async fn balance(&self, did: &str) -> String {
        let body = self.get(&format!("/lab3/financial/balance/{did}")).await.ok();
        body["balance_gic"].to_string()
    }

    /// The hash of the whole state; the same hash is the same state.
    pub async fn state_hash(&self) -> [u8; 32] {
        self.engine.freeze().await.unwrap().hash()
    }

    /// Turns the clock, and lets the writer see it.
    pub async fn pass(&self, seconds: u32) {
        self.clock.advance(Duration::from_secs(seconds));
        self.engine.tick().unwrap();
        self.engine.read(|_| ()).await.unwrap();
    }
}

impl Drop for Hive {
    fn drop(&mut self) {
        self.engine.stop();
    }
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body of a reply that must be one.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    /// The problem document of a refusal that must be one: status, code and field.
    pub fn problem(&self) -> (u16, String, Option<String>) {
        let problem = self.json();
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{problem}");
        let code = problem["code"].as_str().unwrap();
        assert_eq!(problem["type"], format!("/lab3/errors/{code}"));
        assert_eq!(problem["status"], self.status);
        let known = lab3_units::Code::parse(code).unwrap();
        assert_eq!((problem["title"].as_str().unwrap(), self.status), (known.title(), known.status()));
        assert!(problem["detail"].as_str().unwrap().len() > 10, "{problem}");
        assert_eq!(self.header("retry-after").is_some(), matches!(self.status, 429 | 503));
        (self.status, code.to_owned(), problem["field"].as_str().map(str::to_owned))
    }

    /// Checks a refusal.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str, field: Option<&str>) {
        assert_ne!(self.status, 200, "not refused: {}", self.text());
        assert_eq!(self.problem(), (status, code.to_owned(), field.map(str::to_owned)), "{}", self.text());
    }
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&lab3_server::openapi()).unwrap());

/// Fails when the API's document does not know the status of a reply, or the names in its body.
fn check_documented(method: &str, path: &str, reply: &Reply) {
    let known = DOCUMENT["paths"].as_object().unwrap().iter().find(|(template, _)| fits(template, path));
    let operation = known.and_then(|(_, item)| item.get(method.to_ascii_lowercase()));
    let Some(operation) = operation else { return };
    let response = &operation["responses"][reply.status.to_string()];
    assert!(response.is_object(), "{method} {path} answered {}, which is not documented: {}", reply.status, reply.text());
    if reply.status != 200 {
        let codes = response["description"].as_str().unwrap();
        let code = reply.json()["code"].as_str().unwrap().to_owned();
        assert!(codes.contains(&code), "{method} {path} answered {code}, which is not documented");
        return;
    }
    let schema = &response["content"]["application/json"]["schema"];
    if let Some(name) = schema["$ref"].as_str() {
        check_schema(&reply.json(), name);
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(known, part)| known == part || (known.starts_with('{') && !part.is_empty()))
}

/// Every name in the reply stands in the schema, and every required name of the schema in the reply.
fn check_schema(value: &Value, reference: &str) {
    let schema = &DOCUMENT["components"]["schemas"][reference.rsplit('/').next().unwrap()];
    let (Some(properties), Some(object)) = (schema["properties"].as_object(), value.as_object()) else { return };
    for (name, value) in object {
        let property = properties.get(name).unwrap_or_else(|| panic!("{reference} does not know {name}"));
        if let Some(inner) = property["$ref"].as_str() {
            check_schema(value, inner);
        }
        if let (Some(inner), Some(items)) = (property["items"]["$ref"].as_str(), value.as_array()) {
            for item in items {
                check_schema(item, inner);
            }
        }
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(object.contains_key(required.as_str().unwrap()), "{reference} requires {required}, which {value} lacks");
    }
}
