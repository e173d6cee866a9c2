//! OpenAI's responses.

use serde::Deserialize;

use super::{ARGUMENTS_END, ARGUMENTS_START, Answer, Ask, CREATED, Dialect, Head, body, json, json_inner, openai_chat, when};
use crate::plan::{Plan, SEQUENCE};
use crate::script::UsageMode;
use crate::words::Words;

pub(crate) struct OpenaiResponses;

#[derive(Deserialize)]
struct Request {
    model: String,
    input: Words,
    #[serde(default)]
    instructions: Words,
    #[serde(default)]
    stream: Option<bool>,
    max_output_tokens: Option<u64>,
}

impl Dialect for OpenaiResponses {
    fn read(_: Head<'_>, bytes: &[u8]) -> Result<Ask, String> {
        let request = body::<Request>(bytes)?;
        Ok(Ask {
            model: request.model,
            stream: request.stream.unwrap_or(false),
            limit: request.max_output_tokens,
            words: request.input.0 + request.instructions.0,
            answers: 1,
            ..Ask::default()
        })
    }

    fn stream(answer: &Answer<'_>) -> Plan {
        let writer = Writer { answer };
        let mut plan = Plan::default();
        let opened = writer.response("in_progress", "", &writer.opening_usage());
        plan.event(event("response.created", &format!(r#""response":{opened}"#)));
        let thinks = answer.reasoning > 0;
        let hidden = if answer.tells_thoughts(false) { 0 } else { answer.reasoning };
        plan.hidden(event("response.in_progress", &format!(r#""response":{opened}"#)), hidden);
        if thinks {
            writer.think(&mut plan);
        }
        let place = u32::from(thinks);
        if answer.script.tool.is_some() {
            writer.call(&mut plan, place)
        } else {
            writer.say(&mut plan, place)
        }
        if answer.script.done && answer.script.finish.as_deref() != Some("none") {
            let (status, _) = writer.status();
            plan.event(event(&format!("response.{status}"), &format!(r#""response":{}"#, writer.ended())));
        }
        plan
    }

    fn whole(answer: &Answer<'_>) -> String {
        Writer { answer }.ended()
    }

    fn error(status: u16, message: &str, _: Option<u64>) -> String {
        openai_chat::error(status, message)
    }

    fn stream_error(answer: &Answer<'_>) -> Vec<String> {
        let message = json("The server had an error while processing your request (scripted)");
        let error = event("error", &format!(r#""code":"server_error","message":{message},"param":null"#));
        let failed = Writer { answer }.response("failed", "", "null");
        let reason = format!(r#""error":{{"code":"server_error","message":{message}}}"#);
        let failed = failed.replacen(r#""error":null"#, &reason, 1);
        vec![error, event("response.failed", &format!(r#""response":{failed}"#))]
    }
}

/// An event; its rest is what follows its number.
fn event(kind: &str, rest: &str) -> String {
    format!("event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{SEQUENCE},{rest}}}\n\n")
}

struct Writer<'a> {
    answer: &'a Answer<'a>,
}

impl Writer<'_> {
    /// The response's status and, when it is not complete, the reason.
    fn status(&self) -> (&str, Option<&str>) {
        match self.answer.script.finish.as_deref() {
            Some("completed") => ("completed", None),
            Some("failed") => ("failed", None),
            Some(reason) if reason != "none" => ("incomplete", Some(reason)),
            _ if self.answer.is_short => ("incomplete", Some("max_output_tokens")),
            _ => ("completed", None),
        }
    }

    fn item_status(&self) -> &str {
        if self.status().0 == "completed" { "completed" } else { "incomplete" }
    }

    fn message(&self, status: &str, content: &str) -> String {
        let serial = self.answer.serial;
        format!(r#"{{"id":"msg_mock{serial}","type":"message","status":"{status}","role":"assistant","content":[{content}]}}"#)
    }

    fn reasoning(&self, summary: &str) -> String {
        format!(r#"{{"id":"rs_mock{}","type":"reasoning","summary":[{summary}]}}"#, self.answer.serial)
    }

    fn function_call(&self, status: &str, arguments: &str) -> String {
        let (serial, name) = (self.answer.serial, json(self.answer.script.tool.as_deref().unwrap_or_default()));
        format!(
            r#"{{"id":"fc_mock{serial}","type":"function_call","status":"{status}","call_id":"call_mock{serial}","name":{name},"arguments":{}}}"#,
            json(arguments)
        )
    }

    /// The response as it ended.
    fn ended(&self) -> String {
        let mut output = Vec::with_capacity(2);
        if self.answer.reasoning > 0 {
            output.push(self.reasoning(&self.summary()));
        }
        output.push(match &self.answer.script.tool {
            Some(_) => self.function_call(self.item_status(), &self.answer.arguments()),
            None => self.message(self.item_status(), &text_part(&self.answer.said_text())),
        });
        let usage = match self.answer.script.usage {
            UsageMode::None => String::new(),
            UsageMode::StartOnly if self.answer.ask.stream => "null".to_owned(),
            UsageMode::Null => "null".to_owned(),
            _ => self.usage_object(),
        };
        self.response(self.status().0, &output.join(","), &usage)
    }

    fn summary(&self) -> String {
        when(self.answer.tells_thoughts(false), || format!(r#"{{"type":"summary_text","text":{}}}"#, json(&self.answer.thought_text())))
    }

    /// The response; without usage when that is empty.
    fn response(&self, status: &str, output: &str, usage: &str) -> String {
        let reason = (status == "incomplete").then(|| self.status().1).flatten();
        let incomplete = reason.map_or_else(|| "null".to_owned(), |reason| format!(r#"{{"reason":{}}}"#, json(reason)));
        let limit = self.answer.ask.limit.map_or_else(|| "null".to_owned(), |limit| limit.to_string());
        let usage = when(!usage.is_empty(), || format!(r#","usage":{usage}"#));
        format!(
            r#"{{"id":"resp_mock{}","object":"response","created_at":{CREATED},"status":"{status}","background":false,"error":null,"incomplete_details":{incomplete},"instructions":null,"max_output_tokens":{limit},"metadata":{{}},"model":{},"output":[{output}],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{{"effort":null,"summary":null}},"service_tier":"default","store":true,"temperature":1.0,"text":{{"format":{{"type":"text"}}}},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","user":null{usage}}}"#,
            self.answer.serial, self.answer.model
        )
    }

    fn usage_object(&self) -> String {
        let usage = self.answer.usage();
        format!(
            r#"{{"input_tokens":{},"input_tokens_details":{{"cached_tokens":{},"cache_write_tokens":{}}},"output_tokens":{},"output_tokens_details":{{"reasoning_tokens":{}}},"total_tokens":{}}}"#,
            usage.input,
            usage.cached,
            usage.written(),
            usage.output,
            usage.reasoning,
            usage.total()
        )
    }

    /// What the first events tell.
    fn opening_usage(&self) -> String {
        match self.answer.script.usage {
            UsageMode::None => String::new(),
            UsageMode::StartOnly | UsageMode::Every => self.usage_object(),
            _ => "null".to_owned(),
        }
    }

    /// The item of thoughts: told as a summary, or empty.
    fn think(&self, plan: &mut Plan) {
        let item = |kind, item: &str| event(kind, &format!(r#""output_index":0,"item":{item}"#));
        plan.event(item("response.output_item.added", &self.reasoning("")));
        if self.answer.tells_thoughts(false) {
            let at = format!(r#""item_id":"rs_mock{}","output_index":0,"summary_index":0"#, self.answer.serial);
            let part = |kind, text: &str| event(kind, &format!(r#"{at},"part":{{"type":"summary_text","text":{}}}"#, json(text)));
            plan.event(part("response.reasoning_summary_part.added", ""));
            for thought in self.answer.thought_events() {
                let delta = event("response.reasoning_summary_text.delta", &format!(r#"{at},"delta":{}"#, json(&thought.text)));
                plan.tokens([delta], thought.times, thought.tokens);
            }
            let text = self.answer.thought_text();
            plan.event(event("response.reasoning_summary_text.done", &format!(r#"{at},"text":{}"#, json(&text))));
            plan.event(part("response.reasoning_summary_part.done", &text));
        }
        plan.event(item("response.output_item.done", &self.reasoning(&self.summary())));
    }

    fn say(&self, plan: &mut Plan, place: u32) {
        let item = |kind, item: &str| event(kind, &format!(r#""output_index":{place},"item":{item}"#));
        let at = format!(r#""item_id":"msg_mock{}","output_index":{place},"content_index":0"#, self.answer.serial);
        plan.event(item("response.output_item.added", &self.message("in_progress", "")));
        plan.event(event("response.content_part.added", &format!(r#"{at},"part":{}"#, text_part(""))));
        for said in self.answer.said_events() {
            let delta = event("response.output_text.delta", &format!(r#"{at},"delta":{},"logprobs":[]"#, json(&said.text)));
            plan.tokens([delta], said.times, said.tokens);
        }
        let text = self.answer.said_text();
        plan.event(event("response.output_text.done", &format!(r#"{at},"text":{},"logprobs":[]"#, json(&text))));
        plan.event(event("response.content_part.done", &format!(r#"{at},"part":{}"#, text_part(&text))));
        plan.event(item("response.output_item.done", &self.message(self.item_status(), &text_part(&text))));
    }

    fn call(&self, plan: &mut Plan, place: u32) {
        let item = |kind, item: &str| event(kind, &format!(r#""output_index":{place},"item":{item}"#));
        let at = format!(r#""item_id":"fc_mock{}","output_index":{place}"#, self.answer.serial);
        let delta = |text: &str| event("response.function_call_arguments.delta", &format!(r#"{at},"delta":{}"#, json(text)));
        plan.event(item("response.output_item.added", &self.function_call("in_progress", "")));
        plan.event(delta(ARGUMENTS_START));
        for said in self.answer.said_events() {
            plan.tokens([delta(&json_inner(&said.text))], said.times, said.tokens);
        }
        if !self.answer.is_short {
            plan.event(delta(ARGUMENTS_END));
        }
        let arguments = self.answer.arguments();
        let name = json(self.answer.script.tool.as_deref().unwrap_or_default());
        let done = format!(r#"{at},"name":{name},"arguments":{}"#, json(&arguments));
        plan.event(event("response.function_call_arguments.done", &done));
        plan.event(item("response.output_item.done", &self.function_call(self.item_status(), &arguments)));
    }
}

fn text_part(text: &str) -> String {
    format!(r#"{{"type":"output_text","annotations":[],"logprobs":[],"text":{}}}"#, json(text))
}
