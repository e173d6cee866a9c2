//! What queries to a provider draw, as the operator measured it or somebody states it.

use lab3_energy::carbon::ecologits::{Coefficients, Hosting, Model, Site};
use lab3_energy::carbon::{Formula, GridHour, Hardware, Intensity, Interval, ModelDraw, Stated};
use lab3_server::ProviderDraw;

use super::file::raw_of;
use super::{Range, Raw, Setting};

/// Providers whose draw is stated, at most.
const DRAWS_MAX: usize = 64;

/// Seconds in a year.
const YEAR_S: f64 = 365.0 * 24.0 * 3600.0;

/// What queries draw, by provider; in the environment a TOML list of tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DrawList(pub Vec<ProviderDraw>);

// Draws are floats, and never `NaN`.
impl Eq for DrawList {}

impl Setting for DrawList {
    fn accepts(&self, _: Range) -> String {
        format!(
            "a list of at most {DRAWS_MAX} tables, each with provider, ground (\"measured\" or \"stated\"), and output_token_wh, input_token_wh, request_wh, or of a stated \
             one active_billions and total_billions (EcoLogits; a number or [low, high]) and pue; if need be on_site, meter, spread, carbon_g_per_kwh, embodied_kg with \
             lifespan_years and resources"
        )
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        let read = match raw {
            Raw::Loose(text) => match raw_of(text) {
                Raw::List(rows) => draws(&rows),
                _ => None,
            },
            Raw::List(rows) => draws(rows),
            _ => None,
        };
        read.map(|read| self.0 = read).is_some()
    }

    fn show(&self) -> String {
        let ground = |draw: &ProviderDraw| if draw.table.is_some() { "measured" } else { "stated" };
        self.0.iter().map(|draw| format!("{} ({})", draw.provider, ground(draw))).collect::<Vec<_>>().join(", ")
    }
}

fn draws(rows: &[Raw]) -> Option<Vec<ProviderDraw>> {
    let draws = rows.iter().map(|row| if let Raw::Table(row) = row { draw(row) } else { None }).collect::<Option<Vec<_>>>()?;
    let named_once = draws.iter().enumerate().all(|(at, draw)| draws.iter().take(at).all(|other| other.provider != draw.provider));
    (draws.len() <= DRAWS_MAX && named_once).then_some(draws)
}

/// A row, as it is read.
#[derive(Default)]
struct Row {
    provider: Option<String>,
    on_site: bool,
    meter: Option<Box<str>>,
    measured: Option<bool>,
    tokens: [Option<f64>; 3],
    spread: Option<f64>,
    active: Option<Interval>,
    total: Option<Interval>,
    pue: Option<Interval>,
    grams: Option<f64>,
    embodied_kg: Option<f64>,
    lifespan_years: Option<f64>,
    resources: Option<f64>,
}

fn draw(row: &[(String, Raw)]) -> Option<ProviderDraw> {
    let mut read = Row::default();
    for (name, raw) in row {
        match name.as_str() {
            "provider" => read.provider = Some(raw.text().filter(|text| (1..=64).contains(&text.len()))?.to_owned()),
            "on_site" => read.on_site = flag(raw)?,
            "meter" => read.meter = Some(raw.text().filter(|text| (1..=64).contains(&text.len()))?.into()),
            "ground" => read.measured = Some(is_measured(raw.text()?)?),
            "output_token_wh" => read.tokens[0] = Some(number(raw)?),
            "input_token_wh" => read.tokens[1] = Some(number(raw)?),
            "request_wh" => read.tokens[2] = Some(number(raw)?),
            "spread" => read.spread = Some(number(raw)?),
            "active_billions" => read.active = Some(interval(raw)?),
            "total_billions" => read.total = Some(interval(raw)?),
            "pue" => read.pue = Some(interval(raw)?),
            "carbon_g_per_kwh" => read.grams = Some(number(raw)?),
            "embodied_kg" => read.embodied_kg = Some(number(raw)?),
            "lifespan_years" => read.lifespan_years = Some(number(raw)?),
            "resources" => read.resources = Some(number(raw)?),
            _ => return None,
        }
    }
    read.whole()
}

