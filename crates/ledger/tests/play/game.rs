//! Plays steps on the ledger and on the model, and compares everything a caller can see.

use lab3_ledger::{AccountNo, Books, Draft, Event, Kind, Ledger, Limits, PlaceHold, Purpose, Refusal, Transfer};
use lab3_units::{Amount, Asset, Id, Owner, Time};

use super::audit::Audit;
use super::model::{Model, Why};
use super::step::{NOBODY, Operation, Size, Step};

/// Steps between two looks at everything, frozen and thawed.
const LOOK_EVERY: u64 = 256;

const PURPOSES: [Purpose; 3] = [Purpose::Wallet, Purpose::Quota, Purpose::Issuance];
const ASSETS: [Asset; 2] = [Asset::MIC, Asset::COMPUTE];

/// One game.
#[derive(Default)]
pub struct Game {
    pub ledger: Ledger,
    pub model: Model,
    pub events: Vec<(u64, Event)>,
    pub operations: u64,
    audit: Audit,
    sequence: u64,
    now: i64,
    /// Books frozen at an earlier look, and how they looked then.
    frozen: Option<(Books, String)>,
}

impl Game {
    /// Plays one step; says where ledger and model part.
    pub fn play(&mut self, step: &Step) -> Result<(), String> {
        self.now += i64::from(step.passes);
        self.sequence += 1;
        if step.expire_due {
            self.expire_due()?;
        }
        self.sequence += 1;
        self.draw_up(step)?;
        self.compare_all_accounts()?;
        self.compare_deadlines()?;
        if (self.sequence / 2).is_multiple_of(LOOK_EVERY) { self.look() } else { Ok(()) }
    }

    /// The draft of a step, on both; both must refuse the same.
    fn draw_up(&mut self, step: &Step) -> Result<(), String> {
        self.model.begin();
        let mut draft = Draft::new(&self.ledger);
        let mut given_up = false;
        for operation in &step.operations {
            self.operations += 1;
            let (refused, against) = attempt(&mut draft, &mut self.model, self.now, operation);
            agree(operation, refused.as_ref(), &against)?;
            compare_draft(&draft, &self.model)?;
            given_up = step.linked && refused.is_some();
            if given_up {
                break;
            }
        }
        if given_up {
            self.model.give_up();
            return Ok(());
        }
        let events = draft.into_events();
        self.apply(events)
    }

    fn expire_due(&mut self) -> Result<(), String> {
        let due = self.ledger.due(Time::from_millis(self.now)).map(|hold| hold.id).collect::<Vec<_>>();
        self.model.begin();
        let mut draft = Draft::new(&self.ledger);
        for id in due {
            draft.expire(id).map_err(|refusal| format!("a due hold does not expire: {refusal}"))?;
            let against = self.model.free(number_of(id));
            if !against.is_empty() {
                return Err(format!("the ledger says {id:?} is due, the model {against:?}"));
            }
        }
        let events = draft.into_events();
        self.apply(events)?;
        match self.model.holds.values().find(|hold| hold.deadline <= self.now) {
            Some(left) => Err(format!("{left:?} was due at {} and did not expire", self.now)),
            None => Ok(()),
        }
    }

    fn apply(&mut self, events: Vec<Event>) -> Result<(), String> {
        for event in events {
            self.ledger.apply(self.sequence, &event);
            self.audit.follow(self.sequence, &event)?;
            self.events.push((self.sequence, event));
        }
        Ok(())
    }

    fn compare_all_accounts(&self) -> Result<(), String> {
        if self.ledger.accounts_len() != self.model.accounts.len() || self.ledger.holds_len() != self.model.holds.len() as u64 {
            return Err("the number of accounts or holds differs".to_owned());
        }
        (0..self.model.accounts.len()).try_for_each(|no| self.compare_account(no))
    }

    fn compare_account(&self, no: usize) -> Result<(), String> {
        let (account, paper) = (self.ledger.account(account_no(no)).ok_or("an account is missing")?, &self.model.accounts[no]);
        let (balance, held) = (i128::from(account.balance().units()), i128::from(account.held().units()));
        if (balance, held) != (paper.balance, paper.held) || account.holds_len() as usize != paper.holds.len() {
            return Err(format!("account {no}: the ledger has {account:?}, the model {paper:?}"));
        }
        let available = i64::try_from(paper.balance - paper.held);
        if available.is_ok_and(|available| available != account.available().units()) {
            return Err(format!("account {no} has {available:?} available, the ledger says {:?}", account.available()));
        }
        if !paper.overdraft && paper.balance < paper.held || paper.balance > paper.ceiling {
            return Err(format!("account {no} is beyond its limits: {paper:?}"));
        }
        Ok(())
    }

