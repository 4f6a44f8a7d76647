//! What throws work or data away, and what leaves out a question: these wait for a person, whichever program does it.
//!
//! What a project makes anew (`build`, `node_modules`) may be removed. A program that builds or tests may be forced:
//! it only does again what it has done.

use super::table::Shape;
use super::{Class, Judgement};
use crate::shell::flag::is_flag;

/// Folders that builds, tests and installers make.
#[rustfmt::skip] // Words, many a line.
const MADE_ANEW: &[&str] = &[
    "__pycache__", "_build", "_site", "bin", "build", "builds", "cdk.out", "coverage", "debug", "deps", "dist", "dist-newstyle",
    "elm-stuff", "env", "gen", "generated", "htmlcov", "node_modules", "obj", "out", "output", "playwright-report", "pods",
    "release", "reports", "site", "storybook-static", "target", "temp", "test-results", "tmp", "venv", "zig-cache", "zig-out",
];
/// Beginnings and ends of others.
const MADE_BEGIN: &[&str] = &["cmake-build-", "dist-", "build-", "target-"];
const MADE_END: &[&str] =
    &[".cache", "-cache", "_cache", ".egg-info", ".dSYM", ".xcresult", ".tmp", ".log", ".pyc", ".o"];
/// Hidden folders that no tool makes anew.
#[rustfmt::skip] // Words, many a line.
const KEPT: &[&str] = &[
    ".git", ".github", ".gitlab", ".circleci", ".claude", ".codex", ".cursor", ".gemini", ".husky", ".githooks", ".vscode",
    ".idea", ".devcontainer", ".storybook", ".changeset", ".config", ".env", ".ssh", ".", "..",
];
/// Options that leave out a question or a check.
#[rustfmt::skip] // Words, many a line.
const FORCING: &[&str] = &[
    "--force", "--yes", "--assume-yes", "--auto-approve", "-auto-approve", "--accept-data-loss", "--no-confirm",
    "--skip-confirm", "--skip-confirmation", "--discard-changes", "--purge", "--really",
];
/// Tasks that `--force` only runs again.
const RUN_AGAIN: &[&str] = &["task", "turbo", "nx", "lerna", "mise", "dvc"];

/// Adds what a program with its arguments throws away.
pub(super) fn judge(words: &[&str], shape: Shape, judged: &mut Judgement) {
    let Some((program, rest)) = words.split_first() else { return };
    let throws = match *program {
        "rm" | "rmdir" | "unlink" | "shred" | "trash" => removes(rest),
        "git" => git(rest),
        "docker" | "podman" | "docker-compose" => {
            let composed = *program == "docker-compose" || rest.contains(&"compose");
            (rest.contains(&"down") && has(rest, &["-v", "--volumes", "--rmi"]))
                || (composed && rest.contains(&"rm") && rest.iter().any(|word| bundled(word, 'v')))
        }
        "rsync" => {
            rest.iter().any(|word| word.starts_with("--delete") || word.starts_with("--remove-source"))
        }
        _ => false,
    };
    if throws {
        judged.add(Class::Administer, "it throws away what nothing brings back");
    }
    if is_forced(program, rest, shape) {
        judged.add(Class::Administer, "it asks nobody and minds no check");
    }
    let opens = *program == "chmod" && rest.iter().any(|mode| opens(mode));
    if opens {
        judged.add(Class::Administer, "it lets others write");
    }
    if packs_for_others(program, rest) {
        judged.add(Class::Send, "what it packs goes on to whatever reads it");
    }
}

fn has(words: &[&str], options: &[&str]) -> bool {
    words.iter().any(|word| options.contains(word))
}

/// Whether a bundle of short options has the letter.
fn bundled(word: &str, letter: char) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.contains(letter)
}

/// Whether `rm` removes something that no build makes again: a folder, or any path at all.
fn removes(rest: &[&str]) -> bool {
    let recursive =
        rest.iter().any(|word| bundled(word, 'r') || bundled(word, 'R') || *word == "--recursive");
    let mut operands = rest.iter().filter(|word| !is_flag(word)).peekable();
    if operands.peek().is_none() {
        return true;
    }
    operands.any(|operand| {
        let whatever = ["*", "./*", "**", ".", "./", "{}", "**/*"].contains(operand);
        whatever || (recursive && !is_made_anew(operand))
    })
}

fn is_made_anew(path: &str) -> bool {
    let of_tool = |part: &str| {
        let lower = part.to_lowercase();
        let hidden =
            part.len() > 1 && part.starts_with('.') && !KEPT.contains(&part) && !part.starts_with("..");
        hidden
            || MADE_ANEW.contains(&lower.as_str())
            || MADE_BEGIN.iter().any(|begin| lower.starts_with(begin))
            || MADE_END.iter().any(|end| part.ends_with(end))
    };
    !path.contains("..") && path.trim_matches(['"', '\'']).split('/').any(of_tool)
}

