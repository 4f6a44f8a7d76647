//! Runs: earlier logs, sealed and sorted by workspace.
//!
//! ```text
//! digests-<hash>-7.run       Made, Group…, End       groups by tenant and workspace; never changed
//! digests-<hash>-7.index     Made, Places, Indexed…, End    what the index has of them, so that a start reads no digest
//! ```
//!
//! A full log becomes a run, and four runs of about one size become one. So a digest is written again only each time the
//! table has grown fourfold. If less than half of a run is still valid, it is written again without the rest. A missing or
//! damaged index is made from its run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::Kept;
use super::byte_range::Span;
use super::entries::{self, CHUNK, Entries, Entry, Files, Line, Made, Run, damaged};
use super::index::{At, Index, IndexedGroup, NewGroup};
use crate::disk::{Disk, DiskFile, FileSystem};

/// How many runs of about one size are merged into one, and by which factor sizes may differ to count as about one.
const FAN: usize = 4;
/// So many groups are one entry of an index.
const LINES: usize = 4096;

/// The groups of each file that no longer stand.
pub(super) type Dead = BTreeMap<u32, Vec<u64>>;

/// A run on its way to its name.
pub(super) struct Writing {
    run: Run,
    path: PathBuf,
    out: Out,
    index: Out,
    lines: Vec<Line>,
    /// Where groups are in the index, and where they lie in the run.
    pub(super) moved: Vec<(usize, Span)>,
}

/// The paths of a run and of its index.
pub(super) fn paths(log: &Path, number: u32) -> [PathBuf; 2] {
    let stem = log.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    ["run", "index"].map(|ending| log.with_file_name(format!("{stem}-{number}.{ending}")))
}

fn new(path: &Path) -> PathBuf {
    path.with_extension(format!("{}.new", path.extension().unwrap_or_default().to_string_lossy()))
}

impl Writing {
    /// A run that holds nothing yet, and has no name yet.
    pub(super) fn begin(log: &Path, number: u32, made: &Made, index: &Index) -> io::Result<Self> {
        let [run_path, index_path] = paths(log, number);
        let mut writing = Self {
            run: Run { number, groups: 0, bytes: 0, length: 0 },
            out: Out::create(&new(&run_path))?,
            index: Out::create(&new(&index_path))?,
            path: log.to_owned(),
            lines: Vec::new(),
            moved: Vec::new(),
        };
        writing.out.add(&entries::written(&Entry::Made(made.clone()))?)?;
        writing.index.add(&entries::written(&Entry::Made(made.clone()))?)?;
        writing.index.add(&entries::written(&Entry::Places(index.places().to_vec()))?)?;
        Ok(writing)
    }

    /// Adds the groups that are `wanted`, those of a workspace beside each other.
    pub(super) fn write(&mut self, kept: &Kept, wanted: impl Fn(&At) -> bool) -> io::Result<()> {
        for at in in_order(&kept.index, wanted) {
            let Some(group) = kept.index.groups().get(at) else { continue };
            let span = self.out.add(&bytes_of(group, &kept.files)?)?;
            let span = Span { file: self.run.number, ..span };
            self.run.groups += 1;
            self.run.bytes += u64::from(span.length);
            self.moved.push((at, span));
            self.line(group, span)?;
        }
        Ok(())
    }

    fn line(&mut self, group: &IndexedGroup, span: Span) -> io::Result<()> {
        self.lines.push(Line::of(group, span));
        if self.lines.len() >= LINES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let lines = std::mem::take(&mut self.lines);
        self.index.add(&entries::written(&Entry::Indexed(lines))?).map(drop)
    }

    /// Writes what is left. The run has no name yet.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        let end = entries::written(&Entry::End(self.run.groups, self.run.bytes))?;
        self.out.add(&end)?;
        self.index.add(&end)?;
        self.index.flush()?;
        self.out.flush()?;
        self.run.length = self.out.offset;
        Ok(())
    }

    /// Gives it its name. It fails where somebody has removed it meanwhile.
    pub(super) fn finish(&self) -> io::Result<(Run, File)> {
        let [run_path, index_path] = paths(&self.path, self.run.number);
        FileSystem.rename(&new(&index_path), &index_path)?;
        FileSystem.rename(&new(&run_path), &run_path)?;
        Ok((self.run.clone(), File::open(run_path)?))
    }
}

