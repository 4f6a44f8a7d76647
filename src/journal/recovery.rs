//! Opening: from the files of a folder to a state that works.
//!
//! The process starts whatever a disk has damaged: unreadable files are set aside, counted and logged, and never block
//! readable ones. Opening fails only if the folder is in use, has a later format, or cannot be listed, or if a file of
//! it cannot be opened, as one of another user: its records are whole, and setting it aside would lose them.
//!
//! It reads only the headers of all segments but the last: each ends where the next one begins, and readers check its
//! records. So opening takes as long as reading one segment, however large the journal is.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::Path;

use uuid::Uuid;

use super::OpenError;
use super::document::{self, Document};
use super::plan::{self, Plan};
use super::record::RECORD_HEADER;
use super::scan::{Extent, Found, Scan};
use super::segment::{self, Header, HeaderError, SEGMENT_HEADER, Segment};
use super::state::{CURSOR_FILE, CURSOR_FORMAT, Cursor, Folder, Health, Spare, State};
use crate::disk::{is_of_opening, read_salvaging};

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
    let names = folder.disk.list(&folder.path).map_err(|error| OpenError::io(&folder.path, error))?;
    let mut recovery = Recovery { folder, health: Health::default(), next: FIRST_SEQUENCE };
    // The process that wrote these names may have been killed before they were durable. Make them durable
    // before anything builds on them: a cursor that a power loss sets back would export records that are
    // gone.
    recovery.try_to("the folder", folder.disk.sync_folder(&folder.path));
    let cursor: Option<Cursor> = recovery.read_document(CURSOR_FILE, CURSOR_FORMAT)?;
    let plan: Option<Plan> = recovery.read_document(plan::FILE, plan::FORMAT)?;
    let headers = recovery.read_headers(&names, cursor.as_ref().map(|cursor| cursor.journal_id))?;
    let id = match (&cursor, headers.last_key_value()) {
        (Some(cursor), _) => cursor.journal_id,
        (None, Some((_, header))) => header.journal_id,
        (None, None) => Uuid::new_v4(),
    };
    let segments = recovery.read_segments(&headers);
    recovery.remove_temporary_files(&names);
    let spares = recovery.spares(&names);

    let oldest = segments.keys().next().copied();
    let next = match (&cursor, &plan) {
        (Some(cursor), _) => cursor.next,
        // A batch is planned from the cursor on.
        (None, Some(plan)) => plan.first,
        (None, None) => oldest.unwrap_or(recovery.next),
    };
    let after_plan = plan.as_ref().map_or(0, |plan| plan.last.saturating_add(1));
    let end = recovery.next.max(next).max(after_plan);
    if plan.is_some_and(|plan| plan.last < next) {
        recovery.try_to(plan::FILE, folder.disk.remove(&folder.path.join(plan::FILE)));
    }
    if cursor.is_none() {
        let cursor = Cursor { journal_id: id, next };
        let written = document::replace(&*folder.disk, &folder.path, CURSOR_FILE, CURSOR_FORMAT, &cursor);
        recovery.try_to(CURSOR_FILE, written);
    }
    let health = recovery.health;
    Ok(Recovered {
        id,
        state: State { segments, active: None, spares, gone: Vec::new(), cursor: next, lacking: 0, health },
        next: end,
    })
}

struct Recovery<'a> {
    folder: &'a Folder,
    health: Health,
    next: u64,
}

