//! Answering on a listener until told to stop. Connections are bounded in number, and in how long they may say nothing or take
//! nothing of an answer.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::response::Response;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, interval_at};

use crate::{App, Peer, router};

/// Connections open at once; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 8192;

/// How long a connection may go without sending a whole request's head or taking a piece of its answer; up to twice that, as it
/// is looked at that often.
const IDLE: Duration = Duration::from_mins(1);

/// Largest head of a request, and most that is read ahead of a body.
const BUFFER_BYTES: usize = 64 * 1024;

/// Longest wait for requests under way when the desk closes.
const GRACE: Duration = Duration::from_secs(10);

/// Pause after a connection could not be accepted for lack of something, such as file descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers requests until `shutdown` resolves; then takes no more connections, finishes what is under way (for ten seconds at
/// most) and returns. The engine is left running: whoever started it stops it.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let signing = tokio::spawn(sign(app.clone()));
    let witnessing = tokio::spawn(ask_witnesses(app.clone()));
    let signer = app.clone();
    let router = router(app);
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (close, closing) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async { (accept(&listener).await, room.clone().acquire_owned().await) };
        let (stream, permit) = tokio::select! {
            (stream, Ok(permit)) = next => (stream, permit),
            () = &mut shutdown => break,
            else => break,
        };
        let open = signer.engine().trust().is_open();
        tokio::spawn(connection(stream, open, router.clone(), closing.clone(), permit));
    }
    drop((listener, closing));
    // Connections hold their ends of the channel: when the last is gone, everything under way is answered.
    close.send_replace(());
    if tokio::time::timeout(GRACE, close.closed()).await.is_err() {
        tracing::warn!("requests were still under way when the desk closed");
    }
    signing.abort();
    witnessing.abort();
    // What was done last is signed, too.
    if let Ok(checkpoints) = signer.checkpoints() {
        checkpoints.sign(signer.engine()).await;
    }
    Ok(())
}

/// Signs the journal's checkpoints for as long as it is polled.
async fn sign(app: App) {
    match app.checkpoints() {
        Ok(checkpoints) => checkpoints.run(app.engine()).await,
        Err(why) => tracing::warn!(why, "the journal's checkpoints are not signed"),
    }
}

/// Asks the journal's witnesses for as long as it is polled.
async fn ask_witnesses(app: App) {
    if let Ok(checkpoints) = app.checkpoints() {
        checkpoints.witnesses().run(app.engine(), checkpoints).await;
    }
}

/// The next connection that can be had.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Answers one connection's requests until it ends, falls silent, or the desk closes and its last request is answered; `open` is
/// whether the Hive was when it began.
async fn connection(stream: TcpStream, open: bool, router: axum::Router, mut closing: watch::Receiver<()>, _room: OwnedSemaphorePermit) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    // Before its first request: later the other end may be gone, and the system no longer tell whose it was. Only an open Hive
    // asks, and to look is to read through every connection of the machine.
    let peer = if open {
        let (Ok(remote), Ok(local)) = (stream.peer_addr(), stream.local_addr()) else { return };
        Some(Peer::of(remote, local))
    } else {
        None
    };
    let signs = Arc::new(Signs::default());
    let service = Watched { service: TowerToHyperService::new(router), signs: signs.clone(), peer };
    let mut http = http1::Builder::new();
    let mut answering = pin!(http.max_buf_size(BUFFER_BYTES).serve_connection(TokioIo::new(stream), service));
    // One timer a connection, not one a request: whoever gave no sign between two ticks, and waits for none of ours, is silent.
    let mut tick = interval_at(Instant::now() + IDLE, IDLE);
    let mut heard = 0;
    let ended = loop {
        tokio::select! {
            ended = &mut answering => break ended,
            _ = closing.changed() => {
                answering.as_mut().graceful_shutdown();
                break answering.await;
            }
            _ = tick.tick() => {
                let before = std::mem::replace(&mut heard, signs.given.load(Ordering::Relaxed));
                if before == heard && !signs.waits_for_us.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What a connection's client gives to see of itself.
#[derive(Debug, Default)]
struct Signs {
    /// Heads of requests that arrived, and pieces of answers that were taken.
    given: AtomicU64,
    /// The client waits for us: for an answer, or for more of it.
    waits_for_us: AtomicBool,
}

impl Signs {
    fn give(&self) {
        self.given.fetch_add(1, Ordering::Relaxed);
    }

    fn wait(&self, waits: bool) {
        self.waits_for_us.store(waits, Ordering::Relaxed);
    }
}

/// The router, watching its clients.
struct Watched {
    service: TowerToHyperService<axum::Router>,
    signs: Arc<Signs>,
    peer: Option<Peer>,
}

impl Service<Request<Incoming>> for Watched {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        self.signs.give();
        self.signs.wait(true);
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
        self.signs.wait(false);
        let signs = &self.signs;
        // An answer of known length is there as a whole; a stream may take its time.
        let watched = |body: Body| if body.size_hint().exact().is_some() { body } else { Body::new(Taken { body, signs: signs.clone() }) };
        Poll::Ready(answered.map(|response| response.map(watched)))
    }
}

/// A stream, watched while it is taken.
struct Taken {
    body: Body,
    signs: Arc<Signs>,
}

impl hyper::body::Body for Taken {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.signs.give();
        self.signs.wait(polled.is_pending());
        polled
    }
}
