//! Every file to its end, and how far that is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tokio::runtime::Handle;

use super::Failure;
use super::found::{Candidate, Found};
use super::way::Way;
use crate::event::Kind;
use crate::receivers::transcripts::{Batch, Left, Memory, Summary, read, read_export};
use crate::redact::Redactor;

/// How often what was acknowledged is written down, and progress is shown.
const KEEPING: Duration = Duration::from_secs(1);
const SHOWING: Duration = Duration::from_millis(200);

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
            Some(reason) => {
                Err(Failure::Failed(anyhow!("{reason}; what was taken is remembered: run the command again")))
            }
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
pub(super) fn all(found: &Found, memory: &mut Memory, way: &Way, redactor: Option<&Redactor>) -> Carried {
    let began = Instant::now();
    let of_files = found.chosen().map(|candidate| candidate.file.size);
    let total = of_files.chain(found.exports.iter().map(|export| export.size)).sum();
    let mut carrier = Carrier {
        way,
        runtime: Handle::current(),
        carried: Carried::default(),
        progress: Progress::new(total),
        refused: None,
        kept: Instant::now(),
    };
    for candidate in found.chosen() {
        let file = &candidate.file;
        let summary = read(file, &candidate.owner(redactor), memory, &mut |batch| carrier.hand_on(&batch));
        if let Some(summary) = carrier.over(&file.path, file.size, summary, memory) {
            carrier.carried.add(candidate, summary);
        }
        if carrier.carried.stopped.is_some() {
            break;
        }
    }
    let owner = found.owner_of_exports(redactor);
    for file in found.exports.iter().filter(|_| carrier.carried.stopped.is_none()).collect::<Vec<_>>() {
        let summary = read_export(file, &owner, &mut |batch| carrier.hand_on(&batch));
        if let Some(summary) = carrier.over(&file.path, file.size, summary, memory) {
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
    runtime: Handle,
    carried: Carried,
    progress: Progress,
    /// Why the last batch was not taken.
    refused: Option<String>,
    kept: Instant,
}

impl Carrier<'_> {
    fn is_real(&self) -> bool {
        !matches!(self.way, Way::Nowhere)
    }

    fn hand_on(&mut self, batch: &Batch) -> io::Result<()> {
        match self.runtime.block_on(self.way.send(batch)) {
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
        size: u64,
        outcome: io::Result<Summary>,
        memory: &mut Memory,
    ) -> Option<Summary> {
        self.progress.show(size);
        let summary = match outcome {
            Ok(summary) => Some(summary),
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
            memory.note(path, summary.seen.clone());
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

/// A line on a terminal that says how far it is.
struct Progress {
    total: u64,
    done: u64,
    began: Instant,
    shown: Option<Instant>,
    is_seen: bool,
}

impl Progress {
    fn new(total: u64) -> Self {
        Self { total, done: 0, began: Instant::now(), shown: None, is_seen: stderr().is_terminal() }
    }

    fn show(&mut self, bytes: u64) {
        self.done += bytes;
        if !self.is_seen || self.shown.is_some_and(|shown| shown.elapsed() < SHOWING) {
            return;
        }
        self.shown = Some(Instant::now());
        let line = line(self.done, self.total, self.began.elapsed());
        // Nobody is left to be told that the terminal is gone.
        let _ = write!(stderr(), "\r{line:<70}\r");
        let _ = stderr().flush();
    }

    fn end(&self) {
        if self.is_seen {
            let _ = write!(stderr(), "\r{:<70}\r", "");
        }
    }
}

fn line(done: u64, total: u64, took: Duration) -> String {
    const MEGABYTE: u64 = 1_000_000;
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1_000) / milliseconds;
    let left = total.saturating_sub(done).checked_div(rate);
    let of_all = done.saturating_mul(100).checked_div(total).unwrap_or(100);
    let left = left.map(|seconds| format!(", {seconds} s left")).unwrap_or_default();
    format!(
        "{of_all:>3} %  {} of {} MB, {} MB a second{left}",
        done / MEGABYTE,
        total.div_ceil(MEGABYTE),
        rate / MEGABYTE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_the_rate_and_the_time_that_is_left() {
        let of = |done, seconds| line(done, 500_000_000, Duration::from_secs(seconds));
        assert_eq!(of(100_000_000, 2), " 20 %  100 of 500 MB, 50 MB a second, 8 s left");
        assert_eq!(of(0, 0), "  0 %  0 of 500 MB, 0 MB a second");
        assert_eq!(line(0, 0, Duration::ZERO), "100 %  0 of 0 MB, 0 MB a second");
    }
}
