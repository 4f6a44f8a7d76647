//! The filesystem exporter: a library of skills in a folder.
//!
//! ```text
//! <path>/skills/…  <path>/README.md  …       the tree, see [`crate::library::Layout`]
//! <path>/.skillspan/library.json             the state
//! <path>/.skillspan/library.json.next        the state an apply is on its way to
//! <path>/.skillspan/lock                     held while publishing
//! ```
//!
//! Each file is replaced whole (temporary file, fsync, rename, fsync of the folder). The order is:
//! next state, files, state, removal of the next state. Whatever an interrupt leaves behind, the next
//! run tells its own half-done work from a person's edit by the hashes in the two states.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::target::{Report, Update};
use crate::library::{self, Changes, DecisionError, Layout, Library, Stored, Tree};

/// Where the folder is and how it is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder; created if it is not there.
    pub path: PathBuf,
    /// What stands in it.
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

    /// Creates the folder and makes sure that it can be written.
    pub fn check(&self) -> Result<(), Error> {
        self.lock().map(drop)
    }

    /// What [`Filesystem::publish`] would do. Writes nothing.
    pub fn plan(&self, update: &Update) -> Result<Report, Error> {
        let library = self.load()?;
        Ok(Report::of(&update.changes(&library)?, &library))
    }

    /// Reads the folder, sees what must change there and writes it. Waits for another process that is
    /// publishing here. Blocks on the disk.
    pub fn publish(&self, update: &Update) -> Result<Report, Error> {
        let _lock = self.lock()?;
        let library = self.load()?;
        let changes = update.changes(&library)?;
        self.apply(&changes)?;
        Ok(Report::of(&changes, &library))
    }

    /// Reads the folder; one that is not there is an empty library.
    pub fn load(&self) -> Result<Library, Error> {
        let stored = Stored { current: read(&self.state_path())?, next: read(&self.next_state_path())? };
        let layout = &self.config.layout;
        let mut tree = Tree::new();
        for path in layout.root_files() {
            if let Some(content) = read(&self.config.path.join(path))? {
                tree.insert((*path).to_owned(), content);
            }
        }
        for root in layout.roots() {
            read_folder(&self.config.path.join(&root), &root, 3, &mut tree)?;
        }
        library::load(layout.clone(), &stored, tree)
            .map_err(|source| Error::State { path: self.state_path(), source })
    }

    /// Writes the changes; none means that no file is touched.
    fn apply(&self, changes: &Changes) -> Result<(), Error> {
        if let Some(state) = &changes.state {
            replace(&self.next_state_path(), state)?;
            for (path, content) in &changes.files {
                replace(&self.config.path.join(path), content)?;
            }
            for path in &changes.removed {
                self.remove_with_folders(path)?;
            }
            replace(&self.state_path(), state)?;
        }
        remove(&self.next_state_path())
    }

    /// Removes a file, and the folders that held nothing else.
    fn remove_with_folders(&self, path: &str) -> Result<(), Error> {
        let path = self.config.path.join(path);
        remove(&path)?;
        // `<name>/references` and `<name>`; one that holds a person's file stays.
        for folder in path.ancestors().skip(1).take(2) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Held while publishing; the system releases it with the process.
    fn lock(&self) -> Result<File, Error> {
        create_closed_folder(&self.config.path)?;
        let path = self.config.path.join(".skillspan/lock");
        create_folder(path.parent().unwrap_or(Path::new(".")))?;
        let file = File::options().create(true).append(true).open(&path).map_err(failed("open", &path))?;
        file.lock().map_err(failed("lock", &path))?;
        Ok(file)
    }

    fn state_path(&self) -> PathBuf {
        self.config.path.join(".skillspan/library.json")
    }

    fn next_state_path(&self) -> PathBuf {
        self.config.path.join(".skillspan/library.json.next")
    }
}

/// Creates a folder and what is missing above it, for this user alone; what is there stays as it is.
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

/// The file's text, `None` if there is no such file. What is not UTF-8 cannot be ours and only has to
/// differ.
pub(super) fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// The files of a folder, `depth` folders deep; links are followed to files and not to folders.
fn read_folder(folder: &Path, prefix: &str, depth: usize, tree: &mut Tree) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("list", folder)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed("list", folder))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}/{name}");
        let kind = entry.file_type().map_err(failed("read", &entry.path()))?;
        if kind.is_dir() {
            if depth > 1 {
                read_folder(&entry.path(), &path, depth - 1, tree)?;
            }
        } else if name.ends_with(".md")
            && may_be_a_file(&entry.path())
            && let Some(content) = read(&entry.path())?
        {
            tree.insert(path, content);
        }
    }
    Ok(())
}

/// Whether a file is there, or a link that leads to one; true where that cannot be told: what is not read must
/// not pass for deleted.
fn may_be_a_file(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(led_to) => led_to.is_file(),
        Err(error) => error.raw_os_error() != Some(Errno::LOOP.raw_os_error()),
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

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
