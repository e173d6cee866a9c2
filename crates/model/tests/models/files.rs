//! What a file must be, and what is said when it is not.

use crate::tiny::Tiny;
use candle_core::quantized::gguf_file::Value;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use lab3_model::{Model, ModelError};

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn said(tiny: &Tiny) -> ModelError {
    match tiny.try_open() {
        Ok(_) => panic!("it was opened"),
        Err(e) => e,
    }
}

#[test]
fn a_model_tells_its_name_and_context() {
    let model = Tiny::says(&[b"x"]).open();
    assert_eq!((model.name(), model.context_tokens()), ("Tiny-Model.F32", 256));
    // candle prepares 4,096 positions, whatever the file says.
    assert_eq!(Tiny::says(&[b"x"]).set("llama.context_length", Value::U64(1 << 20)).open().context_tokens(), 4096);
}

#[test]
fn what_is_no_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.gguf");
    let open = |bytes: Option<&[u8]>| {
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).unwrap();
        }
        Model::open(&path).map(|_| ()).unwrap_err()
    };
    assert!(matches!(open(None), ModelError::Unreadable { .. }));
    assert!(matches!(Model::open(folder.path()).map(|_| ()).unwrap_err(), ModelError::Unreadable { .. }));
    for bytes in [b"".as_slice(), b"GGUF", b"PK\x03\x04 a wheel, not what lies in it", &[0xff; 100]] {
        let refused = open(Some(bytes));
        assert!(matches!(refused, ModelError::Broken { .. }), "{refused}");
        assert!(refused.to_string().contains("x.gguf") && refused.to_string().contains("fetch it again"), "{refused}");
    }
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(Tiny::babbles(GgmlDType::Q8_0).write(folder.path())).unwrap();
    let path = folder.path().join("cut.gguf");
    // The last 31 bytes may be nothing but padding.
    for length in (0..whole.len() - 32).step_by(1999).chain([whole.len() - 32]) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let refused = Model::open(&path).map(|_| ()).unwrap_err();
        assert!(matches!(refused, ModelError::Broken { .. }), "{length} bytes: {refused}");
    }
}

#[test]
fn a_model_of_another_kind_is_refused_with_what_would_do() {
    let tiny = || Tiny::says(&[b"x"]);
    let extra = |name: &str| tiny().weigh(name, zeros(&[32]));
    let cases = [
        ("`qwen2`; only `llama`", tiny().set("general.architecture", text("qwen2"))),
        ("only byte-level BPE", tiny().set("tokenizer.ggml.model", text("llama"))),
        ("`tekken`; only these ways are supported: smollm", tiny().set("tokenizer.ggml.pre", text("tekken"))),
        ("no chat template", tiny().without("tokenizer.chat_template")),
        ("chat template cannot be read", tiny().set("tokenizer.chat_template", text("{% if %}"))),
        ("stretched (`yarn`)", tiny().set("llama.rope.scaling.type", text("yarn"))),
        ("turns 32 of the 320", tiny().set("llama.rope.dimension_count", Value::U32(32))),
        ("rope_freqs.weight", extra("rope_freqs.weight")),
        ("blk.0.attn_q.bias", extra("blk.0.attn_q.bias")),
        ("blk.0.ffn_gate_inp.weight", extra("blk.0.ffn_gate_inp.weight")),
    ];
    for (expected, tiny) in cases {
        let refused = said(&tiny);
        assert!(matches!(refused, ModelError::Unsupported { .. }), "{refused}");
        assert!(refused.to_string().contains(expected), "{refused}");
    }
}

fn zeros(shape: &[usize]) -> QTensor {
    QTensor::quantize(&Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap(), GgmlDType::F32).unwrap()
}

#[test]
fn a_damaged_model_is_refused_and_takes_nothing_down() {
    let tiny = || Tiny::says(&[b"x"]);
    let nan = Tensor::from_vec(vec![f32::NAN; 320 * 320], &[320, 320], &Device::Cpu).unwrap();
    let cases = [
        ("no architecture", tiny().without("general.architecture")),
        ("no heads", tiny().set("llama.attention.head_count", Value::U32(0))),
        ("no groups of heads", tiny().set("llama.attention.head_count_kv", Value::U32(0))),
        ("a broken number of heads", tiny().set("llama.attention.head_count", Value::U32(7))),
        ("more layers than memory", tiny().set("llama.block_count", Value::U32(u32::MAX))),
        ("a layer too many", tiny().set("llama.block_count", Value::U32(2))),
        ("another width", tiny().set("llama.embedding_length", Value::U32(640)).set("llama.rope.dimension_count", Value::U32(640))),
        ("no alignment", tiny().set("general.alignment", Value::U32(0))),
        ("no tokens", tiny().without("tokenizer.ggml.tokens")),
        ("too few tokens", tiny().set("tokenizer.ggml.tokens", Value::Array(vec![text("a")]))),
        ("too few token types", tiny().set("tokenizer.ggml.token_type", Value::Array(vec![Value::I32(1)]))),
        ("tokens of numbers", tiny().set("tokenizer.ggml.tokens", Value::Array(vec![Value::I32(1)]))),
        ("a merge of unknown tokens", tiny().set("tokenizer.ggml.merges", Value::Array(vec![text("ab zzzz")]))),
        ("a merge of one token", tiny().set("tokenizer.ggml.merges", Value::Array(vec![text("ab")]))),
        ("weights missing", tiny().without("blk.0.attn_k.weight")),
        ("weights of another shape", tiny().weigh("blk.0.attn_k.weight", zeros(&[100, 100]))),
        ("weights that are no numbers", tiny().weigh("blk.0.ffn_down.weight", QTensor::quantize(&nan, GgmlDType::F32).unwrap())),
    ];
    for (what, tiny) in cases {
        let refused = said(&tiny);
        assert!(matches!(refused, ModelError::Broken { .. }), "{what}: {refused}");
    }
    assert_eq!(tiny().open().count("ab"), 1);
}
