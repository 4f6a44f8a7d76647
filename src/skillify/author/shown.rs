//! How commands and prompts are shown: what is the same on every day, and paths from the root of the repository.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::super::predicate::Track;
use super::clean::Cleaner;
use crate::shell::command::Command;

pub(super) const LONGEST_COMMAND: usize = 120;

/// Whether a prompt only takes up what was offered: `yes`, `option 3`.
pub(super) fn agrees(text: &str) -> bool {
    const WORDS: [&str; 14] = [
        "yes", "yeah", "yep", "y", "no", "ok", "okay", "sure", "continue", "go", "ahead", "option", "please",
        "thanks",
    ];
    let mut words = text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    words.all(|word| {
        WORDS.contains(&word.to_lowercase().as_str()) || word.chars().all(|char| char.is_ascii_digit())
    })
}

/// A prompt without what a client writes behind it.
pub(super) fn without_notes(text: &str) -> &str {
    const NOTES: [&str; 1] = ["If you need specific details from before exiting plan mode"];
    let end = NOTES.iter().filter_map(|note| text.find(note)).min().unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// A text whose paths begin at the root of the repository, as those of edits do.
pub(super) fn from_the_root<'t>(text: &'t str, track: &Track<'_>) -> Cow<'t, str> {
    // Of a word: `repos/acme/shop` is none.
    static PATH: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(^|[\s'"`=(:,])(/[\w.@+~-]+(?:/[\w.@+~-]*)+)"#).ok());
    let Some(path) = PATH.as_ref() else { return Cow::Borrowed(text) };
    path.replace_all(text, |found: &regex::Captures<'_>| {
        let part = |at| found.get(at).map_or("", |part| part.as_str());
        format!("{}{}", part(1), track.checkout.within(part(2)))
    })
}

/// A command as it is shown: of a text that is handed to it the first line.
pub(super) fn shown_command(text: &str, track: &Track<'_>, clean: &Cleaner) -> Option<String> {
    let text = from_the_root(text, track);
    let lines = text.lines().take(if text.contains("<<") { 2 } else { usize::MAX });
    let text = lines.collect::<Vec<_>>().join("\n");
    clean.command(&text, LONGEST_COMMAND)
}

/// The part of a command that is the same on other days: its words before any message, without numbers.
pub(super) fn kind_of(text: &str) -> String {
    let told = |word: &&str| !word.starts_with(['"', '\'', '$']) && !word.contains('=');
    let words = text.split_whitespace().take_while(told);
    words.collect::<Vec<_>>().join(" ").replace(|char: char| char.is_ascii_digit(), "")
}

/// Whether a command changes what others see, or the checkout, or speaks to the place where the code is kept: what people
/// have rules for.
pub(super) fn hands_over(command: &Command) -> bool {
    let changes = command.is_delivery() || command.is_version_control();
    speaks_to_the_forge(command) || (changes && !command.is_trivial())
}

/// Whether it speaks to the place where the code is kept, or names a release.
pub(super) fn speaks_to_the_forge(command: &Command) -> bool {
    matches!(command.verb().as_slice(), ["gh" | "glab" | "hub", ..] | ["git", "tag", ..])
}

#[cfg(test)]
mod tests {
    use super::{agrees, hands_over, kind_of};
    use crate::shell::command::single;

    #[test]
    fn what_others_will_see_is_handed_over() {
        for (line, hands) in [
            ("gh pr view 7", true),
            ("gh api repos/a/b/pulls/7/comments", true),
            ("git commit -m x", true),
            ("git push origin main", true),
            ("git tag release/1.2.0", true),
            ("git status --short", false),
            ("make test", false),
            ("ls src", false),
        ] {
            assert_eq!(single(line).is_some_and(|command| hands_over(&command)), hands, "{line}");
        }
    }

    #[test]
    fn what_is_handed_over_again_on_another_day_is_of_one_kind() {
        let kind = "gh api repos/a/b/pulls//comments//replies -f";
        assert_eq!(kind_of("gh api repos/a/b/pulls/7/comments/31/replies -f body=\"Fixed.\""), kind);
        assert_ne!(kind_of("gh api repos/a/b/pulls/comments/31/replies -f body=x"), kind);
    }

    #[test]
    fn who_only_takes_up_what_was_offered_says_nothing() {
        for (text, only) in
            [("Yes, please!", true), ("option 3", true), ("commit", false), ("yes, and add a test", false)]
        {
            assert_eq!(agrees(text), only, "{text}");
        }
    }
}
