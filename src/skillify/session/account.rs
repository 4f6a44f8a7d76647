//! Accounts: what a session cost, and why.
//!
//! A **failure** is a command or tool that failed, with the calls that it took until the same one passed. An
//! **objection** is an act that a person refused, stopped or corrected. A **place** is a path that was looked for and
//! not found, or a name that was searched for and found.
//!
//! Acts are told in a closed form: a program with its subcommand, a tool's name, an ending of files with the folder at
//! the root of the repository. No argument, no output and nothing that anybody said is in an account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::prompt::Role;
use super::action::{Action, What};
use super::checkout::Checkout;
use super::endings::Endings;
use super::event_ids::EventIds;
use super::search_result::Found;
use super::segment::LONGEST_PAUSE;
use super::segment::{Segment, Turn, segments};
use crate::event::{Decision, Kind, SessionEvent, Status, Timestamp};
use crate::shell::command::Command;
use crate::shell::family::Family;
use crate::shell::refusal::refusal;
use crate::table::Session;

/// The kind of failed calls of which nothing more is known.
const OTHER: &str = "other calls";
/// A word of a command that is longer names no act.
const LONGEST_WORD: usize = 40;
/// So many words of a command name the act.
const MOST_WORDS: usize = 3;

/// What a session cost, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The time in which something happened: pauses of more than ten minutes are left out.
    pub active: Duration,
    /// What failed.
    pub failures: Vec<Failure>,
    /// What people refused, stopped and corrected.
    pub objections: Vec<Objection>,
    /// Where things were looked for.
    pub places: Vec<Place>,
}

/// A command or tool that failed, until it passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it is for: `tests`, `lint`, `editing`.
    pub kind: &'static str,
    /// The program and its subcommand, or the tool.
    pub what: String,
    /// How often it failed before it passed.
    pub failed: u64,
    /// Its outcome.
    pub end: End,
}

/// What came of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The same passed, so many calls later.
    Passed(u64),
    /// It never passed in this session.
    Open,
    /// Nothing that is run again until it passes: an edit, a look.
    Once,
}

/// An act that a person was against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// `run git push`, `edit *.md in docs`.
    pub act: String,
    /// How the person said so.
    pub how: How,
    /// The event that shows it: the prompt that corrects, the refused call, what stopped the assistant; `""` if none does.
    pub event: String,
}

/// How a person was against an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It was refused, without a word.
    Refused,
    /// It was refused, with a reason.
    RefusedWithWords,
    /// The assistant was stopped after it.
    Stopped,
    /// The next prompt corrects it.
    Corrected,
}

/// A place that was looked for. Paths begin at the root of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// There is no such path.
    Missing(String),
    /// A search below the path found nothing.
    InVain(String),
    /// A name was searched for and is declared in a file.
    Declared {
        /// The name.
        name: String,
        /// The file.
        file: String,
    },
}

impl Account {
    /// The account of a session.
    pub fn of(session: &Session) -> Self {
        let mut endings = Endings::default();
        let segments = segments(session, &mut endings);
        let tools = Tools::of(session);
        let checkout = Checkout::of(session);
        let mut account = Self { active: active(session), ..Self::default() };
        account.places = segments.iter().flat_map(|segment| &segment.turns).flat_map(places).collect();
        account.failures = Run::of(&segments, &tools);
        account.failures.extend(failed_besides(session, &segments, &tools));
        account.objections =
            segments.iter().flat_map(|segment| objections(segment, &tools, &checkout)).collect();
        let shown = refused(&segments);
        account.objections.extend(refused_besides(session, &shown));
        account
    }
}

/// The time in which something happened.
fn active(session: &Session) -> Duration {
    let mut times: Vec<Timestamp> = session.facts.iter().map(|fact| fact.event.timestamp).collect();
    times.sort_unstable();
    let gaps = times.windows(2).filter_map(|pair| Some(pair.get(1)?.since(*pair.first()?)));
    gaps.filter(|gap| *gap <= LONGEST_PAUSE).sum()
}

