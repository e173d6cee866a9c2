//! Scripts: what to answer, read from a model's name. The fields are described in [`FIELDS`].

use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;

/// The fields of a script, for people.
pub const FIELDS: &str = include_str!("../FIELDS.txt");

/// Most tokens of an answer.
const TOKENS_MAX: u64 = 10_000_000;

/// Most calls of an answer.
const CALLS_MAX: u32 = 128;

/// Largest single event, in bytes.
const BIG_BYTES_MAX: usize = 256 << 20;

/// What to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// Output tokens wanted, thoughts included.
    pub(crate) tokens: u64,
    /// The text of a token.
    pub(crate) text: String,
    /// Tokens an event carries.
    pub(crate) per_event: u64,
    /// Wait before the first byte.
    pub(crate) first: Duration,
    /// Wait between two events that carry tokens.
    pub(crate) gap: Duration,
    pub(crate) trouble: Option<Trouble>,
    /// How many requests the trouble befalls; `None` is all.
    pub(crate) fail_times: Option<u64>,
    /// Seconds a failure tells the client to wait.
    pub(crate) retry_after: Option<u64>,
    pub(crate) usage: UsageMode,
    /// Tokens of the whole query, those below included; `None` counts its words.
    pub(crate) input: Option<u64>,
    pub(crate) cached: u64,
    pub(crate) write_5m: u64,
    pub(crate) write_1h: u64,
    /// Tokens of the output that are thoughts.
    pub(crate) reasoning: u64,
    /// Whether thoughts are told; `None` is as the dialect has it.
    pub(crate) thoughts: Option<bool>,
    /// A function to call instead of saying something.
    pub(crate) tool: Option<String>,
    /// How often it is called at once.
    pub(crate) calls: u32,
    pub(crate) ignore_limit: bool,
    /// The reason for ending that is told instead of the true one.
    pub(crate) finish: Option<String>,
    /// Whether the stream ends with what marks its end.
    pub(crate) done: bool,
    /// Keep-alives beside each event that carries tokens.
    pub(crate) ping: bool,
    /// Bytes of the pieces that are sent; 0 is whole events.
    pub(crate) split: usize,
    /// Bytes of the first token's text; 0 is like the others.
    pub(crate) big: usize,
    /// Whom to speak like, among those of one dialect.
    pub(crate) like: Like,
    /// What to keep books under.
    pub(crate) id: Option<String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            tokens: 16,
            text: "tok ".to_owned(),
            per_event: 1,
            first: Duration::ZERO,
            gap: Duration::ZERO,
            trouble: None,
            fail_times: None,
            retry_after: None,
            usage: UsageMode::Normal,
            input: None,
            cached: 0,
            write_5m: 0,
            write_1h: 0,
            reasoning: 0,
            thoughts: None,
            tool: None,
            calls: 1,
            ignore_limit: false,
            finish: None,
            done: true,
            ping: false,
            split: 0,
            big: 0,
            like: Like::Openai,
            id: None,
        }
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// This status, with an error in the dialect.
    Fail(u16),
    /// The connection is closed without a word.
    Close,
    /// The client is sent elsewhere.
    Redirect(String),
    /// The connection is closed in mid-answer.
    Cut(After),
    /// Nothing more comes, and the connection stays open.
    Hang(After),
    /// An error is told in mid-stream.
    Error(After),
    /// Something else comes than the protocol.
    Garbage(After),
}

/// When something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Before anything of the body.
    Headers,
    /// After so many events that carry tokens; 0 is after those that open the answer.
    Events(u64),
}

/// How usage is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsageMode {
    Normal,
    None,
    Zero,
    Null,
    WithChoices,
    WithFinish,
    Every,
    Double,
    StartOnly,
    EndOnly,
    Brief,
}

/// Whose manners to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Like {
    Openai,
    Deepseek,
}

impl Script {
    /// Reads the script in a model's name, on top of another. An error says which field is at fault.
    pub(crate) fn read(model: &str, base: &Self) -> Result<Self, String> {
        let mut script = base.clone();
        for field in model.split(';').skip(1).map(str::trim).filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').ok_or_else(|| format!("mock: field `{field}` has no value"))?;
            let value = percent_decode_str(value).decode_utf8().map_err(|_| format!("mock: {name} is not UTF-8"))?;
            script.set(name, &value).map_err(|fault| fault.told(name, &value))?;
        }
        Ok(script)
    }

    /// The trouble that befalls the request with so many before it.
    pub(crate) fn trouble(&self, turn: u64) -> Option<&Trouble> {
        self.trouble.as_ref().filter(|_| self.fail_times.is_none_or(|times| turn < times))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        match name {
            "tokens" => self.tokens = at_most(value, TOKENS_MAX)?,
            "text" => value.clone_into(&mut self.text),
            "per_event" => self.per_event = read::<u64>(value)?.max(1),
            "first_ms" => self.first = Duration::from_millis(read(value)?),
            "gap_ms" => self.gap = Duration::from_millis(read(value)?),
            "fail_times" => self.fail_times = Some(read(value)?),
            "retry_after" => self.retry_after = Some(read(value)?),
            "usage" => self.usage = UsageMode::named(value).ok_or(Fault::Value)?,
            "input" => self.input = Some(read(value)?),
            "cached" => self.cached = read(value)?,
            "write_5m" => self.write_5m = read(value)?,
            "write_1h" => self.write_1h = read(value)?,
            "reasoning" => self.reasoning = at_most(value, TOKENS_MAX)?,
            "thoughts" => self.thoughts = Some(read(value)?),
            "tool" => self.tool = Some(value.to_owned()),
            "calls" => self.calls = at_most(value, CALLS_MAX)?.max(1),
            "ignore_limit" => self.ignore_limit = read(value)?,
            "finish" => self.finish = Some(value.to_owned()),
            "done" => self.done = read(value)?,
            "ping" => self.ping = read(value)?,
            "split" => self.split = read(value)?,
            "big" => self.big = at_most(value, BIG_BYTES_MAX)?,
            "like" => self.like = Like::named(value).ok_or(Fault::Value)?,
            "id" => self.id = Some(value.to_owned()),
            _ => return self.set_trouble(name, value),
        }
        Ok(())
    }

    fn set_trouble(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let trouble = match name {
            "fail" if value == "close" => Trouble::Close,
            "fail" => Trouble::Fail(read::<u16>(value).ok().filter(|status| (400..600).contains(status)).ok_or(Fault::Value)?),
            "redirect" => Trouble::Redirect(value.to_owned()),
            "cut_after" => Trouble::Cut(After::read(value)?),
            "hang_after" => Trouble::Hang(After::read(value)?),
            "error_after" => Trouble::Error(After::read(value)?),
            "garbage_after" => Trouble::Garbage(After::read(value)?),
            "garbage" if value == "true" => Trouble::Garbage(After::Headers),
            "garbage" if value == "false" => return Ok(()),
            "garbage" => return Err(Fault::Value),
            _ => return Err(Fault::Name),
        };
        match self.trouble.replace(trouble) {
            Some(_) => Err(Fault::Second),
            None => Ok(()),
        }
    }
}

