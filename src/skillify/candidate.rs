//! Candidates: claims that belong together, worded, guarded and judged.
//!
//! Fixes of one command that the same sessions show are one candidate. What a cluster's sessions ran
//! in common is a candidate of its own, unless a fix already says it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Idea;
use super::action::Action;
use super::chance::Background;
use super::claim::{Candidate, Claim, Scope, SupportedClaim, Wording};
use super::cluster;
use super::guard;
use super::index::Index;
use super::instead;
use super::offline::Offline;
use super::propose::{self, Fix, Material, Proposer};
use super::said::Said;
use super::score::{self, PublishRule, Shortfall};
use super::steps::{self, Step};
use super::template::Template;
use super::terms::{self, Terms};
use super::vectors::Vectors;
use super::verify::{self, Work};
use crate::event::Timestamp;

/// How many shared words a trigger names at most.
const TRIGGER_WORDS: usize = 8;

/// Everything that candidates of one workspace are made from.
pub(super) struct Workspace<'a> {
    pub(super) name: &'a str,
    /// Oldest first.
    pub(super) works: &'a [Work<'a>],
    /// Where the segment of an id stands in `works`.
    pub(super) by_segment: BTreeMap<&'a str, usize>,
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
        let drafts = self.fixes().into_iter().chain(self.choices());
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

    fn fixes(&self) -> Vec<Draft> {
        let mut by_command: BTreeMap<Template, Vec<Found>> = BTreeMap::new();
        for fix in propose::fixes(self.works) {
            let claim = self.support(&fix.claim);
            by_command.entry(fix.command.clone()).or_default().push(Found { fix, claim });
        }
        by_command.into_values().flat_map(|found| self.fixes_of_one_command(found)).collect()
    }

    /// What the whole workspace shows of a claim.
    fn support(&self, claim: &Claim) -> SupportedClaim {
        let works = self.index.that_may_show(claim).into_iter().filter_map(|at| self.works.get(at));
        verify::support(claim, works)
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
            work.segment.actions().position(|(_, action)| action.command().is_some_and(runs))
        };
        (position().unwrap_or(usize::MAX), claim.claim.to_string())
    }

    /// The segment of this id.
    fn work(&self, segment: &str) -> Option<&Work<'_>> {
        self.by_segment.get(segment).and_then(|at| self.works.get(*at))
    }

    /// What each cluster's sessions did in common, and what became of each cluster.
    fn procedures(&self, others: &[Candidate]) -> (Vec<Draft>, Vec<String>) {
        let said = Said::by(others);
        let mut seen: BTreeSet<Vec<Claim>> = BTreeSet::new();
        let mut drafts = Vec::new();
        let mut explained = Vec::new();
        for members in cluster::clusters(self.works, self.terms, self.vectors, self.without)
            .into_iter()
            .filter(|members| members.len() > 1)
        {
            let works: Vec<&Work<'_>> = members.iter().filter_map(|member| self.works.get(*member)).collect();
            let steps = steps::steps(&works, self.background, self.without);
            let claims: Vec<Claim> = steps.iter().map(|step| step.claim.clone()).collect();
            let verdict = if !is_a_procedure(&claims, &works) {
                "too little in common that belongs to this work alone"
            } else if !seen.insert(claims) {
                "the same steps as another cluster"
            } else {
                let draft = self.procedure(steps, &works);
                let runs = draft.claims.iter().filter(|claim| matches!(claim.claim, Claim::Run(_)));
                let telling = runs.filter(|claim| tells(&claim.claim, &works));
                if said.has(telling) {
                    "other candidates say it"
                } else {
                    drafts.push(draft);
                    "a candidate"
                }
            };
            explained.push(explanation(&works, verdict));
        }
        (drafts, explained)
    }

    /// Judges the steps of a procedure one by one by its cluster's evidence.
    fn procedure(&self, steps: Vec<Step>, works: &[&Work<'_>]) -> Draft {
        let chance = self.without != Some(Idea::Chance) && self.is_chance(&steps, works);
        let judge = |claim: &Claim| {
            let claim = verify::support(claim, works.iter().copied());
            let lacking = score::shortfalls(&claim, self.rule, self.known_people);
            (claim, lacking)
        };
        let judged = steps.iter().map(|step| judge(&step.claim));
        let (kept, left): (Vec<_>, Vec<_>) = judged.partition(|(_, lacking)| lacking.is_empty());
        // A step that must not be published is left out; the others are still worth saying.
        let (guarded, kept): (Vec<_>, Vec<_>) =
            kept.into_iter().partition(|(claim, _)| guard::objection_to_claim(&claim.claim).is_some());
        let claims: Vec<Claim> = kept.iter().map(|(claim, _)| claim.claim.clone()).collect();
        if !is_a_procedure(&claims, works) {
            let found = guarded.iter().find_map(|(claim, _)| guard::objection_to_claim(&claim.claim));
            let shortfalls = match (found, left.first()) {
                (Some(found), _) => vec![Shortfall::Guarded(found.to_owned())],
                (None, Some((_, lacking))) => lacking.clone(),
                (None, None) => vec![Shortfall::Trivial],
            };
            let claims = kept.into_iter().chain(left).map(|(claim, _)| claim).collect();
            return Draft { claims, dropped: Vec::new(), shortfalls };
        }
        let (avoided, unclear): (Vec<_>, Vec<_>) =
            propose::avoidances(works).iter().map(judge).partition(|(_, lacking)| lacking.is_empty());
        let mut dropped: Vec<String> =
            left.iter().chain(&unclear).map(|(claim, lacking)| reason(&claim.claim, lacking)).collect();
        dropped.extend(
            guarded
                .iter()
                .filter_map(|(claim, _)| guard::objection_to_claim(&claim.claim))
                .map(|found| format!("a step: the guard found {found}")),
        );
        let claims = kept.into_iter().chain(avoided).map(|(claim, _)| claim).collect();
        let shortfalls = if chance { vec![Shortfall::Chance] } else { Vec::new() };
        Draft { claims, dropped, shortfalls }
    }

    /// Whether a workspace of this size holds segments that share as much by accident.
    fn is_chance(&self, steps: &[Step], works: &[&Work<'_>]) -> bool {
        let mut words: BTreeMap<String, usize> = BTreeMap::new();
        for word in works.iter().flat_map(|work| &work.segment.words) {
            *words.entry(word.clone()).or_default() += 1;
        }
        let said = words.iter().filter(|(_, shown)| **shown >= 2).map(|(word, shown)| {
            self.background.surprise(&terms::word_key(word), *shown, works.len()).max(0.0)
        });
        let done = steps.iter().map(|step| step.surprise.max(0.0));
        done.chain(said).sum::<f64>() <= self.background.cost(works.len())
    }

    /// Words and guards a draft.
    fn finish(&self, draft: Draft) -> Candidate {
        let Draft { claims, dropped, mut shortfalls } = draft;
        let (mut verbs, mut words) = self.trigger(&claims);
        let signatures = self.shared(&claims, |work| signatures(work, &claims));
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
        let wording = if sound { wording } else { Offline.word(&material) };
        let dropped: Vec<String> =
            dropped.into_iter().filter(|reason| guard::objection(reason).is_none()).collect();
        if let Some(reason) = objection(&wording) {
            shortfalls.push(Shortfall::Guarded(reason.to_owned()));
        }
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

    /// The words that tell this work from others, the most telling ones: what people call the doing,
    /// and what they do it to.
    fn trigger(&self, claims: &[SupportedClaim]) -> (Vec<String>, Vec<String>) {
        let supporting = self.supporting(claims);
        let words = self.shared(claims, |work| work.segment.words.clone());
        // Where a command says when to use a skill, only what most people say adds to it.
        let names_a_command = claims.iter().any(|claim| claim.claim.names_a_command());
        let order = words.clone();
        let mut shown_by: BTreeMap<&str, usize> = BTreeMap::new();
        for word in supporting.iter().flat_map(|work| &work.segment.words) {
            *shown_by.entry(word).or_default() += 1;
        }
        let mut weighed: Vec<(f64, String)> = Vec::new();
        for word in words.into_iter().filter(|word| guard::objection(word).is_none()) {
            let shown = shown_by.get(word.as_str()).copied().unwrap_or_default();
            let key = terms::word_key(&word);
            if !self.background.tells_apart(&key, shown, supporting.len()) {
                continue; // the words of an issue's form, say
            }
            let surprise = self.background.surprise(&key, shown, supporting.len());
            let enough =
                if names_a_command { shown * 2 > supporting.len() } else { shown * 4 >= supporting.len() };
            if enough && (surprise > 0.0 || shown * 2 > supporting.len()) {
                weighed.push((surprise, word));
            }
        }
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        weighed.truncate(TRIGGER_WORDS);
        let place = |word: &String| order.iter().position(|other| other == word);
        weighed.sort_by_key(|(_, word)| place(word));
        let opens = |word: &String| {
            let having = supporting.iter().filter(|work| work.segment.words.contains(word)).count();
            let opening = supporting.iter().filter(|work| work.segment.words.first() == Some(word)).count();
            opening * 2 > having
        };
        weighed.into_iter().map(|(_, word)| word).partition(opens)
    }

    /// The segments that support any of the claims, oldest first.
    fn supporting(&self, claims: &[SupportedClaim]) -> Vec<&Work<'_>> {
        let support = claims.iter().flat_map(|claim| &claim.support);
        let at: BTreeSet<usize> =
            support.filter_map(|evidence| self.by_segment.get(evidence.segment.as_str()).copied()).collect();
        at.into_iter().filter_map(|at| self.works.get(at)).collect()
    }

    /// What the supporting segments of at least two sessions share, in the order of the oldest.
    fn shared(&self, claims: &[SupportedClaim], of: impl Fn(&Work<'_>) -> Vec<String>) -> Vec<String> {
        let mut sessions: BTreeMap<String, BTreeSet<(&str, &str)>> = BTreeMap::new();
        let mut order: Vec<String> = Vec::new();
        for work in self.supporting(claims) {
            for item in of(work) {
                let known = sessions.entry(item.clone()).or_default();
                if known.is_empty() {
                    order.push(item);
                }
                known.insert(steps::session_of(work));
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

/// Published ones first, then by worth, then by name.
fn order(candidate: &Candidate) -> (bool, Reverse<u32>, String, Vec<String>) {
    let claims = candidate.claims.iter().map(|claim| claim.claim.to_string()).collect();
    (!candidate.is_published(), Reverse(candidate.rank), candidate.wording.name.clone(), claims)
}

/// What became of a cluster, in one line.
fn explanation(works: &[&Work<'_>], verdict: &str) -> String {
    let sessions: BTreeSet<_> = works.iter().map(|work| steps::session_of(work)).collect();
    let people: BTreeSet<&str> = works.iter().map(|work| work.session.person.as_str()).collect();
    let segments: Vec<&str> = works.iter().map(|work| work.segment.id.as_str()).collect();
    format!(
        "cluster of {} segments, {} sessions, {} people: {verdict} ({})",
        works.len(),
        sessions.len(),
        people.len(),
        segments.join(" ")
    )
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

/// A procedure says something: two steps at least, of which one belongs to this work alone.
fn is_a_procedure(steps: &[Claim], works: &[&Work<'_>]) -> bool {
    steps.len() >= 2 && steps.iter().any(|step| tells(step, works))
}

/// Whether a step belongs to this work alone: no check, no everyday command, and no edit, for which
/// file is edited tells of the task at hand.
fn tells(step: &Claim, works: &[&Work<'_>]) -> bool {
    let Claim::Run(template) = step else { return false };
    let mut commands =
        works.iter().flat_map(|work| work.segment.actions()).filter_map(|(_, action)| action.command());
    commands
        .find(|command| template.matches(command))
        .is_some_and(|command| !command.is_check() && !command.is_everyday())
}

fn reason(claim: &Claim, shortfalls: &[Shortfall]) -> String {
    let reasons: Vec<String> = shortfalls.iter().map(ToString::to_string).collect();
    format!("{claim}: {}", reasons.join("; "))
}

/// How the commands that the claims say fail do fail.
fn signatures(work: &Work<'_>, claims: &[SupportedClaim]) -> Vec<String> {
    let failing = |action: &Action| {
        claims.iter().any(|claim| match &claim.claim {
            Claim::Fix { command: failed, .. } => verify::is_try_of(action, failed),
            Claim::Instead { failed, .. } => verify::is_run_of(action, failed),
            _ => false,
        })
    };
    let actions = work.segment.actions().filter(|(_, action)| failing(action));
    actions.filter_map(|(_, action)| action.signature.clone()).collect()
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
