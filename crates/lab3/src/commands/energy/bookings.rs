//! `lab3 energy book|bookings|certificates`: jobs with their times, and what was certified.

use super::request;
use crate::Failure;
use crate::cli::{EnergyBookArgs, EnergyOwnerArgs};
use crate::client::{Client, Document, Path};
use crate::commands::{keep_receipt, shown};
use crate::table::list;

const BOOKINGS: &str = "/lab3/energy/bookings";

/// Books jobs, once.
pub fn book(client: &Client, args: &EnergyBookArgs) -> Result<String, Failure> {
    let reply = client.post(&Path::new(BOOKINGS), &request(&args.file)?, args.write.key.as_deref())?;
    keep_receipt(&reply, &args.write.receipt)?;
    Ok(shown(&reply, &args.desk, |told| jobs(&told.list("jobs")))?)
}

/// A citizen's jobs that are booked.
pub fn bookings(client: &Client, args: &EnergyOwnerArgs) -> Result<String, Failure> {
    let reply = client.get(&Path::new(BOOKINGS).query("citizen_did", Some(&args.did)))?;
    Ok(shown(&reply, &args.desk, |told| jobs(&told.list("bookings")))?)
}

fn jobs(jobs: &[Document]) -> String {
    if jobs.is_empty() {
        return "nothing is booked; lab3 energy book FILE books jobs".to_owned();
    }
    let rows = jobs.iter().flat_map(|job| {
        let [booking, name, energy] = ["job_id", "id", "energy_kwh"].map(|field| job.text(field));
        let row = move |(number, run): (usize, Document)| {
            let head = if number == 0 { [booking.clone(), name.clone(), energy.clone()] } else { Default::default() };
            head.into_iter().chain(["start", "end", "power_kw"].map(|field| run.text(field))).collect::<Vec<_>>()
        };
        job.list("runs").into_iter().enumerate().map(row)
    });
    list(&["booking", "job", "kWh", "from", "to", "kW"], &[2, 5], rows)
}

/// A citizen's certificates.
pub fn certificates(client: &Client, args: &EnergyOwnerArgs) -> Result<String, Failure> {
    let reply = client.get(&Path::new("/lab3/energy/certificates").query("citizen_did", Some(&args.did)))?;
    Ok(shown(&reply, &args.desk, |told| certified(&told.list("certificates")))?)
}

fn certified(certificates: &[Document]) -> String {
    if certificates.is_empty() {
        return "no certificates".to_owned();
    }
    let header = ["certificate", "Wh", "hour", "device", "source", "claimed"];
    let fields = ["certificate_id", "energy_wh", "hour", "device", "source", "claimed"];
    list(&header, &[1], certificates.iter().map(|certificate| fields.map(|field| certificate.text(field)).to_vec()))
}
