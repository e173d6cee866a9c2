//! Reasons: why a provider answers, or why none does, in sentences for the citizen. A reason is stored with the fact, so
//! rewording one here changes no reply that was given.

use lab3_units::{Amount, Asset, Code, Did, Problem};

use crate::choice::{Candidate, Nobody, Wants};
use crate::{Desk, Excluded, Priority};

fn mic(amount: Amount) -> impl std::fmt::Display {
    Asset::COMPUTE.decimal(amount)
}

/// Why the best by score answers.
pub(crate) fn of_best(best: &Candidate<'_>, candidates: &[Candidate<'_>], priority: Priority, wants: &Wants<'_>) -> String {
    let eligible = || candidates.iter().filter(|candidate| candidate.is_eligible());
    let of_all = |what: &str| match eligible().count() {
        1 => "of the only eligible provider".to_owned(),
        count => format!("{what} {count} eligible providers"),
    };
    match priority {
        Priority::Standard => format!("Best balance of cost, latency and quality {}", of_all("of")),
        Priority::CostOptimized if eligible().all(|other| best.cost <= other.cost) => {
            format!("Cost {} MIC {}", mic(best.cost), of_all("is the lowest of"))
        }
        Priority::CostOptimized => format!("Cost {} MIC, best with latency and quality {}", mic(best.cost), of_all("of")),
        Priority::LatencyOptimized if eligible().all(|other| best.latency_ms <= other.latency_ms) => {
            format!("Latency {} ms {}", best.latency_ms, of_all("is the lowest of"))
        }
        Priority::LatencyOptimized => format!("Latency {} ms, best with cost and quality {}", best.latency_ms, of_all("of")),
        Priority::QualityOptimized => format!("Quality score {} meets min_quality {}", best.provider.quality, wants.min_quality),
    }
}

/// Why the preferred provider answers.
pub(crate) fn of_preferred(preferred: &Candidate<'_>) -> String {
    format!("Preferred provider {} is eligible", preferred.provider.name)
}

/// The reason, and why the preferred provider does not answer.
pub(crate) fn with_passed_over(reason: &str, preferred: &Candidate<'_>, wants: &Wants<'_>) -> String {
    format!("{reason}; preferred {} was passed over: {}", preferred.provider.name, of_exclusion(preferred, wants))
}

/// Why the fallback answers, and who pays it.
pub(crate) fn of_fallback(desk: &Desk<'_>, nobody: Nobody, wants: &Wants, fallback: &Candidate<'_>, hive_pays: bool) -> String {
    let cause = match nobody {
        Nobody::Unfit => format!("No provider of quality {} or more can answer this query", wants.min_quality),
        Nobody::Outage => "Every provider within reach is failing at the moment".to_owned(),
        Nobody::Exhausted => format!("The {} MIC left of this month's {} are too little", mic(wants.available), mic(desk.policy.quota)),
        Nobody::Limit => format!("No provider that fits costs {} MIC or less", mic(wants.max_cost)),
    };
    let payer = if hive_pays { " and the Hive pays" } else { "" };
    format!("{cause}: {} answers{payer}", fallback.provider.name)
}

/// Why nobody answers.
pub(crate) fn of_refusal(desk: &Desk<'_>, nobody: Nobody, citizen: &Did, candidates: &[Candidate<'_>], wants: &Wants<'_>) -> Problem {
    match nobody {
        Nobody::Unfit => no_provider_fits(candidates, wants),
        Nobody::Limit => no_provider_fits(candidates, wants).in_field("max_cost_gic"),
        Nobody::Exhausted => {
            let (left, quota, renewed) = (mic(wants.available), mic(desk.policy.quota), desk.now.period().next().start());
            let cheapest = candidates.iter().filter(|one| one.excluded == Some(Excluded::Allowance)).map(|one| one.least).min();
            let cheapest = cheapest.map_or(String::new(), |cost| format!(", the cheapest provider that fits costs {} MIC", mic(cost)));
            let detail = format!("{citizen} has {left} MIC left of this month's {quota}{cheapest}. A new month begins at {renewed}.");
            Problem::new(Code::QUOTA_EXHAUSTED, detail)
        }
        Nobody::Outage => {
            let who = told(candidates, |one| one.excluded == Some(Excluded::CircuitOpen), wants);
            let colon = if who.is_empty() { "" } else { ": " };
            let detail = format!("No provider answers at the moment{colon}{who}. Try again in a moment.");
            Problem::new(Code::NO_PROVIDER_UP, detail)
        }
    }
}

/// Everybody's reason; blames the field when one alone keeps everybody out.
fn no_provider_fits(candidates: &[Candidate<'_>], wants: &Wants<'_>) -> Problem {
    if candidates.is_empty() {
        return Problem::new(Code::NO_PROVIDER_FITS, "No provider is configured. The operator adds providers in the configuration.");
    }
    let problem = Problem::new(Code::NO_PROVIDER_FITS, format!("No provider fits: {}.", told(candidates, |_| true, wants)));
    let switched_on = || candidates.iter().filter_map(|one| one.excluded).filter(|&rule| rule != Excluded::Disabled);
    let only = |rule| switched_on().count() > 0 && switched_on().all(|other| other == rule);
    if only(Excluded::Quality) {
        problem.in_field("min_quality")
    } else if only(Excluded::Context) {
        problem.in_field("query_tokens")
    } else {
        problem
    }
}

/// `name: why not; name: why not`.
fn told(candidates: &[Candidate<'_>], which: impl Fn(&Candidate<'_>) -> bool, wants: &Wants<'_>) -> String {
    let of_one = |one: &Candidate<'_>| format!("{}: {}", one.provider.name, of_exclusion(one, wants));
    candidates.iter().filter(|one| which(one)).map(of_one).collect::<Vec<_>>().join("; ")
}

/// What keeps a provider out.
fn of_exclusion(one: &Candidate<'_>, wants: &Wants<'_>) -> String {
    match one.excluded {
        None => "it is eligible".to_owned(),
        Some(Excluded::Disabled) => "the operator has switched it off".to_owned(),
        Some(Excluded::Context) => {
            format!("the query of {} tokens is longer than its context of {}", wants.tokens, one.provider.context_tokens_max)
        }
        Some(Excluded::Quality) => format!("its quality {} is below min_quality {}", one.provider.quality, wants.min_quality),
        Some(Excluded::CircuitOpen) => "it failed too often lately".to_owned(),
        Some(Excluded::Unable) => "it is not connected, or cannot answer this query".to_owned(),
        Some(Excluded::Cost) if wants.max_cost_named => {
            format!("its cost {} MIC is above max_cost_gic {}", mic(one.least), mic(wants.max_cost))
        }
        Some(Excluded::Cost) => format!("its cost {} MIC is above a month's quota of {}", mic(one.least), mic(wants.max_cost)),
        Some(Excluded::Allowance) => {
            format!("its cost {} MIC is more than the {} left this month", mic(one.least), mic(wants.available))
        }
    }
}
