//! Clients that ask for long answers and then read nothing.
//!
//! Shown: the desk keeps no more than a stated number of bytes for each of them, however much their providers have to say; the
//! providers are made to wait; others are answered meanwhile; and when the clients leave, everything is settled.
//!
//! And an answer that takes long comes whole: a connection on which one is under way is not silent.
//!
//! `LAB3_SLOW_READERS` sets how many there are (200), `LAB3_ANSWER_SECONDS` how long the long answer takes (3; 130 in `make faults`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use lab3_mock::{Mock, Settings};
use lab3_tests::gateway::{self, Played};
use lab3_tests::{Desk, Folder, setting, wait};
use serde_json::json;

/// What the desk's memory grows by for each of these clients at most, in bytes. What the system keeps of their connections is not in it.
const BYTES_EACH_MAX: u64 = 512 << 10;

/// For this long no provider may send anything more.
const STILL: Duration = Duration::from_secs(2);

/// Longest wait for the providers to be made to wait. All that fits into the system's buffers must pass first.
const PATIENCE: Duration = Duration::from_mins(3);

/// Tokens of each answer: more than all buffers hold.
const TOKENS: u64 = 10_000_000;

/// Not `/v1/responses`, whose last events repeat the answer: what was said so far must be kept there.
const PATHS: [&str; 3] = ["/v1/chat/completions", "/v1/messages", "/api/chat"];

/// Answers of some 40 MB: `quick` in events of 4 KB, `words` in events of one word, of which a chunk of the stream holds many.
fn models(played: &Played) -> Vec<String> {
    let name = played.name;
    vec![
        format!("plain-{name};tokens=5;input=7"),
        format!("quick-{name};tokens={TOKENS};per_event=1000;input=7"),
        format!("words-{name};tokens={TOKENS};per_event=1;input=7"),
    ]
}

#[test]
fn who_reads_nothing_costs_little_memory() {
    let (folder, many) = (Folder::new("slow"), setting("LAB3_SLOW_READERS", 200));
    let mock = Mock::start_with(&Settings { send_buffer_bytes: Some(64 << 10), ..Settings::default() }).unwrap();
    let longest = gateway::PLAYED.map(|played| format!("providers.{}.output_tokens_max={TOKENS}", played.name));
    let mut settings = vec!["compute.quota_gic=1000000000", "log.level=error"];
    settings.extend(longest.iter().map(String::as_str));
    let desk = gateway::open(&folder, &mock, models, &settings);
    // What is made once, at the first queries, is not theirs.
    assert!(ask(&desk, "did:kaizen:bob", "plain-deepseek;tokens=5;input=7").contains("tok"));
    let before = resident(desk.pid());
    let started = Instant::now();
    let readers = (0..many).map(|n| open(&desk, usize::try_from(n).unwrap())).collect::<Vec<_>>();
    let sent = stands_still(&mock, many);
    let (after, took) = (resident(desk.pid()), started.elapsed());
    let each = after.saturating_sub(before) / many;
    println!("{many} clients that read nothing: {} KB of memory each, {sent} tokens until {took:.1?}", each >> 10);
    let asked = Instant::now();
    assert!(ask(&desk, "did:kaizen:bob", "plain-openai_gpt4;tokens=5;input=7").contains("tok"));
    println!("somebody else was answered in {:.1?}", asked.elapsed());
    drop(readers);
    wait::until("everybody to be settled", || (gateway::allowance(&desk.client(), "did:kaizen:alice").held == 0).then_some(()));
    wait::until("the providers to be left", || (mock.stats()["open"] == 0).then_some(()));
    assert!(gateway::allowance(&desk.client(), "did:kaizen:alice").used > 0);
    desk.stop();
    assert!(each <= BYTES_EACH_MAX, "{} KB of memory for each client that reads nothing", each >> 10);
}

#[test]
fn a_long_answer_comes_whole() {
    let (folder, mock) = (Folder::new("long-answer"), Mock::start().unwrap());
    let tokens = setting("LAB3_ANSWER_SECONDS", 3);
    let models = |played: &Played| vec![format!("long-{};tokens={tokens};gap_ms=1000;input=7", played.name)];
    let desk = gateway::open(&folder, &mock, models, &[]);
    let text = ask(&desk, "did:kaizen:bob", "deepseek");
    assert_eq!(u64::try_from(text.matches("tok ").count()).unwrap(), tokens, "{text}");
    desk.stop();
}

/// Asks for a long answer, and reads the beginning of its head only.
fn open(desk: &Desk, n: usize) -> TcpStream {
    let played = gateway::PLAYED[n % gateway::PLAYED.len()];
    let path = PATHS[(n / gateway::PLAYED.len()) % PATHS.len()];
    let model = &models(&played)[if n.is_multiple_of(9) { 2 } else { 1 }];
    let messages = json!([{"role": "user", "content": "hello there"}]);
    let body = match path {
        "/v1/messages" => json!({"model": model, "stream": true, "messages": messages, "max_tokens": TOKENS}),
        _ => json!({"model": model, "stream": true, "messages": messages}),
    };
    let body = body.to_string();
    let mut stream = TcpStream::connect(desk.address()).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nx-citizen-did: did:kaizen:alice\r\ncontent-type: application/json\r\n");
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let mut start = [0; 15];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK", "{path} {model}");
    stream
}

/// Waits until the providers have sent nothing for a while, and all of them have more to say; how many tokens they sent by then.
fn stands_still(mock: &Mock, many: u64) -> u64 {
    let (mut last, mut since) = (0, Instant::now());
    wait::at_most(PATIENCE, "the providers to be made to wait", || {
        let stats = mock.stats();
        let sent = stats["tokens_sent"].as_u64().unwrap();
        if sent != last {
            (last, since) = (sent, Instant::now());
        }
        assert_eq!(stats["open"], many, "an answer came to its end");
        (since.elapsed() >= STILL).then_some(sent)
    })
}

/// Asks and gets the whole answer.
fn ask(desk: &Desk, did: &str, model: &str) -> String {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "hello there"}]});
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).proxy(None);
    let request = config.build().new_agent().post(format!("{}/v1/chat/completions", desk.url())).header("x-citizen-did", did);
    let mut response = request.header("content-type", "application/json").send(body.to_string()).unwrap();
    response.body_mut().read_to_string().unwrap()
}

/// Memory of a process that is in use, in bytes.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}
