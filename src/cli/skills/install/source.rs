//! A library, as a repository or as a folder.
//!
//! A repository is asked with git as the person has it set up, so that it opens what the person may read. Nothing is
//! checked out: no hook, no filter and no link of it comes into play.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, anyhow, bail};

use crate::cli::folders::data_folder;
use crate::cli::{Failure, OrFail};
use crate::event::sha256_hex;
use crate::exporters::git::{Remote, RemoteError};

/// Skill → file below it.
pub(super) type Skills = BTreeMap<String, BTreeMap<String, File>>;

/// A file of a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    pub(super) is_executable: bool,
}

/// Where a library is.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) from: String,
    pub(super) branch: Option<String>,
    folder: Option<PathBuf>,
}

/// What it holds.
pub(super) struct Found {
    pub(super) skills: Skills,
    /// The commit; `""` for a folder.
    pub(super) revision: String,
}

/// Where skills stand in a library, in a project, or in a folder of skills.
const ROOTS: [&str; 4] = ["skills/", ".agents/skills/", ".claude/skills/", ""];
const SKILL: &str = "SKILL.md";
/// More than any skill has, and than any library.
const MOST_BYTES: usize = 1 << 20;
const MOST_FILES: usize = 20_000;

impl Source {
    pub(super) fn parse(from: &str, branch: Option<&str>) -> anyhow::Result<Self> {
        let branch = branch.map(str::to_owned);
        if branch
            .as_ref()
            .is_some_and(|branch| branch.starts_with('-') || branch.contains(char::is_whitespace))
        {
            bail!("--branch: there is no such branch");
        }
        if from.trim().is_empty() {
            bail!("--from names nothing; write where the skills are: https://…, user@host:path or a folder");
        }
        match Remote::parse(from) {
            Ok(_) => Ok(Self { from: from.to_owned(), branch, folder: None }),
            Err(RemoteError::Protocol) if Path::new(from).is_dir() => {
                let folder = fs::canonicalize(from)?;
                let is_repository = folder.join("HEAD").is_file() && folder.join("objects").is_dir();
                let from = match is_repository {
                    true => format!("file://{}", folder.display()),
                    false => folder.display().to_string(),
                };
                Ok(Self { from, branch, folder: (!is_repository).then_some(folder) })
            }
            Err(RemoteError::Protocol) => {
                bail!(
                    "--from {from}: no folder is there, and no address begins like that: {}",
                    RemoteError::Protocol
                )
            }
            Err(RemoteError::Password) => {
                bail!("--from: a password does not belong in the address; git asks its credential helper")
            }
            Err(error) => bail!("--from: {error}"),
        }
    }

    /// What is there now.
    pub(super) fn read(&self) -> Result<Found, Failure> {
        let (files, revision) = match &self.folder {
            Some(folder) => (of_folder(folder), String::new()),
            None => {
                let (files, revision) = self.of_repository().or_fail()?;
                (Ok(files), revision)
            }
        };
        let skills = skills(files.or_fail()?);
        if skills.is_empty() {
            return Err(Failure::Failed(anyhow!(
                "{} has no skills: no {SKILL} below skills/, .agents/skills/, .claude/skills/ or its top",
                self.from
            )));
        }
        Ok(Found { skills, revision })
    }

