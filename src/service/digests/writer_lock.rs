//! A lock between the processes that keep digests and those that forget them.

use std::io;

use crate::disk::{Disk, FileSystem, Lock};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How the names of files of digests begin.
pub(super) const PREFIX: &str = "digests-";

/// The lock. A process holds it while it keeps or forgets digests, so that nothing is kept that an erasure does not see.
pub(super) struct Turn(pub(super) PathBuf);

pub(super) const TURN: &str = "keeping.lock";

/// How long to wait: keeping digests takes less.
const PATIENCE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(5);

impl Turn {
    /// Waits for the lock. It is held until the answer is dropped.
    #[expect(clippy::disallowed_methods, reason = "no caller is on a reactor's thread")]
    pub(super) fn take(&self) -> io::Result<Box<dyn Lock>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match FileSystem.lock(&self.0)? {
                Some(lock) => return Ok(lock),
                None if Instant::now() >= deadline => {
                    let message =
                        format!("{} is locked by a process that does not let go of it", self.0.display());
                    return Err(io::Error::other(message));
                }
                None => std::thread::sleep(PAUSE),
            }
        }
    }
}

/// A turn that is taken.
pub(in crate::service) struct Taken {
    /// Whether digests are kept there: whoever forgets them has removed them all.
    pub(in crate::service) has_digests: bool,
    /// Until it is dropped nobody keeps or forgets anything.
    pub(in crate::service) _turn: Box<dyn Lock>,
}

/// Waits for whoever keeps or forgets something beside the digests of a folder.
pub(in crate::service) fn take_turn(folder: &Path) -> io::Result<Taken> {
    let turn = Turn(folder.join(TURN)).take()?;
    let has_digests = FileSystem.list(folder)?.iter().any(|name| is_log(name));
    Ok(Taken { has_digests, _turn: turn })
}

/// Whether a file of this name holds digests.
pub(super) fn is_log(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(".log")
}
