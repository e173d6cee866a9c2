//! `lab3 energy hour`: an hour's meter, divided.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::Failure;
use crate::cli::EnergyHourArgs;
use crate::client::{Client, Document, Path};
use crate::commands::{body, keep_receipt, number, shown};
use crate::table::list;

#[derive(Serialize)]
struct Request<'a> {
    hour: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    meter_kwh: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_kwh: Option<Box<RawValue>>,
}

/// Divides it, once.
pub fn run(client: &Client, args: &EnergyHourArgs) -> Result<String, Failure> {
    let request =
        Request { hour: &args.hour, meter_kwh: args.meter_kwh.map(number).transpose()?, idle_kwh: args.idle_kwh.map(number).transpose()? };
    let reply = client.post(&Path::new("/lab3/energy/hours"), &body(&request)?, args.write.key.as_deref())?;
    keep_receipt(&reply, &args.write.receipt)?;
    Ok(shown(&reply, &args.desk, divided)?)
}

fn divided(hour: &Document) -> String {
    let row = |name: &str, field: &str| {
        let part = hour.object(field);
        let of = |field: &str| part.as_ref().map(|part| part.text(field)).unwrap_or_default();
        let figures = ["energy_kwh", "carbon_kg", "carbon_marginal_kg", "carbon_market_kg"].map(of);
        std::iter::once(name.to_owned()).chain(figures).collect()
    };
    let citizens = format!("citizens ({})", hour.text("drew"));
    let rows = [row(&citizens, "citizens"), row("idle", "idle"), row("house", "house"), row("meter", "meter")];
    list(&["", "kWh", "kg CO2e", "at the margin", "by contracts"], &[1, 2, 3, 4], rows)
}
