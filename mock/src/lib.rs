//! A provider of answers nobody thought, for tests and benches: OpenAI, Anthropic, Gemini and Ollama on one port, scripted by the
//! model's name.
//!
//! `POST /v1/chat/completions`, `/v1/responses`, `/v1/embeddings` and `GET /v1/models` (also without `/v1`); `POST /v1/messages` and
//! `/v1/messages/count_tokens`; `POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent` (also under `/v1`, and with
//! or without `alt=sse`); `POST /api/chat`, `/api/generate` and `GET /api/tags`. Written from the protocols' public documentation, apart
//! from the gateway's own reading of it, so that the two do not share a mistake. [`Mock`] runs it in process, `lab3-mock` by itself.
//!
//! The way of a request: `desk` reads it in its `dialect`, reads the `script` in the model's name, enters it in the `books`, has the
//! dialect make a `plan` of events, and plays that as a `reply` over a `wire` that knows what has left.
//!
//! ```text
#![doc = include_str!("../FIELDS.txt")]
//! ```

mod books;
mod desk;
mod dialect;
mod plan;
mod reply;
mod script;
mod wire;
mod words;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

use crate::desk::{Desk, router};
use crate::script::Script;

pub use crate::script::FIELDS;

/// How a mock is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Fields that hold for every request whose model's name does not say otherwise, as in a name but without one before them.
    pub script: String,
    /// The models it says it has.
    pub models: Vec<String>,
    /// Bytes the system keeps of what a client does not read; `None` is as the system likes, some megabytes.
    pub send_buffer_bytes: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            script: String::new(),
            models: vec!["mock".to_owned()],
            send_buffer_bytes: None,
        }
    }
}

/// A mock on a listener, before it answers.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    desk: Arc<Desk>,
}

impl Server {
    /// Listens. Errors: the address cannot be had; the script has a field at fault ([`io::ErrorKind::InvalidInput`]).
    pub fn bind(settings: &Settings) -> io::Result<Self> {
        let base = Script::read(&format!(";{}", settings.script), &Script::default())
            .map_err(|message| io::Error::new(io::ErrorKind::InvalidInput, message))?;
        let socket = if settings.listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        if let Some(bytes) = settings.send_buffer_bytes {
            // Connections have it from their listener.
            socket.set_send_buffer_size(bytes)?;
        }
        socket.bind(settings.listen)?;
        Ok(Self { listener: socket.listen(4096)?, desk: Arc::new(Desk::new(base, settings.models.clone())) })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until the future is dropped, which ends all connections.
    pub async fn serve(self) {
        wire::serve(self.listener, router(self.desk)).await;
    }
}

/// A mock on a thread of its own, for tests. It ends when it is dropped.
#[derive(Debug)]
pub struct Mock {
    address: SocketAddr,
    desk: Arc<Desk>,
    /// Its being dropped is what ends the thread.
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Mock {
    /// Starts one on a free port of this machine.
    pub fn start() -> io::Result<Self> {
        Self::start_with(&Settings::default())
    }

    /// Starts one. Errors: as [`Server::bind`].
    pub fn start_with(settings: &Settings) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let server = {
            let _inside = runtime.enter();
            Server::bind(settings)?
        };
        let (address, desk) = (server.address()?, server.desk.clone());
        let (end, ended) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = server.serve() => {}
                    _ = ended => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("mock".to_owned()).spawn(serve)?;
        Ok(Self { address, desk, end: Some(end), thread: Some(thread) })
    }

    fn end(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What `GET /mock/stats` tells.
    pub fn stats(&self) -> serde_json::Value {
        self.desk.books().told()
    }

    /// Ends it, connections included, and tells what [`stats`](Self::stats) would have told last.
    pub fn stop(mut self) -> serde_json::Value {
        self.end();
        self.stats()
    }

    /// Begins the books anew, as `POST /mock/reset` does.
    pub fn reset(&self) {
        self.desk.reset();
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.end();
    }
}
