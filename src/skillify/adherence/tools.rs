//! What a session did of a claim about a check, a flag, a script or what people say.

use super::super::digest::Digest;
use super::super::kind::rule::is_one_side;
use super::super::session::action::{Action, What};
use super::super::session::claimable::repairable;
use super::super::session::printed_scripts::is_commit;
use super::super::session::search_result::Found;
use super::super::speech::{Want, acts};
use super::super::template::Template;
use super::{Seen, asked_for, checked, ended, found, last_passed, runs};
use crate::event::Status;
use crate::shell::command::Command;

/// Two commands that differ by leading words: `rtk bun` and `bun`. They stand for all commands that begin so.
pub(super) fn unwrapped(run: &Template, failed: &Template, actions: &[&Action]) -> Option<Seen> {
    let (right, wrong) = (run.literal_words()?, failed.literal_words()?);
    let is_wrapped = wrong.len() > right.len() && wrong.ends_with(&right);
    if !is_wrapped {
        return None;
    }
    let begins = |command: &Command, words: &[&str]| command.whole_words().starts_with(words);
    let of = |words: &[&str]| -> Vec<&Action> {
        let own = actions.iter().filter(|action| repairable(action).is_some_and(|run| begins(run, words)));
        own.copied().collect()
    };
    let (bare, wrapped) = (of(&right), of(&wrong));
    let told = if wrapped.is_empty() { &bare } else { &wrapped };
    let last = told.iter().rev().find(|action| !action.refused && action.status != Status::Unknown);
    let well = last.map(|action| action.status == Status::Ok);
    (!told.is_empty()).then_some(Seen { followed: wrapped.is_empty(), well })
}

/// The flag was given, or the program with others.
pub(super) fn flagged(run: &Template, digest: &Digest, actions: &[&Action]) -> Option<Seen> {
    let words = run.literal_words()?;
    let (flag, command) = words.split_last()?;
    let named = command.join(" ");
    let (mut met, mut broken, mut taken) = (false, false, false);
    for found in found(digest) {
        match found {
            Found::Unknown { command, flag: own } if *command == named => {
                met = true;
                broken |= own == flag;
            }
            Found::Takes { command, flag: own } if *command == named => {
                met = true;
                taken |= own == flag;
            }
            _ => {}
        }
    }
    for action in actions.iter().filter(|action| !action.refused) {
        let Some(words) = repairable(action).map(Command::main_words) else { continue };
        let is_it = words.starts_with(command);
        met |= is_it;
        taken |= is_it && words.contains(flag) && action.status == Status::Ok;
    }
    met.then_some(Seen {
        followed: !broken && !taken,
        well: taken.then_some(true).or(broken.then_some(false)),
    })
}

/// The skill was asked for.
pub(super) fn skill(name: &str, digest: &Digest) -> Option<Seen> {
    let mut asked = found(digest).filter_map(|found| match found {
        Found::Skill { name: own, known } if own == name => Some(*known),
        _ => None,
    });
    asked.next().map(|first| Seen { followed: false, well: Some(first || asked.any(|known| known)) })
}

