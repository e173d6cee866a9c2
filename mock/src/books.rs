//! Books: what was asked of the mock and what it sent, for tests and benches to read.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use crate::dialect::Ask;
use crate::script::Script;

/// Requests remembered whole.
const LAST_MAX: usize = 64;

/// Largest body remembered.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Names and ids counted apart; further ones are only in the sums.
const KEYS_MAX: usize = 100_000;

/// What happened since the start, or since the last reset.
#[derive(Debug, Default)]
pub(crate) struct Books {
    sum: Tally,
    refused: AtomicU64,
    cut: AtomicU64,
    open: AtomicU64,
    open_max: AtomicU64,
    shelf: Mutex<Shelf>,
}

/// What is counted of requests, together and by id.
#[derive(Debug, Default)]
struct Tally {
    requests: AtomicU64,
    tokens_sent: AtomicU64,
    cancelled: AtomicU64,
}

#[derive(Debug, Default)]
struct Shelf {
    models: HashMap<String, u64>,
    ids: HashMap<String, Arc<Tally>>,
    last: VecDeque<Remembered>,
}

/// A request as it came.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

#[derive(Debug)]
struct Remembered {
    seen: Seen,
    model: String,
    stream: bool,
    limit: Option<u64>,
}

impl Books {
    /// Enters a request, and says how many there were before it under its id, or its name if it has none.
    pub(crate) fn enter(self: &Arc<Self>, seen: Seen, ask: &Ask, script: &Script) -> (Arc<Visit>, u64) {
        self.sum.requests.fetch_add(1, SeqCst);
        let mut shelf = self.shelf();
        let before = count(&mut shelf.models, &ask.model);
        let tally = script.id.as_ref().and_then(|id| shelf.tally(id));
        let turn = tally.as_ref().map_or(before, |tally| tally.requests.fetch_add(1, SeqCst));
        shelf.remember(seen, ask);
        drop(shelf);
        let open = self.open.fetch_add(1, SeqCst) + 1;
        self.open_max.fetch_max(open, SeqCst);
        (Arc::new(Visit { books: self.clone(), tally, progress: Mutex::default() }), turn)
    }

    /// Enters a request that was answered with an error.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, SeqCst);
    }

    /// Enters a request that could not be read.
    pub(crate) fn unread(&self) {
        self.sum.requests.fetch_add(1, SeqCst);
        self.refused();
    }

    pub(crate) fn told(&self) -> Value {
        // First: whoever is no longer open has written everything that is read below.
        let open = self.open.load(SeqCst);
        let shelf = self.shelf();
        let ids = shelf.ids.iter().map(|(id, tally)| (id.clone(), tally.told().into())).collect::<Map<_, _>>();
        let last = shelf.last.iter().map(Remembered::told).collect::<Vec<_>>();
        let mut told = self.sum.told();
        let more = json!({
            "refused": self.refused.load(SeqCst),
            "cut": self.cut.load(SeqCst),
            "open": open,
            "open_max": self.open_max.load(SeqCst),
            "models": shelf.models,
            "ids": ids,
            "last": last,
        });
        told.extend(more.as_object().cloned().unwrap_or_default());
        told.into()
    }

    /// What is kept under an id; null when nothing is.
    pub(crate) fn told_of(&self, id: &str) -> Value {
        self.shelf().ids.get(id).map_or(Value::Null, |tally| tally.told().into())
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one more, and says how many there were.
fn count(counts: &mut HashMap<String, u64>, key: &str) -> u64 {
    if let Some(count) = counts.get_mut(key) {
        *count += 1;
        return *count - 1;
    }
    if counts.len() < KEYS_MAX {
        counts.insert(key.to_owned(), 1);
    }
    0
}

impl Shelf {
    fn tally(&mut self, id: &str) -> Option<Arc<Tally>> {
        if !self.ids.contains_key(id) && self.ids.len() < KEYS_MAX {
            self.ids.insert(id.to_owned(), Arc::default());
        }
        self.ids.get(id).cloned()
    }

    fn remember(&mut self, seen: Seen, ask: &Ask) {
        if self.last.len() == LAST_MAX {
            self.last.pop_front();
        }
        let Ask { model, stream, limit, .. } = ask;
        self.last.push_back(Remembered { seen, model: model.clone(), stream: *stream, limit: *limit });
    }
}

impl Tally {
    fn told(&self) -> Map<String, Value> {
        let pairs = [("requests", &self.requests), ("tokens_sent", &self.tokens_sent), ("cancelled", &self.cancelled)];
        pairs.into_iter().map(|(name, count)| (name.to_owned(), count.load(SeqCst).into())).collect()
    }
}

impl Remembered {
    fn told(&self) -> Value {
        let mut headers = Map::new();
        for (name, value) in &self.seen.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            match headers.get_mut(name.as_str()) {
                Some(Value::String(before)) => *before = format!("{before}, {value}"),
                _ => drop(headers.insert(name.to_string(), value.into())),
            }
        }
        let body = Some(&self.seen.body).filter(|body| body.len() <= BODY_BYTES_MAX);
        let body = body.and_then(|body| serde_json::from_slice::<Value>(body).ok());
        json!({
            "path": self.seen.path,
            "model": self.model,
            "stream": self.stream,
            "limit": self.limit,
            "headers": headers,
            "body": body,
        })
    }
}

