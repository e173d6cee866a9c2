//! What a Claude model takes, told by its name. What one generation asks for the next one refuses (status 400), and a client that
//! wrote for another model, or in another dialect, cannot know which one answers.
//!
//! | models | thoughts | `temperature`, `top_p`, `top_k` | effort | schemas |
//! |---|---|---|---|---|
//! | before 4.5, and names that are not Claude's | a budget of tokens | taken | refused | refused |
//! | 4.5 | a budget of tokens | taken | refused | taken |
//! | 4.6 | when asked for | taken | up to high, and max | taken |
//! | 4.7, 4.8 | when asked for | refused | all | taken |
//! | Opus 5, Sonnet 5, Haiku 5.5 | unless disabled | refused | all | taken |
//! | Fable, Mythos, the other models since 5.5 | always; no tool can be forced | refused | all | taken |

use serde_json::{Value, json};

use crate::Effort;

/// Fewest tokens of a budget for thoughts.
const BUDGET_MIN: u64 = 1024;

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It does not unless it is given a budget of tokens.
    Budgeted,
    /// It does not unless asked, and finds out itself how much.
    Asked,
    /// It does unless that is disabled.
    Usual,
    /// It does.
    Always,
}

/// What a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) thinking: Thinking,
    /// `temperature`, `top_p` and `top_k`.
    pub(super) sampling: bool,
    /// A schema of the answer, and tools with `strict`.
    pub(super) schemas: bool,
    /// The words of `output_config.effort`, from little to much.
    efforts: &'static [&'static str],
}

/// What is said about thinking.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Setting {
    pub(super) thinking: Option<Value>,
    pub(super) effort: Option<&'static str>,
}

impl Model {
    /// What the model of this name takes.
    pub(super) fn named(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let Some((_, words)) = name.split_once("claude") else { return Self::budgeted(false) };
        match version(words) {
            Some(version) if version < (4, 5) => Self::budgeted(false),
            Some((4, 5)) => Self::budgeted(true),
            Some((4, 6)) => Self { thinking: Thinking::Asked, sampling: true, schemas: true, efforts: &["low", "medium", "high", "max"] },
            // A name without a number is taken for the newest.
            version => Self {
                thinking: generation(words, version.unwrap_or((u32::MAX, 0))),
                sampling: false,
                schemas: true,
                efforts: &["low", "medium", "high", "xhigh", "max"],
            },
        }
    }

    fn budgeted(schemas: bool) -> Self {
        Self { thinking: Thinking::Budgeted, sampling: true, schemas, efforts: &[] }
    }

    /// Whether `output_config.effort` is taken.
    pub(super) fn takes_effort(&self) -> bool {
        !self.efforts.is_empty()
    }

    /// Whether the model takes this `thinking.type`.
    pub(super) fn takes_thinking(&self, kind: &str) -> bool {
        match kind {
            "enabled" => self.sampling,
            "adaptive" => self.thinking != Thinking::Budgeted,
            "disabled" => self.thinking != Thinking::Always,
            _ => self.thinking == Thinking::Always,
        }
    }

    /// Whether a tool can be forced; models that always think call tools when they like.
    pub(super) fn takes_forced_tools(&self) -> bool {
        self.thinking != Thinking::Always
    }

