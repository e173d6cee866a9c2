//! Signals: series of equal steps, by kind, zone, source and detail.

use lab3_energy::signals::{Kind, Signal};
use lab3_energy::{Mark, Series};
use lab3_units::Time;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::{ReadingsError, ReadingsFile, Stop};

/// Most signals that are kept.
pub const SIGNALS_MAX: u32 = 1_000;

/// Most steps of all signals together.
pub const STEPS_MAX: u64 = 20_000_000;

/// Most steps of one push.
pub const PUSH_STEPS_MAX: usize = 1_000_000;

/// A signal, without its values.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptSignal {
    /// What it tells.
    pub kind: Kind,
    /// Where it holds.
    pub zone: String,
    /// Who publishes it.
    pub source: String,
    /// What tells it from others of its kind; may be empty.
    pub detail: String,
    /// How long each of its steps is, in seconds.
    pub step_s: u32,
    /// Where its first step begins.
    pub first: Time,
    /// Where its last step ends.
    pub end: Time,
    /// How many of its values were measured.
    pub measured: u64,
    /// How many are forecasts.
    pub forecast: u64,
    /// How many were made up from their neighbours.
    pub filled: u64,
    /// When it was last written.
    pub written: Time,
}

/// What became of one signal of a push.
#[derive(Clone, Debug, PartialEq)]
pub struct Pushed {
    /// The signal as it is now.
    pub signal: KeptSignal,
    /// How many steps were sent, in steps of its length.
    pub sent: u64,
    /// How many of them were written; the others were measured before, and what was sent is not.
    pub written: u64,
}

impl ReadingsFile {
    /// Keeps the values of these signals, over those that were there; only a measured value takes the place of a measured one. Gives what became of each.
    ///
    /// # Errors
    /// [`ReadingsError::Refused`] for a signal without a zone, values that are no numbers, steps of another length than the signal has (other than halves,
    /// quarters or doubles and the like that lie whole on its steps), and past what is kept at most.
    pub fn push(&self, signals: &[Signal], now: Time) -> Result<Vec<Pushed>, ReadingsError> {
        let mut writer = self.writer();
        self.write(&mut writer, |transaction| {
            let mut room = PUSH_STEPS_MAX;
            let pushed = signals.iter().map(|signal| keep(transaction, signal, now, &mut room)).collect::<Result<Vec<_>, Stop>>()?;
            let steps: i64 =
                transaction.query_row("SELECT coalesce(sum(measured + forecast + filled), 0) FROM signals", [], |row| row.get(0))?;
            if u64::try_from(steps).unwrap_or(0) > STEPS_MAX {
                return Err(Stop::Refused(format!("all signals together would have {steps} values: at most {STEPS_MAX} are kept")));
            }
            Ok(pushed)
        })
    }

    /// Every signal there is, in the order of kind, zone, source and detail.
    ///
    /// # Errors
    /// [`ReadingsError::Failed`].
    pub fn signals(&self) -> Result<Vec<KeptSignal>, ReadingsError> {
        self.read(|connection| {
            let mut all = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM signals ORDER BY kind, zone, source, detail"))?;
            all.query_map([], kept)?.collect()
        })
    }