    fn of_repository(&self) -> anyhow::Result<(BTreeMap<String, File>, String)> {
        let copy = copy_of(&self.from)?;
        fs::create_dir_all(&copy)?;
        self.git(&copy, &["init", "--quiet", "--bare"])?;
        let branch = self.branch.as_deref().unwrap_or("HEAD");
        self.git(&copy, &["fetch", "--quiet", "--depth=1", "--no-tags", "--", &self.from, branch])?;
        let revision = text(&self.git(&copy, &["rev-parse", "FETCH_HEAD"])?).trim().to_owned();
        let listed = self.git(&copy, &["ls-tree", "-r", "-l", "-z", "--full-tree", "FETCH_HEAD"])?;
        let mut wanted = Vec::new();
        for line in listed.stdout.split(|byte| *byte == 0).filter_map(|line| std::str::from_utf8(line).ok()) {
            let Some((head, path)) = line.split_once('\t') else { continue };
            let mut head = head.split(' ').filter(|part| !part.is_empty());
            let (Some(mode), Some("blob"), Some(object), Some(size)) =
                (head.next(), head.next(), head.next(), head.next())
            else {
                continue;
            };
            // A link's content is a path. What is too large is not read at all: it may unfold to any size.
            let is_meant =
                mode.starts_with("100") && size.parse::<usize>().is_ok_and(|size| size <= MOST_BYTES);
            if is_meant && is_plain(path) && ROOTS.iter().any(|root| path.starts_with(root)) {
                wanted.push((path.to_owned(), mode == "100755", object.to_owned()));
            }
        }
        if wanted.len() > MOST_FILES {
            bail!("{} has more than {MOST_FILES} files; is it a library of skills?", self.from);
        }
        let root = ROOTS.iter().find(|root| has_skill(wanted.iter().map(|(path, ..)| path.as_str()), root));
        let Some(root) = root else { return Ok((BTreeMap::new(), revision)) };
        wanted.retain(|(path, ..)| path.starts_with(root));
        Ok((self.blobs(&copy, &wanted)?, revision))
    }

    /// The content of objects, from one process.
    fn blobs(
        &self,
        copy: &Path,
        wanted: &[(String, bool, String)],
    ) -> anyhow::Result<BTreeMap<String, File>> {
        let list = copy.join("wanted");
        fs::write(&list, wanted.iter().map(|(_, _, object)| format!("{object}\n")).collect::<String>())?;
        let mut command = self.command(copy);
        let output = command.args(["cat-file", "--batch"]).stdin(fs::File::open(&list)?).output()?;
        let stdout = self.successful("cat-file", output)?.stdout;
        let mut rest = stdout.as_slice();
        let mut files = BTreeMap::new();
        for (path, is_executable, _) in wanted {
            let end = memchr::memchr(b'\n', rest).context("git said less than it was asked")?;
            let head = rest.get(..end).and_then(|head| std::str::from_utf8(head).ok()).unwrap_or_default();
            let length = head.rsplit(' ').next().and_then(|length| length.parse::<usize>().ok());
            let (begin, end) = (end + 1, length.context("git says no length")?.saturating_add(end + 1));
            let bytes = rest.get(begin..end).context("git said less than it was asked")?.to_vec();
            files.insert(path.clone(), File { bytes, is_executable: *is_executable });
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        Ok(files)
    }

    fn git(&self, copy: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
        let output = self.command(copy).args(arguments).stdin(Stdio::inherit()).output();
        let output = output.context("git cannot be run; is it installed?")?;
        self.successful(arguments.first().copied().unwrap_or_default(), output)
    }

    fn command(&self, copy: &Path) -> Command {
        let mut command = Command::new("git");
        command.current_dir(copy).env("GIT_DIR", copy).env("LC_ALL", "C").stderr(Stdio::piped());
        for setting in
            ["core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0", "fetch.recurseSubmodules=false"]
        {
            command.args(["-c", setting]);
        }
        command
    }

    fn successful(&self, verb: &str, output: Output) -> anyhow::Result<Output> {
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().lines().last().unwrap_or("it said nothing").to_owned();
        bail!("{} cannot be read: git {verb}: {said}", self.from)
    }
}

/// Where the copy of a repository is.
fn copy_of(from: &str) -> anyhow::Result<PathBuf> {
    let name = hash(from.as_bytes()).chars().take(16).collect::<String>();
    let data = data_folder().map_err(|failure| anyhow!("{failure}"))?;
    Ok(data.join("libraries").join(format!("{name}.git")))
}

/// What git and [`Source::read`] put into a copy.
const OF_COPIES: &[&str] = &[
    "FETCH_HEAD",
    "HEAD",
    "branches",
    "config",
    "description",
    "hooks",
    "info",
    "objects",
    "packed-refs",
    "refs",
    "shallow",
    "wanted",
];

/// Takes the copy of a repository away that nothing is installed from any more. Returns what was done, `""` if there
/// is none. One that holds branches, tags or files that were not fetched has a person's work in it, and stays.
pub(super) fn forget(from: &str) -> anyhow::Result<String> {
    let copy = copy_of(from)?;
    if !copy.is_dir() {
        return Ok(String::new());
    }
    let stays = |what: &str| format!("{} stays: {what}; remove it by hand\n", copy.display());
    for entry in fs::read_dir(&copy)? {
        let name = entry?.file_name();
        if !OF_COPIES.iter().any(|known| name == *known) {
            return Ok(stays(&format!("skillspan did not put `{}` there", name.display())));
        }
    }
    // A fetch writes none: FETCH_HEAD alone names what came.
    let source = Source { from: from.to_owned(), branch: None, folder: None };
    let branches = text(&source.git(&copy, &["for-each-ref", "--format=%(refname:short)"])?);
    if !branches.trim().is_empty() {
        let names = branches.lines().collect::<Vec<_>>().join(", ");
        return Ok(stays(&format!("it has branches or tags that skillspan did not make: {names}")));
    }
    fs::remove_dir_all(&copy).with_context(|| copy.display().to_string())?;
    // Other copies may be beside it.
    let _ = copy.parent().map(fs::remove_dir);
    Ok(format!("removed {}, the copy of {from}\n", copy.display()))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn has_skill<'a>(mut paths: impl Iterator<Item = &'a str>, root: &str) -> bool {
    paths.any(|path| {
        let below = path.strip_prefix(root).and_then(|rest| rest.split_once('/'));
        below.is_some_and(|(name, rest)| rest == SKILL && is_name(name))
    })
}

/// A name that is a folder's everywhere, and hidden nowhere.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && !name.contains(['\\', ':'])
        && !name.contains(char::is_control)
}

