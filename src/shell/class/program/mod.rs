//! The class of one program with its arguments, and of the lines and programs among them.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | one program, and what stands in for it: runners, packages, scripts |
//! | `walk.rs` | a line becomes programs, behind all that stands around them |
//! | `shapes.rs` | programs whose arguments decide: installers, interpreters, clients of servers |
//! | `within.rs` | tasks and commands among the arguments of a project's task |

mod shapes;
mod walk;
mod within;

use super::table::{self, Registry, Shape};
use super::{Class, Judgement, destroys, hosts, inline, options, paths, variables, words};
use crate::shell::family::looked_through;
use crate::shell::flag::is_flag;
use crate::shell::setting::is_assignment;

/// Where a program stands in its line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    /// So many folders below the one where the line begins.
    pub(super) depth: usize,
    /// In a container, whose paths are its own.
    pub(super) in_container: bool,
    /// In so many lines.
    pub(super) nested: usize,
    /// What a pipe feeds to it.
    pub(super) fed: Fed,
}

/// What a pipe feeds to a program.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Fed {
    /// Nothing.
    #[default]
    No,
    /// What another program wrote.
    Written,
    /// What came from another machine.
    Fetched,
}

/// Where a program comes from, where nobody knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From wherever the machine has it.
    Path,
    /// A module of whatever Python finds.
    Module,
    /// The project installed it: `uv run`, `bundle exec`.
    Project,
    /// It is fetched if it is not there: `npx`.
    Fetched(Registry),
}

/// Runners that fetch what they are to run.
const FETCHING: &[(&[&str], Registry)] = &[
    (&["npx"], Registry::Npm),
    (&["bunx"], Registry::Npm),
    (&["pnpx"], Registry::Npm),
    (&["bun", "x"], Registry::Npm),
    (&["npm", "exec"], Registry::Npm),
    (&["pnpm", "dlx"], Registry::Npm),
    (&["yarn", "dlx"], Registry::Npm),
    (&["uvx"], Registry::Pypi),
    (&["uv", "tool", "run"], Registry::Pypi),
    (&["pipx", "run"], Registry::Pypi),
];

/// Runners that run what the project installed.
const PROJECTS: &[&str] = &["bundle", "hatch", "npm", "pdm", "pipenv", "pnpm", "poetry", "rye", "uv", "yarn"];

/// Names of packages whose tools are known by another name.
const PACKAGES: &[(&str, &str)] = &[
    ("@angular/cli", "ng"),
    ("@biomejs/biome", "biome"),
    ("@changesets/cli", "changeset"),
    ("@commitlint/cli", "commitlint"),
    ("@graphql-codegen/cli", "graphql-codegen"),
    ("@nestjs/cli", "nest"),
    ("@openapitools/openapi-generator-cli", "openapi-generator-cli"),
    ("@playwright/test", "playwright"),
    ("@redocly/cli", "redocly"),
    ("@stoplight/spectral-cli", "spectral"),
    ("@tailwindcss/cli", "tailwindcss"),
];

/// Programs whose first operand is a pattern or a text, no path.
const PATTERN_FIRST: &[&str] = &[
    "ack", "ag", "awk", "echo", "egrep", "expr", "fgrep", "grep", "jq", "printf", "rg", "sed", "tr", "yq",
    "zgrep",
];

/// Programs that look at a file without showing what is in it.
const NAMES_ALONE: &[&str] = &[
    "[", "basename", "dirname", "echo", "file", "find", "ls", "printf", "realpath", "stat", "test", "tree",
    "which", "wc",
];

/// Programs that copy what a file holds.
const COPYING: &[&str] =
    &["7z", "base64", "cp", "dd", "git", "gzip", "install", "ln", "mv", "rsync", "tar", "tee", "zip", "zstd"];

/// Programs that only print how they are used where nothing is asked of them. A skill names one so that is to be run
/// without what wraps it.
const HELPFUL: &[&str] = &["bun", "cargo", "gh", "git", "go", "mise", "npm", "pip", "pnpm", "poetry", "uv"];

