//! A disk to watch and to break: the real file system behind a switchboard.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use skillspan::disk::{Disk, DiskFile, FileSystem, Lock};

#[derive(Debug, Clone, Default)]
pub(crate) struct TestDisk {
    switches: Arc<(Mutex<Switches>, Condvar)>,
}

#[derive(Debug, Default)]
struct Switches {
    /// Syncs wait while this is set.
    hold: bool,
    /// Syncs that wait now.
    held: usize,
    /// The renaming of a file of this name waits while this is set.
    held_name: Option<String>,
    /// It waits now.
    renaming: bool,
    /// Syncs of files fail whose name ends so.
    failing: Option<&'static str>,
    /// Reads of segments fail that touch these bytes.
    unreadable: Option<Range<u64>>,
    /// Opening a file of this name to read it fails so.
    closed: Option<(String, io::ErrorKind)>,
    /// Nothing is renamed into a folder of this name.
    refusing: Option<&'static str>,
    /// Operations that change the disk are carried out this often; then all fail.
    remaining: Option<usize>,
    /// Files whose sync failed.
    failed: Vec<PathBuf>,
    /// Files that were written to after that.
    written_after: Vec<PathBuf>,
}

impl TestDisk {
    fn switch<T>(&self, change: impl FnOnce(&mut Switches) -> T) -> T {
        let result = change(&mut self.switches.0.lock().unwrap());
        self.switches.1.notify_all();
        result
    }

    /// Makes syncs wait until [`TestDisk::release`].
    pub(crate) fn hold_syncs(&self) {
        self.switch(|switches| switches.hold = true);
    }

    pub(crate) fn release(&self) {
        self.switch(|switches| switches.hold = false);
    }

    /// Blocks until a sync waits.
    pub(crate) fn wait_for_held_sync(&self) {
        let guard = self.switches.0.lock().unwrap();
        let no_sync_waits = |switches: &mut Switches| switches.held == 0;
        let (_guard, waited) =
            self.switches.1.wait_timeout_while(guard, Duration::from_secs(60), no_sync_waits).unwrap();
        assert!(!waited.timed_out(), "no sync came");
    }

    /// Makes the next one wait who gives the file `name` another name, until [`TestDisk::release_name`].
    pub(crate) fn hold_name(&self, name: &str) {
        self.switch(|switches| switches.held_name = Some(name.to_owned()));
    }

    pub(crate) fn release_name(&self) {
        self.switch(|switches| switches.held_name = None);
    }

    /// Blocks until somebody waits to rename.
    pub(crate) fn wait_for_held_name(&self) {
        let guard = self.switches.0.lock().unwrap();
        let nobody_waits = |switches: &mut Switches| !switches.renaming;
        let (_guard, waited) =
            self.switches.1.wait_timeout_while(guard, Duration::from_secs(60), nobody_waits).unwrap();
        assert!(!waited.timed_out(), "nobody renames it");
    }

    fn wait_for_name(&self, from: &Path) {
        let is_held = |switches: &Switches| {
            switches
                .held_name
                .as_ref()
                .is_some_and(|held| from.file_name().is_some_and(|name| name == held.as_str()))
        };
        self.switch(|switches| switches.renaming = is_held(switches));
        let guard = self.switches.0.lock().unwrap();
        drop(self.switches.1.wait_while(guard, |switches| is_held(switches)).unwrap());
    }

    /// Makes syncs of files fail whose name ends with `suffix`, until [`TestDisk::heal`].
    pub(crate) fn fail_syncs_of(&self, suffix: &'static str) {
        self.switch(|switches| switches.failing = Some(suffix));
    }

    /// Makes reads of segments fail that touch these bytes.
    pub(crate) fn fail_reads_within(&self, bytes: Range<u64>) {
        self.switch(|switches| switches.unreadable = Some(bytes));
    }

    /// Makes opening the file of this name to read it fail.
    pub(crate) fn close(&self, name: &str, kind: io::ErrorKind) {
        self.switch(|switches| switches.closed = Some((name.to_owned(), kind)));
    }

