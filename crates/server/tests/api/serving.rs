//! Over a socket: keep-alive, the largest body, closing while connections are open.

use std::time::Duration;

use lab3_engine::{Engine, Limits, MemoryStore, Policy, SystemClock};
use lab3_server::{App, LimitSettings, ServerSettings, serve};
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
    served_with(LimitSettings::default()).await
}

async fn served_with(limits: LimitSettings) -> Served {
    let engine =
        Engine::start(std::sync::Arc::new(MemoryStore::new()), Policy::default(), std::sync::Arc::new(SystemClock), Limits::default());
    let engine = engine.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (close, closed) = oneshot::channel::<()>();
    let app = App::new(engine.clone(), ServerSettings { limits, ..ServerSettings::default() });
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

/// Waits until the other end has closed; for how many seconds it was open, and whether anything was said.
async fn closed(connection: &mut TcpStream, since: tokio::time::Instant) -> (u64, bool) {
    let mut rest = Vec::new();
    let said = connection.read_to_end(&mut rest).await.unwrap_or(0);
    (since.elapsed().as_secs(), said > 0)
}

/// Time is paused, so it passes at once when everybody waits.
#[tokio::test(start_paused = true)]
async fn who_sends_no_whole_head_is_left() {
    let served = served().await;
    let began = tokio::time::Instant::now();
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    let mut halfway = TcpStream::connect(served.address).await.unwrap();
    halfway.write_all(b"GET /lab3/health HTT").await.unwrap();
    for connection in [&mut silent, &mut halfway] {
        let (seconds, said) = closed(connection, began).await;
        assert!((10..20).contains(&seconds) && !said, "after {seconds} s");
    }
    // A line of a head every second, which never ends.
    let began = tokio::time::Instant::now();
    let mut slow = TcpStream::connect(served.address).await.unwrap();
    slow.write_all(b"GET /lab3/health HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
    let seconds = loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if slow.write_all(b"X-a: b\r\n").await.is_err() {
            break began.elapsed().as_secs();
        }
    };
    assert!((10..20).contains(&seconds), "after {seconds} s");
    served.engine.stop();
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_a_minute() {
    let served = served().await;
    let mut talking = TcpStream::connect(served.address).await.unwrap();
    for _ in 0..5 {
        ask(&mut talking, "GET /lab3/health HTTP/1.1", "").await;
        tokio::time::sleep(Duration::from_secs(50)).await;
    }
    ask(&mut talking, "GET /lab3/health HTTP/1.1", "").await;
    let (seconds, said) = closed(&mut talking, tokio::time::Instant::now()).await;
    assert!((55..75).contains(&seconds) && !said, "after {seconds} s");
    served.engine.stop();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_byte_by_byte_is_refused() {
    let served = served().await;
    let mut slow = TcpStream::connect(served.address).await.unwrap();
    let head = "POST /lab3/financial/mint HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    let began = tokio::time::Instant::now();
    let mut half = [0; 4096];
    let refused = loop {
        if slow.write_all(b" ").await.is_err() {
            break String::new();
        }
        if let Ok(len) = tokio::time::timeout(Duration::from_secs(1), slow.read(&mut half)).await {
            break String::from_utf8_lossy(&half[..len.unwrap()]).into_owned();
        }
    };
    let seconds = began.elapsed().as_secs();
    assert!(refused.starts_with("HTTP/1.1 400 ") && refused.contains("L3-0001") && (9..20).contains(&seconds), "{seconds}: {refused}");
    served.engine.stop();
}

/// Asks much and reads nothing: what fits into the system's buffers leaves, and then nothing more.
#[tokio::test(start_paused = true)]
async fn who_takes_nothing_of_an_answer_is_left() {
    const ASKED: usize = 400;
    let served = served().await;
    let began = tokio::time::Instant::now();
    let mut deaf = TcpStream::connect(served.address).await.unwrap();
    let request = "GET /lab3/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    deaf.write_all(request.repeat(ASKED).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(150)).await;
    let mut said = Vec::new();
    // Cut off: the end comes, or the news that it was cut.
    let _ = deaf.read_to_end(&mut said).await;
    let answers = String::from_utf8_lossy(&said).matches("HTTP/1.1 200 OK").count();
    assert!(answers < ASKED, "all {ASKED} answers came");
    // One who reads gets them all.
    let mut hearing = TcpStream::connect(served.address).await.unwrap();
    for _ in 0..20 {
        hearing.write_all(request.as_bytes()).await.unwrap();
        let (head, body) = reply(&mut hearing).await;
        assert!(head.starts_with("HTTP/1.1 200 ") && body.len() > 100_000, "{head}");
    }
    assert!(began.elapsed() < Duration::from_mins(10));
    served.engine.stop();
}

#[tokio::test]
async fn heads_are_bounded() {
    let served = served().await;
    let refused = async |head: String| {
        let mut connection = TcpStream::connect(served.address).await.unwrap();
        let _ = connection.write_all(format!("{head}\r\n\r\n").as_bytes()).await;
        let mut said = vec![0; 32];
        let len = connection.read(&mut said).await.unwrap_or(0);
        String::from_utf8_lossy(&said[..len]).get(9..12).unwrap_or_default().to_owned()
    };
    let with = |more: &str| format!("GET /lab3/health HTTP/1.1\r\nHost: localhost\r\n{more}");
    let path = |len: usize| format!("GET /lab3/health?{} HTTP/1.1\r\nHost: localhost", "a".repeat(len));
    assert_eq!(refused(with("X: y")).await, "200");
    // 100 lines; 64 KB, to which what was read at once is added before it is looked at; a path and query of 64 KB.
    assert_eq!(refused(with(&(0..98).map(|n| format!("X{n}: y")).collect::<Vec<_>>().join("\r\n"))).await, "200");
    assert_eq!(refused(with(&(0..200).map(|n| format!("X{n}: y")).collect::<Vec<_>>().join("\r\n"))).await, "431");
    assert_eq!(refused(with(&format!("X: {}", "y".repeat(200_000)))).await, "431");
    assert_eq!(refused(path(60_000)).await, "400");
    assert!(["414", "431"].contains(&&*refused(path(65_600)).await));
    served.engine.stop();
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let served = served_with(LimitSettings { connections_per_address: 3, ..LimitSettings::default() }).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut connection = TcpStream::connect(served.address).await.unwrap();
        ask(&mut connection, "GET /lab3/health HTTP/1.1", "").await;
        open.push(connection);
    }
    let mut one_more = TcpStream::connect(served.address).await.unwrap();
    let refused = tokio::time::timeout(Duration::from_secs(10), reply(&mut one_more)).await;
    let (head, _) = refused.expect("a connection too many is refused");
    assert!(head.starts_with("HTTP/1.1 429 ") && head.contains("retry-after: 10\r\n"), "{head}");
    assert_eq!(one_more.read(&mut [0; 1]).await.unwrap(), 0);
    // Those who are there go on, and who leaves makes room.
    ask(&mut open[0], "GET /lab3/health HTTP/1.1", "").await;
    drop(open.pop());
    let let_in = async {
        loop {
            let mut next = TcpStream::connect(served.address).await.unwrap();
            next.write_all(b"GET /lab3/health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
            if reply(&mut next).await.0.starts_with("HTTP/1.1 200 ") {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), let_in).await.expect("who leaves makes room");
    served.engine.stop();
}