/// The places in the index of the groups that are wanted, by tenant and workspace.
pub(super) fn in_order(index: &Index, wanted: impl Fn(&At) -> bool) -> Vec<usize> {
    let groups = index.groups();
    let wanted = groups.iter().enumerate().filter(|(_, group)| wanted(&group.at));
    let mut order: Vec<usize> = wanted.map(|(at, _)| at).collect();
    order.sort_by_key(|at| groups.get(*at).and_then(|group| index.first_place(group)));
    order
}

/// The entry of a group, as it is written.
pub(super) fn bytes_of(group: &IndexedGroup, files: &Files) -> io::Result<Vec<u8>> {
    match &group.at {
        At::Memory(bytes) => Ok(bytes.to_vec()),
        At::File(span) => entries::bytes_of(files, *span),
    }
}

/// Which runs are to become one, if any; `standing` are the bytes of each that stand, `usual` those of the smallest run.
pub(super) fn to_merge(runs: &[Run], standing: &BTreeMap<u32, u64>, usual: u64) -> Option<Vec<u32>> {
    let stands = |run: &Run| standing.get(&run.number).copied().unwrap_or_default();
    let thin: Vec<u32> =
        runs.iter().filter(|run| stands(run).saturating_mul(2) < run.bytes).map(|run| run.number).collect();
    if !thin.is_empty() {
        return Some(thin);
    }
    let mut sizes: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for run in runs {
        let times = (run.bytes / usual.max(1)).max(1);
        sizes.entry(times.ilog(FAN as u64)).or_default().push(run.number);
    }
    sizes.into_values().find(|alike| alike.len() >= FAN)
}

/// What was read of a run, beside its groups.
pub(super) struct Read {
    /// The groups of it that no longer stand.
    pub(super) dead: Vec<u64>,
    /// Its index told all that.
    pub(super) has_index: bool,
}

/// Adds the groups of a run that stand, by its index or as the run itself tells. `None` where it is not what was written.
pub(super) fn load(
    log: &Path,
    run: &Run,
    made: &Made,
    dead: &BTreeSet<u64>,
    index: &mut Index,
) -> Option<Read> {
    let [run_path, index_path] = paths(log, run.number);
    if FileSystem.size(&run_path).ok()? != run.length {
        return None;
    }
    let before = index.len();
    if let Some(dead) = indexed(&index_path, run, made, dead, index) {
        return Some(Read { dead, has_index: true });
    }
    index.truncate(before);
    tracing::info!(path = %index_path.display(), "the index of a run of digests is made of the run");
    Some(Read { dead: whole(&run_path, run, made, dead, index)?, has_index: false })
}

/// Adds what an index tells; says which groups are dead.
fn indexed(path: &Path, run: &Run, made: &Made, dead: &BTreeSet<u64>, index: &mut Index) -> Option<Vec<u64>> {
    let mut entries = Entries::open(path, run.number)?;
    is_of(&entries.next()?.0, made).then_some(())?;
    let (Entry::Places(places), _) = entries.next()? else { return None };
    let (mut fallen, mut count) = (Vec::new(), 0);
    loop {
        match entries.next()?.0 {
            Entry::Indexed(lines) => {
                count += lines.len() as u64;
                for Line { number, join_keys, offset, length, sessions } in lines {
                    let at = At::File(Span { file: run.number, offset, length });
                    if dead.contains(&number) {
                        fallen.push(number);
                    } else {
                        index.add(NewGroup::again(number, join_keys, at, &sessions, &places)?);
                    }
                }
            }
            Entry::End(all, bytes) if (all, bytes, count) == (run.groups, run.bytes, run.groups) => {
                return Some(fallen);
            }
            _ => return None,
        }
    }
}

/// Adds what the run itself tells; says which groups are dead.
fn whole(path: &Path, run: &Run, made: &Made, dead: &BTreeSet<u64>, index: &mut Index) -> Option<Vec<u64>> {
    let mut entries = Entries::open(path, run.number)?;
    is_of(&entries.next()?.0, made).then_some(())?;
    let mut fallen = Vec::new();
    loop {
        match entries.next()? {
            (Entry::Group(number, _), _) if dead.contains(&number) => fallen.push(number),
            (Entry::Group(number, group), span) => {
                index.add(NewGroup::of(number, &group, At::File(span)));
            }
            (Entry::End(all, bytes), _) if (all, bytes) == (run.groups, run.bytes) => return Some(fallen),
            _ => return None,
        }
    }
}

fn is_of(entry: &Entry<'_>, made: &Made) -> bool {
    matches!(entry, Entry::Made(by) if by == made)
}

