//! Flags: which of them decide what a command does.
//!
//! A session that ran `deploy --dry-run` did not do what `deploy` says. A flag is thus part of what was
//! done, but for those that only change how much is printed, whether questions are asked, or how many
//! work at once.

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
