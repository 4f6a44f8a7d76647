//! The file that keeps digests: a log of JSON lines, in a folder that is closed to others.
//!
//! ```text
//! digests-<hash of the table's place>.jsonl
//!     {"made":{…}}                   what made it; a file that something else made is not read
//!     {"group":[7,{…}]}              a group of sessions with their digests, by its number
//!     {"gone":[3,5]}                 groups that no longer stand
//!     {"seen":[{…cursor…},{…}]}      the lines up to here are one state; what follows is not, yet
//! digests-<hash>.lock                held by the process that writes
//! ```
//!
//! A run appends what it changed. When more lines are out of date than stand, the file is written
//! anew. Nothing is synced: what a crash takes is made again.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Changed, Kept, KeptGroup};
use crate::disk::{Disk, DiskFile, FileSystem, Lock, create_folders};
use crate::skillify::short_hash;
use crate::table::Cursor;

const PREFIX: &str = "digests-";
/// So many bytes are written at once.
const CHUNK: usize = 1 << 20;

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
    /// The bytes of `seen` lines, of which the last one counts.
    seen: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line<'a> {
    Made(Made),
    Group(u64, Cow<'a, KeptGroup>),
    Gone(Vec<u64>),
    Seen(Cursor, BTreeSet<String>),
}

/// Removes every file of digests in a folder; says how many there were.
pub fn forget(folder: &Path) -> io::Result<usize> {
    let names = match FileSystem.list(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        names => names?,
    };
    let ours = |name: &String| name.starts_with(PREFIX) && !name.ends_with(".lock");
    let mut removed = 0;
    for name in names.into_iter().filter(ours) {
        FileSystem.remove(&folder.join(name))?;
        removed += 1;
    }
    Ok(removed)
}

impl DigestFile {
    /// The file, locked, and what it holds; no file if another process has it.
    pub(super) fn open(folder: &Path, made: Made) -> io::Result<(Option<Self>, Kept)> {
        create_folders(&FileSystem, folder, None)?;
        let name = format!("{PREFIX}{}", short_hash(&[&made.table], 8));
        let path = folder.join(format!("{name}.jsonl"));
        let (kept, state) = load(&path, &made).unwrap_or_default();
        let Some(lock) = FileSystem.lock(&folder.join(format!("{name}.lock")))? else {
            return Ok((None, kept));
        };
        let (length, waste) = state.unzip();
        let file = Self { path, made, _lock: lock, length, waste: waste.unwrap_or_default() };
        Ok((Some(file), kept))
    }

    /// Removes what it holds.
    pub(super) fn clear(&mut self) {
        self.length = None;
        if let Err(error) = FileSystem.remove(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.path.display(), "digests cannot be removed; remove the file");
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
            out.line(&Line::Gone(changed.gone.clone()))?;
        }
        for number in &changed.new {
            if let Some(group) = kept.groups.get(number) {
                out.line(&Line::Group(*number, Cow::Borrowed(group)))?;
            }
        }
        let before = out.written();
        out.line(&Line::Seen(kept.cursor.clone(), kept.erasures.clone()))?;
        self.waste.seen += out.written() - before;
        self.waste.groups += changed.gone.len();
        self.length = Some(out.finish()?);
        Ok(())
    }

    fn write_anew(&mut self, kept: &Kept) -> io::Result<()> {
        self.length = None;
        let temporary = self.path.with_extension("new");
        let mut out = Out { file: FileSystem.create(&temporary)?, offset: 0, buffer: Vec::new() };
        out.line(&Line::Made(self.made.clone()))?;
        for (number, group) in &kept.groups {
            out.line(&Line::Group(*number, Cow::Borrowed(group)))?;
        }
        out.line(&Line::Seen(kept.cursor.clone(), kept.erasures.clone()))?;
        let length = out.finish()?;
        FileSystem.rename(&temporary, &self.path)?;
        self.length = Some(length);
        self.waste = Waste::default();
        Ok(())
    }
}

/// Lines on their way to a file.
struct Out {
    file: Box<dyn DiskFile>,
    offset: u64,
    buffer: Vec<u8>,
}

impl Out {
    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, line)?;
        self.buffer.push(b'\n');
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

/// What a file holds, its length up to the last whole state, and what of it is out of date. `None` where there is none, or what made it is another program.
fn load(path: &Path, made: &Made) -> Option<(Kept, Option<(u64, Waste)>)> {
    let mut lines = BufReader::with_capacity(CHUNK, File::open(path).ok()?);
    let (mut kept, mut state) = (Kept::default(), None);
    let (mut offset, mut waste, mut ours) = (0_u64, Waste::default(), false);
    // What was read since the last whole state.
    let (mut gone, mut groups) = (Vec::new(), Vec::new());
    let mut bytes = Vec::new();
    while let Ok(read @ 1..) = lines.read_until(b'\n', &mut bytes) {
        offset += read as u64;
        // A line that was cut off, or that something else wrote, ends what can be read.
        let Ok(line) = serde_json::from_slice(&bytes) else { break };
        bytes.clear();
        match line {
            Line::Made(by) if by == *made => ours = true,
            _ if !ours => return None,
            Line::Made(_) => return None,
            Line::Group(number, group) => groups.push((number, group.into_owned())),
            Line::Gone(numbers) => gone.extend(numbers),
            Line::Seen(cursor, erasures) => {
                waste.groups += gone.len();
                waste.seen += read as u64;
                gone.drain(..).for_each(|number| drop(kept.groups.remove(&number)));
                kept.groups.extend(groups.drain(..));
                (kept.cursor, kept.erasures) = (cursor, erasures);
                state = Some((offset, waste));
            }
        }
    }
    kept.next = kept.groups.last_key_value().map_or(0, |(number, _)| number + 1);
    state.map(|state| (kept, Some(state)))
}
