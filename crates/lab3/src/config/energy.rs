//! Signals that are fetched on a schedule, as the operator names them.

use lab3_energy::signals::{Format, Hints, Kind, Unit};
use ureq::http::Uri;

use super::file::raw_of;
use super::{Range, Raw, Setting};

/// Fetches, at most.
const FETCHES_MAX: usize = 64;

/// Minutes between two fetches: at most a week.
const EVERY_MAX: u32 = 10_080;

/// What may stand in a URL for something that is known when it is fetched.
pub const PLACES: [&str; 5] = ["{from}", "{to}", "{from_digits}", "{to_digits}", "{secret}"];

/// A signal that is fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// Where from, with [`PLACES`].
    pub url: String,
    /// How often, in minutes.
    pub every_minutes: u32,
    /// The document's format; none for the one it looks like.
    pub format: Option<Format>,
    /// What the document does not say.
    pub hints: Hints,
    /// The header that has the secret.
    pub header: Option<String>,
    /// The environment variable that has the secret.
    pub secret_env: Option<String>,
}

/// The signals that are fetched; in the environment a TOML list of tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchList(pub Vec<Fetch>);

// Rates of money are floats, and never `NaN`.
impl Eq for FetchList {}

impl Fetch {
    /// Where from, for people: a query may have a secret in it.
    pub fn shown(&self) -> String {
        match self.url.split_once('?') {
            Some((before, _)) => format!("{before}?..."),
            None => self.url.clone(),
        }
    }
}

impl Setting for FetchList {
    fn accepts(&self, _: Range) -> String {
        format!(
            "a list of at most {FETCHES_MAX} tables, each with url (http or https), and if need be every_minutes (1 to {EVERY_MAX}), format, kind, zone, source, \
             unit, time_zone, mic_per_currency, header, secret_env; a secret is sent in the header or stands where the url has {{secret}}"
        )
    }

    fn read(&mut self, raw: &Raw, _: Range) -> bool {
        let read = match raw {
            Raw::Loose(text) => match raw_of(text) {
                Raw::List(rows) => fetches(&rows),
                _ => None,
            },
            Raw::List(rows) => fetches(rows),
            _ => None,
        };
        read.map(|read| self.0 = read).is_some()
    }

    fn show(&self) -> String {
        self.0.iter().map(|fetch| format!("{} every {} min", fetch.shown(), fetch.every_minutes)).collect::<Vec<_>>().join(", ")
    }
}

fn fetches(rows: &[Raw]) -> Option<Vec<Fetch>> {
    let fetches = rows.iter().map(|row| if let Raw::Table(row) = row { fetch(row) } else { None }).collect::<Option<Vec<_>>>()?;
    (fetches.len() <= FETCHES_MAX).then_some(fetches)
}

fn fetch(row: &[(String, Raw)]) -> Option<Fetch> {
    let (url, hints) = (String::new(), Hints::default());
    let mut fetch = Fetch { url, every_minutes: 60, format: None, hints, header: None, secret_env: None };
    for (name, raw) in row {
        let text = || raw.text().filter(|text| (1..=128).contains(&text.len()) && !text.chars().any(char::is_control)).map(str::to_owned);
        match name.as_str() {
            "url" => raw.text().filter(|url| is_url(url))?.clone_into(&mut fetch.url),
            "every_minutes" => fetch.every_minutes = whole(raw).filter(|minutes| (1..=EVERY_MAX).contains(minutes))?,
            "format" => fetch.format = Some(Format::parse(&text()?)?),
            "kind" => fetch.hints.kind = Some(Kind::parse(&text()?)?),
            "zone" => fetch.hints.zone = Some(text()?),
            "source" => fetch.hints.source = Some(text()?),
            "unit" => fetch.hints.unit = Some(text().filter(|unit| Unit::parse(unit).is_some())?),
            "time_zone" => fetch.hints.time_zone = Some(text()?),
            "mic_per_currency" => fetch.hints.mic_per_currency = Some(rate(raw)?),
            "header" => fetch.header = Some(text().filter(|header| is_header(header))?),
            "secret_env" => fetch.secret_env = Some(text()?),
            _ => return None,
        }
    }
    // A secret that is sent nowhere, or a place without one, is a slip.
    let takes_secret = fetch.header.is_some() || fetch.url.contains("{secret}");
    (!fetch.url.is_empty() && takes_secret == fetch.secret_env.is_some()).then_some(fetch)
}

fn whole(raw: &Raw) -> Option<u32> {
    if let Raw::Number(digits) = raw { digits.parse().ok() } else { None }
}

fn rate(raw: &Raw) -> Option<f64> {
    raw.decimal()?.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
}

fn is_url(url: &str) -> bool {
    let plain = PLACES.iter().fold(url.to_owned(), |url, place| url.replace(place, "0"));
    let uri: Option<Uri> = plain.parse().ok().filter(|_| url.len() <= 2048 && !plain.contains(['{', '}']));
    uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty()))
}

fn is_header(header: &str) -> bool {
    header.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<Fetch>> {
        let mut list = FetchList::default();
        list.read(&Raw::Loose(text.to_owned()), Range::NONE).then_some(list.0)
    }

    #[test]
    fn a_fetch_is_read_with_all_it_may_have() {
        let text = "[{ url = \"https://x.example/a/{from}?to={to_digits}&token={secret}\", every_minutes = 15, format = \"entsoe\", kind = \"price_import\", \
                    zone = \"DE\", source = \"market\", unit = \"EUR/MWh\", time_zone = \"Europe/Berlin\", mic_per_currency = 2.5, secret_env = \"TOKEN\" }]";
        let fetch = read(text).unwrap().remove(0);
        assert_eq!((fetch.every_minutes, fetch.format, fetch.hints.kind), (15, Some(Format::Entsoe), Some(Kind::PriceImport)));
        assert_eq!((fetch.hints.mic_per_currency, fetch.secret_env.as_deref()), (Some(2.5), Some("TOKEN")));
        assert_eq!(FetchList(vec![fetch]).show(), "https://x.example/a/{from}?... every 15 min");
        let header = read("[{ url = \"http://127.0.0.1:1/x\", header = \"auth-token\", secret_env = \"TOKEN\" }]").unwrap().remove(0);
        assert_eq!((header.every_minutes, header.header.as_deref()), (60, Some("auth-token")));
    }

    #[test]
    fn what_makes_no_sense_is_not_read() {
        for bad in [
            "x",
            "[1]",
            "[{}]",
            "[{ url = \"ftp://x.example\" }]",
            "[{ url = \"/a\" }]",
            "[{ url = \"https://x.example/{day}\" }]",
            "[{ url = \"https://x.example\", every_minutes = 0 }]",
            "[{ url = \"https://x.example\", every_minutes = \"5\" }]",
            "[{ url = \"https://x.example\", kind = \"carbon\" }]",
            "[{ url = \"https://x.example\", unit = \"bananas\" }]",
            "[{ url = \"https://x.example\", mic_per_currency = 0 }]",
            "[{ url = \"https://x.example\", every = 5 }]",
            "[{ url = \"https://x.example\", secret_env = \"TOKEN\" }]",
            "[{ url = \"https://x.example\", header = \"auth-token\" }]",
            "[{ url = \"https://x.example\", header = \"a b\", secret_env = \"TOKEN\" }]",
            "[{ url = \"https://x.example/{secret}\" }]",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(read("[]"), Some(Vec::new()));
    }
}
