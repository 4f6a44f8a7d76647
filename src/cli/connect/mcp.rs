//! `connect --mcp`: what makes an assistant start `skillspan mcp`, and the skill that says when to ask.
//!
//! The entry is in the assistant's own settings. The skill is written by hand and put where the assistant loads
//! skills of this person; it comes from no session, and no library holds it. One that a person changed stays.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde_json::Value;

use super::assistants::{ASSISTANTS, Assistant};
use super::catalogue::CLIENTS;
use super::command::MCP;
use super::mcp_entries::{ENTRIES, Entry, program};
use super::settings::To;
use super::store::{self, Mode};
use super::{file, file_error};
use crate::cli::folders::{self, home};
use crate::cli::mcp::check_console;
use crate::cli::{Failure, OrFail, print, print_as_is};
const SKILL: &str = include_str!("ask-what-the-team-learned.md");
const SKILL_NAME: &str = "ask-what-the-team-learned";

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Do {
    Show,
    Write { replace: bool },
    Remove,
}

/// Where an assistant is to ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) console: Option<&'a str>,
    pub(super) token: Option<&'a str>,
}

/// For one assistant, or for all that are here.
pub(super) fn run(name: Option<&str>, ask: &Ask<'_>, what: Do) -> Result<(), Failure> {
    if !matches!(what, Do::Remove) {
        check_console(ask.console, ask.token.is_some())?;
    }
    let Some(name) = name else { return all(ask, what) };
    let entry = Entry::of(name).ok_or_else(|| unknown(name))?;
    let text = match what {
        Do::Show => return print_as_is(&entry.shown(ask)?),
        Do::Write { replace } => entry.write(ask, replace)?,
        Do::Remove => entry
            .remove()?
            .unwrap_or_else(|| format!("{name} has no entry for `skillspan mcp` in its settings\n")),
    };
    print(&text)
}

fn all(ask: &Ask<'_>, what: Do) -> Result<(), Failure> {
    let (mut text, mut failures) = (String::new(), 0);
    for entry in ENTRIES {
        let is_here = entry.found().is_some_and(|assistant| assistant.found().is_some());
        let done = match what {
            Do::Remove => entry.remove(),
            Do::Write { replace } if is_here => entry.write(ask, replace).map(Some),
            Do::Show if is_here => entry.standing().map(Some),
            Do::Show | Do::Write { .. } => Ok(None),
        };
        match done {
            Ok(None) => {}
            Ok(Some(done)) => drop(write!(text, "{}:\n{}", entry.assistant, indented(&done))),
            Err(failure) => {
                failures += 1;
                let _ = write!(text, "{}:\n{}", entry.assistant, indented(&failure.to_string()));
            }
        }
    }
    if text.is_empty() {
        text = match what {
            Do::Remove => "no assistant is told of a server of skillspan\n".to_owned(),
            _ => format!("none of {} was found on this machine\n", names().join(", ")),
        };
    }
    print(&text)?;
    match failures {
        0 => Ok(()),
        failures => Err(Failure::Failed(anyhow!("{failures} could not be changed; see above"))),
    }
}

/// Removes an assistant's entry and the instructions that came with it. Returns what was done, if there was anything.
pub(super) fn removed(assistant: &str) -> Result<Option<String>, Failure> {
    Entry::of(assistant).map_or(Ok(None), Entry::remove)
}

/// The same of every assistant, and how many could not be changed; one keeps none of the others back.
pub(super) fn all_removed() -> (String, usize) {
    let (mut text, mut failures) = (String::new(), 0);
    for entry in ENTRIES {
        match entry.remove() {
            Ok(done) => text.push_str(&done.unwrap_or_default()),
            Err(failure) => {
                failures += 1;
                let _ = writeln!(text, "{failure}");
            }
        }
    }
    (text, failures)
}

/// The command with which the assistant is told to ask, if it is.
pub(super) fn command_of(assistant: &str) -> Option<Vec<String>> {
    let entry = Entry::of(assistant)?;
    let document = file::parse(entry.place, &store::read(&entry.path().ok()?).ok()??).ok()?;
    // Of most the first word stands apart from the others.
    let found = (entry.settings)(MCP[0], &[]).into_iter().filter_map(|setting| {
        let is_command = matches!(setting.path.last(), Some(&"command" | &"args"));
        document.get(setting.path).filter(|_| is_command)
    });
    let words: Vec<String> = found
        .flat_map(|value| match value {
            Value::Array(words) => words,
            word => vec![word],
        })
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect();
    (!words.is_empty()).then_some(words)
}

fn names() -> Vec<&'static str> {
    ENTRIES.iter().map(|entry| entry.assistant).collect()
}

