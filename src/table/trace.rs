//! What the steps of reconciling ask of the observations of a trace.

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::ops::Deref;

use crate::event::{Kind, SessionEvent, USAGE};

/// Between a key and its number.
pub(super) const NUMBER: char = '#';

/// The rank of a span of the call itself; spans that repeat it have a lower rank.
pub(super) const FIRST_HAND: i64 = 2;

/// Trace and span.
pub(super) fn span_of(event: &SessionEvent) -> (String, String) {
    (event.trace_id.clone(), event.span_id.clone())
}

/// Keeps the least value of each key.
pub(super) fn keep_least<K: Ord, V: Ord>(least: &mut BTreeMap<K, V>, key: K, value: V) {
    match least.entry(key) {
        Entry::Vacant(place) => {
            place.insert(value);
        }
        Entry::Occupied(mut known) if value < *known.get() => {
            known.insert(value);
        }
        Entry::Occupied(_) => {}
    }
}

pub(super) fn is_words(kind: Kind) -> bool {
    matches!(kind, Kind::Prompt | Kind::Response | Kind::Error)
}

pub(super) fn is_of_call(event: &SessionEvent) -> bool {
    matches!(event.kind, Kind::ToolCall | Kind::ToolResult) && !event.fact_key.is_empty()
}

/// The spans of tools: they state one call with its result, and no words. A model call states its
/// own calls without their results.
pub(super) fn spans_of_tools<E: Deref<Target = SessionEvent>>(trace: &[E]) -> BTreeSet<String> {
    let mut spans: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<Kind>)> = BTreeMap::new();
    for event in trace.iter().filter(|event| !event.span_id.is_empty()) {
        let (keys, kinds) = spans.entry(&event.span_id).or_default();
        kinds.insert(event.kind);
        if is_of_call(event) {
            keys.insert(&event.fact_key);
        }
    }
    let of_tools = spans.into_iter().filter(|(_, (keys, kinds))| {
        let has_both = [Kind::ToolCall, Kind::ToolResult].iter().all(|kind| kinds.contains(kind));
        keys.len() == 1 && has_both && !kinds.iter().copied().any(is_words)
    });
    of_tools.map(|(span, _)| span.to_owned()).collect()
}

/// Whether it says what a model call cost and nothing else.
pub(super) fn is_usage(event: &SessionEvent) -> bool {
    event.kind == Kind::Response && event.fact_key.starts_with(USAGE)
}
