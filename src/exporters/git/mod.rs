//! The git exporter: a library of skills on a branch of a repository.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Git`]: fetch, reconcile, commit, push; again if somebody was faster |
//! | `base.rs` | what a commit stands on: the branch, or the proposal for it |
//! | `repository.rs` | the cache, and git's plumbing on it; whether a push was taken, stale or refused |
//! | `command.rs` | running git with everything closed |
//! | `credentials.rs` | how git gets a token |
//! | `remote.rs` | addresses and credentials |
//! | `error.rs` | what can go wrong, told from what git says |
//!
//! Branches of the remote:
//!
//! ```text
//! <branch>                      mode direct: the skills are pushed here
//! skillspan/proposal/<branch>   mode review: they are proposed here, people merge it
//! skillspan/state               <branch>/library.json or <branch>/[<path>/]project.json
//! ```
//!
//! Invariants: every push is one `--atomic` push that only goes forward; the state's branch is the
//! fence: of two publishers that started from one state, one is refused, fetches and starts again. Nothing
//! changed, nothing is pushed. The cache may be lost at any time.

mod base;
mod command;
mod credentials;
mod error;
mod remote;
mod repository;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::exporters::survey::{Blocked, Survey};
use crate::library::{self, Changes, Layout, Library, Stored, Tree};

pub use credentials::answer as answer_credential_question;
pub use error::Error;
pub use remote::{Auth, Remote, RemoteError};

use base::Base;
use command::Runner;
use repository::{Entries, Oid, Pushed, Repository};

use super::destination::Destination;
use super::update::{Report, Update};

/// The branch that remembers.
const STATE_BRANCH: &str = "skillspan/state";

/// How often a push is prepared anew because somebody was faster.
const ATTEMPTS: usize = 20;

/// A branch of a repository as a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the repository is.
    pub remote: Remote,
    /// What opens it.
    pub auth: Auth,
    /// The branch that people fetch.
    pub branch: String,
    /// How changes reach the branch.
    pub mode: Mode,
    /// Where in it skills stand.
    pub layout: Layout,
    /// Who commits: (name, mail).
    pub author: (String, String),
    /// The folder of the local copy; it may be lost.
    pub cache: PathBuf,
    /// The program that answers git's question for credentials: skillspan itself.
    pub credential_helper: PathBuf,
    /// git.
    pub program: PathBuf,
}

/// How changes reach the branch: by a push of ours, or by people's merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// People, by merging a proposal branch.
    #[default]
    Review,
    /// The exporter pushes to the branch.
    Direct,
}

/// A library on a branch of a repository.
#[derive(Debug, Clone)]
pub struct Git {
    config: Config,
    runner: Runner,
}

/// What stands at the remote.
struct View {
    tips: BTreeMap<String, Oid>,
    base: Base,
    state: Entries,
    library: Library,
    survey: Survey,
    rewritten: Vec<String>,
}

impl Git {
    /// An exporter to a branch; nothing is touched yet.
    pub fn new(mut config: Config) -> Self {
        // git works in the cache's folder, from which a relative path would lead elsewhere.
        let absolute = |path: &mut PathBuf| {
            if let Ok(found) = std::path::absolute(&*path) {
                *path = found;
            }
        };
        absolute(&mut config.cache);
        if let Auth::Key { key_file, known_hosts_file } = &mut config.auth {
            absolute(key_file);
            absolute(known_hosts_file);
        }
        let runner = Runner {
            program: config.program.clone(),
            remote: config.remote.clone(),
            auth: config.auth.clone(),
            author: config.author.clone(),
            credential_helper: config.credential_helper.clone(),
            stop: Arc::new(AtomicBool::new(false)),
        };
        Self { config, runner }
    }

    /// Ends with [`Error::Stopped`] soon after `stop` is set.
    #[must_use]
    pub fn until(mut self, stop: Arc<AtomicBool>) -> Self {
        self.runner.stop = stop;
        self
    }

