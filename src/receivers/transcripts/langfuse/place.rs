//! How far the import of a project has come, on the disk.
//!
//! ```text
//! <memory of imports>/langfuse-<16 hex digits>.json    0600; one for each server and public key
//! ```
//!
//! It holds times, a cursor and counts: no key, and nothing of a session.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::disk::{Disk, FileSystem, write_durably};
use crate::event::{Timestamp, sha256_hex};

const VERSION: u32 = 1;
/// How far back each request reaches, for observations that begin long before they are sent.
const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
/// A round that ended before was over so long ago at most that nothing is worth another one.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// Why a place cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct PlaceError {
    path: PathBuf,
    source: io::Error,
}

/// Where the next page of a list begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Next {
    First,
    Cursor(String),
    Page(u64),
}

/// All that began from one time to another. Times are in microseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Round {
    pub(super) from: i64,
    pub(super) to: i64,
    /// The server has the older lists alone.
    pub(super) is_older: bool,
    /// The list that it is at.
    pub(super) stage: usize,
    pub(super) next: Next,
    /// Rows of a page.
    pub(super) limit: u32,
    /// The earliest beginning of what was read of this list.
    pub(super) oldest: i64,
    /// Rows that were read.
    pub(super) rows: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Document {
    version: u32,
    /// Of which server and project, for people.
    of: String,
    /// From when to when everything was read.
    covered: Option<(i64, i64)>,
    round: Option<Round>,
}

/// How far it is.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    document: Document,
    /// A round that another process began.
    pub(super) is_resumed: bool,
}

impl Place {
    /// The place of `of`, kept in `folder`.
    pub(super) fn open(folder: &Path, of: &str) -> Result<Self, PlaceError> {
        let path = folder.join(format!("langfuse-{}.json", sha256_hex(of, 8)));
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(PlaceError { path, source }),
            Ok(bytes) => bytes,
        };
        // A damaged document, or one of a later version, is dropped: rows that are read twice count once.
        let document: Document = serde_json::from_slice(&bytes).unwrap_or_default();
        let document = if document.version == VERSION { document } else { Document::default() };
        let document = Document { version: VERSION, of: of.to_owned(), ..document };
        let is_resumed = document.round.is_some();
        Ok(Self { path, document, is_resumed })
    }

    /// The round that is under way.
    pub(super) fn round(&self) -> Option<&Round> {
        self.document.round.as_ref()
    }

    pub(super) fn round_mut(&mut self) -> Option<&mut Round> {
        self.document.round.as_mut()
    }

    /// Begins a round, or goes on with the one that was begun, where it reaches back to `since`. False: nothing is left
    /// to be asked for.
    pub(super) fn begin(&mut self, since: Timestamp, now: Timestamp) -> bool {
        let (since, to) = (since.as_micros(), now.as_micros());
        let slack = i64::try_from(OVERLAP.as_micros()).unwrap_or(i64::MAX);
        if self.document.round.as_ref().is_some_and(|round| round.from <= since.saturating_add(slack)) {
            return true;
        }
        self.is_resumed = false;
        let from = match self.document.covered {
            Some((from, until)) if from <= since.saturating_add(slack) => {
                since.max(until.saturating_sub(slack))
            }
            _ => since,
        };
        let (next, limit) = (Next::First, FIRST_LIMIT);
        self.document.round =
            Some(Round { from, to, is_older: false, stage: 0, next, limit, oldest: to, rows: 0 });
        from < to
    }

    /// The round is over. True: so much has happened since it began that another one is worth it.
    pub(super) fn end(&mut self, now: Timestamp) -> bool {
        let Some(Round { from, to, .. }) = self.document.round.take() else { return false };
        let from = match self.document.covered {
            Some((before, until)) if until >= from => before.min(from),
            _ => from,
        };
        self.document.covered = Some((from, to));
        now.since(Timestamp::from_micros(to)) > FRESH
    }

    /// Writes it down.
    pub(super) fn keep(&self) -> Result<(), PlaceError> {
        let error = |source| PlaceError { path: self.path.clone(), source };
        let folder = self.path.parent().unwrap_or(Path::new("."));
        crate::receivers::transcripts::memory::create(folder).map_err(error)?;
        let text = serde_json::to_vec(&self.document).map_err(io::Error::other).map_err(error)?;
        let temporary = self.path.with_extension("new");
        write_durably(&FileSystem, &temporary, &text).map_err(error)?;
        FileSystem.rename(&temporary, &self.path).map_err(error)
    }
}

/// What a page holds at first. Observations have whole prompts in them, and Langfuse Cloud's answers end at 5 MB.
pub(super) const FIRST_LIMIT: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u64) -> Timestamp {
        Timestamp::EPOCH.saturating_add(Duration::from_secs(day * 24 * 60 * 60))
    }

    #[test]
    fn a_round_goes_on_where_it_was_and_the_next_one_begins_a_day_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Place::open(folder.path(), "https://l pk").unwrap();
        assert!(place.begin(day(10), day(100)) && !place.is_resumed);
        let round = place.round_mut().unwrap();
        (round.next, round.rows) = (Next::Cursor("abc".to_owned()), 500);
        place.keep().unwrap();
        let mut place = Place::open(folder.path(), "https://l pk").unwrap();
        assert!(place.begin(day(11), day(101)) && place.is_resumed);
        assert_eq!(place.round().unwrap().next, Next::Cursor("abc".to_owned()));
        assert_eq!(place.round().unwrap().to, day(100).as_micros());
        assert!(place.end(day(101)), "a day has gone by");
        assert!(place.begin(day(11), day(101)) && !place.is_resumed);
        assert_eq!(place.round().unwrap().from, day(99).as_micros());
        assert!(!place.end(day(101)));
        // Further back than what was read: from there.
        assert!(place.begin(day(3), day(102)));
        assert_eq!(place.round().unwrap().from, day(3).as_micros());
        let other = Place::open(folder.path(), "https://l another").unwrap();
        assert_eq!(other.round(), None);
    }

    #[test]
    fn a_round_that_began_later_than_what_is_asked_for_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Place::open(folder.path(), "l").unwrap();
        place.begin(day(50), day(100));
        place.round_mut().unwrap().next = Next::Page(7);
        assert!(place.begin(day(10), day(101)));
        let round = place.round().unwrap();
        assert_eq!((round.from, &round.next), (day(10).as_micros(), &Next::First));
    }
}
