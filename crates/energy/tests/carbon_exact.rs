//! The sums that must be exact, under random input: the parts are the meter, what went into a battery is what came out and what is still in there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use lab3_energy::carbon::{
    Battery, Cover, Drawn, Estimate, Footprint, GridHour, Intensity, Interval, Load, MatchedHour, Matching, MeterReading, Tier, account,
    mix, split,
};
use lab3_units::{Amount, Ratio};
use proptest::prelude::*;

/// Whole amounts of every size.
fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![0..10_i64, 0..1_000_000_000_i64, 0..=i64::MAX].prop_map(Amount::new)
}

/// Amounts of which thousands can be summed.
fn modest() -> impl Strategy<Value = Amount> {
    prop_oneof![0..10_i64, 0..1_000_000_000_000_i64].prop_map(Amount::new)
}

fn weights() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![Just(0), 1..10_u64, 0..1_000_000_u64, any::<u64>()], 1..50)
}

fn intensity() -> impl Strategy<Value = Intensity> {
    (0.0..2000.0).prop_map(|g_per_kwh| Intensity::from_g_per_kwh(g_per_kwh).unwrap())
}

fn estimate() -> impl Strategy<Value = Estimate> {
    let energy_wh = prop_oneof![Just(0.0), 0.0..0.01, 0.0..100.0];
    let tier = prop_oneof![Just(Tier::Metered), Just(Tier::Measured), Just(Tier::Modelled)];
    (energy_wh, tier).prop_map(|(wh, tier)| Estimate { energy_wh: Interval::exact(wh).unwrap(), tier })
}

fn footprint() -> impl Strategy<Value = Footprint> {
    (modest(), modest(), modest()).prop_map(|(average_mg, marginal_mg, market_mg)| Footprint { average_mg, marginal_mg, market_mg })
}

fn total(parts: &[Amount]) -> Amount {
    parts.iter().try_fold(Amount::ZERO, |total, &part| total.checked_add(part)).unwrap()
}

/// What is done to a battery.
#[derive(Clone, Copy, Debug)]
enum Act {
    Charge(Amount, Load),
    Discharge(Amount),
    Correct(Amount),
}

