//! How much of what a command prints stands in its call's output, and whether the call's exit status
//! can be the command's own.
//!
//! `make test 2>&1 | tail -20` shows the end of what `make test` prints, and ends as `tail` does.

use super::command::program_name;
use super::parse::{Stream, Streams, Word};

/// Which part of what a command prints is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Shown {
    /// All.
    #[default]
    Whole,
    /// So many lines from its start: all, if fewer are there.
    Start(usize),
    /// So many lines from its end: all, if fewer are there. `None`: an end that is not counted in lines.
    End(Option<usize>),
    /// What a filter chose, or only its errors.
    Part,
    /// Nothing.
    Nothing,
}

/// What the call's exit status says of a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is the command's, as far as the list around it lets it through.
    #[default]
    Told,
    /// It is that of a filter behind it, which fails by itself or not.
    Filtered {
        /// Whether the filter fails where it finds nothing, as `grep` does.
        can_fail: bool,
        /// The program of the filter, `""` if it is no well-known one.
        by: &'static str,
    },
    /// Nothing: it runs in the background, in a loop, as a condition, or is negated.
    Hidden,
}

/// How a command's output and exit status reach who reads its call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// Which part of its output is shown.
    pub(crate) shown: Shown,
    /// Whether its errors are thrown away.
    pub(crate) drops_errors: bool,
    /// What the exit status says.
    pub(crate) exit: Exit,
}

/// So many blank lines at the end may be missing: clients cut them off.
const BLANK: usize = 2;

/// Filters that hand on all that they read, though perhaps in another colour or case.
const WHOLE: &[&str] = &["bat", "cat", "col", "fold", "less", "more", "nl", "tee", "tr"];

/// Filters that fail where they find nothing.
const FAILING: &[&str] =
    &["[", "ack", "ag", "cmp", "diff", "egrep", "fgrep", "grep", "jq", "rg", "test", "yq"];

/// Filters that a text may name.
const NAMED: &[&str] = &[
    "awk", "bat", "cat", "cut", "egrep", "fgrep", "grep", "head", "jq", "less", "more", "rg", "sed", "sort",
    "tail", "tee", "tr", "uniq", "wc",
];

impl View {
    /// Behind one more filter.
    pub(crate) fn through(mut self, filter: &[Word], streams: &Streams) -> Self {
        let words: Vec<&str> = filter.iter().map(|word| word.value.as_str()).collect();
        let Some((first, rest)) = words.split_first() else { return self };
        let program = program_name(first);
        self.shown = self.shown.through(program, rest).written_to(streams);
        if self.exit != Exit::Hidden {
            let by = NAMED.iter().copied().find(|name| *name == program).unwrap_or_default();
            self.exit = Exit::Filtered { can_fail: FAILING.contains(&program), by };
        }
        self
    }

    /// Of a command in a script that is itself seen so.
    pub(crate) fn within(mut self, around: Self) -> Self {
        self.shown = match (self.shown, around.shown) {
            (shown, Shown::Whole) => shown,
            (Shown::Whole, shown) => shown,
            (_, Shown::Nothing) | (Shown::Nothing, _) => Shown::Nothing,
            _ => Shown::Part,
        };
        self.drops_errors |= around.drops_errors;
        self.exit = match (self.exit, around.exit) {
            (Exit::Told, exit) => exit,
            (exit, Exit::Told) => exit,
            _ => Exit::Hidden,
        };
        self
    }

    /// With what its own redirections take away.
    pub(crate) fn redirected(mut self, streams: &Streams) -> Self {
        self.shown = self.shown.written_to(streams);
        self.drops_errors |= streams.errors == Stream::Dropped;
        self
    }
}

impl Shown {
    pub(crate) fn through(self, program: &str, arguments: &[&str]) -> Self {
        let by_filter = match program {
            "head" => first_lines(arguments),
            "tail" => last_lines(arguments),
            // `sed 's/a/b/'` hands on every line; `sed -n` chooses.
            "sed" if !arguments.iter().any(|word| word.starts_with("-n") || word.ends_with(['d', 'q'])) => {
                Self::Whole
            }
            _ if WHOLE.contains(&program) => Self::Whole,
            _ => Self::Part,
        };
        match (self, by_filter) {
            (Self::Nothing, _) => Self::Nothing,
            (shown, Self::Whole) => shown,
            (Self::Whole, shown) => shown,
            (Self::End(Some(a)), Self::End(Some(b))) => Self::End(Some(a.min(b))),
            (Self::End(_), Self::End(_)) => Self::End(None),
            (Self::Start(a), Self::Start(b)) => Self::Start(a.min(b)),
            _ => Self::Part,
        }
    }

