//! The cache: answers kept for the very same query. Off unless the operator gives it room. An answer is kept as its provider gave
//! it; who asks the same in the same words and the same dialect is given it again, at the price the operator set.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lab3_compute::Usage;
use lab3_providers::{Chunk, Dialect, Piece};
use sha2::{Digest, Sha256};

use super::ask::Inquiry;

/// Larger answers are not kept.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// What an entry takes beside its answer, about.
const ENTRY_BYTES: usize = 512;

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheSettings {
    /// Room for answers, in bytes; 0 keeps none.
    pub bytes_max: usize,
    /// How old an answer may become.
    pub keep: Duration,
}

/// The answers kept.
#[derive(Debug)]
pub(crate) struct Cache {
    settings: CacheSettings,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<CacheKey, Entry>,
    /// In the order they first came.
    order: VecDeque<CacheKey>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    answer: Answer,
    at: Instant,
}

/// What a query is known by: a hash of its words and of what was wanted with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey([u8; 32]);

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) provider: Box<str>,
    /// What its bytes are.
    pub(crate) dialect: Option<Dialect>,
    /// All of it.
    pub(crate) chunk: Chunk,
    /// What it had used.
    pub(crate) usage: Usage,
}

impl Answer {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.chunk.bytes.len() + self.chunk.pieces.iter().map(piece_bytes).sum::<usize>()
    }
}

fn piece_bytes(piece: &Piece) -> usize {
    let text = match piece {
        Piece::Text(text) | Piece::Thinking(text) | Piece::Refusal(text) | Piece::Signature(text) => text.len(),
        Piece::Arguments { json, .. } => json.len(),
        Piece::ToolCall { id, name, .. } => id.len() + name.len(),
        Piece::Start { id, model } => id.len() + model.len(),
        Piece::Finish(_) | Piece::Usage(_) => 0,
    };
    text + size_of::<Piece>()
}

impl Cache {
    pub(crate) fn new(settings: CacheSettings) -> Self {
        Self { settings, kept: Mutex::default() }
    }

    /// What the query is known by; `None` when nothing is kept, or the client wants nothing kept.
    pub(crate) fn key(&self, inquiry: &Inquiry) -> Option<CacheKey> {
        if self.settings.bytes_max == 0 || !inquiry.may_cache {
            return None;
        }
        let wanted = format!("{:?} {:?} {:?} {:?}\n", inquiry.dialect, inquiry.operation, inquiry.priority, inquiry.max_cost);
        Some(CacheKey(Sha256::new().chain_update(wanted).chain_update(&inquiry.body).finalize().into()))
    }

    /// The answer kept under a key.
    pub(crate) fn find(&self, key: CacheKey, now: Instant) -> Option<Answer> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = kept.answers.get(&key).filter(|entry| now.saturating_duration_since(entry.at) <= self.settings.keep)?;
        Some(entry.answer.clone())
    }

    /// Keeps an answer; the oldest make room for it.
    pub(crate) fn keep(&self, key: CacheKey, answer: Answer, now: Instant) {
        let bytes = answer.bytes();
        if bytes > self.settings.bytes_max.min(ANSWER_BYTES_MAX) {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += bytes;
        match kept.answers.insert(key, Entry { answer, at: now }) {
            Some(before) => kept.bytes -= before.answer.bytes(),
            None => kept.order.push_back(key),
        }
        while kept.bytes > self.settings.bytes_max {
            let Some(gone) = kept.order.pop_front().and_then(|oldest| kept.answers.remove(&oldest)) else { break };
            kept.bytes -= gone.answer.bytes();
        }
    }
}

/// An answer as it is gathered, to be kept.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) key: CacheKey,
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    is_too_long: bool,
}

impl Gathered {
    pub(crate) fn new(key: CacheKey) -> Self {
        Self { key, bytes: Vec::new(), pieces: Vec::new(), is_too_long: false }
    }

    pub(crate) fn add(&mut self, chunk: &Chunk) {
        if self.is_too_long || self.bytes.len() + chunk.bytes.len() > ANSWER_BYTES_MAX {
            *self = Self { is_too_long: true, ..Self::new(self.key) };
            return;
        }
        self.bytes.extend_from_slice(&chunk.bytes);
        self.pieces.extend(chunk.pieces.iter().cloned());
    }

    /// All of it, unless it was too long.
    pub(crate) fn whole(self) -> Option<Chunk> {
        (!self.is_too_long).then(|| Chunk { bytes: self.bytes.into(), pieces: self.pieces })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> CacheKey {
        CacheKey([n; 32])
    }

    fn answer(text: &str) -> Answer {
        let chunk = Chunk::own(vec![Piece::Text(text.to_owned())]);
        Answer { provider: "p".into(), dialect: None, chunk, usage: Usage::default() }
    }

    #[test]
    fn answers_are_kept_for_a_while() {
        let cache = Cache::new(CacheSettings { bytes_max: 1 << 20, keep: Duration::from_secs(10) });
        let now = Instant::now();
        cache.keep(key(1), answer("one"), now);
        let found = |after| cache.find(key(1), now + Duration::from_secs(after)).map(|answer| answer.chunk.pieces);
        assert_eq!(found(10), Some(vec![Piece::Text("one".to_owned())]));
        assert_eq!(found(11), None);
        assert!(cache.find(key(2), now).is_none());
    }

    #[test]
    fn the_oldest_make_room_and_what_is_too_large_is_not_kept() {
        let room = 3 * answer(&"x".repeat(1000)).bytes();
        let cache = Cache::new(CacheSettings { bytes_max: room, keep: Duration::from_secs(10) });
        let now = Instant::now();
        for n in 1..=5 {
            cache.keep(key(n), answer(&"x".repeat(1000)), now + Duration::from_millis(n.into()));
        }
        let there = |n| cache.find(key(n), now).is_some();
        assert_eq!([1, 2, 3, 4, 5].map(there), [false, false, true, true, true]);
        cache.keep(key(6), answer(&"x".repeat(room)), now);
        assert!(!there(6) && there(3));
        // The same again takes no more room.
        for n in 0..100 {
            cache.keep(key(5), answer(&"x".repeat(1000)), now + Duration::from_secs(1) + Duration::from_millis(n));
        }
        assert!(there(4) && there(5));
        let kept = cache.kept.lock().unwrap();
        assert!(kept.bytes <= room && kept.order.len() == 3, "{} {}", kept.bytes, kept.order.len());
    }

    #[test]
    fn a_long_answer_is_gathered_no_further() {
        let mut gathered = Gathered::new(key(1));
        let chunk = Chunk { bytes: vec![0; ANSWER_BYTES_MAX].into(), pieces: Vec::new() };
        gathered.add(&chunk);
        gathered.add(&Chunk { bytes: vec![0].into(), pieces: Vec::new() });
        gathered.add(&Chunk::default());
        assert!(gathered.whole().is_none());
    }
}
