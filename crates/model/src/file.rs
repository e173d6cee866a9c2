//! A GGUF file: its metadata, the checks it must pass, its weights.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use candle_core::Device;
use candle_core::quantized::gguf_file::{self, Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_transformers::models::quantized_llama::ModelWeights;

use crate::{CONTEXT_TOKENS_MAX, ModelError};

/// The weights candle's llama reads, apart from those of the layers. It passes others over, and then answers wrongly.
const WEIGHTS: [&str; 3] = ["token_embd.weight", "output_norm.weight", "output.weight"];
/// The weights of a layer, named `blk.<layer>.<name>`.
const LAYER_WEIGHTS: [&str; 9] = [
    "attn_q.weight",
    "attn_k.weight",
    "attn_v.weight",
    "attn_output.weight",
    "attn_norm.weight",
    "ffn_gate.weight",
    "ffn_down.weight",
    "ffn_up.weight",
    "ffn_norm.weight",
];

/// A GGUF file whose metadata has been read.
pub(crate) struct ModelFile {
    path: String,
    content: Content,
    reader: BufReader<File>,
}

impl ModelFile {
    pub(crate) fn open(path: &Path) -> Result<Self, ModelError> {
        let name = path.display().to_string();
        let unreadable = |source| ModelError::Unreadable { path: name.clone(), source };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
        }
        let mut reader = BufReader::new(file);
        match Content::read(&mut reader) {
            Ok(content) => Ok(Self { path: name, content, reader }),
            Err(e) => Err(ModelError::Broken { path: name, detail: e.to_string() }),
        }
    }

    pub(crate) fn broken(&self, detail: impl Into<String>) -> ModelError {
        ModelError::Broken { path: self.path.clone(), detail: detail.into() }
    }

    pub(crate) fn unsupported(&self, detail: impl Into<String>) -> ModelError {
        ModelError::Unsupported { path: self.path.clone(), detail: detail.into() }
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.content.metadata.get(key)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match self.content.metadata.get(key)? {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        whole(self.content.metadata.get(key)?)
    }

    pub(crate) fn texts(&self, key: &str) -> Option<Vec<&str>> {
        let Value::Array(values) = self.content.metadata.get(key)? else { return None };
        values.iter().map(|value| if let Value::String(text) = value { Some(text.as_str()) } else { None }).collect()
    }

    pub(crate) fn numbers(&self, key: &str) -> Option<Vec<u64>> {
        let Value::Array(values) = self.content.metadata.get(key)? else { return None };
        values.iter().map(whole).collect()
    }

    fn needed(&self, key: &str) -> Result<u64, ModelError> {
        self.number(key).ok_or_else(|| self.broken(format!("it does not state {key}")))
    }

    /// Refuses what candle would run wrongly, or not survive. `vocabulary` is how many tokens there are.
    pub(crate) fn check(&self, vocabulary: usize) -> Result<(), ModelError> {
        self.check_shape(vocabulary)?;
        self.check_rotation()?;
        for name in self.content.tensor_infos.keys() {
            let of_layer = name.strip_prefix("blk.").and_then(|rest| rest.split_once('.')).map(|(_, name)| name);
            if !WEIGHTS.contains(&name.as_str()) && !of_layer.is_some_and(|name| LAYER_WEIGHTS.contains(&name)) {
                return Err(self.unsupported(format!(
                    "it has weights ({name}) that plain llama models do not have; take one without experts, biases and stretched context"
                )));
            }
        }
        Ok(())
    }

    fn check_shape(&self, vocabulary: usize) -> Result<(), ModelError> {
        let heads = self.needed("llama.attention.head_count")?;
        let groups = self.needed("llama.attention.head_count_kv")?;
        let width = self.needed("llama.embedding_length")?;
        if heads == 0 || groups == 0 || !heads.is_multiple_of(groups) || !width.is_multiple_of(heads) {
            return Err(self.broken(format!("{heads} heads in {groups} groups do not divide a width of {width}")));
        }
        // Each layer has weights: a wild number must not make room for them first.
        if self.needed("llama.block_count")? > self.content.tensor_infos.len() as u64 {
            return Err(self.broken("it has fewer weights than layers"));
        }
        let rows = self.content.tensor_infos.get("token_embd.weight").map(|info| info.shape.dims());
        if rows.and_then(|dims| dims.first()) != Some(&vocabulary) {
            return Err(self.broken(format!("its {vocabulary} tokens and the shape {rows:?} of their weights do not fit")));
        }
        Ok(())
    }

    fn check_rotation(&self) -> Result<(), ModelError> {
        let head = self.needed("llama.embedding_length")? / self.needed("llama.attention.head_count")?;
        let rotated = self.needed("llama.rope.dimension_count")?;
        if rotated != head {
            return Err(
                self.unsupported(format!("it turns {rotated} of the {head} numbers of a head; only models that turn all are supported"))
            );
        }
        match self.text("llama.rope.scaling.type") {
            None | Some("none") => Ok(()),
            Some(kind) => Err(self.unsupported(format!("its context is stretched (`{kind}`); take a model without rope scaling"))),
        }
    }

    /// Refuses what is not a llama.
    pub(crate) fn check_architecture(&self) -> Result<(), ModelError> {
        match self.text("general.architecture") {
            Some("llama") => Ok(()),
            Some(other) => {
                Err(self.unsupported(format!("its architecture is `{other}`; only `llama` is supported (SmolLM2 or Llama 3, say)")))
            }
            None => Err(self.broken("it does not state general.architecture")),
        }
    }

    /// Tokens the model can read, its answer included.
    pub(crate) fn context_tokens(&self) -> Result<u64, ModelError> {
        Ok(self.needed("llama.context_length")?.min(CONTEXT_TOKENS_MAX))
    }

    /// Reads the weights.
    pub(crate) fn weights(self) -> Result<ModelWeights, ModelError> {
        let Self { path, content, mut reader } = self;
        let loaded = if content.tensor_infos.values().all(|info| has_quick_kernel(info.ggml_dtype)) {
            ModelWeights::from_gguf(content, &mut reader, &Device::Cpu)
        } else {
            rewritten(&content, &mut reader).and_then(|(content, mut bytes)| ModelWeights::from_gguf(content, &mut bytes, &Device::Cpu))
        };
        loaded.map_err(|e| ModelError::Broken { path, detail: e.to_string() })
    }
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::U8(n) => Some(u64::from(*n)),
        Value::U16(n) => Some(u64::from(*n)),
        Value::U32(n) => Some(u64::from(*n)),
        Value::U64(n) => Some(*n),
        Value::I8(n) => u64::try_from(*n).ok(),
        Value::I16(n) => u64::try_from(*n).ok(),
        Value::I32(n) => u64::try_from(*n).ok(),
        Value::I64(n) => u64::try_from(*n).ok(),
        _ => None,
    }
}