    /// A signal's values from one moment to another, in order of time, cut where steps have none. At most so many values, the earliest. None when there is no
    /// such signal.
    ///
    /// # Errors
    /// [`ReadingsError::Failed`].
    pub fn steps(&self, signal: &KeptSignal, from: Time, to: Time, values_max: usize) -> Result<Option<Vec<Series>>, ReadingsError> {
        self.read(|connection| {
            let Some((id, step_s)) = find(connection, signal.kind, &signal.zone, &signal.source, &signal.detail)? else { return Ok(None) };
            // A step that began before counts while it lasts.
            let from_s = from.millis().div_euclid(1000).saturating_sub(i64::from(step_s) - 1);
            let to_s = to.millis().saturating_add(999).div_euclid(1000);
            let values_max = i64::try_from(values_max).unwrap_or(i64::MAX);
            let mut steps = connection.prepare_cached(
                "SELECT at_s, value, mark FROM steps WHERE signal = ?1 AND at_s >= ?2 AND at_s < ?3 ORDER BY at_s LIMIT ?4",
            )?;
            let mut rows = steps.query((id, from_s, to_s, values_max))?;
            let mut pieces: Vec<Series> = Vec::new();
            while let Some(row) = rows.next()? {
                let (at_s, value, mark) = (row.get::<_, i64>(0)?, row.get(1)?, mark_of(row.get(2)?));
                let at = Time::from_millis(at_s * 1000);
                match pieces.last_mut().filter(|piece| piece.end() == at) {
                    Some(piece) => {
                        piece.values.push(value);
                        piece.marks.push(mark);
                    }
                    None => pieces.push(Series::new(at, step_s, vec![value], mark)),
                }
            }
            Ok(Some(pieces))
        })
    }
}

const COLUMNS: &str = "kind, zone, source, detail, step_s, first_s, end_s, measured, forecast, filled, written_ms";

fn kept(row: &Row<'_>) -> rusqlite::Result<KeptSignal> {
    let kind: String = row.get(0)?;
    let moment = |seconds: i64| Time::from_millis(seconds.saturating_mul(1000));
    let count = |column: usize| row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or(0));
    let unknown = || rusqlite::Error::InvalidColumnType(0, kind.clone(), rusqlite::types::Type::Text);
    Ok(KeptSignal {
        kind: Kind::parse(&kind).ok_or_else(unknown)?,
        zone: row.get(1)?,
        source: row.get(2)?,
        detail: row.get(3)?,
        step_s: row.get(4)?,
        first: moment(row.get(5)?),
        end: moment(row.get(6)?),
        measured: count(7)?,
        forecast: count(8)?,
        filled: count(9)?,
        written: Time::from_millis(row.get(10)?),
    })
}

