//! Telemetry: what devices read, each reading once.

use lab3_units::Time;
use rusqlite::{OptionalExtension, Transaction};

use super::{ReadingsError, ReadingsFile, Stop, Writer};

/// Most devices that are kept.
pub const DEVICES_MAX: u32 = 10_000;

/// Most readings that are kept.
pub const READINGS_MAX: u64 = 200_000_000;

/// How often readings that are too old are looked for, at most.
const PRUNE_EVERY_MS: i64 = 3_600_000;

/// One reading of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceReading {
    /// The device.
    pub device: String,
    /// What was read, by its number.
    pub quantity: u8,
    /// When.
    pub at: Time,
    /// How much.
    pub value: f64,
}

/// What became of readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// How many are new.
    pub new: u64,
    /// How many were there already.
    pub known: u64,
    /// How many moments had another value, which stays.
    pub differing: u64,
}

/// What is kept of one quantity of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauge {
    /// The device.
    pub device: String,
    /// What is read, by its number.
    pub quantity: u8,
    /// When it was first read, of what is kept.
    pub first: Time,
    /// When it was last read.
    pub last: Time,
    /// What was read last.
    pub value: f64,
}

impl ReadingsFile {
    /// Keeps the readings in one transaction. A device has one reading of a quantity at a moment: what was there stays.
    ///
    /// # Errors
    /// [`ReadingsError::Refused`] for values that are no numbers, and past what is kept at most.
    pub fn append(&self, readings: &[DeviceReading], now: Time) -> Result<Appended, ReadingsError> {
        let mut writer = self.writer();
        let appended = self.write(&mut writer, |transaction| append(transaction, readings))?;
        if now.millis().saturating_sub(writer.pruned_ms) >= PRUNE_EVERY_MS {
            self.prune(&mut writer, now)?;
        }
        Ok(appended)
    }

    /// Drops what is older than is kept, a device's quantity at a time.
    fn prune(&self, writer: &mut Writer, now: Time) -> Result<(), ReadingsError> {
        let before_ms = self.keeps_from(now).millis();
        let gauges = self.write(writer, |transaction| {
            let mut all = transaction.prepare(GAUGES)?;
            let gauges =
                all.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u8>(1)?)))?.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(gauges)
        })?;
        for (device, quantity) in gauges {
            self.write(writer, |transaction| {
                let drop = "DELETE FROM telemetry WHERE device = ?1 AND quantity = ?2 AND at_ms < ?3";
                let dropped = transaction.prepare_cached(drop)?.execute((device, quantity, before_ms))?;
                transaction.execute("UPDATE totals SET readings = readings - ?1", [i64::try_from(dropped).unwrap_or(i64::MAX)])?;
                Ok(())
            })?;
        }
        self.write(writer, |transaction| {
            let idle = "DELETE FROM devices WHERE NOT EXISTS (SELECT 1 FROM telemetry WHERE device = devices.id)";
            transaction.execute(idle, [])?;
            transaction.execute("DELETE FROM notes WHERE at_ms < ?1", [before_ms]).map(|_| ()).map_err(Stop::from)
        })?;
        writer.pruned_ms = now.millis();
        Ok(())
    }

    /// What a device read from one moment to another, the first included and the last not, in order of time: at most so many readings, the earliest.
    ///
    /// # Errors
    /// [`ReadingsError::Failed`].
    pub fn readings(
        &self,
        device: &str,
        quantity: u8,
        (from, to): (Time, Time),
        readings_max: usize,
    ) -> Result<Vec<(Time, f64)>, ReadingsError> {
        self.read(|connection| {
            let mut found = connection.prepare_cached(
                "SELECT at_ms, value FROM telemetry WHERE device = (SELECT id FROM devices WHERE name = ?1) AND quantity = ?2 \
                 AND at_ms >= ?3 AND at_ms < ?4 ORDER BY at_ms LIMIT ?5",
            )?;
            let readings_max = i64::try_from(readings_max).unwrap_or(i64::MAX);
            let readings = found.query_map((device, quantity, from.millis(), to.millis(), readings_max), |row| {
                Ok((Time::from_millis(row.get(0)?), row.get(1)?))
            })?;
            readings.collect()
        })
    }

    /// What a device read last before a moment.
    ///
    /// # Errors
    /// [`ReadingsError::Failed`].
    pub fn reading_before(&self, device: &str, quantity: u8, before: Time) -> Result<Option<(Time, f64)>, ReadingsError> {
        self.read(|connection| {
            let mut found = connection.prepare_cached(
                "SELECT at_ms, value FROM telemetry WHERE device = (SELECT id FROM devices WHERE name = ?1) AND quantity = ?2 \
                 AND at_ms < ?3 ORDER BY at_ms DESC LIMIT 1",
            )?;
            found.query_row((device, quantity, before.millis()), |row| Ok((Time::from_millis(row.get(0)?), row.get(1)?))).optional()
        })
    }

    /// What is read of which device, with the last reading of each: of the device of that name, or of all, at most so many.
    ///
    /// # Errors
    /// [`ReadingsError::Failed`].
    pub fn gauges(&self, device: Option<&str>, gauges_max: usize) -> Result<Vec<Gauge>, ReadingsError> {
        self.read(|connection| {
            let mut all = connection.prepare_cached(&format!(
                "WITH gauges(device, quantity) AS ({GAUGES}) \
                 SELECT name, quantity, \
                    (SELECT min(at_ms) FROM telemetry AS t WHERE t.device = g.device AND t.quantity = g.quantity), \
                    (SELECT max(at_ms) FROM telemetry AS t WHERE t.device = g.device AND t.quantity = g.quantity), \
                    (SELECT value FROM telemetry AS t WHERE t.device = g.device AND t.quantity = g.quantity ORDER BY at_ms DESC LIMIT 1) \
                 FROM gauges AS g JOIN devices ON devices.id = g.device WHERE ?1 IS NULL OR name = ?1 ORDER BY name, quantity LIMIT ?2"
            ))?;
            let gauges = all.query_map((device, i64::try_from(gauges_max).unwrap_or(i64::MAX)), |row| {
                let moment = |column: usize| row.get(column).map(Time::from_millis);
                Ok(Gauge { device: row.get(0)?, quantity: row.get(1)?, first: moment(2)?, last: moment(3)?, value: row.get(4)? })
            })?;
            gauges.collect()
        })
    }
}

