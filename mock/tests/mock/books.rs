//! The books: what was asked, what was sent, who went away.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use lab3_mock::{Mock, Settings};
use serde_json::{Value, json};

use crate::client::{get, post, reply, send, wait};
use crate::dialects::{ALL, Chat, OllamaChat};

/// Asks, and goes away when so many tokens have been read.
fn leave(mock: &Mock, script: &str, tokens: usize) {
    let mut stream = send(mock, "POST", "/v1/chat/completions", "", &Chat.body(script, true, 1_000_000).to_string());
    let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
    while String::from_utf8_lossy(&seen).matches("\"tok \"").count() < tokens {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0);
        seen.extend_from_slice(&bytes[..count]);
    }
}

#[test]
fn who_goes_in_mid_stream_is_counted_with_what_was_sent() {
    let mock = Mock::start().unwrap();
    leave(&mock, "m;tokens=1000;gap_ms=5;id=gone", 3);
    let stats = wait(&mock, |stats| stats["open"] == 0);
    assert_eq!((&stats["cancelled"], &stats["ids"]["gone"]["cancelled"]), (&json!(1), &json!(1)), "{stats}");
    let sent = stats["tokens_sent"].as_u64().unwrap();
    assert!((3..30).contains(&sent), "{sent} were sent to who read three");
    assert_eq!(stats["ids"]["gone"]["tokens_sent"], sent);
}

#[test]
fn who_goes_before_the_first_byte_is_counted() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        for (script, stream) in [("m;first_ms=60000", true), ("m;first_ms=60000", false), ("m;gap_ms=60000", false)] {
            mock.reset();
            let socket = send(&mock, "POST", &dialect.path(script, stream), "", &dialect.body(script, stream, 9).to_string());
            wait(&mock, |stats| stats["open"] == 1);
            drop(socket);
            let stats = wait(&mock, |stats| stats["open"] == 0);
            assert_eq!((&stats["cancelled"], &stats["tokens_sent"]), (&json!(1), &json!(0)), "{dialect:?} {script}");
        }
    }
}

#[test]
fn what_nobody_reads_is_not_sent() {
    for (script, stream) in [("m;tokens=500000", true), ("m;tokens=500000;split=1000", true), ("m;tokens=5000000", false)] {
        let mock = Mock::start_with(&small()).unwrap();
        // Many megabytes, of which the system keeps some.
        let mut socket = send(&mock, "POST", "/v1/chat/completions", "", &Chat.body(script, stream, 10_000_000).to_string());
        settle(&mock);
        // With the mock goes what it had not sent; what it had is still there to read.
        let stats = mock.stop();
        let sent = stats["tokens_sent"].as_u64().unwrap();
        assert!(sent > 0 && stats["cancelled"] == 1 && stats["open"] == 0, "{stats}");
        let mut bytes = Vec::new();
        let _ = socket.read_to_end(&mut bytes);
        let body = reply(&bytes).unwrap().body;
        let read = body.windows(4).filter(|window| window == b"tok ").count() as u64;
        // An answer in one piece has other text before its tokens.
        let tolerance = if stream { 2 } else { 100 };
        assert!(sent.abs_diff(read) <= tolerance, "{script}: {sent} sent, {read} read");
    }
}

#[test]
fn the_system_keeps_no_more_than_it_may() {
    let kept = |settings: &Settings| {
        let mock = Mock::start_with(settings).unwrap();
        let _socket = send(&mock, "POST", "/v1/chat/completions", "", &Chat.body("m;tokens=500000", true, 1_000_000).to_string());
        settle(&mock);
        mock.stop()["tokens_sent"].as_u64().unwrap()
    };
    let (small, usual) = (kept(&small()), kept(&Settings::default()));
    assert!(small * 2 < usual, "{small} {usual}");
}

fn small() -> Settings {
    Settings { send_buffer_bytes: Some(16 << 10), ..Settings::default() }
}

