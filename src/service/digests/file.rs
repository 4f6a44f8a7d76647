//! The file that keeps digests: a log of entries, in a folder that is closed to others.
//!
//! ```text
//! digests-<hash of the table's place>.log
//!     Made(what made it)             first; a file of another maker is not read
//!     Runs([…], [1, 2])              the runs below it, and their groups that are no longer valid
//!     Group(7, {…})                  a group of sessions with their digests, by its number
//!     Gone([3, 5])                   groups that are no longer valid
//!     Seen(cursor, erasures)         the entries up to here are one state; later ones are not yet
//!     More(cursor, erasures)         the same, as the difference from the last state
//! digests-<hash>-7.run, -7.index     earlier logs (`runs.rs`)
//! digests-<hash>.lock                held by the process that writes
//! keeping.lock                       held for a moment by whoever keeps or forgets digests
//! ```
//!
//! (`entries.rs` says how entries are written.) Mining appends what it changed while it reads the table. At [`SEALED`] bytes
//! the log becomes a run, and a new log begins. If more of the log is out of date than valid, the valid part is written to a
//! new log. Nothing is synced: what a crash takes is made again.
//!
//! A run is written beside everything else and counts once the log names it. It gets its name only while nobody may forget
//! digests, and only if it knows of every erasure. From then on an erasure removes it by this name, whatever is still
//! appended to it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::record::PREFIX as RECORD;
use super::byte_range::Span;
use super::entries::{self, Entry, Files, LOG, Made, Run};
use super::index::At;
use super::load::{Loaded, load};
use super::remove::remove;
use super::runs::{self, Out, Writing};
use super::writer_lock::{PREFIX, TURN, Turn};
use super::{Kept, State, lessons};
use crate::disk::{Disk, DiskFile, FileSystem, Lock, create_folders};
use crate::service::author::PREFIX as OBSERVATIONS;
use crate::service::embeddings::PREFIX as EMBEDDINGS;
use crate::skillify::short_hash;

/// The file, and how far it holds what is known.
pub(super) struct DigestFile {
    path: PathBuf,
    made: Made,
    /// Another process that starts meanwhile keeps its digests to itself.
    _lock: Box<dyn Lock>,
    open: Option<Open>,
    runs: Vec<Run>,
    /// The runs that need an index.
    unindexed: Vec<Run>,
    /// The number of the next run.
    next: u32,
    /// When so many bytes stand in the log, they become a run.
    pub(super) sealed: u64,
}

/// A run is about as large, or larger.
const SEALED: u64 = 64 << 20;

/// A file that entries are appended to.
struct Open {
    /// Readers lock the holder of the file, never the file itself.
    file: Mutex<Box<dyn DiskFile>>,
    /// The bytes of the states that are whole.
    length: u64,
    /// Where the next entry goes.
    end: u64,
    /// The bytes of what it begins with: all but groups. 0: it holds no state.
    header: u64,
}

impl Open {
    fn new(file: Box<dyn DiskFile>, length: u64, header: u64) -> Self {
        Self { file: Mutex::new(file), length, end: length, header }
    }

    /// Appends the end of a state.
    fn append_state(&mut self, bytes: &[u8]) -> io::Result<()> {
        let at = self.end;
        self.file().write_at(at, bytes)?;
        self.end += bytes.len() as u64;
        let end = self.end;
        self.file().cut(end)?;
        self.length = end;
        Ok(())
    }

    fn file(&mut self) -> &mut dyn DiskFile {
        self.file.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut()
    }
}

/// What is to be put in order.
enum Step {
    /// What stands in these files becomes a run.
    Run(Vec<u32>),
    /// What stands in the log goes to another log.
    Log,
}

