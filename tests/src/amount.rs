//! Amounts on the wire, read from their text as the API wants them to be, into KS.

use lab3_units::{Amount, Asset};
use serde_json::Value;

/// An amount of a reply in KS: a JSON number or a decimal string.
pub fn ks(value: &Value) -> i64 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Asset::MIC.parse(&text).unwrap_or_else(|error| panic!("{text} is no amount: {error}")).units()
}

/// KS as the decimal text of a request.
pub fn mic(ks: i64) -> String {
    Asset::MIC.decimal(Amount::new(ks)).to_string()
}
