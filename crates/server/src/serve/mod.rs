//! Answering on a listener until told to stop. Connections are bounded in number, altogether and from one address, and in how long they
//! may say nothing, speak slowly, or take nothing of an answer.

mod connection;
mod descriptors;
mod watch;
mod wire;

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt::set_socket_send_buffer_size;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch as channel};

use crate::limits::{Connections, Network, OpenConnection};
use crate::{App, router};
use connection::Connection;

/// Longest wait for requests under way when the desk closes.
const GRACE: Duration = Duration::from_secs(10);

/// Pause after a connection could not be accepted for lack of something, such as file descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// What the system keeps of an answer that is not taken, for each connection: it takes twice that. By itself it would keep a megabyte and
/// more of each, which costs the copying as well as the memory.
const SEND_BUFFER_BYTES: usize = 128 << 10;

/// What somebody hears who has as many connections as an address may have. He may not hear it: nothing of his is read.
const TOO_MANY_CONNECTIONS: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 10\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Answers requests until `shutdown` resolves; then takes no more connections, finishes what is under way (for ten seconds at
/// most) and returns. The engine is left running: whoever started it stops it.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let signing = tokio::spawn(sign(app.clone()));
    let witnessing = tokio::spawn(ask_witnesses(app.clone()));
    let following = tokio::spawn(crate::carbon::follow(app.clone()));
    let planning = tokio::spawn(crate::site::follow(app.clone()));
    let signer = app.clone();
    let mut door = Door::new(listener, &app);
    let router = router(app);
    let (close, closing) = channel::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, place) = tokio::select! {
            next = door.next() => next,
            () = &mut shutdown => break,
        };
        let open = signer.engine().trust().is_open();
        let connection = Connection { open, router: router.clone(), closing: closing.clone(), place };
        tokio::spawn(connection.answer(stream));
    }
    drop((door, closing));
    // Connections hold their ends of the channel: when the last is gone, everything under way is answered.
    close.send_replace(());
    if tokio::time::timeout(GRACE, close.closed()).await.is_err() {
        tracing::warn!("requests were still under way when the desk closed");
    }
    signing.abort();
    witnessing.abort();
    following.abort();
    planning.abort();
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

/// Where connections come in.
struct Door {
    listener: TcpListener,
    room: Arc<Semaphore>,
    per_address_max: usize,
    connections: Connections,
    /// One that waits for room.
    waiting: Option<(TcpStream, OpenConnection)>,
}

/// The place of a connection that was let in.
pub(super) struct Place {
    _room: OwnedSemaphorePermit,
    _of_address: OpenConnection,
}

impl Door {
    fn new(listener: TcpListener, app: &App) -> Self {
        let limits = app.limits().settings();
        descriptors::reach(limits.connections_max);
        // Connections have it from the listener.
        if let Err(error) = set_socket_send_buffer_size(&listener, SEND_BUFFER_BYTES) {
            tracing::warn!(%error, "what the system keeps of answers that are not taken is not bounded");
        }
        let room = Arc::new(Semaphore::new(limits.connections_max));
        Self { listener, room, per_address_max: limits.connections_per_address, connections: Connections::default(), waiting: None }
    }

    /// The next connection that can be had, and its place. May be dropped and called again.
    async fn next(&mut self) -> (TcpStream, Place) {
        loop {
            if self.waiting.is_none() {
                self.waiting = Some(self.accept().await);
            }
            // Never closed, so this gives a permit.
            let room = self.room.clone().acquire_owned().await;
            if let (Ok(room), Some((stream, of_address))) = (room, self.waiting.take()) {
                return (stream, Place { _room: room, _of_address: of_address });
            }
        }
    }

    /// The next connection whose address has not too many.
    async fn accept(&self) -> (TcpStream, OpenConnection) {
        loop {
            match self.listener.accept().await {
                Ok((stream, remote)) => match self.connections.open(Network::of(remote.ip()), self.per_address_max) {
                    Some(of_address) => return (stream, of_address),
                    None => drop(stream.try_write(TOO_MANY_CONNECTIONS)),
                },
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
