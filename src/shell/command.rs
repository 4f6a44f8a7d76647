//! Commands in canonical form: what a command line runs, however it is wrapped.
//!
//! `cd api && FOO=1 sudo make test 2>&1 | tail` runs `make test` in a [`Setting`]. Wrappers, redirected
//! output and trailing filters are dropped; what is left is the [`Command`] that claims speak of. Commands that only look (listing, reading, searching, printing) are told by
//! [`Command::is_trivial`] and never make a claim.

use serde::{Deserialize, Serialize};

use super::family::{Family, family_of, main_words};
use super::flag::{is_flag, is_manner};
use super::global_options::arguments;
use super::memo::Memo;
use super::parse::{self, Connector, Pipeline, Streams, Word};
use super::setting::Setting;
use super::shown::{Exit, View};
use super::stage::{is_inline, without_dot};
use super::vocabulary as known;
use super::vocabulary::PRIVILEGING;
use super::wrapper::{Unwrapped, script_of, sets, unwrapped};
use std::borrow::Cow;

pub(crate) use super::stage::{is_trivial, looks_like_file, program_name};

/// The beginning of the mark that replaces a redacted text.
const REDACTED: &str = "[redacted:";

/// One command that changes or checks something, or a trivial one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Command {
    words: Vec<Word>,
    /// Where the words of the first stage that is not trivial begin.
    head: usize,
    trivial: bool,
    /// Whether code stands in the command itself (`python -c …`).
    inline: bool,
    /// Whether its input decides what it does: text or a file that is fed to it.
    is_fed: bool,
    setting: Setting,
    #[serde(skip)]
    known: Known,
}

/// What follows from a command's words and setting, and is asked again and again.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Known {
    family: Memo<Family>,
    identity: Memo<Box<str>>,
    identity_anywhere: Memo<Box<str>>,
    token: Memo<Box<str>>,
    is_probe: Memo<bool>,
    is_literal: Memo<bool>,
    is_check: Memo<bool>,
    is_everyday: Memo<bool>,
    may_be_a_step: Memo<bool>,
    restores_files: Memo<bool>,
}

/// A command within its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The command.
    pub(crate) command: Command,
    /// What joins it to the command before.
    pub(crate) connector: Connector,
    /// How its output and exit status are seen.
    pub(crate) view: View,
    /// The files that it writes by `>`, `>>` or `tee`, as written.
    #[allow(dead_code, reason = "for those who ask which files a session made")]
    pub(crate) writes: Vec<String>,
    /// In how many subshells it runs.
    depth: usize,
}

/// A line of more commands is nobody's: it would take time with their square, and is read as none.
const MOST_COMMANDS: usize = 500;

/// The commands of a line, in order; none of a line that has more of them than people write.
pub(crate) fn commands(line: &str) -> Vec<Listed> {
    let mut listed = Vec::new();
    if collect(line, 0, Setting::default(), &mut listed).is_none() {
        listed.clear();
    }
    listed
}

/// The command of a line that runs one and no other, in whatever setting.
pub(crate) fn single(line: &str) -> Option<Command> {
    let mut listed = commands(line);
    let command = listed.pop()?.command;
    listed.iter().all(|earlier| earlier.command.only_sets()).then_some(command)
}

/// `around` is the setting that the line is read in. `None` if there are too many.
fn collect(line: &str, nested: usize, mut around: Setting, listed: &mut Vec<Listed>) -> Option<()> {
    let pipelines = parse::parse(line);
    if listed.len() + pipelines.len() > MOST_COMMANDS {
        return None;
    }
    // The settings outside of the subshells.
    let mut outside: Vec<Setting> = Vec::new();
    let begun = listed.len();
    // In how many loops and conditions the line stands.
    let mut blocks = 0_usize;
    for mut pipeline in pipelines {
        while outside.len() > pipeline.left_to {
            around = outside.pop().unwrap_or_default();
        }
        outside.resize_with(pipeline.subshells, || around.clone());
        let (connector, depth) = (pipeline.connector, pipeline.subshells);
        let opens = |word: &str| known::BLOCKS.contains(&word);
        let first = pipeline.stages.first().and_then(|stage| stage.first()).map(|word| word.value.clone());
        blocks += usize::from(first.as_deref().is_some_and(opens));
        let is_hidden = blocks > 0;
        let closes = first.as_deref().is_some_and(|word| known::BLOCK_ENDS.contains(&word));
        blocks -= usize::from(closes && blocks > 0);
        let is_group = connector == Connector::Pipe || closes || first.as_deref() == Some("}");
        if is_group {
            see_through(&mut pipeline, listed, begun, closes);
        }
        let pipefail = listed.iter().any(|earlier| earlier.command.sets_pipefail());
        let Some(Unwrapped { pipeline, mut view, setting, writes }) = unwrapped(pipeline, &around, pipefail)
        else {
            continue;
        };
        if is_hidden {
            view.exit = Exit::Hidden;
        }
        if let [stage] = pipeline.stages.as_slice() {
            if let Some(script) = script_of(stage).filter(|_| nested < 3) {
                let from = listed.len();
                collect(&script, nested + 1, setting, listed)?;
                for (index, inner) in listed.iter_mut().skip(from).enumerate() {
                    if index == 0 {
                        inner.connector = connector;
                    }
                    inner.view = inner.view.within(view);
                    inner.writes.extend(writes.iter().cloned());
                }
                continue;
            }
            let is_set = sets(stage, &mut around);
            if is_set && !is_trivial(stage) {
                continue;
            }
        }
        let command = Command::new(&pipeline, setting);
        listed.push(Listed { command, connector, view, writes, depth });
    }
    Some(())
}