impl Row {
    /// The draw, when the row has what it needs and nothing that does not go together.
    fn whole(self) -> Option<ProviderDraw> {
        let measured = self.measured?;
        let spread = self.spread.unwrap_or(if measured { 0.2 } else { 1.0 });
        let per_token = self.tokens.iter().any(Option::is_some).then(|| {
            let [output, input, request] = self.tokens.map(|wh| wh.unwrap_or(0.0));
            ModelDraw { input_token_wh: input, output_token_wh: output, request_wh: request, spread }
        });
        let sized = self.active.zip(self.total.or(self.active));
        let stated = match (measured, per_token, sized) {
            (true, Some(_), None) => None,
            // Its own interval is in the draw.
            (false, Some(draw), None) => Some(Stated { formula: Formula::PerToken(draw), spread: 0.0 }),
            (false, None, Some((active_billions, total_billions))) => {
                let model = Model { active_billions, total_billions, tokens_per_s: None, first_token_s: None };
                let site = Site { pue: self.pue.unwrap_or(Interval::exact(1.2).ok()?), wue_l_per_kwh: Interval::ZERO };
                let hosting = Hosting { model, site, coefficients: Coefficients::default() };
                Some(Stated { formula: Formula::EcoLogits(Box::new(hosting)), spread: self.spread.unwrap_or(0.0) })
            }
            _ => return None,
        };
        let hardware = match (self.embodied_kg, self.lifespan_years) {
            (None, None) => None,
            (Some(kg), Some(years)) if years > 0.0 => {
                let resources = self.resources.unwrap_or(1.0);
                Some(Hardware { embodied_g: kg * 1000.0, lifespan_s: years * YEAR_S, resources })
            }
            _ => return None,
        };
        let grid = match self.grams {
            Some(grams) => Some(grid(grams, grams)?),
            None => None,
        };
        let table = per_token.filter(|_| measured);
        Some(ProviderDraw { provider: self.provider?.into(), on_site: self.on_site, meter: self.meter, table, stated, grid, hardware })
    }
}

/// A grid of these intensities, in g CO2e a kWh.
pub fn grid(average: f64, marginal: f64) -> Option<GridHour> {
    let [average, marginal] = [average, marginal].map(|grams| Intensity::from_g_per_kwh(grams).ok());
    Some(GridHour { average: average?, marginal: marginal?, residual: None })
}

fn flag(raw: &Raw) -> Option<bool> {
    if let Raw::Flag(flag) = raw { Some(*flag) } else { None }
}

fn is_measured(ground: &str) -> Option<bool> {
    match ground {
        "measured" => Some(true),
        "stated" => Some(false),
        _ => None,
    }
}

fn number(raw: &Raw) -> Option<f64> {
    raw.decimal()?.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// A number, or two between which it is.
fn interval(raw: &Raw) -> Option<Interval> {
    match raw {
        Raw::List(ends) => match &ends[..] {
            [low, high] => Interval::between(number(low)?, number(high)?).ok(),
            _ => None,
        },
        raw => Interval::exact(number(raw)?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<ProviderDraw>> {
        let mut list = DrawList::default();
        list.read(&Raw::Loose(text.to_owned()), Range::NONE).then_some(list.0)
    }

    #[test]
    fn a_draw_is_read_with_its_ground() {
        let text = "[{ provider = \"local_llama\", on_site = true, meter = \"rack\", ground = \"measured\", output_token_wh = 0.002, spread = 0.1, embodied_kg = 300, \
                    lifespan_years = 4, resources = 8 }, { provider = \"openai_gpt4\", ground = \"stated\", active_billions = [44, 132], total_billions = 440, \
                    pue = 1.1, carbon_g_per_kwh = 380 }]";
        let draws = read(text).unwrap();
        let [local, far] = &draws[..] else { panic!("two") };
        assert_eq!((local.on_site, local.table.map(|table| table.output_token_wh)), (true, Some(0.002)));
        assert_eq!((local.meter.as_deref(), &far.meter), (Some("rack"), &None));
        assert_eq!(local.hardware.map(|machine| machine.embodied_g), Some(300_000.0));
        assert!(matches!(far.stated.as_ref().map(|stated| &stated.formula), Some(Formula::EcoLogits(_))) && far.table.is_none());
        assert_eq!(far.grid.map(|grid| grid.average.g_per_kwh()), Some(380.0));
        assert_eq!(DrawList(draws.clone()).show(), "local_llama (measured), openai_gpt4 (stated)");
    }

    #[test]
    fn what_makes_no_sense_is_not_read() {
        for bad in [
            "x",
            "[1]",
            "[{}]",
            "[{ provider = \"a\", output_token_wh = 1 }]",
            "[{ provider = \"a\", ground = \"guessed\", output_token_wh = 1 }]",
            "[{ provider = \"a\", ground = \"measured\" }]",
            "[{ provider = \"a\", ground = \"measured\", active_billions = 8 }]",
            "[{ provider = \"a\", ground = \"stated\", output_token_wh = 1, active_billions = 8 }]",
            "[{ provider = \"a\", ground = \"stated\", active_billions = [9, 8] }]",
            "[{ provider = \"a\", ground = \"measured\", output_token_wh = -1 }]",
            "[{ provider = \"a\", ground = \"measured\", output_token_wh = 1, embodied_kg = 3 }]",
            "[{ provider = \"a\", ground = \"measured\", output_token_wh = 1, watts = 3 }]",
            "[{ provider = \"a\", ground = \"measured\", output_token_wh = 1 }, { provider = \"a\", ground = \"measured\", output_token_wh = 1 }]",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(read("[]"), Some(Vec::new()));
    }
}
