//! Which files exist, whose they are, and which parts to import.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::{Arguments, Failure};
use crate::dialects::{TRANSCRIPTS, Transcripts};
use crate::event::{Timestamp, visible_line};
use crate::processors::Redact;
use crate::receivers::transcripts::{
    ExportFile, Glance, Home, Listing, Memory, NEITHER, Owner, Owners, Repository, SaidOwner, TranscriptFile,
    files_at, files_of, glance, is_export, sessions_of, without_doubles,
};
use crate::redact::Redactor;

/// Repositories that an error names; the rest are counted.
const MOST_NAMED: usize = 20;

/// A file that may be imported.
pub(super) struct Candidate {
    pub(super) file: TranscriptFile,
    pub(super) repository: Repository,
    pub(super) begun: Timestamp,
    /// It is not what it was when it was imported, or never was.
    pub(super) is_new: bool,
    /// A person chose its repository, or all.
    pub(super) is_chosen: bool,
    workspace: String,
    user: String,
}

/// What is on the machine.
#[derive(Default)]
pub(super) struct Found {
    /// In reading order: a fork comes after its origin.
    pub(super) candidates: Vec<Candidate>,
    /// What leaves sessions out, with how many files it does.
    pub(super) refused: BTreeMap<String, u64>,
    /// Files and folders that cannot be looked at, and why.
    pub(super) left: Vec<(PathBuf, String)>,
    /// Files that hold no session.
    pub(super) empty: u64,
    /// Exports that hold something new.
    pub(super) exports: Vec<ExportFile>,
    /// Those that were imported before, as they are.
    pub(super) known_exports: u64,
    /// Whose work exports are.
    workspace: String,
}

impl Found {
    /// Looks for what the command line asks for.
    pub(super) fn look(arguments: &Arguments, home: &Path, memory: &Memory) -> Self {
        let workspace = arguments.common.said_workspace();
        let mut found = Self { workspace: workspace.clone().unwrap_or_default(), ..Self::default() };
        let said = SaidOwner { workspace: workspace.clone(), user: said_user(arguments) };
        let mut asked = Asked { home, memory, said, owners: Owners::default() };
        let earliest = arguments.common.since.map(|since| Timestamp::now().saturating_sub(since));
        let is_early = |file: &TranscriptFile| earliest.is_some_and(|earliest| file.modified < earliest);
        let mut sessions = Vec::new();
        for listing in listings(arguments, home) {
            found.left.extend(listing.left);
            found.take_exports(listing.others, memory);
            for file in listing.files.into_iter().filter(|file| !is_early(file)) {
                let path = file.path.clone();
                match sessions_of(file) {
                    Ok(of_file) => sessions.extend(of_file),
                    Err(error) => found.left.push((path, error.to_string())),
                }
            }
        }
        without_doubles(&mut sessions);
        for session in sessions.into_iter().filter(|session| !is_early(session)) {
            found.take(session, &mut asked);
        }
        found.candidates.sort_by(|a, b| {
            (a.begun, a.file.modified, &a.file.path).cmp(&(b.begun, b.file.modified, &b.file.path))
        });
        found
    }

    fn take_exports(&mut self, files: Vec<ExportFile>, memory: &Memory) {
        for file in files {
            if memory.is_as_it_was(&file.path, file.size, file.modified) {
                self.known_exports += 1;
            } else if is_export(&file) {
                self.exports.push(file);
            } else {
                self.left.push((file.path, NEITHER.to_owned()));
            }
        }
    }

    fn take(&mut self, file: TranscriptFile, asked: &mut Asked<'_>) {
        let glance = match glance(&file) {
            Ok(glance) if glance.has_session => glance,
            Ok(Glance { broken: Some((line, why)), .. }) => {
                self.left.push((file.path, format!("it holds no session, and of its line {line}: {why}")));
                return;
            }
            Ok(_) => {
                self.empty += 1;
                return;
            }
            Err(error) => {
                let of_session = match file.session.as_str() {
                    "" => String::new(),
                    session => format!("session {}: ", visible_line(session)),
                };
                self.left.push((file.path, format!("{of_session}{error}")));
                return;
            }
        };
        let (owner, repository) = match asked.owners.of(&glance, asked.home, &asked.said) {
            Ok(owner) => owner,
            Err(reason) => {
                *self.refused.entry(reason).or_default() += 1;
                return;
            }
        };
        self.candidates.push(Candidate {
            repository,
            begun: if glance.begun.is_unset() { file.modified } else { glance.begun },
            is_new: !asked.memory.is_as_it_was(&file.key(), file.extent(), file.modified),
            is_chosen: true,
            workspace: owner.workspace,
            user: owner.user,
            file,
        });
    }

