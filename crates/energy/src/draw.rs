//! Booking what a request drew, in the hour it ended: at once, by what is known then. The hour's meter has the last word ([`crate::close_hour`]).

use lab3_ledger::{AccountNo, Draft, Event, Kind, Transfer};
use lab3_units::{Amount, Code, Did, Id, Problem};

use crate::accounts::{self, Pair};
use crate::carbon::{CarbonError, Estimate, GridHour, account};
use crate::{Desk, Drawn, Fact};

/// What a request drew, by whoever could know.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// Whose request it was.
    pub citizen: Did,
    /// The allocation it ran under, if it had one.
    pub allocation: Option<Id>,
    /// Who answered.
    pub provider: Box<str>,
    /// Whether behind the Hive's own meter.
    pub on_site: bool,
    /// How much.
    pub estimate: Estimate,
    /// Where it ran, the grid in that hour.
    pub grid: GridHour,
    /// Its part in making the machines it ran on, in mg CO2e, where that is known.
    pub embodied_mg: Option<Amount>,
}

/// Books a draw: energy and carbon, from where they come to the citizen who asked.
///
/// Errors: `BOOKS_LIMIT` when the books cannot count so much.
pub fn draw(desk: &Desk<'_>, draw: &Draw) -> Result<(Fact, Vec<Event>), Problem> {
    let tier = draw.estimate.tier;
    let energy_mwh = draw.estimate.bounds_mwh().map_err(uncountable)?;
    let [_, mid, _] = energy_mwh;
    let footprint = account(mid, &draw.grid, &[]).map_err(uncountable)?.footprint;
    let weight_uwh = draw.estimate.weight_uwh().map_err(uncountable)?;
    let mut draft = Draft::new(desk.ledger);
    let from = if draw.on_site { accounts::site(&mut draft) } else { accounts::provider(&mut draft, &draw.provider) };
    let to = accounts::citizen(&mut draft, &draw.citizen);
    book(&mut draft, from, to, mid, footprint.average_mg)?;
    let drawn = Drawn {
        allocation: draw.allocation,
        provider: draw.provider.clone(),
        on_site: draw.on_site,
        energy: to.energy,
        carbon: to.carbon,
        energy_mwh,
        weight_uwh,
        tier,
        footprint,
        embodied_mg: draw.embodied_mg,
    };
    Ok((Fact::Drawn(Box::new(drawn)), draft.into_events()))
}

/// Books energy and carbon from one to another; what is below zero goes back.
pub(crate) fn book(draft: &mut Draft<'_>, from: Pair, to: Pair, energy_mwh: Amount, carbon_mg: Amount) -> Result<(), Problem> {
    move_one(draft, from.energy, to.energy, energy_mwh)?;
    move_one(draft, from.carbon, to.carbon, carbon_mg)
}

fn move_one(draft: &mut Draft<'_>, from: AccountNo, to: AccountNo, amount: Amount) -> Result<(), Problem> {
    let taken_back = amount.checked_neg().filter(|amount| amount.is_positive());
    let transfer = match taken_back {
        Some(amount) => Transfer { from: to, to: from, amount, kind: Kind::Correction, memo: "" },
        None if amount.is_zero() => return Ok(()),
        None => Transfer { from, to, amount, kind: Kind::Draw, memo: "" },
    };
    draft.transfer(&transfer).map_err(|refusal| refused(&refusal))
}

/// What the books refuse of energy: sums too large to count.
pub(crate) fn refused(refusal: &lab3_ledger::Refusal) -> Problem {
    Problem::new(Code::BOOKS_LIMIT, format!("The books refuse it: {refusal}. Use a smaller amount."))
}

/// What cannot be counted at all.
pub(crate) fn uncountable(error: CarbonError) -> Problem {
    Problem::new(Code::BOOKS_LIMIT, format!("It cannot be booked: {error}."))
}
