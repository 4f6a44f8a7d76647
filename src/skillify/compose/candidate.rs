//! Candidates: claims that stand, composed into skills, then worded and guarded.
//!
//! Mining ends with [`Unworded`]: claims and what may be said of when to use them. Wording is a step of its
//! own, which may be done again with another proposer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::adherence::Recently;
use super::super::claim::guard;
use super::super::claim::publish_rule::Rules;
use super::super::claim::scope::Scope;
use super::super::claim::shortfall::Shortfall;
use super::super::claim::topic::Topic;
use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::cluster::group::Group;
use super::super::cluster::steps::Member;
use super::super::compose;
use super::super::evidence::terms::Term;
use super::super::kind::preference;
use super::super::kind::rule::{self, Ruled};
use super::super::kind::{self, Published, Sessions, Shuffle, Verdict};
use super::super::kind::{
    change, check, demand, flag, flaky, hook, instead, leftover, pipe, place, rejection, repair, skill, slow,
    snippet, together,
};
use super::super::withheld_text;
use super::super::word::propose::Material;
use super::draft::{Draft, Held, Unworded};
use super::personal::without_contradictions;
use super::score;
use super::verify;
use super::workspace::Workspace;

/// The claims of a kind that stand, and those that do not.
type Found = (Vec<kind::Proposed>, Vec<(kind::Proposed, Verdict)>);

