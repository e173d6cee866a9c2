//! What a query draws when it ends, and what that emits in that hour: on the best ground there is, before the writer books it. And what the grid is
//! expected to emit, for queries that may wait.

mod ahead;
mod chances;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lab3_energy::Draw;
use lab3_energy::carbon::{GridHour, Hardware, Intensity, Measurement, ModelDraw, Sources, Stated, Work};
use lab3_energy::signals::Kind;
use lab3_units::{Amount, Did, Id, Time};

use crate::App;
use crate::carbon::ahead::Ahead;
use crate::readings::outlook::{at_or_latest, row};
use crate::readings::steps::Grid;
use crate::readings::{ReadingMemory, Unkept};

/// How often is looked what the signals say of the grid.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// The shortest step of a signal that is looked at.
const STEP_MIN_S: u32 = 300;

/// How far a meter that is bound to a query may be off: class 1 (IEC 62053-21).
const METER_SPREAD: f64 = 0.01;

/// What is known of what queries draw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CarbonSettings {
    /// The site's zone; `None` is the only one there are signals of.
    pub zone: Option<Box<str>>,
    /// What a kWh of the site's grid emits where no signal says so.
    pub grid: GridHour,
    /// Providers whose draw is known; of others nothing is booked.
    pub draws: Vec<ProviderDraw>,
}

/// What queries to a provider draw.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderDraw {
    /// Its name.
    pub provider: Box<str>,
    /// Whether it runs behind the Hive's own meter.
    pub on_site: bool,
    /// The device that reads what its machines draw, if there is one: hours are divided by it.
    pub meter: Option<Box<str>>,
    /// As it was measured on its machine.
    pub table: Option<ModelDraw>,
    /// As somebody states it.
    pub stated: Option<Stated>,
    /// What a kWh emits in its data centre; `None` is the site's grid.
    pub grid: Option<GridHour>,
    /// Its machines, where their making is counted.
    pub hardware: Option<Hardware>,
}

/// What queries draw.
#[derive(Debug)]
pub(crate) struct Carbon {
    settings: CarbonSettings,
    /// The site's grid now, where a signal says so.
    now: Mutex<Option<GridHour>>,
    /// What it is expected to emit, where a signal reaches so far.
    ahead: Mutex<Option<Arc<Ahead>>>,
}

impl Carbon {
    pub(crate) fn new(settings: CarbonSettings) -> Self {
        Self { settings, now: Mutex::new(None), ahead: Mutex::new(None) }
    }

    /// The site's grid in this hour.
    pub(crate) fn grid(&self) -> GridHour {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(self.settings.grid)
    }

    /// A signal says what the grid emits now; or none does any more.
    fn set_grid(&self, grid: Option<GridHour>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = grid;
    }

    /// What the site's grid is expected to emit.
    fn ahead(&self) -> Option<Arc<Ahead>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_ahead(&self, ahead: Option<Arc<Ahead>>) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = ahead;
    }

    /// What a query drew that is settled now: by its meter where one is bound to it, in mWh; nothing where nobody knows.
    pub(crate) fn draw(
        &self,
        provider: &str,
        citizen: &Did,
        allocation: Option<Id>,
        work: &Work,
        metered_mwh: Option<Amount>,
    ) -> Option<Box<Draw>> {
        let known = self.settings.draws.iter().find(|draw| *draw.provider == *provider)?;
        if work.input_tokens == 0 && work.output_tokens == 0 && metered_mwh.is_none() {
            return None;
        }
        let meter = metered_mwh.map(|energy_mwh| Measurement { energy_mwh, spread: METER_SPREAD });
        let sources = Sources { meter: meter.as_ref(), table: known.table.as_ref(), stated: known.stated.as_ref() };
        let estimate = match sources.estimate(work) {
            Ok(estimate) => estimate?,
            Err(error) => {
                tracing::warn!(provider, %error, "what a query drew cannot be reckoned");
                return None;
            }
        };
        let grid = known.grid.unwrap_or_else(|| self.grid());
        let embodied_mg = known.hardware.as_ref().zip(work.latency_s).and_then(|(machine, seconds)| embodied(machine, seconds));
        let (citizen, provider) = (citizen.clone(), provider.into());
        Some(Box::new(Draw { citizen, allocation, provider, on_site: known.on_site, estimate, grid, embodied_mg }))
    }
}