/// Waits until tokens are sent, and then no more for a while.
fn settle(mock: &Mock) {
    let (mut last, mut same) = (0, 0);
    while same < 10 {
        let sent = mock.stats()["tokens_sent"].as_u64().unwrap();
        same = if sent == last && sent > 0 { same + 1 } else { 0 };
        last = sent;
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn what_ends_as_it_should_is_not_cancelled() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        for stream in [true, false] {
            dialect.ask(&mock, "m;tokens=7;id=a", stream, 99);
            dialect.ask(&mock, "m;fail=500;id=a", stream, 99);
        }
    }
    let stats = wait(&mock, |stats| stats["open"] == 0);
    assert_eq!((&stats["cancelled"], &stats["cut"], &stats["refused"]), (&json!(0), &json!(0), &json!(12)));
    assert_eq!(stats["ids"]["a"], json!({ "requests": 24, "tokens_sent": 84, "cancelled": 0 }));
    assert_eq!(get(&mock, "/mock/stats/a", "").json(), stats["ids"]["a"]);
    assert_eq!(get(&mock, "/mock/stats/b", "").json(), Value::Null);
    assert_eq!(stats["models"], json!({ "m;tokens=7;id=a": 12, "m;fail=500;id=a": 12 }));
}

#[test]
fn a_connection_serves_many() {
    let mock = Mock::start().unwrap();
    let mut stream = TcpStream::connect(mock.address()).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let body = OllamaChat.body("m;tokens=2", false, 9).to_string();
    for _ in 0..3 {
        write!(stream, "POST /api/chat HTTP/1.1\r\nhost: m\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"}") {
            let mut bytes = [0; 1024];
            let count = stream.read(&mut bytes).unwrap();
            seen.extend_from_slice(&bytes[..count]);
        }
    }
    let stats = wait(&mock, |stats| stats["tokens_sent"] == 6 && stats["open"] == 0);
    assert_eq!((&stats["requests"], &stats["cancelled"], &stats["open_max"]), (&json!(3), &json!(0), &json!(1)));
}

#[test]
fn the_open_ones_are_counted() {
    let mock = Mock::start().unwrap();
    let sockets = [0; 5].map(|_| send(&mock, "POST", "/v1/chat/completions", "", &Chat.body("m;hang_after=1", true, 9).to_string()));
    wait(&mock, |stats| stats["open"] == 5);
    drop(sockets);
    let stats = wait(&mock, |stats| stats["open"] == 0);
    assert_eq!((&stats["open_max"], &stats["cancelled"], &stats["tokens_sent"]), (&json!(5), &json!(5), &json!(5)));
}

#[test]
fn the_last_requests_are_told() {
    let mock = Mock::start().unwrap();
    let body = Chat.body("m;tokens=1", true, 9).to_string();
    let headers = "Authorization: Bearer secret\r\nX-Twice: a\r\nX-Twice: b\r\n";
    let mut socket = send(&mock, "POST", "/v1/chat/completions", headers, &body);
    socket.read_to_end(&mut Vec::new()).unwrap();
    OllamaChat.ask(&mock, "m;tokens=1", false, 8);
    let stats = get(&mock, "/mock/stats", "").json();
    let [first, second] = stats["last"].as_array().unwrap().as_slice() else { panic!("{stats}") };
    assert_eq!(first["path"], "/v1/chat/completions");
    assert_eq!((&first["model"], &first["stream"], &first["limit"]), (&json!("m;tokens=1"), &json!(true), &json!(9)));
    assert_eq!((&first["headers"]["authorization"], &first["headers"]["x-twice"]), (&json!("Bearer secret"), &json!("a, b")));
    assert_eq!(first["body"], serde_json::from_str::<Value>(&body).unwrap());
    assert_eq!((&second["path"], &second["stream"], &second["limit"]), (&json!("/api/chat"), &json!(false), &json!(8)));
    for number in 0..100 {
        OllamaChat.ask(&mock, &format!("m;tokens=1;id={number}"), false, 8);
    }
    let last = mock.stats()["last"].as_array().unwrap().iter().map(|seen| seen["model"].clone()).collect::<Vec<_>>();
    assert_eq!((last.len(), &last[63]), (64, &json!("m;tokens=1;id=99")));
}

#[test]
fn a_reset_forgets() {
    let mock = Mock::start().unwrap();
    let socket = send(&mock, "POST", "/v1/chat/completions", "", &Chat.body("m;hang_after=1", true, 9).to_string());
    wait(&mock, |stats| stats["tokens_sent"] == 1);
    assert_eq!(post(&mock, "/mock/reset", &json!({})).status, 204);
    let empty = json!({
        "requests": 0, "refused": 0, "tokens_sent": 0, "cancelled": 0, "cut": 0, "open": 0, "open_max": 0, "models": {}, "ids": {}, "last": []
    });
    assert_eq!(mock.stats(), empty);
    drop(socket);
    Chat.ask(&mock, "m", false, 9);
    let stats = wait(&mock, |stats| stats["open"] == 0);
    assert_eq!((&stats["requests"], &stats["cancelled"]), (&json!(1), &json!(0)));
}
