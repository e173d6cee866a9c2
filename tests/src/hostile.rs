//! Hostile senders: `slowhttptest` from Debian, wrong keys, connections without end. And what a process's memory comes to meanwhile.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use crate::binary::text;

/// A way to be slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slow {
    /// Heads that come line by line.
    Heads,
    /// Bodies that come byte by byte.
    Bodies,
    /// Answers that are hardly taken.
    Readers,
}

impl Slow {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Heads, Self::Bodies, Self::Readers];

    fn arguments(self, url: &str) -> Vec<String> {
        let (flags, path) = match self {
            Self::Heads => ("-H -i 1 -x 8", "/lab3/health"),
            Self::Bodies => ("-B -i 1 -x 8 -s 60000 -t POST -f application/json", "/lab3/intents"),
            Self::Readers => ("-X -n 1 -z 4 -w 16 -y 64 -k 8", "/lab3/openapi.json"),
        };
        let flags = flags.split(' ').map(str::to_owned);
        flags.chain(["-u".to_owned(), format!("{url}{path}")]).collect()
    }
}

/// Why slowhttptest cannot be had here, if so.
pub fn missing() -> Option<&'static str> {
    let found = Command::new("slowhttptest").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_err().then_some("there is no slowhttptest; `make tools` installs it on Debian")
}

/// An attack under way.
pub struct Attack(Child);

/// What became of an attack's connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Became {
    /// Still open at the end.
    pub connected: u64,
    /// Closed by the desk.
    pub closed: u64,
}

impl Attack {
    /// Begins one with so many connections, for so many seconds or until none is open any more.
    pub fn begin(slow: Slow, url: &str, connections: u64, seconds: u64) -> Self {
        let mut command = Command::new("slowhttptest");
        command.args(["-c", &connections.to_string(), "-r", &connections.to_string(), "-l", &seconds.to_string()]);
        Self(command.args(slow.arguments(url)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Waits for its end; what became of its connections, as it says last.
    pub fn end(self) -> Became {
        let Output { stdout, .. } = self.0.wait_with_output().unwrap();
        let said = plain(&text(&stdout));
        let last = |name: &str| {
            let mut lines = said.lines().rev().filter_map(|line| line.trim().strip_prefix(name));
            lines.next().and_then(|rest| rest.trim().parse().ok()).unwrap_or_else(|| panic!("slowhttptest said:\n{said}"))
        };
        // It ends before its time when nobody is left, and then counts no more.
        let all_left = said.lines().any(|line| line.contains("Exit status:") && line.contains("No open connections left"));
        let (connected, closed) = (last("connected:"), last("closed:"));
        if all_left { Became { connected: 0, closed: connected + closed } } else { Became { connected, closed } }
    }
}

/// A text without its colours.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.find(|end: char| end.is_ascii_alphabetic()).map_or("", |at| &part[at + 1..]))
}

/// What stops a flood.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Stops it.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was.
    pub fn is_now(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sends this request over and over, on connections that are kept, until told to stop; how many answers of each status there were: 401,
/// 429, others.
pub fn flood<'scope>(
    scope: &'scope Scope<'scope, '_>,
    address: &'scope str,
    request: &'scope str,
    stop: &'scope Stop,
) -> ScopedJoinHandle<'scope, [u64; 3]> {
    scope.spawn(move || {
        let mut counts = [0; 3];
        while !stop.is_now() {
            let Ok(mut stream) = TcpStream::connect(address) else { continue };
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let mut piece = vec![0; 16 << 10];
            while !stop.is_now() && stream.write_all(request.as_bytes()).is_ok() {
                let Ok(len) = stream.read(&mut piece) else { break };
                let at = match piece[..len].get(9..12) {
                    Some(b"401") => 0,
                    Some(b"429") => 1,
                    Some(_) => 2,
                    None => break,
                };
                counts[at] += 1;
            }
        }
        counts
    })
}

/// Opens connections that say nothing, as many as are let in, and again when they are closed, until told to stop; counts those it opened.
pub fn crowd<'scope>(scope: &'scope Scope<'scope, '_>, address: &'scope str, most: usize, opened: &'scope AtomicU64, stop: &'scope Stop) {
    scope.spawn(move || {
        let mut open = Vec::new();
        while !stop.is_now() {
            if open.len() >= most {
                open.retain(is_open);
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
            if let Ok(stream) = TcpStream::connect(address) {
                stream.set_nonblocking(true).unwrap();
                open.push(stream);
                opened.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
}

fn is_open(stream: &TcpStream) -> bool {
    let mut byte = [0];
    matches!(stream.peek(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// How many sockets a process has open. One that it closed while the other end had not taken all is open no more, though the other end cannot tell.
pub fn sockets(pid: u32) -> u64 {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let is_socket = |file: &std::fs::DirEntry| std::fs::read_link(file.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"));
    files.filter(|file| file.as_ref().is_ok_and(is_socket)).count() as u64
}

/// Memory of a process that is in use, and the most that ever was, in bytes.
pub fn resident(pid: u32) -> [u64; 2] {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    ["VmRSS:", "VmHWM:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out() {
        assert_eq!(plain("\u{1b}[1;32mclosed:      \u{1b}[0m12\n"), "closed:      12\n");
    }
}
