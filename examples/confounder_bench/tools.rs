//! What tools and repositories teach: pipes that hide a failure, flags that are not there, checks that change files or
//! take too long, checks that people have to point to, where things are, rules that code breaks; and what looks like it.
//!
//! These sessions come behind those of the other kinds, from a source of chance of their own: what a seed drew before
//! they were added it draws still.

use crate::outputs;
use crate::plan::{Decoy, Lesson, Plan};
use crate::play::{Mask, Play};
use crate::random::Random;
use crate::reading::Claim;
use crate::style::{Check, Language, Style};

use crate::matching::{holds, says};

/// Something that a tool or the repository teaches.
#[derive(Clone)]
pub(crate) enum Tool {
    /// A check changes files that nobody edited.
    Changes { check: Check, others: Vec<String> },
    /// A program does not know a flag.
    Flag { program: &'static str, flag: &'static str, error: &'static str },
    /// People have to point to a check after edits in an area.
    Asked { check: Check, area: &'static str },
    /// A check runs into the time limit, a part of it does not.
    Slow { check: Check, part: String },
    /// Behind a pipe a check hides its failures: everyday work shows it.
    Piped { check: Check },
    /// Where a name is declared.
    Declared { name: String, line: String, file: String },
    /// A file whose name people get wrong.
    Slip { wrong: String, right: String },
    /// A rule that a check rejects by: everyday work shows it.
    Rejects { check: Check, rule: &'static str },
}

/// The kinds, in the order of the report.
pub(crate) const KINDS: [&str; 7] =
    ["side effect", "flag", "demand", "slow", "pipe", "where", "rule of the tools"];

/// What looks like one of them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Lure {
    /// A person changes a file while a check runs.
    ByHand,
    /// A formatter changes files: that is its work.
    Formatter,
    /// A script changes a file beside a check.
    Script,
    /// A flag that one system does not know and another does.
    SomeSystems,
    /// A check that one person points to.
    OnePointer,
    /// A check that a prompt forbids.
    Forbidden,
    /// A check that takes too long at times.
    SlowAtTimes,
    /// A test that fails with a deadline of its own.
    Deadline,
    /// A shell that hands on the failure behind a pipe.
    Pipefail,
    /// A name that two files declare.
    Twice,
    /// A rule that stays broken.
    Unmended,
    /// A check beside which nothing changes.
    Quiet,
}

const LURES: [(Lure, usize); 12] = [
    (Lure::ByHand, 5),
    (Lure::Formatter, 5),
    (Lure::Script, 5),
    (Lure::SomeSystems, 6),
    (Lure::OnePointer, 5),
    (Lure::Forbidden, 4),
    (Lure::SlowAtTimes, 5),
    (Lure::Deadline, 4),
    (Lure::Pipefail, 5),
    (Lure::Twice, 5),
    (Lure::Unmended, 4),
    (Lure::Quiet, 6),
];

/// The commands and names of the lures.
#[derive(Clone)]
pub(crate) struct Bait {
    /// What runs beside a change by hand, and beside a script.
    by_hand: Check,
    scripted: Check,
    pointed: Check,
    forbidden: Check,
    at_times: Check,
    deadline: Check,
    gate: Check,
    twice: String,
}

/// What a session of these plays.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Part {
    Lesson(usize),
    Lure(Lure, usize),
}

/// Adds lessons to a plan, and says what to play: each group in sessions of several people, or of one.
pub(crate) fn add(random: &mut Random, plan: &mut Plan) -> (Bait, Vec<(Vec<Part>, bool)>) {
    let area = *random.pick(&plan.plain_areas);
    let style = &mut plan.style;
    let nouns: Vec<&'static str> = (0..3).map(|_| style.noun()).collect();
    let state = format!("{}{}State", nouns[0][..1].to_uppercase(), &nouns[0][1..]);
    let lint = |style: &Style, name: &str| Check {
        line: style.task(&format!("lint-{name}")),
        runner: style.lint.runner,
    };
    let file = style.source(area, "ledger");
    let line = declaration(style.language, &state);
    let soak = style.suite("soak");
    let part = match style.language {
        Language::Python => format!("{} -k smoke", soak.line),
        Language::Node => format!("{} -t smoke", soak.line),
        Language::Go => format!("{} -run Smoke", soak.line),
        Language::Rust => format!("{} smoke", soak.line),
    };
    let mut tools = vec![
        Tool::Changes {
            check: lint(style, "audit"),
            others: ["shelf", "ticket", "voucher", "weigher"]
                .map(|stem| style.source("legacy", stem))
                .to_vec(),
        },
        Tool::Flag {
            program: "cat",
            flag: "-A",
            error: "cat: illegal option -- A\nusage: cat [-belnstuv] [file ...]",
        },
        Tool::Asked { check: style.named_suite("release"), area },
        Tool::Slow { check: soak, part },
        Tool::Piped { check: style.test.clone() },
        Tool::Declared { name: state, line, file },
        Tool::Slip { wrong: format!("config/{}.yml", nouns[1]), right: format!("config/{}.yaml", nouns[1]) },
    ];
    if let Some(rule) = style.lint.runner.rule() {
        tools.push(Tool::Rejects { check: style.lint.clone(), rule });
    }
    let bait = Bait {
        by_hand: lint(style, "brand"),
        scripted: lint(style, "links"),
        pointed: style.named_suite("nightly"),
        forbidden: style.named_suite("cluster"),
        at_times: style.suite("load"),
        deadline: style.suite("retry"),
        gate: style.named_suite("gate"),
        twice: format!("{}{}Error", nouns[2][..1].to_uppercase(), &nouns[2][1..]),
    };
    let mut groups = Vec::new();
    for tool in tools {
        if !matches!(tool, Tool::Piped { .. } | Tool::Rejects { .. }) {
            let many = random.between(4, 6);
            groups.push((vec![Part::Lesson(plan.lessons.len()); many], false));
        }
        plan.lessons.push(Lesson::Tool(tool));
    }
    for (lure, many) in LURES {
        let parts = (0..many).map(|number| Part::Lure(lure, number)).collect();
        groups.push((parts, lure == Lure::OnePointer));
    }
    (bait, groups)
}

fn declaration(language: Language, name: &str) -> String {
    match language {
        Language::Python => format!("class {name}:"),
        Language::Node => format!("export class {name} {{"),
        Language::Go => format!("type {name} struct {{"),
        Language::Rust => format!("pub struct {name} {{"),
    }
}

/// The lures as decoys.
pub(crate) fn planted(plan: &Plan, bait: &Bait) -> Vec<Decoy> {
    let decoy = |kind: &'static str, code: &str| Decoy { kind, codes: vec![code.to_owned()] };
    vec![
        decoy("changed by hand", &bait.by_hand.line),
        decoy("formatter", &plan.style.format),
        decoy("script", &bait.scripted.line),
        decoy("some systems", "grep -P"),
        decoy("one pointer", &bait.pointed.line),
        decoy("forbidden", &bait.forbidden.line),
        decoy("slow at times", &bait.at_times.line),
        decoy("deadline", &bait.deadline.line),
        decoy("pipefail", &bait.gate.line),
        decoy("declared twice", &bait.twice),
    ]
}

impl Tool {
    pub(crate) const fn kind(&self) -> usize {
        match self {
            Self::Changes { .. } => 0,
            Self::Flag { .. } => 1,
            Self::Asked { .. } => 2,
            Self::Slow { .. } => 3,
            Self::Piped { .. } => 4,
            Self::Declared { .. } | Self::Slip { .. } => 5,
            Self::Rejects { .. } => 6,
        }
    }

