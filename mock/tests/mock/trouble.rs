//! What goes wrong when a script says so.

use std::io::Read as _;
use std::time::Duration;

use lab3_mock::Mock;
use serde_json::json;

use crate::client::{post, reply, send, wait};
use crate::dialects::{ALL, Anthropic, Chat, Gemini, OllamaChat, OllamaGenerate, Responses};

#[test]
fn failures_are_in_the_dialect() {
    let mock = Mock::start().unwrap();
    let cases = [
        (Chat, 429, "/error/code", "rate_limit_exceeded"),
        (Chat, 401, "/error/code", "invalid_api_key"),
        (Chat, 503, "/error/type", "server_error"),
        (Responses, 400, "/error/type", "invalid_request_error"),
        (Anthropic, 429, "/error/type", "rate_limit_error"),
        (Anthropic, 529, "/error/type", "overloaded_error"),
        (Anthropic, 500, "/error/type", "api_error"),
        (Gemini, 429, "/error/status", "RESOURCE_EXHAUSTED"),
        (Gemini, 503, "/error/status", "UNAVAILABLE"),
        (OllamaChat, 500, "/error", "the script says so"),
        (OllamaGenerate, 404, "/error", "the script says so"),
    ];
    for (dialect, status, place, expected) in cases {
        for stream in [true, false] {
            let reply = dialect.ask(&mock, &format!("m;fail={status};retry_after=7"), stream, 9);
            assert_eq!((reply.status, reply.json().pointer(place)), (status, Some(&json!(expected))), "{dialect:?}");
            assert!(reply.head.contains("retry-after: 7") && reply.head.contains("content-type: application/json"), "{}", reply.head);
        }
    }
    assert_eq!(mock.stats()["refused"], 22);
    let told = Gemini.ask(&mock, "m;fail=429;retry_after=7", true, 9).json();
    assert_eq!(told["error"]["details"][0]["retryDelay"], "7s");
}

#[test]
fn what_cannot_be_read_is_refused_in_the_dialect() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        let reply = dialect.ask(&mock, "m;tokns=3", true, 9);
        assert_eq!(reply.status, 400);
        assert!(reply.json()["error"].to_string().contains("tokns"), "{dialect:?} {}", reply.text());
        assert_eq!(post(&mock, &dialect.path("m", true), &json!([])).status, 400, "{dialect:?}");
    }
    assert_eq!((&mock.stats()["requests"], &mock.stats()["refused"]), (&json!(12), &json!(12)));
    assert_eq!(post(&mock, "/v1beta/models/m:countTokens", &Gemini.body("m", true, 9)).status, 400);
    assert_eq!(post(&mock, "/v1/nothing", &json!({})).status, 404);
}

#[test]
fn failures_pass_by_id_or_by_name() {
    let mock = Mock::start().unwrap();
    let status = |script: &str| Chat.ask(&mock, script, false, 9).status;
    let by_name = [0; 4].map(|_| status("m;fail=503;fail_times=2"));
    assert_eq!(by_name, [503, 503, 200, 200]);
    assert_eq!([status("m;fail=503;fail_times=1;id=a"), status("n;fail=503;fail_times=1;id=a")], [503, 200]);
    assert_eq!(status("m;fail=503;fail_times=1;id=b"), 503);
    mock.reset();
    assert_eq!(status("m;fail=503;fail_times=1;id=b"), 503);
    let cut = |script: &str| Chat.ask(&mock, script, true, 9).is_whole;
    assert_eq!([cut("m;cut_after=1;fail_times=1;id=c"), cut("m;cut_after=1;fail_times=1;id=c")], [false, true]);
}

#[test]
fn a_cut_comes_after_so_many_events() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        for (after, text) in [("headers", ""), ("0", ""), ("1", "tok "), ("5", "tok tok tok tok tok ")] {
            for split in [0, 1] {
                mock.reset();
                let reply = dialect.ask(&mock, &format!("m;tokens=5;cut_after={after};split={split}"), true, 9);
                assert!(reply.status == 200 && !reply.is_whole, "{dialect:?} {after} {reply:?}");
                let said = dialect.read(&reply, true);
                let tokens = text.split_whitespace().count();
                assert_eq!((said.text.as_str(), said.finish), (text, None), "{dialect:?} {after}");
                assert_eq!(reply.body.is_empty(), after == "headers" || (after == "0" && ![Chat, Responses, Anthropic].contains(&dialect)));
                let stats = wait(&mock, |stats| stats["open"] == 0);
                assert_eq!((&stats["tokens_sent"], &stats["cut"], &stats["cancelled"]), (&json!(tokens), &json!(1), &json!(0)));
            }
        }
        // Past the end it does nothing.
        let reply = dialect.ask(&mock, "m;tokens=5;cut_after=6", true, 9);
        assert!(reply.is_whole && dialect.read(&reply, true).finish.is_some(), "{dialect:?}");
    }
}

