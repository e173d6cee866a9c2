//! A GGUF file of the llama family, written for a test: a model that says what it was made to say. Written by the format's
//! description, not by the library that reads it.

use std::path::Path;

/// One number for each token, so there are more of them than tokens.
const WIDTH: usize = 288;

/// The first token that is a word: three control tokens and the 256 bytes come before.
const WORDS: usize = 259;

/// What the model reads at most, its answer included, in tokens.
pub const CONTEXT_TOKENS: u64 = 256;

const TEMPLATE: &str = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/// Tokens of a query of one message by a user: 19 of the template, and a token a byte.
pub fn query_tokens(text: &str) -> u64 {
    // Four control tokens, `user`, `assistant`, three line ends, without the control token at the end.
    3 + 4 + 9 + 3 + text.len() as u64
}

/// Writes a model that answers anything with these words, each a token of its own; then it ends, or goes on without end.
pub fn write(path: &Path, words: &[&str], ends: bool) {
    let mut file = File::default();
    metadata(&mut file, words);
    weights(&mut file, words.len(), ends);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, file.bytes()).unwrap();
}

fn metadata(file: &mut File, words: &[&str]) {
    let width = u32::try_from(WIDTH).unwrap();
    for (key, text) in [("general.architecture", "llama"), ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", "smollm")] {
        file.text(key, text);
    }
    file.text("tokenizer.chat_template", TEMPLATE);
    let numbers = [
        ("llama.block_count", 1),
        ("llama.context_length", u32::try_from(CONTEXT_TOKENS).unwrap()),
        ("llama.embedding_length", width),
        ("llama.attention.head_count", 1),
        ("llama.attention.head_count_kv", 1),
        ("llama.rope.dimension_count", width),
        ("tokenizer.ggml.bos_token_id", 0),
        ("tokenizer.ggml.eos_token_id", 1),
    ];
    for (key, number) in numbers {
        file.number(key, 4, &number.to_le_bytes());
    }
    file.number("llama.attention.layer_norm_rms_epsilon", 6, &1e-5f32.to_le_bytes());
    let mut tokens = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"].map(str::to_owned).to_vec();
    tokens.extend((0..=255).map(|byte| letter(byte).to_string()));
    tokens.extend(words.iter().map(|word| word.bytes().map(letter).collect()));
    file.texts("tokenizer.ggml.tokens", &tokens);
    file.texts("tokenizer.ggml.merges", &[]);
    let kinds = (0..tokens.len()).map(|token| if token < 3 { 3u32 } else { 1 });
    file.array("tokenizer.ggml.token_type", 5, tokens.len(), &kinds.flat_map(u32::to_le_bytes).collect::<Vec<_>>());
}

/// Each token leads to one other: a word to the next, everything else to the first. The layer adds nothing.
fn weights(file: &mut File, words: usize, ends: bool) {
    let tokens = WORDS + words;
    let next = |token: usize| match token {
        _ if token < WORDS => WORDS,
        _ if token + 1 < tokens => token + 1,
        _ if ends => 1,
        _ => WORDS,
    };
    let (mut embedding, mut output) = (vec![0.0; tokens * WIDTH], vec![0.0; tokens * WIDTH]);
    for token in 0..tokens {
        embedding[token * WIDTH + token] = 1.0;
        output[next(token) * WIDTH + token] = 2.0;
    }
    file.tensor("token_embd.weight", &[WIDTH, tokens], &embedding);
    file.tensor("output.weight", &[WIDTH, tokens], &output);
    for name in ["output_norm.weight", "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight"] {
        file.tensor(name, &[WIDTH], &[1.0; WIDTH]);
    }
    for name in ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"] {
        file.tensor(&format!("blk.0.{name}.weight"), &[WIDTH, WIDTH], &vec![0.0; WIDTH * WIDTH]);
    }
}

/// The character a byte is written as in a vocabulary of GPT-2's kind.
fn letter(byte: u8) -> char {
    let visible = |byte: u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let hidden = (0..byte).filter(|&other| !visible(other)).count();
    if visible(byte) { char::from(byte) } else { char::from_u32(0x100 + u32::try_from(hidden).unwrap()).unwrap() }
}

/// The parts of a file: keys with values, tensors with where they lie, and their numbers.
#[derive(Default)]
struct File {
    values: Vec<u8>,
    values_count: u64,
    tensors: Vec<u8>,
    tensors_count: u64,
    numbers: Vec<u8>,
}

/// Where numbers begin, in bytes.
const ALIGNMENT: usize = 32;

fn text(into: &mut Vec<u8>, text: &str) {
    into.extend((text.len() as u64).to_le_bytes());
    into.extend(text.as_bytes());
}

impl File {
    fn number(&mut self, key: &str, kind: u32, value: &[u8]) {
        self.values_count += 1;
        text(&mut self.values, key);
        self.values.extend(kind.to_le_bytes());
        self.values.extend(value);
    }

    fn text(&mut self, key: &str, value: &str) {
        let mut bytes = Vec::new();
        text(&mut bytes, value);
        self.number(key, 8, &bytes);
    }

    fn array(&mut self, key: &str, kind: u32, count: usize, items: &[u8]) {
        let head = [&kind.to_le_bytes()[..], &(count as u64).to_le_bytes()].concat();
        self.number(key, 9, &[&head, items].concat());
    }

    fn texts(&mut self, key: &str, items: &[String]) {
        let mut bytes = Vec::new();
        for item in items {
            text(&mut bytes, item);
        }
        self.array(key, 8, items.len(), &bytes);
    }

    /// A tensor of 32-bit floats. The shape begins with the length of a row.
    fn tensor(&mut self, name: &str, shape: &[usize], numbers: &[f32]) {
        self.tensors_count += 1;
        text(&mut self.tensors, name);
        self.tensors.extend(u32::try_from(shape.len()).unwrap().to_le_bytes());
        for &side in shape {
            self.tensors.extend((side as u64).to_le_bytes());
        }
        self.tensors.extend(0u32.to_le_bytes());
        self.tensors.extend((self.numbers.len() as u64).to_le_bytes());
        self.numbers.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self.numbers.resize(self.numbers.len().next_multiple_of(ALIGNMENT), 0);
    }

    fn bytes(&self) -> Vec<u8> {
        let counts = [self.tensors_count.to_le_bytes(), self.values_count.to_le_bytes()].concat();
        let mut bytes = [b"GGUF", &3u32.to_le_bytes()[..], &counts, &self.values, &self.tensors].concat();
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        bytes.extend(&self.numbers);
        bytes
    }
}
