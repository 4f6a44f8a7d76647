//! A disk in memory that forgets what was not synced.
//!
//! It holds what a running process sees and, beside it, what a power loss leaves. Of writes that were
//! not synced, each sector survives or not by itself; of names that were not synced, each change does.
//! A failed sync loses what was written before it for good, although a later sync answers that all is
//! well. Syncs are told apart by the lines of code that ask for them, and those of one place can be
//! left out, as if nobody had written them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use skillspan::disk::{Disk, DiskFile, Lock};

use super::call_site::call_site;
use super::content::{File, Folder, Inode, Write, set};
use super::random::Random;

#[derive(Debug, Clone)]
pub(crate) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    /// Handles of an earlier power-on reach nothing any more.
    life: u64,
}

#[derive(Debug, Default)]
struct State {
    life: u64,
    files: Vec<File>,
    folders: BTreeMap<PathBuf, Folder>,
    locked: BTreeSet<(u64, PathBuf)>,
    /// Renames from folder to folder so far.
    moves: usize,
    /// Changes until the power fails.
    remaining: Option<usize>,
    /// Renames until the power fails: right behind one, more than elsewhere hangs on syncs.
    remaining_renames: Option<usize>,
    /// Bytes that fit.
    capacity: Option<usize>,
    failing_syncs: usize,
    left_out: Option<String>,
    sites: BTreeMap<String, usize>,
}

impl SimulatedDisk {
    pub(crate) fn new() -> Self {
        let root = Folder { is_durable: true, ..Folder::default() };
        let folders = BTreeMap::from([(PathBuf::from("/"), root)]);
        Self { state: Arc::new(Mutex::new(State { folders, ..State::default() })), life: 0 }
    }

    /// A disk on which the syncs of one place do nothing.
    pub(crate) fn leaving_out(site: &str) -> Self {
        let disk = Self::new();
        disk.state.lock().unwrap().left_out = Some(site.to_owned());
        disk
    }

    /// How often each place asked for a sync so far.
    pub(crate) fn sites(&self) -> BTreeMap<String, usize> {
        self.state.lock().unwrap().sites.clone()
    }

    /// The power fails after so many more changes: everything answers with an error then.
    pub(crate) fn lose_power_after(&self, changes: usize) {
        self.state.lock().unwrap().remaining = Some(changes);
    }

    /// The power fails right behind this rename.
    pub(crate) fn lose_power_after_renames(&self, renames: usize) {
        self.state.lock().unwrap().remaining_renames = Some(renames);
    }

    /// The power has not failed.
    pub(crate) fn is_on(&self) -> bool {
        self.seen().is_ok()
    }

    /// No more than this fits, beyond what is there.
    pub(crate) fn limit(&self, room: Option<usize>) {
        let mut state = self.state.lock().unwrap();
        let used = state.used();
        state.capacity = room.map(|room| used + room);
    }

    /// The next syncs of files fail.
    pub(crate) fn fail_syncs(&self, count: usize) {
        self.state.lock().unwrap().failing_syncs = count;
    }

    /// The process is gone; what it wrote is there.
    pub(crate) fn kill(&self) -> Self {
        let mut state = self.state.lock().unwrap();
        state.life += 1;
        state.remaining = None;
        state.remaining_renames = None;
        state.failing_syncs = 0;
        Self { state: Arc::clone(&self.state), life: state.life }
    }

    /// The power is gone, and back.
    pub(crate) fn power_loss(&self, random: &mut Random) -> Self {
        let disk = self.kill();
        disk.state.lock().unwrap().lose(random);
        disk
    }

    /// Every file below `folder`, by its path there.
    pub(crate) fn files_below(&self, folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.state.lock().unwrap();
        let below = state.folders.iter().filter(|(path, _)| path.starts_with(folder));
        let files = below.flat_map(|(path, content)| {
            content.seen.iter().map(move |(name, inode)| (path.join(name), *inode))
        });
        let files = files.map(|(path, inode)| {
            (path.strip_prefix(folder).unwrap().to_owned(), state.files[inode].seen.clone())
        });
        files.collect()
    }

