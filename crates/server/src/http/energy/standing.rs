//! `GET /lab3/energy/site`: the plan of the site that holds, what to do now, and why.

use lab3_energy::controller::{Action, Change, Signal};
use lab3_energy::island::{Kept, Survival};
use lab3_energy::site::{Site, Tier};
use lab3_units::{Code, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::plan::PlanReply;
use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Shown, sized_reply};
use crate::site::{Standing, desk, names_are_shown};

/// The plan that holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SiteReply {
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    made_at: Shown<Time>,
    /// Where its first step begins: what is to be done now.
    #[schema(value_type = String, format = DateTime)]
    start: Shown<Time>,
    /// How long a step is.
    step_minutes: f64,
    /// Whether the grid is down; `null` for a site without one.
    #[schema(required)]
    grid_is_down: Option<bool>,
    /// What is not as the plan before believed. What loads take otherwise than foreseen is told to those who may see what meters read.
    why: Vec<String>,
    /// What the plan had to do without.
    unknown: Vec<String>,
    /// What to do in this step.
    now: ActionReply,
    /// What is kept for an outage nobody announced; `null` where nothing is.
    #[schema(required)]
    reserve: Option<ReserveReply>,
    /// How long each tier would last without the grid from now, if nothing is worse than foreseen; none from the first tier on with a load that was never read.
    lasts: Vec<LastsReply>,
    /// Whether tiers go without in order for certain, where not all can be served.
    is_in_order: bool,
    /// The plan.
    plan: PlanReply,
}

/// What to do in a step, kW.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActionReply {
    import_kw: f64,
    export_kw: f64,
    /// Each source and generator: what to take of it.
    sources: Vec<PowerReply>,
    /// Each battery: what it gives; negative what it takes.
    batteries: Vec<PowerReply>,
    /// Each load that goes without: how much of it.
    unserved: Vec<PowerReply>,
}

/// A device's power.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PowerReply {
    name: Box<str>,
    power_kw: f64,
}

/// What is kept in batteries, usable energy of all together at the end of each step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReserveReply {
    /// What lasts for the outage; `null` where no battery of that size would.
    wanted_kwh: Vec<Option<f64>>,
    /// What of that can be held by then.
    asked_kwh: Vec<f64>,
}

/// How long a tier lasts, and all before it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LastsReply {
    #[schema(value_type = String, example = "clinic")]
    tier: Tier,
    /// So many hours.
    hours: f64,
    /// Whether it may be longer: the plan ends there.
    or_longer: bool,
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "site", "The plan of the site, and what to do now")
        .about(
            "Made anew when a step begins, and at once when the grid is lost or comes back. Devices go by their names in the site; `grid` is what reads the connection.",
        )
        .plain()
        .answers::<SiteReply>("The plan")
        .refuses(&[Code::SITE_NONE, Code::SITE_UNPLANNED, Code::READINGS_UNAVAILABLE, Code::QUEUE_FULL])
}

pub(crate) async fn standing(app: App, permit: Permit<Plain>) -> Answer {
    let is_shown = names_are_shown(permit.principal());
    let standing = desk(&app)?.standing(&app).await?;
    Ok(sized_reply(&SiteReply::new(&standing, is_shown), 32 << 10))
}

impl SiteReply {
    /// The reply; what loads took is in it where that is shown to who asks.
    fn new(standing: &Standing, is_shown: bool) -> Self {
        let (site, decision) = (&standing.site, &standing.decision);
        let planned = &decision.planned;
        Self {
            made_at: Shown(standing.made),
            start: Shown(decision.ahead.now.at),
            step_minutes: site.step_minutes,
            grid_is_down: site.grid.as_ref().map(|_| decision.ahead.now.is_down),
            why: decision.changes.iter().filter(|change| is_shown || !is_of_load(change)).map(|change| words(change, site)).collect(),
            unknown: standing.unknown.clone(),
            now: ActionReply::new(site, &decision.now),
            reserve: planned.kept.as_ref().map(ReserveReply::new),
            lasts: standing.survival.iter().filter_map(|survival| LastsReply::new(survival, site)).collect(),
            is_in_order: planned.is_in_order,
            plan: PlanReply::new(&planned.dispatch, planned.plan.clone()),
        }
    }
}

impl ActionReply {
    fn new(site: &Site, action: &Action) -> Self {
        let power = |name: &str, kwh: f64| PowerReply { name: name.into(), power_kw: kwh / site.step_h() };
        let sources = site.sources.iter().map(|source| &source.name).zip(&action.used);
        let generators = site.generators.iter().map(|generator| &generator.name).zip(&action.generated);
        let unserved = site.loads.iter().zip(&action.unserved).filter(|(_, kwh)| **kwh > 1e-6);
        Self {
            import_kw: action.import / site.step_h(),
            export_kw: action.export / site.step_h(),
            sources: sources.chain(generators).map(|(name, kwh)| power(name, *kwh)).collect(),
            batteries: site.batteries.iter().zip(&action.charged).map(|(battery, kwh)| power(&battery.name, 0.0 - kwh)).collect(),
            unserved: unserved.map(|(load, kwh)| power(&load.name, *kwh)).collect(),
        }
    }
}

impl ReserveReply {
    fn new(kept: &Kept) -> Self {
        let wanted = |kwh: &f64| kwh.is_finite().then_some(*kwh);
        Self { wanted_kwh: kept.wanted_kwh.iter().map(wanted).collect(), asked_kwh: kept.asked_kwh.clone() }
    }
}

impl LastsReply {
    fn new(survival: &Survival, site: &Site) -> Option<Self> {
        let lasting = survival.lasting.first()?;
        let steps = f64::from(u32::try_from(lasting.steps).unwrap_or(u32::MAX));
        Some(Self { tier: survival.tier, hours: steps * site.step_h(), or_longer: lasting.is_open })
    }
}

/// Whether it tells what a load took: that tells when somebody is at home.
fn is_of_load(change: &Change) -> bool {
    matches!(change, Change::Off { signal: Signal::Load(_), .. })
}

/// A change in a sentence, by the names of things.
fn words(change: &Change, site: &Site) -> String {
    match change {
        Change::First => "It is the first plan, or the one before did not reach so far.".to_owned(),
        Change::GridLost => "The grid is lost.".to_owned(),
        Change::GridReturned => "The grid is back.".to_owned(),
        Change::Outage { steps } => format!("In {steps} steps to come the grid was believed otherwise."),
        Change::Off { signal, now, later } => {
            format!("{} is off by {now:+.2} {} now and by {later:+.2} later, on the mean.", named(*signal, site), unit(*signal))
        }
        Change::Stored { battery, by } => {
            let name = site.batteries.get(*battery).map_or("a battery", |battery| &battery.name);
            format!("{name} holds {by:+.2} kWh against what was planned.")
        }
    }
}

fn named(signal: Signal, site: &Site) -> String {
    let name = |name: Option<&Box<str>>| name.map_or_else(|| "a device".to_owned(), ToString::to_string);
    match signal {
        Signal::Source(number) => name(site.sources.get(number).map(|source| &source.name)),
        Signal::Load(number) => name(site.loads.get(number).map(|load| &load.name)),
        Signal::ImportPrice => "The price of buying".to_owned(),
        Signal::ExportPrice => "The price of selling".to_owned(),
        Signal::Carbon => "The grid's carbon".to_owned(),
    }
}

fn unit(signal: Signal) -> &'static str {
    match signal {
        Signal::Source(_) | Signal::Load(_) => "kWh",
        Signal::ImportPrice | Signal::ExportPrice => "MIC/kWh",
        Signal::Carbon => "g/kWh",
    }
}