/// Whether git throws away what is not in its history, or takes something out of that.
fn git(rest: &[&str]) -> bool {
    let verb = rest.iter().find(|word| !is_flag(word)).copied().unwrap_or_default();
    let has = |options: &[&str]| has(rest, options);
    let everything = || has(&[".", ":/", "*", "./"]);
    match verb {
        "clean" => rest.iter().any(|word| bundled(word, 'f') || *word == "--force"),
        "reset" => has(&["--hard", "--keep", "--merge"]),
        "checkout" | "switch" => has(&["-f", "--force", "--discard-changes"]) || everything(),
        "restore" => everything() && (!has(&["--staged", "-S"]) || has(&["--worktree", "-W"])),
        "stash" => has(&["drop", "clear"]),
        "branch" => has(&["-D", "-f", "--force"]),
        "tag" => has(&["-d", "--delete"]),
        "reflog" => has(&["expire", "delete"]),
        "gc" | "prune" => {
            rest.iter().any(|word| word.starts_with("--prune=") || word.starts_with("--expire"))
        }
        "submodule" | "worktree" => has(&["-f", "--force"]),
        "filter-branch" | "filter-repo" => true,
        "update-ref" => has(&["-d"]),
        _ => false,
    }
}

/// Whether a question or a check is left out of what does more than read, build and test.
fn is_forced(program: &str, rest: &[&str], shape: Shape) -> bool {
    use Class::{Build, Format, Generate, Read, Test};
    let only_again =
        matches!(shape, Shape::Is(Read | Build | Test | Format | Generate)) || shape == Shape::Installs;
    let sets_up = program == "npm" && rest.first() == Some(&"init");
    if only_again || sets_up || ["git", "tar"].contains(&program) {
        return false;
    }
    let told = |word: &&str| {
        let name = word.split_once('=').map_or(*word, |(name, _)| name);
        FORCING.contains(&name) && !(name == "--force" && RUN_AGAIN.contains(&program))
    };
    let is_task = shape == Shape::Is(Class::Tasks);
    rest.iter().any(|word| told(word) || (is_task && *word == "-y" && program != "make"))
}

/// Whether a mode of `chmod` lets others write, or lets a program run as its owner.
fn opens(mode: &str) -> bool {
    let octal = (3..=4).contains(&mode.len()) && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    if octal {
        let (special, last) = (mode.len() == 4 && !mode.starts_with(['0', '1']), mode.as_bytes().last());
        return special || last.is_some_and(|last| matches!(last, b'2' | b'3' | b'6' | b'7'));
    }
    mode.split(',').any(|part| {
        part.split_once(['+', '=']).is_some_and(|(who, what)| {
            let who_is = who.bytes().all(|byte| b"ugoa".contains(&byte));
            let what_is = !what.is_empty() && what.bytes().all(|byte| b"rwxXst".contains(&byte));
            who_is && what_is && (what.contains('s') || (what.contains('w') && who.contains(['o', 'a'])))
        })
    })
}

/// Whether an archive is made and written to no file.
fn packs_for_others(program: &str, rest: &[&str]) -> bool {
    match program {
        "tar" | "gtar" | "bsdtar" => {
            let first = rest.first().copied().unwrap_or_default();
            let short = |letter| {
                rest.iter().any(|word| bundled(word, letter))
                    || (!first.starts_with('-') && first.contains(letter))
            };
            let makes = short('c') || has(rest, &["--create"]);
            let to_file = short('f') || rest.iter().any(|word| word.starts_with("--file"));
            makes && (!to_file || has(rest, &["-", "--file=-"]))
        }
        "git" => {
            let to_file = rest.iter().any(|word| word.starts_with("-o") || word.starts_with("--output"));
            rest.first() == Some(&"archive") && !to_file && !has(rest, &["-l", "--list"])
        }
        "zip" => has(rest, &["-"]),
        "cpio" => rest.iter().any(|word| bundled(word, 'o') || *word == "--create"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(line: &str, shape: Class) -> Vec<Class> {
        let mut judged = Judgement::default();
        judge(&line.split(' ').collect::<Vec<_>>(), Shape::Is(shape), &mut judged);
        judged.classes.into_keys().collect()
    }

    #[test]
    fn what_throws_away_or_asks_nobody_waits() {
        for line in [
            "rm -r src",
            "rm -rf node_modules src",
            "rm -rf .git",
            "rm *",
            "rm",
            "git clean -xdf",
            "git reset --hard",
            "git restore --staged --worktree .",
            "docker compose down -v",
            "chmod 666 a",
            "chmod u+s a",
            "chmod a+rwx a",
        ] {
            assert_eq!(added(line, Class::Tree), [Class::Administer], "{line}");
        }
        for line in ["./run.sh --force", "./run.sh -y", "goose up --no-confirm", "x --yes=true"] {
            assert_eq!(added(line, Class::Tasks), [Class::Administer], "{line}");
        }
        for line in ["tar czf - .", "tar c .", "tar -cf - a", "zip -r - a"] {
            assert_eq!(added(line, Class::Tree), [Class::Send], "{line}");
        }
        for line in [
            "rm -rf build packages/a/dist .next",
            "rm -f a.txt",
            "git restore --staged .",
            "git checkout -- src/a.py",
            "git branch -d a",
            "docker compose down",
            "chmod +x a",
            "chmod 755 a",
            "tar czf a.tgz build",
            "tar xf a.tar -C build",
        ] {
            assert_eq!(added(line, Class::Tree), [], "{line}");
        }
        assert_eq!(added("tsc --build --force", Class::Build), []);
        assert_eq!(added("task lint --force", Class::Tasks), []);
    }
}
