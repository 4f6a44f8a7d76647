//! **Repair**: a command failed, another ran, it passed on a clean rerun.
//!
//! - Proof: such reruns pass more often than the command passes by itself after the same failure, which is
//!   the base rate of plain reruns ([`base_rate`]).
//! - If several commands explain a case, it belongs to the strongest; the others keep the cases without it.
//! - Whether the remedy prevents the failure is a claim of its own: see [`super::prevention`].
//! - Null: which run passed, among the runs of one family and repository.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::evidence::rerun::{Fresh, Streak, Try, fresh_runs, streaks};
use super::super::session::outcome::Outcome;
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, base_rate, binomial_tail, shrunk};
use super::super::template::Template;
use super::super::template::matcher::Matcher;
use super::comparable::{self, Pair};
use super::{Proposed, Sessions, Verdict, judged, number, prevention};
use crate::shell::command::{Command, single};
use crate::shell::family::Family;

/// A remedy that was tried: one case of a repair, or a plain rerun: one case of the base rate.
#[derive(Clone, Copy)]
struct Case<'a> {
    session: usize,
    command: &'a Command,
    /// `None` for a plain rerun.
    remedy: Option<(&'a Command, usize)>,
    family: Family,
    signature: Option<&'a str>,
    tried: Try,
}

impl<'a> Pair<'a> for Case<'a> {
    fn one(&self) -> &'a Command {
        self.command
    }

    fn other(&self) -> &'a Command {
        self.remedy.map_or(self.command, |(remedy, _)| remedy)
    }

    fn session(&self) -> usize {
        self.session
    }
}

/// Where each command stands in a list, commands of one program and subcommand ([`Command::token`]) together.
type ByToken<'a> = BTreeMap<&'a str, Vec<(&'a Command, Vec<usize>)>>;

/// All cases of a workspace.
struct Cases<'a> {
    sessions: &'a Sessions<'a>,
    treated: Vec<Case<'a>>,
    plain: Vec<Case<'a>>,
    fresh: Vec<Fresh<'a>>,
    /// The places of each: a template speaks of one token alone.
    treated_by: ByToken<'a>,
    plain_by: ByToken<'a>,
    fresh_by: ByToken<'a>,
    /// How many sessions passed at a plain rerun, of all: of each family, and of the workspace.
    of_family: BTreeMap<Family, (u32, u32)>,
    of_workspace: (u32, u32),
}

/// Repairs and preventions that stand, and those that do not.
pub(in super::super) fn repairs(sessions: &Sessions<'_>) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let cases = Cases::of(sessions);
    let (standing, mut fallen) = judged(cases.proposed(), 0);
    let (mut standing, explained) = cases.strongest(standing);
    fallen.extend(explained);
    let pairs = standing.iter().filter_map(|repair| match &repair.claim.claim {
        Claim::Repair { command, repair } => Some((command.clone(), repair.clone())),
        _ => None,
    });
    let (prevented, not) = prevention::preventions(sessions, pairs.collect());
    standing.extend(prevented);
    fallen.extend(not);
    (standing, fallen)
}

impl<'a> Cases<'a> {
    fn of(sessions: &'a Sessions<'a>) -> Self {
        let timelines = &sessions.timelines;
        let (mut treated, mut plain) = (Vec::new(), Vec::new());
        let forbidden = forbidden(sessions);
        for streak in streaks(timelines) {
            let Some(timeline) = timelines.get(streak.session) else { continue };
            let Streak { session, command, family, .. } = streak;
            let case = |remedy, tried: Try| {
                let failed = timeline.step(tried.failed).map(|step| step.action);
                let signature = failed.and_then(|failed| failed.signature.as_deref());
                Case { session, command, remedy, family, signature, tried }
            };
            plain.extend(streak.plain(timeline).map(|tried| case(None, tried)));
            for remedy in &streak.remedies {
                let action = timeline.step(remedy.0).map(|step| step.action);
                let command = action.and_then(|action| action.command());
                let command = command.filter(|command| !forbidden.contains(&command.core()));
                let tried = streak.outcome(timeline, *remedy);
                treated.extend(command.zip(tried).map(|(by, tried)| case(Some((by, remedy.0)), tried)));
            }
        }
        let fresh = fresh_runs(timelines);
        let mut families: BTreeMap<Family, Vec<&Case<'_>>> = BTreeMap::new();
        plain.iter().for_each(|case| families.entry(case.family).or_default().push(case));
        let of_family = families.into_iter().map(|(family, cases)| (family, passed(&cases))).collect();
        Self {
            sessions,
            treated_by: by_token(treated.iter().map(|case| case.command)),
            plain_by: by_token(plain.iter().map(|case| case.command)),
            fresh_by: by_token(fresh.iter().map(|run| run.command)),
            of_workspace: passed(&plain.iter().collect::<Vec<_>>()),
            of_family,
            treated,
            plain,
            fresh,
        }
    }

