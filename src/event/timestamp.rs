//! Points in time as the table stores them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The epoch itself, which also stands for "not given".
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From OTLP's nanoseconds since the epoch; what lies beyond the year 294 000 is clipped.
    pub fn from_unix_nanos(nanos: u64) -> Self {
        Self(i64::try_from(nanos / 1_000).unwrap_or(i64::MAX))
    }

    /// From an RFC 3339 text such as `2026-11-22T09:35:25.502Z`.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|time| Self(time.as_microsecond()))
    }

    /// The wall clock. Only receivers and commands ask it; everything below is given its time.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// True for [`Timestamp::EPOCH`], which clients send for "unknown".
    pub const fn is_unset(self) -> bool {
        self.0 == 0
    }

    /// This time plus `duration`, clipped at the end of the range.
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This time minus `duration`, clipped at the end of the range.
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 with exactly three decimals, as JavaScript's `toISOString` writes it.
    pub fn to_iso_millis(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            Err(_) => "9999-12-31T23:59:59.999Z".to_owned(),
        }
    }

    /// The UTC date as a number of days since that of the epoch.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(24 * 3_600 * 1_000_000)
    }

    /// The UTC date as `2026-11-22`.
    pub fn date(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => time.strftime("%Y-%m-%d").to_string(),
            Err(_) => "9999-12-31".to_owned(),
        }
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with microseconds where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => f.pad(&time.to_string()),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc3339() {
        let time = Timestamp::parse_rfc3339("2026-11-22T09:35:25.502Z").unwrap();
        assert_eq!(time.as_micros(), 1_795_340_125_502_000);
        assert_eq!(time.to_string(), "2026-11-22T09:35:25.502Z");
        assert_eq!(time.date(), "2026-11-22");
        assert_eq!(time.to_iso_millis(), "2026-11-22T09:35:25.502Z");
        assert_eq!(Timestamp::EPOCH.to_iso_millis(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn clips_what_no_calendar_has() {
        let end = Timestamp::from_unix_nanos(u64::MAX);
        assert_eq!(end.saturating_add(Duration::MAX), Timestamp::from_micros(i64::MAX));
        assert_eq!(Timestamp::from_micros(i64::MAX).date(), "9999-12-31");
    }
}
