//! Times in a page: in UTC as they are made, in the reader's zone once the script has run.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::event::Timestamp;

/// A point in time. In JSON it is RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When(pub(super) Timestamp);

impl When {
    /// `2026-11-22 09:30`
    pub(super) fn minute(self) -> String {
        let text = self.to_string();
        text.get(..16).map_or_else(|| text.clone(), |minute| minute.replace('T', " "))
    }

    /// `12`
    pub(super) fn second(self) -> String {
        self.to_string().get(17..19).unwrap_or_default().to_owned()
    }

    /// `09:30:12`
    pub(super) fn clock(self) -> String {
        self.to_string().get(11..19).unwrap_or_default().to_owned()
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
