//! What is planted in a workspace: lessons that are true, and decoys that look like lessons.

use crate::outputs::Runner;
use crate::random::Random;
use crate::style::{Check, Language, Style};
use crate::tools::{self, Tool};

/// Spellings of one command or path; the first is how sessions write it. They may hold `{version}`,
/// `{number}`, `{name}` and `{path}`.
pub(crate) type Forms = Vec<String>;

/// Something that must be published.
#[derive(Clone)]
pub(crate) enum Lesson {
    /// The check fails with the error until the repair has run.
    Repair { check: Check, error: String, repair: String, prevents: bool, second: Option<String> },
    /// One command cannot work here, the other does the work.
    Instead { wrong: Forms, right: Forms, error: String, runner: Runner, path: bool },
    /// Steps in order; a secret that one of them is given in a variable.
    Procedure { topic: usize, steps: Vec<Step>, secret: Option<&'static str> },
    /// After edits in an area its suite runs; of each file its own, where `by_file`.
    Check { area: &'static str, by_file: bool },
    /// Two files that change together.
    Together { first: String, second: String },
    /// People want one and not the other. Words may name only the programs.
    Prefer { good: Forms, bad: Forms, words: [String; 2] },
    /// People refuse it, in words that name the act.
    Avoid { command: String, words: &'static [&'static str] },
    /// What tools and the repository teach.
    Tool(Tool),
}

/// The kinds, in the order of the report.
pub(crate) const KINDS: [&str; 20] = [
    "repair",
    "instead",
    "procedure",
    "check",
    "together",
    "prefer",
    "avoid",
    tools::KINDS[0],
    tools::KINDS[1],
    tools::KINDS[2],
    tools::KINDS[3],
    tools::KINDS[4],
    tools::KINDS[5],
    tools::KINDS[6],
    tools::KINDS[7],
    tools::KINDS[8],
    tools::KINDS[9],
    tools::KINDS[10],
    tools::KINDS[11],
    tools::KINDS[12],
];

/// So many kinds stand before those of tools.
const OTHER_KINDS: usize = 7;

impl Lesson {
    pub(crate) fn kind(&self) -> usize {
        match self {
            Self::Repair { .. } => 0,
            Self::Instead { .. } => 1,
            Self::Procedure { .. } => 2,
            Self::Check { .. } => 3,
            Self::Together { .. } => 4,
            Self::Prefer { .. } => 5,
            Self::Avoid { .. } => 6,
            Self::Tool(tool) => OTHER_KINDS + tool.kind(),
        }
    }
}

/// One step of a procedure.
#[derive(Clone, PartialEq)]
pub(crate) enum Step {
    Run(String),
    Edit(String),
}

/// What must not be published: its kind, and the commands or files that a false line would name.
#[derive(Clone)]
pub(crate) struct Decoy {
    pub(crate) kind: &'static str,
    pub(crate) codes: Vec<String>,
}

/// The commands of the decoys.
#[derive(Clone)]
pub(crate) struct Decoys {
    /// Runs between a failure, an edit and a pass.
    pub(crate) bystander: String,
    /// Runs between a flaky failure and its rerun.
    pub(crate) ritual: String,
    pub(crate) flaky: Check,
    /// Runs before a masked failure, before a cut output, after an error that a pass logs.
    pub(crate) masked: (Check, String),
    pub(crate) cut: (Check, String),
    pub(crate) logged: (Check, String),
    /// One person's three commands.
    pub(crate) habit: Vec<String>,
    /// Refused without words, and at times run.
    pub(crate) silent: String,
    /// Refused with words for the moment.
    pub(crate) moment: String,
    /// People contradict each other.
    pub(crate) contradiction: [String; 2],
    /// Files that only huge sessions edit together.
    pub(crate) huge: [String; 2],
}

/// Everything of a workspace.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) style: Style,
    pub(crate) lessons: Vec<Lesson>,
    pub(crate) decoys: Decoys,
    /// Areas that no Check lesson is about.
    pub(crate) plain_areas: Vec<&'static str>,
}

pub(crate) fn plan(random: &mut Random, language: Language, number: usize) -> Plan {
    let mut style = Style::draw(random, language, number);
    let mut lessons = repairs(random, &mut style);
    lessons.extend(crate::kinds::insteads(random, &mut style));
    lessons.extend(crate::kinds::procedures(random, &mut style));
    let mut areas = style.areas.clone();
    random.shuffle(&mut areas);
    let by_file = style.file_suite("a", "b").is_some();
    for at in 0..random.between(1, 2) {
        lessons.push(Lesson::Check { area: areas.pop().unwrap(), by_file: by_file && at == 0 });
    }
    lessons.push(together(random, &mut style));
    lessons.push(crate::kinds::prefer(random, &mut style));
    lessons.push(crate::kinds::avoid(random, &mut style));
    let decoys = decoys(random, &mut style);
    Plan { style, lessons, decoys, plain_areas: areas }
}

/// Two or three of five.
fn repairs(random: &mut Random, style: &mut Style) -> Vec<Lesson> {
    let mut kinds = [0, 1, 2, 3, 4];
    random.shuffle(&mut kinds);
    let count = random.between(2, 3);
    let mut repairs: Vec<Lesson> = kinds[..count].iter().map(|kind| repair(random, style, *kind)).collect();
    // One of them is followed by a command that does not help.
    let noun = style.noun();
    let second = style.task(&format!("seed-{noun}"));
    if let Some(Lesson::Repair { second: slot, .. }) = repairs.first_mut() {
        *slot = Some(second);
    }
    repairs
}

