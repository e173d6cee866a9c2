//! Eight days of a house with two loads whose time is free (EMHASS), by its three measures.

use lab3_energy::dispatch::{Dispatch, Flexible, Grid, Load, Metering, Plan, Source, Wish};
use lab3_solve::Limits;

use crate::data::{number, rows, same, text};

/// Half-hours of a day.
const DAY: usize = 48;

/// A day's site. W for half an hour are kWh by this.
fn site(head: &[&str], rows: &[Vec<&str>], metering: Metering, self_consumption: bool) -> Dispatch {
    let column = |name: &str| head.iter().position(|one| *one == name).unwrap();
    let row = |name: &str, factor: f64| rows.iter().map(|row| number(row[column(name)]) * factor).collect::<Vec<f64>>();
    let flexible = |name: &str, power: f64, steps: usize| Flexible { name: name.into(), power, steps, window: 0..DAY };
    Dispatch {
        hours: vec![0.5; DAY],
        sources: vec![Source { name: "sun".into(), available: row("P_PV", 0.0005), ..Source::default() }],
        grid: Some(Grid {
            import_price: row("unit_load_cost", 1.0),
            export_price: row("unit_prod_price", 1.0),
            up: vec![1.0; DAY],
            metering,
            ..Grid::default()
        }),
        loads: vec![Load { name: "house".into(), energy: row("P_Load", 0.0005), worth: None }],
        flexible: vec![flexible("pump", 3.0, 10), flexible("heater", 0.75, 16)],
        wish: Wish { self_consumption, ..Wish::default() },
        ..Dispatch::default()
    }
}

#[test]
fn eight_days_cost_what_is_published() {
    let profit: fn(&Plan) -> f64 = |plan| -plan.totals.cost();
    let paid: fn(&Plan) -> f64 = |plan| -plan.totals.import_cost;
    let measures = [
        ("profit", -39.412_397, Metering::Net, false, profit),
        ("cost", -39.550_627, Metering::Gross, false, paid),
        ("self-consumption", -8.054_723, Metering::Net, true, profit),
    ];
    for (name, expected, metering, self_consumption, measure) in measures {
        let Some(text) = text("deferrable", &format!("emhass/opt_res_perfect_optim_{name}.csv")) else { return };
        let (head, rows) = rows(&text);
        let mut total = 0.0;
        for day in rows.chunks(DAY) {
            let plan = site(&head, day, metering, self_consumption).solve(Limits { seconds: 10.0, gap: 1e-9 }).unwrap();
            assert_eq!(plan.flexible.iter().map(Vec::len).collect::<Vec<_>>(), [10, 16]);
            assert!(plan.broken.is_empty(), "{:?}", plan.broken);
            total += measure(&plan);
        }
        eprintln!("{name}: {total:.6} ({expected} is published)");
        same(name, total, expected, 1e-5 * expected.abs());
    }
}
