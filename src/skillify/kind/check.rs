//! **Check**: files of a class were edited, and the check that belongs to them ran.
//!
//! - Situation: a session edited files of a class of paths: one file, the files of a folder, all of an ending.
//! - Action and outcome: after that, it ran this check.
//! - Proof: sessions that edited such files ran it more often than others that edited about as much
//!   ([`stratified_tail`]). Without strata, long sessions that run everything would connect any two things.
//! - Null: which session ran which checks, among sessions of one repository that edited about as much.
//!
//! [`super::counter_evidence`] leaves out checks that catch nothing, and files that have another check. A build is an
//! exception: it need not catch anything if nearly all who edit one file run it and hardly anybody else does, because people
//! want what it makes.
//!
//! A check that names a file becomes a pattern: see [`super::pattern`]. "Who edits tests runs tests" is no claim, because
//! everybody knows it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::stratified_tail;
use super::super::template::Template;
use super::files::{Edited, classes, is_test};
use super::member::{MOST_FILES, Member, Ran, Run, failed_commit, first_edits, ran, whole_task};
use super::{FEWEST_TREATED, Proposed, Sessions, Shuffle, Verdict, counter_evidence, judged, number};
use crate::shell::command::{Command, single};
use crate::shell::family::Family;

/// A check belongs to files if this share of the sessions that edited them ran it.
const SHARE: f64 = 0.5;
/// The least share if the files are a whole class: a claim about all of them has to hold for most.
const SHARE_OF_MANY: f64 = 0.6;
/// A build that so few of the other sessions run makes something of the file, and need catch no failure.
const RARE: f64 = 0.05;
/// A check that no failure asks for must be run by this share of those who edited the file; fewer are some people's
/// habit.
const NEARLY_ALL: f64 = 0.85;
/// Three sessions tell of a file's check only what is less probable by chance than this: a repository has
/// hundreds of files, and some file has each check behind it.
const CHANCE_OF_FEW: f64 = 1e-3;

/// The checks that stand, and those that do not.
pub(in super::super) fn checks(
    sessions: &Sessions<'_>,
    mut shuffle: Option<&mut Shuffle>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for (_, mut members) in by_project(sessions) {
        if let Some(shuffle) = shuffle.as_deref_mut() {
            exchange_checks(&mut members, shuffle);
        }
        let counted = Counted::of(&members);
        let mut of_classes = (Vec::new(), Vec::new());
        for (proposed, others) in counted.proposed(sessions, &members) {
            let (stand, fall) = judged(proposed, others);
            of_classes.0.extend(stand);
            of_classes.1.extend(fall);
        }
        let usual_tests = counter_evidence::most_run(&members, Family::Test).unwrap_or_default();
        of_classes.0.retain(|one| !is_of_tests(&one.claim.claim, usual_tests));
        standing.extend(narrowed(of_classes.0));
        fallen.extend(of_classes.1);
        let mut of_patterns = judged(super::pattern::checks(sessions, &members), 0);
        of_patterns.0.retain(|one| !is_of_tests(&one.claim.claim, usual_tests));
        standing.extend(usual(of_patterns.0));
        fallen.extend(of_patterns.1);
    }
    (standing, fallen)
}

/// Whether a claim says no more than that tests run which were edited: the usual ones, or those of the file.
fn is_of_tests(claim: &Claim, usual: &str) -> bool {
    let Claim::Check { edited, run } = claim else { return false };
    let Some(run) = single(&run.to_string()) else { return false };
    let names_files = || run.core().iter().skip(1).any(|word| word.contains(['/', '.', '{']));
    let is_usual = || run.identity() == usual || names_files();
    is_test(&edited.to_string()) && run.family() == Family::Test && is_usual()
}

/// Of several commands of one family that belong to the same files, the one that most sessions ran.
fn usual(standing: Vec<Proposed>) -> Vec<Proposed> {
    let mut best: BTreeMap<(Template, Family), Proposed> = BTreeMap::new();
    for one in standing {
        let Claim::Check { edited, run } = &one.claim.claim else { continue };
        let Some(command) = single(&run.to_string()) else { continue };
        let key = (edited.clone(), command.family());
        let with = |one: &Proposed| one.claim.counts.treated_with;
        if best.get(&key).is_none_or(|known| with(known) < with(&one)) {
            best.insert(key, one);
        }
    }
    best.into_values().collect()
}

