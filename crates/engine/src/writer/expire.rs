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
            let ledger = &self.state.ledger;
            let (mut jobs, mut leases, mut others) = (Vec::new(), Vec::new(), Vec::new());
            for hold in ledger.due(now).take(EXPIRE_AT_ONCE) {
                let of_its_kind = match () {
                    () if lab3_energy::is_job(ledger, hold) => &mut jobs,
                    () if lab3_compute::is_lease(hold.code) => &mut leases,
                    () => &mut others,
                };
                of_its_kind.push(hold.id);
            }
            if jobs.is_empty() && leases.is_empty() && others.is_empty() {
                return;
            }
            let mut done = true;
            for id in leases {
                let decision = lab3_compute::charge_lease(&self.desk(now).compute(), id);
                done &= decision.is_ok_and(|(fact, entries)| self.record_of_own(now, Fact::Compute(fact), entries));
            }
            if !others.is_empty() {
                let (fact, entries) = lab3_compute::expire(&self.desk(now).compute(), &others);
                done &= self.record_of_own(now, Fact::Compute(fact), entries);
            }
            if !jobs.is_empty() {
                let (fact, entries) = lab3_energy::expire_jobs(&self.desk(now).energy(), &jobs);
                done &= self.record_of_own(now, Fact::Energy(fact), entries);
            }
            if !done {
                return;
            }
        }
    }

    /// Makes a record of the engine's own accord; whether it could.
    fn record_of_own(&mut self, now: Time, fact: Fact, entries: Vec<Event>) -> bool {
        let id = engine_id(self.rows.next(), now);
        let made = self.record(now, Draft { entries, ..Draft::new(Actor::Engine, id, fact) });
        if let Err(error) = &made {
            tracing::error!(%error, "holds could not be ended");
        }
        made.is_ok()
    }
}