    /// How the model is told to think so much. `forced` is whether it must call a tool: thoughts do not go with that.
    pub(super) fn setting(&self, effort: Option<&Effort>, forced: bool, output_tokens_max: u64) -> Setting {
        let wanted = effort.map(tokens);
        let thinks = wanted.is_some_and(|tokens| tokens > 0) && (!forced || self.thinking == Thinking::Always);
        let word = wanted.filter(|&tokens| tokens > 0).and_then(|tokens| self.word(effort, tokens));
        match self.thinking {
            Thinking::Budgeted => {
                let budget = wanted.filter(|_| thinks).and_then(|tokens| budget(tokens, output_tokens_max));
                let thinking = budget.map(|tokens| json!({"type": "enabled", "budget_tokens": tokens}));
                Setting { thinking, effort: None }
            }
            // Newer models hide their thoughts unless told otherwise; they cost the same.
            _ if thinks => Setting { thinking: Some(json!({"type": "adaptive", "display": "summarized"})), effort: word },
            // Not to think is taken together with efforts up to high only.
            Thinking::Usual if wanted.is_some() || forced => {
                let word = word.map(|word| if matches!(word, "xhigh" | "max") { "high" } else { word });
                Setting { thinking: Some(json!({"type": "disabled"})), effort: word }
            }
            Thinking::Always if wanted == Some(0) => Setting { thinking: None, effort: Some("low") },
            _ => Setting { thinking: None, effort: word },
        }
    }

    /// The model's word for an effort: the client's own where the model knows it.
    fn word(&self, effort: Option<&Effort>, tokens: u64) -> Option<&'static str> {
        let near = match tokens {
            0..=4096 => "low",
            4097..=12_288 => "medium",
            _ => "high",
        };
        let own = match effort {
            Some(Effort::Word(word)) => self.efforts.iter().find(|known| *known == word),
            _ => None,
        };
        own.or_else(|| self.efforts.iter().find(|known| **known == near)).copied()
    }
}

/// How the models since 4.7 think.
fn generation(words: &str, version: (u32, u32)) -> Thinking {
    let is = |family: &str| words.contains(family);
    match version {
        (4, _) => Thinking::Asked,
        _ if is("fable") || is("mythos") => Thinking::Always,
        (5, 0) => Thinking::Usual,
        _ if is("haiku") => Thinking::Usual,
        _ => Thinking::Always,
    }
}

/// The version in what follows `claude` (`-sonnet-4-5-20250929`, `-3-7-sonnet-latest`, `-opus-4.6`): its first number of one or two
/// digits, and the next one if it follows at once. A date is no version.
fn version(words: &str) -> Option<(u32, u32)> {
    let number = |word: &str| if word.len() <= 2 { word.parse::<u32>().ok() } else { None };
    let mut words = words.split(|letter: char| !letter.is_ascii_alphanumeric());
    let major = words.by_ref().find_map(number)?;
    Some((major, words.next().and_then(number).unwrap_or(0)))
}

/// The tokens an effort stands for where a budget is asked for; 0 is no thinking. Words we do not know count as medium.
fn tokens(effort: &Effort) -> u64 {
    match effort {
        Effort::Tokens(tokens) => *tokens,
        Effort::Word(word) => match word.as_str() {
            "none" | "off" | "disabled" => 0,
            "minimal" => BUDGET_MIN,
            "low" => 2048,
            "high" => 16_384,
            "xhigh" => 24_576,
            "max" => 32_768,
            _ => 8192,
        },
    }
}

