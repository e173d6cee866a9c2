//! The journal as a log that outsiders check, in the formats of C2SP.

pub(crate) mod checkpoint;
pub(crate) mod key;
pub(crate) mod proof;
pub(crate) mod tile;
pub(crate) mod witnessed;

use std::sync::Arc;

use lab3_units::Problem;

use crate::App;
use crate::checkpoints::{Checkpoints, Published, unsigned};

/// The desk's signer.
fn signer(app: &App) -> Result<&Checkpoints, Problem> {
    app.checkpoints().map_err(unsigned)
}

/// The newest checkpoint.
fn newest(app: &App) -> Result<Arc<Published>, Problem> {
    let signer = signer(app)?;
    signer.newest().ok_or_else(|| unsigned(signer.stopped().unwrap_or("none was made yet; ask again in a second")))
}
