//! Reconciles the candidates of a run with a library.
//!
//! A known skill changes only if sessions say something that it does not say yet, or contradict it. More evidence for the
//! same claims changes nothing. A skill that is about to be retired says so in its description first; its folder goes with a
//! publish a week of evidence later. Claims of an older version are judged anew: kept if mining finds them, withdrawn if
//! sessions refute them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::bounds::Bounds;
use super::changes::{Change, Changes};
use super::content::{ClaimRecord, Content};
use super::hand_written::{self, HandWritten};
use super::identity::assign;
use super::judgement::{Sessions, counts_anew};
use super::revision::{Revision, revise};
use super::run::{Run, new_id, refused_claims};
use super::state::{Proposal, Reason, Retirement, Skill};
use super::subset::reduced;
use super::tenants::{self, Owned, TenantError};
use super::{Findings, Library, guide, model_results, review, skill, turns};
use crate::skillify::{Candidate, Claim, SupportedClaim};

/// What the findings change in the library. Candidates that are not published create nothing, and findings
/// of another tenant than the library's do neither.
///
/// # Errors
/// If nothing tells whose the library is, or it is another tenant's than the target's.
pub fn reconcile(library: &Library, findings: &[Findings]) -> Result<Changes, TenantError> {
    reconcile_within(library, findings, Bounds::NONE)
}

/// The same, with no more new skills than the bounds allow; the changes say what was held back.
///
/// # Errors
/// As [`reconcile`].
pub fn reconcile_within(
    library: &Library,
    findings: &[Findings],
    bounds: Bounds,
) -> Result<Changes, TenantError> {
    let (findings, over) = turns::current(library, findings);
    let notes: Vec<String> = over.into_iter().map(too_late).collect();
    if findings.is_empty() && !notes.is_empty() {
        return Ok(Changes { notes, release: library.state.release, ..Changes::default() });
    }
    let Owned { library, findings, foreign, left_out } = tenants::owned(library, &findings)?;
    let findings: Vec<Cow<'_, Findings>> = findings.into_iter().map(Findings::readable).collect();
    let mut changes = attempt(&library, &findings, &foreign, None);
    // What people deleted makes room at once.
    let as_found = Run::new(&library, &newest(&findings)).state;
    if let Some((quotas, held_back)) = bounds.quotas(&as_found, &findings, &changes.created) {
        let waits = |at: usize| changes.created.get(at) > quotas.get(at);
        let waiting = findings.iter().enumerate().filter(|(at, _)| waits(*at));
        let waiting = waiting.map(|(_, findings)| findings.workspace.clone()).collect();
        let held_back = Some(held_back);
        changes = Changes { held_back, waiting, ..attempt(&library, &findings, &foreign, Some(&quotas)) };
    }
    changes.notes.extend(notes);
    changes.notes.extend(left_out.iter().map(|tenant| {
        format!(
            "a target holds the skills of one tenant, and this one has another's: give {tenant} one with `route: \
             {{ tenant: {tenant} }}`"
        )
    }));
    Ok(changes)
}

/// Said of a workspace whose findings are left out.
fn too_late(workspace: &str) -> String {
    format!("another worker has taken over {workspace} and published; what this one found before is left out")
}

