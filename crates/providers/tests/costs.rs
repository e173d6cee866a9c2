//! Cost fidelity: usage as providers tell it in their streams, and the KS it must cost.
//!
//! Each file of `costs/` is one shape, in the folder of its dialect: what it shows, how it is known, the prices of a dated list, the
//! usage it must be read as, the sum spelled out, the cost, and the stream as it goes over the wire. The streams were written from public
//! documentation and issue threads, the sums with a pencil; no code of the desk made one of them.
//!
//! 1 MIC stands for 1 USD. A list price in USD per million tokens is then the price of a token in KS, which is what the sums use; a
//! thousandth of it is the price in MIC per thousand tokens, which is how the desk is told. A price that a shape does not give is that of
//! the input (what was cached) or the output (thoughts), as in the configuration.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use lab3_compute::{Prices, Rates, Usage};
use lab3_providers::Piece;
use lab3_providers::dialect::openai_chat::{Flavour, OpenAiChatBack};
use lab3_providers::dialect::openai_responses::OpenAiResponses;
use lab3_providers::dialect::{Back, Broken, anthropic, gemini, ollama};
use lab3_units::{Amount, Asset, TokenRate};

/// The dialects' folders, and how many shapes each has at least.
const DIALECTS: [(&str, usize); 5] = [("openai_chat", 55), ("openai_responses", 12), ("anthropic", 18), ("gemini", 14), ("ollama", 8)];

/// A file's text.
struct Shape {
    name: String,
    dialect: &'static str,
    head: BTreeMap<String, String>,
    stream: String,
}

/// What is read of a stream: how it ends, the usage, and what that costs.
type Outcome = (String, Option<Usage>, Option<Amount>);

impl Shape {
    fn read(dialect: &'static str, path: &Path) -> Self {
        let name = path.strip_prefix(folder()).unwrap().display().to_string();
        let text = std::fs::read_to_string(path).unwrap();
        let (head, stream) = text.split_once("\n---\n").unwrap_or_else(|| panic!("{name} has no stream"));
        let field = |line: &str| line.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned()));
        let head: BTreeMap<_, _> = head.lines().map(|line| field(line).unwrap_or_else(|| panic!("{name}: {line}"))).collect();
        let known = ["what", "known", "prices", "long", "ends", "usage", "sum", "cost"];
        assert!(head.keys().all(|key| known.contains(&key.as_str())), "{name}: {:?}", head.keys());
        Self { name, dialect, head, stream: stream.to_owned() }
    }

    fn get(&self, key: &str) -> &str {
        self.head.get(key).unwrap_or_else(|| panic!("{} does not say `{key}`", self.name))
    }

    fn prices(&self) -> Prices {
        let long = self.head.get("long").map(|long| {
            let above = long.strip_prefix("more than ").and_then(|rest| rest.split_once(": ")).unwrap().0;
            (above.parse().unwrap(), rates(long))
        });
        Prices { rates: rates(self.get("prices")), long }
    }

    fn expected(&self) -> Outcome {
        let ends = self.head.get("ends").map_or("whole", String::as_str).to_owned();
        match (self.get("usage"), self.get("cost")) {
            ("none", "none") => (ends, None, None),
            (told, cost) => (ends, Some(usage(told)), Some(Amount::new(cost.parse().unwrap()))),
        }
    }

    /// Reads the stream in pieces of so many bytes.
    fn found(&self, stream: &str, size: usize) -> Outcome {
        let (mut reader, mut pieces) = (back(self.dialect).reader(), Vec::new());
        let read = stream.as_bytes().chunks(size).try_for_each(|bytes| reader.read(bytes, &mut pieces));
        let ends = match read {
            Ok(()) if reader.is_done() => "whole".to_owned(),
            Ok(()) => "cut".to_owned(),
            Err(Broken::Failed(_)) => "failed".to_owned(),
            Err(Broken::Malformed(why)) => why,
        };
        let usage = pieces.iter().rev().find_map(|piece| if let Piece::Usage(usage) = piece { Some(*usage) } else { None });
        (ends, usage, usage.map(|usage| self.prices().bill(&usage)))
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/costs"))
}

