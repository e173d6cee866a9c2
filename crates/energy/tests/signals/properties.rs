//! Whatever comes: no bytes are too odd, what is written reads back, and the order of rows makes no difference.

use lab3_energy::signals::{Finding, Format, Hints, Kind, Signal, read, to_csv, to_json};
use lab3_energy::{Mark, Series};
use lab3_units::Time;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{CARBON, MARKS};

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![-1e6..1e6f64, proptest::num::f64::NORMAL | proptest::num::f64::ZERO]
}

fn series() -> impl Strategy<Value = Series> {
    let marks = select(MARKS.to_vec());
    let steps = vec((value(), marks), 1..50);
    (0..2_000_000_000_i64, select(vec![1_u32, 300, 900, 1800, 3600, 86_400]), steps).prop_map(|(start_s, step_s, steps)| {
        let (values, marks): (Vec<f64>, Vec<Mark>) = steps.into_iter().unzip();
        Series { marks, ..Series::new(Time::from_millis(start_s * 1000), step_s, values, Mark::Measured) }
    })
}

fn signal() -> impl Strategy<Value = Signal> {
    let text = "[a-zA-Z0-9,;\"\n#\u{e9}-]{1,12}";
    (series(), select(Kind::ALL.to_vec()), proptest::option::of(text), text).prop_map(|(series, kind, zone, source)| Signal {
        zone,
        source,
        kind,
        detail: Some("x, y".to_owned()),
        series: vec![series],
        findings: Vec::new(),
    })
}

/// What is read, but for the findings.
fn again(text: &str) -> Vec<Signal> {
    let imported = read(text.as_bytes(), None, &Hints::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    imported.signals.into_iter().map(|signal| Signal { findings: Vec::new(), ..signal }).collect()
}

fn format() -> impl Strategy<Value = Option<Format>> {
    proptest::option::of(select(Format::ALL.to_vec()))
}

/// Parts of documents, in any order: nearer to what the readers expect than bytes are.
fn scraps() -> impl Strategy<Value = String> {
    let parts = [
        "time,load\n",
        "start;zone;price [EUR/MWh]\n",
        "2025-01-01 00:00,",
        "2024-10-27 02:30,",
        "-9999-01-01,",
        "+999999-01-01T00:00Z,",
        "1",
        "\"",
        "\n",
        ",",
        ";",
        "-",
        "\u{20ac}",
        "{\"zone\":\"X\",\"history\":[",
        "{\"data\":[",
        "{\"point_time\":\"2025-01-01T00:00Z\",\"value\":",
        "]",
        "}",
        "}]}",
        "1e308",
        "null",
        "\"meta\":{\"signal_type\":\"co2_moer\",\"units\":\"lbs_co2_per_mwh\",\"data_point_period_seconds\":300}",
        "{\"kind\":\"load\",\"series\":[{\"start\":\"2025-01-01T00:00Z\",\"step_s\":",
        "4294967295",
        ",\"values\":[1,2]",
        "<GL_MarketDocument>",
        "<TimeSeries>",
        "<Period><timeInterval><start>2025-01-01T00:00Z</start><end>",
        "9999-12-31T00:00Z",
        "2025-01-01T02:00Z",
        "</end></timeInterval><resolution>",
        "PT1S",
        "PT60M",
        "</resolution>",
        "<Point><position>1</position><quantity>5</quantity></Point>",
        "</Period></TimeSeries>",
        "</GL_MarketDocument>",
    ];
    vec(select(parts.to_vec()), 0..14).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300), format in format()) {
        let _ = read(&bytes, format, &Hints::default());
    }

    #[test]
    fn any_scraps_are_read_or_refused(text in scraps(), format in format(), zone in select(vec![None, Some("Europe/Berlin"), Some("+14:00")])) {
        let hints = Hints { time_zone: zone.map(str::to_owned), step_s: Some(3600), ..Hints::default() };
        if let Ok(imported) = read(text.as_bytes(), format, &hints) {
            for piece in imported.signals.iter().flat_map(|signal| &signal.series) {
                prop_assert!(!piece.is_empty() && piece.values.len() == piece.marks.len() && piece.values.iter().all(|value| value.is_finite()));
            }
        }
    }

    #[test]
    fn a_signal_written_as_csv_reads_back_the_same(signal in signal()) {
        prop_assert_eq!(again(&to_csv(std::slice::from_ref(&signal))), [signal]);
    }

    #[test]
    fn a_signal_written_as_json_reads_back_the_same(signal in signal()) {
        prop_assert_eq!(again(&to_json(std::slice::from_ref(&signal))), [signal]);
    }

    #[test]
    fn the_order_of_rows_makes_no_difference(values in vec(0.0..900.0f64, 3..60), keys in vec(any::<u32>(), 60)) {
        let start = Time::parse("2025-01-01T00:00:00Z").unwrap();
        let series = Series::new(start, 900, values, Mark::Measured);
        let rows: Vec<String> = series.values.iter().enumerate().map(|(step, value)| format!("{},{value}\n", series.begin_of(step))).collect();
        let mut shuffled: Vec<(u32, usize)> = keys.into_iter().zip(0..rows.len()).collect();
        shuffled.sort_unstable();
        let is_disorder = shuffled.windows(2).any(|pair| pair[1].1 < pair[0].1);
        let text: String = std::iter::once(format!("{CARBON}\n")).chain(shuffled.iter().map(|(_, row)| rows[*row].clone())).collect();
        let imported = read(text.as_bytes(), None, &Hints::default()).unwrap();
        prop_assert_eq!(&imported.signals[0].series, &[series]);
        prop_assert_eq!(imported.signals[0].findings.iter().any(|finding| matches!(finding, Finding::Disorder { .. })), is_disorder);
    }

    #[test]
    fn rows_that_are_missing_are_found(missing in vec(any::<bool>(), 60), fill_steps in 0_u32..10) {
        let start = Time::parse("2025-01-01T00:00:00Z").unwrap();
        let grid = Series::new(start, 900, vec![1.0; 64], Mark::Measured);
        // The first and last two are there, so that the step and the ends are known.
        let there = |step: usize| !(2..62).contains(&step) || !missing[step - 2];
        let rows: String = (0..64).filter(|step| there(*step)).map(|step| format!("{},{step}\n", grid.begin_of(step))).collect();
        let hints = Hints { fill_s: Some(fill_steps * 900), step_s: Some(900), ..Hints::default() };
        let signal = read(format!("{CARBON}\n{rows}").as_bytes(), None, &hints).unwrap().signals.remove(0);
        let told: u64 = signal.findings.iter().map(|finding| if let Finding::Gap { steps, .. } = finding { *steps } else { 0 }).sum();
        prop_assert_eq!(told, (0..64).filter(|step| !there(*step)).count() as u64);
        for step in 0..64 {
            let at = grid.begin_of(step);
            let found = signal.series.iter().find_map(|piece| piece.step_at(at).map(|step| (piece.values[step], piece.marks[step])));
            match found {
                Some((value, mark)) => {
                    // The values are a straight line: so is what fills a gap.
                    prop_assert!((value - f64::from(u32::try_from(step).unwrap())).abs() < 1e-9);
                    prop_assert_eq!(mark == Mark::Filled, !there(step));
                }
                None => prop_assert!(!there(step)),
            }
        }
    }
}
