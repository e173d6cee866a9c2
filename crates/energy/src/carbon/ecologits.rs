//! EcoLogits' formula for language models: what a request in somebody's data centre draws and emits, from the model's size and the tokens it wrote.
//!
//! A stated model, never a measurement. With `P` active parameters and `T` total ones (billions), `n` output tokens, batch `B`:
//!
//! ```text
//! GPU energy a token (kWh)   e = (a exp(b B) P + c) / 1000
//! GPUs                       g = 2^ceil(log2(ceil(1.2 T bits / 8 / memory)))
//! latency (s)                l = min(request's, n (1 / tps, or a' P + b' B + c') + ttft)
//! server without GPUs (kWh)  s = l / 3600 x power x g / G / B
//! IT energy (kWh)            i = s + g n e               energy = PUE x i
//! usage                      energy x the mix's factor   water = i x (WUE + PUE x the mix's)
//! embodied                   l (g / G x server + g x GPU) / (lifetime x B)
//! ```
//!
//! A size, a PUE or a WUE that is only known between two ends runs through end by end: all the low ends give the low end of each impact.
//!
//! Source: EcoLogits 0.11.3 (PyPI `ecologits`, GenAI Impact, MPL-2.0), `ecologits/impacts/llm.py`; methodology at <https://ecologits.ai/latest/methodology/llm_inference/>.
//! `tests/carbon_ecologits.rs` compares the two to 1e-9.

mod hosting;

use serde::{Deserialize, Serialize};

use super::rounding::count;
use super::{CarbonError, Interval};

pub use hosting::{Coefficients, Hosting, Model, SITES, Site};

/// What a kWh from the grid costs the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Global warming potential, kg CO2e a kWh.
    pub gwp_kg: f64,
    /// Abiotic depletion of elements, kg Sb-eq a kWh.
    pub adpe_kg: f64,
    /// Primary energy, MJ a kWh.
    pub pe_mj: f64,
    /// Water, litres a kWh.
    pub water_l: f64,
}

/// Impacts of one phase of life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Phase {
    /// Global warming potential, kg CO2e.
    pub gwp_kg: Interval,
    /// Abiotic depletion of elements, kg Sb-eq.
    pub adpe_kg: Interval,
    /// Primary energy, MJ.
    pub pe_mj: Interval,
}

/// What a request draws and emits. The middle of each is the mean of its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Impacts {
    /// Electricity, data centre included, kWh.
    pub energy_kwh: Interval,
    /// Water, of use only, litres.
    pub water_l: Interval,
    /// By the electricity.
    pub usage: Phase,
    /// By making the machines.
    pub embodied: Phase,
}

/// One end of every interval, computed through.
struct Run {
    energy_kwh: f64,
    water_l: f64,
    usage: [f64; 3],
    embodied: [f64; 3],
}

/// The inputs at one end of their intervals.
struct End {
    active: f64,
    total: f64,
    pue: f64,
    wue: f64,
}

impl Hosting {
    /// What a request of so many output tokens draws and emits; `latency_s` is how long it took, where that is known.
    ///
    /// Errors: an input is not finite, is below zero, or is zero where something is divided by it.
    pub fn impacts(&self, mix: &Mix, output_tokens: u64, latency_s: Option<f64>) -> Result<Impacts, CarbonError> {
        self.check()?;
        let latency_s = latency_s.unwrap_or(f64::INFINITY);
        let factors = [mix.gwp_kg, mix.adpe_kg, mix.pe_mj, mix.water_l, latency_s];
        if !factors.iter().all(|&factor| factor >= 0.0) {
            return Err(CarbonError::OutOfRange("a factor of the electricity mix, or the latency"));
        }
        let [low, high] = self.ends().map(|end| self.run(&end, mix, count(output_tokens), latency_s));
        Ok(Impacts {
            energy_kwh: Interval::between(low.energy_kwh, high.energy_kwh)?,
            water_l: Interval::between(low.water_l, high.water_l)?,
            usage: Phase::between(low.usage, high.usage)?,
            embodied: Phase::between(low.embodied, high.embodied)?,
        })
    }