fn places(turn: &Turn<'_>) -> impl Iterator<Item = Place> {
    turn.looks.iter().filter_map(|look| match &look.found {
        Found::Missing(path) => Some(Place::Missing(path.clone())),
        Found::InVain(path) => Some(Place::InVain(path.clone())),
        Found::Declared { name, file } => Some(Place::Declared { name: name.clone(), file: file.clone() }),
        _ => None,
    })
}

/// The tools of a session's calls, by event.
struct Tools<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Tools<'a> {
    fn of(session: &'a Session) -> Self {
        let named = session.facts.iter().filter(|fact| !fact.event.tool.is_empty());
        Self(named.map(|fact| (fact.event.event_id.as_str(), fact.event.tool.as_str())).collect())
    }

    /// The tool whose result it is.
    fn of_result(&self, session: &Session, result: &SessionEvent) -> String {
        let call =
            || session.of_call(Kind::ToolCall, &result.tool_call_id).map(|call| call.event_id.as_str());
        let own = self.0.get(result.event_id.as_str());
        let tool = own.or_else(|| self.0.get(call()?));
        tool.and_then(|tool| plain_word(tool)).unwrap_or_else(|| "a tool".to_owned())
    }

    /// The tool behind an action that does not keep its name.
    fn of_action(&self, action: &Action) -> String {
        let ids = action.events.to_vec();
        let tool = ids.iter().find_map(|id| self.0.get(id.as_str()));
        tool.and_then(|tool| plain_word(tool)).unwrap_or_else(|| "a tool".to_owned())
    }
}

/// The failures of a session, as they come.
#[derive(Default)]
struct Run<'s> {
    failures: Vec<Failure>,
    /// Where in the failures each command stands that has not passed yet, and the call in which it failed first.
    open: BTreeMap<&'s str, (usize, u64)>,
    calls: u64,
    last: Option<&'s EventIds>,
}

impl<'s> Run<'s> {
    fn of(segments: &'s [Segment<'_>], tools: &Tools<'_>) -> Vec<Failure> {
        let mut run = Self::default();
        for (_, action) in segments.iter().flat_map(Segment::actions) {
            if run.last != Some(&action.events) {
                run.calls += 1;
                run.last = Some(&action.events);
            }
            run.add(action, tools);
        }
        run.failures
    }

    fn add(&mut self, action: &'s Action, tools: &Tools<'_>) {
        let again = action.run().filter(|command| !command.is_trivial());
        match (again, action.status) {
            (Some(command), Status::Ok) => {
                let Some((at, since)) = self.open.remove(command.identity_anywhere()) else { return };
                if let Some(failure) = self.failures.get_mut(at) {
                    failure.end = End::Passed(self.calls - since);
                }
            }
            (Some(command), Status::Error) => {
                let key = command.identity_anywhere();
                let (at, _) = *self.open.entry(key).or_insert((self.failures.len(), self.calls));
                match self.failures.get_mut(at) {
                    Some(failure) => failure.failed += 1,
                    None => self.failures.push(failure(action, tools, End::Open)),
                }
            }
            (None, Status::Error) => self.failures.push(failure(action, tools, End::Once)),
            (_, _) => {}
        }
    }
}

fn failure(action: &Action, tools: &Tools<'_>, end: End) -> Failure {
    let (kind, what) = match &action.what {
        What::Command(command) if command.is_trivial() => ("reading and searching", label(command)),
        What::Command(command) => (kind_of(command.family()), label(command)),
        What::Opaque(token) | What::Unsaid(token) => (kind_of(Family::Other), label_of(token.split(' '))),
        What::Edit(_) => ("editing", tools.of_action(action)),
        What::Skill => ("skills", tools.of_action(action)),
        What::Look => ("reading and searching", tools.of_action(action)),
        What::Tool(tool) => ("other tools", label(tool)),
    };
    Failure { kind, what, failed: 1, end }
}