impl Recovery<'_> {
    /// Reads a document; a damaged one goes to the quarantine.
    fn read_document<T: serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
        format: u32,
    ) -> Result<Option<T>, OpenError> {
        let path = self.folder.path.join(name);
        match document::read(&*self.folder.disk, &self.folder.path, name, format) {
            Ok(Document::Whole(content)) => return Ok(Some(content)),
            Ok(Document::Absent) => return Ok(None),
            Ok(Document::Newer(found)) => {
                return Err(OpenError::NewerFormat { path, found, supported: format });
            }
            Ok(Document::Damaged) => {
                tracing::error!(path = %path.display(), "a file of the journal is damaged and was set aside");
            }
            Err(error) if is_of_opening(&error) => return Err(OpenError::io(&path, error)),
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "a file of the journal cannot be read and was set aside");
            }
        }
        self.health.quarantined += 1;
        self.try_to(name, self.folder.quarantine_file(name));
        Ok(None)
    }

    /// The headers by first sequence. Files that are no segment of this journal go to the quarantine.
    fn read_headers(
        &mut self,
        names: &[String],
        journal_id: Option<Uuid>,
    ) -> Result<BTreeMap<u64, Header>, OpenError> {
        let mut headers = BTreeMap::new();
        for name in names {
            let Some(first) = segment::first_of(name) else { continue };
            let path = self.folder.path.join(name);
            let bytes = read_salvaging(&*self.folder.disk, &path, 0, SEGMENT_HEADER);
            let reason = match bytes.map(|(bytes, _)| Header::parse(&bytes)) {
                Ok(Err(HeaderError::Newer(found))) => {
                    return Err(OpenError::NewerFormat { path, found, supported: segment::FORMAT });
                }
                Ok(Err(HeaderError::Damaged)) => "its header is damaged".to_owned(),
                Ok(Ok(header)) if header.first != first => "its name does not fit its header".to_owned(),
                Ok(Ok(header)) if journal_id.is_some_and(|id| id != header.journal_id) => {
                    "it belongs to another journal".to_owned()
                }
                Ok(Ok(header)) => {
                    headers.insert(first, header);
                    continue;
                }
                // Somebody removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) if is_of_opening(&error) => return Err(OpenError::io(&path, error)),
                Err(error) => error.to_string(),
            };
            tracing::error!(path = %path.display(), reason, "a journal segment was set aside");
            self.health.quarantined += 1;
            let free = self.first_unused(first, &path);
            let moved = self.folder.quarantine_file(name);
            // A segment of that name would replace a file that stayed: then no number that it may hold is used anew.
            self.next = self.next.max(if moved.is_ok() { first } else { free });
            self.try_to(name, moved);
        }
        Ok(headers)
    }

    /// The first sequence that no record of an unread segment can have.
    fn first_unused(&self, first: u64, path: &Path) -> u64 {
        let records = self.folder.disk.size(path).unwrap_or_default() / RECORD_HEADER as u64;
        first.saturating_add(records).saturating_add(1)
    }

    fn read_segments(&mut self, headers: &BTreeMap<u64, Header>) -> BTreeMap<u64, Segment> {
        let ends = headers.keys().skip(1).map(|first| Some(*first)).chain([None]);
        let mut segments = BTreeMap::new();
        for (header, end) in headers.values().zip(ends) {
            let path = segment::path(&self.folder.path, header.first);
            let size = self.folder.disk.size(&path).unwrap_or(SEGMENT_HEADER);
            let mut segment = Segment::new(*header, size);
            match end {
                Some(end) => {
                    segment.next = end;
                    segment.length = size;
                }
                None => self.scan_last(&mut segment),
            }
            self.next = self.next.max(segment.next);
            segments.insert(header.first, segment);
        }
        segments
    }

    /// Finds the end of the last segment and cuts what is behind it.
    fn scan_last(&mut self, segment: &mut Segment) {
        let first = segment.header.first;
        let extent = Extent {
            path: segment::path(&self.folder.path, first),
            salt: segment.header.salt,
            bytes: SEGMENT_HEADER..segment.size,
            sequences: first..u64::MAX,
        };
        let mut scan = Scan::new(&self.folder.disk, extent.clone(), true);
        let mut kept = true;
        loop {
            match scan.next() {
                Ok(Some(Found::Record { offset, record })) => {
                    segment.note(record.sequence, offset);
                    segment.next = record.sequence + 1;
                    segment.length = offset + record.size();
                }
                Ok(Some(Found::Damaged(range))) => {
                    let offset = range.start;
                    if self.folder.keep_damage(&extent.path, first, range).is_ok() {
                        segment.damage.insert(offset);
                        self.health.quarantined += 1;
                    }
                }
                Ok(Some(Found::Torn(range))) => kept &= self.keep_torn(&extent, first, range),
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(path = %extent.path.display(), %error, "a journal segment cannot be read to its end");
                    kept = false;
                    break;
                }
            }
        }
        segment.keep = !kept || scan.unreadable();
        if scan.unreadable() {
            // It may be readable again later: the numbers that it may hold are not given anew.
            segment.next += (segment.size - segment.length) / RECORD_HEADER as u64 + 1;
            segment.length = segment.size;
        } else if kept {
            self.cut(segment, &extent);
        }
    }

    fn keep_torn(&mut self, extent: &Extent, first: u64, range: Range<u64>) -> bool {
        let bytes = range.end - range.start;
        self.health.torn_bytes += bytes;
        tracing::warn!(
            path = %extent.path.display(), bytes,
            "the journal ends in bytes that are no record: a write that was never answered, or damage"
        );
        self.folder.keep_damage(&extent.path, first, range).is_ok()
    }

    /// Cuts the bytes after the last record. Also syncs what a killed process wrote and did not sync: a reader may have
    /// seen it, so it must not vanish.
    fn cut(&mut self, segment: &mut Segment, extent: &Extent) {
        let cut = self.folder.disk.open(&extent.path).and_then(|mut file| {
            file.cut(segment.length)?;
            file.sync()
        });
        match cut {
            Ok(()) => segment.size = segment.length,
            Err(error) => {
                segment.failed = true;
                tracing::warn!(path = %extent.path.display(), %error, "the end of the journal cannot be cut");
            }
        }
    }

    fn remove_temporary_files(&self, names: &[String]) {
        for name in names.iter().filter(|name| name.ends_with(".tmp")) {
            self.try_to(name, self.folder.disk.remove(&self.folder.path.join(name)));
        }
    }

    fn spares(&self, names: &[String]) -> Vec<Spare> {
        let paths =
            names.iter().filter(|name| segment::is_spare(name)).map(|name| self.folder.path.join(name));
        paths.filter_map(|path| Some(Spare { size: self.folder.disk.size(&path).ok()?, path })).collect()
    }

    /// A failure here does not stop the start: it is logged, and tried again at the next opening.
    fn try_to(&self, name: &str, result: io::Result<()>) {
        if let Err(error) = result {
            tracing::warn!(path = %self.folder.path.join(name).display(), %error, "a file of the journal cannot be replaced or removed");
        }
    }
}
