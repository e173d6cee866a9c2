//! Models of a few hundred numbers, written for a test: such that say what they are told to, and such that compute like any other.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use lab3_model::{Flow, Model, ModelError};
use lab3_providers::{Answer, Message, Part, Piece, Query, Role};

const CHATML: &str = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const WIDTH: usize = 320;
/// The first token that is a word of the test's.
const WORDS: usize = 259;

/// The file of a model, before it is written.
pub struct Tiny {
    pub metadata: BTreeMap<String, Value>,
    pub weights: BTreeMap<String, QTensor>,
}

/// The character a byte is written as in a vocabulary.
fn letter(byte: u8) -> char {
    let hidden = (0..=byte).filter(|b| !matches!(b, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff)).count();
    let visible = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if visible { char::from(byte) } else { char::from_u32(0xff + u32::try_from(hidden).unwrap()).unwrap() }
}

fn tensor(numbers: Vec<f32>, shape: &[usize], encoding: GgmlDType) -> QTensor {
    QTensor::quantize(&Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap(), encoding).unwrap()
}

/// Numbers that look random and are the same each time.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f32::from(u16::try_from(state >> 48).unwrap()) / 32768.0 - 1.0
    };
    (0..count).map(next).collect()
}

impl Tiny {
    /// A vocabulary of the 256 bytes, two tokens joined of them (`ab`, `abc`), the three control tokens and `words`, of which the
    /// tokenizer knows nothing. `width` is the model's, `head` that of one of its heads.
    fn new(words: &[&[u8]], width: usize, head: usize, layers: u32) -> Self {
        let mut tokens = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"].map(str::to_owned).to_vec();
        tokens.extend((0..=255).map(|byte| letter(byte).to_string()));
        tokens.extend(words.iter().map(|word| word.iter().map(|byte| letter(*byte)).collect()));
        tokens.extend(["ab", "abc"].map(str::to_owned));
        let mut types = vec![3; 3];
        types.resize(tokens.len(), 1);
        let text = |text: &str| Value::String(text.to_owned());
        let number = |number: usize| Value::U32(u32::try_from(number).unwrap());
        let metadata = [
            ("general.architecture", text("llama")),
            ("llama.block_count", Value::U32(layers)),
            ("llama.context_length", Value::U32(256)),
            ("llama.embedding_length", number(width)),
            ("llama.attention.head_count", number(width / head)),
            ("llama.attention.head_count_kv", number(width / head / if head < width { 2 } else { 1 })),
            ("llama.rope.dimension_count", number(head)),
            ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
            ("tokenizer.ggml.model", text("gpt2")),
            ("tokenizer.ggml.pre", text("smollm")),
            ("tokenizer.ggml.tokens", Value::Array(tokens.iter().map(|token| text(token)).collect())),
            ("tokenizer.ggml.token_type", Value::Array(types.into_iter().map(Value::I32).collect())),
            ("tokenizer.ggml.merges", Value::Array(["a b", "ab c"].map(text).to_vec())),
            ("tokenizer.ggml.bos_token_id", Value::U32(0)),
            ("tokenizer.ggml.eos_token_id", Value::U32(1)),
            ("tokenizer.chat_template", text(CHATML)),
        ];
        Self { metadata: metadata.map(|(key, value)| (key.to_owned(), value)).into(), weights: BTreeMap::new() }
    }

    fn vocabulary(&self) -> usize {
        let Value::Array(tokens) = &self.metadata["tokenizer.ggml.tokens"] else { panic!("no tokens") };
        tokens.len()
    }

    pub fn set(mut self, key: &str, value: Value) -> Self {
        self.metadata.insert(key.to_owned(), value);
        self
    }

    pub fn without(mut self, key: &str) -> Self {
        assert!(self.metadata.remove(key).is_some() | self.weights.remove(key).is_some(), "{key}");
        self
    }

    pub fn weigh(mut self, name: &str, weights: QTensor) -> Self {
        self.weights.insert(name.to_owned(), weights);
        self
    }

    /// A model that answers anything with these words, each its own token, and ends; with a word that is `None` it may go on with
    /// either of the two that follow it, the first being a trifle likelier, and ends after it. It has one number for each token, and
    /// its layer adds nothing.
    pub fn says(words: &[&[u8]]) -> Self {
        Self::leads(words, |word| if word + 1 < words.len() { vec![WORDS + word + 1] } else { vec![1] })
    }

    /// A model that begins with `words[0]`, which any of the others may follow, the first being likeliest; then it ends.
    pub fn chooses(words: &[&[u8]]) -> Self {
        Self::leads(words, |word| if word == 0 { (1..words.len()).map(|next| WORDS + next).collect() } else { vec![1] })
    }

    /// A model that says a word for ever.
    pub fn drones(word: &[u8]) -> Self {
        Self::leads(&[word], |_| vec![WORDS])
    }