/// The changes that the findings cause, with at most so many new skills of each; `foreign` are skills that rest on
/// other tenants' sessions.
fn attempt(
    library: &Library,
    findings: &[Cow<'_, Findings>],
    foreign: &BTreeMap<String, Option<Skill>>,
    quotas: Option<&[usize]>,
) -> Changes {
    let mut run = Run::new(library, &newest(findings));
    for (id, own) in foreign {
        run.take_out(id, own.clone());
    }
    for (at, findings) in findings.iter().enumerate() {
        run.begin(quotas.map(|quotas| quotas.get(at).copied().unwrap_or_default()));
        run.episodes = &findings.episodes;
        // Events of these skills have the date of their own newest session, not of another workspace's.
        run.as_of = findings.as_of.date();
        turns::remember(&mut run.state, findings);
        Workspace::of(&run, findings).settle(&mut run);
        if let Some(learned) = &findings.learned {
            let date = findings.as_of.date();
            model_results::take_up(&mut run.state, &findings.workspace, learned, &date);
        }
    }
    run.as_of = newest(findings);
    hand_written::correct(&mut run);
    guide::settle(&mut run);
    run.finish()
}

/// The date of the newest event.
fn newest(findings: &[Cow<'_, Findings>]) -> String {
    findings.iter().map(|findings| findings.as_of).max().unwrap_or_default().date()
}

/// One workspace of a run.
struct Workspace<'f> {
    name: &'f str,
    findings: &'f Findings,
    sessions: Sessions<'f>,
    published: Vec<&'f Candidate>,
    /// Indices into `published`, by skill.
    assigned: BTreeMap<String, usize>,
    /// Candidates that are dealt with.
    settled: BTreeSet<usize>,
}

impl<'f> Workspace<'f> {
    fn of(run: &Run<'_>, findings: &'f Findings) -> Self {
        let published: Vec<&Candidate> =
            findings.candidates.iter().filter(|candidate| candidate.is_published()).collect();
        let assigned = assign(&run.state, &findings.workspace, &published);
        Self {
            name: &findings.workspace,
            findings,
            sessions: Sessions::of(findings),
            settled: assigned.values().copied().collect(),
            published,
            assigned,
        }
    }

    fn settle(mut self, run: &mut Run<'_>) {
        let known: Vec<String> = run
            .state
            .skills
            .iter()
            .filter(|(_, skill)| skill.workspace == self.name)
            .map(|(id, _)| id.clone())
            .collect();
        for id in &known {
            self.meet(run, id);
        }
        for index in 0..self.published.len() {
            if let Some(candidate) =
                self.published.get(index).copied().filter(|_| !self.settled.contains(&index))
            {
                self.place(run, candidate);
            }
        }
        self.retire_what_others_say(run, &known);
        review::take_up(run, self.findings, |candidate| self.has_fallen(candidate));
    }

    /// Meets a known skill again, with or without a candidate.
    fn meet(&mut self, run: &mut Run<'_>, id: &str) {
        let Some(mut known) = run.state.skills.get(id).cloned() else { return };
        if let Some(seen) = self.sessions.seen_anew(&known).filter(|_| known.stands()) {
            known.last_seen = seen;
            run.state.skills.insert(id.to_owned(), known.clone());
        }
        let candidate = self.assigned.get(id).and_then(|index| self.published.get(*index)).copied();
        let change = if known.refused {
            candidate.map(|_| Change::Refused)
        } else if known.retirement.is_some() {
            self.meet_retired(run, id, &known, candidate)
        } else {
            self.meet_standing(run, id, &known, candidate)
        };
        let is_told = run.changes.skills.get(&known.name).is_some_and(|told| told.is_written());
        if let Some(change) = change.filter(|change| !(is_told && *change == Change::Unchanged)) {
            run.changes.skills.insert(known.name, change);
        }
    }

    fn meet_standing(
        &mut self,
        run: &mut Run<'_>,
        id: &str,
        known: &Skill,
        candidate: Option<&Candidate>,
    ) -> Option<Change> {
        let candidate = self.replacement(known).or(candidate);
        let is_ours = run.is_ours_everywhere(&known.name);
        if is_ours
            && !known.is_agreed()
            && let Some(classes) = review::held_back(self.findings, known)
        {
            let reason = format!("a person has to agree to what it may do ({classes})");
            run.changes.notes.push(format!(
                "{name} was published before its commands needed a person: it retires; `skillspan skills restore {name}` \
                 keeps it",
                name = known.name
            ));
            return self.retire(run, id, known, &reason);
        }
        let mut against = self.sessions.contradicted(known);
        for claim in candidate.iter().flat_map(|candidate| self.sessions.replaced_by(candidate, known)) {
            against.entry(claim).or_insert(Reason::Contradicted);
        }
        // What a person made his own is his to judge.
        if is_ours && !known.kept {
            for claim in self.sessions.unproven(known) {
                against.entry(claim).or_insert(Reason::Unproven);
            }
        }
        let refused = refused_claims(run, self.name);
        let claims = candidate.into_iter().flat_map(|candidate| &candidate.claims);
        let new: BTreeSet<Claim> = claims
            .map(|claim| &claim.claim)
            .filter(|claim| !known.knows(claim) || self.sessions.proves_anew(known, claim))
            .filter(|claim| !refused.contains(claim) && !self.sessions.has_fallen(claim))
            .cloned()
            .collect();
        let made = candidate.into_iter().flat_map(|candidate| &candidate.claims).map(|claim| &claim.claim);
        let is_anew = is_ours && counts_anew(made, known);
        if against.is_empty() && new.is_empty() && !is_anew {
            if !known.kept && self.sessions.is_unseen(known) {
                return self.retire(run, id, known, "no session met it for half a year");
            }
            let shown = if is_ours { Change::Unchanged } else { Change::HandEdited };
            return (candidate.is_some() || !is_ours).then_some(shown);
        }
        let fallen = against.keys().cloned().collect();
        let revision = Revision { known, candidate, new: &new, against: &fallen, sessions: &self.sessions };
        match revise(&revision) {
            Some(content) => Some(self.write_or_propose(run, id, known, content, &against)),
            None if known.kept => None,
            None => {
                let main = known.content.claims.first().and_then(|main| against.get(&main.claim));
                self.retire(run, id, known, main.unwrap_or(&Reason::Contradicted).as_str())
            }
        }
    }

    /// The candidate that does something else where this skill applies, all of it newer.
    fn replacement(&mut self, known: &Skill) -> Option<&'f Candidate> {
        let index =
            (0..self.published.len()).filter(|index| !self.settled.contains(index)).find(|index| {
                self.published.get(*index).is_some_and(|candidate| {
                    self.sessions.replaces(candidate, known) && !self.has_fallen(candidate)
                })
            })?;
        self.settled.insert(index);
        self.published.get(index).copied()
    }

    fn write_or_propose(
        &self,
        run: &mut Run<'_>,
        id: &str,
        known: &Skill,
        content: Content,
        against: &BTreeMap<Claim, Reason>,
    ) -> Change {
        let as_of = self.sessions.as_of();
        let mut next = Skill { version: known.version + 1, content, proposal: None, ..known.clone() };
        for (claim, reason) in against {
            next.withdraw(claim, *reason, as_of);
        }
        next.withdrawn.retain(|withdrawn| !next.content.says(&withdrawn.claim));
        if !run.is_ours_everywhere(&known.name) {
            propose(run, id, known, next);
            return Change::HandEdited;
        }
        let (gained, lost) = difference(known, &next, against);
        let (gained_text, lost_text) = (gained.join("; "), lost.join("; "));
        let reason = match (gained.is_empty(), lost.is_empty()) {
            (true, true) => "said anew, as sessions prove it now".to_owned(),
            (false, true) => format!("now also: {gained_text}"),
            (true, false) => format!("no longer: {lost_text}"),
            (false, false) => format!("now: {gained_text}; no longer: {lost_text}"),
        };
        let is_more = !gained.is_empty() && against.is_empty();
        let change = if is_more { Change::Sharpened } else { Change::Revised };
        run.write(id, next, change, &reason);
        change
    }

    /// Announces the end of a skill that is still as it was generated.
    fn retire(&self, run: &mut Run<'_>, id: &str, known: &Skill, reason: &str) -> Option<Change> {
        if !run.is_ours_everywhere(&known.name) {
            return Some(Change::HandEdited);
        }
        let retirement =
            Retirement { reason: reason.to_owned(), as_of: self.sessions.as_of().to_owned(), gone: false };
        let next = Skill {
            version: known.version + 1,
            retirement: Some(retirement),
            proposal: None,
            ..known.clone()
        };
        run.write(id, next, Change::Retiring, reason);
        Some(Change::Retiring)
    }

    fn meet_retired(
        &self,
        run: &mut Run<'_>,
        id: &str,
        known: &Skill,
        candidate: Option<&Candidate>,
    ) -> Option<Change> {
        let retirement = known.retirement.as_ref()?;
        let gave_way = known.same_as.as_ref().is_some_and(|same| !same.rejected);
        let back = candidate
            .filter(|_| !gave_way && self.sessions.supported_since(&known.content, &retirement.as_of));
        if let Some(candidate) = back.filter(|_| run.is_ours_everywhere(&known.name)) {
            let next = Skill {
                version: known.version + 1,
                content: Content::of(candidate, Some(&known.content)),
                retirement: None,
                ..known.clone()
            };
            run.write(id, next, Change::Restored, "sessions support it again");
            return Some(Change::Restored);
        }
        if retirement.gone {
            return None;
        }
        if !run.is_ours_everywhere(&known.name) {
            return Some(Change::HandEdited);
        }
        if !self.sessions.notice_is_over(&retirement.as_of) {
            return Some(Change::Unchanged);
        }
        run.remove(id, known, &retirement.reason);
        Some(Change::Retired)
    }

    /// Finds the place of a candidate that is no known skill.
    fn place(&self, run: &mut Run<'_>, candidate: &Candidate) {
        let owner = run
            .state
            .skills
            .values()
            .filter(|skill| skill.workspace == self.name)
            .find(|skill| candidate.claims.iter().all(|claim| skill.knows(&claim.claim)));
        if let Some(owner) = owner {
            let change = if owner.refused { Change::Refused } else { Change::Unchanged };
            run.changes.skills.entry(owner.name.clone()).or_insert(change);
            return;
        }
        let Some(candidate) = self.may_be_said(run, candidate) else { return };
        let hand_written = hand_written::all(run.library, &run.state);
        match hand_written.iter().find(|skill| skill.covers(&candidate)) {
            Some(skill) => deepen(run, skill, &candidate),
            None => self.create(run, &candidate),
        }
    }

    /// Whether newer sessions contradict the candidate's main claim: its first step, or all of it.
    fn has_fallen(&self, candidate: &Candidate) -> bool {
        let falls = |claim: &SupportedClaim| self.sessions.has_fallen(&claim.claim);
        match candidate.claims.first() {
            Some(main) if main.claim.is_step() => falls(main),
            _ => candidate.claims.iter().all(falls),
        }
    }

    /// The candidate without what newer sessions speak against and without lessons of skills that people
    /// deleted; `None` if that is the main of it.
    fn may_be_said<'c>(&self, run: &Run<'_>, candidate: &'c Candidate) -> Option<Cow<'c, Candidate>> {
        if self.has_fallen(candidate) {
            return None;
        }
        let refused = refused_claims(run, self.name);
        let stands = |claim: &&SupportedClaim| {
            let claim = &claim.claim;
            !self.sessions.has_fallen(claim) && (claim.is_step() || !refused.contains(claim))
        };
        let standing: Vec<SupportedClaim> = candidate.claims.iter().filter(stands).cloned().collect();
        if standing.len() == candidate.claims.len() {
            return Some(Cow::Borrowed(candidate));
        }
        (!standing.is_empty()).then(|| Cow::Owned(reduced(candidate, standing)))
    }

    fn create(&self, run: &mut Run<'_>, candidate: &Candidate) {
        if !run.may_create() {
            return;
        }
        let id = new_id(run, candidate);
        let name = run.free_name(&candidate.wording.name, &candidate.workspace, &id);
        let skill = Skill::new(name, self.name, Content::of(candidate, None));
        let reason = format!("seen in {}", skill::support(&skill.content));
        let name = skill.name.clone();
        self.hand_over(run, &skill);
        run.write(&id, skill, Change::Created, &reason);
        run.changes.skills.insert(name, Change::Created);
    }

    /// A cluster split: what the new skill says, the one it came from says no longer.
    fn hand_over(&self, run: &mut Run<'_>, to: &Skill) {
        let claims = to.content.claim_set();
        let segments = to.content.segments();
        for (id, index) in &self.assigned {
            let Some(from) = run.state.skills.get(id).filter(|skill| skill.stands()).cloned() else {
                continue;
            };
            let Some(own) = self.published.get(*index) else { continue };
            let own: BTreeSet<&Claim> = own.claims.iter().map(|claim| &claim.claim).collect();
            let moved: BTreeSet<Claim> = from
                .content
                .claims
                .iter()
                .filter(|record| claims.contains(&record.claim) && !own.contains(&record.claim))
                .filter(|record| record.evidence.iter().any(|one| segments.contains(one.segment.as_str())))
                .map(|record| record.claim.clone())
                .collect();
            if moved.is_empty() || !run.is_ours_everywhere(&from.name) {
                continue;
            }
            let content = from.content.without(&moved);
            let mut next = Skill { version: from.version + 1, content, ..from };
            for claim in &moved {
                next.withdraw(claim, Reason::Moved, self.sessions.as_of());
            }
            let name = next.name.clone();
            run.write(id, next, Change::Revised, &format!("part of it is now {}", to.name));
            run.changes.skills.insert(name, Change::Revised);
        }
    }

    /// Clusters merged: a skill whose every claim an older one makes as well is not needed. Of what an older
    /// version published only that counts which mining still makes.
    fn retire_what_others_say(&self, run: &mut Run<'_>, known: &[String]) {
        for id in known.iter().filter(|id| !self.assigned.contains_key(*id)) {
            let Some(skill) = run.state.skills.get(id).filter(|skill| skill.stands() && !skill.kept).cloned()
            else {
                continue;
            };
            let age = |skill: &Skill, id: &str| (skill.content.oldest().to_owned(), id.to_owned());
            let other = self.assigned.keys().find_map(|other| {
                let standing = run.state.skills.get(other).filter(|other| other.stands())?;
                let older = age(standing, other) <= age(&skill, id);
                (older && self.says_all_of(standing, &skill)).then(|| standing.name.clone())
            });
            if let Some(other) = other
                && let Some(change) = self.retire(run, id, &skill, &format!("now said by {other}"))
            {
                run.changes.skills.insert(skill.name, change);
            }
        }
    }

    fn says_all_of(&self, one: &Skill, other: &Skill) -> bool {
        let said = |record: &ClaimRecord| one.content.says(&record.claim);
        let is_void = |record: &ClaimRecord| !record.is_counted() && !self.sessions.makes(&record.claim);
        let records = &other.content.claims;
        records.iter().any(said) && records.iter().all(|record| said(record) || is_void(record))
    }
}

