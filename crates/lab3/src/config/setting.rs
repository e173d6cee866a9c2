//! What a type must know to be configured: how it is read from a layer, what it accepts, how it is shown.

use std::net::SocketAddr;
use std::path::PathBuf;

use lab3_units::{Amount, Asset, Duration, FeeRate, Ratio, TokenRate};

use super::Secret;

/// A value as a layer gave it. Numbers keep their source text, so that no amount passes through a float.
#[derive(Clone, PartialEq, Eq)]
pub enum Raw {
    /// A string of the file.
    Text(String),
    /// A number of the file, in its own digits.
    Number(String),
    /// `true` or `false` of the file.
    Flag(bool),
    /// A list of the file.
    List(Vec<Raw>),
    /// A table of the file.
    Table(Vec<(String, Raw)>),
    /// Something no key takes: a date, say.
    Other(&'static str),
    /// Text of an environment variable or a flag, which may stand for any type.
    Loose(String),
}

/// Least and most a whole number or an amount (in MIC) may be. Other types have their bounds in their nature.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// Least accepted.
    pub min: u64,
    /// Most accepted.
    pub max: u64,
}

impl Range {
    /// For types that need no bounds.
    pub const NONE: Range = Range { min: 0, max: u64::MAX };
    /// For amounts: a million million MIC, a ninth of what the ledger can count.
    pub const MIC: Range = Range { min: 0, max: 1_000_000_000_000 };
}

/// A type that can be configured.
pub trait Setting {
    /// What is accepted, as the end of "it takes ...".
    fn accepts(&self, range: Range) -> String;

    /// Takes the value over and answers `true`, or leaves everything as it was and answers `false`.
    fn read(&mut self, raw: &Raw, range: Range) -> bool;

    /// The value for people. A secret shows only whether it is set.
    fn show(&self) -> String;

    /// Whether the value may never be printed, not even in an error message.
    fn is_secret(&self) -> bool {
        false
    }
}

impl Raw {
    /// The text, when it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Raw::Text(text) => Some(text),
            Raw::Loose(text) => Some(text.trim()),
            _ => None,
        }
    }

    /// The digits of a number or of a text that should be one.
    pub fn decimal(&self) -> Option<&str> {
        match self {
            Raw::Number(digits) => Some(digits.strip_prefix('+').unwrap_or(digits)),
            other => other.text(),
        }
    }

    /// The whole number. Quoted numbers of the file are not whole numbers; text of the environment may be.
    fn whole(&self, range: Range) -> Option<u64> {
        let number = match self {
            Raw::Number(_) => self.decimal()?.parse().ok()?,
            Raw::Loose(text) => text.trim().replace('_', "").parse().ok()?,
            _ => return None,
        };
        (range.min..=range.max).contains(&number).then_some(number)
    }

    /// The value as an error message quotes it, cut when long.
    pub fn quoted(&self) -> String {
        match self {
            Raw::Text(text) | Raw::Loose(text) => {
                let short: String = text.chars().take(60).collect();
                let dots = if short.len() < text.len() { "..." } else { "" };
                format!("{:?}", short + dots)
            }
            Raw::Number(digits) => digits.clone(),
            Raw::Flag(flag) => flag.to_string(),
            Raw::List(_) => "a list".to_owned(),
            Raw::Table(_) => "a table".to_owned(),
            Raw::Other(name) => (*name).to_owned(),
        }
    }
}

/// Puts the value in its place if there is one.
fn put<T>(place: &mut T, value: Option<T>) -> bool {
    value.map(|value| *place = value).is_some()
}

