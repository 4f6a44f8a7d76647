//! What the sessions of a run say about a published skill: still true, contradicted, unseen.
//!
//! Sessions are dated by day. They speak against a claim only if they are newer than every day that speaks for it. A claim of
//! an older version, which nobody counted, also falls if enough sessions met its situation and mining does not find it.
//! So does a claim whose own sessions no longer show it: records of a session may arrive late, and what was mined before
//! was not the whole of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use super::content::{ClaimRecord, Content, EvidenceRecord, session_number};
use super::effect::Episode;
use super::identity::same_situation;
use super::state::{Reason, Skill};
use crate::event::Status;
use crate::skillify::{Candidate, Claim, Evidence, Shortfall, SupportedClaim, Template, program_of};

/// So many sessions against a claim, all newer than every session for it, contradict it.
const CONTRADICTING_SESSIONS: usize = 2;

/// So many sessions that met the situation of an older version's claim refute it, where mining does not make it.
const REFUTING_SESSIONS: usize = 3;

/// Fewer sessions behind a claim do not tell that it is wrong: mining names no claim that one session shows.
const FEWEST_BEHIND: usize = 3;

/// A skill that no session has met for so many days is retired.
const LIFETIME_DAYS: i64 = 180;

/// When a skill was last seen is remembered anew after so many days: the sessions that show it may be
/// gone the next time, and a date alone shall not make a change of every run.
const REMEMBERED_DAYS: i64 = 30;

/// A retired skill's folder stays for so many days: installers do not delete what vanishes, so people
/// have to be able to fetch the version that says so.
const NOTICE_DAYS: i64 = 7;

/// Everything that the run's candidates, published or not, say for and against each claim.
pub(super) struct Sessions<'a> {
    findings: &'a Findings,
    claims: BTreeMap<&'a Claim, &'a SupportedClaim>,
    /// Those that stand, in a skill that is published or in one that waits for its turn.
    standing: BTreeSet<&'a Claim>,
    /// The sessions (indices of episodes) that ran each command line, by its program, and how it ended in
    /// each.
    runs: Runs<'a>,
    /// The sessions that were mined.
    mined: BTreeSet<u64>,
    /// The sessions that support each claim, whatever became of the claim.
    support: BTreeMap<&'a Claim, BTreeSet<u64>>,
    as_of: String,
}

/// By program and line.
type Runs<'a> = BTreeMap<(Cow<'a, str>, &'a str), Vec<(usize, Status)>>;

impl<'a> Sessions<'a> {
    pub(super) fn of(findings: &'a Findings) -> Self {
        let mut claims: BTreeMap<&Claim, &SupportedClaim> = BTreeMap::new();
        let guarded = |candidate: &&Candidate| {
            candidate.shortfalls.iter().any(|shortfall| matches!(shortfall, Shortfall::Guarded(_)))
        };
        let candidates = || findings.candidates.iter().filter(|candidate| !guarded(candidate));
        for claim in candidates().flat_map(|candidate| &candidate.claims) {
            let known = claims.entry(&claim.claim).or_insert(claim);
            if claim.support.len() + claim.against.len() > known.support.len() + known.against.len() {
                *known = claim;
            }
        }
        let standing = candidates().filter(|candidate| candidate.shortfalls.iter().all(waits));
        let standing = standing.flat_map(|candidate| &candidate.claims).map(|claim| &claim.claim).collect();
        let mut runs = Runs::new();
        for (index, episode) in findings.episodes.iter().enumerate() {
            for (command, ending) in &episode.commands {
                runs.entry((program_of(command), command)).or_default().push((index, *ending));
            }
        }
        let mined = findings.episodes.iter().map(|episode| episode.session).collect();
        let mut support: BTreeMap<&Claim, BTreeSet<u64>> = BTreeMap::new();
        for claim in findings.candidates.iter().flat_map(|candidate| &candidate.claims) {
            let numbers = claim.support.iter().map(|one| session_number(&one.tenant, &one.session));
            support.entry(&claim.claim).or_default().extend(numbers);
        }
        Self { findings, claims, standing, runs, mined, support, as_of: findings.as_of.date() }
    }

    pub(super) fn as_of(&self) -> &str {
        &self.as_of
    }

