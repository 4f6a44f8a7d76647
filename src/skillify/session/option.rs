//! Flags: which of them a program says that it does not know.
//!
//! An output is read for the forms by which programs and their libraries say so; the flag must stand in the line
//! that was run, in one command alone. Of programs that only look it is kept as well which flags they took: systems
//! differ in them.

use std::sync::LazyLock;

use regex::Regex;

use super::search_result::Found;
use crate::event::Status;
use crate::shell::command::{Command, is_trivial, program_name, single};
use crate::shell::flag::is_flag;
use crate::shell::parse::{Word, parse};

/// How programs say that they do not know a flag: `program`, where it is named, and `flag` or `letter`. Seen: BSD and
/// GNU getopt, pflag (cobra), git 2, argparse, click, clap 3 and 4, commander, Go's flag.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let forms = [
        r"^(?:Error: )?(?P<program>[\w./-]+): (?:illegal|invalid) option -- '?(?P<letter>[A-Za-z0-9])'?",
        r"^(?P<program>[\w./-]+): (?:unrecognized|unknown) option:? [`'\x22‘]?(?P<flag>--?[\w-]+)",
        r"^(?:[Ee]rror: )?unknown flag: (?P<flag>--[\w-]+)",
        r"^(?:[Ee]rror: )?unknown shorthand flag: '(?P<letter>\w)' in -",
        r"^(?:fatal: |[\w.-]+: error: |error: )?unrecognized arguments?: (?P<flag>--?[\w-]+)",
        r"^error: unknown (?:option|switch) [`'](?P<bare>[\w-]+)'",
        r"^error: unknown option '(?P<flag>--?[\w-]+)",
        r"^error: unexpected argument '(?P<flag>--?[\w-]+)",
        r"^error: Found argument '(?P<flag>--?[\w-]+)",
        r"^(?:Error: )?[Nn]o such option:? '?(?P<flag>--?[\w-]+)",
        r"^flag provided but not defined: (?P<flag>--?[\w-]+)",
    ];
    forms.iter().filter_map(|form| Regex::new(&format!("(?m){form}")).ok()).collect()
});

/// So much of an output's start is read: what does not know a flag does nothing else.
const START: usize = 4 * 1024;

/// Programs whose common flags every system knows, or that print anything they are given.
const PLAIN: &[&str] = &["cd", "echo", "false", "head", "printf", "pwd", "sleep", "tail", "true", "wc"];

/// What one command of a line is given.
struct Given {
    command: String,
    program: String,
    flags: Vec<String>,
}

/// The flags that a line's commands did not know, or took.
pub(in crate::skillify) fn flags(line: &str, output: &str, status: Status) -> Vec<Found> {
    if !line.contains(" -") {
        return Vec::new();
    }
    let start = output.get(..output.floor_char_boundary(output.len().min(START))).unwrap_or_default();
    let rejections: Vec<Rejected<'_>> = rejections(start);
    let stages = || parse(line).into_iter().flat_map(|pipeline| pipeline.stages);
    if rejections.is_empty() {
        let took = |given: Given| -> Vec<Found> {
            let command = given.command;
            let found = given.flags.into_iter();
            found.map(|flag| Found::Takes { command: command.clone(), flag }).collect()
        };
        if status != Status::Ok {
            return Vec::new();
        }
        return stages()
            .filter(|stage| is_trivial(stage))
            .filter_map(|stage| given(&stage))
            .flat_map(took)
            .collect();
    }
    let given: Vec<Given> = stages().filter_map(|stage| given(&stage)).collect();
    let unknown = |rejected: &Rejected<'_>| {
        let mut by = given.iter().filter_map(|given| Some((given, rejected.among(given)?)));
        let (given, flag) = by.next()?;
        by.all(|(other, _)| other.command == given.command)
            .then(|| Found::Unknown { command: given.command.clone(), flag })
    };
    rejections.iter().filter_map(unknown).collect()
}

/// What an output says that a program does not know.
struct Rejected<'o> {
    program: Option<&'o str>,
    flag: Option<&'o str>,
    letter: Option<&'o str>,
}

fn rejections(output: &str) -> Vec<Rejected<'_>> {
    let words = ["option", "flag", "argument"];
    if !words.iter().any(|word| output.contains(word)) {
        return Vec::new();
    }
    let captures = FORMS.iter().flat_map(|form| form.captures_iter(output));
    let rejected = captures.map(|captures| {
        let group = |name: &str| captures.name(name).map(|found| found.as_str());
        let bare = group("bare");
        let letter = group("letter").or(bare.filter(|bare| bare.len() == 1));
        Rejected {
            program: group("program"),
            flag: group("flag").or(bare.filter(|bare| bare.len() > 1)),
            letter,
        }
    });
    rejected.collect()
}

impl Rejected<'_> {
    /// The flag, if the command was given it.
    fn among(&self, given: &Given) -> Option<String> {
        let is_of = self.program.is_none_or(|program| program_name(program) == given.program);
        let name = |flag: &str| flag.trim_start_matches('-').to_owned();
        let is_it = |flag: &&String| match (self.flag, self.letter) {
            (Some(told), _) => name(flag) == name(told),
            (None, Some(letter)) => has_letter(flag, letter),
            (None, None) => false,
        };
        let flag = given.flags.iter().filter(|_| is_of).find(is_it)?;
        Some(match self.letter {
            Some(letter) => format!("-{letter}"),
            None => flag.clone(),
        })
    }
}

