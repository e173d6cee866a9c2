//! What the columns of a table are, told by their names.

use super::error::ImportError;
use super::finding::Finding;
use super::format::Format;
use super::hints::{ColumnHint, Hints, parse_unit};
use super::kind::{Kind, Quantity};
use super::unit::Unit;

/// Names of the column with the time, the likeliest first.
const TIMES: [&str; 11] =
    ["start", "time", "datetime", "timestamp", "point_time", "from", "begin", "date", "utc", "datetime (utc)", "time (utc)"];
/// Names of the column with the zone.
const ZONES: [&str; 8] = ["zone id", "zone_id", "zone", "region", "location", "bidding_zone", "zone name", "country"];

/// A column with values.
pub(super) struct Value {
    pub(super) column: usize,
    pub(super) kind: Kind,
    /// Whether average or marginal is a guess.
    pub(super) kind_assumed: bool,
    pub(super) unit: Option<Unit>,
    /// What tells it from others of its kind.
    pub(super) detail: Option<String>,
}

/// Which column is what.
#[derive(Default)]
pub(super) struct Layout {
    pub(super) time: usize,
    pub(super) is_utc: bool,
    pub(super) step_s: Option<usize>,
    pub(super) zone: Option<usize>,
    pub(super) source: Option<usize>,
    pub(super) detail: Option<usize>,
    pub(super) kind: Option<usize>,
    pub(super) unit: Option<usize>,
    pub(super) mark: Option<usize>,
    /// The mark is whether the publisher estimated.
    pub(super) is_estimate: bool,
    pub(super) values: Vec<Value>,
    unread: Vec<String>,
}

impl Layout {
    /// Tells the columns of a header.
    pub(super) fn of(header: &[String], format: Format, hints: &Hints) -> Result<Self, ImportError> {
        let names: Vec<String> = header.iter().map(|name| name.to_lowercase()).collect();
        let find = |wanted: &[&str]| wanted.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
        let time = find(&TIMES).or_else(|| names.iter().position(|name| name.contains("time") || name.contains("date")));
        let time = time.ok_or_else(|| ImportError::malformed(format, format!("no column is a time: name one {:?}", TIMES[1])))?;
        let estimated = find(&["data estimated", "estimated", "is_estimated", "isestimated"]);
        let mut layout = Layout {
            time,
            is_utc: names[time].contains("utc"),
            step_s: find(&["step_s"]),
            zone: find(&ZONES),
            source: find(&["source"]),
            detail: find(&["detail"]),
            kind: find(&["kind", "signal"]),
            unit: find(&["unit", "units"]),
            mark: find(&["mark"]).or(estimated),
            is_estimate: estimated.is_some(),
            ..Layout::default()
        };
        layout.values = match (hints.columns.as_slice(), find(&["value"])) {
            ([], Some(column)) if layout.kind.is_some() => vec![Value { column, ..Value::guess(Kind::Load) }],
            ([], _) => layout.by_name(header, hints),
            (columns, _) => columns.iter().map(|column| hinted(column, header)).collect::<Result<_, _>>()?,
        };
        if layout.values.is_empty() {
            return Err(ImportError::malformed(format, no_values(header)));
        }
        layout.tell_apart(header);
        if format == Format::ElectricityMaps {
            // Its other columns are known, and are no signals.
            layout.unread.clear();
        }
        Ok(layout)
    }

    /// The columns whose names tell what they are, or the one that is left if a hint says what it is.
    fn by_name(&mut self, header: &[String], hints: &Hints) -> Vec<Value> {
        let known = [self.step_s, self.zone, self.source, self.detail, self.kind, self.unit, self.mark, Some(self.time)];
        let rest: Vec<usize> = (0..header.len()).filter(|column| !known.contains(&Some(*column))).collect();
        let mut values: Vec<Value> = rest.iter().filter_map(|column| named(&header[*column], *column, hints)).collect();
        if let (true, [column], Some(kind)) = (values.is_empty(), rest.as_slice(), hints.kind) {
            values.push(Value { column: *column, unit: unit_in(&header[*column], kind), ..Value::guess(kind) });
        }
        let unread = rest.iter().filter(|column| !values.iter().any(|value| value.column == **column));
        self.unread = unread.map(|column| header[*column].clone()).collect();
        values
    }

