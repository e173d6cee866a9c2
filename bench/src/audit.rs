//! What an audit replays in a second on one core: a journal of transfers of an open Hive, without signatures, and one of a closed Hive in which
//! each transfer is an intent that its payer signed. Beside each, in the same round, what cannot be left out: the leaf hashes alone, the
//! signatures alone.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::{Signature as Ed25519, SigningKey, VerifyingKey};
use lab3_audit::{Source, Terms, Unserved, audit};
use lab3_engine::{Actor, Command, Engine, Limits, MemoryStore, Order, Policy, Submission, SystemClock, Will};
use lab3_finance::{Mint, Transfer};
use lab3_tlog::{Checkpoint, Frontier, Signer, encode_entries, leaf_hash};
use lab3_trust::{Act, HiveName, Inscription, Intent, MemoHash, Principal, PublicKey, SealedBy, Signature, Statement};
use lab3_units::{Amount, Did, Id, Time};
use sha2::{Digest, Sha256};

use crate::Failure;
use crate::machine;
use crate::random::Random;
use crate::spread::Rates;

const ORIGIN: &str = "Bench/jn_00000000000000000000000007";
const MEMO: &str = "for tomatoes";
const SALT: [u8; 16] = [5; 16];
const BATCH: u64 = 5000;

#[derive(clap::Args)]
pub struct Args {
    /// Transfers without signatures
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Transfers that are signed
    #[arg(long, default_value_t = 50_000)]
    signed: u64,
    /// Citizens who pay each other
    #[arg(long, default_value_t = 1000)]
    citizens: u64,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let citizens = (0..args.citizens).map(Citizen::new).collect::<Result<Vec<_>, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut log = runtime.block_on(live(&citizens, args.records, false))?;
    measure("without signatures", &mut log, args.rounds, "SHA-256 of the leaves alone", |log| {
        log.entries().for_each(|entry| {
            black_box(leaf_hash(entry));
        });
    })?;
    let mut log = runtime.block_on(live(&citizens, args.signed, true))?;
    let signed = (0..args.signed).map(|n| signed(&citizens, n)).collect::<Result<Vec<_>, _>>()?;
    measure("each signed", &mut log, args.rounds, "Ed25519 verifications alone", |_| {
        for (citizen, text, signature) in &signed {
            black_box(citizen.verifying.verify_strict(text.as_bytes(), signature).is_ok());
        }
    })
}

/// Audits the log and does the reference, in turn.
fn measure(what: &str, log: &mut Memory, rounds: usize, reference: &str, alone: impl Fn(&Memory)) -> Result<(), Failure> {
    let (mut ours, mut theirs, mut records) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        let mut verdict = None;
        ours.push(timed(|| verdict = Some(audit(log, &Terms::default(), |_, _| {}))));
        let verdict = verdict.ok_or("nothing was audited")?;
        if !verdict.holds() {
            return Err(verdict.to_string().into());
        }
        records = verdict.figures.records;
        theirs.push(timed(|| alone(log)));
    }
    let (ours, theirs) = (Rates::of(records, ours), Rates::of(records, theirs));
    println!(
        "audit, {what}: {records} records, of processor time {ours}; {reference}: {theirs}, ratio {:.3}",
        ours.median() / theirs.median()
    );
    Ok(())
}

/// The processor time it takes: nothing else runs in this process, and of a core that others use, too, only ours is counted.
fn timed(work: impl FnOnce()) -> Duration {
    let before = machine::cpu_nanos();
    work();
    machine::cpu_nanos().saturating_sub(before)
}

/// A citizen with a key in her name.
struct Citizen {
    did: Did,
    secret: [u8; 32],
    verifying: VerifyingKey,
}

impl Citizen {
    fn new(n: u64) -> Result<Self, Failure> {
        let secret: [u8; 32] = Sha256::digest(n.to_be_bytes()).into();
        let did = PublicKey::of_secret(&secret).to_did().ok_or("no did:key")?;
        Ok(Self { did, secret, verifying: SigningKey::from_bytes(&secret).verifying_key() })
    }
}

