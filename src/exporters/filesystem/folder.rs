//! An open folder, below which no link is followed.
//!
//! Every path is opened from the folder's handle, one name at a time, and the system refuses a name that has become a
//! link since it was checked (`O_NOFOLLOW`). So nothing outside is read or written, even if others change the folder
//! meanwhile. Only moving the open folder itself moves what is written.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{Error, failed};
use crate::exporters::survey::{Blocked, Kind, Obstacle, obstacle_of};

/// An open folder, and the target that it is in.
#[derive(Debug)]
pub(super) struct Folder {
    handle: OwnedFd,
    /// The target's folder, for messages.
    target: PathBuf,
    /// Below the target, `""` for its root.
    path: String,
}

impl Folder {
    /// Opens a target's root. A link is followed here: where a target is, its owner says.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self { handle, target: path.to_owned(), path: String::new() })
    }

    /// What has this name; `None` if nothing has.
    pub(super) fn kind_of(&self, name: &str) -> Result<Option<Kind>, Error> {
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(kind(FileType::from_raw_mode(stat.st_mode)))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed("look at", name, error)),
        }
    }

    /// The folder of that name; `None` if there is none.
    pub(super) fn below(&self, name: &str) -> Result<Option<Self>, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => Ok(Some(Self { handle, target: self.target.clone(), path: self.joined(name) })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.refused("open", name, Kind::Folder, error)),
        }
    }

    /// The folder of that name, made if there is none.
    pub(super) fn made_below(&self, name: &str) -> Result<Self, Error> {
        match rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(self.failed("create", name, error)),
        }
        self.below(name)?.ok_or_else(|| self.failed("create", name, Errno::NOENT))
    }

    /// What is in it. Names that are not UTF-8 are not ours.
    pub(super) fn list(&self) -> Result<Vec<(String, Kind)>, Error> {
        let failed = |error: Errno| self.failed("list", "", error);
        let mut found = Vec::new();
        for entry in Dir::read_from(&self.handle).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if matches!(name, "." | "..") {
                continue;
            }
            // Some file systems do not tell; and what is gone meanwhile is not there.
            let known = Some(entry.file_type()).filter(|kind| *kind != FileType::Unknown).map(kind);
            let told = known.map_or_else(|| self.kind_of(name), |kind| Ok(Some(kind)))?;
            found.extend(told.map(|kind| (name.to_owned(), kind)));
        }
        Ok(found)
    }

    /// The text of the file of that name, of at most `largest` bytes; `None` if there is none. What is not
    /// UTF-8 cannot be ours and only has to differ.
    pub(super) fn read(&self, name: &str, largest: u64) -> Result<Option<String>, Error> {
        // Looked at first: to open a device may do something, and to open a pipe may wait.
        match self.kind_of(name)? {
            Some(Kind::File) => {}
            Some(other) => return Err(self.blocked(name, obstacle_of(other))),
            None => return Ok(None),
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => File::from(handle),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.refused("read", name, Kind::File, error)),
        };
        self.must_be_a_file(&file, name)?;
        let mut bytes = Vec::new();
        let read = file.take(largest.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| self.failed_io("read", name, error))?;
        if bytes.len() as u64 > largest {
            return Err(self.blocked(name, Obstacle::TooLarge));
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Where the link at a path below leads.
    pub(super) fn link(&self, path: &str) -> Option<String> {
        let target = rustix::fs::readlinkat(&self.handle, path, Vec::new()).ok()?;
        target.into_string().ok()
    }

    /// Opens a file to be locked.
    pub(super) fn open_lock(&self, name: &str) -> Result<File, Error> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW;
        let flags = flags | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.handle, name, flags, Mode::from_raw_mode(0o666)) {
            Ok(handle) => {
                let file = File::from(handle);
                self.must_be_a_file(&file, name)?;
                Ok(file)
            }
            Err(error) => Err(self.refused("open", name, Kind::File, error)),
        }
    }

    /// Replaces a file whole: a reader, or a restart, sees the old text or the new one.
    pub(super) fn replace(&self, name: &str, content: &str) -> Result<(), Error> {
        let temporary = format!(".{name}.skillspan-new");
        // A leftover, or a link that somebody made: only the name is removed, never the target of a link.
        self.remove(&temporary)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let created = rustix::fs::openat(&self.handle, &temporary, flags, Mode::from_raw_mode(0o666));
        let mut file = File::from(created.map_err(|error| self.failed("create", &temporary, error))?);
        file.write_all(content.as_bytes()).map_err(|error| self.failed_io("write", &temporary, error))?;
        file.sync_all().map_err(|error| self.failed_io("fsync", &temporary, error))?;
        rustix::fs::renameat(&self.handle, &temporary, &self.handle, name)
            .map_err(|error| self.refused("replace", name, Kind::File, error))?;
        rustix::fs::fsync(&self.handle).map_err(|error| self.failed("fsync", "", error))
    }

    /// Takes a file's name away; one that is not there is gone already.
    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.refused("remove", name, Kind::File, error)),
        }
    }

    /// Removes a folder that holds nothing; says whether it is gone.
    pub(super) fn remove_empty(&self, name: &str) -> bool {
        rustix::fs::unlinkat(&self.handle, name, AtFlags::REMOVEDIR).is_ok()
    }

    fn must_be_a_file(&self, file: &File, name: &str) -> Result<(), Error> {
        let stat = rustix::fs::fstat(file).map_err(|error| self.failed("look at", name, error))?;
        match kind(FileType::from_raw_mode(stat.st_mode)) {
            Kind::File => Ok(()),
            other => Err(self.blocked(name, obstacle_of(other))),
        }
    }

    /// The error for a name that could not be used: what stands there, where that is the reason.
    fn refused(&self, verb: &'static str, name: &str, wanted: Kind, error: Errno) -> Error {
        match self.kind_of(name) {
            Ok(Some(found)) if found != wanted => self.blocked(name, obstacle_of(found)),
            _ if error == Errno::ACCESS => self.blocked(name, Obstacle::Unreadable),
            _ => self.failed(verb, name, error),
        }
    }

    fn blocked(&self, name: &str, obstacle: Obstacle) -> Error {
        let blocked = Blocked { path: self.joined(name), obstacle };
        Error::Blocked { folder: self.target.clone(), blocked }
    }

    fn failed(&self, verb: &'static str, name: &str, error: Errno) -> Error {
        self.failed_io(verb, name, error.into())
    }

    pub(super) fn failed_io(&self, verb: &'static str, name: &str, error: io::Error) -> Error {
        failed(verb, &self.target.join(self.joined(name)))(error)
    }

    fn joined(&self, name: &str) -> String {
        match (self.path.as_str(), name) {
            ("", name) => name.to_owned(),
            (path, "") => path.to_owned(),
            (path, name) => format!("{path}/{name}"),
        }
    }
}