/// A request under way. It ends when nobody holds it any more.
#[derive(Debug)]
pub(crate) struct Visit {
    books: Arc<Books>,
    tally: Option<Arc<Tally>>,
    progress: Mutex<Progress>,
}

/// How far the answer is.
#[derive(Debug, Default)]
struct Progress {
    /// Bytes of the body on the wire that were handed to the connection.
    handed: u64,
    /// Pieces that have not left it altogether.
    pieces: VecDeque<Piece>,
    state: State,
}

/// A piece of the body on its way.
#[derive(Debug)]
struct Piece {
    /// Where it begins and ends in the body on the wire.
    start: u64,
    end: u64,
    tokens: u64,
    /// Of these, tokens counted as sent.
    sent: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Complete,
    Cut,
}

impl Visit {
    /// A piece of so many bytes on the wire, with so many tokens, is handed to the connection.
    pub(crate) fn hand(&self, bytes: u64, tokens: u64) {
        let mut progress = self.progress();
        let start = progress.handed;
        progress.handed += bytes;
        let end = progress.handed;
        progress.pieces.push_back(Piece { start, end, tokens, sent: 0 });
    }

    /// All of the answer is handed to the connection.
    pub(crate) fn complete(&self) {
        self.progress().state = State::Complete;
    }

    /// The mock breaks it off.
    pub(crate) fn cut(&self) {
        self.progress().state = State::Cut;
    }

    /// So many bytes of the body have left. `true` when there will be no more.
    pub(crate) fn left(&self, bytes: u64) -> bool {
        let mut progress = self.progress();
        let tokens = progress.left(bytes);
        for tally in self.tallies() {
            tally.tokens_sent.fetch_add(tokens, SeqCst);
        }
        progress.is_over()
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tallies(&self) -> impl Iterator<Item = &Tally> {
        std::iter::once(&self.books.sum).chain(self.tally.as_deref())
    }
}

impl Progress {
    /// How many more tokens are sent now that so many bytes have left. Of a piece that left in part, a part.
    fn left(&mut self, bytes: u64) -> u64 {
        let mut tokens = 0;
        while let Some(piece) = self.pieces.front_mut() {
            if piece.end > bytes {
                let part = u128::from(piece.tokens) * u128::from(bytes.saturating_sub(piece.start)) / u128::from(piece.end - piece.start);
                let part = u64::try_from(part).unwrap_or(piece.tokens);
                return tokens + part - std::mem::replace(&mut piece.sent, part);
            }
            tokens += piece.tokens - piece.sent;
            self.pieces.pop_front();
        }
        tokens
    }

    fn is_over(&self) -> bool {
        self.state == State::Complete && self.pieces.is_empty()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let progress = self.progress();
        if progress.state == State::Cut {
            self.books.cut.fetch_add(1, SeqCst);
        } else if !progress.is_over() {
            for tally in self.tallies() {
                tally.cancelled.fetch_add(1, SeqCst);
            }
        }
        // Last: whoever waits until nobody is open finds the rest written.
        self.books.open.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_counts_as_it_leaves() {
        let books = Arc::new(Books::default());
        let seen = Seen { path: String::new(), headers: HeaderMap::new(), body: Bytes::new() };
        let (visit, turn) = books.enter(seen, &Ask::default(), &Script::default());
        visit.hand(100, 10);
        visit.hand(10, 0);
        visit.hand(4, 2);
        let sent = |bytes| (visit.left(bytes), books.told()["tokens_sent"].as_u64().unwrap());
        let expected = [(0, 0), (9, 0), (10, 1), (59, 5), (100, 10), (111, 10), (112, 11), (114, 12)];
        for (bytes, tokens) in expected {
            assert_eq!(sent(bytes), (false, tokens), "{bytes}");
        }
        visit.complete();
        assert_eq!((turn, visit.left(114)), (0, true));
        drop(visit);
        assert_eq!((&books.told()["cancelled"], &books.told()["open"]), (&json!(0), &json!(0)));
    }
}
