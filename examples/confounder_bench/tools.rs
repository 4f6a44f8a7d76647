//! What tools and repositories teach: pipes that hide a failure, flags that are not there, checks that change files or
//! take too long, checks that people have to point to, where things are, rules that code breaks; and what looks like it.
//!
//! These sessions come behind those of the other kinds, from a source of chance of their own: what a seed drew before
//! they were added it draws still.

use crate::plan::{Decoy, Lesson, Plan};
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
    /// A check that fails and passes on the same files.
    Flaky { check: Check },
    /// A script of the session's own that needs a call.
    Snippet { error: String, call: String },
    /// A commit runs a check: both print its script.
    Hook { check: Check, script: &'static str },
    /// A skill that nobody has.
    NoSkill { name: &'static str },
    /// Files that are left over in a folder and break a check.
    Leftover { check: Check, folder: &'static str },
    /// A build that belongs to one file.
    Builds { file: String, build: String },
}

/// The kinds, in the order of the report.
pub(crate) const KINDS: [&str; 13] = [
    "side effect",
    "flag",
    "demand",
    "slow",
    "pipe",
    "where",
    "rule of the tools",
    "flaky check",
    "snippet",
    "hook",
    "skill",
    "leftover",
    "build",
];

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
    /// A check that an edit mends.
    Mended,
    /// A part of a check fails, and another passes.
    OtherPart,
    /// A script that passes when it runs again, whatever it calls.
    LuckyScript,
    /// A call that one person's scripts need.
    OneScripter,
    /// A check and a commit in one call.
    ChainedCommit,
    /// A commit runs something else than the check of like name.
    OtherScript,
    /// A check that one person's commits run.
    OneCommitter,
    /// A check that few commits run.
    RareHook,
    /// A check of which commits run a part.
    WiderCheck,
    /// A skill that some have.
    SomeHaveIt,
    /// Files that are removed while a check is mended.
    ByTheWay,
    /// A build that half of those forget who edit its file, and others run as well.
    UsualBuild,
}

const LURES: [(Lure, usize); 16] = [
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
    (Lure::Mended, 5),
    (Lure::OtherPart, 5),
    (Lure::LuckyScript, 8),
    (Lure::OneScripter, 8),
];

/// What looks like a hook: drawn behind all others.
const COMMITS: [(Lure, usize); 5] = [
    (Lure::ChainedCommit, 5),
    (Lure::OtherScript, 5),
    (Lure::OneCommitter, 5),
    (Lure::RareHook, 3),
    (Lure::WiderCheck, 7),
];

/// What looks like something that is not there, left over or built of one file: drawn behind these.
const ABSENT: [(Lure, usize); 3] = [(Lure::SomeHaveIt, 6), (Lure::ByTheWay, 6), (Lure::UsualBuild, 12)];

/// The skill that some have, and the folder of what is removed by the way.
pub(crate) const SOMEBODYS_SKILL: &str = "house-style";
pub(crate) const REPORTS: &str = "out/reports";

/// The script that the commits of a workspace run.
pub(crate) const HOOKED: &str = "style-check --all --max-warnings 0";

/// The commands and names of the lures.
#[derive(Clone)]
pub(crate) struct Bait {
    /// What runs beside a change by hand, and beside a script.
    pub(crate) by_hand: Check,
    pub(crate) scripted: Check,
    pub(crate) pointed: Check,
    pub(crate) forbidden: Check,
    pub(crate) at_times: Check,
    pub(crate) deadline: Check,
    pub(crate) gate: Check,
    pub(crate) twice: String,
    pub(crate) mended: Check,
    pub(crate) parts: Check,
    pub(crate) lucky: String,
    pub(crate) own: String,
    /// What only looks as if commits ran it, and the check that they run.
    pub(crate) chained: Check,
    pub(crate) spelled: Check,
    pub(crate) private: Check,
    pub(crate) rare: Check,
    pub(crate) wider: Check,
    pub(crate) hooked: Check,
    /// What is mended while files are removed, and what is built of more than one file.
    pub(crate) tidied: Check,
    pub(crate) usual_build: String,
    pub(crate) usual_file: String,
}

/// What a session of these plays.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Part {
    Lesson(usize, usize),
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
            program: "ls",
            flag: "--hyperlink",
            error: "ls: unrecognized option `--hyperlink'\nusage: ls [-ABCFGHLOPRSTUWabcdefghiklmnopqrstuvwxy1%,] [--color=when] [file ...]",
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
        mended: style.named_suite("golden"),
        parts: style.suite("matrix"),
        lucky: format!("{}.warm_up", nouns[1]),
        own: format!("{}.log_in_as", nouns[2]),
        chained: lint(style, "seal"),
        spelled: lint(style, "spell"),
        private: lint(style, "notes"),
        rare: lint(style, "icons"),
        wider: style.named_suite("everything"),
        hooked: lint(style, "style"),
        tidied: style.named_suite("tidy"),
        usual_build: style.task("build-pages"),
        usual_file: "web/pages.css".to_owned(),
    };
    let mut groups = Vec::new();
    for tool in tools {
        if !matches!(tool, Tool::Piped { .. } | Tool::Rejects { .. }) {
            let many = random.between(4, 6);
            groups.push((shown(plan.lessons.len(), many), false));
        }
        plan.lessons.push(Lesson::Tool(tool));
    }
    for (lure, many) in LURES {
        let parts = (0..many).map(|number| Part::Lure(lure, number)).collect();
        groups.push((parts, matches!(lure, Lure::OnePointer | Lure::OneScripter)));
    }
    // Behind the others, and nothing drawn: what a seed drew before is drawn still.
    let call = format!("{}.schema.create_all", nouns[0]);
    for (tool, many) in [
        (Tool::Flaky { check: plan.style.named_suite("visual") }, 6),
        (Tool::Snippet { error: "OperationalError".to_owned(), call }, 9),
    ] {
        groups.push((shown(plan.lessons.len(), many), false));
        plan.lessons.push(Lesson::Tool(tool));
    }
    // Where nothing prints the scripts that it runs, no commit shows which check it runs.
    if plan.style.prints_scripts() {
        groups.push((shown(plan.lessons.len(), 7), false));
        plan.lessons.push(Lesson::Tool(Tool::Hook { check: bait.hooked.clone(), script: HOOKED }));
    }
    for (lure, many) in COMMITS {
        let parts = (0..many).map(|number| Part::Lure(lure, number)).collect();
        groups.push((parts, lure == Lure::OneCommitter));
    }
    for (tool, many) in [
        (Tool::NoSkill { name: "release-notes" }, 5),
        (Tool::Leftover { check: plan.style.named_suite("whole"), folder: "tmp/copies" }, 6),
        (Tool::Builds { file: "web/theme.css".to_owned(), build: plan.style.task("build-theme") }, 8),
    ] {
        groups.push((shown(plan.lessons.len(), many), false));
        plan.lessons.push(Lesson::Tool(tool));
    }
    for (lure, many) in ABSENT {
        groups.push(((0..many).map(|number| Part::Lure(lure, number)).collect(), false));
    }
    (bait, groups)
}