/// A budget for thoughts within an answer of so many tokens: a quarter of them stays for what is said. `None` when that leaves
/// less than the API takes.
pub(super) fn budget(wanted: u64, output_tokens_max: u64) -> Option<u64> {
    let budget = wanted.max(BUDGET_MIN).min(output_tokens_max - output_tokens_max / 4);
    (budget >= BUDGET_MIN && budget < output_tokens_max).then_some(budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_a_model_takes() {
        let check = |name: &str, thinking: Thinking, sampling: bool, schemas: bool| {
            let model = Model::named(name);
            assert_eq!((model.thinking, model.sampling, model.schemas), (thinking, sampling, schemas), "{name}");
        };
        check("claude-2.1", Thinking::Budgeted, true, false);
        check("claude-3-opus-20240229", Thinking::Budgeted, true, false);
        check("claude-3-7-sonnet-latest", Thinking::Budgeted, true, false);
        check("claude-sonnet-4-20250514", Thinking::Budgeted, true, false);
        check("claude-opus-4-1-20250805", Thinking::Budgeted, true, false);
        check("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Thinking::Budgeted, true, true);
        check("anthropic/claude-haiku-4.5", Thinking::Budgeted, true, true);
        check("Claude-Opus-4-6", Thinking::Asked, true, true);
        check("claude-opus-4-7", Thinking::Asked, false, true);
        check("claude-opus-4-8@20260528", Thinking::Asked, false, true);
        check("claude-sonnet-5", Thinking::Usual, false, true);
        check("claude-opus-5", Thinking::Usual, false, true);
        check("claude-fable-5", Thinking::Always, false, true);
        check("claude-haiku-5-5", Thinking::Usual, false, true);
        check("claude-opus-5-5", Thinking::Always, false, true);
        check("claude-sonnet-5-5", Thinking::Always, false, true);
        check("claude-mythos-preview", Thinking::Always, false, true);
        check("glm-5.3", Thinking::Budgeted, true, false);
        check("", Thinking::Budgeted, true, false);
    }

    #[test]
    fn an_effort_becomes_what_the_model_takes() {
        let check = |name: &str, effort: Effort, forced: bool, max: u64, thinking: Value, word: Option<&str>| {
            let setting = Model::named(name).setting(Some(&effort), forced, max);
            assert_eq!((setting.thinking.unwrap_or_default(), setting.effort), (thinking, word), "{name} {effort:?} {forced} {max}");
        };
        let word = |word: &str| Effort::Word(word.to_owned());
        let budget = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
        let (adaptive, disabled) = (json!({"type": "adaptive", "display": "summarized"}), json!({"type": "disabled"}));

        check("claude-sonnet-4-5", word("high"), false, 64_000, budget(16_384), None);
        check("claude-sonnet-4-5", word("high"), false, 4000, budget(3000), None);
        check("claude-sonnet-4-5", word("minimal"), false, 1366, budget(1024), None);
        check("claude-sonnet-4-5", word("high"), false, 1364, Value::Null, None);
        check("claude-sonnet-4-5", word("none"), false, 64_000, Value::Null, None);
        check("claude-sonnet-4-5", word("high"), true, 64_000, Value::Null, None);
        check("claude-sonnet-4-5", Effort::Tokens(5000), false, 64_000, budget(5000), None);
        check("claude-sonnet-4-5", Effort::Tokens(7), false, 64_000, budget(1024), None);
        check("claude-sonnet-4-5", Effort::Tokens(0), false, 64_000, Value::Null, None);
        check("claude-opus-4-6", word("xhigh"), false, 100, adaptive.clone(), Some("high"));
        check("claude-opus-4-6", word("max"), false, 100, adaptive.clone(), Some("max"));
        check("claude-opus-4-7", word("xhigh"), false, 100, adaptive.clone(), Some("xhigh"));
        check("claude-opus-4-7", word("minimal"), false, 100, adaptive.clone(), Some("low"));
        check("claude-opus-4-7", Effort::Tokens(9000), false, 100, adaptive.clone(), Some("medium"));
        check("claude-opus-4-7", word("none"), false, 100, Value::Null, None);
        check("claude-opus-4-7", word("high"), true, 100, Value::Null, Some("high"));
        check("claude-opus-5", word("none"), false, 100, disabled.clone(), None);
        check("claude-opus-5", word("max"), true, 100, disabled.clone(), Some("high"));
        check("claude-fable-5-1", word("none"), false, 100, Value::Null, Some("low"));
        check("claude-fable-5-1", word("max"), true, 100, adaptive, Some("max"));

        let silent = |name: &str, forced: bool| Model::named(name).setting(None, forced, 100);
        assert_eq!(silent("claude-opus-5", false), Setting::default());
        assert_eq!(silent("claude-opus-5", true), Setting { thinking: Some(disabled), effort: None });
        assert_eq!(silent("claude-opus-4-8", true), Setting::default());
    }
}
