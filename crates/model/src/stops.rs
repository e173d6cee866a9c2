//! What a client sees of the tokens: whole characters, and nothing of a text that ends the answer.

/// Joins the bytes of tokens to whole characters. A token may be part of one.
#[derive(Debug, Default)]
pub(crate) struct Characters {
    /// The beginning of a character.
    kept: Vec<u8>,
}

impl Characters {
    /// The characters that are whole with these bytes. What can be part of none becomes U+FFFD.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        self.kept.extend_from_slice(bytes);
        let (mut text, mut begun) = (String::new(), 0);
        for chunk in self.kept.utf8_chunks() {
            text.push_str(chunk.valid());
            begun = chunk.invalid().len();
            if begun > 0 {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        // Only the last may be a beginning, and only if more bytes could complete it.
        let rest = self.kept.split_off(self.kept.len() - begun);
        let incomplete = std::str::from_utf8(&rest).is_err_and(|e| e.error_len().is_none());
        if incomplete {
            text.pop();
        }
        self.kept = if incomplete { rest } else { Vec::new() };
        text
    }
}

/// Looks for the texts that end an answer, and holds back what may be the beginning of one.
#[derive(Debug)]
pub(crate) struct Stops {
    stops: Vec<String>,
    held: String,
}

/// What may be shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The text; perhaps empty.
    pub text: String,
    /// The stop text that came after it.
    pub stop: Option<String>,
}

impl Stops {
    pub(crate) fn new(stops: &[String]) -> Self {
        let stops = stops.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        Self { stops, held: String::new() }
    }

    /// What may be shown now that this came. After a stop text nothing may come.
    pub(crate) fn push(&mut self, text: &str) -> Shown {
        self.held.push_str(text);
        let first = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str()).map(|at| (at, stop))).min_by_key(|(at, _)| *at);
        if let Some((at, stop)) = first {
            let stop = stop.clone();
            self.held.truncate(at);
            return Shown { text: std::mem::take(&mut self.held), stop: Some(stop) };
        }
        let begun = self.stops.iter().map(|stop| begun(&self.held, stop)).max().unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - begun);
        Shown { text: std::mem::replace(&mut self.held, rest), stop: None }
    }

    /// What was held back, now that nothing more comes.
    pub(crate) fn rest(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// How many bytes at the text's end are a beginning of `stop`.
fn begun(text: &str, stop: &str) -> usize {
    let ends = stop.char_indices().map(|(at, _)| at).rev();
    ends.filter(|&end| end <= text.len()).find(|&end| text.ends_with(&stop[..end])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same text, cut into pieces of every size.
    fn characters(bytes: &[u8], expected: &str) {
        for size in 1..=bytes.len() {
            let mut characters = Characters::default();
            let text = bytes.chunks(size).map(|piece| characters.push(piece)).collect::<String>();
            assert_eq!(text, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn characters_are_whole_whatever_the_tokens() {
        characters("a é 漢 🦀 z".as_bytes(), "a é 漢 🦀 z");
        characters(b"a\xff\xc3(\xe6\xbcz", "a\u{fffd}\u{fffd}(\u{fffd}z");
        characters(b"cut \xf0\x9f\xa6", "cut ");
        characters(b"\xf0\x9f\xf0\x9f\xa6\x80", "\u{fffd}🦀");
    }

    /// The text shown and the stop found, for the text in pieces of every size.
    fn stops(stops: &[&str], text: &str, expected: &str, stop: Option<&str>) {
        let given = stops.iter().map(ToString::to_string).collect::<Vec<_>>();
        let letters = text.chars().collect::<Vec<_>>();
        for size in 1..=letters.len() {
            let (mut stops, mut shown, mut found) = (Stops::new(&given), String::new(), None);
            for piece in letters.chunks(size) {
                let next = stops.push(&piece.iter().collect::<String>());
                shown.push_str(&next.text);
                if next.stop.is_some() {
                    found = next.stop;
                    break;
                }
            }
            if found.is_none() {
                shown.push_str(&stops.rest());
            }
            assert_eq!((shown.as_str(), found.as_deref()), (expected, stop), "{text:?} in pieces of {size}");
        }
    }

    #[test]
    fn nothing_of_a_stop_text_is_shown() {
        stops(&["END"], "one END two", "one ", Some("END"));
        stops(&["END"], "one EN", "one EN", None);
        stops(&["aab"], "aaaab", "aa", Some("aab"));
        stops(&["\n\n", "é!"], "é? é! \n\n", "é? ", Some("é!"));
        stops(&["", "漢字"], "漢漢字", "漢", Some("漢字"));
        stops(&[], "all of it", "all of it", None);
    }

    #[test]
    fn what_cannot_become_a_stop_text_is_shown_at_once() {
        let mut stops = Stops::new(&["STOP".to_owned()]);
        assert_eq!(stops.push("a S"), Shown { text: "a ".to_owned(), stop: None });
        assert_eq!(stops.push("TO"), Shown { text: String::new(), stop: None });
        assert_eq!(stops.push("x"), Shown { text: "STOx".to_owned(), stop: None });
    }
}