    /// Leaves out the repositories that were not asked for.
    pub(super) fn choose(&mut self, names: &[String]) -> Result<(), Failure> {
        if names.is_empty() {
            return Ok(());
        }
        let is = |candidate: &Candidate, name: &str| {
            candidate.repository.name == name || candidate.repository.name.rsplit('/').next() == Some(name)
        };
        for name in names {
            if !self.candidates.iter().any(|candidate| is(candidate, name)) {
                let repositories: Vec<String> = self.repositories().into_keys().collect();
                let known = repositories.iter().take(MOST_NAMED).map(|name| visible_line(name));
                let known = known.collect::<Vec<_>>().join(", ");
                let more = match repositories.len().saturating_sub(MOST_NAMED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                return Err(Failure::Usage(anyhow!(
                    "no session is of a repository {name:?}; there are: {known}{more}"
                )));
            }
        }
        for candidate in &mut self.candidates {
            candidate.is_chosen = names.iter().any(|name| is(candidate, name));
        }
        Ok(())
    }

    /// The files that are read: those that were chosen and hold something new.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|candidate| candidate.is_chosen && candidate.is_new)
    }

    /// What is said of the rows of exports. With a redactor, credentials leave them before they are handed on.
    pub(super) fn owner_of_exports(&self, redactor: Option<&Redactor>) -> Owner {
        Owner { workspace: self.workspace.clone(), redact: redactor.map(redact), ..Owner::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chosen().next().is_none() && self.exports.is_empty()
    }

    /// How many sessions each repository has, and how many of them are new.
    pub(super) fn repositories(&self) -> BTreeMap<String, (u64, u64)> {
        let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for candidate in self.candidates.iter().filter(|candidate| candidate.file.is_session()) {
            let (all, new) = counts.entry(candidate.repository.name.clone()).or_default();
            *all += 1;
            *new += u64::from(candidate.is_new);
        }
        counts
    }
}

impl Candidate {
    /// What is said of its sessions. With a redactor, credentials leave them before they are handed on.
    pub(super) fn owner(&self, redactor: Option<&Redactor>) -> Owner {
        Owner {
            repository: self.repository.url.clone(),
            workspace: self.workspace.clone(),
            user: self.user.clone(),
            redact: redactor.map(redact),
        }
    }
}

/// What files are looked at with.
struct Asked<'a> {
    home: &'a Path,
    memory: &'a Memory,
    said: SaidOwner,
    owners: Owners,
}

fn said_user(arguments: &Arguments) -> Option<String> {
    let user = arguments.user.clone().filter(|user| !user.trim().is_empty());
    user.or_else(|| std::env::var("SKILLSPAN_USER").ok())
}

fn redact(redactor: &Redactor) -> Redact {
    Redact::new(redactor.clone(), [])
}

/// Whether there is something to look at wherever a person said to look.
pub(super) fn are_there(paths: &[PathBuf]) -> Result<(), Failure> {
    for path in paths {
        let why = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() || metadata.is_dir() => continue,
            Ok(_) => "it is neither a file nor a folder".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                "there is no such file or folder".to_owned()
            }
            Err(error) => error.to_string(),
        };
        return Err(Failure::Usage(anyhow!("--path {}: {why}", path.display())));
    }
    Ok(())
}

fn listings(arguments: &Arguments, home: &Path) -> Vec<Listing> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = Home { folder: home, variable: &variable };
    let wanted = |assistant: &&'static Transcripts| {
        let named = &arguments.assistant;
        named.is_empty() || named.iter().any(|named| named.assistant == assistant.assistant)
    };
    if arguments.path.is_empty() {
        return TRANSCRIPTS.iter().filter(wanted).map(|assistant| files_of(assistant, &home)).collect();
    }
    let only = match arguments.assistant.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    let named = arguments.path.iter().map(|path| files_at(path, only));
    named
        .map(|listing| Listing {
            files: listing.files.into_iter().filter(|file| wanted(&file.assistant)).collect(),
            ..listing
        })
        .collect()
}
