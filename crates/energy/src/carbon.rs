//! Carbon accounting: what each allocation drew and emitted in the hour it ran, so that the parts are the meter, to the milligram.
//!
//! Two kinds of number, never mixed. *Estimates* are floats with an interval and a [`Tier`]: what a request is believed to have drawn.
//! *Amounts* are whole: energy in mWh (asset kWh with 6 decimals), carbon in mg CO2e (asset kgCO2e with 6 decimals); an intensity is whole
//! micrograms a kWh. A float becomes whole once, where it is weighed against a meter, and is booked as it is then: replay never computes
//! it again, so that another machine's `exp` changes no book.
//!
//! The way of an hour: each request gets an [`Estimate`]; what is bought is [`account`]ed by location and by contract, what a
//! [`Battery`] gives brings what charged it, and who draws from the same wires draws the same [`mix`]; a [`MeterReading`] is divided over requests,
//! idle and house, and its [`Footprint`] over the same [`Shares`].

mod apportion;
mod bus;
mod carried;
pub mod certificates;
pub mod ecologits;
mod estimate;
mod footprint;
mod intensity;
mod interval;
mod market;
mod matching;
mod meter;
mod rounding;
mod sci;
mod trace;

pub use apportion::split;
pub use bus::mix;
pub use carried::{SiteHour, consumed};
pub use estimate::{Estimate, Formula, Measurement, ModelDraw, Sources, Stated, Tier, Work};
pub use footprint::Footprint;
pub use intensity::Intensity;
pub use interval::Interval;
pub use market::{Accounted, Cover, GridHour, account};
pub use matching::{MatchedHour, Matching};
pub use meter::{MeterReading, Shares};
pub use sci::{Hardware, Sci, Signal, sci};
pub use trace::{Battery, Drawn, Load};

/// Why a figure cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CarbonError {
    /// An amount, or a number that counts something, is below zero.
    #[error("{0} is below zero")]
    Negative(&'static str),
    /// A number is not finite, or outside of what it may be.
    #[error("{0} is not a number that it can be")]
    OutOfRange(&'static str),
    /// Beyond what 64 bits of the smallest unit hold.
    #[error("{0} is too large to be counted")]
    TooLarge(&'static str),
    /// There is something to split and nobody who takes a part of it.
    #[error("there is an amount to split, and every weight is zero")]
    NoWeight,
}
