//! Signals and telemetry: what is kept, what is refused, and that losing them costs nothing else.

use std::fs;

use lab3_energy::signals::{Kind, Signal};
use lab3_energy::{Mark, Series};
use lab3_units::Time;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{
    Appended, DeviceReading, KeptSignal, PUSH_STEPS_MAX, Pushed, ReadingsError, ReadingsFile, SIGNALS_MAX, SqliteStore, copy_readings,
};

const HOUR_MS: i64 = 3_600_000;
const NOW: Time = Time::from_millis(100 * 24 * HOUR_MS);

fn hour(hour: i64) -> Time {
    Time::from_millis(hour * HOUR_MS)
}

/// A signal of one piece that begins at that hour.
fn signal(zone: &str, first: i64, step_s: u32, values: &[f64], mark: Mark) -> Signal {
    let series = vec![Series::new(hour(first), step_s, values.to_vec(), mark)];
    Signal { zone: Some(zone.to_owned()), source: "test".to_owned(), kind: Kind::CarbonAverage, detail: None, series, findings: Vec::new() }
}

struct Kept {
    folder: TempDir,
    file: ReadingsFile,
}

impl Kept {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let file = ReadingsFile::open(folder.path(), 30).unwrap();
        Self { folder, file }
    }

    fn reopened(self) -> Self {
        let Self { folder, file } = self;
        drop(file);
        let file = ReadingsFile::open(folder.path(), 30).unwrap();
        Self { folder, file }
    }

    fn push(&self, signal: Signal) -> Pushed {
        self.file.push(&[signal], NOW).unwrap().remove(0)
    }

    #[track_caller]
    fn refused(&self, signals: &[Signal], words: &str) {
        let before = (self.file.signals().unwrap(), self.values());
        match self.file.push(signals, NOW) {
            Err(ReadingsError::Refused(why)) => assert!(why.contains(words), "{why}"),
            other => panic!("not refused: {other:?}"),
        }
        assert_eq!((self.file.signals().unwrap(), self.values()), before, "something of it was kept");
    }

    /// All values of the first signal.
    fn values(&self) -> Vec<(i64, Vec<f64>, Vec<Mark>)> {
        let Some(first) = self.file.signals().unwrap().into_iter().next() else { return Vec::new() };
        self.between(&first, first.first, first.end)
    }

    fn between(&self, signal: &KeptSignal, from: Time, to: Time) -> Vec<(i64, Vec<f64>, Vec<Mark>)> {
        let pieces = self.file.steps(signal, from, to, usize::MAX).unwrap().unwrap();
        pieces.into_iter().map(|piece| (piece.start.millis() / HOUR_MS, piece.values, piece.marks)).collect()
    }
}

#[test]
fn a_signal_is_kept_and_read_in_part() {
    let kept = Kept::new();
    let pushed = kept.push(signal("DE", 5, 3600, &[1.0, 2.0, 3.0], Mark::Measured));
    assert_eq!((pushed.sent, pushed.written), (3, 3));
    let told = &pushed.signal;
    assert_eq!((told.first, told.end, told.step_s, told.written), (hour(5), hour(8), 3600, NOW));
    let kept = kept.reopened();
    assert_eq!(kept.file.signals().unwrap(), std::slice::from_ref(&pushed.signal));
    let half = Time::from_millis(6 * HOUR_MS + HOUR_MS / 2);
    assert_eq!(kept.between(told, half, hour(7)), [(6, vec![2.0], vec![Mark::Measured])], "a step counts while it lasts");
    assert_eq!(kept.between(told, hour(8), hour(9)), []);
    assert_eq!(kept.file.steps(told, hour(0), hour(9), 2).unwrap().unwrap()[0].values, [1.0, 2.0]);
    let other = KeptSignal { zone: "FR".to_owned(), ..pushed.signal };
    assert_eq!(kept.file.steps(&other, hour(0), hour(9), 9).unwrap(), None);
}

