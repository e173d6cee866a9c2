//! However a stream is cut on its way, the same goes out.

use lab3_providers::Chunk;
use lab3_providers::dialect::anthropic::Anthropic;
use lab3_providers::dialect::ollama::OllamaChat;
use lab3_providers::dialect::openai_chat::{Flavour, OpenAiChat, OpenAiChatBack};
use lab3_providers::dialect::openai_responses::OpenAiResponses;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Dialect, query, receipt};

const CHAT: OpenAiChatBack = OpenAiChatBack { flavour: Flavour::OpenAi };

/// Lines ends, comments between events, and the texts of an answer.
fn shapes() -> impl Strategy<Value = (&'static str, bool, Vec<String>)> {
    (prop::sample::select(vec!["\n", "\r\n", "\r"]), any::<bool>(), prop::collection::vec(".{0,9}", 0..5))
}

fn events(events: Vec<Value>, end: &str, has_comments: bool) -> String {
    let comment = if has_comments { format!(": c{end}{end}") } else { String::new() };
    events.iter().map(|event| format!("{comment}data: {event}{end}{end}")).collect()
}

/// An answer of these texts, in a dialect.
fn answer(dialect: usize, (end, has_comments, texts): &(&'static str, bool, Vec<String>)) -> String {
    let (end, comments) = (*end, *has_comments);
    match dialect {
        0 => {
            let chunk =
                |delta: Value, reason: Value| json!({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
            let said = texts.iter().map(|text| chunk(json!({"content": text}), Value::Null));
            let last = [chunk(json!({}), json!("stop")), json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}})];
            format!("{}data: [DONE]{end}{end}", self::events(said.chain(last).collect(), end, comments))
        }
        1 => {
            let start = json!({"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 1}}});
            let open = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
            let delta = |text: &String| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}});
            let close = json!({"type": "content_block_stop", "index": 0});
            let last = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}});
            let all = [start, open].into_iter().chain(texts.iter().map(delta)).chain([close, last, json!({"type": "message_stop"})]);
            self::events(all.collect(), end, comments)
        }
        2 => {
            let created = json!({"type": "response.created", "response": {"id": "r", "model": "m"}});
            let delta = |text: &String| json!({"type": "response.output_text.delta", "output_index": 0, "delta": text});
            let last = json!({"type": "response.completed", "response": {"id": "r", "status": "completed", "output": texts}});
            self::events([created].into_iter().chain(texts.iter().map(delta)).chain([last]).collect(), end, comments)
        }
        _ => {
            let line = |text: &String| json!({"model": "m", "message": {"role": "assistant", "content": text}, "done": false});
            let last = json!({"model": "m", "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop"});
            texts.iter().map(line).chain([last]).map(|line| format!("{line}{end}")).collect()
        }
    }
}

proptest! {
    #[test]
    fn the_same_goes_out(dialect in 0_usize..4, shape in shapes(), stream: bool, usage: bool, cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let text = answer(dialect, &shape);
        let dialect = [
            Dialect { front: &OpenAiChat, back: &CHAT },
            Dialect { front: &Anthropic, back: &Anthropic },
            Dialect { front: &OpenAiResponses, back: &OpenAiResponses },
            Dialect { front: &OllamaChat, back: &OllamaChat },
        ].into_iter().nth(dialect).unwrap();
        let query = query(stream, usage);
        let mut cuts = cuts.iter().map(|cut| cut.index(text.len())).collect::<Vec<_>>();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let (mut reader, mut writer, mut out) = (dialect.back.reader(), dialect.front.relay(&query).unwrap(), Vec::new());
        for pair in cuts.windows(2) {
            let (bytes, mut pieces) = (&text.as_bytes()[pair[0]..pair[1]], Vec::new());
            reader.read(bytes, &mut pieces).unwrap();
            writer.chunk(&Chunk { bytes: bytes.to_vec().into(), pieces }, &mut out);
        }
        writer.end(&receipt(), &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), dialect.relay(&query, &text, text.len()));
    }
}
