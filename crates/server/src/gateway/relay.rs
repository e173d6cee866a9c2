//! Relaying an answer: counted while it comes, more held before it outgrows what is held, settled at its end.

use std::time::{Duration, Instant};

use lab3_compute::{Allotment, Counted, Extend, Fact as Compute, Settle, Settled, Usage};
use lab3_energy::carbon::Work;
use lab3_engine::Command;
use lab3_providers::{Answering, AskError, Chunk, Finish, Piece};
use lab3_units::{Amount, Id};

use super::ask::{Begun, Ended, Task, Told};
use super::attempt::Lease;
use super::cache::Gathered;
use super::count::Count;
use super::miss::{self, Miss};
use crate::metrics::Asked;

/// Tries to settle, and the pause before the second; after that the lease's end does.
const SETTLE_TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(250);

/// How long an answer that has outgrown what is held waits at most for what other queries of the citizen give back.
const GROW_WAIT_MAX: Duration = Duration::from_secs(5);

impl Task {
    /// Relays an answer that has begun, holding more as it grows, and settles it.
    pub(super) async fn relay(&self, lease: Lease, model: &str, mut answer: Box<dyn Answering>, first: Chunk) {
        let asked = self.labels(&lease, model);
        self.app.metrics().queries().first_token(&asked, lease.since.elapsed());
        let allocated = &lease.attempted.allocated;
        let begun = Begun {
            allocation: lease.allocation,
            provider: allocated.provider.clone(),
            reason: allocated.reason.clone(),
            quota_remaining: allocated.quota_remaining,
            dialect: lease.connected.source.dialect(),
        };
        let mut here = self.told.send(Told::Begun(begun)).await.is_ok();
        let mut meter = Growing::new(&lease);
        let mut gathered = self.app.gateway().cache().key(&self.inquiry).map(Gathered::new);
        let mut end = End::Whole;
        let mut next = Some(first);
        while let Some(mut chunk) = next.take() {
            for piece in &chunk.pieces {
                meter.count.add(piece);
            }
            meter.is_over |= chunk.pieces.iter().any(|piece| matches!(piece, Piece::Finish(_)));
            if self.must_end(&lease, &mut meter).await {
                chunk.pieces.retain(|piece| matches!(piece, Piece::Start { .. } | Piece::Usage(_)));
                chunk.pieces.push(Piece::Finish(Finish::Length));
                chunk = Chunk::own(chunk.pieces);
                end = End::Cut;
            }
            if let Some(gathered) = &mut gathered {
                gathered.add(&chunk);
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
        if let (End::Whole, Some(gathered), Some(usage)) = (&end, gathered, meter.count.said()) {
            self.keep(&lease, gathered, usage);
        }
        self.finish(lease, &asked, &meter.count, end).await;
    }

    /// The client left before the first word. The provider was told, but may have read the query.
    pub(super) async fn finish_unheard(&self, lease: Lease, model: &str) {
        let asked = self.labels(&lease, model);
        self.finish(lease, &asked, &Count::default(), End::Left).await;
    }

    pub(super) fn labels(&self, lease: &Lease, model: &str) -> Asked {
        Asked {
            gen_ai_operation_name: self.inquiry.operation.word(),
            gen_ai_provider_name: lease.connected.name.to_string(),
            gen_ai_request_model: model.to_owned(),
        }
    }

    /// Whether the answer has outgrown what can be held. Holds more well before that.
    async fn must_end(&self, lease: &Lease, meter: &mut Growing) -> bool {
        let came = meter.came();
        if lease.attempted.allocated.hive_pays || !meter.is_due(came) {
            return false;
        }
        let patient_until = Instant::now() + GROW_WAIT_MAX;
        loop {
            let line = lease.line();
            let seen = line.given_back();
            self.grow(lease, meter, came).await;
            if came <= meter.allotment.output_tokens_held {
                return false;
            }
            // Others may soon give back what this answer needs; if they wait for the same, one of them ends first.
            if line.held() < 2 {
                return true;
            }
            tokio::select! {
                () = line.given_back_since(seen) => {}
                () = tokio::time::sleep_until(patient_until.into()) => return true,
                () = self.told.closed() => return true,
            }
        }
    }

    /// Holds more, as much as wanted or what can still be paid.
    async fn grow(&self, lease: &Lease, meter: &mut Growing, came: u64) {
        let allotment = &mut meter.allotment;
        let wanted = came.saturating_mul(2).max(allotment.output_tokens_held.saturating_mul(2)).min(allotment.output_tokens_max);
        let extend = Extend {
            allocation: lease.allocation,
            query_tokens_max: lease.attempted.query_tokens_max,
            tool_runs_max: lease.attempted.tool_runs_max,
            output_tokens: wanted,
            output_tokens_least: came.min(allotment.output_tokens_max),
        };
        meter.is_short = match self.submit(Command::Extend(extend)).await {
            Ok((_, Compute::Extended(extended))) => {
                allotment.output_tokens_held = extended.output_tokens_held;
                extended.output_tokens_held < wanted
            }
            _ => true,
        };
    }

    async fn finish(&self, lease: Lease, asked: &Asked, count: &Count, end: End) {
        let (usage, counted) = match (&end, count.said()) {
            (End::Whole, Some(usage)) => (usage, Counted::Provider),
            _ => (count.estimate(self.inquiry.size.tokens), Counted::Estimate),
        };
        let settled = self
            .settle(&lease.connected.name, lease.allocation, usage, counted, !matches!(end, End::Broken(_)), lease.since.elapsed())
            .await;
        self.app.gateway().rates().settle(
            &self.inquiry.citizen,
            self.inquiry.size.tokens,
            usage.query_tokens().saturating_add(usage.output),
            Instant::now(),
        );
        let (charged, quota_remaining) = settled.map_or_else(
            || (lease.attempted.allotment.held, lease.attempted.allocated.quota_remaining),
            |settled| (settled.reported.charged, settled.reported.quota_remaining),
        );
        self.note(&lease, asked, &usage, charged, &end);
        let told = match end {
            End::Broken(error) => {
                let (provider, at) = (lease.connected.name.clone(), Instant::now());
                Told::Failed(miss::told(&[Miss { provider, error, round: 0, at }]))
            }
            end => Told::Ended(Ended { charged, quota_remaining, cut: end == End::Cut }),
        };
        // What others of the citizen wait for is there again, and so is the room.
        drop(lease);
        let _ = self.told.send(told).await;
    }

    /// A line in the log and the figures: ids and sizes, never what was said.
    fn note(&self, lease: &Lease, asked: &Asked, usage: &Usage, charged: Amount, end: &End) {
        let took = lease.since.elapsed();
        let error_type = if let End::Broken(error) = end { miss::kind(error) } else { "" };
        let figures = self.app.metrics().queries();
        figures.ended(asked, took, error_type);
        figures.charged(asked, usage, charged);
        tracing::info!(
            allocation = %lease.allocation.text("al"),
            citizen = %self.inquiry.citizen,
            gen_ai.provider.name = asked.gen_ai_provider_name,
            gen_ai.request.model = asked.gen_ai_request_model,
            gen_ai.usage.input_tokens = usage.query_tokens(),
            gen_ai.usage.output_tokens = usage.output,
            cost_ks = charged.units(),
            end = end.word(),
            took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "a query was answered"
        );
    }

    /// Settles; tries again while the desk cannot. What stays unsettled is charged when its lease ends.
    pub(super) async fn settle(
        &self,
        provider: &str,
        allocation: Id,
        usage: Usage,
        counted: Counted,
        success: bool,
        took: Duration,
    ) -> Option<Settled> {
        let latency_ms = u32::try_from(took.as_millis()).ok().filter(|_| success);
        let citizen = self.inquiry.citizen.clone();
        // What was kept from before was not computed again.
        let tokens = (counted != Counted::Cache).then(|| (usage.query_tokens(), usage.output));
        let work = tokens.map(|(input_tokens, output_tokens)| Work { input_tokens, output_tokens, latency_s: Some(took.as_secs_f64()) });
        let draw = work.and_then(|work| self.app.carbon().draw(provider, &citizen, Some(allocation), &work, None));
        let settle = Settle { citizen, allocation, usage, counted, success, latency_ms };
        for tried in 1..=SETTLE_TRIES {
            // Not waited for until it is durable: the hold is, and should a crash undo this, the lease charges it.
            match self.submit_ahead(Command::Settle(Box::new(settle.clone())), draw.clone()).await {
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

impl End {
    fn word(&self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Cut => "cut",
            Self::Left => "left",
            Self::Broken(_) => "broken",
        }
    }
}

/// An answer that grows, and what is held for it.
struct Growing {
    count: Count,
    allotment: Allotment,
    /// Less was held than wanted: no more is asked for before it is needed.
    is_short: bool,
    /// It grows no more.
    is_over: bool,
}

impl Growing {
    fn new(lease: &Lease) -> Self {
        Self { count: Count::default(), allotment: lease.attempted.allotment, is_short: false, is_over: false }
    }

    /// How many tokens came: of an answer that is over as many as the provider says, rather too many before.
    fn came(&self) -> u64 {
        let said = self.count.said().filter(|_| self.is_over);
        said.map_or_else(|| self.count.output(), |usage| usage.output)
    }

    /// Whether more should be held for an answer of which so much came. Never beyond the limit: the provider was told it and counts
    /// itself, and ours counts rather too many.
    fn is_due(&self, came: u64) -> bool {
        let Allotment { output_tokens_held: held, output_tokens_max: max, .. } = self.allotment;
        let from = match (self.is_over, self.is_short) {
            (true, _) => held + 1,
            (false, true) => held,
            (false, false) => held - held / 4,
        };
        held < max && came >= from
    }
}
