//! The journal and the table's writer on a disk that forgets what was not synced.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::simulated::{KINDS, SimulatedDisk, run, run_directed};

/// A life of a journal that a seed decides; the error says what was lost.
type History = fn(SimulatedDisk, u64) -> Result<(), String>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_survives_power_losses_failed_syncs_full_disks_and_damage(seed: u64) {
        for history in [run as History, run_directed] {
            if let Err(lost) = history(SimulatedDisk::new(), seed) {
                return Err(TestCaseError::fail(lost));
            }
        }
    }
}

/// `SKILLSPAN_HISTORY=7 cargo test --test durability one_history` runs a history again.
#[test]
fn one_history_by_its_seed() {
    let seed = std::env::var("SKILLSPAN_HISTORY").map_or(1, |seed| seed.parse().unwrap());
    run(SimulatedDisk::new(), seed).unwrap();
}

/// Its process was killed between naming a cursor and making the name durable, and the next one trusted it.
#[test]
fn a_cursor_that_was_named_and_not_synced_does_not_go_back() {
    run(SimulatedDisk::new(), 13_464_408_481_942_670_002).unwrap();
}

/// Every place of the product that asks for a sync, and how often it did in a few histories.
fn places() -> BTreeMap<String, usize> {
    let mut places = BTreeMap::new();
    for seed in 0..30 {
        for history in [run as History, run_directed] {
            let disk = SimulatedDisk::new();
            history(disk.clone(), seed).unwrap();
            for (place, count) in disk.sites() {
                *places.entry(place).or_default() += count;
            }
        }
    }
    places
}

/// A place such as `journal/state.rs:76 < journal/state.rs:52` as the source text of its lines.
fn in_words(place: &str) -> String {
    let line = |frame: &str| {
        let (file, line) = frame.split_once(':')?;
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
        let text = std::fs::read_to_string(path).ok()?;
        let text = text.lines().nth(line.parse::<usize>().ok()?.checked_sub(1)?)?.trim().to_owned();
        Some(format!("{}: {text}", file.rsplit('/').next()?))
    };
    place.split(" < ").filter_map(line).collect::<Vec<_>>().join(" < ")
}

/// Most are found by the first few histories, none needs half of them; `SKILLSPAN_POWER_HISTORIES=400`
/// looks longer, should a change make one harder to find.
#[test]
fn a_build_that_leaves_out_a_sync_loses_something_and_is_caught() {
    let histories = std::env::var("SKILLSPAN_POWER_HISTORIES").map_or(120, |number| number.parse().unwrap());
    let (mut caught, mut missed) = (0, Vec::new());
    for (place, count) in places() {
        match history_that_needs(&place, histories) {
            Some(found) => {
                caught += 1;
                println!("{place} ({count} times): caught by {found:.120}");
            }
            None => missed.push(format!("{place}\n    {}", in_words(&place))),
        }
    }
    assert!(missed.is_empty(), "nothing is lost without the syncs at {missed:#?}");
    assert!(caught >= 20, "only {caught} places were caught");
    println!("{caught} of {caught} places that sync are needed");
}

/// What is lost without the syncs of a place, and in which history.
fn history_that_needs(place: &str, histories: u64) -> Option<String> {
    let lost_in = |history: History, seed: u64| {
        let lost = history(SimulatedDisk::leaving_out(place), seed).err()?;
        // It is the sync that was missing, and nothing else.
        history(SimulatedDisk::new(), seed).unwrap();
        Some(lost)
    };
    (0..histories).find_map(|seed| {
        let directed = (seed * KINDS..(seed + 1) * KINDS).find_map(|seed| {
            lost_in(run_directed, seed).map(|lost| format!("directed history {seed}: {lost}"))
        });
        directed.or_else(|| lost_in(run, seed).map(|lost| format!("history {seed}: {lost}")))
    })
}
