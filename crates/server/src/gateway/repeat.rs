//! Repeating an answer that was kept: held and settled like any, but the provider is not asked.

use std::time::{Duration, Instant};

use lab3_compute::{Allocate, Attempt, Counted, Fact as Compute, Meter, Usage};
use lab3_engine::Command;

use super::ask::{Begun, Ended, Task, Told};
use super::attempt::Lease;
use super::cache::{Answer, Gathered};

impl Task {
    /// Keeps an answer for who asks the same again.
    pub(super) fn keep(&self, lease: &Lease, gathered: Gathered, usage: Usage) {
        let key = gathered.key;
        let Some(chunk) = gathered.whole() else { return };
        let (provider, dialect) = (lease.connected.name.clone(), lease.connected.source.dialect());
        self.app.gateway().cache().keep(key, Answer { provider, dialect, chunk, usage }, Instant::now());
    }

    /// Answers with what was kept of the very same query, if there is something and it can be paid; whether it did.
    pub(super) async fn repeat(&self) -> bool {
        let cache = self.app.gateway().cache();
        let Some(kept) = cache.key(&self.inquiry).and_then(|key| cache.find(key, Instant::now())) else { return false };
        let Ok((allocation, Compute::Attempted(attempted))) = self.submit(Command::Attempt(Box::new(self.again(&kept)))).await else {
            return false;
        };
        let begun = Begun {
            allocation,
            provider: kept.provider.clone(),
            reason: "The very same query was answered before; this is that answer.".into(),
            quota_remaining: attempted.allocated.quota_remaining,
            dialect: kept.dialect,
        };
        let _ = self.told.send(Told::Begun(begun)).await;
        let _ = self.told.send(Told::Chunk(kept.chunk)).await;
        let settled = self.settle(&kept.provider, allocation, kept.usage, Counted::Cache, true, Duration::ZERO).await;
        let (charged, quota_remaining) = settled.map_or((attempted.allotment.held, attempted.allocated.quota_remaining), |settled| {
            (settled.reported.charged, settled.reported.quota_remaining)
        });
        tracing::info!(allocation = %allocation.text("al"), citizen = %self.inquiry.citizen, cost_ks = charged.units(), "an answer was repeated");
        let _ = self.told.send(Told::Ended(Ended { charged, quota_remaining, cut: false })).await;
        true
    }

    /// Holds what the kept answer costs at most.
    fn again(&self, kept: &Answer) -> Attempt {
        let Usage { output, tool_runs, .. } = kept.usage;
        let query = kept.usage.query_tokens();
        let allocate = Allocate {
            citizen: self.inquiry.citizen.clone(),
            tokens: query,
            priority: self.inquiry.priority,
            min_quality: Some(lab3_units::Ratio::ZERO),
            max_cost: self.inquiry.max_cost,
            preferred: Some(kept.provider.clone()),
            explain: false,
        };
        let meter = Meter {
            query_tokens_max: query,
            output_tokens_max: Some(output),
            answers: 1,
            tool_runs_max: tool_runs,
            usual: false,
            able: vec![kept.provider.clone()],
        };
        Attempt { allocate, meter }
    }
}
