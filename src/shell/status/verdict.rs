//! What an output says of each of the commands that may have printed it.

use super::super::command::Listed;
use super::super::family::{self, Family};
use super::exit::Proof;
use super::forms::{Found, Says, Tool, found_in, tools};
use super::reading::Reading;

/// What an output says of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
}

/// A command as forms are held against it.
struct Candidate<'a> {
    words: Vec<&'a str>,
    family: Family,
    is_bundle: bool,
}

/// How sure it is that a command printed a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    /// It did not, as far as is known.
    None,
    /// It may run anything.
    Any,
    /// It is for something near: `npm run lint` may check types.
    Near,
    /// It is for the same.
    Family,
    /// It runs that tool.
    Tool,
    /// The form names its task or program.
    Name,
}

/// The forms of an output, and what they say.
pub(super) struct Verdicts<'a> {
    listed: &'a [Listed],
    reading: &'a Reading<'a>,
    candidates: Vec<Option<Candidate<'a>>>,
    proofs: &'a [Proof],
    found: Vec<Found>,
    /// How sure it is that a command printed a form, by form and command.
    ties: Vec<Vec<Tie>>,
}

impl<'a> Verdicts<'a> {
    pub(super) fn new(listed: &'a [Listed], proofs: &'a [Proof], reading: &'a Reading<'a>) -> Self {
        let candidates = listed.iter().map(|listed| {
            let command = &listed.command;
            (!command.is_trivial()).then(|| Candidate {
                words: family::main_words(&command.main_words()),
                family: command.family(),
                is_bundle: family::is_bundle(&command.main_words()),
            })
        });
        let candidates: Vec<Option<Candidate<'a>>> = candidates.collect();
        // The output is not asked about a command that certainly failed, or that passed and is no check.
        let is_asked = |(candidate, proof): (&Option<Candidate<'_>>, &Proof)| match (candidate, proof) {
            (None, _) | (_, Proof::Failed) => false,
            (Some(candidate), Proof::Passed) => candidate.family.is_check(),
            (Some(_), Proof::Suspect | Proof::Silent | Proof::Untold) => true,
        };
        let is_asked = candidates.iter().zip(proofs).any(is_asked);
        let found = if is_asked { found_in(&reading.text) } else { Vec::new() };
        let mut verdicts = Self { listed, reading, candidates, proofs, found, ties: Vec::new() };
        let of_form = |found| (0..listed.len()).map(|index| verdicts.tie(index, found)).collect();
        verdicts.ties = verdicts.found.iter().map(of_form).collect();
        verdicts
    }

