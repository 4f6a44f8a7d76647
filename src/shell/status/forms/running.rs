//! Task runners, package managers, version control, shells and interpreters.

use super::super::super::family::Family;
use super::Says::{Closed, Failed, Passed};
use super::{Says, Tool};

const fn tool(runs: &'static [&'static str], forms: &'static [(Says, &'static str)]) -> Tool {
    Tool { runs, family: Family::Other, is_quiet: false, forms }
}

const fn git(runs: &'static [&'static str], forms: &'static [(Says, &'static str)]) -> Tool {
    Tool { runs, family: Family::VersionControl, is_quiet: false, forms }
}

pub(super) const TOOLS: &[Tool] = &[
    // mise 2025.
    tool(&["mise"], &[(Failed, r"^\[([^\]\s]+)\] ERROR task failed"), (Failed, r"^mise ERROR ")]),
    // bun 1.2 to 1.4.
    tool(
        &["bun run", "bun"],
        &[
            (Failed, r#"^error: script "([^"\n]+)" (?:exited with code|was terminated)"#),
            (Failed, r#"^error: Script not found "([^"\n]+)""#),
        ],
    ),
    // npm 10 and 11.
    tool(
        &["npm"],
        &[
            (Failed, r"^npm (?:ERR!|error) Lifecycle script `([^`\n]+)` failed"),
            (Failed, r#"^npm (?:ERR!|error) Missing script: "([^"\n]+)""#),
            (Failed, r"^npm (?:ERR!|error) (?:code|errno) "),
        ],
    ),
    // pnpm 8 to 10, yarn 1 and 4.
    tool(
        &["pnpm", "yarn"],
        &[
            (Failed, r"^\s*(?:ELIFECYCLE|ERR_PNPM_\w+)\b"),
            (Failed, r"^error Command failed with exit code [1-9]"),
            (Failed, r#"^error Command "([^"\n]+)" not found"#),
            (Failed, r#"^Usage Error: Couldn't find a script named "([^"\n]+)""#),
        ],
    ),
    // GNU make 4.3.
    tool(
        &["make", "gmake"],
        &[
            (Failed, r"^g?make(?:\[[0-9]+\])?: \*\*\* \[(?:[^\]:\n]*:[0-9]+: )?([^\]\n]+)\] "),
            (Failed, r"^g?make(?:\[[0-9]+\])?: \*\*\* No rule to make target [`']([^'\n]+)'"),
            (Failed, r"^g?make(?:\[[0-9]+\])?: \*\*\* "),
        ],
    ),
    // just 1.2x to 1.4x, Task 3.
    tool(
        &["just", "task"],
        &[
            (Failed, r"^error: [Rr]ecipe `([^`\n]+)` failed"),
            (Failed, r"^error: [Jj]ustfile does not contain recipes? `([^`\n]+)`"),
            (Failed, r#"^task: (?:Failed to run task|Task) "([^"\n]+)"(?: does not exist)?"#),
        ],
    ),
    // Turborepo 2, Nx 20.
    tool(
        &["turbo", "nx"],
        &[
            (Failed, r"^ ?ERROR +run failed: "),
            (Failed, r"^ *NX +Ran target \S+ .*failed"),
            (Closed, r"^ *NX +Successfully ran target "),
        ],
    ),
    // bash 5, dash, zsh 5: the program is not there.
    tool(
        &[],
        &[
            (Failed, r"^(?:/\S+/)?(?:ba|da|k)?sh: (?:(?:line )?[0-9]+: )?([^:\s]+): (?:command )?not found$"),
            (Failed, r"^(?:zsh|\(eval\)):(?:[0-9]+: )? ?command not found: (\S+)$"),
            (Failed, r"^(?:zsh|\(eval\)):(?:[0-9]+: )? ?no such file or directory: (\S+)$"),
            (
                Failed,
                r"^(?:env|timeout|nohup|sudo): (?:failed to run command )?['‘`]?([^'’:\s]+)['’]?: (?:No such file|command not found)",
            ),
            // clap 4, Python's argparse.
            (Failed, r"^error: (?:unrecognized subcommand|unexpected argument|invalid value) '"),
            (
                Failed,
                r"^([\w.-]+)(?:\.py)?: error: (?:unrecognized arguments|argument |the following arguments)",
            ),
        ],
    ),
    // git 2.3x to 2.4x.
    git(
        &["git"],
        &[
            (Failed, r"^fatal: "),
            (
                Failed,
                r"^error: (?:pathspec |failed to push |Your local changes |The following untracked |cannot |could not |unable to )",
            ),
            (Failed, r"^git: '[^'\n]+' is not a git command"),
            (Failed, r"^CONFLICT \("),
            (Failed, r"^ ! \[(?:remote )?rejected\]"),
        ],
    ),
    git(
        &["git commit"],
        &[
            (Passed, r"^\[\S+(?: \(root-commit\))? [0-9a-f]{7,}\] "),
            (Failed, r"^(?:nothing to commit|nothing added to commit|no changes added to commit)\b"),
            // husky 9, lefthook 1.
            (Failed, r"^husky - \S+ (?:hook exited|script failed)"),
        ],
    ),
    git(
        &["git push"],
        &[
            (Passed, r"^ +\+? ?[0-9a-f]{7,}\.{2,3}[0-9a-f]{7,} +\S+ -> \S+"),
            (Passed, r"^ \* \[new (?:branch|tag)\] "),
            (Passed, r"^Everything up-to-date$"),
        ],
    ),
    git(&["git checkout", "git switch"], &[(Passed, r"^(?:Switched to (?:a new )?branch|Already on) '")]),
    git(&["git rebase"], &[(Passed, r"^Successfully rebased and updated ")]),
    git(&["git merge", "git pull"], &[(Passed, r"^Already up to date\.$"), (Passed, r"^Fast-forward$")]),
    git(&["git stash"], &[(Passed, r"^(?:Saved working directory|No local changes to save|Dropped )")]),
    // gh 2.x.
    tool(
        &["gh"],
        &[
            (Failed, r"^(?:GraphQL: |gh: |HTTP [45][0-9]{2}\b|could not (?:create|find|resolve) )"),
            (Failed, r"^(?:unknown (?:command|flag|shorthand flag)\b|no pull requests found )"),
        ],
    ),
    tool(&["gh pr create"], &[(Passed, r"^https://\S+/pull/[0-9]+$")]),
    // Interpreters that end by what nobody caught: CPython 3, node 20, Ruby 3, Go 1.2x.
    tool(
        &["python", "python3", "node", "tsx", "ts-node", "ruby", "go run"],
        &[
            (
                Failed,
                r"^Traceback \(most recent call last\):(?:\r?\n[ \t].*)+\r?\n\w[\w.]*(?:Error|Exception|Exit|Interrupt)\b",
            ),
            (Failed, r"^Node\.js v[0-9]+\.[0-9.]+$"),
            (Failed, r"^python[0-9.]*: can't open file "),
            (Failed, r"^panic: .*(?:\r?\n.*){0,3}\r?\ngoroutine [0-9]+ \["),
        ],
    ),
];
