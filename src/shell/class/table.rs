//! The table of programs: `programs.txt`, and behind it what the vocabulary knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::Class;
use crate::shell::command::program_name;
use crate::shell::family::{Family, has_family, of_program, task_runner};
use crate::shell::global_options::arguments;
use crate::shell::vocabulary as known;

/// How a command is read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Its class is known, whatever its arguments.
    Is(Class),
    /// The words behind its options are a command.
    Runs,
    /// Installs the named packages; without a name, those that the project declares.
    Installs,
    /// Its operands are addresses.
    Web,
    /// Speaks with a server.
    Database,
    /// Its first operand is a script.
    Script,
}

impl Shape {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "runs" => Self::Runs,
            "installs" => Self::Installs,
            "web" => Self::Web,
            "database" => Self::Database,
            "script" => Self::Script,
            class => Self::Is(Class::parse(class)?),
        })
    }
}

/// A registry of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Registry {
    /// npm's.
    Npm,
    /// Python's.
    Pypi,
}

/// A section of the table.
#[derive(Clone, Copy)]
enum Section {
    Shape(Shape),
    Registry(Registry),
}

const PROGRAMS: &str = include_str!("programs.txt");

/// By program: the subcommands and the shape.
type Table = BTreeMap<&'static str, Vec<(Vec<&'static str>, Shape)>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::new();
    for (line, section) in lines() {
        let mut words = line.split(' ');
        let Some((program, Section::Shape(shape))) = words.next().zip(section) else { continue };
        table.entry(program).or_default().push((words.collect(), shape));
    }
    table
});

/// The names that a registry has of known tools.
static TOOLS: LazyLock<[BTreeSet<&'static str>; 2]> = LazyLock::new(|| {
    let of = |registry: Registry| {
        let tools = lines()
            .filter(move |(_, section)| matches!(section, Some(Section::Registry(own)) if *own == registry));
        tools.map(|(line, _)| line).collect()
    };
    [of(Registry::Npm), of(Registry::Pypi)]
});

/// Whether a registry has the tool of that name under that name.
pub(super) fn has_tool(registry: Registry, name: &str) -> bool {
    let [npm, pypi] = &*TOOLS;
    match registry {
        Registry::Npm => npm.contains(name),
        Registry::Pypi => pypi.contains(name),
    }
}

/// The lines of the table with their sections, `None` for a section that there is not.
fn lines() -> impl Iterator<Item = (&'static str, Option<Section>)> {
    let mut section = None;
    PROGRAMS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(move |line| {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = match name {
                "npm" => Some(Section::Registry(Registry::Npm)),
                "pypi" => Some(Section::Registry(Registry::Pypi)),
                name => Shape::parse(name).map(Section::Shape),
            };
            return None;
        }
        Some((line, section))
    })
}