    /// Puts a durable file there.
    pub(crate) fn plant(&self, path: &Path, bytes: &[u8]) {
        let mut file = self.create(path).unwrap();
        file.write_at(0, bytes).unwrap();
        let mut state = self.state.lock().unwrap();
        state.files.last_mut().unwrap().sync();
        let folder = state.folder(path.parent().unwrap()).unwrap();
        for change in std::mem::take(&mut folder.pending) {
            set(&mut folder.durable, change);
        }
    }

    /// Flips a bit in the middle of `text` in a file directly in `folder` whose name ends so; false if
    /// none holds it.
    pub(crate) fn flip_bit(&self, folder: &Path, suffix: &str, text: &str) -> bool {
        let mut state = self.state.lock().unwrap();
        let Some(names) = state.folders.get(folder).map(|folder| folder.seen.clone()) else { return false };
        for inode in names.iter().filter(|(name, _)| name.ends_with(suffix)).map(|(_, inode)| *inode) {
            let file = &mut state.files[inode];
            if let Some(at) = memchr::memmem::find(&file.seen, text.as_bytes()) {
                let at = at + text.len() / 2;
                let flipped = file.seen[at] ^ 1;
                file.write(Write::At(at, vec![flipped]));
                file.sync();
                return true;
            }
        }
        false
    }

    fn seen(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state.lock().unwrap();
        if state.life != self.life || state.remaining == Some(0) {
            return Err(io::Error::other("the power is off"));
        }
        Ok(state)
    }

    fn change(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.seen()?;
        if let Some(remaining) = &mut state.remaining {
            *remaining -= 1;
        }
        Ok(state)
    }
}

impl State {
    fn used(&self) -> usize {
        let named: BTreeSet<Inode> =
            self.folders.values().flat_map(|folder| folder.seen.values().copied()).collect();
        named.into_iter().map(|inode| self.files[inode].seen.len()).sum()
    }

