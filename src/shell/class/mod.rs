//! Classes: what a command line may do to the world, as far as public knowledge of programs tells.
//!
//! [`judge`] reads a line as a shell does and looks each program up in a table. What the table does not know is
//! [`Class::Unknown`]: nothing here is a list of what is forbidden. Options, variables, hosts and what is piped
//! where can only add classes, never take one away.
//!
//! | file | holds |
//! |---|---|
//! | `programs.txt`, `table.rs` | programs and subcommands by class; how a command is found there |
//! | `program/` | the class of one program with its arguments; how a line becomes programs |
//! | `inline.rs` | small languages in arguments that can run something: SQL, sed, awk |
//! | `options.rs` | options that add a class |
//! | `variables.rs` | variables that add a class |
//! | `hosts.rs` | which words name another machine |
//! | `paths.rs` | which words lead out of the repository, which hold secrets |
//! | `letters.rs` | characters that a reader does not see or takes for others |
//! | `destroys.rs` | programs whose arguments throw something away or leave out a question |
//! | `words.rs` | what the words of a line say, whatever program gets them |
//! | `flow.rs` | files that were fetched, and what runs them |
//!
//! Two answers are more than a class. A line is **refused** if it has letters that deceive or leads out of the
//! repository: no person is asked. `/tmp` is outside: other users and other programs write there.

mod destroys;
mod flow;
mod hosts;
mod inline;
mod letters;
mod options;
mod paths;
mod program;
mod table;
mod variables;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use flow::{Fetched, fetched_by, may_fetch};
pub(crate) use hosts::has_foreign_address;
pub(crate) use letters::deceives;
pub(crate) use paths::leads_out;

/// What a command may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Class {
    /// Looks: lists, prints, searches, compares.
    Read,
    /// Compiles, packs, and installs what the project itself declares.
    Build,
    /// Tests, lints, checks types.
    Test,
    /// Formats files.
    Format,
    /// Generates files.
    Generate,
    /// Changes the work tree and the local history.
    Tree,
    /// Starts, stops and fills services of this machine: databases, containers of the project.
    Services,
    /// Runs the project's own tasks, scripts and programs.
    Tasks,
    /// Fetches something that the command names.
    Fetch,
    /// Runs code that was fetched.
    FetchedCode,
    /// Publishes: pushes, releases, deploys.
    Publish,
    /// Speaks with another machine, or shows secrets.
    Send,
    /// Changes the machine, an account, a cluster, or switches a protection off.
    Administer,
    /// Nobody knows the program, or what it runs stands elsewhere.
    Unknown,
}

impl Class {
    /// Every class, from looking to unknown.
    pub const ALL: [Self; 14] = [
        Self::Read,
        Self::Build,
        Self::Test,
        Self::Format,
        Self::Generate,
        Self::Tree,
        Self::Services,
        Self::Tasks,
        Self::Fetch,
        Self::FetchedCode,
        Self::Publish,
        Self::Send,
        Self::Administer,
        Self::Unknown,
    ];

    /// Its name in configurations and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Build => "build",
            Self::Test => "test",
            Self::Format => "format",
            Self::Generate => "generate",
            Self::Tree => "tree",
            Self::Services => "services",
            Self::Tasks => "tasks",
            Self::Fetch => "fetch",
            Self::FetchedCode => "fetched-code",
            Self::Publish => "publish",
            Self::Send => "send",
            Self::Administer => "administer",
            Self::Unknown => "unknown",
        }
    }

    /// The class of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Classes(u16);

impl Classes {
    /// Every class.
    pub const EVERY: Self = Self(u16::MAX);

    /// Whether it has the class.
    pub const fn has(self, class: Class) -> bool {
        self.0 & class.bit() != 0
    }
}

impl Default for Classes {
    /// What a skill may say without a person.
    fn default() -> Self {
        use Class::{Build, Format, Generate, Read, Services, Tasks, Test, Tree};
        [Read, Build, Test, Format, Generate, Tree, Services, Tasks].into_iter().collect()
    }
}

impl FromIterator<Class> for Classes {
    fn from_iter<T: IntoIterator<Item = Class>>(classes: T) -> Self {
        Self(classes.into_iter().fold(0, |all, class| all | class.bit()))
    }
}

/// What a line may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// The classes, each with what gave it.
    classes: BTreeMap<Class, String>,
    refused: Option<&'static str>,
}

impl Judgement {
    /// Why no skill may say it, whatever a person thinks.
    pub(crate) fn refused(&self) -> Option<&'static str> {
        self.refused
    }

    /// Its classes beyond the ones that are allowed, each with what gave it.
    pub(crate) fn beyond(&self, allowed: Classes) -> impl Iterator<Item = (Class, &str)> {
        let classes = self.classes.iter().map(|(class, why)| (*class, why.as_str()));
        classes.filter(move |(class, _)| !allowed.has(*class))
    }

    /// Whether it may do something of the class.
    #[cfg(test)]
    pub(crate) fn has(&self, class: Class) -> bool {
        self.classes.contains_key(&class)
    }

    fn add(&mut self, class: Class, why: impl Into<String>) {
        self.classes.entry(class).or_insert_with(|| why.into());
    }

    fn refuse(&mut self, why: &'static str) {
        self.refused.get_or_insert(why);
    }
}

impl fmt::Display for Judgement {
    /// The classes, `read` first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(refused) = self.refused {
            return f.write_str(refused);
        }
        let classes: Vec<&str> = self.classes.keys().map(|class| class.as_str()).collect();
        f.write_str(&classes.join(", "))
    }
}

/// What a command line may do, each class once; or why no skill may say it at all.
pub fn classes_of(line: &str) -> Result<Vec<Class>, &'static str> {
    let judged = judge(line);
    judged.refused.map_or_else(|| Ok(judged.classes.into_keys().collect()), Err)
}

/// What a command line may do.
pub(crate) fn judge(line: &str) -> Judgement {
    let mut judged = Judgement::default();
    if let Some(deceit) = letters::deceives(line).or_else(|| letters::deceives_in_code(line)) {
        judged.refuse(deceit);
    }
    if ["/dev/tcp/", "/dev/udp/"].iter().any(|device| line.contains(device)) {
        judged.add(Class::Send, "it names another machine");
    }
    program::line(line, &mut judged);
    words::line(line, &mut judged);
    judged
}
