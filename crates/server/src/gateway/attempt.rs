//! An attempt: who can be asked is found, module 1 chooses among them, and what the query can cost there is held.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use lab3_compute::{Allocate, Attempt, Attempted, Fact as Compute, Meter};
use lab3_engine::Command;
use lab3_providers::dialect::Terms;
use lab3_units::{Code, Id, Problem, Ratio};
use tokio::sync::OwnedSemaphorePermit;

use super::ask::Task;
use super::line::{Holding, Line, Place};
use super::miss::Miss;
use super::size;
use super::{Connected, Operation};

/// A hold under which a provider is asked.
pub(super) struct Lease {
    pub(super) allocation: Id,
    pub(super) attempted: Box<Attempted>,
    pub(super) connected: Arc<Connected>,
    pub(super) since: Instant,
    /// Room at the provider, taken until the answer has ended.
    _room: OwnedSemaphorePermit,
    /// What is held, until it is settled.
    holding: Holding,
}

impl Lease {
    /// The line of the citizen who holds it.
    pub(super) fn line(&self) -> &Line {
        self.holding.line()
    }
}

/// A provider that can be asked, and room there.
type Ready = (Arc<Connected>, OwnedSemaphorePermit);

impl Task {
    /// Holds what the query can cost at the provider that module 1 chooses among those able. When the allowance does not reach for a
    /// usual answer, but other queries of the citizen hold something, waits for what they give back.
    pub(super) async fn attempt(&self, place: &Place, misses: &[Miss], round: u32) -> Result<Lease, Problem> {
        let line = place.line();
        let mut turn = None;
        let mut waiting = None;
        loop {
            let seen = line.given_back();
            let holding = place.holding();
            let usual = line.held() > 1 && Instant::now() < self.patient_until;
            let refused = match self.hold(misses, round, usual, holding).await {
                Err(problem) if problem.code() == Code::QUOTA_EXHAUSTED && (usual || self.may_wait(line)) => problem,
                done => return done,
            };
            waiting.get_or_insert_with(|| self.app.metrics().queries().waiting());
            let wait = async {
                match turn {
                    None => turn = Some(line.turn.lock().await),
                    // Its own try gave back once.
                    Some(_) => line.given_back_since(seen + 1).await,
                }
            };
            tokio::select! {
                () = wait => {}
                () = tokio::time::sleep_until(self.patient_until.into()) => {}
                () = self.told.closed() => return Err(refused),
            }
        }
    }

    fn may_wait(&self, line: &Line) -> bool {
        line.held() > 0 && Instant::now() < self.patient_until
    }

    async fn hold(&self, misses: &[Miss], round: u32, usual: bool, holding: Holding) -> Result<Lease, Problem> {
        let able = self.able(misses, round);
        let mut ready = self.room(&able).await;
        if ready.is_empty() && !able.is_empty() {
            let detail = "Every provider that could answer makes as many answers as it may at once. Try again in a moment.";
            return Err(Problem::new(Code::NO_PROVIDER_UP, detail));
        }
        let command = Command::Attempt(Box::new(self.command(&ready, usual)));
        let (allocation, Compute::Attempted(attempted)) = self.submit(command).await? else {
            return Err(Problem::new(Code::INTERNAL, "The record of this query tells something else."));
        };
        let chosen = ready.iter().position(|(connected, _)| connected.name == attempted.allocated.provider);
        let Some((connected, room)) = chosen.map(|at| ready.swap_remove(at)) else {
            return Err(Problem::new(Code::INTERNAL, "A provider was chosen that cannot be asked."));
        };
        Ok(Lease { allocation, attempted, connected, since: Instant::now(), _room: room, holding })
    }

    fn command(&self, ready: &[Ready], usual: bool) -> Attempt {
        let inquiry = &self.inquiry;
        let query = &inquiry.query;
        let size = match ready {
            [(only, _)] => size::at(&*only.source, query, inquiry.size),
            _ => inquiry.size,
        };
        let allocate = Allocate {
            citizen: inquiry.citizen.clone(),
            tokens: size.tokens,
            priority: inquiry.priority,
            // What the quality of an answer is nobody asks of embeddings.
            min_quality: (inquiry.operation == Operation::Embeddings).then_some(Ratio::ZERO),
            max_cost: inquiry.max_cost,
            preferred: inquiry.preferred.clone(),
            explain: false,
        };
        let answers = query.answers.max(1);
        let meter = Meter {
            query_tokens_max: size.tokens_max,
            output_tokens_max: query.output_tokens_max.map(|one| one.saturating_mul(u64::from(answers))),
            answers,
            tool_runs_max: u64::try_from(query.hosted_tools.len()).unwrap_or(u64::MAX),
            usual,
            able: ready.iter().map(|(connected, _)| connected.name.clone()).collect(),
        };
        Attempt { allocate, meter }
    }

    /// Who can be asked: connected, able to say it, and not kept out by having failed.
    fn able(&self, misses: &[Miss], round: u32) -> Vec<Arc<Connected>> {
        let terms = Terms { model: String::new(), output_tokens_max: 1 };
        let now = Instant::now();
        let fresh = |name: &str| !misses.iter().any(|miss| &*miss.provider == name && miss.keeps_out(round, now));
        let says = |connected: &Connected| match self.inquiry.operation {
            Operation::Chat => connected.source.can_say(&self.asked(&terms)).is_ok(),
            // Embeddings of one model mean nothing beside those of another: no other will do.
            Operation::Embeddings => self.inquiry.model.as_ref().is_none_or(|model| connected.has(model)),
        };
        let connected = self.app.gateway().connected().iter().filter(|connected| connected.does(self.inquiry.operation));
        connected.filter(|connected| fresh(&connected.name) && says(connected)).cloned().collect()
    }

    /// Those with room for one more answer; when none has, the first that gets some, if that is soon enough.
    async fn room(&self, able: &[Arc<Connected>]) -> Vec<Ready> {
        let take = |connected: &Arc<Connected>| Some((connected.clone(), connected.room.clone().try_acquire_owned().ok()?));
        let free = able.iter().filter_map(take).collect::<Vec<_>>();
        if !free.is_empty() || able.is_empty() {
            return free;
        }
        let _waiting = self.app.metrics().queries().waiting();
        let mut rooms = able.iter().map(|connected| (connected, Box::pin(connected.room.clone().acquire_owned()))).collect::<Vec<_>>();
        let first = poll_fn(|context| {
            let taken = rooms.iter_mut().find_map(|(connected, room)| match Pin::new(room).poll(context) {
                Poll::Ready(Ok(room)) => Some((Arc::clone(connected), room)),
                Poll::Ready(Err(_)) | Poll::Pending => None,
            });
            taken.map_or(Poll::Pending, Poll::Ready)
        });
        tokio::select! {
            ready = first => vec![ready],
            () = tokio::time::sleep_until(self.patient_until.into()) => Vec::new(),
            () = self.told.closed() => Vec::new(),
        }
    }
}
