//! Which rule decides which command. Pure: the state, the command and the time in; a fact and entries, or a refusal, out.

use lab3_compute::Refusal;
use lab3_ledger::Event;
use lab3_units::{Amount, Problem, Time};

use crate::authority;
use crate::balances::Standing;
use crate::command::{Command, Energy, Submission};
use crate::record::Fact;
use crate::rules::check_rules;
use crate::state::State;

/// The rules' parameters: the configuration, and over it what the Hive changed by records ([`crate::RULES`]). Facts carry results, so changing these
/// never changes the past.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Module 1's.
    pub compute: lab3_compute::Policy,
    /// Module 2's.
    pub energy: lab3_energy::Policy,
    /// Module 4's.
    pub finance: lab3_finance::Policy,
    /// The most a member without a key of its own pays unsigned on a closed Hive.
    pub unsigned_max: Amount,
}

impl Default for Policy {
    fn default() -> Self {
        let (compute, energy, finance) = (lab3_compute::Policy::default(), lab3_energy::Policy::default(), lab3_finance::Policy::default());
        Self { compute, energy, finance, unsigned_max: Amount::new(1_000_000) }
    }
}

/// What a rule may look at, for every module.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The state.
    pub state: &'a State,
    /// The rules' parameters.
    pub policy: &'a Policy,
    /// What time it is.
    pub now: Time,
}

impl<'a> Desk<'a> {
    /// What module 1 looks at.
    pub fn compute(&self) -> lab3_compute::Desk<'a> {
        lab3_compute::Desk { ledger: &self.state.ledger, state: &self.state.compute, policy: &self.policy.compute, now: self.now }
    }

    /// What module 2 looks at.
    pub fn energy(&self) -> lab3_energy::Desk<'a> {
        lab3_energy::Desk { ledger: &self.state.ledger, state: &self.state.energy, policy: &self.policy.energy, now: self.now }
    }

    /// What module 4 looks at.
    pub fn finance(&self) -> lab3_finance::Desk<'a> {
        lab3_finance::Desk { ledger: &self.state.ledger, state: &self.state.finance, policy: &self.policy.finance, now: self.now }
    }

    /// What the rules of who may do what look at.
    pub fn trust(&self) -> lab3_trust::Desk<'a> {
        lab3_trust::Desk { state: &self.state.trust, now: self.now }
    }
}

/// What a command will do.
pub type Decision = (Fact, Vec<Event>);

/// What was looked up for a command ahead of deciding it: nothing, or what no other command can change.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ahead {
    /// Certain: none of its keys was used before this round.
    pub new: bool,
    /// A transfer's wallets.
    pub wallets: lab3_finance::Wallets,
}

/// Decides a command whose record would have the submission's id.
pub fn decide(desk: &Desk<'_>, submission: &Submission, ahead: Ahead) -> Result<Decision, Refusal> {
    let Submission { id, actor, command, .. } = submission;
    let id = *id;
    authority::check_before(desk, submission).map_err(Refusal::Problem)?;
    let compute = |decided: (lab3_compute::Fact, Vec<Event>)| (Fact::Compute(decided.0), decided.1);
    let finance = |decided: Result<(lab3_finance::Fact, Vec<Event>), Problem>| match decided {
        Ok((fact, entries)) => Ok((Fact::Finance(fact), entries)),
        Err(problem) => Err(Refusal::Problem(problem)),
    };
    let (fact, entries) = match command {
        Command::Allocate(allocate) => lab3_compute::allocate(&desk.compute(), id, allocate).map(compute),
        Command::Defer(defer) => lab3_compute::defer(&desk.compute(), id, defer).map(compute),
        Command::Report(report) => lab3_compute::report(&desk.compute(), report).map(compute),
        Command::Attempt(attempt) => lab3_compute::attempt(&desk.compute(), id, attempt).map(compute),
        Command::Extend(extend) => lab3_compute::extend(&desk.compute(), extend).map(compute),
        Command::Settle(settle) => lab3_compute::settle(&desk.compute(), settle).map(compute),
        Command::Release(allocation) => lab3_compute::release(&desk.compute(), *allocation).map(compute),
        Command::Energy(energy) => decide_energy(desk, energy).map_err(Refusal::Problem),
        Command::Transfer(transfer) => finance(lab3_finance::transfer(&desk.finance(), transfer, ahead.wallets)),
        Command::TransferLinked(items) => {
            finance(lab3_finance::transfer_linked(&desk.finance(), items.iter().map(|(_, transfer)| transfer)))
        }
        Command::Grant(grant) => finance(lab3_finance::grant(&desk.finance(), grant)),
        Command::Contribute(contribute) => finance(lab3_finance::contribute(&desk.finance(), contribute)),
        Command::Mint(mint) => finance(lab3_finance::mint(&desk.finance(), mint)),
        Command::CloseEpoch(close) => {
            let sum_up = |epoch, events: &[Event]| Standing::after(&desk.state.ledger, events).sum_up(&desk.state.closings.salts(epoch));
            finance(lab3_finance::close_epoch(&desk.finance(), close, sum_up))
        }
        Command::Trust(order) => {
            match check_known(&order.command).and_then(|()| lab3_trust::decide(&desk.trust(), &order.principal, &order.command)) {
                Ok(fact) => Ok((Fact::Trust(Box::new(fact)), Vec::new())),
                Err(problem) => Err(Refusal::Problem(problem)),
            }
        }
        Command::Refused(problem) => Err(Refusal::Problem(problem.clone())),
    }?;
    authority::check_after(desk, *actor, &fact, &entries).map_err(Refusal::Problem)?;
    Ok((fact, entries))
}

fn decide_energy(desk: &Desk<'_>, command: &Energy) -> Result<Decision, Problem> {
    let desk = desk.energy();
    let (fact, entries) = match command {
        Energy::CloseHour(close) => lab3_energy::close_hour(&desk, close),
        Energy::Book(book) => lab3_energy::book_jobs(&desk, book),
        Energy::SettleJob(settle) => lab3_energy::settle_job(&desk, settle),
        Energy::ReleaseJob(job) => lab3_energy::release_job(&desk, *job),
        Energy::Certify(certify) => lab3_energy::certify(&desk, certify).map(|fact| (fact, Vec::new())),
        Energy::ShareExports(share) => lab3_energy::share_exports(&desk, share),
    }?;
    Ok((Fact::Energy(fact), entries))
}

/// Whether rules that shall change are some this desk knows.
fn check_known(command: &lab3_trust::Command) -> Result<(), Problem> {
    if let lab3_trust::Command::ChangePolicy(change) = command { check_rules(&change.lines) } else { Ok(()) }
}
