//! Keys and the seal on a data folder whose desk stands still: who can write the folder needs no key.
//!
//! Each gives what the desk would have replied, as JSON.

use lab3_engine::{Actor, Committed, Engine, Fact, Order, StoreError, Submission, read_records};
use lab3_store::SqliteStore;
use lab3_trust::{
    By, Command, CreateKey, Deed, Holder, Key, KeyText, Kind, Principal, RevokeKey, RotateKey, Scope, Scopes, SealedBy, State,
};
use lab3_units::{Did, Duration, Id, Problem, Time};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::Failure;
use crate::cli::{KeyCreateArgs, KeyRevokeArgs, KeyRotateArgs};
use crate::config::Settings;
use crate::{client, commands, hive, progress, signer};

/// A Hive's folder, and how it is opened.
pub struct Folder(Box<Settings>);

impl Folder {
    /// The folder of these settings.
    pub fn of(settings: Settings) -> Self {
        Self(Box::new(settings))
    }

    /// Makes an operator's key.
    pub fn create(&self, args: &KeyCreateArgs) -> Result<String, Failure> {
        let foreign = args.did.is_some() || args.name.is_some() || args.daily_cap_gic.is_some() || !args.citizens.is_empty();
        if args.kind != Kind::Operator || foreign {
            let help = "On a folder itself only operators' keys are made: lab3 key create operator --data DIR. \
                        Then start the desk, and make the others with that key";
            return Err(Failure::Usage(help.to_owned()));
        }
        let fresh = fresh_key(Kind::Operator)?;
        let asked = args.scopes.iter().fold(Scopes::NONE, |scopes, scope| scopes.with(*scope));
        let create = CreateKey {
            id: fresh.id(),
            hash: fresh.hash(),
            holder: Holder::Operator,
            scopes: if asked.is_empty() { Kind::Operator.widest() } else { asked },
            expires: args.expires_at,
            note: args.note.as_deref().unwrap_or_default().into(),
            citizens: Vec::new(),
        };
        let committed = self.submit(create)?;
        Ok(made(&committed, &fresh))
    }

    /// Revokes a key.
    pub fn revoke(&self, args: &KeyRevokeArgs) -> Result<String, Failure> {
        self.must_be_there()?;
        let reason = args.reason.as_deref().unwrap_or_default().into();
        let committed = self.submit(RevokeKey { number: args.number, reason })?;
        Ok(json!({ "number": args.number, "standing": "revoked", "sequence": committed.stored.sequence }).to_string())
    }

    /// Replaces an operator's key.
    pub fn rotate(&self, args: &KeyRotateArgs) -> Result<String, Failure> {
        self.must_be_there()?;
        let fresh = fresh_key(Kind::Operator)?;
        let overlap = args.overlap_seconds.map(Duration::from_secs);
        let committed = self.submit(RotateKey { number: args.number, id: fresh.id(), hash: fresh.hash(), overlap })?;
        Ok(made(&committed, &fresh))
    }

    /// Closes the open Hive.
    pub fn seal(&self) -> Result<String, Failure> {
        let committed = self.submit(SealedBy::Command)?;
        let closed = committed.stored.record.at.to_string();
        Ok(json!({ "open": false, "closed_at": closed, "sequence": committed.stored.sequence }).to_string())
    }

    /// The keys. Only reads: the desk may be running.
    pub fn list(&self, did: Option<&Did>) -> Result<String, Failure> {
        let store = SqliteStore::open_read_only(&self.0.data.dir).map_err(|error| Failure::Other(error.to_string()))?;
        let (trust, now) = (read_trust(&store)?, now());
        let keys: Result<Vec<_>, _> = match did {
            Some(did) => trust.keys_for(did).map(|key| told(key, now)).collect(),
            None => trust.keys().map(|key| told(key, now)).collect(),
        };
        commands::body(&Listed { keys: keys?, open: trust.is_open() })
    }

    /// What is managed has to be there: nothing is made by asking for it.
    fn must_be_there(&self) -> Result<(), Failure> {
        SqliteStore::open_read_only(&self.0.data.dir).map(|_| ()).map_err(|error| Failure::Other(error.to_string()))
    }

    /// Opens the Hive, has the command decided, and closes the Hive again.
    fn submit(&self, command: impl Into<Command>) -> Result<Committed, Failure> {
        let store = signer::store(&self.0.data.dir).map_err(|error| self.not_opened(&error))?;
        let engine = hive::start(&self.0, store)?;
        let order = Order { principal: Principal::Desk, command: command.into() };
        let committed = tokio::runtime::Builder::new_current_thread().build()?.block_on(decide(&engine, order));
        engine.stop();
        committed
    }

