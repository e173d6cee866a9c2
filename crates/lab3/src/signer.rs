//! The signer of a Hive's checkpoints: its key and the last checkpoint it signed, in a folder beside the data; and what snapshots are stamped with.

use std::path::Path;
use std::sync::Arc;

use lab3_engine::{Actor, Command, Committed, Engine, Order, StoreError, Submission};
use lab3_server::{Checkpoints, origin};
use lab3_store::{ApartFolder, SqliteStore};
use lab3_tlog::{Checkpoint, Note, Signer};
use lab3_trust::{HiveName, Inscription, Principal, Resumption};
use lab3_units::{Id, Problem};

use crate::Failure;

/// Opens the store in `data`. Its snapshots are stamped with a secret that stands in the signer's folder.
pub fn store(data: &Path) -> Result<SqliteStore, StoreError> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|error| StoreError::Other(format!("the system gives no randomness: {error}")))?;
    let stamp = ApartFolder::open(ApartFolder::beside(data))?.stamp(fresh)?;
    SqliteStore::open_stamped(data, stamp)
}

/// Opens the signer of the journal in `data`. A journal without an inscription gets one, and a key.
///
/// A desk whose signer's folder is gone works unsigned: the inner error says why. One whose folder tells of another past is not opened.
pub async fn open(engine: &Engine, hive: &str, data: &Path) -> Result<Result<Checkpoints, String>, Failure> {
    let path = ApartFolder::beside(data);
    let apart = ApartFolder::open(&path).map_err(|error| Failure::Other(error.to_string()))?;
    // The views have what is durable when a question about the past is answered.
    engine.find(Id::from_bytes([0; 16])).await.map_err(|problem| Failure::Other(problem.to_string()))?;
    let inscribed = engine.trust().inscription().cloned();
    let secret = apart.secret().map_err(|error| Failure::Other(error.to_string()))?;
    let signer = match (inscribed, secret) {
        (None, _) => inscribe(engine, hive, &apart).await?,
        (Some(_), None) => return Ok(Err(format!("{} has no key (lab3 journal resume makes a new log)", path.display()))),
        (Some(inscription), Some(secret)) => {
            let signer = Signer::parse(secret.trim()).map_err(|error| Failure::Other(format!("the key in {}: {error}", path.display())))?;
            if *signer.verifier().public() != inscription.log_key {
                return Ok(Err(format!(
                    "the key in {} is not the one this journal is signed with (lab3 journal resume makes a new log)",
                    path.display()
                )));
            }
            signer
        }
    };
    let last = apart.checkpoint().map_err(|error| Failure::Other(error.to_string()))?;
    let keep = move |note: &str| apart.keep_checkpoint(note).map_err(|error| error.to_string());
    let opened = Checkpoints::open(engine, signer, last.as_deref(), Arc::new(keep)).await;
    opened.map(Ok).map_err(|why| {
        let (data, path) = (data.display(), path.display());
        let help = format!(
            "If what is lost is lost, go on as a new log, which everybody will see: lab3 journal resume --data {data} --reason TEXT"
        );
        Failure::Other(format!("the journal in {data} is not the one {path} has signed: {why}.\n  {help}"))
    })
}

/// Names the journal, and makes the key its checkpoints are signed with.
async fn inscribe(engine: &Engine, hive: &str, apart: &ApartFolder) -> Result<Signer, Failure> {
    let hive = HiveName::parse(hive)
        .ok_or_else(|| Failure::Other(format!("`{hive}` is no name of a Hive (hive.name): one line, at most 128 bytes")))?;
    let (inscription, signer) = fresh(hive)?;
    // The key before the record: a record whose key is lost could never be signed for.
    keep(apart, &signer)?;
    submit(engine, inscription).await?;
    Ok(signer)
}

/// What is told of a journal that goes on as a new log.
pub struct Resumed {
    /// The record that says so.
    pub record: u64,
    /// How many records the old log had signed; none when nobody can tell.
    pub signed: Option<u64>,
    /// The new log's key.
    pub key: String,
}

/// Has the journal in `data` go on as a new log: with another id and another key. What was signed so far is put aside.
pub async fn resume(engine: &Engine, data: &Path, reason: &str) -> Result<Resumed, Failure> {
    let Some(Inscription { hive, .. }) = engine.trust().inscription().cloned() else {
        return Err(Failure::Other("nothing of this journal was ever signed: lab3 serve begins its log".to_owned()));
    };
    let apart = ApartFolder::open(ApartFolder::beside(data)).map_err(|error| Failure::Other(error.to_string()))?;
    if let Ok(Ok(_)) = open(engine, hive.as_str(), data).await {
        return Err(Failure::Other("this journal goes on from what was signed of it: lab3 serve opens it, and signs".to_owned()));
    }
    let last = apart.checkpoint().map_err(|error| Failure::Other(error.to_string()))?;
    let last = last.and_then(|note| Checkpoint::parse(Note::parse(note.as_bytes()).ok()?.text()).ok());
    let (Inscription { journal, log_key, .. }, signer) = fresh(hive)?;
    apart.put_aside(&journal.text("jn").to_string()).map_err(|error| Failure::Other(error.to_string()))?;
    keep(&apart, &signer)?;
    let signed = last.as_ref().map(|last| last.size);
    let (size, root) = last.map_or((0, [0; 32]), |last| (last.size, last.root));
    let committed = submit(engine, Resumption { journal, log_key, signed: size, root, reason: reason.into() }).await?;
    Ok(Resumed { record: committed.stored.sequence, signed, key: signer.verifier().to_string() })
}

/// A journal's id, and the key that signs for it.
fn fresh(hive: HiveName) -> Result<(Inscription, Signer), Failure> {
    let random =
        |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|error| Failure::Other(format!("the system gives no randomness: {error}")));
    let (mut id, mut seed) = ([0; 16], [0; 32]);
    random(&mut id)?;
    random(&mut seed)?;
    let mut inscription = Inscription { hive, journal: Id::from_bytes(id), log_key: [0; 32] };
    let signer = Signer::new(&origin(&inscription), &seed).map_err(|error| Failure::Other(error.to_string()))?;
    inscription.log_key = *signer.verifier().public();
    Ok((inscription, signer))
}

fn keep(apart: &ApartFolder, signer: &Signer) -> Result<(), Failure> {
    apart.keep_secret(&signer.secret_text()).map_err(|error| {
        Failure::Other(format!("{error}. The folder {} is of another journal: move it away, or put its data back", apart.path().display()))
    })
}

async fn submit(engine: &Engine, command: impl Into<lab3_trust::Command>) -> Result<Committed, Failure> {
    let order = Order { principal: Principal::Desk, command: command.into() };
    let fresh = Id::from_bytes(uuid::Uuid::now_v7().into_bytes());
    let submission = Submission::new(Actor::Operator, None, fresh, Command::Trust(Box::new(order)));
    engine.submit(submission).await.map_err(|problem: Problem| Failure::Other(problem.to_string()))
}
