//! Asks the ledger what stands on paper, and compares everything a caller can see.

use std::marker::PhantomData;

use lab3_ledger::{Books, Draft, Event, Ledger, Refusal, Settlement};
use lab3_units::Time;
use proptest_state_machine::StateMachineTest;

use super::audit::Audit;
use super::call::{ASSETS, PURPOSES, account_no, id_of, number_of, owner_of};
use super::model::{Account, Funds, Model, Why};
use super::paper::{OnPaper, Paper, Written};
use super::step::Step;
use super::world::World;

/// Steps between two looks at everything, frozen and thawed.
const LOOK_EVERY: u64 = 128;

/// The ledger in a game.
#[derive(Default)]
pub struct Game {
    pub ledger: Ledger,
    pub events: Vec<(u64, Event)>,
    audit: Audit,
    /// Records so far: two a step, one for what expires and one for the draft.
    sequence: u64,
    /// What every account has by the model, as the draft under way stands.
    funds: Vec<Funds>,
    /// Books frozen at an earlier look, and how they looked then.
    frozen: Option<(Books, String)>,
}

impl Game {
    /// The game as it begins.
    pub fn new(paper: &Paper) -> Result<Self, String> {
        let mut game = Self::default();
        game.play(paper)?;
        Ok(game)
    }

    /// Plays the step that was written down last; says where ledger and model part.
    pub fn play(&mut self, paper: &Paper) -> Result<(), String> {
        self.sequence += 1;
        if let Some((expired, changed)) = &paper.expired {
            self.expire_due(paper.now, expired)?;
            note(&mut self.funds, changed);
        }
        self.sequence += 1;
        self.draw_up(paper)?;
        if (self.sequence / 2).is_multiple_of(LOOK_EVERY) { self.look(&paper.model) } else { Ok(()) }
    }

    /// The draft of a step; it must be refused what the model refuses. After a call the accounts it is to change are looked at, and
    /// all after the last call: what went wrong in an account nobody looked at is still there then.
    fn draw_up(&mut self, paper: &Paper) -> Result<(), String> {
        let mut draft = Draft::new(&self.ledger);
        for written in &paper.written {
            agree(written, &written.call.make(&mut draft))?;
            note(&mut self.funds, &written.changed);
            written.changed.iter().try_for_each(|&(no, funds)| compare_draft(&draft, no, funds))?;
        }
        (0..self.funds.len()).try_for_each(|no| compare_draft(&draft, no, self.funds[no]))?;
        if paper.given_up {
            self.funds = paper.model.accounts.iter().map(Account::funds).collect();
            return Ok(());
        }
        let events = draft.into_events();
        self.apply(events)
    }

    fn expire_due(&mut self, now: i64, expired: &[u16]) -> Result<(), String> {
        let due = self.ledger.due(Time::from_millis(now)).map(|hold| hold.id).collect::<Vec<_>>();
        let mut draft = Draft::new(&self.ledger);
        for &id in &due {
            draft.expire(id).map_err(|refusal| format!("a due hold does not expire: {refusal}"))?;
        }
        let events = draft.into_events();
        self.apply(events)?;
        let mut numbers = due.into_iter().map(number_of).collect::<Vec<_>>();
        numbers.sort_unstable();
        if numbers == expired { Ok(()) } else { Err(format!("the holds {expired:?} are due at {now}, the ledger says {numbers:?}")) }
    }

    fn apply(&mut self, events: Vec<Event>) -> Result<(), String> {
        for event in events {
            self.ledger.apply(self.sequence, &event);
            self.audit.follow(self.sequence, &event)?;
            self.events.push((self.sequence, event));
        }
        Ok(())
    }

    /// What can be compared after every step.
    pub fn compare(&self, paper: &Paper) -> Result<(), String> {
        let (ledger, model) = (&self.ledger, &paper.model);
        if ledger.accounts_len() != model.accounts.len() || ledger.holds_len() != model.holds.len() as u64 {
            return Err("the number of accounts or holds differs".to_owned());
        }
        (0..model.accounts.len()).try_for_each(|no| self.compare_account(model, no))?;
        self.compare_deadlines(model, paper.now)
    }

    fn compare_account(&self, model: &Model, no: usize) -> Result<(), String> {
        let (account, paper) = (self.ledger.account(account_no(no)).ok_or("an account is missing")?, &model.accounts[no]);
        let (balance, held) = (i128::from(account.balance().units()), i128::from(account.held().units()));
        if (balance, held) != (paper.balance, paper.held) || account.holds_len() as usize != paper.holds.len() {
            return Err(format!("account {no}: the ledger has {account:?}, the model {paper:?}"));
        }
        let available = paper.funds().available();
        if available != account.available().units() {
            return Err(format!("account {no} has {available} available, the ledger says {:?}", account.available()));
        }
        if !paper.overdraft && paper.balance < paper.held || paper.balance > paper.ceiling {
            return Err(format!("account {no} is beyond its limits: {paper:?}"));
        }
        Ok(())
    }

    fn compare_deadlines(&self, model: &Model, now: i64) -> Result<(), String> {
        let next = model.holds.values().map(|hold| hold.deadline).min().map(Time::from_millis);
        if self.ledger.next_deadline() != next {
            return Err(format!("the next deadline is {next:?}, the ledger says {:?}", self.ledger.next_deadline()));
        }
        let due = self.ledger.due(Time::from_millis(now)).map(|hold| hold.deadline).collect::<Vec<_>>();
        let expected = model.holds.values().filter(|hold| hold.deadline <= now).count();
        if due.len() == expected && due.is_sorted() { Ok(()) } else { Err(format!("{expected} holds are due, the ledger says {due:?}")) }
    }

