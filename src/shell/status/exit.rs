//! What the exit status of a line proves of each of its commands.
//!
//! The status of a line is that of its last list. `a && b` passes if both do, and fails if one does;
//! `a || exit 1` passes only if `a` does. What a filter, a loop or the background stands before is not
//! told by it.

use super::super::command::{Command, Listed, program_name};
use super::super::parse::Connector;
use super::super::shown::Exit;
use crate::event::Status;

/// What the exit status proves of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It or another suspect failed.
    Suspect,
    /// Something that fails without a word (`grep -q`, a filter) may have failed in its place.
    Silent,
    /// Nothing.
    Untold,
}

/// Programs that only look and that fail without a word.
const SILENT: &[&str] = &[
    "[", "[[", "ack", "ag", "cmp", "command", "diff", "egrep", "false", "fgrep", "grep", "pgrep", "read",
    "rg", "test", "type", "which",
];

/// Programs that look or change the shell, and that name themselves where they fail.
const OUTSPOKEN: &[&str] = &["cat", "cd", "head", "ls", "pushd", "stat", "tail", "wc"];

/// Of a chain that failed: the command that only looks or changes the shell and that the output blames
/// (`cd: web: No such file or directory`).
pub(super) fn stopped_at(listed: &[Listed], text: &str) -> Option<usize> {
    let is_blamed = |listed: &Listed| {
        let program = program(&listed.command);
        listed.command.is_trivial() && OUTSPOKEN.contains(&program) && names(text, program)
    };
    let at = listed.iter().position(is_blamed)?;
    let end = not_run(listed, at).end;
    (end > at + 1 && end == listed.len()).then_some(at)
}

/// The commands behind one that failed which did not run for it: those that `&&` joins.
pub(super) fn not_run(listed: &[Listed], failed: usize) -> std::ops::Range<usize> {
    let is_chained = |index: &usize| joined(listed, *index) == Connector::And;
    let start = failed + 1;
    start..start + (start..listed.len()).take_while(is_chained).count()
}

/// Whether a line is an error of a program: `ls: x`, `bash: line 1: cd: x`, `(eval):cd:1: x`.
fn names(text: &str, program: &str) -> bool {
    text.lines().any(|line| {
        let line = line.strip_prefix("(eval):").or_else(|| line.strip_prefix("zsh:")).unwrap_or(line);
        let behind = |line: &'_ str, is_prefix: &dyn Fn(&str) -> bool| {
            line.split_once(": ").filter(|(head, _)| is_prefix(head)).map(|(head, _)| head.len() + 2)
        };
        let shell = behind(line, &|head| head.ends_with("sh")).unwrap_or(0);
        let line = line.get(shell..).unwrap_or_default();
        let is_number =
            |head: &str| head.trim_start_matches("line ").bytes().all(|byte| byte.is_ascii_digit());
        let line = line.get(behind(line, &is_number).unwrap_or(0)..).unwrap_or_default();
        line.strip_prefix(program).is_some_and(|rest| rest.starts_with(": ") || rest.starts_with(":1: "))
    })
}

/// What the status of a line proves of its commands, in their order.
pub(super) fn proofs(listed: &[Listed], reported: Status) -> Vec<Proof> {
    let mut proofs = vec![Proof::Untold; listed.len()];
    let mut told: Vec<Exit> = listed.iter().map(|listed| listed.view.exit).collect();
    let Some(mut last) = listed.len().checked_sub(1) else { return proofs };
    // `cmd; exit $?` and `cmd | tail; exit ${PIPESTATUS[0]}` hand a status on.
    if let Some(status) = handed_on(listed, last) {
        last -= 1;
        if let Some(exit) = told.get_mut(last).filter(|_| status.contains("PIPESTATUS[0]")) {
            *exit = Exit::Told;
        }
    }
    match reported {
        Status::Ok => passes(listed, &told, last, &mut proofs),
        Status::Error => fails(listed, &told, last, &mut proofs),
        Status::Unknown => {}
    }
    proofs
}

fn handed_on(listed: &[Listed], last: usize) -> Option<&str> {
    let words = listed.get(last).filter(|_| last > 0)?.command.words();
    let [program, status] = words else { return None };
    let is_exit = program.value == "exit" && (status.value == "$?" || status.value.contains("PIPESTATUS"));
    is_exit.then_some(status.value.as_str())
}

/// How a command is joined to the list before; after `set -e` a new line joins as `&&` does.
fn joined(listed: &[Listed], index: usize) -> Connector {
    let connector = listed.get(index).map_or(Connector::Sequence, |listed| listed.connector);
    let stops = || listed.iter().take(index).any(|earlier| sets_errexit(&earlier.command));
    if index > 0 && connector == Connector::Sequence && stops() { Connector::And } else { connector }
}

fn sets_errexit(command: &Command) -> bool {
    let mut words = command.words().iter().map(|word| word.value.as_str());
    let is_flag = |word: &str| word == "errexit" || (word.starts_with('-') && word.contains('e'));
    words.next() == Some("set") && words.any(is_flag)
}