/// Whether a flag is a group of letters with this one among them.
pub(in crate::skillify) fn has_letter(flag: &str, letter: &str) -> bool {
    let letters = flag.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
    letters.is_some_and(|letters| {
        letters.contains(letter) && letters.chars().all(|char| char.is_ascii_alphabetic())
    })
}

fn given(stage: &[Word]) -> Option<Given> {
    let words: Vec<&str> = stage.iter().map(|word| word.value.as_str()).collect();
    let program = program_name(words.first()?);
    if PLAIN.contains(&program) {
        return None;
    }
    // What a program that only looks is called takes no second reading.
    if is_trivial(stage) && !WITH_SUBCOMMANDS.contains(&program) {
        return named(program.to_owned(), program, &words);
    }
    let raw: Vec<&str> = stage.iter().map(|word| word.raw.as_str()).collect();
    let command = single(&raw.join(" "))?;
    let words = command.main_words();
    let program = program_name(words.first()?);
    if PLAIN.contains(&program) {
        return None;
    }
    named(name_of(&command, program), program, &words)
}

fn named(command: String, program: &str, words: &[&str]) -> Option<Given> {
    let plain = |char: char| char.is_ascii_alphanumeric() || " ._:-".contains(char);
    if command.is_empty() || command.len() > 60 || !command.chars().all(plain) {
        return None;
    }
    let flags = words.iter().skip(1).filter_map(|word| flag_of(word)).collect();
    Some(Given { command, program: program.to_owned(), flags })
}

/// Programs that look or do, by their subcommand.
const WITH_SUBCOMMANDS: [&str; 8] = ["cargo", "docker", "gh", "git", "glab", "go", "kubectl", "npm"];

/// Program and subcommand; of a program that only looks, and has none, the program.
pub(in crate::skillify) fn name_of(command: &Command, program: &str) -> String {
    if command.is_trivial() && !WITH_SUBCOMMANDS.contains(&program) {
        return program.to_owned();
    }
    command.token().to_owned()
}

/// A flag without its value; numbers are none.
pub(in crate::skillify) fn flag_of(word: &str) -> Option<String> {
    let flag = word.split('=').next().unwrap_or_default();
    let named = flag.trim_start_matches('-');
    let is_name = named.starts_with(|char: char| char.is_ascii_alphabetic())
        && named.chars().all(|char| char.is_ascii_alphanumeric() || "-_".contains(char));
    (is_flag(word) && is_name && flag.len() <= 40).then(|| flag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(line: &str, output: &str) -> Vec<String> {
        let found = flags(line, output, Status::Ok).into_iter();
        let told = found.filter_map(|found| match found {
            Found::Unknown { command, flag } => Some(format!("{command} {flag}")),
            _ => None,
        });
        told.collect()
    }

    #[test]
    fn programs_say_which_flag_they_do_not_know() {
        for (line, output, told) in [
            ("cat -A a.tsx | sed -n 3p", "cat: illegal option -- A\nusage: cat [-belnstuv]", "cat -A"),
            ("sed -n 3p a.py | cat -vA", "cat: invalid option -- 'A'", "cat -A"),
            ("gh pr diff 88 --stat", "unknown flag: --stat\n\nUsage:  gh pr diff", "gh pr diff --stat"),
            ("git show --no-stat HEAD", "fatal: unrecognized argument: --no-stat", "git show --no-stat"),
            ("git commit --fixup-all", "error: unknown option `fixup-all'", "git commit --fixup-all"),
            (
                "pytest -q --fast tests",
                "ERROR: usage: pytest\npytest: error: unrecognized arguments: --fast",
                "pytest --fast",
            ),
            ("rg -A2 --pcre x", "error: unexpected argument '--pcre' found", "rg --pcre"),
            (
                "golint run --out-format=json ./...",
                "Error: unknown flag: --out-format",
                "golint run --out-format",
            ),
            ("go test -race2 ./...", "flag provided but not defined: -race2", "go test -race2"),
        ] {
            assert_eq!(unknown(line, output), [told], "{line}");
        }
    }

    #[test]
    fn what_a_log_says_or_another_program_was_given_tells_nothing() {
        for (line, output) in [
            ("pytest -q", "test_cli.py:3: AssertionError\nunknown flag: --stat"),
            ("cat -n a.txt", "cat: illegal option -- A"),
            ("cat -A a && cat_b -A c", "sort: invalid option -- 'A'"),
            ("grep -rn \"unknown flag: --stat\" src", "src/a.go:1:unknown flag: --stat"),
            ("ls -A x | cut -A y", "error: unexpected argument '-A' found"),
        ] {
            assert!(unknown(line, output).is_empty(), "{line}: {:?}", unknown(line, output));
        }
    }

    #[test]
    fn what_a_looking_program_took_is_kept() {
        let found = flags("cat -A a.txt | head -5", "a$", Status::Ok);
        assert_eq!(found, [Found::Takes { command: "cat".to_owned(), flag: "-A".to_owned() }]);
        assert!(flags("make -k all", "", Status::Ok).is_empty());
    }
}
