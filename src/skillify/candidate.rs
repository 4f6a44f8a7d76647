//! Candidates: claims that belong together, worded, guarded and judged.
//!
//! Fixes of one command that the same sessions show are one candidate. What a cluster's sessions ran
//! in common ([`super::procedure`]) is a candidate of its own, unless a fix already says it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Idea;
use super::action::Action;
use super::chance::Background;
use super::claim::{Candidate, Claim, Evidence, Scope, SupportedClaim, Wording};
use super::fixes;
use super::guard;
use super::index::Index;
use super::instead;
use super::offline::Offline;
use super::propose::{self, Material, Proposer};
use super::score::{self, PublishRule, Shortfall};
use super::steps::Member;
use super::terms::{Term, Terms};
use super::vectors::Vectors;
use super::verify::{self, Work};
use crate::event::Timestamp;

/// Everything that candidates of one workspace are made from.
pub(super) struct Workspace<'a> {
    pub(super) name: &'a str,
    /// Oldest first.
    pub(super) works: &'a [Work<'a>],
    /// When each of them started.
    pub(super) started_at: Vec<Timestamp>,
    pub(super) known_people: usize,
    pub(super) rule: PublishRule,
    pub(super) without: Option<Idea>,
    /// How near words are in meaning, where that is known.
    pub(super) vectors: Option<&'a Vectors>,
    pub(super) proposer: &'a dyn Proposer,
    pub(super) background: &'a Background,
    pub(super) terms: &'a Terms,
    pub(super) index: Index<'a>,
    pub(super) as_of: Timestamp,
}

/// A candidate before it is worded and judged.
pub(super) struct Draft {
    pub(super) claims: Vec<SupportedClaim>,
    pub(super) dropped: Vec<String>,
    pub(super) shortfalls: Vec<Shortfall>,
}

impl Draft {
    /// Whether it tells to run the same as this claim, each instead of something.
    fn says_instead(&self, claim: &Claim) -> bool {
        let first = self.claims.first().map(|claim| &claim.claim);
        let same = match (first, claim) {
            (Some(Claim::Instead { run, .. }), Claim::Instead { run: other, .. }) => run == other,
            _ => false,
        };
        same && self.shortfalls.is_empty()
    }
}

impl Workspace<'_> {
    /// Every candidate, published ones first, and what became of each cluster, a line each.
    pub(super) fn candidates(&self) -> (Vec<Candidate>, Vec<String>) {
        let drafts = fixes::drafts(self).into_iter().chain(self.choices());
        let mut candidates: Vec<Candidate> = drafts.map(|draft| self.finish(draft)).collect();
        let (procedures, clusters) = self.procedures(&candidates);
        candidates.extend(procedures.into_iter().map(|draft| self.finish(draft)));
        candidates.sort_by_cached_key(order);
        (candidates, clusters)
    }

    /// One command instead of another: because people said so, or because the other cannot work.
    fn choices(&self) -> Vec<Draft> {
        let mut preferences = propose::preferences(self.works);
        if self.without == Some(Idea::Preferences) {
            preferences.clear();
        }
        let choices = preferences.into_iter().chain(instead::instead(self.works));
        let mut drafts: Vec<Draft> = Vec::new();
        for claim in choices {
            let claim = self.support(&claim);
            let shortfalls = score::shortfalls(&claim, self.rule, self.known_people);
            let same = |draft: &&mut Draft| shortfalls.is_empty() && draft.says_instead(&claim.claim);
            match drafts.iter_mut().find(same) {
                Some(draft) => draft.claims.push(claim),
                None => drafts.push(Draft { claims: vec![claim], dropped: Vec::new(), shortfalls }),
            }
        }
        for draft in &mut drafts {
            draft
                .claims
                .sort_by_cached_key(|claim| (Reverse(claim.sessions().len()), claim.claim.to_string()));
        }
        drafts
    }

    /// What the whole workspace shows of a claim.
    pub(super) fn support(&self, claim: &Claim) -> SupportedClaim {
        let works = self.index.that_may_show(claim).into_iter().filter_map(|at| self.works.get(at));
        verify::support(claim, works)
    }

    /// Where the segment that is evidence stands among the works.
    pub(super) fn at(&self, evidence: &Evidence) -> Option<usize> {
        let first = self.started_at.partition_point(|started_at| *started_at < evidence.started_at);
        let at_that_time = self.works.iter().enumerate().skip(first);
        let mut at_that_time =
            at_that_time.take_while(|(_, work)| work.segment.started_at == evidence.started_at);
        at_that_time.find(|(_, work)| work.segment.id == evidence.segment).map(|(at, _)| at)
    }

    /// The segment at a place, with its terms.
    pub(super) fn member(&self, at: usize) -> Option<Member<'_, '_>> {
        self.works.get(at).zip(self.terms.works().get(at))
    }

    /// Words and guards a draft.
    fn finish(&self, draft: Draft) -> Candidate {
        let Draft { claims, dropped, mut shortfalls } = draft;
        let supporting = self.supporting(&claims);
        let (mut verbs, mut words) = self.trigger(&claims, &supporting);
        let signatures = shared(&supporting, |(work, _)| signatures(work, &claims));
        let signatures: Vec<String> = signatures.into_iter().map(str::to_owned).collect();
        let names_a_command = claims.iter().any(|claim| claim.claim.names_a_command());
        if self.without == Some(Idea::Triggers) {
            verbs.clear();
            words.clear();
        } else if !names_a_command && verbs.is_empty() && words.is_empty() {
            shortfalls.push(Shortfall::NoTrigger);
        }
        let material = Material { claims: &claims, verbs: &verbs, words: &words, signatures: &signatures };
        let wording = self.proposer.word(&material);
        let sound = verify::says_only_its_claims(&wording, &claims) && objection(&wording).is_none();
        let (wording, found) = if sound {
            (wording, None)
        } else {
            let offline = Offline.word(&material);
            let found = objection(&offline);
            (offline, found)
        };
        let dropped: Vec<String> =
            dropped.into_iter().filter(|reason| guard::objection(reason).is_none()).collect();
        shortfalls.extend(found.map(|found| Shortfall::Guarded(found.to_owned())));
        let mut candidate = Candidate {
            workspace: self.name.to_owned(),
            scope: Scope::Workspace,
            wording,
            claims,
            dropped,
            rank: 0,
            shortfalls,
        };
        candidate.scope = self.scope(&candidate);
        candidate.rank = score::rank(&candidate, self.as_of);
        if candidate.shortfalls.iter().any(|shortfall| matches!(shortfall, Shortfall::Guarded(_))) {
            censor(&mut candidate);
        }
        candidate
    }

    /// The segments that support any of the claims, oldest first.
    fn supporting(&self, claims: &[SupportedClaim]) -> Vec<Member<'_, '_>> {
        let support = claims.iter().flat_map(|claim| &claim.support);
        let mut at: Vec<usize> = support.filter_map(|evidence| self.at(evidence)).collect();
        at.sort_unstable();
        at.dedup();
        at.into_iter().filter_map(|at| self.member(at)).collect()
    }

    fn scope(&self, candidate: &Candidate) -> Scope {
        let people = candidate.people();
        if let (true, [person]) =
            (self.known_people > 1, people.iter().copied().collect::<Vec<_>>().as_slice())
        {
            return Scope::Person((*person).to_owned());
        }
        let support = candidate.claims.iter().flat_map(|claim| &claim.support);
        let projects: BTreeSet<&str> = support.map(|evidence| evidence.project.as_str()).collect();
        match projects.iter().copied().collect::<Vec<_>>().as_slice() {
            [project] if !project.is_empty() => Scope::Project((*project).to_owned()),
            _ => Scope::Workspace,
        }
    }
}

