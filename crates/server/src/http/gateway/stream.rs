//! An answer as a response body: what the query's task tells, written in the client's dialect as the connection takes it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use lab3_providers::dialect::Writer;
use lab3_units::{Code, Problem};
use tokio::sync::mpsc::Receiver;

use super::converse::receipt;
use super::failure;
use crate::gateway::ask::{Begun, Told};

/// What waits is put into one frame up to about so many bytes: a reader who takes nothing keeps one.
const AT_ONCE_BYTES: usize = 16 << 10;

/// A body that writes an answer while it comes.
pub(super) struct AnswerBody {
    writer: Box<dyn Writer>,
    begun: Begun,
    told: Receiver<Told>,
    done: bool,
}

impl AnswerBody {
    pub(super) fn new(writer: Box<dyn Writer>, begun: Begun, told: Receiver<Told>) -> Self {
        Self { writer, begun, told, done: false }
    }

    /// Writes what was told; whether more follows is kept in `done`.
    fn write(&mut self, told: Option<Told>, out: &mut Vec<u8>) {
        match told {
            Some(Told::Chunk(chunk)) => self.writer.chunk(&chunk, out),
            Some(Told::Begun(_)) => {}
            Some(Told::Ended(ended)) => {
                self.writer.end(&receipt(&self.begun, &ended), out);
                self.done = true;
            }
            Some(Told::Failed(problem)) => {
                self.writer.fail(&failure(&problem), out);
                self.done = true;
            }
            None => {
                let problem = Problem::new(Code::INTERNAL, "The query was dropped. The log says more.");
                self.writer.fail(&failure(&problem), out);
                self.done = true;
            }
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let mut out = Vec::new();
        while out.is_empty() {
            if this.done {
                return Poll::Ready(None);
            }
            let told = ready!(this.told.poll_recv(context));
            this.write(told, &mut out);
        }
        // What waits already goes along: fewer writes to the connection.
        while !this.done
            && out.len() < AT_ONCE_BYTES
            && let Ok(told) = this.told.try_recv()
        {
            this.write(Some(told), &mut out);
        }
        Poll::Ready(Some(Ok(Frame::data(out.into()))))
    }
}
