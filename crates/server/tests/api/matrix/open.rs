//! The open Hive's half of the matrix: whoever is on its own machine passes everywhere, and nobody else but where all do; and no way leads
//! around the table.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, header};
use lab3_server::Peer;

use super::model::{LINES, Line, Object, Who};
use super::requests::{body, names, request, whole};
use super::stage::Stage;
use super::{HEADERS, STRANGE, check_form, code, never_made};
use crate::hive::Reply;

/// What makes a request one that somebody on this machine did not send knowingly.
const CONDITIONS: [(&str, &str); 17] = [
    ("peer", "10.0.0.7:40000"),
    ("peer", "[fe80::1]:40000"),
    ("user", "another"),
    ("host", "evil.example"),
    ("host", "evil.example:8003"),
    ("host", "127.0.0.1.evil.example:8003"),
    ("origin", "http://evil.example"),
    ("origin", "http://127.0.0.1:9"),
    ("origin", "null"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("forwarded", "for=127.0.0.1"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-host", "127.0.0.1:8003"),
    ("x-forwarded-proto", "http"),
    ("x-real-ip", "127.0.0.1"),
    ("via", "1.1 proxy"),
];

/// What a form of another site can send without asking first.
const FORMS: [&str; 3] = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];

/// A request of that line on an open Hive, where all is everybody's: on alice's things.
fn asked(line: &Line, object: Object, stage: &Stage) -> Request<Body> {
    let names = names(Who::Full("citizen"), object);
    whole(request(line, object, &names, &stage.things, 1), body(line, &names, &stage.things).as_ref())
}

fn set(request: &mut Request<Body>, name: &str, value: &str) {
    let here = Peer { remote: ([127, 0, 0, 1], 40_000).into(), trusted_user: Some(true) };
    match name {
        "peer" => drop(request.extensions_mut().insert(Peer { remote: value.parse().unwrap(), ..here })),
        "user" => drop(request.extensions_mut().insert(Peer { trusted_user: Some(false), ..here })),
        _ => drop(request.headers_mut().insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap())),
    }
}

fn is_refusal(reply: &Reply) -> bool {
    matches!(&*code(reply), "L3-0029" | "L3-0034" | "L3-0035" | "L3-0036")
}

#[tokio::test]
async fn who_is_on_an_open_hives_machine_passes_everywhere() {
    let mut stage = Stage::open().await;
    for line in LINES.iter() {
        for &object in line.objects() {
            // Clients of other protocols insist on some key.
            for sent in std::iter::once(None).chain(HEADERS.map(Some)) {
                let mut request = asked(line, object, &stage);
                if let Some(name) = sent {
                    set(&mut request, &name.to_ascii_lowercase(), STRANGE);
                }
                let reply = stage.hive.send(request).await;
                let name = format!("{} {} on {object:?} with {sent:?}", line.method, line.path);
                assert!(!is_refusal(&reply), "{name}: {}", reply.text());
                // Who is not there has no money, and what is not there is not found.
                let nothing_there = object == Object::Missing && matches!(reply.status, 402 | 404);
                assert!(line.answers.contains(&reply.status) || nothing_there, "{name}: {} {}", reply.status, reply.text());
                if line.method == "POST" {
                    stage = Stage::open().await;
                }
            }
        }
        let mut request = asked(line, line.objects()[0], &stage);
        set(&mut request, "x-api-key", &never_made());
        let reply = stage.hive.send(request).await;
        let refused = code(&reply) == "L3-0035";
        assert_eq!(refused, !line.is_public(), "{} {} with a key that was never made: {}", line.method, line.path, reply.text());
    }
}

#[tokio::test]
async fn who_may_be_elsewhere_passes_only_where_all_do() {
    let stage = Stage::open().await;
    for line in LINES.iter() {
        let name = |what: &str| format!("{} {} with {what}", line.method, line.path);
        let before = stage.hive.state_hash().await;
        for (condition, value) in CONDITIONS {
            let mut request = asked(line, line.objects()[0], &stage);
            set(&mut request, condition, value);
            let reply = stage.hive.send(request).await;
            let what = name(&format!("{condition}: {value}"));
            if line.is_public() {
                assert!(line.answers.contains(&reply.status), "{what}: {}", reply.text());
            } else {
                assert_eq!((reply.status, &*code(&reply)), (403, "L3-0029"), "{what}: {}", reply.text());
                check_form(line.path, &reply, &what);
            }
        }
        for form in FORMS.iter().filter(|_| line.method == "POST") {
            let mut request = asked(line, line.objects()[0], &stage);
            set(&mut request, "content-type", form);
            let reply = stage.hive.send(request).await;
            if line.shape == "text" {
                assert!(line.is_public() && line.answers.contains(&reply.status), "{}: {}", name(form), reply.text());
                continue;
            }
            assert_eq!((reply.status, &*code(&reply)), (415, "L3-0011"), "{}: {}", name(form), reply.text());
        }
        assert_eq!(stage.hive.state_hash().await, before, "{} {}", line.method, line.path);
    }
}

/// What a request line can be written like, instead.
fn ways_around(line: &Line, path: &str) -> Vec<(Method, String)> {
    let method = Method::from_bytes(line.method.as_bytes()).unwrap();
    let (plain, query) = path.split_once('?').map_or((path, String::new()), |(plain, query)| (plain, format!("?{query}")));
    let mut ways = Vec::new();
    for other in [Method::GET, Method::POST, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        ways.push((other, path.to_owned()));
    }
    for other in [
        format!("{plain}/"),
        format!("/{plain}"),
        plain.replace('/', "//"),
        plain.to_ascii_uppercase(),
        plain.replacen("lab3", "%6cab3", 1).replacen("v1", "%761", 1),
        plain.replacen("lab3/", "lab3/./", 1),
        plain.replacen("lab3/", "lab3/health/../", 1),
        plain.replacen("lab3/", "lab3/docs/../", 1),
        plain.replacen("lab3/", "lab3/docs/..%2f", 1),
        plain.replacen("lab3/", "lab3%2f", 1),
    ] {
        ways.push((method.clone(), format!("{other}{query}")));
    }
    ways
}

#[tokio::test]
async fn no_way_leads_around_the_table() {
    let stage = Stage::new().await;
    let before = stage.hive.state_hash().await;
    for line in LINES.iter().filter(|line| !line.is_public()) {
        for &object in line.objects() {
            let names = names(Who::Full("citizen"), object);
            let path = asked(line, object, &stage).uri().to_string();
            for (method, path) in ways_around(line, &path) {
                let text = body(line, &names, &stage.things).map(|body| body.to_string()).unwrap_or_default();
                let request = Request::builder().method(&method).uri(&path).header(header::CONTENT_TYPE, "application/json");
                let reply = stage.hive.send(request.body(Body::from(text)).unwrap()).await;
                let nothing = method == Method::OPTIONS && reply.status == 204 && reply.body.is_empty();
                let refused = matches!(reply.status, 401 | 404 | 405);
                assert!(nothing || refused, "{method} {path} as nobody: {} {}", reply.status, reply.text());
            }
        }
    }
    assert_eq!(stage.hive.state_hash().await, before);
}
