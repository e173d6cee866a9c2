//! Who asks: the holder of a key, a member who signed, or somebody on this machine while the Hive is open.
//!
//! An open Hive answers whoever could read its files anyway, and nobody else. A browser on the same machine is led by strangers: their
//! pages may send it here. So a request that could be a page's (its name for us is not ours, it names another origin, it came through
//! something that forwards, its body does not say it is JSON) is not taken for one of somebody on this machine.

use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, header};
use lab3_signature::Head;
use lab3_trust::{KeyText, KeyTextError, Principal};
use lab3_units::{Code, Problem};

use crate::App;
use crate::http::body::check_content_type;
use crate::http::signed;
use crate::limits::Network;
use crate::peer::Peer;

/// The headers a key may come in: our own, and those of other protocols' clients.
const KEY_HEADERS: [HeaderName; 3] =
    [header::AUTHORIZATION, HeaderName::from_static("x-api-key"), HeaderName::from_static("x-goog-api-key")];

/// What forwards requests says so in one of these.
const FORWARDED: [&str; 6] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// Who asks, and for somebody nobody names on an open Hive, why.
#[derive(Debug)]
pub(crate) struct Asker {
    pub(crate) principal: Principal,
    /// Why a request to an open Hive is not taken for one of somebody on this machine.
    pub(crate) not_local: Option<Problem>,
    /// What a signer signed; the body is to be checked against it.
    pub(crate) head: Option<Head>,
}

impl Asker {
    /// Who names nobody.
    pub(crate) const fn nobody() -> Self {
        Self::named(Principal::Nobody)
    }

    const fn named(principal: Principal) -> Self {
        Self { principal, not_local: None, head: None }
    }
}

/// Who asks.
///
/// Errors: `KEY_INVALID` for a key that is none, or no longer: sending one means wanting it to count. `TOO_MANY_WRONG` instead when its
/// address sent too many of these.
pub(crate) fn asker(app: &App, request: &Request) -> Result<Asker, Problem> {
    let now = Instant::now();
    let attempt = app.limits().key(network(request));
    let wrong = |problem| attempt.wrong(problem, now);
    let sent = key(request.headers()).map_err(wrong)?;
    if signed::is_signed(request.headers()) {
        if sent.as_ref().is_some_and(|key| key.starts_with("lab3_")) {
            let detail = "The request carries a key and a signature. Send one of them: nobody could say which counts.";
            return Err(wrong(Problem::new(Code::KEY_INVALID, detail).in_field("Signature")));
        }
        let (principal, head) = signed::signer(app, request, &attempt)?;
        return Ok(Asker { head: Some(head), ..Asker::named(principal) });
    }
    let Some(sent) = sent else { return Ok(unnamed(app, request)) };
    match KeyText::parse(&sent) {
        Ok(key) => holder(app, &key).map(Asker::named).map_err(wrong),
        // Clients of other protocols insist on some key.
        Err(KeyTextError::NotAKey) if app.engine().trust().is_open() => Ok(local(request)),
        Err(error) => {
            let detail = format!("The key cannot be used: {error}.");
            Err(wrong(Problem::new(Code::KEY_INVALID, detail).in_field("Authorization")))
        }
    }
}

/// Who holds a key, whose use is noted.
fn holder(app: &App, key: &KeyText) -> Result<Principal, Problem> {
    let now = app.engine().now();
    let principal = app.engine().trust().authenticate(now, key)?;
    if let Principal::Key(bearer) = &principal {
        app.uses().note(bearer.number, now);
    }
    Ok(principal)
}

/// Who asks without a name.
fn unnamed(app: &App, request: &Request) -> Asker {
    if app.engine().trust().is_open() { local(request) } else { Asker::nobody() }
}

/// The network a request came from.
pub(crate) fn network(request: &Request) -> Network {
    request.extensions().get::<Peer>().map_or(Network::unknown(), |peer| Network::of(peer.remote.ip()))
}

/// The key a request carries, from whichever header. Two different ones are refused: nobody could say which counts.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut found: Option<&str> = None;
    for value in KEY_HEADERS.iter().flat_map(|name| headers.get_all(name)) {
        let text = value.to_str().unwrap_or_default().trim();
        let key = match text.split_once(' ') {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
            Some(_) => continue,
            None => text,
        };
        if found.is_some_and(|other| other != key) {
            let detail = "The request carries two different keys. Send one, in one header: Authorization: Bearer lab3_...";
            return Err(Problem::new(Code::KEY_INVALID, detail).in_field("Authorization"));
        }
        found = Some(key).filter(|key| !key.is_empty());
    }
    Ok(found.map(str::to_owned))
}

fn local(request: &Request) -> Asker {
    match check_local(request) {
        Ok(()) => Asker::named(Principal::Local),
        Err(why) => Asker { not_local: Some(why), ..Asker::nobody() },
    }
}

/// Refuses what is not certainly sent by somebody on this machine, knowingly.
fn check_local(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    match request.extensions().get::<Peer>() {
        Some(peer) if !peer.is_loopback() => return Err(not_local("it came from another machine", "")),
        Some(Peer { trusted_user: Some(false), .. }) => return Err(not_local("it came from another user of this machine", "")),
        Some(_) => {}
        None => return Err(not_local("nobody can tell where it came from", "")),
    }
    if let Some(name) = FORWARDED.iter().find(|name| headers.contains_key(**name)) {
        return Err(not_local("it was forwarded", name));
    }
    let host = text(headers, &header::HOST).unwrap_or_default();
    if !is_ours(host) {
        return Err(not_local("it calls this desk by a name that is not this machine's own", "Host"));
    }
    if let Some(origin) = headers.get(header::ORIGIN)
        && !origin.to_str().is_ok_and(|origin| origin.strip_prefix("http://") == Some(host))
    {
        return Err(not_local("a page of another origin sent it", "Origin"));
    }
    let site = text(headers, &HeaderName::from_static("sec-fetch-site")).unwrap_or("none");
    if !matches!(site, "none" | "same-origin") {
        return Err(not_local("a page of another site sent it", "Sec-Fetch-Site"));
    }
    // Browsers send other sites' requests without asking first unless they say JSON.
    if request.method() == Method::POST && has_body(headers) { check_content_type(headers) } else { Ok(()) }
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING) || text(headers, &header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}

/// Whether the `Host` names this machine as nobody but itself can: a name of the network could be made to point here.
fn is_ours(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn not_local(why: &str, field: &'static str) -> Problem {
    let detail = format!(
        "This Hive is open: it answers whoever is on its own machine, and this request is not taken for such a one, because {why}. \
         Ask from this machine directly, or make a key (lab3 key create) and send it."
    );
    let problem = Problem::new(Code::NOT_LOCAL, detail);
    if field.is_empty() { problem } else { problem.in_field(field) }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_its_own() {
        for host in ["localhost", "LOCALHOST:8003", "127.0.0.1", "127.0.0.1:8003", "127.3.2.1:1", "[::1]", "[::1]:8003"] {
            assert!(is_ours(host), "{host}");
        }
        for host in
            ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1:8003", "[::2]:80", "0.0.0.0", ":8003"]
        {
            assert!(!is_ours(host), "{host}");
        }
    }
}
