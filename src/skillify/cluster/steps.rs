//! Steps: what the sessions of one cluster have in common, in the order of doing.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::Claim;
use super::super::evidence::segment_ref::SegmentRef;
use super::super::evidence::terms::{ActionTerms, Term, WorkTerms};
use super::super::session::action::{Action, What};
use super::super::significance::distinct;
use super::super::template::Template;
use super::super::template::version;
use super::commonness::Background;
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::flag::is_flag;
use crate::shell::parse::Word;

/// The share of a cluster's sessions that must show a step.
const COMMON: f64 = 0.5;
/// The share from which a step is one even if it surprises nobody.
const NEARLY_ALL: f64 = 0.8;

/// Something that was done.
#[derive(Clone, Copy)]
enum Deed<'a> {
    Run(&'a Command),
    Edit(&'a str),
}

/// A deed with where it was done.
#[derive(Clone, Copy)]
struct Done<'a> {
    deed: Deed<'a>,
    /// The term of its token.
    token: Term,
    /// What was done in which words ([`ActionTerms::deed`]).
    number: u32,
    /// The term of the words of what was run.
    core: Option<Term>,
    /// The term of the kind of file that was edited.
    kind: Option<Term>,
    /// The segment's index in the cluster.
    work: usize,
    /// Where in its segment it stands.
    place: usize,
    /// The number of its session.
    session: u32,
}

/// A step with how surprising it is in this cluster.
pub(in crate::skillify) struct Step {
    pub(in crate::skillify) claim: Claim,
    pub(in crate::skillify) surprise: f64,
    /// What tells how often the workspace does it.
    pub(in crate::skillify) term: Term,
    /// The segments that show it, ascending, and where each does so first.
    places: Vec<(usize, usize)>,
}

impl Step {
    /// How many segments of the cluster show it.
    pub(in crate::skillify) fn shown(&self) -> usize {
        self.places.len()
    }

    /// The places of those segments in the cluster.
    pub(in crate::skillify) fn shown_in(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|(work, _)| *work)
    }
}

/// A segment of a cluster and its terms.
pub(in crate::skillify) type Member<'m, 'a> = (&'m SegmentRef<'a>, &'m WorkTerms);

/// A cluster whose steps are looked for.
struct Cluster<'m, 'a> {
    members: &'m [Member<'m, 'a>],
    sessions: usize,
    background: &'m Background,
}

/// The steps of a cluster, in order.
pub(in crate::skillify) fn steps(members: &[Member<'_, '_>], background: &Background) -> Vec<Step> {
    let mut done: Vec<Done<'_>> = Vec::new();
    for (at, (work, terms)) in members.iter().enumerate() {
        let session = terms.session;
        for (place, ((_, action), terms)) in work.segment.actions().zip(&terms.actions).enumerate() {
            let Some((deed, token)) = deed(action).zip(terms.token) else { continue };
            let ActionTerms { deed: number, core, kind, .. } = *terms;
            done.push(Done { deed, token, number, core, kind, work: at, place, session });
        }
    }
    let sessions = distinct(members.iter().map(|(_, terms)| terms.session));
    let cluster = Cluster { members, sessions, background };
    done.sort_by_key(|done| done.token);
    let mut steps = Vec::new();
    // A token that too few sessions share cannot become a step, whatever its arguments are: skip its group early.
    let groups = done.chunk_by(|one, next| one.token == next.token);
    for group in groups.filter(|group| cluster.has_in_common(group)) {
        steps.extend(parts(group).iter().filter_map(|part| cluster.step(part)));
    }
    steps.extend(cluster.edits_of_a_kind(done, &steps));
    in_order(steps)
}

/// A program and subcommand that most sessions of a cluster ran and no step can say: for example, because it reads
/// standard input, or because each session sets another variable. A skill without it would not do the work.
pub(in crate::skillify) fn unsaid(members: &[Member<'_, '_>]) -> Option<String> {
    let all = distinct(members.iter().map(|(_, terms)| terms.session));
    let mut done: Vec<(Term, &[Word], u32)> = Vec::new();
    for (work, terms) in members {
        let actions = work.segment.actions().zip(&terms.actions);
        for ((_, action), of_action) in actions.filter(|((_, action), _)| !action.refused) {
            let Some((token, variables)) = of_action.token.zip(unsayable(action)) else { continue };
            done.push((token, variables, terms.session));
        }
    }
    done.sort_unstable();
    let mut groups = done.chunk_by(|one, next| one.0 == next.0);
    let sessions = |part: &[(Term, &[Word], u32)]| distinct(part.iter().map(|(.., session)| *session));
    let found = groups.find(|group| {
        let whole = sessions(group);
        let mut settings = group.chunk_by(|one, next| one.1 == next.1);
        let is_said =
            settings.any(|part| !part.iter().any(|done| done.1.is_empty()) && sessions(part) * 2 > whole);
        whole >= 2 && ratio(whole, all) >= COMMON && !is_said
    })?;
    let token = found.first()?.0;
    let of_token = |(work, terms): &Member<'_, '_>| {
        let mut actions = work.segment.actions().zip(&terms.actions);
        actions.find_map(|((_, action), terms)| action.token().filter(|_| terms.token == Some(token)))
    };
    members.iter().find_map(of_token).map(|token| token.trim_start_matches("run ").to_owned())
}

/// The variables of a command that may be a step and that a step may be unable to say: none of one that
/// no claim can speak of.
fn unsayable(action: &Action) -> Option<&[Word]> {
    match &action.what {
        What::Unsaid(_) if action.status != Status::Error => Some(&[]),
        What::Command(command) if action.status == Status::Ok && command.may_be_a_step() => {
            Some(command.setting().variables.as_slice()).filter(|variables| !variables.is_empty())
        }
        _ => None,
    }
}

fn deed(action: &Action) -> Option<Deed<'_>> {
    match action.command() {
        Some(command) if action.status == Status::Ok => Some(Deed::Run(command)),
        _ => action.edited().map(Deed::Edit),
    }
}

