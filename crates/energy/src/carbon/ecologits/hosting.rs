//! What EcoLogits' formula is fed with: a model's size, where it runs, and the coefficients its authors fitted.

use serde::{Deserialize, Serialize};

use crate::carbon::{CarbonError, Interval};

/// The coefficients of the formula.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Coefficients {
    /// GPU energy a token: Wh for each billion active parameters, at a batch of nothing.
    pub gpu_energy_alpha: f64,
    /// GPU energy a token: how it falls with the batch, in the exponent.
    pub gpu_energy_beta: f64,
    /// GPU energy a token: Wh whatever the size.
    pub gpu_energy_gamma: f64,
    /// Seconds a token for each billion active parameters.
    pub latency_alpha: f64,
    /// Seconds a token for each request in the batch.
    pub latency_beta: f64,
    /// Seconds a token whatever the size.
    pub latency_gamma: f64,
    /// Memory of a GPU, GB.
    pub gpu_memory_gb: f64,
    /// Bits a weight.
    pub quantization_bits: f64,
    /// GPUs in a server.
    pub server_gpus: f64,
    /// What a server draws without its GPUs, kW.
    pub server_power_kw: f64,
    /// Requests served at once.
    pub batch: f64,
    /// How long the machines live, seconds.
    pub lifetime_s: f64,
    /// Making a GPU: kg CO2e.
    pub gpu_gwp_kg: f64,
    /// Making a GPU: kg Sb-eq.
    pub gpu_adpe_kg: f64,
    /// Making a GPU: MJ.
    pub gpu_pe_mj: f64,
    /// Making a server without its GPUs: kg CO2e.
    pub server_gwp_kg: f64,
    /// Making a server without its GPUs: kg Sb-eq.
    pub server_adpe_kg: f64,
    /// Making a server without its GPUs: MJ.
    pub server_pe_mj: f64,
}

impl Coefficients {
    /// Those of EcoLogits 0.11.3: servers of eight GPUs with 80 GB, 64 requests at once, machines that live three years.
    pub const V0_11_3: Coefficients = Coefficients {
        gpu_energy_alpha: 1.166_527_317_045_191_4e-6,
        gpu_energy_beta: -0.011_205_921_025_579_175,
        gpu_energy_gamma: 4.052_928_146_734_005e-5,
        latency_alpha: 0.000_678_508_809_435_366_3,
        latency_beta: 0.000_311_931_031_168_825_9,
        latency_gamma: 0.019_473_717_579_473_387,
        gpu_memory_gb: 80.0,
        quantization_bits: 16.0,
        server_gpus: 8.0,
        server_power_kw: 1.2,
        batch: 64.0,
        lifetime_s: 3.0 * 365.0 * 24.0 * 3600.0,
        gpu_gwp_kg: 273.0,
        gpu_adpe_kg: 0.008_95,
        gpu_pe_mj: 3721.0,
        server_gwp_kg: 5700.0,
        server_adpe_kg: 0.37,
        server_pe_mj: 70_000.0,
    };
}

impl Default for Coefficients {
    fn default() -> Self {
        Self::V0_11_3
    }
}

/// A language model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Parameters a token passes through, billions. Of a model that is no mixture of experts: all.
    pub active_billions: Interval,
    /// All parameters, billions.
    pub total_billions: Interval,
    /// Tokens it writes a second, where that is known.
    #[serde(default)]
    pub tokens_per_s: Option<f64>,
    /// Seconds to the first token, where that is known.
    #[serde(default)]
    pub first_token_s: Option<f64>,
}

/// A data centre.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Power usage effectiveness: what it draws for each kWh its machines draw. One and more.
    pub pue: Interval,
    /// Water usage effectiveness: litres for each kWh its machines draw.
    pub wue_l_per_kwh: Interval,
}

/// A model, where it runs, and the coefficients to reckon with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hosting {
    /// What runs.
    pub model: Model,
    /// Where.
    pub site: Site,
    /// By default those of 0.11.3.
    #[serde(default)]
    pub coefficients: Coefficients,
}

/// A provider, the zone of its electricity (ISO 3166-1 alpha-3), its PUE from and to, its WUE from and to in litres a kWh.
type KnownSite = (&'static str, &'static str, [f64; 2], [f64; 2]);

/// The data centres EcoLogits 0.11.3 assumes for providers (`ecologits/tracers/utils.py`).
pub const SITES: [KnownSite; 6] = [
    ("anthropic", "USA", [1.09, 1.14], [0.13, 0.999]),
    ("cohere", "USA", [1.09, 1.09], [0.999, 0.999]),
    ("google_genai", "USA", [1.09, 1.09], [0.999, 0.999]),
    ("huggingface_hub", "USA", [1.09, 1.14], [0.13, 0.99]),
    ("mistralai", "SWE", [1.16, 1.16], [0.09, 0.09]),
    ("openai", "USA", [1.20, 1.20], [0.569, 0.569]),
];

impl Site {
    /// The data centre EcoLogits assumes for a provider.
    pub fn of(provider: &str) -> Option<Self> {
        let (_, _, pue, wue) = SITES.iter().find(|(name, ..)| *name == provider)?;
        let between = |[low, high]: [f64; 2]| Interval::between(low, high).ok();
        Some(Self { pue: between(*pue)?, wue_l_per_kwh: between(*wue)? })
    }
}

impl Hosting {
    /// Errors: a number is not finite, or not above zero where it must be.
    pub(super) fn check(&self) -> Result<(), CarbonError> {
        let (how, model) = (&self.coefficients, &self.model);
        let divisors = [how.gpu_memory_gb, how.server_gpus, how.batch, how.lifetime_s, model.tokens_per_s.unwrap_or(1.0)];
        let others = [
            how.gpu_energy_alpha,
            how.gpu_energy_gamma,
            how.latency_alpha,
            how.latency_beta,
            how.latency_gamma,
            how.quantization_bits,
            how.server_power_kw,
            how.gpu_gwp_kg,
            how.gpu_adpe_kg,
            how.gpu_pe_mj,
            how.server_gwp_kg,
            how.server_adpe_kg,
            how.server_pe_mj,
            model.first_token_s.unwrap_or(0.0),
        ];
        let fits = divisors.iter().all(|&number| number > 0.0 && number.is_finite())
            && others.iter().all(|&number| number >= 0.0 && number.is_finite())
            && how.gpu_energy_beta.is_finite();
        if !fits {
            return Err(CarbonError::OutOfRange("a coefficient or a speed of EcoLogits' formula"));
        }
        if model.total_billions.low() <= 0.0 || model.active_billions.low() <= 0.0 {
            return Err(CarbonError::OutOfRange("a model's size"));
        }
        if self.site.pue.low() < 1.0 { Err(CarbonError::OutOfRange("a PUE")) } else { Ok(()) }
    }
}
