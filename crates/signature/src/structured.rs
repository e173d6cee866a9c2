//! Dictionaries of structured fields (RFC 9651): as much as signatures and digests need, strictly.
//!
//! Where the RFC lets a later key replace an earlier one, base 64 go unpadded, or a reader guess, this refuses: nobody honest writes so, and two
//! readers could take it differently. Decimals, dates and display strings are refused as well: no parameter of a signature is one.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Keys in a dictionary, and parameters on one value.
const KEYS_MAX: usize = 16;
/// Items in a list.
const ITEMS_MAX: usize = 32;
/// Digits of an integer.
const DIGITS_MAX: usize = 15;

/// Where a text stops being a dictionary, and what would be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Bytes before it.
    pub at: usize,
    /// What a well-formed one has there.
    pub expected: &'static str,
}

/// A value by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    Integer(i64),
    String(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
}

/// Named values on a value, in the order they were written.
pub(crate) type Params = Vec<(String, Bare)>;

/// A value with parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub value: Bare,
    pub params: Params,
}

/// A list in parentheses, with parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub items: Vec<Item>,
    pub params: Params,
}

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Item(Item),
    List(List),
}

/// Reads `key=value, key=value`. Keys are different.
pub(crate) fn dictionary(text: &str) -> Result<Vec<(String, Member)>, Fault> {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    let mut members = Vec::new();
    reader.skip(b" ");
    while reader.peek().is_some() {
        let (at, key) = (reader.at, reader.key()?);
        let member = reader.member()?;
        insert(&mut members, key, member).map_err(|expected| Fault { at, expected })?;
        reader.skip(b" \t");
        if reader.peek().is_none() {
            break;
        }
        reader.expect(b',', "a comma between members")?;
        reader.skip(b" \t");
        if reader.peek().is_none() {
            return Err(reader.fault("another member after the comma"));
        }
    }
    Ok(members)
}

fn insert<T>(pairs: &mut Vec<(String, T)>, key: String, value: T) -> Result<(), &'static str> {
    if pairs.iter().any(|(other, _)| *other == key) {
        return Err("each key once");
    }
    if pairs.len() == KEYS_MAX {
        return Err("at most 16 keys");
    }
    pairs.push((key, value));
    Ok(())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fault(&self, expected: &'static str) -> Fault {
        Fault { at: self.at, expected }
    }

    /// Steps over the byte if it is the next.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Fault> {
        if self.take(byte) { Ok(()) } else { Err(self.fault(expected)) }
    }

    fn skip(&mut self, any_of: &[u8]) {
        self.take_while(|byte| any_of.contains(&byte));
    }

    /// The bytes from here on that fit, which are ASCII wherever the test is.
    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&fits) {
            self.at += 1;
        }
        self.bytes.get(start..self.at).unwrap_or_default().iter().copied().map(char::from).collect()
    }

    fn key(&mut self) -> Result<String, Fault> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'*') {
            return Err(self.fault("a key: a lower-case letter, then lower-case letters, digits, _ - . *"));
        }
        Ok(self.take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte)))
    }

    fn member(&mut self) -> Result<Member, Fault> {
        if !self.take(b'=') {
            return Ok(Member::Item(Item { value: Bare::Boolean(true), params: self.params()? }));
        }
        if self.peek() == Some(b'(') { Ok(Member::List(self.list()?)) } else { Ok(Member::Item(self.item()?)) }
    }

    fn list(&mut self) -> Result<List, Fault> {
        self.expect(b'(', "a list in parentheses")?;
        let mut items = Vec::new();
        loop {
            self.skip(b" ");
            if self.take(b')') {
                return Ok(List { items, params: self.params()? });
            }
            if items.len() == ITEMS_MAX {
                return Err(self.fault("at most 32 items in a list"));
            }
            items.push(self.item()?);
            if !matches!(self.peek(), Some(b' ' | b')')) {
                return Err(self.fault("a space or ) after an item of a list"));
            }
        }
    }

    fn item(&mut self) -> Result<Item, Fault> {
        Ok(Item { value: self.bare()?, params: self.params()? })
    }

    fn params(&mut self) -> Result<Params, Fault> {
        let mut params = Vec::new();
        while self.take(b';') {
            self.skip(b" ");
            let (at, key) = (self.at, self.key()?);
            let value = if self.take(b'=') { self.bare()? } else { Bare::Boolean(true) };
            insert(&mut params, key, value).map_err(|expected| Fault { at, expected })?;
        }
        Ok(params)
    }

    fn bare(&mut self) -> Result<Bare, Fault> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b':') => self.byte_sequence(),
            Some(b'?') => self.boolean(),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'*' => {
                Ok(Bare::Token(self.take_while(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte))))
            }
            _ => Err(self.fault("a \"string\", an integer, :base64:, ?0, ?1 or a token")),
        }
    }

    fn string(&mut self) -> Result<Bare, Fault> {
        self.expect(b'"', "a string")?;
        let mut text = String::new();
        loop {
            text.push_str(&self.take_while(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'));
            if self.take(b'"') {
                return Ok(Bare::String(text));
            }
            self.expect(b'\\', "visible ASCII, and a \" at the end of a string")?;
            match self.peek() {
                Some(byte @ (b'"' | b'\\')) => text.push(char::from(byte)),
                _ => return Err(self.fault("\\\" or \\\\ after a backslash")),
            }
            self.at += 1;
        }
    }

    fn byte_sequence(&mut self) -> Result<Bare, Fault> {
        self.expect(b':', "bytes between colons")?;
        let at = self.at;
        let text = self.take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        self.expect(b':', "base 64, and a colon at its end")?;
        BASE64.decode(text).map(Bare::Bytes).map_err(|_| Fault { at, expected: "base 64 with its padding" })
    }

    fn boolean(&mut self) -> Result<Bare, Fault> {
        self.expect(b'?', "?0 or ?1")?;
        if self.take(b'1') {
            return Ok(Bare::Boolean(true));
        }
        self.expect(b'0', "?0 or ?1").map(|()| Bare::Boolean(false))
    }

    fn integer(&mut self) -> Result<Bare, Fault> {
        let fault = self.fault("an integer of at most 15 digits");
        let minus = self.take(b'-');
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        if digits.len() > DIGITS_MAX || self.peek() == Some(b'.') {
            return Err(fault);
        }
        let number: i64 = digits.parse().map_err(|_| fault)?;
        Ok(Bare::Integer(if minus { -number } else { number }))
    }
}

impl fmt::Display for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bare::Integer(number) => write!(f, "{number}"),
            Bare::String(text) => write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Bare::Token(text) => f.write_str(text),
            Bare::Bytes(bytes) => write!(f, ":{}:", BASE64.encode(bytes)),
            Bare::Boolean(yes) => f.write_str(if *yes { "?1" } else { "?0" }),
        }
    }
}

