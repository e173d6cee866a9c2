//! Tables: whose columns tell what they are, and whose do not.

use lab3_energy::signals::{ColumnHint, Format, Hints, Kind};

use crate::{AVERAGE, MARKS, has, import, import_with, near, one, one_with, refused, refused_with, table, whole};

#[test]
fn electricity_maps_files_have_both_intensities() {
    let text = "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO\u{2082}eq/kWh (direct),Carbon intensity gCO\u{2082}eq/kWh (Life cycle),Carbon-free energy percentage (CFE%),\
        Renewable energy percentage (RE%),Data source,Data estimated,Data estimation method\n\
        2024-01-01 00:00:00,Germany,Germany,DE,200.5,250.25,60,55,entsoe.eu,false,\n2024-01-01 01:00:00,Germany,Germany,DE,210,260,60,55,entsoe.eu,true,TIME_SLICER_AVERAGE\n";
    let imported = import(text);
    assert_eq!(imported.format, Format::ElectricityMaps);
    let told: Vec<_> = imported.signals.iter().map(|signal| (signal.zone.as_deref(), signal.kind, signal.detail.as_deref())).collect();
    assert_eq!(told, [(Some("DE"), AVERAGE, Some("direct")), (Some("DE"), AVERAGE, Some("life cycle"))]);
    near(whole(&imported.signals[1]), &[250.25, 260.0]);
    assert_eq!(whole(&imported.signals[1]).marks, [MARKS[0], MARKS[2]]);
    assert_eq!(imported.signals[0].findings.len(), 1, "{:?}", imported.signals[0].findings);
    assert!(!imported.is_doubtful());
}

#[test]
fn columns_tell_kinds_and_units_by_their_names() {
    let text = "timestamp;PV [W];Load (kW);price_eur_per_mwh;feed-in price ct/kWh;temperature\n\
        01.06.2025 12:00;1500,5;2,25;80;8,2;25\n01.06.2025 12:15;1600;2,5;90;8,2;26\n";
    let signals = import(text).signals;
    let values: Vec<_> = signals.iter().map(|signal| (signal.kind, whole(signal).values[0])).collect();
    assert_eq!(values, [(Kind::PriceImport, 0.08), (Kind::PriceExport, 8.2 * 0.01), (Kind::Pv, 1.5005), (Kind::Load, 2.25)]);
    assert!(has(&signals[0], "prices are in EUR, one is taken as 1 MIC: state mic_per_currency"));
    assert!(has(&signals[0], "column \"temperature\" is left out"));
}

#[test]
fn energies_of_steps_become_powers() {
    let rows = [("2025-01-01T00:00Z", "0.5"), ("2025-01-01T00:15Z", "0.25")];
    let signal = one(&table("time,consumption [kWh]", &rows));
    near(whole(&signal), &[2.0, 1.0]);
    assert!(has(&signal, "values are in kWh: times 4 they are in kW"));
}

#[test]
fn a_hint_says_what_a_file_does_not() {
    let rows = [("2025-01-01T00:00Z", "0.4"), ("2025-01-01T01:00Z", "0.5")];
    let text = table("time,x", &rows);
    assert!(refused(&text).contains("none of the columns (time, x) tells what it is"));
    let hints = Hints {
        kind: Some(AVERAGE),
        unit: Some("kg/kWh".to_owned()),
        zone: Some("home".to_owned()),
        source: Some("me".to_owned()),
        ..Hints::default()
    };
    let signal = one_with(&text, &hints);
    near(whole(&signal), &[400.0, 500.0]);
    assert_eq!((signal.zone.as_deref(), signal.source.as_str()), (Some("home"), "me"));
    let column = |name: &str| ColumnHint { name: name.to_owned(), kind: Kind::Wind, unit: Some("MW".to_owned()) };
    let named = one_with(&text, &Hints { columns: vec![column("x")], ..Hints::default() });
    assert_eq!((named.kind, whole(&named).values[0]), (Kind::Wind, 400.0));
    assert!(refused_with(&text, &Hints { columns: vec![column("y")], ..Hints::default() }).contains("no column is named \"y\""));
}

#[test]
fn money_has_a_rate() {
    let rows = [("2025-01-01T00:00Z", "100"), ("2025-01-01T01:00Z", "50")];
    let text = table("time,spot price [EUR/MWh]", &rows);
    let signal = one_with(&text, &Hints { mic_per_currency: Some(2.0), ..Hints::default() });
    near(whole(&signal), &[0.2, 0.1]);
    assert!(has(&signal, "prices are in EUR, one is taken as 2 MIC: as stated"));
}

#[test]
fn tables_have_quotes_blank_lines_and_marks_of_order() {
    let text = "\u{feff}# a comment\n\r\nstart,zone,\"load, all\"\r\n2025-01-01T00:00Z,\"A \"\"b\"\", c\",1\r\n\r\n2025-01-01T01:00Z,\"A \"\"b\"\", c\",2\r\n";
    let signal = one(text);
    assert_eq!(signal.zone.as_deref(), Some("A \"b\", c"));
    near(whole(&signal), &[1.0, 2.0]);
}

#[test]
fn zones_are_apart() {
    let text = "time,zone,load\n2025-01-01T00:00Z,B,1\n2025-01-01T00:00Z,A,2\n2025-01-01T01:00Z,B,3\n2025-01-01T01:00Z,A,4\n";
    let signals = import(text).signals;
    assert_eq!(signals.len(), 2);
    near(whole(&signals[0]), &[2.0, 4.0]);
    let error = lab3_energy::signals::read(text.as_bytes(), None, &Hints { zone: Some("C".to_owned()), ..Hints::default() }).unwrap_err();
    assert!(error.to_string().starts_with("zone: the file has several zones"));
    let _ = import_with(text, &Hints { kind: Some(Kind::Load), ..Hints::default() });
}
