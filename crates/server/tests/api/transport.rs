//! What lies under the requests: content types, sizes, encodings, paths, methods.

use axum::body::Body;
use axum::http::{Method, Request};

use crate::hive::Hive;

const BODY: &str = "{\"from_did\":\"did:kaizen:alice\",\"to_did\":\"did:kaizen:bob\",\"amount\":1}";
const PATH: &str = "/lab3/financial/transfer";

#[tokio::test]
async fn the_content_type_must_be_json() {
    let hive = Hive::with_alice("100").await;
    let before = hive.state_hash().await;
    for wrong in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
        "application/json; boundary=x",
        "application/jsonx",
        "application/json, text/plain",
    ] {
        hive.post_text(PATH, &[("Content-Type", wrong)], BODY).await.refused(415, "L3-0011", None);
    }
    let bare = Request::post(PATH).body(Body::from(BODY)).unwrap();
    hive.send(bare).await.refused(415, "L3-0011", None);
    assert_eq!(hive.state_hash().await, before);
    for right in
        ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"", "application/json ; charset=utf-8"]
    {
        hive.post_text(PATH, &[("Content-Type", right)], BODY).await.ok();
    }
}

/// Where the body may be left out, another site's page could send such a request from a browser: it has to claim JSON.
#[tokio::test]
async fn another_sites_page_cannot_send_a_bare_request() {
    let hive = Hive::new();
    let path = "/lab3/financial/epoch/close";
    let origin = ("Origin", "https://elsewhere.example");
    for content_type in ["", "application/x-www-form-urlencoded", "text/plain", "application/json"] {
        hive.post_text(path, &[origin, ("Content-Type", content_type)], "").await.refused(403, "L3-0029", Some("Origin"));
    }
    hive.post_text(path, &[("Content-Type", "")], "").await.ok();
}

#[tokio::test]
async fn a_body_is_bounded() {
    let hive = Hive::with_alice("100").await;
    let before = hive.state_hash().await;
    let spaces = |count: usize| format!("{}{BODY}", " ".repeat(count - BODY.len()));
    hive.post_text(PATH, &[], spaces(10 << 20)).await.refused(413, "L3-0012", None);
    hive.post_text(PATH, &[], spaces((4 << 20) + 1)).await.refused(413, "L3-0012", None);
    assert_eq!(hive.state_hash().await, before);
    hive.post_text(PATH, &[], spaces(4 << 20)).await.ok();
}

/// A body that comes in pieces is put together, and counted whole.
#[tokio::test]
async fn a_body_may_come_in_pieces() {
    let hive = Hive::with_alice("100").await;
    let pieces = |body: String| {
        let pieces = body.into_bytes().chunks(7).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
        let body = Body::from_stream(Pieces(pieces.into_iter()));
        Request::post(PATH).header("content-type", "application/json").body(body).unwrap()
    };
    hive.send(pieces(BODY.to_owned())).await.ok();
    hive.send(pieces(" ".repeat((4 << 20) + 1))).await.refused(413, "L3-0012", None);
    let broken = Body::from_stream(Pieces(vec![Ok(b"{".to_vec()), Err(std::io::Error::other("hung up"))].into_iter()));
    let broken = Request::post(PATH).header("content-type", "application/json").body(broken).unwrap();
    hive.send(broken).await.refused(400, "L3-0001", None);
}

struct Pieces<I>(I);

impl<T, I: Iterator<Item = T> + Unpin> futures_core::Stream for Pieces<I> {
    type Item = T;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Option<T>> {
        std::task::Poll::Ready(self.0.next())
    }
}

#[tokio::test]
async fn broken_utf8_is_refused() {
    let hive = Hive::with_alice("100").await;
    let before = hive.state_hash().await;
    let mut broken = BODY.replace("bob", "bo*").into_bytes();
    let at = broken.iter().position(|&byte| byte == b'*').unwrap();
    for byte in [0x80, 0xc0, 0xff] {
        broken[at] = byte;
        hive.post_text(PATH, &[], broken.clone()).await.refused(400, "L3-0001", None);
    }
    assert_eq!(hive.state_hash().await, before);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let hive = Hive::new();
    for path in [
        "/",
        "/lab3",
        "/lab3/",
        "/lab3/nothing",
        "/lab3/financial/balance/",
        "/lab3/financial/balance",
        "/lab3/health/",
        "/lab3/docs/nothing",
    ] {
        hive.get(path).await.refused(404, "L3-0013", None);
    }
    for (method, path, allow) in [
        (Method::GET, PATH, "POST"),
        (Method::HEAD, PATH, "POST"),
        (Method::DELETE, PATH, "POST"),
        (Method::POST, "/lab3/financial/pool", "GET,HEAD"),
        (Method::PUT, "/lab3/financial/pool", "GET,HEAD"),
        (Method::PATCH, "/lab3/financial/balance/did:kaizen:alice", "GET,HEAD"),
    ] {
        let reply = hive.send(Request::builder().method(&method).uri(path).body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some(allow)), "{method} {path}");
        if method != Method::HEAD {
            reply.refused(405, "L3-0014", None);
        }
    }
}

#[tokio::test]
async fn head_and_options_behave() {
    let hive = Hive::new();
    let head = Request::head("/lab3/financial/pool").body(Body::empty()).unwrap();
    let reply = hive.send(head).await;
    assert_eq!((reply.status, reply.header("content-type"), reply.body.len()), (200, Some("application/json"), 0));
    for (path, allow) in [(PATH, "POST"), ("/lab3/financial/pool", "GET,HEAD")] {
        let options = Request::options(path).body(Body::empty()).unwrap();
        let reply = hive.send(options).await;
        assert_eq!((reply.status, reply.header("allow"), reply.body.len()), (204, Some(allow), 0), "{path}");
    }
}

#[tokio::test]
async fn a_closing_desk_says_so() {
    let hive = Hive::with_alice("100").await;
    hive.engine.stop();
    hive.post_text(PATH, &[], BODY).await.refused(503, "L3-0093", None);
    hive.get("/lab3/financial/pool").await.refused(503, "L3-0093", None);
    assert_eq!(hive.get("/lab3/health").await.ok()["status"], "ok");
    assert_eq!(hive.get("/metrics").await.status, 200);
}
