//! What the key commands send and print, and what they do to a folder.

use clap::Parser as _;
use lab3_store::SqliteStore;
use tempfile::TempDir;

use super::*;
use crate::cli::{Cli, Command, KeyCommand};
use crate::fake_desk::{Asked, desk_replying};

const MADE: &str = r#"{"key":"lab3_citizen_a_b_c","number":3,"key_id":"a","old_works_until":null,"sequence":9}"#;

fn parse(line: &str) -> KeyCommand {
    let words = std::iter::once("lab3").chain(line.split(' ')).map(|word| word.replace('_', " "));
    match Cli::try_parse_from(words).unwrap().command {
        Command::Key(command) => command,
        other => panic!("not about keys: {other:?}"),
    }
}

/// What goes to stdout, and what is said.
fn run(place: &Place, line: &str) -> Result<(String, String), String> {
    let only = |data: String| (data, String::new());
    let done = match parse(line) {
        KeyCommand::Create(args) => create(place, &args).map(|made| (made.data, made.talk)),
        KeyCommand::Rotate(args) => rotate(place, &args).map(|made| (made.data, made.talk)),
        KeyCommand::List(args) => list(place, &args).map(only),
        KeyCommand::Revoke(args) => revoke(place, &args).map(only),
    };
    done.map_err(|failure| failure.to_string())
}

fn at_desk(line: &str, reply: &str) -> (Result<(String, String), String>, Asked) {
    let (client, asked) = desk_replying(200, reply);
    (run(&Place::Desk(client), line), asked.recv().unwrap())
}