fn find(connection: &Connection, kind: Kind, zone: &str, source: &str, detail: &str) -> rusqlite::Result<Option<(i64, u32)>> {
    let mut find =
        connection.prepare_cached("SELECT id, step_s FROM signals WHERE kind = ?1 AND zone = ?2 AND source = ?3 AND detail = ?4")?;
    find.query_row((kind.name(), zone, source, detail), |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

fn keep(transaction: &Transaction<'_>, signal: &Signal, now: Time, room: &mut usize) -> Result<Pushed, Stop> {
    let (name, detail) = (signal.kind.name(), signal.detail.as_deref().unwrap_or_default());
    let Some(zone) = signal.zone.as_deref().filter(|zone| !zone.is_empty()) else {
        return Err(Stop::Refused(format!("nobody says in which zone this {name} of {} holds: state zone", signal.source)));
    };
    let Some(first) = signal.series.iter().find(|piece| !piece.is_empty()) else {
        return Err(Stop::Refused(format!("the {name} of {zone} has no values")));
    };
    let found = find(transaction, signal.kind, zone, &signal.source, detail)?;
    let (id, step_s) = match found {
        Some(found) => found,
        None => (begin(transaction, signal, zone, first)?, first.step_s),
    };
    let phase_s: i64 = match found {
        Some(_) => transaction.query_row("SELECT first_s FROM signals WHERE id = ?1", [id], |row| row.get(0))?,
        None => first.start.millis().div_euclid(1000),
    };
    let (mut sent, mut written) = (0, 0);
    for piece in signal.series.iter().filter(|piece| !piece.is_empty()) {
        let fitted =
            fit(piece, step_s, phase_s, *room).map_err(|why| Stop::Refused(format!("the {name} of {zone} by {}: {why}", signal.source)))?;
        *room -= fitted.len();
        sent += fitted.len() as u64;
        written += put(transaction, id, &fitted)?;
    }
    let signal = sum_up(transaction, id, now)?;
    Ok(Pushed { signal, sent, written })
}

/// A signal without values yet.
fn begin(transaction: &Transaction<'_>, signal: &Signal, zone: &str, first: &Series) -> Result<i64, Stop> {
    let signals: u32 = transaction.query_row("SELECT count(*) FROM signals", [], |row| row.get(0))?;
    if signals >= SIGNALS_MAX {
        return Err(Stop::Refused(format!("there are {signals} signals, and no more are kept: give this one the name of one there is")));
    }
    let detail = signal.detail.as_deref().unwrap_or_default();
    transaction.execute(
        "INSERT INTO signals(kind, zone, source, detail, step_s, first_s, end_s, measured, forecast, filled, written_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, 0, 0, 0)",
        (signal.kind.name(), zone, &signal.source, detail, first.step_s),
    )?;
    Ok(transaction.last_insert_rowid())
}

/// The same values in steps of that length, of which one begins at `phase_s`; at most so many. Errors in words.
fn fit(piece: &Series, step_s: u32, phase_s: i64, steps_max: usize) -> Result<Series, String> {
    if piece.values.iter().any(|value| !value.is_finite()) {
        return Err("a value is no number".to_owned());
    }
    let (start_s, part_ms) = (piece.start.millis().div_euclid(1000), piece.start.millis().rem_euclid(1000));
    let end_s = piece.end().millis().div_euclid(1000);
    let on_grid = |at_s: i64| at_s.saturating_sub(phase_s).rem_euclid(i64::from(step_s)) == 0;
    let divides = step_s.is_multiple_of(piece.step_s) || piece.step_s.is_multiple_of(step_s);
    if part_ms != 0 || !divides || !on_grid(start_s) || !on_grid(end_s) {
        let minutes = f64::from(step_s) / 60.0;
        let (from, sent) = (piece.start, f64::from(piece.step_s) / 60.0);
        return Err(format!(
            "the steps from {from} are {sent} minutes long, and do not lie whole on the signal's, which are {minutes} minutes long: send those, \
             or give it another source"
        ));
    }
    let count = usize::try_from((end_s - start_s) / i64::from(step_s)).unwrap_or(usize::MAX);
    if count > steps_max {
        return Err(format!("more than {PUSH_STEPS_MAX} values at once: send it in parts"));
    }
    piece.resampled(piece.start, step_s, count).ok_or_else(|| "its values do not cover their steps".to_owned())
}

/// Writes the values; how many were.
fn put(transaction: &Transaction<'_>, id: i64, piece: &Series) -> rusqlite::Result<u64> {
    let mut put = transaction.prepare_cached(
        "INSERT INTO steps(signal, at_s, value, mark) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT(signal, at_s) DO UPDATE SET value = excluded.value, mark = excluded.mark WHERE excluded.mark = 0 OR steps.mark <> 0",
    )?;
    let mut written = 0;
    for (step, (value, mark)) in piece.values.iter().zip(&piece.marks).enumerate() {
        let at_s = piece.begin_of(step).millis().div_euclid(1000);
        written += put.execute((id, at_s, value, number_of(*mark)))? as u64;
    }
    Ok(written)
}

/// Counts a signal's values anew.
fn sum_up(transaction: &Transaction<'_>, id: i64, now: Time) -> rusqlite::Result<KeptSignal> {
    transaction.execute(
        "UPDATE signals SET (first_s, end_s, measured, forecast, filled) = (\
            SELECT min(at_s), max(at_s) + signals.step_s, sum(mark = 0), sum(mark = 1), sum(mark = 2) FROM steps WHERE signal = ?1\
         ), written_ms = ?2 WHERE id = ?1",
        (id, now.millis()),
    )?;
    transaction.query_row(&format!("SELECT {COLUMNS} FROM signals WHERE id = ?1"), [id], kept)
}

const fn number_of(mark: Mark) -> u8 {
    match mark {
        Mark::Measured => 0,
        Mark::Forecast => 1,
        Mark::Filled => 2,
    }
}

const fn mark_of(number: u8) -> Mark {
    match number {
        0 => Mark::Measured,
        1 => Mark::Forecast,
        _ => Mark::Filled,
    }
}
