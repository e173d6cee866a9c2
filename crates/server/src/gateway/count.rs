//! Counting an answer while it comes: what it will be charged is known only at its end, and what is held must suffice until then.

use lab3_compute::Usage;
use lab3_providers::Piece;

/// Bytes of text of which a token is counted at least: tokens are longer as a rule, so this counts too many rather than too few.
const BYTES_PER_TOKEN_LEAST: u64 = 3;

/// What came of an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pieces: u64,
    bytes: u64,
    /// What the provider said, if it did.
    said: Option<Usage>,
}

impl Count {
    /// Takes note of what arrived.
    pub(crate) fn add(&mut self, piece: &Piece) {
        match piece {
            Piece::Text(text) | Piece::Thinking(text) | Piece::Refusal(text) | Piece::Arguments { json: text, .. } => {
                self.pieces += u64::from(!text.is_empty());
                self.bytes += text.len() as u64;
            }
            Piece::ToolCall { name, .. } => {
                self.pieces += 1;
                self.bytes += name.len() as u64;
            }
            Piece::Usage(usage) => self.said = Some(*usage),
            Piece::Start { .. } | Piece::Signature(_) | Piece::Finish(_) => {}
        }
    }

    /// How many tokens of an answer have come, rather too many than too few.
    pub(crate) fn output(&self) -> u64 {
        let counted = self.pieces.max(self.bytes.div_ceil(BYTES_PER_TOKEN_LEAST));
        self.said.map_or(counted, |usage| usage.output.max(counted))
    }

    /// What a whole answer used, if the provider said so.
    pub(crate) fn said(&self) -> Option<Usage> {
        self.said
    }

    /// What an answer used of which the provider told nothing, or that was cut off: what it said of the query, and our count of
    /// what came. `query_tokens` is our estimate.
    pub(crate) fn estimate(&self, query_tokens: u64) -> Usage {
        let said = self.said.unwrap_or(Usage { input: query_tokens, ..Usage::default() });
        let counted = if self.bytes == 0 { self.pieces } else { self.pieces.max(self.bytes.div_ceil(4)) };
        Usage { output: said.output.max(counted), ..said }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_counted_and_what_the_provider_says_believed() {
        let mut count = Count::default();
        for _ in 0..10 {
            count.add(&Piece::Text("word ".to_owned()));
        }
        assert_eq!((count.output(), count.said()), (17, None));
        assert_eq!(count.estimate(7), Usage { input: 7, output: 13, ..Usage::default() });
        let usage = Usage { input: 5, output: 40, ..Usage::default() };
        count.add(&Piece::Usage(usage));
        assert_eq!((count.output(), count.said(), count.estimate(7)), (40, Some(usage), usage));
    }
}
