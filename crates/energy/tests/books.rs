//! The energy desk's books: whatever happens in whatever order, what everybody drew in hours that were divided is what the meters say, to the mWh and the mg; and
//! no moment is promised more power than there is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::collections::BTreeMap;

use lab3_energy::carbon::{Estimate, Footprint, GridHour, Intensity, Interval, Tier};
use lab3_energy::{
    Book, BookedJob, CloseHour, Desk, Draw, Fact, Policy, Run, SettleJob, State, book_jobs, close_hour, draw, expire_jobs, release_job,
    settle_job,
};
use lab3_ledger::{Event, Ledger, Purpose};
use lab3_units::{Amount, Asset, Code, Did, Id, Problem, Time};
use proptest::prelude::*;

const HOUR_MS: i64 = 3_600_000;
const CAP_W: u64 = 1000;

type Decision = Result<(Fact, Vec<Event>), Problem>;

struct Hive {
    ledger: Ledger,
    state: State,
    policy: Policy,
    now: Time,
    journal: Vec<(Time, Fact, Vec<Event>)>,
    /// What hours that were divided drew and emitted, by their meters.
    meters: BTreeMap<Time, (i64, i64)>,
    /// What was drawn and emitted elsewhere.
    elsewhere: (i64, i64),
    jobs: Vec<Id>,
}

fn did(number: u8) -> Did {
    Did::parse(&format!("did:kaizen:c{number}")).unwrap()
}

fn grid(g_per_kwh: f64) -> GridHour {
    let intensity = Intensity::from_g_per_kwh(g_per_kwh).unwrap();
    GridHour { average: intensity, marginal: intensity, residual: None }
}

fn apply(ledger: &mut Ledger, state: &mut State, sequence: usize, at: Time, fact: &Fact, events: &[Event]) {
    for event in events {
        ledger.apply(sequence as u64, event);
    }
    state.apply(at, fact);
}

impl Hive {
    fn new() -> Self {
        let policy = Policy { jobs_w_max: Some(CAP_W), ..Policy::default() };
        Self {
            ledger: Ledger::default(),
            state: State::default(),
            policy,
            now: Time::parse("2026-11-23T00:20:00Z").unwrap(),
            journal: Vec::new(),
            meters: BTreeMap::new(),
            elsewhere: (0, 0),
            jobs: Vec::new(),
        }
    }

