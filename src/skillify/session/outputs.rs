//! Outputs of commands, each read once.
//!
//! Commands print the same again and again: nothing, `ok`, the one failure that a person works on. Who makes many
//! digests within [`super::super::SharedCommands::within`] reads such an output once; anyone else reads it anew. What is
//! read follows from the texts alone.

use std::cell::RefCell;
use std::hash::Hash;
use std::sync::Arc;

use super::super::hash_index::{HashIndex, hash_of};
use super::lines::Line;
use crate::event::Status;
use crate::shell::rule_code::rule_codes;
use crate::shell::signature;
use crate::shell::status::statuses;

thread_local! {
    /// The outputs of [`super::sharing::SharedCommands::within`]; `None` outside of it.
    static KNOWN: RefCell<Option<Outputs>> = const { RefCell::new(None) };
}

/// Shares outputs on this thread from now on.
pub(super) fn share(outputs: Outputs) {
    KNOWN.set(Some(outputs));
}

/// Shares no more; the outputs that are known by now.
pub(super) fn shared() -> Outputs {
    KNOWN.take().unwrap_or_default()
}

/// What `work` makes of the outputs that are known; `None` where none are kept.
fn with_outputs<T>(work: impl FnOnce(&mut Outputs) -> T) -> Option<T> {
    KNOWN.with_borrow_mut(|known| known.as_mut().map(work))
}

/// How each command of a line ended.
pub(super) fn statuses_of(line: &Line, reported: Status, output: &str) -> Arc<[Status]> {
    let key = Key { reported, line: line.text(), output };
    known_or(|outputs| &mut outputs.statuses, key, || statuses(line.listed(), reported, output).into())
}

/// What the failure looked like.
pub(super) fn signature_of(output: &str) -> Option<String> {
    known_or(|outputs| &mut outputs.signatures, Key::of(output), || signature::of(output))
}

/// The rules that were broken.
pub(super) fn rules_of(output: &str) -> Arc<[String]> {
    known_or(|outputs| &mut outputs.rules, Key::of(output), || rule_codes(output).into())
}

/// What was read of outputs.
#[derive(Default)]
pub(in crate::skillify) struct Outputs {
    statuses: Known<Arc<[Status]>>,
    signatures: Known<Option<String>>,
    rules: Known<Arc<[String]>>,
}

/// What a reading follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'t> {
    reported: Status,
    line: &'t str,
    output: &'t str,
}

impl<'t> Key<'t> {
    fn of(output: &'t str) -> Self {
        Self { reported: Status::Unknown, line: "", output }
    }

    fn bytes(&self) -> usize {
        self.line.len() + self.output.len()
    }
}

/// Readings of one kind.
struct Known<V> {
    items: Vec<Item<V>>,
    places: HashIndex,
    bytes: usize,
}

struct Item<V> {
    reported: Status,
    line: Box<str>,
    output: Box<str>,
    value: V,
}

/// The most bytes of text of each kind; beyond it the memory begins anew.
const MOST_BYTES: usize = 2 << 20;
/// What an item takes beside its texts.
const ITEM: usize = 96;
/// Longer texts come but once.
const LONGEST: usize = 4 << 10;

fn known_or<V: Clone>(of: fn(&mut Outputs) -> &mut Known<V>, key: Key<'_>, read: impl FnOnce() -> V) -> V {
    if key.bytes() > LONGEST {
        return read();
    }
    if let Some(known) = with_outputs(|outputs| of(outputs).find(&key)).flatten() {
        return known;
    }
    let value = read();
    with_outputs(|outputs| of(outputs).keep(&key, value.clone()));
    value
}

impl<V: Clone> Known<V> {
    fn find(&self, key: &Key<'_>) -> Option<V> {
        let is = |at: usize| self.items.get(at).is_some_and(|item| item.key() == *key);
        let place = self.places.find(hash_of(key), is)?;
        self.items.get(place as usize).map(|item| item.value.clone())
    }

    fn keep(&mut self, key: &Key<'_>, value: V) {
        if self.bytes + key.bytes() + ITEM > MOST_BYTES {
            *self = Self::default();
        }
        self.bytes += key.bytes() + ITEM;
        self.places.insert(hash_of(key), self.items.len());
        let Key { reported, line, output } = *key;
        self.items.push(Item { reported, line: line.into(), output: output.into(), value });
    }
}

impl<V> Default for Known<V> {
    fn default() -> Self {
        Self { items: Vec::new(), places: HashIndex::default(), bytes: 0 }
    }
}

impl<V> Item<V> {
    fn key(&self) -> Key<'_> {
        Key { reported: self.reported, line: &self.line, output: &self.output }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::SharedCommands;
    use super::*;

    #[test]
    fn what_is_read_again_within_is_the_first_reading_and_equal_to_any_other() {
        let (make, tests) = (Line::read("make lint"), Line::read("pytest -q && make lint"));
        let outputs = ["src/app.py:1:1: F401 unused\nmake: *** [lint] Error 1", "1 failed, 2 passed", ""];
        let read = || {
            let mut found = Vec::new();
            for output in outputs {
                for line in [&make, &tests] {
                    for reported in [Status::Ok, Status::Error, Status::Unknown] {
                        found.push(statuses_of(line, reported, output));
                    }
                }
            }
            (found, outputs.map(signature_of), outputs.map(rules_of))
        };
        let ((first, again), _) = SharedCommands::default().within(|| (read(), read()));
        let alone = read();
        assert_eq!((&first, &again), (&alone, &alone));
        assert!(first.0.iter().zip(&again.0).all(|(first, again)| Arc::ptr_eq(first, again)));
        assert!(first.2.iter().zip(&again.2).all(|(first, again)| Arc::ptr_eq(first, again)));
        assert!(!Arc::ptr_eq(&first.0[0], &alone.0[0]));
    }

    #[test]
    fn however_many_outputs_there_are_what_is_kept_is_bounded() {
        let mut known = Known::default();
        let output = |number: usize| format!("{number} {}", "x".repeat(1_000));
        let many = 3 * MOST_BYTES / 1_000;
        for number in 0..many {
            known.keep(&Key::of(&output(number)), number);
        }
        assert!(known.bytes <= MOST_BYTES && known.items.len() * 1_000 <= MOST_BYTES);
        assert_eq!(known.find(&Key::of(&output(many - 1))), Some(many - 1));
        assert_eq!(known.find(&Key::of(&output(0))), None);
        let long = "x".repeat(LONGEST + 1);
        let (kept, _) = SharedCommands::default().within(|| {
            let _ = signature_of(&long);
            with_outputs(|outputs| outputs.signatures.items.len())
        });
        assert_eq!(kept, Some(0));
    }
}
