//! That what models compute is right however it is cut into steps, and whoever else is answered at the time.

use std::io::Cursor;

use crate::tiny::{Tiny, answer, ask};
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Content;
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use lab3_providers::{Answer, Query};

/// The bytes a model says after the template's tokens for `text`, by reading everything again from the start for each token.
fn slowly(tiny: &Tiny, text: &str, tokens: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut file = Cursor::new(std::fs::read(tiny.write(folder.path())).unwrap());
    let content = Content::read(&mut file).unwrap();
    let mut weights = ModelWeights::from_gguf(content, &mut file, &Device::Cpu).unwrap();
    let bytes = |text: &str| text.bytes().map(|byte| 3 + u32::from(byte)).collect::<Vec<_>>();
    let mut read = [&[0], &*bytes("user\n"), &*bytes(text), &[1], &*bytes("\n"), &[0], &*bytes("assistant\n")].concat();
    let mut said = Vec::new();
    for _ in 0..tokens {
        let batch = Tensor::new(&*read, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let fits = weights.forward(&batch, 0).unwrap().squeeze(0).unwrap();
        let next = fits.argmax(0).unwrap().to_scalar::<u32>().unwrap();
        match next {
            0..3 => break,
            3..259 => said.push(u8::try_from(next - 3).unwrap()),
            259 => said.extend(b"ab"),
            _ => said.extend(b"abc"),
        }
        read.push(next);
    }
    said
}

fn text(answer: &Answer) -> String {
    // A beginning of a character at the end is not shown.
    answer.text.trim_end_matches('\u{fffd}').to_owned()
}

#[test]
fn reading_in_steps_is_reading_at_once() {
    let tiny = Tiny::babbles(GgmlDType::F32);
    let model = tiny.open();
    // Shorter than a step, of one step, one more, of many; with the template's 19 tokens.
    for length in [1, 13, 14, 40, 90, 150] {
        let question = "qrstuvwxyz".chars().cycle().skip(length).take(length).collect::<String>();
        let expected = String::from_utf8_lossy(&slowly(&tiny, &question, 40)).into_owned();
        let (_, answered) = answer(&model, &ask(&question), 40);
        assert_eq!(text(&answered), expected.trim_end_matches('\u{fffd}'), "{question}");
        assert!(answered.usage.unwrap().output > 3, "{answered:?}");
    }
}

#[test]
fn answers_at_the_same_time_do_not_mix() {
    let model = Tiny::babbles(GgmlDType::F32).open();
    let questions = ["What?", "Who is it that asks so much at this time of the day?", "qrs", "zzzzz"];
    let alone = questions.map(|question| answer(&model, &ask(question), 60).1);
    assert!(alone.windows(2).all(|two| two[0].text != two[1].text));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            for (question, alone) in questions.iter().zip(&alone) {
                scope.spawn(|| assert_eq!(answer(&model, &ask(question), 60).1, *alone));
            }
        }
    });
}

#[test]
fn an_answer_leaves_nothing_behind() {
    let model = Tiny::babbles(GgmlDType::F32).open();
    let first = answer(&model, &ask("What?"), 60).1;
    answer(&model, &ask("Something else"), 60);
    let stopped = model.answer(&ask("Again"), 60, &mut |_| lab3_model::Flow::Break(()));
    assert!(stopped.is_ok());
    assert_eq!(answer(&model, &ask("What?"), 60).1, first);
}

#[test]
fn encodings_that_are_slow_are_rewritten_and_say_much_the_same() {
    // Numbers that four bits hold exactly: then Q8_0 must hold them nearly so, and the likeliest token stays.
    let model = |encoding| Tiny::babbles(encoding).open();
    let first = |encoding| answer(&model(encoding), &Query { ..ask("What?") }, 8).1;
    for encoding in [GgmlDType::Q4_1, GgmlDType::Q5_0, GgmlDType::Q5_1, GgmlDType::Q8_0] {
        let answered = first(encoding);
        assert!(answered.usage.unwrap().output > 0, "{encoding:?}: {answered:?}");
    }
}
