//! A desk for tests: a plain TCP listener that answers as a closure says and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use crate::client::Client;
use crate::config::Secret;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `POST /lab3/... HTTP/1.1`
    pub line: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What the desk does with a request.
pub enum Answer {
    /// Status, further headers, body.
    Reply(u16, &'static str, String),
    /// Closes the connection without a word.
    HangUp,
}

impl Asked {
    /// The header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// Opens a desk that answers the n-th request as `answer(n, request)` says, and a client of it that does not pause.
pub fn desk(mut answer: impl FnMut(usize, &Asked) -> Answer + Send + 'static) -> (Client, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let request = read(&stream);
            let answer = answer(count, &request);
            let _ = tell.send(request);
            if let Answer::Reply(status, headers, body) = answer {
                let length = body.len();
                let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}");
            }
        }
    });
    (Client::new(&url, Secret::new("a-token-of-sixteen")).unwrap().pausing_with(|_| ()), asked)
}

/// A desk that gives every request the same reply.
pub fn desk_replying(status: u16, body: &str) -> (Client, Receiver<Asked>) {
    let body = body.to_owned();
    desk(move |_, _| Answer::Reply(status, "", body.clone()))
}

fn read(stream: &TcpStream) -> Asked {
    let mut lines = BufReader::new(stream);
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let line = next();
    let headers: Vec<(String, String)> = std::iter::from_fn(|| Some(next()).filter(|line| !line.is_empty()))
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect();
    let mut asked = Asked { line, headers, body: String::new() };
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    lines.read_exact(&mut body).unwrap();
    asked.body = String::from_utf8(body).unwrap();
    asked
}
