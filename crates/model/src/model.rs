//! A model in memory.

use std::num::NonZeroUsize;
use std::path::Path;

use candle_transformers::models::quantized_llama::{MAX_SEQ_LEN, ModelWeights};
use lab3_providers::Query;

use crate::ModelError;
use crate::answer::Run;
use crate::conversation;
use crate::file::ModelFile;
use crate::sampler::Sampler;
use crate::steps::Steps;
use crate::template::Template;
use crate::vocabulary::Vocabulary;

/// What any model reads at most here, its answer included, whatever its file says: candle prepares so many positions. In tokens.
pub const CONTEXT_TOKENS_MAX: u64 = MAX_SEQ_LEN as u64;

/// Text of which a token has more bytes than that on average is nothing that people write, and is not counted but taken for too long.
const BYTES_PER_TOKEN_MAX: u64 = 16;

/// A model, ready to answer. Share it between threads behind an `Arc`.
pub struct Model {
    name: String,
    context_tokens: u64,
    vocabulary: Vocabulary,
    template: Template,
    /// Clones of it share the weights; what an answer has read is each clone's own.
    pub(crate) weights: ModelWeights,
    pub(crate) steps: &'static Steps,
}

impl Model {
    /// Loads a GGUF file and tries it. Takes about a second for each 100 MB, and as much memory as the file, half of it again and four
    /// bytes for each number of the vocabulary's table. Models compute with half of the machine's cores, at least one.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::open_with(path, NonZeroUsize::new(cores / 2).unwrap_or(NonZeroUsize::MIN))
    }

    /// As [`open`](Self::open), and says how many threads models compute with, that is, how many answers are worked on at the very same
    /// time. The first model opened in a process decides; at most there are one fewer than the machine has cores, and one at least.
    pub fn open_with(path: &Path, threads: NonZeroUsize) -> Result<Self, ModelError> {
        let steps = Steps::of_process(threads.get()).map_err(|e| ModelError::Failed(format!("it has no threads: {e}")))?;
        let file = path.to_owned();
        let loaded = steps.run(move || load(&file, steps));
        loaded.unwrap_or_else(|panic| Err(ModelError::Broken { path: path.display().to_string(), detail: panic }))
    }

    /// The model's name: the file's, without its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tokens the model can read, its answer included.
    pub fn context_tokens(&self) -> u64 {
        self.context_tokens
    }

    /// Tokens of a text.
    pub fn count(&self, text: &str) -> u64 {
        // Where the tokenizer gives up: no token is less than a byte.
        self.vocabulary.tokens(text).map_or(text.len(), |tokens| tokens.len()) as u64
    }

    /// Tokens of the whole query, as the model reads it. `Err` says what the model cannot do of what is asked, as
    /// [`answer`](Self::answer) would; a query that is too long is counted all the same.
    pub fn prompt_tokens(&self, query: &Query) -> Result<u64, ModelError> {
        Sampler::of(query)?;
        Ok(self.prompt(query)?.len() as u64)
    }

    /// Whether the model can answer the query: as [`answer`](Self::answer) would refuse it. What is surely short enough is not counted.
    pub fn fits(&self, query: &Query) -> Result<(), ModelError> {
        Sampler::of(query)?;
        let text = self.rendered(query)?;
        // No token is less than a byte, and one may come before the text.
        let tokens_max = text.len() as u64 + 1;
        if tokens_max < self.context_tokens {
            return Ok(());
        }
        let tokens_min = tokens_max / BYTES_PER_TOKEN_MAX;
        let tokens = if tokens_min < self.context_tokens { self.vocabulary.prompt(&text)?.len() as u64 } else { tokens_min };
        if tokens < self.context_tokens { Ok(()) } else { Err(self.too_long(tokens)) }
    }

    pub(crate) fn too_long(&self, tokens: u64) -> ModelError {
        ModelError::TooLong { tokens, context_tokens: self.context_tokens }
    }

    /// The query in tokens.
    pub(crate) fn prompt(&self, query: &Query) -> Result<Vec<u32>, ModelError> {
        self.vocabulary.prompt(&self.rendered(query)?)
    }

    /// The query as the model's template has it.
    fn rendered(&self, query: &Query) -> Result<String, ModelError> {
        let mut turns = conversation::turns(query)?;
        for turn in &mut turns {
            turn.content = self.vocabulary.guard(&turn.content);
        }
        let refused = |e: minijinja::Error| {
            let why = e.detail().map_or_else(|| e.to_string(), ToOwned::to_owned);
            ModelError::unfit("messages", format!("the model's chat template does not take this conversation: {why}"))
        };
        self.template.render(&turns).map_err(refused)
    }

    /// The bytes a token stands for; `None` when it ends the answer.
    pub(crate) fn bytes(&self, token: u32) -> Option<Vec<u8>> {
        self.vocabulary.bytes(token)
    }
}

fn load(path: &Path, steps: &'static Steps) -> Result<Model, ModelError> {
    let file = ModelFile::open(path)?;
    file.check_architecture()?;
    let vocabulary = Vocabulary::of(&file)?;
    file.check(vocabulary.len())?;
    let template = template(&file)?;
    let context_tokens = file.context_tokens()?;
    let tokens = vocabulary.len();
    let weights = file.weights()?;
    let broken = |why| ModelError::Broken { path: path.display().to_string(), detail: format!("its weights do not work together: {why}") };
    Run::new(weights.clone()).check(tokens).map_err(broken)?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Ok(Model { name, context_tokens, vocabulary, template, weights, steps })
}

fn template(file: &ModelFile) -> Result<Template, ModelError> {
    let Some(source) = file.text("tokenizer.chat_template") else {
        return Err(file.unsupported("it has no chat template, so it was not made to answer; take an `instruct` or `chat` version of it"));
    };
    let tokens = file.texts("tokenizer.ggml.tokens").unwrap_or_default();
    let named = |key: &str| {
        let id = file.number(key).and_then(|id| usize::try_from(id).ok());
        id.and_then(|id| tokens.get(id).copied()).unwrap_or_default()
    };
    let (first, last) = (named("tokenizer.ggml.bos_token_id"), named("tokenizer.ggml.eos_token_id"));
    Template::new(source, first, last).map_err(|e| file.unsupported(format!("its chat template cannot be read: {e}")))
}
