//! What people say of what was done: calls that they refuse, checks that they report, commits that they order.
//!
//! The words say that a person wants something; what was done says what: "don't check this in" about a plan, "what are
//! you doing?" about `git reset --hard`, "the lint is failing" about `make lint`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::super::prompt::asked::asks_for;
use super::super::session::action::Action;
use super::super::session::claimable::claimable;
use super::super::session::search_result::Found;
use super::super::session::segment::{Segment, Turn};
use super::act::Told;
use super::forms::{self, of_name};
use super::mood;
use super::tokens::has_any;
use super::{Heard, Strength, Want, heard_at};
use crate::shell::command::Command;

/// What is known of a session's deeds before its words are read.
pub(super) struct Deeds<'a> {
    /// The checks that ran in it.
    checks: Vec<&'a Command>,
    /// The parts of the paths that it read and changed, in lower case.
    parts: BTreeSet<String>,
}

impl<'a> Deeds<'a> {
    pub(super) fn of(segments: &'a [Segment<'_>]) -> Self {
        let actions = || segments.iter().flat_map(|segment| segment.actions().map(|(_, action)| action));
        let checks = actions().filter(|action| !action.refused).filter_map(claimable);
        let looks = segments.iter().flat_map(|segment| &segment.turns).flat_map(|turn| &turn.looks);
        let read = looks.filter_map(|look| match &look.found {
            Found::Present(path) | Found::Declared { file: path, .. } => Some(path.as_str()),
            _ => None,
        });
        let paths = read.chain(actions().filter_map(Action::edited));
        let mut checks: Vec<&Command> = checks.filter(|command| command.family().is_check()).collect();
        checks.sort_by_key(|command| command.identity());
        checks.dedup_by_key(|command| command.identity());
        Self { checks, parts: paths.flat_map(parts_of).collect() }
    }

    /// Whether a rule about two parts of a project speaks of parts that are there.
    pub(super) fn knows(&self, told: &Told) -> bool {
        let is_part = |word: &str| {
            self.parts.range(word.to_owned()..).next().is_some_and(|part| part.starts_with(word))
        };
        told.act != "parity"
            || forms::parts(&told.name).is_some_and(|(one, other)| is_part(one) && is_part(other))
    }

    /// The check that a sentence reports as failing, or asks for by name.
    pub(super) fn reported(&self, sentence: &str) -> Option<Told> {
        let text = format!(" {} ", super::normalised(sentence));
        if text.split(' ').count() > 40 {
            return None;
        }
        let says_it_fails = has_any(&text, FAILS);
        let is_named = |command: &&&Command| says_it_fails && asks_for(sentence, command);
        let named = self.checks.iter().filter(is_named).min_by_key(|command| command.identity().len());
        let by_kind = || {
            self.checks
                .iter()
                .filter(|command| fails(&text, command))
                .min_by_key(|command| command.identity().len())
        };
        let command = named.or_else(by_kind)?;
        Some(of_name("verify", command.identity(), "run"))
    }
}

fn parts_of(path: &str) -> impl Iterator<Item = String> {
    path.split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|part| part.len() > 1)
        .map(str::to_lowercase)
}

#[rustfmt::skip]
const FAILS: &[&str] = &[
    "broken", "error", "errors", "fail", "failed", "failing", "fails", "failure", "failures", "is red", "are red", "shows errors",
];

/// Whether a text says that the kind of check fails that the command is: "the lint is failing", "fix the integration
/// tests".
fn fails(text: &str, command: &Command) -> bool {
    let Some(task) = command.core().into_iter().next_back() else { return false };
    let parts: Vec<&str> = task.split([':', '-', '_']).collect();
    let kinds: &[&str] = match parts.as_slice() {
        ["lint"] => &["lint", "linter", "linting"],
        ["test" | "tests"] => &["test", "tests", "unit tests"],
        ["typecheck"] | ["type", "check"] => &["typecheck", "type check", "type checks"],
        ["build"] => &["build"],
        ["test", "integration"] | ["integration"] | ["integration", "test" | "tests"] => {
            &["integration tests", "integration test"]
        }
        ["test", "e2e"] | ["e2e"] => &["e2e tests", "e2e test"],
        _ => return false,
    };
    kinds.iter().any(|kind| {
        let Some(at) = text.find(&format!(" {kind} ")) else { return false };
        let before = text.get(..=at).unwrap_or_default();
        // "Integration tests" are none of these.
        if ["integration", "e2e", "end2end", "ci", "acceptance", "smoke"]
            .iter()
            .any(|other| before.trim_end().ends_with(other))
        {
            return false;
        }
        let behind = text.get(at + kind.len() + 2..).unwrap_or_default();
        REPORT.as_ref().is_some_and(|report| report.is_match(behind))
            || ORDER.as_ref().is_some_and(|[order, end]| order.is_match(before) && end.is_match(behind))
    })
}

static REPORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:is |are |was |were |still |now |all |again |also |looks |look |seems |on ci |in ci |run |job )*(?:fail|fails|failed|failing|broken|red|showing errors|shows errors)\b").ok()
});