/// Whether a path is a link; a missing path is not.
pub(super) fn is_link(path: &Path) -> bool {
    // A slash at the end would be followed.
    let bytes = path.as_os_str().as_bytes();
    let end = bytes.iter().rposition(|byte| *byte != b'/').map_or(bytes.len(), |last| last + 1);
    bytes.get(..end).is_some_and(|bytes| Path::new(OsStr::from_bytes(bytes)).is_symlink())
}

fn kind(found: FileType) -> Kind {
    match found {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        FileType::Fifo => Kind::Pipe,
        FileType::Socket => Kind::Socket,
        _ => Kind::Device,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A target with a folder `inside`, and a folder beside the target.
    fn folders() -> (tempfile::TempDir, Folder, PathBuf) {
        let all = tempfile::tempdir().unwrap();
        let (target, outside) = (all.path().join("target"), all.path().join("outside"));
        fs::create_dir_all(target.join("inside")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "theirs").unwrap();
        (all, Folder::open(&target).unwrap(), outside)
    }

    fn obstacle<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Obstacle {
        match outcome.unwrap_err() {
            Error::Blocked { blocked, .. } => blocked.obstacle,
            error => panic!("{error}"),
        }
    }

    #[test]
    fn a_link_that_is_put_in_place_of_an_open_folder_is_not_followed() {
        let (all, root, outside) = folders();
        let inside = root.below("inside").unwrap().unwrap();
        let place = all.path().join("target/inside");
        fs::rename(&place, all.path().join("moved")).unwrap();
        symlink(&outside, &place).unwrap();
        inside.replace("file", "ours").unwrap();
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "theirs");
        assert_eq!(fs::read_to_string(all.path().join("moved/file")).unwrap(), "ours");
        assert_eq!(obstacle(root.below("inside")), Obstacle::Link);
        assert_eq!(obstacle(root.made_below("inside")), Obstacle::Link);
    }

    #[test]
    fn a_file_that_becomes_a_link_is_replaced_and_not_written_through() {
        let (all, root, outside) = folders();
        symlink(outside.join("file"), all.path().join("target/link")).unwrap();
        assert_eq!(obstacle(root.read("link", 99)), Obstacle::Link);
        assert_eq!(obstacle(root.open_lock("link")), Obstacle::Link);
        symlink(outside.join("file"), all.path().join("target/.link.skillspan-new")).unwrap();
        root.replace("link", "ours").unwrap();
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "theirs");
        assert_eq!(root.read("link", 99).unwrap().as_deref(), Some("ours"));
        assert!(!is_link(&all.path().join("target/link")));
    }

    #[test]
    fn a_second_name_of_a_file_keeps_its_text() {
        let (all, root, outside) = folders();
        fs::hard_link(outside.join("file"), all.path().join("target/file")).unwrap();
        fs::hard_link(outside.join("file"), all.path().join("target/.file.skillspan-new")).unwrap();
        root.replace("file", "ours").unwrap();
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "theirs");
    }

    #[test]
    fn what_is_no_file_is_named_and_not_waited_for() {
        let (all, root, _) = folders();
        let target = all.path().join("target");
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, target.join("pipe"), FileType::Fifo, mode, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(target.join("socket")).unwrap();
        symlink("ring", target.join("ring")).unwrap();
        symlink("nothing", target.join("dangling")).unwrap();
        for (name, expected) in [
            ("pipe", Obstacle::Pipe),
            ("socket", Obstacle::Socket),
            ("ring", Obstacle::Link),
            ("dangling", Obstacle::Link),
            ("inside", Obstacle::Folder),
        ] {
            assert_eq!(obstacle(root.read(name, 99)), expected, "{name}");
            assert_eq!(obstacle(root.open_lock(name)), expected, "{name}");
            if name != "inside" {
                assert_eq!(obstacle(root.below(name)), expected, "{name}");
            }
        }
        assert_eq!(root.read("gone", 99).unwrap(), None);
        fs::write(target.join("file"), "12345").unwrap();
        assert_eq!(obstacle(root.below("file")), Obstacle::File);
        assert_eq!(obstacle(root.read("file", 4)), Obstacle::TooLarge);
        fs::create_dir(target.join(".file.skillspan-new")).unwrap();
        assert_eq!(obstacle(root.replace("file", "x")), Obstacle::Folder);
    }

    #[test]
    fn a_slash_at_the_end_hides_no_link() {
        let (all, ..) = folders();
        let link = all.path().join("link");
        symlink(all.path().join("target"), &link).unwrap();
        assert!(is_link(&link) && is_link(&PathBuf::from(format!("{}//", link.display()))));
        assert!(!is_link(&all.path().join("target")) && !is_link(Path::new("/")));
    }
}