/// The sessions of each repository.
pub(super) fn by_project<'a>(sessions: &Sessions<'a>) -> BTreeMap<&'a str, Vec<Member<'a>>> {
    let mut projects: BTreeMap<&str, Vec<Member<'_>>> = BTreeMap::new();
    for (session, timeline) in sessions.timelines.iter().enumerate() {
        let edited = Edited::by(timeline);
        let first_edits = first_edits(&edited);
        let failed_commit = failed_commit(timeline);
        let member = Member { session, edited, ran: ran(timeline), first_edits, failed_commit };
        projects.entry(timeline.project()).or_default().push(member);
    }
    projects.values_mut().for_each(|members| count_whole_tasks(members));
    projects
}

/// A task that is given words of its own counts as the task: `mise run itest -- -run Cart` as `mise run itest`,
/// if some session ran it whole.
fn count_whole_tasks(members: &mut [Member<'_>]) {
    let ran = members.iter().flat_map(|member| &member.ran);
    let whole: Ran<'_> =
        ran.filter(|(text, _)| whole_task(text).is_none()).map(|(text, run)| (*text, *run)).collect();
    for member in members {
        let parts = member.ran.iter().filter_map(|(text, run)| {
            whole
                .get_key_value(whole_task(text)?)
                .map(|(task, own)| (*task, Run { command: own.command, ..*run }))
        });
        for (task, run) in parts.collect::<Vec<_>>() {
            let known = member.ran.entry(task).or_insert(run);
            *known = known.and(run);
        }
    }
}

/// Gives each session the checks of another one that edited about as much.
fn exchange_checks(members: &mut [Member<'_>], shuffle: &mut Shuffle) {
    let mut strata: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        strata.entry(member.edited.wide_stratum()).or_default().push(at);
    }
    for places in strata.into_values() {
        let mut all: Vec<Ran<'_>> = Vec::new();
        for at in &places {
            all.extend(members.get_mut(*at).map(|member| std::mem::take(&mut member.ran)));
        }
        // A check of another session has no place in this one: it counts as run after every edit.
        for run in all.iter_mut().flat_map(BTreeMap::values_mut) {
            run.last = usize::MAX;
            run.failed = run.failed.map(|_| usize::MAX);
        }
        shuffle.permute(&mut all);
        for (at, ran) in places.iter().zip(all) {
            if let Some(member) = members.get_mut(*at) {
                member.ran = ran;
            }
        }
    }
}

/// Numbers of sessions by stratum.
type ByStratum = BTreeMap<u32, u32>;

/// How often each class was edited, each check ran, and both.
struct Counted<'m> {
    sessions: ByStratum,
    edited: BTreeMap<&'m str, ByStratum>,
    ran: BTreeMap<&'m str, ByStratum>,
    /// The places of the members that edited and ran: in any order, and in this one.
    both: BTreeMap<(&'m str, &'m str), (ByStratum, ByStratum)>,
}

