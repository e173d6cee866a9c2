//! `lab3 key create|list|revoke|rotate`: asks a running desk, or works on the folder of one that stands still.
//!
//! A key that was made is all there is on stdout, so that `LAB3_KEY=$(lab3 key create ...)` works; what is to be said of it goes to stderr.

mod folder;

use lab3_trust::{Kind, Scope};
use lab3_units::Asset;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Env, configure};
use crate::Failure;
use crate::cli::{KeyCreateArgs, KeyListArgs, KeyRevokeArgs, KeyRotateArgs, PlaceArgs};
use crate::client::{Client, Document, Path, Reply};
use crate::table::{list as table, pairs};

pub(super) use folder::{Folder, now, read_trust};

/// Where a command about keys is done.
pub enum Place {
    /// At a running desk.
    Desk(Client),
    /// On the folder of a desk that stands still.
    Folder(Folder),
}

impl Place {
    /// The place the arguments name.
    pub fn of(args: &PlaceArgs, env: &Env) -> Result<Self, Failure> {
        if args.data.is_some() {
            return Ok(Self::Folder(Folder::of(configure(&args.config, args.flags(), env)?.settings)));
        }
        Ok(Self::Desk(Client::of(&args.desk, &|name| env.get(name).cloned())?))
    }

    /// Puts a request to the desk, or does the same on the folder.
    pub(super) fn write(
        &self,
        path: &Path,
        body: &impl Serialize,
        key: Option<&str>,
        work: impl FnOnce(&Folder) -> Result<String, Failure>,
    ) -> Result<Reply, Failure> {
        match self {
            Self::Desk(client) => Ok(client.post(path, &super::body(body)?, key)?),
            Self::Folder(folder) => work(folder).map(Reply::own),
        }
    }
}

#[derive(Serialize)]
struct Creation<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    did: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    citizens: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    daily_cap_gic: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct Revocation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Rotation {
    #[serde(skip_serializing_if = "Option::is_none")]
    overlap_seconds: Option<u32>,
}

/// A key that was made: what goes to stdout, and what is said of it.
#[derive(Debug)]
pub struct Made {
    /// The key alone, or the reply for programs.
    pub data: String,
    /// For people; empty when nothing is to be said.
    pub talk: String,
}

impl Made {
    /// Says what is to be said, and gives what goes to stdout.
    pub fn told(self) -> String {
        if !self.talk.is_empty() {
            eprintln!("{}", self.talk);
        }
        self.data
    }
}

/// Makes a key.
pub fn create(place: &Place, args: &KeyCreateArgs) -> Result<Made, Failure> {
    let request = Creation {
        kind: args.kind.as_str(),
        did: args.did.as_ref().map(lab3_units::Did::as_str),
        scopes: args.scopes.iter().map(|scope| scope.as_str()).collect(),
        citizens: args.citizens.iter().map(lab3_units::Did::as_str).collect(),
        daily_cap_gic: args.daily_cap_gic.map(|cap| super::number(Asset::MIC.decimal(cap))).transpose()?,
        name: args.name.as_deref(),
        expires_at: args.expires_at.map(|time| time.to_string()),
        note: args.note.as_deref(),
    };
    let reply = place.write(&Path::new("/lab3/keys"), &request, args.key.as_deref(), |folder| folder.create(args))?;
    made(&reply, args.quiet, args.place.desk.json, |made| {
        let first = made.text("number") == "1";
        let mut talk = format!("Key {} is made: {}.", made.text("number"), whose(args));
        talk += SHOWN_ONCE;
        if first {
            talk +=
                "\nIt is the first: this Hive is closed now, for good. From now on whoever asks has to be named, by a key or a signature.";
        }
        if first && args.kind != Kind::Operator {
            talk += "\nNobody has an operator's key yet. To make one, stop the desk and run: lab3 key create operator --data DIR";
        }
        talk
    })
}

const SHOWN_ONCE: &str =
    "\nIt is shown this once: the desk keeps only its hash. Store it where others cannot read it; lab3 takes it from LAB3_KEY.";

