//! What is there, or works, in the place of what a lesson is against: a file whose name is nearly that of one that is
//! missing, the command that passed where another one failed. That something does not work helps nobody who does not
//! know what does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::predicate::{Beat, Compiled, Happened, Pattern, Predicate, Side, Track, Verdict};
use super::super::session::search_result::Found;
use crate::event::Status;
use crate::shell::command::Command;
use crate::shell::flag::is_flag;

/// So many sessions must show it.
const FEWEST: usize = 2;
/// Names that differ in no more characters are near.
const NEAR: usize = 3;
/// It passes in this share of its runs at least.
const WORKS: f64 = 0.8;
/// The most words of it that are shown.
const MOST_WORDS: usize = 4;
const MOST_FLAGS: usize = 2;

/// A path or a command, with what varies in capitals; `None` where sessions show none.
pub(super) fn of(when: &Predicate, verdict: &Verdict, tracks: &[Track<'_>]) -> Option<String> {
    if let Some(path) = when.refuted_path() {
        return near(path, tracks);
    }
    match when.refuted() {
        Some((command, None)) if when.expected_to_fail() => passes(when, command, verdict, tracks),
        _ => None,
    }
}

/// Whether the command to be replaced passes as often as it fails. Then it failed because of what it found, and does
/// its work.
pub(super) fn works_elsewhere(when: &Predicate, tracks: &[Track<'_>]) -> bool {
    let Some((command, Some(_))) = when.refuted() else { return false };
    let compiled = Compiled::of(when);
    let ended = |track: &Track<'_>, status: Status| {
        track.beats.iter().any(|beat| match &beat.what {
            Happened::Act { action, .. } => {
                action.status == status && action.run().is_some_and(|run| compiled.runs(command, run))
            }
            _ => false,
        })
    };
    let sessions = |status: Status| tracks.iter().filter(|track| ended(track, status)).count();
    sessions(Status::Ok) >= sessions(Status::Error)
}

/// The path that is there and nearly so called: in the same folder, or by the same name in another one.
fn near(path: &str, tracks: &[Track<'_>]) -> Option<String> {
    let mut known: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (place, track) in tracks.iter().enumerate() {
        for beat in &track.beats {
            let own = match &beat.what {
                Happened::Look(Found::Present(own) | Found::Declared { file: own, .. }) => own.as_str(),
                _ => beat.edited().unwrap_or_default(),
            };
            if !own.is_empty() && !own.starts_with(['/', '~']) {
                known.entry(own).or_default().insert(place);
            }
        }
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let rank = |own: &str| {
        let (own_folder, own_name) = own.rsplit_once('/').unwrap_or(("", own));
        let far = strsim::damerau_levenshtein(name, own_name);
        let is_near = own_folder == folder && far <= NEAR.min(name.len() / 3);
        (is_near || (far == 0 && own_folder != folder)).then_some((!is_near, far))
    };
    let shown = known.iter().filter(|(_, sessions)| sessions.len() >= FEWEST);
    let ranked = shown.filter_map(|(own, sessions)| Some((rank(own)?, Reverse(sessions.len()), *own)));
    ranked.min().map(|(.., own)| own.to_owned())
}

/// The command most like it that passed later, in two of the sessions in which it failed.
fn passes(when: &Predicate, refuted: &Pattern, verdict: &Verdict, tracks: &[Track<'_>]) -> Option<String> {
    let compiled = Compiled::of(when);
    let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for shown in verdict.shown.iter().filter(|shown| shown.side == Side::For) {
        let Some(track) = tracks.get(shown.place) else { continue };
        let is_it = |beat: &&Beat<'_>| beat.events.iter().any(|event| shown.events.contains(event));
        let Some(failed) = track.beats.iter().find(is_it) else { continue };
        for run in passed(track, failed) {
            if !compiled.runs(refuted, run)
                && let Some(form) = form(run)
                && same_program(refuted, &form)
            {
                found.entry(form).or_default().insert(shown.place);
            }
        }
    }
    let likeness = |form: &str| tokens(form).intersection(&tokens(&refuted.text)).count();
    let wanted = tokens(&refuted.text).len().div_ceil(2).max(FEWEST);
    let shown = found.into_iter().filter(|(form, sessions)| {
        sessions.len() >= FEWEST && likeness(form) >= wanted && works(form, tracks)
    });
    let best = shown.max_by_key(|(form, sessions)| (likeness(form), sessions.len(), Reverse(form.clone())));
    best.map(|(form, _)| form)
}

/// What passed after it.
fn passed<'t>(track: &'t Track<'_>, failed: &Beat<'_>) -> impl Iterator<Item = &'t Command> {
    let place = failed.place;
    let later = track.beats.iter().filter(move |beat| beat.place > place);
    later.filter_map(|beat| match &beat.what {
        Happened::Act { action, .. } if action.status == Status::Ok => action.run(),
        _ => None,
    })
}

/// A command by its first words and its long flags, without what is handed to it; numbers are `N`.
fn form(run: &Command) -> Option<String> {
    let own = || run.words().iter().map(|word| word.value.as_str());
    // What stands behind a short flag is its value: `-X POST`.
    let is_value = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| run.words().get(at));
        before.is_some_and(|word| word.value.len() == 2 && is_flag(&word.value))
    };
    let things = own().enumerate().filter(|(at, word)| !is_flag(word) && !is_value(*at));
    let words = things.map(|(_, word)| word);
    let flags = own().filter(|word| word.starts_with("--") && !word.contains('=')).take(MOST_FLAGS);
    let plain = |word: &&str| word.chars().all(|char| char.is_ascii_alphanumeric() || "-_./:".contains(char));
    let words: Vec<String> = words.take_while(plain).take(MOST_WORDS).map(without_numbers).collect();
    let told = words.iter().map(String::as_str).chain(flags).collect::<Vec<_>>().join(" ");
    (words.len() >= FEWEST).then_some(told)
}