    /// What a perfect miner says.
    pub(crate) fn sentence(&self, style: &Style) -> String {
        match self {
            Self::Changes { check, .. } => format!("`{}` changes files that you did not edit.", check.line),
            Self::Flag { program, flag, .. } => {
                format!("`{program} {flag}` fails here: it does not know the flag.")
            }
            Self::Asked { check, area } => format!(
                "After editing `{}`, run `{}` before you say that it is done: people had to point to it.",
                style.source(area, "{name}"),
                check.line
            ),
            Self::Slow { check, part } => {
                format!("Use `{part}`; `{}` runs into the time limit here.", check.line)
            }
            Self::Piped { check } => format!("Run `{}` without a pipe.", check.line),
            Self::Declared { name, file, .. } => format!("`{name}` is declared in `{file}`."),
            Self::Slip { wrong, right } => format!("There is no `{wrong}`; it is `{right}`."),
            Self::Rejects { check, rule } => {
                format!("`{}` rejects new code most for `{rule}`: look for it.", check.line)
            }
        }
    }

    /// The commands and files that no other work has.
    pub(crate) fn forms(&self) -> Vec<String> {
        match self {
            Self::Changes { check, .. } | Self::Asked { check, .. } => vec![check.line.clone()],
            Self::Flag { program, flag, .. } => vec![format!("{program} {flag}")],
            Self::Slow { check, part } => vec![check.line.clone(), part.clone()],
            Self::Declared { name, .. } => vec![name.clone()],
            Self::Slip { wrong, right } => vec![wrong.clone(), right.clone()],
            Self::Piped { .. } | Self::Rejects { .. } => Vec::new(),
        }
    }

    /// Whether it makes a claim true, and whether the claim says it whole.
    pub(crate) fn verdict(&self, claim: &Claim, style: &Style) -> (bool, bool) {
        match (self, claim) {
            (Self::Changes { check, .. }, Claim::Changes(code)) => (says(code, &check.line, style), true),
            (Self::Flag { program, flag, .. }, Claim::NoFlag { flagged, instead }) => {
                (*flagged == format!("{program} {flag}") && instead.is_none(), true)
            }
            (Self::Asked { check, area }, Claim::Asked { path, command }) => {
                (says(command, &check.line, style) && holds(path, &style.source(area, "intake")), true)
            }
            (Self::Slow { check, part }, Claim::Slow { check: code, instead }) => {
                let is_part = instead.as_ref().is_none_or(|instead| says(instead, part, style));
                (says(code, &check.line, style) && is_part, true)
            }
            (Self::Declared { name, file, .. }, Claim::Declared { names, file: told }) => {
                (names.iter().all(|own| own == name) && holds(told, file), true)
            }
            (Self::Slip { wrong, right }, Claim::Missing { path, instead }) => {
                let is_right = instead.as_ref().is_none_or(|instead| instead == right);
                (path.trim_end_matches('/') == wrong && is_right, instead.is_some())
            }
            _ => (false, false),
        }
    }
}

impl Play<'_> {
    pub(crate) fn tool(&mut self, part: Part, bait: &Bait) {
        match part {
            Part::Lesson(at) => {
                if let Lesson::Tool(tool) = &self.plan.lessons[at] {
                    self.taught(tool);
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

    fn taught(&mut self, tool: &Tool) {
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
            Tool::Piped { .. } | Tool::Rejects { .. } => {}
        }
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
