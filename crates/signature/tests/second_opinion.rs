//! An independent implementation (PyPI `http-message-signatures`), both ways: what it signs holds here, what is signed here holds there, and
//! neither takes a request in which something was changed. Its side is `tests/signature/second_opinion.py`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::SigningKey;
use lab3_signature::{Claim, Request, Scheme, SignatureError, Signed, Signer, sign};
use lab3_tests::{Dice, packages};
use serde_json::{Map, Value, json};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/signature");
const PYTHON: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/signature-python");

/// Requests in each direction.
const REQUESTS: usize = 200;
/// When all of them are signed.
const NOW: i64 = 1_700_000_000;
/// The other side looks at its own clock: far from now, however slowly the test runs.
const FAR: i64 = 9_000_000_000;

const KEY_ID: &str = "did:kaizen:alice#laptop";

/// A request with what it needs to be owned.
#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    https: bool,
    authority: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    seed: [u8; 32],
}

impl Sent {
    fn random(dice: &mut Dice) -> Self {
        let mut seed = [0; 32];
        seed.fill_with(|| u8::try_from(dice.below(256)).unwrap());
        let https = dice.below(2) == 0;
        let methods = ["GET", "POST", "PUT", "DELETE", "PATCH"];
        let method = methods[dice.below(5) as usize];
        let hosts = ["hive.example", "HIVE.Example", "127.0.0.1", "[::1]", "[2001:DB8::1]", "a.b-c.example"];
        let ports = ["", ":80", ":443", ":8080", ":3000"];
        let authority = format!("{}{}", hosts[dice.below(6) as usize], ports[dice.below(5) as usize]);
        let path = (0..dice.below(4)).fold(String::new(), |path, _| path + "/" + &word(dice, "abcXYZ019-._~!$&'()*+,;=:@%2F%c3"));
        let query = (dice.below(3) > 0).then(|| word(dice, "abcXYZ019-._~!$&'()*+,;=:@/?%20%C3"));
        let mut body = vec![0; dice.below(3) as usize * dice.below(200) as usize];
        body.fill_with(|| u8::try_from(dice.below(256)).unwrap());
        let mut headers = vec![("Accept".to_owned(), "application/json, text/plain;q=0.5".to_owned())];
        if !body.is_empty() {
            headers.push(("Content-Type".to_owned(), "application/json; charset=\"utf-8\"".to_owned()));
            headers.push(("CONTENT-LENGTH".to_owned(), body.len().to_string()));
        }
        if dice.below(2) == 0 {
            headers.push(("idempotency-key".to_owned(), word(dice, "abc XYZ019,\"\\;=:()")));
        }
        if dice.below(3) == 0 {
            headers.push(("Date".to_owned(), "  Tue, 20 Apr 2021 02:07:55 GMT\t".to_owned()));
        }
        let path = if path.is_empty() && dice.below(2) == 0 { "/".to_owned() } else { path };
        Self { method, https, authority, path, query, headers, body, seed }
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    fn with_request<T>(&self, ask: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let scheme = if self.https { Scheme::Https } else { Scheme::Http };
        let (authority, query) = (self.authority.as_str(), self.query.as_deref());
        ask(&Request { method: self.method, scheme, authority, path: &self.path, query, headers: &headers })
    }

    /// Signed by us.
    fn signed(&self, nonce: Option<&str>) -> Self {
        let signer = Signer { seed: &self.seed, key_id: KEY_ID, created: NOW, nonce };
        let more = self.with_request(|request| sign(request, &self.body, &signer)).unwrap();
        let mut sent = self.clone();
        sent.headers.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        sent
    }

    /// Judged by us.
    fn judge(&self) -> Result<Signed, SignatureError> {
        let key = SigningKey::from_bytes(&self.seed).verifying_key().to_bytes();
        let claim = self.with_request(|request| Claim::parse(request, NOW, 300))?;
        claim.verify(&key)?.check_body(&self.body)
    }

    /// As the other side is asked about it.
    fn asked(&self, act: &str) -> Map<String, Value> {
        let query = self.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
        let url = format!("{}://{}{}{query}", if self.https { "https" } else { "http" }, self.authority, self.path);
        let headers: Map<String, Value> = self.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let asked = json!({ "act": act, "method": self.method, "url": url, "headers": headers,
            "body": BASE64.encode(&self.body), "seed": BASE64.encode(self.seed) });
        asked.as_object().unwrap().clone()
    }

    /// Something that is signed, changed.
    fn changed(&self, dice: &mut Dice) -> Self {
        let mut sent = self.clone();
        match dice.below(5) {
            0 => sent.method = "HEAD",
            1 => "other.example".clone_into(&mut sent.authority),
            2 => sent.path.push_str("/x"),
            3 => sent.query = Some(sent.query.unwrap_or_default() + "x"),
            _ if sent.body.is_empty() => sent.path.push_str("/y"),
            _ => sent.body[0] ^= 1,
        }
        sent
    }
}

/// One to 24 of these characters and whole percent escapes.
fn word(dice: &mut Dice, of: &str) -> String {
    let mut pieces: Vec<&str> = Vec::new();
    let mut rest = of;
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(if rest.starts_with('%') { 3 } else { 1 });
        pieces.push(piece);
        rest = more;
    }
    let count = u32::try_from(pieces.len()).unwrap();
    (0..=dice.below(24)).map(|_| pieces[dice.below(count) as usize]).collect()
}