#[test]
fn an_answer_in_one_piece_is_cut_in_proportion() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        let whole = dialect.ask(&mock, "m;tokens=4;cut_after=99", false, 9).body.len();
        let lengths = ["headers", "0", "2", "4"].map(|after| {
            let reply = dialect.ask(&mock, &format!("m;tokens=4;cut_after={after}"), false, 9);
            assert!(!reply.is_whole, "{dialect:?} {after}");
            reply.body.len()
        });
        assert!(lengths[0] == 0 && lengths[1] == 0, "{dialect:?} {lengths:?}");
        assert!(0 < lengths[2] && lengths[2] < lengths[3] && lengths[3] < whole, "{dialect:?} {lengths:?} of {whole}");
    }
    let stats = wait(&mock, |stats| stats["open"] == 0);
    assert_eq!((&stats["cut"], &stats["tokens_sent"]), (&json!(24), &json!(6 * (4 + 2 + 4))));
}

#[test]
fn a_connection_may_close_without_a_word() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        let mut stream = send(&mock, "POST", &dialect.path("m;fail=close", true), "", &dialect.body("m;fail=close", true, 9).to_string());
        let mut bytes = Vec::new();
        // A reset is as good as an end.
        let _ = stream.read_to_end(&mut bytes);
        assert_eq!(bytes, b"", "{dialect:?}");
    }
}

#[test]
fn a_stream_may_hang() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        for stream in [true, false] {
            mock.reset();
            let script = "m;tokens=5;hang_after=2";
            let mut socket = send(&mock, "POST", &dialect.path(script, stream), "", &dialect.body(script, stream, 9).to_string());
            wait(&mock, |stats| stats["tokens_sent"] == 2);
            socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let mut bytes = Vec::new();
            assert!(socket.read_to_end(&mut bytes).is_err(), "{dialect:?} is still open");
            let reply = reply(&bytes).unwrap();
            assert!(!reply.is_whole && (!stream || dialect.read(&reply, true).text == "tok tok "), "{dialect:?}");
            assert_eq!((&mock.stats()["open"], &mock.stats()["cancelled"]), (&json!(1), &json!(0)));
            drop(socket);
            wait(&mock, |stats| stats["open"] == 0 && stats["cancelled"] == 1);
        }
    }
}

#[test]
fn an_error_may_come_in_mid_stream() {
    let mock = Mock::start().unwrap();
    let errors = [
        (Chat, "/error/type", "server_error"),
        (Responses, "/response/error/code", "server_error"),
        (Anthropic, "/error/type", "overloaded_error"),
        (Gemini, "/error/status", "UNAVAILABLE"),
        (OllamaChat, "/error", "an error was encountered while running the model (scripted)"),
    ];
    for (dialect, place, expected) in errors {
        let reply = dialect.ask(&mock, "m;tokens=5;error_after=2", true, 9);
        assert_eq!(reply.events().last().unwrap().pointer(place), Some(&json!(expected)), "{dialect:?}");
        let said = dialect.read(&reply, true);
        assert!(reply.is_whole && said.text == "tok tok " && said.finish.is_none(), "{dialect:?}");
        assert!(!reply.text().contains("[DONE]"));
        let first = dialect.ask(&mock, "m;tokens=5;error_after=headers", true, 9).events();
        assert!(first[0].to_string().contains("error"), "{dialect:?} {first:?}");
        assert_eq!(dialect.ask(&mock, "m;tokens=5;error_after=2", false, 9).status, 500);
    }
}

#[test]
fn garbage_is_no_protocol() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        for stream in [true, false] {
            let reply = dialect.ask(&mock, "m;garbage=true", stream, 9);
            assert!(reply.status == 200 && reply.body.starts_with(b"\xff\xfe"), "{dialect:?} {reply:?}");
        }
        let reply = dialect.ask(&mock, "m;garbage_after=2", true, 9);
        assert!(reply.text().contains("tok ") && std::str::from_utf8(&reply.body).is_err(), "{dialect:?}");
    }
}

#[test]
fn a_redirect_leads_elsewhere() {
    let mock = Mock::start().unwrap();
    for dialect in ALL {
        let script = "m;redirect=http:%2F%2F127.0.0.1:9%2Fx%3By";
        let script = if dialect == Gemini { script.replace('%', "%25") } else { script.to_owned() };
        let reply = dialect.ask(&mock, &script, true, 9);
        assert!(reply.status == 302 && reply.head.contains("location: http://127.0.0.1:9/x;y"), "{dialect:?} {}", reply.head);
    }
}

#[test]
fn a_keep_alive_stands_beside_each_token() {
    let mock = Mock::start().unwrap();
    for (dialect, expected) in
        [(Chat, ": keep-alive\n\n"), (Responses, ": keep-alive\n\n"), (Gemini, ": keep-alive\n\n"), (Anthropic, "event: ping\n")]
    {
        let count = |script: &str| dialect.ask(&mock, script, true, 9).text().matches(expected).count();
        assert_eq!(count("m;tokens=3;ping=true") - count("m;tokens=3"), 3, "{dialect:?}");
    }
}
