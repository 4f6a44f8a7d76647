//! Effect: what later sessions show of a skill, with it and without it.
//!
//! A session met a skill's situation if it ran a command that the skill is about, on a later day than
//! the skill was published. It counts for the side with the skill if it loaded it. A skill is about
//!
//! - the command whose failure it repairs; else
//! - the command that people want or the one they do not want, the one that works or the one that
//!   cannot: those of its first such claim; else
//! - the command that it runs first; else
//! - the first check that it says something of.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::mentions::mentions;
use crate::event::Status;
use crate::skillify::Claim;

/// What one session did, as far as skills are concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Episode {
    /// Which one it is, as [`super::session_number`] says it.
    pub session: u64,
    /// When it started, as `2026-11-22`.
    pub date: String,
    /// The skills that it loaded.
    pub loaded: BTreeSet<String>,
    /// The command lines that it ran, and how each ended at best.
    pub commands: BTreeMap<String, Status>,
    /// The command lines that failed in it, whatever came later.
    pub failed: BTreeSet<String>,
    /// Tool calls that failed.
    pub failures: u64,
    /// All of them.
    pub tool_calls: u64,
    /// From its first event to its last.
    pub seconds: u64,
}

/// The sessions that met a skill's situation since it was published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Those that loaded the skill.
    pub with: Side,
    /// The others.
    pub without: Side,
}

/// Sums over sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// How many.
    pub sessions: u64,
    /// Their failed tool calls.
    pub failures: u64,
    /// Their tool calls.
    pub tool_calls: u64,
    /// Their time.
    pub seconds: u64,
}

impl Effect {
    /// What the episodes show of a skill that was first published on that day; `None` if no session met its
    /// situation.
    pub(super) fn of(name: &str, published: &str, content: &Content, episodes: &[Episode]) -> Option<Self> {
        let about = situations(content);
        let met = |episode: &&Episode| episode.date.as_str() > published && episode.meets(&about);
        let mut effect = Self::default();
        for episode in episodes.iter().filter(met) {
            let side = if episode.loaded.contains(name) { &mut effect.with } else { &mut effect.without };
            side.add(episode);
        }
        (effect != Self::default()).then_some(effect)
    }

    /// A Markdown table, a row a side.
    pub(super) fn table(&self) -> String {
        let row = |name: &str, side: &Side| {
            let (failures, calls) = (side.mean(side.failures), side.mean(side.tool_calls));
            format!("| {name} | {} | {failures} | {calls} | {} |\n", side.sessions, side.mean(side.seconds))
        };
        let head = "| sessions | number | failures | tool calls | seconds |\n|---|---|---|---|---|\n";
        format!("{head}{}{}", row("with the skill", &self.with), row("without it", &self.without))
    }

    /// A few words for a list.
    pub(super) fn summary(&self) -> String {
        let [with, without] = [&self.with, &self.without].map(|side| side.mean(side.failures));
        format!("failures per session: {with} with it, {without} without")
    }
}

impl Episode {
    /// Whether the session ran one of these commands.
    pub(super) fn meets(&self, about: &[String]) -> bool {
        self.commands.keys().any(|command| about.iter().any(|about| mentions(command, about)))
    }
}

/// The commands that tell a session in which the skill is of use.
pub(super) fn situations(content: &Content) -> Vec<String> {
    let claims = || content.claims.iter().map(|record| &record.claim);
    if let Some(repaired) = claims().find_map(Claim::situation) {
        return vec![repaired.to_string()];
    }
    let alternatives = claims().find(|claim| claim.names_a_command());
    if let Some(alternatives) = alternatives {
        return alternatives.templates().into_iter().map(ToString::to_string).collect();
    }
    let first = claims().find(|claim| matches!(claim, Claim::Run(_)));
    let first = first.and_then(Claim::asks_for).or_else(|| claims().find_map(Claim::about));
    first.map(ToString::to_string).into_iter().collect()
}

impl Side {
    /// Counts one more session.
    pub(super) fn add(&mut self, episode: &Episode) {
        self.sessions += 1;
        self.failures += episode.failures;
        self.tool_calls += episode.tool_calls;
        self.seconds += episode.seconds;
    }

    /// A session's share in tenths, rounded down: the same digits on every machine.
    fn mean(&self, sum: u64) -> String {
        match sum.saturating_mul(10).checked_div(self.sessions) {
            Some(tenths) => format!("{}.{}", tenths / 10, tenths % 10),
            None => "–".to_owned(),
        }
    }
}
