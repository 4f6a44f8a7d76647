//! What the sessions before a window showed.

use crate::event::Timestamp;
use crate::skillify::Older;

/// What the sessions before a window showed.
#[derive(Debug, PartialEq)]
pub struct Before {
    /// What they showed.
    pub showed: Older,
    /// When the last event was of the first session that is mined.
    pub since: Timestamp,
    /// The same for the same digests and the same way to mine.
    pub(super) key: String,
}
