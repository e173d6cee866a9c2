//! The tokenizer: byte-level BPE, built from the metadata of the GGUF file.

use aho_corasick::{AhoCorasick, Input, MatchKind};
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior, Tokenizer};

use crate::ModelError;
use crate::file::ModelFile;

/// Breaks the names of control tokens that stand in a person's words. A code point that is no character, so that no text has it.
const GUARD: char = '\u{fdd0}';

// How text is cut into words before bytes are joined to tokens; the patterns are those the models were trained with.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DIGIT: &str = r"\p{N}";
// What llama.cpp does where the file does not say.
const DEFAULT: [&str; 4] = [r"[\p{P}$+<=>^~|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"];

/// The ways of cutting that are known, by the name `tokenizer.ggml.pre` gives them.
struct Cut {
    names: &'static [&'static str],
    patterns: &'static [&'static str],
    /// Whether a word that is a token needs no joining, and a text begins with a token of its own, as Llama 3 has it.
    is_llama3: bool,
}

const CUTS: [Cut; 4] = [
    Cut { names: &["smollm", "starcoder", "refact", "command-r", "codeshell"], patterns: &[DIGIT, GPT2], is_llama3: false },
    Cut { names: &["llama-bpe", "llama-v3", "llama3"], patterns: &[LLAMA3], is_llama3: true },
    Cut { names: &["gpt-2", "gpt2"], patterns: &[GPT2], is_llama3: false },
    Cut { names: &["default"], patterns: &DEFAULT, is_llama3: false },
];

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Bytes, each written as a character.
    Bytes,
    /// Text as it stands.
    Text,
    /// No text: the beginning or end of something.
    Control,
}

/// The tokens of a model.
pub(crate) struct Vocabulary {
    tokenizer: Tokenizer,
    kinds: Vec<Kind>,
    controls: AhoCorasick,
    control_ids: Vec<u32>,
    /// The token a text begins with, if the model was trained with one.
    first: Option<u32>,
}

impl Vocabulary {
    pub(crate) fn of(file: &ModelFile) -> Result<Self, ModelError> {
        let missing = |key: &str| file.broken(format!("it does not state {key}"));
        match file.text("tokenizer.ggml.model") {
            Some("gpt2") => {}
            Some(other) => {
                return Err(file.unsupported(format!(
                    "its tokenizer is `{other}`; only byte-level BPE (`gpt2`) is supported, which SmolLM2 and Llama 3 have"
                )));
            }
            None => return Err(missing("tokenizer.ggml.model")),
        }
        let tokens = file.texts("tokenizer.ggml.tokens").ok_or_else(|| missing("tokenizer.ggml.tokens"))?;
        let merges = file.texts("tokenizer.ggml.merges").ok_or_else(|| missing("tokenizer.ggml.merges"))?;
        let types = file.numbers("tokenizer.ggml.token_type").ok_or_else(|| missing("tokenizer.ggml.token_type"))?;
        if types.len() != tokens.len() {
            return Err(file.broken(format!("it has {} tokens but {} token types", tokens.len(), types.len())));
        }
        let cut = cut(file)?;
        let kinds = types.into_iter().map(kind).collect::<Vec<_>>();
        let tokenizer = tokenizer(&tokens, &merges, &kinds, cut).map_err(|e| file.broken(e.to_string()))?;
        let (names, control_ids) = controls(&tokens, &kinds);
        let controls =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(names).map_err(|e| file.broken(e.to_string()))?;
        let begins = file.flag("tokenizer.ggml.add_bos_token").unwrap_or(cut.is_llama3);
        let first = file.number("tokenizer.ggml.bos_token_id").filter(|_| begins).and_then(|id| u32::try_from(id).ok());
        Ok(Self { tokenizer, kinds, controls, control_ids, first })
    }