/// Every shape there is.
fn shapes() -> Vec<Shape> {
    let of_dialect = |(dialect, _): (&'static str, usize)| {
        let files = std::fs::read_dir(folder().join(dialect)).unwrap();
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        paths.into_iter().map(move |path| Shape::read(dialect, &path))
    };
    DIALECTS.into_iter().flat_map(of_dialect).collect()
}

/// Whose reader reads it. Flavours of a dialect are read by one reader.
fn back(dialect: &str) -> Box<dyn Back> {
    match dialect {
        "openai_chat" => Box::new(OpenAiChatBack { flavour: Flavour::Compatible }),
        "openai_responses" => Box::new(OpenAiResponses),
        "anthropic" => Box::new(anthropic::Anthropic),
        "gemini" => Box::new(gemini::Gemini),
        _ => Box::new(ollama::OllamaChat),
    }
}

/// The pairs of `NAME: key value, key value`, or of the part behind the name alone.
fn pairs(text: &str) -> BTreeMap<&str, &str> {
    let list = text.rsplit_once(": ").map_or(text, |(_, list)| list);
    list.split(", ").map(|pair| pair.split_once(' ').unwrap_or_else(|| panic!("no pair: {pair}"))).collect()
}

fn rates(text: &str) -> Rates {
    let mut pairs = pairs(text);
    let mut rate = |key: &str| pairs.remove(key).map(|price| TokenRate::from_mic_per_thousand(price).unwrap());
    let (input, output) = (rate("input").unwrap(), rate("output").unwrap());
    let rates = Rates {
        input,
        cache_read: rate("cache_read").unwrap_or(input),
        cache_write_5m: rate("cache_write_5m").unwrap_or(input),
        cache_write_1h: rate("cache_write_1h").unwrap_or(input),
        output,
        reasoning: rate("reasoning").unwrap_or(output),
        tool_run: None,
    };
    let tool_run = pairs.remove("tool_run").map(|price| Asset::MIC.parse(price).unwrap());
    assert!(pairs.is_empty(), "no prices: {pairs:?}");
    Rates { tool_run, ..rates }
}

fn usage(text: &str) -> Usage {
    let mut pairs = pairs(text);
    let mut count = |key: &str| pairs.remove(key).map_or(0, |count| count.parse().unwrap());
    let usage = Usage {
        input: count("input"),
        cache_read: count("cache_read"),
        cache_write_5m: count("cache_write_5m"),
        cache_write_1h: count("cache_write_1h"),
        output: count("output"),
        reasoning: count("reasoning"),
        tool_runs: count("tool_runs"),
    };
    assert!(pairs.is_empty(), "no counts: {pairs:?}");
    usage
}

#[test]
fn every_shape_costs_what_it_must() {
    let mut wrong = String::new();
    for shape in shapes() {
        let (expected, crlf) = (shape.expected(), shape.stream.replace('\n', "\r\n"));
        for (stream, size) in [1, 7, 64, usize::MAX].into_iter().flat_map(|size| [(&shape.stream, size), (&crlf, size)]) {
            let found = shape.found(stream, size.min(stream.len()));
            if found != expected {
                // Writing to a String cannot fail.
                let _ = writeln!(wrong, "{}: {}\n   found {found:?}\nexpected {expected:?}", shape.name, shape.get("what"));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The last figure of a sum, rounded up, is the cost: who changes one has to change the other.
#[test]
fn every_sum_ends_in_its_cost() {
    for shape in shapes().iter().filter(|shape| shape.get("cost") != "none") {
        let exact = Amount::parse(shape.get("sum").rsplit(" = ").next().unwrap(), 6).unwrap();
        let cost: i64 = shape.get("cost").parse().unwrap();
        assert_eq!(exact.units().div_euclid(1_000_000) + i64::from(exact.units() % 1_000_000 > 0), cost, "{}", shape.name);
    }
}

#[test]
fn no_dialect_lost_its_shapes() {
    let shapes = shapes();
    for (dialect, least) in DIALECTS {
        assert!(shapes.iter().filter(|shape| shape.dialect == dialect).count() >= least, "{dialect}");
    }
    assert!(shapes.iter().all(|shape| !shape.get("what").is_empty() && !shape.get("known").is_empty()));
}
