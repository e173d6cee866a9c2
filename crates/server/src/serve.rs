//! Answering on a listener until told to stop. Connections are bounded in number, and in how long they may say nothing.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, interval_at};

use crate::{App, router};

/// Connections open at once; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 8192;

/// How long a connection may go without sending a whole request's head; up to twice that, as it is looked at that often.
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
        tokio::spawn(connection(stream, router.clone(), closing.clone(), permit));
    }
    drop((listener, closing));
    // Connections hold their ends of the channel: when the last is gone, everything under way is answered.
    close.send_replace(());
    if tokio::time::timeout(GRACE, close.closed()).await.is_err() {
        tracing::warn!("requests were still under way when the desk closed");
    }
    Ok(())
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

/// Answers one connection's requests until it ends, falls silent, or the desk closes and its last request is answered.
async fn connection(stream: TcpStream, router: axum::Router, mut closing: watch::Receiver<()>, _room: OwnedSemaphorePermit) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let heads = Arc::new(AtomicU64::new(0));
    let service = Counted { service: TowerToHyperService::new(router), heads: heads.clone() };
    let mut http = http1::Builder::new();
    let mut answering = pin!(http.max_buf_size(BUFFER_BYTES).serve_connection(TokioIo::new(stream), service));
    // One timer a connection, not one a request: whoever sent no whole head between two ticks is silent.
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
                let before = std::mem::replace(&mut heard, heads.load(Ordering::Relaxed));
                if before == heard {
                    return;
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The router, counting the requests whose heads arrived.
struct Counted {
    service: TowerToHyperService<axum::Router>,
    heads: Arc<AtomicU64>,
}

impl Service<Request<Incoming>> for Counted {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = <TowerToHyperService<axum::Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.heads.fetch_add(1, Ordering::Relaxed);
        self.service.call(request)
    }
}
