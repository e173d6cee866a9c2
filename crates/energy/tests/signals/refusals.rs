//! What is refused, and in which words.

use lab3_energy::signals::{BYTES_MAX, Format, Hints, ImportError, Kind, read};

use crate::{CARBON, refused, refused_with, table};

#[test]
fn a_cell_is_named_by_its_row_and_column() {
    let rows: Vec<(String, &str)> =
        (0..15).map(|hour| (format!("2025-01-01 {hour:02}:00"), "1")).chain([("2025-01-01 15:00".to_owned(), "n/a")]).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(time, value)| (time.as_str(), *value)).collect();
    assert_eq!(
        refused(&table("time,carbon", &rows)),
        "row 17, column \"carbon\": \"n/a\" is no number: leave the cell empty where there is no value"
    );
    assert_eq!(
        refused(&table("time,carbon", &[("yesterday", "1")])),
        "row 2, column \"time\": \"yesterday\" is no time: write it like 2025-01-31T13:00Z or 2025-01-31 13:00"
    );
    for number in ["NaN", "inf", "1e999", "1,5"] {
        assert!(refused(&table("time,carbon,", &[("2025-01-01 00:00", &format!("\"{number}\","))])).contains("is no number"), "{number}");
    }
}

#[test]
fn tables_that_are_none() {
    assert!(refused("hello\nworld").starts_with("this is no csv document: no column is a time"));
    assert_eq!(refused("time,load\n2025-01-01 00:00,1,2\n"), "this is no csv document: line 2 has 3 fields, the header has 2");
    assert_eq!(refused("time,load\n\n\"2025-01-01 00:00,1\n"), "this is no csv document: line 3: a quote is not closed");
    assert_eq!(refused("time,load\n"), "the document has no values");
    assert_eq!(refused("time,load\n2025-01-01 00:00,\n"), "the document has no values: 1 of its rows are empty");
    assert_eq!(refused(""), "the document has no values");
}

#[test]
fn bytes_that_are_no_text() {
    let why = |bytes: &[u8]| read(bytes, None, &Hints::default()).unwrap_err();
    assert_eq!(why(b"time,load\n\xff").to_string(), "byte 10 is not UTF-8 text: save the file as UTF-8");
    assert_eq!(why(b"PK\x03\x04...").to_string(), "this is a zip archive: unpack it first");
    assert_eq!(why(&[0x1f, 0x8b, 8]).to_string(), "this is a gzip archive: unpack it first");
    assert!(matches!(why(&vec![b' '; BYTES_MAX + 1]), ImportError::Large { .. }));
}

#[test]
fn formats_that_are_not_the_stated_one() {
    let as_csv = read(b"{}", Some(Format::Csv), &Hints::default()).unwrap_err();
    assert_eq!(as_csv.to_string(), "this is no csv document: it is JSON");
    assert!(refused("{}").starts_with("the format is not known by its content: state one of electricity_maps, watttime"));
    assert!(refused("{\"a\":").starts_with("this is no json document: EOF"));
    assert!(refused("<html></html>").starts_with("the format is not known"));
    let points = read(
        br#"{"data":[{"point_time":"2025-03-01T00:00:00","value":1}],"meta":{"signal_type":"co2_moer","units":"lbs_co2_per_mwh"}}"#,
        None,
        &Hints::default(),
    );
    assert_eq!(points.unwrap_err().to_string(), "data[0].point_time: \"2025-03-01T00:00:00\" has no offset: write it with Z or +01:00");
}

#[test]
fn depth_is_no_trap() {
    let deep = 400_000;
    let open = format!("<GL_MarketDocument>{}", "<a>".repeat(deep));
    assert!(refused(&open).starts_with("this is no entsoe document:"));
    assert_eq!(refused(&format!("{open}{}</GL_MarketDocument>", "</a>".repeat(deep))), "the document has no values");
    assert!(refused(&"[".repeat(deep)).contains("recursion limit exceeded"));
}

#[test]
fn hints_that_do_not_fit() {
    let text = table(CARBON, &[("2025-01-01 00:00", "100"), ("2025-01-01 01:00", "100")]);
    let why = |hints: Hints| refused_with(&text, &hints);
    assert_eq!(why(Hints { kind: Some(Kind::Load), ..Hints::default() }), "kind: the file has no load: it has carbon_average");
    assert!(
        why(Hints { unit: Some("EUR/MWh".to_owned()), ..Hints::default() }).starts_with("unit: EUR/MWh is no unit of anything in the file")
    );
    assert!(why(Hints { unit: Some("bananas".to_owned()), ..Hints::default() }).starts_with("unit: \"bananas\" is no unit known here"));
    assert!(why(Hints { step_s: Some(0), ..Hints::default() }).starts_with("step_s: a step is 1 to 86400 seconds long"));
    assert!(why(Hints { mic_per_currency: Some(f64::NAN), ..Hints::default() }).starts_with("mic_per_currency"));
}

#[test]
fn every_format_has_a_name() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.name()), Some(format));
        assert_eq!(serde_json::to_value(format).unwrap(), format.name());
    }
}
