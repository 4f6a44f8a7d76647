//! Candidates: claims that belong together, worded, guarded and judged.
//!
//! Fixes of one command that the same sessions show are one candidate. What a cluster's sessions ran
//! in common is a candidate of its own, unless a fix already says it.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Candidate, Claim, Scope, SupportedClaim, Wording};
use super::cluster;
use super::command::Command;
use super::guard;
use super::offline::Offline;
use super::propose::{self, Fix, Material, Proposer};
use super::score::{self, PublishRule, Shortfall};
use super::segment::{Segment, claimable};
use super::template::Template;
use super::verify::{self, Work};

/// How many shared words a trigger names at most.
const TRIGGER_WORDS: usize = 6;

/// Everything that candidates of one workspace are made from.
pub(super) struct Workspace<'a> {
    pub(super) name: &'a str,
    /// Oldest first.
    pub(super) works: &'a [Work<'a>],
    /// Where the segment of an id stands in `works`.
    pub(super) by_segment: BTreeMap<&'a str, usize>,
    pub(super) known_people: usize,
    pub(super) rule: PublishRule,
    pub(super) proposer: &'a dyn Proposer,
}

/// A Fix with its evidence.
struct Found {
    fix: Fix,
    claim: SupportedClaim,
}

/// A candidate before it is worded and judged.
struct Draft {
    claims: Vec<SupportedClaim>,
    dropped: Vec<String>,
    shortfalls: Vec<Shortfall>,
}

