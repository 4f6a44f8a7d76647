//! What is summed over sessions. Each session is added once and forgotten.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::person;
use crate::service::mining::episode;
use crate::skillify::Digest;
use crate::skillify::account::{Account, End, How, Place};
use crate::table::Session;
use crate::views::figures::Figures;

use super::Published;

/// Of the things that may differ in every session so many are kept; then those of one session are left out.
const MOST_KEPT: usize = 20_000;

/// People and programs by a number.
type Number = u32;

/// Who a sum is of: sessions, and the people that are known.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) sessions: u64,
    people: BTreeSet<Number>,
    last: u64,
}

impl Sources {
    fn add(&mut self, session: u64, person: Option<Number>) {
        if self.last != session {
            self.last = session;
            self.sessions += 1;
        }
        self.people.extend(person);
    }

    pub(crate) fn people(&self) -> u64 {
        self.people.len() as u64
    }
}

/// What sessions cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) sessions: u64,
    pub(crate) prompts: u64,
    pub(crate) calls: u64,
    pub(crate) failed: u64,
    pub(crate) refused: u64,
    pub(crate) stopped: u64,
    pub(crate) seconds: u64,
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) output: u64,
}

impl Cost {
    fn of(figures: &Figures, account: &Account) -> Self {
        let tokens = figures.tokens();
        let objected = |wanted: &[How]| {
            account.objections.iter().filter(|objection| wanted.contains(&objection.how)).count() as u64
        };
        let positive = |count: i64| u64::try_from(count).unwrap_or_default();
        Self {
            sessions: 1,
            prompts: figures.prompts as u64,
            calls: figures.calls as u64,
            failed: figures.failed as u64,
            refused: objected(&[How::Refused, How::RefusedWithWords]),
            stopped: objected(&[How::Stopped]),
            seconds: account.active.as_secs(),
            input: positive(tokens.input),
            cached: positive(tokens.cache_read),
            output: positive(tokens.output),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.prompts += other.prompts;
        self.calls += other.calls;
        self.failed += other.failed;
        self.refused += other.refused;
        self.stopped += other.stopped;
        self.seconds += other.seconds;
        self.input = self.input.saturating_add(other.input);
        self.cached = self.cached.saturating_add(other.cached);
        self.output = self.output.saturating_add(other.output);
    }
}

/// A failing command, and the cost until it passed.
#[derive(Debug, Default)]
pub(crate) struct Failed {
    pub(crate) failed: u64,
    /// Those of them after which the same passed.
    pub(crate) passed: u64,
    /// How often it passed after failures.
    pub(crate) repairs: u64,
    /// The calls that these took, together.
    pub(crate) until: u64,
    /// Those of them after which it never passed.
    pub(crate) open: u64,
    pub(crate) sources: Sources,
}

/// Refusals and corrections.
#[derive(Debug, Default)]
pub(crate) struct Against {
    pub(crate) refused: u64,
    pub(crate) with_words: u64,
    pub(crate) stopped: u64,
    pub(crate) corrected: u64,
    pub(crate) sources: Sources,
}

impl Against {
    pub(crate) fn all(&self) -> u64 {
        self.refused + self.stopped + self.corrected
    }
}

/// What was looked for.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// Of a path: how often it was not there; of a name: how often it was searched for.
    pub(crate) times: u64,
    /// How often a search below the path found nothing.
    pub(crate) in_vain: u64,
    pub(crate) sources: Sources,
}

/// Sums over sessions.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) all: Cost,
    pub(crate) days: BTreeMap<String, Cost>,
    pub(crate) projects: BTreeMap<(String, String), Cost>,
    pub(crate) people: BTreeMap<String, Cost>,
    /// The names that clients give people; they are removed from what is shown.
    pub(crate) names: BTreeSet<String>,
    pub(crate) kinds: BTreeMap<&'static str, Failed>,
    pub(crate) commands: BTreeMap<(&'static str, String), Failed>,
    pub(crate) against: BTreeMap<String, Against>,
    pub(crate) missed: BTreeMap<(String, String), Looked>,
    pub(crate) sought: BTreeMap<(String, String, String), Looked>,
    pub(crate) skills: Vec<Published>,
    numbers: BTreeMap<String, Number>,
}

