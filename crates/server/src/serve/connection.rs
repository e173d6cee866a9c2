//! One connection: its requests are answered until it ends, is left, or the desk closes and its last request is answered.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::response::Response;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, interval_at};

use super::Place;
use super::watch::{LOOK_EVERY, Signs, Watch};
use super::wire::Wire;
use crate::Peer;

/// Largest head of a request, and most that is read ahead of a body.
const BUFFER_BYTES: usize = 64 * 1024;

/// What a connection needs to be answered.
pub(super) struct Connection {
    /// Whether the Hive was open when it began.
    pub(super) open: bool,
    pub(super) router: axum::Router,
    /// Resolves when the desk closes.
    pub(super) closing: Receiver<()>,
    /// Given back when it ends.
    pub(super) place: Place,
}

impl Connection {
    /// Answers.
    pub(super) async fn answer(self, stream: TcpStream) {
        let Some(peer) = self.peer(&stream) else { return };
        let Self { router, mut closing, place: _place, .. } = self;
        let signs = Arc::new(Signs::default());
        let service = Watched { service: TowerToHyperService::new(router), signs: signs.clone(), peer };
        let wire = TokioIo::new(Wire { stream, signs: signs.clone() });
        let mut http = http1::Builder::new();
        let mut answering = pin!(http.max_buf_size(BUFFER_BYTES).serve_connection(wire, service));
        let began = Instant::now();
        let (mut watch, mut tick) = (Watch::new(began), interval_at(began + LOOK_EVERY, LOOK_EVERY));
        let ended = loop {
            tokio::select! {
                ended = &mut answering => break ended,
                _ = closing.changed() => {
                    answering.as_mut().graceful_shutdown();
                    break answering.await;
                }
                now = tick.tick() => {
                    if watch.look(&signs, now) {
                        return;
                    }
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }

    /// Who is at the other end, asked before the first request: later it may be gone, and the system no longer tell whose it was. Only
    /// an open Hive asks for the user: to look is to read through every connection of the machine.
    fn peer(&self, stream: &TcpStream) -> Option<Peer> {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let (remote, local) = (stream.peer_addr().ok()?, stream.local_addr().ok()?);
        Some(if self.open { Peer::of(remote, local) } else { Peer { remote, trusted_user: None } })
    }
}

/// The router, watching its clients.
struct Watched {
    service: TowerToHyperService<axum::Router>,
    signs: Arc<Signs>,
    peer: Peer,
}

impl Service<Request<Incoming>> for Watched {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.signs.begin();
        Answer { answer: Box::pin(self.service.call(request)), signs: self.signs.clone() }
    }
}

/// An answer on its way.
struct Answer {
    answer: Pin<Box<<TowerToHyperService<axum::Router> as Service<Request<Incoming>>>::Future>>,
    signs: Arc<Signs>,
}

impl Future for Answer {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answered = std::task::ready!(self.answer.as_mut().poll(context));
        let signs = &self.signs;
        Poll::Ready(answered.map(|response| {
            response.map(|body| {
                // An answer of known length is there as a whole; a stream may take its time.
                if body.size_hint().exact().is_some() {
                    signs.rest();
                    body
                } else {
                    Body::new(Coming { body, signs: signs.clone() })
                }
            })
        }))
    }
}

/// A stream that still comes.
struct Coming {
    body: Body,
    signs: Arc<Signs>,
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.signs.rest();
    }
}

impl hyper::body::Body for Coming {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
