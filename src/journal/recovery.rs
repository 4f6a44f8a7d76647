//! Opening: from the files of a folder to a state that can go on.
//!
//! The process always starts: what cannot be read is set aside, counted and logged, and never stands in
//! the way of what can. Only a folder in use, a format of a later version and a disk that fails refuse.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::document::{self, Document};
use super::plan::{self, Plan};
use super::record::{Found, Scan};
use super::segment::{self, Header, HeaderError, SEGMENT_HEADER, Segment};
use super::state::{CURSOR_FILE, CURSOR_FORMAT, Cursor, Folder, Health, State, keep_damage};
use super::{Disk, OpenError};

/// The sequence of a journal's first record.
const FIRST_SEQUENCE: u64 = 1;

/// What the files of a folder came to.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) id: Uuid,
    pub(super) state: State,
    /// The sequence of the next record.
    pub(super) next: u64,
}

/// Recovers the journal in `folder`, which the caller has locked.
pub(super) fn recover(folder: &Folder) -> Result<Recovered, OpenError> {
    let io = |error| OpenError::io(&folder.path, error);
    remove_temporary_files(folder).map_err(io)?;
    let cursor: Option<Cursor> = read_document(folder, CURSOR_FILE, CURSOR_FORMAT)?;
    let plan: Option<Plan> = read_document(folder, plan::FILE, plan::FORMAT)?;

    let mut recovery = Recovery { folder, health: Health::default(), next: FIRST_SEQUENCE };
    let headers = recovery.read_headers(cursor.as_ref().map(|cursor| cursor.journal_id))?;
    let id = match (&cursor, headers.last_key_value()) {
        (Some(cursor), _) => cursor.journal_id,
        (None, Some((_, header))) => header.journal_id,
        (None, None) => Uuid::new_v4(),
    };
    let segments = recovery.read_segments(&headers).map_err(io)?;

    let oldest = segments.keys().next().copied();
    let next = cursor.as_ref().map_or_else(|| oldest.unwrap_or(recovery.next), |cursor| cursor.next);
    let stale = plan.as_ref().filter(|plan| plan.last < next);
    if stale.is_some() {
        folder.disk.remove(&folder.path.join(plan::FILE)).map_err(io)?;
    }
    let after_plan = plan.map_or(0, |plan| plan.last.saturating_add(1));
    let end = recovery.next.max(next).max(after_plan);
    if cursor.is_none() {
        let cursor = Cursor { journal_id: id, next };
        document::replace(&*folder.disk, &folder.path, CURSOR_FILE, CURSOR_FORMAT, &cursor).map_err(io)?;
    }
    folder.disk.sync_folder(&folder.path).map_err(io)?;
    let state = State { segments, active: None, cursor: next, health: recovery.health };
    Ok(Recovered { id, state, next: end })
}

fn remove_temporary_files(folder: &Folder) -> io::Result<()> {
    for name in folder.disk.list(&folder.path)? {
        if name.ends_with(".tmp") {
            folder.disk.remove(&folder.path.join(name))?;
        }
    }
    Ok(())
}

/// Reads a document; a damaged one goes to the quarantine.
fn read_document<T: serde::de::DeserializeOwned>(
    folder: &Folder,
    name: &str,
    format: u32,
) -> Result<Option<T>, OpenError> {
    let path = folder.path.join(name);
    let read = document::read(&*folder.disk, &folder.path, name, format);
    match read.map_err(|error| OpenError::io(&path, error))? {
        Document::Whole(content) => Ok(Some(content)),
        Document::Absent => Ok(None),
        Document::Newer(found) => Err(OpenError::NewerFormat { path, found, supported: format }),
        Document::Damaged => {
            tracing::error!(path = %path.display(), "a file of the journal is damaged and was set aside; some records may reach the table a second time");
            folder.quarantine_file(name).map_err(|error| OpenError::io(&path, error))?;
            Ok(None)
        }
    }
}

struct Recovery<'a> {
    folder: &'a Folder,
    health: Health,
    next: u64,
}

