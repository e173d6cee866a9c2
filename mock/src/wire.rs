//! Connections: answering on a listener, knowing what left the process, and closing in mid-answer when a script says so.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::books::Visit;

/// What a connection's handler and its socket know of each other.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    load: Mutex<Load>,
    cut: AtomicBool,
}

/// What a connection carries.
#[derive(Debug, Default)]
struct Load {
    visit: Option<Arc<Visit>>,
    /// Bytes of the body that have left; `None` while its head has not.
    left: Option<u64>,
    /// Bytes of the head that have still to leave.
    head: u64,
}

/// Marks a response that is not to be sent: the connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Close;

impl Wire {
    /// What leaves from now on belongs to this request.
    pub(crate) fn carry(&self, visit: Arc<Visit>) {
        self.set(Load { visit: Some(visit), ..Load::default() });
    }

    /// Closes the connection once everything written has left.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Relaxed);
    }

    fn set(&self, load: Load) {
        // The one before is dropped after the lock: it writes its end into the books.
        let _before = std::mem::replace(&mut *self.load(), load);
    }

    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This is about to leave. What leaves first of an answer is its head, whole.
    fn leaves(&self, bytes: &[u8]) {
        let mut load = self.load();
        if load.visit.is_some() && load.left.is_none() {
            let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
            (load.left, load.head) = (Some(0), u64::try_from(head).unwrap_or(u64::MAX));
        }
    }

    /// So many bytes have left.
    fn left(&self, bytes: usize) {
        let mut load = self.load();
        let Load { visit: Some(visit), left: Some(left), head } = &mut *load else {
            return;
        };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let of_head = bytes.min(*head);
        *head -= of_head;
        *left += bytes - of_head;
        if visit.left(*left) {
            drop(load);
            self.set(Load::default());
        }
    }
}

/// Answers until the process ends or the task is dropped.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(stream, router.clone()))),
                // Out of files, as a rule: others close soon.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    // Only slower without it.
    let _ = stream.set_nodelay(true);
    let wire = Arc::new(Wire::default());
    let socket = Socket { stream, wire: wire.clone() };
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(wire.clone());
        let answering = router.call(request);
        async move {
            let Ok(response) = answering.await;
            if response.extensions().get::<Close>().is_some() {
                Err(io::Error::from(io::ErrorKind::ConnectionAborted))
            } else {
                Ok(response)
            }
        }
    });
    // A client that goes, or is cut, is in the books; there is nobody else to tell.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
}

/// A socket that says what has left.
struct Socket {
    stream: TcpStream,
    wire: Arc<Wire>,
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.wire.leaves(bytes);
        let count = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.wire.left(count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.wire.leaves(slices.first().map_or(&[], |slice| slice));
        let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, slices))?;
        self.wire.left(count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when nothing written waits any more.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        let cut = self.wire.cut.load(Relaxed);
        Poll::Ready(if cut { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) })
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
