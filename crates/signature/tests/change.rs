//! Whatever is changed in a signed request, it is refused; whatever comes, nothing panics.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use ed25519_dalek::SigningKey;
use lab3_signature::{Claim, ContentDigest, KeyId, Request, Scheme, SignatureError, Signer, sign};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

const NOW: i64 = 1_700_000_000;
const SEED: [u8; 32] = [7; 32];

#[derive(Clone, Debug, PartialEq)]
struct Sent {
    method: String,
    https: bool,
    authority: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Sent {
    fn with_request<T>(&self, ask: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let scheme = if self.https { Scheme::Https } else { Scheme::Http };
        let (method, authority, query) = (self.method.as_str(), self.authority.as_str(), self.query.as_deref());
        ask(&Request { method, scheme, authority, path: &self.path, query, headers: &headers })
    }

    fn signed(mut self) -> Self {
        let signer = Signer { seed: &SEED, key_id: "did:kaizen:alice#laptop", created: NOW, nonce: Some("n-1") };
        let more = self.with_request(|request| sign(request, &self.body, &signer)).unwrap();
        self.headers.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
        self
    }

    /// The signed text, if all of it holds.
    fn judge(&self) -> Result<String, SignatureError> {
        let key = SigningKey::from_bytes(&SEED).verifying_key().to_bytes();
        let claim = self.with_request(|request| Claim::parse(request, NOW, 300))?;
        let base = claim.base().to_owned();
        claim.verify(&key)?.check_body(&self.body).map(|_| base)
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    let head = ("[A-Z]{3,7}", any::<bool>(), "[a-z]{1,9}(\\.[a-z]{2,5})?(:[1-9][0-9]{3})?", "(/[!-\"$->@-~]{0,9}){1,4}");
    let rest = (proptest::option::of("[!-\"$-~]{1,20}"), vec(any::<u8>(), 0..60), proptest::option::of("[!-~]([ -~]{0,20}[!-~])?"));
    (head, rest).prop_map(|((method, https, authority, path), (query, body, key))| {
        let mut headers = vec![("Accept".to_owned(), b"*/*".to_vec())];
        headers.extend(key.map(|key| ("Idempotency-Key".to_owned(), key.into_bytes())));
        headers.extend((!body.is_empty()).then(|| ("Content-Type".to_owned(), b"application/json".to_vec())));
        Sent { method, https, authority, path, query, headers, body }.signed()
    })
}

/// One byte of a text put in, taken out or turned into another one.
fn edit(bytes: &mut Vec<u8>, how: u8, at: Index, byte: u8) {
    let place = at.index(bytes.len() + 1);
    match how % 3 {
        0 => bytes.insert(place, byte),
        1 if place < bytes.len() => drop(bytes.remove(place)),
        _ if place < bytes.len() => bytes[place] = byte,
        _ => bytes.push(byte),
    }
}

fn edit_text(text: &mut String, how: u8, at: Index, byte: u8) {
    let mut bytes = text.as_bytes().to_vec();
    edit(&mut bytes, how, at, byte);
    *text = bytes.into_iter().map(char::from).collect();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_of_what_is_asked_is_refused(sent in sent(), what in 0..5, how in any::<u8>(), at in any::<Index>(), byte in any::<u8>()) {
        prop_assert!(sent.judge().is_ok(), "{:?}", sent.judge());
        let mut changed = sent.clone();
        match what {
            0 => edit_text(&mut changed.method, how, at, byte),
            1 => edit_text(&mut changed.authority, how, at, byte),
            2 => edit_text(&mut changed.path, how, at, byte),
            3 => edit_text(changed.query.get_or_insert_default(), how, at, byte),
            _ => edit(&mut changed.body, how, at, byte),
        }
        // What RFC 9421 takes for the same: another case of the host, a colon without a port, an empty query, an empty path.
        let same = changed.authority.to_ascii_lowercase().trim_end_matches(':') == sent.authority
            && changed.query.as_deref().unwrap_or_default() == sent.query.as_deref().unwrap_or_default()
            && (changed.path == sent.path || changed.path.is_empty() && sent.path == "/")
            && (&changed.method, &changed.body) == (&sent.method, &sent.body);
        prop_assert_eq!(changed.judge().is_ok(), same, "{:?}", changed);
    }

    #[test]
    fn any_change_of_a_header_is_refused(sent in sent(), which in any::<Index>(), how in 0..6_u8, at in any::<Index>(), byte in any::<u8>()) {
        let mut changed = sent.clone();
        let place = which.index(sent.headers.len());
        let name = sent.headers[place].0.to_ascii_lowercase();
        match how {
            3 => drop(changed.headers.remove(place)),
            4 => changed.headers.push((name.clone(), b"x=1".to_vec())),
            5 => changed.headers[place].0.push('x'),
            _ => edit(&mut changed.headers[place].1, how, at, byte),
        }
        let verdict = changed.judge();
        let trimmed = |sent: &Sent| sent.headers.get(place).map(|(_, value)| String::from_utf8_lossy(value).trim_matches([' ', '\t']).to_owned());
        match name.as_str() {
            // Not signed.
            "accept" => prop_assert!(verdict.is_ok()),
            // The label and spaces between words are not signed; a second signature of no importance may stand beside it.
            "signature-input" | "signature" => prop_assert!(verdict.is_err() || verdict == sent.judge(), "{changed:?}"),
            _ => prop_assert_eq!(verdict.is_ok(), how < 3 && trimmed(&changed) == trimmed(&sent), "{:?}", changed),
        }
    }

    #[test]
    fn another_value_of_a_parameter_is_refused(sent in sent(), which in 0..5_usize) {
        let pairs = [("1700000000", "1700000001"), ("alice#", "bob#"), ("n-1", "n-2"), (";alg=\"ed25519\"", ""), (" \"@query\"", "")];
        let (old, new) = pairs[which];
        let mut changed = sent.clone();
        let (_, value) = changed.headers.iter_mut().find(|(name, _)| name == "signature-input").unwrap();
        *value = String::from_utf8(value.clone()).unwrap().replace(old, new).into_bytes();
        prop_assert_ne!(&changed, &sent);
        prop_assert!(changed.judge().is_err());
    }

    #[test]
    fn nothing_panics(input in hostile(), signature in hostile(), digest in hostile(), authority in ".{0,20}", path in ".{0,20}", now in any::<i64>()) {
        let headers = [("signature-input", input.as_bytes()), ("signature", signature.as_bytes()), ("content-digest", digest.as_bytes())];
        let query = Some(digest.as_str());
        let request = Request { method: &input, scheme: Scheme::Http, authority: &authority, path: &path, query, headers: &headers };
        if let Ok(claim) = Claim::parse(&request, now, 300) {
            prop_assert!(claim.verify(&[7; 32]).is_err());
        }
        let _ = (ContentDigest::parse(&input), KeyId::parse(&authority));
    }
}

/// Pieces of well-formed headers and of anything, in any order.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = [
        "a=",
        "b",
        "(",
        ")",
        "\"@method\"",
        "\"@authority\" \"@path\" \"@query\"",
        ";created=",
        "1700000000",
        ";keyid=\"did:key:z\"",
        ";tag=\"lab3\"",
        " ",
        ",",
        ":",
        "AAAA",
        "=",
        "\"",
        "\\",
        ";",
        "?1",
        "-",
        "999999999999999",
        "sha-256=",
        ";sf",
        "*",
        "\u{e9}",
        "\n",
        "\0",
    ];
    prop_oneof![vec(prop::sample::select(pieces.to_vec()), 0..30).prop_map(|pieces| pieces.concat()), ".{0,40}"]
}