fn lines(printed: &str) -> Vec<String> {
    printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn create_sends_what_was_said_and_prints_the_key_alone() {
    let check = |line: &str, body: &str| {
        let (printed, asked) = at_desk(line, MADE);
        assert_eq!((&*asked.line, &*asked.body), ("POST /lab3/keys HTTP/1.1", body));
        assert_eq!(asked.header("authorization"), Some("Bearer a-token-of-sixteen"));
        assert_eq!(printed.unwrap().0, "lab3_citizen_a_b_c");
        asked
    };
    check("key create operator", r#"{"kind":"operator"}"#);
    let asked = check(
        "key create citizen --did did:kaizen:alice --scopes read,compute --expires-at 2027-01-31T12:00:00Z --note a_laptop --key k1",
        r#"{"kind":"citizen","did":"did:kaizen:alice","scopes":["read","compute"],"expires_at":"2027-01-31T12:00:00Z","note":"a laptop"}"#,
    );
    assert_eq!(asked.header("idempotency-key"), Some("k1"));
    check(
        "key create service --citizens did:k:a,did:k:b --daily-cap-gic 9007199254740.993001",
        r#"{"kind":"service","citizens":["did:k:a","did:k:b"],"daily_cap_gic":9007199254740.993001}"#,
    );
    check("key create meter --name roof-1", r#"{"kind":"meter","name":"roof-1"}"#);
}

#[test]
fn what_is_said_of_a_new_key() {
    let said = |line: &str, reply: &str| at_desk(line, reply).0.unwrap().1;
    let talk = said("key create citizen --did did:k:a", MADE);
    let first_line = talk.lines().next();
    assert_eq!(first_line, Some("Key 3 is made: a citizen's, for did:k:a."));
    assert!(talk.contains("shown this once") && !talk.contains("closed") && !talk.contains("lab3_citizen"), "{talk}");
    let first = MADE.replace("\"number\":3", "\"number\":1");
    let talk = said("key create operator", &first);
    assert!(talk.contains("an operator's.") && talk.contains("this Hive is closed now") && !talk.contains("Nobody has"), "{talk}");
    assert!(said("key create auditor", &first).contains("Nobody has an operator's key yet"));
    assert_eq!(said("key create operator --quiet", &first), "");
    assert_eq!(at_desk("key create operator --json", MADE).0.unwrap().0, MADE);
}

#[test]
fn a_key_whose_reply_was_lost_is_a_failure() {
    let lost = MADE.replace("\"lab3_citizen_a_b_c\"", "null");
    for line in ["key create operator", "key create operator --json", "key rotate 2"] {
        let message = at_desk(line, &lost).0.unwrap_err();
        assert!(
            message.starts_with("error: key 3 was made,") && message.ends_with("help: lab3 key revoke 3, and make another"),
            "{message}"
        );
    }
}

#[test]
fn rotate_and_revoke() {
    let made = MADE.replace("null", "\"2026-11-24T00:00:00Z\"");
    let (printed, asked) = at_desk("key rotate 2 --overlap-seconds 60", &made);
    assert_eq!((&*asked.line, &*asked.body), ("POST /lab3/keys/2/rotate HTTP/1.1", r#"{"overlap_seconds":60}"#));
    let (data, talk) = printed.unwrap();
    assert_eq!(data, "lab3_citizen_a_b_c");
    assert!(talk.starts_with("Key 3 replaces key 2, which works until 2026-11-24T00:00:00Z"), "{talk}");
    assert_eq!(at_desk("key rotate 2", &made).1.body, "{}");
    let (printed, asked) = at_desk("key revoke 2 --reason stolen", r#"{"number":2,"standing":"revoked","sequence":11}"#);
    assert_eq!((&*asked.line, &*asked.body), ("POST /lab3/keys/2/revoke HTTP/1.1", r#"{"reason":"stolen"}"#));
    assert_eq!(lines(&printed.unwrap().0), ["key 2", "standing revoked", "record 11"]);
}

#[test]
fn list_is_a_table() {
    let reply = r#"{"keys":[
        {"number":1,"key_id":"aa","kind":"operator","did":null,"name":null,"scopes":["read","keys"],"standing":"overlap","replaced_by":3,"expires_at":null,"last_used_at":"2026-11-23T00:00:00Z","created_by":"desk","note":""},
        {"number":2,"key_id":"bb","kind":"auditor","did":"did:k:a","name":null,"scopes":["read","journal","metrics"],"standing":"valid","replaced_by":null,"expires_at":"2027-01-01T00:00:00Z","last_used_at":null,"created_by":"key 1","note":"laptop"}],"open":false}"#;
    let (printed, asked) = at_desk("key list --did did:k:a", reply);
    assert_eq!(asked.line, "GET /lab3/keys?did=did:k:a HTTP/1.1");
    let printed = lines(&printed.unwrap().0);
    assert_eq!(printed[2], "1 aa operator read keys overlap, now key 3 2026-11-23T00:00:00Z desk");
    assert_eq!(printed.last().unwrap(), "2 bb auditor did:k:a all of its kind valid 2027-01-01T00:00:00Z key 1 laptop");
}

/// A folder, and the place it is.
fn folder() -> (TempDir, Place, String) {
    let base = TempDir::new().unwrap();
    let data = base.path().join("data").display().to_string();
    let args = PlaceArgs { data: Some(data.clone()), ..PlaceArgs::default() };
    (base, Place::of(&args, &Env::new()).unwrap(), data)
}

#[test]
fn on_a_folder_keys_are_made_listed_replaced_and_revoked() {
    let (_base, place, data) = folder();
    let (first, talk) = run(&place, "key create operator --note mine").unwrap();
    let read = lab3_trust::KeyText::parse(&first).unwrap();
    assert!(talk.contains("this Hive is closed now"), "{talk}");
    let trust = read_trust(&SqliteStore::open_read_only(&data).unwrap()).unwrap();
    assert!(trust.authenticate(now(), &read).is_ok() && !trust.is_open());
    let (second, talk) = run(&place, "key rotate 1 --overlap-seconds 0").unwrap();
    assert!(second != first && talk.starts_with("Key 2 replaces key 1,"), "{talk}");
    assert_eq!(lines(&run(&place, "key revoke 2 --reason test").unwrap().0)[..2], ["key 2", "standing revoked"]);
    let listed = lines(&run(&place, "key list").unwrap().0);
    let with = |text: &str| listed.iter().filter(|line| line.contains(text)).count();
    assert_eq!((with("expired, now key 2"), with(" revoked "), with(" desk mine")), (1, 1, 2), "{listed:#?}");
    let json = run(&place, "key list --json").unwrap().0;
    assert!(json.starts_with(r#"{"keys":[{"number":1,"key_id":""#) && json.ends_with(r#""open":false}"#), "{json}");
}

#[test]
fn on_a_folder_what_is_not_the_operators_is_refused() {
    let (_base, place, data) = folder();
    let check = |line: &str, start: &str| {
        let message = run(&place, line).unwrap_err();
        assert!(message.starts_with(start), "{line}: {message}");
    };
    for line in ["key create citizen --did did:k:a", "key create operator --did did:k:a", "key create operator --name x"] {
        check(line, "error: On a folder itself only operators' keys are made");
    }
    check("key revoke 1", "error: there is no journal in");
    assert!(!std::path::Path::new(&data).exists(), "asking made something");
    run(&place, "key create operator").unwrap();
    check("key revoke 7", "error[L3-");
    check("key create operator --scopes money", "error[L3-");
}

#[test]
fn a_folder_in_use_says_what_to_do() {
    let (_base, place, data) = folder();
    let _desk = SqliteStore::open(&data).unwrap();
    let message = run(&place, "key create operator").unwrap_err();
    let (what, help) = message.split_once('\n').unwrap();
    assert!(what.starts_with("error: the store is in use: ") && what.contains("is open in process"), "{message}");
    assert!(help.starts_with("  help: stop the desk and repeat this, or ask the running desk"), "{message}");
    assert!(run(&place, "key list").is_ok(), "reading needs no lock");
}

#[test]
fn a_seal_closes_once() {
    let (_base, place, data) = folder();
    let args = crate::cli::SealArgs::default();
    let sealed = crate::commands::seal::run(&place, &args).unwrap();
    assert!(sealed.contains("closed") && sealed.contains("record"), "{sealed}");
    let trust = read_trust(&SqliteStore::open_read_only(&data).unwrap()).unwrap();
    assert!(!trust.is_open() && trust.keys().count() == 0);
    let again = crate::commands::seal::run(&place, &args).unwrap_err().to_string();
    assert!(again.contains("was closed at"), "{again}");
    let (client, asked) = desk_replying(200, r#"{"open":false,"closed_at":"2026-11-23T00:00:00Z","sequence":5}"#);
    let sealed = crate::commands::seal::run(&Place::Desk(client), &args).unwrap();
    assert_eq!(lines(&sealed), ["closed 2026-11-23T00:00:00Z", "record 5"]);
    let asked = asked.recv().unwrap();
    assert_eq!((&*asked.line, &*asked.body), ("POST /lab3/seal HTTP/1.1", "{}"));
}
