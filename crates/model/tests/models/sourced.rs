//! A model as the gateway asks it: absent until it is there, counting, answering, stopping.

use std::time::{Duration, Instant};

use candle_core::quantized::gguf_file::Value;
use lab3_model::LocalSource;
use lab3_providers::dialect::{Terms, Unreadable};
use lab3_providers::{Answer, Answering, AskError, Asked, Dialect, Finish, Format, Piece, Query, Source};

use crate::tiny::{Tiny, ask};

fn asked<'a>(query: &'a Query, terms: &'a Terms) -> Asked<'a> {
    Asked { query, body: b"", dialect: Dialect::OpenAiChat, terms }
}

fn terms(output_tokens_max: u64) -> Terms {
    Terms { model: String::new(), output_tokens_max }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_mins(1), work).await.expect("it hangs") })
}

/// The whole answer, and the pieces it came in.
async fn whole(mut answering: Box<dyn Answering>) -> Result<(Answer, Vec<Piece>), AskError> {
    let (mut answer, mut pieces) = (Answer::default(), Vec::new());
    while let Some(chunk) = answering.next().await? {
        assert!(chunk.bytes.is_empty());
        for piece in &chunk.pieces {
            answer.add(piece);
        }
        pieces.extend(chunk.pieces);
    }
    Ok((answer, pieces))
}

fn refused(answered: Result<Box<dyn Answering>, AskError>) -> AskError {
    match answered {
        Ok(_) => panic!("it was asked"),
        Err(error) => error,
    }
}

#[test]
fn a_query_is_counted_asked_and_answered_piece_by_piece() {
    let source = LocalSource::from(Tiny::says(&[b"Good", b" day", b"!"]).open());
    let (query, terms) = (ask("Hi"), terms(100));
    assert_eq!((source.absent(), source.dialect(), source.count(&query)), (None, None, Some(21)));
    assert_eq!(source.can_say(&asked(&query, &terms)), Ok(()));
    let (answer, pieces) = run(async { whole(source.ask(asked(&query, &terms)).await?).await }).unwrap();
    assert_eq!((answer.text.as_str(), answer.finish.as_ref()), ("Good day!", Some(&Finish::Stop)));
    let usage = answer.usage.unwrap();
    assert_eq!((usage.input, usage.output), (21, 3));
    assert!(matches!(&pieces[0], Piece::Start { model, .. } if model == "Tiny-Model.F32"), "{pieces:?}");
    assert_eq!(pieces.iter().filter(|piece| matches!(piece, Piece::Text(_))).count(), 3, "{pieces:?}");
}

#[test]
fn what_the_desk_allows_ends_the_answer() {
    let source = LocalSource::from(Tiny::drones(b"um ").open());
    let (query, terms) = (ask("Hi"), terms(5));
    let (answer, _) = run(async { whole(source.ask(asked(&query, &terms)).await?).await }).unwrap();
    assert_eq!((answer.text.as_str(), answer.finish), ("um um um um um ", Some(Finish::Length)));
}

#[test]
fn a_query_it_cannot_answer_is_refused_before_and_when_it_is_asked() {
    let source = LocalSource::from(Tiny::says(&[b"x"]).open());
    let terms = terms(100);
    let strange = Unreadable::new("logit_bias", "only OpenAI knows it");
    // 19 tokens of the template leave 237 of the context; one is for the answer.
    let of_length = |length| ask(&"x".repeat(length));
    let cases = [
        (of_length(236), None),
        (of_length(237), Some(("messages", 413))),
        (of_length(100_000), Some(("messages", 413))),
        (ask(&"abc".repeat(200)), None),
        (ask(&"abc".repeat(237)), Some(("messages", 413))),
        (Query { format: Format::Json, ..ask("Hi") }, Some(("response_format", 400))),
        (Query { answers: 2, ..ask("Hi") }, Some(("n", 400))),
        (Query { top_p: Some(2.into()), ..ask("Hi") }, Some(("top_p", 400))),
    ];
    for (query, expected) in cases {
        let said = source.can_say(&asked(&query, &terms)).map_err(|unreadable| unreadable.field);
        let answered = run(async { whole(source.ask(asked(&query, &terms)).await?).await });
        match expected {
            None => assert!(said.is_ok() && answered.is_ok(), "{said:?} {answered:?}"),
            Some((field, expected)) => {
                assert_eq!(said.unwrap_err(), field);
                assert!(matches!(answered, Err(AskError::Refused { status, .. }) if status == expected), "{field}: {answered:?}");
            }
        }
    }
    let only_here = Query { only_here: vec![strange.clone()], ..ask("Hi") };
    assert_eq!(source.can_say(&asked(&only_here, &terms)), Err(strange));
}

#[test]
fn a_source_without_a_model_says_why() {
    let source = LocalSource::none("put one there".to_owned());
    let (query, terms) = (ask("Hi"), terms(9));
    assert_eq!((source.absent().as_deref(), source.count(&query)), (Some("put one there"), None));
    assert_eq!(source.can_say(&asked(&query, &terms)), Err(Unreadable::new("model", "put one there")));
    let error = run(async { refused(source.ask(asked(&query, &terms)).await) });
    assert_eq!(error, AskError::Unreachable("put one there".to_owned()));
}

/// What the source says of itself when it no longer loads.
fn loaded(source: &LocalSource) -> Option<String> {
    let begun = Instant::now();
    loop {
        let absent = source.absent();
        if !absent.as_ref().is_some_and(|why| why.contains("is being loaded")) {
            return absent;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "it is being loaded for ever");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_model_is_loaded_in_the_background_or_says_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let source = LocalSource::load(Tiny::says(&[b"x"]).write(folder.path()));
    assert_eq!(loaded(&source), None);
    assert_eq!(source.count(&ask("Hi")), Some(21));
    let missing = loaded(&LocalSource::load(folder.path().join("none.gguf"))).unwrap();
    assert!(missing.contains("none.gguf cannot be read"), "{missing}");
    let other = Tiny::says(&[b"x"]).set("general.architecture", Value::String("qwen2".to_owned())).write(folder.path());
    assert!(loaded(&LocalSource::load(other)).unwrap().contains("only `llama` is supported"));
}

#[test]
fn answers_beyond_the_slots_wait_and_a_dropped_answer_makes_room() {
    let source = LocalSource::from(Tiny::drones(b"um ").open());
    let (query, terms) = (ask("Hi"), terms(u64::MAX));
    run(async {
        // Four answers nobody reads: they stop when their pieces wait, and keep their slots.
        let mut unread = Vec::new();
        for _ in 0..4 {
            unread.push(source.ask(asked(&query, &terms)).await.unwrap());
        }
        let brief = Duration::from_millis(200);
        assert!(tokio::time::timeout(brief, source.ask(asked(&query, &terms))).await.is_err(), "a fifth was let in");
        unread.pop();
        let (answer, _) = whole(source.ask(asked(&query, &terms)).await?).await?;
        assert_eq!(answer.finish, Some(Finish::Length));
        // The others go on where they were.
        for answering in unread {
            assert_eq!(whole(answering).await?.0.text, answer.text);
        }
        Ok::<_, AskError>(())
    })
    .unwrap();
}
