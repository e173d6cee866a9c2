//! A provider that tells the key it was sent: in errors, headers, redirects and broken streams. Providers do, and more than they mean to.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::planted;

/// A way to tell a key: its name, the head of the answer, the body. `KEY`, `URL`, `HEX` and `B64` are the key.
pub type Way = (&'static str, &'static str, &'static str);

/// Every way.
pub const WAYS: &[Way] = &[
    (
        "bad-query",
        "400 Bad Request\r\nx-echo: KEY\r\ncontent-type: application/json",
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"key KEY may not do this, URL nor HEX nor B64","code":"KEY"}}"#,
    ),
    ("bad-key", "401 Unauthorized\r\nwww-authenticate: Bearer realm=KEY", r#"{"error":{"message":"Incorrect API key provided: KEY"}}"#),
    ("forbidden", "403 Forbidden\r\ncontent-type: application/json", r#"{"error":{"message":"Consumer api_key:KEY has been suspended"}}"#),
    ("page", "500 Internal Server Error KEY\r\ncontent-type: text/plain", "panic: authorization: Bearer KEY (URL, HEX, B64)"),
    ("detail", "422 Unprocessable\r\ncontent-type: application/json", r#"{"detail":"KEY","message":"KEY","error":"KEY"}"#),
    ("redirect", "302 Found\r\nlocation: http://127.0.0.1:1/?key=URL&again=KEY", ""),
    ("garbage", "200 OK\r\ncontent-type: text/event-stream", "data: KEY is no JSON\n\n"),
    (
        "stream-error",
        "200 OK\r\ncontent-type: text/event-stream",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"KEY\"}}\n\n",
    ),
    ("packed", "200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: KEY", "KEY"),
    ("cut", "200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 1000", "data: "),
    ("no-http", "KEY", "KEY"),
];

/// The provider; it runs until the process ends.
#[derive(Debug)]
pub struct Echo {
    address: String,
    keys: Arc<Mutex<BTreeSet<String>>>,
}

impl Echo {
    /// One that tells keys in this way.
    pub fn start(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let keys = Arc::<Mutex<BTreeSet<String>>>::default();
        let seen = keys.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Who asked may be gone.
                if let Some(key) = answer(stream, way) {
                    seen.lock().unwrap().insert(key);
                }
            }
        });
        Self { address, keys }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The keys it was sent.
    pub fn keys(&self) -> Vec<String> {
        self.keys.lock().unwrap().iter().cloned().collect()
    }
}

fn answer(stream: TcpStream, (_, head, body): Way) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut key, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&len| len > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => value.trim_start_matches("Bearer ").clone_into(&mut key),
            "x-api-key" | "x-goog-api-key" => value.clone_into(&mut key),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let (hex, url) = (planted::hexadecimal(key.as_bytes()), planted::escaped(key.as_bytes()));
    let quoted = serde_json::to_string(&key).ok()?;
    let fill = |text: &str, key: &str| {
        text.replace("KEY", key).replace("URL", &url).replace("HEX", &hex).replace("B64", &planted::base64(key.as_bytes(), 0))
    };
    let body = fill(body, if body.starts_with('{') || body.starts_with("event") { quoted.trim_matches('"') } else { &key });
    let told = format!("HTTP/1.1 {}\r\nconnection: close\r\n\r\n{body}", fill(head, &key));
    reader.into_inner().write_all(told.as_bytes()).ok()?;
    Some(key)
}
