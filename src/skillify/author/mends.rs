//! What mends a finding of a linter, and what only silences it. An edit that writes a directive (`nolint`, `noqa`) ends
//! the finding and not its cause: it shows nothing for a lesson about code, and a lesson about the directive has to name it.

use std::sync::LazyLock;

use regex::Regex;

use super::super::predicate::Happened;
use super::super::predicate::{Action, Event, Expected, Predicate, Shown, Side, Track, Verdict};
use super::told::old_and_new;
use crate::event::Status;
use crate::shell::command::Command;

/// Directives of linters, compilers and type checkers, as their manuals write them.
static DIRECTIVE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\bnolint\b|\bnosec\b|\bnoqa\b|eslint-disable|biome-ignore|@ts-(?:ignore|expect-error|nocheck)|type:\s*ignore|pylint:\s*disable|rubocop:disable|shellcheck disable|#\[(?:allow|expect)\(|@SuppressWarnings|prettier-ignore|markdownlint-disable",
    )
    .ok()
});

/// Whether a text holds a directive that silences a finding.
pub(super) fn silences(text: &str) -> bool {
    DIRECTIVE.as_ref().is_some_and(|form| form.is_match(text))
}

/// Whether an edit writes more directives than it replaces.
fn adds_a_directive(input: &str) -> bool {
    let (old, new) = old_and_new(input);
    let count = |text: &str| DIRECTIVE.as_ref().map_or(0, |form| form.find_iter(text).count());
    count(&new) > count(&old)
}

/// Whether it says that an edit ends a failure with a named cause.
fn is_of_a_finding(when: &Predicate) -> bool {
    let Event::Run { saying, .. } = &when.situation else { return false };
    let edits = matches!(&when.action, Some(Action::Steps(steps))
        if steps.iter().all(|step| matches!(step, Event::Edit { .. })));
    !saying.is_empty() && edits && matches!(when.expected, Some(Expected::Ends { passes: true, .. }))
}

/// The texts of a directive that its edits write.
pub(super) fn directives(when: &Predicate) -> Vec<&str> {
    let steps: &[Event] = match &when.action {
        Some(Action::Steps(steps)) => steps,
        _ => &[],
    };
    let written = steps.iter().filter_map(|step| match step {
        Event::Edit { saying, .. } => Some(saying),
        _ => None,
    });
    written.flatten().map(String::as_str).filter(|text| silences(text)).collect()
}

/// Flags with which a command leaves its checks out: that it passes then ends no failure.
const LEAVES_CHECKS_OUT: [&str; 4] = ["--no-verify", "--no-check", "--no-checks", "--skip-checks"];

/// The verdict where a command that passed without its checks counts against what is said to have mended it.
pub(super) fn of(when: &Predicate, verdict: Verdict, tracks: &[Track<'_>]) -> Verdict {
    let verdict = without_silenced(when, verdict, tracks);
    let names_them = || {
        when.commands().iter().any(|command| LEAVES_CHECKS_OUT.iter().any(|flag| command.text.contains(flag)))
    };
    if !matches!(when.expected, Some(Expected::Ends { passes: true, .. })) || names_them() {
        return verdict;
    }
    let leaves_out = |what: &Happened<'_>| match what {
        Happened::Act { action, .. } => action.run().is_some_and(|run| {
            run.words().iter().any(|word| LEAVES_CHECKS_OUT.contains(&word.value.as_str()))
        }),
        _ => false,
    };
    against_where(verdict, |shown| {
        tracks.get(shown.place).is_some_and(|track| has_between(track, &shown.events, leaves_out))
    })
}

/// The verdict where sessions that spoke for it and are such speak against it.
fn against_where(mut verdict: Verdict, is_such: impl Fn(&Shown) -> bool) -> Verdict {
    let mut lost = 0;
    for shown in verdict.shown.iter_mut().filter(|shown| shown.side == Side::For) {
        if is_such(shown) {
            shown.side = Side::Against;
            lost += 1;
        }
    }
    verdict.counts.treated_with -= lost.min(verdict.counts.treated_with);
    verdict.counts.treated_without += lost;
    verdict
}

