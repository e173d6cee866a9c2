//! The transparency platform of ENTSO-E: prices (A44), load (A65), generation (A75), forecasts of wind and sun (A69), as XML.
//!
//! A document has `TimeSeries`, these have `Period`s with a `timeInterval` and a `resolution`, and these `Point`s with a `position` counted from 1. A curve of type
//! A03 leaves out the positions whose value is that of the one before. Times are UTC, so that a day of local time may have 23 or 25 hours. Platform guide:
//! <https://transparency.entsoe.eu/content/static_content/Static%20content/web%20api/Guide.html>; curve types: "Introduction of different time series possibilities", ENTSO-E EDI.

use roxmltree::{Document, Node, ParsingOptions};

use super::entsoe_period::Period;
use super::error::ImportError;
use super::finding::Finding;
use super::format::Format;
use super::hints::Hints;
use super::kind::Kind;
use super::track::{Key, Track, Tracks};
use super::unit::Unit;
use crate::Mark;

/// Nodes a document may have: ten a point, for as many points as fit in the bytes.
const NODES_MAX: u32 = 2_000_000;
/// Bytes from one tag to the next, and declarations of namespaces. The parser compares each attribute with each, and each element that declares a
/// namespace has a copy of all above it: without bounds a small document could take hours. The platform's tags are below 300 bytes, with one or two namespaces.
const TAG_BYTES_MAX: usize = 4096;
const NAMESPACES_MAX: usize = 16;

/// Reads a document.
pub(super) fn read(text: &str, hints: &Hints) -> Result<Tracks, ImportError> {
    if text.split('<').any(|tag| tag.len() > TAG_BYTES_MAX) || text.matches("xmlns").count() > NAMESPACES_MAX {
        return Err(ImportError::malformed(Format::Entsoe, "its tags are longer, or its namespaces more, than the platform's ever are"));
    }
    // A document type could define entities that grow without bound; the platform's documents have none.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let malformed = |detail: String| ImportError::malformed(Format::Entsoe, detail);
    let xml = Document::parse_with_options(text, options).map_err(|error| malformed(error.to_string()))?;
    let root = xml.root_element();
    match root.tag_name().name() {
        "Acknowledgement_MarketDocument" => return Err(ImportError::Refused { reason: reason(root) }),
        "Publication_MarketDocument" | "GL_MarketDocument" => {}
        other => return Err(malformed(format!("{other:?} is none of the documents read here (A44, A65, A69, A75)"))),
    }
    let mut reader = Reader {
        process: text_of(root, "process.processType"),
        document: text_of(root, "type"),
        hints,
        tracks: Tracks::new(),
        left_out: Vec::new(),
    };
    for series in children(root, "TimeSeries") {
        reader.series(series)?;
    }
    if let Some(track) = reader.tracks.values_mut().next() {
        reader.left_out.into_iter().for_each(|finding| track.note(finding));
    }
    Ok(reader.tracks)
}

/// The elements of a name right below another. The platform has changed the case of names before.
pub(super) fn children<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name().eq_ignore_ascii_case(name))
}

/// What stands in the element of a name, where there is one.
pub(super) fn text_of<'a>(node: Node<'a, 'a>, name: &'static str) -> Option<&'a str> {
    children(node, name).next().and_then(|child| child.text()).map(str::trim).filter(|text| !text.is_empty())
}

/// Blames an element, by the line it begins at.
pub(super) fn blame(node: Node<'_, '_>, name: &str, detail: impl Into<String>) -> ImportError {
    let line = node.document().text_pos_at(node.range().start).row;
    ImportError::field(format!("line {line}, {name}"), detail)
}

/// Why the platform sent no data.
fn reason(root: Node<'_, '_>) -> String {
    let reasons = root.descendants().filter(|node| node.is_element() && node.tag_name().name() == "Reason");
    let texts: Vec<&str> =
        reasons.filter_map(|reason| reason.children().find(|child| child.tag_name().name() == "text")?.text()).map(str::trim).collect();
    if texts.is_empty() { "an acknowledgement without a reason".to_owned() } else { texts.join("; ") }
}

struct Reader<'a> {
    process: Option<&'a str>,
    document: Option<&'a str>,
    hints: &'a Hints,
    tracks: Tracks,
    left_out: Vec<Finding>,
}