impl Workspace<'_> {
    /// Every candidate, published ones first, and the outcome of each cluster.
    pub(in crate::skillify) fn candidates(&self) -> (Vec<Unworded>, Vec<Group>) {
        let (claims, mut held) = self.lessons();
        // What two claims say in both directions has no order to tell.
        let contradicted = held.iter().filter(|one| one.shortfalls.contains(&Shortfall::Contradicted));
        let contradicted = contradicted.flat_map(|one| one.material.claims.iter().cloned());
        let said: Vec<SupportedClaim> = claims.iter().cloned().chain(contradicted).collect();
        let (procedures, clusters) = self.procedures(&said);
        let standing = procedures.iter().filter(|draft| draft.shortfalls.is_empty()).count();
        let worth = |claim: &SupportedClaim| self.expected(std::slice::from_ref(claim)).1;
        let composed = compose::composed(claims, self.rule.skills.saturating_sub(standing), worth);
        let composed = composed.into_iter().map(|((_, topic), claims)| Draft {
            topic,
            claims,
            dropped: Vec::new(),
            shortfalls: Vec::new(),
        });
        let mut candidates: Vec<Unworded> = composed.map(|draft| self.finish(draft)).collect();
        candidates.extend(procedures.into_iter().map(|draft| self.finish(draft)));
        held.sort_by_cached_key(|one| {
            (
                Reverse(one.material.claims.first().map_or(0, |claim| claim.counts.treated_with)),
                first_claim(one),
            )
        });
        candidates.extend(held);
        candidates.extend(self.remembered_skills(&candidates));
        candidates.sort_by_cached_key(order);
        self.keep_the_most_useful(&mut candidates);
        candidates.sort_by_cached_key(order);
        (candidates, clusters)
    }

    /// How many claims of each kind stand; with `shuffle`, by chance.
    pub(in crate::skillify) fn published(&self, mut shuffle: Option<&mut Shuffle>) -> Published {
        let mut published = Published::default();
        let mut count = |found: Found, counter: fn(&mut Published) -> &mut usize| {
            *counter(&mut published) =
                found.0.iter().filter(|one| self.shortfalls(&one.claim).is_empty()).count();
        };
        let sessions = Sessions::of(self.works);
        let (repairs, preventions): (Vec<_>, Vec<_>) = repair::repairs(&sessions)
            .0
            .into_iter()
            .partition(|one| matches!(one.claim.claim, Claim::Repair { .. }));
        count((repairs, Vec::new()), |published| &mut published.repairs);
        count((preventions, Vec::new()), |published| &mut published.preventions);
        count(instead::replacements(&sessions), |published| &mut published.replacements);
        count(check::checks(&sessions, shuffle.as_deref_mut()), |published| &mut published.checks);
        let is_shuffled = shuffle.is_some();
        count(together::together(&sessions, shuffle.as_deref_mut()), |published| &mut published.together);
        count(place::places(&sessions, shuffle.as_deref_mut()), |published| &mut published.places);
        count(change::changes(&sessions, shuffle.as_deref_mut()), |published| &mut published.changes);
        count(pipe::pipes(&sessions, shuffle.as_deref_mut()), |published| &mut published.pipes);
        count(flag::flags(&sessions, shuffle.as_deref_mut()), |published| &mut published.flags);
        count(demand::demands(&sessions, shuffle.as_deref_mut()), |published| &mut published.demands);
        count(hook::hooks(&sessions, shuffle.as_deref_mut()), |published| &mut published.hooks);
        count(skill::skills(&sessions, &self.known.skills, shuffle.as_deref_mut()), |published| {
            &mut published.skills
        });
        count(leftover::leftovers(&sessions, shuffle.as_deref_mut()), |published| &mut published.leftovers);
        count(slow::slow_ones(&sessions), |published| &mut published.slow);
        count(flaky::flaky_ones(&sessions), |published| &mut published.flaky);
        count(snippet::snippets(&sessions), |published| &mut published.snippets);
        if self.rule.rules == Rules::Review {
            let ruled = rule::rules(self.spoken, self.rule, self.as_of, shuffle);
            published.rules =
                ruled.iter().filter(|one| one.shortfalls.iter().all(|one| *one == Shortfall::Rule)).count();
        }
        if !is_shuffled {
            let (procedures, _) = self.procedures(&[]);
            let stands = |draft: &Draft| draft.shortfalls.is_empty();
            published.procedures = procedures.into_iter().filter(stands).count();
        }
        published
    }

    /// The claims that stand by themselves, and those that do not, each with what it lacks.
    pub(in crate::skillify) fn counted(&self) -> (Vec<SupportedClaim>, Vec<Held>) {
        let sessions = Sessions::of(self.works);
        let mut standing = Vec::new();
        let mut held = Vec::new();
        for (stand, fallen) in [
            repair::repairs(&sessions),
            instead::replacements(&sessions),
            check::checks(&sessions, None),
            together::together(&sessions, None),
            place::places(&sessions, None),
            rejection::rejections(&sessions),
            change::changes(&sessions, None),
            pipe::pipes(&sessions, None),
            flag::flags(&sessions, None),
            demand::demands(&sessions, None),
            slow::slow_ones(&sessions),
            flaky::flaky_ones(&sessions),
            snippet::snippets(&sessions),
            hook::hooks(&sessions, None),
            skill::skills(&sessions, &self.known.skills, None),
            leftover::leftovers(&sessions, None),
        ] {
            for one in stand {
                let shortfalls = self.shortfalls(&one.claim);
                if shortfalls.is_empty() {
                    standing.push(one.claim)
                } else {
                    held.push((one.claim, shortfalls))
                }
            }
            // Of dropped claims, only those that came close are worth a look.
            let near = fallen.into_iter().filter(|(one, _)| one.claim.counts.treated_with >= 2);
            held.extend(near.map(|(one, verdict)| {
                let shortfall = match verdict {
                    Verdict::Few => Shortfall::Sessions {
                        found: one.claim.counts.treated_with as usize,
                        needed: kind::FEWEST_TREATED as usize,
                    },
                    Verdict::Chance => Shortfall::Chance,
                    Verdict::Explained => Shortfall::Explained,
                };
                (one.claim, vec![shortfall])
            }));
        }
        let said = preference::preferences(self.works).into_iter().chain(preference::avoidances(self.works));
        for claim in said {
            let claim = self.support(&claim);
            let mut shortfalls = score::shortfalls(&claim, self.rule, self.known_people);
            shortfalls.extend(self.review([&claim.claim]));
            if shortfalls.is_empty() { standing.push(claim) } else { held.push((claim, shortfalls)) }
        }
        (standing, held)
    }

    /// The claims that stand by themselves, and those that do not, each a candidate of its own.
    fn lessons(&self) -> (Vec<SupportedClaim>, Vec<Unworded>) {
        let (standing, held) = self.counted();
        let (standing, mut held) = self.with_remembered(standing, held);
        let rules = self.rules();
        let standing = without_contradictions(standing, &mut held);
        let (own, held): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|(claim, shortfalls)| self.is_ones_own(claim, shortfalls));
        let held = held.into_iter().map(|(claim, shortfalls)| {
            let topic = Topic::of(&claim.claim);
            self.finish(Draft { topic, claims: vec![claim], dropped: Vec::new(), shortfalls })
        });
        let held = held.chain(rules).chain(self.ones_own(own)).collect();
        (standing, held)
    }

    /// The rules that people state, each a candidate of its own: a person agrees to one at a time.
    pub(in crate::skillify) fn rules(&self) -> Vec<Unworded> {
        if self.rule.rules == Rules::Off {
            return Vec::new();
        }
        let ruled = rule::rules(self.spoken, self.rule, self.as_of, None).into_iter();
        let finished = ruled.map(|Ruled { claim, scope, mut shortfalls }| {
            let objection = self.known.objection_to(&claim.claim);
            shortfalls.extend(objection.map(|found| Shortfall::Guarded(found.to_owned())));
            shortfalls.extend(self.review([&claim.claim]));
            let topic = Topic::of(&claim.claim);
            let draft = Draft { topic, claims: vec![claim], dropped: Vec::new(), shortfalls };
            Unworded { scope, ..self.finish(draft) }
        });
        finished.collect()
    }

    /// What a claim that its counts prove lacks still.
    pub(in crate::skillify) fn shortfalls(&self, claim: &SupportedClaim) -> Vec<Shortfall> {
        let people: BTreeSet<&str> = claim
            .support
            .iter()
            .map(|evidence| evidence.person.as_str())
            .filter(|person| !person.is_empty())
            .collect();
        let mut shortfalls = Vec::new();
        if !self.rule.are_enough(people.len(), self.known_people) {
            shortfalls.push(Shortfall::People { found: people.len(), needed: self.rule.people });
        }
        if claim.sessions().len() < self.rule.sessions {
            shortfalls
                .push(Shortfall::Sessions { found: claim.sessions().len(), needed: self.rule.sessions });
        }
        if let Some(found) = self.known.objection_to(&claim.claim) {
            shortfalls.push(Shortfall::Guarded(found.to_owned()));
        }
        shortfalls.extend(self.review([&claim.claim]));
        shortfalls
    }

    /// What a person has to agree to before claims are published, if anything.
    pub(in crate::skillify) fn review<'c>(
        &self,
        claims: impl IntoIterator<Item = &'c Claim>,
    ) -> Option<Shortfall> {
        guard::needs_review(claims, self.rule.allow, &self.known)
    }

    /// Of each repository's skills as many as the rule allows stay; the others wait.
    fn keep_the_most_useful(&self, candidates: &mut [Unworded]) {
        let mut kept: BTreeMap<String, usize> = BTreeMap::new();
        for candidate in candidates.iter_mut().filter(|candidate| candidate.shortfalls.is_empty()) {
            let project = match &candidate.scope {
                Scope::Project(project) => project.clone(),
                _ => String::new(),
            };
            let kept = kept.entry(project).or_default();
            *kept += 1;
            if *kept > self.rule.skills {
                candidate.shortfalls.push(Shortfall::Enough(self.rule.skills));
            }
        }
    }

    /// What the whole workspace shows of a claim.
    pub(in crate::skillify) fn support(&self, claim: &Claim) -> SupportedClaim {
        let works = self.index.that_may_show(claim).into_iter().filter_map(|at| self.works.get(at));
        verify::support(claim, works)
    }

    /// Where the segment that is evidence stands among the works.
    pub(in crate::skillify) fn at(&self, evidence: &Evidence) -> Option<usize> {
        let first = self.started_at.partition_point(|started_at| *started_at < evidence.started_at);
        let at_that_time = self.works.iter().enumerate().skip(first);
        let mut at_that_time =
            at_that_time.take_while(|(_, work)| work.segment.started_at == evidence.started_at);
        at_that_time.find(|(_, work)| work.segment.id == evidence.segment).map(|(at, _)| at)
    }

    /// The segment at a place, with its terms.
    pub(in crate::skillify) fn member(&self, at: usize) -> Option<Member<'_, '_>> {
        self.works.get(at).zip(self.terms.works().get(at))
    }

    /// Adds the trigger, scope and worth to a draft.
    pub(in crate::skillify) fn finish(&self, draft: Draft) -> Unworded {
        let Draft { topic, claims, dropped, mut shortfalls } = draft;
        let supporting = self.supporting(&claims);
        let (mut verbs, mut words) = self.trigger(&claims, &supporting);
        if topic != Topic::Work {
            verbs.clear();
            words.clear();
        } else if verbs.is_empty() && words.len() < 2 {
            shortfalls.push(Shortfall::NoTrigger);
        }
        let dropped =
            dropped.into_iter().filter(|reason| withheld_text::objection(reason).is_none()).collect();
        let scope = self.scope(&claims);
        let (recently, rank) = self.expected(&claims);
        let project = match &scope {
            Scope::Project(project) if self.index.projects > 1 => project.clone(),
            _ => String::new(),
        };
        let material = Material { topic, project, claims, verbs, words };
        Unworded { workspace: self.name.to_owned(), scope, material, dropped, recently, rank, shortfalls }
    }

    /// What the newer half of the sessions shows for each claim of a skill, and what all claims together are expected to
    /// save, in thousandths of a call per session.
    pub(in crate::skillify) fn expected(&self, claims: &[SupportedClaim]) -> (Vec<(Claim, Recently)>, u32) {
        let steps: Vec<_> = claims.iter().filter_map(|claim| claim.claim.step()).collect();
        let (mut recently, mut saved) = (Vec::new(), 0_u64);
        for claim in claims {
            let shown = self.recent.shows(claim, &steps);
            saved += shown.as_ref().map_or(0, |shown| shown.saves);
            recently.extend(shown.map(|shown| (claim.claim.clone(), shown)));
        }
        (recently, u32::try_from(saved).unwrap_or(u32::MAX))
    }

    /// The segments that support any of the claims, oldest first.
    fn supporting(&self, claims: &[SupportedClaim]) -> Vec<Member<'_, '_>> {
        let support = claims.iter().flat_map(|claim| &claim.support);
        let mut at: Vec<usize> = support.filter_map(|evidence| self.at(evidence)).collect();
        at.sort_unstable();
        at.dedup();
        at.into_iter().filter_map(|at| self.member(at)).collect()
    }

    pub(in crate::skillify) fn scope(&self, claims: &[SupportedClaim]) -> Scope {
        let support = || claims.iter().flat_map(|claim| &claim.support);
        let people: BTreeSet<&str> =
            support().map(|evidence| evidence.person.as_str()).filter(|person| !person.is_empty()).collect();
        if let (true, [person]) =
            (self.known_people > 1, people.iter().copied().collect::<Vec<_>>().as_slice())
        {
            return Scope::Person((*person).to_owned());
        }
        let projects: BTreeSet<&str> = support().map(|evidence| evidence.project.as_str()).collect();
        match projects.iter().copied().collect::<Vec<_>>().as_slice() {
            [project] if !project.is_empty() => Scope::Project((*project).to_owned()),
            _ => Scope::Workspace,
        }
    }
}

