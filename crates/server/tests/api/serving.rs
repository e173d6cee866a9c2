//! Over a socket: keep-alive, the largest body, closing while connections are open.

use std::time::Duration;

use lab3_engine::{Engine, Limits, MemoryStore, Policy, SystemClock};
use lab3_server::{App, ServerSettings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Served {
    engine: Engine,
    address: std::net::SocketAddr,
    close: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

async fn served() -> Served {
    let engine =
        Engine::start(std::sync::Arc::new(MemoryStore::new()), Policy::default(), std::sync::Arc::new(SystemClock), Limits::default());
    let engine = engine.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (close, closed) = oneshot::channel::<()>();
    let app = App::new(engine.clone(), ServerSettings::default());
    let serving = tokio::spawn(serve(listener, app, async { drop(closed.await) }));
    Served { engine, address, close, serving }
}

/// Sends a request and reads one reply, by its Content-Length.
async fn ask(connection: &mut TcpStream, head: &str, body: &str) -> (String, String) {
    let request = format!("{head}\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    connection.write_all(request.as_bytes()).await.unwrap();
    reply(connection).await
}

async fn reply(connection: &mut TcpStream) -> (String, String) {
    let mut read = Vec::new();
    let head_len = loop {
        let mut piece = [0; 4096];
        let len = connection.read(&mut piece).await.unwrap();
        assert!(len > 0, "the connection ended: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&piece[..len]);
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8(read[..head_len].to_vec()).unwrap();
    let len = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |len| len.parse().unwrap());
    let mut body = read[head_len..].to_vec();
    let had = body.len();
    body.resize(len, 0);
    connection.read_exact(&mut body[had..]).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let served = served().await;
    let mut connection = TcpStream::connect(served.address).await.unwrap();
    for _ in 0..3 {
        let (head, body) = ask(&mut connection, "GET /lab3/health HTTP/1.1", "").await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body.contains("\"lab\":\"lab3\""), "{head}{body}");
    }
    let body = "{\"to_did\":\"did:kaizen:alice\",\"amount\":1,\"reason\":\"test\"}";
    let (head, _) = ask(&mut connection, "POST /lab3/financial/mint HTTP/1.1", body).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let (head, body) = ask(&mut connection, "POST /lab3/financial/mint HTTP/1.1", "{").await;
    assert!(head.starts_with("HTTP/1.1 400 ") && head.contains("content-type: application/problem+json\r\n"), "{head}");
    assert!(body.contains("L3-0001"), "{body}");
    served.engine.stop();
}

/// The client has sent all of it before it reads: the refusal must still get through.
#[tokio::test]
async fn the_refusal_of_a_large_body_gets_through() {
    let served = served().await;
    let mut connection = TcpStream::connect(served.address).await.unwrap();
    let (head, body) = ask(&mut connection, "POST /lab3/financial/transfer HTTP/1.1", &" ".repeat(10 << 20)).await;
    assert!(head.starts_with("HTTP/1.1 413 ") && body.contains("L3-0012"), "{head}{body}");
    let (head, _) = ask(&mut connection, "GET /lab3/health HTTP/1.1", "").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "the connection goes on: {head}");
    served.engine.stop();
}

#[tokio::test]
async fn a_closing_desk_answers_what_is_under_way() {
    let served = served().await;
    let mut idle = TcpStream::connect(served.address).await.unwrap();
    ask(&mut idle, "GET /lab3/health HTTP/1.1", "").await;
    let mut halfway = TcpStream::connect(served.address).await.unwrap();
    let head = "POST /lab3/financial/mint HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 56\r\n\r\n";
    halfway.write_all(format!("{head}{{\"to_did\":").as_bytes()).await.unwrap();
    // The head has arrived when its connection is served; give it the time.
    tokio::time::sleep(Duration::from_millis(50)).await;
    served.close.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(TcpStream::connect(served.address).await.is_err(), "a closing desk takes no connections");
    halfway.write_all(b"\"did:kaizen:alice\",\"amount\":1,\"reason\":\"late\"}").await.unwrap();
    let (head, body) = reply(&mut halfway).await;
    assert!(head.starts_with("HTTP/1.1 200 ") && body.contains("\"mint\""), "{head}{body}");
    let ended = tokio::time::timeout(Duration::from_secs(5), served.serving).await;
    ended.expect("the idle connection does not keep the desk open").unwrap().unwrap();
    served.engine.stop();
}

/// Time is paused, so it passes at once when everybody waits.
#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed() {
    let served = served().await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    silent.write_all(b"GET /lab3/health HTT").await.unwrap();
    let mut talking = TcpStream::connect(served.address).await.unwrap();
    ask(&mut talking, "GET /lab3/health HTTP/1.1", "").await;
    let started = tokio::time::Instant::now();
    let mut rest = Vec::new();
    assert_eq!(silent.read_to_end(&mut rest).await.unwrap(), 0, "nothing is said to somebody who says nothing");
    assert!((50..150).contains(&started.elapsed().as_secs()), "after {:?}", started.elapsed());
    ask(&mut talking, "GET /lab3/health HTTP/1.1", "").await;
    assert_eq!(talking.read_to_end(&mut rest).await.unwrap(), 0);
    served.engine.stop();
}