/// What is wrong with a field.
enum Fault {
    Name,
    Value,
    Second,
}

impl Fault {
    fn told(&self, name: &str, value: &str) -> String {
        match self {
            Self::Name => format!("mock: no field `{name}`; see lab3-mock --help"),
            Self::Value => format!("mock: {name} cannot be `{value}`; see lab3-mock --help"),
            Self::Second => format!("mock: {name} is a second trouble; a script has one"),
        }
    }
}

impl After {
    fn read(value: &str) -> Result<Self, Fault> {
        match value {
            "headers" => Ok(Self::Headers),
            _ => Ok(Self::Events(read(value)?)),
        }
    }
}

impl UsageMode {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "normal" => Self::Normal,
            "none" => Self::None,
            "zero" => Self::Zero,
            "null" => Self::Null,
            "with_choices" => Self::WithChoices,
            "with_finish" => Self::WithFinish,
            "every" => Self::Every,
            "double" => Self::Double,
            "start_only" => Self::StartOnly,
            "end_only" => Self::EndOnly,
            "brief" => Self::Brief,
            _ => return None,
        })
    }
}

impl Like {
    fn named(name: &str) -> Option<Self> {
        match name {
            "openai" => Some(Self::Openai),
            "deepseek" => Some(Self::Deepseek),
            _ => None,
        }
    }
}

fn read<T: FromStr>(value: &str) -> Result<T, Fault> {
    value.parse().map_err(|_| Fault::Value)
}

fn at_most<T: FromStr + PartialOrd + Copy>(value: &str, most: T) -> Result<T, Fault> {
    read::<T>(value).ok().filter(|number| *number <= most).ok_or(Fault::Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(model: &str) -> Result<Script, String> {
        Script::read(model, &Script::default())
    }

    #[test]
    fn fields_are_read_on_top_of_the_default() {
        assert_eq!(script("gpt-4o"), Ok(Script::default()));
        let expected = Script { tokens: 200, gap: Duration::from_millis(2), text: "a;b é".to_owned(), ..Script::default() };
        assert_eq!(script("mock;tokens=200; gap_ms=2 ;text=a%3Bb%20%C3%A9;"), Ok(expected));
        let base = script("x;tokens=3;per_event=2").unwrap();
        assert_eq!(Script::read("y;tokens=4", &base), Ok(Script { tokens: 4, per_event: 2, ..Script::default() }));
        assert_eq!(script("m;cut_after=headers").unwrap().trouble, Some(Trouble::Cut(After::Headers)));
        assert_eq!(script("m;fail=close").unwrap().trouble, Some(Trouble::Close));
    }

    #[test]
    fn a_field_at_fault_is_named() {
        let cases = [
            ("m;tokns=1", "no field `tokns`"),
            ("m;tokens", "`tokens` has no value"),
            ("m;tokens=-1", "tokens cannot be `-1`"),
            ("m;tokens=99999999999", "tokens cannot be"),
            ("m;usage=some", "usage cannot be `some`"),
            ("m;fail=200", "fail cannot be `200`"),
            ("m;garbage=perhaps", "garbage cannot be"),
            ("m;fail=500;cut_after=1", "cut_after is a second trouble"),
            ("m;text=%ff", "text is not UTF-8"),
        ];
        for (model, expected) in cases {
            let told = script(model).unwrap_err();
            assert!(told.contains(expected), "{model}: {told}");
        }
    }

    #[test]
    fn trouble_passes_after_so_many() {
        let script = script("m;fail=503;fail_times=2").unwrap();
        assert_eq!([0, 1, 2, 3].map(|turn| script.trouble(turn).is_some()), [true, true, false, false]);
    }

    #[test]
    fn every_field_is_described() {
        let names = "tokens text per_event first_ms gap_ms fail fail_times retry_after redirect cut_after hang_after error_after garbage \
            garbage_after usage input cached write_5m write_1h reasoning thoughts tool calls ignore_limit finish done ping split big like id";
        for name in names.split_whitespace() {
            assert!(FIELDS.contains(&format!("\n{name}=")), "{name}");
        }
        let described =
            FIELDS.lines().filter(|line| line.split(['=', ' ']).next().is_some_and(|name| !name.is_empty()) && line.contains('='));
        for line in described {
            let name = line.split('=').next().unwrap();
            assert!(names.split_whitespace().any(|known| known == name), "{line}");
        }
    }
}
