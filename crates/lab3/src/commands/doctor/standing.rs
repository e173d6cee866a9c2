//! Who may do what, and from where: open or closed, keys, the address, providers' keys.

use std::net::SocketAddr;
use std::path::Path;

use lab3_trust::{Key, Kind, Standing, State};
use lab3_units::{Duration, Time};

use super::Finding;
use crate::config::Provider;
use crate::hive::needs_key;

/// Keys that expire so soon are told of: two weeks.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// Expiring keys told one by one, at most.
const TOLD_MAX: usize = 20;

pub(super) fn findings(trust: &State, now: Time, data: &Path) -> Vec<Finding> {
    let make = format!("with the desk stopped: lab3 key create operator --data {}", data.display());
    let mut findings = vec![trust.closed().map_or_else(
        || {
            let what = "the Hive is open: whoever is on this machine as the desk's user, or root, may do everything";
            Finding::look(what, format!("close it with the first key, {make}"))
        },
        |at| Finding::ok(format!("the Hive is closed since {at}: whoever asks has to be named")),
    )];
    let operators = trust.keys().filter(|key| key.holder.kind() == Kind::Operator && key.standing(now).works()).count();
    match (operators, trust.is_open()) {
        (0, true) => {}
        (0, false) => findings.push(Finding::bad("no operator's key works", make)),
        (1, _) => findings.push(Finding::ok("one operator's key works")),
        (many, _) => findings.push(Finding::ok(format!("{many} operators' keys work"))),
    }
    findings.extend(expiring(trust, now));
    findings
}

fn expiring(trust: &State, now: Time) -> Vec<Finding> {
    // A key that was replaced has a successor already.
    let valid: Vec<&Key> = trust.keys().filter(|key| key.standing(now) == Standing::Valid).collect();
    let soon = valid.iter().filter_map(|key| Some((key, key.expires.filter(|end| *end <= now.after(SOON))?)));
    let mut soon: Vec<_> = soon.collect();
    soon.sort_by_key(|(_, end)| *end);
    if soon.is_empty() {
        return if valid.is_empty() { Vec::new() } else { vec![Finding::ok("no key expires within 14 days")] };
    }
    let told = soon.iter().take(TOLD_MAX).map(|(key, end)| {
        let whose = key.holder.did().map_or_else(|| key.holder.kind().to_string(), ToString::to_string);
        Finding::look(format!("key {} ({whose}) expires at {end}", key.number), "make another for its holder in time: lab3 key create")
    });
    let mut told: Vec<_> = told.collect();
    if let Some(more) = soon.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
        told.push(Finding::look(format!("{more} more keys expire within 14 days"), "lab3 key list"));
    }
    told
}

pub(super) fn listening(open: bool, listen: SocketAddr) -> Finding {
    match (listen.ip().to_canonical().is_loopback(), open) {
        (true, _) => Finding::ok(format!("{listen} is reached from this machine only")),
        (false, true) => Finding::bad(
            format!("the configuration has the desk listen on {listen}, where others reach it, and the Hive is open: it will not start so"),
            "close the Hive first (lab3 key create operator, lab3 seal), or set server.listen to 127.0.0.1:8003",
        ),
        (false, false) => Finding::look(
            format!("the desk listens on {listen}, where others reach it, and its HTTP is not encrypted"),
            "put a reverse proxy that speaks TLS before it, or set server.listen to a loopback address",
        ),
    }
}

pub(super) fn providers(providers: &[Provider]) -> Vec<Finding> {
    let asked = || providers.iter().filter(|provider| provider.enabled && needs_key(provider.kind));
    let names = |set: bool| asked().filter(|provider| provider.api_key.is_set() == set).map(|provider| &*provider.name).collect::<Vec<_>>();
    let mut findings = Vec::new();
    if let with @ [_, ..] = &*names(true) {
        findings.push(Finding::ok(format!("providers with a key: {}", with.join(", "))));
    }
    if let without @ [_, ..] = &*names(false) {
        let help = "set their keys (lab3 config show names the variables), or switch them off: providers.NAME.enabled = false";
        findings.push(Finding::look(format!("providers without a key, which the gateway never asks: {}", without.join(", ")), help));
    }
    findings
}
