//! How the targets of skills do, for metrics and for `skillspan status`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::Timestamp;
use crate::exporters::target::{self, Target};

/// Why a target cannot be written now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// A word for the kind of failure, the same for every failure of that kind.
    pub(super) kind: &'static str,
    /// What failed.
    pub(super) error: String,
    /// What a person can do about it.
    pub(super) remedy: &'static str,
    /// It is not tried again before.
    pub(super) retry_at: Timestamp,
}

/// What is known of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// When it last took what mining or a person gave it, a change or none; `None` before the first time since the start.
    pub(super) published_at: Option<Timestamp>,
    /// What people should know of that time, a line each.
    pub(super) notes: Vec<String>,
    /// Why it cannot be written, and since when.
    pub(super) failing: Option<(Timestamp, Failure)>,
}

/// Every target of every skills pipeline, by its name.
#[derive(Debug, Default)]
pub(super) struct Targets(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    states: BTreeMap<String, State>,
    targets: BTreeMap<String, Target>,
    failures: BTreeMap<(String, &'static str), u64>,
    skills_changed: u64,
}

impl Targets {
    /// A target that nothing was published to yet.
    pub(super) fn add(&self, target: &Target) {
        let mut known = self.known();
        known.states.entry(target.to_string()).or_default();
        known.targets.insert(target.to_string(), target.clone());
    }

    /// Why a target could not be written now, as far as this machine can tell: something may have come to
    /// stand in the way since it was written last. Reads folders; blocks.
    pub(super) fn look_at(&self, target: &str) -> Option<target::Error> {
        let target = self.known().targets.get(target).cloned()?;
        target.look().err()
    }

    pub(super) fn succeeded(&self, target: &str, report: &target::Report) {
        let mut known = self.known();
        known.skills_changed += u64::try_from(report.changed()).unwrap_or(u64::MAX);
        let published_at = Some(Timestamp::now());
        let state = State { published_at, notes: report.notes.clone(), failing: None };
        known.states.insert(target.to_owned(), state);
    }

    /// A person's decision was written there.
    pub(super) fn decided(&self, target: &str) {
        if let Some(state) = self.known().states.get_mut(target) {
            state.published_at = Some(Timestamp::now());
        }
    }

    pub(super) fn failed(&self, target: &str, failure: Failure) {
        let mut known = self.known();
        *known.failures.entry((target.to_owned(), failure.kind)).or_default() += 1;
        let state = known.states.entry(target.to_owned()).or_default();
        let since = state.failing.as_ref().map_or_else(Timestamp::now, |(since, _)| *since);
        state.failing = Some((since, failure));
    }

    pub(super) fn states(&self) -> BTreeMap<String, State> {
        self.known().states.clone()
    }

    /// Attempts to publish that failed, by target and kind of failure.
    pub(super) fn failures(&self) -> BTreeMap<(String, &'static str), u64> {
        self.known().failures.clone()
    }

    /// How many targets cannot be written now.
    pub(super) fn failing(&self) -> u64 {
        self.known().states.values().filter(|state| state.failing.is_some()).count() as u64
    }

    /// Skills created or changed at a target since the start.
    pub(super) fn skills_changed(&self) -> u64 {
        self.known().skills_changed
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