#[test]
fn both_sides_take_what_the_other_signed_and_nothing_that_was_changed() {
    let mut dice = Dice::new(9421);
    let requests: Vec<Sent> = (0..REQUESTS).map(|_| Sent::random(&mut dice)).collect();
    let nonces: Vec<_> = requests.iter().map(|_| (dice.below(2) == 0).then(|| word(&mut dice, "abc XYZ019\"\\;="))).collect();

    let ours: Vec<Sent> = requests.iter().zip(&nonces).map(|(sent, nonce)| sent.signed(nonce.as_deref())).collect();
    let bad: Vec<Sent> = ours.iter().map(|sent| sent.changed(&mut dice)).collect();
    let plans: Vec<_> = requests.iter().zip(&nonces).map(|(sent, nonce)| plan(sent, nonce.as_deref(), &mut dice)).collect();
    let judged = ours.iter().chain(&bad).map(|sent| sent.asked("verify"));
    let questions: Vec<Value> = judged.chain(plans).map(Value::Object).collect();
    let Some(answers) = packages::second_opinion("signature::second_opinion", SCRIPTS, PYTHON, &questions) else { return };
    let (verdicts, signed) = answers.split_at(2 * REQUESTS);
    let (good, refused) = verdicts.split_at(REQUESTS);

    for ((sent, nonce), answer) in ours.iter().zip(&nonces).zip(good) {
        assert!(sent.judge().is_ok(), "not even ours: {sent:?}");
        assert_eq!(answer["parameters"]["keyid"], KEY_ID, "{sent:?} {answer}");
        assert_eq!(answer["parameters"]["nonce"].as_str(), nonce.as_deref());
        assert_eq!(answer["parameters"]["tag"], "lab3");
    }
    for (sent, answer) in bad.iter().zip(refused) {
        assert!(answer["refused"].as_str().is_some_and(|why| why.starts_with("InvalidSignature")), "{sent:?} {answer}");
        assert!(sent.judge().is_err(), "{sent:?}");
    }
    for ((sent, nonce), answer) in requests.iter().zip(&nonces).zip(signed) {
        let headers = answer["headers"].as_object().unwrap_or_else(|| panic!("{answer} {sent:?}"));
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        let theirs = Sent { headers, ..sent.clone() };
        let verdict = theirs.judge().unwrap_or_else(|why| panic!("{why}: {theirs:?}"));
        assert_eq!((verdict.created(), verdict.nonce()), (NOW, nonce.as_deref()));
        assert_eq!(verdict.key_id().to_string(), KEY_ID);
        let changed = theirs.changed(&mut dice);
        assert!(changed.judge().is_err(), "{changed:?}");
    }
}

/// How the other side shall sign: any order, any label, with what may be left out and what may be added.
fn plan(sent: &Sent, nonce: Option<&str>, dice: &mut Dice) -> Map<String, Value> {
    let mut components = vec!["@method", "@authority", "@path", "@query"];
    components.extend(["content-type", "idempotency-key"].into_iter().filter(|name| sent.has(name)));
    components.extend(["accept", "content-length", "date"].into_iter().filter(|name| sent.has(name) && dice.below(2) == 0));
    components.sort_by_key(|_| dice.bits());
    let label = ["sig1", "lab3", "*a-b_c.d"][dice.below(3) as usize];
    let digest = ["sha-256", "sha-512"][dice.below(2) as usize];
    let mut asked = sent.asked("sign");
    let how = json!({ "key_id": KEY_ID, "created": NOW, "nonce": nonce, "components": components,
        "expires": (dice.below(2) == 0).then_some(FAR), "alg": dice.below(2) == 0, "tag": (dice.below(2) == 0).then_some("lab3"),
        "label": label, "digest": digest });
    asked.extend(how.as_object().unwrap().clone());
    asked
}
