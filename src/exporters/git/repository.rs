//! The cache: a bare copy of the branches that matter, and the plumbing on it. It may be deleted at any
//! time.
//!
//! ```text
//! <cache>.lock            held while the cache is used
//! <cache>/repository/     the bare repository
//! <cache>/ready           written once the repository is complete
//! <cache>/probe           written and removed to see whether the disk is full
//! ```

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::command::Runner;
use super::error::Error;
use crate::exporters::survey::{Kind, Obstacle, obstacle_of};

/// An object's name.
pub(super) type Oid = String;

/// Path → (mode, object) of every file of a commit. A path is bytes: git asks for no encoding, and a commit keeps the
/// names of files that are not ours as they are.
pub(super) type Entries = BTreeMap<Vec<u8>, (String, Oid)>;

/// A disk that takes less than this is full.
const PROBE: usize = 64 << 10;

const LINK: &str = "120000";
const SUBMODULE: &str = "160000";
const FILE: &str = "100644";

/// The cache, held by this process.
pub(super) struct Repository<'r> {
    runner: &'r Runner,
    folder: PathBuf,
    _lock: File,
}

/// What became of a push.
pub(super) enum Pushed {
    Taken,
    /// Somebody else was faster.
    Stale,
}

impl<'r> Repository<'r> {
    /// Opens the cache, or makes it. Waits for another process that uses it.
    pub(super) fn open(runner: &'r Runner, cache: &Path) -> Result<Self, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Cache { path, source }
        };
        // A repository may be private.
        DirBuilder::new().recursive(true).mode(0o700).create(cache).map_err(failed(cache))?;
        let lock_path = cache.with_extension("lock");
        let lock = File::options().create(true).append(true).open(&lock_path).map_err(failed(&lock_path))?;
        lock.lock().map_err(failed(&lock_path))?;
        let (folder, ready) = (cache.join("repository"), cache.join("ready"));
        if !ready.exists() {
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&folder)(error)),
                Ok(()) | Err(_) => {}
            }
            fs::create_dir_all(&folder).map_err(failed(&folder))?;
            runner.local(&folder, &["init", "--quiet", "--bare", "--template=", "."], b"")?;
            fs::write(&ready, "").map_err(failed(&ready))?;
        }
        Ok(Self { runner, folder, _lock: lock })
    }

    /// Makes the next [`Repository::open`] start anew.
    pub(super) fn forget(cache: &Path) {
        // What cannot be removed is reported when it is needed next.
        let _ = fs::remove_file(cache.join("ready"));
    }

    /// Whether the disk below the cache takes nothing more.
    pub(super) fn is_out_of_space(cache: &Path) -> bool {
        let probe = cache.join("probe");
        let written = fs::write(&probe, [0; PROBE]);
        // The next probe overwrites a leftover.
        let _ = fs::remove_file(&probe);
        let full = |error: io::Error| {
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        };
        written.is_err_and(full)
    }

    /// The remote's branches of these names.
    pub(super) fn branches(&self, names: &[&str]) -> Result<BTreeMap<String, Oid>, Error> {
        let refs: Vec<String> = names.iter().map(|name| format!("refs/heads/{name}")).collect();
        let arguments: Vec<&str> = ["ls-remote", "--refs", "--", self.runner.remote.url()]
            .into_iter()
            .chain(refs.iter().map(String::as_str))
            .collect();
        let output = self.runner.remote(&self.folder, &arguments)?;
        let output = self.runner.successful(&arguments, output)?;
        let text = output.text();
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        let named = lines.filter_map(|(oid, name)| Some((name.strip_prefix("refs/heads/")?, oid)));
        Ok(named
            .filter(|(name, _)| names.contains(name))
            .map(|(name, oid)| (name.to_owned(), oid.to_owned()))
            .collect())
    }

    /// Fetches these branches. Returns those that no longer contain the commit fetched before.
    pub(super) fn fetch(&self, branches: &BTreeMap<String, Oid>) -> Result<Vec<String>, Error> {
        let before: Vec<(String, Option<Oid>)> = branches
            .keys()
            .map(|name| Ok((name.clone(), self.cached(name)?)))
            .collect::<Result<_, Error>>()?;
        if !branches.is_empty() {
            let specs: Vec<String> =
                branches.keys().map(|name| format!("+refs/heads/{name}:{}", cached_ref(name))).collect();
            let arguments: Vec<&str> =
                ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", self.runner.remote.url()]
                    .into_iter()
                    .chain(specs.iter().map(String::as_str))
                    .collect();
            let output = self.runner.remote(&self.folder, &arguments)?;
            self.runner.successful(&arguments, output)?;
        }
        let mut rewritten = Vec::new();
        for (name, before) in before {
            if let (Some(before), Some(now)) = (before, self.cached(&name)?)
                && !self.contains(&now, &before)?
            {
                rewritten.push(name);
            }
        }
        Ok(rewritten)
    }

    /// What was fetched of a branch.
    pub(super) fn cached(&self, branch: &str) -> Result<Option<Oid>, Error> {
        let arguments = ["for-each-ref", "--format=%(objectname)", &cached_ref(branch)];
        let text = self.runner.local(&self.folder, &arguments, b"")?.text();
        Ok(text.lines().next().map(str::to_owned))
    }

    /// Whether the history of `commit` has `ancestor` in it.
    pub(super) fn contains(&self, commit: &str, ancestor: &str) -> Result<bool, Error> {
        self.runner.asks(&self.folder, &["merge-base", "--is-ancestor", ancestor, commit])
    }

    /// The newest commit that both histories have.
    pub(super) fn merge_base(&self, one: &str, other: &str) -> Result<Option<Oid>, Error> {
        // Unrelated histories have none, and git then fails.
        if !self.runner.asks(&self.folder, &["merge-base", one, other])? {
            return Ok(None);
        }
        let text = self.runner.local(&self.folder, &["merge-base", one, other], b"")?.text();
        Ok(text.lines().next().map(str::to_owned))
    }

    /// Every file of a commit.
    pub(super) fn entries(&self, commit: &str) -> Result<Entries, Error> {
        let output = self.runner.local(&self.folder, &["ls-tree", "-r", "-z", "--full-tree", commit], b"")?;
        Ok(output.stdout.split(|byte| *byte == 0).filter_map(entry).collect())
    }

    /// The texts of these files. A text that is not UTF-8 is not ours and only has to differ; a file whose name is not
    /// UTF-8 is left out.
    pub(super) fn read(&self, entries: &Entries) -> Result<BTreeMap<String, String>, Error> {
        let wanted: Vec<(&str, &Oid)> = entries
            .iter()
            .filter(|(_, (mode, _))| kind_of(mode) == Kind::File)
            .filter_map(|(path, (_, oid))| Some((std::str::from_utf8(path).ok()?, oid)))
            .collect();
        let input: String = wanted.iter().map(|(_, oid)| format!("{oid}\n")).collect();
        let output = self.runner.local(&self.folder, &["cat-file", "--batch"], input.as_bytes())?;
        let mut rest = output.stdout.as_slice();
        let mut texts = BTreeMap::new();
        for (path, _) in wanted {
            let Some((content, after)) = batched(rest) else { return Err(self.unexpected("cat-file")) };
            texts.insert(path.to_owned(), String::from_utf8_lossy(content).into_owned());
            rest = after;
        }
        Ok(texts)
    }

    /// Where the links among these entries lead.
    pub(super) fn links(&self, entries: &Entries) -> Result<BTreeMap<String, String>, Error> {
        let links = entries.iter().filter(|(_, (mode, _))| kind_of(mode) == Kind::Link);
        // Their text is where they lead.
        let texts = links.map(|(path, (_, oid))| (path.clone(), (FILE.to_owned(), oid.clone())));
        self.read(&texts.collect())
    }

    /// Stores a text.
    pub(super) fn store(&self, text: &str) -> Result<(String, Oid), Error> {
        let output = self.runner.local(&self.folder, &["hash-object", "-w", "--stdin"], text.as_bytes())?;
        Ok((FILE.to_owned(), output.text().trim().to_owned()))
    }

    /// Makes a commit of these files.
    pub(super) fn commit(&self, entries: &Entries, parents: &[Oid], message: &str) -> Result<Oid, Error> {
        let index = self.folder.join(format!("index-{}", uuid::Uuid::new_v4().simple()));
        let mut listed = Vec::new();
        for (path, (mode, oid)) in entries {
            listed.extend_from_slice(format!("{mode} {oid}\t").as_bytes());
            listed.extend_from_slice(path);
            listed.push(0);
        }
        let written = self
            .runner
            .with_index(&self.folder, &index, &["update-index", "-z", "--index-info"], &listed)
            .and_then(|_| self.runner.with_index(&self.folder, &index, &["write-tree"], b""));
        // It is a scratch file; a leftover harms nothing.
        let _ = fs::remove_file(&index);
        let tree = written?.text().trim().to_owned();
        let mut arguments = vec!["commit-tree", &tree];
        for parent in parents {
            arguments.extend(["-p", parent]);
        }
        Ok(self.runner.local(&self.folder, &arguments, message.as_bytes())?.text().trim().to_owned())
    }

    /// Pushes commits to branches: all of them or none, and only forward.
    pub(super) fn push(&self, commits: &[(String, Oid)], branch: &str) -> Result<Pushed, Error> {
        let specs: Vec<String> =
            commits.iter().map(|(branch, commit)| format!("{commit}:refs/heads/{branch}")).collect();
        let arguments: Vec<&str> = ["push", "--porcelain", "--atomic", "--", self.runner.remote.url()]
            .into_iter()
            .chain(specs.iter().map(String::as_str))
            .collect();
        let output = self.runner.remote(&self.folder, &arguments)?;
        if output.success {
            self.remember(commits)?;
            return Ok(Pushed::Taken);
        }
        let text = output.text();
        let reasons: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with('!'))
            .filter_map(|line| Some(line.rsplit_once('\t')?.1))
            .collect();
        // Where another push won while this one was being taken, only the message says so.
        let lost_the_race = output.stderr.contains("cannot lock ref");
        if lost_the_race || reasons.iter().any(|reason| STALE.iter().any(|stale| reason.contains(stale))) {
            return Ok(Pushed::Stale);
        }
        let Some(reason) = reasons.iter().find(|reason| !reason.contains("atomic")).or(reasons.first())
        else {
            return Err(Error::of(self.runner.remote.url(), "push", &output.stderr));
        };
        let failed = Error::of(self.runner.remote.url(), "push", &output.stderr);
        if matches!(failed, Error::DiskFull { .. } | Error::Unauthorized { .. }) {
            return Err(failed);
        }
        let said: Vec<&str> =
            output.stderr.lines().filter_map(|line| line.strip_prefix("remote: ")).map(str::trim).collect();
        let detail: String = format!("{reason} {}", said.join(" ")).trim().chars().take(300).collect();
        Err(Error::Protected { remote: self.runner.remote.to_string(), branch: branch.to_owned(), detail })
    }

    /// What was pushed counts as fetched: the next fetch is smaller, and sees whether it was kept.
    fn remember(&self, commits: &[(String, Oid)]) -> Result<(), Error> {
        for (branch, commit) in commits {
            self.runner.local(&self.folder, &["update-ref", &cached_ref(branch), commit], b"")?;
        }
        Ok(())
    }

    fn unexpected(&self, verb: &str) -> Error {
        Error::Failed {
            remote: self.runner.remote.to_string(),
            verb: verb.to_owned(),
            detail: "git printed something unexpected".to_owned(),
        }
    }
}