/// Whether candle multiplies with this encoding by vector instructions. The others it does number by number.
fn has_quick_kernel(encoding: GgmlDType) -> bool {
    !matches!(encoding, GgmlDType::Q4_1 | GgmlDType::Q5_0 | GgmlDType::Q5_1 | GgmlDType::Q8_1)
}

/// The file again, in memory, with the slow encodings written as Q8_0, which is finer than any of them: SmolLM2 in Q4_1 grows by half
/// and answers three times as fast (docs/adr/0006-local-model.md).
fn rewritten<R: Read + Seek>(content: &Content, reader: &mut R) -> candle_core::Result<(Content, Cursor<Vec<u8>>)> {
    let mut weights = Vec::with_capacity(content.tensor_infos.len());
    for name in content.tensor_infos.keys() {
        let read = content.tensor(reader, name, &Device::Cpu)?;
        let quick =
            if has_quick_kernel(read.dtype()) { read } else { QTensor::quantize(&read.dequantize(&Device::Cpu)?, GgmlDType::Q8_0)? };
        weights.push((name.as_str(), quick));
    }
    let metadata = content.metadata.iter().filter(|(key, _)| !key.starts_with("tokenizer."));
    let metadata = metadata.map(|(key, value)| (key.as_str(), value)).collect::<Vec<_>>();
    let named = weights.iter().map(|(name, weights)| (*name, weights)).collect::<Vec<_>>();
    let mut bytes = Cursor::new(Vec::new());
    gguf_file::write(&mut bytes, &metadata, &named)?;
    drop(named);
    drop(weights);
    bytes.set_position(0);
    Ok((Content::read(&mut bytes)?, bytes))
}