/// How many segments have each word of prompts.
pub(in crate::skillify) fn shown_by(members: &[Member<'_, '_>]) -> BTreeMap<Term, usize> {
    let mut shown_by: BTreeMap<Term, usize> = BTreeMap::new();
    for word in members.iter().flat_map(|(_, terms)| &terms.words) {
        *shown_by.entry(*word).or_default() += 1;
    }
    shown_by
}

/// What segments of at least two sessions share, in the order of the oldest.
pub(in crate::skillify) fn shared<'m, 'a, T: Ord + Copy>(
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

/// Published ones first, then by worth, then by what they say.
fn order(candidate: &Unworded) -> (bool, Reverse<u32>, Vec<String>) {
    let claims = candidate.material.claims.iter().map(|claim| claim.claim.to_string()).collect();
    (!candidate.shortfalls.is_empty(), Reverse(candidate.rank), claims)
}

fn first_claim(candidate: &Unworded) -> String {
    candidate.material.claims.first().map(|claim| claim.claim.to_string()).unwrap_or_default()
}

/// Why a claim is left out.
pub(in crate::skillify) fn reason(claim: &Claim, shortfalls: &[Shortfall]) -> String {
    let reasons: Vec<String> = shortfalls.iter().map(ToString::to_string).collect();
    format!("{claim}: {}", reasons.join("; "))
}