#[test]
fn what_is_pushed_later_counts_but_only_what_is_measured_over_what_is_measured() {
    use Mark::{Filled, Forecast, Measured};
    for (there, sent, taken) in [
        (Forecast, Forecast, true),
        (Forecast, Measured, true),
        (Filled, Measured, true),
        (Filled, Forecast, true),
        (Forecast, Filled, true),
        (Measured, Measured, true),
        (Measured, Forecast, false),
        (Measured, Filled, false),
    ] {
        let kept = Kept::new();
        kept.push(signal("DE", 0, 3600, &[1.0], there));
        let pushed = kept.push(signal("DE", 0, 3600, &[2.0, 3.0], sent));
        assert_eq!((pushed.sent, pushed.written), (2, 1 + u64::from(taken)), "{sent:?} over {there:?}");
        let (value, mark) = if taken { (2.0, sent) } else { (1.0, there) };
        assert_eq!(kept.values(), [(0, vec![value, 3.0], vec![mark, sent])], "{sent:?} over {there:?}");
        let told = pushed.signal;
        assert_eq!(told.measured + told.forecast + told.filled, 2, "{told:?}");
    }
}

#[test]
fn steps_without_a_value_cut_a_signal() {
    let kept = Kept::new();
    let mut gapped = signal("DE", 4, 3600, &[5.0], Mark::Measured);
    gapped.series.insert(0, Series::new(hour(0), 3600, vec![1.0, 2.0], Mark::Filled));
    let pushed = kept.push(gapped);
    assert_eq!((pushed.signal.measured, pushed.signal.filled, pushed.signal.end), (1, 2, hour(5)));
    let (filled, measured) = (Mark::Filled, Mark::Measured);
    assert_eq!(kept.values(), [(0, vec![1.0, 2.0], vec![filled, filled]), (4, vec![5.0], vec![measured])]);
    kept.push(signal("DE", 2, 3600, &[3.0, 4.0], Mark::Forecast));
    assert_eq!(kept.values()[0].1, [1.0, 2.0, 3.0, 4.0, 5.0]);
}

#[test]
fn steps_of_another_length_are_taken_where_that_is_exact() {
    let kept = Kept::new();
    kept.push(signal("DE", 4, 3600, &[9.0], Mark::Measured));
    // Half hours make hours, two hours are split.
    kept.push(signal("DE", 0, 1800, &[1.0, 3.0, 4.0, 6.0], Mark::Measured));
    kept.push(signal("DE", 2, 7200, &[7.0], Mark::Forecast));
    assert_eq!(kept.values()[0].1, [2.0, 5.0, 7.0, 7.0, 9.0]);
    assert_eq!(kept.file.signals().unwrap()[0].step_s, 3600);
    kept.refused(&[signal("DE", 0, 1800, &[1.0], Mark::Measured)], "steps from 1970-01-01T00:00:00Z are 30 minutes long");
    kept.refused(&[signal("DE", 0, 2400, &[1.0, 1.0, 1.0], Mark::Measured)], "40 minutes");
    let mut late = signal("DE", 0, 3600, &[1.0], Mark::Measured);
    late.series[0].start = Time::from_millis(HOUR_MS / 2);
    kept.refused(&[late], "do not lie whole");
}

#[test]
fn of_a_push_that_is_refused_nothing_is_kept() {
    let kept = Kept::new();
    kept.push(signal("DE", 0, 3600, &[1.0], Mark::Measured));
    let good = signal("DE", 0, 3600, &[8.0, 9.0], Mark::Measured);
    let nowhere = Signal { zone: None, ..signal("FR", 0, 3600, &[1.0], Mark::Measured) };
    kept.refused(&[good.clone(), nowhere], "state zone");
    kept.refused(&[good.clone(), signal("FR", 0, 3600, &[f64::NAN], Mark::Measured)], "no number");
    kept.refused(&[good.clone(), signal("FR", 0, 3600, &[], Mark::Measured)], "no values");
    let long = vec![1.0; PUSH_STEPS_MAX];
    kept.refused(&[good, signal("FR", 0, 60, &long, Mark::Measured)], "in parts");
    kept.refused(&[signal("DE", 0, 86_400, &vec![1.0; PUSH_STEPS_MAX / 24 + 1], Mark::Measured)], "in parts");
}