/// A check failed in what was left over there, and that was removed.
pub(super) fn left_over(folder: &str, digest: &Digest) -> Option<Seen> {
    let is_it = |found: &Found| match found {
        Found::LeftOver(path) => {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => false,
    };
    found(digest).any(is_it).then_some(Seen { followed: true, well: None })
}

/// The check ran behind a filter, or without one.
pub(super) fn piped(run: &Template, actions: &[&Action]) -> Option<Seen> {
    let own: Vec<&&Action> = actions.iter().filter(|action| runs(run, action)).collect();
    let broken = own.iter().any(|action| action.piped);
    let hid = own.iter().any(|action| action.hid);
    (!own.is_empty()).then_some(Seen { followed: !broken, well: Some(!hid) })
}

/// Files were edited, and the check ran by itself or when people had pointed to it.
pub(super) fn asked(edited: &Template, run: &Template, actions: &[&Action]) -> Option<Seen> {
    let seen = checked(edited, run, actions)?;
    let is_asked = actions.iter().any(|action| action.asked && runs(run, action));
    Some(Seen { followed: seen.followed && !is_asked, well: seen.well })
}

/// The check that takes too long ran, or what does not.
pub(super) fn timed(run: &Template, instead: Option<&Template>, actions: &[&Action]) -> Option<Seen> {
    let broken = actions.iter().any(|action| asked_for(run, action));
    let followed = instead.is_some_and(|instead| actions.iter().any(|action| runs(instead, action)));
    let told = if broken { Some(run) } else { instead };
    let well = told.and_then(|told| last_passed(told, actions));
    (broken || followed).then_some(Seen { followed: !broken, well })
}

/// A commit was made, with the check run by hand since the last edit or without.
pub(super) fn before_a_commit(run: &Template, actions: &[&Action]) -> Option<Seen> {
    let is_commit = |action: &Action| match &action.what {
        What::Opaque(token) | What::Unsaid(token) => token == "git commit",
        What::Command(command) => is_commit(command),
        _ => false,
    };
    let at = actions.iter().position(|action| is_commit(action) && !action.refused)?;
    let before = actions.get(..at).unwrap_or_default();
    let edited = before.iter().rposition(|action| action.edited().is_some()).map_or(0, |edited| edited + 1);
    let broken = before.iter().skip(edited).any(|action| runs(run, action));
    Some(Seen { followed: !broken, well: None })
}

/// The check failed, and was run again before anything else was done.
pub(super) fn repeated(run: &Template, actions: &[&Action]) -> Option<Seen> {
    let at = actions.iter().position(|action| ended(run, action) == Some(Status::Error))?;
    let next = actions.get(at + 1).filter(|action| runs(run, action));
    let well = next.and_then(|action| ended(run, action)).map(|status| status == Status::Ok);
    Some(Seen { followed: next.is_some(), well })
}

/// The check ran, and the session looked at the changed files after it.
pub(super) fn looked_after(run: &Template, digest: &Digest) -> Option<Seen> {
    let (mut met, mut followed) = (false, false);
    for segment in &digest.segments {
        let mut ran = segment.actions().enumerate().filter(|(_, (_, action))| runs(run, action));
        let Some((first, _)) = ran.next() else { continue };
        met = true;
        followed |= segment.trees.iter().any(|tree| tree.at as usize > first);
    }
    met.then_some(Seen { followed, well: None })
}

/// A script of its own failed so, and called the name later.
pub(super) fn called(error: &str, code: &str, actions: &[&Action]) -> Option<Seen> {
    let scripts: Vec<&&Action> =
        actions.iter().filter(|action| !action.calls.is_empty() && !action.refused).collect();
    let fails =
        |action: &&&Action| action.status == Status::Error && action.signature.as_deref() == Some(error);
    let at = scripts.iter().position(fails)?;
    let calls = |action: &&&&Action| action.calls.iter().any(|name| name == code);
    let with: Vec<&&&Action> = scripts.iter().skip(at).filter(calls).collect();
    let passed = |action: &Action| action.status == Status::Ok;
    let well = match with.last() {
        Some(last) => passed(last),
        None => scripts.last().is_some_and(|last| passed(last)),
    };
    Some(Seen { followed: !with.is_empty(), well: Some(well) })
}

/// A person said it again: nobody had done so by himself.
pub(super) fn said_again(want: Want, act: &str, name: Option<&Template>, digest: &Digest) -> Option<Seen> {
    let name = name.map(|name| name.to_string().to_lowercase()).unwrap_or_default();
    let mut said = digest.segments.iter().flat_map(|segment| &segment.statements);
    let says = |said: &str| acts::plain(said) == acts::plain(act);
    let is_it =
        said.any(|one| says(&one.act) && one.name.to_lowercase() == name && is_one_side(one.want, want));
    is_it.then_some(Seen { followed: false, well: None })
}
