//! Loads the files of digests at the start: the log, and the indexes of the runs below it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::byte_range::Span;
use super::entries::{Entries, Entry, LOG, Made, Run};
use super::index::{At, Index, NewGroup};
use super::runs;
use super::{Kept, State};

/// What was found.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) kept: Kept,
    /// The bytes of the log up to the last whole state, and of what begins it.
    pub(super) log: Option<(u64, u64)>,
    pub(super) runs: Vec<Run>,
    /// The runs whose index is missing or damaged.
    pub(super) unindexed: Vec<Run>,
}

/// The content of a log. `None` if there is none, if another version of the program wrote it, or if a run is damaged.
pub(super) fn load(path: &Path, made: &Made) -> Option<Loaded> {
    let mut entries = Entries::open(path, LOG)?;
    let first = entries.next()?;
    let made_it = matches!(&first.0, Entry::Made(by) if by == made);
    made_it.then_some(())?;
    let mut log = Log { header: u64::from(first.1.length), ..Log::default() };
    while let Some((entry, span)) = entries.next() {
        if !log.take(entry, span) {
            break;
        }
    }
    log.loaded(path, made, entries)
}

/// A log as it is read.
#[derive(Default)]
struct Log {
    groups: Index,
    /// Of what follows the last state.
    gone: Vec<u64>,
    coming: Option<(Vec<Run>, Vec<u64>)>,
    header: u64,
    whole: Whole,
}

/// What a log was at the end of the last whole state.
#[derive(Default)]
struct Whole {
    kept: Kept,
    end: Option<u64>,
    runs: Vec<Run>,
    /// The groups that no longer stand, wherever they lie.
    dead: BTreeSet<u64>,
    /// How many groups of the log belong to it.
    groups: usize,
}

impl Log {
    /// Takes the next entry; says whether it belongs there.
    fn take(&mut self, entry: Entry<'static>, span: Span) -> bool {
        match entry {
            Entry::Group(number, group) => self.groups.add(NewGroup::of(number, &group, At::File(span))),
            Entry::Gone(numbers) => self.gone.extend(numbers),
            Entry::Runs(runs, dead) => self.coming = Some((runs, dead)),
            Entry::Seen(cursor, erasures) => {
                self.whole.kept.state = State { cursor, erasures };
                self.header += u64::from(span.length);
                self.is_state(span);
            }
            Entry::More(files, erasures) => {
                self.whole.kept.state.cursor.advance(files);
                erasures.carry_out(&mut self.whole.kept.state.erasures);
                self.is_state(span);
            }
            Entry::Made(_) | Entry::Places(_) | Entry::Indexed(_) | Entry::End(..) => return false,
        }
        true
    }

    fn is_state(&mut self, span: Span) {
        let state = &mut self.whole;
        if let Some((runs, dead)) = self.coming.take() {
            state.runs = runs;
            state.dead.extend(dead);
        }
        state.dead.extend(self.gone.drain(..));
        state.groups = self.groups.len();
        state.end = Some(span.end());
    }

    fn loaded(self, path: &Path, made: &Made, entries: Entries) -> Option<Loaded> {
        let Self { groups: mut index, whole, header, .. } = self;
        let Whole { mut kept, end, runs, dead, groups } = whole;
        let Some(end) = end else { return Some(Loaded::default()) };
        index.truncate(groups);
        kept.dead.insert(LOG, index.take_out(&dead));
        let mut unindexed = Vec::new();
        for run in &runs {
            let read = runs::load(path, run, made, &dead, &mut index)?;
            kept.dead.insert(run.number, read.dead);
            if !read.has_index {
                unindexed.push(run.clone());
            }
            let [run_path, _] = runs::paths(path, run.number);
            kept.files.insert(run.number, Arc::new(File::open(run_path).ok()?));
        }
        // A number that was given is given to nobody else.
        index.next = index.next.max(dead.last().map_or(0, |last| last + 1));
        kept.index = index.in_order();
        kept.files.insert(LOG, Arc::new(entries.file()));
        Some(Loaded { kept, log: Some((end, header)), runs, unindexed })
    }
}
