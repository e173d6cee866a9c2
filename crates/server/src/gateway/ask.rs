//! The way of one query: hold, ask, relay, hold more while the answer comes, settle. Should a provider fail before its first
//! word, the next is asked, under a hold of its own.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use lab3_compute::{Allocate, Allotment, Attempt, Attempted, Counted, Extend, Fact as Compute, Meter, Priority, Settle, Settled, Usage};
use lab3_engine::{Actor, Command, Fact, Submission};
use lab3_providers::dialect::Terms;
use lab3_providers::{Answering, AskError, Asked, Chunk, Dialect, Finish, Piece, Query};
use lab3_units::{Amount, Code, Did, Id, Problem};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::Connected;
use super::count::Count;
use super::size::{self, Size};
use crate::App;
use crate::http::fresh_id;

/// Messages between a query's task and its client's connection; more and the provider is not read on.
const UNDER_WAY_MAX: usize = 16;

/// Rounds in which every provider able is asked once.
const ROUNDS_MAX: u32 = 2;

/// Pause before the second round, unless a provider named one; and the longest a provider may name.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Tries to settle; after that the lease's end does.
const SETTLE_TRIES: u32 = 5;

/// A client's query.
#[derive(Debug)]
pub(crate) struct Inquiry {
    /// Who asks and pays.
    pub(crate) citizen: Did,
    /// What is asked.
    pub(crate) query: Query,
    /// The request's own bytes, and the dialect they are in.
    pub(crate) body: Bytes,
    /// See there.
    pub(crate) dialect: Dialect,
    /// What is wanted most.
    pub(crate) priority: Priority,
    /// The provider asked for, and its model.
    pub(crate) preferred: Option<Box<str>>,
    /// See there.
    pub(crate) model: Option<String>,
    /// Most it may cost.
    pub(crate) max_cost: Option<Amount>,
}

/// What an allocation is, for the reply to tell.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) allocation: Id,
    pub(crate) provider: Box<str>,
    pub(crate) reason: Box<str>,
    pub(crate) quota_remaining: Amount,
    /// What the bytes of the answer are; `None` when it comes in pieces only.
    pub(crate) dialect: Option<Dialect>,
}

/// How it ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) charged: Amount,
    pub(crate) quota_remaining: Amount,
    /// Whether the budget ended the answer.
    pub(crate) cut: bool,
}

/// What the task tells the client's connection.
#[derive(Debug)]
pub(crate) enum Told {
    /// A provider answers. Comes once, first.
    Begun(Begun),
    /// More of the answer.
    Chunk(Chunk),
    /// The end.
    Ended(Ended),
    /// Nobody answers, or not to the end. Nothing follows.
    Failed(Problem),
}

/// Puts a query; what becomes of it arrives here. Dropping the receiver says that the client is gone.
pub(crate) fn ask(app: &App, inquiry: Inquiry) -> Receiver<Told> {
    let (told, receiver) = channel(UNDER_WAY_MAX);
    let task = Task { size: size::of(&inquiry.query, inquiry.body.len()), app: app.clone(), inquiry, told };
    tokio::spawn(task.run());
    receiver
}

struct Task {
    app: App,
    inquiry: Inquiry,
    size: Size,
    told: Sender<Told>,
}

/// An attempt that did not come to an answer.
struct Miss {
    error: AskError,
    provider: Box<str>,
}

/// A hold under which a provider is asked.
struct Lease {
    allocation: Id,
    attempted: Box<Attempted>,
    since: Instant,
}

