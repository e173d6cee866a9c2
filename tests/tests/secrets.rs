//! Secrets that were planted are found in no log, answer, figure, file, backup or command's output: providers' keys (by file and by
//! environment), an API key, a wallet. The providers tell the keys they are sent in every way they can think of, and the log says all it
//! ever says.
//!
//! It fails when the key is logged (tried), and when a provider's words are passed on as they are (tried).

#![allow(clippy::unwrap_used, clippy::panic, reason = "outside of #[test] functions clippy does not see that this is a test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use lab3_tests::echo::{Echo, WAYS, Way};
use lab3_tests::planted::{Planted, Said};
use lab3_tests::{Desk, Folder, binary};
use serde_json::{Value, json};
use ureq::Agent;

/// Letters that look otherwise in URLs, in JSON and in base 64.
const IN_FILE: &str = "sk-file/\"7Qw+planted=9f3a61c27be0";
const IN_ENVIRONMENT: &str = "sk-env/\"4Tz+planted=05d8e1b76aa2";

const PATHS: [&str; 5] = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat", "/v1/embeddings"];

/// A place in which all of it happens.
struct Stage {
    folder: Folder,
    said: Said,
    secrets: Vec<Planted>,
}

impl Stage {
    fn new() -> Self {
        let secrets = vec![Planted::new("the key in the file", IN_FILE), Planted::new("the key in the environment", IN_ENVIRONMENT)];
        Self { folder: Folder::new("secrets"), said: Said::default(), secrets }
    }

    fn write_configuration(&self, provider: &str) -> String {
        let path = self.folder.at("lab3.toml");
        let table = |name: &str, path: &str, key: &str, model: &str| {
            format!("[providers.{name}]\nbase_url = '{provider}{path}'\nmodels = ['{model}']\n{key}\n")
        };
        let file = format!("api_key = '{IN_FILE}'");
        let text = table("deepseek", "/v1", &file, "by-file") + &table("anthropic_claude", "", "", "by-environment");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A command with everything an operator's would have.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary::command(arguments);
        command.env("ANTHROPIC_API_KEY", IN_ENVIRONMENT).env("RUST_BACKTRACE", "1").current_dir(self.folder.path());
        command
    }

    fn open(&self, data: &str, configuration: &str) -> Desk {
        let data = self.folder.at(data);
        let mut command = self.command(&["serve", "--data", &data, "--config", configuration]);
        command.args(["--set", "log.level=trace", "--set", "compute.local_fallback=false"]);
        Desk::spawn(command, &data).unwrap()
    }

    /// Runs a command to its end; all it says is kept.
    fn run(&mut self, arguments: &[&str]) -> bool {
        let output = self.command(arguments).output().unwrap();
        let place = format!("lab3 {}", arguments.join(" "));
        self.said.add(place, [output.stdout, output.stderr].concat());
        output.status.success()
    }

    /// Asks; all of the answer is kept.
    fn ask(&mut self, desk: &Desk, path: &str, key: Option<&str>, body: Option<&Value>) -> (u16, String) {
        let url = format!("{}{path}", desk.url());
        let headers = [("Authorization", key.map(|key| format!("Bearer {key}"))), ("x-citizen-did", Some("did:kaizen:alice".to_owned()))];
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut response = match body {
            Some(body) => {
                let request = headers.fold(agent().post(url), |request, (name, value)| request.header(name, value));
                request.header("Content-Type", "application/json").send(body.to_string()).unwrap()
            }
            None => headers.fold(agent().get(url), |request, (name, value)| request.header(name, value)).call().unwrap(),
        };
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        let place = format!("{path} {}", body.map(ToString::to_string).unwrap_or_default());
        self.said.add(place, format!("{:?}\n{text}", response.headers()));
        (response.status().as_u16(), text)
    }
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None).build().new_agent()
}

/// A query in the path's protocol.
fn query(path: &str, model: &str, stream: bool) -> Value {
    let messages = json!([{ "role": "user", "content": "Good morning." }]);
    match path {
        "/v1/responses" => json!({ "model": model, "input": "Good morning.", "stream": stream }),
        "/v1/embeddings" => json!({ "model": model, "input": "Good morning." }),
        "/v1/messages" => json!({ "model": model, "messages": messages, "max_tokens": 50, "stream": stream }),
        _ => json!({ "model": model, "messages": messages, "stream": stream }),
    }
}

