//! The decarbonization potential of waiting (Sukprasert and others, EuroSys 2024): 47 zones, every hour of 2022, and the best a job arriving then can do.

use lab3_solve::{Sums, sliding_minima, smallest_sums};

use crate::data::{number, rows, same, text};

const TEST: &str = "zones";

/// A zone's hours of 2022, g a kWh.
fn zone(table: &(Vec<&str>, Vec<Vec<&str>>), name: &str) -> Vec<f64> {
    let column = table.0.iter().position(|one| *one == name).unwrap();
    table.1.iter().map(|row| number(row[column])).collect()
}

#[test]
fn every_hour_has_the_published_best() {
    let Some(all) = text(TEST, "zones-2022/carbon_intensity.csv.gz") else { return };
    let table = rows(&all);
    assert_eq!((table.0.len(), table.1.len()), (48, 8760));
    for name in ["DE", "AU-SA"] {
        let (hours, job) = (zone(&table, name), 24);
        for slack in [24, 168] {
            let Some(expected) = text(TEST, &format!("zones-2022/expected/{name}_job{job}_slack{slack}.csv.gz")) else { return };
            let (_, expected) = rows(&expected);
            let at_once = Sums::of(&hours).runs(job);
            // A run begins at least `job` hours before its window ends.
            let starts = sliding_minima(&at_once, slack + 1);
            let interrupted = smallest_sums(&hours, job + slack, job);
            assert_eq!(expected.len(), 8736);
            for (hour, row) in expected.iter().enumerate() {
                let what = |column: &str| format!("{name}, slack {slack}, hour {hour}, {column}");
                same(&what("at once"), at_once[hour], number(row[0]), 0.01);
                same(&what("in one run"), at_once[starts[hour]], number(row[1]), 0.01);
                same(&what("interrupted"), interrupted[hour], number(row[2]), 0.01);
            }
        }
    }
}
