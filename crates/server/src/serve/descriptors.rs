//! Descriptors: systems begin a process with few (1,024), of which a crowd of connections would take the last, and files none could be opened.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For files, and connections to providers beside those of clients.
const OTHERS: u64 = 1024;

/// Asks the system for as many as so many connections need, and says in the log when it does not give them.
pub(super) fn reach(connections_max: usize) {
    // Each may have a query, which has a connection of its own.
    let wanted = (connections_max as u64).saturating_mul(2).saturating_add(OTHERS);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let given = maximum.map_or(wanted, |maximum| wanted.min(maximum));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(given), maximum }).is_ok();
    if !raised || given < wanted {
        tracing::warn!(given, wanted, "the system gives few file descriptors: set LimitNOFILE, or limits.connections_max lower");
    }
}
