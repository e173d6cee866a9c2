//! The way of one query: hold, ask, relay, hold more while the answer comes, settle. Should a provider fail before its first
//! word, the next is asked, under a hold of its own.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use lab3_compute::{Counted, Fact as Compute, Priority, Usage};
use lab3_energy::Draw;
use lab3_engine::{Actor, Command, Committed, Fact, Submission};
use lab3_providers::dialect::Terms;
use lab3_providers::{AskError, Asked, Chunk, Dialect, Query};
use lab3_units::{Amount, Code, Did, Id, Problem};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::attempt::Lease;
use super::line::Place;
use super::miss::{self, Miss};
use super::size::Size;
use super::{Connected, Operation};
use crate::App;
use crate::http::fresh_id;

/// Messages between a query's task and its client's connection; more and the provider is not read on.
const UNDER_WAY_MAX: usize = 4;

/// Rounds in which every provider able is asked once.
const ROUNDS_MAX: u32 = 3;

/// A client's query.
#[derive(Debug)]
pub(crate) struct Inquiry {
    /// Who pays.
    pub(crate) citizen: Did,
    /// Who asks, as the records will have it.
    pub(crate) actor: Actor,
    /// See there.
    pub(crate) operation: Operation,
    /// How large it is.
    pub(crate) size: Size,
    /// What is asked.
    pub(crate) query: Arc<Query>,
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
    /// Whether the answer may be one kept, or be kept.
    pub(crate) may_cache: bool,
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
pub(crate) fn ask(app: &App, inquiry: Inquiry, place: Place) -> Receiver<Told> {
    let (told, receiver) = channel(UNDER_WAY_MAX);
    let patient_until = Instant::now() + app.gateway().settings().wait_max;
    let task = Task { app: app.clone(), inquiry, told, patient_until };
    tokio::spawn(task.run(place));
    receiver
}

/// One query's way.
pub(super) struct Task {
    pub(super) app: App,
    pub(super) inquiry: Inquiry,
    pub(super) told: Sender<Told>,
    /// Until then it waits for room at a provider, or for what other queries of the citizen give back.
    pub(super) patient_until: Instant,
}

impl Task {
    async fn run(self, place: Place) {
        let _under_way = self.app.metrics().queries().under_way();
        if self.repeat().await {
            return;
        }
        let mut misses = Vec::<Miss>::new();
        for round in 0..ROUNDS_MAX {
            loop {
                let lease = match self.attempt(&place, &misses, round).await {
                    Ok(lease) => lease,
                    Err(problem) if misses.is_empty() => return self.fail(problem).await,
                    Err(_) => break,
                };
                match self.put(lease, round).await {
                    Ok(()) => return,
                    Err(miss) if miss.is_the_querys_fault() => return self.fail(miss::told(&[miss])).await,
                    Err(miss) => misses.push(miss),
                }
            }
            let again = misses.iter().filter_map(Miss::again_at).min();
            let Some(again) = again.filter(|_| round + 1 < ROUNDS_MAX) else { break };
            tokio::select! {
                () = tokio::time::sleep_until(again.into()) => {}
                () = self.told.closed() => break,
            }
        }
        self.fail(miss::told(&misses)).await;
    }

    async fn fail(&self, problem: Problem) {
        self.app.metrics().queries().refused(problem.code().to_string());
        tracing::info!(citizen = %self.inquiry.citizen, code = %problem.code(), "a query was not answered");
        let _ = self.told.send(Told::Failed(problem)).await;
    }

    pub(super) fn asked<'a>(&'a self, terms: &'a Terms) -> Asked<'a> {
        Asked { query: &self.inquiry.query, body: &self.inquiry.body, dialect: self.inquiry.dialect, terms }
    }

    /// Has a command decided and made durable.
    pub(super) async fn submit(&self, command: Command) -> Result<(Id, Compute), Problem> {
        told_by(self.app.engine().submit(self.submission(command)).await?)
    }

    /// Has a command decided. Should a crash undo it, the hold is still there.
    pub(super) async fn submit_ahead(&self, command: Command, draw: Option<Box<Draw>>) -> Result<(Id, Compute), Problem> {
        told_by(self.app.engine().submit_ahead(Submission { draw, ..self.submission(command) }).await?)
    }

    /// Asks the provider and relays its answer. An error means that nothing reached the client; the hold is settled in any case.
    async fn put(&self, lease: Lease, round: u32) -> Result<(), Miss> {
        let terms = Terms { model: self.model(&lease.connected), output_tokens_max: lease.attempted.allotment.output_tokens_max };
        let begun = async {
            let source = &lease.connected.source;
            let mut answer = match self.inquiry.operation {
                Operation::Chat => source.ask(self.asked(&terms)).await?,
                Operation::Embeddings => source.embed(self.asked(&terms)).await?,
            };
            let mut first = Chunk::default();
            while !first.has_word() {
                match answer.next().await? {
                    Some(chunk) => first.append(chunk),
                    None => break,
                }
            }
            Ok((answer, first))
        };
        let begun = tokio::select! {
            begun = begun => Some(begun),
            () = self.told.closed() => None,
        };
        match begun {
            Some(Ok((answer, first))) => {
                self.relay(lease, &terms.model, answer, first).await;
                Ok(())
            }
            Some(Err(error)) => Err(self.missed(lease, &terms.model, error, round).await),
            // The client left before the first word: what the provider read of the query may be charged to us.
            None => {
                self.finish_unheard(lease, &terms.model).await;
                Ok(())
            }
        }
    }

    /// A provider did not answer: nothing is charged, and its health hears of it.
    async fn missed(&self, lease: Lease, model: &str, error: AskError, round: u32) -> Miss {
        let provider = lease.connected.name.clone();
        tracing::warn!(%provider, %error, allocation = %lease.allocation.text("al"), "a provider did not answer");
        let asked = self.labels(&lease, model);
        self.app.metrics().queries().ended(&asked, lease.since.elapsed(), miss::kind(&error));
        let latency = lease.since.elapsed();
        self.settle(
            &lease.connected.name,
            lease.allocation,
            Usage::default(),
            Counted::Provider,
            miss::is_the_querys_fault(&error),
            latency,
        )
        .await;
        Miss { provider, error, round, at: Instant::now() }
    }

    fn submission(&self, command: Command) -> Submission {
        Submission::new(self.inquiry.actor, None, fresh_id(), command)
    }

    fn model(&self, connected: &Connected) -> String {
        let named = self.inquiry.model.as_ref().filter(|model| connected.models.contains(model));
        named.or(connected.models.first()).cloned().unwrap_or_default()
    }
}

/// What a query's record tells.
fn told_by(committed: Committed) -> Result<(Id, Compute), Problem> {
    let record = committed.stored.record;
    match record.fact {
        Fact::Compute(fact) => Ok((record.id, fact)),
        _ => Err(Problem::new(Code::INTERNAL, "The record of this query tells something else.")),
    }
}
