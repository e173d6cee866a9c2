//! What waiting gains a query at each provider. Its place is the one a job of that length gets that cares for nothing but carbon (`lab3_energy::jobs`).

use lab3_compute::{Chance, Gain, Policy, Provider};
use lab3_energy::Horizon;
use lab3_energy::carbon::{GridHour, Intensity, Sources, Work};
use lab3_energy::jobs::{EFFORT, Job, Manner, Outlook, place};
use lab3_units::{Amount, Time};

use super::{Carbon, ProviderDraw};

/// When it is clean, and what a kWh emits then and at once.
#[derive(Clone, Copy, Debug)]
struct Clean {
    time: (Time, Time),
    then: Intensity,
    at_once: Intensity,
}

/// The clean time, or the words why there is none.
type Found = Result<Clean, &'static str>;

/// From now to the deadline.
type Span = (Time, Time);

impl Carbon {
    /// What waiting gains a query of so many tokens, at each provider whose draw is known. It looks at nothing that is not in memory.
    pub(crate) fn chances(&self, policy: &Policy, tokens: u64, span: Span) -> Vec<Chance> {
        let mut places: Vec<(u32, Found)> = Vec::new();
        // In whole minutes: then most queries of all providers are one job.
        let mut clean = |latency_ms: u32| {
            let minutes = latency_ms.div_ceil(60_000).max(1);
            if let Some((_, found)) = places.iter().find(|(other, _)| *other == minutes) {
                return *found;
            }
            let found = self.clean(minutes.saturating_mul(60), span);
            places.push((minutes, found));
            found
        };
        let chance = |provider: &Provider| {
            let draw = self.settings.draws.iter().find(|draw| draw.provider == provider.name)?;
            let latency_s = Some(f64::from(provider.latency_ms) / 1000.0);
            let energy_mwh = energy_mwh(draw, &Work { input_tokens: tokens, output_tokens: policy.usual_output_tokens, latency_s });
            Some(match draw.grid {
                Some(grid) => elsewhere(provider, &grid, energy_mwh),
                None => self.here(provider, clean(provider.latency_ms), energy_mwh),
            })
        };
        policy.providers.iter().filter(|provider| provider.enabled).filter_map(chance).collect()
    }

    /// At a provider that draws from the site's grid.
    fn here(&self, provider: &Provider, found: Found, energy_mwh: Option<Amount>) -> Chance {
        let provider = provider.name.clone();
        let Clean { time, then, at_once } = match found {
            Ok(clean) => clean,
            Err(why) => {
                let now = self.grid().average;
                return Chance { provider, clean: None, gain: gain(now, now, energy_mwh), reason: why.into() };
            }
        };
        let g = Intensity::g_per_kwh;
        let reason = if then < at_once {
            format!("The grid is expected to emit {:.0} g a kWh then, and {:.0} g at once", g(then), g(at_once))
        } else {
            format!("The grid is not expected to emit less before the deadline than {:.0} g a kWh now, so it runs at once", g(at_once))
        };
        Chance { provider, clean: Some(time), gain: gain(then, at_once, energy_mwh), reason: reason.into() }
    }

    /// The clean time for a query that takes so long.
    fn clean(&self, seconds: u32, (now, deadline): Span) -> Found {
        let ahead = self.ahead();
        let known = ahead.as_ref().and_then(|ahead| ahead.since(now));
        let (horizon, carbon) = known.ok_or("No signal of the grid reaches so far, so it runs at once")?;
        // Of the present step only a part is left: a query that is placed there begins now.
        let (earliest, deadline) = (horizon.start, whole(&horizon, deadline, seconds));
        let job = Job { power_kw: 1.0, duration_s: seconds, earliest, deadline, manner: Manner::Whole, carbon_weight: 1.0 };
        let schedule = place(&[job], &Outlook { horizon, carbon, price: &[], cap_kw: None }, EFFORT);
        let placement = schedule.places.into_iter().next().and_then(Result::ok);
        let placement = placement.ok_or("There is too little time before the deadline to wait, so it runs at once")?;
        let of = |sums: lab3_energy::jobs::Sums| Intensity::from_g_per_kwh(sums.carbon_g / sums.energy_kwh);
        let intensities = of(placement.sums).and_then(|then| Ok((then, of(placement.at_once)?)));
        match (placement.runs.first(), intensities) {
            (Some(run), Ok((then, at_once))) => Ok(Clean { time: (run.start, run.end), then, at_once }),
            _ => Err("The signal of the grid has values that no grid has, so it runs at once"),
        }
    }
}

/// The deadline, or the end of the step it is in, when the query can run in the part of that step before it.
fn whole(horizon: &Horizon, deadline: Time, seconds: u32) -> Time {
    let step_ms = i64::from(horizon.step_s) * 1000;
    let into_ms = deadline.millis().saturating_sub(horizon.start.millis()).rem_euclid(step_ms);
    let fits = into_ms >= i64::from(seconds) * 1000;
    if fits { Time::from_millis(deadline.millis().saturating_add(step_ms - into_ms)) } else { deadline }
}

/// At a provider with a grid of its own: what is known of that is the same at all hours.
fn elsewhere(provider: &Provider, grid: &GridHour, energy_mwh: Option<Amount>) -> Chance {
    let reason = format!("{} runs on another grid, of which no cleaner hour is known, so it runs at once", provider.name);
    Chance { provider: provider.name.clone(), clean: None, gain: gain(grid.average, grid.average, energy_mwh), reason: reason.into() }
}

/// What a query is expected to draw.
fn energy_mwh(draw: &ProviderDraw, work: &Work) -> Option<Amount> {
    let sources = Sources { meter: None, table: draw.table.as_ref(), stated: draw.stated.as_ref() };
    let [_, mid, _] = sources.estimate(work).ok()??.bounds_mwh().ok()?;
    Some(mid)
}

fn gain(then: Intensity, at_once: Intensity, energy_mwh: Option<Amount>) -> Gain {
    let emits = |intensity: Intensity| energy_mwh.and_then(|energy| intensity.carbon_mg(energy).ok());
    let carbon_saved_mg = emits(at_once).zip(emits(then)).and_then(|(at_once, then)| at_once.checked_sub(then));
    let [carbon_ug_per_kwh, at_once_ug_per_kwh] = [then, at_once].map(|intensity| Some(intensity.ug_per_kwh()));
    Gain { carbon_ug_per_kwh, at_once_ug_per_kwh, energy_mwh, carbon_saved_mg }
}