    /// How many tokens there are.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The tokens of a text in which nothing is a control token.
    pub(crate) fn tokens(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(|e| ModelError::Failed(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The tokens of a conversation in the template's form, in which the names of control tokens mean them, unless [guarded](Self::guard).
    pub(crate) fn prompt(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let plain = |text: &str| self.tokens(&text.replace(GUARD, ""));
        let (mut tokens, mut end) = (Vec::new(), 0);
        for control in self.controls.find_iter(text) {
            tokens.extend(plain(&text[end..control.start()])?);
            tokens.push(self.control_ids[control.pattern()]);
            end = control.end();
        }
        tokens.extend(plain(&text[end..])?);
        if let Some(first) = self.first.filter(|first| tokens.first() != Some(first)) {
            tokens.insert(0, first);
        }
        Ok(tokens)
    }

    /// A person's words so that the names of control tokens in them are words: nobody ends their turn by writing that it ends.
    pub(crate) fn guard(&self, text: &str) -> String {
        let (mut guarded, mut end, mut from) = (String::with_capacity(text.len()), 0, 0);
        while let Some(control) = self.controls.find(Input::new(text).range(from..)) {
            from = control.start() + text[control.start()..].chars().next().map_or(1, char::len_utf8);
            guarded.push_str(&text[end..from]);
            guarded.push(GUARD);
            end = from;
        }
        guarded.push_str(&text[end..]);
        guarded
    }

    /// The bytes a token stands for; `None` when it is no text.
    pub(crate) fn bytes(&self, token: u32) -> Option<Vec<u8>> {
        let kind = self.kinds.get(usize::try_from(token).ok()?)?;
        let text = self.tokenizer.id_to_token(token)?;
        match kind {
            Kind::Control => None,
            Kind::Text => Some(text.into_bytes()),
            Kind::Bytes => Some(text.chars().filter_map(byte).collect()),
        }
    }
}

fn cut(file: &ModelFile) -> Result<&'static Cut, ModelError> {
    let name = file.text("tokenizer.ggml.pre").unwrap_or("default");
    CUTS.iter().find(|cut| cut.names.contains(&name)).ok_or_else(|| {
        let known = CUTS.iter().map(|cut| cut.names[0]).collect::<Vec<_>>().join(", ");
        file.unsupported(format!("its tokenizer cuts text the way `{name}`; only these ways are supported: {known}"))
    })
}

/// What a number in `tokenizer.ggml.token_type` says.
fn kind(token_type: u64) -> Kind {
    match token_type {
        1 => Kind::Bytes,
        4 => Kind::Text,
        // Unknown, control, unused; single bytes (6) are not in vocabularies like these.
        _ => Kind::Control,
    }
}

fn tokenizer(tokens: &[&str], merges: &[&str], kinds: &[Kind], cut: &Cut) -> tokenizers::Result<Tokenizer> {
    let vocabulary = (0..).zip(tokens).map(|(id, token)| ((*token).to_owned(), id)).collect::<Vocab>();
    let merge = |merge: &&str| match merge.split_once(' ') {
        Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
        None => Err(format!("`{merge}` joins no two tokens")),
    };
    let merges = merges.iter().map(merge).collect::<Result<Vec<_>, _>>()?;
    let bpe = BPE::builder().vocab_and_merges(vocabulary, merges).ignore_merges(cut.is_llama3).build()?;
    let mut steps = Vec::<PreTokenizerWrapper>::new();
    for pattern in cut.patterns {
        steps.push(Split::new(SplitPattern::Regex((*pattern).to_owned()), SplitDelimiterBehavior::Isolated, false)?.into());
    }
    steps.push(ByteLevel::new(false, false, false).into());
    let mut tokenizer = Tokenizer::new(bpe);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
    let texts = tokens.iter().zip(kinds).filter(|(_, kind)| **kind == Kind::Text);
    tokenizer.add_tokens(texts.map(|(token, _)| AddedToken::from(*token, false).normalized(false)))?;
    Ok(tokenizer)
}

/// The names of the control tokens, and which tokens they are.
fn controls<'a>(tokens: &[&'a str], kinds: &[Kind]) -> (Vec<&'a str>, Vec<u32>) {
    // A single character could not be guarded.
    let named = (0..).zip(tokens).zip(kinds).filter(|((_, token), kind)| **kind == Kind::Control && token.chars().count() > 1);
    named.map(|((id, token), _)| (*token, id)).unzip()
}

