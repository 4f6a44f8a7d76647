//! Rules that people stated, in their own words.
//!
//! This is only for people who may read the sessions. It is read from the table each time, so it disappears with the
//! session, and nothing of it is written anywhere.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::event::visible_line;
use crate::skillify::{Candidate, Claim, Evidence, Mined, Quotation, quotations};
use crate::table::Session;

/// So many sentences of a rule are shown.
const MOST: usize = 12;

/// The sessions, by tenant and id.
pub(super) struct Said<'s> {
    sessions: BTreeMap<(&'s str, &'s str), &'s Session>,
}

/// Whether any candidate is a rule.
pub(super) fn states_rules(mined: &Mined) -> bool {
    mined.candidates.iter().any(|candidate| rule(candidate).is_some())
}

fn rule(candidate: &Candidate) -> Option<&Claim> {
    candidate.claims.iter().map(|claim| &claim.claim).find(|claim| matches!(claim, Claim::Rule { .. }))
}

impl<'s> Said<'s> {
    pub(super) fn of(sessions: impl IntoIterator<Item = &'s Session>) -> Self {
        let sessions = sessions.into_iter();
        Self { sessions: sessions.map(|one| ((one.tenant.as_str(), one.id.as_str()), one)).collect() }
    }

    /// The rules of a workspace, each with the sentences that state it.
    pub(super) fn of_mined(&self, mined: &Mined) -> String {
        let mut text = String::new();
        for candidate in &mined.candidates {
            let Some(claim) = rule(candidate) else { continue };
            let asked = if candidate.is_proposed() { "waits for a person" } else { "not proposed" };
            let scope = candidate.scope.as_str();
            let _ = writeln!(text, "rule: {} ({scope}; {asked})", visible_line(&claim.told()));
            let evidence = candidate.claims.iter().flat_map(|claim| &claim.support);
            let mut said: Vec<(Quotation, &Evidence)> =
                evidence.flat_map(|evidence| self.of_evidence(evidence, claim)).collect();
            said.sort_by(|a, b| (a.0.at, &a.0.sentence).cmp(&(b.0.at, &b.0.sentence)));
            said.dedup_by(|a, b| a.0 == b.0);
            for (quotation, evidence) in said.iter().take(MOST) {
                let person = if evidence.person.is_empty() { "unknown" } else { &evidence.person };
                let line = format!("{} {person}: {}", quotation.at.date(), quotation.sentence);
                let _ = writeln!(text, "  said {}", visible_line(&line));
            }
        }
        text
    }

    fn of_evidence<'e>(&self, evidence: &'e Evidence, claim: &Claim) -> Vec<(Quotation, &'e Evidence)> {
        let session = self.sessions.get(&(evidence.tenant.as_str(), evidence.session.as_str()));
        let said = session.map(|session| quotations(session, claim)).unwrap_or_default();
        said.into_iter().map(|quotation| (quotation, evidence)).collect()
    }
}