    /// Columns of the same kind carry their names as details; those of Electricity Maps what their brackets say, life cycle or direct.
    fn tell_apart(&mut self, header: &[String]) {
        let kinds: Vec<Kind> = self.values.iter().map(|value| value.kind).collect();
        for value in &mut self.values {
            let name = header[value.column].to_lowercase();
            let bracket = name.rsplit_once('(').filter(|_| name.contains("gco")).map(|(_, inside)| inside.trim_end_matches(')').to_owned());
            let is_one_of_many = kinds.iter().filter(|kind| **kind == value.kind).count() > 1;
            value.detail = bracket.or_else(|| is_one_of_many.then_some(name));
        }
    }

    /// The columns nobody read.
    pub(super) fn left_out(&self) -> Option<Finding> {
        let what = match self.unread.as_slice() {
            [] => return None,
            [one] => format!("column {one:?}"),
            [first, ..] => format!("{} columns, the first {first:?},", self.unread.len()),
        };
        Some(Finding::LeftOut { what, why: "the name tells no signal; name columns to have them read".to_owned() })
    }
}

impl Value {
    fn guess(kind: Kind) -> Self {
        Value { column: 0, kind, kind_assumed: false, unit: None, detail: None }
    }
}

fn no_values(header: &[String]) -> String {
    let names = header.join(", ");
    format!("none of the columns ({names}) tells what it is: state kind if one has the values, or name columns with their kinds")
}

fn hinted(hint: &ColumnHint, header: &[String]) -> Result<Value, ImportError> {
    let column = header.iter().position(|name| *name == hint.name.trim());
    let missing = || ImportError::hint("columns", format!("no column is named {:?}: the header has {}", hint.name, header.join(", ")));
    let column = column.ok_or_else(missing)?;
    let stated = hint.unit.as_deref().map(|text| parse_unit(text, "columns")).transpose()?;
    if stated.as_ref().is_some_and(|unit| unit.quantity != hint.kind.quantity()) {
        return Err(ImportError::hint("columns", format!("{:?}: the unit is none of {}", hint.name, hint.kind.name())));
    }
    Ok(Value { column, unit: stated.or_else(|| unit_in(&header[column], hint.kind)), ..Value::guess(hint.kind) })
}

fn unit_in(name: &str, kind: Kind) -> Option<Unit> {
    Unit::in_name(name).filter(|unit| unit.quantity == kind.quantity())
}

/// What a column's name tells.
fn named(name: &str, column: usize, hints: &Hints) -> Option<Value> {
    let small = name.to_lowercase();
    let words: Vec<&str> = small.split(|c: char| !c.is_alphanumeric()).collect();
    let has = |wanted: &[&str]| wanted.iter().any(|wanted| words.contains(wanted));
    // Shares, not amounts: "Low carbon percentage".
    if small.contains('%') || small.contains("percent") || has(&["cfe", "re", "speed"]) {
        return None;
    }
    let kind = kind_of(&has)?;
    let is_carbon = kind == Kind::CarbonAverage;
    let assumed = is_carbon && !has(&["average", "avg", "direct", "lca", "cycle"]);
    let value = Value { column, kind_assumed: assumed, unit: unit_in(name, kind), ..Value::guess(hinted_kind(kind, assumed, hints)) };
    let moer = || Unit::parse("lb/MWh");
    let carbon_unit = || small.contains("gco").then(|| Unit::kept(Quantity::Carbon));
    let unit = value.unit.clone().or_else(|| if has(&["moer"]) { moer() } else { carbon_unit().filter(|_| is_carbon) });
    Some(Value { unit, ..value })
}

fn hinted_kind(kind: Kind, assumed: bool, hints: &Hints) -> Kind {
    if assumed { hints.kind_or(kind) } else { kind }
}

fn kind_of(has: &impl Fn(&[&str]) -> bool) -> Option<Kind> {
    if has(&["moer"]) || (has(&["marginal"]) && has(&["carbon", "co2", "emission", "emissions", "intensity", "ci"])) {
        return Some(Kind::CarbonMarginal);
    }
    if has(&["price", "prices", "tariff"]) || (has(&["cost"]) && has(&["unit"])) {
        let sold = has(&["export", "sell", "feed", "feedin", "prod", "production"]);
        return Some(if sold { Kind::PriceExport } else { Kind::PriceImport });
    }
    if has(&["carbon", "co2", "emission", "emissions", "ci"]) {
        return Some(Kind::CarbonAverage);
    }
    let powers = [
        (["pv", "solar", "photovoltaic"], Kind::Pv),
        (["wind", "wind_power", "windpower"], Kind::Wind),
        (["load", "consumption", "demand"], Kind::Load),
        (["generation", "generated", "production"], Kind::Generation),
    ];
    powers.into_iter().find(|(names, _)| has(names)).map(|(_, kind)| kind)
}
