//! Which columns of rows hold anything.

/// Columns that may hold anything: many are empty in every row of a file, and cost less when that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filled(u64);

impl Filled {
    /// Any column.
    pub const ALL: Self = Self(u64::MAX);

    /// The columns of either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the column at `place` may hold anything. Columns stand in the order of the message's fields.
    pub fn has(self, place: usize) -> bool {
        u32::try_from(place).ok().and_then(|place| self.0.checked_shr(place)).is_none_or(|bits| bits & 1 == 1)
    }

    /// Notes a field of the message.
    pub(super) const fn note(&mut self, field: u32) {
        self.0 |= match field.checked_sub(1) {
            Some(place @ 0..64) => 1 << place,
            _ => 0,
        };
    }
}
