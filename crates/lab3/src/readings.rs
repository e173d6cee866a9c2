//! Wiring of signals and telemetry: what the server asks of whoever keeps them, answered by the file in the data folder.

use std::path::Path;

use lab3_energy::Series;
use lab3_energy::signals::Signal;
use lab3_server::{Appended, Gauge, KeptSignal, NoteKind, Pushed, Quantity, Reading, ReadingMemory, Readings, Unkept};
use lab3_store::{DeviceReading, ReadingsError, ReadingsFile};
use lab3_units::Time;

/// The readings of the Hive in that folder; telemetry is kept for so many days. A file that cannot be opened is told of, and the desk goes on without.
pub fn open(folder: &Path, keep_days: u32) -> Readings {
    let opened = ReadingsFile::open(folder, keep_days).map_err(|error| error.to_string());
    if let Err(why) = &opened {
        tracing::error!(why, "signals and telemetry are out of reach; the desk opens without them");
    }
    Readings::new(opened.map(|file| Box::new(Memory(file)) as Box<dyn ReadingMemory>))
}

struct Memory(ReadingsFile);

impl ReadingMemory for Memory {
    fn push(&self, signals: &[Signal], now: Time) -> Result<Vec<Pushed>, Unkept> {
        let pushed = |pushed: lab3_store::Pushed| Pushed { signal: told(pushed.signal), sent: pushed.sent, written: pushed.written };
        Ok(self.0.push(signals, now).map_err(unkept)?.into_iter().map(pushed).collect())
    }

    fn signals(&self) -> Result<Vec<KeptSignal>, Unkept> {
        Ok(self.0.signals().map_err(unkept)?.into_iter().map(told).collect())
    }

    fn steps(&self, signal: &KeptSignal, from: Time, to: Time, values_max: usize) -> Result<Vec<Series>, Unkept> {
        Ok(self.0.steps(&kept(signal), from, to, values_max).map_err(unkept)?.unwrap_or_default())
    }

    fn append(&self, readings: &[Reading], now: Time) -> Result<Appended, Unkept> {
        let of_device = |reading: &Reading| {
            let Reading { device, quantity, at, value } = reading.clone();
            DeviceReading { device, quantity: quantity.number(), at, value }
        };
        let readings: Vec<DeviceReading> = readings.iter().map(of_device).collect();
        let lab3_store::Appended { new, known, differing } = self.0.append(&readings, now).map_err(unkept)?;
        Ok(Appended { new, known, differing })
    }

    fn readings(&self, device: &str, quantity: Quantity, span: (Time, Time), readings_max: usize) -> Result<Vec<(Time, f64)>, Unkept> {
        self.0.readings(device, quantity.number(), span, readings_max).map_err(unkept)
    }

    fn reading_before(&self, device: &str, quantity: Quantity, before: Time) -> Result<Option<(Time, f64)>, Unkept> {
        self.0.reading_before(device, quantity.number(), before).map_err(unkept)
    }

    fn gauges(&self, device: Option<&str>, gauges_max: usize) -> Result<Vec<Gauge>, Unkept> {
        let gauge = |gauge: lab3_store::Gauge| {
            let lab3_store::Gauge { device, quantity, first, last, value } = gauge;
            // A quantity of a later lab3 is passed over.
            Quantity::of_number(quantity).map(|quantity| Gauge { device, quantity, first, last, value })
        };
        Ok(self.0.gauges(device, gauges_max).map_err(unkept)?.into_iter().filter_map(gauge).collect())
    }

    fn keeps_from(&self, now: Time) -> Time {
        self.0.keeps_from(now)
    }

    fn note(&self, kind: NoteKind, at: Time, body: &str) -> Result<(), Unkept> {
        self.0.note(kind.number(), at, body).map_err(unkept)
    }

    fn notes(&self, kind: NoteKind, span: (Time, Time), notes_max: usize) -> Result<Vec<(Time, String)>, Unkept> {
        self.0.notes(kind.number(), span, notes_max).map_err(unkept)
    }
}

fn unkept(error: ReadingsError) -> Unkept {
    match error {
        ReadingsError::Refused(why) => Unkept::Refused(why),
        ReadingsError::Failed(error) => Unkept::Failed(error.to_string()),
    }
}

fn told(signal: lab3_store::KeptSignal) -> KeptSignal {
    let lab3_store::KeptSignal { kind, zone, source, detail, step_s, first, end, measured, forecast, filled, written } = signal;
    KeptSignal { kind, zone, source, detail, step_s, first, end, measured, forecast, filled, written }
}

fn kept(signal: &KeptSignal) -> lab3_store::KeptSignal {
    let KeptSignal { kind, zone, source, detail, step_s, first, end, measured, forecast, filled, written } = signal.clone();
    lab3_store::KeptSignal { kind, zone, source, detail, step_s, first, end, measured, forecast, filled, written }
}