impl Task {
    async fn run(self) {
        let mut misses = Vec::<Miss>::new();
        for round in 0..ROUNDS_MAX {
            let asked_before = misses.len();
            loop {
                let lease = match self.attempt(&misses[asked_before..]).await {
                    Ok(lease) => lease,
                    Err(problem) if misses.is_empty() => return self.fail(problem).await,
                    Err(_) => break,
                };
                match self.put(lease).await {
                    Ok(()) => return,
                    Err(miss) if is_the_querys_fault(&miss.error) => return self.fail(told(&[miss])).await,
                    Err(miss) => misses.push(miss),
                }
            }
            let again = misses[asked_before..].iter().filter(|miss| may_recover(&miss.error)).map(|miss| pause(&miss.error)).min();
            let Some(pause) = again.filter(|_| round + 1 < ROUNDS_MAX && !self.told.is_closed()) else { break };
            tokio::time::sleep(pause).await;
        }
        self.fail(told(&misses)).await;
    }

    async fn fail(&self, problem: Problem) {
        let _ = self.told.send(Told::Failed(problem)).await;
    }

    /// Holds what the query can cost at the provider that module 1 chooses among those able.
    async fn attempt(&self, missed: &[Miss]) -> Result<Lease, Problem> {
        let Inquiry { citizen, query, priority, preferred, max_cost, .. } = &self.inquiry;
        let able = self.able(missed);
        let size = match &able[..] {
            [only] => size::at(&*only.source, query, self.size),
            _ => self.size,
        };
        let allocate = Allocate {
            citizen: citizen.clone(),
            tokens: size.tokens,
            priority: *priority,
            min_quality: None,
            max_cost: *max_cost,
            preferred: preferred.clone(),
            explain: false,
        };
        let answers = query.answers.max(1);
        let meter = Meter {
            query_tokens_max: size.tokens_max,
            output_tokens_max: query.output_tokens_max.map(|one| one.saturating_mul(u64::from(answers))),
            answers,
            tool_runs_max: u64::try_from(query.hosted_tools.len()).unwrap_or(u64::MAX),
            usual: false,
            able: able.iter().map(|connected| connected.name.clone()).collect(),
        };
        match self.submit(Command::Attempt(Box::new(Attempt { allocate, meter }))).await? {
            (allocation, Compute::Attempted(attempted)) => Ok(Lease { allocation, attempted, since: Instant::now() }),
            _ => Err(Problem::new(Code::INTERNAL, "The record of this query tells something else.")),
        }
    }

    /// Who can be asked: connected, able to say it, not failed in this round.
    fn able(&self, missed: &[Miss]) -> Vec<&Connected> {
        let terms = Terms { model: String::new(), output_tokens_max: 1 };
        let gateway = self.app.gateway();
        let fresh = |connected: &&Connected| missed.iter().all(|miss| miss.provider != connected.name);
        let says = |connected: &&Connected| connected.source.can_say(&self.asked(&terms)).is_ok();
        gateway.connected().iter().filter(fresh).filter(says).collect()
    }

    fn asked<'a>(&'a self, terms: &'a Terms) -> Asked<'a> {
        Asked { query: &self.inquiry.query, body: &self.inquiry.body, dialect: self.inquiry.dialect, terms }
    }

    async fn submit(&self, command: Command) -> Result<(Id, Compute), Problem> {
        let submission = Submission::new(Actor::Open, None, fresh_id(), command);
        let committed = self.app.engine().submit(submission).await?;
        let record = committed.stored.record;
        match record.fact {
            Fact::Compute(fact) => Ok((record.id, fact)),
            _ => Err(Problem::new(Code::INTERNAL, "The record of this query tells something else.")),
        }
    }

