//! The journal and the table's writer on a disk that forgets what was not synced.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::simulated::{SimulatedDisk, run};

/// Histories that must go well before a place whose sync is left out passes for harmless.
const HISTORIES: u64 = 400;

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_survives_power_losses_failed_syncs_full_disks_and_damage(seed: u64) {
        if let Err(lost) = run(SimulatedDisk::new(), seed) {
            return Err(TestCaseError::fail(lost));
        }
    }
}

/// `SKILLSPAN_HISTORY=7 cargo test --test durability one_history` runs a history again.
#[test]
fn one_history_by_its_seed() {
    let seed = std::env::var("SKILLSPAN_HISTORY").map_or(1, |seed| seed.parse().unwrap());
    run(SimulatedDisk::new(), seed).unwrap();
}

/// Every place of the product that asks for a sync, and how often it did in a few histories.
fn places() -> BTreeMap<String, usize> {
    let mut places = BTreeMap::new();
    for seed in 0..30 {
        let disk = SimulatedDisk::new();
        run(disk.clone(), seed).unwrap();
        for (place, count) in disk.sites() {
            *places.entry(place).or_default() += count;
        }
    }
    places
}

#[test]
fn a_build_that_leaves_out_any_one_sync_loses_something_and_is_caught() {
    let places = places();
    println!("{} places ask for syncs", places.len());
    let mut harmless = Vec::new();
    // `SKILLSPAN_PLACE=writer.rs` looks at some of them.
    let wanted = std::env::var("SKILLSPAN_PLACE").unwrap_or_default();
    for (place, count) in places.iter().filter(|(place, _)| place.contains(&wanted)) {
        let caught = (0..HISTORIES).find_map(|seed| {
            let lost = run(SimulatedDisk::leaving_out(place), seed).err()?;
            // It is the sync that was missing, and nothing else.
            run(SimulatedDisk::new(), seed).unwrap();
            Some((seed, lost))
        });
        match caught {
            Some((seed, lost)) => println!("{place} ({count} times): caught by history {seed}: {lost:.100}"),
            None => harmless.push(place),
        }
    }
    assert!(harmless.is_empty(), "nothing is lost without the syncs at {harmless:#?}");
    assert!(places.len() >= 12, "{} places sync", places.len());
}
