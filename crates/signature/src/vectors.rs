//! The RFCs' own examples: RFC 9421, sections 2 and 3.2 and appendix B; RFC 9530, appendices B and D.
//!
//! Their sets of components are not ours, so they go to what is below our rules: [`find`], [`base`] and [`check`] take any set.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};

use crate::base::base;
use crate::claim::{Claim, check, find};
use crate::digest::ContentDigest;
use crate::error::SignatureError;
use crate::request::{Request, Scheme};
use crate::structured::{List, Member, dictionary};

/// Appendix B.1.4, test-key-ed25519: the last 32 bytes of the two PEM texts.
const PUBLIC: &str = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
const SECRET: &str = "n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU=";

/// Appendix B.2.6.
const INPUT_B26: &str =
    r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
const SIGNATURE_B26: &str = "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:";

const BODY: &[u8] = br#"{"hello": "world"}"#;
const DIGEST: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    BASE64.decode(text).unwrap().try_into().unwrap()
}

/// The request of appendix B.2, with these headers besides its own.
fn with_request<T>(more: &[(&str, &str)], ask: impl FnOnce(&Request<'_>) -> T) -> T {
    let own = [
        ("Host", "example.com"),
        ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("Content-Type", "application/json"),
        ("Content-Digest", DIGEST),
        ("Content-Length", "18"),
    ];
    let headers: Vec<_> = own.iter().chain(more).map(|(name, value)| (*name, value.as_bytes())).collect();
    let (authority, query) = ("example.com", Some("param=Value&Pet=dog"));
    ask(&Request { method: "POST", scheme: Scheme::Https, authority, path: "/foo", query, headers: &headers })
}

fn list(text: &str) -> List {
    match dictionary(&format!("sig={text}")).unwrap().remove(0).1 {
        Member::List(list) => list,
        Member::Item(item) => panic!("{item} is no list"),
    }
}

#[test]
fn the_ed25519_signature_of_appendix_b_holds() {
    with_request(&[("Signature-Input", INPUT_B26), ("Signature", SIGNATURE_B26)], |request| {
        let found = find(request).unwrap();
        let text = base(request, &found.list).unwrap();
        check(&text, &found.signature, &bytes(PUBLIC)).unwrap();
        let made = SigningKey::from_bytes(&bytes(SECRET));
        assert_eq!(made.verifying_key().to_bytes(), bytes(PUBLIC));
        assert_eq!(made.sign(text.as_bytes()).to_bytes(), found.signature, "Ed25519 is deterministic");
        for (line, other) in [("POST", "PUT"), ("/foo", "/fo"), ("18", "19"), ("1618884473", "1618884474")] {
            let changed = text.replacen(line, other, 1);
            assert_eq!(check(&changed, &found.signature, &bytes(PUBLIC)), Err(SignatureError::Forged), "{changed}");
        }
        // It holds, but it is not ours: it leaves out what we demand.
        assert_eq!(Claim::parse(request, 1_618_884_473, 300).err(), Some(SignatureError::Unsigned { component: "@query" }));
    });
}

/// The base for this list over the request of appendix B.2: these lines, and one with the list.
fn check_base(components: &str, lines: &str) {
    let made = with_request(&[], |request| base(request, &list(components)));
    assert_eq!(made.unwrap(), format!("{lines}\"@signature-params\": {components}"));
}

#[test]
fn the_bases_of_the_rfc_are_made_byte_for_byte() {
    // Section 2.5.
    check_base(
        r#"("@method" "@authority" "@path" "content-digest" "content-length" "content-type");created=1618884473;keyid="test-key-rsa-pss""#,
        &format!(
            "\"@method\": POST\n\"@authority\": example.com\n\"@path\": /foo\n\"content-digest\": {DIGEST}\n\
             \"content-length\": 18\n\"content-type\": application/json\n"
        ),
    );
    // Appendices B.2.1, B.2.3 and B.2.5.
    check_base(r#"();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd""#, "");
    check_base(
        r#"("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss""#,
        &format!(
            "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\"@query\": ?param=Value&Pet=dog\n\
             \"@authority\": example.com\n\"content-type\": application/json\n\"content-digest\": {DIGEST}\n\"content-length\": 18\n"
        ),
    );
    check_base(
        r#"("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#,
        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n\"content-type\": application/json\n",
    );
}

/// One header of section 2.1's example: its lines, and its value in a base.
fn check_field(name: &str, lines: &[&str], value: &str) {
    let headers: Vec<_> = lines.iter().map(|line| (name, line.as_bytes())).collect();
    let request = Request { method: "GET", scheme: Scheme::Http, authority: "a", path: "/", query: None, headers: &headers };
    assert_eq!(request.component(&name.to_lowercase()).unwrap(), value);
}

#[test]
fn headers_are_as_in_section_2_1() {
    check_field("Host", &["www.example.com"], "www.example.com");
    check_field("Date", &["Tue, 20 Apr 2021 02:07:56 GMT"], "Tue, 20 Apr 2021 02:07:56 GMT");
    check_field("X-OWS-Header", &["   Leading and trailing whitespace.   "], "Leading and trailing whitespace.");
    check_field("Cache-Control", &["max-age=60", "   must-revalidate"], "max-age=60, must-revalidate");
    check_field("Example-Dict", &[" a=1,    b=2;x=1;y=2,   c=(a   b   c)"], "a=1,    b=2;x=1;y=2,   c=(a   b   c)");
    check_field("X-Empty-Header", &[""], "");
}

/// A component of a request for this authority, path and query.
fn check_derived(component: &str, (authority, path, query): (&str, &str, Option<&str>), value: &str) {
    let request = Request { method: "POST", scheme: Scheme::Https, authority, path, query, headers: &[] };
    assert_eq!(request.component(component).unwrap(), value);
}

#[test]
fn derived_components_are_as_in_section_2_2() {
    let path = ("www.example.com", "/path", None);
    check_derived("@method", path, "POST");
    check_derived("@authority", ("WWW.example.com:443", "/path", None), "www.example.com");
    check_derived("@path", path, "/path");
    check_derived("@path", ("www.example.com", "", None), "/");
    check_derived("@query", ("www.example.com", "/path", Some("param=value&foo=bar&baz=bat%2Dman")), "?param=value&foo=bar&baz=bat%2Dman");
    check_derived("@query", ("www.example.com", "/path", Some("queryString")), "?queryString");
    check_derived("@query", path, "?");
    check_derived("@query", ("www.example.com", "/path", Some("")), "?");
}

fn check_digest(header: &str, body: &[u8]) {
    let digest = ContentDigest::parse(header).unwrap();
    assert!(digest.fits(body), "{header}");
    assert_eq!(digest.to_string(), header);
    let mut other = body.to_vec();
    other.push(b' ');
    assert!(!digest.fits(&other) && !digest.fits(&body[..body.len().saturating_sub(1)]) || body.is_empty(), "{header}");
}

#[test]
fn the_digests_of_rfc_9530_fit_their_bodies() {
    let line = b"{\"hello\": \"world\"}\n";
    // The same, compressed by Brotli: appendix B.2's body.
    let brotli = b"\x0b\x09\x80{\"hello\": \"world\"}\n\x03";
    let sha512 = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";
    check_digest("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", line);
    check_digest(sha512, line);
    check_digest("sha-256=:d435Qo+nKZ+gLcUHn7GQtQ72hiBVAgqoLsZnZPiTGPk=:", brotli);
    check_digest("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", b"");
    // RFC 9421's own body.
    check_digest(DIGEST, BODY);
    check_digest("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", BODY);
    // Two that fit other bodies: neither body will do.
    let both = ContentDigest::parse(&format!("sha-256=:d435Qo+nKZ+gLcUHn7GQtQ72hiBVAgqoLsZnZPiTGPk=:,{sha512}")).unwrap();
    assert!(!both.fits(line) && !both.fits(brotli));
    let both = ContentDigest::parse(&format!("md5=:AAAA:, sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:, {sha512}")).unwrap();
    assert!(both.fits(line));
}

#[test]
fn a_digest_without_a_hash_to_check_is_refused() {
    let check = |header: &str, error: SignatureError| assert_eq!(ContentDigest::parse(header), Err(error), "{header}");
    check("", SignatureError::DigestForm);
    check("md5=:AAAA:", SignatureError::DigestForm);
    check("sha-256=:AAAA:", SignatureError::DigestForm);
    check("sha-256", SignatureError::DigestForm);
    check("sha-256=\"RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=\"", SignatureError::DigestForm);
    check("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:;x", SignatureError::DigestForm);
    check("sha-256=(:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:)", SignatureError::DigestForm);
    check("sha-512=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", SignatureError::DigestForm);
    let over_padded = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg==:";
    check(over_padded, SignatureError::Form { header: "content-digest", at: 9, expected: "base 64 with its padding" });
}
