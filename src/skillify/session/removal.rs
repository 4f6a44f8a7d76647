//! What a session removed because a check failed in it.
//!
//! A check, or the commit that runs it, fails and names a path; later the session removes the path, or the folder that
//! it lies in. What was removed for another reason tells nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lines::Line;
use super::printed_scripts::is_commit;
use crate::event::Status;
use crate::shell::command::Command;

/// So much of an output is looked through: tools name the file at the start of an error or at the end of a log.
const MOST_OUTPUT: usize = 64 * 1024;
/// So many failed checks before a removal may be its reason.
const MOST_FAILED: usize = 8;

/// Whether a line may remove a folder.
fn removes(line: &str) -> bool {
    line.contains("rm -")
}

/// The outputs of the checks that failed, newest last.
#[derive(Debug, Default, Clone)]
pub(in crate::skillify) struct Failed<'a> {
    outputs: Vec<&'a str>,
}

impl<'a> Failed<'a> {
    /// Keeps what a call printed if a check failed in it.
    pub(in crate::skillify) fn saw(&mut self, line: &Line, status: Status, output: &'a str) {
        let checks = |command: &Command| command.is_check() || is_commit(command);
        if !line.listed().iter().any(|listed| checks(&listed.command)) {
            return;
        }
        let output =
            output.get(..output.floor_char_boundary(output.len().min(MOST_OUTPUT))).unwrap_or_default();
        let says_so = || {
            let output = output.to_lowercase();
            output.contains("error") || output.contains("fail")
        };
        if status == Status::Error || says_so() {
            self.outputs.push(output);
            if self.outputs.len() > MOST_FAILED {
                self.outputs.remove(0);
            }
        }
    }

    /// The paths that the line removes and in which one of the checks failed, from the root of the repository as `within`
    /// tells it. An output may have been cut within a path: what is left of it has to have the whole of the removed one.
    pub(in crate::skillify) fn removed(&self, line: &Line, within: impl Fn(&str) -> String) -> Vec<String> {
        if self.outputs.is_empty() || !removes(line.text()) {
            return Vec::new();
        }
        let removes = line.listed().iter().filter_map(|listed| removed_by(&listed.command)).flatten();
        let paths = removes.map(|path| within(path.trim_end_matches('/')));
        let is_named = |path: &String| {
            let below = format!("{path}/");
            !path.is_empty()
                && path.contains('/')
                && self.outputs.iter().any(|output| output.contains(&below))
        };
        paths.filter(|path| !path.starts_with(['/', '~', '.'])).filter(is_named).collect()
    }
}

/// Of the calls that remove something, by id, the checks that failed before. `calls` are in order: id, line, status and
/// output.
pub(super) fn removals<'c, 'a>(
    calls: impl Iterator<Item = (&'a str, &'c Arc<Line>, Status, &'a str)> + Clone,
) -> BTreeMap<&'a str, Failed<'a>> {
    let mut removals = BTreeMap::new();
    // What failed is of use only where something is removed.
    if !calls.clone().any(|(_, line, ..)| removes(line.text())) {
        return removals;
    }
    let mut failed = Failed::default();
    for (id, line, status, output) in calls {
        if removes(line.text()) {
            removals.insert(id, failed.clone());
        }
        failed.saw(line, status, output);
    }
    removals
}

/// The paths that a command removes with all that is below them.
fn removed_by(command: &Command) -> Option<Vec<&str>> {
    let words = command.main_words();
    let (program, rest) = words.split_first()?;
    let is_deep =
        |word: &&&str| word.starts_with('-') && !word.starts_with("--") && word.contains(['r', 'R']);
    (*program == "rm" && rest.iter().any(|word| is_deep(&word)))
        .then(|| rest.iter().copied().filter(|word| !word.starts_with('-')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_after_a_check_failed_in_it_was_left_over() {
        let mut failed = Failed::default();
        failed.saw(&Line::read("cat a.ts"), Status::Error, "error in tmp/copies/a/x.ts");
        let removed = |failed: &Failed<'_>, line: &str| failed.removed(&Line::read(line), str::to_owned);
        assert!(removed(&failed, "rm -rf tmp/copies/a").is_empty());
        failed.saw(&Line::read("npm test"), Status::Error, "error in shop/tmp/copies/a/x.ts");
        failed.saw(&Line::read("npm test"), Status::Ok, "tmp/copies/b/x.ts is well");
        assert_eq!(removed(&failed, "rm -rf tmp/copies/a/ tmp/copies/b"), ["tmp/copies/a"]);
        assert_eq!(removed(&failed, "cd x && rm -fr tmp/copies"), ["tmp/copies"]);
        for line in
            ["rm tmp/copies/a", "rm -rf dist/out", "ls tmp/copies/a", "rm -rf /tmp/copies/a", "rm -rf tmp"]
        {
            assert!(removed(&failed, line).is_empty(), "{line}");
        }
    }
}