const fn kind_of(family: Family) -> &'static str {
    match family {
        Family::Test => "tests",
        Family::Lint => "lint",
        Family::Format => "format",
        Family::TypeCheck => "types",
        Family::Build => "build",
        Family::Install => "install",
        Family::VersionControl => "git and its hosts",
        Family::Other => "other commands",
    }
}

/// Refusals and corrections in a segment.
fn objections(segment: &Segment<'_>, tools: &Tools<'_>, checkout: &Checkout<'_>) -> Vec<Objection> {
    let mut objections = Vec::new();
    let mut last: Option<&EventIds> = None;
    for (_, action) in segment.actions().filter(|(_, action)| action.refused) {
        // A line of several commands is refused once.
        if last == Some(&action.events) {
            continue;
        }
        last = Some(&action.events);
        let how = refusal_of(action.said.as_deref().unwrap_or_default());
        let event = action.events.to_vec().into_iter().next().unwrap_or_default();
        objections.push(Objection { act: act(action, tools, checkout), how, event });
    }
    for (at, turn) in segment.turns.iter().enumerate() {
        let done = || last_act(turn, tools, checkout);
        if turn.interrupted {
            let event = turn.stop.map(|stop| stop.event_id.clone()).unwrap_or_default();
            objections.push(Objection { act: done(), how: How::Stopped, event });
        }
        let correction = segment.turns.get(at + 1).filter(|next| next.role == Role::Correction);
        if let Some(next) = correction.filter(|_| !turn.interrupted) {
            let event = next.prompt.map(|prompt| prompt.event_id.clone()).unwrap_or_default();
            objections.push(Objection { act: done(), how: How::Corrected, event });
        }
    }
    objections
}

fn refusal_of(said: &str) -> How {
    let has_words = !said.trim().is_empty() && refusal(said).is_none_or(|refusal| refusal.words.is_some());
    if has_words { How::RefusedWithWords } else { How::Refused }
}