/// What a group of commands prints goes through the filters behind it: `(cd a && make b) | tail`.
fn see_through(pipeline: &mut Pipeline, listed: &mut [Listed], begun: usize, is_block: bool) {
    let of_subshell = pipeline.connector == Connector::Pipe && !is_block;
    let skipped = usize::from(!of_subshell);
    let depth = pipeline.subshells;
    let mut filters = pipeline.stages.iter().zip(&pipeline.streams).skip(skipped).peekable();
    if filters.peek().is_none() {
        return;
    }
    let filters: Vec<_> = filters.collect();
    for inner in listed.iter_mut().skip(begun).rev() {
        if of_subshell && inner.depth <= depth {
            break;
        }
        let filter = |view: View, (stage, streams): &(&Vec<Word>, &Streams)| view.through(stage, streams);
        inner.view = filters.iter().fold(inner.view, filter);
    }
}

impl Command {
    fn new(pipeline: &Pipeline, setting: Setting) -> Self {
        let trivial_stages: Vec<bool> = pipeline.stages.iter().map(|stage| is_trivial(stage)).collect();
        let main = trivial_stages.iter().position(|trivial| !trivial);
        let mut words = Vec::new();
        let mut head = 0;
        for (index, stage) in pipeline.stages.iter().enumerate() {
            if index > 0 {
                words.push(Word { raw: "|".to_owned(), value: "|".to_owned() });
            }
            if Some(index) == main {
                head = words.len();
            }
            words.extend(stage.iter().cloned());
        }
        if let Some(program) = words.get_mut(head) {
            program.value = without_dot(&program.value).to_owned();
        }
        let inline = pipeline.stages.iter().any(|stage| is_inline(stage));
        Self {
            words,
            head,
            trivial: main.is_none(),
            inline,
            is_fed: pipeline.is_fed,
            setting,
            known: Known::default(),
        }
    }

    /// The call of an assistant's own tool, whatever its arguments.
    pub(crate) fn of_tool(name: &str) -> Self {
        let word = Word { raw: name.to_owned(), value: name.to_owned() };
        let setting = Setting::default();
        Self {
            words: vec![word],
            head: 0,
            trivial: false,
            inline: false,
            is_fed: false,
            setting,
            known: Known::default(),
        }
    }

    /// The words.
    pub(crate) fn words(&self) -> &[Word] {
        &self.words
    }

    /// Where and under which conditions it was run.
    pub(crate) fn setting(&self) -> &Setting {
        &self.setting
    }

