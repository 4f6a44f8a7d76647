//! The filesystem exporter: a library of skills in a folder.
//!
//! ```text
//! <path>/skills/…  <path>/README.md  …       the tree, see [`crate::library::Layout`]
//! <path>/.skillspan/library.json             the state
//! <path>/.skillspan/library.json.next        the state an apply is on its way to
//! <path>/.skillspan/lock                     held while publishing
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | [`Filesystem`]: read, reconcile, write |
//! | `folder.rs` | an open folder, below which no link is followed |
//!
//! The path may be a link: it is followed once, when a publish begins. Below it nothing is read or written through a
//! link, and only plain files are opened. If something else is in the place of a library's file, the publish is
//! refused before anything is written, see [`super::survey`].
//!
//! Each file is replaced whole (temporary file, fsync, rename, fsync of the folder). The order is:
//! next state, files, state, removal of the next state. Whatever an interrupt leaves behind, the next
//! run tells its own half-done work from a person's edit by the hashes in the two states.

mod folder;

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::destination::Destination;
use super::survey::{Blocked, Kind, Obstacle, Survey};
use super::update::{Report, Update};
use crate::library::{self, Changes, DecisionError, Layout, Library, Stored, Tree};
use folder::{Folder, is_link};

/// The folder of the state, and its files.
const STATE_FOLDER: &str = ".skillspan";
const STATE: &str = "library.json";
const NEXT_STATE: &str = "library.json.next";
/// No file of a skill is as large; what a person put there is not worth the memory.
const LARGEST: u64 = 16 << 20;

/// Where the folder is and how it is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder; created if it is not there.
    pub path: PathBuf,
    /// Its content.
    pub layout: Layout,
}

/// The folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder refused.
    #[error("cannot {verb} {}: {source}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Something stands where a file or folder of the library belongs.
    #[error("{}: {blocked}; nothing is published there until it is moved away", folder.display())]
    Blocked {
        /// The target.
        folder: PathBuf,
        /// What stands there.
        blocked: Blocked,
    },
    /// The state could not be read.
    #[error("{}: {source}", path.display())]
    State {
        /// The state's file.
        path: PathBuf,
        /// What is wrong with it.
        source: library::Error,
    },
    /// A decision cannot be carried out.
    #[error(transparent)]
    Decision(#[from] DecisionError),
}

/// A library in a folder.
#[derive(Debug, Clone)]
pub struct Filesystem {
    config: Config,
}

impl Filesystem {
    /// An exporter to a folder; nothing is touched yet.
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    fn read(&self, root: &Folder) -> Result<(Library, Survey), Error> {
        let stored = match root.below(STATE_FOLDER)? {
            Some(folder) => {
                Stored { current: folder.read(STATE, u64::MAX)?, next: folder.read(NEXT_STATE, u64::MAX)? }
            }
            None => Stored::default(),
        };
        let mut survey = Survey::new(&self.config.layout);
        let mut tree = Tree::new();
        read_folder(root, "", &mut survey, &mut tree)?;
        // A person's, whatever is in it.
        tree.extend(survey.taken.iter().map(|path| (path.clone(), String::new())));
        let mut library = self.library(&stored, tree)?;
        for alias in survey.take_aliases(|path| root.link(path)) {
            library = library.without_root(&alias);
        }
        survey.check(&library).map_err(|blocked| self.blocked(blocked))?;
        let library = survey.without_guide(library, &self.config.layout);
        Ok((library, survey))
    }

    fn library(&self, stored: &Stored, tree: Tree) -> Result<Library, Error> {
        let path = || self.config.path.join(STATE_FOLDER).join(STATE);
        library::load(self.config.layout.clone(), stored, tree)
            .map_err(|source| Error::State { path: path(), source })
    }

    /// What must change, if there is no obstacle.
    fn changes(&self, update: &Update, library: &Library, survey: &Survey) -> Result<Changes, Error> {
        let changes = update.changes(library)?;
        survey.check_changes(&changes).map_err(|blocked| self.blocked(blocked))?;
        Ok(changes)
    }

    fn report(&self, changes: &Changes, library: &Library, survey: &Survey) -> Report {
        let mut report = Report::of(changes, library);
        report.notes.extend(self.link_note());
        report.notes.extend(survey.note());
        report
    }

    fn blocked(&self, blocked: Blocked) -> Error {
        Error::Blocked { folder: self.config.path.clone(), blocked }
    }

    /// The folder; `None` if it is not there.
    fn open(&self) -> Result<Option<Folder>, Error> {
        let path = &self.config.path;
        match Folder::open(path) {
            Ok(root) => Ok(Some(root)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open", path)(error)),
        }
    }

    fn open_or_create(&self) -> Result<Folder, Error> {
        let path = &self.config.path;
        if let Some(root) = self.open()? {
            return Ok(root);
        }
        create_closed_folder(path)?;
        Folder::open(path).map_err(failed("open", path))
    }

    /// Says where skills stand if the path is a link.
    fn link_note(&self) -> Option<String> {
        let path = &self.config.path;
        let end = is_link(path).then(|| fs::canonicalize(path).ok())??;
        Some(format!("{} is a link: its skills stand in {}", path.display(), end.display()))
    }
}

impl Destination for Filesystem {
    type Error = Error;