/// Writes the index of a run anew.
pub(super) fn write_index(log: &Path, run: &Run, made: &Made) -> io::Result<()> {
    let [run_path, index_path] = paths(log, run.number);
    let mut index = Index::default();
    whole(&run_path, run, made, &BTreeSet::new(), &mut index).ok_or_else(damaged)?;
    let mut out = Out::create(&new(&index_path))?;
    out.add(&entries::written(&Entry::Made(made.clone()))?)?;
    out.add(&entries::written(&Entry::Places(index.places().to_vec()))?)?;
    for groups in index.groups().chunks(LINES) {
        let line = |group: &IndexedGroup| match group.at {
            At::File(span) => Some(Line::of(group, span)),
            At::Memory(_) => None,
        };
        out.add(&entries::written(&Entry::Indexed(groups.iter().filter_map(line).collect()))?)?;
    }
    out.add(&entries::written(&Entry::End(run.groups, run.bytes))?)?;
    out.flush()?;
    FileSystem.rename(&new(&index_path), &index_path)
}

/// Removes a run, its index, and unfinished files of both.
pub(super) fn remove(log: &Path, number: u32) {
    for path in paths(log, number) {
        for path in [new(&path), path] {
            if let Err(error) = super::remove::remove(&path) {
                tracing::warn!(%error, path = %path.display(), "digests cannot be removed; remove the file");
            }
        }
    }
}

/// The numbers of the runs that there are files of.
pub(super) fn numbers(log: &Path) -> BTreeSet<u32> {
    let stem = log.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let names = log.parent().and_then(|folder| FileSystem.list(folder).ok()).unwrap_or_default();
    let number = |name: &String| {
        let rest = name.strip_prefix(stem.as_str())?.strip_prefix('-')?;
        rest.split_once('.')?.0.parse().ok()
    };
    names.iter().filter_map(number).collect()
}

/// Entries on their way to a file.
pub(super) struct Out {
    file: Box<dyn DiskFile>,
    pub(super) offset: u64,
    buffer: Vec<u8>,
}

impl Out {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: FileSystem.create(path)?, offset: 0, buffer: Vec::new() })
    }

    /// Adds an entry as it is written; says where it will lie, in file 0.
    pub(super) fn add(&mut self, bytes: &[u8]) -> io::Result<Span> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let span = Span { file: 0, offset: self.offset + self.buffer.len() as u64, length };
        self.buffer.extend(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(span)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(self.offset, &self.buffer)?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// The bytes so far.
    pub(super) fn length(&self) -> u64 {
        self.offset + self.buffer.len() as u64
    }

    /// The file and its length.
    pub(super) fn finish(mut self) -> io::Result<(Box<dyn DiskFile>, u64)> {
        self.flush()?;
        Ok((self.file, self.offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Merges as long as there is something to merge; says how many bytes were written for that.
    fn settle(runs: &mut Vec<Run>, next: &mut u32) -> u64 {
        let mut written = 0;
        loop {
            let standing = runs.iter().map(|run| (run.number, run.bytes)).collect();
            let Some(merged) = to_merge(runs, &standing, 64) else { return written };
            let bytes = runs.iter().filter(|run| merged.contains(&run.number)).map(|run| run.bytes).sum();
            runs.retain(|run| !merged.contains(&run.number));
            runs.push(Run { number: *next, groups: 1, bytes, length: bytes });
            (written, *next) = (written + bytes, *next + 1);
        }
    }

    #[test]
    fn a_digest_is_written_again_as_often_as_the_table_grew_fourfold() {
        let (mut runs, mut next, mut written) = (Vec::new(), 1, 0);
        for _ in 0..1024 {
            runs.push(Run { number: next, groups: 1, bytes: 64, length: 64 });
            next += 1;
            written += settle(&mut runs, &mut next);
        }
        assert_eq!(runs.len(), 1);
        assert_eq!(written / (1024 * 64), 5, "4^5 of them");
    }

    #[test]
    fn a_run_of_which_less_than_half_stands_is_written_again_with_its_like() {
        let run = |number, bytes| Run { number, groups: 1, bytes, length: bytes };
        let runs = [run(1, 1000), run(2, 500), run(3, 90)];
        let standing = |sizes: [u64; 3]| (1..).zip(sizes).filter(|(_, size)| *size > 0).collect();
        assert_eq!(to_merge(&runs, &standing([500, 250, 45]), 64), None);
        assert_eq!(to_merge(&runs, &standing([499, 500, 0]), 64), Some(vec![1, 3]));
    }
}