    fn leads(words: &[&[u8]], next: impl Fn(usize) -> Vec<usize>) -> Self {
        let tiny = Self::new(words, WIDTH, WIDTH, 1);
        let vocabulary = tiny.vocabulary();
        let (mut embedding, mut output) = (vec![0.0; vocabulary * WIDTH], vec![0.0; vocabulary * WIDTH]);
        for token in 0..vocabulary {
            embedding[token * WIDTH + token] = 1.0;
            let followers = if (WORDS..WORDS + words.len()).contains(&token) { next(token - WORDS) } else { vec![WORDS] };
            for (rank, follower) in (0u8..).zip(followers) {
                output[follower * WIDTH + token] = 2.0 - f32::from(rank) / 100.0;
            }
        }
        let flat = |rows| tensor(vec![0.0; rows * WIDTH], &[rows, WIDTH], GgmlDType::F32);
        let ones = || tensor(vec![1.0; WIDTH], &[WIDTH], GgmlDType::F32);
        let mut tiny = tiny
            .weigh("token_embd.weight", tensor(embedding, &[vocabulary, WIDTH], GgmlDType::F32))
            .weigh("output.weight", tensor(output, &[vocabulary, WIDTH], GgmlDType::F32))
            .weigh("output_norm.weight", ones())
            .weigh("blk.0.attn_norm.weight", ones())
            .weigh("blk.0.ffn_norm.weight", ones());
        for name in ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"] {
            tiny = tiny.weigh(&format!("blk.0.{name}.weight"), flat(WIDTH));
        }
        tiny
    }

    /// A model that says what nobody can foresee, but always the same: two layers of random weights in the given encoding.
    pub fn babbles(encoding: GgmlDType) -> Self {
        let (width, inner) = (64, 128);
        let tiny = Self::new(&[], width, 16, 2);
        let vocabulary = tiny.vocabulary();
        let random = |seed, rows, columns| tensor(numbers(seed, rows * columns), &[rows, columns], encoding);
        let ones = || tensor(vec![1.0; width], &[width], GgmlDType::F32);
        let mut tiny = tiny.weigh("token_embd.weight", random(1, vocabulary, width)).weigh("output_norm.weight", ones());
        for layer in 0..2u64 {
            let name = |name: &str| format!("blk.{layer}.{name}.weight");
            let seed = 10 + layer * 10;
            tiny = tiny
                .weigh(&name("attn_norm"), ones())
                .weigh(&name("ffn_norm"), ones())
                .weigh(&name("attn_q"), random(seed, width, width))
                .weigh(&name("attn_k"), random(seed + 1, width / 2, width))
                .weigh(&name("attn_v"), random(seed + 2, width / 2, width))
                .weigh(&name("attn_output"), random(seed + 3, width, width))
                .weigh(&name("ffn_gate"), random(seed + 4, inner, width))
                .weigh(&name("ffn_up"), random(seed + 5, inner, width))
                .weigh(&name("ffn_down"), random(seed + 6, width, inner));
        }
        tiny
    }

    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("Tiny-Model.F32.gguf");
        let metadata = self.metadata.iter().map(|(key, value)| (key.as_str(), value)).collect::<Vec<_>>();
        let weights = self.weights.iter().map(|(name, weights)| (name.as_str(), weights)).collect::<Vec<_>>();
        gguf_file::write(&mut File::create(&path).unwrap(), &metadata, &weights).unwrap();
        path
    }

    pub fn try_open(&self) -> Result<Model, ModelError> {
        let folder = tempfile::tempdir().unwrap();
        Model::open(&self.write(folder.path()))
    }

    pub fn open(&self) -> Model {
        self.try_open().unwrap()
    }
}

/// A person asks.
pub fn ask(text: &str) -> Query {
    let message = Message { role: Role::User, parts: vec![Part::Text(text.to_owned())] };
    Query { messages: vec![message], temperature: Some(0.into()), ..Query::default() }
}

/// The pieces of an answer, and the whole. Checks what holds for all of them: how they begin and end, and that what is told at the end is
/// what is given back.
pub fn answer(model: &Model, query: &Query, output_tokens_max: u64) -> (Vec<Piece>, Answer) {
    let (mut pieces, mut answer) = (Vec::new(), Answer::default());
    let each = &mut |piece: Piece| {
        answer.add(&piece);
        pieces.push(piece);
        Flow::Continue(())
    };
    let usage = model.answer(query, output_tokens_max, each).unwrap();
    assert!(matches!(pieces.first(), Some(Piece::Start { model, .. }) if model == "Tiny-Model.F32"), "{pieces:?}");
    assert!(matches!(pieces.as_slice(), [.., Piece::Finish(_), Piece::Usage(last)] if *last == usage), "{pieces:?}");
    assert!(pieces.iter().all(|piece| !matches!(piece, Piece::Text(text) if text.is_empty())), "{pieces:?}");
    (pieces, answer)
}
