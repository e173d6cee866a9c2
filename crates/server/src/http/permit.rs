//! From a request to a permit: who asks, what for, and whether he may. Only here is a permit made, so that no handler has a request that was
//! not judged: a handler that takes anything else does not fit into the table of routes.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use lab3_engine::{Actor, Stored};
use lab3_ledger::AccountNo;
use lab3_trust::{Owned, Principal, Rule, State, Touched, judge};
use lab3_units::{Code, Did, Id, Problem, Time};

use crate::App;
use crate::http::body::check_encoding;
use crate::http::compute::allocation::Placed;
use crate::http::finance::erase::writers;
use crate::http::finance::statement::transactions_of;
use crate::http::principal::{Asker, asker, network};
use crate::http::signed;
use crate::json::{AllocationId, TransactionId};

/// A request that was judged: its asker may do what it asks.
#[derive(Debug)]
pub(crate) struct Permit<I> {
    principal: Principal,
    asked: I,
}

impl<I> Permit<I> {
    /// Who acts, as the record will have it, and what is asked.
    pub(crate) fn open(self) -> (Actor, I) {
        (actor_of(&self.principal), self.asked)
    }

    /// Who asks.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }
}

/// How records name who asks. Where all may come, nobody is who would be on an open Hive; the writer takes nothing else of him.
pub(crate) fn actor_of(principal: &Principal) -> Actor {
    Actor::of(principal).unwrap_or(Actor::Open)
}

/// Something a request asks, that can be read from it and says what it touches.
pub(crate) trait Input: Sized + Send {
    /// Reads it. Whatever it touches is judged afterwards, so nothing may be done here but reading.
    fn read(request: Request, app: &App, principal: &Principal) -> impl Future<Output = Result<Self, Problem>> + Send;

    /// What it touches.
    fn touches(&self) -> Touches<'_>;
}

/// Part of a request that says what it touches.
pub(crate) trait Touching {
    /// What.
    fn touches(&self) -> Touches<'_>;
}

/// What a request touches, by the names it has for it.
pub(crate) enum Touches<'a> {
    /// Nothing that belongs to somebody.
    Nothing,
    /// What is the Hive's.
    Hive,
    /// What is this citizen's.
    Citizen(&'a Did),
    /// What is each of these citizens'.
    Each(Vec<&'a Did>),
    /// What is everybody's: for those who may see all of it.
    Everybodys,
    /// An allocation.
    Allocation(Id),
    /// Some allocation of this citizen's, whoever opened it.
    Unnamed(&'a Did),
    /// A job that is booked.
    Job(Id),
    /// A certificate.
    Certificate(Id),
    /// A key, by its number.
    Key(u32),
    /// A transaction: of whoever paid and whoever received.
    Transaction(Id),
    /// What was written in a transaction's record: of whoever paid.
    Written(Id),
    /// The journal's records.
    Records,
    /// A module, by its name.
    Module(&'static str),
    /// Meters of the module of that name.
    Meters(&'static str, Vec<&'a str>),
}

impl Touching for Did {
    fn touches(&self) -> Touches<'_> {
        Touches::Citizen(self)
    }
}

impl Touching for AllocationId {
    fn touches(&self) -> Touches<'_> {
        Touches::Allocation(self.0)
    }
}

impl Touching for TransactionId {
    fn touches(&self) -> Touches<'_> {
        Touches::Transaction(self.id)
    }
}

/// Judges a request and reads it: the asker before a byte of the body is taken, what is touched when it is known.
///
/// Errors: as [`judge`], `KEY_INVALID`, those of reading, and `TOO_MANY_WRONG` and `TOO_FAST` of whoever asks too often.
pub(crate) async fn permit<I: Input>(rule: Rule, app: &App, request: Request) -> Result<Permit<I>, Problem> {
    let mut asker = match asker(app, &request) {
        // Where nobody has to be named, a name that counts for nothing is nobody's.
        Err(_) if rule.kinds.has_nobody() => Asker::nobody(),
        asker => asker?,
    };
    app.limits().admit(&asker.principal, network(&request), Instant::now())?;
    admit(rule, app, &asker)?;
    check_encoding(&request)?;
    let request = match asker.head.take() {
        Some(head) => signed::with_body(app, request, head).await?,
        None => request,
    };
    let asked = I::read(request, app, &asker.principal).await?;
    let bench = Bench::of(rule, app, &asker);
    match asked.touches() {
        Touches::Nothing => bench.judge(&Touched::Nothing)?,
        Touches::Hive => bench.judge(&Touched::Hive)?,
        Touches::Citizen(citizen) => bench.judge(&Touched::Citizen(citizen))?,
        Touches::Each(citizens) => citizens.into_iter().try_for_each(|citizen| bench.judge(&Touched::Citizen(citizen)))?,
        Touches::Everybodys => bench.judge(&Touched::Missing)?,
        Touches::Records => bench.judge(&Touched::Records)?,
        Touches::Module(name) => bench.judge(&Touched::Module(name))?,
        Touches::Meters(module, meters) => bench.judge_meters(module, &meters)?,
        Touches::Key(number) => bench.judge(&Touched::Key(number))?,
        Touches::Unnamed(citizen) => bench.judge(&Touched::Opened { citizen, by: None })?,
        // Whoever is on an open Hive may touch everything: no need to look whose it is.
        _ if asker.principal == Principal::Local => bench.judge(&Touched::Missing)?,
        Touches::Job(id) => bench.judge_owner(move |desk| job_owner(desk, id)).await?,
        Touches::Certificate(id) => {
            bench.judge_owner(move |desk| Some(desk.state.energy.register().get(id)?.owner.as_str().into())).await?;
        }
        Touches::Allocation(id) => bench.judge_allocation(id).await?,
        Touches::Transaction(id) => bench.judge_transaction(id).await?,
        Touches::Written(id) => bench.judge_written(id).await?,
    }
    Ok(Permit { principal: asker.principal, asked })
}

