//! The lessons of the last run, kept so that a run with nothing new mines nothing.
//!
//! A workspace has one file beside the digests, `lessons-` and 16 hex digits of tenant and workspace:
//!
//! ```text
//! <64 hex digits>     the SHA-256 of what it was made of: program, configuration, the bytes of every digest
//! <8 hex digits>      the CRC-32C of the rest
//! {...}               the lessons, JSON
//! ```
//!
//! If a workspace is larger than its window, what a block of older sessions showed is kept the same way: `-` and 16 hex
//! digits after that name say which block.
//!
//! Lessons depend on these alone. A file that was made of anything else, or that cannot be read, is ignored. Lessons that
//! would not read back the same are not written. Nothing is synced: what a crash takes is made again. An erasure removes
//! the files with the digests.

use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::super::workspace_key::WorkspaceKey;
use super::writer_lock;
use super::writer_lock::{TURN, Turn};
use crate::disk::{Disk, FileSystem};
use crate::event::hex;
use crate::service::job::Job;
use crate::skillify::{Config, Lessons, short_hash};

/// How the names of the files begin.
pub(super) const PREFIX: &str = "lessons-";

/// What mining a job comes to: as it is kept in a folder, else as `mine` finds it. Blocks.
pub(in crate::service) fn known_or(
    folder: Option<&Path>,
    job: &Job,
    config: &Config<'_>,
    mine: impl FnOnce() -> Lessons,
) -> Lessons {
    let sources: Option<Vec<[u8; 32]>> = job.digests.iter().map(|digest| digest.source().copied()).collect();
    let key = sources.and_then(|sources| {
        let older = job.older.as_ref().map(|older| older.key.as_str());
        key(&job.place, config, &sources, older.unwrap_or_default())
    });
    let Some((folder, key)) = folder.zip(key) else { return mine() };
    let path = folder.join(name_of(&job.place));
    if let Some(known) = read(&path, &key) {
        return known;
    }
    let lessons = mine();
    keep(&path, &key, &lessons);
    lessons
}

/// Keeps lessons under the key of their sources.
pub(super) fn keep<T: Serialize + DeserializeOwned + PartialEq>(path: &Path, key: &str, lessons: &T) {
    if let Err(error) = write(path, key, lessons) {
        tracing::warn!(%error, path = %path.display(), "lessons are not kept; the next run mines again");
    }
}

/// The name of the file of a workspace.
pub(super) fn name_of((tenant, workspace): &WorkspaceKey) -> String {
    format!("{PREFIX}{}", short_hash(&[tenant, workspace], 8))
}

/// The key of a workspace's lessons: the hashes of its digests and of older lessons. `None` if it cannot be computed.
pub(super) fn key(
    place: &WorkspaceKey,
    config: &Config<'_>,
    digests: &[[u8; 32]],
    older: &str,
) -> Option<String> {
    if config.vectors.is_some() {
        return None;
    }
    // Another build of one version may mine in another way.
    let program = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let built = program.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let made = (env!("CARGO_PKG_VERSION"), program.len(), built, place, config.publish, config.verified);
    let mut hash = Sha256::new();
    hash.update(format!("{made:?}{older}"));
    digests.iter().for_each(|digest| hash.update(digest));
    Some(hex(&hash.finalize()))
}

/// The lessons of a file, if its key matches.
pub(super) fn read<T: DeserializeOwned>(path: &Path, key: &str) -> Option<T> {
    let bytes = fs::read(path).ok()?;
    let rest = bytes.strip_prefix(key.as_bytes())?.strip_prefix(b"\n")?;
    let (checksum, rest) = rest.split_at_checked(8)?;
    let json = rest.strip_prefix(b"\n")?;
    (checksum == checksum_of(json).as_bytes()).then(|| serde_json::from_slice(json).ok()).flatten()
}

fn write<T>(path: &Path, key: &str, lessons: &T) -> io::Result<()>
where
    T: Serialize + DeserializeOwned + PartialEq,
{
    let json = serde_json::to_vec(lessons)?;
    let is_same = serde_json::from_slice::<T>(&json).is_ok_and(|read| read == *lessons);
    let Some(folder) = path.parent().filter(|_| is_same) else { return Ok(()) };
    let _turn = Turn(folder.join(TURN)).take()?;
    // If the log is gone, digests were forgotten: erased data must not be kept here behind their back.
    if !FileSystem.list(folder)?.iter().any(|name| writer_lock::is_log(name)) {
        return Ok(());
    }
    let temporary = path.with_extension("new");
    let mut out = FileSystem.create(&temporary)?;
    let head = format!("{key}\n{}\n", checksum_of(&json));
    out.write_at(0, head.as_bytes())?;
    out.write_at(head.len() as u64, &json)?;
    FileSystem.rename(&temporary, path)
}

fn checksum_of(json: &[u8]) -> String {
    format!("{:08x}", crc32c::crc32c(json))
}
