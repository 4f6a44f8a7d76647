//! Where the items of a list stand, by their hashes: for lists of hundreds of thousands that are looked
//! up in a million times. Nothing walks over the hashes, so their order shows nowhere.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The places of items by their hashes, each hash in the first free slot from its own on.
#[derive(Default)]
pub(super) struct Places {
    /// Hashes with places; a power of two of them, at least half of them free.
    slots: Vec<Option<(u64, u32)>>,
    taken: usize,
}

/// The hash of a value, the same in every process of one version of the program.
pub(super) fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Places {
    /// The place of the item that has this hash and of which `is` holds.
    pub(super) fn find(&self, hash: u64, is: impl Fn(usize) -> bool) -> Option<u32> {
        let found = self.taken_from(hash).find(|(known, place)| *known == hash && is(*place as usize));
        found.map(|(_, place)| place)
    }

    /// Adds an item that is not there yet.
    pub(super) fn insert(&mut self, hash: u64, place: usize) -> u32 {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        if 2 * (self.taken + 1) > self.slots.len() {
            let larger = vec![None; (2 * self.slots.len()).max(64)];
            let known = std::mem::replace(&mut self.slots, larger);
            known.into_iter().flatten().for_each(|(hash, place)| self.put(hash, place));
        }
        self.put(hash, place);
        self.taken += 1;
        place
    }

    fn put(&mut self, hash: u64, place: u32) {
        let at = self.slot_of(hash) + self.taken_from(hash).count();
        let at = at % self.slots.len().max(1);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some((hash, place));
        }
    }

    fn slot_of(&self, hash: u64) -> usize {
        let mask = (self.slots.len() as u64).saturating_sub(1);
        usize::try_from(hash & mask).unwrap_or_default()
    }

    /// What stands from the slot of a hash on, up to the first free slot.
    fn taken_from(&self, hash: u64) -> impl Iterator<Item = (u64, u32)> {
        let (before, after) = self.slots.split_at(self.slot_of(hash).min(self.slots.len()));
        after.iter().chain(before).map_while(|slot| *slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_however_many_there_are_and_whatever_hashes_they_share() {
        let items: Vec<u64> = (0..1_000).collect();
        let hashes: [fn(u64) -> u64; 4] =
            [|item| item % 7, |item| item, |item| u64::MAX - item, |item| hash_of(item)];
        for hash in hashes {
            let mut places = Places::default();
            for item in &items {
                assert_eq!(places.find(hash(*item), |at| items[at] == *item), None);
                places.insert(hash(*item), *item as usize);
            }
            for item in &items {
                assert_eq!(places.find(hash(*item), |at| items[at] == *item), Some(*item as u32));
            }
            assert_eq!(places.find(hash(1_000), |at| items[at] == 1_000), None);
        }
    }
}
