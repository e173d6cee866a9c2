//! A site found among a hundred thousand random ones: the solver said that it had no plan.

#![allow(clippy::unreadable_literal, reason = "to the last digit: a rounded site is solved")]

use lab3_energy::dispatch::{Battery, Demand, Dispatch, Flexible, Generator, Nudges, Source, Wish};
use lab3_solve::Limits;

/// HiGHS calls this program infeasible when it has simplified it, and solves it as it is.
#[test]
fn a_site_that_the_solver_calls_infeasible_has_a_plan() {
    let site = Dispatch {
        hours: vec![
            0.945114796493295,
            1.4381612211813626,
            0.337001856222619,
            0.12270477161602558,
            1.4554126619723615,
            0.9922159912979591,
            0.3352908840414272,
        ],
        sources: vec![Source {
            name: "sun".into(),
            available: vec![0.47599789621899824, 0.0, 2.482900314239398, 4.275662295278105, 0.0, 13.377864049518179, 0.0],
            cost: 0.0,
            carbon: 0.0,
            curtail_cost: vec![],
        }],
        grid: None,
        generators: vec![Generator {
            name: "generator".into(),
            power_min: 14.20983014131036,
            power_max: 16.116179595002635,
            cost: 0.8785971530299393,
            carbon: 700.0,
        }],
        batteries: vec![
            Battery {
                name: "battery".into(),
                capacity: 24.20137152509598,
                least: 11.507189942483816,
                most: 15.125628329061712,
                initial: 23.215092141312617,
                charge_min: 12.351699718338564,
                charge_max: 19.74048675150547,
                discharge_max: 5.138403391676379,
                charge_efficiency: 0.5480589339934622,
                discharge_efficiency: 0.5147532823839132,
                wear: 0.07733359599520273,
                end_value: 0.0,
                from_grid: false,
                to_grid: false,
                goals: vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 26.661320575326535],
                demand: Demand { energy: vec![8.656613563079256, 0.0, 2.1912485264500536, 0.0, 0.0, 7.109533618934123, 4.511930676440147] },
                priority: 0,
            },
            Battery {
                name: "battery".into(),
                capacity: 1.4239219418887612,
                least: 0.4658428679714991,
                most: 1.1983911652419206,
                initial: 0.018704623737929135,
                charge_min: 6.465787810187106,
                charge_max: 17.08059900348393,
                discharge_max: 12.818084268816975,
                charge_efficiency: 0.5096719656093336,
                discharge_efficiency: 0.9012705472133371,
                wear: 0.0,
                end_value: 0.3804256929413068,
                from_grid: false,
                to_grid: false,
                goals: vec![0.0, 0.0, 0.0, 56.27011821994581, 46.51972025392391, 0.0, 0.0],
                demand: Demand { energy: vec![] },
                priority: 0,
            },
        ],
        loads: vec![],
        flexible: vec![Flexible { name: "flexible".into(), power: 5.201518162489719, steps: 2, window: 1..3 }],
        wish: Wish { carbon_price: 0.0, self_consumption: false },
        nudges: Nudges { charge_before_export: false, discharge_before_import: false, level_import: true, level_export: true },
    };
    let plan = site.solve(Limits { seconds: 10.0, gap: 1e-6 }).unwrap();
    assert_eq!(plan.import.len(), site.len());
}
