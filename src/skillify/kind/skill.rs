//! **No such skill**: a session asks for a skill that is not there.
//!
//! - Situation: a session asks for a skill by name. Outcome: the assistant says that there is none. Nobody loaded it in
//!   this workspace.
//! - The claim says what to run instead if a command with that name as a word passed in the same segment, in half of the
//!   sessions and in three: `commit` and `git commit`.
//! - Proof: binomial against the rate at which calls of tools get that answer in the repository.
//! - Null: which calls of tools were answered so, within a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::super::claim::{Claim, SupportedClaim};
use super::super::evidence::segment_ref::SegmentRef;
use super::super::evidence::segment_ref::session_of;
use super::super::session::action::What;
use super::super::session::event_ids::EventIds;
use super::super::session::outcome::Outcome;
use super::super::session::search_result::Found;
use super::super::significance::Counts;
use super::super::significance::{PRIOR_RATE, binomial_tail, shrunk};
use super::super::template::Template;
use super::{FEWEST_TREATED, Proposed, Sessions, Shuffle, Verdict, judged, number};
use crate::event::Status;

/// A call of a tool of the assistant's own.
struct Use<'a> {
    session: usize,
    work: &'a SegmentRef<'a>,
    /// The skill that it asks for, `""` if it is another tool.
    name: &'a str,
    /// The events of the call that says that there is none.
    unknown: Option<&'a EventIds>,
}

/// The skills that are not there. `loaded` are those that any session of the workspace loaded: what a session does with a
/// skill is not among the others.
pub(in super::super) fn skills(
    sessions: &Sessions<'_>,
    loaded: &BTreeSet<String>,
    mut shuffle: Option<&mut Shuffle>,
) -> (Vec<Proposed>, Vec<(Proposed, Verdict)>) {
    let (mut standing, mut fallen) = (Vec::new(), Vec::new());
    for (_, mut uses) in by_project(sessions) {
        if uses.iter().all(|used| used.unknown.is_none()) {
            continue;
        }
        if let Some(shuffle) = shuffle.as_deref_mut() {
            shuffle.deal(&mut uses, |used| &mut used.unknown);
        }
        let (stand, fall) = judged(of_project(&uses, loaded), 0);
        standing.extend(stand);
        fallen.extend(fall);
    }
    (standing, fallen)
}

/// Tool calls by repository: those that read or changed a file, and those that asked for a skill.
fn by_project<'a>(sessions: &Sessions<'a>) -> BTreeMap<&'a str, Vec<Use<'a>>> {
    let places = sessions.places();
    let mut projects: BTreeMap<&str, Vec<Use<'_>>> = BTreeMap::new();
    for work in sessions.works {
        let Some(session) = places.get(&session_of(work)).copied() else { continue };
        let uses = projects.entry(&work.session.project).or_default();
        let other = || Use { session, work, name: "", unknown: None };
        for look in &work.segment.looks {
            uses.extend(match &look.found {
                Found::Skill { name, known } => {
                    let unknown = (!known).then_some(&look.events);
                    Some(Use { session, work, name, unknown })
                }
                Found::Present(_) | Found::Missing(_) => Some(other()),
                _ => None,
            });
        }
        let is_tool = |what: &What| matches!(what, What::Edit(_) | What::Tool(_));
        uses.extend(work.segment.actions().filter(|(_, action)| is_tool(&action.what)).map(|_| other()));
    }
    projects
}

fn of_project(uses: &[Use<'_>], loaded: &BTreeSet<String>) -> Vec<Proposed> {
    let mut unknown: BTreeMap<&str, BTreeMap<usize, &Use<'_>>> = BTreeMap::new();
    let mut known: BTreeSet<&str> = loaded.iter().map(String::as_str).chain([""]).collect();
    for used in uses {
        if used.unknown.is_some() {
            unknown.entry(used.name).or_default().entry(used.session).or_insert(used);
        } else {
            known.insert(used.name);
        }
    }
    let refused = uses.iter().filter(|used| used.unknown.is_some()).count();
    let rate = shrunk((number(refused), number(uses.len())), PRIOR_RATE);
    let missing = unknown.iter().filter(|(name, _)| !known.contains(*name));
    missing.map(|(name, by)| propose(name, by, rate)).collect()
}

fn propose(name: &str, by: &BTreeMap<usize, &Use<'_>>, rate: f64) -> Proposed {
    let mut support = Vec::new();
    for used in by.values() {
        let events = used.unknown.map(EventIds::to_vec).unwrap_or_default();
        support.push(used.work.evidence_of(events, Outcome::Accepted));
    }
    support.sort();
    let counts = Counts { treated_with: number(by.len()), ..Counts::default() };
    let claim = SupportedClaim {
        claim: Claim::NoSkill { name: name.to_owned(), instead: instead(name, by) },
        failures: Vec::new(),
        counts,
        p_value: binomial_tail(counts.treated_with, counts.treated(), rate),
        support,
        against: Vec::new(),
        place: 0,
        untreated: Vec::new(),
    };
    Proposed { claim, treated: by.keys().copied().collect() }
}

/// The command with the skill's name among its words that most sessions ran in the same piece of work.
fn instead(name: &str, by: &BTreeMap<usize, &Use<'_>>) -> Option<Template> {
    let mut ran: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (session, used) in by {
        for (_, action) in used.work.segment.actions().filter(|(_, action)| action.status == Status::Ok) {
            let command = match &action.what {
                What::Command(command) => command.token(),
                What::Opaque(token) | What::Unsaid(token) => token,
                _ => continue,
            };
            if command.split(' ').skip(1).any(|word| word == name) {
                ran.entry(command.to_owned()).or_default().insert(*session);
            }
        }
    }
    let (command, sessions) = ran.into_iter().max_by_key(|(_, sessions)| sessions.len())?;
    let is_usual = sessions.len() >= FEWEST_TREATED as usize && sessions.len() * 2 >= by.len();
    is_usual.then(|| Template::parse(&command)).flatten()
}