    /// Asks the provider and relays its answer. An error means that nothing reached the client; the hold is settled in any case.
    async fn put(&self, lease: Lease) -> Result<(), Miss> {
        let provider = lease.attempted.allocated.provider.clone();
        let missed = |error| Miss { error, provider: provider.clone() };
        let Some(connected) = self.app.gateway().find(&provider) else {
            self.settle(&lease, Usage::default(), Counted::Provider, false).await;
            return Err(missed(AskError::Unreachable("it is not connected".to_owned())));
        };
        let _room = connected.room.clone().acquire_owned().await;
        let terms = Terms { model: self.model(connected), output_tokens_max: lease.attempted.allotment.output_tokens_max };
        let begun = async {
            let mut answer = connected.source.ask(self.asked(&terms)).await?;
            let mut first = Chunk::default();
            while !first.has_word() {
                match answer.next().await? {
                    Some(chunk) => first.append(chunk),
                    None => break,
                }
            }
            Ok((answer, first))
        };
        match begun.await {
            Ok((answer, first)) => {
                self.relay(lease, connected, answer, first).await;
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%provider, %error, allocation = %lease.allocation.text("al"), "a provider did not answer");
                self.settle(&lease, Usage::default(), Counted::Provider, is_the_querys_fault(&error)).await;
                Err(missed(error))
            }
        }
    }

    fn model(&self, connected: &Connected) -> String {
        let named = self.inquiry.model.as_ref().filter(|model| connected.models.contains(model));
        named.or(connected.models.first()).cloned().unwrap_or_default()
    }

    /// Relays an answer that has begun, holding more as it grows, and settles it.
    async fn relay(&self, lease: Lease, connected: &Connected, mut answer: Box<dyn Answering>, first: Chunk) {
        let allocated = &lease.attempted.allocated;
        let begun = Begun {
            allocation: lease.allocation,
            provider: allocated.provider.clone(),
            reason: allocated.reason.clone(),
            quota_remaining: allocated.quota_remaining,
            dialect: connected.source.dialect(),
        };
        let mut here = self.told.send(Told::Begun(begun)).await.is_ok();
        let mut count = Count::default();
        let mut allotment = lease.attempted.allotment;
        let mut end = End::Whole;
        let mut next = Some(first);
        while let Some(mut chunk) = next.take() {
            for piece in &chunk.pieces {
                count.add(piece);
            }
            if self.must_end(&lease, &count, &mut allotment).await {
                chunk.pieces.retain(|piece| matches!(piece, Piece::Start { .. } | Piece::Usage(_)));
                chunk.pieces.push(Piece::Finish(Finish::Length));
                chunk = Chunk::own(chunk.pieces);
                end = End::Cut;
            }
            here = here && self.told.send(Told::Chunk(chunk)).await.is_ok();
            if end == End::Cut {
                break;
            }
            if !here {
                end = End::Left;
                break;
            }
            tokio::select! {
                came = answer.next() => match came {
                    Ok(came) => next = came,
                    Err(error) => {
                        end = End::Broken(error);
                        break;
                    }
                },
                () = self.told.closed() => {
                    end = End::Left;
                    break;
                }
            }
        }
        // The provider stops now, not when the settlement is durable.
        drop(answer);
        self.finish(&lease, &count, end).await;
    }

    /// Whether the answer has outgrown what can be held. Holds more well before that.
    async fn must_end(&self, lease: &Lease, count: &Count, allotment: &mut Allotment) -> bool {
        let came = count.output();
        let hive_pays = lease.attempted.allocated.hive_pays;
        if hive_pays || came < allotment.output_tokens_held - allotment.output_tokens_held / 4 {
            return false;
        }
        if allotment.output_tokens_held >= allotment.output_tokens_max {
            // The provider was told this limit and counts itself; ours counts rather too many.
            return false;
        }
        let wanted = came.saturating_mul(2).max(allotment.output_tokens_held.saturating_mul(2)).min(allotment.output_tokens_max);
        let extend = Extend {
            allocation: lease.allocation,
            query_tokens_max: lease.attempted.query_tokens_max,
            tool_runs_max: lease.attempted.tool_runs_max,
            output_tokens: wanted,
            output_tokens_least: came.min(allotment.output_tokens_max),
        };
        match self.submit(Command::Extend(extend)).await {
            Ok((_, Compute::Extended(extended))) => {
                // What was granted less than wanted is all there is.
                if extended.output_tokens_held < wanted {
                    allotment.output_tokens_max = extended.output_tokens_held;
                }
                allotment.output_tokens_held = extended.output_tokens_held;
                came > extended.output_tokens_held
            }
            _ => came >= allotment.output_tokens_held,
        }
    }

    async fn finish(&self, lease: &Lease, count: &Count, end: End) {
        let (usage, counted) = match (&end, count.said()) {
            (End::Whole, Some(usage)) => (usage, Counted::Provider),
            _ => (count.estimate(self.size.tokens), Counted::Estimate),
        };
        let settled = self.settle(lease, usage, counted, !matches!(end, End::Broken(_))).await;
        let told = match (end, settled) {
            (End::Broken(error), _) => Told::Failed(told(&[Miss { error, provider: lease.attempted.allocated.provider.clone() }])),
            (end, Some(settled)) => Told::Ended(Ended {
                charged: settled.reported.charged,
                quota_remaining: settled.reported.quota_remaining,
                cut: end == End::Cut,
            }),
            (end, None) => {
                let held = lease.attempted.allotment.held;
                Told::Ended(Ended { charged: held, quota_remaining: lease.attempted.allocated.quota_remaining, cut: end == End::Cut })
            }
        };
        let _ = self.told.send(told).await;
    }

    /// Settles; tries again while the desk cannot. What stays unsettled is charged when its lease ends.
    async fn settle(&self, lease: &Lease, usage: Usage, counted: Counted, success: bool) -> Option<Settled> {
        let latency_ms = u32::try_from(lease.since.elapsed().as_millis()).ok().filter(|_| success);
        let (citizen, allocation) = (self.inquiry.citizen.clone(), lease.allocation);
        let settle = Settle { citizen, allocation, usage, counted, success, latency_ms };
        for tried in 1..=SETTLE_TRIES {
            match self.submit(Command::Settle(Box::new(settle.clone()))).await {
                Ok((_, Compute::Settled(settled))) => return Some(*settled),
                Err(problem) if problem.code().status() == 503 && tried < SETTLE_TRIES => {
                    tokio::time::sleep(PAUSE * tried).await;
                }
                Err(problem) => {
                    tracing::error!(%problem, allocation = %allocation.text("al"), "a query could not be settled");
                    return None;
                }
                Ok(_) => return None,
            }
        }
        None
    }
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// The budget ended it.
    Cut,
    /// The client left.
    Left,
    /// The provider broke off.
    Broken(AskError),
}

