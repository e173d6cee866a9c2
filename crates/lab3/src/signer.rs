//! The signer of a Hive's checkpoints: its key and the last checkpoint it signed, in a folder beside the data.

use std::path::Path;
use std::sync::Arc;

use lab3_engine::{Actor, Command, Engine, Order, Submission};
use lab3_server::{Checkpoints, origin};
use lab3_store::ApartFolder;
use lab3_tlog::Signer;
use lab3_trust::{HiveName, Inscription, Principal};
use lab3_units::{Id, Problem};

use crate::Failure;

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
        (Some(_), None) => return Ok(Err(format!("{} has no key", path.display()))),
        (Some(inscription), Some(secret)) => {
            let signer = Signer::parse(secret.trim()).map_err(|error| Failure::Other(format!("the key in {}: {error}", path.display())))?;
            if *signer.verifier().public() != inscription.log_key {
                return Ok(Err(format!("the key in {} is not the one this journal was begun with", path.display())));
            }
            signer
        }
    };
    let last = apart.checkpoint().map_err(|error| Failure::Other(error.to_string()))?;
    let keep = move |note: &str| apart.keep_checkpoint(note).map_err(|error| error.to_string());
    let opened = Checkpoints::open(engine, signer, last.as_deref(), Arc::new(keep)).await;
    opened.map(Ok).map_err(|why| {
        let help = "If it is meant, and everybody who relies on the books knows, move that folder away: the desk then works unsigned";
        Failure::Other(format!("the journal in {} is not the one {} has signed: {why}. {help}", data.display(), path.display()))
    })
}

/// Names the journal, and makes the key its checkpoints are signed with.
async fn inscribe(engine: &Engine, hive: &str, apart: &ApartFolder) -> Result<Signer, Failure> {
    let hive = HiveName::parse(hive)
        .ok_or_else(|| Failure::Other(format!("`{hive}` is no name of a Hive (hive.name): one line, at most 128 bytes")))?;
    let random =
        |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|error| Failure::Other(format!("the system gives no randomness: {error}")));
    let (mut id, mut seed) = ([0; 16], [0; 32]);
    random(&mut id)?;
    random(&mut seed)?;
    let mut inscription = Inscription { hive, journal: Id::from_bytes(id), log_key: [0; 32] };
    let signer = Signer::new(&origin(&inscription), &seed).map_err(|error| Failure::Other(error.to_string()))?;
    inscription.log_key = *signer.verifier().public();
    // The key before the record: a record whose key is lost could never be signed for.
    apart.keep_secret(&signer.secret_text()).map_err(|error| {
        Failure::Other(format!("{error}. The folder {} is of another journal: move it away, or put its data back", apart.path().display()))
    })?;
    let order = Order { principal: Principal::Desk, command: inscription.into() };
    let fresh = Id::from_bytes(uuid::Uuid::now_v7().into_bytes());
    let submission = Submission::new(Actor::Operator, None, fresh, Command::Trust(Box::new(order)));
    engine.submit(submission).await.map_err(|problem: Problem| Failure::Other(problem.to_string()))?;
    Ok(signer)
}
