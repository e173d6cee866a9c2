//! After a failed append: the state is loaded again, and for a while commands are refused.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use lab3_units::{Code, Problem, Time};

use super::Writer;
use crate::codec::RowWriter;
use crate::committer::{Committer, Decided, Wanted};
use crate::load::{VerifyOnStart, load};
use crate::outcome::{BatchOutcome, Message, Outcome};
use crate::views::Digest;

/// First and longest pause after a failed append, in which commands are refused.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

impl Writer {
    /// After a failed append: the state is ahead of the journal, so it is loaded again.
    pub(super) fn recover(&mut self) {
        if let Some(Err(error)) = self.committer.take().map(Committer::finish) {
            tracing::error!(%error, "the journal could not be written; loading the state again");
        }
        self.decided = Decided::default();
        self.lingers_since = None;
        let durable = self.setup.progress.durable.load(Ordering::Acquire);
        self.pause = if durable > self.failed_at { PAUSE } else { (self.pause * 2).min(PAUSE_MAX) };
        self.failed_at = durable;
        let store = self.setup.store.clone();
        // The keys remembered and the index must meet without a gap.
        self.keys = self.setup.views.keys();
        let loaded = load(&*store, self.keys.indexed, VerifyOnStart::Tail).and_then(|loaded| {
            let committer = self.start_committer(loaded.head)?;
            Ok((loaded, committer))
        });
        match loaded {
            Ok((loaded, committer)) => {
                self.rows = RowWriter::new(loaded.state.sequence);
                self.recent = loaded.recent;
                self.snapshot = loaded.snapshot;
                self.state = loaded.state;
                self.committer = Some(committer);
                self.announce();
                // An append that failed may still have become durable; the follower finds it when nudged.
                let _ = self.setup.follower.try_send(Digest::default());
            }
            Err(error) => tracing::error!(%error, "the state could not be loaded again; trying later"),
        }
        self.refuse_until = Some(Instant::now() + self.pause);
    }

    /// Whether commands are refused for now; ends the pause when it is over.
    pub(super) fn refusing(&mut self) -> bool {
        match self.refuse_until {
            Some(until) if Instant::now() < until => true,
            Some(_) => {
                self.refuse_until = None;
                if self.committer.is_none() {
                    self.recover();
                }
                self.refuse_until.is_some()
            }
            None => false,
        }
    }

    /// Answers a message while the journal cannot be written: commands are refused, questions dropped or answered.
    pub(super) fn refuse(&mut self, message: Message, now: Time) -> bool {
        self.setup.progress.waiting.fetch_sub(message.weight(), Ordering::Relaxed);
        let problem =
            || Problem::new(Code::JOURNAL_UNAVAILABLE, "The journal cannot be written at the moment. Nothing has changed; try again.");
        match message {
            Message::Submit(_, _, reply) => drop(reply.send(Outcome::Refused(problem()))),
            Message::SubmitBatch(batch, reply) => {
                let refusals = batch.items.iter().map(|_| Outcome::Refused(problem())).collect();
                drop(reply.send(BatchOutcome::Items(refusals)));
            }
            // The state is what the journal says, so questions can be answered; without a state they are dropped.
            Message::Ask(question) if self.committer.is_some() => question(&self.desk(now))(),
            Message::Freeze(reply) if self.committer.is_some() => {
                self.freeze(Wanted::Reply(reply));
                self.hand_over();
            }
            Message::Ask(_) | Message::Freeze(_) | Message::Erase(..) | Message::Tick => {}
            Message::Stop => return true,
        }
        false
    }
}