/// How many segments have each word of prompts.
pub(super) fn shown_by(members: &[Member<'_, '_>]) -> BTreeMap<Term, usize> {
    let mut shown_by: BTreeMap<Term, usize> = BTreeMap::new();
    for word in members.iter().flat_map(|(_, terms)| &terms.words) {
        *shown_by.entry(*word).or_default() += 1;
    }
    shown_by
}

/// What segments of at least two sessions share, in the order of the oldest.
pub(super) fn shared<'m, 'a, T: Ord + Copy>(
    members: &[Member<'m, 'a>],
    of: impl Fn(&Member<'m, 'a>) -> Vec<T>,
) -> Vec<T> {
    // Of each its first session, whether there is another, and its place.
    let mut seen: BTreeMap<T, (u32, bool, usize)> = BTreeMap::new();
    for member in members {
        let session = member.1.session;
        for item in of(member) {
            let place = seen.len();
            let (first, recurs, _) = seen.entry(item).or_insert((session, false, place));
            *recurs |= *first != session;
        }
    }
    let recurring = seen.into_iter().filter(|(_, (_, recurs, _))| *recurs);
    let mut shared: Vec<(usize, T)> = recurring.map(|(item, (.., place))| (place, item)).collect();
    shared.sort_unstable();
    shared.into_iter().map(|(_, item)| item).collect()
}

/// Published ones first, then by worth, then by name.
fn order(candidate: &Candidate) -> (bool, Reverse<u32>, String, Vec<String>) {
    let claims = candidate.claims.iter().map(|claim| claim.claim.to_string()).collect();
    (!candidate.is_published(), Reverse(candidate.rank), candidate.wording.name.clone(), claims)
}

/// Why a claim is left out.
pub(super) fn reason(claim: &Claim, shortfalls: &[Shortfall]) -> String {
    let reasons: Vec<String> = shortfalls.iter().map(ToString::to_string).collect();
    format!("{claim}: {}", reasons.join("; "))
}

/// How the commands that the claims say fail do fail.
fn signatures<'w>(work: &'w Work<'_>, claims: &[SupportedClaim]) -> Vec<&'w str> {
    let failing = |action: &Action| {
        claims.iter().any(|claim| match &claim.claim {
            Claim::Fix { command: failed, .. } => verify::is_try_of(action, failed),
            Claim::Instead { failed, .. } => verify::is_run_of(action, failed),
            _ => false,
        })
    };
    let actions = work.segment.actions().filter(|(_, action)| failing(action));
    actions.filter_map(|(_, action)| action.signature.as_deref()).collect()
}

fn objection(wording: &Wording) -> Option<&'static str> {
    if wording.name.is_empty() || wording.description.chars().count() > 1024 {
        return Some("a text that does not fit the format");
    }
    if wording.description.contains(['<', '>']) {
        return Some("angle brackets");
    }
    if verify::texts(wording).any(guard::names_a_host) {
        return Some("a host");
    }
    verify::texts(wording).find_map(guard::objection)
}

/// Takes what the guard found out of what people are shown.
fn censor(candidate: &mut Candidate) {
    candidate.claims.retain(|claim| guard::objection(&claim.claim.to_string()).is_none());
    candidate.dropped.retain(|reason| guard::objection(reason).is_none());
    candidate.wording = Wording {
        name: "guarded".to_owned(),
        title: "Guarded".to_owned(),
        description: "Withheld by the guard.".to_owned(),
        when_to_use: Vec::new(),
        steps: Vec::new(),
        if_it_fails: Vec::new(),
        avoid: Vec::new(),
    };
}
