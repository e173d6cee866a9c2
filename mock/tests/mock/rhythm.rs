//! When things are said, and in what pieces. Machines may be slower than a script says, never quicker.

use std::io::Read as _;
use std::time::{Duration, Instant};

use lab3_mock::{Mock, Settings};

use crate::client::{get, send};
use crate::dialects::{ALL, Chat, OllamaChat};

#[test]
fn waits_are_kept() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        for stream in [true, false] {
            let start = Instant::now();
            let reply = dialect.ask(&mock, "m;tokens=6;first_ms=30;gap_ms=10", stream, 99);
            assert!(start.elapsed() >= Duration::from_millis(80), "{dialect:?} {stream} {:?}", start.elapsed());
            assert_eq!(dialect.read(&reply, stream).text, "tok ".repeat(6));
        }
    }
}

#[test]
fn the_first_token_does_not_wait_for_the_second() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        let script = "m;tokens=2;gap_ms=60000";
        let mut socket = send(&mock, "POST", &dialect.path(script, true), "", &dialect.body(script, true, 9).to_string());
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains("tok ") {
            let mut bytes = [0; 4096];
            let count = socket.read(&mut bytes).unwrap();
            assert!(count > 0, "{dialect:?}");
            seen.extend_from_slice(&bytes[..count]);
        }
    }
}

#[test]
fn gaps_do_not_add_up_to_more() {
    let mock = Mock::start().unwrap();
    let best = (0..5).map(|_| {
        let start = Instant::now();
        Chat.ask(&mock, "m;tokens=101;gap_ms=2", true, 999);
        start.elapsed()
    });
    let best = best.min().unwrap();
    // Waits one after another would each be a millisecond longer.
    assert!(best >= Duration::from_millis(200) && best < Duration::from_millis(290), "{best:?}");
}

#[test]
fn pieces_are_as_small_as_told() {
    let mock = Mock::start().unwrap();
    let script = "m;tokens=2;split=7";
    let mut socket = send(&mock, "POST", "/v1/chat/completions", "", &Chat.body(script, true, 9).to_string());
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    // Every chunk's head is its size in hexadecimal digits.
    assert!(body.starts_with("7\r\ndata: {\r\n7\r\n"), "{body}");
    let reply = OllamaChat.ask(&mock, script, false, 9);
    assert!(reply.is_whole && OllamaChat.read(&reply, false).text == "tok tok ");
}

#[test]
fn a_script_may_stand_beneath_all() {
    let settings = Settings { script: "tokens=2;text=a".to_owned(), ..Settings::default() };
    let mock = Mock::start_with(&settings).unwrap();
    assert_eq!(Chat.read(&Chat.ask(&mock, "gpt-4o", true, 9), true).text, "aa");
    assert_eq!(Chat.read(&Chat.ask(&mock, "gpt-4o;tokens=3", true, 9), true).text, "aaa");
    let refused = Mock::start_with(&Settings { script: "tokns=2".to_owned(), ..Settings::default() });
    assert!(refused.unwrap_err().to_string().contains("tokns"));
}

#[test]
fn a_mock_ends_when_it_is_dropped() {
    let mock = Mock::start().unwrap();
    let address = mock.address();
    assert_eq!(get(&mock, "/mock/stats", "").status, 200);
    let mut open = send(&mock, "POST", "/v1/chat/completions", "", &Chat.body("m;hang_after=1", true, 9).to_string());
    drop(mock);
    let _ = open.read_to_end(&mut Vec::new());
    assert!(std::net::TcpStream::connect(address).is_err());
}
