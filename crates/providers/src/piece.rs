//! Pieces: an answer as it arrives, whatever dialect it comes in. And an answer put together of them.

use bytes::Bytes;
use lab3_compute::Usage;

/// Something that arrived of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// The answer begins. Comes once, first.
    Start {
        /// The provider's id of the answer; may be empty.
        id: String,
        /// The model that answers, as the provider names it; may be empty.
        model: String,
    },
    /// More of the text.
    Text(String),
    /// More of the thoughts, where the provider shows them.
    Thinking(String),
    /// The signature of the thoughts so far.
    Signature(String),
    /// More of a refusal to answer, where the dialect tells it apart.
    Refusal(String),
    /// A call of a function begins. Calls are counted from 0; the parts of one may come between those of another.
    ToolCall {
        /// Which call of this answer.
        call: u32,
        /// Its id; may be empty where the dialect has none.
        id: String,
        /// The function.
        name: String,
    },
    /// More of a call's arguments, as JSON text.
    Arguments {
        /// Which call.
        call: u32,
        /// The text.
        json: String,
    },
    /// Why the answer ends.
    Finish(Finish),
    /// What was used so far: each time all of it, not what was added. The last one counts.
    Usage(Usage),
}

/// More of an answer: as it came, and as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunk {
    /// The provider's own bytes; empty where nothing came over a wire.
    pub bytes: Bytes,
    /// What they say.
    pub pieces: Vec<Piece>,
}

impl Chunk {
    /// What the desk says itself.
    pub fn own(pieces: Vec<Piece>) -> Self {
        Self { bytes: Bytes::new(), pieces }
    }

    /// Adds what came after it.
    pub fn append(&mut self, after: Self) {
        self.bytes = match (self.bytes.is_empty(), after.bytes.is_empty()) {
            (true, _) => after.bytes,
            (_, true) => std::mem::take(&mut self.bytes),
            _ => [&*self.bytes, &*after.bytes].concat().into(),
        };
        self.pieces.extend(after.pieces);
    }

    /// Whether there is more in it than that an answer begins.
    pub fn has_word(&self) -> bool {
        !self.pieces.iter().all(|piece| matches!(piece, Piece::Start { .. } | Piece::Usage(_)))
    }
}

/// Why an answer ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Finish {
    /// It was complete.
    #[default]
    Stop,
    /// One of the client's stop texts came, where the dialect tells which.
    StopText(String),
    /// As many tokens as allowed had come: the client's limit, the model's or the budget's.
    Length,
    /// The model waits for the results of tools.
    ToolCalls,
    /// The provider paused in the midst of running its own tools: it goes on when the answer is sent back to it.
    Paused,
    /// The provider's filter stopped it.
    Filtered,
}

/// The model's call of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCall {
    /// The call's id.
    pub id: String,
    /// The function.
    pub name: String,
    /// The arguments, as JSON text.
    pub arguments: String,
}

/// Most calls of one answer.
const CALLS_MAX: usize = 1024;

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The provider's id of it; may be empty.
    pub id: String,
    /// The model that answered; may be empty.
    pub model: String,
    /// The text.
    pub text: String,
    /// The thoughts shown.
    pub thinking: String,
    /// Their signature.
    pub signature: Option<String>,
    /// The refusal, if the model refused.
    pub refusal: String,
    /// The calls.
    pub calls: Vec<ToolCall>,
    /// Why it ended; `None` when it was cut off.
    pub finish: Option<Finish>,
    /// What it used, if the provider said.
    pub usage: Option<Usage>,
}

impl Answer {
    /// Adds what arrived.
    pub fn add(&mut self, piece: &Piece) {
        match piece {
            Piece::Start { id, model } => (self.id, self.model) = (id.clone(), model.clone()),
            Piece::Text(text) => self.text.push_str(text),
            Piece::Thinking(text) => self.thinking.push_str(text),
            Piece::Signature(text) => self.signature.get_or_insert_default().push_str(text),
            Piece::Refusal(text) => self.refusal.push_str(text),
            Piece::ToolCall { call, id, name } => {
                let place = self.call(*call);
                (place.id, place.name) = (id.clone(), name.clone());
            }
            Piece::Arguments { call, json } => self.call(*call).arguments.push_str(json),
            Piece::Finish(finish) => self.finish = Some(finish.clone()),
            Piece::Usage(usage) => self.usage = Some(*usage),
        }
    }

    /// The place of a call. A provider that counts beyond what anybody would call has its last one spoiled, not our memory.
    fn call(&mut self, call: u32) -> &mut ToolCall {
        let place = (call as usize).min(CALLS_MAX - 1);
        if self.calls.len() <= place {
            self.calls.resize(place + 1, ToolCall::default());
        }
        &mut self.calls[place]
    }
}
