//! Software Carbon Intensity: grams of CO2e for each request, the machines' making included.
//!
//! ```text
//! SCI = ((E x I) + M) per R        M = TE x TS x RS = TE x (TiR / EL) x (RR / ToR)
//! ```
//!
//! `I` is by location, average or marginal, and says which; what contracts and certificates claim has no place in it.
//!
//! Source: ISO/IEC 21031:2024, which is the Green Software Foundation's SCI specification (<https://sci.greensoftware.foundation>).

use serde::{Deserialize, Serialize};

use super::rounding::count;
use super::{CarbonError, Intensity, Interval};

/// Machines, as the embodied part of a score needs them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardware {
    /// TE: what making and disposing of them emits, in g CO2e.
    pub embodied_g: f64,
    /// EL: how long they are expected to serve, in seconds.
    pub lifespan_s: f64,
    /// ToR: resources they have (GPUs, cores, slots of a batch).
    pub resources: f64,
}

/// Which intensity a score was computed with: the specification asks to disclose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The grid's average.
    Average,
    /// The grid's (short-run) marginal.
    Marginal,
}

/// A score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sci {
    /// The score: g CO2e for each unit.
    pub g_per_unit: Interval,
    /// Of that E x I, by the energy.
    pub operational_g: Interval,
    /// Of that M, by the machines.
    pub embodied_g: f64,
    /// Which intensity.
    pub signal: Signal,
}

impl Hardware {
    /// M: the share in making the machines of who reserves so much of their resources for so long, in g CO2e.
    ///
    /// Errors: a number is below zero or not finite, more is reserved than there is, or there is nothing to reserve.
    pub fn share_g(&self, reserved_s: f64, reserved: f64) -> Result<f64, CarbonError> {
        let counted = self.embodied_g >= 0.0 && self.lifespan_s > 0.0 && self.resources > 0.0;
        if !(counted && reserved_s >= 0.0 && (0.0..=self.resources).contains(&reserved)) {
            return Err(CarbonError::OutOfRange("a machine, or what is reserved of it,"));
        }
        let share_g = self.embodied_g * (reserved_s / self.lifespan_s) * (reserved / self.resources);
        if share_g.is_finite() { Ok(share_g) } else { Err(CarbonError::TooLarge("a mass of carbon")) }
    }
}

/// The score of so many units (requests) that drew so many kWh together, the data centre's overhead included, at an intensity by location, and whose
/// share in making the machines is `embodied_g`.
///
/// Errors: there are no units, or a number is below zero or not finite.
pub fn sci(energy_kwh: Interval, intensity: Intensity, signal: Signal, embodied_g: f64, functional_units: u64) -> Result<Sci, CarbonError> {
    if functional_units == 0 {
        return Err(CarbonError::OutOfRange("the number of functional units"));
    }
    let functional_units = count(functional_units);
    let operational_g = energy_kwh.times(intensity.g_per_kwh() / functional_units)?;
    let embodied = Interval::exact(embodied_g / functional_units)?;
    Ok(Sci { g_per_unit: operational_g.plus(embodied)?, operational_g, embodied_g: embodied.mid(), signal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_example_of_an_hour_on_a_machine() {
        let machine = Hardware { embodied_g: 1_000_000.0, lifespan_s: 4.0 * 365.0 * 24.0 * 3600.0, resources: 8.0 };
        assert!((machine.share_g(3600.0, 8.0).unwrap() - 28.538_812_785_388_13).abs() < 1e-9, "1000 kg x 1 / (4 x 365 x 24)");
        assert!((machine.share_g(3600.0, 2.0).unwrap() - 7.134_703_196_347_03).abs() < 1e-9, "a quarter of it");
    }

    #[test]
    fn a_score_is_energy_times_intensity_and_the_machines_share_for_each_request() {
        let energy_kwh = Interval::new(1.0, 2.0, 4.0).unwrap();
        let intensity = Intensity::from_g_per_kwh(400.0).unwrap();
        let score = sci(energy_kwh, intensity, Signal::Marginal, 200.0, 1000).unwrap();
        for (end, expected) in <[f64; 3]>::from(score.g_per_unit).into_iter().zip([0.6, 1.0, 1.8]) {
            assert!((end - expected).abs() < 1e-12, "{score:?}");
        }
        assert_eq!(score.signal, Signal::Marginal);
    }

    #[test]
    fn what_is_no_score_is_refused() {
        let machine = Hardware { embodied_g: 1.0, lifespan_s: 1.0, resources: 1.0 };
        for (hardware, seconds, reserved) in [
            (machine, -1.0, 1.0),
            (machine, 1.0, 1.5),
            (machine, f64::NAN, 1.0),
            (Hardware { lifespan_s: 0.0, ..machine }, 1.0, 1.0),
            (Hardware { resources: 0.0, ..machine }, 1.0, 0.0),
            (Hardware { embodied_g: -1.0, ..machine }, 1.0, 1.0),
            (machine, f64::INFINITY, 1.0),
        ] {
            assert!(hardware.share_g(seconds, reserved).is_err(), "{hardware:?} {seconds} {reserved}");
        }
        assert!(sci(Interval::ZERO, Intensity::ZERO, Signal::Average, 1.0, 0).is_err());
        assert!(sci(Interval::ZERO, Intensity::ZERO, Signal::Average, -1.0, 1).is_err());
    }
}
