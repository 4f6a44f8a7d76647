//! A file that may be an export: what it holds, how it is packed, and its bytes.
//!
//! Names and first bytes tell, in that order: `.json`, `.jsonl`, `.ndjson`, `.csv` or `.parquet`, with `.zst`,
//! `.zstd` or `.gz` behind it or not. A compressed file is unpacked even if its name does not say so.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zstd::stream::read::Decoder;

use crate::dialects::transcripts::Form;
use crate::event::Timestamp;
use crate::receivers::transcripts::lines::{Found, Values};
use crate::receivers::transcripts::modified::modified;

const PACKED: [&str; 3] = [".zst", ".zstd", ".gz"];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The longest message of the Collector's file exporter, as it lies in the file.
const MAX_MESSAGE: usize = 64 << 20;

/// A file that is no assistant's, and may be an export.
#[derive(Debug, Clone)]
pub struct ExportFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes, as it is.
    pub size: u64,
    /// When it was changed last.
    pub modified: Timestamp,
    /// What stands in it.
    pub(super) holds: Holds,
}

/// The content of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Values of JSON.
    Json(Form),
    /// Rows of CSV under a header.
    Csv,
    /// Rows of Parquet.
    Parquet,
}

/// How the bytes of a file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Zstd,
    Gzip,
    /// As the Collector's file exporter packs: each message has its length before it, four bytes, the most
    /// significant first, and is a frame of zstd.
    Messages,
}

impl ExportFile {
    /// The file, if its name may be that of an export; else `None`.
    pub(in crate::receivers::transcripts) fn of(path: &Path, metadata: &fs::Metadata) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let plain = PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
        let holds = match plain.rsplit_once('.')?.1 {
            "csv" => Holds::Csv,
            "parquet" => Holds::Parquet,
            "jsonl" | "ndjson" => Holds::Json(Form::Lines),
            // The Collector's lines are called so as well.
            "json" if begins_a_line(path) => Holds::Json(Form::Lines),
            "json" => Holds::Json(Form::Whole),
            _ => return None,
        };
        Some(Self { path: path.to_owned(), size: metadata.len(), modified: modified(metadata), holds })
    }

    /// The file's bytes, unpacked.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read>> {
        open(&self.path)
    }
}

/// Whether the first line of a file is a value of its own.
fn begins_a_line(path: &Path) -> bool {
    let read = || -> io::Result<bool> {
        let first = Values::new(open(path)?, Form::Lines).next_piece()?.map(|piece| piece.found);
        Ok(matches!(first, Some(Found::Value(value, _)) if value.is_object()))
    };
    read().unwrap_or(false)
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut begin = Vec::new();
    (&mut file).take(8).read_to_end(&mut begin)?;
    file.seek(SeekFrom::Start(0))?;
    let file = BufReader::new(file);
    Ok(match packing(&begin) {
        Packing::Plain => Box::new(file),
        Packing::Zstd => Box::new(Decoder::with_buffer(file)?),
        Packing::Gzip => Box::new(MultiGzDecoder::new(file)),
        Packing::Messages => Box::new(Messages { file, message: None }),
    })
}

fn packing(begin: &[u8]) -> Packing {
    if begin.starts_with(&ZSTD) {
        Packing::Zstd
    } else if begin.starts_with(&GZIP) {
        Packing::Gzip
    } else if begin.get(4..).is_some_and(|rest| rest.starts_with(&ZSTD)) {
        Packing::Messages
    } else {
        Packing::Plain
    }
}

/// Messages, each unpacked and ended by a line feed.
struct Messages<R> {
    file: R,
    message: Option<Decoder<'static, Cursor<Vec<u8>>>>,
}

impl<R: Read> Messages<R> {
    /// The next message; `None` at the end of the file.
    fn next(&mut self) -> io::Result<Option<Decoder<'static, Cursor<Vec<u8>>>>> {
        let mut length = Vec::new();
        (&mut self.file).take(4).read_to_end(&mut length)?;
        let Ok(length) = <[u8; 4]>::try_from(length.as_slice()) else {
            // Nothing, or the length of a message that was being written.
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE {
            return Err(io::Error::other(format!(
                "a message of {length} bytes: this is no file of the Collector, or it is damaged"
            )));
        }
        let mut message = Vec::new();
        (&mut self.file).take(length as u64).read_to_end(&mut message)?;
        let is_whole = message.len() == length;
        if is_whole { Decoder::with_buffer(Cursor::new(message)).map(Some) } else { Ok(None) }
    }
}

impl<R: Read> Read for Messages<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.message.is_none() {
            self.message = self.next()?;
        }
        let Some(message) = &mut self.message else { return Ok(0) };
        let read = message.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        self.message = None;
        buffer.iter_mut().take(1).for_each(|byte| *byte = b'\n');
        Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn unpacked(bytes: &[u8], name: &str) -> (Holds, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let file = ExportFile::of(&path, &fs::metadata(&path).unwrap()).unwrap();
        let mut text = String::new();
        file.open().unwrap().read_to_string(&mut text).unwrap();
        (file.holds, text)
    }

    fn messages(texts: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in texts {
            let frame = zstd::encode_all(text.as_bytes(), 3).unwrap();
            bytes.extend(u32::try_from(frame.len()).unwrap().to_be_bytes());
            bytes.extend(frame);
        }
        bytes
    }

    #[test]
    fn what_is_packed_is_unpacked_whatever_it_is_called() {
        let lines = "{\"a\":1}\n{\"b\":2}\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(lines.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        // A program that appends to a compressed file appends a separately compressed part.
        let twice = [gzip.clone(), gzip.clone()].concat();
        let zstd = zstd::encode_all(lines.as_bytes(), 3).unwrap();
        let of_lines = Holds::Json(Form::Lines);
        for (name, bytes, text) in [
            ("a.jsonl", lines.as_bytes().to_vec(), lines.to_owned()),
            ("a.jsonl.gz", gzip.clone(), lines.to_owned()),
            ("a.jsonl.gz", twice, lines.repeat(2)),
            ("a.ndjson.zst", zstd.clone(), lines.to_owned()),
            ("a.json", gzip, lines.to_owned()),
            ("A.JSON", zstd, lines.to_owned()),
            ("traces.json", messages(&["{\"a\":1}", "{\"b\":2}"]), lines.to_owned()),
        ] {
            assert_eq!(unpacked(&bytes, name), (of_lines, text), "{name}");
        }
        assert_eq!(unpacked(b"[\n1\n]", "a.json").0, Holds::Json(Form::Whole));
        assert_eq!(unpacked(b"a,b\n", "a.csv.gz").0, Holds::Csv);
    }

    #[test]
    fn a_message_that_is_being_written_is_left_to_the_next_time() {
        let whole = messages(&["{\"a\":1}", "{\"b\":2}"]);
        let first = messages(&["{\"a\":1}"]).len();
        for cut in [first + 1, first + 4, whole.len() - 1] {
            assert_eq!(unpacked(&whole[..cut], "a.json").1, "{\"a\":1}\n", "cut at {cut}");
        }
    }
}