    /// The electricity alone, in kWh. Errors: as [`Hosting::impacts`].
    pub fn energy_kwh(&self, output_tokens: u64, latency_s: Option<f64>) -> Result<Interval, CarbonError> {
        self.impacts(&Mix::default(), output_tokens, latency_s).map(|impacts| impacts.energy_kwh)
    }

    fn ends(&self) -> [End; 2] {
        let (model, site) = (&self.model, &self.site);
        let end = |of: fn(Interval) -> f64| End {
            active: of(model.active_billions),
            total: of(model.total_billions),
            pue: of(site.pue),
            wue: of(site.wue_l_per_kwh),
        };
        [end(Interval::low), end(Interval::high)]
    }

    fn run(&self, end: &End, mix: &Mix, output_tokens: f64, latency_s: f64) -> Run {
        let how = &self.coefficients;
        let gpus = self.gpus(end.total);
        let generation_s = self.generation_s(end.active, output_tokens).min(latency_s);
        let server_kwh = generation_s / 3600.0 * how.server_power_kw * (gpus / how.server_gpus) / how.batch;
        let it_kwh = server_kwh + gpus * output_tokens * self.gpu_token_kwh(end.active);
        let energy_kwh = end.pue * it_kwh;
        let made = |server: f64, gpu: f64| {
            let machines = gpus / how.server_gpus * server + gpus * gpu;
            generation_s * machines / (how.lifetime_s * how.batch)
        };
        Run {
            energy_kwh,
            water_l: it_kwh * (end.wue + end.pue * mix.water_l),
            usage: [mix.gwp_kg, mix.adpe_kg, mix.pe_mj].map(|factor| energy_kwh * factor),
            embodied: [
                made(how.server_gwp_kg, how.gpu_gwp_kg),
                made(how.server_adpe_kg, how.gpu_adpe_kg),
                made(how.server_pe_mj, how.gpu_pe_mj),
            ],
        }
    }

    /// What one GPU draws for a token, in kWh.
    fn gpu_token_kwh(&self, active: f64) -> f64 {
        let how = &self.coefficients;
        (how.gpu_energy_alpha * (how.gpu_energy_beta * how.batch).exp() * active + how.gpu_energy_gamma) / 1000.0
    }

    /// How long the tokens take, in seconds, were the request's own time not known.
    fn generation_s(&self, active: f64, output_tokens: f64) -> f64 {
        let how = &self.coefficients;
        let token_s = self.model.tokens_per_s.map_or_else(
            || how.latency_alpha * active + how.latency_beta * how.batch + how.latency_gamma,
            |tokens_per_s| 1.0 / tokens_per_s,
        );
        output_tokens * token_s + self.model.first_token_s.unwrap_or(0.0)
    }

    /// GPUs that hold the model: a power of two.
    fn gpus(&self, total: f64) -> f64 {
        let how = &self.coefficients;
        let needed = (1.2 * total * how.quantization_bits / 8.0 / how.gpu_memory_gb).ceil();
        let mut gpus = 1.0;
        while gpus < needed {
            gpus *= 2.0;
        }
        gpus
    }
}

impl Phase {
    /// The sum of two phases. Errors: it is not finite.
    pub fn plus(self, other: Self) -> Result<Self, CarbonError> {
        Ok(Self {
            gwp_kg: self.gwp_kg.plus(other.gwp_kg)?,
            adpe_kg: self.adpe_kg.plus(other.adpe_kg)?,
            pe_mj: self.pe_mj.plus(other.pe_mj)?,
        })
    }

    fn between(low: [f64; 3], high: [f64; 3]) -> Result<Self, CarbonError> {
        Ok(Self {
            gwp_kg: Interval::between(low[0], high[0])?,
            adpe_kg: Interval::between(low[1], high[1])?,
            pe_mj: Interval::between(low[2], high[2])?,
        })
    }
}
