//! Notes: what was planned and promised at a moment, one a kind and moment, in whoever's words writes them.

use lab3_units::Time;

use super::{ReadingsError, ReadingsFile};

/// Longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 4 << 20;

impl ReadingsFile {
    /// Keeps a note in the place of the one of that kind and moment.
    ///
    /// # Errors
    /// [`ReadingsError::Refused`] for one that is too long.
    pub fn note(&self, kind: u8, at: Time, body: &str) -> Result<(), ReadingsError> {
        if body.len() > NOTE_BYTES_MAX {
            return Err(ReadingsError::Refused(format!("a note of {} bytes is longer than {NOTE_BYTES_MAX}", body.len())));
        }
        let mut writer = self.writer();
        self.write(&mut writer, |transaction| {
            let put = "INSERT OR REPLACE INTO notes(kind, at_ms, body) VALUES (?1, ?2, ?3)";
            transaction.prepare_cached(put)?.execute((kind, at.millis(), body))?;
            Ok(())
        })
    }

    /// The notes of a kind from one moment to another, the last not included, in order of time: at most so many, the earliest.
    ///
    /// # Errors
    /// [`ReadingsError::Failed`].
    pub fn notes(&self, kind: u8, (from, to): (Time, Time), notes_max: usize) -> Result<Vec<(Time, String)>, ReadingsError> {
        self.read(|connection| {
            let mut found = connection
                .prepare_cached("SELECT at_ms, body FROM notes WHERE kind = ?1 AND at_ms >= ?2 AND at_ms < ?3 ORDER BY at_ms LIMIT ?4")?;
            let notes_max = i64::try_from(notes_max).unwrap_or(i64::MAX);
            let notes =
                found.query_map((kind, from.millis(), to.millis(), notes_max), |row| Ok((Time::from_millis(row.get(0)?), row.get(1)?)))?;
            notes.collect()
        })
    }
}
