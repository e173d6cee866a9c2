//! What to ask in each dialect, and how to read what it answers.

use lab3_mock::Mock;
use serde_json::{Value, json};

use crate::client::{Reply, post};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Chat,
    Responses,
    Anthropic,
    Gemini,
    OllamaChat,
    OllamaGenerate,
}

pub use Dialect::{Anthropic, Chat, Gemini, OllamaChat, OllamaGenerate, Responses};

pub const ALL: [Dialect; 6] = [Chat, Responses, Anthropic, Gemini, OllamaChat, OllamaGenerate];

/// What an answer says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    pub finish: Option<String>,
    /// Tokens of the query and of the answer.
    pub usage: Option<(u64, u64)>,
}

impl Dialect {
    pub fn path(self, model: &str, stream: bool) -> String {
        match self {
            Chat => "/v1/chat/completions".to_owned(),
            Responses => "/v1/responses".to_owned(),
            Anthropic => "/v1/messages".to_owned(),
            Gemini if stream => format!("/v1beta/models/{}:streamGenerateContent?alt=sse", model.replace(' ', "%20")),
            Gemini => format!("/v1beta/models/{}:generateContent", model.replace(' ', "%20")),
            OllamaChat => "/api/chat".to_owned(),
            OllamaGenerate => "/api/generate".to_owned(),
        }
    }

    /// A query of three words.
    pub fn body(self, model: &str, stream: bool, limit: u64) -> Value {
        let messages = json!([{ "role": "user", "content": "one two three" }]);
        match self {
            Chat => json!({
                "model": model, "messages": messages, "stream": stream, "max_completion_tokens": limit,
                "stream_options": { "include_usage": true }
            }),
            Responses => json!({ "model": model, "input": "one two three", "stream": stream, "max_output_tokens": limit }),
            Anthropic => json!({ "model": model, "messages": messages, "stream": stream, "max_tokens": limit }),
            Gemini => json!({
                "contents": [{ "role": "user", "parts": [{ "text": "one two three" }] }], "generationConfig": { "maxOutputTokens": limit }
            }),
            OllamaChat => json!({ "model": model, "messages": messages, "stream": stream, "options": { "num_predict": limit } }),
            OllamaGenerate => json!({ "model": model, "prompt": "one two three", "stream": stream, "options": { "num_predict": limit } }),
        }
    }

    pub fn ask(self, mock: &Mock, model: &str, stream: bool, limit: u64) -> Reply {
        post(mock, &self.path(model, stream), &self.body(model, stream, limit))
    }

    pub fn read(self, reply: &Reply, stream: bool) -> Said {
        let events = if stream { reply.events() } else { vec![reply.json()] };
        let mut said = Said::default();
        for event in &events {
            self.add(&mut said, event);
        }
        said
    }

    fn add(self, said: &mut Said, event: &Value) {
        let (texts, finish, usage, counts): (&[&str], _, _, _) = match self {
            Chat => (
                &["/choices/0/delta/content", "/choices/0/message/content"],
                "/choices/0/finish_reason",
                "/usage",
                ["prompt_tokens", "completion_tokens"],
            ),
            Responses => return add_response(said, event),
            Anthropic => (&["/delta/text", "/content/0/text"], "/stop_reason", "/usage", ["input_tokens", "output_tokens"]),
            Gemini => (
                &["/candidates/0/content/parts/0/text"],
                "/candidates/0/finishReason",
                "/usageMetadata",
                ["promptTokenCount", "candidatesTokenCount"],
            ),
            OllamaChat => (&["/message/content"], "/done_reason", "", ["prompt_eval_count", "eval_count"]),
            OllamaGenerate => (&["/response"], "/done_reason", "", ["prompt_eval_count", "eval_count"]),
        };
        for text in texts.iter().filter_map(|place| event.pointer(place)?.as_str()) {
            said.text.push_str(text);
        }
        for place in [finish, "/delta/stop_reason"] {
            if let Some(Value::String(reason)) = event.pointer(place) {
                said.finish = Some(reason.clone());
            }
        }
        if let Some(usage) = event.pointer(usage) {
            add_usage(said, usage, counts);
        }
    }
}

fn add_response(said: &mut Said, event: &Value) {
    if event["type"] == "response.output_text.delta" {
        said.text.push_str(event["delta"].as_str().unwrap());
    }
    let response = if event["object"] == "response" { event } else { &event["response"] };
    // In the stream the deltas have the text already.
    if event["object"] == "response" {
        let texts = response["output"].as_array().unwrap().iter().filter_map(|item| item.pointer("/content/0/text")?.as_str());
        texts.for_each(|text| said.text.push_str(text));
    }
    match response["status"].as_str() {
        Some("completed") => said.finish = Some("completed".to_owned()),
        Some("incomplete") => said.finish = Some(response["incomplete_details"]["reason"].as_str().unwrap().to_owned()),
        _ => {}
    }
    add_usage(said, &response["usage"], ["input_tokens", "output_tokens"]);
}

fn add_usage(said: &mut Said, usage: &Value, [input, output]: [&str; 2]) {
    if let (Some(input), Some(output)) = (usage[input].as_u64(), usage[output].as_u64()) {
        said.usage = Some((input, output));
    }
}
