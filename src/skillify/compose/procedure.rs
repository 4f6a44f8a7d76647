//! Procedures: what a cluster's sessions did in common, judged step by step and as a whole.
//!
//! - A session that did none of the steps that belong to this work alone is no evidence of it.
//! - Enough sessions must have done the steps as a whole. Two ways to do one thing, each in other sessions, are
//!   alternatives: they never follow each other.
//! - One command among edits, common checks and version control makes a procedure only if most sessions ran it and it is
//!   surprising without them. Two commands make one.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::guard;
use super::super::claim::shortfall::Shortfall;
use super::super::claim::topic::Topic;
use super::super::claim::{Claim, Evidence, SupportedClaim};
use super::super::cluster;
use super::super::cluster::commonness::{self, BySize};
use super::super::cluster::group::Group;
use super::super::cluster::split;
use super::super::cluster::steps::{self, Member, Step};
use super::super::evidence::failing;
use super::super::evidence::segment_ref;
use super::super::evidence::segment_ref::SegmentRef;
use super::candidate::{reason, shown_by};
use super::coverage::Coverage;
use super::draft::Draft;
use super::score;
use super::verify;
use super::workspace::Workspace;
use crate::shell::command::Command;
use crate::shell::family::Family;

/// How many segments must show a command that is the only one that belongs to this work alone: two share
/// one by accident.
const FEWEST_OF_ONE: usize = 3;

/// So many steps of a procedure are its own …
const FEWEST_OWN: usize = 2;
/// … and are done by so many sessions.
const FEWEST_SESSIONS: usize = 3;
/// A procedure has at most so many steps.
const MOST_STEPS: usize = 12;
/// How probable a step of a procedure may be as chance.
const LIFT: f64 = 0.01;

/// A step with its evidence.
struct Judged {
    step: Step,
    claim: SupportedClaim,
    shortfalls: Vec<Shortfall>,
}

/// The person of each session that shows a claim.
type Sessions<'e> = BTreeMap<(&'e str, &'e str), &'e str>;

