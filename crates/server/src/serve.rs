//! Answering on a listener until told to stop.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::{App, router};

/// Longest wait for requests under way when the desk closes.
const GRACE: Duration = Duration::from_secs(10);

/// Answers requests until `shutdown` resolves; then takes no more connections, finishes what is under way (for ten seconds at
/// most) and returns. The engine is left running: whoever started it stops it.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Replies are small and complete: waiting to send them together only costs time.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    let (closing, closed) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async move {
        shutdown.await;
        drop(closing);
    };
    let serving = axum::serve(listener, router(app)).with_graceful_shutdown(shutdown);
    let grace = async {
        let _ = closed.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => served,
        () = grace => {
            tracing::warn!("requests were still under way when the desk closed");
            Ok(())
        }
    }
}
