//! The Hive whose day it is: its files, its desk, and what it is told.

use std::time::{SystemTime, UNIX_EPOCH};

use lab3_tests::{Client, Desk, Folder, binary};
use lab3_units::Time;
use serde_json::{Value, json};

pub const ALICE: &str = "did:kaizen:alice";
pub const BOB: &str = "did:kaizen:bob";
pub const COOP: &str = "did:kaizen:coop";

pub const MINUTE_MS: i64 = 60_000;
pub const QUARTER_MS: i64 = 15 * MINUTE_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// What is drawn at all hours, kW.
pub const LOADS: [(&str, f64); 4] = [("clinic", 2.0), ("pumps", 1.0), ("homes", 5.0), ("machines", 3.0)];

/// The sum of them.
pub const DRAWN_KW: f64 = 11.0;

/// What the roof gives from nine to three, kW.
pub const ROOF_KW: f64 = 15.0;

/// What a kWh fed in brings, MIC.
pub const EXPORT_PRICE: f64 = 0.08;

/// A Hive with the site of the documentation.
pub struct Hive {
    pub folder: Folder,
    pub data: String,
    config: String,
    /// Where the present quarter of an hour begins, as it is when all begins.
    pub quarter: Time,
    /// Where its day does.
    pub today: Time,
}

impl Hive {
    /// Its files, in a folder of their own.
    pub fn new() -> Self {
        let folder = Folder::new("energy-day");
        let site = folder.at("site.toml");
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/site.toml"), &site).unwrap();
        let (config, data) = (folder.at("lab3.toml"), folder.at("data"));
        let text = format!(
            "[energy]\nsite = {site:?}\nzone = \"DE\"\ndraws = [{{ provider = \"local_llama\", on_site = true, ground = \"measured\", output_token_wh = 0.001 }}]\n"
        );
        std::fs::write(&config, text).unwrap();
        let quarter = floor(now(), QUARTER_MS);
        Self { folder, data, config, quarter, today: floor(quarter, DAY_MS) }
    }

    /// Opens its desk.
    pub fn open(&self) -> Desk {
        Desk::open_with(&self.data, &["--config", &self.config])
    }

    /// The date of a day before or after.
    pub fn date(&self, days: i64) -> String {
        later(self.today, days * DAY_MS).to_string()[..10].to_owned()
    }

    /// Yesterday at noon.
    pub fn noon(&self) -> Time {
        later(self.today, -12 * HOUR_MS)
    }

    /// How many quarters of today are over.
    pub fn quarters_over(&self) -> usize {
        usize::try_from((self.quarter.millis() - self.today.millis()) / QUARTER_MS).unwrap()
    }

    /// A file of its own, for a command.
    pub fn file(&self, name: &str, text: &str) -> String {
        let file = self.folder.at(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

/// Runs a command of the energy desk as somebody at a terminal does.
pub fn energy(desk: &Desk, arguments: &[&str]) -> String {
    binary::succeed(&[&["energy"], arguments, &["--url", &desk.url()]].concat())
}

/// The same, read as a program does.
pub fn energy_json(desk: &Desk, arguments: &[&str]) -> Value {
    serde_json::from_str(&energy(desk, &[arguments, &["--json"]].concat())).unwrap()
}

#[allow(clippy::disallowed_methods, reason = "the desk under test goes by the machine's clock")]
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap())
}

/// A moment, cut to whole spans of that length.
pub fn floor(at: Time, span_ms: i64) -> Time {
    Time::from_millis(at.millis() - at.millis().rem_euclid(span_ms))
}

pub fn later(at: Time, millis: i64) -> Time {
    Time::from_millis(at.millis() + millis)
}

/// What the roof gives at a moment, kW.
fn sun(at: Time) -> f64 {
    if (9..15).contains(&(at.millis().rem_euclid(DAY_MS) / HOUR_MS)) { ROOF_KW } else { 0.0 }
}

pub fn reading(device: &str, quantity: &str, at: Time, value: f64) -> Value {
    json!({ "device": device, "quantity": quantity, "at": at.to_string(), "value": value })
}

/// Every device, each quarter of an hour from one moment to another: what is drawn, the sun, a battery at rest, the grid for the rest.
pub fn readings(from: Time, to: Time) -> Vec<Value> {
    let quarters = (from.millis()..to.millis()).step_by(usize::try_from(QUARTER_MS).unwrap()).map(Time::from_millis);
    let of_quarter = |at: Time| {
        let mut read: Vec<Value> = LOADS.iter().map(|(load, kw)| reading(load, "power_kw", at, *kw)).collect();
        read.push(reading("roof", "power_kw", at, sun(at)));
        read.push(reading("diesel", "power_kw", at, 0.0));
        read.push(reading("cellar", "power_kw", at, 0.0));
        read.push(reading("cellar", "stored_kwh", at, 40.0));
        read.push(reading("grid", "power_kw", at, DRAWN_KW - sun(at)));
        read.push(reading("grid", "grid_up", at, 1.0));
        read
    };
    quarters.flat_map(of_quarter).collect()
}

/// Sends readings; each of them must be new.
pub fn tell(client: &Client, readings: &[Value]) {
    for part in readings.chunks(10_000) {
        let told = client.write("/lab3/energy/telemetry", None, &json!({ "readings": part }));
        assert_eq!(told, json!({ "new": part.len(), "known": 0, "differing": 0 }));
    }
}
