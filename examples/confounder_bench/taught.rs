//! Sessions of what tools and repositories teach, and of what looks like it.

use crate::outputs;
use crate::plan::Lesson;
use crate::play::{Mask, Play};
use crate::style::{Check, Language};
use crate::tools::{Bait, Lure, Part, REPORTS, SOMEBODYS_SKILL, Tool, declaration};
use crate::words::identifier;

impl Play<'_> {
    pub(crate) fn tool(&mut self, part: Part, bait: &Bait) {
        match part {
            Part::Lesson(at, number) => {
                if let Lesson::Tool(tool) = &self.plan.lessons[at] {
                    self.taught(tool, number);
                }
            }
            Part::Lure(lure, number) => self.lured(lure, number, bait),
        }
        self.end();
    }

    fn worked(&mut self) -> Vec<String> {
        let area = *self.random.pick(&self.plan.plain_areas);
        self.edit_area(area)
    }

    /// The changed files as git shows them: those of the session, and others.
    fn status(&mut self, others: &[&String]) {
        let mut files = self.record.edited();
        files.extend(others.iter().map(|file| (*file).clone()));
        files.sort();
        files.dedup();
        let text: Vec<String> = files.iter().map(|file| format!(" M {file}")).collect();
        self.record.run("git status --short", true, &text.join("\n"));
    }

    fn taught(&mut self, tool: &Tool, number: usize) {
        match tool {
            Tool::Changes { check, others } => {
                self.worked();
                self.status(&[]);
                self.passes(check, Mask::Never);
                let other = self.random.pick(others).clone();
                self.status(&[&other]);
                self.record.run(&format!("git checkout -- {other}"), true, "");
            }
            Tool::Flag { program, flag, error } => {
                let paths = self.worked();
                self.record.run(&format!("{program} {flag} {} | sed -n '3,9p'", paths[0]), true, error);
                self.look();
            }
            Tool::Asked { check, area } => {
                let paths = self.edit_area(area);
                self.passes(&self.plan.style.test, Mask::Never);
                self.record.response("Done.");
                self.points(check);
                self.fails(check, &paths[0], Mask::Whole);
                self.record.edit(&paths[0]);
                self.passes(check, Mask::Whole);
            }
            Tool::Slow { check, part } => {
                self.worked();
                self.record.run(&check.line, false, "Command timed out after 2m 0.0s");
                let output = outputs::pass(self.random, check.runner);
                self.record.run(part, true, &output);
            }
            Tool::Declared { name, line, file } => {
                self.worked();
                // Where it is, is not seen at once.
                self.record.run(&format!("rg -n '{name}' docs"), false, "");
                self.record.run(&format!("rg -n '{name}' ."), true, &format!("{file}:12:{line}"));
            }
            Tool::Slip { wrong, right } => {
                self.worked();
                self.record.run(
                    &format!("cat {wrong}"),
                    false,
                    &format!("cat: {wrong}: No such file or directory"),
                );
                self.record.run(&format!("cat {right}"), true, "limit: 4");
            }
            Tool::Flaky { check } => {
                let paths = self.worked();
                if self.random.chance(0.5) {
                    self.fails(check, &paths[0], Mask::Never);
                    self.passes(check, Mask::Never);
                } else {
                    self.passes(check, Mask::Never);
                    self.fails(check, &paths[0], Mask::Never);
                }
            }
            Tool::Snippet { error, call } => {
                self.worked();
                self.script(&[], Some(&format!("{error}: no such table: ledger")));
                self.script(&[call], None);
            }
            Tool::Hook { check, script } => self.hooked(check, script, number),
            Tool::NoSkill { name } => {
                self.worked();
                self.record.skill(name, false);
                self.look();
            }
            Tool::Leftover { check, folder } => {
                self.worked();
                let copy = format!("{folder}/{}", identifier(self.random));
                self.breaks(check, &format!("cannot load {copy}/src/part"), Mask::Never);
                self.record.run(&format!("rm -rf {copy}"), true, "");
                self.passes(check, Mask::Never);
            }
            Tool::Builds { file, build } => {
                self.worked();
                self.record.edit(file);
                // One in eight forgets.
                if number != 4 {
                    self.record.run(build, true, "Done in 1.2s");
                }
            }
            Tool::Piped { .. } | Tool::Rejects { .. } => {}
        }
    }

    /// Writes a script and runs it; it fails with a text, or passes.
    fn script(&mut self, calls: &[&str], fails_with: Option<&str>) {
        let calls: Vec<String> = calls.iter().map(|call| format!("{call}(1)\n")).collect();
        let code = format!(
            "import acme\nacme.configure(1)\n{}rows = acme.read_rows()\nacme.show(rows)\n",
            calls.concat()
        );
        self.record.run(&format!("cat > try_it.py <<'EOF'\n{code}EOF"), true, "");
        let output = match fails_with {
            Some(text) => format!("Traceback (most recent call last):\n  File \"try_it.py\", line 3\n{text}"),
            None => "4 rows".to_owned(),
        };
        self.record.run("python3 try_it.py", fails_with.is_none(), &output);
    }

    /// A person points to a check.
    fn points(&mut self, check: &Check) {
        let task = check.line.rsplit(' ').next().unwrap_or_default();
        let words = [
            format!("`{}` fails", check.line),
            format!("{task} is red"),
            format!("please run {task} too"),
            format!("what does {} say?", check.line),
        ];
        let words = self.random.pick(&words).clone();
        self.record.prompt(&words);
    }

    fn lured(&mut self, lure: Lure, number: usize, bait: &Bait) {
        let style = &self.plan.style;
        let paths = self.worked();
        let foreign =
            style.source("legacy", self.random.pick::<&str>(&["gauge", "ballot", "hopper", "sorter"]));
        match lure {
            Lure::ByHand => {
                self.status(&[]);
                self.passes(&bait.by_hand, Mask::Never);
                self.record.response("Done.");
                self.record.prompt("I mended the old part myself meanwhile, go on");
                self.status(&[&foreign]);
            }
            Lure::Formatter => {
                self.status(&[]);
                self.command(&style.format);
                self.status(&[&foreign]);
            }
            Lure::Script => {
                self.status(&[]);
                self.record.run("python3 - <<'EOF'\nrewrite()\nEOF", true, "");
                self.passes(&bait.scripted, Mask::Never);
                self.status(&[&foreign]);
            }
            Lure::Quiet => {
                self.status(&[]);
                self.passes(&style.types, Mask::Never);
                self.status(&[]);
            }
            Lure::SomeSystems => {
                let line = format!("grep -P '\\bintake\\b' {}", paths[0]);
                if number < 4 {
                    self.record.run(
                        &line,
                        false,
                        "grep: invalid option -- P\nusage: grep [-abcdDEFGHhIiJLlMmnOopqRSsUVvwXxZz]",
                    );
                } else {
                    self.record.run(&line, true, "intake = 4");
                }
            }
            Lure::OnePointer => {
                self.passes(&style.test, Mask::Never);
                self.record.response("Done.");
                self.points(&bait.pointed);
                self.passes(&bait.pointed, Mask::Whole);
            }
            Lure::Forbidden => {
                self.record.response("Done.");
                self.record.prompt(&format!("Never run `{}` on a laptop.", bait.forbidden.line));
                self.passes(&bait.forbidden, Mask::Whole);
            }
            Lure::SlowAtTimes => {
                if number < 3 {
                    self.record.run(&bait.at_times.line, false, "Command timed out after 2m 0.0s");
                } else {
                    self.passes(&bait.at_times, Mask::Never);
                }
            }
            Lure::Deadline => {
                self.breaks(&bait.deadline, "TimeoutError: operation timed out", Mask::Never);
            }
            Lure::Pipefail => {
                let output = outputs::fail(self.random, bait.gate.runner, &paths[0]);
                let line = format!("set -o pipefail; {} 2>&1 | tail -30", bait.gate.line);
                self.record.run(&line, false, &output);
                self.record.edit(&paths[0]);
                self.passes(&bait.gate, Mask::Never);
            }
            Lure::Mended => {
                self.fails(&bait.mended, &paths[0], Mask::Never);
                self.record.edit(&paths[0]);
                self.passes(&bait.mended, Mask::Never);
            }
            Lure::OtherPart => {
                let flag = match style.language {
                    Language::Python => "-k",
                    Language::Node => "-t",
                    Language::Go => "-run",
                    Language::Rust => "--test",
                };
                let output = outputs::fail(self.random, bait.parts.runner, &paths[0]);
                self.record.run(&format!("{} {flag} Intake", bait.parts.line), false, &output);
                let output = outputs::pass(self.random, bait.parts.runner);
                self.record.run(&format!("{} {flag} Ledger", bait.parts.line), true, &output);
            }
            Lure::LuckyScript => {
                self.script(&[], Some("ConnectionError: try again"));
                if number.is_multiple_of(2) {
                    self.script(&[&bait.lucky], None);
                } else {
                    self.script(&[], None);
                }
            }
            Lure::OneScripter => {
                self.script(&[], Some("LoginError: nobody is logged in"));
                self.script(&[&bait.own], None);
            }
            Lure::ChainedCommit
            | Lure::OtherScript
            | Lure::OneCommitter
            | Lure::RareHook
            | Lure::WiderCheck => self.committed(lure, bait),
            Lure::SomeHaveIt => self.record.skill(SOMEBODYS_SKILL, number > 3),
            Lure::ByTheWay => {
                self.fails(&bait.tidied, &paths[0], Mask::Never);
                self.record.run(&format!("rm -rf {REPORTS}/{}", identifier(self.random)), true, "");
                self.record.edit(&paths[0]);
                self.passes(&bait.tidied, Mask::Never);
            }
            Lure::UsualBuild => {
                if number < 6 {
                    self.record.edit(&bait.usual_file);
                }
                if number >= 6 || number.is_multiple_of(2) {
                    self.record.run(&bait.usual_build, true, "Done in 1.2s");
                }
            }
            Lure::Twice => {
                let line = declaration(style.language, &bait.twice);
                let [one, other] = ["spool", "window"].map(|stem| style.source("legacy", stem));
                let output = format!("{one}:3:{line}\n{other}:9:{line}");
                self.record.run(&format!("rg -n '{}' .", bait.twice), true, &output);
            }
            Lure::Unmended => {
                let output = match style.language {
                    Language::Python => format!("{}:3:1: C901 `weigh` is too complex\nFound 1 error.", paths[0]),
                    Language::Node => format!("\n{}\n  3:1  error  Too complex  complexity\n\n✖ 1 problem (1 error, 0 warnings)", paths[0]),
                    Language::Go => format!("{}:3:1: too complex (gocyclo)\n1 issues:\n* gocyclo: 1", paths[0]),
                    Language::Rust => "error: too complex\n   = note: `-D clippy::cognitive-complexity`\nerror: could not compile `acme` (lib) due to 1 previous error".to_owned(),
                };
                for _ in 0..2 {
                    self.record.run(&style.lint.line, false, &output);
                    self.record.edit(&paths[0]);
                }
            }
        }
    }
}
