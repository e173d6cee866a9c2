//! Who is connected: what the desk tells of its providers, and the lists of models clients of each protocol ask for.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use lab3_engine::Policy;
use lab3_providers::dialect::Unreadable;
use lab3_providers::{Answering, AskError, Asked, Boxed, Dialect, Query, Source};
use lab3_server::{Connected, Gateway, GatewaySettings, ServerSettings};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::hive::{ALICE, Hive, NOW, Reply};

/// When the desk opened, in seconds since 1970.
const OPENED: u64 = 1_761_921_000;

/// A source that is there, or says why not.
struct Stub {
    dialect: Option<Dialect>,
    absent: Option<&'static str>,
}

impl Source for Stub {
    fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    fn absent(&self) -> Option<String> {
        self.absent.map(str::to_owned)
    }

    fn count(&self, _: &Query) -> Option<u64> {
        None
    }

    fn can_say(&self, _: &Asked<'_>) -> Result<(), Unreadable> {
        Ok(())
    }

    fn ask<'a>(&'a self, _: Asked<'a>) -> Boxed<'a, Result<Box<dyn Answering>, AskError>> {
        Box::pin(async { Err(AskError::Broken("nobody asks in these tests".to_owned())) })
    }
}

/// A Hive with Claude over the network, DeepSeek switched off, no way to the others, and a local model if it is not absent.
fn hive(absent: Option<&'static str>) -> Hive {
    let connected = |name: &str, models: &[&str], dialect, absent| Connected {
        name: name.into(),
        models: models.iter().map(|&model| model.to_owned()).collect(),
        embeds: false,
        source: Arc::new(Stub { dialect, absent }),
        room: Arc::new(Semaphore::new(1)),
    };
    let all = vec![
        connected("anthropic_claude", &["claude-x", "claude-y"], Some(Dialect::Anthropic), None),
        connected("local_llama", &["smol"], None, absent),
    ];
    let mut policy = Policy::default();
    policy.compute.providers.iter_mut().filter(|one| &*one.name == "deepseek").for_each(|one| one.enabled = false);
    Hive::with_gateway(policy, ServerSettings::default(), Gateway::new(all, GatewaySettings::default()))
}

#[tokio::test]
async fn providers_say_whether_they_are_connected_and_why_not() {
    for absent in [None, Some("put a GGUF file there")] {
        let reply = hive(absent).get("/lab3/compute/providers").await.ok();
        let providers = reply["providers"].as_array().unwrap();
        let told = |name: &str| {
            let provider = providers.iter().find(|one| one["name"] == name).unwrap();
            (provider["connected"].as_bool().unwrap(), provider["models"].clone(), provider["why_not"].clone())
        };
        assert_eq!(told("anthropic_claude"), (true, json!(["claude-x", "claude-y"]), Value::Null));
        assert_eq!(told("local_llama"), (absent.is_none(), json!(["smol"]), json!(absent)));
        for (name, words) in [("openai_gpt4", "providers.openai_gpt4.api_key"), ("deepseek", "providers.deepseek.enabled")] {
            let (connected, models, why_not) = told(name);
            assert_eq!((connected, models), (false, json!([])), "{name}");
            assert!(why_not.as_str().unwrap().contains(words), "{name}: {why_not}");
        }
    }
}

async fn get(hive: &Hive, path: &str, headers: &[(&str, &str)]) -> Value {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    hive.send(request.body(Body::empty()).unwrap()).await.ok()
}

/// What each entry of a list has under a name.
fn each(list: &Value, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap().to_owned()).collect()
}

const WAYS: [&str; 4] = ["auto", "auto:quality", "auto:cost", "auto:latency"];
const THERE: [&str; 5] = ["anthropic_claude", "claude-x", "claude-y", "local_llama", "smol"];

#[tokio::test]
async fn every_protocol_lists_the_models_since_the_desk_opened() {
    let hive = hive(None);
    let names = [&WAYS[..], &THERE].concat();
    for path in ["/v1/models", "/models"] {
        hive.pass(60).await;
        let openai = get(&hive, path, &[]).await;
        assert_eq!((each(&openai["data"], "id"), &openai["object"]), (names.iter().map(ToString::to_string).collect(), &json!("list")));
        assert!(openai["data"].as_array().unwrap().iter().all(|model| model["created"] == OPENED), "{openai}");
        let anthropic = get(&hive, path, &[("anthropic-version", "2023-06-01")]).await;
        assert_eq!(each(&anthropic["data"], "id"), names);
        assert_eq!(each(&anthropic["data"], "created_at"), vec![NOW; names.len()]);
        assert_eq!(
            (&anthropic["has_more"], &anthropic["first_id"], &anthropic["last_id"]),
            (&json!(false), &json!("auto"), &json!("smol"))
        );
    }
    let ollama = get(&hive, "/api/tags", &[]).await;
    assert_eq!(
        (each(&ollama["models"], "name"), each(&ollama["models"], "modified_at")),
        (each(&ollama["models"], "model"), vec![NOW.to_owned(); names.len()])
    );
    assert_eq!(each(&ollama["models"], "name"), names);
}

#[tokio::test]
async fn ollamas_clients_learn_the_version_and_what_runs() {
    assert!(get(&hive(None), "/api/version", &[]).await["version"].as_str().unwrap().split('.').all(|part| part.parse::<u32>().is_ok()));
    for (absent, expected) in [(None, &["smol"][..]), (Some("not loaded yet"), &[])] {
        let running = get(&hive(absent), "/api/ps", &[]).await;
        assert_eq!(each(&running["models"], "name"), expected);
    }
}

async fn load(hive: &Hive, path: &str, body: &Value) -> Reply {
    hive.post_text(path, &[("x-citizen-did", ALICE)], body.to_string()).await
}

#[tokio::test]
async fn loading_a_model_costs_nothing_and_finds_out_whether_there_is_one() {
    let hive = hive(Some("not loaded yet"));
    for (path, more) in [("/api/chat", json!({ "messages": [] })), ("/api/generate", json!({ "prompt": "", "keep_alive": 0 }))] {
        let before = hive.state_hash().await;
        for (model, status) in [("auto", 200), ("claude-x", 200), ("hal9000", 404), ("smol", 503)] {
            let mut body = json!({ "model": model });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let reply = load(&hive, path, &body).await;
            assert_eq!(reply.status, status, "{path} {model}: {}", reply.text());
            assert_eq!(
                (&reply.json()["done"], reply.json()["error"].is_string()),
                (if status == 200 { &json!(true) } else { &Value::Null }, status != 200)
            );
        }
        assert_eq!(hive.state_hash().await, before);
    }
    // Elsewhere an empty conversation is a mistake.
    assert_eq!(load(&hive, "/v1/chat/completions", &json!({ "model": "auto", "messages": [] })).await.status, 400);
}
