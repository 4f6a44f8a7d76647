//! The file that keeps digests: a log of entries, in a folder that is closed to others.
//!
//! ```text
//! digests-<hash of the table's place>.log
//!     Made(what made it)             first; a file that something else made is not read
//!     Group(7, {…})                  a group of sessions with their digests, by its number
//!     Gone([3, 5])                   groups that no longer stand
//!     Seen(cursor, erasures)         the entries up to here are one state; what follows is not, yet
//! digests-<hash>.lock                held by the process that writes
//! keeping.lock                       held for a moment by whoever keeps or forgets digests
//! ```
//!
//! (`entries.rs` says how entries are written.) A run appends what it changed, while it reads the table. When more
//! groups are out of date than stand, the file is written anew, by tenant and workspace. Nothing is synced: what a
//! crash takes is made again.
//!
//! A file gets its name while nobody may forget digests, and only if nothing is erased that the run does not know
//! of. From then on whoever forgets digests removes it by this name, whatever is still appended to it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::entries::{self, CHUNK, Entries, Entry, Span};
use super::index::{At, Index, NewGroup};
use super::{Kept, lessons};
use crate::disk::{Disk, DiskFile, FileSystem, Lock, create_folders};
use crate::service::{author, embeddings, record};
use crate::skillify::short_hash;

const PREFIX: &str = "digests-";

/// What made a file of digests: another program may have made them differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    /// The version of digests.
    pub(super) digests: u32,
    /// The version of the program.
    pub(super) program: String,
    /// The table.
    pub(super) table: String,
    /// The workspace of sessions that name none.
    pub(super) default_workspace: String,
}

/// The file, and how far it holds what is known.
pub(super) struct DigestFile {
    path: PathBuf,
    made: Made,
    /// Another process that starts meanwhile keeps its digests to itself.
    _lock: Box<dyn Lock>,
    open: Option<Open>,
    waste: Waste,
}

/// A file that entries are appended to.
struct Open {
    /// Others look at what holds it, none of them at the file.
    file: Mutex<Box<dyn DiskFile>>,
    /// The bytes of the states that are whole.
    length: u64,
    /// Where the next entry goes.
    end: u64,
}

impl Open {
    fn new(file: Box<dyn DiskFile>, length: u64) -> Self {
        Self { file: Mutex::new(file), length, end: length }
    }

    fn file(&mut self) -> &mut dyn DiskFile {
        self.file.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut()
    }
}

/// What a file holds that is out of date.
#[derive(Debug, Default, Clone, Copy)]
struct Waste {
    /// Groups that no longer stand.
    groups: usize,
    /// The bytes of `Seen` entries, of which the last one counts.
    seen: u64,
}

/// Whoever keeps digests and whoever forgets them take turns, so that nothing is kept behind the back of an
/// erasure.
pub(super) struct Turn(pub(super) PathBuf);

pub(super) const TURN: &str = "keeping.lock";
/// Keeping takes no longer.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);

impl Turn {
    /// Waits for the others; until the answer is dropped there is nobody else.
    #[expect(clippy::disallowed_methods, reason = "no caller is on a reactor's thread")]
    pub(super) fn take(&self) -> io::Result<Box<dyn Lock>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match FileSystem.lock(&self.0)? {
                Some(lock) => return Ok(lock),
                None if Instant::now() >= deadline => {
                    let message =
                        format!("{} is locked by a process that does not let go of it", self.0.display());
                    return Err(io::Error::other(message));
                }
                None => std::thread::sleep(PAUSE),
            }
        }
    }
}

/// A turn that is taken.
pub(in crate::service) struct Taken {
    /// Whether digests are kept there: whoever forgets them has removed them all.
    pub(in crate::service) has_digests: bool,
    /// Until it is dropped nobody keeps or forgets anything.
    pub(in crate::service) _turn: Box<dyn Lock>,
}

/// Waits for whoever keeps or forgets something beside the digests of a folder.
pub(in crate::service) fn take_turn(folder: &Path) -> io::Result<Taken> {
    let turn = Turn(folder.join(TURN)).take()?;
    let has_digests = FileSystem.list(folder)?.iter().any(|name| is_log(name));
    Ok(Taken { has_digests, _turn: turn })
}

/// Removes every file of digests in a folder, and what is kept beside them of sessions; says how many there were.
pub fn forget(folder: &Path) -> io::Result<usize> {
    let _turn = match Turn(folder.join(TURN)).take() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        taken => taken?,
    };
    let names = match FileSystem.list(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        names => names?,
    };
    let prefixes = [PREFIX, lessons::PREFIX, embeddings::PREFIX, record::PREFIX, author::PREFIX];
    let ours =
        |name: &String| prefixes.iter().any(|prefix| name.starts_with(prefix)) && !name.ends_with(".lock");
    let mut removed = 0;
    for name in names.into_iter().filter(ours) {
        FileSystem.remove(&folder.join(name))?;
        removed += 1;
    }
    Ok(removed)
}