#[test]
fn there_are_only_so_many_signals() {
    let kept = Kept::new();
    let all: Vec<Signal> = (0..SIGNALS_MAX).map(|zone| signal(&zone.to_string(), 0, 3600, &[1.0], Mark::Measured)).collect();
    kept.file.push(&all, NOW).unwrap();
    kept.refused(&[signal("one more", 0, 3600, &[1.0], Mark::Measured)], "no more are kept");
    kept.push(signal("7", 0, 3600, &[2.0], Mark::Measured));
}

fn reading(device: &str, quantity: u8, at: Time, value: f64) -> DeviceReading {
    DeviceReading { device: device.to_owned(), quantity, at, value }
}

#[test]
fn a_reading_counts_once() {
    let kept = Kept::new();
    let readings =
        [reading("roof", 0, NOW, 1.0), reading("roof", 1, NOW, 1.0), reading("cellar", 0, NOW, 2.0), reading("roof", 0, NOW, 1.0)];
    assert_eq!(kept.file.append(&readings, NOW).unwrap(), Appended { new: 3, known: 1, differing: 0 });
    let again = [reading("roof", 0, NOW, 3.0), reading("cellar", 0, NOW, 2.0)];
    assert_eq!(kept.file.append(&again, NOW).unwrap(), Appended { new: 0, known: 1, differing: 1 });
    let kept = kept.reopened();
    let later = Time::from_millis(NOW.millis() + 1);
    let read = |device: &str, quantity: u8| kept.file.readings(device, quantity, (NOW, later), 9).unwrap();
    assert_eq!((read("roof", 0), read("cellar", 0), read("attic", 0)), (vec![(NOW, 1.0)], vec![(NOW, 2.0)], vec![]));
    let gauges = kept.file.gauges(None, 9).unwrap();
    let names: Vec<_> = gauges.iter().map(|gauge| (&*gauge.device, gauge.quantity, gauge.last, gauge.value)).collect();
    assert_eq!(names, [("cellar", 0, NOW, 2.0), ("roof", 0, NOW, 1.0), ("roof", 1, NOW, 1.0)]);
    assert_eq!(kept.file.gauges(Some("cellar"), 9).unwrap().len(), 1);
}

#[test]
fn readings_are_found_by_their_time() {
    let kept = Kept::new();
    let at = |minute: i64| Time::from_millis(NOW.millis() + minute * 60_000);
    let readings: Vec<_> = [30, 10, 20].map(|minute| reading("roof", 2, at(minute), f64::from(i32::try_from(minute).unwrap()))).to_vec();
    kept.file.append(&readings, NOW).unwrap();
    assert_eq!(kept.file.readings("roof", 2, (at(10), at(30)), 9).unwrap(), [(at(10), 10.0), (at(20), 20.0)]);
    assert_eq!(kept.file.readings("roof", 2, (at(0), at(99)), 1).unwrap(), [(at(10), 10.0)]);
    assert_eq!(kept.file.reading_before("roof", 2, at(20)).unwrap(), Some((at(10), 10.0)));
    assert_eq!(kept.file.reading_before("roof", 2, at(10)).unwrap(), None);
}

#[test]
fn of_readings_that_are_refused_none_is_kept() {
    let kept = Kept::new();
    let refused = kept.file.append(&[reading("roof", 0, NOW, 1.0), reading("roof", 0, hour(1), f64::INFINITY)], NOW);
    assert!(matches!(&refused, Err(ReadingsError::Refused(why)) if why.contains("1970-01-01T01:00:00Z")), "{refused:?}");
    assert_eq!(kept.file.gauges(None, 9).unwrap(), []);
}

