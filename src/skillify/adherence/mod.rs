//! Adherence: whether a session met the situation of a claim, and did what the claim says.
//!
//! A claim is learned from some sessions and looked at in others. Of each session that met its situation this tells
//! whether the claim was **followed** or **broken**, and whether it ended **well**. A session that did both broke it.
//!
//! | claim | met by a session that | broken by one that | ends well if |
//! |---|---|---|---|
//! | Repair | saw the failure | did not run the repair | the command passed after |
//! | Prevent | ran the command | did not run the other before | its first run passed |
//! | Instead, Prefer | ran one of the two | ran the unwanted one | a run passed |
//! | Avoid | ran the program | ran the command | – |
//! | Check | edited such a file | did not run the check after | its last run passed |
//! | Together | edited the file | did not edit the other | – |
//! | Declared | used the file, or searched for the name | searched for the name | it was found there |
//! | Missing | looked there | looked there and found nothing | nobody found it |
//! | Rejects | ran the check | broke the rule | its last run passed |
//! | Run | ran two steps of the procedure | did not run this one | people were content |
//! | NoFlag | gave the program flags | gave this one | the program took it |
//! | NoSkill | asked for the skill | asked for it | it was loaded |
//! | Leftover | saw a check fail there, and removed it | – | – |
//! | Piped | ran the check | ran it behind a filter | no failure was hidden |
//! | Asked | edited such a file | ran the check when people had pointed to it, or not at all | its last run passed |
//! | Slow | ran the check, or what to run instead | ran the check | the last run passed |
//! | Flaky | saw the check fail | did not run it again at once | that run passed |
//! | Hook | made a commit | ran the check since the last edit before it | – |
//! | Changes | ran the check | did not look at the changed files after it | – |
//! | Snippet | saw a script of its own fail so | never called the name after | the last such run passed |
//! | Rule | heard it again from a person | – | – |
//!
//! | file | what it decides |
//! |---|---|
//! | `named.rs` | checks that name what they check by the name of a file |
//! | `tools.rs` | claims about a check, a flag, a script or what people say |
//!
//! Who keeps a rule says nothing of it, so a rule is met where it was broken.

mod named;
mod tools;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::claim::Claim;
use super::digest::Digest;
use super::kind::member::{is_suite, whole_task};
use super::session::action::Action;
use super::session::claimable::{claimable, repairable};
use super::session::outcome::Outcome;
use super::session::search_result::Found;
use super::template::Template;
use crate::event::Status;
use crate::shell::command::Command;

/// What one session shows of a claim whose situation it met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// It did what the claim says.
    pub followed: bool,
    /// How it ended, where that tells.
    pub well: Option<bool>,
}

/// Sums over the sessions that met a claim's situation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// Sessions that did what the claim says.
    pub followed: u64,
    /// Those of them that ended well.
    pub followed_well: u64,
    /// Those of them that did not.
    pub followed_ill: u64,
    /// Sessions that did not do what it says.
    pub broken: u64,
    /// Those of them that ended well all the same.
    pub broken_well: u64,
    /// Those of them that did not.
    pub broken_ill: u64,
}

impl Later {
    /// How many sessions met the situation.
    pub const fn met(&self) -> u64 {
        self.followed + self.broken
    }

    /// Counts one more session.
    pub fn add(&mut self, seen: Seen) {
        let (all, well, ill) = if seen.followed {
            (&mut self.followed, &mut self.followed_well, &mut self.followed_ill)
        } else {
            (&mut self.broken, &mut self.broken_well, &mut self.broken_ill)
        };
        *all += 1;
        *well += u64::from(seen.well == Some(true));
        *ill += u64::from(seen.well == Some(false));
    }
}

/// A claim as it is looked for in sessions.
#[derive(Debug, Clone, Copy)]
pub struct Watched<'c> {
    /// The claim.
    pub claim: &'c Claim,
    /// The signatures of the failures that it is about; empty: any failure.
    pub failures: &'c [String],
    /// The commands of the procedure that it is a step of; empty for any other claim.
    pub steps: &'c [&'c Template],
}

