//! An open loop: requests leave at a fixed rate, whether or not earlier ones were answered, so that a slow server cannot slow
//! its own load down. Well-kept generators time whole replies only; here the first word of a stream counts, too.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Failure;

/// What is asked, over and over.
#[derive(Clone)]
pub struct Query {
    /// `127.0.0.1:port`.
    pub address: String,
    /// Such as `/v1/chat/completions`.
    pub path: &'static str,
    /// The body.
    pub body: String,
    /// Headers beside those of every query.
    pub headers: Vec<(&'static str, String)>,
    /// What stands in every good answer, and is waited for as its first word.
    pub word: &'static [u8],
}

/// How long one request took.
#[derive(Clone, Copy)]
pub struct Shot {
    /// From sending it to the first word of the answer.
    pub first_word: Duration,
    /// To the answer's end.
    pub whole: Duration,
}

type Idle = Rc<RefCell<Vec<SendRequest<Full<Bytes>>>>>;

/// Sends so many requests a second for so long; an answer other than 200 is a failure of the bench.
pub fn open_loop(query: &Query, rate: u32, seconds: u32) -> Result<Vec<Shot>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let idle = Idle::default();
        let (count, began) = (rate * seconds, Instant::now());
        let mut shots = Vec::new();
        for n in 0..count {
            let due = began + Duration::from_secs(1) * n / rate;
            if due > Instant::now() {
                tokio::time::sleep_until(due.into()).await;
            }
            let (query, idle) = (query.clone(), idle.clone());
            shots.push(tokio::task::spawn_local(async move { shoot(&query, n, &idle).await.map_err(|error| error.to_string()) }));
        }
        let mut taken = Vec::new();
        for shot in shots {
            taken.push(shot.await??);
        }
        // Connections are made and rules learned in the first tenth.
        Ok(taken.split_off(taken.len() / 10))
    })
}

async fn shoot(query: &Query, n: u32, idle: &Idle) -> Result<Shot, Failure> {
    let free = idle.borrow_mut().pop();
    let mut connection = match free {
        Some(connection) if !connection.is_closed() => connection,
        _ => connect(&query.address).await?,
    };
    let request = query.headers.iter().fold(Request::post(query.path), |request, (name, value)| request.header(*name, value));
    let request = request
        .header("host", &query.address)
        .header("content-type", "application/json")
        .header("x-citizen-did", format!("did:kaizen:citizen-{:04}", n % 1000))
        .body(Full::new(Bytes::from(query.body.clone())))?;
    let sent = Instant::now();
    let reply = connection.send_request(request).await?;
    let status = reply.status();
    let mut body = reply.into_body();
    let (mut first_word, mut said) = (None, Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if first_word.is_none() {
            said.extend_from_slice(&data);
            first_word = said.windows(query.word.len()).any(|part| part == query.word).then(|| sent.elapsed());
        }
    }
    let whole = sent.elapsed();
    let first_word = first_word.filter(|_| status == 200);
    let first_word = first_word.ok_or_else(|| format!("{status}: {}", String::from_utf8_lossy(&said)))?;
    idle.borrow_mut().push(connection);
    Ok(Shot { first_word, whole })
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    Ok(sender)
}

/// Opens so many streams, reads of each only that it began, and runs `meanwhile` while all are open.
pub fn unread<T>(query: &Query, streams: u32, meanwhile: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let mut open = Vec::new();
        for n in 0..streams {
            let mut stream = TcpStream::connect(&query.address).await?;
            let head = format!(
                "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nx-citizen-did: did:kaizen:citizen-{:04}\r\n\
                 content-length: {}\r\n\r\n{}",
                query.path,
                query.address,
                n % 1000,
                query.body.len(),
                query.body
            );
            tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await?;
            let mut status = [0; 12];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut status).await?;
            if &status != b"HTTP/1.1 200" {
                return Err(format!("a stream did not begin: {}", String::from_utf8_lossy(&status)).into());
            }
            open.push(stream);
        }
        meanwhile()
    })
}