/// Adds what a program with its arguments may do.
pub(super) fn program(words: &[&str], origin: Origin, context: Context, judged: &mut Judgement) {
    let Some((first, rest)) = words.split_first() else { return };
    let context = Context { nested: context.nested + 1, ..context };
    if context.nested > 8 {
        return judged.add(Class::Unknown, "a command within many commands");
    }
    if first.starts_with('{') {
        return judged.add(Class::Unknown, "a program that is not named");
    }
    if let Some(inner) = looked_through(words) {
        return through(words, inner, origin, context, judged);
    }
    let name = match named(first, origin, context, judged) {
        Named::Program(name) => name,
        Named::Script => return script(words, context, judged),
        Named::Nothing => return,
    };
    let mut own = vec![name];
    own.extend(rest);
    let asks = matches!(rest, ["--version" | "--help" | "-V"]) && table::known(&own).is_some();
    if asks || (rest.is_empty() && HELPFUL.contains(&name)) {
        return judged.add(Class::Read, name);
    }
    match table::known(&own).filter(|(shape, _)| stands(*shape, name, origin)) {
        Some((shape, length)) => {
            shapes::judge(shape, length, &own, context, judged);
            options::judge(&own, judged);
            inline::judge(&own, judged);
            destroys::judge(&own, shape, judged);
            within::judge(&own, shape, context, judged);
            arguments(&own, shape, context, judged);
        }
        None => {
            let class = match origin {
                Origin::Project => Class::Tasks,
                Origin::Fetched(_) => Class::FetchedCode,
                Origin::Path | Origin::Module => Class::Unknown,
            };
            judged.add(class, shown(name));
            options::judge(&own, judged);
            destroys::judge(&own, Shape::Is(class), judged);
            within::judge(&own, Shape::Is(class), context, judged);
            arguments(&own, Shape::Is(class), context, judged);
        }
    }
}

/// A name as a message may show it.
pub(super) fn shown(name: &str) -> String {
    let plain = |char: &char| char.is_ascii_alphanumeric() || "-_.@/+".contains(*char);
    name.chars().take(40).filter(plain).collect()
}

enum Named<'a> {
    Program(&'a str),
    /// A file of the repository.
    Script,
    /// The program's own class is all.
    Nothing,
}

/// What the first word of a command names.
fn named<'a>(first: &'a str, origin: Origin, context: Context, judged: &mut Judgement) -> Named<'a> {
    if let Origin::Fetched(registry) = origin {
        return package(first, registry, judged);
    }
    if !first.contains(['/', '\\']) {
        let is_file = [".sh", ".py", ".js", ".ts", ".rb", ".pl", ".ps1", ".bat", ".mjs"]
            .iter()
            .any(|ending| first.ends_with(ending));
        if is_file && (origin == Origin::Project || first == "manage.py") {
            return Named::Script;
        }
        return Named::Program(table::name_of(first));
    }
    if paths::is_of_the_system(first) {
        return Named::Program(table::name_of(first));
    }
    if !context.in_container && paths::leads_out(first, context.depth) {
        judged.refuse("a path outside of the repository");
        return Named::Nothing;
    }
    if hosts::is_foreign_address(first) {
        judged.add(Class::FetchedCode, "it runs what an address gives");
        return Named::Nothing;
    }
    if ["./gradlew", "./mvnw"].contains(&first) {
        return Named::Program(first);
    }
    // `.venv/bin/pip` is pip, `bin/deploy` the project's own.
    let base = table::name_of(first.rsplit(['/', '\\']).next().unwrap_or(first));
    if table::names(base) { Named::Program(base) } else { Named::Script }
}

/// The tool of a package that is fetched if it is not there.
fn package<'a>(first: &'a str, registry: Registry, judged: &mut Judgement) -> Named<'a> {
    let (name, version) = match first.get(1..).and_then(|rest| rest.find('@')) {
        Some(at) => first.split_at(at + 1),
        None => (first, ""),
    };
    let number = version.trim_start_matches(['@', '^', '~']);
    let is_number = number.starts_with(|char: char| char.is_ascii_digit())
        && number.chars().all(|char| char.is_ascii_alphanumeric() || ".-+".contains(char));
    let is_version = is_number || ["", "alpha", "beta", "canary", "latest", "next", "rc"].contains(&number);
    let tool = PACKAGES.iter().find(|(package, _)| *package == name).map_or(name, |(_, tool)| tool);
    let is_script = (first.starts_with("./") || first.contains('/')) && !first.starts_with('@');
    let is_file = registry == Registry::Pypi && first.ends_with(".py");
    if (is_script && !first.contains(':') && first.starts_with("./")) || is_file {
        return Named::Script;
    }
    let is_known = PACKAGES.iter().any(|(package, _)| *package == name) || table::has_tool(registry, tool);
    if is_version && is_known {
        return Named::Program(tool);
    }
    judged.add(Class::FetchedCode, shown(first));
    Named::Nothing
}