#[test]
fn old_readings_go_and_their_device_with_the_last() {
    let kept = Kept::new();
    let day = |days: i64| Time::from_millis(NOW.millis() + days * 24 * HOUR_MS);
    kept.file
        .append(&[reading("roof", 0, day(-29), 1.0), reading("roof", 0, day(0), 2.0), reading("gone", 0, day(-29), 1.0)], NOW)
        .unwrap();
    assert_eq!(kept.file.gauges(None, 9).unwrap().len(), 2);
    // Within the hour nobody looks; later what is older than thirty days goes.
    kept.file.append(&[reading("roof", 0, day(1), 3.0)], Time::from_millis(NOW.millis() + HOUR_MS - 1)).unwrap();
    assert_eq!(kept.file.gauges(None, 9).unwrap().len(), 2);
    kept.file.append(&[reading("roof", 0, day(2), 4.0)], day(2)).unwrap();
    let gauges = kept.file.gauges(None, 9).unwrap();
    assert_eq!((gauges.len(), gauges[0].first), (1, day(0)));
    let total: i64 = Connection::open(kept.folder.path().join("energy.db"))
        .unwrap()
        .query_row("SELECT readings = (SELECT count(*) FROM telemetry) FROM totals", [], |row| row.get(0))
        .unwrap();
    assert_eq!(total, 1, "the total is that of the table");
}

#[test]
fn a_lost_file_costs_readings_and_not_the_start() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("energy.db");
    for damage in [None, Some(vec![b'?'; 9000])] {
        let store = SqliteStore::open(folder.path()).unwrap();
        let kept = ReadingsFile::open(folder.path(), 30).unwrap();
        kept.append(&[reading("roof", 0, NOW, 1.0)], NOW).unwrap();
        drop((store, kept));
        match &damage {
            None => fs::remove_file(&file).unwrap(),
            Some(bytes) => fs::write(&file, bytes).unwrap(),
        }
        let _store = SqliteStore::open(folder.path()).unwrap();
        let kept = ReadingsFile::open(folder.path(), 30).unwrap();
        assert_eq!(kept.gauges(None, 9).unwrap(), []);
        kept.append(&[reading("roof", 0, NOW, 1.0)], NOW).unwrap();
        if let Some(bytes) = damage {
            assert_eq!(fs::read(folder.path().join("energy.db.damaged")).unwrap(), bytes, "it is kept for whoever can mend it");
        }
    }
}

#[test]
fn a_file_of_another_program_or_a_later_format_is_left_alone() {
    let folder = TempDir::new().unwrap();
    drop(ReadingsFile::open(folder.path(), 30).unwrap());
    let file = folder.path().join("energy.db");
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let refused = ReadingsFile::open(folder.path(), 30).unwrap_err().to_string();
    assert!(refused.contains("format 9") && refused.contains("newer lab3"), "{refused}");
    let folder = TempDir::new().unwrap();
    Connection::open(folder.path().join("energy.db")).unwrap().execute_batch("CREATE TABLE theirs(x)").unwrap();
    let refused = ReadingsFile::open(folder.path(), 30).unwrap_err().to_string();
    assert!(refused.contains("no readings of lab3"), "{refused}");
}

#[test]
fn readings_are_copied_beside_their_writer() {
    let (kept, elsewhere) = (Kept::new(), TempDir::new().unwrap());
    assert_eq!(copy_readings(elsewhere.path(), elsewhere.path()).unwrap(), 0, "there are none");
    let pushed = kept.push(signal("DE", 5, 3600, &[1.0, 2.0, 3.0], Mark::Measured));
    assert!(copy_readings(kept.folder.path(), elsewhere.path()).unwrap() > 0);
    kept.push(signal("FR", 5, 3600, &[1.0], Mark::Measured));
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1, "a copy is one file");
    let copy = ReadingsFile::open(elsewhere.path(), 30).unwrap();
    assert_eq!(copy.signals().unwrap(), [pushed.signal]);
    copy.append(&[reading("roof", 0, NOW, 1.0)], NOW).unwrap();
}
