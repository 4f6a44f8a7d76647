//! Where the items of a list stand, by their hashes: for lists of hundreds of thousands that are looked
//! up in a million times. Nothing walks over the hashes, so their order shows nowhere.

use std::hash::Hash;

use ahash::RandomState;
use hashbrown::HashTable;

/// The places of items, with their hashes.
#[derive(Default)]
pub(super) struct HashIndex(HashTable<(u64, u32)>);

/// The hash of a value, the same in every process of one version of the program.
pub(super) fn hash_of(value: impl Hash) -> u64 {
    RandomState::with_seeds(1, 2, 3, 4).hash_one(value)
}

/// A hash of a number, different for every number: all of its bits depend on all of the number's.
pub(super) fn spread(number: u64) -> u64 {
    // Each step can be undone: Stafford's thirteenth mix for SplitMix64.
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl HashIndex {
    /// The place of the item that has this hash and of which `is` holds.
    pub(super) fn find(&self, hash: u64, is: impl Fn(usize) -> bool) -> Option<u32> {
        let found = self.0.find(hash, |(known, place)| *known == hash && is(*place as usize));
        found.map(|(_, place)| *place)
    }

    /// Adds an item that is not there yet.
    pub(super) fn insert(&mut self, hash: u64, place: usize) -> u32 {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        self.0.insert_unique(hash, (hash, place), |(hash, _)| *hash);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_however_many_there_are_and_whatever_hashes_they_share() {
        let items: Vec<u64> = (0..1_000).collect();
        let hashes: [fn(u64) -> u64; 5] =
            [|item| item % 7, |item| item, |item| u64::MAX - item, |item| hash_of(item), spread];
        for hash in hashes {
            let mut places = HashIndex::default();
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
