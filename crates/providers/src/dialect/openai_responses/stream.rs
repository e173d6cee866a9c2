//! OpenAI's events, read into pieces.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dialect::openai_chat::{count, message_of, read_usage};
use crate::dialect::{Broken, Reader};
use crate::{EventReader, Finish, Piece};

/// Reads the events of one answer.
#[derive(Debug, Default)]
pub(super) struct EventsReader {
    events: EventReader,
    answer: Reading,
}

#[derive(Debug, Default)]
struct Reading {
    is_done: bool,
    /// The calls so far: the place of each among the items, and whether its arguments came.
    calls: Vec<(u64, bool)>,
}

impl Reader for EventsReader {
    fn read(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let Self { events, answer } = self;
        let mut result = Ok(());
        let read = events.push(bytes, |event| {
            if result.is_ok() && !answer.is_done {
                result = answer.event(&event.data, pieces);
            }
        });
        result?;
        read.map_err(|broken| Broken::Malformed(broken.to_string()))
    }

    fn is_done(&self) -> bool {
        self.answer.is_done
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: String,
    delta: Option<Value>,
    #[serde(default)]
    output_index: u64,
    #[serde(default)]
    summary_index: u64,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

impl Reading {
    fn event(&mut self, data: &str, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let data = data.trim();
        if data.is_empty() || data.starts_with("[DONE]") {
            return Ok(());
        }
        let malformed = |error: serde_json::Error| Broken::Malformed(error.to_string());
        let event: Event<'_> = serde_json::from_str(data).map_err(malformed)?;
        let parse = |raw: Option<&RawValue>| raw.map_or(Ok(Value::Null), |raw| serde_json::from_str(raw.get())).map_err(malformed);
        let delta = || event.delta.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        match event.kind.as_str() {
            "response.created" => {
                let response = parse(event.response)?;
                pieces.push(Piece::Start { id: text(&response["id"]), model: text(&response["model"]) });
            }
            "response.output_text.delta" => pieces.push(Piece::Text(delta())),
            "response.refusal.delta" => pieces.push(Piece::Refusal(delta())),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => pieces.push(Piece::Thinking(delta())),
            "response.reasoning_summary_part.added" if event.summary_index > 0 => pieces.push(Piece::Thinking("\n\n".to_owned())),
            "response.output_item.added" => self.item(event.output_index, &parse(event.item)?, false, pieces),
            "response.output_item.done" => self.item(event.output_index, &parse(event.item)?, true, pieces),
            "response.function_call_arguments.delta" => self.arguments(event.output_index, delta(), pieces),
            "response.completed" | "response.incomplete" => self.end(&parse(event.response)?, pieces),
            "response.failed" | "response.cancelled" => {
                let response = parse(event.response)?;
                pieces.extend(used(&response));
                return Err(Broken::Failed(message_of(&response)));
            }
            "error" => return Err(Broken::Failed(message_of(&parse_any(data)))),
            _ => {}
        }
        Ok(())
    }

    /// An item that is announced or done.
    fn item(&mut self, place: u64, item: &Value, is_done: bool, pieces: &mut Vec<Piece>) {
        match item["type"].as_str() {
            Some("function_call") => {
                if self.call(place).is_none() {
                    let call = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
                    self.calls.push((place, false));
                    pieces.push(Piece::ToolCall { call, id: text(&item["call_id"]), name: text(&item["name"]) });
                }
                // Arguments that did not come piece by piece.
                if is_done && self.call(place).is_some_and(|(_, came)| !came) {
                    self.arguments(place, text(&item["arguments"]), pieces);
                }
            }
            Some("reasoning") if is_done => {
                pieces.extend(item["encrypted_content"].as_str().map(|proof| Piece::Signature(proof.to_owned())));
            }
            _ => {}
        }
    }

    fn arguments(&mut self, place: u64, json: String, pieces: &mut Vec<Piece>) {
        let Some((call, _)) = self.call(place) else { return };
        if let Some((_, came)) = self.calls.iter_mut().find(|(known, _)| *known == place) {
            *came = true;
        }
        if !json.is_empty() {
            pieces.push(Piece::Arguments { call, json });
        }
    }

    /// The number of the call at a place, and whether arguments came.
    fn call(&self, place: u64) -> Option<(u32, bool)> {
        (0..).zip(&self.calls).find(|(_, (known, _))| *known == place).map(|(call, (_, came))| (call, *came))
    }

    fn end(&mut self, response: &Value, pieces: &mut Vec<Piece>) {
        self.is_done = true;
        pieces.push(Piece::Finish(match response["incomplete_details"]["reason"].as_str() {
            Some("content_filter") => Finish::Filtered,
            Some(_) => Finish::Length,
            None if response["status"] == "incomplete" => Finish::Length,
            None if !self.calls.is_empty() => Finish::ToolCalls,
            None => Finish::Stop,
        }));
        pieces.extend(used(response));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn parse_any(data: &str) -> Value {
    serde_json::from_str(data).unwrap_or_default()
}

/// What was used, the runs of OpenAI's own tools among it.
fn used(response: &Value) -> Option<Piece> {
    let mut usage = read_usage(&response["usage"].to_string())?;
    let items = response["output"].as_array().map(Vec::as_slice).unwrap_or_default();
    let runs = |kinds: &[&str]| {
        let runs = items.iter().filter(|item| item["type"].as_str().is_some_and(|kind| kinds.contains(&kind)));
        // To open a page that was found, or to look for a word in it, costs nothing.
        let runs = runs.filter(|item| item["action"]["type"].as_str().is_none_or(|action| action == "search"));
        u64::try_from(runs.count()).unwrap_or(u64::MAX)
    };
    // xAI counted them already.
    if usage.tool_runs == 0 {
        let searches = count(&response["tool_usage"]["web_search"]["num_requests"]).unwrap_or_else(|| runs(&["web_search_call"]));
        // Code costs by the container, however often it runs there.
        let code = items.iter().filter(|item| item["type"] == "code_interpreter_call");
        let containers = code.map(|item| item["container_id"].as_str()).collect::<BTreeSet<_>>();
        let containers = u64::try_from(containers.len()).unwrap_or(u64::MAX);
        usage.tool_runs = searches.saturating_add(containers).saturating_add(runs(&["file_search_call", "image_generation_call"]));
    }
    Some(Piece::Usage(usage))
}