/// Parts that one template can speak of: runs in one setting that agree in every word where most sessions
/// have them, the others together by their number of words.
fn parts<'a>(group: &[Done<'a>]) -> Vec<Vec<Done<'a>>> {
    if group.iter().all(|done| group.first().is_some_and(|first| first.number == done.number)) {
        return vec![group.to_vec()];
    }
    let settings = by_setting(group);
    settings.iter().flat_map(|part| parts_in_one_setting(part)).collect()
}

/// The runs of each setting that most sessions have; of what each has another, none. A folder tells runs
/// apart only where there are several.
fn by_setting<'a>(group: &[Done<'a>]) -> Vec<Vec<Done<'a>>> {
    let folder = |done: &Done<'a>| done.deed.command().and_then(|run| run.setting().directory.as_deref());
    let mut folders: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for done in group {
        folder(done).into_iter().for_each(|folder| folders.entry(folder).or_default().push(done.session));
    }
    folders.retain(|_, sessions| distinct(sessions.iter()) >= 2);
    let tells = |folder: &&str| folders.len() > 1 && folders.contains_key(folder);
    let mut settings: BTreeMap<_, Vec<Done<'a>>> = BTreeMap::new();
    for done in group {
        let variables = done.deed.command().map_or(&[][..], |command| &command.setting().variables);
        settings.entry((variables, folder(done).filter(tells))).or_default().push(*done);
    }
    if settings.len() < 2 {
        return settings.into_values().collect();
    }
    let whole = sessions(group);
    settings.into_values().filter(|part| sessions(part) * 2 > whole).collect()
}

