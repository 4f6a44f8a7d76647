//! When a file was last written.

use std::fs;
use std::time::UNIX_EPOCH;

use crate::event::Timestamp;

/// When a file was changed last.
pub(super) fn modified(metadata: &fs::Metadata) -> Timestamp {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let micros = since.and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or_default();
    Timestamp::from_micros(micros)
}