    /// Makes renaming into folders of this name fail.
    pub(crate) fn refuse_renames_into(&self, folder: &'static str) {
        self.switch(|switches| switches.refusing = Some(folder));
    }

    pub(crate) fn heal(&self) {
        self.switch(|switches| (switches.failing, switches.closed, switches.refusing) = (None, None, None));
    }

    /// Makes every change fail after `operations` more of them: the process is as good as dead.
    pub(crate) fn crash_after(&self, operations: usize) {
        self.switch(|switches| switches.remaining = Some(operations));
    }

    /// How often `path` was written to after a sync of it had failed.
    pub(crate) fn writes_after_failed_sync(&self, path: &Path) -> usize {
        self.switch(|switches| {
            assert!(switches.failed.iter().any(|failed| failed == path), "no sync of {path:?} failed");
            switches.written_after.iter().filter(|written| *written == path).count()
        })
    }

    fn change(&self) -> io::Result<()> {
        self.switch(|switches| match &mut switches.remaining {
            Some(0) => Err(io::Error::other("the disk is gone")),
            Some(remaining) => {
                *remaining -= 1;
                Ok(())
            }
            None => Ok(()),
        })
    }
}

impl Disk for TestDisk {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.change()?;
        FileSystem.create_folder(folder)
    }

    fn check_writable(&self, folder: &Path) -> io::Result<()> {
        FileSystem.check_writable(folder)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        FileSystem.lock(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        FileSystem.list(folder)
    }

    fn folders(&self, folder: &Path) -> io::Result<Vec<String>> {
        FileSystem.folders(folder)
    }

    fn read_at(&self, path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let closed = self.switch(|switches| switches.closed.clone());
        if let Some((_, kind)) = closed.filter(|(name, _)| path.ends_with(name)) {
            return Err(kind.into());
        }
        let end = offset.saturating_add(length).min(FileSystem.size(path)?);
        let touched = |bytes: &Range<u64>| offset < bytes.end && bytes.start < end;
        let segment = path.extension().is_some_and(|end| end == "segment");
        if segment && self.switch(|switches| switches.unreadable.as_ref().is_some_and(touched)) {
            return Err(io::Error::other("an unreadable sector"));
        }
        FileSystem.read_at(path, offset, length)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.change()?;
        let file = FileSystem.create(path)?;
        Ok(Box::new(TestFile { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.change()?;
        let file = FileSystem.open(path)?;
        Ok(Box::new(TestFile { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        FileSystem.size(path)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change()?;
        FileSystem.rename_new(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let refusing = self.switch(|switches| switches.refusing);
        if refusing.is_some_and(|folder| to.parent().is_some_and(|parent| parent.ends_with(folder))) {
            return Err(io::Error::other("nothing is renamed into it"));
        }
        self.change()?;
        self.wait_for_name(from);
        FileSystem.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        FileSystem.remove(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.change()?;
        FileSystem.sync_folder(folder)
    }
}

struct TestFile {
    disk: TestDisk,
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl DiskFile for TestFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.change()?;
        self.disk.switch(|switches| {
            if switches.failed.contains(&self.path) {
                switches.written_after.push(self.path.clone());
            }
        });
        self.file.write_at(offset, bytes)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.disk.change()?;
        self.file.cut(length)
    }

    fn is_at(&self, path: &Path, length: u64) -> bool {
        self.file.is_at(path, length)
    }

    fn sync(&mut self) -> io::Result<()> {
        let (switches, changed) = &*self.disk.switches;
        let mut guard = switches.lock().unwrap();
        guard.held += 1;
        changed.notify_all();
        guard = changed.wait_while(guard, |switches| switches.hold).unwrap();
        guard.held -= 1;
        if guard.failing.is_some_and(|suffix| self.path.to_string_lossy().ends_with(suffix)) {
            guard.failed.push(self.path.clone());
            return Err(io::Error::other("the disk does not sync"));
        }
        drop(guard);
        self.disk.change()?;
        self.file.sync()
    }
}