fn without_numbers(word: &str) -> String {
    let part = |part: &str| match !part.is_empty() && part.chars().all(|char| char.is_ascii_digit()) {
        true => "N".to_owned(),
        false => part.to_owned(),
    };
    word.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn same_program(refuted: &Pattern, form: &str) -> bool {
    let program = |text: &str| text.split(' ').find(|word| !word.contains('=')).map(str::to_owned);
    program(&refuted.text) == program(form)
}

fn tokens(text: &str) -> BTreeSet<String> {
    let words = text.split(|char: char| !char.is_alphanumeric());
    words.filter(|word| word.len() > 1).map(str::to_lowercase).collect()
}

/// Whether its runs pass, in whatever session.
fn works(form_of: &str, tracks: &[Track<'_>]) -> bool {
    let (mut passed, mut failed) = (0_u32, 0_u32);
    for beat in tracks.iter().flat_map(|track| &track.beats) {
        let Happened::Act { action, .. } = &beat.what else { continue };
        let Some(run) = action.run().filter(|_| action.status != Status::Unknown) else { continue };
        if form(run).as_deref() == Some(form_of) {
            *(if action.status == Status::Ok { &mut passed } else { &mut failed }) += 1;
        }
    }
    f64::from(passed) >= WORKS * f64::from(passed + failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::command::single;

    #[test]
    fn a_command_is_told_by_its_words_and_without_its_numbers() {
        for (line, told) in [
            (
                "gh api -X POST repos/a/b/pulls/7/comments/31/replies -f body=x",
                Some("gh api repos/a/b/pulls/N/comments/N/replies"),
            ),
            ("gh pr diff 12 --name-only", Some("gh pr diff N --name-only")),
            ("make", None),
        ] {
            assert_eq!(single(line).and_then(|run| form(&run)).as_deref(), told, "{line}");
        }
    }
}
