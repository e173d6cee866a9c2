//! The authorization matrix: every route, every principal, one's own things and others' and none, every header a key comes in. What the
//! desk should say is worked out from a table written by hand (`matrix/table.txt`), not by the code that is tested.

mod model;
mod open;
mod requests;
mod stage;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;

use self::model::{LINES, Line, Object, Verdict, Who};
use self::requests::{body, names, request, whole};
use self::stage::Stage;
use crate::hive::Reply;

/// The headers a key may come in.
const HEADERS: [&str; 3] = ["Authorization", "x-api-key", "x-goog-api-key"];

/// A key of some other place.
const STRANGE: &str = "sk-0123456789abcdef";

/// A key as they are written, that was never made.
fn never_made() -> String {
    lab3_trust::KeyText::make(lab3_trust::Kind::Operator, [200; 8], &[200; 32]).show_once().to_owned()
}

/// One of a route, a principal, an object and a header.
#[derive(Clone, Copy, Debug)]
struct Cell<'a> {
    line: &'a Line,
    who: Who,
    object: Object,
    header: Option<&'static str>,
}

impl Cell<'_> {
    fn name(&self) -> String {
        let Self { line, who, object, header } = self;
        format!("{} {} ({}) as {who:?} on {object:?} by {header:?}", line.method, line.path, line.shape)
    }

    fn request(&self, stage: &Stage) -> Request<Body> {
        let key = stage.keys.get(&self.who).cloned().unwrap_or_default();
        let sent = match self.who {
            Who::Stranger => STRANGE.to_owned(),
            Who::Unknown => never_made(),
            _ => key.text,
        };
        let names = names(self.who, self.object);
        let mut builder = request(self.line, self.object, &names, &stage.things, key.number.max(1));
        if let Some(name) = self.header {
            builder = builder.header(name, if name == "Authorization" { format!("Bearer {sent}") } else { sent });
        }
        whole(builder, body(self.line, &names, &stage.things).as_ref())
    }
}

/// The code of a refusal, wherever the dialect has it.
fn code(reply: &Reply) -> String {
    let text = if reply.status < 400 { String::new() } else { reply.text() };
    text.find("L3-").and_then(|at| text.get(at..at + 7)).unwrap_or_default().to_owned()
}

/// Checks that a refusal has the form of the client's own protocol.
fn check_form(path: &str, reply: &Reply, name: &str) {
    if path.starts_with("/lab3/") || path == "/metrics" {
        let (status, code, _) = reply.problem();
        assert!(status >= 400 && code.starts_with("L3-"), "{name}");
        return;
    }
    let told = reply.json();
    let fits = match path {
        _ if path.starts_with("/api/") => told["error"].is_string() && told["code"].is_string(),
        _ if path.starts_with("/v1/messages") => {
            told["type"] == "error" && told["error"]["type"].is_string() && told["error"]["message"].is_string()
        }
        _ => told["error"]["message"].is_string() && told["error"]["code"].is_string(),
    };
    assert!(fits && !code(reply).is_empty(), "{name}: not in the dialect's form: {told}");
}

#[track_caller]
fn check_refused(cell: &Cell<'_>, reply: &Reply, status: u16, expected: &str) {
    let name = cell.name();
    assert_eq!((reply.status, &*code(reply)), (status, expected), "{name}: {}", reply.text());
    check_form(cell.line.path, reply, &name);
    let challenged = reply.header("www-authenticate");
    assert_eq!(challenged, (status == 401).then_some("Bearer"), "{name}");
}

/// Nothing was held against who asks, and the handler answered what it should.
#[track_caller]
fn check_passed(cell: &Cell<'_>, reply: &Reply) {
    let name = cell.name();
    let code = code(reply);
    assert!(!matches!(&*code, "L3-0029" | "L3-0034" | "L3-0035" | "L3-0036"), "{name}: refused: {}", reply.text());
    assert!(cell.line.answers.contains(&reply.status), "{name}: {} {}", reply.status, reply.text());
}

/// Every cell of the lines that are picked.
async fn check_closed(picked: impl Fn(&Line) -> bool) {
    let mut stage = Stage::new().await;
    let mut cells = 0;
    for line in LINES.iter().filter(|line| picked(line)) {
        for who in line.askers() {
            let mut refusals = BTreeSet::new();
            for &object in line.objects() {
                for header in HEADERS.into_iter().filter(|name| who != Who::Nobody || *name == HEADERS[0]) {
                    let cell = Cell { line, who, object, header: (who != Who::Nobody).then_some(header) };
                    cells += 1;
                    let before = stage.hive.state_hash().await;
                    let reply = stage.hive.send(cell.request(&stage)).await;
                    let verdict = line.verdict(who, object);
                    match verdict {
                        Verdict::Passes => check_passed(&cell, &reply),
                        Verdict::Unnamed => check_refused(&cell, &reply, 401, "L3-0034"),
                        Verdict::Dead => check_refused(&cell, &reply, 401, "L3-0035"),
                        Verdict::Refused => check_refused(&cell, &reply, 403, "L3-0036"),
                    }
                    if verdict != Verdict::Passes || line.method == "GET" {
                        assert_eq!(stage.hive.state_hash().await, before, "{}: the state changed", cell.name());
                    } else {
                        // Every cell is tried on the same Hive.
                        stage = Stage::new().await;
                    }
                    if verdict == Verdict::Refused && matches!(object, Object::Foreign | Object::Missing) {
                        refusals.insert(reply.text());
                    }
                }
            }
            assert!(refusals.len() < 2, "{} {} tells {who:?} what is there and what is not: {refusals:?}", line.method, line.path);
        }
    }
    println!("{cells} cells");
}

#[test]
fn the_table_has_every_route_and_no_other() {
    let written: BTreeSet<_> = LINES.iter().map(|line| (line.method, line.path)).collect();
    let routed: BTreeSet<_> = lab3_server::routes().iter().map(|row| (row.method, row.path)).collect();
    let new: Vec<_> = routed.difference(&written).collect();
    assert!(new.is_empty(), "decide who may do this, and write it into tests/api/matrix/table.txt: {new:?}");
    let gone: Vec<_> = written.difference(&routed).collect();
    assert!(gone.is_empty(), "these are in tests/api/matrix/table.txt, and no routes any more: {gone:?}");
}

#[tokio::test]
async fn every_cell_of_compute_and_finance() {
    check_closed(|line| line.path.starts_with("/lab3/compute/") || line.path.starts_with("/lab3/financial/")).await;
}

#[tokio::test]
async fn every_cell_of_keys() {
    check_closed(|line| line.path.starts_with("/lab3/keys")).await;
}

#[tokio::test]
async fn every_cell_of_the_gateway_and_the_desk() {
    let elsewhere = ["/lab3/compute/", "/lab3/financial/", "/lab3/keys"];
    check_closed(|line| !elsewhere.iter().any(|prefix| line.path.starts_with(prefix))).await;
}
