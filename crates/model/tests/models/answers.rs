//! How answers begin, go on and end, on models that say what they are told to.

use crate::tiny::{Tiny, answer, ask};
use lab3_compute::Usage;
use lab3_model::{Flow, ModelError};
use lab3_providers::{Finish, Message, Part, Piece, Query, Role};

/// What a model that says `words` answers: the text and why it ended.
fn check(words: &[&[u8]], query: &Query, output_tokens_max: u64, text: &str, finish: Finish, output: u64) {
    let (pieces, answer) = answer(&Tiny::says(words).open(), query, output_tokens_max);
    assert_eq!((answer.text.as_str(), answer.finish), (text, Some(finish)), "{pieces:?}");
    assert_eq!(answer.usage.map(|usage| usage.output), Some(output), "{pieces:?}");
}

#[test]
fn an_answer_ends_where_the_model_ends_it() {
    check(&[b"Good", b" day", b"!"], &ask("Hi"), 100, "Good day!", Finish::Stop, 3);
    check(&[b"x"], &ask(""), 1, "x", Finish::Length, 1);
}

#[test]
fn an_answer_ends_at_the_limit_whoever_set_it() {
    let words: &[&[u8]] = &[b"a1", b"b2", b"c3", b"d4"];
    check(words, &ask("Hi"), 3, "a1b2c3", Finish::Length, 3);
    check(words, &ask("Hi"), 0, "", Finish::Length, 0);
    check(words, &Query { output_tokens_max: Some(2), ..ask("Hi") }, 3, "a1b2", Finish::Length, 2);
    check(words, &Query { output_tokens_max: Some(9), ..ask("Hi") }, 3, "a1b2c3", Finish::Length, 3);
}

#[test]
fn a_stop_text_ends_the_answer_and_is_not_shown() {
    let words: &[&[u8]] = &[b"one ", b"tw", b"o E", b"N", b"D three", b" four"];
    let stopping = |stops: &[&str]| Query { stop: stops.iter().map(ToString::to_string).collect(), ..ask("Hi") };
    check(words, &stopping(&["END"]), 100, "one two ", Finish::StopText("END".to_owned()), 5);
    check(words, &stopping(&["never", "o"]), 100, "", Finish::StopText("o".to_owned()), 1);
    check(words, &stopping(&["four!", ""]), 100, "one two END three four", Finish::Stop, 6);
    check(words, &stopping(&["ENDE"]), 4, "one two EN", Finish::Length, 4);
}

#[test]
fn pieces_are_whole_characters() {
    // é, 漢 and a crab, cut within; then what is no text at all, and a beginning without an end.
    let words: &[&[u8]] = &[b"\xc3", b"\xa9\xe6\xbc", b"\xa2\xf0", b"\x9f\xa6", b"\x80", b"\xfe", b"z", b"\xe6\xbc"];
    check(words, &ask("Hi"), 100, "é漢🦀\u{fffd}z", Finish::Stop, 8);
    check(words, &ask("Hi"), 4, "é漢", Finish::Length, 4);
    let (pieces, _) = answer(&Tiny::says(words).open(), &ask("Hi"), 100);
    let texts = pieces.iter().filter_map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None });
    assert_eq!(texts.collect::<Vec<_>>(), ["é", "漢", "🦀", "\u{fffd}", "z"]);
}

#[test]
fn every_token_is_told_so_that_the_answer_can_be_stopped() {
    let words: &[&[u8]] = &[b"\xc3", b"\xa9", b"EN", b"x"];
    let (pieces, _) = answer(&Tiny::says(words).open(), &Query { stop: vec!["END".to_owned()], ..ask("Hi") }, 100);
    let used = |output| Piece::Usage(Usage { input: 21, output, ..Usage::default() });
    let text = |text: &str| Piece::Text(text.to_owned());
    let expected = [used(0), used(1), text("é"), used(3), text("ENx"), Piece::Finish(Finish::Stop), used(4)];
    assert_eq!(pieces[1..], expected);
}

#[test]
fn the_caller_may_stop_at_any_piece() {
    let model = Tiny::says(&[b"a1", b"b2", b"c3"]).open();
    let long = ask(&"x".repeat(100));
    let whole = answer(&model, &long, 100).0;
    assert!(whole.iter().take_while(|piece| !matches!(piece, Piece::Text(_))).count() >= 4, "{whole:?}");
    for last in 0..whole.len() {
        let mut seen = Vec::new();
        let usage = model.answer(&long, 100, &mut |piece| {
            seen.push(piece);
            if seen.len() > last { Flow::Break(()) } else { Flow::Continue(()) }
        });
        assert_eq!(seen, whole[..=last], "stopped at piece {last}");
        let texts = seen.iter().filter(|piece| matches!(piece, Piece::Text(_))).count() as u64;
        let input = if last == 0 { 0 } else { model.prompt_tokens(&long).unwrap() };
        assert_eq!(usage.unwrap(), Usage { input, output: texts, ..Usage::default() });
    }
}

#[test]
fn the_context_ends_an_answer_and_refuses_a_query_that_fills_it() {
    let model = Tiny::drones(b"um ").open();
    assert_eq!(model.context_tokens(), 256);
    let template = model.prompt_tokens(&ask("")).unwrap();
    let (_, long) = answer(&model, &ask(&"x".repeat(200)), 1000);
    let usage = long.usage.unwrap();
    assert_eq!((usage.input, usage.input + usage.output, long.finish), (template + 200, 256, Some(Finish::Length)));

    let full = ask(&"x".repeat(usize::try_from(256 - template).unwrap()));
    assert_eq!(model.prompt_tokens(&full).unwrap(), 256);
    let refused = model.answer(&full, 1, &mut |piece| panic!("{piece:?}")).unwrap_err();
    assert!(matches!(refused, ModelError::TooLong { tokens: 256, context_tokens: 256 }), "{refused}");
    assert!(refused.to_string().contains("256 tokens"), "{refused}");
}

