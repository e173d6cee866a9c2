//! The calls of a storm: who is asked in which protocol, how the provider behaves, and when the client leaves.

use std::io::Read as _;
use std::sync::RwLock;
use std::time::Duration;

use lab3_tests::gateway::{PLAYED, Played};
use lab3_tests::{Dice, wait};
use serde_json::{Value, json};
use ureq::Agent;

use crate::CITIZEN;

/// Tokens a mock counts for every query.
pub const QUERY_TOKENS: i64 = 7;

/// Most tokens of an answer that clients ask for: never the reason why one ends.
const LIMITS: [u64; 4] = [4096, 8192, 20_000, 100_000];

const PATHS: [&str; 5] = ["/v1/chat/completions", "/v1/messages", "/api/chat", "/v1/responses", "/api/generate"];

/// How patient clients are: with what answers, and with what hangs.
const PATIENCE: Duration = Duration::from_secs(50);
const LITTLE_PATIENCE: Duration = Duration::from_millis(700);

/// How a provider behaves when asked for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The model, but for its provider.
    name: &'static str,
    /// What the mock is told.
    script: &'static str,
    /// Tokens that come of its answer; `None` when it fails before the first, and another provider answers.
    tokens: Option<i64>,
    /// Of a hundred calls so many are of this kind.
    share: u32,
    hangs: bool,
}

/// Most answer; some fail before their first word, break off, stop and stay, or say more than they may. The first is what is asked when
/// another provider failed.
#[rustfmt::skip]
const MANNERS: [Manner; 8] = [
    Manner { name: "usual", script: "tokens=120;per_event=4;gap_ms=1", tokens: Some(120), share: 33, hangs: false },
    Manner { name: "short", script: "tokens=50;per_event=2;gap_ms=1", tokens: Some(50), share: 25, hangs: false },
    Manner { name: "quick", script: "tokens=300;per_event=25", tokens: Some(300), share: 15, hangs: false },
    Manner { name: "long", script: "tokens=900;per_event=18;gap_ms=2", tokens: Some(900), share: 5, hangs: false },
    Manner { name: "fails", script: "fail=503", tokens: None, share: 8, hangs: false },
    Manner { name: "closes", script: "fail=close", tokens: None, share: 3, hangs: false },
    Manner { name: "breaks", script: "tokens=120;cut_after=15;per_event=2;gap_ms=1", tokens: Some(30), share: 6, hangs: false },
    Manner { name: "hangs", script: "tokens=120;hang_after=10;per_event=2;gap_ms=1", tokens: Some(20), share: 5, hangs: true },
];

/// The models of a provider, as the desk is told them.
pub fn models(played: &Played) -> Vec<String> {
    MANNERS.iter().map(|manner| model(played, manner)).collect()
}

fn model(played: &Played, manner: &Manner) -> String {
    format!("{}-{};id={};input={QUERY_TOKENS};{}", manner.name, played.name, played.name, manner.script)
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    played: Played,
    manner: Manner,
    path: &'static str,
    stream: bool,
    limit: u64,
    /// After so many bytes of a stream the client leaves.
    leaves_after: Option<usize>,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer came to its end.
    Answered,
    /// An answer came that ended before its provider wanted to.
    Short,
    /// Refused for want of budget.
    Refused,
    /// Nobody answered, or not to the end.
    Failed,
    /// The client left.
    Left,
    /// The desk went.
    Lost,
}

impl Call {
    /// Any call.
    pub fn any(dice: &mut Dice) -> Self {
        let mut roll = dice.below(MANNERS.iter().map(|manner| manner.share).sum());
        let mut manner = MANNERS[0];
        for one in MANNERS {
            if roll < one.share {
                manner = one;
                break;
            }
            roll -= one.share;
        }
        let stream = dice.below(2) == 0;
        let leaves_after = (stream && !manner.hangs && dice.below(8) == 0).then(|| 200 + dice.below(4000) as usize);
        Self { played: *pick(dice, &PLAYED), manner, path: pick::<&str>(dice, &PATHS), stream, limit: *pick(dice, &LIMITS), leaves_after }
    }

    /// What it truly costs at the provider it names, whole; where that one fails, at the cheapest of the others. In KS.
    pub fn cost(&self) -> i64 {
        if let Some(tokens) = self.manner.tokens {
            return self.played.rate * (QUERY_TOKENS + tokens);
        }
        let others = PLAYED.iter().filter(|other| other.name != self.played.name);
        others.map(|other| other.rate).min().unwrap() * (QUERY_TOKENS + MANNERS[0].tokens.unwrap())
    }

    fn body(&self) -> Value {
        let (model, stream, limit) = (model(&self.played, &self.manner), self.stream, self.limit);
        let messages = json!([{"role": "user", "content": "hello there"}]);
        match self.path {
            "/v1/responses" => json!({"model": model, "stream": stream, "input": "hello there", "max_output_tokens": limit}),
            "/api/generate" => json!({"model": model, "stream": stream, "prompt": "hello there", "options": {"num_predict": limit}}),
            "/api/chat" => json!({"model": model, "stream": stream, "messages": messages, "options": {"num_predict": limit}}),
            _ => json!({"model": model, "stream": stream, "messages": messages, "max_tokens": limit}),
        }
    }

    /// Makes the call at the desk whose address stands there. When there is none at the moment, waits until there is.
    pub fn make(&self, address: &RwLock<String>) -> Outcome {
        let patience = if self.manner.hangs { LITTLE_PATIENCE } else { PATIENCE };
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(patience)).proxy(None);
        let agent: Agent = config.build().new_agent();
        let at = wait::until("a desk to ask", || Some(address.read().unwrap().clone()).filter(|address| !address.is_empty()));
        let request = agent.post(format!("http://{at}{}", self.path)).header("x-citizen-did", CITIZEN);
        let gone = if self.manner.hangs { Outcome::Left } else { Outcome::Lost };
        let Ok(mut response) = request.header("content-type", "application/json").send(self.body().to_string()) else { return gone };
        let status = response.status().as_u16();
        assert!(
            matches!(status, 200 | 402 | 502 | 503 | 504),
            "{self:?} was answered {status}: {:?}",
            response.body_mut().read_to_string()
        );
        if let (200, Some(bytes)) = (status, self.leaves_after) {
            let mut some = vec![0; bytes];
            return match response.into_body().into_reader().read_exact(&mut some) {
                Ok(()) => Outcome::Left,
                Err(_) => Outcome::Answered,
            };
        }
        match (status, response.body_mut().read_to_string()) {
            (_, Err(_)) => gone,
            (402, Ok(_)) => Outcome::Refused,
            (200, Ok(text)) if is_broken(&text) => Outcome::Failed,
            (200, Ok(text)) if is_short(&text) => Outcome::Short,
            (200, Ok(text)) => {
                assert!(text.contains("\"cost_gic\""), "{self:?} was answered without a receipt: {text}");
                Outcome::Answered
            }
            _ => Outcome::Failed,
        }
    }
}

/// Whether a stream ends with an error.
fn is_broken(text: &str) -> bool {
    text.contains("\"error\":{") || text.contains("{\"error\":")
}

/// Whether the answer was ended by its limit, in the words of any dialect.
fn is_short(text: &str) -> bool {
    ["\"finish_reason\":\"length\"", "\"stop_reason\":\"max_tokens\"", "\"status\":\"incomplete\"", "\"done_reason\":\"length\""]
        .into_iter()
        .any(|word| text.contains(word))
}

fn pick<'a, T>(dice: &mut Dice, from: &'a [T]) -> &'a T {
    &from[dice.below(u32::try_from(from.len()).unwrap()) as usize]
}