/// Refuses, before anything is read, whom the rule refuses whatever is touched. With keys that is nobody who has one: it may be his own.
fn admit(rule: Rule, app: &App, asker: &Asker) -> Result<(), Problem> {
    if rule.owned == Owned::Key {
        return Ok(());
    }
    if rule.owned == Owned::Records {
        return Bench::of(rule, app, asker).judge(&Touched::Records);
    }
    let anything = Rule { owned: Owned::Nobody, ..rule };
    Bench::of(anything, app, asker).judge(&Touched::Nothing)
}

/// Where one request is judged.
struct Bench<'a> {
    rule: Rule,
    app: &'a App,
    asker: &'a Asker,
    /// As it was when the judging began: a request may touch thousands of things. The writer looks again.
    trust: Arc<State>,
    now: Time,
}

impl<'a> Bench<'a> {
    fn of(rule: Rule, app: &'a App, asker: &'a Asker) -> Self {
        Self { rule, app, asker, trust: app.engine().trust(), now: app.engine().now() }
    }

    fn judge(&self, touched: &Touched<'_>) -> Result<(), Problem> {
        let judged = judge(&self.trust, self.now, &self.asker.principal, &self.rule, touched);
        judged.map_err(|problem| match &self.asker.not_local {
            // Why somebody on this machine is not taken for one says more than that nobody is named.
            Some(why) if problem.code() == Code::UNNAMED => why.clone(),
            _ => problem,
        })
    }

    /// A meter's own, or all of them, where the module is one's own.
    fn judge_meters(&self, module: &'static str, meters: &[&str]) -> Result<(), Problem> {
        let each = meters.iter().try_for_each(|meter| self.judge(&Touched::Meter(meter)));
        each.or_else(|refused| self.judge(&Touched::Module(module)).map_err(|_| refused))
    }

    async fn judge_allocation(&self, id: Id) -> Result<(), Problem> {
        let stored = self.app.engine().find(id).await?;
        let Some(placed) = stored.as_ref().and_then(Placed::of) else { return self.judge(&Touched::Missing) };
        let owners = owners(self.app, vec![placed.account]).await?;
        let by = stored.as_ref().and_then(opener);
        match &owners[..] {
            [citizen] => self.judge(&Touched::Opened { citizen, by }),
            _ => self.judge(&Touched::Missing),
        }
    }

    /// Judges what belongs to somebody by the state: of nobody's, what a missing one gets.
    async fn judge_owner(&self, look: impl FnOnce(&lab3_engine::Desk<'_>) -> Option<Box<str>> + Send + 'static) -> Result<(), Problem> {
        let owner = self.app.engine().read(look).await?;
        match owner.and_then(|owner| Did::parse(&owner).ok()) {
            Some(citizen) => self.judge(&Touched::Citizen(&citizen)),
            None => self.judge(&Touched::Missing),
        }
    }

    async fn judge_transaction(&self, id: Id) -> Result<(), Problem> {
        let stored = self.app.engine().find(id).await?;
        let of_id = |stored: &Stored| {
            let movements = transactions_of(stored).filter(|movement| movement.id.id == id);
            movements.flat_map(|movement| [movement.from, movement.to]).collect::<Vec<_>>()
        };
        let owners = owners(self.app, stored.as_ref().map(of_id).unwrap_or_default()).await?;
        let parties = owners.iter().map(|owner| self.judge(&Touched::Citizen(owner)));
        // Any party's right is enough; of nobody's, what a missing one gets.
        parties.reduce(Result::or).unwrap_or_else(|| self.judge(&Touched::Missing))
    }

    async fn judge_written(&self, id: Id) -> Result<(), Problem> {
        // Every writer's right is needed: what is erased is the whole record's.
        match writers(self.app, id).await? {
            Some((_, writers)) if !writers.is_empty() => writers.iter().try_for_each(|writer| self.judge(&Touched::Citizen(writer))),
            _ => self.judge(&Touched::Missing),
        }
    }
}

/// Whose a job is that is booked.
fn job_owner(desk: &lab3_engine::Desk<'_>, job: Id) -> Option<Box<str>> {
    let account = desk.state.energy.job(job)?.account;
    Some(desk.state.ledger.owner_name(account).into())
}

/// The citizens who own these accounts.
pub(crate) async fn owners(app: &App, accounts: Vec<AccountNo>) -> Result<Vec<Did>, Problem> {
    let look = move |desk: &lab3_engine::Desk<'_>| {
        let owner = |&account: &AccountNo| Did::parse(desk.state.ledger.owner_name(account)).ok();
        accounts.iter().filter_map(owner).collect()
    };
    app.engine().read(look).await
}

/// The key that opened an allocation.
fn opener(stored: &Stored) -> Option<u32> {
    if let Actor::Key(number) = stored.record.actor { Some(number) } else { None }
}
