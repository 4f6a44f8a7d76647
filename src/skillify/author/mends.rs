//! What mends a finding of a linter, and what only silences it. An edit that writes a directive (`nolint`, `noqa`) ends
//! the finding and not its cause: it shows nothing for a lesson about code, and a lesson about the directive has to name it.

use std::sync::LazyLock;

use regex::Regex;

use super::super::predicate::Happened;
use super::super::predicate::{Action, Event, Expected, Predicate, Side, Track, Verdict};
use super::told::new_lines;

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

/// The verdict without the sessions in which the finding was silenced, where the lesson is not about that.
pub(super) fn of(when: &Predicate, mut verdict: Verdict, tracks: &[Track<'_>]) -> Verdict {
    if !is_of_a_finding(when) || !directives(when).is_empty() {
        return verdict;
    }
    let mut lost = 0;
    verdict.shown.retain(|shown| {
        let silenced = shown.side == Side::For
            && tracks.get(shown.place).is_some_and(|track| is_silenced(track, &shown.events));
        lost += u32::from(silenced);
        !silenced
    });
    verdict.counts.treated_with -= lost.min(verdict.counts.treated_with);
    verdict.unknown += lost;
    verdict
}

/// Whether an edit between these events writes a directive.
fn is_silenced(track: &Track<'_>, events: &[String]) -> bool {
    let is_shown = |at: &usize| {
        track.beats.get(*at).is_some_and(|beat| beat.events.iter().any(|event| events.contains(event)))
    };
    let places: Vec<usize> = (0..track.beats.len()).filter(is_shown).collect();
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return false };
    let between = track.beats.get(*first..=*last).unwrap_or_default();
    between.iter().any(|beat| match &beat.what {
        Happened::Act { input, action, .. } => action.edited().is_some() && silences(&new_lines(input)),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