/// What is known of a command: its shape, and how many words name it.
pub(super) fn known(words: &[&str]) -> Option<(Shape, usize)> {
    let (program, rest) = words.split_first()?;
    let own = own(program, rest);
    let family = of_program(words)
        .and_then(|(family, pattern)| Some((of_family(family)?, pattern.split(' ').count())));
    let task = task_runner(words).map(|length| (Shape::Is(Class::Tasks), length));
    let listed = listed(program, rest);
    // Of several that say as much the first counts.
    let found = [own, family, task, listed].into_iter().flatten();
    found.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// Whether the table itself or the vocabulary's families name the program.
pub(super) fn names(program: &str) -> bool {
    TABLE.contains_key(program) || has_family(program)
}

fn own(program: &str, rest: &[&str]) -> Option<(Shape, usize)> {
    let entries = TABLE.get(program)?;
    let operands: Vec<&str> = arguments(program, rest).collect();
    let begins = |words: &[&str], pattern: &[&str]| {
        words.len() >= pattern.len() && words.iter().zip(pattern).all(|(a, b)| a == b)
    };
    let matching = entries.iter().filter(|(pattern, _)| begins(&operands, pattern) || begins(rest, pattern));
    let best = matching.max_by_key(|(pattern, _)| pattern.len())?;
    Some((best.1, best.0.len() + 1))
}

fn of_family(family: Family) -> Option<Shape> {
    Some(match family {
        Family::Test | Family::Lint | Family::TypeCheck => Shape::Is(Class::Test),
        Family::Format => Shape::Is(Class::Format),
        Family::Build => Shape::Is(Class::Build),
        Family::Install => Shape::Installs,
        Family::VersionControl | Family::Other => return None,
    })
}

/// What the vocabulary's lists of programs that look, move files and keep history say.
fn listed(program: &str, rest: &[&str]) -> Option<(Shape, usize)> {
    let mut operands = arguments(program, rest);
    let verb = operands.next().unwrap_or_default();
    let is_cluster =
        ["docker", "podman", "docker-compose", "podman-compose", "kubectl", "oc"].contains(&program);
    let looks = |verb: &str| known::LOOKING_CLUSTER.contains(&verb);
    let (class, length) = match program {
        "git" if known::LOOKING_GIT.contains(&verb) => (Class::Read, 2),
        "git" if known::EVERYDAY_GIT.contains(&verb) => (Class::Tree, 2),
        _ if is_cluster && verb == "compose" && operands.next().is_some_and(looks) => (Class::Read, 3),
        _ if is_cluster && looks(verb) => (Class::Read, 2),
        _ if known::FILE_WORK.contains(&program) => (Class::Tree, 1),
        "install" | "patch" | "rsync" | "tee" => (Class::Tree, 1),
        _ if known::LOOKING.contains(&program) => (Class::Read, 1),
        _ => return None,
    };
    Some((Shape::Is(class), length))
}

/// The program's name as the table has it: without its ending on Windows and the folder of a system.
pub(super) fn name_of(word: &str) -> &str {
    let name = program_name(word);
    name.strip_suffix(".exe").or_else(|| name.strip_suffix(".cmd")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_of_the_table_reads_and_stands_once() {
        let mut seen = BTreeSet::new();
        for (line, section) in lines() {
            assert!(section.is_some(), "{line}: no such section");
            assert!(line.trim() == line && !line.contains("  "), "{line:?}");
            let registry =
                if let Some(Section::Registry(registry)) = section { Some(registry as u8) } else { None };
            assert!(seen.insert((line, registry)), "{line} stands twice");
        }
        for (name, _) in lines().filter(|(_, section)| matches!(section, Some(Section::Registry(_)))) {
            assert!(names(name), "{name}: the table has no class of it");
        }
        assert!(seen.len() > 1_000);
    }

    #[test]
    fn the_table_repeats_nothing_that_the_vocabulary_knows() {
        let mut repeated = Vec::new();
        for (line, section) in lines() {
            let Some(Section::Shape(shape)) = section else { continue };
            let words: Vec<&str> = line.split(' ').collect();
            let exact = of_program(&words).filter(|(_, pattern)| *pattern == line);
            let by_family = exact.and_then(|(family, _)| of_family(family)) == Some(shape);
            let listed = listed(words[0], &words[1..]).filter(|(_, length)| *length == words.len());
            let runner = task_runner(&words).filter(|length| *length == words.len());
            let by_list = listed.map(|(shape, _)| shape) == Some(shape);
            if by_family || by_list || (runner.is_some() && shape == Shape::Is(Class::Tasks)) {
                repeated.push(line);
            }
        }
        assert!(repeated.is_empty(), "{}", repeated.join("\n"));
    }

    #[test]
    fn the_longest_line_counts() {
        for (line, shape) in [
            ("git push origin main", Shape::Is(Class::Publish)),
            ("git -C vendor/sdk push", Shape::Is(Class::Publish)),
            ("git log", Shape::Is(Class::Read)),
            ("git frobnicate", Shape::Is(Class::Unknown)),
            ("npm run build", Shape::Is(Class::Tasks)),
            ("npm frobnicate", Shape::Is(Class::Unknown)),
            ("make -j4 x", Shape::Is(Class::Tasks)),
            ("docker compose logs web", Shape::Is(Class::Read)),
            ("docker compose -f a.yml up", Shape::Is(Class::Services)),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(known(&words).map(|(shape, _)| shape), Some(shape), "{line}");
        }
        assert_eq!(known(&["evil-tool"]), None);
    }
}