impl<'m> Counted<'m> {
    fn of(members: &'m [Member<'_>]) -> Self {
        let mut counted = Self {
            sessions: ByStratum::new(),
            edited: BTreeMap::new(),
            ran: BTreeMap::new(),
            both: BTreeMap::new(),
        };
        let told = told_apart(members);
        for member in members {
            let stratum = member.edited.wide_stratum();
            *counted.sessions.entry(stratum).or_default() += 1;
            let first_edit = member.first_edits.iter().map(|(class, first)| (class.as_str(), first));
            let first_edit: Vec<(&str, &usize)> =
                first_edit.filter(|(class, _)| told.contains(class)).collect();
            for (class, _) in &first_edit {
                *counted.edited.entry(class).or_default().entry(stratum).or_default() += 1;
            }
            for (check, Run { last, .. }) in &member.ran {
                *counted.ran.entry(check).or_default().entry(stratum).or_default() += 1;
                for (class, first) in &first_edit {
                    let (any, after) = counted.both.entry((check, class)).or_default();
                    *any.entry(stratum).or_default() += 1;
                    *after.entry(stratum).or_default() += u32::from(last > *first);
                }
            }
        }
        counted
    }

    /// The pairs that may stand, each group with the number of those that were compared and may not.
    ///
    /// Single files, folders, and all below a folder or of an ending are compared with their like: there are
    /// hundreds of files and few trees.
    fn proposed(&self, sessions: &Sessions<'_>, members: &[Member<'_>]) -> Vec<(Vec<Proposed>, usize)> {
        let mut groups: BTreeMap<usize, (Vec<Proposed>, usize)> = BTreeMap::new();
        let enough = |counts: &ByStratum| counts.values().sum::<u32>() >= FEWEST_TREATED;
        for ((check, class), (any, after)) in &self.both {
            let (proposed, others) = groups.entry(breadth(class).min(2)).or_default();
            *others += usize::from(self.ran.get(check).is_some_and(enough));
            let Some(edited) = self.edited.get(class) else { continue };
            let (together, all): (u32, u32) = (after.values().sum(), edited.values().sum());
            if together < 2 || f64::from(together) < share(class) * f64::from(all) {
                continue;
            }
            let strata: Vec<Counts> = self
                .sessions
                .keys()
                .map(|stratum| self.stratum(*stratum, check, edited, any, after))
                .collect();
            let mut sums = Counts::default();
            for counts in &strata {
                sums.treated_with += counts.treated_with;
                sums.treated_without += counts.treated_without;
                sums.untreated_with += counts.untreated_with;
                sums.untreated_without += counts.untreated_without;
            }
            if sums.untreated_rate() * 2.0 > sums.treated_rate() {
                continue;
            }
            let p_value = stratified_tail(&strata);
            if together <= FEWEST_TREATED && p_value > CHANCE_OF_FEW {
                continue;
            }
            let found = Found { check, class, counts: sums, p_value };
            proposed.extend(found.proposed(sessions, members));
        }
        let mut groups: Vec<(Vec<Proposed>, usize)> = groups.into_values().collect();
        for (proposed, others) in &mut groups {
            proposed.sort_by(|a, b| a.claim.claim.cmp(&b.claim.claim));
            *others = others.saturating_sub(proposed.len());
        }
        groups
    }

    fn stratum(
        &self,
        stratum: u32,
        check: &str,
        edited: &ByStratum,
        any: &ByStratum,
        after: &ByStratum,
    ) -> Counts {
        let of = |counts: &ByStratum| counts.get(&stratum).copied().unwrap_or_default();
        let (all, edited) = (of(&self.sessions), of(edited));
        let ran = self.ran.get(check).map(of).unwrap_or_default();
        let (any, after) = (of(any), of(after));
        let untreated_with = ran.saturating_sub(any);
        Counts {
            treated_with: after,
            treated_without: edited.saturating_sub(after),
            untreated_with,
            untreated_without: all.saturating_sub(edited).saturating_sub(untreated_with),
        }
    }
}

/// The file classes that enough sessions edited; of classes that the same sessions edited, the least specific.
fn told_apart<'m>(members: &'m [Member<'_>]) -> BTreeSet<&'m str> {
    let mut edited: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        for class in member.first_edits.keys() {
            edited.entry(class).or_default().push(at);
        }
    }
    let mut least: BTreeMap<Vec<usize>, &str> = BTreeMap::new();
    for (class, by) in edited {
        if by.len() < FEWEST_TREATED as usize {
            continue;
        }
        let known = least.entry(by).or_insert(class);
        if (breadth(class), class) < (breadth(known), *known) {
            *known = class;
        }
    }
    least.into_values().collect()
}

struct Found<'f> {
    check: &'f str,
    class: &'f str,
    counts: Counts,
    p_value: f64,
}

