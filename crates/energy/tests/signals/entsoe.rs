//! Documents of ENTSO-E.

use lab3_energy::signals::{Format, Hints, Kind};

use crate::{MARKS, has, import, near, one, one_with, refused, sentences, whole};

const PRICES: &str = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3";
const LOADS: &str = "urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0";

fn document(root: &str, namespace: &str, head: &str, series: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{namespace}\">\n<mRID>1</mRID>{head}\n{}\n</{root}>",
        series.join("\n")
    )
}

fn period(start: &str, end: &str, resolution: &str, element: &str, points: &[(u32, &str)]) -> String {
    let points: String =
        points.iter().map(|(at, value)| format!("<Point><position>{at}</position><{element}>{value}</{element}></Point>\n")).collect();
    format!(
        "<Period><timeInterval><start>{start}</start><end>{end}</end></timeInterval><resolution>{resolution}</resolution>\n{points}</Period>"
    )
}

fn price_series(curve: &str, period: &str) -> String {
    format!(
        "<TimeSeries><mRID>1</mRID><businessType>A62</businessType><in_Domain.mRID codingScheme=\"A01\">10Y1001A1001A82H</in_Domain.mRID>\
        <out_Domain.mRID codingScheme=\"A01\">10Y1001A1001A82H</out_Domain.mRID><currency_Unit.name>EUR</currency_Unit.name>\
        <price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>{curve}</curveType>{period}</TimeSeries>"
    )
}

fn prices(curve: &str, periods: &[String]) -> String {
    let series: Vec<String> = periods.iter().map(|period| price_series(curve, period)).collect();
    document("Publication_MarketDocument", PRICES, "<type>A44</type>", &series)
}

fn plant_series(domain: &str, plant: &str, values: &[(u32, &str)]) -> String {
    let period = period("2025-06-01T00:00Z", "2025-06-01T01:00Z", "PT30M", "quantity", values);
    let plant = if plant.is_empty() { String::new() } else { format!("<MktPSRType><psrType>{plant}</psrType></MktPSRType>") };
    format!(
        "<TimeSeries><{domain}BiddingZone_Domain.mRID codingScheme=\"A01\">10YNL----------L</{domain}BiddingZone_Domain.mRID>\
        <quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>A01</curveType>{plant}{period}</TimeSeries>"
    )
}

fn loads(kind: &str, process: &str, series: &[String]) -> String {
    let head = format!("<type>{kind}</type><process.processType>{process}</process.processType>");
    document("GL_MarketDocument", LOADS, &head, series)
}

#[test]
fn prices_are_per_kwh() {
    let text = prices("A01", &[period("2025-06-01T22:00Z", "2025-06-02T00:00Z", "PT60M", "price.amount", &[(1, "85.5"), (2, "-12")])]);
    assert_eq!(import(&text).format, Format::Entsoe);
    let signal = one(&text);
    near(whole(&signal), &[0.0855, -0.012]);
    assert_eq!((signal.kind, signal.zone.as_deref(), whole(&signal).step_s), (Kind::PriceImport, Some("10Y1001A1001A82H"), 3600));
    assert!(has(&signal, "values are in EUR/MWH: times 0.001 they are in EUR/kWh"));
    let sold = one_with(&text, &Hints { kind: Some(Kind::PriceExport), zone: Some("DE-LU".to_owned()), ..Hints::default() });
    assert_eq!((sold.kind, sold.zone.as_deref()), (Kind::PriceExport, Some("DE-LU")));
}

#[test]
fn positions_that_are_left_out_are_unchanged_in_a03_and_missing_in_a01() {
    let quarters = |curve| {
        prices(curve, &[period("2025-10-01T00:00Z", "2025-10-01T02:00Z", "PT15M", "price.amount", &[(1, "50"), (3, "60"), (4, "70")])])
    };
    let held = one(&quarters("A03"));
    near(whole(&held), &[0.05, 0.05, 0.06, 0.07, 0.07, 0.07, 0.07, 0.07]);
    assert!(whole(&held).marks.iter().all(|mark| *mark == MARKS[0]));
    assert!(has(&held, "steps without a point of their own: 5"));
    let missing = one(&quarters("A01"));
    near(whole(&missing), &[0.05, 0.055, 0.06, 0.07]);
    assert_eq!(whole(&missing).marks[1], MARKS[2]);
}

#[test]
fn a_day_of_25_hours_has_25_positions() {
    let points: Vec<(u32, String)> = (1..=25).map(|at| (at, at.to_string())).collect();
    let points: Vec<(u32, &str)> = points.iter().map(|(at, value)| (*at, value.as_str())).collect();
    let long = one(&prices("A01", &[period("2024-10-26T22:00Z", "2024-10-27T23:00Z", "PT60M", "price.amount", &points)]));
    assert_eq!(whole(&long).len(), 25);
    assert!(has(&long, "2024-10-27 has 25 hours in 10Y1001A1001A82H"));
    let short = one(&prices("A01", &[period("2024-03-30T23:00Z", "2024-03-31T22:00Z", "PT60M", "price.amount", &points[..23])]));
    assert_eq!(whole(&short).len(), 23);
    assert!(has(&short, "2024-03-31 has 23 hours"));
}