    fn written_to(self, streams: &Streams) -> Self {
        match (streams.out, streams.errors) {
            (Stream::Kept, _) => self,
            (_, Stream::Kept) => Self::Part,
            _ => Self::Nothing,
        }
    }

    /// Whether the end of what was printed is shown, given how many lines are there; `None` if that is
    /// not known.
    pub(crate) fn has_end(self, lines: Option<usize>) -> bool {
        matches!(self, Self::Whole | Self::End(_)) || self.is_whole(lines)
    }

    /// Whether all that was printed is shown.
    pub(crate) fn is_whole(self, lines: Option<usize>) -> bool {
        match self {
            Self::Whole => lines.is_some(),
            Self::Start(most) | Self::End(Some(most)) => lines.is_some_and(|lines| lines + BLANK < most),
            Self::End(None) | Self::Part | Self::Nothing => false,
        }
    }
}

/// `head`, `head -5`, `head -n 5`, `head -n5`.
fn first_lines(arguments: &[&str]) -> Shown {
    match count(arguments) {
        Count::Lines(lines) => Shown::Start(lines),
        _ => Shown::Part,
    }
}

fn last_lines(arguments: &[&str]) -> Shown {
    match count(arguments) {
        Count::Lines(lines) => Shown::End(Some(lines)),
        Count::Uncounted => Shown::End(None),
    }
}

enum Count {
    Lines(usize),
    /// `-c 500`, `-n +5`, `-n -5`.
    Uncounted,
}

fn count(arguments: &[&str]) -> Count {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let value = match *word {
            "-n" | "--lines" => words.next().copied().unwrap_or_default(),
            word => match word.strip_prefix("--lines=").or_else(|| word.strip_prefix("-n")) {
                Some(value) => value,
                None if word.starts_with("-c") || word.starts_with("--bytes") => return Count::Uncounted,
                None => match word.strip_prefix('-') {
                    Some(digits) if digits.starts_with(|char: char| char.is_ascii_digit()) => digits,
                    _ => continue,
                },
            },
        };
        return value.parse().map_or(Count::Uncounted, |lines| match value.starts_with('+') {
            true => Count::Uncounted,
            false => Count::Lines(lines),
        });
    }
    Count::Lines(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::command::commands;

    #[test]
    fn a_filter_limits_what_is_shown() {
        for (line, shown) in [
            ("make a", Shown::Whole),
            ("make a 2>&1 | tail -5", Shown::End(Some(5))),
            ("make a 2>&1 | tail -n 7 | cat", Shown::End(Some(7))),
            ("make a | tail -n +3", Shown::End(None)),
            ("make a | head", Shown::Start(10)),
            ("make a | tail -50 | head -3", Shown::Part),
            ("make a | tail -50 | tail -n3", Shown::End(Some(3))),
            ("make a | grep x", Shown::Part),
            ("make a | sed 's/a/b/'", Shown::Whole),
            ("make a | sed -n 3p", Shown::Part),
            ("make a 2>&1 | tee log", Shown::Whole),
            ("make a > log 2>&1", Shown::Nothing),
            ("make a > log", Shown::Part),
            ("make a &> log", Shown::Nothing),
            ("(cd x && make a) 2>&1 | tail -3", Shown::End(Some(3))),
            ("bash -c 'make a' | head -3", Shown::Start(3)),
        ] {
            let listed = commands(line);
            let made = listed.iter().find(|listed| !listed.command.is_trivial()).unwrap();
            assert_eq!(made.view.shown, shown, "{line}");
        }
    }

    #[test]
    fn few_lines_behind_a_limit_are_all() {
        assert!(Shown::Start(5).is_whole(Some(2)) && !Shown::Start(5).is_whole(Some(3)));
        assert!(Shown::End(Some(5)).has_end(None) && !Shown::Start(5).has_end(None));
        assert!(!Shown::Part.has_end(Some(0)) && !Shown::Whole.is_whole(None));
    }
}