impl Found<'_> {
    /// Whether hardly anybody runs it but those who edited this one file.
    fn is_its_own(&self) -> bool {
        !self.class.contains('*') && self.counts.untreated_rate() <= RARE
    }

    fn proposed(&self, sessions: &Sessions<'_>, members: &[Member<'_>]) -> Option<Proposed> {
        let (mut support, mut against, mut untreated, mut treated) = (vec![], vec![], vec![], vec![]);
        let family =
            members.iter().find_map(|member| member.ran.get(self.check)).map(|run| run.command.family())?;
        let makes = family == Family::Build && self.is_its_own() && self.counts.treated_rate() >= NEARLY_ALL;
        if (!makes && counter_evidence::caught(members, self.class, self.check) == 0)
            || !counter_evidence::with_another(members, self.class, self.check, family).is_empty()
        {
            return None;
        }
        // The usual tests do not hold those that have a check of their own.
        let usual = counter_evidence::most_run(members, family).filter(|_| is_test(self.class));
        let mut runs: Vec<&Command> = Vec::new();
        let mut files: BTreeMap<&str, usize> = BTreeMap::new();
        for member in members {
            let Some(timeline) = sessions.timelines.get(member.session) else { continue };
            let ran = member.ran.get(self.check);
            runs.extend(ran.map(|run| run.command));
            let edited = member.first_edits.get(self.class).copied();
            let show = |steps: &[usize], outcome| timeline.evidence(sessions.works, steps, outcome);
            match (edited, ran) {
                (Some(first), Some(Run { last, .. })) if *last > first => {
                    let own = member.edited.files.keys().take(MOST_FILES);
                    own.filter(|path| classes(path).iter().any(|class| class == self.class))
                        .for_each(|path| *files.entry(path).or_default() += 1);
                    support.extend(show(&[first, *last], Outcome::Accepted));
                }
                (Some(first), _)
                    if member.ran_another(&[self.check, usual.unwrap_or_default()], family, first) => {}
                (Some(first), _) => against.extend(show(&[first], Outcome::Rejected)),
                (None, Some(Run { last, .. })) if untreated.len() < 3 => {
                    untreated.extend(show(&[*last], Outcome::Unknown));
                }
                _ => {}
            }
            treated.extend(edited.map(|_| member.session));
        }
        support.sort();
        against.sort();
        if self.class.contains('*') && !are_several(&files, support.len()) {
            return None;
        }
        let run = Template::of(&runs)?;
        let claim = SupportedClaim {
            claim: Claim::Check { edited: Template::parse_path(self.class), run },
            failures: Vec::new(),
            // Who ran another check of the family instead did not leave it out.
            counts: Counts { treated_without: number(against.len()), ..self.counts },
            p_value: self.p_value,
            support,
            against,
            place: 0,
            untreated,
        };
        Some(Proposed { claim, treated })
    }
}

/// Which share of the sessions that edited a class must have run its check.
fn share(class: &str) -> f64 {
    if class.contains('*') { SHARE_OF_MANY } else { SHARE }
}

/// Whether a class is more than one of its files: three of them were edited, and none by four in five sessions.
fn are_several(files: &BTreeMap<&str, usize>, sessions: usize) -> bool {
    files.len() >= 3 && files.values().all(|by| by * 5 < sessions * 4)
}

/// Of the classes of one check the one that says no more than was seen: the largest, unless a smaller one
/// within it has four in five of its sessions.
fn narrowed(standing: Vec<Proposed>) -> Vec<Proposed> {
    let mut by_check: BTreeMap<Template, Vec<Proposed>> = BTreeMap::new();
    for one in standing {
        let Claim::Check { run, .. } = &one.claim.claim else { continue };
        by_check.entry(run.clone()).or_default().push(one);
    }
    by_check.into_values().filter_map(narrowest).collect()
}

fn narrowest(mut classes: Vec<Proposed>) -> Option<Proposed> {
    // Small classes stand before those that hold them.
    let edited = |one: &Proposed| match &one.claim.claim {
        Claim::Check { edited, .. } => edited.to_string(),
        _ => String::new(),
    };
    classes.sort_by_key(|one| (one.claim.counts.treated(), breadth(&edited(one)), edited(one)));
    let mut chosen = classes.pop()?;
    while let Some(narrower) = classes.iter().rposition(|one| {
        let (own, theirs) = (one.claim.counts.treated_with, chosen.claim.counts.treated_with);
        let within: BTreeSet<&usize> = chosen.treated.iter().collect();
        own * 5 >= theirs * 4
            && breadth(&edited(one)) < breadth(&edited(&chosen))
            && one.treated.iter().all(|session| within.contains(session))
    }) {
        chosen = classes.swap_remove(narrower);
    }
    Some(chosen)
}

/// How much a class holds: a file least, all files of an ending most.
pub(super) fn breadth(class: &str) -> usize {
    match (class.contains("**"), class.contains('*'), class.contains('/')) {
        (false, false, _) => 0,
        (false, true, true) => 1,
        (true, ..) => 20 - class.matches('/').count().min(18),
        (false, true, false) => 30,
    }
}
