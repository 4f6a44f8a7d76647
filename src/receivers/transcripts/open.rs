//! What is asked of a file before it is read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use serde_json::Value;

use super::lines::Found;
use super::memory::Seen;
use super::places::TranscriptFile;
use super::source::Source;
use crate::dialects::transcripts::{Form, Told};
use crate::event::Timestamp;

/// Values that are looked at to learn where a session takes place.
const GLANCED_AT: usize = 60;
/// Bytes from the beginning of a file, and from before a place in it, that tell whether it is as it was.
const COMPARED: u64 = 1024;
/// Where a line was copied from by a fork, as Claude Code and Qwen Code say it. It keeps the time of then.
const COPIED_FROM: &str = "forkedFrom";

/// What a glance at a file tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Glance {
    /// The working directory, `""` if it was not said so far.
    pub cwd: String,
    /// The repository's URL, where the file says it.
    pub repository: String,
    /// The first time that stands in the file; unset of one that says that it is a copy: it came after.
    pub begun: Timestamp,
    /// It holds something that a session has.
    pub has_session: bool,
    /// The first line, or row, that cannot be read, and why.
    pub broken: Option<(u64, &'static str)>,
}

/// Looks at the beginning of a file.
pub fn glance(file: &TranscriptFile) -> io::Result<Glance> {
    let mut values = Source::open(file)?;
    let mut reader = file.assistant.reader(file.place());
    let mut told: Vec<Told> = Vec::new();
    let mut glance = Glance::default();
    let mut is_fork = false;
    for _ in 0..GLANCED_AT {
        let Some(piece) = values.next_piece()? else { break };
        let value = match piece.found {
            Found::Value(value, _) => value,
            Found::Broken(why) => {
                glance.broken.get_or_insert((piece.line, why));
                continue;
            }
            Found::Unfinished => {
                glance.broken.get_or_insert((piece.line, "it is not finished"));
                continue;
            }
        };
        is_fork |= value.get(COPIED_FROM).is_some_and(Value::is_object);
        if glance.begun.is_unset() {
            glance.begun = begun(&value);
        }
        reader.read(value, &mut told);
        let is_known = !reader.folder().is_empty() && told.len() > 1;
        if is_known && file.form != Form::Whole {
            break;
        }
    }
    // Some tell nothing before their end.
    if told.is_empty() {
        reader.end(&mut told);
    }
    reader.folder().clone_into(&mut glance.cwd);
    reader.repository().clone_into(&mut glance.repository);
    if glance.begun.is_unset() {
        let times = told.iter().flat_map(|told| &told.events).map(|event| event.timestamp);
        glance.begun = times.into_iter().find(|time| !time.is_unset()).unwrap_or_default();
    }
    if is_fork {
        glance.begun = Timestamp::default();
    }
    glance.has_session = !told.is_empty();
    Ok(glance)
}

fn begun(value: &Value) -> Timestamp {
    let at = ["timestamp", "startTime"].iter().find_map(|name| value.get(*name)?.as_str());
    at.and_then(Timestamp::parse_rfc3339).unwrap_or_default()
}

/// What to remember of a file that was read up to `end`. Of one that is compressed its size and time alone tell.
pub(super) fn seen(file: &TranscriptFile, end: u64) -> io::Result<Seen> {
    let (head, tail) = if can_grow(file) { checksums(file, end)? } else { (0, 0) };
    Ok(Seen { size: file.extent(), modified: file.modified.as_micros(), end, head, tail })
}

/// Whether a file is what it was when it was read, with something behind it at most; then the place up to which
/// it is known. Rows of a database tell themselves whether they are new.
pub(super) fn known_up_to(file: &TranscriptFile, seen: &Seen) -> Option<u64> {
    if matches!(file.form, Form::Rows | Form::Tree) {
        return Some(seen.end);
    }
    let has_grown = can_grow(file) && seen.end <= file.size;
    let is_same = has_grown && checksums(file, seen.end).is_ok_and(|sums| sums == (seen.head, seen.tail));
    is_same.then_some(seen.end)
}

fn can_grow(file: &TranscriptFile) -> bool {
    file.form == Form::Lines && !file.is_compressed
}

fn checksums(file: &TranscriptFile, end: u64) -> io::Result<(u32, u32)> {
    let mut opened = File::open(&file.path)?;
    let length = COMPARED.min(end);
    let mut sum = |from: u64| -> io::Result<u32> {
        opened.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        (&mut opened).take(length).read_to_end(&mut bytes)?;
        Ok(crc32c::crc32c(&bytes))
    };
    Ok((sum(0)?, sum(end - length)?))
}