static ORDER: LazyLock<Option<[Regex; 2]>> = LazyLock::new(|| {
    Some([
        Regex::new(r" (?:fix|mend|repair|solve|resolve) (?:up |the |all |any |these |those |my |our |failing |failed |broken |red )*$").ok()?,
        Regex::new(r"^(?:errors?|failures?|issues?|problems?|warnings?)? ?(?:$|please |in |on |from |cmd |src |and )").ok()?,
    ])
});

/// Commands that put away or throw away what is in the work tree.
fn discards(command: &Command) -> bool {
    let words: Vec<&str> = command.words().iter().map(|word| word.value.as_str()).collect();
    let has = |flags: &[&str]| words.iter().any(|word| flags.contains(word));
    match command.verb().as_slice() {
        ["git", "reset"] => has(&["--hard", "--merge", "--keep"]),
        ["git", "stash"] => !has(&["list", "show", "pop", "apply"]),
        ["git", "clean"] => !has(&["-n", "--dry-run"]),
        ["git", "restore"] => !has(&["--staged"]),
        ["git", "checkout"] => has(&["--", "-f", "--force", "."]),
        _ => false,
    }
}

/// What a person wants who refuses a call with these words; `calls` are all its commands.
pub(super) fn refused(said: &str, calls: &[&Action]) -> Vec<Heard> {
    let mut heard: Vec<Heard> = heard_at(said, true).into_iter().map(Heard::of_a_refusal).collect();
    let commands = || calls.iter().filter_map(|action| action.command());
    if adds_documents_alone(commands()) {
        // "Don't check this in": what it is he does not say, the call does.
        for one in heard.iter_mut().filter(|one| one.want == Want::Not && one.told.is_commit()) {
            one.told = Told::of("notes", "commit", "plans");
        }
    }
    let says = |one: &Heard| one.want != Want::Do && one.told.is_known();
    // A long script is refused for many reasons.
    let is_its_aim = commands().count() <= SCRIPT && commands().any(discards);
    if is_its_aim && protests(said) && !heard.iter().any(says) {
        let told = Told::of("discard", "discard", "my work");
        let sentence = said.lines().next().unwrap_or_default().trim().to_owned();
        heard.push(Heard { sentence, want: Want::Ask, strength: Strength::Standing, told });
    }
    heard
}

/// A call of more commands is a script.
const SCRIPT: usize = 3;

/// Whether the words only protest: "What are you doing?", "no!". Such a person does not want the call, now or later.
fn protests(said: &str) -> bool {
    #[rustfmt::skip]
    const OPENS: &[&str] = &["do not", "don t", "hey", "never", "no", "nope", "not", "stop", "what", "whoa", "why", "you can not", "you can t", "you must not"];
    let text = format!(" {} ", super::normalised(said));
    OPENS.iter().any(|open| text.starts_with(&format!(" {open} "))) && !mood::is_of_the_moment(said)
}

/// Whether all that is staged are plans, designs and notes.
fn adds_documents_alone<'c>(commands: impl Iterator<Item = &'c Command>) -> bool {
    let mut paths = Vec::new();
    for command in commands.filter(|command| command.verb() == ["git", "add"]) {
        let words = command.words().iter().map(|word| word.value.as_str()).skip(1);
        paths.extend(words.filter(|word| !word.starts_with('-') && *word != "add").map(str::to_owned));
    }
    !paths.is_empty() && paths.iter().all(|path| is_working_document(path))
}

fn is_working_document(path: &str) -> bool {
    #[rustfmt::skip]
    const KINDS: &[&str] = &[
        "brainstorm", "design", "designs", "draft", "drafts", "notes", "plan", "plans", "proposal", "proposals", "requirements", "rfc", "rfcs", "scratch", "spec", "specs", "todo",
    ];
    let is_text = [".md", ".mdx", ".txt", ".rst", ".adoc"].iter().any(|kind| path.ends_with(kind))
        || path.ends_with('/');
    is_text && parts_of(path).any(|part| KINDS.contains(&part.as_str()))
}

/// The commit that a turn made, if any: an event that shows it.
pub(super) fn commit_of(turn: &Turn<'_>) -> Option<String> {
    let is_commit = |action: &&Action| {
        !action.refused
            && action.agent.is_empty()
            && action.command().is_some_and(|command| command.verb() == ["git", "commit"])
    };
    turn.actions.iter().find(is_commit)?.events.to_vec().into_iter().next()
}

/// An order to commit that was followed.
pub(super) fn ordered(heard: &Heard) -> Option<Heard> {
    let is_order = heard.want == Want::Do && heard.strength == Strength::Plain && heard.told.is_commit();
    is_order.then(|| Heard {
        sentence: heard.sentence.clone(),
        want: Want::Ask,
        strength: Strength::Plain,
        told: Told::of("commit-order", "commit", "#commit-order"),
    })
}

/// A commit that nobody ordered in its turn.
pub(super) fn unordered() -> Heard {
    let told = Told::of("commit-order", "commit", "#commit-order");
    Heard { sentence: String::new(), want: Want::Free, strength: Strength::Plain, told }
}
