//! Amounts of MIC in requests: a JSON number or a decimal string, read from its text.

use lab3_units::{Amount, AmountError, Asset, Code, Problem};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};

use super::leaf::{Leaf, letters, mistyped};

/// An amount of more than nothing, less than a million million MIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Positive(pub(crate) Amount);

/// An amount of nothing or more, less than a million million MIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotNegative(pub(crate) Amount);

/// An energy of nothing or more, in kWh: whole mWh on the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kwh(pub(crate) Amount);

/// What belongs where an amount of the asset is asked for.
const fn expected(asset: Asset) -> &'static str {
    match asset {
        Asset::ENERGY => "an energy in kWh, such as 1.5 or \"1.5\"",
        _ => "an amount of MIC, such as 50.0 or \"50.0\"",
    }
}

/// The smallest unit of the asset, in words.
const fn smallest(asset: Asset) -> &'static str {
    match asset {
        Asset::ENERGY => "The smallest unit is 1 mWh, 0.000001 kWh.",
        _ => "The smallest unit is 1 KS, 0.000001 MIC.",
    }
}

/// The first amount that is too much for one request: twelve digits before the point are plenty, and sums stay far from
/// what the books can count.
const TOO_MUCH: Amount = Amount::new(1_000_000_000_000 * 1_000_000);

impl Leaf for Positive {
    fn read(json: &str) -> Result<Self, Problem> {
        let amount = amount(Asset::MIC, json)?;
        let nothing = || Problem::new(Code::FIELD_RANGE, "The amount must be more than zero.");
        if amount.is_positive() { Ok(Self(amount)) } else { Err(nothing()) }
    }

    fn schema() -> Schema {
        let number = number().exclusive_minimum(Some(0));
        one_of(number, "^(?=.*[1-9])(0|[1-9][0-9]{0,11})(\\.[0-9]{1,6})?$")
    }
}

impl Leaf for NotNegative {
    fn read(json: &str) -> Result<Self, Problem> {
        not_negative(Asset::MIC, json).map(Self)
    }

    fn schema() -> Schema {
        not_negative_schema()
    }
}

impl Leaf for Kwh {
    fn read(json: &str) -> Result<Self, Problem> {
        not_negative(Asset::ENERGY, json).map(Self)
    }

    fn schema() -> Schema {
        not_negative_schema()
    }
}

fn not_negative(asset: Asset, json: &str) -> Result<Amount, Problem> {
    let amount = amount(asset, json)?;
    if amount.units() < 0 {
        return Err(Problem::new(Code::FIELD_RANGE, "The amount must not be less than zero."));
    }
    Ok(amount)
}

fn not_negative_schema() -> Schema {
    one_of(number().minimum(Some(0)), "^(0|[1-9][0-9]{0,11})(\\.[0-9]{1,6})?$")
}

fn amount(asset: Asset, json: &str) -> Result<Amount, Problem> {
    let amount = if json.starts_with('"') {
        let letters = letters(expected(asset), json)?;
        if !is_plain_decimal(&letters) {
            return Err(Problem::new(
                Code::FIELD_TYPE,
                format!("Here belongs {}; this string is not a plain decimal number.", expected(asset)),
            ));
        }
        asset.parse(&letters)
    } else {
        asset.parse(json)
    };
    match amount {
        Ok(amount) if amount < TOO_MUCH => Ok(amount),
        Ok(_) | Err(AmountError::TooLarge) => {
            Err(Problem::new(Code::FIELD_RANGE, "The amount is too large: at most 12 digits may stand before the point."))
        }
        Err(AmountError::TooPrecise { scale }) => {
            let help = smallest(asset);
            Err(Problem::new(Code::FIELD_PRECISION, format!("The amount has more than {scale} decimals. {help}")))
        }
        Err(AmountError::NotANumber) => Err(mistyped(expected(asset), json)),
    }
}

/// Digits, perhaps a point and digits, perhaps a minus before; no leading zero, no exponent.
fn is_plain_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0')) && fraction.len() <= 64
}

fn number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number).exclusive_maximum(Some(1_000_000_000_000.0)).multiple_of(Some(0.000_001))
}

fn one_of(number: ObjectBuilder, pattern: &str) -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    OneOfBuilder::new().item(number).item(text).into()
}
