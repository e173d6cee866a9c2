//! Sites planned again and again, worked out by hand: the reserve, loss and return of the grid, what is told, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use lab3_energy::controller::{Change, Controller, Signal, Watch, Worse};
use lab3_energy::dispatch::Dispatch;
use lab3_energy::island::survival;
use lab3_energy::site::{Ahead, BatterySite, GridSite, LoadSite, Now, Outlook, Reserve, Site, SourceSite, Tier};
use lab3_energy::survive::Lasting;
use lab3_solve::Limits;
use lab3_units::Time;

const LIMITS: Limits = Limits { seconds: 5.0, gap: 1e-9 };

/// A clinic and computing, sun by day, a battery and a grid.
fn hive(reserve: Option<Reserve>) -> Site {
    let load = |name: &str, tier| LoadSite { name: name.into(), tier, worth_per_kwh: None };
    Site {
        step_minutes: 60.0,
        grid: Some(GridSite::default()),
        sources: vec![SourceSite { name: "sun".into(), ..SourceSite::default() }],
        batteries: vec![BatterySite {
            name: "cellar".into(),
            capacity_kwh: 20.0,
            charge_max_kw: 5.0,
            discharge_max_kw: 5.0,
            charge_efficiency: 1.0,
            discharge_efficiency: 1.0,
            from_grid: true,
            ..BatterySite::default()
        }],
        loads: vec![load("machines", Tier::Compute), load("clinic", Tier::Clinic)],
        reserve,
        ..Site::default()
    }
}

/// Six hours without sun: the clinic takes 1 kWh in each, computing 2. At worst the clinic takes 1.5.
fn night(hour: i64, stored: f64, is_down: bool) -> Ahead {
    Ahead {
        now: Now { at: Time::from_millis(hour * 3_600_000), stored_kwh: vec![stored], is_down, ..Now::default() },
        steps: 6,
        import_price: vec![0.3; 6],
        sources: vec![Outlook::known(vec![0.0; 6])],
        loads: vec![Outlook::known(vec![2.0; 6]), Outlook { expected: vec![1.0; 6], pessimistic: vec![1.0, 1.5, 1.5, 1.5, 1.5, 1.5] }],
        ..Ahead::default()
    }
}

const FOUR_HOURS: Reserve = Reserve { outage_hours: 4.0, up_to: Tier::Food, with_generators: false };

#[test]
fn a_reserve_is_bought_beforehand_and_carries_the_clinic() {
    let mut controller = Controller::default();
    let without = controller.plan(&hive(None), night(0, 3.0, false), LIMITS).unwrap();
    assert!(without.planned.plan.batteries[0].stored[0] < 1e-6, "what is stored is used up");
    let with = Controller::default().plan(&hive(Some(FOUR_HOURS)), night(0, 3.0, false), LIMITS).unwrap();
    let kept = with.planned.kept.clone().unwrap();
    assert!((kept.wanted_kwh[0] - 6.0).abs() < 1e-6, "four hours at 1.5: {kept:?}");
    assert!((with.planned.plan.batteries[0].stored[0] - 6.0).abs() < 1e-6, "{:?}", with.planned.plan.batteries);
    assert!(with.planned.plan.broken.is_empty());
}

#[test]
fn what_cannot_be_stored_in_time_is_not_asked_for() {
    let mut site = hive(Some(FOUR_HOURS));
    site.grid = Some(GridSite { import_max_kw: Some(4.0), ..GridSite::default() });
    let planned = site.plan(&night(0, 3.0, false), LIMITS).unwrap();
    let kept = planned.kept.unwrap();
    // 4 kW less 3 kW of loads: one more each hour.
    assert!((kept.asked_kwh[0] - 4.0).abs() < 1e-6 && (kept.asked_kwh[2] - 6.0).abs() < 1e-6, "{kept:?}");
    assert!(planned.plan.broken.is_empty(), "{:?}", planned.plan.broken);
}

