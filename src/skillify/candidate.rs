//! Candidates: claims that belong together, worded, guarded and judged.
//!
//! Fixes of one command that the same sessions show are one candidate. What a cluster's sessions ran
//! in common is a candidate of its own, unless a fix already says it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Idea;
use super::action::Action;
use super::chance::Background;
use super::claim::{Candidate, Claim, Evidence, Scope, SupportedClaim, Wording};
use super::cluster;
use super::fixes;
use super::guard;
use super::index::Index;
use super::instead;
use super::offline::Offline;
use super::propose::{self, Material, Proposer};
use super::said::Said;
use super::score::{self, PublishRule, Shortfall};
use super::steps::{self, Member, Step};
use super::terms::{Term, Terms};
use super::trigger;
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
    fn member(&self, at: usize) -> Option<Member<'_, '_>> {
        self.works.get(at).zip(self.terms.works().get(at))
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
            let members: Vec<Member<'_, '_>> = members.iter().filter_map(|at| self.member(*at)).collect();
            let works: Vec<&Work<'_>> = members.iter().map(|(work, _)| *work).collect();
            let steps = steps::steps(&members, self.background, self.without);
            let claims: Vec<Claim> = steps.iter().map(|step| step.claim.clone()).collect();
            let verdict = if !is_a_procedure(&claims, &works) {
                "too little in common that belongs to this work alone"
            } else if !seen.insert(claims) {
                "the same steps as another cluster"
            } else {
                let draft = self.procedure(steps, &works, &members);
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
    fn procedure(&self, steps: Vec<Step>, works: &[&Work<'_>], members: &[Member<'_, '_>]) -> Draft {
        let chance = self.without != Some(Idea::Chance) && self.is_chance(&steps, members);
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
    fn is_chance(&self, steps: &[Step], members: &[Member<'_, '_>]) -> bool {
        let words = shown_by(members).into_iter().filter(|(_, shown)| *shown >= 2);
        let said = words.map(|(word, shown)| self.background.surprise(word, shown, members.len()).max(0.0));
        let done = steps.iter().map(|step| step.surprise.max(0.0));
        done.chain(said).sum::<f64>() <= self.background.cost(members.len())
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

    /// The words that tell this work from others, the most telling ones: what people call the doing,
    /// and what they do it to.
    fn trigger(
        &self,
        claims: &[SupportedClaim],
        supporting: &[Member<'_, '_>],
    ) -> (Vec<String>, Vec<String>) {
        let words = shared(supporting, |(_, terms)| terms.words.clone());
        // Where a command says when to use a skill, only what most people say adds to it.
        let names_a_command = claims.iter().any(|claim| claim.claim.names_a_command());
        let shown_by = shown_by(supporting);
        let all = supporting.len();
        let mut weighed: Vec<(f64, Term)> = Vec::new();
        for word in &words {
            let shown = shown_by.get(word).copied().unwrap_or_default();
            if !self.background.tells_apart(*word, shown, all) {
                continue; // the words of an issue's form, say
            }
            let surprise = self.background.surprise(*word, shown, all);
            let enough = if names_a_command { shown * 2 > all } else { shown * 4 >= all };
            let tells = enough && (surprise > 0.0 || shown * 2 > all);
            let is_sound = |text| guard::objection(text).is_none();
            if tells && self.terms.word(*word).is_some_and(is_sound) {
                weighed.push((surprise, *word));
            }
        }
        let most = |word: &Term| shown_by.get(word).is_some_and(|shown| shown * 2 > all);
        let text = |word: Term| self.terms.word(word).unwrap_or_default();
        let doubtful =
            weighed.iter().map(|(_, word)| word).filter(|word| !most(word)).map(|word| text(*word));
        let values = trigger::values(doubtful, claims, supporting);
        weighed.retain(|(_, word)| !values.contains(text(*word)));
        weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        weighed.truncate(TRIGGER_WORDS);
        weighed.sort_by_key(|(_, word)| words.iter().position(|other| other == word));
        let opens = |word: &Term| {
            let having = supporting.iter().filter(|(_, terms)| terms.words.contains(word)).count();
            let opening = supporting.iter().filter(|(_, terms)| terms.words.first() == Some(word)).count();
            opening * 2 > having && trigger::is_imperative(text(*word))
        };
        let (verbs, things): (Vec<Term>, Vec<Term>) =
            weighed.into_iter().map(|(_, word)| word).partition(opens);
        let texts = |words: Vec<Term>| words.into_iter().map(|word| text(word).to_owned()).collect();
        trigger::telling(texts(verbs), texts(things), claims)
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
fn shown_by(members: &[Member<'_, '_>]) -> BTreeMap<Term, usize> {
    let mut shown_by: BTreeMap<Term, usize> = BTreeMap::new();
    for word in members.iter().flat_map(|(_, terms)| &terms.words) {
        *shown_by.entry(*word).or_default() += 1;
    }
    shown_by
}

/// What segments of at least two sessions share, in the order of the oldest.
fn shared<'m, 'a, T: Ord + Copy>(
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
