//! `lab3 energy now`: the plan of the Hive's site that holds, and what to do.

use super::minutes;
use crate::Failure;
use crate::cli::EnergyDeskArgs;
use crate::client::{Client, Document, Path};
use crate::table::{list, pairs};

/// Sentences of a kind that are told.
const SENTENCES_MAX: usize = 12;

/// Tells it.
pub fn run(client: &Client, args: &EnergyDeskArgs) -> Result<String, Failure> {
    let reply = client.get(&Path::new("/lab3/energy/site"))?;
    Ok(crate::commands::shown(&reply, &args.desk, told)?)
}

fn told(site: &Document) -> String {
    let grid = match &*site.text("grid_is_down") {
        "true" => "down",
        "false" => "up",
        _ => "",
    };
    let about = pairs(&[
        ("planned", site.text("made_at")),
        ("from", site.with_unit("start", &format!("in steps of {} min", minutes(&site.text("step_minutes"))))),
        ("grid", grid.to_owned()),
    ]);
    let mut blocks = vec![about];
    if let Some(now) = site.object("now") {
        let power = |name: &str, kw: String| vec![name.to_owned(), kw];
        let trade: &[(&str, &str)] = if grid.is_empty() { &[] } else { &[("buy", "import_kw"), ("sell", "export_kw")] };
        let trade = trade.iter().map(|(name, field)| power(name, short(&now.text(field))));
        let of = |field: &str, word: &str| {
            let row = |device: &Document| power(&format!("{word}{}", device.text("name")), short(&device.text("power_kw")));
            now.list(field).iter().map(row).collect::<Vec<_>>()
        };
        let devices = [of("sources", "take of "), of("batteries", "give from "), of("unserved", "without: ")].concat();
        blocks.push(list(&["now", "kW"], &[1], trade.chain(devices)));
    }
    let lasts: Vec<String> = site
        .list("lasts")
        .iter()
        .map(|tier| {
            let open = if tier.text("or_longer") == "true" { " or longer" } else { "" };
            format!("{} {} h{open}", tier.text("tier"), tier.text("hours"))
        })
        .collect();
    if !lasts.is_empty() {
        blocks.push(format!("Without the grid from now on: {}.", lasts.join(", ")));
    }
    blocks.extend(Some(some(&site.words("why")).join("\n")).filter(|why| !why.is_empty()));
    blocks.extend(Some(some(&site.words("unknown")).join("\n")).filter(|unknown| !unknown.is_empty()));
    blocks.join("\n\n")
}

/// The first of many sentences, and how many there are more.
fn some(sentences: &[String]) -> Vec<String> {
    let more = sentences.len().saturating_sub(SENTENCES_MAX);
    let first = sentences.iter().take(SENTENCES_MAX).cloned();
    first.chain((more > 0).then(|| format!("And {more} more; --json has all."))).collect()
}

/// A power without the noise past a watt.
fn short(number: &str) -> String {
    number.parse::<f64>().map_or_else(|_| number.to_owned(), |kw| format!("{:.3}", kw + 0.0))
}
