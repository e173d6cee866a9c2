//! What a model's name says of how it is asked: its place in the path, how it is told to think, and whether it checks signatures.

use serde::Serialize;

use crate::Effort;

/// How a model is told to think.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Thinking {
    include_thoughts: bool,
    #[serde(rename = "thinkingBudget", skip_serializing_if = "Option::is_none")]
    budget: Option<u64>,
    #[serde(rename = "thinkingLevel", skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
}

/// How much shall be thought, whichever dialect said it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Most,
}

/// The model's place in the path, percent-encoded: `models/...` unless the name tells another collection.
pub(super) fn path(model: &str) -> String {
    let (collection, name) = match model.split_once('/') {
        Some((collection @ ("models" | "tunedModels"), name)) => (collection, name),
        _ => ("models", model),
    };
    let mut path = format!("{collection}/");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push('%');
            for half in [byte >> 4, byte & 15] {
                path.push(char::from(b"0123456789ABCDEF"[usize::from(half)]));
            }
        }
    }
    path
}

/// A Gemini model's generation: (2, 5) for `gemini-2.5-flash`. The newest for names that tell none (`gemini-flash-latest`);
/// `None` for other models.
fn generation(model: &str) -> Option<(u32, u32)> {
    let name = model.strip_prefix("models/").unwrap_or(model).strip_prefix("gemini-")?;
    let number = |word: &str| {
        let (major, minor) = word.split_once('.').unwrap_or((word, "0"));
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    Some(name.split('-').find_map(number).unwrap_or((u32::MAX, 0)))
}

/// Whether the model refuses calls of functions in the conversation that are not signed: Gemini 3 and later.
pub(super) fn checks_signatures(model: &str) -> bool {
    generation(model) >= Some((3, 0))
}

/// Whether results of tools may hold images: Gemini 3 and later.
pub(super) fn takes_images_of_tools(model: &str) -> bool {
    generation(model) >= Some((3, 0))
}

/// How the model is told to think so much. `None` for models that do not think and would refuse to be told, and for words that
/// mean nothing here.
pub(super) fn thinking(model: &str, effort: &Effort) -> Option<Thinking> {
    let generation = generation(model)?;
    let depth = depth(effort)?;
    let (budget, level) = match generation {
        (2, 5) => (Some(budget(model, depth, effort)), None),
        (3.., _) => (None, Some(level(model, depth))),
        _ => return None,
    };
    Some(Thinking { include_thoughts: depth > Depth::None, budget, level })
}

fn depth(effort: &Effort) -> Option<Depth> {
    Some(match effort {
        Effort::Word(word) => match word.as_str() {
            "none" => Depth::None,
            "minimal" => Depth::Minimal,
            "low" => Depth::Low,
            "medium" => Depth::Medium,
            "high" => Depth::High,
            "xhigh" | "max" => Depth::Most,
            _ => return None,
        },
        Effort::Tokens(0) => Depth::None,
        Effort::Tokens(..=1_024) => Depth::Low,
        Effort::Tokens(..=8_192) => Depth::Medium,
        Effort::Tokens(_) => Depth::High,
    })
}

/// Tokens of thoughts for Gemini 2.5, within what each of its models takes. Words become what Google's own OpenAI endpoint makes
/// of them. Pro cannot be kept from thinking.
fn budget(model: &str, depth: Depth, effort: &Effort) -> u64 {
    let (least, most) = match () {
        () if model.contains("pro") => (128, 32_768),
        () if model.contains("lite") => (512, 24_576),
        () => (1, 24_576),
    };
    let wanted = match (depth, effort) {
        (Depth::None, _) if model.contains("pro") => least,
        (Depth::None, _) => return 0,
        (_, Effort::Tokens(tokens)) => *tokens,
        (Depth::Minimal | Depth::Low, _) => 1_024,
        (Depth::Medium, _) => 8_192,
        (Depth::High, _) => 24_576,
        (Depth::Most, _) => most,
    };
    wanted.clamp(least, most)
}

/// The level for Gemini 3 and later, none of which can be kept from thinking. Pro knows no minimum, and its first model no middle.
fn level(model: &str, depth: Depth) -> &'static str {
    let is_pro = model.contains("pro");
    match depth {
        Depth::None | Depth::Minimal if !is_pro => "MINIMAL",
        Depth::None | Depth::Minimal | Depth::Low => "LOW",
        Depth::Medium if !model.contains("gemini-3-pro") => "MEDIUM",
        Depth::Medium | Depth::High | Depth::Most => "HIGH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_model_has_its_place_in_the_path() {
        for (model, expected) in [
            ("gemini-2.5-flash", "models/gemini-2.5-flash"),
            ("models/gemini-2.5-flash", "models/gemini-2.5-flash"),
            ("tunedModels/mine-7", "tunedModels/mine-7"),
            ("a/../b?key=1#é", "models/a%2F..%2Fb%3Fkey%3D1%23%C3%A9"),
        ] {
            assert_eq!(path(model), expected);
        }
    }

    #[test]
    fn a_name_tells_the_generation() {
        for (model, expected) in [
            ("gemini-2.5-pro", Some((2, 5))),
            ("models/gemini-2.5-flash-preview-09-2025", Some((2, 5))),
            ("gemini-3-pro-preview", Some((3, 0))),
            ("gemini-3.1-flash-lite", Some((3, 1))),
            ("gemini-robotics-er-1.5-preview", Some((1, 5))),
            ("gemini-flash-latest", Some((u32::MAX, 0))),
            ("gemma-3-27b-it", None),
            ("tunedModels/gemini-3-mine", None),
        ] {
            assert_eq!(generation(model), expected, "{model}");
        }
    }

    fn check(model: &str, effort: &Effort, expected: &serde_json::Value) {
        let found = thinking(model, effort).map(|thinking| serde_json::to_value(thinking).unwrap());
        assert_eq!(&json!(found), expected, "{model} {effort:?}");
    }

    #[test]
    fn thinking_is_told_as_the_model_understands() {
        let word = |word: &str| Effort::Word(word.to_owned());
        let budget = |tokens: u64| json!({"includeThoughts": tokens > 0, "thinkingBudget": tokens});
        let level = |level: &str| json!({"includeThoughts": true, "thinkingLevel": level});

        check("gemini-2.5-flash", &word("none"), &budget(0));
        check("gemini-2.5-flash", &Effort::Tokens(0), &budget(0));
        check("gemini-2.5-flash", &word("minimal"), &budget(1_024));
        check("gemini-2.5-flash", &word("low"), &budget(1_024));
        check("gemini-2.5-flash", &word("medium"), &budget(8_192));
        check("gemini-2.5-flash", &word("high"), &budget(24_576));
        check("gemini-2.5-flash", &Effort::Tokens(100), &budget(100));
        check("gemini-2.5-flash", &Effort::Tokens(u64::MAX), &budget(24_576));
        check("gemini-2.5-flash-lite", &Effort::Tokens(100), &budget(512));
        check("gemini-2.5-flash-lite", &word("none"), &budget(0));
        check("gemini-2.5-pro", &word("none"), &json!({"includeThoughts": false, "thinkingBudget": 128}));
        check("gemini-2.5-pro", &word("max"), &budget(32_768));

        check("gemini-3-flash-preview", &word("none"), &json!({"includeThoughts": false, "thinkingLevel": "MINIMAL"}));
        check("gemini-3-flash-preview", &word("medium"), &level("MEDIUM"));
        check("gemini-3-pro-preview", &word("minimal"), &level("LOW"));
        check("gemini-3-pro-preview", &word("medium"), &level("HIGH"));
        check("gemini-3.1-pro-preview", &word("medium"), &level("MEDIUM"));
        check("gemini-3.1-pro-preview", &word("xhigh"), &level("HIGH"));
        check("gemini-flash-latest", &Effort::Tokens(1_024), &level("LOW"));
        check("gemini-flash-latest", &Effort::Tokens(1_025), &level("MEDIUM"));
        check("gemini-flash-latest", &Effort::Tokens(8_193), &level("HIGH"));

        check("gemini-2.0-flash", &word("high"), &json!(null));
        check("gemma-3-27b-it", &word("high"), &json!(null));
        check("gemini-2.5-flash", &word("as you like"), &json!(null));
    }
}