    fn not_opened(&self, error: &StoreError) -> Failure {
        let help = match error {
            StoreError::InUse(_) => format!(
                "\n  help: stop the desk and repeat this, or ask the running desk: leave out --data {}, and name an operator's key in LAB3_KEY",
                self.0.data.dir.display()
            ),
            _ => String::new(),
        };
        Failure::Other(format!("{error}{help}"))
    }
}

async fn decide(engine: &Engine, order: Order) -> Result<Committed, Failure> {
    let fresh = Id::from_bytes(uuid::Uuid::now_v7().into_bytes());
    let command = lab3_engine::Command::Trust(Box::new(order));
    engine.submit(Submission::new(Actor::Operator, None, fresh, command)).await.map_err(|problem| refused(&problem))
}

/// A refusal as the desk would have sent it.
fn refused(problem: &Problem) -> Failure {
    let field = problem.field.as_deref().unwrap_or_default().to_owned();
    let told = client::Problem {
        status: problem.code().status(),
        code: problem.code().to_string(),
        title: problem.code().title().to_owned(),
        detail: problem.detail.to_string(),
        field,
    };
    client::ClientError::Refused(Box::new(told)).into()
}

/// Who may do what, from the journal's records.
pub fn read_trust(store: &SqliteStore) -> Result<State, Failure> {
    let last = lab3_engine::Store::reader(store).and_then(|mut reader| reader.last());
    let bar = progress::bar(last.map_err(|error| Failure::Other(error.to_string()))?, "records");
    let mut trust = State::default();
    let read = read_records(store, 1, |stored| {
        if let Fact::Trust(fact) = &stored.record.fact {
            trust.apply(stored.record.at, fact);
        }
        if stored.sequence.is_multiple_of(4096) {
            bar.set_position(stored.sequence);
        }
    });
    bar.finish_and_clear();
    read.map_err(|error| Failure::Other(error.to_string()))?;
    Ok(trust)
}

/// The moment, by the clock the desk uses.
pub fn now() -> Time {
    lab3_engine::Clock::now(&lab3_engine::SystemClock)
}

fn made(committed: &Committed, fresh: &KeyText) -> String {
    let (number, until) = match &committed.stored.record.fact {
        Fact::Trust(fact) => match &fact.deed {
            Deed::KeyCreated(made) => (made.number, None),
            Deed::KeyRotated { number, until, .. } => (*number, Some(until.to_string())),
            _ => (0, None),
        },
        _ => (0, None),
    };
    let id = fresh.id().to_string();
    json!({ "key": fresh.show_once(), "number": number, "key_id": id, "old_works_until": until, "sequence": committed.stored.sequence })
        .to_string()
}

/// A key as the desk tells of it.
#[derive(Serialize)]
struct Told<'a> {
    number: u32,
    key_id: String,
    kind: &'static str,
    did: Option<&'a str>,
    name: Option<&'a str>,
    scopes: Vec<&'static str>,
    daily_cap_gic: Option<Box<RawValue>>,
    created_at: String,
    created_by: String,
    expires_at: Option<String>,
    standing: &'static str,
    replaced_by: Option<u32>,
    /// Only a running desk knows.
    last_used_at: Option<String>,
    note: &'a str,
}

#[derive(Serialize)]
struct Listed<'a> {
    keys: Vec<Told<'a>>,
    open: bool,
}

fn told(key: &Key, now: Time) -> Result<Told<'_>, Failure> {
    let (name, cap) = match &key.holder {
        Holder::Steward { module: name } | Holder::Meter { meter: name } | Holder::Witness { name } => (Some(&**name), None),
        Holder::Service { daily_cap } => (None, Some(*daily_cap)),
        _ => (None, None),
    };
    Ok(Told {
        number: key.number,
        key_id: key.id.to_string(),
        kind: key.holder.kind().as_str(),
        did: key.holder.did().map(Did::as_str),
        name,
        scopes: key.scopes.iter().map(Scope::as_str).collect(),
        daily_cap_gic: cap.map(commands::mic).transpose()?,
        created_at: key.created.to_string(),
        created_by: match &key.by {
            By::Desk => "desk".to_owned(),
            By::Local => "local".to_owned(),
            By::Key(number) => format!("key {number}"),
            By::Did(did) => did.to_string(),
        },
        expires_at: key.expires.map(|time| time.to_string()),
        standing: key.standing(now).as_str(),
        replaced_by: key.rotated.map(|rotated| rotated.to),
        last_used_at: None,
        note: &key.note,
    })
}

/// A new key, from the system's randomness.
fn fresh_key(kind: Kind) -> Result<KeyText, Failure> {
    let (mut id, mut secret) = ([0; 8], zeroize::Zeroizing::new([0; 32]));
    let drawn = getrandom::fill(&mut id).and_then(|()| getrandom::fill(&mut *secret));
    drawn.map_err(|error| Failure::Other(format!("the system gives no randomness: {error}")))?;
    Ok(KeyText::make(kind, id, &secret))
}