    /// Everything: orders, indexes, the events' sums, the books thawed from their frozen form, and an earlier freeze that must not
    /// have moved. The game goes on with the thawed books.
    pub fn look(&mut self, model: &Model) -> Result<(), String> {
        compare_holds(&self.ledger, model)?;
        self.audit.compare(&self.ledger)?;
        self.ledger.verify().map_err(|fault| fault.to_string())?;
        if let Some((books, looked)) = self.frozen.take()
            && format!("{books:?}") != looked
        {
            return Err("frozen books changed afterwards".to_owned());
        }
        let books = self.ledger.books();
        let thawed = Ledger::from_books(books.clone());
        compare_holds(&thawed, model)?;
        let due = |ledger: &Ledger| ledger.due(Time::from_millis(i64::MAX)).map(|hold| hold.id).collect::<Vec<_>>();
        if due(&thawed) != due(&self.ledger) {
            return Err("thawed books expire in another order".to_owned());
        }
        let looks = format!("{books:?}");
        if format!("{:?}", thawed.books()) != looks {
            return Err("thawed books differ".to_owned());
        }
        self.frozen = Some((books, looks));
        self.ledger = thawed;
        Ok(())
    }

    /// The end of a game: a last look, and the events replayed into a fresh ledger give the same books.
    pub fn finish(mut self, model: &Model) -> Result<(), String> {
        self.look(model)?;
        let mut fresh = Ledger::default();
        self.events.iter().for_each(|(sequence, event)| fresh.apply(*sequence, event));
        compare_holds(&fresh, model)?;
        if format!("{:?}", fresh.books()) == format!("{:?}", self.ledger.books()) {
            Ok(())
        } else {
            Err("replay gives other books".to_owned())
        }
    }
}

/// Every hold is found, where it belongs and in its place among its account's; every account is found under its owner.
fn compare_holds(ledger: &Ledger, model: &Model) -> Result<(), String> {
    for (no, paper) in model.accounts.iter().enumerate() {
        // One more than there should be: a chain that bites its tail would never end.
        let chain = ledger.holds_of(account_no(no)).take(paper.holds.len() + 1);
        let holds = chain.map(|hold| number_of(hold.id)).collect::<Vec<_>>();
        if holds != paper.holds {
            return Err(format!("account {no} has the holds {:?}, the ledger says {holds:?}", paper.holds));
        }
    }
    for (&id, hold) in &model.holds {
        let found = ledger.hold(id_of(id)).ok_or(format!("hold {id} is not found"))?;
        let seen = (found.account, i128::from(found.amount.units()), found.deadline.millis());
        if seen != (account_no(hold.account), hold.amount, hold.deadline) {
            return Err(format!("hold {id} is {hold:?}, the ledger says {found:?}"));
        }
    }
    for (&(owner, asset, purpose), &no) in &model.keys {
        let found = ledger.find(owner_of(owner).as_str(), ASSETS[usize::from(asset)], PURPOSES[usize::from(purpose)]);
        if found != Some(account_no(no)) || ledger.owner_name(account_no(no)) != owner_of(owner).as_str() {
            return Err(format!("account {no} of owner {owner} is found as {found:?}"));
        }
    }
    Ok(())
}

/// The ledger must refuse when the model has something against it, and for one of the model's reasons.
fn agree(written: &Written, outcome: &Result<Option<Settlement>, Refusal>) -> Result<(), String> {
    let Written { call, against, paid, .. } = written;
    match outcome {
        Ok(settled) if against.is_empty() && settled == paid => Ok(()),
        Ok(settled) if against.is_empty() => Err(format!("the ledger pays {call:?} out as {settled:?}, the model as {paid:?}")),
        Ok(_) => Err(format!("the ledger allows {call:?}, the model has {against:?} against it")),
        Err(refusal) if against.contains(&Why::from(refusal)) => Ok(()),
        Err(refusal) => Err(format!("the ledger refuses {call:?}: {refusal}; the model has {against:?} against it")),
    }
}

/// Notes what the accounts have that a call has changed; one it has opened is the next one.
fn note(funds: &mut Vec<Funds>, changed: &[(usize, Funds)]) {
    for &(no, now) in changed {
        funds.resize(funds.len().max(no + 1), Funds::default());
        funds[no] = now;
    }
}

/// What a draft says an account will have.
fn compare_draft(draft: &Draft<'_>, no: usize, funds: Funds) -> Result<(), String> {
    let (balance, available) = (draft.balance(account_no(no)).units(), draft.available(account_no(no)).units());
    if (i128::from(balance), available) == (funds.balance, funds.available()) {
        return Ok(());
    }
    Err(format!("the draft gives account {no} the balance {balance}, {available} of it available; the model {funds:?}"))
}

/// Ledger and model side by side, for games in that world.
pub struct SideBySide<W>(PhantomData<W>);

impl<W: World> StateMachineTest for SideBySide<W> {
    type SystemUnderTest = Game;
    type Reference = OnPaper<W>;

    fn init_test(paper: &Paper) -> Game {
        agreed(Game::new(paper))
    }

    fn apply(mut game: Game, paper: &Paper, _: Step) -> Game {
        agreed(game.play(paper));
        game
    }

    fn check_invariants(game: &Game, paper: &Paper) {
        agreed(game.compare(paper));
    }

    fn teardown(game: Game, paper: Paper) {
        agreed(game.finish(&paper.model));
    }
}

/// The library takes a panic for a failure.
fn agreed<T>(outcome: Result<T, String>) -> T {
    outcome.unwrap_or_else(|why| panic!("{why}"))
}
