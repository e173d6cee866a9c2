//! A client of the plainest kind: a socket, so that a test sees every byte and every close.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use lab3_mock::Mock;
use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// Whether the body came to the end its head or its chunks tell.
    pub is_whole: bool,
}

/// Sends a request and leaves the reply to be read.
pub fn send(mock: &Mock, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(mock.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    stream
}

pub fn post(mock: &Mock, path: &str, body: &Value) -> Reply {
    read(send(mock, "POST", path, "", &body.to_string()))
}

pub fn get(mock: &Mock, path: &str, headers: &str) -> Reply {
    read(send(mock, "GET", path, headers, ""))
}

/// Reads until the other side closes.
fn read(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    reply(&bytes).unwrap_or_else(|| panic!("no reply in {:?}", String::from_utf8_lossy(&bytes)))
}

pub fn reply(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?.to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let rest = &bytes[end + 4..];
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map(|length| length.parse::<usize>().unwrap());
    let (body, is_whole) = match length {
        Some(length) => (rest.to_vec(), rest.len() == length),
        None => unchunked(rest),
    };
    Some(Reply { status, head, body, is_whole })
}

/// The body in chunks, and whether the last one is there.
fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        let chunk = &rest[end + 2..];
        if size == 0 {
            return (body, true);
        }
        if chunk.len() < size + 2 {
            body.extend_from_slice(&chunk[..size.min(chunk.len())]);
            break;
        }
        body.extend_from_slice(&chunk[..size]);
        rest = &chunk[size + 2..];
    }
    (body, false)
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The objects of the stream, in its order: of server-sent events, of lines or of one array. Comments and [DONE] are left out.
    pub fn events(&self) -> Vec<Value> {
        let text = self.text();
        if text.starts_with('[') {
            return self.json().as_array().unwrap().clone();
        }
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with(':') && *line != "data: [DONE]");
        let lines = lines.filter(|line| !line.starts_with("event: "));
        lines.map(|line| serde_json::from_str(line.strip_prefix("data: ").unwrap_or(line)).unwrap()).collect()
    }
}

/// Waits until the books say so, for some seconds.
pub fn wait(mock: &Mock, what: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let stats = mock.stats();
        if what(&stats) {
            return stats;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{stats}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
