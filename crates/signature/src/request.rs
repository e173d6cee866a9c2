//! The head of a request, and what its parts are in a signature (RFC 9421, sections 2.1 and 2.2).

use std::borrow::Cow;

use crate::error::SignatureError;

/// Whether the request came encrypted: it says which port goes without saying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

/// The head of a request, as it is on the wire: nothing decoded, nothing normalized.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`, `POST`.
    pub method: &'a str,
    /// How the client called: the default port is left out of the authority that is signed.
    pub scheme: Scheme,
    /// `Host` or `:authority`: `hive.example:8080`.
    pub authority: &'a str,
    /// `/lab3/financial/transfer`, with percent signs as sent. Empty is `/`.
    pub path: &'a str,
    /// What follows the `?`. None and an empty one are the same to a signature.
    pub query: Option<&'a str>,
    /// Names, in any case, and values, a pair for each line.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Request<'a> {
    /// The values of the lines with that name (in lower case), as they came.
    pub(crate) fn lines(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    pub(crate) fn sends(&self, name: &str) -> bool {
        self.lines(name).next().is_some()
    }

    /// A header's value: its lines without surrounding spaces, joined by a comma and a space. Folded lines (obsolete; HTTP/1.1 servers refuse
    /// them) are refused.
    pub(crate) fn field(&self, name: &str) -> Result<String, SignatureError> {
        let mut value = String::new();
        for (number, line) in self.lines(name).enumerate() {
            let line = std::str::from_utf8(line).ok().filter(|line| line.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')));
            let line = line.ok_or_else(|| SignatureError::Value { component: name.to_owned() })?;
            value.push_str(if number == 0 { "" } else { ", " });
            value.push_str(line.trim_matches([' ', '\t']));
        }
        if self.sends(name) { Ok(value) } else { Err(SignatureError::NotSent { component: name.to_owned() }) }
    }

    /// What a component that has no parameters is in this request.
    pub(crate) fn component(&self, name: &str) -> Result<String, SignatureError> {
        match name {
            "@method" => visible(name, self.method.into()),
            "@authority" if self.authority.contains(['@', '/', '?', '#']) => Err(SignatureError::Value { component: name.to_owned() }),
            "@authority" => visible(name, authority(self.authority, self.scheme).into()),
            "@path" if self.path.is_empty() => Ok("/".to_owned()),
            "@path" if self.path.starts_with('/') && !self.path.contains(['?', '#']) => visible(name, self.path.into()),
            "@path" => Err(SignatureError::Value { component: name.to_owned() }),
            "@query" => visible(name, format!("?{}", self.query.unwrap_or_default()).into()),
            _ if is_field_name(name) => self.field(name),
            _ => Err(SignatureError::Component { component: name.to_owned() }),
        }
    }
}

/// The host in lower case, and the port unless it goes without saying.
fn authority(text: &str, scheme: Scheme) -> String {
    let default = match scheme {
        Scheme::Http => ":80",
        Scheme::Https => ":443",
    };
    text.strip_suffix(default).or_else(|| text.strip_suffix(':')).unwrap_or(text).to_ascii_lowercase()
}

/// Only visible ASCII: no line break can make two lines of one.
fn visible(name: &str, text: Cow<'_, str>) -> Result<String, SignatureError> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.into_owned());
    }
    Err(SignatureError::Value { component: name.to_owned() })
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, scheme: Scheme, signed: &str) {
        assert_eq!(authority(text, scheme), signed, "{text}");
    }

    #[test]
    fn the_authority_is_in_lower_case_without_the_default_port() {
        use Scheme::{Http, Https};
        check("Hive.Example", Https, "hive.example");
        check("hive.example:443", Https, "hive.example");
        check("hive.example:443", Http, "hive.example:443");
        check("hive.example:80", Http, "hive.example");
        check("hive.example:80", Https, "hive.example:80");
        check("hive.example:8080", Http, "hive.example:8080");
        check("hive.example:", Http, "hive.example");
        check("[::1]:80", Http, "[::1]");
        check("[::1]", Http, "[::1]");
        check("127.0.0.1:8080", Http, "127.0.0.1:8080");
    }
}
