//! Wiring of witnesses: this Hive as one of others' logs, and others as those of its journal. Keys and memories stand in the signer's folder.

use std::path::Path;
use std::time::Duration;

use lab3_engine::Engine;
use lab3_providers::Connections;
use lab3_server::{AskedWitness, Asking, Checkpoints, Outside, Witness, WitnessAnswer, WitnessMemory, Witnesses, origin};
use lab3_store::ApartFolder;
use lab3_tlog::{Cosigner, NOTE_BYTES_MAX};

use crate::Failure;
use crate::config::Settings;

/// Longest wait for a connection to a witness.
const CONNECT: Duration = Duration::from_secs(3);

/// This Hive as a witness; the first time it gets its key. A journal without an inscription, which is one that cannot be signed either, has none.
pub fn open(settings: &Settings, engine: &Engine, data: &Path) -> Result<Option<Witness>, Failure> {
    let Some(inscription) = engine.trust().inscription().cloned() else { return Ok(None) };
    let apart = ApartFolder::open(ApartFolder::beside(data)).map_err(|error| Failure::Other(error.to_string()))?;
    let cosigner = cosigner(&apart, &format!("{}/witness", origin(&inscription)))?;
    let memory = Memory(apart.clone());
    let last = |origin: &str| apart.cosigned(origin).map_err(|error| error.to_string());
    Witness::open(cosigner, &settings.witness.logs.0, last, Box::new(memory)).map(Some).map_err(Failure::Other)
}

fn cosigner(apart: &ApartFolder, name: &str) -> Result<Cosigner, Failure> {
    let other = |error: &dyn std::fmt::Display| Failure::Other(format!("the witness's key in {}: {error}", apart.path().display()));
    if let Some(secret) = apart.witness_secret().map_err(|error| other(&error))? {
        return Cosigner::parse(secret.trim()).map_err(|error| other(&error));
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::Other(format!("the system gives no randomness: {error}")))?;
    let cosigner = Cosigner::new(name, &seed).map_err(|error| other(&error))?;
    apart.keep_witness_secret(&cosigner.secret_text()).map_err(|error| other(&error))?;
    Ok(cosigner)
}

/// What a witness must not forget, in the signer's folder.
struct Memory(ApartFolder);

impl WitnessMemory for Memory {
    fn keep(&self, origin: &str, note: &str) -> Result<(), String> {
        self.0.keep_cosigned(origin, note).map_err(|error| error.to_string())
    }

    fn keep_fork(&self, origin: &str, proof: &str) -> Result<(), String> {
        self.0.keep_fork(origin, proof).map_err(|error| error.to_string())
    }
}

/// The signer, whose checkpoints the configured witnesses are asked to cosign.
pub fn asked(checkpoints: Checkpoints, settings: &Settings, data: &Path) -> Result<Checkpoints, Failure> {
    let apart = ApartFolder::open(ApartFolder::beside(data)).map_err(|error| Failure::Other(error.to_string()))?;
    let kept = apart.witnessed().map_err(|error| Failure::Other(error.to_string()))?;
    let named = settings.log.witnesses.0.iter().map(|named| AskedWitness { key: named.key.clone(), url: named.url.clone() });
    let outside = Wire { connections: Connections::new(CONNECT), apart };
    let witnesses = Witnesses::new(named.collect(), settings.log.witness_every.into(), Box::new(outside));
    Ok(checkpoints.witnessed_by(witnesses, kept.as_deref()))
}

/// HTTP to the witnesses.
struct Wire {
    connections: Connections,
    apart: ApartFolder,
}

impl Outside for Wire {
    fn ask(&self, url: &str, body: String) -> Asking {
        let (connections, url) = (self.connections.clone(), url.to_owned());
        Box::pin(async move {
            let (status, body) = connections.post(&url, body, NOTE_BYTES_MAX).await.map_err(|error| error.to_string())?;
            Ok(WitnessAnswer { status, body })
        })
    }

    fn keep_witnessed(&self, note: &str) -> Result<(), String> {
        self.apart.keep_witnessed(note).map_err(|error| error.to_string())
    }

    fn keep_standings(&self, standings: &str) -> Result<(), String> {
        self.apart.keep_witnesses(standings).map_err(|error| error.to_string())
    }
}
