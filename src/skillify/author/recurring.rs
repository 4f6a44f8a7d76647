//! What happens in one session after another: a flag that people give, an edit that cannot be made, a name that is searched
//! for. One session's excerpt does not tell it from what happened once, so that it is shown with its count.
//!
//! It is shown where it happens in the third, sixth, twelfth … session, oldest first: sessions that come later change nothing of
//! what is shown of earlier ones.

use std::collections::{BTreeMap, BTreeSet};

use super::super::predicate::{Beat, Happened, Track};
use super::super::session::search_result::Found;
use super::shown::{LONGEST_COMMAND, hands_over};
use super::told::telling_lines;
use crate::event::Status;
use crate::shell::flag::{is_flag, is_manner};

/// What fewer sessions show is not told so.
const FIRST: usize = 3;
/// So many are marked in one session.
const MOST: usize = 3;
/// A flag of more characters is no word.
const LONGEST_FLAG: usize = 24;

/// In how many sessions so far each thing happened.
#[derive(Default)]
pub(super) struct Recurring(BTreeMap<String, usize>);

impl Recurring {
    /// The places of the next session's beats that are to be shown with a count of sessions, and the count.
    pub(super) fn of_next(&mut self, track: &Track<'_>) -> BTreeMap<usize, usize> {
        let (mut seen, mut marked) = (BTreeSet::new(), BTreeMap::new());
        for (at, beat) in track.beats.iter().enumerate() {
            for key in keys(beat) {
                if !seen.insert(key.clone()) {
                    continue;
                }
                let count = self.0.entry(key).or_default();
                *count += 1;
                if is_told(*count) && marked.len() < MOST {
                    marked.entry(at).or_insert(*count);
                }
            }
        }
        marked
    }
}

/// The third, the sixth, the twelfth …
fn is_told(count: usize) -> bool {
    count.is_multiple_of(FIRST) && (count / FIRST).is_power_of_two()
}

/// What a beat has in common with those of other sessions.
fn keys(beat: &Beat<'_>) -> Vec<String> {
    match &beat.what {
        Happened::Look(Found::Declared { name, file }) => vec![format!("declared {name} {file}")],
        Happened::Act { action, output, .. } if action.edits().is_some() => {
            let is_failed = action.status == Status::Error && !action.refused;
            let first = is_failed.then(|| telling_lines(output).into_iter().next()).flatten();
            first.map(|line| format!("edit {}", kind_of_message(line))).into_iter().collect()
        }
        Happened::Act { action, .. } if action.status != Status::Error && !action.refused => {
            let Some(run) = action.run().filter(|run| hands_over(run)) else { return Vec::new() };
            flags(run).map(|flag| format!("run {} {flag}", run.verb().join(" "))).collect()
        }
        _ => Vec::new(),
    }
}

/// A message up to where it speaks of one case.
fn kind_of_message(line: &str) -> String {
    let end = line.find([':', '.', '(', '`', '"', '\'']).unwrap_or(line.len());
    let told = line.get(..end).unwrap_or(line).to_lowercase();
    told.chars().filter(|char| !char.is_ascii_digit()).take(LONGEST_COMMAND).collect()
}

/// The long flags of a command that decide what it does.
fn flags(run: &crate::shell::command::Command) -> impl Iterator<Item = &str> {
    let words = run.words().iter().map(|word| word.value.as_str());
    words.filter(|word| is_flag(word) && !is_manner(word)).filter_map(|word| {
        let name = word.split('=').next().unwrap_or(word);
        let is_word = name.len() > 3
            && name.len() <= LONGEST_FLAG
            && name.starts_with("--")
            && name.chars().all(|char| char.is_ascii_lowercase() || char == '-');
        is_word.then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_recurs_is_told_at_doubled_counts() {
        let told: Vec<usize> = (1..60).filter(|count| is_told(*count)).collect();
        assert_eq!(told, [3, 6, 12, 24, 48]);
    }

    #[test]
    fn a_message_is_known_without_its_case() {
        let kind = "string to replace not found in file";
        assert_eq!(kind_of_message("String to replace not found in file.\tString: x"), kind);
        assert_eq!(kind_of_message("Found 2 matches of it: 3"), kind_of_message("Found 14 matches of it: 9"));
    }

    #[test]
    fn the_flags_of_a_command_are_those_that_decide() {
        let run =
            crate::shell::command::single("gh api repos/a/b/pulls/3/comments --paginate --jq=.[]").unwrap();
        assert!(flags(&run).any(|flag| flag == "--paginate"));
    }
}
