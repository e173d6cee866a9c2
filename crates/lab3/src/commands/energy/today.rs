//! `lab3 energy today`: a site's day, drawn from one reply.

mod picture;
pub(super) mod view;
mod words;

use super::{Page, unread};
use crate::Failure;
use crate::cli::EnergyTodayArgs;
use crate::client::{Client, Path};
use view::Day;

/// Draws the day.
pub fn run(client: &Client, args: &EnergyTodayArgs, page: Page) -> Result<String, Failure> {
    let reply = client.get(&Path::new("/lab3/energy/day").query("date", args.date.as_deref()))?;
    if args.desk.json {
        return Ok(reply.body);
    }
    let day: Day = serde_json::from_str(&reply.body).map_err(|error| unread(client, &error))?;
    Ok(drawn(&day, page))
}

/// The whole page.
fn drawn(day: &Day, page: Page) -> String {
    let blocks = [
        vec![words::title(day, page.width)],
        words::sums(day, page.width),
        picture::stack(day, page),
        picture::signals(day, page),
        picture::jobs(day, page),
        words::notes(day, page.width),
    ];
    let blocks: Vec<String> = blocks.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    blocks.join("\n\n")
}

#[cfg(test)]
mod tests;