/// The sessions that show a lesson.
fn shown(lesson: usize, many: usize) -> Vec<Part> {
    (0..many).map(|number| Part::Lesson(lesson, number)).collect()
}

pub(crate) fn declaration(language: Language, name: &str) -> String {
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
        decoy("mended", &bait.mended.line),
        decoy("another part", &bait.parts.line),
        decoy("lucky script", &bait.lucky),
        decoy("one scripter", &bait.own),
        decoy("chained commit", &bait.chained.line),
        decoy("another script", &bait.spelled.line),
        decoy("one committer", &bait.private.line),
        decoy("rare hook", &bait.rare.line),
        decoy("wider check", &bait.wider.line),
        decoy("somebody's skill", SOMEBODYS_SKILL),
        decoy("removed by the way", REPORTS),
        decoy("usual build", &bait.usual_build),
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
            Self::Flaky { .. } => 7,
            Self::Snippet { .. } => 8,
            Self::Hook { .. } => 9,
            Self::NoSkill { .. } => 10,
            Self::Leftover { .. } => 11,
            Self::Builds { .. } => 12,
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
                "After editing `{}`, run `{}` before you say that the work is done: people had to ask for it.",
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
                format!("`{}` often rejects new code for `{rule}`: look for it.", check.line)
            }
            Self::Flaky { check } => format!("`{}` fails and passes on the same files.", check.line),
            Self::Snippet { error, call } => {
                format!("If a `python` script that you wrote fails with \"{error}\", call `{call}` in it.")
            }
            Self::Hook { check, .. } => {
                format!("`git commit` runs `{}` by itself.", check.line)
            }
            Self::NoSkill { name } => format!("There is no skill `{name}` here."),
            Self::Leftover { folder, .. } => format!(
                "If a check fails in files below `{folder}/`, which you did not edit: remove those that nothing uses any more (`rm -rf {folder}/{{name}}`), then run the check again."
            ),
            Self::Builds { file, build } => format!("After editing `{file}`, run `{build}`."),
        }
    }

    /// The commands and files that no other work has.
    pub(crate) fn forms(&self) -> Vec<String> {
        match self {
            Self::Changes { check, .. }
            | Self::Asked { check, .. }
            | Self::Flaky { check }
            | Self::Hook { check, .. } => vec![check.line.clone()],
            Self::Snippet { call, .. } => vec![call.clone()],
            Self::Flag { program, flag, .. } => vec![format!("{program} {flag}")],
            Self::Slow { check, part } => vec![check.line.clone(), part.clone()],
            Self::Declared { name, .. } => vec![name.clone()],
            Self::Slip { wrong, right } => vec![wrong.clone(), right.clone()],
            Self::NoSkill { name } => vec![(*name).to_owned()],
            Self::Leftover { folder, .. } => vec![(*folder).to_owned()],
            Self::Builds { file, build } => vec![file.clone(), build.clone()],
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
            (Self::Flaky { check }, Claim::Flaky(code)) => (says(code, &check.line, style), true),
            (Self::Hook { check, .. }, Claim::Hooked(codes)) => {
                (codes.iter().all(|code| says(code, &check.line, style)), true)
            }
            (Self::Snippet { error, call }, Claim::Snippet { error: told, code }) => {
                let is_it = call.split('.').next_back() == code.split('.').next_back();
                (is_it && told.as_ref().is_none_or(|told| told == error), true)
            }
            (Self::NoSkill { name }, Claim::NoSkill { name: told, instead }) => {
                (told == name && instead.is_none(), true)
            }
            (Self::Leftover { folder, .. }, Claim::Leftover { folder: told, remove }) => (
                told.trim_end_matches('/') == *folder
                    && remove.starts_with("rm -rf ")
                    && remove.contains(folder),
                true,
            ),
            (Self::Leftover { check, folder }, Claim::Repair { check: told, repairs, .. }) => {
                (says(told, &check.line, style) && repairs.iter().all(|run| run.contains(folder)), false)
            }
            (Self::Builds { file, build }, Claim::Check { path, command }) => {
                (path == file && says(command, build, style), true)
            }
            _ => (false, false),
        }
    }
}
