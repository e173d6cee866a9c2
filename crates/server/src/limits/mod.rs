//! How much anybody may ask for: requests of a principal and of an address, and keys and signatures that are wrong.
//!
//! A key has 256 random bits, so nobody guesses it: what wrong ones cost is time and log lines, and that is what is limited. A key that is
//! right is therefore always taken, whoever else sends wrong ones from its address; only the refusal of a wrong one changes. A signature
//! costs the work of checking it, right or wrong, so from an address that sent too many wrong ones only those of DIDs are checked that
//! signed rightly from there not long ago, and of these, too, so many wrong ones a minute. No account is ever locked: what strangers do
//! elsewhere counts for their addresses.

mod buckets;
mod network;
mod room;
mod table;

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lab3_trust::Principal;
use lab3_units::{Code, Did, Problem};

use buckets::{Buckets, nanos};
pub(crate) use network::{Connections, Network, OpenConnection};
pub(crate) use room::{OWN_BYTES, Room, Taken, kept};
use table::Table;

/// How long a DID that signed rightly from an address is known there.
const KNOWN: Duration = Duration::from_mins(10);

/// Least time between two log lines about refusals.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// How much anybody may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Requests of a principal in a minute; 0 is no limit.
    pub requests_per_minute: u32,
    /// Requests that name nobody, of an address in a minute; 0 is no limit.
    pub address_requests_per_minute: u32,
    /// Wrong keys and signatures that are looked at, of an address in a minute; 0 is no limit.
    pub wrong_per_minute: u32,
    /// Connections open at once; further ones wait to be accepted.
    pub connections_max: usize,
    /// Of these, from one address; 0 is no limit.
    pub connections_per_address: usize,
    /// Room for what bodies have beyond 64 KB each, in megabytes.
    pub bodies_mb: usize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            requests_per_minute: 600_000,
            address_requests_per_minute: 120_000,
            wrong_per_minute: 60,
            connections_max: 8192,
            connections_per_address: 4096,
            bodies_mb: 256,
        }
    }
}

/// What was asked for, by whom.
#[derive(Debug)]
pub(crate) struct Limits {
    settings: LimitSettings,
    principals: Option<Buckets>,
    addresses: Option<Buckets>,
    wrong: Option<Buckets>,
    /// Until when a DID is known at an address, in nanoseconds since `began`.
    known: Table,
    room: Room,
    began: Instant,
    refused: AtomicU64,
    told_at: AtomicU64,
}

/// By what a principal's requests are counted: a citizen is one, whatever keys she has.
#[derive(Hash)]
enum Counted<'a> {
    Citizen(&'a Did),
    Family(u32),
}

impl Limits {
    pub(crate) fn new(settings: LimitSettings) -> Self {
        Self {
            settings,
            principals: Buckets::new(settings.requests_per_minute),
            addresses: Buckets::new(settings.address_requests_per_minute),
            wrong: Buckets::new(settings.wrong_per_minute),
            known: Table::new(),
            room: Room::new(settings.bodies_mb),
            began: Instant::now(),
            refused: AtomicU64::new(0),
            told_at: AtomicU64::new(0),
        }
    }

    pub(crate) fn settings(&self) -> &LimitSettings {
        &self.settings
    }

    /// Room for large bodies.
    pub(crate) fn room(&self) -> &Room {
        &self.room
    }

    /// Counts a request. Somebody on an open Hive's machine, who could as well stop the desk, is not counted.
    ///
    /// Errors: `TOO_FAST`.
    pub(crate) fn admit(&self, who: &Principal, from: Network, now: Instant) -> Result<(), Problem> {
        let of_principal = |name: Counted<'_>| take(self.principals.as_ref(), &name, "You ask", now);
        match (who, who.did()) {
            (_, Some(did)) => of_principal(Counted::Citizen(did)),
            (Principal::Key(bearer), None) => of_principal(Counted::Family(bearer.family)),
            (Principal::Nobody, None) => self.admit_address(from, now),
            (Principal::Local | Principal::Desk | Principal::Signed { .. }, None) => Ok(()),
        }
    }

