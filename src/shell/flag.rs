//! Flags: which of them decide what a command does.
//!
//! A session that ran `deploy --dry-run` did not do what `deploy` says. A flag is thus part of what was
//! done, but for those that only change how much is printed, whether questions are asked, or how many
//! work at once.

use std::collections::{BTreeMap, BTreeSet};

use super::command::Command;
use super::parse::Word;

/// Flags that change how a command tells of its work or asks for consent, not what it does.
const MANNERS: &[&str] = &[
    "--assume-yes",
    "--color",
    "--colors",
    "--colour",
    "--durations",
    "--jobs",
    "--log-level",
    "--loglevel",
    "--no-ansi",
    "--no-color",
    "--no-header",
    "--no-input",
    "--no-interaction",
    "--no-pager",
    "--no-progress",
    "--no-summary",
    "--noinput",
    "--non-interactive",
    "--parallel",
    "--progress",
    "--quiet",
    "--reporter",
    "--showlocals",
    "--silent",
    "--stacktrace",
    "--tb",
    "--verbose",
    "--verbosity",
    "--yes",
    "-y",
];

/// A word that sets an option.
pub(crate) fn is_flag(word: &str) -> bool {
    word.len() > 1 && word.as_bytes().first() == Some(&b'-')
}

/// A flag that changes how much is printed, whether questions are asked or how many work at once:
/// what is done stays the same.
pub(crate) fn is_manner(flag: &str) -> bool {
    let name = flag.split_once('=').map_or(flag, |(name, _)| name);
    let letters = flag.strip_prefix('-').unwrap_or_default();
    let only = |known: fn(char) -> bool| !letters.is_empty() && letters.chars().all(known);
    let jobs = || letters.strip_prefix('j').is_some_and(|jobs| jobs.parse::<u16>().is_ok());
    MANNERS.contains(&name) || only(|letter| letter == 'v') || only(|letter| letter == 'q') || jobs()
}

/// The name of a flag with its value behind it: `--file=` of `--file=a.yaml`.
pub(crate) fn flag_key(flag: &str) -> &str {
    flag.find('=').and_then(|at| flag.get(..=at)).unwrap_or(flag)
}

/// Whether both are one flag that is given a value.
pub(crate) fn has_value(flag: &str, other: &str) -> bool {
    flag.contains('=') && is_flag(other) && flag_key(flag) == flag_key(other)
}

/// The flags of a command that decide what it does, without their values.
pub(crate) fn deciding_flags(command: &Command) -> BTreeSet<&str> {
    let flags = command.words().iter().map(|word| word.value.as_str());
    flags.filter(|word| is_flag(word) && !is_manner(word)).map(flag_key).collect()
}

/// The deciding flags that most runs of the commands agree in; of several that as many do, the fewest.
/// Each command stands with its number of runs.
pub(crate) fn usual_flags<'a>(commands: &[(&'a Command, usize)]) -> BTreeSet<&'a str> {
    let mut runs: BTreeMap<BTreeSet<&str>, usize> = BTreeMap::new();
    for (command, times) in commands {
        *runs.entry(deciding_flags(command)).or_default() += times;
    }
    let usual = runs.into_iter().max_by(|(a, of_a), (b, of_b)| {
        of_a.cmp(of_b).then_with(|| b.len().cmp(&a.len())).then_with(|| b.cmp(a))
    });
    usual.map(|(flags, _)| flags).unwrap_or_default()
}

/// The words of a command but for its flags that are neither among these nor, if they decide nothing,
/// had by all.
pub(crate) fn without_uncommon_flags<'a>(
    command: &'a Command,
    flags: &BTreeSet<&str>,
    all: &[&Command],
) -> Vec<&'a Word> {
    let has = |other: &Command, flag: &str| other.words().iter().any(|word| word.value == flag);
    let stays = |flag: &str| {
        if is_manner(flag) {
            all.iter().all(|other| has(other, flag))
        } else {
            flags.contains(flag_key(flag))
        }
    };
    command.words().iter().filter(|word| !is_flag(&word.value) || stays(&word.value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_decides_unless_it_changes_only_what_is_printed_asked_or_run_at_once() {
        for flag in ["-v", "-vvv", "-q", "--tb=short", "--no-progress", "-y", "-j4", "--color=never"] {
            assert!(is_manner(flag), "{flag}");
        }
        for flag in ["-W", "-n", "-x", "--dry-run", "--force", "-j", "-vx", "--set=a=b", "-", "--"] {
            assert!(!is_manner(flag), "{flag}");
        }
    }
}
