//! A session as it is played: everyday work, and checks as people and assistants run them.

use crate::noise::Noise;
use crate::outputs::{self, Runner};
use crate::plan::Plan;
use crate::random::Random;
use crate::record::Record;
use crate::style::Check;
use crate::words;

/// How a check's status may be hidden.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mask {
    /// It is not.
    Never,
    /// At the real rate, and the output is whole.
    Whole,
    /// At the real rate, and the output may be cut.
    Any,
    /// Always by a pipe that keeps the summary.
    Always,
    /// Always by one that loses it.
    Cut,
}

/// Checks whose status is masked, in both recorded files.
const MASKED: f64 = 0.42;
/// Plain reruns of a failed check that pass.
pub(crate) const FLAKY: f64 = 0.12;

/// One session that is being played.
pub(crate) struct Play<'a> {
    pub(crate) random: &'a mut Random,
    pub(crate) plan: &'a Plan,
    pub(crate) noise: &'a Noise,
    /// The share of actions that have nothing to do with the work.
    pub(crate) share: f64,
    pub(crate) record: Record,
}

impl Play<'_> {
    /// What assistants put before a command.
    fn prefixed(&mut self, line: &str) -> String {
        let style = &self.plan.style;
        let wrapper = style.wrapper.filter(|_| self.random.chance(style.wrapped));
        let line = wrapper.map_or_else(|| line.to_owned(), |wrapper| format!("{wrapper} {line}"));
        let line = if self.random.chance(0.02) { format!("CI=1 {line}") } else { line };
        if self.random.chance(style.in_folder) {
            return format!("cd {} && {line}", self.record.folder);
        }
        line
    }

    /// A command that is no check.
    pub(crate) fn command(&mut self, line: &str) {
        let line = self.prefixed(line);
        let output = self.random.pick(&["", "done", "ok", "Done in 1.2s"]).to_owned();
        self.record.run(&line, true, output);
    }

    pub(crate) fn passes(&mut self, check: &Check, mask: Mask) {
        let mut output = outputs::pass(self.random, check.runner);
        let is_test =
            matches!(check.runner, Runner::Pytest | Runner::Vitest | Runner::GoTest | Runner::CargoTest);
        if is_test && self.random.chance(self.plan.style.logs_errors) {
            output = format!("{}\n{output}", outputs::logged(self.random));
        }
        self.check(check, true, output, mask);
    }

    /// Fails because the code is wrong.
    pub(crate) fn fails(&mut self, check: &Check, path: &str, mask: Mask) {
        let output = outputs::fail(self.random, check.runner, path);
        self.check(check, false, output, mask);
    }

    /// Fails with an error that an edit of the code does not help against.
    pub(crate) fn breaks(&mut self, check: &Check, error: &str, mask: Mask) {
        let output = outputs::broken(self.random, check.runner, error);
        self.check(check, false, output, mask);
    }

    pub(crate) fn check(&mut self, check: &Check, truly: bool, output: String, mask: Mask) {
        let whole = if truly { output } else { output + &outputs::starter(&check.line) };
        let line = self.prefixed(&check.line);
        let lines: Vec<&str> = whole.lines().collect();
        let is_masked = match mask {
            Mask::Never => false,
            Mask::Whole | Mask::Any => self.random.chance(MASKED),
            Mask::Always | Mask::Cut => true,
        };
        if !is_masked {
            let line = if self.random.chance(0.6) { format!("{line} 2>&1") } else { line };
            return self.record.run_masked(&line, truly, truly, &whole);
        }
        let way = match mask {
            Mask::Cut => self.random.between(8, 9),
            Mask::Any => self.random.below(10),
            _ => self.random.below(8),
        };
        let code = usize::from(!truly);
        let (line, output) = match way {
            0 => (format!("{line} || true"), whole.clone()),
            1 => (format!("{line}; echo \"exit: $?\""), format!("{whole}\nexit: {code}")),
            8 => {
                let count = self.random.between(1, 3);
                (format!("{line} 2>&1 | head -{count}"), lines[..count.min(lines.len())].join("\n"))
            }
            9 => {
                let found: Vec<&str> =
                    lines.iter().copied().filter(|line| line.contains("warning:")).collect();
                (format!("{line} 2>&1 | grep 'warning:'"), found.join("\n"))
            }
            _ => {
                let count = *self.random.pick(&[12, 20, 30, 40]);
                let from = lines.len().saturating_sub(count);
                (format!("{line} 2>&1 | tail -{count}"), lines[from..].join("\n"))
            }
        };
        self.record.run_masked(&line, true, truly, &output);
    }

    /// Two commands in one call, the second a check; it may fail in either, until an edit.
    fn chain(&mut self, first: (&str, Option<Runner>), second: &Check, path: &str) {
        let text = format!("{} && {}", first.0, second.line);
        if self.random.chance(self.plan.style.fails) {
            let (runner, line) = match first.1.filter(|_| self.random.chance(0.5)) {
                Some(runner) => (runner, first.0),
                None => (second.runner, second.line.as_str()),
            };
            let output = outputs::fail(self.random, runner, path) + &outputs::starter(line);
            let line = self.prefixed(&text);
            let masked = self.random.chance(MASKED);
            let line = if masked { format!("{line} 2>&1 | tail -30") } else { line };
            self.record.run_masked(&line, masked, false, &output);
            self.record.edit(path);
        }
        let before = first.1.map(|runner| outputs::pass(self.random, runner) + "\n").unwrap_or_default();
        let output = before + &outputs::pass(self.random, second.runner);
        let line = self.prefixed(&text);
        let line = if self.random.chance(MASKED) { format!("{line} 2>&1 | tail -20") } else { line };
        self.record.run(&line, true, &output);
    }

    /// A look around that changes nothing.
    pub(crate) fn look(&mut self) {
        let area = *self.random.pick(&self.plan.style.areas);
        let stem = self.plan.style.stem(self.random);
        let path = self.plan.style.source(area, stem);
        match self.random.below(7) {
            // Nobody else works in the tree.
            0 => {
                let mut files = self.record.edited();
                files.sort();
                files.dedup();
                let files: Vec<String> = files.iter().map(|file| format!(" M {file}")).collect();
                self.record.run("git status --short", true, &files.join("\n"));
            }
            1 => self.record.run("git diff --stat", true, &format!(" {path} | 4 ++--\n 1 file changed")),
            2 => self.record.run("git log --oneline -5", true, "3f2a1c0 Round totals"),
            3 => self.record.run(&format!("rg -n {stem} ."), true, &format!("{path}:12: {stem}")),
            4 => self.record.run(&format!("ls {area}"), true, "README.md"),
            5 => self.record.run(&format!("sed -n '1,80p' {path}"), true, "..."),
            _ => self.record.read(&path, "..."),
        }
    }

    /// Looks around as often as the noise makes it.
    pub(crate) fn pause(&mut self) {
        while self.random.chance(self.share / 2.0) {
            self.look();
        }
    }

    /// Anything that has nothing to do with the work, edits among it.
    pub(crate) fn aside(&mut self) {
        while self.random.chance(self.share / 2.0) {
            if self.random.chance(0.5) {
                self.noise.act(self.random, &mut self.record);
            } else {
                self.look();
            }
        }
    }

    /// How people take the work: most are content, some say nothing, few correct it.
    pub(crate) fn end(&mut self) {
        self.record.response("Done.");
        match self.random.below(20) {
            0 => {
                let words = *self.random.pick(&words::CORRECTIONS);
                self.record.prompt(words);
                self.look();
                self.record.response("Changed.");
            }
            1..=10 => {
                let words = words::ending(self.random);
                self.record.prompt(words);
            }
            _ => {}
        }
    }

    /// A person stops the assistant for the moment, at the recorded rates.
    pub(crate) fn stop_for_the_moment(&mut self, path: &str) {
        let words = *self.random.pick(&words::MOMENT);
        match self.random.below(10) {
            0..=3 => self.record.refuse_edit(path, Some(words), self.random.chance(0.5)),
            4 => self.record.refuse("git add -A", Some(words), self.random.chance(0.5)),
            5 | 6 => self.record.refuse_edit(path, None, false),
            _ => {
                self.record.prompt("[Request interrupted by user]");
                self.record.prompt(words);
            }
        }
    }

    /// Everyday work in an area that no lesson is about.
    pub(crate) fn feature(&mut self) {
        let area = *self.random.pick(&self.plan.plain_areas);
        let paths = self.edit_area(area);
        for round in 0..self.random.between(1, self.plan.style.rounds) {
            if round > 0 {
                let path = self.random.pick(&paths).clone();
                self.record.edit(&path);
            }
            self.everyday_checks(&paths);
        }
        if self.random.chance(0.3) {
            let other = *self.random.pick(&self.plan.plain_areas);
            self.passes(&self.plan.style.suite(other), Mask::Any);
        }
        if self.random.chance(0.5) {
            let message = self.random.pick(&["Round totals", "Limit the list", "Split it"]).to_owned();
            self.record.run(&format!("git add -A && git commit -m '{message}'"), true, "[main 3f2a1c0]");
        }
        self.end();
    }

    /// Asks for work in an area and edits some of its files.
    pub(crate) fn edit_area(&mut self, area: &str) -> Vec<String> {
        let stem = self.plan.style.stem(self.random);
        let request = words::feature(self.random, area, stem);
        self.record.prompt(&request);
        self.aside();
        let mut paths = Vec::new();
        for _ in 0..self.random.between(1, 3) {
            let stem = self.plan.style.stem(self.random);
            let path = self.plan.style.source(area, stem);
            self.record.read(&path, "...");
            for _ in 0..self.random.between(1, 2) {
                self.record.edit(&path);
            }
            paths.push(path);
        }
        if self.random.chance(0.3) {
            self.stop_for_the_moment(&paths[0]);
        }
        self.theme();
        paths
    }

    /// The file that most sessions edit.
    pub(crate) fn theme(&mut self) {
        if self.random.chance(self.plan.style.themed * 0.45) {
            self.record.edit(&self.plan.style.theme);
        }
    }

    /// The checks that everybody runs, in either order, until they pass.
    fn everyday_checks(&mut self, paths: &[String]) {
        let style = &self.plan.style;
        if self.random.chance(style.chained) {
            let path = &paths[0];
            return match self.random.below(4) {
                0 | 1 => self.chain((&style.format, None), &style.lint, path),
                2 => self.chain((&style.lint.line, Some(style.lint.runner)), &style.test, path),
                _ => self.chain((&style.test.line, Some(style.test.runner)), &style.lint, path),
            };
        }
        let mut checks = vec![&style.lint, &style.test];
        if !self.random.chance(style.lint_first) {
            checks.reverse();
        }
        if self.random.chance(0.2) {
            checks.push(&style.types);
        }
        for check in checks {
            self.until_it_passes(check, paths);
        }
    }

    /// Runs a check, and edits until it passes; at times something else runs in between.
    pub(crate) fn until_it_passes(&mut self, check: &Check, paths: &[String]) {
        let path = self.random.pick(paths).clone();
        let mut tries = 0;
        while tries < 3 && self.random.chance(self.plan.style.fails) {
            tries += 1;
            self.fails(check, &path, Mask::Any);
            if self.random.chance(self.plan.style.edits_between) {
                self.record.edit(&path);
                match self.random.below(20) {
                    0 => self.passes(&self.plan.style.lint, Mask::Any),
                    1 => self.passes(&self.plan.style.types, Mask::Any),
                    2 => self.command(&self.plan.decoys.bystander),
                    3 => self.look(),
                    _ => {}
                }
            } else if !self.random.chance(FLAKY) {
                self.fails(check, &path, Mask::Any);
                self.record.edit(&path);
            }
        }
        self.passes(check, Mask::Any);
    }
}