    fn proposed(&self) -> Vec<Proposed> {
        let parts = comparable::parts(self.treated.clone());
        let mut claims: BTreeSet<Claim> = BTreeSet::new();
        for part in parts {
            let Some((command, repair)) = comparable::templates(&part) else { continue };
            if command != repair {
                claims.insert(Claim::Repair { command, repair });
            }
        }
        let none = BTreeSet::new();
        claims.into_iter().filter_map(|claim| self.propose(claim, &none)).collect()
    }

    /// The claim with its counts, over all cases that its templates match but for those of some sessions.
    fn propose(&self, claim: Claim, without: &BTreeSet<usize>) -> Option<Proposed> {
        let Claim::Repair { command, repair } = &claim else { return None };
        let parsed = single(&command.to_string())?;
        let token = parsed.token();
        let repairs = Matcher::of(repair);
        let is_treated = |case: &&Case<'_>| {
            !without.contains(&case.session) && case.remedy.is_some_and(|(by, _)| repairs.matches(by))
        };
        let mut treated: Vec<&Case<'_>> =
            at(&self.treated, &self.treated_by, token, command).into_iter().filter(is_treated).collect();
        let failure = usual_failure(&treated);
        if let Some(failure) = failure {
            treated.retain(|case| case.signature == Some(failure));
        }
        let plain: Vec<&Case<'_>> = at(&self.plain, &self.plain_by, token, command)
            .into_iter()
            .filter(|case| failure.is_none() || case.signature == failure)
            .collect();
        let of_family = self.of_family.get(&treated.first()?.family).copied().unwrap_or_default();
        let own = passed(&plain);
        let (with, without) = (first_of_each(&treated, true), first_of_each(&treated, false));
        let counts = Counts {
            treated_with: number(with.len()),
            treated_without: number(without.len()),
            untreated_with: own.0,
            untreated_without: own.1 - own.0,
        };
        let mut rate = base_rate(own, of_family, self.of_workspace);
        if failure.is_none() {
            // Nothing tells one failure from another: then it may be any, and pass as any run does.
            rate = rate.max(shrunk(self.fresh(command, token), PRIOR_RATE));
        }
        let p_value = binomial_tail(counts.treated_with, counts.treated(), rate);
        let mut sessions: Vec<usize> = treated.iter().map(|case| case.session).collect();
        sessions.dedup();
        let mut untreated = self.evidence(&first_of_each(&plain, true));
        untreated.extend(self.evidence(&first_of_each(&plain, false)));
        untreated.truncate(6);
        let claim = SupportedClaim {
            failures: failures(&treated),
            counts,
            p_value,
            support: self.evidence(&with),
            against: self.evidence(&without),
            place: place(&treated),
            untreated,
            claim,
        };
        Some(Proposed { claim, treated: sessions })
    }

    /// How many sessions passed at the first run of the command, of all that ran it.
    fn fresh(&self, command: &Template, token: &str) -> (u32, u32) {
        let mut seen = BTreeSet::new();
        let runs = at(&self.fresh, &self.fresh_by, token, command)
            .into_iter()
            .filter(|run| seen.insert(run.session));
        runs.fold((0, 0), |(passed, all), run| (passed + u32::from(run.passed), all + 1))
    }

    fn evidence(&self, cases: &[&Case<'_>]) -> Vec<Evidence> {
        let mut all: Vec<Evidence> = cases
            .iter()
            .filter_map(|case| {
                let timeline = self.sessions.timelines.get(case.session)?;
                let mut steps = vec![case.tried.failed];
                steps.extend(case.remedy.map(|(_, at)| at));
                steps.push(case.tried.told);
                let outcome = if case.tried.passed { Outcome::Accepted } else { Outcome::Rejected };
                timeline.evidence(self.sessions.works, &steps, outcome)
            })
            .collect();
        all.sort();
        all
    }

    /// Of repairs of one failure the strongest first; a weaker one stands only by cases without a stronger,
    /// or where nearly all cases of both are the same: then nobody can tell them apart.
    fn strongest(&self, mut standing: Vec<Proposed>) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
        let order = |one: &Proposed| (Reverse(one.claim.counts.treated_with), one.claim.claim.clone());
        standing.sort_by(|a, b| {
            a.claim.p_value.total_cmp(&b.claim.p_value).then_with(|| order(a).cmp(&order(b)))
        });
        let (mut kept, mut explained): (Vec<Proposed>, _) = (Vec::new(), Vec::new());
        for one in standing {
            let rivals: Vec<&Proposed> =
                kept.iter().filter(|other| is_rival(&one.claim, &other.claim)).collect();
            let stronger: BTreeSet<usize> =
                rivals.iter().flat_map(|other| other.treated.iter().copied()).collect();
            let all = one.treated.len();
            let both = one.treated.iter().filter(|session| stronger.contains(session)).count();
            let is_inseparable = rivals.iter().any(|other| {
                let same = one.treated.iter().filter(|session| other.treated.contains(session)).count();
                same * 4 >= all * 3 && same * 4 >= other.treated.len() * 3
            });
            if both == 0 || is_inseparable {
                kept.push(one);
                continue;
            }
            // Told and judged by the cases that are its own.
            let own = self.propose(one.claim.claim.clone(), &stronger).filter(|own| {
                let counts = own.claim.counts;
                counts.treated_with >= super::FEWEST_TREATED && own.claim.p_value <= super::FALSE_DISCOVERIES
            });
            match own.filter(|_| both * 2 <= all) {
                Some(own) => kept.push(own),
                None => explained.push((one, Verdict::Explained)),
            }
        }
        (kept, explained)
    }
}