impl Tally {
    pub(crate) fn new(skills: Vec<Published>) -> Self {
        Self { skills, ..Self::default() }
    }

    /// How many people are known.
    pub(crate) fn known_people(&self) -> u64 {
        self.numbers.len() as u64
    }

    pub(crate) fn add(&mut self, session: &Session) {
        let who = person::joined(&session.user_id, &session.assistant);
        if !session.user_id.is_empty() {
            self.names.insert(session.user_id.clone());
        }
        let account = Account::of(session);
        let cost = Cost::of(&Figures::of(session), &account);
        self.all.add(cost);
        self.days.entry(session.started_at.date()).or_default().add(cost);
        let place = (session.workspace.clone(), session.project.clone());
        self.projects.entry(place).or_default().add(cost);
        self.people.entry(who.clone()).or_default().add(cost);
        let next = Number::try_from(self.numbers.len()).unwrap_or(Number::MAX);
        let number = (!who.is_empty()).then(|| *self.numbers.entry(who).or_insert(next));
        self.add_account(&account, &session.project, number);
        add_to_skills(&mut self.skills, session);
    }

    fn add_account(&mut self, account: &Account, project: &str, person: Option<Number>) {
        let session = self.all.sessions;
        for failure in &account.failures {
            let key = (failure.kind, failure.what.clone());
            for sum in [self.kinds.entry(failure.kind).or_default(), self.commands.entry(key).or_default()] {
                sum.failed += failure.failed;
                match failure.end {
                    End::Passed(calls) => {
                        sum.passed += failure.failed;
                        sum.repairs += 1;
                        sum.until += calls;
                    }
                    End::Open => sum.open += failure.failed,
                    End::Once => {}
                }
                sum.sources.add(session, person);
            }
        }
        for objection in &account.objections {
            let sum = self.against.entry(objection.act.clone()).or_default();
            match objection.how {
                How::Refused => sum.refused += 1,
                How::RefusedWithWords => {
                    sum.refused += 1;
                    sum.with_words += 1;
                }
                How::Stopped => sum.stopped += 1,
                How::Corrected => sum.corrected += 1,
            }
            sum.sources.add(session, person);
        }
        for place in &account.places {
            let looked = match place {
                Place::Missing(path) | Place::InVain(path) => {
                    self.missed.entry((project.to_owned(), path.clone())).or_default()
                }
                Place::Declared { name, file } => {
                    let key = (project.to_owned(), name.clone(), file.clone());
                    self.sought.entry(key).or_default()
                }
            };
            match place {
                Place::InVain(_) => looked.in_vain += 1,
                Place::Missing(_) | Place::Declared { .. } => looked.times += 1,
            }
            looked.sources.add(session, person);
        }
        bound(&mut self.commands, |sum| &sum.sources);
        bound(&mut self.against, |sum| &sum.sources);
        bound(&mut self.missed, |sum| &sum.sources);
        bound(&mut self.sought, |sum| &sum.sources);
    }
}

/// What the session shows of published skills; a digest is made only where there are some.
pub(crate) fn add_to_skills(skills: &mut [Published], session: &Session) {
    let of_tenant =
        |published: &&mut Published| published.library.is_of(&session.tenant) && !published.skills.is_empty();
    let mut libraries = skills.iter_mut().filter(of_tenant).peekable();
    if libraries.peek().is_none() {
        return;
    }
    let digest = Digest::of(session);
    let episode = episode(&digest);
    for skill in libraries.flat_map(|published| &mut published.skills) {
        skill.add(&digest, &episode);
    }
}

/// Keeps a map from growing with the table.
fn bound<K: Ord, V>(sums: &mut BTreeMap<K, V>, sources: impl Fn(&V) -> &Sources) {
    if sums.len() > MOST_KEPT {
        let mut most = 1;
        while sums.len() > MOST_KEPT / 2 {
            sums.retain(|_, sum| sources(sum).sessions > most);
            most += 1;
        }
    }
}
