//! Words of a closed list, and plain text in a query.

use lab3_energy::signals::{Format, Kind};
use lab3_energy::{Mark, ShareRule};
use lab3_units::{Code, Problem, Time};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::Words;
use super::leaf::{Leaf, Parameter, letters};
use crate::readings::Quantity;

/// Something that is one of a few words.
pub(crate) trait Word: Copy + 'static {
    /// Each with its word.
    fn words() -> Vec<(Self, &'static str)>;

    /// Its word.
    fn word(self) -> &'static str
    where
        Self: PartialEq,
    {
        Self::words().into_iter().find(|(word, _)| *word == self).map_or("", |(_, word)| word)
    }
}

fn one_of<T: Word>(text: &str, code: Code) -> Result<T, Problem> {
    let words = T::words();
    let found = words.iter().find(|(_, word)| *word == text).map(|(value, _)| *value);
    found.ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
        Problem::new(code, format!("Here belongs one of {}.", words.join(", ")))
    })
}

macro_rules! words {
    ($($name:ty: $all:expr;)+) => {$(
        impl Word for $name {
            fn words() -> Vec<(Self, &'static str)> {
                $all
            }
        }

        impl Leaf for $name {
            fn read(json: &str) -> Result<Self, Problem> {
                one_of(&letters("a word", json)?, Code::FIELD_RANGE)
            }

            fn schema() -> Schema {
                let words: Vec<&str> = Self::words().into_iter().map(|(_, word)| word).collect();
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
            }
        }

        impl Parameter for $name {
            fn parse(text: &str) -> Result<Self, Problem> {
                one_of(text, Code::PARAMETER)
            }

            fn schema() -> Schema {
                <Self as Leaf>::schema()
            }
        }
    )+};
}

words! {
    Kind: Kind::ALL.map(|kind| (kind, kind.name())).to_vec();
    Format: Format::ALL.map(|format| (format, format.name())).to_vec();
    Mark: vec![(Mark::Measured, "measured"), (Mark::Forecast, "forecast"), (Mark::Filled, "filled")];
    ShareRule: vec![(ShareRule::Equal, "equal"), (ShareRule::Weights, "weights"), (ShareRule::Generation, "generation")];
    Quantity: Quantity::ALL.map(|quantity| (quantity, quantity.name())).to_vec();
}

impl<const MIN: usize, const MAX: usize> Parameter for Words<MIN, MAX> {
    fn parse(text: &str) -> Result<Self, Problem> {
        let fits = (MIN..=MAX).contains(&text.chars().take(MAX + 1).count()) && !text.chars().any(char::is_control);
        let refused =
            || Problem::new(Code::PARAMETER, format!("Here belongs text of {MIN} to {MAX} characters, none a control character."));
        fits.then(|| Self(text.into())).ok_or_else(refused)
    }

    fn schema() -> Schema {
        <Self as Leaf>::schema()
    }
}

impl Parameter for Time {
    fn parse(text: &str) -> Result<Self, Problem> {
        // In a query a plus is a space, and a time with an offset has one.
        let refused = || Problem::new(Code::PARAMETER, "Here belongs a time such as 2026-11-23T06:00:00Z (RFC 3339).");
        Time::parse(&text.replace(' ', "+")).ok_or_else(refused)
    }

    fn schema() -> Schema {
        <Self as Leaf>::schema()
    }
}