#[test]
fn what_providers_tell_of_keys_goes_nowhere() {
    let mut stage = Stage::new();
    for &way in WAYS {
        put_queries(&mut stage, way);
    }
    stage.said.add_files(stage.folder.path(), &["lab3.toml"]);
    println!("{} places were looked through", stage.said.places());
    stage.said.check(&stage.secrets);
}

/// Puts queries in every protocol to a provider that tells its key in that way, on a desk of their own.
fn put_queries(stage: &mut Stage, way: Way) {
    let echo = Echo::start(way);
    let configuration = stage.write_configuration(&echo.url());
    let desk = stage.open(way.0, &configuration);
    for model in ["by-file", "by-environment"] {
        for path in PATHS {
            for stream in [false, true] {
                stage.ask(&desk, path, None, Some(&query(path, model, stream)));
            }
        }
    }
    assert_eq!(echo.keys(), [IN_ENVIRONMENT, IN_FILE], "{}: the keys the provider was sent", way.0);
    stage.ask(&desk, "/metrics", None, None);
    stage.ask(&desk, "/lab3/compute/stats", None, None);
    stage.ask(&desk, "/lab3/compute/providers", None, None);
    desk.stop();
}

#[test]
fn what_the_desk_is_told_goes_nowhere() {
    let mut stage = Stage::new();
    let echo = Echo::start(WAYS[0]);
    let configuration = stage.write_configuration(&echo.url());
    let desk = stage.open("data", &configuration);
    let core = fs::read_to_string(format!("/proc/{}/limits", desk.pid())).unwrap();
    let core = core.lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned();
    assert!(core.contains(" 0 "), "the desk's memory can be written to a file: {core}");
    let keys = make_keys(&mut stage, &desk);
    ask_everything(&mut stage, &desk, &keys);
    use_a_wallet(&mut stage, &desk);
    run_commands(&mut stage, &desk, &configuration, &keys[0]);
    desk.stop();
    let (data, backup) = (stage.folder.at("data"), stage.folder.at("backup"));
    for arguments in [
        &["journal", "verify", "--data", &*backup][..],
        &["journal", "export", "--data", &data],
        &["restore", &backup, "--data", &stage.folder.at("restored")],
        &["doctor", "--data", &data, "--config", &configuration],
        &["key", "create", "operator", "--data", &data],
    ] {
        let place = format!("lab3 {}", arguments.join(" "));
        if arguments[0] == "key" {
            let made = stage.command(arguments).output().unwrap();
            let text = binary::text(&made.stdout);
            stage.secrets.push(Planted::new("the key made without the desk", secret_of(text.trim())));
            stage.said.add(place, made.stderr);
        } else {
            // What `doctor` finds here is bad: there is no operator's key.
            let well = stage.run(arguments);
            assert_eq!(well, arguments[0] != "doctor", "{place}:\n{}", stage.said.text(&place));
        }
    }
    stage.said.add_files(stage.folder.path(), &["lab3.toml", "alice.pem"]);
    println!("{} places were looked through", stage.said.places());
    stage.said.check(&stage.secrets);
    let log = stage.said.text(&format!("{data}.log"));
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log says little:\n{}", &log[..log.len().min(500)]);
}

/// The part of a key that is secret.
fn secret_of(key: &str) -> &str {
    key.split('_').nth(3).unwrap_or_else(|| panic!("{key} is no key"))
}