    /// Creates the folder and makes sure that it can be written.
    fn check(&self) -> Result<(), Error> {
        self.open_or_create()?.lock()?;
        if let Some(note) = self.link_note() {
            tracing::info!("{note}");
        }
        Ok(())
    }

    /// Whether something stands where the library has its skills, or would have its first.
    fn look(&self) -> Result<(), Error> {
        let Some(root) = self.open()? else { return Ok(()) };
        let (_, survey) = self.read(&root)?;
        survey.check_roots().map_err(|blocked| self.blocked(blocked))
    }

    /// Reads the folder; one that is not there is an empty library.
    fn load(&self) -> Result<Library, Error> {
        match self.open()? {
            Some(root) => Ok(self.read(&root)?.0),
            None => self.library(&Stored::default(), Tree::new()),
        }
    }

    /// What [`Filesystem::publish`] would do. Writes nothing.
    fn plan(&self, update: &Update) -> Result<Report, Error> {
        let Some(root) = self.open()? else {
            let library = self.load()?;
            return Ok(Report::of(&update.changes(&library)?, &library));
        };
        let (library, survey) = self.read(&root)?;
        let changes = self.changes(update, &library, &survey)?;
        Ok(self.report(&changes, &library, &survey))
    }

    /// Reads the folder, sees what must change there and writes it. Waits for another process that is
    /// publishing here. Blocks on the disk.
    fn publish(&self, update: &Update) -> Result<Report, Error> {
        let root = self.open_or_create()?;
        let _lock = root.lock()?;
        let (library, survey) = self.read(&root)?;
        let changes = self.changes(update, &library, &survey)?;
        apply(&root, &changes)?;
        Ok(self.report(&changes, &library, &survey))
    }
}

impl Folder {
    /// Held while publishing; the system releases it with the process.
    fn lock(&self) -> Result<File, Error> {
        let folder = self.made_below(STATE_FOLDER)?;
        let file = folder.open_lock("lock")?;
        file.lock().map_err(|error| folder.failed_io("lock", "lock", error))?;
        Ok(file)
    }
}

/// Writes the changes; none means that no file is touched.
fn apply(root: &Folder, changes: &Changes) -> Result<(), Error> {
    let state_folder = root.made_below(STATE_FOLDER)?;
    if let Some(state) = &changes.state {
        state_folder.replace(NEXT_STATE, state)?;
        for (path, content) in &changes.files {
            write(root, path, content)?;
        }
        for path in &changes.removed {
            remove_with_folders(root, path)?;
        }
        state_folder.replace(STATE, state)?;
    }
    state_folder.remove(NEXT_STATE)
}

fn write(folder: &Folder, path: &str, content: &str) -> Result<(), Error> {
    match path.split_once('/') {
        Some((name, rest)) => write(&folder.made_below(name)?, rest, content),
        None => folder.replace(path, content),
    }
}

/// Removes a file, and the folders that held nothing else: `<name>/references` and `<name>`. One that holds
/// a person's file stays.
fn remove_with_folders(root: &Folder, path: &str) -> Result<(), Error> {
    let mut folders = Vec::new();
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        let folder = folders.last().map_or(root, |(_, folder)| folder);
        if names.peek().is_none() {
            folder.remove(name)?;
            break;
        }
        let Some(below) = folder.below(name)? else { return Ok(()) };
        folders.push((name, below));
    }
    for _ in 0..2 {
        let Some((name, _)) = folders.pop() else { break };
        if !folders.last().map_or(root, |(_, folder)| folder).remove_empty(name) {
            break;
        }
    }
    Ok(())
}

/// Reads the files of the library in a folder and below it.
fn read_folder(folder: &Folder, prefix: &str, survey: &mut Survey, tree: &mut Tree) -> Result<(), Error> {
    for (name, kind) in folder.list()? {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if !survey.meet(&path, kind) {
            continue;
        }
        let read = if kind == Kind::Folder {
            let below = folder.below(&name);
            below.and_then(|below| below.map_or(Ok(()), |below| read_folder(&below, &path, survey, tree)))
        } else {
            folder
                .read(&name, LARGEST)
                .map(|content| tree.extend(content.map(|content| (path.clone(), content))))
        };
        match read {
            // What is there and cannot be read must not pass for deleted.
            Err(Error::Blocked { blocked: Blocked { path, obstacle }, .. }) => survey.block(path, obstacle),
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
                survey.block(path, Obstacle::Unreadable);
            }
            read => read?,
        }
    }
    Ok(())
}

/// Creates a folder and its missing parents, for this user alone. Existing ones stay as they are.
pub(super) fn create_closed_folder(folder: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed("create", folder))
}

/// Creates a folder and what is missing above it.
fn create_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(failed("create", folder))
}

fn failed<'a>(verb: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error::Io { verb, path: path.to_owned(), source }
}

/// The file's text; `None` if there is no such file. A file that is not UTF-8 is not ours, so any text that differs
/// will do.
pub(super) fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Replaces a file whole: a reader, or a restart, sees the old text or the new one.
pub(super) fn replace(path: &Path, content: &str) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.skillspan-new"));
    let mut file = File::create(&temporary).map_err(failed("create", &temporary))?;
    file.write_all(content.as_bytes()).map_err(failed("write", &temporary))?;
    file.sync_all().map_err(failed("fsync", &temporary))?;
    fs::rename(&temporary, path).map_err(failed("replace", path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("fsync", folder))
}