impl Recovery<'_> {
    fn disk(&self) -> &Arc<dyn Disk> {
        &self.folder.disk
    }

    /// The headers by first sequence. Files that are no segment of this journal go to the quarantine.
    fn read_headers(&mut self, journal_id: Option<Uuid>) -> Result<BTreeMap<u64, Header>, OpenError> {
        let folder = self.folder;
        let names = self.disk().list(&folder.path).map_err(|error| OpenError::io(&folder.path, error))?;
        let mut headers = BTreeMap::new();
        for name in names {
            let Some(first) = segment::first_of(&name) else { continue };
            let path = folder.path.join(&name);
            let io = |error| OpenError::io(&path, error);
            let bytes = self.disk().read_at(&path, 0, SEGMENT_HEADER).map_err(io)?;
            let reason = match Header::parse(&bytes) {
                Err(HeaderError::Newer(found)) => {
                    return Err(OpenError::NewerFormat { path, found, supported: segment::FORMAT });
                }
                Err(HeaderError::Damaged) => "its header is damaged",
                Ok(header) if header.first != first => "its name does not fit its header",
                Ok(header) if journal_id.is_some_and(|id| id != header.journal_id) => {
                    "it belongs to another journal"
                }
                Ok(header) => {
                    headers.insert(first, header);
                    continue;
                }
            };
            tracing::error!(path = %path.display(), reason, "a journal segment was set aside");
            folder.quarantine_file(&name).map_err(io)?;
            self.health.quarantined += 1;
            self.next = self.next.max(first);
        }
        Ok(headers)
    }

    fn read_segments(&mut self, headers: &BTreeMap<u64, Header>) -> io::Result<BTreeMap<u64, Segment>> {
        let ends = headers.keys().skip(1).map(|first| Some(*first)).chain([None]);
        let mut segments = BTreeMap::new();
        for (header, end) in headers.values().zip(ends) {
            let segment = self.read_segment(*header, end)?;
            self.next = self.next.max(segment.next);
            segments.insert(header.first, segment);
        }
        Ok(segments)
    }

    /// Scans a segment. `end` is the first sequence of the one after it: what stands here at or beyond it
    /// was left by a failed sync and never acknowledged.
    fn read_segment(&mut self, header: Header, end: Option<u64>) -> io::Result<Segment> {
        let path = segment::path(&self.folder.path, header.first);
        let bytes = Bytes::from(self.disk().read_at(&path, 0, u64::MAX)?);
        let records = bytes.slice(bytes.len().min(SEGMENT_HEADER as usize)..);
        let mut segment = Segment::new(header);
        let mut kept = true;
        let mut tail = None;
        let mut scan = Scan::new(&records, header.salt, header.first, end.unwrap_or(u64::MAX));
        for found in scan.by_ref() {
            let damaged = match found {
                Found::Record { offset, sequence, payload } => {
                    segment.note(sequence, SEGMENT_HEADER + offset as u64);
                    segment.length = SEGMENT_HEADER + payload.end as u64;
                    continue;
                }
                Found::Incomplete { offset } if end.is_none() => {
                    tail = Some(records.len() - offset);
                    break;
                }
                Found::Incomplete { offset } => offset..records.len(),
                Found::Damaged(range) => range,
            };
            let offset = SEGMENT_HEADER + damaged.start as u64;
            kept &= keep_damage(self.folder, header.first, offset, &records.slice(damaged));
            segment.damage.insert(offset);
            self.health.quarantined += 1;
        }
        segment.next = scan.next_sequence();
        segment.size = bytes.len() as u64;
        if let Some(torn) = tail {
            self.health.torn_bytes += torn as u64;
            tracing::warn!(path = %path.display(), bytes = torn, "the torn end of the journal was cut");
        }
        if end.is_none() && kept {
            // Also makes durable what a killed process had written and not synced.
            self.disk().truncate(&path, segment.length)?;
            segment.size = segment.length;
        }
        Ok(segment)
    }
}
