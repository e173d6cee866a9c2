//! What Ollama's clients ask beside queries: the models, those that run, the version, and that a model be loaded.

use lab3_providers::dialect::ollama::{Loading, running, tags, version};
use serde_json::{Value, json};

#[test]
fn models_and_the_version_are_listed() {
    let list: Value = serde_json::from_slice(&tags(["auto", "claude"], 1_763_847_845)).unwrap();
    let names = list["models"].as_array().unwrap().iter().map(|model| (&model["name"], &model["model"])).collect::<Vec<_>>();
    assert_eq!(names, [(&json!("auto"), &json!("auto")), (&json!("claude"), &json!("claude"))]);
    assert_eq!(list["models"][0]["digest"].as_str().unwrap().len(), 64);
    assert_eq!(list["models"][1]["modified_at"], json!("2025-11-22T21:44:05Z"));
    let list: Value = serde_json::from_slice(&running(["smol"])).unwrap();
    assert_eq!(list["models"].as_array().unwrap().len(), 1);
    assert_eq!((&list["models"][0]["name"], &list["models"][0]["expires_at"]), (&json!("smol"), &json!("9999-12-31T23:59:59Z")));
    for empty in [tags([], 0), running([])] {
        assert_eq!(empty, br#"{"models":[]}"#);
    }
    assert_eq!(version(), br#"{"version":"0.12.10"}"#);
}

#[test]
fn asking_only_to_load_a_model_is_no_query() {
    let check = |body: &str, expected: Option<(&str, bool)>| {
        let found = Loading::read(body.as_bytes()).map(|loading| {
            assert_eq!(loading.model, "m");
            serde_json::from_slice::<Value>(&loading.reply(1_763_847_845)).unwrap()
        });
        let found = found.map(|reply| (reply["done_reason"].as_str().unwrap().to_owned(), reply["message"].is_object()));
        assert_eq!(found, expected.map(|(reason, is_chat)| (reason.to_owned(), is_chat)), "{body}");
    };
    check(r#"{"model": "m"}"#, Some(("load", false)));
    check(r#"{"model": "m", "prompt": "", "keep_alive": "5m"}"#, Some(("load", false)));
    check(r#"{"model": "m", "prompt": null, "keep_alive": 0}"#, Some(("unload", false)));
    check(r#"{"model": "m", "messages": []}"#, Some(("load", true)));
    check(r#"{"model": "m", "messages": [], "keep_alive": "0s"}"#, Some(("unload", true)));
    // As the Python client writes it.
    check(r#"{"model": "m", "prompt": "", "keep_alive": 0.0}"#, Some(("unload", false)));
    check(r#"{"model": "m", "prompt": "", "keep_alive": "10m"}"#, Some(("load", false)));
    check(r#"{"model": "m", "prompt": "", "keep_alive": -1}"#, Some(("load", false)));
    check(r#"{"model": "m", "prompt": "a"}"#, None);
    check(r#"{"model": "m", "images": ["a"]}"#, None);
    check(r#"{"model": "m", "messages": [{}]}"#, None);
    check(r#"{"messages": []}"#, None);
    check("nonsense", None);
    let reply = String::from_utf8(Loading::read(br#"{"model": "m"}"#).unwrap().reply(1_763_847_845)).unwrap();
    assert!(!reply.contains("lab3") && reply.contains(r#""done":true"#) && reply.contains(r#""2025-11-22T21:44:05Z""#), "{reply}");
}
