//! Which files a session saw changed: what `git status` and `git diff` showed.
//!
//! Files that git does not know are left out: anything may have made them.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::checkout::Checkout;
use super::event_ids::EventIds;
use super::lines::Line;
use crate::shell::command::Listed;
use crate::shell::shown::Shown;
use crate::shell::status::is_cut;

/// The changed files of a work tree, as one call showed them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::skillify) struct Tree {
    /// Behind so many actions of its segment.
    pub(in crate::skillify) at: u32,
    /// Their paths from the root of the repository, ascending.
    pub(in crate::skillify) files: Box<[String]>,
    /// Whether it showed all of them.
    pub(in crate::skillify) is_whole: bool,
    /// The events of the call.
    pub(in crate::skillify) events: EventIds,
}

/// A tree with more changed files tells of a large work, and of no command.
const MOST_FILES: usize = 60;

/// How git prints a changed file; the path is the first group.
static FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?m)^(?:(?:[ MARC]M|M[ D]|1 \S{2} .*? )\s?|\t(?:modified|deleted):\s+|diff --git a/\S+ b/)([\w./@+-]+)$").ok()
});

/// The changed files that a line showed, and whether these are all; `None` of a line that shows none or does more.
pub(in crate::skillify) fn seen(
    line: &Line,
    output: &str,
    checkout: &Checkout<'_>,
) -> Option<(Box<[String]>, bool)> {
    let text = line.text();
    if !text.contains("git") || !(text.contains("status") || text.contains("diff")) {
        return None;
    }
    let listed = line.listed();
    let shows = |listed: &&Listed| asks(listed).is_some();
    if listed.iter().filter(shows).count() == 0
        || !listed.iter().all(|listed| listed.command.is_trivial() || asks(listed).is_some())
        || listed.iter().any(|listed| listed.command.setting().directory.is_some())
    {
        return None;
    }
    let found = FORMS.as_ref()?.captures_iter(output).filter_map(|found| found.get(1));
    let mut files: Vec<String> = found.map(|path| checkout.within(path.as_str()).to_owned()).collect();
    files.sort();
    files.dedup();
    let is_whole = listed.iter().any(|listed| asks(listed) == Some(true)) && !is_cut(output);
    (files.len() <= MOST_FILES && (is_whole || !files.is_empty())).then(|| (files.into(), is_whole))
}

/// Whether a command asks git for the changed files, and for all of them.
fn asks(listed: &Listed) -> Option<bool> {
    let words: Vec<&str> = listed.command.words().iter().map(|word| word.value.as_str()).collect();
    let rest = match words.as_slice() {
        ["git", "status" | "diff", rest @ ..] => rest,
        _ => return None,
    };
    let is_alone =
        rest.iter().all(|word| ["-s", "--short", "--porcelain", "-b", "--branch", "-sb"].contains(word));
    Some(words.get(1) == Some(&"status") && is_alone && listed.view.shown == Shown::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen_in(line: &str, output: &str) -> Option<(Vec<String>, bool)> {
        let checkout = Checkout::bare();
        seen(&Line::read(line), output, &checkout).map(|(files, is_whole)| (files.to_vec(), is_whole))
    }

    #[test]
    fn status_and_diff_show_changed_files() {
        let files =
            |files: &[&str], is_whole| Some((files.iter().map(|&file| file.to_owned()).collect(), is_whole));
        let short = " M src/a.go\nM  src/b.go\n?? notes.txt\nA  new.go\n";
        assert_eq!(seen_in("git status --short", short), files(&["src/a.go", "src/b.go"], true));
        let long = "On branch main\nChanges not staged for commit:\n\tmodified:   src/a.go\n\nUntracked files:\n\tx.txt\n";
        assert_eq!(seen_in("git status", long), files(&["src/a.go"], true));
        assert_eq!(seen_in("git status", "nothing to commit, working tree clean\n"), files(&[], true));
        let diff = "diff --git a/src/a.go b/src/a.go\nindex 1..2 100644\n--- a/src/a.go\n+++ b/src/a.go\n";
        assert_eq!(seen_in("git diff", diff), files(&["src/a.go"], false));
        assert_eq!(seen_in("git diff src/a.go | head -5", diff), files(&["src/a.go"], false));
    }

    #[test]
    fn what_is_cut_or_of_another_folder_or_does_more_is_not_all_or_nothing_at_all() {
        let short = " M src/a.go\n";
        assert_eq!(seen_in("git status --short | head -1", short).map(|(_, is_whole)| is_whole), Some(false));
        assert_eq!(seen_in("git status --short src", short).map(|(_, is_whole)| is_whole), Some(false));
        let cut = " M src/a.go\n[...]\n M src/z.go\n";
        assert_eq!(seen_in("git status -s", cut).map(|(_, is_whole)| is_whole), Some(false));
        for line in ["cd web && git status -s", "make lint && git status -s", "git log", "git diff main -- x"]
        {
            let found = seen_in(line, short);
            assert!(found.as_ref().is_none_or(|(_, is_whole)| !is_whole), "{line}: {found:?}");
        }
        assert_eq!(seen_in("make lint && git status -s", short), None);
    }
}
