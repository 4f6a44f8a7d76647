//! Scripts that a runner prints before it runs them: `$ jest --ci`. Where a commit prints what a check prints, a hook of
//! the repository runs that check.
//!
//! Of each such line a hash is kept, and only of calls in which it is certain what printed it: a single check, or a
//! commit without one.

use std::sync::LazyLock;

use regex::Regex;

use super::short_hash::short_hash;
use crate::shell::command::Command;

/// How runners print a script. Seen: bun 1, yarn 1, npm 10, pnpm 9, mise 2025.
static FORMS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m)^(?:\[[\w:.-]+\] )?[$>] ([\w./@-]+(?: .*)?)$").ok());

/// So much of an output is read.
const MOST_OUTPUT: usize = 16 * 1024;
/// So many lines of an output are kept.
const MOST: usize = 8;

/// The scripts that a call printed, with the place of the check among its commands that printed them, or of the commit.
pub(super) fn printed(commands: &[Option<&Command>], output: &str) -> Option<(usize, Box<[String]>)> {
    if !output.contains("$ ") && !output.contains("> ") {
        return None;
    }
    let places = |of: fn(&Command) -> bool| -> Vec<usize> {
        let own = commands.iter().enumerate().filter(|(_, command)| command.is_some_and(of));
        own.map(|(at, _)| at).collect()
    };
    let printed = match places(Command::is_check).as_slice() {
        [] => places(is_commit).first().copied(),
        [check] => Some(*check),
        _ => None,
    };
    printed.map(|at| (at, scripts(output)))
}

/// Whether a command records a change, hooks and all.
pub(in crate::skillify) fn is_commit(command: &Command) -> bool {
    let words = command.words().iter().map(|word| word.value.as_str());
    command.verb() == ["git", "commit"] && !words.clone().any(|word| ["--no-verify", "-n"].contains(&word))
}

/// Hashes of the scripts that an output shows, each once, in the order of running; of many the first ones and the last.
fn scripts(output: &str) -> Box<[String]> {
    let end = output.floor_char_boundary(output.len().min(MOST_OUTPUT));
    let Some(forms) = FORMS.as_ref() else { return Box::default() };
    let found = forms.captures_iter(output.get(..end).unwrap_or_default());
    let lines = found.filter_map(|found| found.get(1)).map(|line| line.as_str().trim_end());
    let mut hashes: Vec<String> = Vec::new();
    for hash in lines.map(|line| short_hash(&[line], 4)) {
        hashes.retain(|known| *known != hash);
        if hashes.len() == MOST {
            hashes.pop();
        }
        hashes.push(hash);
    }
    hashes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runners_print_their_scripts() {
        assert_eq!(scripts("$ bun test src/\nbun test v1.3\n"), scripts("[test] $ bun test src/"));
        assert_eq!(scripts("> shop@1.0.0 lint\n> eslint .\n").len(), 2);
        assert_ne!(scripts("$ bun test src/"), scripts("$ bun test lib/"));
        assert!(scripts("costs $ 5\nok\n").is_empty());
    }
}
