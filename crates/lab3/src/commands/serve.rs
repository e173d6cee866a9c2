//! `lab3 serve`: opens the desk and serves until SIGTERM.

use super::{Env, configure};
use crate::Failure;
use crate::cli::ServeArgs;
use crate::logging;

/// Opens the desk. Wired by the lead: engine, store, server.
pub fn run(args: &ServeArgs, env: &Env) -> Result<(), Failure> {
    let resolved = configure(&args.config, args.flags(), env)?;
    logging::start(&resolved.settings.log);
    Err(Failure::Other("serve is not wired yet".to_owned()))
}
