//! `lab3 seal`: closes an open Hive without making a key.

use serde::Serialize;

use super::key::{Folder, Place};
use crate::Failure;
use crate::cli::SealArgs;
use crate::client::Path;
use crate::table::pairs;

#[derive(Serialize)]
struct Request {}

/// Closes the Hive, for good.
pub fn run(place: &Place, args: &SealArgs) -> Result<String, Failure> {
    let reply = place.write(&Path::new("/lab3/seal"), &Request {}, args.key.as_deref(), Folder::seal)?;
    eprintln!(
        "This Hive is closed now, for good: whoever asks has to be named, by a key or a signature.\n\
         Operators' keys are made on the folder, with the desk stopped: lab3 key create operator --data DIR"
    );
    Ok(super::shown(&reply, &args.place.desk, |sealed| {
        pairs(&[("closed", sealed.text("closed_at")), ("record", sealed.text("sequence"))])
    })?)
}