#[test]
fn hours_that_become_quarters_are_two_series() {
    let hour = period("2025-09-30T21:00Z", "2025-09-30T22:00Z", "PT60M", "price.amount", &[(1, "50")]);
    let quarters = period("2025-09-30T22:00Z", "2025-09-30T22:30Z", "PT15M", "price.amount", &[(1, "60"), (2, "70")]);
    let signal = one(&prices("A03", &[hour, quarters]));
    assert_eq!(signal.series.iter().map(|piece| (piece.step_s, piece.len())).collect::<Vec<_>>(), [(3600, 1), (900, 2)]);
    assert!(has(&signal, "from 2025-09-30T22:00:00Z the steps are 900 s long"));
}

#[test]
fn generation_is_told_by_plant_and_what_pumps_consume_is_not() {
    let text = loads(
        "A75",
        "A16",
        &[
            plant_series("in", "B16", &[(1, "100"), (2, "120")]),
            plant_series("in", "B18", &[(1, "10"), (2, "11")]),
            plant_series("in", "B19", &[(1, "20"), (2, "21")]),
            plant_series("in", "B10", &[(1, "5"), (2, "5")]),
            plant_series("out", "B10", &[(1, "7"), (2, "7")]),
        ],
    );
    let signals = import(&text).signals;
    let told: Vec<_> = signals.iter().map(|signal| (signal.kind, signal.detail.as_deref().unwrap(), whole(signal).values[0])).collect();
    assert_eq!(
        told,
        [
            (Kind::Pv, "solar", 100_000.0),
            (Kind::Wind, "wind offshore", 10_000.0),
            (Kind::Wind, "wind onshore", 20_000.0),
            (Kind::Generation, "pumped storage", 5000.0)
        ]
    );
    assert!(has(&signals[0], "a series of pumped storage is left out: it is what the plants consume"));
    assert_eq!(whole(&signals[0]).marks, [MARKS[0]; 2]);
}

#[test]
fn load_and_forecasts() {
    let load = one(&loads("A65", "A16", &[plant_series("out", "", &[(1, "12000"), (2, "12500")])]));
    assert_eq!((load.kind, whole(&load).marks[0], whole(&load).values[0]), (Kind::Load, MARKS[0], 12e6));
    assert_eq!(sentences(&load), ["values are in MAW: times 1000 they are in kW"]);
    let forecast = one(&loads("A69", "A01", &[plant_series("in", "B16", &[(1, "100"), (2, "120")])]));
    assert_eq!((forecast.kind, whole(&forecast).marks[0]), (Kind::Pv, MARKS[1]));
}

#[test]
fn an_acknowledgement_says_why_there_is_nothing() {
    let text = "<Acknowledgement_MarketDocument xmlns=\"urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0\"><mRID>1</mRID>\
        <Reason><code>999</code><text>No matching data found for Data item</text></Reason></Acknowledgement_MarketDocument>";
    assert_eq!(refused(text), "the publisher gave no data: No matching data found for Data item");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let with = |points: &[(u32, &str)]| prices("A01", &[period("2025-06-01T22:00Z", "2025-06-02T00:00Z", "PT60M", "price.amount", points)]);
    assert_eq!(refused(&with(&[(1, "n/a")])), "line 5, price.amount: \"n/a\" is no number");
    assert_eq!(refused(&with(&[(1, "1"), (3, "1")])), "line 6, position: \"3\" is none of 1 to 2, what the interval has room for");
    assert_eq!(refused(&with(&[])), "the document has no values");
    let month = prices("A01", &[period("2025-06-01T22:00Z", "2025-06-02T00:00Z", "P1M", "price.amount", &[(1, "1")])]);
    assert!(refused(&month).contains("\"P1M\" is no step"));
    let broken = "<GL_MarketDocument><TimeSeries></GL_MarketDocument>";
    assert!(refused(broken).starts_with("this is no entsoe document:"), "{}", refused(broken));
    let other = "<Unavailability_MarketDocument/>";
    assert!(refused(other).contains("none of the documents read here"));
}

#[test]
fn tags_without_end_are_refused_before_they_are_read() {
    let attributes: String = (0..2000).map(|at| format!(" a{at}=''")).collect();
    assert!(refused(&format!("<GL_MarketDocument{attributes}/>")).contains("longer, or its namespaces more"));
    let nested: String = (0..20).map(|at| format!("<a xmlns:b{at}='{at}'>")).collect();
    assert!(refused(&format!("<GL_MarketDocument>{nested}")).contains("longer, or its namespaces more"));
}

#[test]
fn entities_are_not_expanded() {
    let text = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><GL_MarketDocument>&c;</GL_MarketDocument>";
    assert!(refused(text).starts_with("this is no entsoe document:"));
}