    fn candidate(&self, index: usize) -> Option<&Candidate<'a>> {
        self.candidates.get(index)?.as_ref()
    }

    fn is_alone(&self) -> bool {
        self.candidates.iter().flatten().count() == 1
    }

    fn tie(&self, index: usize, found: &Found) -> Tie {
        let Some(candidate) = self.candidate(index) else { return Tie::None };
        if let Some(name) = &found.name
            && candidate.words.contains(&name.as_str())
        {
            return Tie::Name;
        }
        let runs = |runs: &&str| is_run(runs, &candidate.words);
        if found.tool.runs.iter().any(runs) {
            // A name that is another's: `make: *** [test]` behind `make lint && make test`.
            return if found.name.is_some() && !self.is_alone() { Tie::Any } else { Tie::Tool };
        }
        if found.tool.family == candidate.family && candidate.family.is_check() {
            return Tie::Family;
        }
        // `go vet` prints what a compiler does.
        let lints = |family| matches!(family, Family::Lint | Family::TypeCheck | Family::Build);
        if lints(found.tool.family) && lints(candidate.family) {
            return Tie::Near;
        }
        let is_any = match candidate.family {
            Family::VersionControl => false,
            Family::Other | Family::Install => found.tool.family != Family::VersionControl,
            family => family == Family::Format || found.tool.family == Family::Other,
        };
        if is_any || self.is_alone() && candidate.family.is_check() { Tie::Any } else { Tie::None }
    }

    /// The forms that a command printed, as far as can be told: those that are tied to no other command
    /// as closely. `true`: another is tied as closely.
    fn of(&self, index: usize) -> Vec<(&Found, Tie, bool)> {
        let ties = self.found.iter().zip(&self.ties).filter_map(|(found, ties)| {
            let tie = |index: usize| ties.get(index).copied().unwrap_or(Tie::None);
            let own = tie(index);
            if own == Tie::None {
                return None;
            }
            // A failure is not one of those that passed.
            let is_failure = matches!(found.says, Says::Failed | Says::Hint);
            let passed = |other: usize| self.proofs.get(other) == Some(&Proof::Passed);
            let is_other = |other: &usize| *other != index && !(is_failure && passed(*other));
            let others = (0..self.listed.len()).filter(is_other);
            let closest = others.map(tie).max().unwrap_or(Tie::None);
            let is_told = match found.says {
                Says::Failed => own > Tie::None,
                Says::Hint => own > Tie::Any,
                // That one of the things passed which it may run says nothing of the rest.
                Says::Passed | Says::Closed => {
                    own > Tie::Any || own == Tie::Any && self.runs_it_last(index, found)
                }
            };
            (is_told && own >= closest).then_some((found, own, own == closest))
        });
        let ties: Vec<_> = ties.collect();
        let is_closer = ties.iter().any(|(_, tie, _)| *tie > Tie::Any);
        ties.into_iter().filter(|(_, tie, _)| !is_closer || *tie > Tie::Any).collect()
    }

    /// Whether a command that is for nothing known ends with what this form ends.
    fn runs_it_last(&self, index: usize, found: &Found) -> bool {
        let is_other = self.candidate(index).is_some_and(|candidate| candidate.family == Family::Other);
        let is_last = self.found.iter().all(|other| other.at <= found.at);
        is_other && self.is_alone() && is_last && self.ends_shown(index)
    }

    /// What the output says of a command whose status is not told.
    pub(super) fn of_untold(&self, index: usize) -> Option<Verdict> {
        let forms = self.of(index);
        let best =
            forms.iter().filter(|(found, ..)| found.says == Says::Passed).map(|(_, tie, _)| *tie).max();
        let has = |says: Says, shared: bool| {
            forms.iter().any(|(found, _, is_shared)| found.says == says && *is_shared == shared)
        };
        let fails = forms.iter().any(|(found, tie, shared)| {
            found.says == Says::Failed && !shared && best.is_none_or(|best| *tie >= best)
        });
        if fails {
            return Some(Verdict::Failed);
        }
        // A failure that may be another's proves nothing, and lets nothing pass.
        if has(Says::Failed, true) {
            return None;
        }
        if has(Says::Passed, false) {
            return Some(Verdict::Passed);
        }
        if has(Says::Hint, false) {
            return Some(Verdict::Failed);
        }
        let may_pass = !has(Says::Hint, true);
        if may_pass && has(Says::Closed, false) && self.ends_shown(index) {
            return Some(Verdict::Passed);
        }
        if may_pass && (has(Says::Passed, true) || has(Says::Closed, true)) && self.all_pass(index) {
            return Some(Verdict::Passed);
        }
        (forms.is_empty() && self.is_quietly_fine(index)).then_some(Verdict::Passed)
    }

    /// The verdict of the output on one of the commands that may have failed.
    pub(super) fn of_suspect(&self, index: usize) -> Option<Verdict> {
        match self.of_untold(index) {
            None => self.names_program(index).then_some(Verdict::Failed),
            said => said,
        }
    }

    /// Whether a line begins with the program's name as an error of its own does (`cp: cannot stat`).
    fn names_program(&self, index: usize) -> bool {
        let program = |index: usize| self.candidate(index).and_then(|own| own.words.first().copied());
        let Some(own) = program(index).filter(|own| own.len() > 1) else { return false };
        let is_other = |other: usize| other != index && program(other) == Some(own);
        let is_only = !(0..self.listed.len()).any(is_other);
        let begins = |line: &str| line.strip_prefix(own).is_some_and(|rest| rest.starts_with(": "));
        is_only && self.reading.text.lines().any(begins)
    }

    /// Whether the output contradicts an exit status of 0: the last form says that it failed.
    pub(super) fn contradicts(&self, index: usize) -> bool {
        let Some(candidate) = self.candidate(index).filter(|candidate| candidate.family.is_check()) else {
            return false;
        };
        let forms = self.of(index);
        let told = forms.iter().filter(|(found, tie, shared)| {
            found.says != Says::Hint && !shared && (*tie > Tie::Near || candidate.is_bundle)
        });
        let last = told.max_by_key(|(found, ..)| found.at);
        last.is_some_and(|(found, ..)| found.says == Says::Failed)
    }

    /// Whether the end of what a command printed is shown.
    fn ends_shown(&self, index: usize) -> bool {
        let Some(own) = self.listed.get(index) else { return false };
        let is_last = self.candidates.iter().skip(index + 1).flatten().next().is_none();
        let is_kept = self.reading.has_end && (is_last || self.reading.lines.is_some());
        is_kept && own.view.shown.has_end(self.reading.lines)
    }

    /// Whether several commands of one kind all end well: nothing failed, and all is shown, or the others
    /// are known to have passed and the end is shown.
    fn all_pass(&self, index: usize) -> bool {
        let Some(own) = self.listed.get(index) else { return false };
        let others =
            (0..self.listed.len()).filter(|other| *other != index && self.candidate(*other).is_some());
        let mut others = others.map(|other| self.proofs.get(other));
        let is_settled = others.all(|proof| proof == Some(&Proof::Passed));
        let ends = own.view.shown.has_end(self.reading.lines);
        ends && (self.reading.lines.is_some() || is_settled && self.ends_shown(index))
    }

    /// Whether a command that prints nothing where all is well printed nothing, and all of it is shown.
    fn is_quietly_fine(&self, index: usize) -> bool {
        let Some((own, candidate)) = self.listed.get(index).zip(self.candidate(index)) else { return false };
        if own.view.drops_errors || !own.view.shown.is_whole(self.reading.lines) || !self.is_alone() {
            return false;
        }
        let mut lines = self.reading.text.lines().filter(|line| !line.trim().is_empty());
        let echoes: Vec<&str> = lines.by_ref().filter(|line| echoed(line).is_some()).collect();
        let has_more =
            self.reading.text.lines().any(|line| !line.trim().is_empty() && echoed(line).is_none());
        let echoed: Vec<Vec<&str>> =
            echoes.iter().filter_map(|line| echoed(line)).map(|line| line.split(' ').collect()).collect();
        let is_quiet = |tool: &Tool| {
            tool.is_quiet
                && tool.runs.iter().any(|runs| {
                    is_run(runs, &candidate.words) || echoed.iter().any(|words| is_run(runs, words))
                })
        };
        !has_more && tools().any(is_quiet)
    }
}

/// The command line that a task runner prints before it runs it: `$ tsc`, `[fmt] $ gofmt -w .`, `> eslint`.
fn echoed(line: &str) -> Option<&str> {
    if let Some(line) = line.strip_prefix("$ ").or_else(|| line.strip_prefix("> ")) {
        return Some(line);
    }
    let (task, line) = line.strip_prefix('[')?.split_once("] $ ")?;
    (!task.contains(' ')).then_some(line)
}

/// Whether words run a tool: its words stand in them one after the other.
fn is_run(runs: &str, words: &[&str]) -> bool {
    let parts: Vec<&str> = runs.split(' ').collect();
    let is_part = |(word, part): (&&str, &&str)| {
        word == part || word.rsplit('/').next().is_some_and(|name| name == *part)
    };
    words.windows(parts.len()).any(|window| window.iter().zip(&parts).all(is_part))
}