/// Whether a file of this name holds digests.
pub(super) fn is_log(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(".log")
}

/// Removes a file if there is one.
fn remove(path: &Path) -> io::Result<()> {
    match FileSystem.remove(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

impl DigestFile {
    /// The file, locked, and what it holds; no file if another process has it.
    pub(super) fn open(folder: &Path, made: Made) -> io::Result<(Option<Self>, Kept)> {
        create_folders(&FileSystem, folder, None)?;
        let name = format!("{PREFIX}{}", short_hash(&[&made.table], 8));
        let path = folder.join(format!("{name}.log"));
        // Only its holder puts another file in its place.
        let lock = FileSystem.lock(&folder.join(format!("{name}.lock")))?;
        let (kept, state) = load(&path, &made).unwrap_or_default();
        let Some(lock) = lock else { return Ok((None, kept)) };
        // Earlier programs kept digests under this name; what is erased must not stay in it.
        remove(&path.with_extension("jsonl"))?;
        let (length, waste) = state.unzip();
        let open = length.and_then(|length| {
            let mut file = FileSystem.open(&path).ok()?;
            // What follows the last whole state must not be taken for a part of the next.
            file.cut(length).ok()?;
            Some(Open::new(file, length))
        });
        let file = Self { path, made, _lock: lock, open, waste: waste.unwrap_or_default() };
        Ok((Some(file), kept))
    }

    /// To be taken before anything is kept.
    pub(super) fn turn(&self) -> Turn {
        Turn(self.path.with_file_name(TURN))
    }

    /// Whether there is a file to append to.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Begins a file that holds nothing, in a turn. It is the one to read entries from.
    pub(super) fn begin(&mut self) -> io::Result<Arc<File>> {
        self.open = None;
        self.waste = Waste::default();
        let mut file = FileSystem.create(&self.path)?;
        let made = entries::written(&Entry::Made(self.made.clone()))?;
        file.write_at(0, &made)?;
        let reader = Arc::new(File::open(&self.path)?);
        let end = made.len() as u64;
        self.open = Some(Open::new(file, end));
        Ok(reader)
    }

    /// Goes back to the last whole state.
    pub(super) fn rewind(&mut self) {
        if let Some(open) = &mut self.open {
            open.end = open.length;
        }
    }

    /// Appends entries; where they lie, or where they are kept instead if the disk refuses.
    pub(super) fn append(&mut self, groups: Vec<Vec<u8>>) -> Vec<At> {
        let Some(open) = &mut self.open else { return in_memory(groups) };
        let offset = open.end;
        if let Err(error) = open.file().write_at(offset, &groups.concat()) {
            tracing::warn!(%error, path = %self.path.display(), "digests of this run are kept in memory");
            self.open = None;
            return in_memory(groups);
        }
        let place = |bytes: Vec<u8>| {
            // An entry is shorter than its length can say.
            let span = Span { offset: open.end, length: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
            open.end += bytes.len() as u64;
            At::File(span)
        };
        groups.into_iter().map(place).collect()
    }

    /// Removes what it holds, and what was mined of it. What is read from it can be read until it is begun again.
    pub(super) fn clear(&mut self) {
        self.open = None;
        let folder = self.path.parent().unwrap_or(&self.path);
        let names = FileSystem.list(folder).unwrap_or_default();
        let lessons = names.iter().filter(|name| name.starts_with(lessons::PREFIX));
        for path in lessons.map(|name| folder.join(name)).chain([self.path.clone()]) {
            if let Err(error) = remove(&path) {
                tracing::warn!(%error, path = %path.display(), "digests cannot be removed; remove the file");
            }
        }
    }

    /// Makes what was appended a state, without the groups that are `gone`, or writes everything, in a turn.
    pub(super) fn save(&mut self, kept: &mut Kept, gone: &[u64]) -> io::Result<()> {
        let outdated = self.waste.groups + gone.len();
        let is_worth_it = |open: &Open| outdated <= kept.index.len() && self.waste.seen <= open.end / 2;
        let in_place = self.open.as_mut().is_some_and(|open| is_worth_it(open) && is_at(open, &self.path));
        match self.open.as_mut().filter(|_| in_place) {
            Some(open) => {
                let mut bytes = Vec::new();
                if !gone.is_empty() {
                    bytes.extend(entries::written(&Entry::Gone(gone.to_vec()))?);
                }
                let seen = entries::written(&Entry::Seen(kept.cursor.clone(), kept.erasures.clone()))?;
                bytes.extend(&seen);
                let at = open.end;
                open.file().write_at(at, &bytes)?;
                open.end += bytes.len() as u64;
                let end = open.end;
                open.file().cut(end)?;
                open.length = end;
                self.waste.seen += seen.len() as u64;
                self.waste.groups = outdated;
                Ok(())
            }
            None => self.write_anew(kept),
        }
    }

    /// Writes the groups that stand to a new file, those of a workspace beside each other.
    fn write_anew(&mut self, kept: &mut Kept) -> io::Result<()> {
        let temporary = self.path.with_extension("new");
        let mut out = Out { file: FileSystem.create(&temporary)?, offset: 0, buffer: Vec::new() };
        out.add(&entries::written(&Entry::Made(self.made.clone()))?)?;
        let mut order: Vec<(usize, &At)> = Vec::with_capacity(kept.index.len());
        order.extend(kept.index.groups().iter().map(|group| &group.at).enumerate());
        let groups = kept.index.groups();
        order.sort_by_key(|(at, _)| groups.get(*at).and_then(|group| kept.index.first_place(group)));
        let mut spans: Vec<(usize, Span)> = Vec::with_capacity(order.len());
        for (at, place) in order {
            let bytes = match (place, &kept.file) {
                (At::Memory(bytes), _) => bytes.to_vec(),
                (At::File(span), Some(file)) => entries::bytes_of(file, *span)?,
                (At::File(_), None) => return Err(io::Error::other("there is no file of digests")),
            };
            spans.push((at, out.add(&bytes)?));
        }
        out.add(&entries::written(&Entry::Seen(kept.cursor.clone(), kept.erasures.clone()))?)?;
        let (file, length) = out.finish()?;
        let reader = File::open(&temporary)?;
        FileSystem.rename(&temporary, &self.path)?;
        for (at, span) in spans {
            if let Some(group) = kept.index.groups_mut().get_mut(at) {
                group.at = At::File(span);
            }
        }
        kept.file = Some(Arc::new(reader));
        self.open = Some(Open::new(file, length));
        self.waste = Waste::default();
        Ok(())
    }
}

/// Whether it is the file that the path names.
fn is_at(open: &mut Open, path: &Path) -> bool {
    let length = open.length;
    open.file().is_at(path, length)
}

/// Entries where no file takes them.
pub(super) fn in_memory(groups: Vec<Vec<u8>>) -> Vec<At> {
    groups.into_iter().map(|bytes| At::Memory(bytes.into())).collect()
}

/// Entries on their way to a file.
struct Out {
    file: Box<dyn DiskFile>,
    offset: u64,
    buffer: Vec<u8>,
}

impl Out {
    /// Adds an entry as it is written; says where it will lie.
    fn add(&mut self, bytes: &[u8]) -> io::Result<Span> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let span = Span { offset: self.offset + self.buffer.len() as u64, length };
        self.buffer.extend(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(span)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(self.offset, &self.buffer)?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// The file and its length.
    fn finish(mut self) -> io::Result<(Box<dyn DiskFile>, u64)> {
        self.flush()?;
        Ok((self.file, self.offset))
    }
}

/// What a file holds, its length up to the last whole state, and what of it is out of date. `None`
/// where there is none, or what made it is another program.
fn load(path: &Path, made: &Made) -> Option<(Kept, Option<(u64, Waste)>)> {
    let mut entries = Entries::open(path)?;
    match entries.next()? {
        (Entry::Made(by), _) if by == *made => Some(states(entries)),
        _ => None,
    }
}

/// The last whole state, from what follows the first entry.
fn states(mut entries: Entries) -> (Kept, Option<(u64, Waste)>) {
    let (mut kept, mut state, mut waste) = (Kept::default(), None, Waste::default());
    // The groups of the last state are those with a smaller number than `whole`, without these.
    let mut read = Index::default();
    let (mut gone, mut dropped, mut whole): (Vec<u64>, BTreeSet<u64>, u64) = Default::default();
    while let Some((entry, span)) = entries.next() {
        match entry {
            Entry::Made(_) => break,
            Entry::Group(number, group) => read.add(NewGroup::of(number, &group, At::File(span))),
            Entry::Gone(numbers) => gone.extend(numbers),
            Entry::Seen(cursor, erasures) => {
                waste.groups += gone.len();
                waste.seen += u64::from(span.length);
                dropped.extend(gone.drain(..));
                (kept.cursor, kept.erasures) = (cursor, erasures);
                state = Some((span.end(), waste));
                whole = read.next;
            }
        }
    }
    kept.index = read.standing(whole, &dropped);
    kept.file = Some(Arc::new(entries.file()));
    (kept, state)
}
