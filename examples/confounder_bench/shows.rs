//! Sessions that show a lesson.

use crate::kinds::TOPICS;
use crate::outputs;
use crate::plan::{Lesson, Step};
use crate::play::{Mask, Play};
use crate::poison::Poison;
use crate::style::Check;
use crate::words::{fill, identifier};

/// How a repair is shown.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Manner {
    /// Failure, repair, pass.
    Clean,
    /// The failure again without the repair, then as above.
    Untreated,
    /// An edit between: no clean rerun.
    Dirty,
    /// The repair before the check, which passes.
    Before,
    /// The repair, then a command that did not help.
    SecondAfter,
    /// A command that does not help, the failure again, the repair.
    SecondAlone,
}

impl Play<'_> {
    pub(crate) fn lesson(&mut self, lesson: &Lesson, manner: Manner, number: usize, poison: &mut Poison) {
        match lesson {
            Lesson::Repair { check, error, repair, second, .. } => {
                self.repair(check, error, repair, second.as_deref(), manner);
            }
            Lesson::Instead { wrong, right, error, runner, path } => {
                let area = *self.random.pick(&self.plan.plain_areas);
                let path = path.then(|| self.argument(area));
                let filled = |form: &str| form.replace("{path}", path.as_deref().unwrap_or_default());
                let right = Check { line: filled(&right[0]), runner: *runner };
                self.instead(&filled(&wrong[0]), &right, error);
            }
            Lesson::Procedure { topic, steps, secret } => self.procedure(*topic, steps, *secret, poison),
            Lesson::Check { area, by_file } => self.suite_after_edits(area, *by_file),
            Lesson::Together { first, second } => self.together(first, second, number),
            Lesson::Prefer { good, bad, words } => self.prefer(&good[0], &bad[0], words),
            Lesson::Tool(_) => {}
            Lesson::Avoid { command, words } => {
                let area = *self.random.pick(&self.plan.plain_areas);
                self.edit_area(area);
                let line = match command.as_str() {
                    "git push --force" => format!("git push --force origin {}", identifier(self.random)),
                    other => other.to_owned(),
                };
                self.record.refuse(&line, Some(words[number % words.len()]), self.random.chance(0.6));
                self.look();
                self.end();
            }
        }
    }

    /// What a runner is pointed at.
    fn argument(&mut self, area: &str) -> String {
        let style = &self.plan.style;
        let whole = style.suite(area).line;
        whole.split(' ').next_back().unwrap_or_default().to_owned()
    }

    fn work(&mut self) -> Vec<String> {
        let area = *self.random.pick(&self.plan.plain_areas);
        self.edit_area(area)
    }

    fn repair(&mut self, check: &Check, error: &str, repair: &str, second: Option<&str>, manner: Manner) {
        let paths = self.work();
        if manner == Manner::Before {
            self.command(repair);
            self.pause();
            self.passes(check, Mask::Whole);
            return self.end();
        }
        self.breaks(check, error, Mask::Whole);
        self.pause();
        match manner {
            Manner::Untreated => {
                self.breaks(check, error, Mask::Whole);
                self.pause();
            }
            Manner::SecondAlone => {
                second.iter().for_each(|second| self.command(second));
                self.breaks(check, error, Mask::Whole);
            }
            Manner::Dirty => self.record.edit(&paths[0]),
            _ => {}
        }
        self.command(repair);
        if manner == Manner::SecondAfter {
            second.iter().for_each(|second| self.command(second));
        } else {
            self.pause();
        }
        self.passes(check, Mask::Whole);
        self.end();
    }

    fn instead(&mut self, wrong: &str, right: &Check, error: &str) {
        self.work();
        let reported = self.random.chance(0.3);
        if reported {
            self.record.run_masked(&format!("{wrong} 2>&1 | tail -20"), true, false, error);
        } else {
            self.record.run(wrong, false, error);
        }
        self.pause();
        // Without a wrapper: the line is the lesson.
        let output = outputs::pass(self.random, right.runner);
        self.record.run(&right.line, true, &output);
        self.end();
    }

    fn procedure(&mut self, topic: usize, steps: &[Step], secret: Option<&str>, poison: &mut Poison) {
        let style = &self.plan.style;
        let (area, stem) = (*self.random.pick(&style.areas), style.stem(self.random));
        let request = self.random.phrase(TOPICS[topic], area, stem);
        self.record.prompt(&request);
        let seed = (fill(self.random, "{version}"), fill(self.random, "{name}"));
        let mut lines: Vec<String> = Vec::new();
        let last_run = steps.iter().rposition(|step| matches!(step, Step::Run(_)));
        for (at, step) in steps.iter().enumerate() {
            self.pause();
            if self.random.chance(0.15) {
                let check = if self.random.chance(0.5) { &style.test } else { &style.lint };
                self.passes(check, Mask::Any);
            }
            if self.random.chance(0.1) {
                self.theme();
            }
            let Step::Run(form) = step else {
                let Step::Edit(path) = step else { continue };
                self.record.edit(path);
                continue;
            };
            let mut line = form.replace("{version}", &seed.0).replace("{name}", &seed.1);
            // The registry or the cluster is what asks for the secret.
            let is_secret = match topic {
                3 => at == 0,
                _ => Some(at) == last_run,
            };
            if let Some(variable) = secret.filter(|_| is_secret) {
                let value = if self.random.chance(0.7) {
                    format!("[redacted:secret:{}]", &identifier(self.random)[..4])
                } else {
                    crate::decoys::token(self.random, poison)
                };
                line = format!("{variable}={value} {line}");
            }
            lines.push(line);
            // Two steps in one call at the recorded rate of chains.
            let next_is_run = matches!(steps.get(at + 1), Some(Step::Run(_)));
            if lines.len() == 1 && next_is_run && self.random.chance(0.2) {
                continue;
            }
            let line = lines.join(" && ");
            lines.clear();
            self.command(&line);
        }
        self.record.response("Done.");
        self.record.prompt("Thanks, that went well.");
    }

    /// The suite of the area, or of each file, after edits there. One in ten forgets.
    fn suite_after_edits(&mut self, area: &str, by_file: bool) {
        let style = &self.plan.style;
        let paths = self.edit_area(area);
        if self.random.chance(0.1) {
            return self.end();
        }
        let mut stems: Vec<&str> = Vec::new();
        for path in &paths {
            let stem = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
            if !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        let suites: Vec<Check> = if by_file {
            stems.iter().filter_map(|stem| style.file_suite(area, stem)).collect()
        } else {
            vec![style.suite(area)]
        };
        for suite in &suites {
            self.until_it_passes(suite, &paths);
        }
        if self.random.chance(0.3) {
            self.passes(&style.lint, Mask::Any);
        }
        self.end();
    }

    fn together(&mut self, first: &str, second: &str, number: usize) {
        let noun = first.rsplit('/').next().unwrap_or_default().to_owned();
        let request = self.random.phrase(
            &[
                "Add a field to {a}",
                "{a} needs another entry",
                "rename the {b} key in {a}",
                "drop the old {b} from {a}",
            ],
            &noun,
            self.plan.style.areas[0],
        );
        self.record.prompt(&request);
        self.aside();
        let (one, other) = if number.is_multiple_of(2) { (first, second) } else { (second, first) };
        self.record.edit(one);
        if self.random.chance(0.5) {
            let area = *self.random.pick(&self.plan.plain_areas);
            let stem = self.plan.style.stem(self.random);
            self.record.edit(&self.plan.style.source(area, stem));
        }
        self.record.edit(other);
        if self.random.chance(0.4) {
            self.passes(&self.plan.style.test, Mask::Any);
        }
        self.end();
    }

    fn prefer(&mut self, good: &str, bad: &str, [wanted, unwanted]: &[String; 2]) {
        self.work();
        let name = identifier(self.random);
        let filled = |form: &str| form.replace("{name}", &name);
        self.record.run(&filled(bad), true, "done");
        self.record.response("That is done.");
        let ticked = self.random.chance(0.5);
        let code = |text: &str| if ticked { format!("`{text}`") } else { text.to_owned() };
        let (a, b) = (code(wanted), code(unwanted));
        let words = self
            .random
            .pick(&[
                format!("Please use {a}, not {b}"),
                format!("We use {a} here, never {b}."),
                format!("No: {a} instead of {b}, as everywhere in this repository."),
                format!("use {a} rather than {b} please"),
                format!("That should be {a}, not {b}. Please undo it and use {a}"),
                format!("Don't use {b}, use {a}."),
            ])
            .clone();
        self.record.prompt(&words);
        self.pause();
        self.command(&filled(good));
        self.end();
    }
}
