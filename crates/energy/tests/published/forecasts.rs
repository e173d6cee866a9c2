//! Forecasts of a day on real signals: sun and load of microgrids, carbon of zones. The model that the back-test chooses, against the day before again.

use lab3_energy::{Mark, Series, forecast};
use lab3_units::Time;

use crate::data::{number, rows, text};

const TEST: &str = "forecasts";

/// The mean absolute error of expecting the day before again, once a day for 28 days: the same origins as the back-test's.
fn day_before(values: &[f64]) -> f64 {
    let origins = (values.len() - 28 * 24..values.len()).rev().step_by(24);
    let errors: Vec<f64> = origins
        .flat_map(|origin| (origin..values.len().min(origin + 24)).map(|hour| (values[hour] - values[hour - 24]).abs()).collect::<Vec<_>>())
        .collect();
    errors.iter().sum::<f64>() / f64::from(u32::try_from(errors.len()).unwrap())
}

/// At most so much of that error is left.
fn check(name: &str, values: Vec<f64>, most: f64) {
    let naive = day_before(&values);
    let past = Series::new(Time::from_millis(0), 3600, values, Mark::Measured);
    let forecast = forecast(&past, 24).unwrap();
    let left = forecast.error / naive;
    eprintln!("{name}: {:.3}, {left:.3} of the day before's {naive:.3}, by {:?}", forecast.error, forecast.model);
    assert!(left <= most, "{name}: {left} of the error is left");
}

#[test]
fn the_chosen_model_errs_less_than_the_day_before() {
    for number_ in 0..5 {
        for (name, most) in [("Load", 0.87), ("Renewable", 0.9)] {
            let Some(file) = text(TEST, &format!("pymgrid25/microgrid_{number_}/{name}Module.csv.gz")) else { return };
            let values = rows(&file).1.iter().take(6854).map(|row| number(row[1]).abs()).collect();
            check(&format!("microgrid {number_}, {name}"), values, most);
        }
    }
    let Some(file) = text(TEST, "zones-2022/carbon_intensity.csv.gz") else { return };
    let (names, table) = rows(&file);
    for name in ["AU-SA", "CA-ON", "DE", "DK-DK1", "FR", "GB", "IN-WE"] {
        let column = names.iter().position(|one| *one == name).unwrap();
        let values = table.iter().take(7000).map(|row| number(row[column])).collect();
        check(name, values, 0.83);
    }
}
