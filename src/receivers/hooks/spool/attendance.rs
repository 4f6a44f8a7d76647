//! A collector that empties the spool, so that no hook needs to send anything.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;

use super::{Spool, SpoolError, failed, private};

const ATTENDED: &str = "attended.lock";

/// The promise to look for entries again and again, until it is dropped or the process ends, and once
/// more after that.
#[derive(Debug)]
pub struct Attendance {
    _lock: File,
}

impl Spool {
    /// Promises to take what comes; `None` if there is no spool yet, or another process attends to it.
    ///
    /// # Errors
    /// If the file system does not allow it.
    pub fn attend(&self) -> Result<Option<Attendance>, SpoolError> {
        let path = self.folder.join(ATTENDED);
        let lock = match private().create(true).truncate(false).write(true).open(&path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path)(error)),
        };
        match lock.try_lock() {
            Ok(()) => Ok(Some(Attendance { _lock: lock })),
            // By a hook that looks, perhaps.
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&path)(error)),
        }
    }

    /// Whether a collector attends to it. To be asked after an entry was added, not before.
    pub fn is_attended(&self) -> bool {
        let lock = private().read(true).open(self.folder.join(ATTENDED));
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}