impl Watched<'_> {
    /// What the session shows of the claim; `None` if it did not meet its situation, or the claim's kind tells
    /// nothing by itself.
    pub fn seen_in(&self, digest: &Digest) -> Option<Seen> {
        self.seen_among(digest, &digest.all_actions().collect::<Vec<_>>())
    }

    /// [`Watched::seen_in`], where the session's actions are known.
    pub(super) fn seen_among(&self, digest: &Digest, actions: &[&Action]) -> Option<Seen> {
        match self.claim {
            Claim::Repair { command, repair } => self.repaired(command, repair, actions),
            Claim::Prevent { command, first } => prevented(command, first, actions),
            Claim::Instead { run, failed } => {
                tools::unwrapped(run, failed, actions).or_else(|| chosen(run, failed, actions))
            }
            Claim::Prefer { prefer, over } => chosen(prefer, over, actions),
            Claim::Avoid(command) => avoided(command, actions),
            Claim::Check { edited, run } if named::is_pattern(edited) => named::checked(edited, run, actions),
            Claim::Check { edited, run } => checked(edited, run, actions),
            Claim::Together { edited, also } => together(edited, also, actions),
            Claim::Declared { name, file } => declared(name, file, digest, actions),
            Claim::Missing { path, .. } => missing(&path.to_string(), digest),
            Claim::Rejects { run, rule } => rejected(run, rule, actions),
            Claim::Run(command) => self.stepped(command, actions),
            Claim::NoFlag { run, .. } => tools::flagged(run, digest, actions),
            Claim::NoSkill { name, .. } => tools::skill(name, digest),
            Claim::Leftover { folder, .. } => tools::left_over(&folder.to_string(), digest),
            Claim::Piped { run } => tools::piped(run, actions),
            Claim::Asked { edited, run } => tools::asked(edited, run, actions),
            Claim::Slow { run, instead } => tools::timed(run, instead.as_ref(), actions),
            Claim::Hook { run } => tools::before_a_commit(run, actions),
            Claim::Flaky { run } => tools::repeated(run, actions),
            Claim::Changes { run } => tools::looked_after(run, digest),
            Claim::Snippet { error, code, .. } => tools::called(error, code, actions),
            Claim::Rule { want, act, name } => tools::said_again(*want, act, name.as_ref(), digest),
            // A predicate is counted by its own room.
            Claim::Edit(_) | Claim::Lesson { .. } => None,
        }
    }

    fn repaired(&self, command: &Template, repair: &Template, actions: &[&Action]) -> Option<Seen> {
        let is_it = |signature: &Option<String>| {
            self.failures.is_empty() || signature.as_ref().is_some_and(|own| self.failures.contains(own))
        };
        let fails =
            |action: &&Action| ended(command, action) == Some(Status::Error) && is_it(&action.signature);
        let at = actions.iter().position(fails)?;
        let after = actions.get(at + 1..).unwrap_or_default();
        let passes = after.iter().position(|action| ended(command, action) == Some(Status::Ok));
        let between = after.get(..passes.unwrap_or(after.len())).unwrap_or_default();
        let followed = between.iter().any(|action| runs(repair, action));
        Some(Seen { followed, well: Some(passes.is_some()) })
    }

    fn stepped(&self, command: &Template, actions: &[&Action]) -> Option<Seen> {
        let ran = |step: &Template| actions.iter().any(|action| runs(step, action));
        let done = self.steps.iter().filter(|step| ran(step)).count();
        let last = actions.iter().rfind(|action| runs(command, action));
        let outcome = last.map_or(Outcome::Unknown, |action| action.outcome);
        let well = match outcome {
            Outcome::Accepted => Some(true),
            Outcome::Rejected => Some(false),
            Outcome::Unknown => None,
        };
        (done >= self.steps.len().clamp(1, 2)).then_some(Seen { followed: last.is_some(), well })
    }
}