fn unknown(name: &str) -> Failure {
    let known = CLIENTS.iter().any(|client| client.name == name);
    if known {
        return Failure::Usage(anyhow!(
            "{name} is told of no servers here; known are {}",
            names().join(", ")
        ));
    }
    super::unknown(name, &names())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

impl Entry {
    /// By the assistant's name, or that of one of its ways to be connected.
    fn of(name: &str) -> Option<&'static Self> {
        let own =
            |assistant: &&Assistant| assistant.name == name || assistant.ways().any(|way| way.name == name);
        let assistant = ASSISTANTS.iter().find(own)?;
        ENTRIES.iter().find(|entry| entry.assistant == assistant.name)
    }

    fn found(&self) -> Option<&'static Assistant> {
        ASSISTANTS.iter().find(|assistant| assistant.name == self.assistant)
    }

    fn path(&self) -> Result<PathBuf, Failure> {
        let below = self.place.below_home().unwrap_or_default();
        let home = home()
            .ok_or_else(|| Failure::Usage(anyhow!("HOME is not set: settings of assistants are below it")))?;
        Ok(file::by_its_name(home.join(below)))
    }

    fn skill(&self) -> Option<PathBuf> {
        Some(home()?.join(self.skills).join(SKILL_NAME).join("SKILL.md"))
    }

    fn token_file(&self) -> Option<PathBuf> {
        Some(folders::config()?.join("tokens").join(format!("mcp-{}", self.assistant)))
    }

    fn words(&self, ask: &Ask<'_>) -> Vec<String> {
        let token_file = self.token_file().filter(|_| ask.token.is_some());
        let token_file = token_file.map(|path| path.display().to_string());
        let told = [("--console", ask.console.map(str::to_owned)), ("--token-file", token_file)];
        told.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?])).flatten().collect()
    }

    /// Whether the assistant has the entry.
    fn is_there(&self) -> Result<bool, Failure> {
        match file::is_connected(self.place, &(self.settings)(MCP[0], &[]), &self.path()?) {
            // A file that cannot be read as its format holds nothing of ours.
            Err(file_error::FileError::Content { .. }) => Ok(false),
            found => found.or_fail(),
        }
    }

    fn standing(&self) -> Result<String, Failure> {
        let is_there = self.is_there()?;
        let path = self.place.below_home().unwrap_or_default();
        Ok(if is_there {
            format!("is told of it in ~/{path}\n")
        } else {
            format!(
                "is not told of it; `skillspan connect {} --mcp --write` writes ~/{path}\n",
                self.assistant
            )
        })
    }

    fn shown(&self, ask: &Ask<'_>) -> Result<String, Failure> {
        let block = file::merged(self.place, &(self.settings)(&program().0, &self.words(ask)), "");
        let block = block.or_fail()?;
        let path = self.place.below_home().unwrap_or_default();
        Ok(format!(
            "In ~/{path}:\n\n{block}\nAnd the skill {SKILL_NAME} in ~/{}, which says when to ask.\n--write writes both, \
             --remove takes them away again.\n",
            self.skills
        ))
    }

    fn write(&self, ask: &Ask<'_>, replace: bool) -> Result<String, Failure> {
        let (program, note) = program();
        let settings = (self.settings)(&program, &self.words(ask));
        let mut done = file::write(self.place, &settings, &self.path()?, replace).or_fail()? + "\n";
        if let (Some(token), Some(path)) = (ask.token, self.token_file()) {
            store::write_token(&path, token).or_fail()?;
            let _ = writeln!(done, "wrote {}", path.display());
        }
        if let Some(path) = self.skill() {
            let _ = writeln!(done, "{}", write_skill(&path, replace)?);
        }
        let _ = writeln!(done, "Sessions that start from now on can ask. {note}");
        Ok(done)
    }

    /// What was done; `None` if nothing was there.
    fn remove(&self) -> Result<Option<String>, Failure> {
        let Some(below) = self.place.below_home() else { return Ok(None) };
        let mut done = String::new();
        if self.is_there()? {
            let others = CLIENTS.iter().filter(|client| client.place.below_home() == Some(below));
            let others = others.map(|client| (client.settings)(&To::nobody()));
            let others: Vec<_> = others.chain(super::skill_refresh::settings_in(self.place)).collect();
            let removed =
                file::remove(self.place, &(self.settings)(MCP[0], &[]), &self.path()?, &others).or_fail()?;
            let _ = writeln!(done, "{}", removed.said);
        }
        if let Some(path) = self.token_file()
            && store::remove_token(&path).or_fail()?
        {
            let _ = writeln!(done, "removed {}", path.display());
        }
        // Several assistants load skills from one folder.
        let shares = |other: &&Entry| other.skills == self.skills && other.assistant != self.assistant;
        let mut is_needed = false;
        for other in ENTRIES.iter().filter(shares) {
            is_needed |= other.is_there()?;
        }
        if let Some(path) = self.skill().filter(|_| !is_needed) {
            done.push_str(&remove_skill(&path)?);
        }
        Ok(Some(done).filter(|done| !done.is_empty()))
    }
}

fn write_skill(path: &Path, replace: bool) -> Result<String, Failure> {
    match store::read(path).or_fail()? {
        Some(text) if text == SKILL => return Ok(format!("{} is in place already", path.display())),
        Some(_) if !replace => {
            return Ok(format!("{} was changed and stays as it is; --replace overwrites it", path.display()));
        }
        _ => {}
    }
    store::replace(path, SKILL, Mode::Kept).or_fail()?;
    Ok(format!("wrote {}", path.display()))
}

fn remove_skill(path: &Path) -> Result<String, Failure> {
    match store::read(path).or_fail()? {
        None => Ok(String::new()),
        Some(text) if text == SKILL => {
            store::remove_file(path).or_fail()?;
            Ok(format!("removed {}\n", path.display()))
        }
        Some(_) => Ok(format!("{} was changed and stays\n", path.display())),
    }
}