    /// The command as a person would type it.
    pub(crate) fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.raw.as_str()).collect();
        format!("{}{}", self.setting, words.join(" "))
    }

    /// What makes two runs runs of the same command: setting and words, without the flags that only change
    /// what is printed, asked or run at once.
    pub(crate) fn identity(&self) -> &str {
        self.known.identity.get(|| self.identity_in(&self.setting.unwrapped()))
    }

    fn identity_in(&self, setting: &Setting) -> Box<str> {
        let words = self.words.iter().map(|word| word.value.as_str());
        let deciding: Vec<&str> = words.filter(|word| !is_flag(word) || !is_manner(word)).collect();
        format!("{setting}{}", deciding.join(" ")).into()
    }

    /// [`Command::identity`], whatever the folder.
    pub(crate) fn identity_anywhere(&self) -> &str {
        let setting = || Setting { directory: None, ..self.setting.unwrapped() };
        self.known.identity_anywhere.get(|| self.identity_in(&setting()))
    }

    /// What it is for.
    pub(crate) fn family(&self) -> Family {
        *self.known.family.get(|| family_of(&self.main_words()))
    }

    /// Its words with those of what puts it into an environment.
    pub(crate) fn whole_words(&self) -> Vec<&str> {
        let wrapper = self.setting.wrapper.iter().flat_map(|wrapper| wrapper.split(' '));
        wrapper.chain(self.words.iter().map(|word| word.value.as_str())).collect()
    }

    /// Puts files of the work tree back or brings others: version control that does not only record.
    pub(crate) fn restores_files(&self) -> bool {
        const RESTORING: [&str; 13] = [
            "am",
            "apply",
            "checkout",
            "cherry-pick",
            "clean",
            "merge",
            "pull",
            "rebase",
            "reset",
            "restore",
            "revert",
            "stash",
            "switch",
        ];
        let restores = || matches!(self.verb().as_slice(), ["git", verb, ..] if RESTORING.contains(verb));
        *self.known.restores_files.get(restores)
    }

    /// The words that are no flags: two runs with the same core are runs of the same command.
    pub(crate) fn core(&self) -> Vec<&str> {
        self.words.iter().map(|word| word.value.as_str()).filter(|word| !is_flag(word)).collect()
    }

    /// Program and subcommand, without the arguments.
    pub(crate) fn token(&self) -> &str {
        self.known.token.get(|| self.verb().join(" ").into())
    }

    /// Program and subcommand, word by word, without runners such as `npx` or `uv run`.
    pub(crate) fn verb(&self) -> Vec<&str> {
        let words = self.main_words();
        let words = without_runner(&words);
        let Some((first, rest)) = words.split_first() else { return Vec::new() };
        let program = program_name(first);
        let mut arguments = arguments(program, rest);
        // What stands behind `bun run` is a task, behind `bun` alone a script.
        let runs_a_task = matches!(rest.first(), Some(&("run" | "task" | "test")));
        if known::INTERPRETERS.contains(&program) && !(matches!(program, "bun" | "deno") && runs_a_task) {
            return std::iter::once(program).chain(arguments.next()).collect();
        }
        if known::HOUSEKEEPING.contains(&program) {
            return vec![program];
        }
        let mut verb = vec![program];
        while let Some(word) = arguments.next().filter(|word| is_identifier(word)) {
            verb.push(word);
            if !known::NESTED.contains(&verb.join(" ").as_str()) {
                break;
            }
        }
        verb
    }

    /// The words of the first stage that is not trivial.
    pub(crate) fn main_words(&self) -> Vec<&str> {
        let words = self.words.iter().skip(self.head).map(|word| word.value.as_str());
        words.take_while(|word| *word != "|").collect()
    }

    /// Only looks: lists, reads, searches, prints, waits, or changes the shell alone.
    pub(crate) fn is_trivial(&self) -> bool {
        self.trivial
    }

    /// Its words can stand in an instruction and say all: nothing to expand, nothing that was redacted,
    /// no code of its own, nothing fed to it, not overlong.
    pub(crate) fn is_literal(&self) -> bool {
        *self.known.is_literal.get(|| self.says_all())
    }

    fn says_all(&self) -> bool {
        let is_told =
            |word: &Word| !word.raw.contains(['$', '`', '\n', '<', '>']) && !word.value.contains(REDACTED);
        !self.inline
            && !self.is_fed
            && self.text().chars().count() <= 160
            && self.words.iter().all(is_told)
            && self.setting.is_literal()
    }

    /// Whether it may be a step for others though no claim can state it: it is not code of its own, no check, and hands
    /// no work over.
    pub(crate) fn may_be_a_step(&self) -> bool {
        *self.known.may_be_a_step.get(|| self.needs_doing())
    }

    fn needs_doing(&self) -> bool {
        let is_interpreter = |program: &&str| known::INTERPRETERS.contains(program);
        let is_own_code = self.inline || (self.is_fed && self.verb().first().is_some_and(is_interpreter));
        !(self.trivial || is_own_code || self.is_probe() || self.is_everyday() || self.is_delivery())
    }

    /// Tests, builds or checks something, and changes nothing by it that others need.
    pub(crate) fn is_check(&self) -> bool {
        *self.known.is_check.get(|| self.checks())
    }

    fn checks(&self) -> bool {
        match self.family() {
            Family::Test | Family::Lint | Family::TypeCheck | Family::Build => true,
            Family::Format | Family::Install => false,
            Family::VersionControl | Family::Other => {
                let parts = self.verb_parts();
                let checks = |part: &String| part.contains("test") || known::CHECKS.contains(&part.as_str());
                parts.iter().any(checks) && !prepares(&parts)
            }
        }
    }

    /// Only tells whether something works, and so repairs nothing.
    pub(crate) fn is_probe(&self) -> bool {
        *self.known.is_probe.get(|| self.probes())
    }

    fn probes(&self) -> bool {
        match self.family() {
            Family::Test | Family::Lint | Family::TypeCheck => true,
            Family::Format | Family::Install => false,
            // A program that is built may be what the next command needs; a package that compiles is not.
            Family::Build => {
                let words = main_words(&self.main_words());
                words.starts_with(&["go", "build"]) && !words.iter().any(|word| word.starts_with("-o"))
            }
            Family::VersionControl | Family::Other => {
                let parts = self.verb_parts();
                parts.iter().any(|part| known::PROBES.contains(&part.as_str())) && !prepares(&parts)
            }
        }
    }

    /// Everyday version control, which belongs to every task and tells none from another.
    pub(crate) fn is_version_control(&self) -> bool {
        matches!(self.verb().as_slice(), ["git", verb, ..] if known::EVERYDAY_GIT.contains(verb))
            && !self.is_of_another_checkout()
    }

    /// Whether it works on a checkout within the one at hand: `git -C vendor/sdk pull`.
    fn is_of_another_checkout(&self) -> bool {
        let mut words = self.words.iter().skip(self.head + 1).map(|word| word.value.as_str());
        words.next() == Some("-C") && words.next().is_some_and(|path| !path.starts_with(['/', '.', '~']))
    }

    /// Version control or the moving of files about, which say nothing of a work by themselves.
    pub(crate) fn is_everyday(&self) -> bool {
        let moves = |program: &&str| known::FILE_WORK.contains(program);
        let is_everyday = || self.is_version_control() || self.verb().first().is_some_and(moves);
        *self.known.is_everyday.get(is_everyday)
    }

    /// Hands work over: commit, push, pull request.
    pub(crate) fn is_delivery(&self) -> bool {
        matches!(
            self.verb().as_slice(),
            ["git", "commit" | "push", ..] | ["gh" | "glab", "pr" | "mr", "create", ..]
        )
    }

    /// The file that it edits in place (`sed -i`), `""` if that is not told.
    pub(crate) fn edited_in_place(&self) -> Option<&str> {
        let words = || self.words.iter().skip(self.head).map(|word| word.value.as_str());
        let in_place = |word: &str| word == "--in-place" || word.starts_with("-i") || word == "-pi";
        if !matches!(words().next(), Some("sed" | "perl")) || !words().any(in_place) {
            return None;
        }
        let last = words().next_back();
        Some(last.filter(|word| looks_like_file(word) && !word.contains(' ')).unwrap_or_default())
    }

    /// Only changes the setting of the commands behind it.
    fn only_sets(&self) -> bool {
        self.trivial && sets(&self.words, &mut Setting::default())
    }

    fn sets_pipefail(&self) -> bool {
        let mut words = self.words.iter().map(|word| word.value.as_str());
        words.next() == Some("set") && words.any(|word| word == "pipefail")
    }

    /// The parts of the verb: `npm run test:e2e` gives npm, run, test, e2e.
    fn verb_parts(&self) -> Vec<String> {
        self.verb()
            .iter()
            .flat_map(|word| word.split(|char: char| !char.is_alphanumeric()))
            .filter(|part| !part.is_empty())
            .map(str::to_lowercase)
            .collect()
    }
}

