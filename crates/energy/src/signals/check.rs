//! Whether values are of the size their unit lets one expect. What is not is named and left as it is: only who knows the source can tell.

use lab3_units::Time;

use super::finding::Finding;
use super::kind::{Kind, Quantity};
use crate::Series;

/// A guess at what went wrong: what the values look like, and what to state.
type Guess = (&'static str, &'static str);

/// Looks at the values of one signal, which are in the unit of its kind.
pub(super) fn look(series: &[Series], kind: Kind, unit_stated: bool) -> Option<Finding> {
    let sizes = Sizes::of(series)?;
    let guess = match kind.quantity() {
        Quantity::Carbon => carbon(&sizes),
        Quantity::Price => price(&sizes),
        Quantity::Power => power(&sizes, unit_stated),
    };
    guess.map_or_else(|| outside(series, kind), |guess| Some(implausible(kind, &sizes, guess)))
}

/// How large values are, without their signs and without zeros.
struct Sizes {
    median: f64,
    greatest: f64,
}

impl Sizes {
    fn of(series: &[Series]) -> Option<Self> {
        let mut sizes: Vec<f64> =
            series.iter().flat_map(|piece| &piece.values).map(|value| value.abs()).filter(|size| *size > 0.0).collect();
        sizes.sort_by(f64::total_cmp);
        Some(Sizes { median: *sizes.get(sizes.len() / 2)?, greatest: *sizes.last()? })
    }
}

fn carbon(sizes: &Sizes) -> Option<Guess> {
    if sizes.greatest < 2.0 {
        return Some(("kg/kWh", "state unit=kgCO2e/kWh if it is"));
    }
    match sizes.median {
        // The dirtiest grids are at 1,100; in pounds a MWh that is 2,400.
        median if median > 2500.0 => Some(("g/MWh", "state unit=gCO2e/MWh if it is")),
        median if median > 1300.0 => Some(("lb/MWh", "state unit=lbCO2e/MWh if it is")),
        _ => None,
    }
}

fn price(sizes: &Sizes) -> Option<Guess> {
    if sizes.greatest < 0.001 {
        return Some(("a price a kWh divided by 1000 once too often", "state the unit the file has, EUR/kWh for instance"));
    }
    match sizes.median {
        median if median > 60.0 => Some(("a price a MWh", "state unit=EUR/MWh, in the file's currency, if it is")),
        median if median > 2.0 => {
            Some(("cents a kWh or a price a MWh", "state unit=ct/kWh or unit=EUR/MWh, in the file's currency, if it is"))
        }
        _ => None,
    }
}

/// A community's plant or load is below 100 MW; a country's is above, but then the unit is stated.
fn power(sizes: &Sizes, unit_stated: bool) -> Option<Guess> {
    (!unit_stated && sizes.greatest > 1e5).then_some(("W", "state unit=W if it is, or unit=kW if it is not"))
}

fn implausible(kind: Kind, sizes: &Sizes, (looks_like, state): Guess) -> Finding {
    Finding::Implausible {
        quantity: kind.quantity(),
        typical: sizes.median,
        unit: kind.unit().to_owned(),
        looks_like: looks_like.to_owned(),
        state: state.to_owned(),
    }
}

fn outside(series: &[Series], kind: Kind) -> Option<Finding> {
    let (least, greatest) = kind.plausible();
    let all = || series.iter().flat_map(|piece| piece.values.iter().enumerate().map(move |(step, value)| (piece, step, *value)));
    let out = || all().filter(|(_, _, value)| !(least..=greatest).contains(value));
    let (piece, step, value) = out().next()?;
    let first: Time = piece.begin_of(step);
    Some(Finding::Outside { values: out().count(), first, value, least, greatest, unit: kind.unit().to_owned() })
}