fn repair(random: &mut Random, style: &mut Style, kind: usize) -> Lesson {
    let noun = style.noun();
    let port = random.between(2000, 9800);
    let (check, error, repair) = match kind {
        0 => {
            let error = match style.language {
                Language::Python => format!(
                    "psycopg.OperationalError: connection to server at \"127.0.0.1\", port {port} failed: Connection refused"
                ),
                Language::Node => format!("connect ECONNREFUSED 127.0.0.1:{port}"),
                Language::Go => format!("dial tcp 127.0.0.1:{port}: connect: connection refused"),
                Language::Rust => {
                    format!("error connecting to 127.0.0.1:{port}: Connection refused (os error 111)")
                }
            };
            let up = [
                format!("docker compose up -d {noun}"),
                style.task(&format!("up-{noun}")),
                format!("./scripts/start_{noun}.sh"),
            ];
            (style.named_suite("integration"), error, random.pick(&up).clone())
        }
        1 => {
            let error = match style.language {
                Language::Python => format!(
                    "ModuleNotFoundError: No module named '{}.generated.{noun}_pb2'",
                    style.repository
                ),
                Language::Node => {
                    format!("Cannot find module './generated/{noun}' or its corresponding type declarations.")
                }
                Language::Go => format!("no required module provides package example.com/acme/gen/{noun}"),
                Language::Rust => format!("error[E0432]: unresolved import `crate::generated::{noun}`"),
            };
            let generate =
                [style.task(&format!("gen-{noun}")), format!("./tools/gen_{noun}.sh"), style.task("codegen")];
            (
                Check { line: style.task(&format!("test-{noun}")), runner: style.test.runner },
                error,
                random.pick(&generate).clone(),
            )
        }
        2 => {
            let path = style.source(style.areas[0], "gauge");
            let error = match style.language {
                Language::Python => {
                    format!("Would reformat: {path}\n1 file would be reformatted, 41 files already formatted")
                }
                Language::Node => format!("[warn] {path}\n[warn] Code style issues found in the above file."),
                Language::Go => {
                    format!("{path}:14:1: File is not properly formatted (gofumpt)\n1 issues:\n* gofumpt: 1")
                }
                Language::Rust => format!("Diff in {path}:12:\n-    let a=1;\n+    let a = 1;"),
            };
            (style.lint.clone(), error, style.format.clone())
        }
        3 => {
            let error = format!("relation \"{noun}_entries\" does not exist");
            let migrate = [
                style.task(&format!("migrate-{noun}")),
                format!("./bin/{noun}-migrate up"),
                format!("docker compose run --rm {noun}-migrate"),
            ];
            (style.named_suite("contract"), error, random.pick(&migrate).clone())
        }
        _ => {
            let error = format!("license header is missing in 3 files (see tools/{noun}.txt)");
            let check = Check { line: style.task("verify"), runner: style.lint.runner };
            (check, error, style.task(&format!("headers-{noun}")))
        }
    };
    // A formatter always prevents; a service does if sessions start it beforehand.
    let prevents = kind == 2 || (matches!(kind, 0 | 3) && random.chance(0.5));
    Lesson::Repair { check, error, repair, prevents, second: None }
}

fn together(random: &mut Random, style: &mut Style) -> Lesson {
    let noun = style.noun();
    let pairs = [
        (format!("api/{noun}.yaml"), format!("docs/reference/{noun}.md")),
        (format!("proto/{noun}.proto"), format!("web/types/{noun}.ts")),
        (format!("config/{noun}.toml"), format!("deploy/{noun}/values.yaml")),
        (format!("locales/en/{noun}.json"), format!("locales/de/{noun}.json")),
    ];
    let (first, second) = random.pick(&pairs).clone();
    Lesson::Together { first, second }
}

fn decoys(random: &mut Random, style: &mut Style) -> Decoys {
    let mut commands: Vec<String> = Vec::new();
    for kind in 0..6 {
        let noun = style.noun();
        commands.push(match kind {
            0 => style.task(&format!("docs-{noun}")),
            1 => format!("docker compose restart {noun}"),
            2 => format!("./scripts/warm_{noun}.sh"),
            3 => style.task(&format!("sync-{noun}")),
            4 => format!("rm -rf .cache/{noun}"),
            _ => format!("./bin/{noun} reload"),
        });
    }
    random.shuffle(&mut commands);
    let mut next = || commands.pop().unwrap();
    let habit = style.noun();
    let contradiction = style.noun();
    let other = style.noun();
    Decoys {
        bystander: next(),
        ritual: next(),
        flaky: style.named_suite("browser"),
        masked: (style.named_suite("smoke"), next()),
        cut: (style.named_suite("golden"), next()),
        logged: (style.named_suite("queue"), next()),
        habit: vec![
            format!("./my/{habit}.sh"),
            format!("git fetch origin {habit}"),
            style.task(&format!("clean-{habit}")),
        ],
        silent: format!("git push origin {other}"),
        moment: next(),
        contradiction: [
            style.task(&format!("snap-{contradiction}")),
            style.task(&format!("dump-{contradiction}")),
        ],
        huge: [format!("assets/{other}/index.json"), format!("tools/{contradiction}/table.csv")],
    }
}
