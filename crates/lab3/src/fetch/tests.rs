//! Fetching from a server on this machine.

use std::sync::mpsc::Receiver;

use lab3_engine::{Limits, ManualClock, MemoryStore, Policy};
use lab3_units::Duration as Span;
use tempfile::TempDir;

use super::*;
use crate::config::{Range, Raw, Setting as _};
use crate::fake_desk::{Answer, Asked, desk};

/// A desk with a folder for readings, and its fetchers.
struct Bench {
    engine: Engine,
    clock: Arc<ManualClock>,
    readings: Readings,
    fetchers: Vec<Fetcher>,
    asked: Receiver<Asked>,
    _folder: TempDir,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.engine.stop();
    }
}

/// Fetches what `answer` gives, by a table in which URL is the server's.
fn bench(table: &str, env: &[(&str, &str)], answer: impl FnMut(usize, &Asked) -> Answer + Send + 'static) -> Bench {
    let (server, asked) = desk(answer);
    let mut list = FetchList::default();
    assert!(list.read(&Raw::Loose(table.replace("URL", server.url())), Range::NONE), "{table}");
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new(Time::parse("2026-11-23T10:00:00Z").unwrap()));
    let engine = Engine::start(Arc::new(MemoryStore::new()), Policy::default(), clock.clone(), Limits::default()).unwrap();
    let readings = crate::readings::open(folder.path(), 30);
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let fetchers = fetchers(&list, &readings, &engine, &env);
    Bench { engine, clock, readings, fetchers, asked, _folder: folder }
}

async fn measured(readings: &Readings) -> u64 {
    readings.ask(|memory| Ok(memory.signals()?.iter().map(|signal| signal.measured).sum())).await.unwrap()
}

const CSV: &str = "time,load [kW]\n2026-11-23T08:00Z,3\n2026-11-23T09:00Z,4\n";

#[tokio::test]
async fn a_document_is_fetched_and_kept() {
    let table = "[{ url = \"URL/load?from={from}&to={to_digits}\", every_minutes = 15, zone = \"house\", header = \"auth-token\", secret_env = \"TOKEN\" }]";
    let mut bench = bench(table, &[("TOKEN", " s3cret ")], |_, _| Answer::Reply(200, "", CSV.to_owned()));
    let pause = bench.fetchers[0].round().await;
    let asked = bench.asked.recv().unwrap();
    assert_eq!(asked.line, "GET /load?from=2026-11-22T00:00Z&to=202611250000 HTTP/1.1");
    assert_eq!(asked.header("auth-token"), Some("s3cret"));
    assert_eq!((measured(&bench.readings).await, pause), (2, Duration::from_mins(15)));
    let standing = bench.readings.fetches().remove(0);
    let now = bench.engine.now();
    let next = now.after(Span::from_secs(900));
    assert_eq!((standing.success, standing.failure, standing.failures, standing.next), (Some((now, 2)), None, 0, Some(next)));
    assert!(standing.from.ends_with("/load?..."), "{}", standing.from);
}

#[tokio::test]
async fn what_fails_is_tried_less_and_less_often_and_nothing_of_it_is_kept() {
    let answers = |count: usize, _: &Asked| match count {
        0 => Answer::HangUp,
        1 => Answer::Reply(401, "", "you sent s3cret".to_owned()),
        2 => Answer::Reply(302, "Location: http://127.0.0.1:1/\r\n", String::new()),
        3 => Answer::Reply(200, "", format!("{CSV}2026-11-23T10:00Z,s3cret\n")),
        _ => Answer::Reply(200, "", CSV.to_owned()),
    };
    let mut bench = bench("[{ url = \"URL/{secret}\", zone = \"house\", secret_env = \"TOKEN\" }]", &[("TOKEN", "s3cret")], answers);
    for (failures, minutes, words) in [(1, 1, ""), (2, 2, "it answered 401"), (3, 4, "it answered 302"), (4, 8, "ow 4")] {
        let pause = bench.fetchers[0].round().await;
        let standing = bench.readings.fetches().remove(0);
        let (at, why) = standing.failure.unwrap();
        assert_eq!((standing.failures, pause, at), (failures, Duration::from_mins(minutes), bench.engine.now()), "{why}");
        assert!(why.contains(words) && !why.contains("s3cret"), "{why}");
        assert_eq!((measured(&bench.readings).await, standing.success), (0, None));
        bench.clock.advance(Span::from_secs(60));
    }
    let pause = bench.fetchers[0].round().await;
    let standing = bench.readings.fetches().remove(0);
    assert_eq!((pause, standing.failures, measured(&bench.readings).await), (Duration::from_hours(1), 0, 2));
    assert!(standing.failure.is_some(), "the last failure is still told");
}

#[tokio::test]
async fn without_its_secret_nothing_is_fetched() {
    let bench = bench("[{ url = \"URL/{secret}\", secret_env = \"TOKEN\" }]", &[("TOKEN", "")], |_, _| Answer::HangUp);
    assert!(bench.fetchers.is_empty());
    let (_, why) = bench.readings.fetches().remove(0).failure.unwrap();
    assert!(why.contains("TOKEN") && why.contains("not set"), "{why}");
}

#[test]
fn pauses_double_up_to_six_hours() {
    let minutes = |failures| pause(failures, 30).as_secs() / 60;
    assert_eq!([0, 1, 2, 3, 8, 9, 10, 40, u32::MAX].map(minutes), [30, 1, 2, 4, 128, 256, 360, 360, 360]);
}