impl Workspace<'_> {
    /// The common steps of each cluster's sessions, and the outcome of each cluster.
    pub(in crate::skillify) fn procedures(&self, others: &[SupportedClaim]) -> (Vec<Draft>, Vec<Group>) {
        let said = Coverage::by(others);
        let mut seen: BTreeSet<Vec<Claim>> = BTreeSet::new();
        let mut drafts = Vec::new();
        let mut groups = Vec::new();
        for members in cluster::clusters(self.works, self.terms, self.vectors)
            .into_iter()
            .filter(|members| members.len() > 1)
        {
            let members: Vec<Member<'_, '_>> = members.iter().filter_map(|at| self.member(*at)).collect();
            for members in split::by_argument(members, |members, parts| self.are_works(members, parts)) {
                let (members, steps) = self.of_late(members);
                let works = works(&members);
                let claims = claims(&steps);
                let all = claims.clone();
                let is_said = is_a_procedure(&claims, &works);
                let verdict = if !is_said {
                    "too little in common that belongs to this work alone"
                } else if !seen.insert(claims) {
                    "the same steps as another cluster"
                } else {
                    let mut draft = self.procedure(steps, &works, &members, &said);
                    draft.shortfalls.extend(steps::unsaid(&members).map(guard::unsaid));
                    let runs = draft.claims.iter().filter(|claim| matches!(claim.claim, Claim::Run(_)));
                    let telling = runs.filter(|claim| tells(&claim.claim, &works));
                    if said.has(telling) {
                        "other candidates say it"
                    } else {
                        drafts.push(draft);
                        "a candidate"
                    }
                };
                groups.push(Group::of(&works, verdict, if is_said { all } else { Vec::new() }));
            }
        }
        (drafts, groups)
    }

    /// The steps of a cluster; if one of them has only failed recently and the sessions since then have
    /// a procedure, theirs.
    fn of_late<'m, 'a>(&self, members: Vec<Member<'m, 'a>>) -> (Vec<Member<'m, 'a>>, Vec<Step>) {
        let steps = |members: &[Member<'_, '_>]| steps::steps(members, self.background);
        let whole = steps(&members);
        let all = works(&members);
        let Some(fell) = whole.iter().filter_map(|step| failing::since(&step.claim, &all)).max() else {
            return (members, whole);
        };
        let since = |(work, _): &&Member<'m, 'a>| work.segment.started_at > fell;
        let late: Vec<Member<'m, 'a>> = members.iter().filter(since).copied().collect();
        let newer = steps(&late);
        if is_a_procedure(&claims(&newer), &works(&late)) { (late, newer) } else { (members, whole) }
    }

    /// Whether parts of a cluster are works of their own: each has evidence enough, and they are two, or
    /// one procedure with parameters would say less than theirs.
    fn are_works(&self, members: &[Member<'_, '_>], parts: &[Vec<Member<'_, '_>>]) -> bool {
        let steps = |members: &[Member<'_, '_>]| steps::steps(members, self.background).len();
        parts.iter().all(|part| self.are_enough(part))
            && (parts.len() == 2 || parts.iter().any(|part| steps(part) > steps(members)))
    }

    /// Whether segments could be evidence enough if all of them were accepted.
    fn are_enough(&self, members: &[Member<'_, '_>]) -> bool {
        let sessions = members.iter().map(|(work, _)| (segment_ref::session_of(work), work.person));
        self.is_enough(&sessions.collect())
    }

    fn is_enough(&self, sessions: &Sessions<'_>) -> bool {
        let people = sessions.values().filter(|person| !person.is_empty()).collect::<BTreeSet<_>>().len();
        sessions.len() >= self.rule.sessions && self.rule.are_enough(people, self.known_people)
    }

    /// Judges the steps of a procedure one by one by its cluster's evidence, and then as a whole.
    fn procedure(
        &self,
        steps: Vec<Step>,
        works: &[&SegmentRef<'_>],
        members: &[Member<'_, '_>],
        said: &Coverage,
    ) -> Draft {
        let is_chance = self.is_chance(&steps, members);
        let mut dropped = Vec::new();
        let judged = steps.into_iter().map(|step| self.judged(step, works)).collect();
        let (judged, left) = self.supported(judged, works);
        let (kept, apart) = self.together(judged);
        dropped.extend(left.iter().map(|left| reason(&left.step.claim, &left.shortfalls)));
        dropped.extend(apart.iter().map(|left| reason(&left.step.claim, &[Shortfall::Apart])));
        // A check or an everyday command that must not be published is left out; without any other the
        // rest would not do the work.
        let (guarded, kept): (Vec<_>, Vec<_>) =
            kept.into_iter().partition(|kept| self.known.objection_to(&kept.step.claim).is_some());
        dropped.extend(guarded.iter().filter_map(|guarded| self.withheld("a step", &guarded.step.claim)));
        let claims: Vec<Claim> = kept.iter().map(|kept| kept.step.claim.clone()).collect();
        if !is_a_procedure(&claims, works) {
            let found = guarded.iter().find_map(|guarded| self.known.objection_to(&guarded.step.claim));
            let failing = left.iter().find(|left| left.shortfalls.contains(&Shortfall::Failing));
            let shortfalls = match (found, failing.or(left.first()), apart.first()) {
                (Some(found), ..) => vec![Shortfall::Guarded(found.to_owned())],
                (None, Some(left), _) => left.shortfalls.clone(),
                (None, None, Some(_)) => vec![Shortfall::Apart],
                (None, None, None) => vec![Shortfall::Trivial],
            };
            let claims = kept.into_iter().chain(left).chain(apart).map(|judged| judged.claim).collect();
            return Draft { topic: Topic::Work, claims, dropped: Vec::new(), shortfalls };
        }
        let mut shortfalls = if is_chance { vec![Shortfall::Chance] } else { Vec::new() };
        shortfalls.extend(self.lacks_as_a_whole(&kept, works, members, said));
        if !is_chance && !self.is_of_its_own(&kept, works, members) {
            shortfalls.push(Shortfall::Everyday);
        }
        let unsaid = guarded.iter().filter(|guarded| tells(&guarded.step.claim, works));
        let programs = unsaid.filter_map(|guarded| guarded.step.claim.asks_for()?.program());
        shortfalls.extend(programs.take(1).map(|program| guard::unsaid(program.to_owned())));
        let claims: Vec<SupportedClaim> = kept.into_iter().map(|kept| kept.claim).collect();
        shortfalls.extend(self.review(claims.iter().map(|claim| &claim.claim)));
        Draft { topic: Topic::Work, claims, dropped, shortfalls }
    }

    /// The reason why a line must not be published, for readers; `None` if it may be.
    fn withheld(&self, what: &str, claim: &Claim) -> Option<String> {
        self.known.objection_to(claim).map(|found| format!("{what}: the guard found {found}"))
    }

    fn judged(&self, step: Step, works: &[&SegmentRef<'_>]) -> Judged {
        let claim = verify::support(&step.claim, works.iter().copied());
        let mut shortfalls = score::shortfalls(&claim, self.rule, self.known_people);
        shortfalls.extend(failing::since(&step.claim, works).map(|_| Shortfall::Failing));
        Judged { step, claim, shortfalls }
    }

    /// The steps with evidence enough, and those without. Of checks, edits and version control the
    /// evidence is what those did who did a step that belongs to this work alone.
    fn supported(&self, judged: Vec<Judged>, works: &[&SegmentRef<'_>]) -> (Vec<Judged>, Vec<Judged>) {
        let is_enough = |judged: &Judged| judged.shortfalls.is_empty();
        let (mut kept, mut left): (Vec<_>, Vec<_>) = judged.into_iter().partition(is_enough);
        let telling = || kept.iter().filter(|kept| tells(&kept.step.claim, works));
        let session = |evidence: &Evidence| (evidence.tenant.clone(), evidence.session.clone());
        let doing: BTreeSet<(String, String)> =
            telling().flat_map(|kept| &kept.claim.support).map(session).collect();
        if doing.is_empty() {
            return (kept, left);
        }
        for kept in kept.iter_mut().filter(|kept| !tells(&kept.step.claim, works)) {
            kept.claim.support.retain(|evidence| doing.contains(&session(evidence)));
            kept.shortfalls = score::shortfalls(&kept.claim, self.rule, self.known_people);
        }
        let (kept, lacking): (Vec<_>, Vec<_>) = kept.into_iter().partition(is_enough);
        left.extend(lacking);
        (kept, left)
    }

    /// The steps that enough sessions did as a whole, in order, and the others. What most did comes
    /// first; of two alternatives that as many did, neither is a step.
    fn together(&self, judged: Vec<Judged>) -> (Vec<Judged>, Vec<Judged>) {
        let sessions: Vec<Sessions<'_>> = judged.iter().map(|judged| sessions(&judged.claim)).collect();
        let is_undecided = |own: &Sessions<'_>| {
            let same = sessions.iter().filter(|other| other.len() == own.len());
            same.into_iter().any(|other| !own.keys().any(|session| other.contains_key(session)))
        };
        let mut order: Vec<(usize, &Sessions<'_>)> =
            sessions.iter().enumerate().filter(|(_, own)| !is_undecided(own)).collect();
        order.sort_by_key(|(at, own)| (std::cmp::Reverse(own.len()), *at));
        let mut whole: Option<Sessions<'_>> = None;
        let mut stays = BTreeSet::new();
        for (at, own) in order {
            let mut with = whole.clone().unwrap_or_else(|| own.clone());
            with.retain(|session, _| own.contains_key(session));
            if self.is_enough(&with) {
                whole = Some(with);
                stays.insert(at);
            }
        }
        let (kept, apart): (Vec<_>, Vec<_>) =
            judged.into_iter().enumerate().partition(|(at, _)| stays.contains(at));
        let plain = |judged: Vec<(usize, Judged)>| judged.into_iter().map(|(_, judged)| judged).collect();
        (plain(kept), plain(apart))
    }

    /// What a procedure lacks though each of its steps stands.
    ///
    /// - Three sessions did at least two of the steps that are its own.
    /// - Two steps are its own: commands that are no everyday work and that no other claim speaks of, or files that other work seldom edits; two
    ///   that always stand in one call are one.
    /// - Nobody follows more steps than [`MOST_STEPS`]: so many are a large change, not a procedure.
    fn lacks_as_a_whole(
        &self,
        kept: &[Judged],
        works: &[&SegmentRef<'_>],
        members: &[Member<'_, '_>],
        said: &Coverage,
    ) -> Option<Shortfall> {
        if kept.len() > MOST_STEPS {
            return Some(Shortfall::Long(kept.len()));
        }
        let is_own = |kept: &&Judged| {
            let step = &kept.step;
            let is_file = match &step.claim {
                Claim::Edit(file) => {
                    (file.is_literal() || file.names_have_a_form())
                        && steps::is_nearly_all(step.shown(), members.len())
                }
                _ => false,
            };
            let does = runs(&step.claim, works).is_some_and(|command| {
                !command.is_everyday()
                    && !matches!(command.family(), Family::Test | Family::Lint | Family::TypeCheck)
            });
            ((does && !said.speaks_of(&kept.claim)) || is_file)
                && self.background.tells_apart(step.term, step.shown(), members.len())
                && self.lifts(step, members)
        };
        let own: Vec<&Judged> = kept.iter().filter(is_own).collect();
        let calls: BTreeSet<Vec<&str>> = own.iter().map(|kept| calls(&kept.claim)).collect();
        if calls.len() < FEWEST_OWN {
            return Some(Shortfall::Everyday);
        }
        let mut doing: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for session in own.iter().flat_map(|kept| kept.claim.sessions()) {
            *doing.entry(session).or_default() += 1;
        }
        let found = doing.values().filter(|steps| **steps >= FEWEST_OWN).count();
        (found < FEWEST_SESSIONS).then_some(Shortfall::Sessions { found, needed: FEWEST_SESSIONS })
    }

    /// Whether a step is more frequent in this work than in other work of its size by more than chance.
    fn lifts(&self, step: &Step, members: &[Member<'_, '_>]) -> bool {
        let shown = by_size(step.shown_in().filter_map(|at| members.get(at)));
        let members = by_size(members.iter());
        self.background.chance_within_sizes(step.term, &shown, &members) <= LIFT
    }

    /// Whether a workspace of this size holds segments that share as much by accident.
    fn is_chance(&self, steps: &[Step], members: &[Member<'_, '_>]) -> bool {
        let words = shown_by(members).into_iter().filter(|(_, shown)| *shown >= 2);
        let said = words.map(|(word, shown)| self.background.surprise(word, shown, members.len()).max(0.0));
        let done = steps.iter().map(|step| step.surprise.max(0.0));
        done.chain(said).sum::<f64>() <= self.background.cost(members.len())
    }

    /// Whether it is more than one command among everyday work: two steps belong to this work alone, one
    /// of which surprises; or one that most did, which surprises and pays for the cluster with the checks
    /// and, where nearly all did them, the edits and words; all by what was seen elsewhere and not by what
    /// is believed of it.
    fn is_of_its_own(&self, kept: &[Judged], works: &[&SegmentRef<'_>], members: &[Member<'_, '_>]) -> bool {
        let telling: Vec<&Step> =
            kept.iter().map(|kept| &kept.step).filter(|step| tells(&step.claim, works)).collect();
        let [only] = telling.as_slice() else {
            // A procedure without keywords of its own rests on the files that belong together.
            return telling.is_empty() || telling.iter().any(|step| step.surprise > 0.0);
        };
        let all = members.len();
        let seen = |term, shown| self.background.surprise_as_seen(term, shown, all).max(0.0);
        let is_most = only.shown() >= FEWEST_OF_ONE && only.shown() * 2 > all;
        if !is_most || seen(only.term, only.shown()) <= 0.0 {
            return false;
        }
        let counts = |step: &Step| match step.claim {
            Claim::Edit(_) => steps::is_nearly_all(step.shown(), all),
            _ => runs(&step.claim, works).is_some_and(|command| !command.is_everyday()),
        };
        let done = kept.iter().map(|kept| &kept.step).filter(|step| counts(step));
        let words = shown_by(members).into_iter().filter(|(_, shown)| steps::is_nearly_all(*shown, all));
        let shown = done.map(|step| (step.term, step.shown())).chain(words);
        shown.map(|(term, shown)| seen(term, shown)).sum::<f64>() > self.background.cost(all)
    }
}

/// How many segments of each size there are.
fn by_size<'m, 'a: 'm>(members: impl Iterator<Item = &'m Member<'m, 'a>>) -> BySize {
    let mut counts = BySize::default();
    members.for_each(|(_, terms)| commonness::add(&mut counts, commonness::size(terms.actions.len())));
    counts
}

/// The events that show a claim, as one list: claims that the same calls show have the same.
fn calls(claim: &SupportedClaim) -> Vec<&str> {
    claim.support.iter().flat_map(|evidence| &evidence.events).map(String::as_str).collect()
}

fn works<'m, 'a>(members: &[Member<'m, 'a>]) -> Vec<&'m SegmentRef<'a>> {
    members.iter().map(|(work, _)| *work).collect()
}

fn claims(steps: &[Step]) -> Vec<Claim> {
    steps.iter().map(|step| step.claim.clone()).collect()
}

fn sessions(claim: &SupportedClaim) -> Sessions<'_> {
    let sessions = claim.support.iter();
    sessions
        .map(|evidence| ((evidence.tenant.as_str(), evidence.session.as_str()), evidence.person.as_str()))
        .collect()
}

/// A procedure says something: two steps at least, of which one belongs to this work alone.
fn is_a_procedure(steps: &[Claim], works: &[&SegmentRef<'_>]) -> bool {
    steps.len() >= 2 && (steps.iter().any(|step| tells(step, works)) || adds_to_a_list(steps))
}

/// Whether sessions edit another file of one kind each time, always with the same second file, and run a command for
/// both: for example, if every new file must be added to a list.
fn adds_to_a_list(steps: &[Claim]) -> bool {
    let edits =
        |same: bool| steps.iter().any(|step| matches!(step, Claim::Edit(file) if file.is_literal() == same));
    edits(true) && edits(false) && steps.iter().any(|step| matches!(step, Claim::Run(_)))
}

/// Whether a step belongs to this work alone: no check, no everyday command, and no edit, for which
/// file is edited tells of the task at hand.
fn tells(step: &Claim, works: &[&SegmentRef<'_>]) -> bool {
    runs(step, works).is_some_and(|command| !command.is_check() && !command.is_everyday())
}

/// A command of the segments that does what the step says.
fn runs<'w>(step: &Claim, works: &[&'w SegmentRef<'_>]) -> Option<&'w Command> {
    let Claim::Run(template) = step else { return None };
    let mut commands =
        works.iter().flat_map(|work| work.segment.actions()).filter_map(|(_, action)| action.command());
    commands.find(|command| template.matches(command))
}
