//! Streams as they come over the wire, in pieces of any size: server-sent events (the WHATWG HTML standard, section 9.2) and
//! lines of JSON. What has not ended yet is kept, up to a bound.

/// Longest event or line, in bytes. A provider that sends more is broken.
const EVENT_BYTES_MAX: usize = 8 << 20;

/// A server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its name; empty when it has none.
    pub name: String,
    /// Its data; lines are joined by a line feed.
    pub data: String,
}

/// The stream is not one: an event is too long, or not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenStream {
    /// An event has no end.
    #[error("an event of the stream is longer than {EVENT_BYTES_MAX} bytes")]
    TooLong,
    /// An event is not text.
    #[error("the stream is not UTF-8")]
    NotText,
}

/// Splits bytes into lines ended by LF, CR LF or CR.
#[derive(Debug, Default)]
pub struct LineReader {
    kept: Vec<u8>,
    /// The last byte was a CR: a LF that follows belongs to it.
    after_cr: bool,
}

impl LineReader {
    /// Hands on each line that ends in these bytes, without its end.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&str)) -> Result<(), BrokenStream> {
        let mut rest = bytes;
        if self.after_cr && rest.first() == Some(&b'\n') {
            rest = &rest[1..];
        }
        if !rest.is_empty() || !bytes.is_empty() {
            self.after_cr = false;
        }
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n' || byte == b'\r') {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            let is_cr = rest[end] == b'\r';
            rest = match after.first() {
                Some(b'\n') if is_cr => &after[1..],
                None if is_cr => {
                    self.after_cr = true;
                    after
                }
                _ => after,
            };
            if self.kept.is_empty() {
                each(std::str::from_utf8(line).map_err(|_| BrokenStream::NotText)?);
            } else {
                self.kept.extend_from_slice(line);
                each(std::str::from_utf8(&self.kept).map_err(|_| BrokenStream::NotText)?);
                self.kept.clear();
            }
        }
        if self.kept.len() + rest.len() > EVENT_BYTES_MAX {
            return Err(BrokenStream::TooLong);
        }
        self.kept.extend_from_slice(rest);
        Ok(())
    }

    /// What came after the last line's end; for streams of lines whose last one need not end.
    pub fn finish(&mut self) -> Result<Option<String>, BrokenStream> {
        let kept = std::mem::take(&mut self.kept);
        let text = String::from_utf8(kept).map_err(|_| BrokenStream::NotText)?;
        Ok((!text.is_empty()).then_some(text))
    }
}

/// Reads server-sent events.
#[derive(Debug, Default)]
pub struct EventReader {
    lines: LineReader,
    event: Event,
    has_data: bool,
    /// Bytes of the event so far.
    size: usize,
}

impl EventReader {
    /// Hands on each event that ends in these bytes. An event without data is none.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&Event)) -> Result<(), BrokenStream> {
        let Self { lines, event, has_data, size } = self;
        let mut too_long = false;
        lines.push(bytes, |line| {
            if line.is_empty() {
                if *has_data {
                    each(event);
                }
                event.name.clear();
                event.data.clear();
                *has_data = false;
                *size = 0;
                return;
            }
            // Comments between events keep the connection alive for as long as it takes.
            if *size > 0 || !line.starts_with(':') {
                *size += line.len() + 1;
                too_long |= *size > EVENT_BYTES_MAX;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut event.name),
                "data" => {
                    if *has_data {
                        event.data.push('\n');
                    }
                    event.data.push_str(value);
                    *has_data = true;
                }
                _ => {}
            }
        })?;
        if too_long { Err(BrokenStream::TooLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a text, whatever pieces it comes in.
    fn check(text: &str, expected: &[(&str, &str)]) {
        for size in 1..=text.len() {
            let (mut reader, mut found) = (EventReader::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                reader.push(piece, |event| found.push((event.name.clone(), event.data.clone()))).unwrap();
            }
            let found = found.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect::<Vec<_>>();
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn events_are_read_in_pieces_of_any_size() {
        check("data: a\n\ndata:b\n\n", &[("", "a"), ("", "b")]);
        check("event: x\r\ndata: {\"é\":1}\r\n\r\n: comment\r\n\r\n", &[("x", "{\"é\":1}")]);
        check("data: a\rdata: b\r\rdata: c\r\r", &[("", "a\nb"), ("", "c")]);
        check("event: named\n\ndata\n\ndata:  two\nid: 7\n\ndata: unended", &[("", ""), ("", " two")]);
    }

    #[test]
    fn what_has_no_end_or_is_no_text_is_refused() {
        let mut reader = EventReader::default();
        let long = vec![b'x'; 1 << 20];
        assert!((0..9).any(|_| reader.push(&long, |_| ()) == Err(BrokenStream::TooLong)));
        assert_eq!(EventReader::default().push(b"data: \xff\n\n", |_| ()), Err(BrokenStream::NotText));
        let mut many = EventReader::default();
        let line = [b"data: ".as_slice(), &long, b"\n"].concat();
        assert!((0..9).any(|_| many.push(&line, |_| ()) == Err(BrokenStream::TooLong)));
        let (mut comments, line) = (EventReader::default(), [b": ".as_slice(), &long, b"\n"].concat());
        assert!((0..9).all(|_| comments.push(&line, |_| ()) == Ok(())));
        comments.push(b"id: 1\n", |_| ()).unwrap();
        assert!((0..9).any(|_| comments.push(&line, |_| ()) == Err(BrokenStream::TooLong)));
    }
}