/// Looks from time to time what the signals say of the grid, for as long as it is polled.
pub(crate) async fn follow(app: App) {
    loop {
        follow_once(&app).await;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Looks what the signals say of the grid now. Where they say nothing, the settings do.
pub(crate) async fn follow_once(app: &App) {
    let (now, zone, known) = (app.engine().now(), app.carbon().settings.zone.clone(), app.carbon().ahead());
    let look = move |memory: &dyn ReadingMemory| {
        let zone = zone.as_deref();
        Ok((grid_at(memory, zone, now)?, ahead::look(memory, zone, now, known)?))
    };
    match app.readings().ask(look).await {
        Ok((grid, ahead)) => {
            app.carbon().set_grid(grid);
            app.carbon().set_ahead(ahead);
        }
        // Without a memory there are no signals, and that was said when it was opened.
        Err(problem) => tracing::debug!(%problem, "the signals say nothing of the grid"),
    }
}

/// What the signals of a zone say of the grid at a moment; where they end before it, what they let expect.
fn grid_at(memory: &dyn ReadingMemory, zone: Option<&str>, now: Time) -> Result<Option<GridHour>, Unkept> {
    let signals = memory.signals()?;
    let of = |kind| -> Result<Option<Intensity>, Unkept> {
        let Some(signal) = at_or_latest(&signals, kind, zone, now) else { return Ok(None) };
        let step = Grid::over(now, now.after(lab3_units::Duration::from_millis(1)), signal.step_s.max(STEP_MIN_S), signal.first);
        let value = row(memory, signal, step)?.first().copied().flatten();
        Ok(value.and_then(|grams| Intensity::from_g_per_kwh(grams).ok()))
    };
    let (average, marginal) = (of(Kind::CarbonAverage)?, of(Kind::CarbonMarginal)?);
    Ok(average.map(|average| GridHour { average, marginal: marginal.unwrap_or(average), residual: None }))
}

/// The site's grid in each of some hours that have been, by the signals; as the settings state it where they say nothing.
pub(crate) fn grid_hours(memory: &dyn ReadingMemory, settings: &CarbonSettings, hours: Grid) -> Result<Vec<GridHour>, Unkept> {
    let signals = memory.signals()?;
    let last = Time::from_millis(hours.end().millis().saturating_sub(1));
    let values = |kind| -> Result<Vec<Option<Intensity>>, Unkept> {
        let Some(signal) = at_or_latest(&signals, kind, settings.zone.as_deref(), last) else { return Ok(vec![None; hours.count]) };
        Ok(row(memory, signal, hours)?.into_iter().map(|value| Intensity::from_g_per_kwh(value?).ok()).collect())
    };
    let (average, marginal) = (values(Kind::CarbonAverage)?, values(Kind::CarbonMarginal)?);
    let stated = settings.grid;
    let hour = |(average, marginal): (Option<Intensity>, Option<Intensity>)| match average {
        Some(average) => GridHour { average, marginal: marginal.unwrap_or(average), residual: stated.residual },
        None => GridHour { marginal: marginal.unwrap_or(stated.marginal), ..stated },
    };
    Ok(average.into_iter().zip(marginal).map(hour).collect())
}

/// The same, asked of the readings; without them, as the settings state it.
pub(crate) async fn grid_over(app: &App, hours: Grid) -> Vec<GridHour> {
    let settings = CarbonSettings { draws: Vec::new(), ..app.settings().carbon.clone() };
    let asked = app.readings().ask(move |memory| Ok(grid_hours(memory, &settings, hours)?)).await;
    asked.unwrap_or_else(|_| vec![app.settings().carbon.grid; hours.count])
}

/// A query's part in making one of the machine's resources, in mg.
fn embodied(machine: &Hardware, seconds: f64) -> Option<Amount> {
    let grams = machine.share_g(seconds, 1.0_f64.min(machine.resources)).ok()?;
    // A gram is a gram of a kWh that emits as many: the same rounding as everywhere.
    Intensity::from_g_per_kwh(grams).ok()?.carbon_mg(Amount::new(1_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab3_energy::carbon::Tier;

    fn carbon() -> Carbon {
        let of = |g| Intensity::from_g_per_kwh(g).unwrap();
        let grid = |g| GridHour { average: of(g), marginal: of(g), residual: None };
        let table = Some(ModelDraw { input_token_wh: 0.0001, output_token_wh: 0.001, request_wh: 0.0, spread: 0.2 });
        let hardware = Some(Hardware { embodied_g: 1_000_000.0, lifespan_s: 100_000_000.0, resources: 2.0 });
        let local = ProviderDraw { provider: "local_llama".into(), on_site: true, meter: None, table, stated: None, grid: None, hardware };
        let far = ProviderDraw { provider: "far".into(), on_site: false, grid: Some(grid(50.0)), hardware: None, ..local.clone() };
        Carbon::new(CarbonSettings { zone: None, grid: grid(400.0), draws: vec![local, far] })
    }

    const WORK: Work = Work { input_tokens: 1000, output_tokens: 200, latency_s: Some(4.0) };

    fn did() -> Did {
        Did::parse("did:kaizen:alice").unwrap()
    }

    #[test]
    fn a_query_draws_where_it_runs() {
        let carbon = carbon();
        let draw = carbon.draw("local_llama", &did(), None, &WORK, None).unwrap();
        assert_eq!((draw.estimate.tier, draw.on_site, draw.grid.average.g_per_kwh()), (Tier::Measured, true, 400.0));
        assert!((draw.estimate.energy_wh.mid() - 0.3).abs() < 1e-12);
        assert_eq!(draw.embodied_mg, Some(Amount::new(20)), "half of a machine for 4 s");
        carbon.set_grid(Some(GridHour { average: Intensity::ZERO, ..carbon.grid() }));
        assert_eq!(carbon.draw("local_llama", &did(), None, &WORK, None).unwrap().grid.average, Intensity::ZERO, "the signal's word");
        let far = carbon.draw("far", &did(), None, &WORK, None).unwrap();
        assert_eq!((far.on_site, far.grid.average.g_per_kwh(), far.embodied_mg), (false, 50.0, None));
    }

    #[test]
    fn a_meter_knows_better_than_a_table() {
        let draw = carbon().draw("local_llama", &did(), None, &Work::default(), Some(Amount::new(500))).unwrap();
        assert_eq!((draw.estimate.tier, draw.estimate.energy_wh.mid()), (Tier::Metered, 0.5));
        assert!(draw.estimate.energy_wh.low() < 0.5 && draw.estimate.energy_wh.high() > 0.5);
    }

    #[test]
    fn of_what_nobody_knows_nothing_is_booked() {
        let carbon = carbon();
        assert!(carbon.draw("anthropic_claude", &did(), None, &WORK, None).is_none());
        assert!(carbon.draw("local_llama", &did(), None, &Work::default(), None).is_none(), "a query that was not answered");
        let nothing = Work { latency_s: Some(f64::NAN), ..WORK };
        assert_eq!(carbon.draw("local_llama", &did(), None, &nothing, None).unwrap().embodied_mg, None);
    }
}
