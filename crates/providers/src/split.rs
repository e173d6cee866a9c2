//! A stream cut at the ends of its events or lines, each with every byte of it: for who passes them on as they came.

use std::borrow::Cow;

/// Cuts a stream that comes in pieces of any size. What has not ended is kept; [`crate::EventReader`], which reads the same
/// bytes first, refuses an event or line that is too long.
#[derive(Debug)]
pub(crate) struct Splitter {
    unit: Unit,
    kept: Vec<u8>,
    /// Where the line begins whose end has not come.
    line: usize,
    /// How many of the kept bytes were looked at.
    seen: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Event,
    Line,
}

impl Splitter {
    /// Cuts at the ends of server-sent events, and of comments between them.
    pub(crate) fn events() -> Self {
        Self { unit: Unit::Event, kept: Vec::new(), line: 0, seen: 0 }
    }

    /// Cuts at the ends of lines.
    pub(crate) fn lines() -> Self {
        Self { unit: Unit::Line, ..Self::events() }
    }

    /// Hands on each unit that ends in these bytes.
    pub(crate) fn push(&mut self, bytes: &[u8], each: impl FnMut(&[u8])) {
        self.kept.extend_from_slice(bytes);
        self.cut(false, each);
    }

    /// Hands on what has ended, if the stream was cut: of the rest nothing is known.
    pub(crate) fn finish_cut(&mut self, each: impl FnMut(&[u8])) {
        self.cut(true, each);
        self.clear();
    }

    /// Hands on what the stream's end ends: the last line, which need not end itself. An event must.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(&[u8])) {
        self.cut(true, &mut each);
        if self.unit == Unit::Line && !self.kept.is_empty() {
            each(&self.kept);
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.kept.clear();
        (self.line, self.seen) = (0, 0);
    }

    fn cut(&mut self, is_end: bool, mut each: impl FnMut(&[u8])) {
        let mut start = 0;
        while let Some(end) = self.line_end(is_end) {
            let line = self.kept.get(self.line..end).unwrap_or_default();
            let is_last = match line.first() {
                _ if self.unit == Unit::Line => true,
                Some(b'\n' | b'\r') | None => true,
                Some(b':') => self.line == start,
                Some(_) => false,
            };
            self.line = end;
            if is_last {
                each(self.kept.get(start..end).unwrap_or_default());
                start = end;
            }
        }
        self.kept.drain(..start);
        self.line -= start;
        self.seen -= start;
    }

    /// Behind the end of the line that begins at `line`. A CR at the very end of what came may have a LF to follow.
    fn line_end(&mut self, is_end: bool) -> Option<usize> {
        let rest = self.kept.get(self.seen..)?;
        let Some(place) = rest.iter().position(|&byte| byte == b'\n' || byte == b'\r') else {
            self.seen = self.kept.len();
            return None;
        };
        let place = self.seen + place;
        let is_cr = self.kept.get(place) == Some(&b'\r');
        let end = match self.kept.get(place + 1) {
            Some(b'\n') if is_cr => place + 2,
            None if is_cr && !is_end => {
                self.seen = place;
                return None;
            }
            _ => place + 1,
        };
        self.seen = end;
        Some(end)
    }
}

/// An event's lines: all of the line with its end, and its value if it is one of data.
fn lines(event: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    let mut rest = event;
    std::iter::from_fn(move || {
        let end = rest.iter().position(|&byte| byte == b'\n' || byte == b'\r');
        let content = rest.get(..end.unwrap_or(rest.len())).filter(|_| !rest.is_empty())?;
        let is_both = end.is_some_and(|end| rest.get(end..end + 2) == Some(b"\r\n"));
        let (line, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1 + usize::from(is_both)));
        rest = after;
        Some((line, value(content)))
    })
}

fn value(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"data")? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

/// An event's data; `None` when it has none, or none that is text.
pub(crate) fn data(event: &[u8]) -> Option<Cow<'_, str>> {
    let mut values = lines(event).filter_map(|(_, value)| value);
    let first = std::str::from_utf8(values.next()?).ok()?;
    let mut data = Cow::Borrowed(first);
    for value in values {
        let data = data.to_mut();
        data.push('\n');
        data.push_str(std::str::from_utf8(value).ok()?);
    }
    Some(data)
}

/// The event with other data, which is JSON; its other bytes stay.
pub(crate) fn with_data(event: &[u8], data: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(event.len() + data.len());
    let mut is_written = false;
    for (line, value) in lines(event) {
        match value {
            None => out.extend_from_slice(line),
            Some(_) if is_written => {}
            Some(value) => {
                is_written = true;
                let end = line.iter().rposition(|&byte| byte != b'\n' && byte != b'\r').map_or(0, |last| last + 1);
                let prefix = line.get(..end.saturating_sub(value.len())).unwrap_or_default();
                out.extend_from_slice(prefix);
                // Between the tokens of JSON a line end is white space as any other; in strings none can stand.
                out.extend(data.bytes().map(|byte| if byte == b'\n' || byte == b'\r' { b' ' } else { byte }));
                out.extend_from_slice(line.get(end..).unwrap_or_default());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The units of a text, whatever pieces it comes in; all of them together are the text.
    fn check(mut splitter: impl FnMut() -> Splitter, text: &str, expected: &[&str]) {
        for size in 1..=text.len() {
            let (mut splitter, mut found) = (splitter(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                splitter.push(piece, |unit| found.push(String::from_utf8(unit.to_vec()).unwrap()));
            }
            splitter.finish(|unit| found.push(String::from_utf8(unit.to_vec()).unwrap()));
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn events_keep_every_byte() {
        check(Splitter::events, "data: a\n\ndata:b\n\n", &["data: a\n\n", "data:b\n\n"]);
        check(Splitter::events, ": c\r\n\r\nevent: x\r\ndata: y\r\n\r\n", &[": c\r\n", "\r\n", "event: x\r\ndata: y\r\n\r\n"]);
        check(Splitter::events, "data: a\rdata: b\r\rdata: c\r\r", &["data: a\rdata: b\r\r", "data: c\r\r"]);
        check(Splitter::events, "id: 1\n: within\ndata: é\n\ndata: unended\n", &["id: 1\n: within\ndata: é\n\n"]);
    }

    #[test]
    fn lines_keep_their_ends_and_the_last_needs_none() {
        check(Splitter::lines, "{\"a\":1}\r\n\n{}\r{\"é\":2}", &["{\"a\":1}\r\n", "\n", "{}\r", "{\"é\":2}"]);
    }

    #[test]
    fn only_data_is_changed() {
        for (event, told, changed) in [
            ("data: {}\n\n", Some("{}"), "data: [1]\n\n"),
            ("event: x\r\ndata:{}\r\nid: 7\r\n\r\n", Some("{}"), "event: x\r\ndata:[1]\r\nid: 7\r\n\r\n"),
            ("data: {\ndata: }\n: c\n\n", Some("{\n}"), "data: [1]\n: c\n\n"),
            ("database: 1\n\n", None, "database: 1\n\n"),
            (": data: 1\n\n", None, ": data: 1\n\n"),
        ] {
            assert_eq!(data(event.as_bytes()).as_deref(), told, "{event:?}");
            assert_eq!(with_data(event.as_bytes(), "[1]"), changed.as_bytes(), "{event:?}");
        }
    }
}