/// Every device with each of its quantities. The key is looked up once for each, not once a reading: a plain DISTINCT would read all.
const GAUGES: &str = "
    WITH RECURSIVE quantity(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM quantity WHERE number < 31)
    SELECT devices.id, quantity.number FROM devices, quantity
    WHERE EXISTS (SELECT 1 FROM telemetry AS t WHERE t.device = devices.id AND t.quantity = quantity.number)";

fn append(transaction: &Transaction<'_>, readings: &[DeviceReading]) -> Result<Appended, Stop> {
    let mut appended = Appended::default();
    let mut last: Option<(&str, i64)> = None;
    let mut put = transaction
        .prepare_cached("INSERT INTO telemetry(device, quantity, at_ms, value) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?;
    let mut there = transaction.prepare_cached("SELECT value FROM telemetry WHERE device = ?1 AND quantity = ?2 AND at_ms = ?3")?;
    for reading in readings {
        if !reading.value.is_finite() {
            return Err(Stop::Refused(format!("a reading of {} at {} is no number", reading.device, reading.at)));
        }
        let device = match last {
            Some((name, device)) if name == reading.device => device,
            _ => device_of(transaction, &reading.device)?,
        };
        last = Some((&reading.device, device));
        let at_ms = reading.at.millis();
        if put.execute((device, reading.quantity, at_ms, reading.value))? == 1 {
            appended.new += 1;
            continue;
        }
        let kept: f64 = there.query_row((device, reading.quantity, at_ms), |row| row.get(0))?;
        if kept.total_cmp(&reading.value).is_eq() { appended.known += 1 } else { appended.differing += 1 }
    }
    let new = i64::try_from(appended.new).unwrap_or(i64::MAX);
    let total: i64 = transaction.query_row("UPDATE totals SET readings = readings + ?1 RETURNING readings", [new], |row| row.get(0))?;
    if u64::try_from(total).unwrap_or(0) > READINGS_MAX {
        return Err(Stop::Refused(format!("there would be {total} readings: at most {READINGS_MAX} are kept, for fewer days if need be")));
    }
    Ok(appended)
}

/// The device of that name, which becomes one.
fn device_of(transaction: &Transaction<'_>, name: &str) -> Result<i64, Stop> {
    let mut find = transaction.prepare_cached("SELECT id FROM devices WHERE name = ?1")?;
    if let Some(device) = find.query_row([name], |row| row.get(0)).optional()? {
        return Ok(device);
    }
    let devices: u32 = transaction.query_row("SELECT count(*) FROM devices", [], |row| row.get(0))?;
    if devices >= DEVICES_MAX {
        return Err(Stop::Refused(format!("there are {devices} devices, and no more are kept")));
    }
    transaction.execute("INSERT INTO devices(name) VALUES (?1)", [name])?;
    Ok(transaction.last_insert_rowid())
}
