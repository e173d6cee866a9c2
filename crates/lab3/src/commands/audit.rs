//! `lab3 audit URL`: checks a Hive's books from outside: what was signed, every record, and that it goes on from the last visit.

use std::path::PathBuf;

use lab3_audit::{Source, Terms, Unserved, Verdict, Visit, audit};
use lab3_tlog::{Receipt, Tile, TileKind, VerifierKey};
use lab3_units::Asset;
use ureq::Agent;

use super::Env;
use crate::Failure;
use crate::cli::AuditArgs;
use crate::progress::bar;
use crate::table::pairs;

/// Most that is read of one answer: a tile of records, each of which may be as large as a request.
const ANSWER_BYTES_MAX: u64 = 512 << 20;

/// A Hive over HTTP.
struct Desk {
    agent: Agent,
    base: String,
    key: Option<String>,
}

impl Desk {
    fn get(&self, path: &str) -> Result<Vec<u8>, Unserved> {
        let url = format!("{}/lab3/log/{path}", self.base);
        let unserved = |why: String| Unserved(format!("{url}: {why}"));
        let mut request = self.agent.get(&url);
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let mut answer = request.call().map_err(|error| unserved(error.to_string()))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(|error| unserved(error.to_string()))?;
        match status {
            200 => Ok(body),
            401 | 403 => {
                Err(unserved("records are shown to members and auditors: set LAB3_KEY to a key with the scope journal".to_owned()))
            }
            _ => Err(unserved(format!("it answered {status}: {}", String::from_utf8_lossy(&body).chars().take(200).collect::<String>()))),
        }
    }

    fn tile(&self, kind: TileKind, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        let tile = Tile::new(kind, index, width).ok_or_else(|| Unserved(format!("there can be no tile {index} of {width}")))?;
        self.get(&tile.to_string())
    }
}

impl Source for Desk {
    fn checkpoint(&mut self) -> Result<Vec<u8>, Unserved> {
        self.get("checkpoint")
    }

    fn key(&mut self) -> Result<String, Unserved> {
        self.get("key").map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    fn data_tile(&mut self, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        Desk::tile(self, TileKind::Data, index, width)
    }

    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        Desk::tile(self, TileKind::Hashes { level }, index, width)
    }
}

/// Checks the books, says what was found, and keeps the visit for the next time.
pub fn run(args: &AuditArgs, env: &Env) -> Result<String, Failure> {
    let base = args.url.trim_end_matches('/').to_owned();
    let agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).build().new_agent();
    let mut desk = Desk { agent, base, key: env.get("LAB3_KEY").cloned() };
    let last = args.visit.as_ref().map(visited).transpose()?.flatten();
    let key = args.key.as_deref().map(VerifierKey::parse).transpose();
    let key = key.map_err(|error| Failure::Usage(format!("--key: {error}")))?;
    let receipts = args.receipts.iter().map(receipt).collect::<Result<_, _>>()?;
    let terms = Terms { key, last, receipts, ..Terms::default() };
    let mut shown = None;
    let verdict = audit(&mut desk, &terms, |done, all| shown.get_or_insert_with(|| bar(all, "records")).set_position(done));
    if let Some(bar) = shown {
        bar.finish_and_clear();
    }
    if let (Some(file), Some(visit)) = (&args.visit, &verdict.visit) {
        std::fs::write(file, visit.to_string())
            .map_err(|error| Failure::Other(format!("{} cannot be written: {error}", file.display())))?;
    }
    if verdict.holds() {
        return Ok(told(&verdict));
    }
    eprintln!("{}", told(&verdict));
    if let Some(fork) = &verdict.fork {
        println!("{fork}");
    }
    let mut faults = verdict.faults.iter().map(ToString::to_string).collect::<Vec<_>>();
    if verdict.faults_more > 0 {
        faults.push(format!("and {} more", verdict.faults_more));
    }
    Err(Failure::Other(format!("the books do not hold:\n  {}", faults.join("\n  "))))
}

/// The last visit, if there was one.
fn visited(file: &PathBuf) -> Result<Option<Visit>, Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => Visit::parse(&text).map(Some).map_err(|error| Failure::Other(format!("{}: {error}", file.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Other(format!("{}: {error}", file.display()))),
    }
}

/// A receipt: the note `--receipt` of other commands wrote, or the header's text as it came.
fn receipt(file: &PathBuf) -> Result<Vec<u8>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::Other(format!("{}: {error}", file.display())))?;
    Ok(Receipt::from_header(text.trim()).unwrap_or(text).into_bytes())
}

fn told(verdict: &Verdict) -> String {
    let figures = &verdict.figures;
    let mic = |amount| format!("{} MIC", Asset::MIC.decimal(amount));
    let follows = verdict.follows.map_or_else(|| "this is the first visit".to_owned(), |size| format!("record {size}, seen last time"));
    let mut lines = vec![
        ("log", verdict.checkpoint.as_ref().map(|checkpoint| checkpoint.origin.clone()).unwrap_or_default()),
        ("key", verdict.key.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("records", figures.records.to_string()),
        ("goes on from", follows),
        ("accounts", figures.accounts.to_string()),
        ("open holds", figures.holds_open.to_string()),
        ("keys", figures.keys.to_string()),
        ("supply", mic(figures.supply)),
    ];
    if verdict.receipts > 0 {
        lines.push(("receipts kept", verdict.receipts.to_string()));
    }
    lines.push(("verdict", if verdict.holds() { "every check holds" } else { "the books do not hold" }.to_owned()));
    pairs(&lines)
}
