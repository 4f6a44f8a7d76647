//! How many skills a target takes: in all, of one workspace, and new ones in one run.
//!
//! Anybody who may send can send sessions, and chooses the names of workspaces and projects. Without a bound, made-up ones
//! would fill a target in minutes. A skill beyond a bound waits until there is room. If not everything fits, workspaces take
//! turns: first those that have skills already, then those with more people and more sessions.

use std::collections::BTreeSet;
use std::fmt;

use super::Findings;
use super::state::{Skill, State};

/// How many skills a target takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In all.
    pub skills: usize,
    /// Of one workspace.
    pub workspace: usize,
    /// New ones in one run.
    pub run: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { skills: 500, workspace: 100, run: 50 }
    }
}

/// New skills that were held back, and what by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBack {
    /// How many.
    pub skills: usize,
    /// The bound of a run: the next one goes on.
    pub by_the_run: bool,
    bounds: Bounds,
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { skills, by_the_run, bounds: Bounds { skills: in_all, workspace, .. } } = self;
        let (noun, verb) = if *skills == 1 { ("skill", "waits") } else { ("skills", "wait") };
        if *by_the_run {
            return write!(f, "{skills} new {noun} {verb} for the next run: one brings no more (limits.run)");
        }
        write!(
            f,
            "{skills} new {noun} {verb}: there may be {in_all} here, {workspace} of a workspace; raise limits.skills \
             or limits.workspace of the exporter, or retire skills"
        )
    }
}

impl Bounds {
    /// No bounds.
    pub const NONE: Self = Self { skills: usize::MAX, workspace: usize::MAX, run: usize::MAX };

    /// How many new skills each of the findings may have, where they would have `wanted`; `None`: all.
    pub(super) fn quotas(
        self,
        state: &State,
        findings: &[impl AsRef<Findings>],
        wanted: &[usize],
    ) -> Option<(Vec<usize>, HeldBack)> {
        let standing = || state.skills.values().filter(|skill| !skill.refused && !skill.is_gone());
        let of = |findings: &Findings| standing().filter(|skill| is_of(skill, findings)).count();
        let room = self.skills.saturating_sub(standing().count());
        let most: Vec<usize> = findings
            .iter()
            .zip(wanted)
            .map(|(findings, wanted)| (*wanted).min(self.workspace.saturating_sub(of(findings.as_ref()))))
            .collect();
        let all: usize = wanted.iter().sum();
        if most.iter().sum::<usize>() == all && all <= room.min(self.run) {
            return None;
        }
        let mut order: Vec<usize> = (0..most.len()).collect();
        order.sort_by_key(|at| {
            let rank =
                findings.get(*at).map(|findings| (of(findings.as_ref()) > 0, weight(findings.as_ref())));
            std::cmp::Reverse(rank)
        });
        let quotas = shared(&most, &order, room.min(self.run));
        let given: usize = quotas.iter().sum();
        let by_the_run = given == self.run && given < most.iter().sum::<usize>().min(room);
        Some((quotas, HeldBack { skills: all - given, by_the_run, bounds: self }))
    }
}

fn is_of(skill: &Skill, findings: &Findings) -> bool {
    skill.workspace == findings.workspace
}

/// The people and the sessions behind what was found.
fn weight(findings: &Findings) -> (usize, usize) {
    let evidence = || findings.candidates.iter().flat_map(|candidate| candidate.evidence());
    let people: BTreeSet<String> = evidence().map(|evidence| evidence.person.clone()).collect();
    let sessions: BTreeSet<String> = evidence().map(|evidence| evidence.session.clone()).collect();
    (people.iter().filter(|person| !person.is_empty()).count(), sessions.len())
}

/// Gives `room` away, one to each in turn, to nobody more than the most that he may have.
fn shared(most: &[usize], order: &[usize], mut room: usize) -> Vec<usize> {
    let mut given = vec![0; most.len()];
    loop {
        let before = room;
        for at in order {
            if let (Some(given), Some(most)) = (given.get_mut(*at), most.get(*at))
                && *given < *most
                && room > 0
            {
                *given += 1;
                room -= 1;
            }
        }
        if room == before || room == 0 {
            return given;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_in_turns() {
        assert_eq!(shared(&[5, 1, 3], &[0, 1, 2], 6), [3, 1, 2]);
        assert_eq!(shared(&[5, 1, 3], &[2, 1, 0], 1), [0, 0, 1]);
        assert_eq!(shared(&[5, 1], &[0, 1], 100), [5, 1]);
        assert_eq!(shared(&[], &[], 3), [0_usize; 0]);
    }
}
