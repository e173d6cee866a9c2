//! Units as people and publishers write them, and what a value in one is in the unit its kind is kept in.

use super::kind::Quantity;

/// Grams in an international pound.
const GRAMS_A_POUND: f64 = 453.592_37;

/// A unit, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// What is measured in it.
    pub quantity: Quantity,
    /// What one of it is in g CO2e a kWh, in its currency a kWh, in kW or, for an energy, in kWh.
    pub factor: f64,
    /// Whether it is an energy: what ran through a meter in each step, from which the power follows.
    pub is_energy: bool,
    /// For a price: in what money. None where the unit says only that it is a hundredth.
    pub currency: Option<String>,
    /// As it was written.
    pub name: String,
}

impl Unit {
    /// Reads a unit: `gCO2eq/kWh`, `lbs_co2_per_mwh`, `EUR/MWh`, `ct/kWh`, `kW`, `MAW` (what ENTSO-E calls a MW), `kWh` (an energy a step).
    pub fn parse(text: &str) -> Option<Self> {
        let plain = plain(text);
        let unit = match split(&plain) {
            Some((above, below)) => ratio(above, below)?,
            None => whole(&plain)?,
        };
        Some(Unit { name: text.trim_matches(|c: char| c.is_whitespace() || "[]()".contains(c)).to_owned(), ..unit })
    }

    /// The unit that a quantity is kept in.
    pub fn kept(quantity: Quantity) -> Self {
        let name = match quantity {
            Quantity::Carbon => "gCO2e/kWh",
            Quantity::Price => "MIC/kWh",
            Quantity::Power => "kW",
        };
        let currency = (quantity == Quantity::Price).then(|| "MIC".to_owned());
        Unit { quantity, factor: 1.0, is_energy: false, currency, name: name.to_owned() }
    }

    /// The unit in a column's name, where it is the name's end: `Load [kW]`, `PV (W)`, `price_eur_per_mwh`.
    pub fn in_name(name: &str) -> Option<Self> {
        let name = name.trim().trim_end_matches([']', ')']);
        let mut begins = name.char_indices().filter(|(_, c)| matches!(c, '[' | '(' | ' ' | '_')).map(|(at, c)| at + c.len_utf8());
        begins.find_map(|begin| Unit::parse(&name[begin..]))
    }
}

/// Small letters, without what makes no difference.
fn plain(text: &str) -> String {
    let small = text.trim().to_lowercase().replace('\u{2082}', "2").replace(" per ", "/").replace("_per_", "/");
    small.chars().filter(|c| !matches!(c, '[' | ']' | '(' | ')')).collect()
}

/// What is above and below the stroke; `eur_mwh` has one between the words.
fn split(plain: &str) -> Option<(&str, &str)> {
    let (above, below) = plain.rsplit_once('/').or_else(|| plain.rsplit_once(['_', ' ']))?;
    Some((above.trim(), below.trim()))
}

/// How many kWh an energy's name means.
fn kwh(name: &str) -> Option<f64> {
    match name {
        "wh" => Some(0.001),
        "kwh" => Some(1.0),
        "mwh" => Some(1e3),
        "gwh" => Some(1e6),
        _ => None,
    }
}

fn ratio(above: &str, below: &str) -> Option<Unit> {
    let energy = kwh(below)?;
    if let Some(grams) = grams(above) {
        return Some(Unit { factor: grams / energy, ..Unit::kept(Quantity::Carbon) });
    }
    let (currency, part) = money(above)?;
    Some(Unit { factor: part / energy, currency, ..Unit::kept(Quantity::Price) })
}

/// How many grams a mass is; a ton is not said which, so it is none.
fn grams(name: &str) -> Option<f64> {
    let bare: String = name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect();
    let mass = ["co2equivalent", "co2eq", "co2e", "co2"].iter().find_map(|gas| bare.strip_suffix(gas)).unwrap_or(&bare);
    match mass {
        "mg" => Some(0.001),
        "g" | "gram" | "grams" => Some(1.0),
        "kg" => Some(1e3),
        "t" | "tonne" | "tonnes" => Some(1e6),
        "lb" | "lbs" | "pound" | "pounds" => Some(GRAMS_A_POUND),
        _ => None,
    }
}

/// A currency, and what part of it is meant.
fn money(name: &str) -> Option<(Option<String>, f64)> {
    let hundredth = |currency: Option<&str>| Some((currency.map(str::to_owned), 0.01));
    match name {
        "\u{20ac}" => Some((Some("EUR".to_owned()), 1.0)),
        "\u{a3}" => Some((Some("GBP".to_owned()), 1.0)),
        "$" => Some((Some("USD".to_owned()), 1.0)),
        "p" | "pence" => hundredth(Some("GBP")),
        "eurct" | "eurocent" | "c\u{20ac}" => hundredth(Some("EUR")),
        "ct" | "cent" | "cents" => hundredth(None),
        energy if kwh(energy).is_some() => None,
        code if code.len() == 3 && code.bytes().all(|b| b.is_ascii_lowercase()) => Some((Some(code.to_uppercase()), 1.0)),
        _ => None,
    }
}

fn whole(name: &str) -> Option<Unit> {
    let power = |factor| Some(Unit { factor, ..Unit::kept(Quantity::Power) });
    match name {
        "w" => power(0.001),
        "kw" => power(1.0),
        "mw" | "maw" => power(1e3),
        "gw" => power(1e6),
        energy => Some(Unit { factor: kwh(energy)?, is_energy: true, ..Unit::kept(Quantity::Power) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, quantity: Quantity, factor: f64) {
        let unit = Unit::parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(unit.quantity, quantity, "{text}");
        assert!((unit.factor / factor - 1.0).abs() < 1e-12, "{text}: {}", unit.factor);
    }

    #[test]
    fn units_are_read_as_publishers_write_them() {
        check("lbs_co2_per_mwh", Quantity::Carbon, 0.453_592_37);
        check("gCO\u{2082}eq/kWh", Quantity::Carbon, 1.0);
        check("kg CO2/MWh", Quantity::Carbon, 1.0);
        check("t/MWh", Quantity::Carbon, 1000.0);
        check("kgCO2e/kWh", Quantity::Carbon, 1000.0);
        check("EUR/MWh", Quantity::Price, 0.001);
        check("ct/kWh", Quantity::Price, 0.01);
        check("\u{20ac} per kWh", Quantity::Price, 1.0);
        check("MAW", Quantity::Power, 1000.0);
        check("W", Quantity::Power, 0.001);
        assert!(Unit::parse("kWh").unwrap().is_energy);
        for text in ["percentile", "", "tons/MWh", "g", "kWh/kWh", "/", "%"] {
            assert_eq!(Unit::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_columns_name_may_end_in_its_unit() {
        let factor = |name: &str| Unit::in_name(name).map(|unit| unit.factor);
        assert_eq!(factor("Load [kW]"), Some(1.0));
        assert_eq!(factor("PV (W)"), Some(0.001));
        assert_eq!(factor("price_eur_per_mwh"), Some(0.001));
        assert_eq!(factor("price_eur_mwh"), Some(0.001));
        assert_eq!(factor("Carbon Intensity"), None);
        assert_eq!(factor("P_Load"), None);
    }
}