    fn run(&mut self, decide: impl FnOnce(&Desk<'_>) -> Decision) -> Result<Fact, Problem> {
        let desk = Desk { ledger: &self.ledger, state: &self.state, policy: &self.policy, now: self.now };
        let (fact, events) = decide(&desk)?;
        self.journal.push((self.now, fact.clone(), events.clone()));
        apply(&mut self.ledger, &mut self.state, self.journal.len(), self.now, &fact, &events);
        Ok(fact)
    }

    fn draw(&mut self, citizen: u8, wh: f64, on_site: bool, tier: Tier, g: f64) {
        let estimate = Estimate { energy_wh: Interval::exact(wh).unwrap(), tier };
        let command = Draw {
            citizen: did(citizen),
            allocation: None,
            provider: "local_llama".into(),
            on_site,
            estimate,
            grid: grid(g),
            embodied_mg: None,
        };
        let Fact::Drawn(drawn) = self.run(|desk| draw(desk, &command)).unwrap() else { unreachable!("a draw is booked as one") };
        if !on_site {
            self.elsewhere.0 += drawn.energy_mwh[1].units();
            self.elsewhere.1 += drawn.footprint.average_mg.units();
        }
    }

    fn close(&mut self, hours_ago: i64, meter: i64, mg: i64) -> Result<Fact, Problem> {
        let hour = Time::from_millis((self.now.millis().div_euclid(HOUR_MS) - hours_ago) * HOUR_MS);
        let footprint = Footprint { average_mg: Amount::new(mg), ..Footprint::ZERO };
        let command = CloseHour { hour, meter_mwh: Amount::new(meter), compute_mwh: None, idle_mwh: Amount::new(meter / 10), footprint };
        let closed = self.run(|desk| close_hour(desk, &command))?;
        self.meters.insert(hour, (meter, mg));
        Ok(closed)
    }

    fn book(&mut self, citizen: u8, start_min: i64, minutes: i64, power_w: u64) -> Result<Fact, Problem> {
        let id = Id::from_bytes([u8::try_from(self.journal.len() % 251).unwrap() + 1; 16]);
        let start = Time::from_millis(self.now.millis() + start_min * 60_000);
        let end = Time::from_millis(start.millis() + minutes * 60_000);
        let energy_mwh = Amount::new(i64::try_from(power_w).unwrap() * minutes * 1000 / 60);
        let zero = Amount::ZERO;
        let runs = Box::new([Run { start, end, power_w }]);
        let job =
            BookedJob { id, name: "train".into(), runs, energy_mwh, carbon_mg: zero, cost: zero, carbon_saved_mg: zero, cost_saved: zero };
        let command = Book { citizen: did(citizen), jobs: vec![job], gap_ppm: Some(0) };
        let booked = self.run(|desk| book_jobs(desk, &command))?;
        self.jobs.push(id);
        Ok(booked)
    }

    fn settle(&mut self, metered: Option<i64>) -> Result<Fact, Problem> {
        let Some(&job) = self.jobs.first() else { return Err(Problem::new(Code::BOOKING_UNKNOWN, "")) };
        let command = SettleJob { job, metered_mwh: metered.map(Amount::new), intensities: [Intensity::from_g_per_kwh(300.0).unwrap(); 3] };
        let settled = self.run(|desk| settle_job(desk, &command));
        if settled.is_ok() {
            self.jobs.remove(0);
        }
        settled
    }

    fn pass(&mut self, minutes: i64) {
        self.now = Time::from_millis(self.now.millis() + minutes * 60_000);
        let due: Vec<Id> = self.ledger.due(self.now).map(|hold| hold.id).collect();
        if !due.is_empty() {
            self.run(|desk| Ok(expire_jobs(desk, &due))).unwrap();
            self.jobs.retain(|job| !due.contains(job));
        }
    }

    /// What everybody used together.
    fn used(&self, asset: Asset) -> i64 {
        let accounts = (0..u32::try_from(self.ledger.accounts_len()).unwrap()).map(lab3_ledger::AccountNo);
        let used = accounts.filter_map(|no| self.ledger.account(no)).filter(|a| a.asset() == asset && a.purpose() == Purpose::Usage);
        used.map(|account| account.balance().units()).sum()
    }

    /// What was booked in hours that are still to be divided.
    fn open(&self) -> (i64, i64) {
        let mut sums = (0, 0);
        for (at, fact, _) in &self.journal {
            let is_open = |hour: Time| self.meters.keys().next_back().is_none_or(|last| hour > *last);
            match fact {
                Fact::Drawn(drawn) if drawn.on_site => {
                    let hour = Time::from_millis(at.millis().div_euclid(HOUR_MS) * HOUR_MS);
                    if is_open(hour) || !self.meters.contains_key(&hour) {
                        sums.0 += drawn.energy_mwh[1].units();
                        sums.1 += drawn.footprint.average_mg.units();
                    }
                }
                Fact::JobSettled(settled) => {
                    for part in settled.hours.iter().filter(|part| !self.meters.contains_key(&part.hour)) {
                        sums.0 += part.energy_mwh.units();
                        sums.1 += part.carbon_mg.units();
                    }
                }
                _ => {}
            }
        }
        sums
    }

    fn check(&self) {
        assert_eq!(self.ledger.verify(), Ok(()));
        let (metered, emitted) = self.meters.values().fold((0, 0), |sum, meter| (sum.0 + meter.0, sum.1 + meter.1));
        let (open, open_mg) = self.open();
        assert_eq!(self.used(Asset::ENERGY), metered + open + self.elsewhere.0, "mWh");
        assert_eq!(self.used(Asset::CARBON), emitted + open_mg + self.elsewhere.1, "mg");
        assert!(self.state.promised().steps().all(|(_, level)| level <= CAP_W));
        let held: i64 = self.state.jobs().map(|(_, job)| job.energy_mwh.units()).sum();
        let site = self.ledger.find("hive:energy", Asset::ENERGY, Purpose::Issuance).and_then(|no| self.ledger.account(no));
        assert_eq!(site.map_or(0, |account| account.held().units()), held, "a hold for each job");
        // The journal's bytes give the same state again.
        let journal: Vec<(Time, Fact, Vec<Event>)> = postcard::from_bytes(&postcard::to_stdvec(&self.journal).unwrap()).unwrap();
        let (mut ledger, mut state) = (Ledger::default(), State::default());
        for (sequence, (at, fact, events)) in (1..).zip(&journal) {
            apply(&mut ledger, &mut state, sequence, *at, fact, events);
        }
        assert_eq!(state, self.state);
        assert_eq!(postcard::to_stdvec(&state).unwrap(), postcard::to_stdvec(&self.state).unwrap());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Draw(u8, f64, bool, Tier, f64),
    Close(i64, i64, i64),
    Book(u8, i64, i64, u64),
    Settle(Option<i64>),
    Release,
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let tier = prop_oneof![Just(Tier::Metered), Just(Tier::Measured), Just(Tier::Modelled)];
    prop_oneof![
        5 => (0_u8..4, 0.0_f64..50.0, any::<bool>(), tier, 0.0_f64..900.0).prop_map(|(c, wh, site, tier, g)| Step::Draw(c, wh, site, tier, g)),
        2 => (0_i64..4, 0_i64..90_000, 0_i64..9000).prop_map(|(ago, meter, mg)| Step::Close(ago, meter, mg)),
        2 => (0_u8..4, 0_i64..300, 1_i64..200, 1_u64..700).prop_map(|(c, start, minutes, w)| Step::Book(c, start, minutes, w)),
        2 => prop::option::of(0_i64..500_000).prop_map(Step::Settle),
        1 => Just(Step::Release),
        3 => (1_i64..150).prop_map(Step::Pass),
    ]
}

proptest! {
    #[test]
    fn the_parts_are_the_meter_and_power_is_promised_once(steps in prop::collection::vec(step(), 1..60)) {
        let mut hive = Hive::new();
        for step in steps {
            let refused = match step {
                Step::Draw(citizen, wh, on_site, tier, g) => { hive.draw(citizen, wh, on_site, tier, g); None }
                Step::Close(ago, meter, mg) => hive.close(ago, meter, mg).err(),
                Step::Book(citizen, start, minutes, power) => hive.book(citizen, start, minutes, power).err(),
                Step::Settle(metered) => hive.settle(metered).err(),
                Step::Release => hive.jobs.pop().map(|job| hive.run(|desk| release_job(desk, job)).err()).unwrap_or_default(),
                Step::Pass(minutes) => { hive.pass(minutes); None }
            };
            if let Some(problem) = refused {
                let known = [Code::HOUR_CLOSED, Code::POWER_PROMISED, Code::STANDING, Code::BOOKING_UNKNOWN];
                prop_assert!(known.contains(&problem.code()), "{problem}");
            }
            hive.check();
        }
    }
}

#[test]
fn an_hour_is_divided_over_who_drew_in_it() {
    let mut hive = Hive::new();
    hive.draw(1, 0.3, true, Tier::Measured, 400.0);
    hive.draw(2, 0.1, true, Tier::Modelled, 400.0);
    hive.draw(2, 9.0, false, Tier::Modelled, 400.0);
    hive.pass(60);
    let Fact::HourClosed(closed) = hive.close(1, 1000, 400).unwrap() else { panic!() };
    let shares: Vec<i64> = closed.shares.iter().map(|share| share.part.energy_mwh.units()).collect();
    assert_eq!((shares, closed.idle.energy_mwh.units(), closed.house.energy_mwh.units()), (vec![300, 100], 100, 500));
    let masses: i64 = closed.shares.iter().map(|share| share.part.footprint.average_mg.units()).sum();
    assert_eq!(masses + closed.idle.footprint.average_mg.units() + closed.house.footprint.average_mg.units(), 400);
    hive.check();
    for (ago, field) in [(1, "divided already"), (2, "in their order"), (0, "has not ended")] {
        let problem = hive.close(ago, 1, 1).unwrap_err();
        assert_eq!((problem.code(), problem.field.as_deref()), (Code::HOUR_CLOSED, Some("hour")));
        assert!(problem.detail.contains(field), "{problem}");
    }
}

#[test]
fn power_that_is_promised_is_promised_once() {
    let mut hive = Hive::new();
    hive.book(1, 10, 60, 700).unwrap();
    let problem = hive.book(2, 60, 60, 301).unwrap_err();
    assert_eq!((problem.code(), problem.field.as_deref()), (Code::POWER_PROMISED, Some("jobs[0]")));
    assert!(problem.detail.contains("300 W are left"), "{problem}");
    hive.book(2, 60, 60, 300).unwrap();
    hive.book(2, 130, 60, 1000).unwrap();
    hive.check();
}

#[test]
fn a_job_that_ran_in_an_hour_that_was_divided_takes_from_the_house() {
    let mut hive = Hive::new();
    hive.book(1, 10, 60, 600).unwrap();
    hive.pass(60);
    hive.close(1, 900_000, 90_000).unwrap();
    hive.pass(30);
    let Fact::JobSettled(settled) = hive.settle(Some(660_000)).unwrap() else { panic!() };
    // It began at 00:30 and ran as long in both hours.
    assert_eq!(settled.house.0.units(), 330_000);
    assert_eq!(settled.hours.iter().map(|part| part.energy_mwh.units()).collect::<Vec<_>>(), [330_000]);
    hive.check();
    let house = hive.ledger.find("hive:house", Asset::ENERGY, Purpose::Usage).and_then(|no| hive.ledger.account(no)).unwrap();
    assert_eq!(house.balance().units(), 900_000 - 90_000 - 330_000);
}
