//! What is taken and what is refused, each with its reason: the components, the parameters, the choice among signatures, the body.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use lab3_signature::{Claim, Request, Scheme, SignatureError, Signed, Signer, WINDOW_SECONDS, sign};

const NOW: i64 = 1_700_000_000;
const SEED: [u8; 32] = [7; 32];
const BODY: &[u8] = br#"{"to":"did:kaizen:bob"}"#;
const DIGEST: &str = "sha-256=:f88LuRbj5HbJXQNFlPaKHXREIEvTgvijFKbGCy7xmmc=:";
const PARTS: &str = r#""@method" "@authority" "@path" "@query""#;
const TERMS: &str = r#";created=1700000000;keyid="did:key:z6Mk""#;

type Headers = Vec<(String, Vec<u8>)>;

fn with_request<T>(headers: &Headers, ask: impl FnOnce(&Request<'_>) -> T) -> T {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let (authority, path, query) = ("Hive.example:443", "/lab3/x", Some("a=1"));
    ask(&Request { method: "POST", scheme: Scheme::Https, authority, path, query, headers: &headers })
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

fn judge(headers: &Headers, body: &[u8]) -> Result<Signed, SignatureError> {
    let key = SigningKey::from_bytes(&SEED).verifying_key().to_bytes();
    with_request(headers, |request| Claim::parse(request, NOW, WINDOW_SECONDS))?.verify(&key)?.check_body(body)
}

/// A header `Signature` that fits this base, under this label.
fn signature(label: &str, base: &str) -> String {
    format!("{label}=:{}:", BASE64.encode(SigningKey::from_bytes(&SEED).sign(base.as_bytes()).to_bytes()))
}

/// Judges a request with this `Signature-Input` (without its label) and these headers, whose signature fits if it is well-formed.
fn with_input(input: &str, more: &[(&str, &str)], body: &[u8]) -> Result<Signed, SignatureError> {
    let mut all = headers(more);
    all.push(("Signature-Input".to_owned(), format!("sig1={input}").into_bytes()));
    let unsigned: Headers = [all.clone(), headers(&[("Signature", &signature("sig1", ""))])].concat();
    let claim = with_request(&unsigned, |request| Claim::parse(request, NOW, WINDOW_SECONDS))?;
    all.push(("Signature".to_owned(), signature("sig1", claim.base()).into_bytes()));
    judge(&all, body)
}

fn check(input: &str, more: &[(&str, &str)], body: &[u8], expected: Result<(), SignatureError>) {
    let verdict = with_input(input, more, body);
    if let Err(error) = &verdict {
        assert!(error.to_string().contains(error.header()), "{error}");
    }
    match expected {
        Ok(()) => assert!(verdict.is_ok(), "{input} {more:?} {verdict:?}"),
        Err(error) => assert_eq!(verdict, Err(error), "{input} {more:?}"),
    }
}

fn unsigned(component: &'static str) -> Result<(), SignatureError> {
    Err(SignatureError::Unsigned { component })
}

#[test]
fn what_says_what_is_done_must_be_signed() {
    let typed = ("content-type", "application/json");
    let all = format!(r#"({PARTS} "content-digest" "content-type"){TERMS}"#);
    let bare = format!("({PARTS}){TERMS}");
    check(&bare, &[], b"", Ok(()));
    check(&format!(r#"("@query" "@path" "@authority" "@method"){TERMS}"#), &[], b"", Ok(()));
    check(&all, &[typed, ("content-digest", DIGEST)], BODY, Ok(()));
    check(&all, &[typed, ("content-digest", DIGEST), ("content-length", "23")], BODY, Ok(()));
    for component in ["@method", "@authority", "@path", "@query"] {
        let input = bare.replace(&format!("\"{component}\""), "");
        check(&input, &[], b"", unsigned(component));
    }
    check(&bare, &[("content-length", "0")], b"", Ok(()));
    check(&bare, &[("content-length", "23")], BODY, unsigned("content-digest"));
    check(&bare, &[], BODY, unsigned("content-digest"));
    check(&format!(r#"({PARTS} "content-digest"){TERMS}"#), &[("content-digest", DIGEST)], BODY, unsigned("content-type"));
    check(&format!(r#"({PARTS} "content-type"){TERMS}"#), &[typed], BODY, unsigned("content-digest"));
    for (name, value) in [("Content-Type", "a/b"), ("Content-Digest", DIGEST), ("Idempotency-Key", "k"), ("Content-Encoding", "gzip")] {
        let missing = ["content-type", "content-digest", "idempotency-key", "content-encoding"].into_iter();
        let component = missing.into_iter().find(|other| name.eq_ignore_ascii_case(other)).unwrap();
        check(&bare, &[(name, value)], b"", unsigned(component));
    }
    check(&format!(r#"({PARTS} "idempotency-key"){TERMS}"#), &[("Idempotency-Key", "k")], b"", Ok(()));
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let component = |name: &str| Err(SignatureError::Component { component: name.to_owned() });
    for name in ["@status", "@target-uri", "@request-target", "@scheme", "@query-param", "@signature-params", "host", "x-a", "Date", ""] {
        check(&format!(r#"({PARTS} "{name}"){TERMS}"#), &[("host", "a"), ("x-a", "b")], b"", component(name));
    }
    check(&format!("({PARTS} 7){TERMS}"), &[], b"", component("7"));
    for parameter in ["req", "sf", "bs", "tr", "key=\"a\"", "name=\"a\""] {
        let name = parameter.split('=').next().unwrap().to_owned();
        let expected = SignatureError::ComponentParameter { component: "@query".to_owned(), parameter: name };
        check(&format!(r"({PARTS};{parameter}){TERMS}"), &[], b"", Err(expected));
    }
    for name in ["accept", "content-length", "date", "user-agent"] {
        check(&format!(r#"({PARTS} "{name}"){TERMS}"#), &[(name, "0")], b"", Ok(()));
        let twice = SignatureError::Lines { header: name.to_owned() };
        check(&format!(r#"({PARTS} "{name}"){TERMS}"#), &[(name, "0"), (name, "0")], b"", Err(twice));
        let gone = SignatureError::NotSent { component: name.to_owned() };
        check(&format!(r#"({PARTS} "{name}"){TERMS}"#), &[], b"", Err(gone));
    }
    let twice = SignatureError::Twice { component: "@path".to_owned() };
    check(&format!(r#"({PARTS} "@path"){TERMS}"#), &[], b"", Err(twice));
    let many = format!("({PARTS}{}){TERMS}", " \"@path\"".repeat(13));
    check(&many, &[], b"", Err(SignatureError::Components));
    let value = SignatureError::Value { component: "accept".to_owned() };
    check(&format!(r#"({PARTS} "accept"){TERMS}"#), &[("accept", "caf\u{e9}")], b"", Err(value.clone()));
    check(&format!(r#"({PARTS} "accept"){TERMS}"#), &[("accept", "a\n\"@path\": /b")], b"", Err(value));
}

#[test]
fn parameters_are_checked_one_by_one() {
    let check = |terms: &str, expected| check(&format!("({PARTS}){terms}"), &[], b"", expected);
    let form = |parameter, expected| Err(SignatureError::ParameterForm { parameter, expected });
    let time = |created| Err(SignatureError::Time { created, now: NOW, window_seconds: 300 });
    let key = r#";keyid="did:key:z6Mk""#;
    check(&format!("{TERMS};alg=\"ed25519\";nonce=\"n\";tag=\"lab3\";expires=1700000000"), Ok(()));
    check(&format!(";created=1699999700{key}"), Ok(()));
    check(&format!(";created=1700000300{key}"), Ok(()));
    check(&format!(";created=1699999699{key}"), time(NOW - 301));
    check(&format!(";created=1700000301{key}"), time(NOW + 301));
    check(&format!(";created=-999999999999999{key}"), time(-999_999_999_999_999));
    check(key, form("created", "given: seconds since 1970, an integer"));
    check(&format!(";created=\"1700000000\"{key}"), form("created", "seconds since 1970, an integer"));
    check(&format!(";created{key}"), form("created", "seconds since 1970, an integer"));
    check(&format!("{TERMS};expires=1699999999"), Err(SignatureError::Expired { expires: NOW - 1, now: NOW }));
    check(&format!(";created=1700000009{key};expires=1700000008"), Err(SignatureError::Expired { expires: NOW + 8, now: NOW }));
    check(&format!("{TERMS};expires=soon"), form("expires", "seconds since 1970, an integer"));
    check(";created=1700000000", Err(SignatureError::KeyId));
    check(";created=1700000000;keyid=\"key-1\"", Err(SignatureError::KeyId));
    check(";created=1700000000;keyid=token", form("keyid", "a \"string\" in quotes"));
    check(&format!("{TERMS};alg=\"rsa-v1_5-sha256\""), Err(SignatureError::Algorithm));
    check(&format!("{TERMS};alg=ed25519"), Err(SignatureError::Algorithm));
    check(&format!("{TERMS};nonce=\"\""), Err(SignatureError::Nonce));
    check(&format!("{TERMS};nonce=\"{}\"", "n".repeat(256)), Ok(()));
    check(&format!("{TERMS};nonce=\"{}\"", "n".repeat(257)), Err(SignatureError::Nonce));
    check(&format!("{TERMS};nonce=:AAAA:"), form("nonce", "a \"string\" in quotes"));
    check(&format!("{TERMS};tag=\"other\""), Err(SignatureError::NoneOurs));
    check(&format!("{TERMS};tag=lab3"), Err(SignatureError::NoneOurs));
    check(&format!("{TERMS};more=1"), Err(SignatureError::Parameter { parameter: "more".to_owned() }));
    check(
        &format!("{TERMS};keyid=\"did:key:z6Mk\""),
        Err(SignatureError::Form { header: "signature-input", at: 87, expected: "each key once" }),
    );
}

/// Judges these two headers, as they are.
fn check_headers(input: &[&str], signature: &[&str], expected: &SignatureError) {
    let inputs = input.iter().map(|value| ("Signature-Input", *value));
    let all: Vec<_> = inputs.chain(signature.iter().map(|value| ("Signature", *value))).collect();
    assert_eq!(judge(&headers(&all), b"").as_ref(), Err(expected), "{input:?} {signature:?}");
}

#[test]
fn ours_is_found_among_others() {
    let plain = format!("({PARTS}){TERMS}");
    let ours = format!("{plain};tag=\"lab3\"");
    let base = |list: &str| {
        format!("\"@method\": POST\n\"@authority\": hive.example\n\"@path\": /lab3/x\n\"@query\": ?a=1\n\"@signature-params\": {list}")
    };
    let other = r#"proxy=("@status";req "x-a";sf);created=1;keyid="k";alg="rsa-pss-sha512";more"#;
    let both =
        [("Signature-Input", format!("{other}, b={ours}")), ("Signature", format!("proxy=:AAAA:, {}", signature("b", &base(&ours))))];
    assert!(judge(&headers(&both.each_ref().map(|(name, value)| (*name, value.as_str()))), b"").is_ok());
    let lines = [
        ("signature-input", format!("b={ours}")),
        ("signature-input", other.to_owned()),
        ("signature", "proxy=:AAAA:".to_owned()),
        ("signature", signature("b", &base(&ours))),
    ];
    assert!(judge(&headers(&lines.each_ref().map(|(name, value)| (*name, value.as_str()))), b"").is_ok());

    let fits = signature("b", &base(&plain));
    let unnamed = |label: &str| SignatureError::NoBytes { label: label.to_owned() };
    check_headers(&[], &[&fits], &SignatureError::Missing { header: "signature-input" });
    check_headers(&[&format!("b={plain}")], &[], &SignatureError::Missing { header: "signature" });
    check_headers(&[&format!("c={plain}")], &[&fits], &unnamed("c"));
    check_headers(&[&format!("b={plain}")], &["b=:AAAA:"], &unnamed("b"));
    check_headers(&[&format!("b={plain}")], &[&format!("{fits};x")], &unnamed("b"));
    check_headers(&[&format!("b={plain}")], &["b"], &unnamed("b"));
    check_headers(&["b=1"], &[&fits], &SignatureError::NoList { label: "b".to_owned() });
    check_headers(&[""], &[&fits], &SignatureError::NoneOurs);
    check_headers(&[&format!("b={plain}, c={plain}")], &[&fits], &SignatureError::NoneOurs);
    check_headers(&[&format!("b={ours}, c={ours}")], &[&fits], &SignatureError::SeveralOurs);
    check_headers(&["a=(),b=(),c=(),d=(),e=()"], &[&fits], &SignatureError::Many);
    check_headers(
        &[&format!("b={plain}, b={ours}")],
        &[&fits],
        &SignatureError::Form { header: "signature-input", at: 85, expected: "each key once" },
    );
    check_headers(&[&"a".repeat(4095)], &[&fits], &SignatureError::Long { header: "signature-input" });
    check_headers(&[&format!("b={plain}")], &[&"a".repeat(4095)], &SignatureError::Long { header: "signature" });
}

#[test]
fn another_key_body_or_digest_is_refused() {
    let input = format!(r#"({PARTS} "content-digest" "content-type"){TERMS}"#);
    let with = |digest| [("content-type", "a/b"), ("content-digest", digest)];
    check(&input, &with(DIGEST), b"{}", Err(SignatureError::Digest));
    check(&input, &with(DIGEST), b"", Err(SignatureError::Digest));
    check(&input, &with("md5=:AAAA:"), BODY, Err(SignatureError::DigestForm));
    check(&input, &with("sha-256=:AAAA:"), BODY, Err(SignatureError::DigestForm));
    let sent = headers(&[("Content-Type", "a/b")]);
    let signer = Signer { seed: &SEED, key_id: "did:key:z6Mk", created: NOW, nonce: None };
    let more = with_request(&sent, |request| sign(request, BODY, &signer)).unwrap();
    let all = [sent, more.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect()].concat();
    assert!(judge(&all, BODY).is_ok());
    let claim = with_request(&all, |request| Claim::parse(request, NOW, WINDOW_SECONDS)).unwrap();
    let other = SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
    // Another key; no point at all; the neutral point, for which anything is a signature.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    for key in [other, [2; 32], neutral] {
        assert_eq!(claim.clone().verify(&key).err(), Some(SignatureError::Forged));
    }
}

/// A signature whose point is the neutral one and whose number is nought holds for the neutral key over anything, where the check is not strict.
#[test]
fn the_check_is_strict() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let weak = BASE64.encode([neutral, [0; 32]].concat());
    let all = headers(&[("signature-input", &format!("a=({PARTS}){TERMS}")), ("signature", &format!("a=:{weak}:"))]);
    let claim = with_request(&all, |request| Claim::parse(request, NOW, WINDOW_SECONDS)).unwrap();
    assert_eq!(claim.verify(&neutral).err(), Some(SignatureError::Forged));
}

#[test]
fn what_would_be_refused_is_not_signed() {
    let signer = Signer { seed: &SEED, key_id: "did:key:z6Mk", created: NOW, nonce: None };
    let check = |sent: &[(&str, &str)], body: &[u8], signer: &Signer<'_>, error: SignatureError| {
        assert_eq!(with_request(&headers(sent), |request| sign(request, body, signer)), Err(error), "{sent:?}");
    };
    check(&[], BODY, &signer, SignatureError::Unsigned { component: "content-type" });
    check(&[("Content-Digest", DIGEST)], b"", &signer, SignatureError::Present { header: "content-digest" });
    check(&[("Signature", "a=:AAAA:")], b"", &signer, SignatureError::Present { header: "signature" });
    check(&[("Signature-Input", "a=()")], b"", &signer, SignatureError::Present { header: "signature-input" });
    check(&[], b"", &Signer { key_id: "alice", ..signer }, SignatureError::KeyId);
    for nonce in ["", "a\nb", "caf\u{e9}"] {
        check(&[], b"", &Signer { nonce: Some(nonce), ..signer }, SignatureError::Nonce);
    }
    check(
        &[("idempotency-key", "a"), ("idempotency-key", "b")],
        b"",
        &signer,
        SignatureError::Lines { header: "idempotency-key".to_owned() },
    );
}

/// Judges the request with its head changed, whose claim cannot be read; and it is not signed either.
fn check_head(change: impl Fn(&mut Request<'_>), expected: &SignatureError) {
    let all = headers(&[("signature-input", &format!("a=({PARTS}){TERMS}")), ("signature", &signature("a", ""))]);
    let signer = Signer { seed: &SEED, key_id: "did:key:z6Mk", created: NOW, nonce: None };
    let parsed = with_request(&all, |request| {
        let mut request = *request;
        change(&mut request);
        Claim::parse(&request, NOW, WINDOW_SECONDS).map(|_| ())
    });
    assert_eq!(parsed.as_ref(), Err(expected));
    let signed = with_request(&Headers::new(), |request| {
        let mut request = *request;
        change(&mut request);
        sign(&request, b"", &signer).map(|_| ())
    });
    assert_eq!(signed.as_ref(), Err(expected));
}

#[test]
fn a_head_that_cannot_be_written_in_lines_is_refused() {
    let value = |component: &str| SignatureError::Value { component: component.to_owned() };
    for method in ["", "GET /", "GE\nT", "G\u{c9}T"] {
        check_head(|request| request.method = method, &value("@method"));
    }
    for authority in ["", ":", "a b", "a\n", "user@hive.example", "hive.example/x", "h\u{ef}ve"] {
        check_head(|request| request.authority = authority, &value("@authority"));
    }
    for path in ["x", "*", "http://hive.example/", "/a?b", "/a#b", "/a b", "/a\n\"@query\": ?", "/\u{e9}"] {
        check_head(|request| request.path = path, &value("@path"));
    }
    for query in ["a b", "a\nb", "\u{e9}"] {
        check_head(|request| request.query = Some(query), &value("@query"));
    }
    let long = format!("/{}", "a".repeat(65_536));
    let request = Request { method: "GET", scheme: Scheme::Http, authority: "a", path: &long, query: None, headers: &[] };
    let signer = Signer { seed: &SEED, key_id: "did:key:z6Mk", created: NOW, nonce: None };
    assert_eq!(sign(&request, b"", &signer).map(|_| ()), Err(SignatureError::Large));
}

/// Before a byte of the body is there.
#[test]
fn an_announced_body_must_be_signed_at_once() {
    let input = format!("a=({PARTS}){TERMS}");
    let all = headers(&[("signature-input", &input), ("signature", &signature("a", "")), ("content-length", "4000000")]);
    let claim = with_request(&all, |request| Claim::parse(request, NOW, WINDOW_SECONDS).map(|_| ()));
    assert_eq!(claim, unsigned("content-digest"));
}
