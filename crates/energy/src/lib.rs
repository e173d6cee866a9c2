//! Module 2: when to run what, from which source, and what it emits.
//!
//! Pure. Powers are kW, energies kWh, intensities g CO2e a kWh and prices MIC a kWh, as floats: they are readings and forecasts, not amounts. What is booked on the
//! ledger is whole: mWh and mg (`docs/modules/energy.md`).

pub mod carbon;
pub mod controller;
pub mod dispatch;
mod forecast;
mod horizon;
pub mod island;
pub mod jobs;
pub mod response;
mod series;
pub mod signals;
pub mod site;
pub mod survive;

pub use forecast::{Forecast, Foresight, Model, WITHIN_PERCENT, forecast};
pub use horizon::Horizon;
pub use series::{Mark, Series};
