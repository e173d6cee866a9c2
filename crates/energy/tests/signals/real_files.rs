//! Files people have published, where they are at hand: `LAB3_DATA_DIR`, or `../shared/data` beside the project.

use lab3_energy::Mark;
use lab3_energy::signals::{Finding, Hints, Kind, Signal, read};
use lab3_units::Time;

use crate::{has, sentences};

/// A file's bytes; none, and a word about it, where it is not at hand.
fn file(name: &str) -> Option<Vec<u8>> {
    lab3_tests::data::at_hand("signals::real_files", &format!("energy/{name}")).map(|path| std::fs::read(path).unwrap())
}

fn average(name: &str) -> Option<Signal> {
    let hints = Hints { kind: Some(Kind::CarbonAverage), ..Hints::default() };
    let mut imported = read(&file(name)?, None, &hints).unwrap();
    assert_eq!(imported.signals.len(), 1);
    Some(imported.signals.remove(0))
}

/// How many values of 2020 begin on the half-hour, and their mean.
fn mean_2020(signal: &Signal) -> (usize, f64) {
    let year = ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"].map(|text| Time::parse(text).unwrap());
    let mut values = Vec::new();
    for piece in &signal.series {
        for (step, value) in piece.values.iter().enumerate() {
            let at = piece.begin_of(step);
            if (year[0]..year[1]).contains(&at) && at.millis() % 1_800_000 == 0 && piece.marks[step] != Mark::Filled {
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
    let gaps = ["2020-12-19T23:15:00Z to 2020-12-19T23:30:00Z", "2020-12-19T23:45:00Z to 2020-12-20T00:00:00Z"];
    assert!(gaps.iter().all(|gap| has(&signal, &format!("from {gap} 1 step has no value"))));
    assert_eq!((signal.series.len(), signal.series[0].step_s, signal.findings.len()), (1, 900, 3), "{:?}", sentences(&signal));
    let (count, mean) = mean_2020(&signal);
    assert_eq!(count, 17_568);
    assert!((mean - 313.39).abs() < 0.01, "{mean}");
}

#[test]
fn the_great_britain_of_lets_wait_awhile() {
    let Some(signal) = average("lets-wait-awhile/gb_ci.csv") else { return };
    // Within a year the grid's data went from half-hours to quarters.
    let at = Time::parse("2020-10-31T00:00:00Z").unwrap();
    assert!(signal.findings.contains(&Finding::StepChange { at, from_s: 1800, to_s: 900 }), "{:?}", sentences(&signal));
    let steps: Vec<u32> = signal.series.iter().map(|piece| piece.step_s).collect();
    // And then three quarters are missing.
    assert_eq!((steps, signal.findings.len()), (vec![1800, 900], 5), "{:?}", sentences(&signal));
    let (count, mean) = mean_2020(&signal);
    assert_eq!(count, 17_568);
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