fn act() -> impl Strategy<Value = Act> {
    let charge = (modest(), 0..=1_000_000_u32, 0..=1_000_000_u32, footprint()).prop_map(|(charged_mwh, kept, renewable, footprint)| {
        let share = |millionths| Battery::kept(charged_mwh, Ratio::from_millionths(millionths)).unwrap();
        Act::Charge(share(kept), Load { energy_mwh: charged_mwh, renewable_mwh: share(renewable), footprint })
    });
    prop_oneof![charge, modest().prop_map(Act::Discharge), modest().prop_map(Act::Correct)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_split_is_exact_within_a_unit_and_in_order(whole in amount(), weights in weights()) {
        let sum: u128 = weights.iter().copied().map(u128::from).sum();
        prop_assume!(sum > 0);
        let parts = split(whole, &weights).unwrap();
        prop_assert_eq!(total(&parts), whole);
        for (part, &weight) in parts.iter().zip(&weights) {
            let share = u128::try_from(whole.units()).unwrap() * u128::from(weight);
            let part = u128::try_from(part.units()).unwrap();
            prop_assert!(part == share / sum || part == share.div_ceil(sum), "not its share rounded down or up");
            prop_assert!(weight > 0 || part == 0);
        }
        for (one, first) in parts.iter().zip(&weights) {
            for (other, second) in parts.iter().zip(&weights) {
                prop_assert!(first <= second || one >= other, "a larger weight got less");
            }
        }
    }

    #[test]
    fn requests_idle_and_house_are_the_meter_and_their_carbon_its_carbon(
        meter_mwh in prop_oneof![modest(), (0..300_000_i64).prop_map(Amount::new)],
        compute_mwh in prop::option::of((0..300_000_i64).prop_map(Amount::new)),
        idle_mwh in (0..100_000_i64).prop_map(Amount::new),
        requests in prop::collection::vec(estimate(), 0..40),
        intensity in intensity(),
        other in footprint(),
    ) {
        let shares = MeterReading { meter_mwh, compute_mwh, idle_mwh, requests: &requests }.divide().unwrap();
        prop_assert_eq!(shares.requests.len(), requests.len());
        prop_assert_eq!(shares.total(), Ok(meter_mwh));
        let below = |part: &Amount| part.units() < 0;
        prop_assert!(!shares.requests.iter().chain([&shares.idle, &shares.house]).any(below));
        if let Some(compute_mwh) = compute_mwh {
            prop_assert_eq!(shares.house, meter_mwh.saturating_sub(compute_mwh.min(meter_mwh)), "compute is compute's alone");
        }
        for (booked, request) in shares.requests.iter().zip(&requests) {
            prop_assert!(booked.units() <= request.energy_mwh().unwrap().units() + 1, "booked more than was believed");
        }

        let whole = Footprint { average_mg: intensity.carbon_mg(meter_mwh).unwrap(), ..other };
        let carbon = shares.carbon(whole).unwrap();
        prop_assert_eq!(carbon.total(), Ok(whole));
        if meter_mwh.is_positive() {
            for (energy, mass) in shares.requests.iter().zip(&carbon.requests) {
                let exact = intensity.carbon_mg(*energy).unwrap().units();
                prop_assert!((mass.average_mg.units() - exact).abs() <= 2, "{:?} mWh emit {exact} mg, not {:?}", energy, mass.average_mg);
            }
        }
    }

    #[test]
    fn requests_of_one_ground_that_fit_are_booked_as_believed(requests in prop::collection::vec(estimate(), 0..40), more in 0..1000_i64) {
        let believed: Vec<i64> = requests.iter().map(|request| request.energy_mwh().unwrap().units()).collect();
        let meter_mwh = Amount::new(believed.iter().sum::<i64>() + 40 + more);
        let shares = MeterReading { meter_mwh, compute_mwh: None, idle_mwh: Amount::ZERO, requests: &requests }.divide().unwrap();
        for (booked, believed) in shares.requests.iter().zip(believed) {
            prop_assert!((booked.units() - believed).abs() <= 1, "{booked:?} {believed}");
        }
    }

    #[test]
    fn what_went_into_a_battery_came_out_or_is_still_in_there(acts in prop::collection::vec(act(), 0..60)) {
        let (mut battery, mut put, mut taken) = (Battery::default(), Load::ZERO, Load::ZERO);
        for act in acts {
            match act {
                Act::Charge(kept_mwh, load) => {
                    battery = battery.charge(kept_mwh, load).unwrap();
                    put = put.plus(load).unwrap();
                }
                Act::Discharge(out_mwh) => {
                    let before = battery;
                    let (after, drawn) = battery.discharge(out_mwh).unwrap();
                    let Drawn { traced_mwh, untraced_mwh, load } = drawn;
                    prop_assert_eq!(traced_mwh.checked_add(untraced_mwh), Some(out_mwh));
                    prop_assert_eq!(after.stored_mwh.checked_add(traced_mwh), Some(before.stored_mwh));
                    prop_assert!(load.renewable_mwh <= load.energy_mwh);
                    taken = taken.plus(load).unwrap();
                    battery = after;
                }
                Act::Correct(stored_mwh) => battery = battery.corrected(stored_mwh).unwrap(),
            }
            prop_assert!(battery.load.renewable_mwh <= battery.load.energy_mwh);
            prop_assert_eq!(taken.plus(battery.load), Ok(put), "to the milligram");
        }
        let (empty, drawn) = battery.discharge(Amount::MAX).unwrap();
        prop_assert_eq!(empty, Battery::default());
        prop_assert_eq!(taken.plus(drawn.load), Ok(put), "all of it comes out");
    }

    #[test]
    fn contracts_and_the_rest_are_the_consumption(
        consumption_mwh in modest(),
        average in intensity(), marginal in intensity(), residual in prop::option::of(intensity()),
        covers in prop::collection::vec((modest(), intensity()).prop_map(|(energy_mwh, intensity)| Cover { energy_mwh, intensity }), 0..10),
    ) {
        let hour = account(consumption_mwh, &GridHour { average, marginal, residual }, &covers).unwrap();
        prop_assert_eq!(hour.covered_mwh.checked_add(hour.rest_mwh), Some(consumption_mwh));
        let offered = total(&covers.iter().map(|cover| cover.energy_mwh).collect::<Vec<_>>());
        prop_assert_eq!(hour.covered_mwh.checked_add(hour.unused_mwh), Some(offered));
        let intensities = covers.iter().map(|cover| cover.intensity).chain([residual.unwrap_or(average)]);
        let (least, most) = (intensities.clone().min().unwrap(), intensities.max().unwrap());
        prop_assert!(hour.footprint.market_mg >= least.carbon_mg(consumption_mwh).unwrap());
        prop_assert!(hour.footprint.market_mg <= most.carbon_mg(consumption_mwh).unwrap());
    }

    #[test]
    fn an_hourly_score_is_a_share_and_contracts_earn_no_more_by_the_hour_than_by_the_year(
        hours in prop::collection::vec((modest(), modest(), 0..=1_000_000_u32), 1..30),
    ) {
        let hour = |(consumption_mwh, contracted_mwh, share)| MatchedHour { consumption_mwh, contracted_mwh, grid_share: Ratio::from_millionths(share) };
        let matching = Matching::over(&hours.into_iter().map(hour).collect::<Vec<_>>()).unwrap();
        prop_assert!(matching.matched_mwh.checked_add(matching.grid_mwh).unwrap() <= matching.consumption_mwh);
        if let (Some(hourly), Some(contract), Some(annual)) = (matching.hourly_score(), matching.contract_score(), matching.annual_score()) {
            prop_assert!((0.0..=1.0).contains(&hourly) && contract <= hourly && contract <= annual, "{matching:?}");
        }
    }

    #[test]
    fn what_a_bus_is_fed_with_is_what_its_users_get(
        feeds in prop::collection::vec((modest(), 0..=1_000_000_u32, footprint()), 0..6),
        uses in prop::collection::vec(modest(), 1..6),
    ) {
        let load = |(energy_mwh, renewable, footprint)| Load::new(energy_mwh, Ratio::from_millionths(renewable), footprint);
        let feeds: Vec<Load> = feeds.into_iter().map(load).collect();
        let fed = feeds.iter().copied().try_fold(Load::ZERO, Load::plus).unwrap();
        let Ok(got) = mix(&feeds, &uses) else {
            prop_assert!(uses.iter().all(|used| used.is_zero()), "only nobody can not be given something");
            return Ok(());
        };
        prop_assert_eq!(got.iter().copied().try_fold(Load::ZERO, Load::plus), Ok(fed));
        prop_assert!(got.iter().all(|load| load.renewable_mwh <= load.energy_mwh));
    }

    #[test]
    fn a_day_of_sun_grid_battery_and_requests_loses_no_milligram(hours in prop::collection::vec(hour(), 1..24)) {
        let (mut battery, mut emitted, mut booked) = (Battery::default(), Footprint::ZERO, Footprint::ZERO);
        for Hour { solar_mwh, grid_mwh, grid, out_mwh, charged_mwh, sold_mwh, meter_mwh, requests } in hours {
            let (after, drawn) = battery.discharge(out_mwh).unwrap();
            let bought_mwh = grid_mwh.checked_add(drawn.untraced_mwh).unwrap();
            let bought = account(bought_mwh, &grid, &[]).unwrap().footprint;
            emitted = emitted.plus(bought).unwrap();
            let sun = Load::new(solar_mwh, Ratio::ONE, Footprint::ZERO);
            let feeds = [sun, Load::new(bought_mwh, Ratio::ZERO, bought), drawn.delivered().unwrap()];

            let used = mix(&feeds, &[meter_mwh, charged_mwh, sold_mwh]).unwrap();
            let [metered, charged, sold] = used[..] else { unreachable!("as many as there are uses") };
            battery = after.charge(Battery::kept(charged.energy_mwh, Ratio::from_millionths(900_000)).unwrap(), charged).unwrap();
            let shares = MeterReading { meter_mwh, compute_mwh: None, idle_mwh: Amount::new(5_000), requests: &requests }.divide().unwrap();
            prop_assert_eq!(shares.total(), Ok(meter_mwh));
            let carbon = shares.carbon(metered.footprint).unwrap();
            prop_assert_eq!(carbon.total(), Ok(metered.footprint), "requests, idle and house are the meter");
            booked = booked.plus(carbon.total().unwrap()).unwrap().plus(sold.footprint).unwrap();
        }
        prop_assert_eq!(booked.plus(battery.load.footprint), Ok(emitted), "booked, sold, or still in the battery");
    }
}

/// An hour of a house.
#[derive(Clone, Debug)]
struct Hour {
    solar_mwh: Amount,
    grid_mwh: Amount,
    grid: GridHour,
    out_mwh: Amount,
    charged_mwh: Amount,
    sold_mwh: Amount,
    meter_mwh: Amount,
    requests: Vec<Estimate>,
}

fn hour() -> impl Strategy<Value = Hour> {
    let energy = |most: i64| prop_oneof![Just(Amount::ZERO), (0..most).prop_map(Amount::new)];
    let grid = (intensity(), intensity(), prop::option::of(intensity()));
    let grid = grid.prop_map(|(average, marginal, residual)| GridHour { average, marginal, residual });
    let metered = (1..3_000_000_i64).prop_map(Amount::new);
    let sizes = (energy(5_000_000), energy(4_000_000), energy(2_000_000), energy(2_000_000), energy(1_000_000), metered);
    (sizes, grid, prop::collection::vec(estimate(), 0..20)).prop_map(|(sizes, grid, requests)| {
        let (solar_mwh, grid_mwh, out_mwh, charged_mwh, sold_mwh, meter_mwh) = sizes;
        Hour { solar_mwh, grid_mwh, grid, out_mwh, charged_mwh, sold_mwh, meter_mwh, requests }
    })
}