    /// What this run's sessions say of the claim.
    pub(super) fn claim(&self, claim: &Claim) -> Option<&'a SupportedClaim> {
        self.claims.get(claim).copied()
    }

    /// Whether mining makes the claim now.
    pub(super) fn makes(&self, claim: &Claim) -> bool {
        self.standing.contains(claim)
    }

    /// The claims of the skill that newer sessions speak against, and how.
    pub(super) fn contradicted(&self, skill: &Skill) -> BTreeMap<Claim, Reason> {
        let records = skill.content.claims.iter();
        let fallen = records.filter_map(|record| {
            let reason = self.speaks_against(&record.claim, record.newest())?;
            Some((record.claim.clone(), reason))
        });
        fallen.collect()
    }

    /// The claims of the skill that sessions do not show.
    pub(super) fn unproven(&self, skill: &Skill) -> BTreeSet<Claim> {
        self.refuted(skill).into_iter().chain(self.outgrown(skill)).collect()
    }

    /// The claims of an older version that mining does not make although enough sessions met their situation.
    /// Those that loaded the skill may have followed it: they tell nothing.
    fn refuted(&self, skill: &Skill) -> BTreeSet<Claim> {
        let records = skill.content.claims.iter().filter(|record| !record.is_counted());
        let unmade = records.filter(|record| !self.makes(&record.claim));
        let refuted = unmade.filter(|record| {
            let met = |episode: &&Episode| {
                !episode.loaded.contains(&skill.name) && meets(&record.claim, &skill.content, episode)
            };
            self.findings.episodes.iter().filter(met).count() >= REFUTING_SESSIONS
        });
        refuted.map(|record| record.claim.clone()).collect()
    }

    /// Whether enough sessions support a claim that was dropped as unproven, all newer than that.
    pub(super) fn proves_anew(&self, skill: &Skill, claim: &Claim) -> bool {
        let Some(dropped) = skill.unproven_since(claim) else { return false };
        let support = self.claim(claim).map(|claim| claim.support.as_slice()).unwrap_or_default();
        sessions(support.iter().filter(|one| *one.started_at.date() > *dropped)) >= CONTRADICTING_SESSIONS
    }

    /// The claims that mining does not make although all the sessions behind them were mined, and that most of these do
    /// not show any more. Where some of them are gone, others may be gone that the proof compares them with. A step
    /// depends on which sessions are alike, and what a person said stays said: neither falls so.
    fn outgrown(&self, skill: &Skill) -> BTreeSet<Claim> {
        let may_fall = |record: &&ClaimRecord| {
            let is_of_events = !matches!(record.claim, Claim::Rule { .. } | Claim::Lesson { .. });
            is_of_events && !record.claim.is_step() && !self.makes(&record.claim)
        };
        let records = skill.content.claims.iter().filter(may_fall);
        records.filter(|record| self.has_outgrown(record)).map(|record| record.claim.clone()).collect()
    }

    fn has_outgrown(&self, record: &ClaimRecord) -> bool {
        let behind: BTreeSet<u64> = record.evidence.iter().map(EvidenceRecord::session_number).collect();
        if behind.len() < FEWEST_BEHIND || !behind.is_subset(&self.mined) {
            return false;
        }
        let shown = self.support.get(&record.claim).map_or(0, |now| now.intersection(&behind).count());
        shown * 2 < behind.len()
    }

    /// Why no skill starts to make the claim: sessions newer than all for it speak against it.
    pub(super) fn has_fallen(&self, claim: &Claim) -> bool {
        self.speaks_against(claim, "").is_some()
    }

    /// How sessions that are newer than all for the claim speak against it.
    fn speaks_against(&self, claim: &Claim, remembered: &str) -> Option<Reason> {
        let newest = self.newest_for(claim, remembered);
        let against = self.claim(claim).map(|claim| claim.against.as_slice()).unwrap_or_default();
        let newer = sessions(against.iter().filter(|evidence| *evidence.started_at.date() > *newest));
        if newer >= CONTRADICTING_SESSIONS && !holds_often(claim) {
            return Some(Reason::Contradicted);
        }
        self.fails_since(claim, &newest).then_some(Reason::Failing)
    }

    /// Whether the command that the claim asks for has only failed since: in sessions newer than that
    /// and newer than every one in which it ran well, with the skill loaded or without. A check's
    /// failing is ordinary work.
    fn fails_since(&self, claim: &Claim, newest: &str) -> bool {
        let Some(command) = claim.asks_for().filter(|command| !command.is_check()) else { return false };
        let endings = self.endings(command);
        let on =
            |ending: Status| endings.iter().filter(move |(_, own)| *own == ending).map(|(date, _)| *date);
        let last_well = on(Status::Ok).max().unwrap_or_default().max(newest);
        on(Status::Error).filter(|date| *date > last_well).count() >= CONTRADICTING_SESSIONS
    }

    /// The date of each session that ran the command, and how it ended there at best.
    fn endings(&self, command: &Template) -> Vec<(&'a str, Status)> {
        let Some(program) = command.program() else { return Vec::new() };
        let from = (Cow::Borrowed(program), "");
        let alike = self.runs.range(from..).take_while(|((own, _), _)| own == program);
        let mut by_session: BTreeMap<usize, Status> = BTreeMap::new();
        for (_, runs) in alike.filter(|((_, line), _)| command.is_run_by(line)) {
            for (session, ending) in runs {
                let known = by_session.entry(*session).or_default();
                *known = known.at_best(*ending);
            }
        }
        let dated = by_session.into_iter().filter_map(|(session, ending)| {
            Some((self.findings.episodes.get(session)?.date.as_str(), ending))
        });
        dated.collect()
    }

    /// Whether the candidate does in the skill's situation something else, and all of it since the
    /// skill was last seen to work there.
    pub(super) fn replaces(&self, candidate: &Candidate, skill: &Skill) -> bool {
        let disagrees = candidate.claims.iter().all(|claim| !skill.knows(&claim.claim));
        let replaced = self.replaced_by(candidate, skill);
        let shares = |record: &ClaimRecord| {
            let mut theirs = candidate.claims.iter().filter_map(|claim| claim.claim.situation());
            record.claim.situation().is_some_and(|ours| theirs.any(|theirs| theirs == ours))
        };
        disagrees
            && same_situation(skill, candidate)
            && skill
                .content
                .claims
                .iter()
                .filter(|record| shares(record))
                .all(|record| replaced.contains(&record.claim))
    }

    /// The claims of the skill in whose place the candidate makes others: it does something else about the same
    /// failure, and every session of that is newer than all that speak for the claim.
    pub(super) fn replaced_by(&self, candidate: &Candidate, skill: &Skill) -> BTreeSet<Claim> {
        let is_replaced = |record: &&ClaimRecord| {
            let newest = self.newest_for(&record.claim, record.newest());
            let rivals: Vec<&SupportedClaim> = candidate
                .claims
                .iter()
                .filter(|claim| !skill.knows(&claim.claim) && are_rivals(record, claim))
                .collect();
            let oldest =
                rivals.iter().flat_map(|claim| &claim.support).map(|one| one.started_at.date()).min();
            oldest.is_some_and(|oldest| oldest > newest)
        };
        skill.content.claims.iter().filter(is_replaced).map(|record| record.claim.clone()).collect()
    }

    /// The last date that its work was done or the skill loaded, as far as is remembered.
    pub(super) fn last_seen(&self, skill: &Skill) -> String {
        let content: &Content = &skill.content;
        let done = content.claims.iter().map(|record| self.newest_for(&record.claim, record.newest()));
        let used = self.findings.uses.get(&skill.name).cloned();
        done.chain(used).max().unwrap_or_default().max(skill.last_seen.clone())
    }

    /// Whether neither its work was done nor the skill loaded in its lifetime.
    /// A rule that a person agreed to has no work of its own to be seen in.
    pub(super) fn is_unseen(&self, skill: &Skill) -> bool {
        if skill
            .content
            .claims
            .iter()
            .all(|record| matches!(record.claim, Claim::Rule { .. } | Claim::Lesson { .. }))
        {
            return false;
        }
        days_between(&self.last_seen(skill), &self.as_of).is_some_and(|days| days > LIFETIME_DAYS)
    }

    /// The date when the skill was last seen, if that is long after the remembered one.
    pub(super) fn seen_anew(&self, skill: &Skill) -> Option<String> {
        let remembered = skill.content.claims.iter().map(|record| record.newest());
        let remembered = remembered.chain([skill.last_seen.as_str()]).max()?;
        let seen = self.last_seen(skill);
        days_between(remembered, &seen).is_some_and(|days| days >= REMEMBERED_DAYS).then_some(seen)
    }

    /// Whether the notice that a skill is retired has stood long enough.
    pub(super) fn notice_is_over(&self, announced: &str) -> bool {
        days_between(announced, &self.as_of).is_some_and(|days| days >= NOTICE_DAYS)
    }

    /// Whether enough sessions since then support one of the claims.
    pub(super) fn supported_since(&self, claims: &Content, date: &str) -> bool {
        let support = claims.claims.iter().filter_map(|record| self.claim(&record.claim));
        let newer =
            support.flat_map(|claim| &claim.support).filter(|evidence| *evidence.started_at.date() > *date);
        sessions(newer) >= CONTRADICTING_SESSIONS
    }

    fn newest_for(&self, claim: &Claim, remembered: &str) -> String {
        let support = self.claim(claim).map(|claim| claim.support.as_slice()).unwrap_or_default();
        let newest = support.iter().map(|evidence| evidence.started_at.date()).max().unwrap_or_default();
        newest.max(remembered.to_owned())
    }
}