/// The claims that the next version has and this one has not, and the other way round, as they are told.
fn difference(known: &Skill, next: &Skill, against: &BTreeMap<Claim, Reason>) -> (Vec<String>, Vec<String>) {
    let (before, after) = (known.content.claim_set(), next.content.claim_set());
    let gained = after.difference(&before).map(Claim::told).collect();
    let lost = before.difference(&after).map(|claim| match against.get(claim) {
        Some(reason @ (Reason::Failing | Reason::Unproven)) => {
            format!("{} ({})", claim.told(), reason.as_str())
        }
        _ => claim.told(),
    });
    (gained, lost.collect())
}

/// Keeps what the skill would become for a person to decide.
fn propose(run: &mut Run<'_>, id: &str, known: &Skill, next: Skill) {
    let Some(text) = skill::skill_md(id, &next) else { return };
    let claims: Vec<Claim> = next.content.claims.iter().map(|record| record.claim.clone()).collect();
    if known.proposal.as_ref().is_some_and(|proposal| proposal.claims == claims) {
        return;
    }
    let proposal = Proposal { claims, text, content: Some(next.content) };
    let mut kept = Skill { proposal: Some(proposal), ..known.clone() };
    kept.note(&run.as_of, "a change is proposed, because a person edited it");
    run.state.skills.insert(id.to_owned(), kept);
}

fn deepen(run: &mut Run<'_>, skill: &HandWritten<'_>, candidate: &Candidate) {
    let known = run.state.hand_written.get(&skill.name).cloned();
    let rejected = known.as_ref().map(|known| known.rejected.clone()).unwrap_or_default();
    let Some(proposed) = skill.deepened_by(candidate, &rejected) else {
        run.changes.skills.entry(skill.name.clone()).or_insert(Change::Unchanged);
        return;
    };
    run.changes.skills.insert(skill.name.clone(), Change::Proposed);
    let same =
        |known: &super::state::Deepening| known.base == proposed.base && known.claims == proposed.claims;
    if !known.as_ref().is_some_and(same) {
        run.state.hand_written.insert(skill.name.clone(), proposed);
    }
}