    fn compare_deadlines(&self) -> Result<(), String> {
        let next = self.model.holds.values().map(|hold| hold.deadline).min().map(Time::from_millis);
        if self.ledger.next_deadline() != next {
            return Err(format!("the next deadline is {next:?}, the ledger says {:?}", self.ledger.next_deadline()));
        }
        let due = self.ledger.due(Time::from_millis(self.now)).map(|hold| hold.deadline).collect::<Vec<_>>();
        let expected = self.model.holds.values().filter(|hold| hold.deadline <= self.now).count();
        if due.len() == expected && due.is_sorted() { Ok(()) } else { Err(format!("{expected} holds are due, the ledger says {due:?}")) }
    }

    /// Everything: orders, indexes, the events' sums, the books thawed from their frozen form, and an earlier freeze that must not
    /// have moved. The game goes on with the thawed books.
    pub fn look(&mut self) -> Result<(), String> {
        self.compare_holds(&self.ledger)?;
        self.audit.compare(&self.ledger)?;
        self.ledger.verify().map_err(|fault| fault.to_string())?;
        if let Some((books, looked)) = self.frozen.take()
            && format!("{books:?}") != looked
        {
            return Err("frozen books changed afterwards".to_owned());
        }
        let books = self.ledger.books();
        let thawed = Ledger::from_books(books.clone());
        self.compare_holds(&thawed)?;
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

    fn compare_holds(&self, ledger: &Ledger) -> Result<(), String> {
        for (no, paper) in self.model.accounts.iter().enumerate() {
            // One more than there should be: a chain that bites its tail would never end.
            let chain = ledger.holds_of(account_no(no)).take(paper.holds.len() + 1);
            let holds = chain.map(|hold| number_of(hold.id)).collect::<Vec<_>>();
            if holds != paper.holds {
                return Err(format!("account {no} has the holds {:?}, the ledger says {holds:?}", paper.holds));
            }
        }
        for (&id, hold) in &self.model.holds {
            let found = ledger.hold(id_of(id)).ok_or(format!("hold {id} is not found"))?;
            let seen = (found.account, i128::from(found.amount.units()), found.deadline.millis());
            if seen != (account_no(hold.account), hold.amount, hold.deadline) {
                return Err(format!("hold {id} is {hold:?}, the ledger says {found:?}"));
            }
        }
        for (&(owner, asset, purpose), &no) in &self.model.keys {
            let found = ledger.find(owner_of(owner).as_str(), ASSETS[usize::from(asset)], PURPOSES[usize::from(purpose)]);
            if found != Some(account_no(no)) || ledger.owner_name(account_no(no)) != owner_of(owner).as_str() {
                return Err(format!("account {no} of owner {owner} is found as {found:?}"));
            }
        }
        Ok(())
    }

    /// The end of a game: a last look, and the events replayed into a fresh ledger give the same books.
    pub fn finish(mut self) -> Result<u64, String> {
        self.look()?;
        let mut fresh = Ledger::default();
        self.events.iter().for_each(|(sequence, event)| fresh.apply(*sequence, event));
        self.compare_holds(&fresh)?;
        if format!("{:?}", fresh.books()) == format!("{:?}", self.ledger.books()) {
            Ok(self.operations)
        } else {
            Err("replay gives other books".to_owned())
        }
    }
}

/// Tries the operation on the draft and on the model: the draft's refusal, and what the model has against it.
fn attempt(draft: &mut Draft<'_>, model: &mut Model, now: i64, operation: &Operation) -> (Option<Refusal>, Vec<Why>) {
    let sized = |size, payer: usize, payee: usize, id| sized(model, size, payer, payee, id);
    match *operation {
        Operation::Open { owner, asset, purpose, overdraft, ceiling } => {
            let limits = Limits { overdraft, ceiling: Amount::new(ceiling) };
            let opened = draft.open(&owner_of(owner), ASSETS[usize::from(asset)], PURPOSES[usize::from(purpose)], limits);
            let expected = model.open((owner, asset, purpose), overdraft, ceiling);
            assert_eq!(opened, account_no(expected), "another account was opened");
            (None, Vec::new())
        }
        Operation::Transfer { from, to, amount } => {
            let (from, to) = (place(model, from), place(model, to));
            let amount = sized(amount, from, to, None);
            let (from_no, to_no) = (account_no(from), account_no(to));
            let transfer = Transfer { from: from_no, to: to_no, amount: Amount::new(amount), kind: Kind::Transfer, memo: "" };
            (draft.transfer(&transfer).err(), model.transfer(from, to, amount.into()))
        }
        Operation::Hold { id, account, amount, lasts, open_max } => {
            let account = place(model, account);
            let amount = sized(amount, account, account, Some(id));
            let deadline = now + i64::from(lasts);
            let (no, time) = (account_no(account), Time::from_millis(deadline));
            let hold = PlaceHold { id: id_of(id), account: no, amount: Amount::new(amount), deadline: time, code: u32::from(id), open_max };
            (draft.hold(&hold).err(), model.hold(id, account, amount.into(), deadline, open_max))
        }
        Operation::Settle { id, to, amount } => {
            let to = place(model, to);
            let payer = model.holds.get(&id).map_or(to, |hold| hold.account);
            let amount = sized(amount, payer, to, Some(id));
            (draft.settle(id_of(id), account_no(to), Amount::new(amount)).err(), model.settle(id, to, amount.into()))
        }
        Operation::Release { id } => (draft.release(id_of(id)).err(), model.free(id)),
        Operation::Expire { id } => (draft.expire(id_of(id)).err(), model.free(id)),
    }
}

/// The ledger must refuse when the model has something against it, and for one of the model's reasons.
fn agree(operation: &Operation, refused: Option<&Refusal>, against: &[Why]) -> Result<(), String> {
    match refused {
        None if against.is_empty() => Ok(()),
        Some(refusal) if against.contains(&Why::from(refusal)) => Ok(()),
        None => Err(format!("the ledger allows {operation:?}, the model has {against:?} against it")),
        Some(refusal) => Err(format!("the ledger refuses {operation:?}: {refusal}; the model has {against:?} against it")),
    }
}

/// What a draft says accounts will be.
fn compare_draft(draft: &Draft<'_>, model: &Model) -> Result<(), String> {
    for (no, paper) in model.accounts.iter().enumerate() {
        if i128::from(draft.balance(account_no(no)).units()) != paper.balance {
            return Err(format!("the draft gives account {no} {:?}, the model {paper:?}", draft.balance(account_no(no))));
        }
    }
    Ok(())
}

fn sized(model: &Model, size: Size, payer: usize, payee: usize, id: Option<u16>) -> i64 {
    let available = model.accounts.get(payer).map_or(0, |account| account.balance - account.held);
    let hold = id.and_then(|id| model.holds.get(&id)).map_or(0, |hold| hold.amount);
    let room = model.accounts.get(payee).map_or(0, |account| account.ceiling - account.balance);
    let units = match size {
        Size::Units(units) => units.into(),
        Size::Available(more) => available + i128::from(more),
        Size::Hold(more) => hold + i128::from(more),
        Size::HoldAndAvailable(more) => hold + available + i128::from(more),
        Size::Room(more) => room + i128::from(more),
    };
    i64::try_from(units.clamp(i64::MIN.into(), i64::MAX.into())).unwrap()
}

fn place(model: &Model, number: u16) -> usize {
    if number == NOBODY || model.accounts.is_empty() { 1 << 20 } else { usize::from(number) % model.accounts.len() }
}

fn account_no(no: usize) -> AccountNo {
    AccountNo(u32::try_from(no).unwrap())
}

fn owner_of(owner: u16) -> Owner {
    Owner::hive(&format!("owner/{owner}"))
}

/// Ids look random, as those of clients do.
fn id_of(id: u16) -> Id {
    let mixed = (u128::from(id) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) & !0xffff;
    Id::from_bytes((mixed | u128::from(id)).to_be_bytes())
}

fn number_of(id: Id) -> u16 {
    let [.., high, low] = id.to_bytes();
    u16::from_be_bytes([high, low])
}
