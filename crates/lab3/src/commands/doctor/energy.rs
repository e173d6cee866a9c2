//! Energy: whether signals and telemetry can be read, and whether the site is described so that the desk can plan it.

use std::path::Path;

use lab3_store::{ReadingsStanding, readings_standing};

use super::Finding;
use crate::config::Settings;

/// The file of signals and telemetry, where there is one.
pub(super) fn readings(data: &Path) -> Vec<Finding> {
    let file = data.join("energy.db");
    let shown = file.display();
    let ReadingsStanding { bytes, signals, readings, damaged, aside } = match readings_standing(data) {
        Ok(Some(standing)) => standing,
        Ok(None) => return Vec::new(),
        Err(error) => {
            let help = "with the desk stopped, move it away: the desk begins another, and is whole without it; a backup has a copy";
            return vec![Finding::bad(format!("signals and telemetry cannot be read: {error}"), help)];
        }
    };
    let mut findings = vec![if damaged {
        Finding::bad(format!("{shown} was found damaged"), "restart the desk: it puts the file aside and begins another")
    } else {
        Finding::ok(format!("{signals} signals and {readings} readings of devices are kept, {} MiB in {shown}", bytes.div_ceil(1 << 20)))
    }];
    if let Some(aside) = aside {
        let what = format!("{} has readings that were put aside: what is in them is nowhere else", aside.display());
        findings.push(Finding::look(what, "mend the file and import from it, or remove it"));
    }
    findings
}

/// The site, if the settings name one.
pub(super) fn site(settings: &Settings) -> Option<Finding> {
    match crate::site::open(settings) {
        Ok(None) => None,
        Ok(Some(open)) => {
            let site = open.site;
            let devices = site.sources.len() + site.generators.len() + site.batteries.len();
            let loads = site.loads.len();
            Some(Finding::ok(format!("the site in {} has {loads} loads and {devices} that serve them", settings.energy.site)))
        }
        Err(why) => {
            Some(Finding::bad(why.to_string(), "mend it before the next start: the desk does not open with it (docs/examples/site.toml)"))
        }
    }
}
