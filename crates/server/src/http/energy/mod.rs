//! The energy desk's endpoints.

pub(super) mod book;
pub(super) mod bookings;
pub(super) mod certificate;
pub(super) mod certificates;
pub(super) mod close_hour;
pub(super) mod day;
pub(super) mod dispatch;
pub(super) mod exports;
pub(super) mod job_end;
pub(super) mod jobs;
mod outlook;
mod plan;
pub(super) mod responses;
pub(super) mod signal;
pub(super) mod signals;
pub(super) mod signals_push;
mod site;
pub(super) mod standing;
pub(super) mod telemetry;
pub(super) mod telemetry_append;

use lab3_units::{Amount, Asset};
use serde::{Serialize, Serializer};

use crate::http::reply::Number;
use crate::json::{Figure, List, Words};

/// The module's name, as stewards have it.
pub(super) const MODULE: &str = "energy";
/// The name of a zone, a source, a device.
pub(super) type Name = Words<1, 64>;
/// Energies in kWh and powers in kW.
pub(super) type Positive = Figure<0, 1_000_000_000>;
/// Prices, MIC a kWh or kW.
pub(super) type Price = Figure<-1_000_000, 1_000_000>;
/// Between none and all.
pub(super) type Share = Figure<0, 1>;
/// A row over the steps of a plan.
pub(super) type Row<T> = List<T, 0, { lab3_energy::dispatch::STEPS_MAX }>;

/// An energy on the books, in kWh with at most six decimals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kwh(pub(super) Amount);

impl Serialize for Kwh {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Number(Asset::ENERGY.decimal(self.0)).serialize(serializer)
    }
}

/// A mass on the books, in kg CO2e with at most six decimals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kg(pub(super) Amount);

impl Serialize for Kg {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Number(Asset::CARBON.decimal(self.0)).serialize(serializer)
    }
}

/// A row's numbers; none when it was left out.
pub(super) fn positives(row: Option<Row<Positive>>) -> Vec<f64> {
    row.map_or_else(Vec::new, |row| row.0.into_iter().map(|figure| figure.0).collect())
}

/// A row of prices; none when it was left out.
pub(super) fn prices(row: Option<Row<Price>>) -> Vec<f64> {
    row.map_or_else(Vec::new, |row| row.0.into_iter().map(|figure| figure.0).collect())
}
