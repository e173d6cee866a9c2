//! One witness, asked to cosign one checkpoint (c2sp.org/tlog-witness).

use std::time::Duration;

use lab3_engine::Engine;
use lab3_tlog::{AddCheckpoint, Seconds, Signature, VerifierKey, parse_conflict};

use super::{Outside, WitnessAnswer};
use crate::checkpoints::Published;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Letters of a witness's answer that are told.
const WORDS_MAX: usize = 160;

/// What came of asking.
pub(super) enum Outcome {
    /// It cosigned, at that time of its clock; these are its lines.
    Saw(Vec<Signature>, Seconds),
    /// It did not, for now, in words.
    Failed(String),
    /// It has seen another past, in words.
    Refused(String),
}

/// Asks a witness that has, as far as one knows, seen `old` records. It may say that it has seen another number, and is asked once more.
pub(super) async fn ask(outside: &dyn Outside, engine: &Engine, key: &VerifierKey, url: &str, old: u64, published: &Published) -> Outcome {
    let size = published.checkpoint.size;
    let mut old = if old <= size { old } else { 0 };
    let mut corrected = false;
    loop {
        let answer = match once(outside, engine, url, old, published).await {
            Ok(answer) => answer,
            Err(why) => return Outcome::Failed(why),
        };
        match answer.status {
            200 => return saw(key, &answer, published),
            409 => match str::from_utf8(&answer.body).ok().and_then(parse_conflict) {
                None => return Outcome::Failed("it answered 409 without a size".to_owned()),
                Some(seen) if seen > size => {
                    return Outcome::Refused(format!("it has seen {seen} records of this log, which has {size}"));
                }
                Some(seen) if seen == old => {
                    return Outcome::Refused(format!("it has seen {seen} other records than these in this log's name"));
                }
                Some(_) if corrected => return Outcome::Failed("it answers 409 whatever size it is sent".to_owned()),
                Some(seen) => (old, corrected) = (seen, true),
            },
            422 => return Outcome::Refused(format!("it has seen {old} other records than these in this log's name")),
            403 => return Outcome::Failed("it does not know this log's key (403): its witness.logs needs it".to_owned()),
            404 => return Outcome::Failed("it is no witness of this log (404): its witness.logs needs this log's key".to_owned()),
            status => return Outcome::Failed(format!("it answered {status}: {}", words(&answer.body))),
        }
    }
}

async fn once(outside: &dyn Outside, engine: &Engine, url: &str, old: u64, published: &Published) -> Result<WitnessAnswer, String> {
    let proof = engine.log().consistency(old, published.checkpoint.size).await.map_err(|problem| problem.to_string())?;
    let request = AddCheckpoint { old, proof, note: published.note.clone() };
    let asked = outside.ask(url, request.to_string());
    tokio::time::timeout(PATIENCE, asked).await.map_err(|_| format!("it did not answer within {} s", PATIENCE.as_secs()))?
}

fn saw(key: &VerifierKey, answer: &WitnessAnswer, published: &Published) -> Outcome {
    let lines = str::from_utf8(&answer.body).ok().and_then(|text| Signature::parse_lines(text).ok());
    let Some(lines) = lines else { return Outcome::Failed("its answer is no line of a signature".to_owned()) };
    let mut note = published.note.clone();
    match note.adopt(lines.clone(), std::slice::from_ref(key)) {
        Ok(signed) => match signed.first().and_then(|signed| signed.time) {
            Some(time) => Outcome::Saw(lines, time),
            None => Outcome::Failed("its signature has no time".to_owned()),
        },
        Err(error) => Outcome::Failed(format!("its answer is not signed by the key it is known by: {error}")),
    }
}

/// A witness's own words, on one line.
fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|letter| !letter.is_control()).take(WORDS_MAX).collect()
}
