//! A site's energy in the same Hives: draws, hours, jobs and certificates, by whoever may.

use lab3_energy::carbon::certificates::{Issue, Source};
use lab3_energy::carbon::{Estimate, Footprint, GridHour, Intensity, Interval, Tier};
use lab3_energy::{Among, Book, BookedJob, Certify, CloseHour, Draw, Run, SettleJob, ShareExports};
use lab3_engine::{Actor, Command, Energy, Submission};
use lab3_units::{Amount, Duration, Id, Owner, Time};

use super::{Dice, Hive, member};

const HOUR_MS: i64 = 3_600_000;

/// The key of the site's steward.
const STEWARD: u32 = 5;

/// What the test knows of energy.
#[derive(Default)]
pub struct Site {
    jobs: Vec<(usize, Id)>,
    certificates: Vec<(usize, Id, Time)>,
}

impl Hive {
    /// One command about energy, or an hour that passes.
    pub fn energy(&mut self) {
        match self.dice.below(10) {
            0 | 1 => self.clock.advance(Duration::from_secs(1800 + u32::try_from(self.dice.below(3600)).unwrap())),
            2 | 3 => self.book(),
            4 | 5 => self.end_job(),
            6 | 7 => self.close_hour(),
            _ => self.certify(),
        }
    }

    /// What a query of an allocation drew.
    pub fn drawn(&mut self, who: usize, allocation: Id) -> Draw {
        let wh = f64::from(u32::try_from(self.dice.below(4000)).unwrap()) / 997.0;
        let on_site = self.dice.below(4) > 0;
        let tier = [Tier::Metered, Tier::Measured, Tier::Modelled][self.dice.below(3)];
        let estimate = Estimate { energy_wh: Interval::new(wh / 2.0, wh, wh * 3.0).unwrap(), tier };
        let grid = GridHour { average: intensity(380.0), marginal: intensity(600.0), residual: Some(intensity(500.0)) };
        let provider = if on_site { "local_llama" } else { "anthropic_claude" };
        let embodied_mg = on_site.then(|| Amount::new(9_000));
        Draw { citizen: member(who), allocation: Some(allocation), provider: provider.into(), on_site, estimate, grid, embodied_mg }
    }

    fn id(&mut self) -> Id {
        id(&mut self.dice)
    }

    fn book(&mut self) {
        let (who, now) = (self.dice.below(4), self.engine.now());
        let actor = self.user(who);
        let ids: Vec<Id> = (0..=self.dice.below(3)).map(|_| self.id()).collect();
        let jobs: Vec<BookedJob> = ids.iter().map(|id| self.job(*id, now)).collect();
        let command = Book { citizen: member(who), jobs, gap_ppm: Some(12) };
        if self.send_energy(actor, ids[0], Energy::Book(Box::new(command))) {
            self.site.jobs.extend(ids.into_iter().map(|id| (who, id)));
        }
    }

    fn job(&mut self, id: Id, now: Time) -> BookedJob {
        let start = Time::from_millis((now.millis() / HOUR_MS + i64::try_from(self.dice.below(3)).unwrap()) * HOUR_MS);
        let end = Time::from_millis(start.millis() + HOUR_MS / 4 * i64::try_from(1 + self.dice.below(6)).unwrap());
        let later = Time::from_millis(end.millis() + HOUR_MS / 2);
        let runs =
            Box::new([Run { start, end, power_w: 900 }, Run { start: later, end: Time::from_millis(later.millis() + 1), power_w: 1 }]);
        let (energy_mwh, zero) = (self.dice.units(3_000_000), Amount::ZERO);
        BookedJob { id, name: "train".into(), runs, energy_mwh, carbon_mg: zero, cost: zero, carbon_saved_mg: zero, cost_saved: zero }
    }

    fn end_job(&mut self) {
        if self.site.jobs.is_empty() {
            return;
        }
        let (who, job) = self.site.jobs[self.dice.below(self.site.jobs.len())];
        let actor = self.user(who);
        let metered_mwh = (self.dice.below(2) == 0).then(|| self.dice.units(3_000_000));
        let settle = SettleJob { job, metered_mwh, intensities: [intensity(300.0), intensity(700.0), intensity(0.0)] };
        let command = if self.dice.below(3) == 0 { Energy::ReleaseJob(job) } else { Energy::SettleJob(settle) };
        let id = self.id();
        if self.send_energy(actor, id, command) {
            self.site.jobs.retain(|(_, other)| *other != job);
        }
    }