impl Claim {
    /// What a session did that [`Later::broken`] counts, in a few words.
    pub const fn unheeded(&self) -> &'static str {
        match self {
            Self::Repair { .. } => "failed so, did not repair it so",
            Self::Prevent { .. } => "ran it without the other first",
            Self::Instead { .. } | Self::Prefer { .. } => "ran the other one",
            Self::Avoid(_) => "ran it",
            Self::Check { .. } => "did not run it after",
            Self::Together { .. } => "did not edit the other",
            Self::Declared { .. } => "searched for it",
            Self::Missing { .. } => "looked there in vain",
            Self::Rejects { .. } => "broke the rule",
            Self::Run(_) => "left the step out",
            Self::NoFlag { .. } => "gave it the flag",
            Self::NoSkill { .. } => "asked for it",
            Self::Leftover { .. } => "saw a check fail there",
            Self::Piped { .. } => "ran it behind a filter",
            Self::Asked { .. } => "ran it unasked, or not at all",
            Self::Slow { .. } => "ran the slow one",
            Self::Flaky { .. } => "did not run it again at once",
            Self::Hook { .. } => "ran it before a commit",
            Self::Changes { .. } => "did not look what had changed",
            Self::Snippet { .. } => "failed so, did not call it so",
            Self::Rule { .. } => "heard it from a person again",
            Self::Edit(_) | Self::Lesson { .. } => "",
        }
    }
}

/// Whether an action ran the command, or a person refused that it did.
fn asked_for(command: &Template, action: &Action) -> bool {
    repairable(action).is_some_and(|run| {
        let program = || run.words().first().map(|word| word.value.as_str());
        command.program().is_none_or(|own| program() == Some(own)) && command.matches(run)
    })
}

fn runs(command: &Template, action: &Action) -> bool {
    !action.refused && asked_for(command, action)
}

/// How a run of the command ended; `None` if the action is none, or nothing tells.
fn ended(command: &Template, action: &Action) -> Option<Status> {
    (action.status != Status::Unknown && runs(command, action)).then_some(action.status)
}

/// Whether the last run passed that tells.
fn last_passed(command: &Template, actions: &[&Action]) -> Option<bool> {
    actions.iter().rev().find_map(|action| ended(command, action)).map(|status| status == Status::Ok)
}

fn prevented(command: &Template, first: &Template, actions: &[&Action]) -> Option<Seen> {
    let at = actions.iter().position(|action| runs(command, action))?;
    let before = actions.get(..at).unwrap_or_default();
    let well = actions.iter().find_map(|action| ended(command, action)).map(|status| status == Status::Ok);
    Some(Seen { followed: before.iter().any(|action| runs(first, action)), well })
}

fn chosen(wanted: &Template, unwanted: &Template, actions: &[&Action]) -> Option<Seen> {
    let broken = actions.iter().any(|action| asked_for(unwanted, action));
    let followed = actions.iter().any(|action| runs(wanted, action));
    let run = if broken { unwanted } else { wanted };
    (broken || followed).then(|| Seen { followed: !broken, well: last_passed(run, actions) })
}

fn avoided(command: &Template, actions: &[&Action]) -> Option<Seen> {
    let program = command.program()?;
    let is_of_it = |action: &&&Action| {
        repairable(action).and_then(|run| run.words().first()).is_some_and(|word| word.value == program)
    };
    actions.iter().find(is_of_it)?;
    let broken = actions.iter().any(|action| asked_for(command, action));
    Some(Seen { followed: !broken, well: None })
}

/// Whether a file is one that a template of edited files speaks of, or one of its class: `a/**/*.go`, `a/*.go`, `*.go`.
fn is_of_class(edited: &Template, path: &str) -> bool {
    let text = edited.to_string();
    let Some((folder, ending)) = text.split_once("*.") else { return edited.matches_path(path) };
    let is_ending = path.strip_suffix(ending).is_some_and(|name| name.ends_with('.'));
    let below = match (folder.is_empty(), folder.strip_suffix("**/")) {
        (true, _) => true,
        (false, Some(root)) => path.starts_with(root),
        (false, None) => path.strip_prefix(folder).is_some_and(|name| !name.contains('/')),
    };
    is_ending && below
}

