//! Witnesses: who has seen this journal, as the desk noted last; and the logs this Hive is a witness of.

use std::path::Path;

use lab3_server::{Standing, ago, seen};
use lab3_store::ApartFolder;
use lab3_tlog::{Checkpoint, Note};

use super::Finding;
use crate::config::Settings;

/// `now` in seconds since 1970.
pub(super) fn findings(settings: &Settings, data: &Path, now: u64) -> Vec<Finding> {
    let path = ApartFolder::beside(data);
    // Opening would make it.
    let Some(apart) = path.exists().then(|| ApartFolder::open(&path).ok()).flatten() else { return Vec::new() };
    let mut findings = ours(settings, &apart, now);
    findings.extend(settings.witness.logs.0.iter().flat_map(|key| of_log(&apart, key.name())));
    findings
}

fn ours(settings: &Settings, apart: &ApartFolder, now: u64) -> Vec<Finding> {
    let named = &settings.log.witnesses.0;
    if named.is_empty() {
        let help = "ask other Hives to be witnesses, and name them in log.witnesses (docs/modules/trust.md)";
        return vec![Finding::look("nobody outside sees this journal's checkpoints: its signer alone vouches for its past", help)];
    }
    let noted = match apart.witnesses() {
        Ok(text) => text.unwrap_or_default(),
        Err(error) => return vec![Finding::bad(error.to_string(), "run this as the desk's user")],
    };
    let noted: Vec<Standing> = serde_json::from_str(&noted).unwrap_or_default();
    let standing =
        |key: String| noted.iter().find(|standing| standing.key == key).cloned().unwrap_or(Standing { key, ..Standing::default() });
    let standings: Vec<Standing> = named.iter().map(|named| standing(named.key.to_string())).collect();
    let all = standings.iter().all(|standing| standing.trouble.is_none() && standing.seen_at.is_some());
    let summary = seen(&standings, now);
    let summary = if all { Finding::ok(summary) } else { Finding::look(summary, "see what keeps the others, below") };
    std::iter::once(summary).chain(standings.iter().map(|standing| witness(standing, now))).collect()
}

fn witness(standing: &Standing, now: u64) -> Finding {
    let name = standing.name();
    let saw = match (standing.records, standing.seen_at) {
        (Some(records), Some(at)) => format!("it has seen {records} records, {}", ago(now.saturating_sub(at))),
        _ => "it has seen nothing yet".to_owned(),
    };
    match &standing.trouble {
        None if standing.seen_at.is_some() => Finding::ok(format!("witness {name}: {saw}")),
        None => Finding::look(format!("witness {name}: {saw}"), "the desk asks it while it is open: lab3 serve"),
        Some(why) if standing.refused => Finding::bad(
            format!("the witness {name} refuses this journal's past: {why}"),
            "an older or another copy of the data stands here, or somebody else signs with its key: find the copy that the witness saw",
        ),
        Some(why) => {
            Finding::look(format!("witness {name} did not cosign: {why}; {saw}"), "ask whoever runs it; it is asked again and again")
        }
    }
}

fn of_log(apart: &ApartFolder, origin: &str) -> Vec<Finding> {
    let unreadable = |error: String| Finding::bad(format!("witness of {origin}: {error}"), "put the signer's folder back as it was");
    let mut findings = vec![match apart.cosigned(origin).map_err(|error| error.to_string()) {
        Ok(None) => Finding::ok(format!("this Hive is a witness of {origin}, which has not asked yet")),
        Ok(Some(note)) => match Note::parse(note.as_bytes()).ok().and_then(|note| Checkpoint::parse(note.text()).ok()) {
            Some(checkpoint) => Finding::ok(format!("this Hive is a witness of {origin}: it has seen {} records", checkpoint.size)),
            None => unreadable("what was cosigned last cannot be understood".to_owned()),
        },
        Err(error) => unreadable(error),
    }];
    if !matches!(apart.fork(origin), Ok(None)) {
        let proof = apart.fork_path(origin);
        let help = format!("show it to the members of that Hive; lab3 audit --fork '{}' checks it", proof.display());
        findings.push(Finding::bad(format!("the log {origin} told two stories: {} proves it", proof.display()), help));
    }
    findings
}