impl Workspace<'_> {
    /// Every candidate, published ones first.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let fixes: Vec<Candidate> = self.fixes().into_iter().map(|draft| self.finish(draft)).collect();
        let procedures = self.procedures(&fixes);
        let mut candidates = fixes;
        candidates.extend(procedures.into_iter().map(|draft| self.finish(draft)));
        candidates.sort_by(|a, b| order(a).cmp(&order(b)));
        candidates
    }

    fn fixes(&self) -> Vec<Draft> {
        let mut having: BTreeMap<String, Vec<&Work<'_>>> = BTreeMap::new();
        for work in self.works {
            let commands = work.segment.actions().filter_map(|(_, action)| claimable(action));
            for token in commands.map(Command::token).collect::<BTreeSet<_>>() {
                having.entry(token).or_default().push(work);
            }
        }
        let mut by_command: BTreeMap<Template, Vec<Found>> = BTreeMap::new();
        for fix in propose::fixes(self.works) {
            let works = having.get(&fix.repair_token).into_iter().flatten().copied();
            let claim = verify::support(&fix.claim, works);
            by_command.entry(fix.command.clone()).or_default().push(Found { fix, claim });
        }
        by_command.into_values().flat_map(|found| self.fixes_of_one_command(found)).collect()
    }

    /// Joins repairs that the same sessions needed; leaves out what chance put beside them.
    fn fixes_of_one_command(&self, mut found: Vec<Found>) -> Vec<Draft> {
        found.sort_by(|a, b| {
            b.claim
                .sessions()
                .len()
                .cmp(&a.claim.sessions().len())
                .then_with(|| a.fix.claim.cmp(&b.fix.claim))
        });
        let mut drafts: Vec<Draft> = Vec::new();
        for Found { fix, claim } in found {
            let shortfalls = score::shortfalls(&claim, self.rule, self.known_people);
            let leader =
                drafts.iter_mut().find(|draft| draft.shortfalls.is_empty() && overlaps(draft, &claim));
            match leader {
                Some(leader) if shortfalls.is_empty() => leader.claims.push(claim),
                Some(leader) => leader.dropped.push(reason(&fix.claim, &shortfalls)),
                None => drafts.push(Draft { claims: vec![claim], dropped: Vec::new(), shortfalls }),
            }
        }
        for draft in &mut drafts {
            draft.claims.sort_by_cached_key(|claim| self.place(claim));
        }
        drafts
    }

    /// Where the repair of a claim stands among the commands of its oldest evidence.
    fn place(&self, claim: &SupportedClaim) -> (usize, String) {
        let position = || {
            let oldest = claim.support.first()?;
            let work = self.work(&oldest.segment)?;
            let repair = claim.claim.templates().first().copied()?.clone();
            let runs = |command| repair.matches(command);
            work.segment.actions().position(|(_, action)| claimable(action).is_some_and(runs))
        };
        (position().unwrap_or(usize::MAX), claim.claim.to_string())
    }

    /// The segment of this id.
    fn work(&self, segment: &str) -> Option<&Work<'_>> {
        self.by_segment.get(segment).and_then(|at| self.works.get(*at))
    }

    /// What each cluster's sessions ran in common.
    fn procedures(&self, fixes: &[Candidate]) -> Vec<Draft> {
        let segments: Vec<&Segment<'_>> = self.works.iter().map(|work| &work.segment).collect();
        let mut seen: BTreeSet<Vec<Claim>> = BTreeSet::new();
        let mut drafts = Vec::new();
        for members in cluster::clusters(&segments) {
            let works: Vec<&Work<'_>> = members.iter().filter_map(|member| self.works.get(*member)).collect();
            let runs = propose::runs(&works);
            if !is_a_procedure(&runs, &works) || !seen.insert(runs.clone()) {
                continue;
            }
            let draft = self.procedure(&runs, &works);
            if !is_said_by(&draft.claims, fixes) {
                drafts.push(draft);
            }
        }
        drafts
    }

    /// Judges the steps of a procedure one by one by its cluster's evidence.
    fn procedure(&self, runs: &[Claim], works: &[&Work<'_>]) -> Draft {
        let judged: Vec<(SupportedClaim, Vec<Shortfall>)> = runs
            .iter()
            .map(|run| verify::support(run, works.iter().copied()))
            .map(|claim| (score::shortfalls(&claim, self.rule, self.known_people), claim))
            .map(|(lacking, claim)| (claim, lacking))
            .collect();
        let (kept, left): (Vec<_>, Vec<_>) = judged.into_iter().partition(|(_, lacking)| lacking.is_empty());
        if kept.len() < 2 {
            let shortfalls = left.first().map(|(_, lacking)| lacking.clone()).unwrap_or_default();
            let claims = kept.into_iter().chain(left).map(|(claim, _)| claim).collect();
            return Draft { claims, dropped: Vec::new(), shortfalls };
        }
        let dropped = left.iter().map(|(claim, lacking)| reason(&claim.claim, lacking)).collect();
        Draft { claims: kept.into_iter().map(|(claim, _)| claim).collect(), dropped, shortfalls: Vec::new() }
    }

    /// Words and guards a draft.
    fn finish(&self, draft: Draft) -> Candidate {
        let Draft { claims, dropped, mut shortfalls } = draft;
        let words = self.shared(&claims, |work| work.segment.words());
        let signatures = self.shared(&claims, signatures);
        let words: Vec<String> =
            words.into_iter().filter(|word| guard::objection(word).is_none()).take(TRIGGER_WORDS).collect();
        let material = Material { claims: &claims, words: &words, signatures: &signatures };
        let is_procedure = claims.iter().all(|claim| matches!(claim.claim, Claim::Run(_)));
        if is_procedure && words.is_empty() {
            shortfalls.push(Shortfall::NoTrigger);
        }
        let wording = self.proposer.word(&material);
        let sound = verify::says_only_its_claims(&wording, &claims) && objection(&wording).is_none();
        let wording = if sound { wording } else { Offline.word(&material) };
        if let Some(reason) = objection(&wording) {
            shortfalls.push(Shortfall::Guarded(reason.to_owned()));
        }
        let mut candidate = Candidate {
            workspace: self.name.to_owned(),
            scope: Scope::Workspace,
            wording,
            claims,
            dropped,
            shortfalls,
        };
        candidate.scope = self.scope(&candidate);
        if candidate.shortfalls.iter().any(|shortfall| matches!(shortfall, Shortfall::Guarded(_))) {
            censor(&mut candidate);
        }
        candidate
    }

    /// What the supporting segments of at least two sessions share, in the order of the oldest.
    fn shared(&self, claims: &[SupportedClaim], of: impl Fn(&Work<'_>) -> Vec<String>) -> Vec<String> {
        let support = claims.iter().flat_map(|claim| &claim.support);
        let supporting: BTreeSet<usize> =
            support.filter_map(|evidence| self.by_segment.get(evidence.segment.as_str()).copied()).collect();
        let mut sessions: BTreeMap<String, BTreeSet<(&str, &str)>> = BTreeMap::new();
        let mut order: Vec<String> = Vec::new();
        for work in supporting.into_iter().filter_map(|at| self.works.get(at)) {
            for item in of(work) {
                let session = work.segment.session;
                let known = sessions.entry(item.clone()).or_default();
                if known.is_empty() {
                    order.push(item);
                }
                known.insert((session.tenant.as_str(), session.id.as_str()));
            }
        }
        order.retain(|item| sessions.get(item).is_some_and(|sessions| sessions.len() >= 2));
        order
    }

    fn scope(&self, candidate: &Candidate) -> Scope {
        let people = candidate.people();
        if let (true, [person]) =
            (self.known_people > 1, people.iter().copied().collect::<Vec<_>>().as_slice())
        {
            return Scope::Person((*person).to_owned());
        }
        let evidence = candidate.evidence();
        let projects: BTreeSet<&str> = evidence.iter().map(|evidence| evidence.project.as_str()).collect();
        match projects.iter().copied().collect::<Vec<_>>().as_slice() {
            [project] if !project.is_empty() => Scope::Project((*project).to_owned()),
            _ => Scope::Workspace,
        }
    }
}

fn order(candidate: &Candidate) -> (bool, &str, Vec<String>) {
    let claims = candidate.claims.iter().map(|claim| claim.claim.to_string()).collect();
    (!candidate.is_published(), &candidate.wording.name, claims)
}

/// Whether half of the sessions of the smaller side are on the other side as well.
fn overlaps(draft: &Draft, claim: &SupportedClaim) -> bool {
    let theirs = claim.sessions();
    draft.claims.iter().any(|leader| {
        let ours = leader.sessions();
        let smaller = ours.len().min(theirs.len());
        smaller > 0 && ours.intersection(&theirs).count() * 2 >= smaller
    })
}

/// A procedure says something: two commands at least, of which one belongs to this work alone.
fn is_a_procedure(runs: &[Claim], works: &[&Work<'_>]) -> bool {
    let telling = |claim: &&Claim| {
        let Some(template) = claim.templates().pop() else { return false };
        let mut commands =
            works.iter().flat_map(|work| work.segment.actions()).filter_map(|(_, action)| claimable(action));
        commands
            .find(|command| template.matches(command))
            .is_some_and(|command| !command.is_check() && !command.is_version_control())
    };
    runs.len() >= 2 && runs.iter().any(|claim| telling(&claim))
}

/// Whether fixes speak of all of these commands: the published ones together, or one that is held.
fn is_said_by(runs: &[SupportedClaim], fixes: &[Candidate]) -> bool {
    let ran = commands_of(runs);
    let (published, held): (Vec<_>, Vec<_>) = fixes.iter().partition(|candidate| candidate.is_published());
    let said = published.iter().flat_map(|candidate| commands_of(&candidate.claims)).collect();
    ran.is_subset(&said) || held.iter().any(|candidate| ran.is_subset(&commands_of(&candidate.claims)))
}

fn commands_of(claims: &[SupportedClaim]) -> BTreeSet<String> {
    claims.iter().flat_map(|claim| claim.claim.templates()).map(ToString::to_string).collect()
}

fn reason(claim: &Claim, shortfalls: &[Shortfall]) -> String {
    let reasons: Vec<String> = shortfalls.iter().map(ToString::to_string).collect();
    format!("{claim}: {}", reasons.join("; "))
}

fn signatures(work: &Work<'_>) -> Vec<String> {
    work.segment.actions().filter_map(|(_, action)| action.signature.clone()).collect()
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
