//! How many files and connections the system allows this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::receivers::ConnectionBounds;

/// Asks for as many open files as this user may have: many systems begin with few.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current < maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::debug!(%error, "the number of open files stays as it is");
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
