//! Replies: a plan played into a response's body, in its rhythm.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::books::Visit;
use crate::plan::{Ending, Numbers, Plan};
use crate::wire::Wire;

/// Events that need not wait for each other are sent together, up to about so many bytes.
const FRAME_BYTES: usize = 16 << 10;

/// The body of a response.
pub(crate) struct Reply {
    plan: Plan,
    visit: Arc<Visit>,
    wire: Arc<Wire>,
    /// The step that comes next, and how often it was sent.
    step: usize,
    times: u64,
    numbers: Numbers,
    rhythm: Rhythm,
    split: Split,
    /// Bytes of the whole body, where they are told before it.
    length: Option<u64>,
    is_over: bool,
}

/// How a reply is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Wait between events that carry tokens.
    pub(crate) gap: Duration,
    /// Bytes of a piece; 0 is whole events.
    pub(crate) split: usize,
    /// Bytes told in the response's head.
    pub(crate) length: Option<u64>,
    pub(crate) input: u64,
    pub(crate) thoughts: u64,
}

impl Reply {
    pub(crate) fn new(plan: Plan, manner: Manner, visit: Arc<Visit>, wire: Arc<Wire>) -> Self {
        Self {
            plan,
            visit,
            wire,
            step: 0,
            times: 0,
            numbers: Numbers { input: manner.input, thoughts: manner.thoughts, ..Numbers::default() },
            rhythm: Rhythm { gap: manner.gap, due: None, sleep: None },
            split: Split { size: manner.split, rest: Bytes::new(), tokens: 0, must_leave: false },
            length: manner.length,
            is_over: false,
        }
    }

    /// The next bytes and their tokens; `None` after the last.
    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<(Bytes, u64)>> {
        let mut frame = Vec::new();
        let mut tokens = 0;
        let one_by_one = !self.rhythm.gap.is_zero() || self.split.size > 0;
        while let Some(step) = self.plan.steps.get(self.step) {
            if step.is_token && self.rhythm.poll_due(context).is_pending() {
                return Poll::Pending;
            }
            if step.is_token {
                self.rhythm.beat();
            }
            self.numbers.output += step.tokens;
            tokens += step.tokens;
            match step.event.fixed() {
                // Nothing to put together: the event goes as it is, without a copy.
                Some(bytes) if frame.is_empty() && (one_by_one || bytes.len() >= FRAME_BYTES) => {
                    self.advance();
                    return Poll::Ready(Some((bytes, tokens)));
                }
                _ => {
                    if frame.is_empty() && !one_by_one {
                        frame.reserve(self.left_bytes());
                    }
                    self.plan.steps[self.step].event.write(&mut frame, &self.numbers);
                    self.advance();
                }
            }
            if frame.len() >= FRAME_BYTES || one_by_one {
                break;
            }
        }
        Poll::Ready((!frame.is_empty()).then(|| (frame.into(), tokens)))
    }

    fn advance(&mut self) {
        self.numbers.sequence += 1;
        self.times += 1;
        if self.plan.steps.get(self.step).is_some_and(|step| self.times >= step.times) {
            (self.step, self.times) = (self.step + 1, 0);
        }
    }

    /// About how many bytes the next frame will have.
    fn left_bytes(&self) -> usize {
        let mut bytes = 0_usize;
        for step in &self.plan.steps[self.step..] {
            let event = step.event.len().saturating_add(24);
            bytes = bytes.saturating_add(event.saturating_mul(usize::try_from(step.times).unwrap_or(usize::MAX)));
            if bytes >= FRAME_BYTES {
                return FRAME_BYTES + event;
            }
        }
        bytes
    }

    fn is_sent(&self) -> bool {
        self.split.rest.is_empty() && self.step >= self.plan.steps.len()
    }

    /// After the last byte.
    fn end(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::convert::Infallible>>> {
        match self.plan.ending {
            Ending::Clean => {
                self.finish();
                Poll::Ready(None)
            }
            Ending::Cut => {
                self.visit.cut();
                self.wire.cut();
                // What was written is made to leave; then the socket says it is closed.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::Hang => Poll::Pending,
        }
    }

    fn finish(&mut self) {
        self.is_over = true;
        self.visit.complete();
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        if self.split.waits(context) {
            return Poll::Pending;
        }
        if self.split.rest.is_empty() {
            let Some((bytes, tokens)) = ready!(self.next(context)) else {
                return self.end(context);
            };
            (self.split.rest, self.split.tokens) = (bytes, tokens);
        }
        let (piece, tokens) = self.split.take();
        let bytes = if self.length.is_some() { piece.len() } else { chunk_bytes(piece.len()) };
        self.visit.hand(u64::try_from(bytes).unwrap_or(u64::MAX), tokens);
        if self.is_sent() && self.plan.ending == Ending::Clean {
            self.finish();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Length of a chunk of so many bytes: its size in hexadecimal digits, a line's end, the bytes, a line's end (RFC 9112, section 7.1).
fn chunk_bytes(bytes: usize) -> usize {
    let digits = bytes.max(1).ilog(16) as usize + 1;
    bytes.saturating_add(digits + 4)
}

/// When the next event is due. Beats are kept from the first one on, so that waits do not add up to more.
struct Rhythm {
    gap: Duration,
    /// The next beat; none before the first.
    due: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Rhythm {
    fn poll_due(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match (self.due, &mut self.sleep) {
            (Some(_), Some(sleep)) => sleep.as_mut().poll(context),
            _ => Poll::Ready(()),
        }
    }

    fn beat(&mut self) {
        if self.gap.is_zero() {
            return;
        }
        let due = self.due.unwrap_or_else(Instant::now) + self.gap;
        self.due = Some(due);
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(due),
            None => self.sleep = Some(Box::pin(sleep_until(due))),
        }
    }
}

/// Bytes sent in pieces.
struct Split {
    /// Bytes of a piece; 0 is all at once.
    size: usize,
    rest: Bytes,
    /// Tokens of the rest; they count with its last piece.
    tokens: u64,
    /// The piece before has to leave first.
    must_leave: bool,
}

impl Split {
    /// The next piece and its tokens.
    fn take(&mut self) -> (Bytes, u64) {
        self.must_leave = self.size > 0;
        if self.size == 0 || self.rest.len() <= self.size {
            return (std::mem::take(&mut self.rest), std::mem::take(&mut self.tokens));
        }
        (self.rest.split_to(self.size), 0)
    }

    /// Whether this is the moment to let what was written leave.
    fn waits(&mut self, context: &mut Context<'_>) -> bool {
        let waits = std::mem::take(&mut self.must_leave);
        if waits {
            context.waker().wake_by_ref();
        }
        waits
    }
}

#[cfg(test)]
mod tests {
    use super::chunk_bytes;

    #[test]
    fn a_chunk_is_as_long_as_it_is_written() {
        for bytes in [1, 9, 15, 16, 255, 256, 4095, 4096, 16 << 10, 1 << 20] {
            let written = format!("{bytes:x}\r\n{}\r\n", "x".repeat(bytes));
            assert_eq!(chunk_bytes(bytes), written.len(), "{bytes}");
        }
    }
}
