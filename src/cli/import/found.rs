//! Which files there are, whose they are, and what of them is taken.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::{Arguments, Failure};
use crate::dialects::{TRANSCRIPTS, Transcripts};
use crate::event::{Timestamp, person, visible_line};
use crate::processors::Redact;
use crate::receivers::transcripts::{
    Consent, ExportFile, Glance, Home, Listing, Memory, NEITHER, Owner, Repositories, Repository,
    TranscriptFile, consent, files_at, files_of, git_user, glance, is_export,
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
    /// In the order in which they are read: what was forked after what it was forked from.
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
        let mut found = Self { workspace: workspace.unwrap_or_default(), ..Self::default() };
        let mut known =
            Known { repositories: Repositories::default(), consents: BTreeMap::new(), git_user: None };
        let earliest = arguments.common.since.map(|since| Timestamp::now().saturating_sub(since));
        for listing in listings(arguments, home) {
            found.left.extend(listing.left);
            found.take_exports(listing.others, memory);
            for file in listing.files {
                if earliest.is_some_and(|earliest| file.modified < earliest) {
                    continue;
                }
                found.take(file, arguments, home, memory, &mut known);
            }
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

    fn take(
        &mut self,
        file: TranscriptFile,
        arguments: &Arguments,
        home: &Path,
        memory: &Memory,
        known: &mut Known,
    ) {
        let glance = match glance(&file) {
            Ok(glance) if glance.has_session => glance,
            Ok(_) => {
                self.empty += 1;
                return;
            }
            Err(error) => {
                self.left.push((file.path, error.to_string()));
                return;
            }
        };
        let consent = consent(&glance.cwd, Some(home), &mut known.consents);
        if let Some(reason) = consent.refused_by {
            *self.refused.entry(reason).or_default() += 1;
            return;
        }
        self.candidates.push(known.candidate(file, glance, consent, arguments, memory));
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

fn redact(redactor: &Redactor) -> Redact {
    Redact::new(redactor.clone(), [])
}

/// What is asked once for all files.
struct Known {
    repositories: Repositories,
    consents: BTreeMap<PathBuf, Consent>,
    git_user: Option<String>,
}

impl Known {
    fn candidate(
        &mut self,
        file: TranscriptFile,
        glance: Glance,
        consent: Consent,
        arguments: &Arguments,
        memory: &Memory,
    ) -> Candidate {
        let (of_home, user_of_home) = consent.home;
        let workspace = [arguments.common.said_workspace(), consent.workspace, of_home];
        let said = [arguments.user.clone(), variable("SKILLSPAN_USER"), user_of_home];
        let user = first(said).unwrap_or_else(|| self.git_user());
        Candidate {
            repository: self.repositories.of(&glance.cwd, &glance.repository),
            begun: if glance.begun.is_unset() { file.modified } else { glance.begun },
            is_new: !memory.is_as_it_was(&file.path, file.size, file.modified),
            is_chosen: true,
            workspace: first(workspace).unwrap_or_default(),
            user: person::named(&user).unwrap_or_default(),
            file,
        }
    }

    fn git_user(&mut self) -> String {
        self.git_user.get_or_insert_with(|| git_user().unwrap_or_default()).clone()
    }
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

fn first(said: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    said.into_iter().flatten().find(|value| !value.trim().is_empty())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
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