/// A check that names no file, read as the kind reads it that finds such checks (`kind/check.rs`).
fn checked(edited: &Template, run: &Template, actions: &[&Action]) -> Option<Seen> {
    let files = named::edited_files(actions);
    let edits = actions.iter().enumerate().filter_map(|(at, action)| Some((at, *action, action.edited()?)));
    let mut edits = edits.filter(|(.., path)| files.contains(path));
    let (at, edit, path) = edits.find(|(.., path)| is_of_class(edited, path))?;
    let task = run.to_string();
    let belongs = |command: &&Command| {
        // A class of files has no parameter that a command could share.
        run.goes_with(edited, path, command)
            || (!edited.matches_path(path) && run.matches(command))
            || whole_task(command.identity()).is_some_and(|whole| whole == task)
    };
    let after = actions.get(at + 1..).unwrap_or_default().iter();
    // What one call does has no order to learn.
    let after = after.filter(|action| action.events != edit.events && named::could_work(action));
    let checks =
        after.filter(|action| claimable(action).filter(|own| is_suite(own)).is_some_and(|own| belongs(&own)));
    let ended: Vec<Status> = checks.map(|action| action.status).collect();
    let well =
        ended.iter().rev().find(|status| **status != Status::Unknown).map(|status| *status == Status::Ok);
    Some(Seen { followed: !ended.is_empty(), well })
}

fn together(edited: &Template, also: &Template, actions: &[&Action]) -> Option<Seen> {
    let paths: BTreeSet<&str> = actions.iter().filter_map(|action| action.edited()).collect();
    let is_met = paths.iter().any(|path| is_of_class(edited, path));
    let followed = paths.iter().any(|path| is_of_class(also, path));
    is_met.then_some(Seen { followed, well: None })
}

fn found(digest: &Digest) -> impl Iterator<Item = &Found> {
    digest.segments.iter().flat_map(|segment| &segment.looks).map(|look| &look.found)
}

fn declared(name: &str, file: &Template, digest: &Digest, actions: &[&Action]) -> Option<Seen> {
    let (mut used, mut searched, mut elsewhere) = (false, false, false);
    for found in found(digest) {
        match found {
            Found::Declared { name: own, file: path } if own == name => {
                searched = true;
                elsewhere |= !file.matches_path(path);
            }
            Found::Present(path) => used |= file.matches_path(path),
            _ => {}
        }
    }
    used |= actions.iter().filter_map(|action| action.edited()).any(|path| file.matches_path(path));
    (used || searched).then_some(Seen { followed: !searched, well: searched.then_some(!elsewhere) })
}

fn missing(path: &str, digest: &Digest) -> Option<Seen> {
    let is_there =
        |own: &str| own.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let (mut missed, mut present) = (false, false);
    for found in found(digest) {
        match found {
            Found::Missing(own) | Found::InVain(own) => missed |= is_there(own),
            Found::Present(own) => present |= is_there(own),
            _ => {}
        }
    }
    (missed || present).then_some(Seen { followed: !missed, well: Some(!present) })
}

fn rejected(run: &Template, rule: &str, actions: &[&Action]) -> Option<Seen> {
    let is_run = |action: &&&Action| ended(run, action).is_some();
    actions.iter().find(is_run)?;
    let broken = actions.iter().filter(is_run).any(|action| action.rules.iter().any(|own| own == rule));
    Some(Seen { followed: !broken, well: last_passed(run, actions) })
}

/// What the newer half of a repository's sessions shows of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recently {
    /// The day since which they began, as `2026-11-22`.
    pub since: String,
    /// How many there are.
    pub sessions: u64,
    /// Those that met its situation.
    pub later: Later,
    /// What the claim is expected to save a session that knows it, in thousandths of a call.
    pub saves: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_of_files_has_its_files_and_no_others() {
        for (class, path, is_one) in [
            ("cmd/**/*.go", "cmd/a/b.go", true),
            ("cmd/**/*.go", "cmd/b.go", true),
            ("cmd/**/*.go", "lib/cmd/b.go", false),
            ("cmd/*.go", "cmd/a/b.go", false),
            ("cmd/*.go", "cmd/b.go", true),
            ("*.go", "x/y.go", true),
            ("*.go", "x/y.gov", false),
            ("*.go", "x/ygo", false),
            ("src/{name}.py", "src/tax.py", true),
            ("src/tax.py", "src/tax.py", true),
        ] {
            assert_eq!(is_of_class(&Template::parse_path(class), path), is_one, "{class} {path}");
        }
    }
}