impl<'a> Reader<'a> {
    fn series(&mut self, series: Node<'a, 'a>) -> Result<(), ImportError> {
        let plant = children(series, "MktPSRType").next().and_then(|plant| text_of(plant, "psrType"));
        let zone = ["inBiddingZone_Domain.mRID", "outBiddingZone_Domain.mRID", "in_Domain.mRID", "out_Domain.mRID"]
            .into_iter()
            .find_map(|name| text_of(series, name));
        let is_outward = text_of(series, "outBiddingZone_Domain.mRID").is_some() && text_of(series, "inBiddingZone_Domain.mRID").is_none();
        if let (Some(plant), true) = (plant, is_outward) {
            let why = "it is what the plants consume, not what they generate".to_owned();
            self.left_out.push(Finding::LeftOut { what: format!("a series of {}", plant_name(plant)), why });
            return Ok(());
        }
        let is_price = self.document == Some("A44") || has_prices(series);
        let (kind, value) =
            if is_price { (self.hints.kind_or(Kind::PriceImport), "price.amount") } else { (self.kind(series, plant)?, "quantity") };
        let unit = unit(series, is_price)?;
        let source = self.hints.source.clone().unwrap_or_else(|| Format::Entsoe.name().to_owned());
        let key = Key { zone: zone.map(str::to_owned), source, kind, detail: detail(series, plant) };
        let mark = if is_price { Mark::Measured } else { self.mark() };
        let track = self.tracks.entry(key).or_insert_with(|| Track::new(unit.clone(), "point"));
        if track.unit != unit {
            return Err(blame(series, "TimeSeries", format!("is in {}, the ones before it in {}", unit.name, track.unit.name)));
        }
        let is_a03 = text_of(series, "curveType") == Some("A03");
        children(series, "Period").try_for_each(|period| Period::read(period)?.take(is_a03, value, mark, zone, track))
    }

    fn kind(&self, series: Node<'_, '_>, plant: Option<&str>) -> Result<Kind, ImportError> {
        match (plant, self.document) {
            (Some("B16"), _) => Ok(Kind::Pv),
            (Some("B18" | "B19"), _) => Ok(Kind::Wind),
            (Some(_), _) => Ok(Kind::Generation),
            (None, Some("A65") | None) => Ok(Kind::Load),
            (None, Some(other)) => {
                Err(blame(series, "TimeSeries", format!("has no psrType, and a document of type {other} is none of load (A65)")))
            }
        }
    }

    /// A16 is what was realised; every other process is a forecast.
    fn mark(&self) -> Mark {
        match self.process {
            Some("A16") => Mark::Measured,
            Some(_) => Mark::Forecast,
            None => self.hints.mark(),
        }
    }
}

/// Whether the first period's points are prices: a document may not say its type.
fn has_prices(series: Node<'_, '_>) -> bool {
    children(series, "Period").next().is_some_and(|period| period.descendants().any(|node| node.tag_name().name() == "price.amount"))
}

fn unit(series: Node<'_, '_>, is_price: bool) -> Result<Unit, ImportError> {
    let written = |name: &'static str| children(series, name).next().and_then(|child| child.text()).map(str::trim);
    let name = if is_price {
        format!("{}/{}", written("currency_Unit.name").unwrap_or("EUR"), written("price_Measure_Unit.name").unwrap_or("MWH"))
    } else {
        written("quantity_Measure_Unit.name").unwrap_or("MAW").to_owned()
    };
    Unit::parse(&name).ok_or_else(|| blame(series, "TimeSeries", format!("{name:?} is no unit known here")))
}

/// What tells a series from others of its kind: the plants, the auction, or whether it is a week's least or greatest.
fn detail(series: Node<'_, '_>, plant: Option<&str>) -> Option<String> {
    let auction = children(series, "classificationSequence_AttributeInstanceComponent.position").next().and_then(|child| child.text());
    let extreme = match children(series, "businessType").next().and_then(|child| child.text()) {
        Some("A60") => Some("least".to_owned()),
        Some("A61") => Some("greatest".to_owned()),
        _ => None,
    };
    plant.map(plant_name).or(extreme).or_else(|| auction.map(|number| format!("auction {}", number.trim())))
}

/// What the code of a kind of plant means (ENTSO-E code list, PsrType).
fn plant_name(code: &str) -> String {
    let name = match code {
        "B01" => "biomass",
        "B02" => "lignite",
        "B03" => "coal gas",
        "B04" => "fossil gas",
        "B05" => "hard coal",
        "B06" => "oil",
        "B07" => "oil shale",
        "B08" => "peat",
        "B09" => "geothermal",
        "B10" => "pumped storage",
        "B11" => "run of river",
        "B12" => "water reservoir",
        "B13" => "marine",
        "B14" => "nuclear",
        "B15" => "other renewable",
        "B16" => "solar",
        "B17" => "waste",
        "B18" => "wind offshore",
        "B19" => "wind onshore",
        "B20" => "other",
        "B25" => "storage",
        other => return other.to_owned(),
    };
    name.to_owned()
}