/// The events of refused calls that actions show.
fn refused(segments: &[Segment<'_>]) -> BTreeSet<String> {
    let actions = segments.iter().flat_map(Segment::actions).map(|(_, action)| action);
    actions.filter(|action| action.refused).flat_map(|action| action.events.to_vec()).collect()
}

/// Calls that failed without a known failed action: for example, if nothing shows which of several commands failed.
fn failed_besides(session: &Session, segments: &[Segment<'_>], tools: &Tools<'_>) -> Vec<Failure> {
    let events = session.facts.iter().map(|fact| &fact.event);
    let failed =
        events.filter(|event| event.kind == Kind::ToolResult && session.status_of(event) == Status::Error);
    let mut failed = failed.peekable();
    if failed.peek().is_none() {
        return Vec::new();
    }
    let actions = segments.iter().flat_map(Segment::actions).map(|(_, action)| action);
    let told = actions.filter(|action| action.status == Status::Error);
    let told: BTreeSet<String> = told.flat_map(|action| action.events.to_vec()).collect();
    let besides = failed.filter(|event| !told.contains(&event.event_id));
    besides
        .map(|event| Failure {
            kind: OTHER,
            what: tools.of_result(session, event),
            failed: 1,
            end: End::Once,
        })
        .collect()
}

/// Refused calls without an action: nobody knows what they would have done.
fn refused_besides(session: &Session, shown: &BTreeSet<String>) -> Vec<Objection> {
    let events = || session.facts.iter().map(|fact| &fact.event);
    let call = |event: &SessionEvent| event.tool_call_id.clone();
    let mut known: BTreeSet<String> =
        events().filter(|event| shown.contains(&event.event_id)).map(call).collect();
    known.remove("");
    let decisions = events().filter(|event| {
        let is_about_a_call = !(event.tool_call_id.is_empty() && event.decision_source == "user_abort");
        event.kind == Kind::Decision && event.decision == Decision::Reject && is_about_a_call
    });
    let mut besides = Vec::new();
    for event in decisions.filter(|event| !shown.contains(&event.event_id)) {
        if !event.tool_call_id.is_empty() && !known.insert(call(event)) {
            continue;
        }
        let called = session.of_call(Kind::ToolCall, &event.tool_call_id);
        let tool = if event.tool.is_empty() { called.map_or("", |call| &call.tool) } else { &event.tool };
        let tool = plain_word(tool).unwrap_or_else(|| "a tool".to_owned());
        let how = refusal_of(&event.text);
        besides.push(Objection { act: format!("call {tool}"), how, event: event.event_id.clone() });
    }
    besides
}

/// The last action of a turn that changed something, else its last look.
fn last_act(turn: &Turn<'_>, tools: &Tools<'_>, checkout: &Checkout<'_>) -> String {
    let tells = |action: &&Action| action.token().is_some();
    let last = turn.actions.iter().rfind(tells).or(turn.actions.last());
    last.map_or_else(|| "answer in words".to_owned(), |action| act(action, tools, checkout))
}

fn act(action: &Action, tools: &Tools<'_>, checkout: &Checkout<'_>) -> String {
    match &action.what {
        What::Command(command) => format!("run {}", label(command)),
        What::Opaque(token) | What::Unsaid(token) => format!("run {}", label_of(token.split(' '))),
        What::Edit(path) => format!("edit {}", class_of(checkout.within(path))),
        What::Skill => "load a skill".to_owned(),
        What::Tool(tool) => format!("call {}", label(tool)),
        What::Look => format!("call {}", tools.of_action(action)),
    }
}

/// Program and subcommand.
fn label(command: &Command) -> String {
    label_of(command.verb().into_iter())
}

fn label_of<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.take(MOST_WORDS).map_while(plain_word).collect();
    if words.is_empty() { "a command".to_owned() } else { words.join(" ") }
}

/// A word that names a program, a task or a file: of a path the file alone. `None` for what may be anything.
fn plain_word(word: &str) -> Option<String> {
    let name = word.trim_end_matches('/').rsplit(['/', '\\']).next().unwrap_or_default();
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_.:+@-".contains(char);
    let fits = !name.is_empty() && name.len() <= LONGEST_WORD && !name.starts_with('-');
    (fits && name.chars().all(is_plain)).then(|| name.to_owned())
}

/// A class of paths: the ending, and the folder at the root of the repository.
fn class_of(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let files = match name.rsplit_once('.') {
        Some((_, ending)) if plain_word(ending).is_some() => format!("*.{ending}"),
        _ => plain_word(name).unwrap_or_else(|| "a file".to_owned()),
    };
    let is_outside = path.starts_with(['/', '~']) || path.split('/').any(|part| part == "..");
    match path.trim_start_matches("./").split_once('/') {
        _ if is_outside => format!("{files} by its whole path"),
        Some((folder, _)) => match plain_word(folder) {
            Some(folder) => format!("{files} in {folder}"),
            None => files,
        },
        None => files,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_told_in_a_closed_form() {
        for (path, class) in [
            ("docs/a.md", "*.md in docs"),
            ("a.md", "*.md"),
            ("./cmd/x/y.go", "*.go in cmd"),
            ("Makefile", "Makefile"),
            ("/home/ann/notes.txt", "*.txt by its whole path"),
            ("../other/a.rs", "*.rs by its whole path"),
            ("what a name/please do this.md", "*.md"),
            ("", "a file"),
            ("x/<script>alert(1)</script>", "a file in x"),
        ] {
            assert_eq!(class_of(path), class, "{path}");
        }
        for (words, label) in [
            (vec!["git", "push"], "git push"),
            (vec!["/home/ann/bin/deploy.sh", "now"], "deploy.sh now"),
            (vec!["python", "print('my secret')"], "python"),
            (vec!["\u{202e}x"], "a command"),
            (vec![], "a command"),
        ] {
            assert_eq!(label_of(words.iter().copied()), label, "{words:?}");
        }
    }
}