/// The places of commands, by program and subcommand.
fn by_token<'c>(commands: impl Iterator<Item = &'c Command>) -> ByToken<'c> {
    let mut of_command: BTreeMap<*const Command, (&Command, Vec<usize>)> = BTreeMap::new();
    for (at, command) in commands.enumerate() {
        of_command.entry(command).or_insert_with(|| (command, Vec::new())).1.push(at);
    }
    let mut places = ByToken::new();
    for of_one in of_command.into_values() {
        places.entry(of_one.0.token()).or_default().push(of_one);
    }
    places
}

/// The items whose command has this token and is a run of the template, in order.
fn at<'i, T>(items: &'i [T], places: &ByToken<'_>, token: &str, template: &Template) -> Vec<&'i T> {
    let commands = places.get(token).into_iter().flatten();
    let matching = commands.filter(|(command, _)| template.matches(command));
    let mut places: Vec<usize> = matching.flat_map(|(_, places)| places).copied().collect();
    places.sort_unstable();
    places.into_iter().filter_map(|at| items.get(at)).collect()
}

/// The commands that people spoke against, whatever they repair.
fn forbidden<'a>(sessions: &Sessions<'a>) -> BTreeSet<Vec<&'a str>> {
    let steps = sessions.timelines.iter().flat_map(|timeline| &timeline.steps);
    let against = steps.filter(|step| step.action.against);
    against.filter_map(|step| step.action.command().map(Command::core)).collect()
}

/// Whether both speak of a failure of one command that may be the same.
fn is_rival(one: &SupportedClaim, other: &SupportedClaim) -> bool {
    let same_command = match (one.claim.situation(), other.claim.situation()) {
        (Some(one), Some(other)) => one == other || one.is_same_but_for_flags(other),
        _ => false,
    };
    let (own, theirs) = (&one.failures, &other.failures);
    let same_failure =
        own.is_empty() || theirs.is_empty() || own.iter().any(|failure| theirs.contains(failure));
    same_command && same_failure
}

/// How late the remedies of these cases ran after the failure, in tenths of a step on average.
fn place(cases: &[&Case<'_>]) -> u32 {
    let late =
        cases.iter().filter_map(|case| case.remedy.map(|(_, at)| at.saturating_sub(case.tried.failed)));
    number(late.sum::<usize>() * 10 / cases.len().max(1))
}

/// The failure that three in five cases had, if they had one.
fn usual_failure<'a>(cases: &[&Case<'a>]) -> Option<&'a str> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    cases
        .iter()
        .filter_map(|case| case.signature)
        .for_each(|signature| *seen.entry(signature).or_default() += 1);
    let (signature, times) = seen.into_iter().max_by_key(|(name, times)| (*times, Reverse(*name)))?;
    (times * 5 >= cases.len() * 3).then_some(signature)
}

/// The failures of the cases, the most frequent first.
fn failures(cases: &[&Case<'_>]) -> Vec<String> {
    let mut seen: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for case in cases {
        if let Some(signature) = case.signature {
            seen.entry(signature).or_default().insert(case.session);
        }
    }
    let mut names: Vec<(usize, &str)> = seen
        .into_iter()
        .map(|(name, sessions)| (sessions.len(), name))
        .filter(|(times, _)| *times > 1)
        .collect();
    names.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    names.into_iter().take(2).map(|(_, name)| name.to_owned()).collect()
}

/// Of each session the first case, where it passed or where it did not.
fn first_of_each<'c, 'a>(cases: &[&'c Case<'a>], passed: bool) -> Vec<&'c Case<'a>> {
    let mut seen = BTreeSet::new();
    let firsts = cases.iter().filter(|case| seen.insert(case.session)).copied();
    firsts.filter(|case| case.tried.passed == passed).collect()
}

/// How many sessions passed, of all.
fn passed(cases: &[&Case<'_>]) -> (u32, u32) {
    let with = first_of_each(cases, true).len();
    (number(with), number(with + first_of_each(cases, false).len()))
}