/// What git says of a ref that moved meanwhile.
const STALE: &[&str] = &[
    "fetch first",
    "non-fast-forward",
    "stale info",
    "needs force",
    "already exists",
    "cannot lock ref",
    "failed to lock",
    "failed to update ref",
    "incorrect old value",
];

fn cached_ref(branch: &str) -> String {
    format!("refs/remote/{branch}")
}

/// `<mode> <type> <object>\t<path>`
fn entry(line: &[u8]) -> Option<(Vec<u8>, (String, Oid))> {
    let (meta, path) = line.split_at_checked(memchr::memchr(b'\t', line)?)?;
    let mut meta = std::str::from_utf8(meta).ok()?.split(' ');
    let (mode, _, oid) = (meta.next()?, meta.next()?, meta.next()?);
    Some((path.get(1..)?.to_vec(), (mode.to_owned(), oid.to_owned())))
}

/// `<object> <type> <size>\n<content>\n`
fn batched(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    let header = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let size: usize = header.rsplit(' ').next()?.parse().ok()?;
    let content = bytes.get(end + 1..)?;
    Some((content.get(..size)?, content.get(size + 1..)?))
}

/// What an entry of this mode is.
pub(super) fn kind_of(mode: &str) -> Kind {
    match mode {
        LINK => Kind::Link,
        SUBMODULE => Kind::Submodule,
        _ => Kind::File,
    }
}

/// What keeps a file from standing at a path where nothing but files and their folders should be.
pub(super) fn in_the_way(entries: &Entries, path: &str) -> Option<(String, Obstacle)> {
    let above = path.match_indices('/').filter_map(|(end, _)| path.get(..end));
    let blocked = above.chain([path]).find_map(|prefix| {
        let (mode, _) = entries.get(prefix.as_bytes())?;
        Some((prefix, kind_of(mode))).filter(|(prefix, kind)| *prefix != path || *kind != Kind::File)
    });
    let below = format!("{path}/").into_bytes();
    let is_folder = entries.range(below.clone()..).next().is_some_and(|(other, _)| other.starts_with(&below));
    blocked
        .map(|(prefix, kind)| (prefix.to_owned(), obstacle_of(kind)))
        .or_else(|| is_folder.then(|| (path.to_owned(), Obstacle::Folder)))
}
