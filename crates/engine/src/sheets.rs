//! Sheets of balances as they were at the ends of epochs, made again from the journal off the writer's thread: one at a time, the last is kept.
//!
//! A sheet takes the memory of the books and 64 bytes an account.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lab3_finance::Fact as Money;
use lab3_ledger::{Ledger, Purpose};
use lab3_tlog::{Hash, Tree};
use lab3_units::{Asset, Code, Owner, Problem};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};

use crate::balances::{Salts, Standing};
use crate::codec;
use crate::load::{StartError, each_row, newest_snapshot};
use crate::record::Fact;
use crate::shared::Progress;
use crate::state::Frozen;
use crate::storage::{Store, StoreError};

/// Longest wait for a sheet. Making it goes on, so that who comes again finds it.
const PATIENCE: Duration = Duration::from_secs(10);

/// That an account had so much when an epoch was closed: the leaf, and the path from it to the root in the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceProof {
    /// The record with the root.
    pub sequence: u64,
    /// The leaf's text.
    pub leaf: String,
    /// The hashes from the leaf up.
    pub path: Vec<Hash>,
}

/// Every balance at one place of the journal.
struct Page {
    sequence: u64,
    salts: Salts,
    ledger: Ledger,
    tree: Tree,
}

impl Page {
    fn proof(&self, owner: &str, asset: Asset, purpose: Purpose) -> Option<BalanceProof> {
        let account = self.ledger.find(owner, asset, purpose)?;
        let leaf = Standing::after(&self.ledger, &[]).leaf(account, &self.salts)?;
        let path = self.tree.path(u64::from(account.0)).ok()?;
        Some(BalanceProof { sequence: self.sequence, leaf, path })
    }
}

/// Where sheets are made, and the one made last.
#[derive(Clone)]
pub struct Sheets {
    store: Arc<dyn Store>,
    progress: Arc<Progress>,
    /// Whoever has it may make one.
    latest: Arc<Mutex<Option<Arc<Page>>>>,
}

impl Sheets {
    pub fn new(store: Arc<dyn Store>, progress: Arc<Progress>) -> Self {
        Self { store, progress, latest: Arc::default() }
    }

    /// Proves what an account had after the record that closed the epoch; none when there was no such account.
    pub async fn proof(
        &self,
        (epoch, sequence): (u32, u64),
        owner: Owner,
        asset: Asset,
        purpose: Purpose,
    ) -> Result<Option<BalanceProof>, Problem> {
        let page = self.page(epoch, sequence).await?;
        Ok(page.proof(owner.as_str(), asset, purpose))
    }

    async fn page(&self, epoch: u32, sequence: u64) -> Result<Arc<Page>, Problem> {
        let until = Instant::now() + PATIENCE;
        let busy = |_| {
            let detail = format!("The balances at the end of epoch {epoch} are being made again from the journal. Ask again in a moment.");
            Problem::new(Code::VIEW_BEHIND, detail)
        };
        let latest = timeout_at(until, self.latest.clone().lock_owned()).await.map_err(busy)?;
        if let Some(page) = latest.as_ref().filter(|page| page.sequence == sequence) {
            return Ok(page.clone());
        }
        // On a task of its own: it goes on when who asked has gone, and there is one at most, for it has the lock.
        let making = tokio::spawn(self.clone().make(latest, epoch, sequence));
        let made = timeout_at(until, making).await.map_err(busy)?;
        made.unwrap_or_else(|error| Err(unreadable(&error)))
    }

    async fn make(self, mut latest: OwnedMutexGuard<Option<Arc<Page>>>, epoch: u32, sequence: u64) -> Result<Arc<Page>, Problem> {
        // Two would take twice the memory.
        *latest = None;
        let made = tokio::task::spawn_blocking(move || self.make_again(epoch, sequence)).await;
        let page = made.map_err(|error| unreadable(&error))?.map_err(|error| unreadable(&error))?;
        let page = Arc::new(page);
        *latest = Some(page.clone());
        Ok(page)
    }

    /// From the newest snapshot before the record; from the first record when that leads elsewhere.
    fn make_again(&self, epoch: u32, sequence: u64) -> Result<Page, StartError> {
        let base = newest_snapshot(&*self.store, sequence.saturating_sub(1));
        let shortened = base.sequence > 0;
        match self.replay(base, epoch, sequence) {
            Err(StartError::Damaged(damage)) if shortened && !self.is_closing() => {
                tracing::warn!(%damage, "the snapshot leads to other balances; replaying from the first record");
                self.replay(Frozen::empty(), epoch, sequence)
            }
            made => made,
        }
    }

    fn replay(&self, base: Frozen, epoch: u32, sequence: u64) -> Result<Page, StartError> {
        let first = base.sequence + 1;
        let (mut ledger, mut closings) = base.into_balances();
        let mut stated = None;
        each_row(&mut *self.store.reader()?, first, Some(sequence), |row| {
            if self.is_closing() {
                return Err(codec::Damage { sequence: row.first, what: "was not read: the desk is closing".to_owned() });
            }
            for (number, bytes) in codec::entries(row)?.into_iter().filter(|(number, _)| (first..=sequence).contains(number)) {
                let record = codec::read_entry(number, bytes)?.record;
                let salts = closings.salts(epoch);
                closings.note(number, &record);
                record.entries.iter().for_each(|entry| ledger.apply(number, entry));
                stated = if let Fact::Finance(Money::EpochBalanced(balanced)) = &record.fact {
                    Some((salts, balanced.sheet.root))
                } else {
                    None
                };
            }
            Ok(())
        })?;
        let (salts, root) = stated.ok_or_else(|| StoreError::Damaged(format!("record {sequence} closes no epoch")))?;
        let tree = Tree::new(Standing::after(&ledger, &[]).leaves(&salts));
        if tree.root() != root {
            return Err(codec::Damage { sequence, what: "the balances before it lead to another root than it has".to_owned() }.into());
        }
        Ok(Page { sequence, salts, ledger, tree })
    }

    fn is_closing(&self) -> bool {
        self.progress.stopping.load(Ordering::Relaxed)
    }
}

fn unreadable(error: &dyn fmt::Display) -> Problem {
    tracing::error!(%error, "balances cannot be made again from the journal");
    Problem::new(Code::INTERNAL, "The balances cannot be made again from the journal. The log says more.")
}