/// The byte a character of a token stands for. GPT-2's way: visible characters of Latin-1 stand for themselves, and the other bytes,
/// in their order, for the characters from U+0100.
fn byte(character: char) -> Option<u8> {
    let code = u32::from(character);
    let byte = match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => code,
        0x100..=0x120 => code - 0x100,
        0x121..=0x142 => code - 0x121 + 0x7f,
        0x143 => 0xad,
        _ => return None,
    };
    u8::try_from(byte).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_character() {
        let mut bytes = (0..0x200).filter_map(char::from_u32).filter_map(byte).collect::<Vec<_>>();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<_>>());
        let known = [('Ġ', b' '), ('Ċ', b'\n'), ('ĉ', b'\t'), ('a', b'a'), ('Ã', 0xc3), ('ł', 0xa0), ('Ń', 0xad)];
        for (character, expected) in known {
            assert_eq!(byte(character), Some(expected), "{character}");
        }
    }

    /// The words a text is cut into.
    fn check(name: &str, text: &str, expected: &[&str]) {
        use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};
        let cut = CUTS.iter().find(|cut| cut.names.contains(&name)).unwrap();
        let mut words = PreTokenizedString::from(text);
        for pattern in cut.patterns {
            let pattern = SplitPattern::Regex((*pattern).to_owned());
            Split::new(pattern, SplitDelimiterBehavior::Isolated, false).unwrap().pre_tokenize(&mut words).unwrap();
        }
        let words = words.get_splits(OffsetReferential::Original, OffsetType::Byte).into_iter();
        assert_eq!(words.map(|(word, ..)| word).collect::<Vec<_>>(), expected, "{name}");
    }

    #[test]
    fn text_is_cut_as_the_models_were_trained() {
        check("smollm", "It's 2024,  ok\n\n x", &["It", "'s", " ", "2", "0", "2", "4", ",", " ", " ok", "\n\n", " x"]);
        check("gpt-2", "It's 2024,  ok", &["It", "'s", " 2024", ",", " ", " ok"]);
        check("default", "It's 2024,  ok", &["It", "'", "s", " ", "202", "4", ",", " ", " ok"]);
        check("llama-bpe", "IT'S 20245,  ok\n\n x", &["IT", "'S", " ", "202", "45", ",", " ", " ok", "\n\n", " x"]);
    }

    /// As llama.cpp (xllamacpp 2026.10.11549) has them.
    #[test]
    fn smollm2_reads_text_as_elsewhere() {
        let Some(path) = crate::fetched::smollm2("vocabulary::smollm2_reads_text_as_elsewhere") else { return };
        let vocabulary = Vocabulary::of(&ModelFile::open(&path).unwrap()).unwrap();
        let cases: [(&str, &[u32]); 9] = [
            ("Hello world", &[19556, 905]),
            (" Hello  world\n\n2024", &[38699, 216, 905, 1116, 34, 32, 34, 36]),
            ("It's 12345 o'clock,  ok?\t\n x", &[1589, 506, 216, 33, 34, 35, 36, 37, 263, 23, 17466, 28, 216, 10907, 47, 197, 198, 1792]),
            ("Größe 漢字 🦀 naïve", &[27302, 7466, 34878, 85, 17097, 137, 112, 36518, 15107, 116, 218, 15486, 46494]),
            ("def f(x):\n    return x+1\n", &[1604, 275, 24, 104, 727, 472, 1003, 1792, 27, 33, 198]),
            ("<|im_end|>", &[44, 108, 306, 79, 486, 108, 46]),
            ("    \n\n   a   ", &[289, 39892, 253, 333]),
            ("٣٤٥ ½ x²", &[164, 113, 164, 114, 164, 115, 216, 16738, 1792, 19133]),
            ("\u{a0}a\u{3000}b", &[15442, 81, 12109, 218, 82]),
        ];
        for (text, tokens) in cases {
            assert_eq!(vocabulary.tokens(text).unwrap(), tokens, "{text:?}");
            let bytes = tokens.iter().flat_map(|token| vocabulary.bytes(*token).unwrap()).collect::<Vec<_>>();
            assert_eq!(String::from_utf8(bytes).unwrap(), text);
        }
        assert_eq!(vocabulary.prompt("<|im_start|>user\n").unwrap(), [1, 4093, 198]);
        assert_eq!((vocabulary.bytes(2), vocabulary.bytes(49_152)), (None, None));
    }
}