/// Whether what the table says holds for a program of that origin: a package of npm that is called `cat` is not `cat`.
fn stands(shape: Shape, name: &str, origin: Origin) -> bool {
    match origin {
        Origin::Path => true,
        // `hatch run test` runs what the project calls so.
        Origin::Project => table::names(name),
        Origin::Fetched(registry) => {
            table::has_tool(registry, name) || PACKAGES.iter().any(|(_, tool)| *tool == name)
        }
        Origin::Module => {
            use Class::{Build, Format, Generate, Services, Test};
            shape == Shape::Installs
                || matches!(shape, Shape::Is(Test | Build | Format | Generate | Services))
        }
    }
}

/// What stands behind something that only starts it.
fn through(words: &[&str], inner: &[&str], origin: Origin, context: Context, judged: &mut Judgement) {
    let runner = words.get(..words.len() - inner.len()).unwrap_or_default();
    let fetching =
        FETCHING.iter().find(|(words, _)| runner.starts_with(words)).map(|(_, registry)| *registry);
    let in_container = matches!(runner.first(), Some(&("docker" | "docker-compose" | "podman")));
    let is_module = matches!(runner, ["python" | "python3", ..] | ["coverage", "run", "-m", ..]);
    for word in runner.iter().skip(1) {
        if paths::argument_leads_out(word, context.depth, in_container) {
            judged.refuse("a path outside of the repository");
        }
    }
    options::judge(runner, judged);
    options::judge_runner(runner, fetching.is_some(), judged);
    if inner.is_empty() {
        let class = if in_container && runner.contains(&"run") { Class::Tasks } else { Class::Unknown };
        return judged.add(class, shown(runner.first().copied().unwrap_or_default()));
    }
    if is_module && let Some(class) = inner.first().and_then(|module| shapes::module(module)) {
        judged.add(class, shown(inner.first().copied().unwrap_or_default()));
        return arguments(inner, Shape::Is(class), context, judged);
    }
    let origin = match (fetching, origin) {
        (Some(registry), _) => Origin::Fetched(registry),
        (None, Origin::Project) => Origin::Project,
        (None, _) if is_module => Origin::Module,
        (None, _) if !in_container && runner.first().is_some_and(|first| PROJECTS.contains(first)) => {
            Origin::Project
        }
        (None, _) => Origin::Path,
    };
    let in_container = in_container || context.in_container;
    let is_lead = |word: &&str| is_assignment(word);
    let settings = inner.iter().take_while(|word| is_lead(word)).count();
    for setting in inner.iter().take(settings) {
        let (name, value) = setting.split_once('=').unwrap_or_default();
        variables::judge(name, value, context.depth, judged);
    }
    program(inner.get(settings..).unwrap_or_default(), origin, Context { in_container, ..context }, judged);
}

/// A script of the repository.
pub(super) fn script(words: &[&str], context: Context, judged: &mut Judgement) {
    judged.add(Class::Tasks, shown(words.first().copied().unwrap_or_default()));
    options::judge(words, judged);
    destroys::judge(words, Shape::Is(Class::Tasks), judged);
    within::judge(words, Shape::Is(Class::Tasks), context, judged);
    arguments(words, Shape::Is(Class::Tasks), context, judged);
}