#[test]
fn loss_and_return_are_planned_at_once_and_told() {
    let site = hive(Some(FOUR_HOURS));
    let mut controller = Controller::default();
    assert!(controller.is_due(Time::from_millis(0), false));
    let first = controller.plan(&site, night(0, 7.0, false), LIMITS).unwrap();
    assert_eq!((first.changes, first.was), (vec![Change::First], None));
    let half = Time::from_millis(1_800_000);
    assert!(!controller.is_due(half, false) && controller.is_due(half, true), "only the loss is a reason");
    // An hour later the grid is gone. It may stay away for four: the clinic takes 1 and then 1.5 each, and 1.5 of 7 are left for machines.
    let lost = controller.plan(&site, night(1, 7.0, true), LIMITS).unwrap();
    assert!(lost.changes.contains(&Change::GridLost) && lost.changes.contains(&Change::Outage { steps: 3 }), "{:?}", lost.changes);
    assert_eq!(lost.ahead.up, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    let machines: f64 = lost.planned.plan.unserved[0].iter().sum();
    assert!((machines - 6.5).abs() < 1e-3 && lost.planned.plan.unserved[1].iter().all(|unserved| *unserved < 1e-6), "{lost:?}");
    assert!(lost.was.is_some_and(|was| was.unserved == [0.0, 0.0]) && lost.now.import.abs() < 1e-9);
    // It stays away for longer than the reserve is for.
    for hour in 2..7 {
        let later = controller.plan(&site, night(hour, 3.0, true), LIMITS).unwrap();
        let down = usize::try_from((4 - (hour - 1)).max(1)).unwrap();
        assert_eq!(later.ahead.up.iter().filter(|up| **up == 0.0).count(), down);
        assert!(!later.changes.contains(&Change::GridLost));
    }
    let back = controller.plan(&site, night(7, 1.0, false), LIMITS).unwrap();
    assert!(back.changes.contains(&Change::GridReturned), "{:?}", back.changes);
    assert!(back.planned.plan.batteries[0].charge[0] > 4.99, "the reserve is filled as fast as it can be");
}

#[test]
fn what_a_plan_was_wrong_about_is_told() {
    let site = hive(None);
    let mut controller = Controller::default();
    controller.plan(&site, night(0, 0.0, false), LIMITS).unwrap();
    let mut ahead = night(1, 0.5, false);
    ahead.loads[1].expected[0] = 1.25;
    ahead.import_price[1..].fill(0.4);
    let changes = controller.plan(&site, ahead, LIMITS).unwrap().changes;
    let expected = [
        Change::Off { signal: Signal::Load(1), now: 0.25, later: 0.0 },
        Change::Off { signal: Signal::ImportPrice, now: 0.0, later: 0.1 },
        Change::Stored { battery: 0, by: 0.5 },
    ];
    let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(told, expected.map(|change| change.to_string()));
}

#[test]
fn survival_is_told_by_tier() {
    let ahead = Ahead { loads: vec![Outlook::known(vec![2.0; 6]), Outlook::known(vec![1.0; 6])], ..night(0, 0.0, false) };
    let found = survival(&hive(None), &ahead, &[vec![6.0, 3.0, 0.5, 0.0, 20.0, 20.0]], false);
    let open = |steps| Lasting { steps, is_open: true };
    let ends = |steps| Lasting { steps, is_open: false };
    assert_eq!((found[0].tier, &found[0].lasting), (Tier::Clinic, &vec![open(6), ends(3), ends(0), ends(0), open(2), open(1)]));
    assert_eq!((found[1].tier, &found[1].lasting), (Tier::Compute, &vec![ends(2), ends(1), ends(0), ends(0), open(2), open(1)]));
}

#[test]
fn sites_that_make_no_sense_are_refused_by_name() {
    let field = |change: fn(&mut Site)| {
        let mut site = hive(Some(FOUR_HOURS));
        change(&mut site);
        site.check().unwrap_err().field
    };
    assert_eq!(hive(Some(FOUR_HOURS)).check(), Ok(()));
    assert_eq!(field(|site| site.step_minutes = 0.0), "step_minutes");
    assert_eq!(field(|site| site.loads[1].name = "machines".into()), "loads[1].name");
    assert_eq!(field(|site| site.batteries[0].name = " ".into()), "batteries[0].name");
    assert_eq!(field(|site| site.batteries[0].least_kwh = 30.0), "batteries[0].least_kwh");
    assert_eq!(field(|site| site.reserve = Some(Reserve { outage_hours: f64::NAN, ..FOUR_HOURS })), "reserve.outage_hours");
    assert_eq!(field(|site| site.batteries.clear()), "reserve");
    let site: Result<Site, _> = serde_json::from_str(r#"{"step_minutes": 60, "loads": [{"name": "a", "tier": "clinic", "worth": 1}]}"#);
    assert!(site.unwrap_err().to_string().contains("worth"));
    let dispatch: Dispatch = hive(None).dispatch(&night(0, 1.0, true));
    assert_eq!(dispatch.grid.unwrap().up, [0.0; 6]);
}

#[test]
fn rows_that_do_not_fit_are_refused_by_name() {
    let field = |change: fn(&mut Ahead)| {
        let mut ahead = night(0, 1.0, false);
        change(&mut ahead);
        let Err(lab3_energy::dispatch::Unplanned::Invalid(invalid)) = hive(None).plan(&ahead, LIMITS) else { panic!("it was planned") };
        invalid.field
    };
    assert_eq!(field(|ahead| ahead.now.stored_kwh.clear()), "stored_kwh");
    assert_eq!(field(|ahead| ahead.now.stored_kwh[0] = f64::NAN), "batteries[0].initial_kwh");
    assert_eq!(field(|ahead| ahead.loads.truncate(1)), "loads");
    assert_eq!(field(|ahead| ahead.loads[0].pessimistic = vec![1.0]), "loads[0].pessimistic");
    assert_eq!(field(|ahead| ahead.loads[0].expected.truncate(2)), "loads[0].energy_kwh");
    assert_eq!(field(|ahead| ahead.steps = 0), "steps");
    assert_eq!(field(|ahead| ahead.outages = 2.0), "outages");
    assert_eq!(field(|ahead| ahead.up = vec![1.0]), "grid.up");
}

#[test]
fn a_watch_learns_what_is_hardly_exceeded() {
    let mut state = 7_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 40).unwrap()) / f64::from(1 << 24)
    };
    // Nothing by night, and by day between 0 and 10.
    let values: Vec<f64> = (0..24 * 80).map(|hour| if hour % 24 >= 12 { 10.0 * noise() } else { 0.0 }).collect();
    for (worse, sign) in [(Worse::Less, -1.0), (Worse::More, 1.0)] {
        let (mut watch, mut beyond, mut count) = (Watch::new(3600, worse, 0.1), 0, 0);
        for now in 24 * 60..24 * 79 {
            let outlook = watch.ahead(&values[..=now], 24);
            assert!((outlook.expected[0] - values[now]).abs() < 1e-12 && (outlook.pessimistic[0] - values[now]).abs() < 1e-12);
            for (lead, worst) in outlook.pessimistic.iter().enumerate().filter(|(lead, _)| *lead > 0 && (now + lead) % 24 >= 12) {
                beyond += usize::from(sign * (values[now + lead] - worst) > 0.0);
                count += 1;
            }
            assert!(outlook.pessimistic[1..].iter().enumerate().all(|(lead, worst)| (now + 1 + lead) % 24 >= 12 || *worst == 0.0));
        }
        assert!((2..=18).contains(&(100 * beyond / count)), "{worse:?}: {beyond} of {count} are worse");
    }
}

#[test]
fn an_outage_that_began_before_a_restart_does_not_begin_anew() {
    let check = |since: Option<i64>, up: [f64; 6]| {
        let mut ahead = night(3, 7.0, true);
        ahead.now.down_since = since.map(|hour| Time::from_millis(hour * 3_600_000));
        let decision = Controller::default().plan(&hive(Some(FOUR_HOURS)), ahead, LIMITS).unwrap();
        assert_eq!(decision.ahead.up, up, "{since:?}");
    };
    check(None, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    check(Some(1), [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    // A reading from after the plan's begin is of now.
    check(Some(9), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
}
