//! Sends every file to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tokio::runtime::Handle;

use super::Failure;
use super::found::{Candidate, Found};
use super::progress::{Progress, Stop};
use super::sink::Way;
use crate::event::Kind;
use crate::receivers::transcripts::{Batch, Left, Memory, Summary, read, read_export};
use crate::redact::Redactor;

/// How often what was acknowledged is written down.
const KEEPING: Duration = Duration::from_secs(1);

/// What was carried.
#[derive(Default)]
pub(super) struct Carried {
    /// By the assistant's title.
    pub(super) of: BTreeMap<&'static str, OfAssistant>,
    /// Lines that could not be read, by file.
    pub(super) left: Vec<(PathBuf, Vec<Left>, u64)>,
    /// Files that could not be read, and why.
    pub(super) unread: Vec<(PathBuf, String)>,
    /// Records that the collector did not take, and why.
    pub(super) rejected: u64,
    pub(super) why: String,
    /// Rows of exports.
    pub(super) rows: u64,
    pub(super) exports: u64,
    pub(super) bytes: u64,
    pub(super) took: Duration,
    /// Why it did not come to its end.
    pub(super) stopped: Option<String>,
}

/// What was carried of one assistant.
#[derive(Default)]
pub(super) struct OfAssistant {
    pub(super) files: u64,
    pub(super) sessions: BTreeSet<String>,
    pub(super) facts: BTreeMap<Kind, u64>,
    pub(super) copies: u64,
}

impl Carried {
    pub(super) fn failure(&self) -> Result<(), Failure> {
        match &self.stopped {
            Some(reason) => Err(Failure::Failed(anyhow!(
                "{reason}; what was taken is stored and remembered, and the same command goes on from there"
            ))),
            None => Ok(()),
        }
    }

    pub(super) fn facts(&self) -> u64 {
        self.of.values().flat_map(|of| of.facts.values()).sum()
    }

    pub(super) fn sessions(&self) -> usize {
        self.of.values().map(|of| of.sessions.len()).sum()
    }

    fn add(&mut self, candidate: &Candidate, summary: Summary) {
        let of = self.of.entry(candidate.file.assistant.title).or_default();
        of.files += 1;
        of.sessions.extend(summary.sessions.iter().cloned());
        of.copies += summary.copies;
        for (kind, count) in &summary.facts {
            *of.facts.entry(*kind).or_default() += count;
        }
        self.leave(&candidate.file.path, summary);
    }

    fn leave(&mut self, path: &Path, summary: Summary) {
        if summary.left_count > 0 {
            self.left.push((path.to_owned(), summary.left, summary.left_count));
        }
        self.bytes += summary.bytes;
    }
}

/// Reads all files that were chosen and hands on what they hold. To be called where blocking is allowed.
pub(super) fn all(
    found: &Found,
    memory: &mut Memory,
    way: &Way,
    redactor: Option<&Redactor>,
    stop: &Stop,
) -> Carried {
    let began = Instant::now();
    let of_files = found.chosen().map(|candidate| candidate.file.size);
    let sizes: Vec<u64> = of_files.chain(found.exports.iter().map(|export| export.size)).collect();
    let mut carrier = Carrier {
        way,
        stop,
        runtime: Handle::current(),
        carried: Carried::default(),
        progress: Progress::new(sizes.iter().sum()),
        done: 0,
        files: sizes.len(),
        refused: None,
        kept: Instant::now(),
    };
    for candidate in found.chosen() {
        let file = &candidate.file;
        let summary = read(file, &candidate.owner(redactor), memory, &mut |batch| carrier.hand_on(&batch));
        if let Some(summary) = carrier.over(&file.path, &file.key(), file.size, summary, memory) {
            carrier.carried.add(candidate, summary);
        }
        if carrier.carried.stopped.is_some() {
            break;
        }
    }
    let owner = found.owner_of_exports(redactor);
    for file in found.exports.iter().filter(|_| carrier.carried.stopped.is_none()).collect::<Vec<_>>() {
        let summary = read_export(file, &owner, &mut |batch| carrier.hand_on(&batch));
        if let Some(summary) = carrier.over(&file.path, &file.path, file.size, summary, memory) {
            carrier.carried.rows += summary.rows;
            carrier.carried.exports += 1;
            carrier.carried.leave(&file.path, summary);
        }
        if carrier.carried.stopped.is_some() {
            break;
        }
    }
    carrier.progress.end();
    if carrier.is_real() {
        keep(memory);
    }
    carrier.carried.took = began.elapsed();
    carrier.carried
}

/// What is the same for every file.
struct Carrier<'w> {
    way: &'w Way,
    stop: &'w Stop,
    runtime: Handle,
    carried: Carried,
    progress: Progress,
    /// Files that are over, and how many there are.
    done: usize,
    files: usize,
    /// Why the last batch was not taken.
    refused: Option<String>,
    kept: Instant,
}

impl Carrier<'_> {
    fn is_real(&self) -> bool {
        !matches!(self.way, Way::Nowhere)
    }

    fn hand_on(&mut self, batch: &Batch) -> io::Result<()> {
        let sent = self.runtime.block_on(async {
            tokio::select! {
                biased;
                signal = self.stop.stopped() => Err(anyhow!("{signal} stopped it after {} of {} files", self.done, self.files)),
                answer = self.way.send(batch) => answer,
            }
        });
        match sent {
            Ok(answer) => {
                self.carried.rejected += answer.rejected;
                if self.carried.why.is_empty() {
                    self.carried.why = answer.why;
                }
                self.progress.show(0);
                Ok(())
            }
            Err(error) => {
                self.refused = Some(format!("{error:#}"));
                Err(io::Error::other("it was not taken"))
            }
        }
    }

    /// A file is over: it is remembered if all of it was taken.
    fn over(
        &mut self,
        path: &Path,
        key: &Path,
        size: u64,
        outcome: io::Result<Summary>,
        memory: &mut Memory,
    ) -> Option<Summary> {
        self.progress.show(size);
        let summary = match outcome {
            Ok(summary) => {
                self.done += 1;
                Some(summary)
            }
            Err(_) if self.refused.is_some() => {
                self.carried.stopped = self.refused.take();
                None
            }
            Err(error) => {
                self.carried.unread.push((path.to_owned(), error.to_string()));
                None
            }
        };
        if let Some(summary) = summary.as_ref().filter(|_| self.is_real()) {
            memory.note(key, summary.seen.clone());
            if self.kept.elapsed() > KEEPING {
                keep(memory);
                self.kept = Instant::now();
            }
        }
        summary
    }
}

/// What cannot be remembered is imported once more, and counts once all the same.
fn keep(memory: &mut Memory) {
    if let Err(error) = memory.keep() {
        crate::cli::reader::warn(&format!("what was imported cannot be remembered: {error}"));
    }
}
