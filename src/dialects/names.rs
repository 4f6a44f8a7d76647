//! The names of a record's attributes, at a glance: dialects ask for some hundreds, and a record has a dozen.

/// Tells most names that are not in a set of them from those that are, by their lengths and two letters.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NameFilter([u64; 4]);

impl NameFilter {
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut filter = Self::default();
        for name in names {
            let (word, bit) = Self::place(name);
            if let Some(word) = filter.0.get_mut(word) {
                *word |= bit;
            }
        }
        filter
    }

    pub(super) fn may_have(&self, name: &str) -> bool {
        let (word, bit) = Self::place(name);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    fn place(name: &str) -> (usize, u64) {
        let bytes = name.as_bytes();
        let at = |place: usize| bytes.get(place).copied().map_or(0, usize::from);
        let mixed = bytes.len() * 37 + at(bytes.len().wrapping_sub(1)) * 11 + at(bytes.len() / 2) * 5;
        (mixed >> 6 & 3, 1 << (mixed & 63))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_may_be_there() {
        let names = ["", "a", "gen_ai.operation.name", "größe"];
        let filter = NameFilter::of(names.into_iter());
        assert!(names.iter().all(|name| filter.may_have(name)));
        let others = (0..1_000).filter(|number| filter.may_have(&format!("gen_ai.other.{number}"))).count();
        assert!(others < 200, "{others}");
    }
}
