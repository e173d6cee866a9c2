//! Microgrids whose grid is weak: with the reserve on, critical tiers are never unserved, by a controller that is not told of outages and knows the
//! future from its own forecasts only.
//!
//! The data has one load. It is split by a rule of ours: clinic, water and food take a twentieth of it each, communication another, homes half and computing the rest;
//! the first three are critical. The reserve is for the longest outage of the hours before those that are scored, and for four hours at least. As the data is, the generator can carry
//! everything; so it is tried without it too (no fuel), which is where the reserve counts.

use lab3_energy::controller::{Controller, Watch, Worse};
use lab3_energy::site::{LoadSite, Outlook, Reserve, Site, Tier};
use lab3_solve::Limits;

use crate::microgrid::{Microgrid, SCORED, cost_of};

/// Each tier's part of the load.
const PARTS: [(Tier, f64); 6] =
    [(Tier::Clinic, 0.05), (Tier::Water, 0.05), (Tier::Food, 0.05), (Tier::Communication, 0.05), (Tier::Homes, 0.5), (Tier::Compute, 0.3)];

/// The last critical tier.
const CRITICAL: Tier = Tier::Food;

/// Of a hundred hours, so many may be worse than the pessimistic forecast.
const BEYOND: f64 = 0.02;

const HORIZON: usize = 24;

/// What came of the scored hours.
struct Outcome {
    /// kWh of each tier.
    unserved: Vec<f64>,
    /// Money, without what going without costs.
    cost: f64,
}

/// Sun and load as they are foreseen in each scored hour.
fn foreseen(microgrid: &Microgrid) -> Vec<[Outlook; 2]> {
    let (mut sun, mut load) = (Watch::new(3600, Worse::Less, BEYOND), Watch::new(3600, Worse::More, BEYOND));
    let in_hour = |hour: usize| {
        let count = HORIZON.min(SCORED.end - hour);
        [sun.ahead(&microgrid.sun[..=hour], count), load.ahead(&microgrid.load[..=hour], count)]
    };
    SCORED.map(in_hour).collect()
}

fn run(microgrid: &Microgrid, foreseen: &[[Outlook; 2]], site: &Site) -> Outcome {
    let mut stored = microgrid.initial();
    let mut controller = Controller::default();
    let mut outcome = Outcome { unserved: vec![0.0; PARTS.len()], cost: 0.0 };
    for (hour, [sun, whole]) in SCORED.zip(foreseen) {
        let mut ahead = microgrid.known(hour..hour + whole.expected.len(), stored);
        ahead.up.clear();
        ahead.outages = microgrid.outages(hour);
        ahead.sources = vec![sun.clone()];
        let part = |part: f64| {
            let of = |row: &[f64]| row.iter().map(|value| part * value).collect();
            Outlook { expected: of(&whole.expected), pessimistic: of(&whole.pessimistic) }
        };
        ahead.loads = PARTS.iter().map(|(_, share)| part(*share)).collect();
        let decision = controller.plan(site, ahead, Limits { seconds: 5.0, gap: 1e-9 }).unwrap();
        outcome.cost += cost_of(&decision);
        outcome.unserved.iter_mut().zip(&decision.now.unserved).for_each(|(sum, unserved)| *sum += unserved);
        stored = decision.planned.plan.batteries[0].stored[0];
    }
    outcome
}

/// How long an outage the reserve is for: the longest before the scored hours, and four hours at least.
fn outage_hours(microgrid: &Microgrid) -> f64 {
    let [.., status] = microgrid.grid.as_ref().unwrap();
    let (mut longest, mut lasts) = (4.0_f64, 0.0);
    for up in &status[..SCORED.start] {
        lasts = if *up > 0.0 { 0.0 } else { lasts + 1.0 };
        longest = longest.max(lasts);
    }
    longest
}

#[test]
fn critical_tiers_are_never_unserved_on_a_weak_grid() {
    for number in [1, 8] {
        let Some(microgrid) = Microgrid::read(number) else { return };
        let loads = PARTS.iter().map(|(tier, _)| LoadSite { name: format!("{tier:?}").into(), tier: *tier, worth_per_kwh: None }).collect();
        let reserve = Reserve { outage_hours: outage_hours(&microgrid), up_to: CRITICAL, with_generators: false };
        let whole = Site { loads, ..microgrid.hive() };
        let foreseen = foreseen(&microgrid);
        for has_fuel in [true, false] {
            let mut site = whole.clone();
            if !has_fuel {
                site.generators.clear();
            }
            let began = std::time::Instant::now();
            let without = run(&microgrid, &foreseen, &site);
            let with = run(&microgrid, &foreseen, &Site { reserve: Some(reserve), ..site });
            eprintln!(
                "microgrid {number}, generator {has_fuel}, reserve for {} h: costs {:.0} without, {:.0} with it ({:+.3} %), {:.1?}",
                reserve.outage_hours,
                without.cost,
                with.cost,
                100.0 * (with.cost / without.cost - 1.0),
                began.elapsed()
            );
            let tiers: Vec<_> =
                PARTS.iter().zip(without.unserved.iter().zip(&with.unserved)).map(|((tier, _), kwh)| (*tier, kwh)).collect();
            for (tier, (without, with)) in &tiers {
                eprintln!("  {tier:?}: {without:.3} kWh unserved without the reserve, {with:.3} with it");
            }
            for (tier, (_, with)) in tiers.iter().filter(|(tier, _)| *tier <= CRITICAL) {
                assert!(**with < 1e-3, "microgrid {number}, generator {has_fuel}: {tier:?} went without {with} kWh");
            }
            let critical: f64 =
                PARTS.iter().zip(&without.unserved).filter(|((tier, _), _)| *tier <= CRITICAL).map(|(_, unserved)| unserved).sum();
            assert!(has_fuel || critical > 1.0, "without fuel and reserve somebody goes without: otherwise this shows nothing");
        }
    }
}
