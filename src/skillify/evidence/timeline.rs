//! A session as evidence reads it: its actions in the order of doing, across its segments.

use std::collections::BTreeMap;

use super::super::claim::Evidence;
use super::super::session::action::Action;
use super::super::session::outcome::Outcome;
use super::super::session::work_tree::changes_the_tree;
use super::segment_ref::SegmentRef;

/// One action of a session.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Step<'a> {
    pub(in super::super) action: &'a Action,
    /// The segment that it belongs to, as a place among all segments of the workspace.
    pub(in super::super) work: usize,
    /// The number of its prompt within the session: steps of one turn have no person's word between them.
    pub(in super::super) turn: u32,
    /// A person corrected what it was done for: a pass that nobody wanted so is none.
    pub(in super::super) is_rejected: bool,
    /// How often the work tree was changed before it, by edits or by code that says nothing of itself.
    pub(in super::super) changes: u32,
}

/// A session: its steps in order.
#[derive(Debug)]
pub(in super::super) struct Timeline<'a> {
    /// Any segment of the session; all of them name the same person, project and assistant.
    pub(in super::super) work: &'a SegmentRef<'a>,
    pub(in super::super) steps: Vec<Step<'a>>,
}

impl<'a> Timeline<'a> {
    /// The sessions of these segments, which are in order of time; sessions are in the order of their ids.
    pub(in super::super) fn of(works: &'a [SegmentRef<'a>]) -> Vec<Self> {
        let mut by_session: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (at, work) in works.iter().enumerate() {
            let session = work.session;
            by_session.entry((&session.tenant, &session.session)).or_default().push(at);
        }
        by_session.into_values().filter_map(|places| Self::of_session(works, &places)).collect()
    }

    fn of_session(works: &'a [SegmentRef<'a>], places: &[usize]) -> Option<Self> {
        let first = works.get(*places.first()?)?;
        let mut steps = Vec::new();
        let (mut turns, mut changes) = (0_u32, 0_u32);
        for place in places {
            let Some(work) = works.get(*place) else { continue };
            let mut last = 0;
            for (turn, action) in work.segment.actions() {
                last = u32::try_from(turn).unwrap_or(u32::MAX);
                let of_turn = work.segment.turns.get(turn);
                let corrected = of_turn.is_some_and(|turn| turn.only_corrected);
                let is_rejected = corrected && action.outcome == Outcome::Rejected;
                let turn = turns.saturating_add(last);
                steps.push(Step { action, work: *place, turn, is_rejected, changes });
                changes += u32::from(changes_the_tree(action));
            }
            turns = turns.saturating_add(last).saturating_add(1);
        }
        Some(Self { work: first, steps })
    }

    /// The repository, `""` if unknown.
    pub(in super::super) fn project(&self) -> &'a str {
        &self.work.session.project
    }

    pub(in super::super) fn step(&self, at: usize) -> Option<&Step<'a>> {
        self.steps.get(at)
    }

    /// The first step of the call that a step stands in.
    pub(in super::super) fn call(&self, at: usize) -> usize {
        (0..at).rev().take_while(|earlier| self.is_one_call(*earlier, at)).last().unwrap_or(at)
    }

    /// Whether a step stands in a call of its own, or is the last of a chain in one call with an earlier one.
    pub(in super::super) fn is_one_call(&self, one: usize, other: usize) -> bool {
        let events = |at: usize| self.step(at).map(|step| &step.action.events);
        events(one).is_some() && events(one) == events(other)
    }

    /// The steps, as evidence of what they show; a place that no step has is left out.
    pub(in super::super) fn evidence(
        &self,
        works: &[SegmentRef<'_>],
        steps: &[usize],
        outcome: Outcome,
    ) -> Option<Evidence> {
        let cited: Vec<&Step<'_>> = steps.iter().filter_map(|at| self.step(*at)).collect();
        let work = works.get(cited.last()?.work)?;
        Some(work.evidence(cited.into_iter().map(|step| step.action), outcome))
    }
}