    fn folder(&mut self, path: &Path) -> io::Result<&mut Folder> {
        self.folders.get_mut(path).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn inode(&mut self, path: &Path) -> io::Result<Inode> {
        let name = name_of(path);
        let folder = self.folder(path.parent().unwrap())?;
        folder.seen.get(&name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if let Some(remaining) = &mut self.remaining_renames {
            *remaining = remaining.saturating_sub(1);
            if *remaining == 0 {
                self.remaining = Some(0);
            }
        }
        let inode = self.inode(from)?;
        let (source, target) = (from.parent().unwrap(), to.parent().unwrap());
        if source == target {
            self.folder(source)?.apply(vec![(name_of(from), None), (name_of(to), Some(inode))], None);
            return Ok(());
        }
        self.moves += 1;
        let moved = Some(self.moves);
        self.folder(target)?.apply(vec![(name_of(to), Some(inode))], moved);
        self.folder(source)?.apply(vec![(name_of(from), None)], moved);
        Ok(())
    }

    /// Counts a sync of the calling place; false if it is the one left out.
    fn is_carried_out(&mut self) -> bool {
        let site = call_site();
        let carried_out = self.left_out.as_ref() != Some(&site);
        *self.sites.entry(site).or_default() += 1;
        carried_out
    }

    fn lose(&mut self, random: &mut Random) {
        for file in &mut self.files {
            file.lose(random);
        }
        let pending = self.folders.values().flat_map(|folder| &folder.pending);
        let mut halves: BTreeMap<usize, (usize, bool)> = BTreeMap::new();
        for moved in pending.filter_map(|change| change.moved) {
            let survives = random.chance(1, 2);
            halves.entry(moved).or_insert((0, survives)).0 += 1;
        }
        for folder in self.folders.values_mut() {
            for change in std::mem::take(&mut folder.pending) {
                let whole =
                    change.moved.and_then(|moved| halves.get(&moved)).filter(|(count, _)| *count == 2);
                if whole.map_or_else(|| random.chance(1, 2), |(_, survives)| *survives) {
                    set(&mut folder.durable, change);
                }
            }
            folder.seen = folder.durable.clone();
        }
        // A folder whose name is lost is lost with all below it.
        let lost: Vec<PathBuf> = self
            .folders
            .iter_mut()
            .filter(|(_, folder)| !folder.is_durable)
            .filter(|_| random.chance(1, 2))
            .map(|(path, _)| path.clone())
            .collect();
        self.folders.retain(|path, _| !lost.iter().any(|lost| path.starts_with(lost)));
        self.folders.values_mut().for_each(|folder| folder.is_durable = true);
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

impl Disk for SimulatedDisk {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        if state.folders.contains_key(folder) {
            return Ok(());
        }
        state.folder(folder.parent().unwrap())?;
        state.folders.insert(folder.to_owned(), Folder::default());
        Ok(())
    }

    fn check_writable(&self, folder: &Path) -> io::Result<()> {
        self.seen()?.folder(folder).map(drop)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let mut state = self.change()?;
        // As on a real disk, whose lock is a file.
        state.folder(path.parent().unwrap())?;
        if !state.locked.insert((self.life, path.to_owned())) {
            return Ok(None);
        }
        drop(state);
        Ok(Some(Box::new(SimulatedLock { disk: self.clone(), path: path.to_owned() })))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        Ok(self.seen()?.folder(folder)?.seen.keys().cloned().collect())
    }

    fn folders(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.seen()?;
        let below = state.folders.keys().filter(|path| path.parent() == Some(folder));
        Ok(below.map(|path| name_of(path)).collect())
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        let mut state = self.seen()?;
        let inode = state.inode(path)?;
        Ok(state.files[inode].seen.len() as u64)
    }

    fn read_at(&self, path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut state = self.seen()?;
        let inode = state.inode(path)?;
        let content = &state.files[inode].seen;
        let start = content.len().min(offset as usize);
        let end = content.len().min(offset.saturating_add(length) as usize);
        Ok(content[start..end].to_vec())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.change()?;
        let inode = state.files.len();
        state.folder(path.parent().unwrap())?.apply(vec![(name_of(path), Some(inode))], None);
        state.files.push(File::default());
        Ok(Box::new(SimulatedFile { disk: self.clone(), inode }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let inode = self.change()?.inode(path)?;
        Ok(Box::new(SimulatedFile { disk: self.clone(), inode }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change()?.rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        if state.inode(to).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        state.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        state.inode(path)?;
        state.folder(path.parent().unwrap())?.apply(vec![(name_of(path), None)], None);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.change()?;
        if !state.is_carried_out() {
            return Ok(());
        }
        let content = state.folder(folder)?;
        for change in std::mem::take(&mut content.pending) {
            set(&mut content.durable, change);
        }
        let children = state.folders.iter_mut().filter(|(path, _)| path.parent() == Some(folder));
        children.for_each(|(_, child)| child.is_durable = true);
        Ok(())
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    inode: Inode,
}

impl DiskFile for SimulatedFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.change()?;
        let offset = offset as usize;
        let grows = (offset + bytes.len()).saturating_sub(state.files[self.inode].seen.len());
        let room = state.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(state.used()));
        let fits = bytes.len() - grows.saturating_sub(room).min(bytes.len());
        state.files[self.inode].write(Write::At(offset, bytes[..fits].to_vec()));
        if fits < bytes.len() { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.disk.change()?.files[self.inode].write(Write::Cut(length as usize));
        Ok(())
    }

    fn is_at(&self, path: &Path, length: u64) -> bool {
        // Whoever asks without power is told by what comes next.
        let Ok(mut state) = self.disk.seen() else { return true };
        let named = state.inode(path).is_ok_and(|inode| inode == self.inode);
        named && state.files[self.inode].seen.len() as u64 >= length
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.change()?;
        if !state.is_carried_out() {
            return Ok(());
        }
        if state.failing_syncs > 0 {
            state.failing_syncs -= 1;
            // The system takes them for written from now on.
            state.files[self.inode].pending.clear();
            return Err(io::Error::other("the disk does not sync"));
        }
        state.files[self.inode].sync();
        Ok(())
    }
}

#[derive(Debug)]
struct SimulatedLock {
    disk: SimulatedDisk,
    path: PathBuf,
}

impl Lock for SimulatedLock {
    fn in_place(&self) -> bool {
        self.disk.state.lock().unwrap().folders.contains_key(self.path.parent().unwrap())
    }
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.disk.state.lock().unwrap().locked.remove(&(self.disk.life, self.path.clone()));
    }
}