    /// Divides an hour that is over: the oldest in which something was drawn, or the last.
    fn close_hour(&mut self) {
        let last = Time::from_millis((self.engine.now().millis() / HOUR_MS - 1) * HOUR_MS);
        let open = self.runtime.block_on(self.engine.read(|desk| desk.state.energy.hours_open().next())).unwrap();
        let hour = open.filter(|hour| *hour < last && self.dice.below(4) > 0).unwrap_or(last);
        let mass = |dice: &mut super::Dice| dice.units(900_000);
        let footprint = Footprint { average_mg: mass(&mut self.dice), marginal_mg: mass(&mut self.dice), market_mg: mass(&mut self.dice) };
        let meter_mwh = self.dice.units(3_000_000);
        let compute_mwh = (self.dice.below(2) == 0).then(|| Amount::new(meter_mwh.units() / 3));
        let idle_mwh = Amount::new(meter_mwh.units() / 9);
        let (actor, id) = (self.steward(), self.id());
        self.send_energy(actor, id, Energy::CloseHour(Box::new(CloseHour { hour, meter_mwh, compute_mwh, idle_mwh, footprint })));
    }

    fn certify(&mut self) {
        let (id, who, other) = (self.id(), self.dice.below(4), self.dice.below(4));
        let owner = |who| Owner::from(&member(who));
        let known = self.site.certificates.len();
        if known == 0 || self.dice.below(4) == 0 {
            let hour = Time::from_millis((self.engine.now().millis() / HOUR_MS - 1) * HOUR_MS);
            let generated_mwh = self.dice.units(900_000);
            let issue = Issue { id, generated_mwh, hour, source: Source::Solar, device: "roof".into(), owner: owner(who) };
            let steward = self.steward();
            if self.send_energy(steward, id, Energy::Certify(Box::new(Certify::Issue(issue)))) {
                self.site.certificates.push((who, id, hour));
            }
            return;
        }
        let (who, certificate, hour) = self.site.certificates.swap_remove(self.dice.below(known));
        let by = owner(who);
        let (command, becomes) = match self.dice.below(3) {
            0 => {
                let into = [self.id(), self.id()];
                (Certify::Split { id: certificate, by, first_wh: Amount::new(1), into }, into.map(|id| (who, id, hour)).to_vec())
            }
            1 => (Certify::Hand { id: certificate, by, to: owner(other) }, vec![(other, certificate, hour)]),
            _ => (Certify::Claim { id: certificate, by, hour }, Vec::new()),
        };
        let actor = self.asker(who);
        if self.send_energy(actor, id, Energy::Certify(Box::new(command))) {
            self.site.certificates.extend(becomes);
        }
    }

    /// So many hours pass in which something is generated, and what some of them earned is shared. A closed Hive pays by intents, and none shares: so it is
    /// done first. By dice of its own.
    pub fn share_exports(&mut self, hours: usize) {
        let mut dice = Dice::new(9);
        (0..3).for_each(|who| self.mint(who, 1_000_000));
        for _ in 0..hours {
            self.clock.advance(Duration::from_secs(3600));
            let end = self.engine.now().millis() / HOUR_MS - i64::try_from(dice.below(2)).unwrap();
            let hour = |back: i64| Time::from_millis((end - back) * HOUR_MS);
            let issue = Issue {
                id: id(&mut dice),
                generated_mwh: dice.units(3_000_000),
                hour: hour(1),
                source: Source::Wind,
                device: "mill".into(),
                owner: Owner::from(&member(dice.below(4))),
            };
            self.send_energy(Actor::Open, issue.id, Energy::Certify(Box::new(Certify::Issue(issue))));
            let members: Vec<usize> = (0..4).rev().filter(|_| dice.below(4) > 0).collect();
            let among = match dice.below(3) {
                0 => Among::Equal(members.into_iter().map(member).collect()),
                1 => Among::Weights(members.into_iter().map(|who| (member(who), 1 + dice.next() % 1_000)).collect()),
                _ => Among::Generation(Vec::new()),
            };
            let share = ShareExports {
                id: id(&mut dice),
                payer: member(dice.below(3)),
                device: "grid".into(),
                from: hour(1 + i64::try_from(dice.below(4)).unwrap()),
                to: hour(0),
                amount: dice.units(20_000),
                exported_mwh: (dice.below(2) == 0).then(|| dice.units(3_000_000)),
                measured: false,
                among,
            };
            self.send_energy(Actor::Open, share.id, Energy::ShareExports(Box::new(share)));
        }
    }

    fn steward(&self) -> Actor {
        if self.keys.is_empty() { Actor::Open } else { Actor::Key(STEWARD) }
    }

    fn send_energy(&mut self, actor: Actor, id: Id, command: Energy) -> bool {
        let submission = Submission::new(actor, None, id, Command::Energy(command));
        self.runtime.block_on(self.engine.submit(submission)).is_ok()
    }
}

fn id(dice: &mut Dice) -> Id {
    Id::from_bytes(((u128::from(dice.next()) << 64) | u128::from(dice.next())).to_be_bytes())
}

fn intensity(g_per_kwh: f64) -> Intensity {
    Intensity::from_g_per_kwh(g_per_kwh).unwrap()
}
