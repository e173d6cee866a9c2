//! The client against a fake desk: what it sends, what it shows, when it asks again.

use super::*;
use crate::fake_desk::{Answer, desk, desk_replying};

const PROBLEM: &str = r#"{"type": "/lab3/errors/L3-0040", "title": "Not enough MIC", "status": 402, "code": "L3-0040",
    "field": "amount", "detail": "did:kaizen:alice has 10.0 MIC available; 50.0005 are needed."}"#;

fn transfer() -> Path {
    Path::new("/lab3/financial/transfer")
}

#[test]
fn a_refusal_shows_code_title_detail_field_and_help() {
    let (client, _asked) = desk_replying(402, PROBLEM);
    let refused = client.post(&transfer(), "{}", None).unwrap_err();
    let expected = "error[L3-0040]: Not enough MIC\n  did:kaizen:alice has 10.0 MIC available; 50.0005 are needed.\n  field: amount\n  help: lab3 explain L3-0040";
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn a_reply_that_is_no_problem_document_is_shown_as_it_is() {
    let (client, _asked) = desk_replying(502, "<h1>Bad\u{1b}[2J Gateway</h1>");
    let refused = client.get(&Path::new("/lab3/health")).unwrap_err();
    let expected = "error: the server answered 502 with something this client does not understand\n  <h1>Bad\u{fffd}[2J Gateway</h1>";
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn a_desk_that_is_closed_is_said_so_with_how_to_open_one() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let client = Client::new(&url, Secret::default()).unwrap().pausing_with(|_| panic!("it must not wait"));
    let closed = client.post(&transfer(), "{}", None).unwrap_err();
    let expected = format!("error: no desk answers at {url}\n  help: start one with `lab3 serve`, or name another with --url or LAB3_URL");
    assert_eq!(closed.to_string(), expected);
}

#[test]
fn a_write_is_repeated_with_the_same_key_until_its_outcome_is_known() {
    let (client, asked) = desk(|count, _| match count {
        0 => Answer::HangUp,
        1 => Answer::Reply(503, "Retry-After: 1\r\n", "{}".to_owned()),
        _ => Answer::Reply(200, "Idempotency-Replayed: true\r\n", r#"{"tx_id": "tx_1"}"#.to_owned()),
    });
    let reply = client.post(&transfer(), r#"{"amount": 1}"#, None).unwrap();
    assert_eq!((reply.status, reply.replayed, &*reply.body), (200, true, r#"{"tx_id": "tx_1"}"#));
    let requests: Vec<_> = asked.try_iter().collect();
    assert_eq!(requests.len(), 3);
    let key = requests[0].header("idempotency-key").unwrap();
    assert_eq!(key.len(), 36, "a UUID: {key}");
    for request in &requests {
        assert_eq!(request.line, "POST /lab3/financial/transfer HTTP/1.1");
        assert_eq!(request.header("idempotency-key"), Some(key));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("authorization"), Some("Bearer a-token-of-sixteen"));
        assert_eq!(request.body, r#"{"amount": 1}"#);
    }
}

#[test]
fn two_writes_have_two_keys() {
    let (client, asked) = desk_replying(200, "{}");
    client.post(&transfer(), "{}", None).unwrap();
    client.post(&transfer(), "{}", None).unwrap();
    let keys: Vec<_> = asked.try_iter().map(|request| request.header("idempotency-key").unwrap().to_owned()).collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn asking_again_ends_and_names_the_key() {
    let (client, asked) = desk(|_, _| Answer::HangUp);
    let lost = client.post(&transfer(), "{}", Some("invoice-17")).unwrap_err().to_string();
    assert_eq!(asked.try_iter().count(), 5);
    assert!(lost.starts_with("error: no reply from http://127.0.0.1:"), "{lost}");
    let end =
        "\n  Whether it was done is unknown.\n  help: repeat the command with --key invoice-17: it is done once, however often it is sent";
    assert!(lost.ends_with(end), "{lost}");
}

#[test]
fn a_desk_that_stays_busy_is_told_in_its_own_words() {
    let busy = r#"{"code": "L3-0090", "title": "The desk is busy", "status": 503, "detail": "Try again in a second."}"#;
    let (client, asked) = desk_replying(503, busy);
    let refused = client.get(&Path::new("/lab3/compute/stats")).unwrap_err();
    assert_eq!(refused.to_string(), "error[L3-0090]: The desk is busy\n  Try again in a second.\n  help: lab3 explain L3-0090");
    let requests: Vec<_> = asked.try_iter().collect();
    assert_eq!(requests.len(), 5);
    assert_eq!(requests[0].header("authorization"), Some("Bearer a-token-of-sixteen"), "a closed Hive tells nothing to nobody");
}

#[test]
fn the_servers_pause_is_honoured_within_bounds() {
    static PAUSES: std::sync::Mutex<Vec<Duration>> = std::sync::Mutex::new(Vec::new());
    let (client, _asked) = desk(|count, _| match count {
        0 => Answer::Reply(503, "Retry-After: 2\r\n", String::new()),
        1 => Answer::Reply(503, "Retry-After: 86400\r\n", String::new()),
        2 => Answer::Reply(503, "", String::new()),
        _ => Answer::Reply(200, "", "{}".to_owned()),
    });
    client.pausing_with(|pause| PAUSES.lock().unwrap().push(pause)).get(&Path::new("/lab3/health")).unwrap();
    assert_eq!(*PAUSES.lock().unwrap(), [Duration::from_secs(2), PAUSE_MAX, Duration::from_millis(1600)]);
}

#[test]
fn the_desk_is_named_by_flag_then_variable_then_default() {
    let desk = |url: Option<&str>| DeskArgs { url: url.map(str::to_owned), json: false };
    let env = |name: &str| (name == "LAB3_URL").then(|| "http://10.0.0.1:1/".to_owned());
    assert_eq!(Client::of(&desk(Some("https://hive.example")), &env).unwrap().url(), "https://hive.example");
    assert_eq!(Client::of(&desk(None), &env).unwrap().url(), "http://10.0.0.1:1");
    assert_eq!(Client::of(&desk(None), &|_| None).unwrap().url(), DEFAULT_URL);
    for wrong in ["127.0.0.1:8003", "ftp://x", "http://", "", "hive example"] {
        let error = Client::of(&desk(Some(wrong)), &env).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), format!("error: {wrong:?} is not a URL such as http://127.0.0.1:8003"));
    }
}

#[test]
fn what_cannot_be_sent_is_not_tried_again() {
    let client = Client::new("http://127.0.0.1:1", Secret::new("a\nb")).unwrap().pausing_with(|_| panic!("it must not wait"));
    let error = client.post(&transfer(), "{}", None).unwrap_err().to_string();
    assert!(error.starts_with("error: no reply from http://127.0.0.1:1: http"), "{error}");
}
