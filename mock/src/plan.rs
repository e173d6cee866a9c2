//! Plans: the events of an answer, made before the first is sent. A token's event is written once and sent many times.

use hyper::body::Bytes;

use crate::script::{After, Trouble};

/// Stands in an event's text for the event's number, from 0.
pub(crate) const SEQUENCE: char = '\u{1}';

/// Stands in an event's text for the output tokens sent so far, this event's included.
pub(crate) const OUTPUT: char = '\u{2}';

/// Stands in an event's text for the query's tokens and the output tokens sent so far together.
pub(crate) const TOTAL: char = '\u{3}';

/// Stands in an event's text for those of the output tokens sent so far that were said, where thoughts are counted apart.
pub(crate) const SAID: char = '\u{4}';

/// Stands in an event's text for those that were thought.
pub(crate) const THOUGHT: char = '\u{5}';

/// An event as it stands on the wire, perhaps with numbers that are known only when it is sent. JSON text has no control characters,
/// so these mark their places.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    bytes: Bytes,
    /// Where the marks are.
    marks: Vec<usize>,
}

/// The numbers that stand for the marks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) sequence: u64,
    pub(crate) input: u64,
    pub(crate) output: u64,
    /// How many of the whole output are thoughts; they come first.
    pub(crate) thoughts: u64,
}

impl Event {
    pub(crate) fn new(text: String) -> Self {
        let is_mark = |byte: u8| [SEQUENCE, OUTPUT, TOTAL, SAID, THOUGHT].contains(&char::from(byte));
        let marks = text.bytes().enumerate().filter(|(_, byte)| is_mark(*byte)).map(|(at, _)| at).collect();
        Self { bytes: text.into(), marks }
    }

    /// Bytes as they are.
    pub(crate) fn bytes(bytes: Bytes) -> Self {
        Self { bytes, marks: Vec::new() }
    }

    /// Bytes that are no text of the protocol.
    pub(crate) fn garbage() -> Self {
        Self { bytes: Bytes::from_static(b"\xff\xfe\x00<html><h1>502 Bad Gateway</h1>\xc3\x28</html>\r\n\r\n{\"a\":"), marks: Vec::new() }
    }

    /// The bytes, if they are the same each time.
    pub(crate) fn fixed(&self) -> Option<Bytes> {
        self.marks.is_empty().then(|| self.bytes.clone())
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>, numbers: &Numbers) {
        let mut from = 0;
        for &at in &self.marks {
            out.extend_from_slice(&self.bytes[from..at]);
            let number = match char::from(self.bytes[at]) {
                SEQUENCE => numbers.sequence,
                OUTPUT => numbers.output,
                SAID => numbers.output.saturating_sub(numbers.thoughts),
                THOUGHT => numbers.output.min(numbers.thoughts),
                _ => numbers.input.saturating_add(numbers.output),
            };
            write_number(out, number);
            from = at + 1;
        }
        out.extend_from_slice(&self.bytes[from..]);
    }
}

fn write_number(out: &mut Vec<u8>, number: u64) {
    use std::io::Write as _;
    // Writing to memory does not fail.
    let _ = write!(out, "{number}");
}

/// An event and how often it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) event: Event,
    pub(crate) times: u64,
    /// Output tokens each event counts for.
    pub(crate) tokens: u64,
    /// Whether it carries tokens for all to see; those are counted by scripts, and sent in the script's rhythm.
    pub(crate) is_token: bool,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As it should.
    #[default]
    Clean,
    /// The connection is closed.
    Cut,
    /// It does not.
    Hang,
}

/// The events of an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) ending: Ending,
}

impl Plan {
    /// Adds an event without tokens; none when the text is empty.
    pub(crate) fn event(&mut self, text: String) {
        let times = u64::from(!text.is_empty());
        self.push(Event::new(text), times, 0, false);
    }

    /// Adds events without tokens.
    pub(crate) fn events(&mut self, texts: impl IntoIterator<Item = String>) {
        texts.into_iter().for_each(|text| self.event(text));
    }

    /// Adds an event that counts for tokens nobody sees.
    pub(crate) fn hidden(&mut self, text: String, tokens: u64) {
        self.push(Event::new(text), 1, tokens, false);
    }