    fn admit_address(&self, from: Network, now: Instant) -> Result<(), Problem> {
        take(self.addresses.as_ref(), &from, "From your address requests that name nobody come", now)
    }

    /// A key is going to be looked at.
    pub(crate) fn key(&self, from: Network) -> Attempt<'_> {
        Attempt { limits: self, from, signer: None }
    }

    /// A signature of that DID is going to be checked.
    ///
    /// Errors: `TOO_MANY_WRONG`, `TOO_FAST`: it is not to be.
    pub(crate) fn signature<'a>(&'a self, from: Network, did: &'a Did, now: Instant) -> Result<Attempt<'a>, Problem> {
        let is_known = self.known.with(&(from, did), |until| *until > self.since(now));
        let wait = match &self.wrong {
            Some(wrong) if is_known => wrong.peek(&(from, did), now),
            Some(wrong) => wrong.peek(&from, now),
            None => Ok(()),
        };
        wait.map_err(|wait| {
            self.tell(now);
            let detail = "Too many keys or signatures from this address were wrong, so this one was not looked at. Try again";
            too_many_wrong(detail, wait, "Signature")
        })?;
        if !is_known {
            // Anybody makes up DIDs that sign rightly.
            self.admit_address(from, now)?;
        }
        Ok(Attempt { limits: self, from, signer: Some(Signer { did, is_known }) })
    }

    fn since(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.began))
    }

    /// Notes a refusal, and has the log say how many there were, once in a while.
    fn tell(&self, now: Instant) {
        let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        // From 1: the first is told at once.
        let (now, told_at) = (self.since(now) + 1, self.told_at.load(Ordering::Relaxed));
        let due = told_at == 0 || now.saturating_sub(told_at) >= nanos(TELL_EVERY);
        if due && self.told_at.compare_exchange(told_at, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            tracing::warn!(refused, "somebody sends many wrong keys or signatures; so many were refused since the start");
        }
    }
}

/// A key or a signature that is looked at.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    limits: &'a Limits,
    from: Network,
    signer: Option<Signer<'a>>,
}

/// Whose signature it is.
#[derive(Debug)]
struct Signer<'a> {
    did: &'a Did,
    /// Whether one of hers was right here, not long ago.
    is_known: bool,
}

impl Attempt<'_> {
    /// It is right.
    pub(crate) fn right(self, now: Instant) {
        if let Some(signer) = self.signer {
            let until = self.limits.since(now + KNOWN);
            self.limits.known.with(&(self.from, signer.did), |known| *known = until);
        }
    }

    /// It is wrong: the refusal, which is another when there were too many.
    pub(crate) fn wrong(&self, refusal: Problem, now: Instant) -> Problem {
        let Some(wrong) = &self.limits.wrong else { return refusal };
        let taken = match &self.signer {
            Some(Signer { did, is_known: true }) => wrong.take(&(self.from, did), now),
            _ => wrong.take(&self.from, now),
        };
        let Err(wait) = taken else { return refusal };
        self.limits.tell(now);
        let detail = "Too many keys or signatures from this address were wrong, and this one is, too. Send a right one, or try again";
        too_many_wrong(detail, wait, if self.signer.is_some() { "Signature" } else { "Authorization" })
    }
}

fn take(buckets: Option<&Buckets>, name: &impl Hash, who: &str, now: Instant) -> Result<(), Problem> {
    let taken = buckets.map_or(Ok(()), |buckets| buckets.take(name, now));
    taken.map_err(|wait| {
        let seconds = whole_seconds(wait);
        Problem::new(Code::TOO_FAST, format!("{who} more often than this desk allows in a minute. Try again in {seconds} s."))
            .after(seconds)
    })
}

fn too_many_wrong(detail: &str, wait: Duration, field: &'static str) -> Problem {
    let seconds = whole_seconds(wait);
    Problem::new(Code::TOO_MANY_WRONG, format!("{detail} in {seconds} s.")).in_field(field).after(seconds)
}

/// A wait in whole seconds, at least one.
pub(crate) fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests;
