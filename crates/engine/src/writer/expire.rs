//! Ending holds whose deadline has passed: what the writer does of its own accord.

use lab3_ledger::Event;
use lab3_units::Time;

use super::Writer;
use crate::outcome::engine_id;
use crate::record::{Actor, Draft, Fact};

/// Holds expired in one record.
const EXPIRE_AT_ONCE: usize = 256;

impl Writer {
    /// Ends holds whose deadline has passed: those of answers that may have been made one a record, for each is charged; the
    /// others a bounded number a record.
    pub(super) fn expire(&mut self, now: Time) {
        loop {
            let due = self.state.ledger.due(now).take(EXPIRE_AT_ONCE).map(|hold| (hold.id, hold.code)).collect::<Vec<_>>();
            if due.is_empty() {
                return;
            }
            let (leases, others): (Vec<_>, Vec<_>) = due.into_iter().partition(|&(_, code)| lab3_compute::is_lease(code));
            let others = others.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
            let mut done = true;
            for (id, _) in leases {
                let decision = lab3_compute::charge_lease(&self.desk(now).compute(), id);
                done &= decision.is_ok_and(|decision| self.record_of_own(now, decision));
            }
            if !others.is_empty() {
                let decision = lab3_compute::expire(&self.desk(now).compute(), &others);
                done &= self.record_of_own(now, decision);
            }
            if !done {
                return;
            }
        }
    }

    /// Makes a record of the engine's own accord; whether it could.
    fn record_of_own(&mut self, now: Time, (fact, entries): (lab3_compute::Fact, Vec<Event>)) -> bool {
        let id = engine_id(self.rows.next(), now);
        let made = self.record(now, Draft { entries, ..Draft::new(Actor::Engine, id, Fact::Compute(fact)) });
        if let Err(error) = &made {
            tracing::error!(%error, "holds could not be ended");
        }
        made.is_ok()
    }
}