fn passes(listed: &[Listed], told: &[Exit], last: usize, proofs: &mut [Proof]) {
    for index in (0..=last).rev() {
        let never_passes = listed.get(index).is_some_and(|listed| always_fails(&listed.command));
        let joined = joined(listed, index);
        if joined == Connector::Or && !never_passes {
            return; // It or what stands before it passed.
        }
        if let Some(proof) = proofs.get_mut(index)
            && told.get(index) == Some(&Exit::Told)
            && !never_passes
        {
            *proof = Proof::Passed;
        }
        if matches!(joined, Connector::Sequence | Connector::Pipe) {
            return;
        }
    }
}

fn fails(listed: &[Listed], told: &[Exit], last: usize, proofs: &mut [Proof]) {
    // The suspects of the list that is known to have failed.
    let mut suspects: Vec<usize> = Vec::new();
    for index in (0..=last).rev() {
        let Some((command, exit)) = listed.get(index).map(|listed| &listed.command).zip(told.get(index))
        else {
            return;
        };
        let joined = joined(listed, index);
        let is_alone = suspects.is_empty() && matches!(joined, Connector::Sequence | Connector::Or);
        let proof = match exit {
            Exit::Told if command.is_trivial() => match program(command) {
                _ if is_alone && index == 0 && last == 0 => Proof::Suspect,
                program if SILENT.contains(&program) => Proof::Silent,
                _ => Proof::Untold,
            },
            Exit::Told => Proof::Suspect,
            Exit::Filtered { can_fail: true, .. } => Proof::Silent,
            Exit::Filtered { can_fail: false, .. } | Exit::Hidden => Proof::Untold,
        };
        if let Some(slot) = proofs.get_mut(index) {
            *slot = proof;
        }
        if proof != Proof::Untold {
            suspects.push(index);
        }
        match joined {
            // Both sides of `||` failed: what was collected is settled by itself.
            Connector::Or => settle(&mut suspects, proofs),
            Connector::And => {}
            Connector::Sequence | Connector::Pipe => break,
        }
    }
    settle(&mut suspects, proofs);
}

/// A suspect that is alone failed.
fn settle(suspects: &mut Vec<usize>, proofs: &mut [Proof]) {
    if let [only] = suspects.as_slice()
        && let Some(proof) = proofs.get_mut(*only).filter(|proof| **proof == Proof::Suspect)
    {
        *proof = Proof::Failed;
    }
    suspects.clear();
}

fn program(command: &Command) -> &str {
    command.words().first().map_or("", |word| program_name(&word.value))
}

/// `false`, `exit 1`, `return 1`.
fn always_fails(command: &Command) -> bool {
    let words: Vec<&str> = command.words().iter().map(|word| word.value.as_str()).collect();
    match words.as_slice() {
        ["false"] => true,
        ["exit" | "return", code] => code.parse().is_ok_and(|code: u8| code != 0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::command::commands;
    use super::Proof::{Failed, Passed, Silent, Suspect, Untold};
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_stops_the_chain() {
        let listed = commands("cd a && make b");
        for text in [
            "cd: a: No such file or directory",
            "bash: line 1: cd: a: No such file or directory",
            "(eval):cd:1: no such file or directory: a",
            "/bin/sh: 1: cd: can't cd to a",
        ] {
            assert_eq!(stopped_at(&listed, text), Some(0), "{text}");
        }
        assert_eq!(stopped_at(&listed, "make: *** [b] Error 1"), None);
        assert_eq!(stopped_at(&commands("cd a; make b"), "cd: a: No such file or directory"), None);
    }

    #[test]
    fn a_status_proves_what_the_shell_makes_of_it() {
        for (line, passed, failed) in [
            ("make a", vec![Passed], vec![Failed]),
            ("make a && make b", vec![Passed, Passed], vec![Suspect, Suspect]),
            ("cd x && make b", vec![Passed, Passed], vec![Untold, Failed]),
            ("make a; make b", vec![Untold, Passed], vec![Untold, Failed]),
            ("set -e\nmake a\nmake b", vec![Passed; 3], vec![Untold, Suspect, Suspect]),
            ("make a | tail", vec![Untold], vec![Untold]),
            ("make a | grep x", vec![Untold], vec![Silent]),
            ("make a | tail -3 && make b", vec![Untold, Passed], vec![Untold, Failed]),
            ("make a || true", vec![Untold, Untold], vec![Failed, Untold]),
            ("make a || exit 1", vec![Passed, Untold], vec![Failed, Untold]),
            ("make a || make b", vec![Untold, Untold], vec![Failed, Failed]),
            ("make a; echo $?", vec![Untold, Passed], vec![Untold, Untold]),
            ("make a; exit $?", vec![Passed, Untold], vec![Failed, Untold]),
            ("make a | tail; exit ${PIPESTATUS[0]}", vec![Passed, Untold], vec![Failed, Untold]),
            ("make a & make b", vec![Untold, Passed], vec![Untold, Failed]),
            ("grep -q x y && make a", vec![Passed, Passed], vec![Silent, Suspect]),
            ("grep x y", vec![Passed], vec![Failed]),
            ("(cd x && make a) && make b", vec![Passed; 3], vec![Untold, Suspect, Suspect]),
            ("bash -c 'make a; make b'", vec![Untold, Passed], vec![Untold, Failed]),
        ] {
            assert_eq!(proofs(&commands(line), Status::Ok), passed, "{line} passed");
            assert_eq!(proofs(&commands(line), Status::Error), failed, "{line} failed");
        }
    }
}