/// A path that leads nowhere else.
fn is_plain(path: &str) -> bool {
    let is_odd = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(['\\', ':']);
    !path.contains(char::is_control) && !path.split('/').any(is_odd)
}

/// The files of a folder of skills, by path.
fn of_folder(folder: &Path) -> anyhow::Result<BTreeMap<String, File>> {
    for root in ROOTS {
        let mut files = BTreeMap::new();
        let top = folder.join(root);
        if top.is_dir() {
            for entry in fs::read_dir(&top)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.file_type()?.is_dir() && is_name(&name) && entry.path().join(SKILL).is_file() {
                    read(&entry.path(), &format!("{root}{name}"), &mut files)?;
                }
            }
        }
        if has_skill(files.keys().map(String::as_str), root) {
            return Ok(files);
        }
    }
    Ok(BTreeMap::new())
}

fn read(folder: &Path, path: &str, files: &mut BTreeMap<String, File>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{path}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read(&entry.path(), &path, files)?;
        } else if kind.is_file() && is_plain(&path) {
            let bytes = fs::read(entry.path()).with_context(|| entry.path().display().to_string())?;
            if bytes.len() <= MOST_BYTES && files.len() < MOST_FILES {
                files.insert(path, File { bytes, is_executable: is_executable(&entry.metadata()?) });
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

/// Files by skill, of the first root that has any.
fn skills(files: BTreeMap<String, File>) -> Skills {
    let root = ROOTS.iter().find(|root| has_skill(files.keys().map(String::as_str), root));
    let Some(root) = root else { return Skills::new() };
    let mut skills = Skills::new();
    for (path, file) in files {
        let below = path.strip_prefix(root).and_then(|rest| rest.split_once('/'));
        if let Some((name, rest)) = below.filter(|(name, _)| is_name(name)) {
            skills.entry(name.to_owned()).or_default().insert(rest.to_owned(), file);
        }
    }
    skills.retain(|_, files| files.contains_key(SKILL));
    skills
}

pub(super) fn hash(bytes: &[u8]) -> String {
    sha256_hex(bytes, 32)
}
