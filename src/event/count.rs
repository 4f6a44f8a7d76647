//! A number with what is counted, as a person reads it.

use std::fmt;

/// `1 session`, `2 sessions`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted<'n> {
    count: u64,
    one: &'n str,
    many: &'n str,
}

/// A count with its noun for one and for any other number.
pub(crate) fn counted<'n>(count: impl TryInto<u64>, one: &'n str, many: &'n str) -> Counted<'n> {
    Counted { count: count.try_into().unwrap_or(u64::MAX), one, many }
}

impl fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.count, if self.count == 1 { self.one } else { self.many })
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_not_many() {
        let told = |count: usize| counted(count, "person", "people").to_string();
        assert_eq!([0, 1, 2].map(told), ["0 people", "1 person", "2 people"]);
    }
}