fn id(n: u64) -> Id {
    let mut random = Random(n);
    Id::from_bytes((u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes())
}

/// Transfer `n`: who pays, and what.
fn transfer(citizens: &[Citizen], n: u64) -> (&Citizen, Transfer) {
    let people = citizens.len();
    let pick = |n: u64| &citizens[usize::try_from(n).map_or(0, |n| n % people)];
    let (from, to) = (pick(n), pick(n + 1 + n / 7 % (people as u64 - 1)));
    (from, Transfer { from: from.did.clone(), to: to.did.clone(), amount: Amount::new(1000), reason: MEMO.into() })
}

fn inscription(log: &Signer) -> Result<Inscription, Failure> {
    let hive = HiveName::parse("Bench").ok_or("no name")?;
    Ok(Inscription { hive, journal: Id::from_bytes(7_u128.to_be_bytes()), log_key: *log.verifier().public() })
}

/// What the payer of transfer `n` signs.
fn statement(transfer: &Transfer, n: u64) -> Result<Statement, Failure> {
    let Inscription { hive, journal, .. } = inscription(&Signer::new(ORIGIN, &[7; 32])?)?;
    let Transfer { from, to, amount, .. } = transfer.clone();
    let act = Act::Transfer { from, to, amount, fee_max: Amount::new(1000), memo: Some(MemoHash::of(&SALT, MEMO)) };
    Ok(Statement { hive, journal, id: id(n), not_after: Time::parse("2099-01-01T00:00:00Z").ok_or("no time")?, act })
}

/// The text of transfer `n` and its signature, for who checks nothing else.
fn signed(citizens: &[Citizen], n: u64) -> Result<(&Citizen, String, Ed25519), Failure> {
    let (payer, transfer) = transfer(citizens, n);
    let text = statement(&transfer, n)?.text();
    let signature = Signature::sign(&payer.secret, text.as_bytes());
    Ok((payer, text, Ed25519::from_bytes(&signature.to_bytes())))
}

fn pay(citizens: &[Citizen], n: u64, sign: bool) -> Result<Submission, Failure> {
    let (payer, transfer) = transfer(citizens, n);
    let will = if sign {
        let statement = statement(&transfer, n)?;
        let signature = Signature::sign(&payer.secret, statement.text().as_bytes());
        let key = PublicKey::of_secret(&payer.secret);
        let intent = Intent { not_after: statement.not_after, fee_max: Amount::new(1000), key, signature };
        Some(Box::new(Will::Intent(intent.verify(&statement)?, Some(SALT))))
    } else {
        None
    };
    let actor = if sign { Actor::Signed } else { Actor::Open };
    Ok(Submission { will, ..Submission::new(actor, None, id(n), Command::Transfer(transfer)) })
}

/// The log of a Hive in which everybody was given money and then paid so many times.
async fn live(citizens: &[Citizen], transfers: u64, sign: bool) -> Result<Memory, Failure> {
    let engine = Engine::start(Arc::new(MemoryStore::new()), Policy::default(), Arc::new(SystemClock), Limits::default())?;
    let signer = Signer::new(ORIGIN, &[7; 32])?;
    let fresh = |n: u128| Id::from_bytes((u128::MAX - n).to_be_bytes());
    let order = |principal, command| Command::Trust(Box::new(Order { principal, command }));
    let inscribe = order(Principal::Desk, inscription(&signer)?.into());
    engine.submit(Submission::new(Actor::Operator, None, fresh(0), inscribe)).await?;
    let mint = |(n, citizen): (u128, &Citizen)| {
        let mint = Mint { to: citizen.did.clone(), amount: Amount::new(1_000_000_000_000), reason: "welcome".into() };
        Submission::new(Actor::Open, None, fresh(n), Command::Mint(mint))
    };
    submit(&engine, (2..).zip(citizens).map(mint).collect()).await?;
    if sign {
        engine.submit(Submission::new(Actor::Operator, None, fresh(1), order(Principal::Desk, SealedBy::Command.into()))).await?;
    }
    for first in (0..transfers).step_by(usize::try_from(BATCH)?) {
        let items = (first..transfers.min(first + BATCH)).map(|n| pay(citizens, n, sign)).collect::<Result<_, _>>()?;
        submit(&engine, items).await?;
    }
    let log = Memory::of(&engine, &signer).await?;
    engine.stop();
    Ok(log)
}

async fn submit(engine: &Engine, items: Vec<Submission>) -> Result<(), Failure> {
    engine.submit_batch(None, items).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(())
}

/// A log in memory, as it is served.
struct Memory {
    tiles: Vec<Vec<u8>>,
    key: String,
    note: Vec<u8>,
}

impl Memory {
    async fn of(engine: &Engine, signer: &Signer) -> Result<Self, Failure> {
        while engine.status().followed < engine.status().sequence {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (size, mut tree, mut tiles) = (engine.log().size(), Frontier::new(), Vec::new());
        for first in (0..size).step_by(256) {
            let entries = engine.log().entries(first + 1..(first + 256).min(size) + 1).await?;
            for entry in &entries {
                tree.push(leaf_hash(entry), |_, _| {});
            }
            tiles.push(encode_entries(&entries)?);
        }
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: tree.root(), extensions: Vec::new() };
        let note = checkpoint.sign(signer)?.to_string().into_bytes();
        Ok(Self { tiles, key: signer.verifier().to_string(), note })
    }

    /// The records' bytes.
    fn entries(&self) -> impl Iterator<Item = &[u8]> {
        self.tiles.iter().flat_map(|tile| {
            let mut rest = tile.as_slice();
            std::iter::from_fn(move || {
                let (len, after) = rest.split_first_chunk::<4>()?;
                let (entry, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
                rest = after;
                Some(entry)
            })
        })
    }
}

impl Source for Memory {
    fn checkpoint(&mut self) -> Result<Vec<u8>, Unserved> {
        Ok(self.note.clone())
    }

    fn key(&mut self) -> Result<String, Unserved> {
        Ok(self.key.clone())
    }

    fn data_tile(&mut self, index: u64, _width: u16) -> Result<Vec<u8>, Unserved> {
        let tile = usize::try_from(index).ok().and_then(|index| self.tiles.get(index));
        tile.cloned().ok_or_else(|| Unserved(format!("there is no tile {index}")))
    }

    fn tile(&mut self, _level: u8, _index: u64, _width: u16) -> Result<Vec<u8>, Unserved> {
        Err(Unserved("no tile of hashes".to_owned()))
    }
}
