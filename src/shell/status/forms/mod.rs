//! Forms: the lines by which public tools say how they ended.
//!
//! | file | tools |
//! |---|---|
//! | `testing.rs` | test runners |
//! | `checking.rs` | linters, formatters, type checkers |
//! | `building.rs` | compilers and bundlers |
//! | `running.rs` | task runners, version control, shells and interpreters |
//!
//! A pattern is matched line by line, in ASCII where it can be. A tool that prints its name of a task in
//! front (`[lint] ERROR task failed`) has it as the first group.

mod building;
mod checking;
mod running;
mod testing;

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::super::family::Family;

/// What a line says of the run that printed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::shell) enum Says {
    /// Totals of a whole run: it passed, wherever the line is shown.
    Passed,
    /// How a run ends that passed: true only where the end of the output is shown, since a run that
    /// failed says so behind it.
    Closed,
    /// The run failed.
    Failed,
    /// Something in the run failed: the run did, unless totals say that it passed.
    Hint,
}

/// A tool and its forms.
#[derive(Debug, Clone, Copy)]
pub(in crate::shell) struct Tool {
    /// Words by which a command runs it, one after the other: `go test`.
    pub(in crate::shell) runs: &'static [&'static str],
    /// What it is for.
    pub(in crate::shell) family: Family,
    /// Whether it prints nothing where all is well.
    pub(in crate::shell) is_quiet: bool,
    /// Its forms.
    pub(in crate::shell) forms: &'static [(Says, &'static str)],
}

/// A form that stands in a text.
#[derive(Debug, Clone)]
pub(in crate::shell) struct Found {
    /// The tool that prints it.
    pub(in crate::shell) tool: &'static Tool,
    /// What it says.
    pub(in crate::shell) says: Says,
    /// The task that it names.
    pub(in crate::shell) name: Option<String>,
    /// Where it stands.
    pub(in crate::shell) at: usize,
}

const TOOLS: &[&[Tool]] = &[testing::TOOLS, checking::TOOLS, building::TOOLS, running::TOOLS];

struct Form {
    tool: &'static Tool,
    says: Says,
    pattern: &'static str,
    regex: OnceLock<Option<Regex>>,
}

struct Table {
    set: Option<RegexSet>,
    forms: Vec<Form>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let forms: Vec<Form> = tools()
        .flat_map(|tool| tool.forms.iter().map(move |(says, pattern)| (tool, *says, *pattern)))
        .map(|(tool, says, pattern)| Form { tool, says, pattern, regex: OnceLock::new() })
        .collect();
    let patterns = forms.iter().map(|form| in_ascii(form.pattern));
    let set = RegexSetBuilder::new(patterns).multi_line(true).crlf(true).dfa_size_limit(DFA).build().ok();
    Table { set, forms }
});

/// All tools.
pub(in crate::shell) fn tools() -> impl Iterator<Item = &'static Tool> {
    TOOLS.iter().flat_map(|tools| tools.iter())
}

/// So much memory the automaton of all forms may take, in bytes.
const DFA: usize = 32 << 20;

/// A pattern whose classes are those of ASCII: a word's boundary of Unicode would send every output with a
/// tick in it to the slowest engine.
fn in_ascii(pattern: &str) -> String {
    let classes =
        [(r"\b", r"(?-u:\b)"), (r"\w", "[0-9A-Za-z_]"), (r"\S", r"[^ \t\r\n]"), (r"\s", r"[ \t\r\n]")];
    classes.iter().fold(pattern.to_owned(), |pattern, (class, ascii)| pattern.replace(class, ascii))
}

/// At most so many lines of one form are looked at.
const MOST_LINES: usize = 200;

/// At most so many names of one form are kept.
const MOST_NAMES: usize = 20;

/// The forms that stand in a text, in the order of the tables.
pub(super) fn found_in(text: &str) -> Vec<Found> {
    let Some(set) = TABLE.set.as_ref().filter(|_| !text.trim().is_empty()) else { return Vec::new() };
    let forms = set.matches(text).into_iter().filter_map(|index| TABLE.forms.get(index));
    let mut found = Vec::new();
    for form in forms {
        let regex = form
            .regex
            .get_or_init(|| RegexBuilder::new(form.pattern).multi_line(true).crlf(true).build().ok());
        let Some(regex) = regex else { continue };
        let Form { tool, says, .. } = *form;
        if regex.captures_len() > 1 {
            let mut names: BTreeMap<&str, usize> = BTreeMap::new();
            for captures in regex.captures_iter(text).take(MOST_LINES) {
                if let (Some(line), Some(name)) = (captures.get(0), captures.get(1)) {
                    names.insert(name.as_str(), line.start());
                }
            }
            let named =
                names.into_iter().map(|(name, at)| Found { tool, says, name: Some(name.to_owned()), at });
            found.extend(named.take(MOST_NAMES));
        } else {
            let last = regex.find_iter(text).take(MOST_LINES).last();
            found.extend(last.map(|line| Found { tool, says, name: None, at: line.start() }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        assert!(TABLE.set.is_some());
        for form in &TABLE.forms {
            assert!(Regex::new(&in_ascii(form.pattern)).is_ok(), "{}", form.pattern);
        }
    }
}
