//! One stage of a pipeline: whether it only looks, and whether code stands in it.

use super::global_options::arguments;
use super::parse::Word;
use super::vocabulary as known;

/// The last component of a program's path, without the folder of a system program.
pub(crate) fn program_name(word: &str) -> &str {
    if word.starts_with("./") || word.starts_with("../") {
        return word;
    }
    match word.rsplit_once('/') {
        // A repository's own `bin/test` is no system program.
        Some((folder, name)) if folder.starts_with('/') && folder.ends_with("bin") => name,
        _ => word,
    }
}

/// `./bin/test` runs what `bin/test` does; `./test` does not run what `test` does.
pub(super) fn without_dot(program: &str) -> &str {
    program.strip_prefix("./").filter(|rest| rest.contains('/')).unwrap_or(program)
}

pub(super) fn is_inline(stage: &[Word]) -> bool {
    let mut words = stage.iter().map(|word| word.value.as_str());
    words.next().is_some_and(|program| known::INTERPRETERS.contains(&program_name(program)))
        && words.any(|word| matches!(word, "-c" | "-e" | "-" | "--eval" | "-pe" | "-ne"))
}

pub(crate) fn is_trivial(stage: &[Word]) -> bool {
    let words: Vec<&str> = stage.iter().map(|word| word.value.as_str()).collect();
    let Some((first, rest)) = words.split_first() else { return true };
    let program = program_name(first);
    let has = |flags: &[&str]| rest.iter().any(|word| flags.contains(word));
    let verb = arguments(program, rest).next().unwrap_or_default();
    let asks = matches!(rest.last(), Some(&("--help" | "--version" | "--list" | "-h" | "-V")));
    if known::LOOKING.contains(&program) || asks {
        return true;
    }
    match program {
        // `git add`: the commit tells what was added.
        "git" => verb == "add" || known::LOOKING_GIT.contains(&verb),
        "sed" => has(&["-n"]) && !has(&["-i"]),
        "find" => !has(&["-delete", "-exec", "-execdir"]),
        "curl" | "wget" | "http" => !rest.iter().any(|word| {
            [
                "-X",
                "-d",
                "-F",
                "-T",
                "-O",
                "-o",
                "--data",
                "--request",
                "--output",
                "--upload-file",
                "POST",
                "PUT",
            ]
            .contains(word)
        }),
        "docker" | "podman" => {
            arguments(program, rest).take(2).any(|word| known::LOOKING_CLUSTER.contains(&word))
        }
        // Whether a context is shown or chosen is told by the next word.
        "kubectl" | "oc" if verb == "config" => {
            let next = arguments(program, rest).nth(1).unwrap_or("view");
            next.starts_with("get-") || ["view", "current-context"].contains(&next)
        }
        "kubectl" | "oc" => known::LOOKING_CLUSTER.contains(&verb),
        "pip" | "pip3" | "npm" | "pnpm" | "yarn" | "brew" | "apt" | "gem" => {
            ["list", "ls", "show", "freeze", "view", "info", "outdated", "search", "why"].contains(&verb)
        }
        "gh" | "glab" => has(&["view", "list", "status", "diff", "checks"]),
        "make" | "just" | "task" => has(&["-n", "--dry-run", "-l", "-qp", "help"]),
        "systemctl" | "service" => has(&["status", "is-active"]),
        _ => false,
    }
}

/// A path, or a name with a file's ending.
pub(crate) fn looks_like_file(word: &str) -> bool {
    if word.contains("://") {
        return false;
    }
    let ending = word.rsplit_once('.').map(|(stem, ending)| (stem.is_empty(), ending));
    word.contains('/')
        || ending.is_some_and(|(hidden, ending)| {
            hidden
                || (1..=5).contains(&ending.len())
                    && ending.starts_with(|char: char| char.is_ascii_alphabetic())
                    && ending.chars().all(|char| char.is_ascii_alphanumeric())
        })
}