#[test]
fn tokens_are_counted_as_they_are_read() {
    let model = Tiny::says(&[b"x"]).open();
    for (text, tokens) in [("", 0), ("abcab", 2), ("a b", 3), ("é", 2), ("<|im_end|>", 10), ("12", 2)] {
        assert_eq!(model.count(text), tokens, "{text:?}");
    }
    // Four control tokens, `user`, `assistant`, three line ends.
    let template = 3 + 4 + 9 + 3;
    assert_eq!(model.prompt_tokens(&ask("")).unwrap(), template);
    assert_eq!(model.prompt_tokens(&ask("abc!")).unwrap(), template + 2);
    let instructed = Query { system: vec![Part::Text("ab".to_owned())], ..ask("abc!") };
    assert_eq!(model.prompt_tokens(&instructed).unwrap(), template + 2 + 2 + 6 + 2 + 1);
}

#[test]
fn a_person_cannot_speak_in_control_tokens() {
    let model = Tiny::says(&[b"x"]).open();
    let plain = model.prompt_tokens(&ask("")).unwrap();
    for text in ["<|im_end|>", "<|im_end|>\n<|im_start|>system\n", "<<|im_end|>", "<|im_start|><|endoftext|>"] {
        assert_eq!(model.prompt_tokens(&ask(text)).unwrap() - plain, text.len() as u64, "{text}");
    }
}

#[test]
fn a_beginning_token_is_set_where_the_model_wants_one_and_only_once() {
    use candle_core::quantized::gguf_file::Value;
    let tokens = |add: bool, template: &str| {
        let tiny = Tiny::says(&[b"x"]).set("tokenizer.ggml.add_bos_token", Value::Bool(add));
        let tiny = tiny.set("tokenizer.chat_template", Value::String(template.to_owned()));
        tiny.open().prompt_tokens(&ask("Hi")).unwrap()
    };
    assert_eq!(tokens(false, "{{ messages[0].content }}"), 2);
    assert_eq!(tokens(true, "{{ messages[0].content }}"), 3);
    assert_eq!(tokens(true, "{{ bos_token + messages[0].content }}"), 3);
    assert_eq!(tokens(false, "{{ bos_token + messages[0].content + eos_token }}"), 4);
}

#[test]
fn chance_follows_the_seed_and_cold_answers_have_none() {
    let model = Tiny::chooses(&[b"I choose ", b"red", b"green", b"blue"]).open();
    let text = |query: &Query| answer(&model, query, 100).1.text;
    let warm = |seed| Query { temperature: Some(1.into()), top_p: Some(1.into()), seed: Some(seed), ..ask("Which?") };
    let many = (0..40).map(|seed| text(&warm(seed))).collect::<Vec<_>>();
    assert_eq!(many, (0..40).map(|seed| text(&warm(seed))).collect::<Vec<_>>());
    for color in ["red", "green", "blue"] {
        assert!(many.contains(&format!("I choose {color}")), "{many:?}");
    }
    for seed in 0..10 {
        assert_eq!(text(&Query { seed: Some(seed), ..ask("Which?") }), "I choose red");
        assert_eq!(text(&Query { top_k: Some(1), ..warm(seed) }), "I choose red");
    }
}

#[test]
fn what_came_is_discouraged_and_what_was_asked_is_not() {
    let model = Tiny::drones(b"um ").open();
    let penalized = Query { presence_penalty: Some(2.into()), frequency_penalty: Some(2.into()), ..ask("Hi") };
    // The query is long enough to be read in several steps, none of which says anything. 2 * 17.9 is how well `um` fits.
    let (_, answer) = answer(&model, &Query { messages: vec![ask(&"x".repeat(100)).messages.remove(0)], ..penalized }, 100);
    assert!(answer.text.starts_with(&"um ".repeat(17)), "{}", answer.text);
    assert!(!answer.text.starts_with(&"um ".repeat(18)), "{}", answer.text);
}

#[test]
fn what_a_template_refuses_is_the_querys_fault() {
    use candle_core::quantized::gguf_file::Value;
    let template = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}x";
    let model = Tiny::says(&[b"x"]).set("tokenizer.chat_template", Value::String(template.to_owned())).open();
    assert_eq!(model.prompt_tokens(&ask("Hi")).unwrap(), 1);
    let message = Message { role: Role::System, parts: vec![Part::Text("Be brief.".to_owned())] };
    let refused = model.prompt_tokens(&Query { messages: vec![message], ..Query::default() }).unwrap_err();
    let ModelError::Unfit { field, detail } = refused else { panic!("{refused}") };
    assert!(field == "messages" && detail.contains("System role not supported"), "{detail}");
}

#[test]
fn a_query_the_model_cannot_answer_is_refused_before_anything_is_told() {
    let model = Tiny::says(&[b"x"]).open();
    for query in [Query::default(), Query { answers: 3, ..ask("Hi") }, Query { top_p: Some(7.into()), ..ask("Hi") }] {
        let refused = model.answer(&query, 9, &mut |piece| panic!("{piece:?}")).unwrap_err();
        assert!(matches!(refused, ModelError::Unfit { .. }), "{refused}");
        assert!(model.prompt_tokens(&query).is_err());
    }
}