fn parts_in_one_setting<'a>(group: &[Done<'a>]) -> Vec<Vec<Done<'a>>> {
    let whole = sessions(group);
    let mut by_number: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for done in group {
        by_number.entry(done.number).or_insert_with(|| done.deed.words());
    }
    let mut exact: BTreeMap<&[&str], Vec<Done<'a>>> = BTreeMap::new();
    for done in group {
        let words = by_number.get(&done.number).map_or(&[][..], Vec::as_slice);
        exact.entry(words).or_default().push(*done);
    }
    let words = |key: &&[&str]| key.iter().map(|word| (*word).to_owned()).collect();
    let (mut parts, rest): (Vec<_>, Vec<_>) = version::join_versions(exact, words, sessions)
        .into_iter()
        .partition(|(_, part)| sessions(part) >= 2 && sessions(part) * 2 > whole);
    let mut by_kind: BTreeMap<Vec<String>, Vec<Done<'_>>> = BTreeMap::new();
    for (core, part) in rest {
        by_kind.entry(core.iter().map(|word| version::kind_of(word)).collect()).or_default().extend(part);
    }
    // Few that differ must not blur what most agree in.
    let (most, few): (Vec<_>, Vec<_>) =
        by_kind.into_iter().partition(|(_, part)| sessions(part) >= 2 && sessions(part) * 2 > whole);
    parts.extend(most.into_iter().map(|(_, part)| ([].as_slice(), part)));
    let mut by_shape: BTreeMap<usize, Vec<Done<'_>>> = BTreeMap::new();
    for (kinds, part) in few {
        by_shape.entry(kinds.len()).or_default().extend(part);
    }
    parts.extend(by_shape.into_values().map(|part| ([].as_slice(), part)));
    parts.into_iter().map(|(_, part)| part).collect()
}

/// In how many sessions it was done.
fn sessions(part: &[Done<'_>]) -> usize {
    distinct(part.iter().map(|done| done.session))
}

impl<'a> Deed<'a> {
    fn command(self) -> Option<&'a Command> {
        if let Self::Run(command) = self { Some(command) } else { None }
    }

    fn path(self) -> Option<&'a str> {
        if let Self::Edit(path) = self { Some(path) } else { None }
    }

    /// The words by which most sessions must agree, without flags that have no value.
    fn words(self) -> Vec<&'a str> {
        match self {
            Self::Run(command) => {
                let words = command.words().iter().map(|word| word.value.as_str());
                words.filter(|word| !is_flag(word) || word.contains('=')).collect()
            }
            Self::Edit(path) => vec![path.rsplit('/').next().unwrap_or(path)],
        }
    }
}