fn whose(args: &KeyCreateArgs) -> String {
    let name = args.did.as_ref().map(ToString::to_string).or_else(|| args.name.clone());
    let kind = args.kind.as_str();
    let article = if kind.starts_with(['a', 'o']) { "an" } else { "a" };
    name.map_or_else(|| format!("{article} {kind}'s"), |name| format!("{article} {kind}'s, for {name}"))
}

/// Replaces a key.
pub fn rotate(place: &Place, args: &KeyRotateArgs) -> Result<Made, Failure> {
    let path = Path::new("/lab3/keys").part(&args.number.to_string()).part("rotate");
    let request = Rotation { overlap_seconds: args.overlap_seconds };
    let reply = place.write(&path, &request, args.key.as_deref(), |folder| folder.rotate(args))?;
    made(&reply, args.quiet, args.place.desk.json, |made| {
        let (old, new, until) = (args.number, made.text("number"), made.text("old_works_until"));
        format!("Key {new} replaces key {old}, which works until {until} and manages no keys any more.{SHOWN_ONCE}")
    })
}

/// What a reply with a new key says. A reply without one tells of a key whose secret is lost: that is a failure.
fn made(reply: &Reply, quiet: bool, json: bool, talk: impl FnOnce(&Document) -> String) -> Result<Made, Failure> {
    let document = reply.document()?;
    if !document.has("key") {
        let number = document.text("number");
        return Err(Failure::Other(format!(
            "key {number} was made, but the reply that showed it never came here, and the desk has only its hash: nobody can use it.\n  \
             help: lab3 key revoke {number}, and make another"
        )));
    }
    let talk = if quiet { String::new() } else { talk(&document) };
    let data = if json { reply.body.clone() } else { document.text("key") };
    Ok(Made { data, talk })
}

/// Revokes a key.
pub fn revoke(place: &Place, args: &KeyRevokeArgs) -> Result<String, Failure> {
    let path = Path::new("/lab3/keys").part(&args.number.to_string()).part("revoke");
    let request = Revocation { reason: args.reason.as_deref() };
    let reply = place.write(&path, &request, args.key.as_deref(), |folder| folder.revoke(args))?;
    Ok(super::shown(&reply, &args.place.desk, |revoked| {
        let fields = ["number", "standing", "sequence"];
        pairs(&[("key", revoked.text(fields[0])), ("standing", revoked.text(fields[1])), ("record", revoked.text(fields[2]))])
    })?)
}

/// Lists keys.
pub fn list(place: &Place, args: &KeyListArgs) -> Result<String, Failure> {
    let reply = match place {
        Place::Desk(client) => client.get(&Path::new("/lab3/keys").query("did", args.did.as_ref()))?,
        Place::Folder(folder) => Reply::own(folder.list(args.did.as_ref())?),
    };
    Ok(super::shown(&reply, &args.place.desk, |reply| {
        if reply.text("open") == "true" {
            eprintln!("this Hive is open: nobody has to be named yet. The first key closes it: lab3 key create operator");
        }
        let header = ["key", "public part", "kind", "whose", "scopes", "standing", "expires", "last used", "made by", "what for"];
        table(&header, &[0], reply.list("keys").iter().map(row))
    })?)
}

fn row(key: &Document) -> Vec<String> {
    let whose = if key.has("did") { key.text("did") } else { key.text("name") };
    let successor = key.text("replaced_by");
    let standing = key.text("standing") + &if successor.is_empty() { String::new() } else { format!(", now key {successor}") };
    let text = |field: &str| key.text(field);
    let scopes = key.words("scopes");
    let all = Kind::parse(&text("kind")).is_some_and(|kind| kind.widest().iter().map(Scope::as_str).eq(scopes.iter().map(String::as_str)));
    let scopes = if all { "all of its kind".to_owned() } else { scopes.join(" ") };
    let used = text("last_used_at");
    vec![text("number"), text("key_id"), text("kind"), whose, scopes, standing, text("expires_at"), used, text("created_by"), text("note")]
}

#[cfg(test)]
mod tests;
