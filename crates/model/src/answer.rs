//! Answering a query: reading it chunk by chunk, then choosing token after token.

use std::ops::ControlFlow;

use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use lab3_compute::Usage;
use lab3_providers::{Finish, Piece, Query};

use crate::sampler::Sampler;
use crate::stops::{Characters, Stops};
use crate::{Model, ModelError};

/// What the caller of [`Model::answer`] says to each piece: go on, or stop.
pub type Flow = ControlFlow<()>;

/// Tokens of the query read in one step: how long another answer, or a stop, may have to wait. More at once is hardly quicker.
const CHUNK_TOKENS: usize = 32;

/// What an answer has read so far.
pub(crate) struct Run {
    weights: ModelWeights,
    read: usize,
}

impl Run {
    pub(crate) fn new(weights: ModelWeights) -> Self {
        Self { weights, read: 0 }
    }

    /// Reads more tokens: how well each token would fit next.
    fn read(&mut self, tokens: &[u32]) -> candle_core::Result<Tensor> {
        let batch = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let fits = self.weights.forward(&batch, self.read)?;
        self.read += tokens.len();
        fits.squeeze(0)
    }

    /// Tries whether the weights fit together and give a number for each of so many tokens. `Err` says what is wrong.
    pub(crate) fn check(mut self, vocabulary: usize) -> Result<(), String> {
        // Several tokens at once and one alone are computed differently.
        for tokens in [[0, 1].as_slice(), &[0]] {
            let fits = self.read(tokens).and_then(|fits| fits.to_vec1::<f32>()).map_err(|e| e.to_string())?;
            if fits.len() != vocabulary {
                return Err(format!("they tell of {} tokens instead of {vocabulary}", fits.len()));
            }
            if !fits.iter().all(|fit| fit.is_finite()) {
                return Err("what they give is not a number".to_owned());
            }
        }
        Ok(())
    }
}

impl Model {
    /// Answers a query, and hands each piece to `each` as it is made: the start, the text, why it ended, what it used. While the query is
    /// read, and while what is made cannot be shown yet, the pieces are what was used, so that `each` can stop the answer at any time;
    /// nothing follows then.
    ///
    /// The answer ends after `output_tokens_max` tokens, after the query's own limit if that is less, and where the context ends.
    /// The tokens of a query count as used once reading it began.
    pub fn answer(&self, query: &Query, output_tokens_max: u64, each: &mut dyn FnMut(Piece) -> Flow) -> Result<Usage, ModelError> {
        let sampler = Sampler::of(query)?;
        let prompt = self.prompt(query)?;
        let tokens = prompt.len() as u64;
        let room = self.context_tokens().saturating_sub(tokens);
        if room == 0 {
            return Err(self.too_long(tokens));
        }
        let limit = output_tokens_max.min(query.output_tokens_max.unwrap_or(u64::MAX)).min(room);
        let usage = Usage { input: tokens, ..Usage::default() };
        let mut answering =
            Answering { model: self, usage, limit, characters: Characters::default(), stops: Stops::new(&query.stop), each };
        // The caller's stop ends the work in the midst; it is no error.
        let _stopped = answering.answer(Run::new(self.weights.clone()), sampler, &prompt)?;
        Ok(answering.usage)
    }

    /// Reads tokens and chooses the next, where the models compute.
    fn step(&self, mut run: Run, mut sampler: Sampler, tokens: Vec<u32>) -> Result<(Run, Sampler, u32), ModelError> {
        let step = move || -> candle_core::Result<_> {
            let fits = run.read(&tokens)?;
            let next = sampler.choose(&fits)?;
            Ok((run, sampler, next))
        };
        self.steps.run(step).map_err(ModelError::Failed)?.map_err(|e| ModelError::Failed(e.to_string()))
    }
}

/// An answer being made.
struct Answering<'a> {
    model: &'a Model,
    usage: Usage,
    /// Most tokens of the answer.
    limit: u64,
    characters: Characters,
    stops: Stops,
    each: &'a mut dyn FnMut(Piece) -> Flow,
}

impl Answering<'_> {
    fn tell(&mut self, piece: Piece) -> Flow {
        (self.each)(piece)
    }

    fn answer(&mut self, run: Run, sampler: Sampler, prompt: &[u32]) -> Result<Flow, ModelError> {
        if self.tell(Piece::Start { id: String::new(), model: self.model.name().to_owned() }).is_break() {
            self.usage = Usage::default();
            return Ok(Flow::Break(()));
        }
        let finish = match self.read(run, sampler, prompt)? {
            Some((run, sampler, first)) => self.speak(run, sampler, first)?,
            None => None,
        };
        let Some(finish) = finish else { return Ok(Flow::Break(())) };
        let rest = if matches!(finish, Finish::StopText(_)) { String::new() } else { self.stops.rest() };
        if !rest.is_empty() && self.tell(Piece::Text(rest)).is_break() {
            return Ok(Flow::Break(()));
        }
        if self.tell(Piece::Finish(finish)).is_break() {
            return Ok(Flow::Break(()));
        }
        Ok(self.tell(Piece::Usage(self.usage)))
    }

    /// Reads the query: the token that comes next. `None` when the caller stopped it.
    fn read(&mut self, mut run: Run, mut sampler: Sampler, prompt: &[u32]) -> Result<Option<(Run, Sampler, u32)>, ModelError> {
        let mut next = 0;
        for chunk in prompt.chunks(CHUNK_TOKENS) {
            if self.tell(Piece::Usage(self.usage)).is_break() {
                return Ok(None);
            }
            (run, sampler, next) = self.model.step(run, sampler, chunk.to_vec())?;
        }
        Ok(Some((run, sampler, next)))
    }

    /// Says token after token, beginning with `next`: why it ended. `None` when the caller stopped it.
    fn speak(&mut self, mut run: Run, mut sampler: Sampler, mut next: u32) -> Result<Option<Finish>, ModelError> {
        loop {
            let Some(bytes) = self.model.bytes(next) else { return Ok(Some(Finish::Stop)) };
            if self.usage.output >= self.limit {
                return Ok(Some(Finish::Length));
            }
            self.usage.output += 1;
            sampler.note(next);
            let shown = self.stops.push(&self.characters.push(&bytes));
            let piece = if shown.text.is_empty() { Piece::Usage(self.usage) } else { Piece::Text(shown.text) };
            if self.tell(piece).is_break() {
                return Ok(None);
            }
            if let Some(stop) = shown.stop {
                return Ok(Some(Finish::StopText(stop)));
            }
            if self.usage.output >= self.limit {
                return Ok(Some(Finish::Length));
            }
            (run, sampler, next) = self.model.step(run, sampler, vec![next])?;
        }
    }
}
