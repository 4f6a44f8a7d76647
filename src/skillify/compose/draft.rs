//! Candidates before they are judged, and before anybody worded them.

use serde::{Deserialize, Serialize};

use super::super::adherence::Recently;
use super::super::claim::scope::Scope;
use super::super::claim::shortfall::{Shortfall, UNFIT};
use super::super::claim::topic::Topic;
use super::super::claim::{Claim, SupportedClaim};
use super::super::withheld_text;
use super::super::word::offline::Offline;
use super::super::word::propose::{Material, Proposer};
use super::super::word::wording::{self, Candidate, Wording};

/// A claim that does not stand, and what it lacks.
pub(in crate::skillify) type Held = (SupportedClaim, Vec<Shortfall>);

/// A candidate before it is judged as a whole.
pub(in crate::skillify) struct Draft {
    pub(in crate::skillify) topic: Topic,
    pub(in crate::skillify) claims: Vec<SupportedClaim>,
    pub(in crate::skillify) dropped: Vec<String>,
    pub(in crate::skillify) shortfalls: Vec<Shortfall>,
}

/// A candidate that is not worded yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::skillify) struct Unworded {
    pub(super) workspace: String,
    pub(super) scope: Scope,
    pub(in crate::skillify) material: Material,
    pub(super) dropped: Vec<String>,
    pub(super) recently: Vec<(Claim, Recently)>,
    pub(super) rank: u32,
    pub(in crate::skillify) shortfalls: Vec<Shortfall>,
}

impl Unworded {
    /// The candidate in the words of a proposer, or in the offline ones where those say too much.
    pub(in crate::skillify) fn worded(&self, proposer: &dyn Proposer) -> Candidate {
        let Self { workspace, scope, material, dropped, recently, rank, mut shortfalls } = self.clone();
        let wording = proposer.word(&material);
        let sound =
            wording::says_only_its_claims(&wording, &material.claims) && objection(&wording).is_none();
        let (wording, found) = if sound {
            (wording, None)
        } else {
            let offline = Offline.word(&material);
            let found = objection(&offline);
            (offline, found)
        };
        shortfalls.extend(found.map(|found| Shortfall::Guarded(found.to_owned())));
        let mut candidate = Candidate {
            workspace,
            scope,
            wording,
            claims: material.claims,
            dropped,
            recently,
            rank,
            page: None,
            shortfalls,
        };
        if candidate.shortfalls.iter().any(|shortfall| matches!(shortfall, Shortfall::Guarded(_))) {
            censor(&mut candidate);
        }
        candidate
    }
}

/// Removes texts that the guard found from what people are shown.
pub(super) fn censor(candidate: &mut Candidate) {
    candidate.claims.retain(|claim| withheld_text::objection(&claim.claim.to_string()).is_none());
    candidate.recently.clear();
    candidate.dropped.retain(|reason| withheld_text::objection(reason).is_none());
    candidate.wording = Wording {
        name: "guarded".to_owned(),
        title: "Guarded".to_owned(),
        description: "Withheld by the guard.".to_owned(),
        ..Wording::default()
    };
}

pub(super) fn objection(wording: &Wording) -> Option<&'static str> {
    if wording.name.is_empty() || wording.description.chars().count() > 1024 {
        return Some(UNFIT);
    }
    if wording.description.contains(['<', '>']) {
        return Some("angle brackets");
    }
    if wording::texts(wording).any(withheld_text::names_a_host) {
        return Some("a host");
    }
    wording::texts(wording).find_map(withheld_text::objection)
}
