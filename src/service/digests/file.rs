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
//! An entry is its length and the CRC-32C of its bytes, both as four bytes, the least first, and the
//! bytes: a [`postcard`] of [`Entry`].
//!
//! A run appends what it changed. When more groups are out of date than stand, the file is written
//! anew. Nothing is synced: what a crash takes is made again.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Changed, Kept, KeptGroup, lessons};
use crate::disk::{Disk, DiskFile, FileSystem, Lock, create_folders};
use crate::service::{author, embeddings, record};
use crate::skillify::short_hash;
use crate::table::Cursor;

const PREFIX: &str = "digests-";
/// So many bytes are written at once.
const CHUNK: usize = 1 << 20;
/// The bytes of an entry's length and checksum.
const HEADER: usize = 8;

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
#[derive(Debug)]
pub(super) struct DigestFile {
    path: PathBuf,
    made: Made,
    /// Another process that starts meanwhile keeps its digests to itself.
    _lock: Box<dyn Lock>,
    /// Its length as we left it; `None` if it must be written anew.
    length: Option<u64>,
    waste: Waste,
}

/// What a file holds that is out of date.
#[derive(Debug, Default, Clone, Copy)]
struct Waste {
    /// Groups that no longer stand.
    groups: usize,
    /// The bytes of `Seen` entries, of which the last one counts.
    seen: u64,
}

#[derive(Serialize, Deserialize)]
enum Entry<'a> {
    Made(Made),
    Group(u64, Cow<'a, KeptGroup>),
    Gone(Vec<u64>),
    Seen(Cursor, BTreeSet<String>),
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
        let (kept, state) = load(&path, &made).unwrap_or_default();
        let Some(lock) = FileSystem.lock(&folder.join(format!("{name}.lock")))? else {
            return Ok((None, kept));
        };
        // Earlier programs kept digests under this name; what is erased must not stay in it.
        remove(&path.with_extension("jsonl"))?;
        let (length, waste) = state.unzip();
        let file = Self { path, made, _lock: lock, length, waste: waste.unwrap_or_default() };
        Ok((Some(file), kept))
    }

    /// To be taken before anything is kept.
    pub(super) fn turn(&self) -> Turn {
        Turn(self.path.with_file_name(TURN))
    }

    /// Removes what it holds, and what was mined of it.
    pub(super) fn clear(&mut self) {
        self.length = None;
        let folder = self.path.parent().unwrap_or(&self.path);
        let names = FileSystem.list(folder).unwrap_or_default();
        let lessons = names.iter().filter(|name| name.starts_with(lessons::PREFIX));
        for path in lessons.map(|name| folder.join(name)).chain([self.path.clone()]) {
            if let Err(error) = remove(&path) {
                tracing::warn!(%error, path = %path.display(), "digests cannot be removed; remove the file");
            }
        }
    }

    /// Writes what changed, or everything.
    pub(super) fn save(&mut self, kept: &Kept, changed: &Changed) -> io::Result<()> {
        let outdated = self.waste.groups + changed.gone.len();
        let in_place =
            self.length.filter(|length| FileSystem.size(&self.path).is_ok_and(|now| now == *length));
        match in_place.filter(|length| outdated <= kept.groups.len() && self.waste.seen <= length / 2) {
            Some(length) => self.append(length, kept, changed)?,
            None => self.write_anew(kept)?,
        }
        Ok(())
    }

    fn append(&mut self, length: u64, kept: &Kept, changed: &Changed) -> io::Result<()> {
        self.length = None;
        let mut out = Out { file: FileSystem.open(&self.path)?, offset: length, buffer: Vec::new() };
        if !changed.gone.is_empty() {
            out.entry(&Entry::Gone(changed.gone.clone()))?;
        }
        for number in &changed.new {
            if let Some(group) = kept.groups.get(number) {
                out.entry(&Entry::Group(*number, Cow::Borrowed(group)))?;
            }
        }
        let before = out.written();
        out.entry(&Entry::Seen(kept.cursor.clone(), kept.erasures.clone()))?;
        self.waste.seen += out.written() - before;
        self.waste.groups += changed.gone.len();
        self.length = Some(out.finish()?);
        Ok(())
    }

    fn write_anew(&mut self, kept: &Kept) -> io::Result<()> {
        self.length = None;
        let temporary = self.path.with_extension("new");
        let mut out = Out { file: FileSystem.create(&temporary)?, offset: 0, buffer: Vec::new() };
        out.entry(&Entry::Made(self.made.clone()))?;
        for (number, group) in &kept.groups {
            out.entry(&Entry::Group(*number, Cow::Borrowed(group)))?;
        }
        out.entry(&Entry::Seen(kept.cursor.clone(), kept.erasures.clone()))?;
        let length = out.finish()?;
        FileSystem.rename(&temporary, &self.path)?;
        self.length = Some(length);
        self.waste = Waste::default();
        Ok(())
    }
}