/// Whether the provider refused because of what was asked: another would do no better, and it is no failure of the provider's.
fn is_the_querys_fault(error: &AskError) -> bool {
    matches!(error, AskError::Refused { status: 400 | 413 | 415 | 422, .. })
}

/// Whether asking the same provider again may help.
fn may_recover(error: &AskError) -> bool {
    match error {
        AskError::Refused { status, .. } => matches!(status, 408 | 409 | 429 | 500..),
        AskError::Unreachable(_) | AskError::TimedOut(_) | AskError::Broken(_) => true,
    }
}

fn pause(error: &AskError) -> Duration {
    match error {
        AskError::Refused { retry_after: Some(after), .. } => (*after).min(PAUSE_MAX),
        _ => PAUSE,
    }
}

/// Why nobody answered.
fn told(misses: &[Miss]) -> Problem {
    let Some(last) = misses.last() else { return Problem::new(Code::NO_PROVIDER_UP, "No provider is connected.") };
    let whose = misses.iter().map(|miss| format!("{}: {}", miss.provider, miss.error)).collect::<Vec<_>>().join("; ");
    let code = match &last.error {
        error if is_the_querys_fault(error) => Code::PROVIDER_REFUSED,
        AskError::TimedOut(_) => Code::PROVIDER_LATE,
        _ => Code::PROVIDER_FAILED,
    };
    Problem::new(code, format!("No answer came. {whose}."))
}
