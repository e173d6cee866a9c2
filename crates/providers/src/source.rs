//! Sources: who answers queries, be it a provider over the network or a model in this process.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::connection::{AskError, Base, Connections, Patience, Stream};
use crate::dialect::openai_chat::embeddings;
use crate::dialect::{Back, Broken, Call, Reader, Terms, Unreadable};
use crate::redact::Redactor;
use crate::{Chunk, Piece, Query};

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

    /// Asks for embeddings; the request is OpenAI's. The reply comes in one chunk.
    fn embed<'a>(&'a self, _asked: Asked<'a>) -> Boxed<'a, Result<Box<dyn Answering>, AskError>> {
        Box::pin(async { Err(AskError::Broken("it makes no embeddings".to_owned())) })
    }
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
    fn redactor(&self) -> Redactor {
        Redactor::of(self.key.as_deref())
    }

    fn call(&self, asked: &Asked<'_>) -> Result<Call, Unreadable> {
        let key = self.key.as_deref();
        if let Some(strange) = asked.query.only_here.first().filter(|_| asked.dialect != self.dialect) {
            return Err(strange.clone());
        }
        let own = if asked.dialect == self.dialect { self.back.adapt(asked.body, asked.terms, key) } else { None };
        let Some(own) = own else { return self.back.write(asked.query, asked.terms, key) };
        own.map(|mut call| {
            call.headers.extend(asked.query.headers.iter().cloned());
            call
        })
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
        if asked.dialect == self.dialect {
            return self.back.can_adapt(asked.body);
        }
        match asked.query.only_here.first() {
            Some(strange) => Err(strange.clone()),
            None => self.back.can_say(asked.query, asked.terms),
        }
    }

    fn ask<'a>(&'a self, asked: Asked<'a>) -> Boxed<'a, Result<Box<dyn Answering>, AskError>> {
        Box::pin(async move {
            let call = self.call(&asked).map_err(|unreadable| AskError::Broken(unreadable.to_string()))?;
            let stream = self.connections.ask(&self.base, &*self.back, call, self.redactor(), &self.patience).await?;
            Ok(Box::new(RemoteAnswer { stream, reader: self.back.reader() }) as Box<dyn Answering>)
        })
    }

    fn embed<'a>(&'a self, asked: Asked<'a>) -> Boxed<'a, Result<Box<dyn Answering>, AskError>> {
        Box::pin(async move {
            let broken = |unreadable: Unreadable| AskError::Broken(unreadable.to_string());
            let mut call = embeddings::adapt(asked.body, &asked.terms.model, self.key.as_deref()).map_err(broken)?;
            match self.dialect {
                Dialect::OpenAiChat => {}
                // Its base URL is the server's, where OpenAI's protocol is spoken, too.
                Dialect::Ollama => call.path.insert_str(0, "/v1"),
                _ => return Err(AskError::Broken("it makes no embeddings".to_owned())),
            }
            let mut stream = self.connections.ask(&self.base, &*self.back, call, self.redactor(), &self.patience).await?;
            let mut reply = Vec::new();
            while let Some(bytes) = stream.next().await? {
                if reply.len() + bytes.len() > EMBEDDINGS_BYTES_MAX {
                    return Err(AskError::Broken(format!("its reply is longer than {EMBEDDINGS_BYTES_MAX} bytes")));
                }
                reply.extend_from_slice(&bytes);
            }
            let pieces = embeddings::usage(&reply).map(Piece::Usage).into_iter().collect();
            Ok(Box::new(WholeReply(Some(Chunk { bytes: reply.into(), pieces }))) as Box<dyn Answering>)
        })
    }
}

/// Longest reply of embeddings, in bytes.
const EMBEDDINGS_BYTES_MAX: usize = 64 << 20;

/// A reply that came whole.
struct WholeReply(Option<Chunk>);

impl Answering for WholeReply {
    fn next(&mut self) -> Boxed<'_, Result<Option<Chunk>, AskError>> {
        Box::pin(async { Ok(self.0.take()) })
    }
}

struct RemoteAnswer {
    stream: Stream,
    reader: Box<dyn Reader>,
}

impl Answering for RemoteAnswer {
    fn next(&mut self) -> Boxed<'_, Result<Option<Chunk>, AskError>> {
        Box::pin(async move {
            let mut pieces = Vec::new();
            if let Some(bytes) = self.stream.next().await? {
                self.reader.read(&bytes, &mut pieces).map_err(|broken: Broken| self.stream.broken(broken.to_string()))?;
                return Ok(Some(Chunk { bytes, pieces }));
            }
            self.reader.end(&mut pieces).map_err(|broken: Broken| self.stream.broken(broken.to_string()))?;
            if !pieces.is_empty() {
                // Who passes the bytes on needs the end of the line as well.
                return Ok(Some(Chunk { bytes: Bytes::from_static(b"\n"), pieces }));
            }
            if self.reader.is_done() {
                return Ok(None);
            }
            Err(AskError::Broken("the stream ended before the answer did".to_owned()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::dialect::anthropic::Anthropic;

    #[test]
    fn headers_go_on_with_the_requests_own_bytes_only() {
        let connections = Connections::new(Duration::from_secs(1));
        let base = Base::parse("http://127.0.0.1:1").unwrap();
        let (back, patience) = (Arc::new(Anthropic), Patience::default());
        let remote = Remote { connections, base, dialect: Dialect::Anthropic, back, key: None, patience };
        let beta = ("anthropic-beta", "x".to_owned());
        let parts = vec![crate::Part::Text("Hi".to_owned())];
        let messages = vec![crate::Message { role: crate::Role::User, parts }];
        let query = Query { answers: 1, messages, headers: vec![beta.clone()], ..Query::default() };
        let terms = Terms { model: "m".to_owned(), output_tokens_max: 9 };
        for (dialect, goes_on) in [(Dialect::Anthropic, true), (Dialect::OpenAiChat, false)] {
            let call = remote.call(&Asked { query: &query, body: b"{}", dialect, terms: &terms }).unwrap();
            assert_eq!(call.headers.contains(&beta), goes_on, "{dialect:?}");
        }
    }
}