/// What is written and does not count yet.
pub(super) struct Prepared {
    from: Vec<u32>,
    run: Option<Writing>,
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
    let prefixes = [PREFIX, lessons::PREFIX, EMBEDDINGS, RECORD, OBSERVATIONS];
    let ours =
        |name: &String| prefixes.iter().any(|prefix| name.starts_with(prefix)) && !name.ends_with(".lock");
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
        let path = folder.join(format!("{name}.log"));
        // Only its holder puts another file in its place.
        let lock = FileSystem.lock(&folder.join(format!("{name}.lock")))?;
        let Loaded { kept, log, runs, unindexed } = load(&path, &made).unwrap_or_default();
        let Some(lock) = lock else { return Ok((None, kept)) };
        // Earlier programs kept digests under this name; what is erased must not stay in it.
        remove(&path.with_extension("jsonl"))?;
        let open = log.and_then(|(length, header)| {
            let mut file = FileSystem.open(&path).ok()?;
            // What follows the last whole state must not be taken for a part of the next.
            file.cut(length).ok()?;
            Some(Open::new(file, length, header))
        });
        let next = runs.iter().map(|run| run.number + 1).max().unwrap_or(LOG + 1);
        let file = Self { path, made, _lock: lock, open, runs, unindexed, next, sealed: SEALED };
        file.remove_other_runs();
        Ok((Some(file), kept))
    }

    /// Removes runs that do not count: of a program that ended before they did, or after they no longer did.
    fn remove_other_runs(&self) {
        for number in runs::numbers(&self.path) {
            if self.runs.iter().all(|run| run.number != number) {
                runs::remove(&self.path, number);
            }
        }
    }

    /// To be taken before anything is kept.
    pub(super) fn turn(&self) -> Turn {
        Turn(self.path.with_file_name(TURN))
    }

    /// Whether there is a file to append to.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Begins a file that holds nothing, in a turn. These are the files to read entries from.
    pub(super) fn begin(&mut self) -> io::Result<Files> {
        self.open = None;
        self.runs.clear();
        self.remove_other_runs();
        let mut file = FileSystem.create(&self.path)?;
        let made = entries::written(&Entry::Made(self.made.clone()))?;
        file.write_at(0, &made)?;
        let reader = Arc::new(File::open(&self.path)?);
        self.open = Some(Open::new(file, made.len() as u64, 0));
        Ok(Files::from([(LOG, reader)]))
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
            let span =
                Span { file: LOG, offset: open.end, length: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
            open.end += bytes.len() as u64;
            At::File(span)
        };
        groups.into_iter().map(place).collect()
    }

    /// Removes its entries and the lessons mined from them. Open readers can go on until the next start of the file.
    pub(super) fn clear(&mut self) {
        self.open = None;
        self.runs.clear();
        self.remove_other_runs();
        let folder = self.path.parent().unwrap_or(&self.path);
        let names = FileSystem.list(folder).unwrap_or_default();
        let lessons = names.iter().filter(|name| name.starts_with(lessons::PREFIX));
        for path in lessons.map(|name| folder.join(name)).chain([self.path.clone()]) {
            if let Err(error) = remove(&path) {
                tracing::warn!(%error, path = %path.display(), "digests cannot be removed; remove the file");
            }
        }
    }

    /// Makes what was appended a state, without the groups that are `gone`, or writes everything, in a turn. `before` is
    /// what was the last state.
    pub(super) fn save(&mut self, kept: &mut Kept, gone: &[u64], before: &State) -> io::Result<()> {
        let in_place = self.open.as_mut().is_some_and(|open| is_at(open, &self.path));
        let Some(open) = self.open.as_mut().filter(|_| in_place) else { return self.write_anew(kept) };
        let mut bytes = Vec::new();
        if !gone.is_empty() {
            bytes.extend(entries::written(&Entry::Gone(gone.to_vec()))?);
        }
        let is_first = open.header == 0;
        if is_first {
            let seen =
                entries::written(&Entry::Seen(kept.state.cursor.clone(), kept.state.erasures.clone()))?;
            open.header = open.length + seen.len() as u64;
            bytes.extend(seen);
        } else {
            bytes.extend(entries::written(&before.more(&kept.state))?);
        }
        open.append_state(&bytes)?;
        for run in std::mem::take(&mut self.unindexed).iter().filter(|run| self.runs.contains(run)) {
            if let Err(error) = runs::write_index(&self.path, run, &self.made) {
                tracing::warn!(%error, "the next start reads a run of digests as a whole");
            }
        }
        Ok(())
    }

    /// Writes what stands to new files, in a turn.
    fn write_anew(&mut self, kept: &mut Kept) -> io::Result<()> {
        let standing: u64 = kept.index.bytes_by_file().values().sum();
        let mut run = None;
        if standing >= self.sealed {
            let mut writing = self.new_run(kept)?;
            writing.write(kept, |_| true)?;
            writing.end()?;
            run = Some(writing);
        }
        self.runs.clear();
        self.write_log(kept, run)?;
        self.remove_other_runs();
        Ok(())
    }

    fn new_run(&mut self, kept: &Kept) -> io::Result<Writing> {
        let number = self.next;
        self.next += 1;
        Writing::begin(&self.path, number, &self.made, &kept.index)
    }

    /// Writes compacted entries to a new file that does not count yet. It holds no turn: whoever forgets digests
    /// removes this file by name.
    pub(super) fn prepare(&mut self, kept: &Kept) -> io::Result<Option<Prepared>> {
        let Some(step) = self.step(kept) else { return Ok(None) };
        let Step::Run(from) = step else { return Ok(Some(Prepared { from: vec![LOG], run: None })) };
        let mut writing = {
            let _turn = self.turn().take()?;
            if !self.open.as_mut().is_some_and(|open| is_at(open, &self.path)) {
                return Ok(None);
            }
            self.new_run(kept)?
        };
        writing.write(kept, |at| matches!(at, At::File(span) if from.contains(&span.file)))?;
        writing.end()?;
        let run = (!writing.moved.is_empty()).then_some(writing);
        Ok(Some(Prepared { from, run }))
    }

    fn step(&self, kept: &Kept) -> Option<Step> {
        let open = self.open.as_ref()?;
        let standing: BTreeMap<u32, u64> = kept.index.bytes_by_file();
        let in_log = standing.get(&LOG).copied().unwrap_or_default();
        if in_log >= self.sealed {
            return Some(Step::Run(vec![LOG]));
        }
        if open.length.saturating_sub(open.header + in_log) > open.header + in_log {
            return Some(Step::Log);
        }
        runs::to_merge(&self.runs, &standing, self.sealed).map(Step::Run)
    }

    /// Makes what was prepared count, in a turn.
    pub(super) fn commit(&mut self, kept: &mut Kept, prepared: Prepared) -> io::Result<()> {
        let Prepared { from, run } = prepared;
        if !self.open.as_mut().is_some_and(|open| is_at(open, &self.path)) {
            // It is forgotten: what is known is written anew when something new comes.
            self.open = None;
            self.runs.clear();
            self.remove_other_runs();
            return Ok(());
        }
        self.runs.retain(|run| !from.contains(&run.number));
        if from.contains(&LOG) {
            self.write_log(kept, run)?;
        } else {
            self.add_run(kept, run)?;
            let runs = entries::written(&self.runs_entry(kept))?;
            let more = entries::written(&kept.state.more(&kept.state))?;
            if let Some(open) = &mut self.open {
                open.append_state(&[runs, more].concat())?;
            }
        }
        for number in from.into_iter().filter(|number| *number != LOG) {
            kept.files.remove(&number);
            kept.dead.remove(&number);
        }
        self.remove_other_runs();
        Ok(())
    }

    /// Gives a run its name, and takes its groups to lie there.
    fn add_run(&mut self, kept: &mut Kept, run: Option<Writing>) -> io::Result<()> {
        let Some(writing) = run else { return Ok(()) };
        let (run, reader) = writing.finish()?;
        kept.index.move_to(writing.moved);
        kept.files.insert(run.number, Arc::new(reader));
        self.runs.push(run);
        Ok(())
    }

    fn runs_entry(&self, kept: &Kept) -> Entry<'static> {
        let dead = self.runs.iter().filter_map(|run| kept.dead.get(&run.number)).flatten();
        Entry::Runs(self.runs.clone(), dead.copied().collect())
    }

    /// Puts another log in the place of the log: a new run, and what lies in no run.
    fn write_log(&mut self, kept: &mut Kept, run: Option<Writing>) -> io::Result<()> {
        self.add_run(kept, run)?;
        let temporary = self.path.with_extension("new");
        let mut out = Out::create(&temporary)?;
        out.add(&entries::written(&Entry::Made(self.made.clone()))?)?;
        if !self.runs.is_empty() {
            out.add(&entries::written(&self.runs_entry(kept))?)?;
        }
        let mut header = out.length();
        let in_a_run =
            |at: &At| matches!(at, At::File(span) if self.runs.iter().any(|run| run.number == span.file));
        let mut moved: Vec<(usize, Span)> = Vec::new();
        for at in runs::in_order(&kept.index, |at| !in_a_run(at)) {
            if let Some(group) = kept.index.groups().get(at) {
                moved.push((at, out.add(&runs::bytes_of(group, &kept.files)?)?));
            }
        }
        let seen = Entry::Seen(kept.state.cursor.clone(), kept.state.erasures.clone());
        header += u64::from(out.add(&entries::written(&seen)?)?.length);
        let (file, length) = out.finish()?;
        let reader = Arc::new(File::open(&temporary)?);
        FileSystem.rename(&temporary, &self.path)?;
        kept.index.move_to(moved);
        let counts = |number: &u32| self.runs.iter().any(|run| run.number == *number);
        kept.files.retain(|number, _| counts(number));
        kept.dead.retain(|number, _| counts(number));
        kept.files.insert(LOG, reader);
        self.open = Some(Open::new(file, length, header));
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
