//! Relays: the answer of a provider that speaks as the client does goes on in its own bytes. What all dialects share: the bytes are
//! cut into events or lines, the last of them are kept back until the receipt is there, and what the desk says itself is heard.

use lab3_compute::Usage;

use super::{Failure, Receipt, Writer};
use crate::split::Splitter;
use crate::{Answer, Chunk, Finish, Piece};

/// Most bytes kept back at the end of a stream. Where more comes, what came first goes on.
const TAIL_BYTES_MAX: usize = 1 << 20;

/// What becomes of the events or lines of a dialect.
pub(super) trait Passage: Send {
    /// One came, with all its bytes.
    fn unit(&mut self, raw: &[u8], out: &mut Vec<u8>);

    /// The answer ended, or was ended.
    fn end(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>);

    /// It failed.
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>);
}

/// How an answer ends.
pub(super) struct Ending<'a> {
    pub(super) receipt: &'a Receipt,
    /// What was heard of it.
    pub(super) heard: &'a Heard,
}

/// What the provider's bytes were read to say, as far as an end made by the desk needs it.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The beginning.
    start: Option<Piece>,
    /// What was used, if the provider said.
    pub(super) usage: Option<Usage>,
    /// Whether the budget ended the answer before the provider did.
    pub(super) is_cut: bool,
}

impl Heard {
    /// The provider's id of the answer and the model that answers, each empty if it is not known.
    pub(super) fn names(&self) -> (&str, &str) {
        match &self.start {
            Some(Piece::Start { id, model }) => (id, model),
            _ => ("", ""),
        }
    }

    /// An answer that the budget ended before anything of it came.
    pub(super) fn cut_answer(&self) -> Answer {
        let (id, model) = self.names();
        let (id, model) = (id.to_owned(), model.to_owned());
        Answer { id, model, usage: self.usage, finish: Some(Finish::Length), ..Answer::default() }
    }

    /// Has an answer of which nothing went out written by the dialect's own writer.
    pub(super) fn write(&self, writer: &mut dyn Writer, receipt: &Receipt, out: &mut Vec<u8>) {
        let usage = self.usage.map(Piece::Usage);
        let pieces = self.start.iter().chain(&usage).chain([&Piece::Finish(Finish::Length)]);
        for piece in pieces {
            writer.piece(piece, out);
        }
        writer.end(receipt, out);
    }
}

/// Passes an answer on.
pub(super) struct Relay<P> {
    units: Splitter,
    heard: Heard,
    passage: P,
}

impl<P: Passage> Relay<P> {
    pub(super) fn new(units: Splitter, passage: P) -> Box<Self> {
        Box::new(Self { units, heard: Heard::default(), passage })
    }
}

impl<P: Passage> Writer for Relay<P> {
    fn piece(&mut self, piece: &Piece, _out: &mut Vec<u8>) {
        match piece {
            Piece::Start { .. } => self.heard.start = Some(piece.clone()),
            Piece::Usage(usage) => self.heard.usage = Some(*usage),
            _ => {}
        }
    }

    fn chunk(&mut self, chunk: &Chunk, out: &mut Vec<u8>) {
        let Self { units, passage, .. } = self;
        units.push(&chunk.bytes, |raw| passage.unit(raw, out));
        for piece in &chunk.pieces {
            self.piece(piece, out);
        }
        let finishes = chunk.pieces.iter().any(|piece| matches!(piece, Piece::Finish(_)));
        self.heard.is_cut |= chunk.bytes.is_empty() && finishes;
    }

    fn end(&mut self, receipt: &Receipt, out: &mut Vec<u8>) {
        let Self { units, heard, passage } = self;
        let each = |raw: &[u8]| passage.unit(raw, out);
        if heard.is_cut {
            units.finish_cut(each);
        } else {
            units.finish(each);
        }
        passage.end(&Ending { receipt, heard }, out);
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        self.passage.fail(failure, out);
    }
}

/// The end of a stream, kept back: the last event of it that can carry the receipt will.
#[derive(Debug, Default)]
pub(super) struct Tail {
    kept: Vec<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    raw: Vec<u8>,
    carries: bool,
}

impl Tail {
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Keeps an event; `carries` says whether the receipt may be put into it.
    pub(super) fn keep(&mut self, raw: &[u8], carries: bool, out: &mut Vec<u8>) {
        if self.bytes.saturating_add(raw.len()) > TAIL_BYTES_MAX {
            // Nothing that clients read comes in such a mass, at an end; one event to carry the receipt must stay.
            if !carries {
                return;
            }
            self.write(out);
        }
        self.bytes = self.bytes.saturating_add(raw.len());
        self.kept.push(Kept { raw: raw.to_vec(), carries });
    }

    /// The events that can carry the receipt, the last one first.
    pub(super) fn carriers(&mut self) -> impl Iterator<Item = &mut Vec<u8>> {
        self.kept.iter_mut().rev().filter(|kept| kept.carries).map(|kept| &mut kept.raw)
    }

    /// The one that shall.
    pub(super) fn carrier(&mut self) -> Option<&mut Vec<u8>> {
        self.carriers().next()
    }

    /// Lets all of it go.
    pub(super) fn write(&mut self, out: &mut Vec<u8>) {
        for kept in self.kept.drain(..) {
            out.extend_from_slice(&kept.raw);
        }
        self.bytes = 0;
    }
}
