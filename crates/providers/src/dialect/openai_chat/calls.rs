//! The calls of an answer, told apart in the ways servers number them: an index and an id in the first part of a call and the index
//! in the others, as OpenAI has it; or the same index for each call, no index, no id, or the name in every part.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Piece;

/// Part of a call as it comes.
#[derive(Debug, Deserialize)]
pub(super) struct CallPart<'a> {
    pub(super) index: Option<u32>,
    #[serde(borrow)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) function: Option<FunctionPart<'a>>,
}

/// Part of a function's name and arguments.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FunctionPart<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// A value's text, if it is one.
pub(super) fn text(raw: Option<&RawValue>) -> Option<String> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

/// The calls so far.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    index: Option<u32>,
    id: String,
    name: String,
    /// The arguments so far, where they tell whether the call goes on, or where the name is yet to come.
    arguments: String,
    is_told: bool,
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Takes part of a call, tells what is new.
    pub(super) fn part(&mut self, part: CallPart<'_>, pieces: &mut Vec<Piece>) {
        let function = part.function.unwrap_or_default();
        let id = text(part.id).unwrap_or_default();
        let name = text(function.name).unwrap_or_default();
        let place = self.place(part.index, &id, &name);
        let Some((call, known)) = u32::try_from(place).ok().zip(self.calls.get_mut(place)) else { return };
        if known.id.is_empty() {
            known.id = id;
        }
        if known.name.is_empty() {
            known.name = name;
        }
        let json = arguments(function.arguments);
        if !known.is_told && !known.name.is_empty() {
            known.is_told = true;
            pieces.push(Piece::ToolCall { call, id: known.id.clone(), name: known.name.clone() });
            if !known.arguments.is_empty() {
                pieces.push(Piece::Arguments { call, json: known.arguments.clone() });
            }
        }
        if known.index.is_none() || !known.is_told {
            known.arguments.push_str(&json);
        }
        if known.is_told && !json.is_empty() {
            pieces.push(Piece::Arguments { call, json });
        }
    }

    /// Which call a part belongs to; a new one when to none.
    fn place(&mut self, index: Option<u32>, id: &str, name: &str) -> usize {
        let found = match index {
            Some(index) => self.calls.iter().rposition(|known| known.index == Some(index)).filter(|&place| {
                // A server that numbers each call 0 tells another id and a name; one that makes up an id for each part tells no name.
                let known = &self.calls[place];
                id.is_empty() || known.id.is_empty() || known.id == id || name.is_empty()
            }),
            None if !id.is_empty() => {
                let same = self.calls.iter().rposition(|known| known.id == id);
                same.or_else(|| self.calls.len().checked_sub(1).filter(|_| name.is_empty()))
            }
            None => self.calls.len().checked_sub(1).filter(|&last| {
                let known = &self.calls[last];
                name.is_empty() || (known.name == name && !is_json(&known.arguments))
            }),
        };
        found.unwrap_or_else(|| {
            let (id, name) = (String::new(), String::new());
            self.calls.push(Known { index, id, name, arguments: String::new(), is_told: false });
            self.calls.len() - 1
        })
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Arguments are JSON in a string; some servers send the object itself.
fn arguments(raw: Option<&RawValue>) -> String {
    match raw.map(RawValue::get) {
        None | Some("null") => String::new(),
        Some(json) => serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned()),
    }
}
