//! Facts that an assistant reports both by telemetry and by hooks.
//!
//! Both use the same ids for the session, the turn and each call, so the keys of calls and prompts match
//! ([`super::aliases`]). These do not match:
//!
//! - an **answer**: a hook knows its turn and its words, telemetry the id of the reply. The last answer of the turn
//!   with these words is the same;
//! - a **skill**: a hook knows its call, telemetry none. In the order of time, those of one turn are the same;
//! - the **start** of the session: one is enough.
//!
//! The observation that can find the other's key takes it, and then the two merge as observations of one fact.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::history::digest;
use crate::event::{Kind, SessionEvent, Timestamp, USAGE};

/// The assistant that can be connected in both ways.
const WITH_HOOKS: &str = "claude-code";

/// Turn and digest of the words.
type Answer = (String, String);

/// The turn and the words' digest of an answer that a hook tells.
fn of_hook(event: &SessionEvent) -> Option<Answer> {
    if event.kind != Kind::Response || event.assistant != WITH_HOOKS || event.turn_id.is_empty() {
        return None;
    }
    let words = event.fact_key.strip_prefix(&event.turn_id)?.strip_prefix(':')?;
    Some((event.turn_id.clone(), words.to_owned()))
}

/// An answer of telemetry, in a turn that is known: [`join`] compares its words.
pub(super) fn is_of_telemetry(event: &SessionEvent) -> bool {
    event.kind == Kind::Response
        && event.assistant == WITH_HOOKS
        && !event.turn_id.is_empty()
        && !event.fact_key.is_empty()
        && !event.fact_key.starts_with(USAGE)
        && of_hook(event).is_none()
}

/// Whether there are answers of both ways.
pub(super) fn may_compare<'e>(events: impl Iterator<Item = &'e SessionEvent>) -> bool {
    let (mut hooks, mut telemetry) = (false, false);
    for event in events {
        hooks |= of_hook(event).is_some();
        telemetry |= is_of_telemetry(event);
    }
    hooks && telemetry
}

/// Makes the two tellings of one session's facts one. Answers whether words were compared.
pub(super) fn join(events: &mut [SessionEvent]) -> bool {
    join_starts(events);
    join_skills(events);
    if !may_compare(events.iter()) {
        return false;
    }
    let mut told: BTreeMap<Answer, (Timestamp, String)> = BTreeMap::new();
    for event in events.iter().filter(|event| is_of_telemetry(event) && !event.text.is_empty()) {
        let answer = (event.turn_id.clone(), digest(&event.text));
        let this = (event.timestamp, event.fact_key.clone());
        let last = told.entry(answer).or_insert_with(|| this.clone());
        *last = this.max(last.clone());
    }
    for event in events {
        if let Some((_, key)) = of_hook(event).and_then(|answer| told.get(&answer)) {
            event.fact_key.clone_from(key);
        }
    }
    true
}

fn is_of(event: &SessionEvent, kind: Kind) -> bool {
    event.kind == kind && event.assistant == WITH_HOOKS
}

fn join_starts(events: &mut [SessionEvent]) {
    let by_hook = Kind::SessionStart.as_str();
    let keys: BTreeSet<String> = events
        .iter()
        .filter(|event| is_of(event, Kind::SessionStart) && !event.fact_key.is_empty())
        .map(|event| event.fact_key.clone())
        .filter(|key| key != by_hook)
        .collect();
    let Some(key) = keys.first() else { return };
    for event in events.iter_mut().filter(|event| is_of(event, Kind::SessionStart)) {
        if event.fact_key == by_hook {
            event.fact_key.clone_from(key);
        }
    }
}

fn join_skills(events: &mut [SessionEvent]) {
    let is_skill = |event: &SessionEvent| is_of(event, Kind::SkillUse) && !event.turn_id.is_empty();
    let mut called: BTreeMap<String, BTreeSet<(Timestamp, String)>> = BTreeMap::new();
    for event in events.iter().filter(|event| is_skill(event) && !event.fact_key.is_empty()) {
        called.entry(event.turn_id.clone()).or_default().insert((event.timestamp, event.fact_key.clone()));
    }
    if called.is_empty() {
        return;
    }
    let mut untold: Vec<&mut SessionEvent> =
        events.iter_mut().filter(|event| is_skill(event) && event.fact_key.is_empty()).collect();
    untold.sort_by(|a, b| (a.timestamp, &a.event_id).cmp(&(b.timestamp, &b.event_id)));
    for event in untold {
        if let Some((_, key)) = called.get_mut(&event.turn_id).and_then(BTreeSet::pop_first) {
            event.fact_key = key;
        }
    }
}
