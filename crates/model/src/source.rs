//! A model as a source of the gateway: loaded in the background, asked by several at a time.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use lab3_providers::dialect::Unreadable;
use lab3_providers::{Answering, AskError, Asked, Boxed, Chunk, Dialect, Query, Source};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use crate::{Flow, Model, ModelError};

/// Answers worked on at a time. They share the threads that compute, and each keeps what it has read (docs/modules/gateway.md).
const ANSWERS_MAX: usize = 4;

/// How long a query waits for others to be answered, an answer for its reader, and a reader for the next token.
const PATIENCE: Duration = Duration::from_mins(1);

/// Pieces of an answer that wait for their reader; then the model waits, too.
const PIECES_MAX: usize = 32;

/// A model the gateway asks; or the place of one, and why there is none.
pub struct LocalSource {
    /// Empty while it is loaded. `Err` says why there is none, and what would help.
    model: Arc<OnceLock<Result<Arc<Model>, String>>>,
    slots: Arc<Semaphore>,
}

impl LocalSource {
    /// Loads a GGUF file in the background. Until that is done, and should it fail, the source is [absent](Source::absent).
    pub fn load(path: PathBuf) -> Self {
        let source = Self::loading();
        let model = Arc::clone(&source.model);
        let loading = move || {
            let begun = Instant::now();
            let loaded = Model::open(&path).map(Arc::new);
            match &loaded {
                Ok(model) => {
                    let (tokens, millis) = (model.context_tokens(), begun.elapsed().as_millis());
                    tracing::info!(model = model.name(), context_tokens = tokens, millis, "the local model is ready");
                }
                Err(error) => tracing::error!(%error, "there is no local model"),
            }
            // Nobody else sets it.
            let _ = model.set(loaded.map_err(|error| error.to_string()));
        };
        if let Err(error) = thread::Builder::new().name("model-loading".to_owned()).spawn(loading) {
            let _ = source.model.set(Err(format!("the model cannot be loaded: {error}")));
        }
        source
    }

    /// A source that is absent, and why.
    pub fn none(why: String) -> Self {
        let source = Self::loading();
        let _ = source.model.set(Err(why));
        source
    }

    fn loading() -> Self {
        Self { model: Arc::default(), slots: Arc::new(Semaphore::new(ANSWERS_MAX)) }
    }

    fn model(&self) -> Result<&Arc<Model>, String> {
        match self.model.get() {
            Some(Ok(model)) => Ok(model),
            Some(Err(why)) => Err(why.clone()),
            None => Err("the local model is being loaded; try again in a few seconds".to_owned()),
        }
    }
}

/// A model that is there.
impl From<Model> for LocalSource {
    fn from(model: Model) -> Self {
        let source = Self::loading();
        let _ = source.model.set(Ok(Arc::new(model)));
        source
    }
}

impl Source for LocalSource {
    fn dialect(&self) -> Option<Dialect> {
        None
    }

    fn absent(&self) -> Option<String> {
        self.model().err()
    }

    fn count(&self, query: &Query) -> Option<u64> {
        self.model().ok()?.prompt_tokens(query).ok()
    }

    fn can_say(&self, asked: &Asked<'_>) -> Result<(), Unreadable> {
        let model = self.model().map_err(|why| Unreadable::new("model", why))?;
        match asked.query.only_here.first() {
            Some(strange) => Err(strange.clone()),
            None => model.fits(asked.query).map_err(unreadable),
        }
    }

    fn ask<'a>(&'a self, asked: Asked<'a>) -> Boxed<'a, Result<Box<dyn Answering>, AskError>> {
        Box::pin(async move {
            let model = Arc::clone(self.model().map_err(AskError::Unreachable)?);
            let waited = timeout(PATIENCE, Arc::clone(&self.slots).acquire_owned()).await.map_err(|_| AskError::TimedOut(PATIENCE))?;
            let slot = waited.map_err(|_| AskError::Unreachable("it is being stopped".to_owned()))?;
            let (told, answer) = channel(PIECES_MAX);
            let (query, output_tokens_max) = (asked.query.clone(), asked.terms.output_tokens_max);
            let reader = Handle::current();
            tokio::task::spawn_blocking(move || {
                let tell = |said: Said| reader.block_on(tell(&told, said));
                let answered = model.answer(&query, output_tokens_max, &mut |piece| tell(Ok(Some(Chunk::own(vec![piece])))));
                // Whoever left needs no end.
                let _ = tell(answered.map(|_| None).map_err(broken));
                drop(slot);
            });
            Ok(Box::new(LocalAnswer(answer)) as Box<dyn Answering>)
        })
    }
}

/// What is told of an answer: more of it, its end (`None`), or why there is no end.
type Said = Result<Option<Chunk>, AskError>;

/// Hands on what is said, unless the reader has left or does not read.
async fn tell(told: &Sender<Said>, said: Said) -> Flow {
    match timeout(PATIENCE, told.send(said)).await {
        Ok(Ok(())) => Flow::Continue(()),
        Ok(Err(_)) | Err(_) => Flow::Break(()),
    }
}

/// An answer being made on a thread of its own. The model notices within a token that this was dropped.
struct LocalAnswer(Receiver<Said>);

impl Answering for LocalAnswer {
    fn next(&mut self) -> Boxed<'_, Result<Option<Chunk>, AskError>> {
        Box::pin(async move {
            match timeout(PATIENCE, self.0.recv()).await {
                Ok(Some(said)) => said,
                // The thread panicked, or nobody read for long.
                Ok(None) => Err(AskError::Broken("the local model broke off".to_owned())),
                Err(_) => Err(AskError::TimedOut(PATIENCE)),
            }
        })
    }
}

/// What a provider would say of a query it cannot answer.
fn unreadable(error: ModelError) -> Unreadable {
    match error {
        ModelError::Unfit { field, detail } => Unreadable { field, detail },
        other => Unreadable::new("messages", other.to_string()),
    }
}

fn broken(error: ModelError) -> AskError {
    let refused = |status, detail| AskError::Refused { status, detail, retry_after: None };
    match error {
        ModelError::Unfit { detail, .. } => refused(400, detail),
        ModelError::TooLong { .. } => refused(413, error.to_string()),
        other => AskError::Broken(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_panics_ends_as_broken() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(async {
            let (told, answer) = channel::<Said>(1);
            tokio::task::spawn_blocking(move || {
                let _told = told;
                panic!("as it may");
            });
            LocalAnswer(answer).next().await.unwrap_err()
        });
        assert_eq!(error, AskError::Broken("the local model broke off".to_owned()));
    }
}