/// Writes 4194304 as 4,194,304.
pub fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Setting for bool {
    fn accepts(&self, _: Range) -> String {
        "true or false".to_owned()
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        let value = match raw {
            Raw::Flag(flag) => Some(*flag),
            Raw::Loose(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        };
        put(self, value)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! whole_numbers {
    ($($number:ty),+) => {$(
        impl Setting for $number {
            fn accepts(&self, range: Range) -> String {
                format!("a whole number from {} to {}", with_commas(range.min), with_commas(range.max))
            }

            fn read(&mut self, raw: &Raw, range: Range) -> bool {
                put(self, raw.whole(range).and_then(|number| number.try_into().ok()))
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

whole_numbers!(u32, u64, usize);

/// Configured in whole seconds.
impl Setting for Duration {
    fn accepts(&self, range: Range) -> String {
        format!("a whole number of seconds from {} to {}", with_commas(range.min), with_commas(range.max))
    }

    fn read(&mut self, raw: &Raw, range: Range) -> bool {
        put(self, raw.whole(range).and_then(|seconds| seconds.try_into().ok()).map(Duration::from_secs))
    }

    fn show(&self) -> String {
        (self.millis() / 1000).to_string()
    }
}

impl Setting for Amount {
    fn accepts(&self, range: Range) -> String {
        format!("an amount of MIC from {} to {}, at most 6 decimals", with_commas(range.min), with_commas(range.max))
    }

    fn read(&mut self, raw: &Raw, range: Range) -> bool {
        let bound = |mic: u64| Asset::MIC.parse(&mic.to_string()).ok();
        let amount = raw.decimal().and_then(|text| Asset::MIC.parse(text).ok());
        let inside = amount.filter(|&amount| bound(range.min) <= Some(amount) && Some(amount) <= bound(range.max));
        put(self, inside)
    }

    fn show(&self) -> String {
        Asset::MIC.decimal(*self).to_string()
    }
}

impl Setting for FeeRate {
    fn accepts(&self, _: Range) -> String {
        "a percentage from 0 to 100, at most 7 decimals".to_owned()
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        put(self, raw.decimal().and_then(|text| FeeRate::from_percent(text).ok()))
    }

    fn show(&self) -> String {
        self.percent().to_string()
    }
}

impl Setting for Ratio {
    fn accepts(&self, _: Range) -> String {
        "a number from 0 to 1, at most 6 decimals".to_owned()
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        put(self, raw.decimal().and_then(|text| Ratio::parse(text).ok()))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for TokenRate {
    fn accepts(&self, range: Range) -> String {
        format!("a price in MIC per 1,000 tokens from {} to {}, at most 9 decimals", with_commas(range.min), with_commas(range.max))
    }

    fn read(&mut self, raw: &Raw, range: Range) -> bool {
        let most = TokenRate::from_mic_per_thousand(&range.max.to_string()).ok();
        let rate = raw.decimal().and_then(|text| TokenRate::from_mic_per_thousand(text).ok());
        put(self, rate.filter(|&rate| Some(rate) <= most))
    }

    fn show(&self) -> String {
        self.mic_per_thousand().to_string()
    }
}

/// What may be left open: `""` says so.
impl<T: Setting + Default> Setting for Option<T> {
    fn accepts(&self, range: Range) -> String {
        format!("{}, or \"\" for none", T::default().accepts(range))
    }

    fn read(&mut self, raw: &Raw, range: Range) -> bool {
        if raw.text() == Some("") {
            *self = None;
            return true;
        }
        let mut value = T::default();
        let accepted = value.read(raw, range);
        put(self, accepted.then_some(Some(value)))
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(String::new, T::show)
    }
}

impl Setting for SocketAddr {
    fn accepts(&self, _: Range) -> String {
        "an address and a port, such as 127.0.0.1:8003, [::1]:8003 or localhost:0".to_owned()
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        let address = raw.text().and_then(|text| match text.strip_prefix("localhost:") {
            Some(port) => port.parse().ok().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port))),
            None => text.parse().ok(),
        });
        put(self, address)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for PathBuf {
    fn accepts(&self, _: Range) -> String {
        "a path".to_owned()
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        put(self, raw.text().filter(|text| !text.is_empty()).map(PathBuf::from))
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Setting for String {
    fn accepts(&self, range: Range) -> String {
        format!("a line of {} to {} bytes, without space at its ends", range.min, range.max)
    }

    fn read(&mut self, raw: &Raw, range: Range) -> bool {
        let fits = |text: &&str| {
            let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
            (range.min..=range.max).contains(&length) && text.trim() == *text && !text.chars().any(char::is_control)
        };
        put(self, raw.text().filter(fits).map(str::to_owned))
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Setting for Secret {
    fn accepts(&self, range: Range) -> String {
        format!("{} to {} visible ASCII characters, or \"\" for none", with_commas(range.min), with_commas(range.max))
    }

    fn read(&mut self, raw: &Raw, range: Range) -> bool {
        let fits = |text: &&str| {
            let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
            text.is_empty() || ((range.min..=range.max).contains(&length) && text.bytes().all(|byte| byte.is_ascii_graphic()))
        };
        put(self, raw.text().filter(fits).map(Secret::new))
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn is_secret(&self) -> bool {
        true
    }
}

/// Where a provider is, if it is anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseUrl(pub String);

impl Setting for BaseUrl {
    fn accepts(&self, _: Range) -> String {
        "a server's URL, such as https://api.openai.com/v1, or \"\" for none".to_owned()
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        let fits = |text: &&str| text.is_empty() || lab3_providers::Base::parse(text).is_ok();
        put(self, raw.text().filter(fits).map(|text| Self(text.to_owned())))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// The models of a provider; in the environment they are separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Models(pub Vec<String>);

impl Setting for Models {
    fn accepts(&self, _: Range) -> String {
        "a list of model names of at most 128 visible ASCII characters, such as [\"gpt-4o\", \"gpt-4o-mini\"]".to_owned()
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        let names: Option<Vec<String>> = match raw {
            Raw::List(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
            Raw::Loose(text) => Some(text.split(',').map(|name| name.trim().to_owned()).collect()),
            _ => None,
        };
        let fits = |name: &String| (1..=128).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        put(self, names.filter(|names| names.iter().all(fits)).map(Self))
    }

    fn show(&self) -> String {
        self.0.join(", ")
    }
}

/// Names, such as the aliases of a provider; in the environment they are separated by commas.
impl Setting for Vec<String> {
    fn accepts(&self, _: Range) -> String {
        "a list of names of a-z, 0-9, _ and -, such as [\"claude\", \"anthropic\"]".to_owned()
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        let names: Option<Vec<String>> = match raw {
            Raw::List(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
            Raw::Loose(text) => Some(text.split(',').map(|name| name.trim().to_owned()).collect()),
            _ => None,
        };
        put(self, names.filter(|names| names.iter().all(|name| is_name(name))))
    }

    fn show(&self) -> String {
        self.join(", ")
    }
}

/// Whether the text can name a provider.
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.len() <= 64 && !text.contains("__") && text.bytes().all(plain)
}