/// The verdict without the sessions in which the finding was silenced, where the lesson is not about that; and without
/// those in which something was edited, where what ran is said to have ended a failure.
fn without_silenced(when: &Predicate, mut verdict: Verdict, tracks: &[Track<'_>]) -> Verdict {
    let is_not_shown: fn(&Happened<'_>) -> bool = match () {
        () if is_of_a_finding(when) && directives(when).is_empty() => |what| match what {
            Happened::Act { input, action, .. } => action.edited().is_some() && adds_a_directive(input),
            _ => false,
        },
        // Of an edit in between nobody knows whether it, or what ran, ended the failure.
        () if when.repairs_by_runs() => |what| match what {
            Happened::Act { action, .. } => action.edited().is_some(),
            _ => false,
        },
        () => return without_rejected(when, verdict, tracks),
    };
    let mut lost = 0;
    verdict.shown.retain(|shown| {
        let silenced = shown.side == Side::For
            && tracks.get(shown.place).is_some_and(|track| has_between(track, &shown.events, is_not_shown));
        lost += u32::from(silenced);
        !silenced
    });
    verdict.counts.treated_with -= lost.min(verdict.counts.treated_with);
    verdict.unknown += lost;
    verdict
}

/// The verdict where a directive that a later check of the session complains of counts against it: it ended the finding, and
/// was one itself.
fn without_rejected(when: &Predicate, verdict: Verdict, tracks: &[Track<'_>]) -> Verdict {
    let directives: Vec<String> = directives(when).into_iter().map(bare_directive).collect();
    if directives.is_empty() {
        return verdict;
    }
    let is_rejected = |track: &Track<'_>, events: &[String]| {
        let written = track.beats.iter().position(|beat| {
            beat.edited().is_some() && beat.events.iter().any(|event| events.contains(event))
        });
        let later = track.beats.get(written.unwrap_or(track.beats.len())..).unwrap_or_default();
        later.iter().any(|beat| match &beat.what {
            Happened::Act { action, output, .. } if action.run().is_some_and(Command::is_check) => {
                let lines = output.lines().map(str::to_lowercase);
                action.status == Status::Error && complains(lines, &directives)
            }
            _ => false,
        })
    };
    against_where(verdict, |shown| {
        tracks.get(shown.place).is_some_and(|track| is_rejected(track, &shown.events))
    })
}

/// A directive up to its reason, in small letters.
fn bare_directive(text: &str) -> String {
    let text = text.to_lowercase();
    text.trim_start_matches(['/', '#', '*', ' ']).split(' ').next().unwrap_or_default().to_owned()
}

/// Whether a finding is about a directive: its line names the directive, and says that it is unused or lacks something. A line
/// of code that holds it says nothing.
fn complains(mut lines: impl Iterator<Item = String>, directives: &[String]) -> bool {
    const SAYS: [&str; 6] = ["unused", "explanation", "should", "must", "mention", "no effect"];
    lines.any(|line| {
        directives.iter().any(|one| line.contains(one.as_str()))
            && SAYS.iter().any(|word| line.contains(word))
    })
}

/// Whether there is such a thing between these events.
fn has_between(track: &Track<'_>, events: &[String], is_it: impl Fn(&Happened<'_>) -> bool) -> bool {
    let is_shown = |at: &usize| {
        track.beats.get(*at).is_some_and(|beat| beat.events.iter().any(|event| events.contains(event)))
    };
    let places: Vec<usize> = (0..track.beats.len()).filter(is_shown).collect();
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return false };
    let between = track.beats.get(*first..=*last).unwrap_or_default();
    between.iter().any(|beat| is_it(&beat.what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directive_that_was_there_is_not_added() {
        let edit = |old: &str, new: &str| {
            serde_json::json!({ "file_path": "a.go", "old_string": old, "new_string": new }).to_string()
        };
        assert!(adds_a_directive(&edit("f()", "//nolint:gosec // meant\nf()")));
        assert!(!adds_a_directive(&edit("f() //nolint:gosec", "g() //nolint:gosec")));
    }

    #[test]
    fn a_finding_about_a_directive_is_no_line_of_code() {
        let directives = [bare_directive("//nolint:errcheck // meant")];
        assert_eq!(directives, ["nolint:errcheck"]);
        for (line, is_one) in [
            ("a.go:3:4: directive `//nolint:errcheck` should provide explanation (nolintlint)", true),
            ("a.go:3:4: directive `//nolint:errcheck` is unused for linter (nolintlint)", true),
            ("\tdefer f.close() //nolint:errcheck", false),
            ("a.go:9:1: directive `//nolint:gosec` is unused", false),
        ] {
            assert_eq!(complains([line.to_owned()].into_iter(), &directives), is_one, "{line}");
        }
    }

    #[test]
    fn a_directive_is_known_in_many_languages_and_a_word_is_none() {
        for (text, is_one) in [
            ("f() //nolint:errcheck // best effort", true),
            ("import os  # noqa: F401", true),
            ("// eslint-disable-next-line no-console", true),
            ("x = y  # type: ignore[attr]", true),
            ("// the linter of the shop ignores this", false),
            ("gosec", false),
        ] {
            assert_eq!(silences(text), is_one, "{text}");
        }
    }
}
