//! The real SmolLM2: it answers, the same each time, and counts as llama.cpp does.

use lab3_model::{Flow, Model};
use lab3_providers::{Answer, Finish, Message, Part, Query, Role};

use crate::fetched::smollm2;

fn answer(model: &Model, text: &str, output_tokens_max: u64) -> Answer {
    let message = Message { role: Role::User, parts: vec![Part::Text(text.to_owned())] };
    let query = Query { messages: vec![message], temperature: Some(0.into()), ..Query::default() };
    let mut answer = Answer::default();
    let each = &mut |piece| {
        answer.add(&piece);
        Flow::Continue(())
    };
    let usage = model.answer(&query, output_tokens_max, each).unwrap();
    assert_eq!(usage.input, model.prompt_tokens(&query).unwrap());
    answer
}

#[test]
fn smollm2_answers_sensibly_and_the_same_each_time() {
    let Some(path) = smollm2("smollm2::smollm2_answers_sensibly_and_the_same_each_time") else { return };
    let model = Model::open(&path).unwrap();
    assert_eq!(model.context_tokens(), 4096);
    // It knows little: of capitals nothing, neither here nor under llama.cpp.
    let first = answer(&model, "Why is the sky blue?", 48);
    assert!(first.text.contains("light") || first.text.contains("blue"), "{first:?}");
    assert_eq!(answer(&model, "Why is the sky blue?", 48), first);

    // As llama.cpp counts them.
    assert_eq!((first.usage.unwrap().input, model.count(" Hello  world\n\n2024")), (36, 8));
    let short = answer(&model, "Say hello.", 2);
    assert_eq!((short.finish, short.usage.unwrap().output), (Some(Finish::Length), 2));
}