    /// Adds events that carry tokens, one after another in each of so many rounds.
    pub(crate) fn tokens(&mut self, texts: impl IntoIterator<Item = String>, times: u64, tokens: u64) {
        let events = texts.into_iter().map(Event::new).collect::<Vec<_>>();
        if let [event] = events.as_slice() {
            return self.push(event.clone(), times, tokens, true);
        }
        for _ in 0..times {
            for event in &events {
                self.push(event.clone(), 1, tokens, true);
            }
        }
    }

    /// Adds an answer in one piece, or part of one.
    pub(crate) fn piece(&mut self, event: Event, tokens: u64) {
        self.push(event, 1, tokens, true);
    }

    fn push(&mut self, event: Event, times: u64, tokens: u64, is_token: bool) {
        if times > 0 {
            self.steps.push(Step { event, times, tokens, is_token });
        }
    }

    /// Has a keep-alive before each event that carries tokens.
    pub(crate) fn keep_alive(&mut self, text: &str) {
        for step in self.steps.iter_mut().filter(|step| step.is_token) {
            let bytes = [text.as_bytes(), &step.event.bytes].concat();
            step.event.marks.iter_mut().for_each(|mark| *mark += text.len());
            step.event.bytes = bytes.into();
        }
    }

    /// Lets the trouble happen in its place. `error` makes the events that tell an error in mid-stream.
    pub(crate) fn befall(&mut self, trouble: &Trouble, error: impl FnOnce() -> Vec<String>) {
        match trouble {
            Trouble::Cut(after) if self.stop(*after) => self.ending = Ending::Cut,
            Trouble::Hang(after) if self.stop(*after) => self.ending = Ending::Hang,
            Trouble::Error(after) if self.stop(*after) => self.events(error()),
            Trouble::Garbage(after) if self.stop(*after) => self.push(Event::garbage(), 1, 0, false),
            _ => {}
        }
    }

    /// Drops what comes after that. `false` when it has no such place.
    fn stop(&mut self, after: After) -> bool {
        let After::Events(mut left) = after else {
            self.steps.clear();
            return true;
        };
        for at in 0..self.steps.len() {
            let step = &mut self.steps[at];
            if !step.is_token {
                continue;
            }
            if left <= step.times {
                step.times = left;
                self.steps.truncate(if left == 0 { at } else { at + 1 });
                return true;
            }
            left -= step.times;
        }
        // An answer without a token still has a place before its first one.
        left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let mut plan = Plan::default();
        plan.event(format!("open{SEQUENCE} "));
        plan.tokens(["a ".to_owned()], 3, 1);
        plan.event("between ".to_owned());
        plan.tokens([format!("b{OUTPUT} "), format!("c{TOTAL} ")], 2, 2);
        plan.event(format!("end{SEQUENCE}"));
        plan
    }

    fn written(plan: &Plan) -> String {
        let (mut out, mut numbers) = (Vec::new(), Numbers { input: 100, ..Numbers::default() });
        for step in &plan.steps {
            for _ in 0..step.times {
                numbers.output += step.tokens;
                step.event.write(&mut out, &numbers);
                numbers.sequence += 1;
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn numbers_stand_where_the_marks_are() {
        assert_eq!(written(&plan()), "open0 a a a between b5 c107 b9 c111 end9");
        let mut plan = plan();
        plan.keep_alive("! ");
        assert_eq!(written(&plan), "open0 ! a ! a ! a between ! b5 ! c107 ! b9 ! c111 end9");
    }

    #[test]
    fn trouble_comes_after_the_events_counted() {
        let cases = [
            (After::Headers, "", Ending::Cut),
            (After::Events(0), "open0 ", Ending::Cut),
            (After::Events(2), "open0 a a ", Ending::Cut),
            (After::Events(3), "open0 a a a ", Ending::Cut),
            (After::Events(4), "open0 a a a between b5 ", Ending::Cut),
            (After::Events(7), "open0 a a a between b5 c107 b9 c111 ", Ending::Cut),
            (After::Events(8), "open0 a a a between b5 c107 b9 c111 end9", Ending::Clean),
        ];
        for (after, expected, ending) in cases {
            let mut plan = plan();
            plan.befall(&Trouble::Cut(after), Vec::new);
            assert_eq!((written(&plan).as_str(), plan.ending), (expected, ending), "{after:?}");
        }
        let mut plan = plan();
        plan.befall(&Trouble::Error(After::Events(1)), || vec!["error".to_owned()]);
        assert_eq!((written(&plan).as_str(), plan.ending), ("open0 a error", Ending::Clean));
    }
}
