//! A Hive's log over HTTP, as an auditor asks for it.

use std::time::{Duration, Instant};

use lab3_audit::{Source, Unserved};
use lab3_tlog::{Checkpoint, Note, Tile, TileKind};
use ureq::Agent;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Most that is read of one answer: a tile of records, each of which may be as large as a request.
const ANSWER_BYTES_MAX: u64 = 512 << 20;

/// A Hive over HTTP.
pub(super) struct Desk {
    agent: Agent,
    base: String,
    key: Option<String>,
    patience: Duration,
}

impl Desk {
    /// The Hive at that URL, asked with that key, if there is one. `patience` is the longest wait until witnesses have seen what it shows.
    pub(super) fn at(url: &str, key: Option<String>, patience: Duration) -> Self {
        let agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).build().new_agent();
        Self { agent, base: url.trim_end_matches('/').to_owned(), key, patience }
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, Unserved> {
        let url = format!("{}/lab3/log/{path}", self.base);
        let unserved = |why: String| Unserved(format!("{url}: {why}"));
        let mut request = self.agent.get(&url);
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let mut answer = request.call().map_err(|error| unserved(error.to_string()))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(|error| unserved(error.to_string()))?;
        match status {
            200 => Ok(body),
            401 | 403 => {
                Err(unserved("records are shown to members and auditors: set LAB3_KEY to a key with the scope journal".to_owned()))
            }
            _ => Err(unserved(format!("it answered {status}: {}", String::from_utf8_lossy(&body).chars().take(200).collect::<String>()))),
        }
    }

    fn tile(&self, kind: TileKind, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        let tile = Tile::new(kind, index, width).ok_or_else(|| Unserved(format!("there can be no tile {index} of {width}")))?;
        self.get(&tile.to_string())
    }
}

impl Source for Desk {
    fn checkpoint(&mut self) -> Result<Vec<u8>, Unserved> {
        self.get("checkpoint")
    }

    fn witnessed(&mut self, size: u64) -> Result<Vec<u8>, Unserved> {
        let until = Instant::now() + self.patience;
        loop {
            let served = self.get("witnessed");
            let reaches = |bytes: &Vec<u8>| {
                let note = Note::parse(bytes).ok();
                note.and_then(|note| Checkpoint::parse(note.text()).ok()).is_some_and(|checkpoint| checkpoint.size >= size)
            };
            if served.as_ref().is_ok_and(reaches) || Instant::now() >= until {
                return served;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn key(&mut self) -> Result<String, Unserved> {
        self.get("key").map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    fn data_tile(&mut self, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        Desk::tile(self, TileKind::Data, index, width)
    }

    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        Desk::tile(self, TileKind::Hashes { level }, index, width)
    }
}