fn write_params(f: &mut fmt::Formatter<'_>, params: &Params) -> fmt::Result {
    for (key, value) in params {
        match value {
            Bare::Boolean(true) => write!(f, ";{key}")?,
            value => write!(f, ";{key}={value}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)?;
        write_params(f, &self.params)
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (number, item) in self.items.iter().enumerate() {
            write!(f, "{}{item}", if number == 0 { "" } else { " " })?;
        }
        f.write_str(")")?;
        write_params(f, &self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a list under the key `a` and writes it again.
    fn check(text: &str, written: &str) {
        let members = dictionary(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        let Some((key, member)) = members.first() else { panic!("{text} has no members") };
        assert_eq!(key, "a", "{text}");
        let again = match member {
            Member::Item(item) => item.to_string(),
            Member::List(list) => list.to_string(),
        };
        assert_eq!(again, written, "{text}");
    }

    #[test]
    fn what_is_read_is_written_in_one_way() {
        check("a=1", "1");
        check("  a=-007 ", "-7");
        check("a=-0", "0");
        check("a=999999999999999", "999999999999999");
        check("a", "?1");
        check("a;x=?1;y=?0", "?1;x;y=?0");
        check(r#"a="say \"\\\" twice""#, r#""say \"\\\" twice""#);
        check("a=:AQID:", ":AQID:");
        check("a=::", "::");
        check("a=*to!k/en:x", "*to!k/en:x");
        check("a=(  \"x\";sf   \"y\"  );  created=1;keyid=\"k\" , b=2", "(\"x\";sf \"y\");created=1;keyid=\"k\"");
        check("a=()", "()");
        check("a=(1 tok :AA==: ?0)", "(1 tok :AA==: ?0)");
        check("a=1\t,\t*b.c-d_e=2", "1");
        assert_eq!(dictionary(""), Ok(Vec::new()));
        assert_eq!(dictionary("   "), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_dictionary_is_refused_where_it_stops_being_one() {
        let check = |text: &str, at: usize| assert_eq!(dictionary(text).map_err(|fault| fault.at), Err(at), "{text}");
        check("A=1", 0);
        check("a=1,", 4);
        check("a=1,,b=2", 4);
        check("a=1 b=2", 4);
        check("\ta=1", 0);
        check("a=1, a=2", 5);
        check("a;x;x", 4);
        check("a=1.5", 2);
        check("a=1000000000000000", 2);
        check("a=-", 2);
        check("a=@1", 2);
        check("a=%\"x\"", 2);
        check("a=\"x", 4);
        check("a=\"x\\n\"", 5);
        check("a=\"\u{e9}\"", 3);
        check("a=\"x\ny\"", 4);
        check("a=:AQI:", 3);
        check("a=:AQJ=:", 3);
        check("a=:AQID", 7);
        check("a=(\"x\"\"y\")", 6);
        check("a=(\"x\" ", 7);
        check("a=((1))", 3);
        check("a=?2", 3);
        check("a=", 2);
        check("a=1;", 4);
        check("a=1 ;b", 4);
        check("\u{e9}=1", 0);
        check(&format!("a=({})", "1 ".repeat(33)), 3 + 64);
        check(&(0..17).map(|n| format!("k{n}")).collect::<Vec<_>>().join(","), 10 * 3 + 6 * 4);
    }
}
