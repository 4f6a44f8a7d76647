//! How many files and connections the system allows this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::receivers::ConnectionBounds;

/// What macOS gives a process at most that says it may have any number.
const OPEN_MAX: u64 = 10_240;

/// Asks for as many open files as this user may have: many systems begin with few.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // No limit is less than any.
    let is_more = |wanted: Option<u64>| current.is_some_and(|now| wanted.is_none_or(|wanted| wanted > now));
    let ask = |wanted: Option<u64>| setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum });
    for wanted in [maximum, Some(OPEN_MAX)].into_iter().filter(|wanted| is_more(*wanted)) {
        match ask(wanted) {
            Ok(()) => return,
            Err(error) => tracing::debug!(%error, ?wanted, "so many open files are not to be had"),
        }
    }
}

/// The bounds, within what the system allows; says so where that is less.
pub(super) fn within(bounds: ConnectionBounds) -> ConnectionBounds {
    let open_files = getrlimit(Resource::Nofile).current;
    let within = bounds.within(open_files);
    if within.max < bounds.max {
        tracing::info!(
            open_files,
            connections = within.max,
            "fewer connections than service.connections.max are allowed: the system gives so many open files"
        );
    }
    within
}