    /// Does the work on the cache; once more on a new one where the cache may be what is wrong.
    fn with_cache<T>(&self, work: impl Fn(&Repository<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let cache = &self.config.cache;
        let attempt = || {
            let done = Repository::open(&self.runner, cache).and_then(|repository| work(&repository));
            done.map_err(|error| self.or_full_disk(error))
        };
        match attempt() {
            Err(error) if error.may_be_the_cache() => {
                Repository::forget(cache);
                tracing::debug!("the cache is made anew: {error}");
                attempt()
            }
            outcome => outcome,
        }
    }

    fn or_full_disk(&self, error: Error) -> Error {
        let cache = &self.config.cache;
        if !error.may_be_a_full_disk() || !Repository::is_out_of_space(cache) {
            return error;
        }
        let detail = format!("the disk of the cache {} is full: {error}", cache.display());
        Error::DiskFull { remote: self.config.remote.to_string(), detail }
    }

    fn view(&self, repository: &Repository<'_>) -> Result<View, Error> {
        let branch = self.config.branch.as_str();
        let proposal = self.proposal_branch();
        let names: Vec<&str> = match self.config.mode {
            Mode::Direct => vec![branch, STATE_BRANCH],
            Mode::Review => vec![branch, STATE_BRANCH, &proposal],
        };
        let mut tips = repository.branches(&names)?;
        let mut rewritten = repository.fetch(&tips)?;
        // What the proposal's branch loses is the reviewer's business.
        rewritten.retain(|name| *name != proposal);
        for (name, tip) in &mut tips {
            // The branch may have moved between the question and the fetch.
            if let Some(fetched) = repository.cached(name)? {
                *tip = fetched;
            }
        }
        let base = match self.config.mode {
            Mode::Direct => base::direct(repository, tips.get(branch))?,
            Mode::Review => base::review(repository, tips.get(branch), tips.get(&proposal))?,
        };
        let state =
            tips.get(STATE_BRANCH).map(|tip| repository.entries(tip)).transpose()?.unwrap_or_default();
        let (library, survey) = self.library(repository, &base.entries, &state)?;
        let library = match self.config.mode {
            Mode::Direct => library,
            Mode::Review => library.with_merged(merged(repository, tips.get(branch), &base.entries)?),
        };
        Ok(View { tips, base, state, library, survey, rewritten })
    }

    /// What must change, if there is no obstacle.
    fn changes(&self, update: &Update, view: &View) -> Result<Changes, Error> {
        let changes = update.changes(&view.library)?;
        view.survey.check_changes(&changes).map_err(|blocked| self.blocked(blocked))?;
        Ok(changes)
    }

    fn blocked(&self, Blocked { path, obstacle }: Blocked) -> Error {
        let branch = self.pushed_branch();
        Error::Blocked { remote: self.config.remote.to_string(), branch, path, obstacle }
    }

    fn library(
        &self,
        repository: &Repository<'_>,
        entries: &Entries,
        state: &Entries,
    ) -> Result<(Library, Survey), Error> {
        let layout = &self.config.layout;
        let mut survey = Survey::new(layout);
        for (path, (mode, _)) in entries {
            if let Ok(path) = std::str::from_utf8(path) {
                survey.meet(path, repository::kind_of(mode));
            }
        }
        let is_ours = |path: &[u8]| std::str::from_utf8(path).is_ok_and(|path| survey.files.contains(path));
        let ours = entries.iter().filter(|(path, _)| is_ours(path));
        let mut tree: Tree =
            repository.read(&ours.map(|(path, entry)| (path.clone(), entry.clone())).collect())?;
        // A person's, whatever is in it.
        tree.extend(survey.taken.iter().map(|path| (path.clone(), String::new())));
        let stored = Stored { current: self.stored(repository, state)?, next: None };
        let mut library = library::load(layout.clone(), &stored, tree).map_err(|source| Error::State {
            remote: self.config.remote.to_string(),
            branch: STATE_BRANCH.to_owned(),
            source,
        })?;
        let links = repository.links(entries)?;
        for alias in survey.take_aliases(|path| links.get(path).cloned()) {
            library = library.without_root(&alias);
        }
        survey.check(&library).map_err(|blocked| self.blocked(blocked))?;
        let library = survey.without_guide(library, layout);
        Ok((library, survey))
    }

    /// The state's document, of the entries of its branch.
    fn stored(&self, repository: &Repository<'_>, state: &Entries) -> Result<Option<String>, Error> {
        let path = self.state_path();
        if let Some((path, obstacle)) = repository::in_the_way(state, &path) {
            let (remote, branch) = (self.config.remote.to_string(), STATE_BRANCH.to_owned());
            return Err(Error::Blocked { remote, branch, path, obstacle });
        }
        let stored = state.get_key_value(path.as_bytes()).map(|(path, entry)| (path.clone(), entry.clone()));
        Ok(repository.read(&stored.into_iter().collect())?.remove(&path))
    }

    /// The commits to push, by branch.
    fn commits(
        &self,
        repository: &Repository<'_>,
        view: &View,
        changes: &Changes,
        state: &str,
    ) -> Result<Vec<(String, Oid)>, Error> {
        let mut commits = Vec::new();
        if changes.touches_the_tree() {
            let mut entries = view.base.entries.clone();
            for path in &changes.removed {
                entries.remove(path.as_bytes());
            }
            for (path, content) in &changes.files {
                entries.insert(path.clone().into_bytes(), repository.store(content)?);
            }
            let mut parents = view.base.parents.clone();
            if self.config.mode == Mode::Review && parents.is_empty() {
                // A proposal needs something that it is proposed for.
                let start = repository.commit(&Entries::new(), &[], "Start of the repository\n")?;
                commits.push((self.config.branch.clone(), start.clone()));
                parents.push(start);
            }
            let commit = repository.commit(&entries, &parents, &changes.commit_message())?;
            commits.push((self.pushed_branch(), commit));
        }
        let mut entries = view.state.clone();
        entries.insert(self.state_path().into_bytes(), repository.store(state)?);
        let parents: Vec<Oid> = view.tips.get(STATE_BRANCH).cloned().into_iter().collect();
        let message = format!("State of {} for {}\n", self.config.layout.state_name(), self.config.branch);
        commits.push((STATE_BRANCH.to_owned(), repository.commit(&entries, &parents, &message)?));
        Ok(commits)
    }

    fn report(&self, changes: &Changes, view: &View, pushed: bool) -> Report {
        let mut report = Report::of(changes, &view.library);
        for branch in &view.rewritten {
            report.notes.push(format!(
                "the history of {branch} was rewritten; what it no longer has counts as deleted by a person"
            ));
        }
        if pushed && changes.touches_the_tree() && self.config.mode == Mode::Review {
            report.notes.push(format!("proposed on branch {}", self.proposal_branch()));
        }
        report.notes.extend(view.survey.note());
        report
    }

    fn pushed_branch(&self) -> String {
        match self.config.mode {
            Mode::Direct => self.config.branch.clone(),
            Mode::Review => self.proposal_branch(),
        }
    }

    fn proposal_branch(&self) -> String {
        format!("skillspan/proposal/{}", self.config.branch)
    }

    fn state_path(&self) -> String {
        format!("{}/{}", self.config.branch, self.config.layout.state_name())
    }
}

impl Destination for Git {
    type Error = Error;