/// Whether these claims, which were counted, are among those that an older version published of the skill.
pub(super) fn counts_anew<'c>(claims: impl IntoIterator<Item = &'c Claim>, skill: &Skill) -> bool {
    let uncounted = |claim| skill.content.claim(claim).is_some_and(|record| !record.is_counted());
    claims.into_iter().any(uncounted)
}

/// Whether a claim that is held back is as good as one that is published.
const fn waits(shortfall: &Shortfall) -> bool {
    matches!(
        shortfall,
        Shortfall::Enough(_)
            | Shortfall::NoTrigger
            | Shortfall::People { .. }
            | Shortfall::Failing
            | Shortfall::Review(_)
            | Shortfall::Rule
            | Shortfall::Authored
    )
}

/// Whether the claim speaks of what is done more often than by chance, and not always.
const fn holds_often(claim: &Claim) -> bool {
    matches!(
        claim,
        Claim::Check { .. }
            | Claim::Together { .. }
            | Claim::Prevent { .. }
            | Claim::Changes { .. }
            | Claim::Asked { .. }
    )
}

/// Whether both say what to do about one failure, and not the same.
fn are_rivals(record: &ClaimRecord, claim: &SupportedClaim) -> bool {
    let same_failure = record.failures.is_empty()
        || claim.failures.is_empty()
        || record.failures.iter().any(|failure| claim.failures.contains(failure));
    let ours = record.claim.situation();
    ours.is_some()
        && ours == claim.claim.situation()
        && record.claim.asks_for() != claim.claim.asks_for()
        && same_failure
}

