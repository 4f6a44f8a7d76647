//! A file's bytes, compressed or not.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::places::TranscriptFile;

/// The bytes of a file.
pub(super) fn open(file: &TranscriptFile) -> io::Result<Box<dyn Read>> {
    bytes(&file.path, file.is_compressed)
}

pub(super) fn bytes(path: &Path, is_compressed: bool) -> io::Result<Box<dyn Read>> {
    let opened = File::open(path)?;
    if !opened.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    Ok(match is_compressed {
        true => Box::new(zstd::stream::read::Decoder::new(BufReader::new(opened))?),
        false => Box::new(opened),
    })
}