    /// Makes sure that git is here. The remote is not asked: it may be down when the service starts.
    fn check(&self) -> Result<(), Error> {
        let folder = std::env::temp_dir();
        let found = self.runner.local(&folder, &["version"], b"")?.text().trim().to_owned();
        if is_new_enough(&found) { Ok(()) } else { Err(Error::OldGit { found }) }
    }

    /// Reads the library as the next publish would find it.
    fn load(&self) -> Result<Library, Error> {
        self.with_cache(|repository| Ok(self.view(repository)?.library))
    }

    /// What [`Git::publish`] would do. Writes nothing at the remote.
    fn plan(&self, update: &Update) -> Result<Report, Error> {
        self.with_cache(|repository| {
            let view = self.view(repository)?;
            let changes = self.changes(update, &view)?;
            Ok(self.report(&changes, &view, false))
        })
    }

    /// Fetches, sees what must change, commits and pushes. Blocks.
    fn publish(&self, update: &Update) -> Result<Report, Error> {
        self.check()?;
        self.with_cache(|repository| {
            for _ in 0..ATTEMPTS {
                let view = self.view(repository)?;
                let changes = self.changes(update, &view)?;
                let Some(state) = &changes.state else { return Ok(self.report(&changes, &view, false)) };
                let commits = self.commits(repository, &view, &changes, state)?;
                if let Pushed::Taken = repository.push(&commits, &self.config.branch)? {
                    return Ok(self.report(&changes, &view, true));
                }
            }
            Err(Error::Raced { remote: self.config.remote.to_string(), attempts: ATTEMPTS })
        })
    }
}

/// `git version 2.47.3`
fn is_new_enough(version: &str) -> bool {
    let number = version.split(' ').nth(2).unwrap_or_default();
    let mut parts = number.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    (major, minor) >= (2, 30)
}

/// The files that are on the branch as they are in `entries`.
fn merged(
    repository: &Repository<'_>,
    branch: Option<&Oid>,
    entries: &Entries,
) -> Result<BTreeSet<String>, Error> {
    let on_branch = branch.map(|tip| repository.entries(tip)).transpose()?.unwrap_or_default();
    let merged = entries.iter().filter(|(path, entry)| on_branch.get(*path) == Some(*entry));
    Ok(merged.filter_map(|(path, _)| String::from_utf8(path.clone()).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn git_2_30_is_the_oldest_that_will_do() {
        for (version, enough) in [
            ("git version 2.30.0", true),
            ("git version 2.47.3", true),
            ("git version 3.0.0-rc1", true),
            ("git version 2.39.5 (Apple Git-154)", true),
            ("git version 2.29.2", false),
            ("git version 1.8.3.1", false),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), enough, "{version}");
        }
    }
}
