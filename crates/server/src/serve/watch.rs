//! Watching a connection's other end: who says nothing, sends a head byte by byte, or takes next to nothing of an answer is left. Looked
//! at every few seconds, by one timer a connection and not one a request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// How often is looked.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long a request's head may take, and how long somebody may wait with his first.
const HEAD: Duration = Duration::from_secs(10);

/// How long a connection may be kept open between two requests.
const IDLE: Duration = Duration::from_mins(1);

/// How long somebody may take for so much of an answer that waits for him: 1 KB a second.
const TAKE: Duration = Duration::from_mins(2);
const TAKE_BYTES: u64 = 120 << 10;

/// What a connection gives to see of itself.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// Bytes that came, and bytes that left.
    read: AtomicU64,
    written: AtomicU64,
    /// What had come when the last answer was there.
    read_at_rest: AtomicU64,
    /// Heads of requests that were whole.
    heads: AtomicU64,
    /// A request is under way: the next move is ours, or its handler looks after it.
    is_ours: AtomicBool,
    /// Bytes of an answer wait until the other end takes some.
    is_blocked: AtomicBool,
}

impl Signs {
    /// So many bytes came.
    pub(super) fn read(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Relaxed);
    }

    /// So many bytes left, or none could.
    pub(super) fn wrote(&self, bytes: Option<usize>) {
        self.written.fetch_add(bytes.unwrap_or(0) as u64, Relaxed);
        self.is_blocked.store(bytes.is_none(), Relaxed);
    }

    /// A request's head is whole.
    pub(super) fn begin(&self) {
        self.heads.fetch_add(1, Relaxed);
        self.is_ours.store(true, Relaxed);
    }

    /// All of its answer is there; perhaps not all has left.
    pub(super) fn rest(&self) {
        self.read_at_rest.store(self.read.load(Relaxed), Relaxed);
        self.is_ours.store(false, Relaxed);
    }

    fn state(&self) -> State {
        let heads = self.heads.load(Relaxed);
        if self.is_blocked.load(Relaxed) {
            State::Taking
        } else if self.is_ours.load(Relaxed) {
            State::Ours
        } else if heads > 0 && self.read.load(Relaxed) == self.read_at_rest.load(Relaxed) {
            State::Idle(heads)
        } else {
            State::Head(heads)
        }
    }
}

/// What is waited for, at a connection that has brought so many heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head(u64),
    Ours,
    Taking,
    Idle(u64),
}

/// What was seen of a connection.
#[derive(Debug)]
pub(super) struct Watch {
    state: State,
    since: Instant,
    /// What had left then.
    written: u64,
}

impl Watch {
    pub(super) fn new(now: Instant) -> Self {
        Self { state: State::Head(0), since: now, written: 0 }
    }

    /// Looks at the connection; whether it is to be left.
    pub(super) fn look(&mut self, signs: &Signs, now: Instant) -> bool {
        let (state, written) = (signs.state(), signs.written.load(Relaxed));
        let takes = state == State::Taking && written >= self.written.saturating_add(TAKE_BYTES);
        if state != self.state || takes {
            *self = Self { state, since: now, written };
            return false;
        }
        let patience = match state {
            State::Head(_) => HEAD,
            State::Ours => return false,
            State::Taking => TAKE,
            State::Idle(_) => IDLE,
        };
        now.duration_since(self.since) >= patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When a connection is left that between any two looks does that, in seconds.
    fn left_after(mut between: impl FnMut(&Signs)) -> Option<u64> {
        let (signs, began) = (Signs::default(), Instant::now());
        let mut watch = Watch::new(began);
        (1..200).map(|look| LOOK_EVERY * look).find_map(|passed| {
            between(&signs);
            watch.look(&signs, began + passed).then_some(passed.as_secs())
        })
    }

    fn answer(signs: &Signs) {
        signs.read(100);
        signs.begin();
        signs.wrote(Some(100));
        signs.rest();
    }

    #[test]
    fn who_does_not_come_to_a_head_is_left() {
        assert_eq!(left_after(|_| {}), Some(10));
        assert_eq!(left_after(|signs| signs.read(1)), Some(10));
        // After a request, too.
        let mut first = true;
        let slow_second = |signs: &Signs| if std::mem::take(&mut first) { answer(signs) } else { signs.read(1) };
        assert_eq!(left_after(slow_second), Some(20));
    }

    #[test]
    fn who_asks_is_not_left_until_he_is_silent() {
        assert_eq!(left_after(answer), None);
        let mut first = true;
        assert_eq!(
            left_after(|signs| if std::mem::take(&mut first) {
                answer(signs);
            }),
            Some(65)
        );
    }

    #[test]
    fn who_waits_for_us_is_not_left() {
        let mut first = true;
        let long = |signs: &Signs| if std::mem::take(&mut first) { signs.begin() } else { signs.wrote(Some(1)) };
        assert_eq!(left_after(long), None);
    }

    #[test]
    fn who_takes_next_to_nothing_is_left() {
        let taking = |bytes: usize| {
            move |signs: &Signs| {
                signs.begin();
                signs.wrote(Some(bytes));
                signs.wrote(None);
            }
        };
        assert_eq!(left_after(taking(0)), Some(125));
        assert_eq!(left_after(taking(1024)), Some(125));
        // The answer is all there, and waits for him.
        let whole = |signs: &Signs| {
            signs.wrote(None);
            signs.rest();
        };
        assert_eq!(left_after(whole), Some(125));
        assert_eq!(left_after(taking(6000)), None);
    }
}
