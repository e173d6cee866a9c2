//! Gathering a body as it comes: not larger than allowed, not slower than a bad line, and in memory only where there is room.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use lab3_units::{Code, Problem};
use tokio::time::{Instant, timeout_at};

use crate::limits::{Room, Taken, kept};

/// What is read, and thrown away, of a body that is too large, so that the client gets to read the refusal.
const DISCARDED_BYTES_MAX: usize = 64 << 20;

/// Longest wait for a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often is looked whether enough came of it, and how much that is: 1 KB a second.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const LEAST_BYTES: usize = 10 << 10;

/// A body of which some has come.
struct Gathering<'a> {
    bytes_max: usize,
    room: &'a Room,
    /// All of it, if it comes in one piece.
    first: Bytes,
    /// All of it, if it comes in more.
    rest: Vec<u8>,
    len: usize,
    taken: Taken,
    /// Why it is thrown away.
    refused: Option<Problem>,
}

/// The whole body.
///
/// Errors: `MALFORMED_BODY` for one that breaks off or comes too slowly, `BODY_TOO_LARGE`, and `QUEUE_FULL` where there is no room.
pub(super) async fn gather(mut body: Body, bytes_max: usize, room: &Room) -> Result<Bytes, Problem> {
    let (first, rest, taken) = (Bytes::new(), Vec::new(), Taken::default());
    let mut gathering = Gathering { bytes_max, room, first, rest, len: 0, taken, refused: None };
    let began = Instant::now();
    let mut look_at = began + LOOK_EVERY;
    loop {
        let before = gathering.len;
        match timeout_at(look_at, gathering.take(&mut body)).await {
            Ok(done) => return done.and_then(|()| gathering.whole()),
            Err(_) if gathering.len < before + LEAST_BYTES => {
                let detail = "The body came more slowly than 1 KB a second. Send it again, at once.";
                return Err(Problem::new(Code::MALFORMED_BODY, detail));
            }
            Err(_) if began.elapsed() >= PATIENCE => {
                return Err(Problem::new(Code::MALFORMED_BODY, "The body did not arrive within half a minute. Send it again."));
            }
            Err(_) => look_at += LOOK_EVERY,
        }
    }
}

impl Gathering<'_> {
    /// Takes what comes, to the end or as much as is thrown away at most. May be dropped and begun again.
    async fn take(&mut self, body: &mut Body) -> Result<(), Problem> {
        while let Some(frame) = body.frame().await {
            let cut = |_| Problem::new(Code::MALFORMED_BODY, "The body did not arrive whole. Send it again.");
            let Ok(data) = frame.map_err(cut)?.into_data() else { continue };
            self.add(data);
            if self.len > self.bytes_max.saturating_add(DISCARDED_BYTES_MAX) {
                break;
            }
        }
        Ok(())
    }

    fn add(&mut self, data: Bytes) {
        self.len = self.len.saturating_add(data.len());
        if self.len > self.bytes_max {
            let detail = format!("The body has more than {} bytes. Send less at once.", self.bytes_max);
            self.refuse(Problem::new(Code::BODY_TOO_LARGE, detail));
        } else if self.refused.is_some() {
            // It is thrown away.
        } else if self.first.is_empty() && self.rest.is_empty() {
            self.first = data;
        } else if self.reserve(data.len()) {
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
            self.rest.extend_from_slice(&data);
        } else {
            self.refuse(Problem::new(Code::QUEUE_FULL, "There is no room for a body of this size now. Send it again in a second."));
        }
    }

    /// Makes room for what came before and so many bytes more; whether there is.
    fn reserve(&mut self, more: usize) -> bool {
        let len = self.first.len() + self.rest.len() + more;
        if len <= self.rest.capacity() {
            return true;
        }
        let wanted = self.bytes_max.min(2 * len);
        let found = self.room.reach(&mut self.taken, wanted);
        if found {
            self.rest.reserve_exact(wanted - self.rest.len());
        }
        found
    }

    fn refuse(&mut self, problem: Problem) {
        (self.first, self.rest, self.taken) = (Bytes::new(), Vec::new(), Taken::default());
        self.refused = Some(problem);
    }

    fn whole(self) -> Result<Bytes, Problem> {
        match self.refused {
            Some(problem) => Err(problem),
            None if self.rest.is_empty() => Ok(self.first),
            None => Ok(kept(self.rest, self.taken)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use hyper::body::Frame;
    use tokio::time::{Sleep, sleep};

    use super::*;

    /// A body that comes in pieces of so many bytes, each after a while.
    struct Slow {
        pieces: usize,
        bytes: usize,
        every: Duration,
        next: Pin<Box<Sleep>>,
    }

    fn slow(pieces: usize, bytes: usize, every_ms: u64) -> Body {
        let every = Duration::from_millis(every_ms);
        Body::new(Slow { pieces, bytes, every, next: Box::pin(sleep(every)) })
    }

    impl hyper::body::Body for Slow {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.pieces == 0 {
                return Poll::Ready(None);
            }
            std::task::ready!(self.next.as_mut().poll(context));
            self.pieces -= 1;
            self.next = Box::pin(sleep(self.every));
            Poll::Ready(Some(Ok(Frame::data(vec![b' '; self.bytes].into()))))
        }
    }

    async fn refused(body: Body, room: &Room) -> (Code, u64) {
        let began = Instant::now();
        let problem = gather(body, 1 << 20, room).await.unwrap_err();
        (problem.code(), began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_slowly_is_not_waited_for() {
        let room = Room::new(1);
        // What nobody sends, a byte a second, and just too little.
        for (pieces, bytes, every_ms) in [(1, 1, 3_600_000), (1000, 1, 1000), (1000, 1000, 1000)] {
            assert_eq!(refused(slow(pieces, bytes, every_ms), &room).await, (Code::MALFORMED_BODY, 10));
        }
        assert_eq!(refused(slow(1000, 1100, 1000), &room).await, (Code::MALFORMED_BODY, 30));
        assert_eq!(gather(slow(25, 1100, 1000), 1 << 20, &room).await.unwrap().len(), 25 * 1100);
    }

    #[tokio::test(start_paused = true)]
    async fn what_finds_no_room_is_refused_and_room_comes_back() {
        let room = Room::new(1);
        let first = gather(slow(8, 100_000, 1), 1 << 20, &room).await.unwrap();
        assert_eq!(refused(slow(8, 100_000, 1), &room).await.0, Code::QUEUE_FULL);
        // Small ones ask for none.
        assert_eq!(gather(slow(8, 4_000, 1), 1 << 20, &room).await.unwrap().len(), 32_000);
        drop(first);
        assert_eq!(gather(slow(8, 100_000, 1), 1 << 20, &room).await.unwrap().len(), 800_000);
    }
}
