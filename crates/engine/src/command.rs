//! What can be asked of the desk: every command of every module, and the key that makes asking twice harmless.

use lab3_trust::{Approval, Intent, Verified};
use lab3_units::{Id, Problem};

use crate::{Actor, Signed};

/// A client's own key for a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key, hashed to an id; the record (or the batch) gets this id.
    pub id: Id,
    /// Hash of the whole request. The same key with another fingerprint is refused.
    pub fingerprint: u64,
}

/// A request to change something.
#[derive(Clone, Debug)]
pub enum Command {
    /// Choose a provider and hold the cost.
    Allocate(lab3_compute::Allocate),
    /// The same for a query that may wait.
    Defer(Box<lab3_compute::Defer>),
    /// Settle what a query really cost.
    Report(lab3_compute::Report),
    /// Choose a provider for a query the desk puts to it, and hold what it can cost.
    Attempt(Box<lab3_compute::Attempt>),
    /// Hold more for an answer that goes on.
    Extend(lab3_compute::Extend),
    /// Settle a query the desk put to a provider.
    Settle(Box<lab3_compute::Settle>),
    /// Give back an allocation that is not needed.
    Release(Id),
    /// What of energy is booked.
    Energy(Energy),
    /// Move money between citizens.
    Transfer(lab3_finance::Transfer),
    /// Move money between citizens several times, all or none. Each may have an id of its own.
    TransferLinked(Vec<(Option<Key>, lab3_finance::Transfer)>),
    /// Pay a project from the PublicGoodsPool.
    Grant(lab3_finance::Grant),
    /// Give to the PublicGoodsPool.
    Contribute(lab3_finance::Contribute),
    /// Make new money.
    Mint(lab3_finance::Mint),
    /// Pay the epoch's rewards and open the next.
    CloseEpoch(lab3_finance::CloseEpoch),
    /// Change who may do what.
    Trust(Box<Order>),
    /// Only pin the key: what was asked was found impossible by looking outside the writer, in the journal.
    Refused(Problem),
}

/// A request of module 2.
#[derive(Clone, Debug)]
pub enum Energy {
    /// Divide an hour's meter.
    CloseHour(Box<lab3_energy::CloseHour>),
    /// Promise jobs their times.
    Book(Box<lab3_energy::Book>),
    /// A job has run.
    SettleJob(lab3_energy::SettleJob),
    /// A job is not run.
    ReleaseJob(Id),
    /// Issue, split, hand on or claim a certificate.
    Certify(Box<lab3_energy::Certify>),
    /// Share what exports earned.
    ShareExports(Box<lab3_energy::ShareExports>),
}

/// A change of who may do what, and who asks for it: he is judged once more when it is decided.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who asks.
    pub principal: lab3_trust::Principal,
    /// What for.
    pub command: lab3_trust::Command,
}

/// A command on its way to the writer.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Who asks.
    pub actor: Actor,
    /// The id the record will have: the key's, or a fresh one.
    pub id: Id,
    /// The client's key, when it sent one; its id is `id`.
    pub key: Option<Key>,
    /// What is asked.
    pub command: Command,
    /// What was signed for it.
    pub will: Option<Box<Will>>,
    /// What the query it settles drew: booked right behind it, in a record of its own.
    pub draw: Option<Box<lab3_energy::Draw>>,
}

/// What was signed for a command, checked against its text.
#[derive(Clone, Debug)]
pub enum Will {
    /// By the citizen who pays; with the salt of the memo's hash.
    Intent(Verified<Intent>, Option<[u8; 16]>),
    /// By treasurers; with the salt of the memo's hash.
    Approval(Verified<Approval>, Option<[u8; 16]>),
}

impl Will {
    /// The salt of the memo that was signed.
    pub(crate) fn salt(&self) -> Option<[u8; 16]> {
        let (Self::Intent(_, salt) | Self::Approval(_, salt)) = self;
        *salt
    }

    /// As the record keeps it.
    pub(crate) fn signed(&self) -> Signed {
        match self {
            Self::Intent(intent, _) => Signed::Intent(intent.get().clone()),
            Self::Approval(approval, _) => Signed::Approval(approval.get().clone()),
        }
    }
}

impl Submission {
    /// A submission with the client's key, or with `fresh` as its id when there is none.
    pub fn new(actor: Actor, key: Option<Key>, fresh: Id, command: Command) -> Self {
        Self { actor, id: key.map_or(fresh, |key| key.id), key, command, will: None, draw: None }
    }

    /// An id that only one record may ever have, whatever keys clients choose: a report counts once for its allocation.
    pub(crate) fn once(&self) -> Option<Id> {
        match &self.command {
            Command::Report(report) => report.allocation.map(report_id),
            Command::Energy(Energy::SettleJob(settle)) => Some(job_end_id(settle.job)),
            _ => None,
        }
    }

    /// Every key the client sent: the command's own, then those of its items.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.key.into_iter().chain(self.items().iter().filter_map(|(key, _)| *key))
    }

    /// A key whose fingerprint is the whole request's: the command's own or, without one, an item's.
    pub(crate) fn any_key(&self) -> Option<Key> {
        self.keys().next()
    }

    /// The ids the record shall be found by beside its own. Items have one each, in order, their own or a derived one. A
    /// refusal uses up the keys the client sent and nothing else.
    pub(crate) fn aliases(&self, refused: bool) -> Vec<Id> {
        if refused {
            return self.items().iter().filter_map(|(key, _)| key.map(|key| key.id)).collect();
        }
        if let Command::Energy(Energy::Book(book)) = &self.command {
            return book.jobs.iter().skip(1).map(|job| job.id).collect();
        }
        let items = (0_u32..).zip(self.items()).map(|(at, (key, _))| key.map_or_else(|| item_id(self.id, at), |key| key.id));
        self.once().into_iter().chain(items).collect()
    }

    /// A copy, for commands whose answer may lie in the journal rather than the state.
    pub(crate) fn clone_if_it_names_an_allocation(&self) -> Option<Self> {
        let names_one = match &self.command {
            Command::Report(report) => report.allocation.is_some(),
            Command::Release(_) => true,
            _ => false,
        };
        names_one.then(|| self.clone())
    }

    fn items(&self) -> &[(Option<Key>, lab3_finance::Transfer)] {
        match &self.command {
            Command::TransferLinked(items) => items,
            _ => &[],
        }
    }
}

/// The id of a batch's item that came without one of its own.
pub fn item_id(batch: Id, item: u32) -> Id {
    let mut bytes = batch.to_bytes();
    let (_, low) = bytes.split_at_mut(8);
    for (byte, mixed) in low.iter_mut().zip(u64::from(item + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()) {
        *byte ^= mixed;
    }
    Id::from_bytes(bytes)
}

/// The id under which the report about an allocation is found.
pub fn report_id(allocation: Id) -> Id {
    Id::from_bytes(allocation.to_bytes().map(|byte| byte ^ 0xa5))
}

/// The id under which the settlement of a job is found: it counts once.
pub fn job_end_id(job: Id) -> Id {
    Id::from_bytes(job.to_bytes().map(|byte| byte ^ 0xc3))
}

/// The id under which what an allocation drew is found.
pub fn draw_id(allocation: Id) -> Id {
    Id::from_bytes(allocation.to_bytes().map(|byte| byte ^ 0x5a))
}