/// Entries on their way to a file.
struct Out {
    file: Box<dyn DiskFile>,
    offset: u64,
    buffer: Vec<u8>,
}

impl Out {
    fn entry(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let bytes = postcard::to_extend(entry, Vec::new()).map_err(io::Error::other)?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.buffer.extend(length.to_le_bytes());
        self.buffer.extend(crc32c::crc32c(&bytes).to_le_bytes());
        self.buffer.extend(bytes);
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// The bytes so far.
    fn written(&self) -> u64 {
        self.offset + self.buffer.len() as u64
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(self.offset, &self.buffer)?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// The file's length. What a longer earlier writer left behind it goes.
    fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        self.file.cut(self.offset)?;
        Ok(self.offset)
    }
}

/// The entries of a file, up to one that was cut off or damaged.
struct Entries {
    file: BufReader<File>,
    /// The bytes that are left of it.
    left: u64,
    bytes: Vec<u8>,
}

impl Entries {
    fn open(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let left = file.metadata().ok()?.len();
        Some(Self { file: BufReader::with_capacity(CHUNK, file), left, bytes: Vec::new() })
    }

    /// The next entry and its length in the file.
    fn next(&mut self) -> Option<(Entry<'static>, u64)> {
        let (mut length, mut checksum) = ([0; HEADER / 2], [0; HEADER / 2]);
        self.file.read_exact(&mut length).ok()?;
        self.file.read_exact(&mut checksum).ok()?;
        let length = u32::from_le_bytes(length);
        let whole = u64::from(length) + HEADER as u64;
        self.left = self.left.checked_sub(whole)?;
        self.bytes.resize(usize::try_from(length).ok()?, 0);
        self.file.read_exact(&mut self.bytes).ok()?;
        let sound = crc32c::crc32c(&self.bytes) == u32::from_le_bytes(checksum);
        let entry = sound.then(|| postcard::from_bytes(&self.bytes)).and_then(Result::ok)?;
        Some((entry, whole))
    }
}

/// What a file holds, its length up to the last whole state, and what of it is out of date. `None`
/// where there is none, or what made it is another program.
fn load(path: &Path, made: &Made) -> Option<(Kept, Option<(u64, Waste)>)> {
    let mut entries = Entries::open(path)?;
    match entries.next()? {
        (Entry::Made(by), length) if by == *made => Some(states(entries, length)),
        _ => None,
    }
}

/// The last whole state, from what follows the first `offset` bytes.
fn states(mut entries: Entries, mut offset: u64) -> (Kept, Option<(u64, Waste)>) {
    let (mut kept, mut state, mut waste) = (Kept::default(), None, Waste::default());
    // What was read since the last whole state.
    let (mut gone, mut groups) = (Vec::new(), Vec::new());
    while let Some((entry, length)) = entries.next() {
        offset += length;
        match entry {
            Entry::Made(_) => break,
            Entry::Group(number, group) => groups.push((number, group.into_owned())),
            Entry::Gone(numbers) => gone.extend(numbers),
            Entry::Seen(cursor, erasures) => {
                waste.groups += gone.len();
                waste.seen += length;
                gone.drain(..).for_each(|number| drop(kept.groups.remove(&number)));
                kept.groups.extend(groups.drain(..));
                (kept.cursor, kept.erasures) = (cursor, erasures);
                state = Some((offset, waste));
            }
        }
    }
    kept.next = kept.groups.last_key_value().map_or(0, |(number, _)| number + 1);
    (kept, state)
}