impl Cluster<'_, '_> {
    /// Whether enough sessions did it for a step.
    fn has_in_common(&self, part: &[Done<'_>]) -> bool {
        let sessions = sessions(part);
        sessions >= 2 && ratio(sessions, self.sessions) >= COMMON
    }

    /// The step that one template states for these actions, if enough sessions took it.
    fn step(&self, part: &[Done<'_>]) -> Option<Step> {
        if !self.has_in_common(part) {
            return None;
        }
        let claim = self.claim(part)?;
        let Done { token, core, .. } = *part.first()?;
        let term = match (&claim, core) {
            (Claim::Run(template), Some(core)) if template.is_literal() => core,
            _ => token,
        };
        let step = self.shown(claim, term, part);
        // A file that other work edits half as often is one that people edit anyway.
        let is_anyway = matches!(step.claim, Claim::Edit(_))
            && !self.background.tells_apart(term, step.shown(), self.members.len());
        let is_usual = step.surprise > 0.0 || is_nearly_all(sessions(part), self.sessions);
        (is_usual && !is_anyway).then_some(step)
    }

    /// The step for a claim that these actions show. `term` stands for it in other segments.
    fn shown(&self, claim: Claim, term: Term, part: &[Done<'_>]) -> Step {
        let mut places: Vec<(usize, usize)> = part.iter().map(|done| (done.work, done.place)).collect();
        places.sort_unstable();
        places.dedup_by_key(|(work, _)| *work);
        let surprise = self.background.surprise(term, places.len(), self.members.len());
        Step { claim, surprise, term, places }
    }

    /// Edits of a kind of file, another one in each session, but for files that have a step of their own.
    /// What other work in these repositories edits half as often is what people edit there anyway; files that
    /// share nothing but their folder must be edited by nearly all.
    fn edits_of_a_kind(&self, mut done: Vec<Done<'_>>, steps: &[Step]) -> Vec<Step> {
        let has_a_step = |path: &str| {
            steps.iter().any(|step| matches!(&step.claim, Claim::Edit(file) if file.matches_path(path)))
        };
        done.retain(|done| done.kind.is_some() && done.deed.path().is_some_and(|path| !has_a_step(path)));
        done.sort_by_key(|done| done.kind);
        let kinds = done.chunk_by(|one, next| one.kind == next.kind);
        let projects: BTreeSet<&str> =
            self.members.iter().map(|(work, _)| work.session.project.as_str()).collect();
        let steps = kinds.filter(|part| self.has_in_common(part)).filter_map(|part| {
            let claim = self.claim(part)?;
            let Claim::Edit(file) = &claim else { return None };
            let least = if file.names_have_a_form() { COMMON } else { NEARLY_ALL };
            let varies = !file.is_literal() && ratio(sessions(part), self.sessions) >= least;
            let kind = part.first()?.kind?;
            let step = self.shown(claim, kind, part);
            let (shown, members) = (step.places.len(), self.members.len());
            let tells = self.background.tells_edits_apart(kind, shown, members, &projects);
            (varies && tells && step.surprise > 0.0).then_some(step)
        });
        steps.collect()
    }

    fn claim(&self, part: &[Done<'_>]) -> Option<Claim> {
        let edits: Vec<&str> = part.iter().filter_map(|done| done.deed.path()).collect();
        if !edits.is_empty() {
            return Some(Claim::Edit(Template::of_paths(&edits)?));
        }
        // Each command once, with how often it was run, in the order of its first run.
        let mut places: BTreeMap<u32, usize> = BTreeMap::new();
        let mut runs: Vec<(&Command, usize)> = Vec::new();
        for (done, command) in part.iter().filter_map(|done| Some((done, done.deed.command()?))) {
            let place = *places.entry(done.number).or_insert(runs.len());
            match runs.get_mut(place) {
                Some((_, times)) => *times += 1,
                None => runs.push((command, 1)),
            }
        }
        let segments = || part.iter().filter_map(|done| Some(self.members.get(done.work)?.0.segment));
        let given = |version: &str| segments().all(|segment| segment.is_given(version));
        Some(Claim::Run(Template::of_runs(&runs)?.with_given_versions(given)))
    }
}

/// Orders the steps by how many others they come before in most of the segments that show both.
fn in_order(steps: Vec<Step>) -> Vec<Step> {
    let mut wins = vec![0_usize; steps.len()];
    for (at, step) in steps.iter().enumerate() {
        for (other_at, other) in steps.iter().enumerate().skip(at + 1) {
            let (ahead, behind) = before(step, other);
            let winner = if ahead > behind { at } else { other_at };
            if step.claim != other.claim
                && ahead != behind
                && let Some(wins) = wins.get_mut(winner)
            {
                *wins += 1;
            }
        }
    }
    let mut ranked: Vec<(usize, Step)> = wins.into_iter().zip(steps).collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.claim.cmp(&b.1.claim)));
    ranked.dedup_by(|a, b| a.1.claim == b.1.claim);
    ranked.into_iter().map(|(_, step)| step).collect()
}

/// In how many segments one comes before the other, and in how many behind it.
fn before(step: &Step, other: &Step) -> (usize, usize) {
    let (mut own, mut theirs) = (step.places.as_slice(), other.places.as_slice());
    let (mut ahead, mut behind) = (0, 0);
    while let ([(work, place), rest @ ..], [(other_work, other_place), others @ ..]) = (own, theirs) {
        if work == other_work {
            if place < other_place { ahead += 1 } else { behind += 1 }
        }
        (own, theirs) =
            (if work <= other_work { rest } else { own }, if other_work <= work { others } else { theirs });
    }
    (ahead, behind)
}

/// Whether `some` are nearly all of `all`.
pub(in crate::skillify) fn is_nearly_all(some: usize, all: usize) -> bool {
    ratio(some, all) >= NEARLY_ALL
}

/// `part` of `whole`.
fn ratio(part: usize, whole: usize) -> f64 {
    f64::from(u32::try_from(part).unwrap_or(u32::MAX))
        / f64::from(u32::try_from(whole.max(1)).unwrap_or(u32::MAX))
}