/// Makes a citizen's and an operator's key; who makes a key sees it, so these answers are not looked through.
fn make_keys(stage: &mut Stage, desk: &Desk) -> [String; 2] {
    let all = json!({ "kind": "citizen", "did": "did:kaizen:alice", "scopes": ["read", "compute", "money", "keys"] });
    desk.client().mint("did:kaizen:alice", 100);
    let alice = desk.client().write("/lab3/keys", None, &all)["key"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {alice}");
    let made = binary::command(&["key", "create", "operator", "--data", &stage.folder.at("none")]).output().unwrap();
    stage.said.add("a key that could not be made", [made.stdout, made.stderr].concat());
    let request = agent().post(format!("{}/lab3/keys", desk.url())).header("Authorization", &bearer);
    let body = json!({ "kind": "citizen", "did": "did:kaizen:alice", "scopes": ["read"] }).to_string();
    let second: Value =
        serde_json::from_str(&request.header("Content-Type", "application/json").send(body).unwrap().body_mut().read_to_string().unwrap())
            .unwrap();
    let second = second["key"].as_str().unwrap().to_owned();
    stage.secrets.push(Planted::new("alice's key", secret_of(&alice)));
    stage.secrets.push(Planted::new("alice's second key", secret_of(&second)));
    [alice, second]
}

/// Asks every path, as somebody, as nobody, and with keys that are nearly right.
fn ask_everything(stage: &mut Stage, desk: &Desk, [alice, second]: &[String; 2]) {
    let typo = format!("{alice}x");
    for path in [
        "/metrics",
        "/lab3/hive",
        "/lab3/health",
        "/lab3/keys",
        "/lab3/keys?did=did:kaizen:alice",
        "/lab3/compute/stats",
        "/lab3/compute/providers",
        "/lab3/compute/quota/did:kaizen:alice",
        "/lab3/financial/transactions?did=did:kaizen:alice",
        "/lab3/financial/balance/did:kaizen:alice?at=x",
        "/lab3/journal/head?state_hash=true",
        "/lab3/log/checkpoint",
        "/lab3/log/tile/data/000.p/2",
        "/lab3/nothing",
        "/v1/models",
        "/api/tags",
    ] {
        for key in [None, Some(alice), Some(second), Some(&typo)] {
            stage.ask(desk, path, key.map(String::as_str), None);
        }
    }
    for path in PATHS {
        for model in ["by-file", "by-environment", "no-such-model"] {
            stage.ask(desk, path, Some(alice), Some(&query(path, model, true)));
        }
    }
    // A key where none belongs comes back in no refusal.
    for body in [json!({ "from_did": alice, "to_did": "did:kaizen:bob", "amount": 1 }), json!({ "reason": alice, "amount": "x" })] {
        let (status, _) = stage.ask(desk, "/lab3/financial/transfer", Some(second), Some(&body));
        assert!((400..500).contains(&status), "{status}");
    }
}

/// A wallet of alice's pays.
fn use_a_wallet(stage: &mut Stage, desk: &Desk) {
    let file = stage.folder.at("alice.pem");
    assert!(stage.run(&["wallet", "new", "--file", &file]));
    let pem = fs::read_to_string(&file).unwrap();
    let body = pem.lines().find(|line| !line.starts_with('-')).unwrap().to_owned();
    // Behind the words every such file begins with.
    stage.secrets.push(Planted::new("alice's wallet", &body[24..60]));
    stage.run(&["wallet", "show", "--file", &file]);
    stage.run(&["wallet", "transfer", "did:kaizen:alice", "did:kaizen:bob", "1", "--file", &file, "--url", &desk.url()]);
    fs::write(stage.folder.at("intent.txt"), "lab3 intent 1\n").unwrap();
    let intent = stage.folder.at("intent.txt");
    stage.run(&["wallet", "sign", &intent, "--file", &file]);
}

/// Runs every command that reads the configuration or asks the desk.
fn run_commands(stage: &mut Stage, desk: &Desk, configuration: &str, alice: &str) {
    let (data, backup, url) = (stage.folder.at("data"), stage.folder.at("backup"), desk.url());
    for arguments in [
        &["config", "show", "--config", configuration][..],
        &["config", "show", "--json", "--config", configuration],
        &["config", "show", "--toml", "--config", configuration],
        &["config", "check", "--config", configuration],
        &["backup", "--data", &data, &backup],
    ] {
        let place = format!("lab3 {}", arguments.join(" "));
        assert!(stage.run(arguments), "{place}:\n{}", stage.said.text(&place));
    }
    // What is wrong is told without the value.
    let broken = stage.folder.at("broken.toml");
    let text = fs::read_to_string(configuration).unwrap();
    fs::write(&broken, text.replace("api_key = '", "api_kee = '")).unwrap();
    stage.run(&["config", "check", "--config", &broken]);
    fs::write(&broken, text.replace("api_key = '", "api_key = ['")).unwrap();
    stage.run(&["config", "check", "--config", &broken]);
    fs::write(&broken, text.replace("api_key = '", "api_key = '''\n")).unwrap();
    stage.run(&["serve", "--config", &broken]);
    fs::remove_file(&broken).unwrap();
    stage.run(&["serve", "--data", &data, "--config", configuration, "--listen", desk.address()]);
    stage.run(&["doctor", "--data", &data, "--config", configuration]);
    for command in [&["balance", "did:kaizen:alice"][..], &["key", "list"], &["stats"], &["history", "did:kaizen:alice"], &["audit", &url]]
    {
        let mut run = stage.command(command);
        let output = run.env("LAB3_KEY", alice).env("LAB3_URL", &url).output().unwrap();
        stage.said.add(format!("lab3 {}", command.join(" ")), [output.stdout, output.stderr].concat());
    }
}
