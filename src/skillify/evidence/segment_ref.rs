//! A segment beside what is known of its session, and what it shows of a claim.

use super::super::claim::Evidence;
use super::super::digest::{Digest, SegmentDigest};
use super::super::session::action::Action;
use super::super::session::outcome::Outcome;

/// What one segment shows of a claim.
pub(in crate::skillify) struct Shown<'w> {
    pub(in crate::skillify) outcome: Outcome,
    /// The actions whose events show it.
    pub(in crate::skillify) cited: [Option<&'w Action>; 3],
}

impl<'w> Shown<'w> {
    pub(in crate::skillify) fn by(action: &'w Action, outcome: Outcome) -> Self {
        Self { outcome, cited: [Some(action), None, None] }
    }
}

/// A segment of a session.
#[derive(Debug, Clone, Copy)]
pub(in crate::skillify) struct SegmentRef<'a> {
    pub(in crate::skillify) session: &'a Digest,
    /// Who did it, as people are counted; `""` for nobody.
    pub(in crate::skillify) person: &'a str,
    /// Whether a credential says so.
    pub(in crate::skillify) by_credential: bool,
    pub(in crate::skillify) segment: &'a SegmentDigest,
}

impl SegmentRef<'_> {
    /// The segment as evidence, shown by these actions.
    pub(in crate::skillify) fn evidence<'e>(
        &self,
        cited: impl IntoIterator<Item = &'e Action>,
        outcome: Outcome,
    ) -> Evidence {
        self.evidence_of(cited.into_iter().flat_map(|action| action.events.to_vec()).collect(), outcome)
    }

    /// The segment as evidence, shown by these events.
    pub(in crate::skillify) fn evidence_of(&self, mut events: Vec<String>, outcome: Outcome) -> Evidence {
        events.sort();
        events.dedup();
        let session = self.session;
        Evidence {
            started_at: self.segment.started_at,
            segment: self.segment.id.clone(),
            tenant: session.tenant.clone(),
            session: session.session.clone(),
            events,
            assistant: session.assistant.clone(),
            project: session.project.clone(),
            person: self.person.to_owned(),
            by_credential: self.by_credential,
            outcome,
        }
    }
}

pub(in crate::skillify) fn session_of<'a>(work: &SegmentRef<'a>) -> (&'a str, &'a str) {
    (work.session.tenant.as_str(), work.session.session.as_str())
}
