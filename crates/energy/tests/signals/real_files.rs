//! Files people have published, where they are at hand: `LAB3_DATA_DIR`, or `../shared/data` beside the project.

use std::path::PathBuf;

use lab3_energy::Mark;
use lab3_energy::signals::{Hints, Kind, Signal, read};

use crate::{has, sentences};

/// A file's bytes; none, and a word about it, where it is not at hand.
fn file(name: &str) -> Option<Vec<u8>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = std::env::var_os("LAB3_DATA_DIR").map_or_else(beside, PathBuf::from).join("energy").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("skipped: {} is not at hand; LAB3_DATA_DIR names the folder that holds energy/", path.display());
    }
    bytes
}

fn average(name: &str) -> Option<Signal> {
    let hints = Hints { kind: Some(Kind::CarbonAverage), ..Hints::default() };
    let mut imported = read(&file(name)?, None, &hints).unwrap();
    assert_eq!(imported.signals.len(), 1);
    Some(imported.signals.remove(0))
}

/// The mean of the half-hours of 2020 that begin on the half-hour, of values on the grid.
fn mean_2020(signal: &Signal) -> (usize, f64) {
    let begin = lab3_units::Time::parse("2020-01-01T00:00:00Z").unwrap();
    let mut values = Vec::new();
    for piece in &signal.series {
        for (step, value) in piece.values.iter().enumerate() {
            let at = piece.begin_of(step);
            if at >= begin && at.millis() % 1_800_000 == 0 && piece.marks[step] != Mark::Filled {
                values.push(*value);
            }
        }
    }
    let count = u32::try_from(values.len()).unwrap();
    (values.len(), values.iter().sum::<f64>() / f64::from(count))
}

#[test]
fn the_germany_of_lets_wait_awhile() {
    let Some(signal) = average("lets-wait-awhile/ger_ci.csv") else { return };
    eprintln!("{}", sentences(&signal).join("\n"));
    assert_eq!(signal.series[0].step_s, 900);
    let (count, mean) = mean_2020(&signal);
    assert_eq!(count, 17_999);
    assert!((mean - 313.39).abs() < 0.01, "{mean}");
}

#[test]
fn the_great_britain_of_lets_wait_awhile() {
    let Some(signal) = average("lets-wait-awhile/gb_ci.csv") else { return };
    eprintln!("{}", sentences(&signal).join("\n"));
    assert_eq!(signal.series[0].step_s, 1800);
    let (count, mean) = mean_2020(&signal);
    assert_eq!(count, 18_000);
    assert!((mean - 212.94).abs() < 0.01, "{mean}");
}

#[test]
fn the_home_of_emhass() {
    let Some(bytes) = file("emhass/opt_res_perfect_optim_cost.csv") else { return };
    let imported = read(&bytes, None, &Hints::default()).unwrap();
    let kinds: Vec<Kind> = imported.signals.iter().map(|signal| signal.kind).collect();
    assert_eq!(kinds, [Kind::PriceImport, Kind::PriceExport, Kind::Pv, Kind::Load]);
    assert!(imported.signals.iter().all(|signal| signal.series.len() == 1 && signal.series[0].step_s == 1800));
    assert!(has(&imported.signals[0], "columns, the first \"P_deferrable0\", is left out"));
    // Its powers are in W, which its columns do not say, and of a home so small that kW would be believed: a hint is what helps.
    let watts = read(&bytes, None, &Hints { unit: Some("W".to_owned()), ..Hints::default() }).unwrap();
    assert!((watts.signals[3].series[0].values[0] - 0.259_360_939).abs() < 1e-9);
}
