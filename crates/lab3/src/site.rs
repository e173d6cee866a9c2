//! The Hive's site, from the file the operator describes it in.

use std::path::Path;

use lab3_energy::day::Calendar;
use lab3_energy::dispatch::THINGS_MAX;
use lab3_energy::site::Site;
use lab3_server::SiteSettings;

use crate::Failure;
use crate::config::Settings;

/// Lengths of a plan's step, in minutes: each whole in an hour, and made of the quarters the day is told in.
const STEPS: [f64; 3] = [15.0, 30.0, 60.0];

/// The site the settings name; none when they name none.
///
/// Errors: the file cannot be read or is no site, in words that name the place; the time zone is none.
pub fn open(settings: &Settings) -> Result<Option<SiteSettings>, Failure> {
    let energy = &settings.energy;
    if energy.site.is_empty() {
        return Ok(None);
    }
    let clocks = Calendar::of(&energy.time_zone).map_err(|error| Failure::Other(format!("energy.time_zone: {error}")))?;
    let site = read(Path::new(&energy.site)).map_err(|why| Failure::Other(format!("the site in {} {why}", energy.site)))?;
    Ok(Some(SiteSettings { site, clocks, plan_hours: energy.plan_hours }))
}

fn read(path: &Path) -> Result<Site, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let site: Site = toml::from_str(&text).map_err(|error| format!("is not described rightly: {}", told(&error, &text)))?;
    if !STEPS.contains(&site.step_minutes) {
        return Err(format!("has steps of {} minutes: step_minutes takes 15, 30 or 60", site.step_minutes));
    }
    // Jobs that are booked are a load of the plan, too.
    let counts = [(site.sources.len(), THINGS_MAX, "sources"), (site.generators.len(), THINGS_MAX, "generators")];
    let counts = counts.into_iter().chain([(site.batteries.len(), THINGS_MAX, "batteries"), (site.loads.len(), THINGS_MAX - 1, "loads")]);
    if let Some((count, most, what)) = counts.into_iter().find(|(count, most, _)| count > most) {
        return Err(format!("has {count} {what}, and a plan takes {most}: sum some of them up"));
    }
    let reserved = |name: &str| name == "grid" || name == "booked jobs";
    let names = site.sources.iter().map(|one| &one.name).chain(site.generators.iter().map(|one| &one.name));
    let names = names.chain(site.batteries.iter().map(|one| &one.name)).chain(site.loads.iter().map(|one| &one.name));
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if reserved(name) {
            return Err(format!("has a device named {name:?}: that is the desk's own name for something, choose another"));
        }
        if !seen.insert(name) {
            return Err(format!("has two devices named {name:?}: readings come by these names, give each its own"));
        }
    }
    site.check().map_err(|invalid| format!("makes no sense: {} {}", invalid.field, invalid.detail))?;
    Ok(site)
}

/// An error with its line.
fn told(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().map(|span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
    line.map_or_else(|| error.message().to_owned(), |line| format!("line {line}: {}", error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIVE: &str = include_str!("../../../docs/examples/site.toml");

    fn check(text: &str, wanted: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.toml");
        std::fs::write(&path, text).unwrap();
        let found = read(&path).map_or_else(|why| why, |site| format!("{} loads", site.loads.len()));
        assert!(found.starts_with(wanted), "{found}");
    }

    #[test]
    fn a_site_is_read_or_told_what_is_wrong_with_it() {
        check(HIVE, "4 loads");
        check(&HIVE.replace("step_minutes = 15", "step_minutes = 20"), "has steps of 20 minutes: step_minutes takes 15, 30 or 60");
        check(&HIVE.replace("tier = \"water\"", "tier = \"warmth\""), "is not described rightly: line ");
        check(&HIVE.replace("name = \"homes\"", "name = \"clinic\""), "has two devices named \"clinic\"");
        check(&HIVE.replace("name = \"homes\"", "name = \"grid\""), "has a device named \"grid\"");
        check(&HIVE.replace("capacity_kwh = 60", "capacity_kwh = -60"), "makes no sense: batteries[0].");
        check(&HIVE.replace("step_minutes = 15", "steps = 15"), "is not described rightly: line ");
        check(&HIVE.replace("name = \"homes\"", "name = \"ho\\nmes\""), "makes no sense: loads[2].name");
        let loads = |count: usize| {
            (4..count).fold(String::new(), |text, load| text + &format!("[[loads]]\nname = \"load {load}\"\ntier = \"homes\"\n"))
        };
        check(&format!("{HIVE}{}", loads(63)), "63 loads");
        check(&format!("{HIVE}{}", loads(64)), "has 64 loads, and a plan takes 63: sum some of them up");
        assert!(read(Path::new("/nowhere/site.toml")).unwrap_err().starts_with("cannot be read"));
    }
}