/// What the arguments of a program add.
pub(super) fn arguments(words: &[&str], shape: Shape, context: Context, judged: &mut Judgement) {
    let Some((name, rest)) = words.split_first() else { return };
    let in_container =
        context.in_container || ["docker", "podman", "docker-compose", "kubectl"].contains(name);
    let mut is_pattern = pattern_comes_first(name, rest);
    let looks = matches!(shape, Shape::Is(Class::Read | Class::Tree | Class::Format));
    let last_operand = rest.iter().rposition(|word| !is_flag(word));
    if shape == Shape::Is(Class::Tasks) && words::is_sentence(rest) {
        judged.add(Class::Unknown, "its words read as a sentence");
    }
    let mut before = "";
    for (at, word) in rest.iter().enumerate() {
        let told = std::mem::replace(&mut before, word);
        let is_operand = !(is_flag(word) || *name == "git" && at == 0);
        if is_operand && std::mem::take(&mut is_pattern) {
            continue;
        }
        if is_text(name, told) || is_pattern_of(name, rest, told) {
            continue;
        }
        if hosts::is_everywhere(word) && !context.in_container && !looks && !matches!(shape, Shape::Web) {
            judged.add(Class::Administer, "it listens beyond this machine");
        }
        let is_of_another = word.starts_with('@') && word.contains("//") && !word.starts_with("@//");
        if is_of_another && ["bazel", "bazelisk"].contains(name) {
            judged.add(Class::FetchedCode, "a target of another repository");
        }
        let is_label = word.starts_with("//") && ["bazel", "bazelisk", "buck2"].contains(name);
        // `sbt ~test`: again with every change.
        let is_watched = *name == "sbt" && word.starts_with('~') && !word.contains('/');
        let is_path = !is_label && !is_watched;
        if !context.in_container && is_path && paths::argument_leads_out(word, context.depth, in_container) {
            judged.refuse("a path outside of the repository");
        }
        let asks_a_database = shape == Shape::Database && word.contains(' ');
        let names_one =
            if looks || asks_a_database { hosts::is_foreign_address(word) } else { hosts::names_one(word) };
        if names_one && shape != Shape::Web {
            judged.add(Class::Send, "it names another machine");
        }
        if is_assignment(word) && shape == Shape::Is(Class::Tasks) {
            let (name, value) = word.split_once('=').unwrap_or_default();
            variables::judge(name, value, context.depth, judged);
        }
        let shows = shape == Shape::Is(Class::Read) && !NAMES_ALONE.contains(name);
        let copies =
            COPYING.contains(name) && !(last_operand == Some(at) && ["cp", "mv", "tee"].contains(name));
        let only_names = *name == "git"
            && rest.first().is_some_and(|verb| ["rm", "check-ignore", "ls-files", "status"].contains(verb));
        if (shows || copies) && !only_names && paths::is_secret(word) {
            judged.add(Class::Send, "it shows a file of secrets");
        }
        if (shape == Shape::Is(Class::Tree) || *name == "sed") && paths::is_of_git(word) {
            judged.add(Class::Unknown, "it changes what git keeps for itself");
        }
    }
}

/// Whether the first operand is a pattern, no path: it is one unless an option brings the pattern or a file of it.
fn pattern_comes_first(program: &str, rest: &[&str]) -> bool {
    if !searches(program, rest) && !PATTERN_FIRST.contains(&program) {
        return false;
    }
    let brought = |word: &&str| {
        let option = word.split_once('=').map_or(*word, |(option, _)| option);
        match (program, option) {
            ("jq", "-f" | "--from-file") => true,
            _ if searches(program, rest) => {
                ["--regexp", "--file"].contains(&option) || ends_short(word, 'e') || ends_short(word, 'f')
            }
            _ => false,
        }
    };
    !rest.iter().take_while(|word| **word != "--").any(brought)
}

/// Whether the word behind this option is a pattern.
fn is_pattern_of(program: &str, rest: &[&str], option: &str) -> bool {
    searches(program, rest) && (option == "--regexp" || ends_short(option, 'e'))
}

/// `grep` and those that read `-e PATTERN` and `-f FILE` as it does.
fn searches(program: &str, rest: &[&str]) -> bool {
    ["egrep", "fgrep", "grep", "rg", "zgrep"].contains(&program)
        || (program == "git" && rest.first() == Some(&"grep"))
}

/// Whether a word is one or several options of one letter, the last of which is this one.
fn ends_short(word: &str, letter: char) -> bool {
    word.strip_prefix('-').is_some_and(|letters| {
        letters.ends_with(letter) && letters.chars().all(|char| char.is_ascii_alphanumeric())
    })
}

/// Whether the word behind this option is a text for people.
fn is_text(program: &str, option: &str) -> bool {
    const TEXTS: &[&str] = &["--body", "--description", "--message", "--notes", "--title", "-m"];
    ["alembic", "flask", "gh", "git", "glab", "jj"].contains(&program)
        && (TEXTS.contains(&option) || option == "-am")
}

/// Judges a whole line.
pub(super) fn line(text: &str, judged: &mut Judgement) {
    walk::nested(text, Context::default(), judged);
}

/// A line within the arguments of a program.
pub(super) fn line_within(text: &str, context: Context, judged: &mut Judgement) {
    walk::nested(text, context, judged);
}
