//! Sources: who answers queries, be it a provider over the network or a model in this process.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::connection::{AskError, Base, Connections, Patience, Stream};
use crate::dialect::{Back, Call, Reader, Terms, Unreadable};
use crate::{Chunk, Query};

/// A dialect a request came in or a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's chat completions.
    OpenAiChat,
    /// OpenAI's responses.
    OpenAiResponses,
    /// Anthropic's messages.
    Anthropic,
    /// Google's Gemini.
    Gemini,
    /// Ollama's chat.
    Ollama,
    /// Ollama's generate.
    OllamaGenerate,
}

/// A query on its way to a source.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What is asked.
    pub query: &'a Query,
    /// The request's own bytes and the dialect they are in.
    pub body: &'a [u8],
    /// See there.
    pub dialect: Dialect,
    /// What the desk decided.
    pub terms: &'a Terms,
}

/// A future that can be sent between threads.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who answers queries.
pub trait Source: Send + Sync {
    /// What its answers' bytes are, where they come over a wire.
    fn dialect(&self) -> Option<Dialect>;

    /// Why it cannot be asked at the moment, and what would help; `None` when it can.
    fn absent(&self) -> Option<String> {
        None
    }

    /// Exactly how many tokens the query has, where that can be told without asking.
    fn count(&self, query: &Query) -> Option<u64>;

    /// Whether this query can be said to it; the field that stands in the way, if not.
    fn can_say(&self, asked: &Asked<'_>) -> Result<(), Unreadable>;

    /// Puts the query; gives the answer's stream when it begins.
    fn ask<'a>(&'a self, asked: Asked<'a>) -> Boxed<'a, Result<Box<dyn Answering>, AskError>>;
}

/// An answer on its way. Dropping it tells the source to stop.
pub trait Answering: Send {
    /// Waits for more; `None` at the answer's end.
    fn next(&mut self) -> Boxed<'_, Result<Option<Chunk>, AskError>>;
}

/// A provider over the network.
pub struct Remote {
    /// The connections to all providers.
    pub connections: Connections,
    /// Where it is.
    pub base: Base,
    /// What it speaks.
    pub dialect: Dialect,
    /// How that is written and read.
    pub back: Arc<dyn Back>,
    /// The key it asks for.
    pub key: Option<String>,
    /// How long it may take.
    pub patience: Patience,
}

impl Remote {
    fn call(&self, asked: &Asked<'_>) -> Result<Call, Unreadable> {
        let key = self.key.as_deref();
        if let Some(strange) = asked.query.only_here.first().filter(|_| asked.dialect != self.dialect) {
            return Err(strange.clone());
        }
        let own = if asked.dialect == self.dialect { self.back.adapt(asked.body, asked.terms, key) } else { None };
        own.unwrap_or_else(|| self.back.write(asked.query, asked.terms, key))
    }
}

impl Source for Remote {
    fn dialect(&self) -> Option<Dialect> {
        Some(self.dialect)
    }

    fn count(&self, _query: &Query) -> Option<u64> {
        None
    }

    fn can_say(&self, asked: &Asked<'_>) -> Result<(), Unreadable> {
        self.call(asked).map(drop)
    }

    fn ask<'a>(&'a self, asked: Asked<'a>) -> Boxed<'a, Result<Box<dyn Answering>, AskError>> {
        Box::pin(async move {
            let call = self.call(&asked).map_err(|unreadable| AskError::Broken(unreadable.to_string()))?;
            let stream = self.connections.ask(&self.base, &*self.back, call, &self.patience).await?;
            Ok(Box::new(RemoteAnswer { stream, reader: self.back.reader() }) as Box<dyn Answering>)
        })
    }
}

struct RemoteAnswer {
    stream: Stream,
    reader: Box<dyn Reader>,
}

impl Answering for RemoteAnswer {
    fn next(&mut self) -> Boxed<'_, Result<Option<Chunk>, AskError>> {
        Box::pin(async move {
            match self.stream.next().await? {
                Some(bytes) => {
                    let mut pieces = Vec::new();
                    self.reader.read(&bytes, &mut pieces).map_err(|broken| AskError::Broken(broken.to_string()))?;
                    Ok(Some(Chunk { bytes, pieces }))
                }
                None if self.reader.is_done() => Ok(None),
                None => Err(AskError::Broken("the stream ended before the answer did".to_owned())),
            }
        })
    }
}
