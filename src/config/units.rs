//! Sizes, durations and their kin as a configuration writes them.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// `64MiB`, `4GiB`, `500kB`, `123B`: bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ByteSize(pub u64);

/// `30s`, `1h30m`, `500ms`, `180d`: a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span(pub Duration);

/// `127.0.0.1:4317`, `[::1]:4317` or `localhost:4317`: where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endpoint(pub SocketAddr);

/// `zstd(1)` to `zstd(22)`: the compression of the table's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zstd(pub u8);

/// `1000/s`: requests a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestRate(pub u64);

/// `50MiB/s`: bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteRate(pub u64);

impl RequestRate {
    fn parse(text: &str) -> Option<Self> {
        text.strip_suffix("/s")?.parse().ok().filter(|rate| *rate > 0).map(Self)
    }
}

impl ByteRate {
    fn parse(text: &str) -> Option<Self> {
        ByteSize::parse(text.strip_suffix("/s")?).map(|bytes| Self(bytes.0))
    }
}

impl ByteSize {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at_checked(digits)?;
        let unit: u64 = match unit.trim_start() {
            "B" => 1,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0).map(Self)
    }
}

impl Span {
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut total = Duration::ZERO;
        while !rest.is_empty() {
            let (number, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
            let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at_checked(end)?;
            let milliseconds: u64 = match unit {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return None,
            };
            let part = number.parse::<u64>().ok()?.checked_mul(milliseconds)?;
            total = total.checked_add(Duration::from_millis(part))?;
            rest = after;
        }
        (!text.is_empty()).then_some(Self(total))
    }
}

/// The length of time that a text such as `7d` or `1h30m` says.
pub fn parse_duration(text: &str) -> Option<Duration> {
    Span::parse(text).map(|span| span.0)
}

impl Endpoint {
    fn parse(text: &str) -> Option<Self> {
        let text = text.replacen("localhost:", "127.0.0.1:", 1);
        text.parse().ok().map(Self)
    }
}

impl Zstd {
    fn parse(text: &str) -> Option<Self> {
        let level = text.strip_prefix("zstd(")?.strip_suffix(')')?.parse().ok()?;
        (1..=22).contains(&level).then_some(Self(level))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match units.into_iter().find(|(unit, _)| self.0.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// Deserializes a text by its parser; the format adds what it found instead.
struct Parsed<T> {
    expecting: &'static str,
    parse: fn(&str) -> Option<T>,
}

impl<T> Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).ok_or_else(|| E::custom(format_args!("expected {}", self.expecting)))
    }
}

macro_rules! deserialize_by_parser {
    ($($type:ty: $expecting:literal;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Parsed { expecting: $expecting, parse: Self::parse })
            }
        }
    )*};
}

deserialize_by_parser! {
    ByteSize: "a size with its unit, such as 64MiB";
    Span: "a duration with its unit, such as 30s or 1h30m";
    Endpoint: "an address and a port, such as 127.0.0.1:4317";
    RequestRate: "requests a second, such as 1000/s";
    ByteRate: "bytes a second, such as 50MiB/s";
    Zstd: "zstd(1) to zstd(22)";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write_and_refuses_what_is_unclear() {
        assert_eq!(ByteSize::parse("64MiB"), Some(ByteSize(64 << 20)));
        assert_eq!(ByteSize::parse("5 kB"), Some(ByteSize(5_000)));
        assert_eq!(Span::parse("1h30m"), Some(Span(Duration::from_secs(5_400))));
        assert_eq!(Span::parse("180d"), Some(Span(Duration::from_secs(180 * 86_400))));
        assert_eq!(Endpoint::parse("localhost:4317"), Endpoint::parse("127.0.0.1:4317"));
        for unclear in ["", "64", "MiB", "-1MiB", "0MiB", "99999999TiB", "1.5GiB", "64mib"] {
            assert_eq!(ByteSize::parse(unclear), None, "{unclear:?}");
        }
        for unclear in ["", "30", "s", "30 s", "1y", "30s5", "-3s"] {
            assert_eq!(Span::parse(unclear), None, "{unclear:?}");
        }
        for unclear in ["4317", "host:4317", "127.0.0.1", "127.0.0.1:99999"] {
            assert_eq!(Endpoint::parse(unclear), None, "{unclear:?}");
        }
        assert_eq!(
            [Zstd::parse("zstd(3)"), Zstd::parse("zstd(0)"), Zstd::parse("gzip")],
            [Some(Zstd(3)), None, None]
        );
    }

    #[test]
    fn shows_sizes_as_they_are_written() {
        for text in ["64MiB", "4GiB", "123B"] {
            assert_eq!(ByteSize::parse(text).unwrap().to_string(), text);
        }
    }
}