/// Whether a session met the situation of a claim. Steps have one in common: their procedure's work, which a
/// session did that ran two of its commands.
fn meets(claim: &Claim, content: &Content, episode: &Episode) -> bool {
    let ran = |command: &Template| is_among(command, episode.commands.keys());
    let failed = |command: &Template| is_among(command, episode.failed.iter());
    match claim {
        Claim::Repair { command, .. } | Claim::Prevent { command, .. } => failed(command),
        Claim::Instead { failed: command, .. } => failed(command),
        Claim::Prefer { prefer, over } => ran(prefer) || ran(over),
        _ => {
            let steps: Vec<&Template> =
                content.claims.iter().filter_map(|record| record.claim.step()).collect();
            let done = steps.iter().filter(|step| ran(step)).count();
            done > 0 && done >= steps.len().min(2)
        }
    }
}

fn is_among<'l>(command: &Template, mut lines: impl Iterator<Item = &'l String>) -> bool {
    let Some(program) = command.program() else { return false };
    lines.any(|line| program_of(line) == program && command.is_run_by(line))
}

fn sessions<'e>(evidence: impl Iterator<Item = &'e Evidence>) -> usize {
    evidence
        .map(|evidence| (evidence.tenant.as_str(), evidence.session.as_str()))
        .collect::<BTreeSet<_>>()
        .len()
}

/// `None` where one of them is no date.
fn days_between(from: &str, to: &str) -> Option<i64> {
    let from: jiff::civil::Date = from.parse().ok()?;
    let to: jiff::civil::Date = to.parse().ok()?;
    Some(i64::from(from.until(to).ok()?.get_days()))
}