/// Whether a part of a verb prepares something.
fn prepares(parts: &[String]) -> bool {
    parts.iter().any(|part| known::PREPARATIONS.contains(&part.as_str()))
}

/// A name such as a subcommand or a target: neither a path nor a file nor a version.
fn is_identifier(word: &str) -> bool {
    word.starts_with(|char: char| char.is_alphabetic())
        && word.chars().all(|char| char.is_alphanumeric() || "-_:@+".contains(char))
}

/// Drops what only starts another program: `npx`, `uv run`, `python -m`.
fn without_runner<'a, 'b>(words: &'b [&'a str]) -> &'b [&'a str] {
    for runner in known::RUNNERS {
        if words.len() > runner.len() && words.starts_with(runner) {
            return words.get(runner.len()..).unwrap_or_default();
        }
    }
    words
}

/// The first word of the command itself in a line that `Digest::commands` gives.
pub fn program_of(line: &str) -> Cow<'_, str> {
    let first = line.split(' ').next().unwrap_or_default();
    if !(first.contains('=') || first == "cd" || PRIVILEGING.contains(&first)) {
        return Cow::Borrowed(without_dot(first));
    }
    let command = single(line);
    let word = command.as_ref().and_then(|command| command.words().first());
    Cow::Owned(word.map(|word| word.value.clone()).unwrap_or_default())
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
