//! Reads the digests of some workspaces.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::super::workspace_key::WorkspaceKey;
use super::KeptGroup;
use super::byte_range::Span;
use super::entries::{self, Entry, Files, damaged};
use super::index::At;
use super::packed::{Key, Packed};
use crate::event::Timestamp;
use crate::skillify::{Digest, sharing_commands};
use crate::table::JoinKeys;

/// The digests of workspaces, oldest first.
pub type Workspaces = BTreeMap<WorkspaceKey, Vec<Arc<Digest>>>;

/// Files to read; a thread of its own can do it.
pub(super) struct Reading {
    pub(super) files: Files,
    pub(super) entries: Vec<At>,
}

impl Reading {
    /// The digests of the wanted sessions, ready to be mined; equal commands are one in memory. Blocks.
    pub(super) fn workspaces(self, wanted: impl Fn(&WorkspaceKey, Key) -> bool) -> io::Result<Workspaces> {
        let mut places = Workspaces::new();
        sharing_commands(|| {
            self.groups(|group| {
                for packed in &group.digests {
                    let place = packed.place();
                    if wanted(&place, packed.key()) {
                        let digest = packed.unpacked().ok_or_else(damaged)?;
                        places.entry(place).or_default().push(Arc::new(digest));
                    }
                }
                Ok(())
            })
        })?;
        for digests in places.values_mut() {
            // Where all else is the same, what they were read from decides: no order of arrival shows.
            digests.sort_by(|a, b| by_age(a).cmp(&by_age(b)));
        }
        Ok(places)
    }

    /// The digests of the wanted sessions as they are kept, oldest first. Blocks.
    pub(super) fn packed(self, wanted: impl Fn(&WorkspaceKey, Key) -> bool) -> io::Result<Vec<Packed>> {
        let mut all = Vec::new();
        self.groups(|group| {
            let digests = group.digests.into_iter();
            all.extend(digests.filter(|packed| wanted(&packed.place(), packed.key())));
            Ok(())
        })?;
        all.sort_by_cached_key(|packed| {
            let (started_at, session, source) = packed.by_age();
            (started_at, session.to_owned(), source)
        });
        Ok(all)
    }

    /// The ties of each group, in any order. Blocks.
    pub(super) fn join_keys(self) -> io::Result<Vec<JoinKeys>> {
        let mut join_keys = Vec::new();
        self.groups(|group| {
            join_keys.push(group.join_keys);
            Ok(())
        })?;
        Ok(join_keys)
    }

    fn groups(self, mut take: impl FnMut(KeptGroup) -> io::Result<()>) -> io::Result<()> {
        let mut by_file: BTreeMap<u32, Vec<Span>> = BTreeMap::new();
        for at in self.entries {
            match at {
                At::File(span) => by_file.entry(span.file).or_default().push(span),
                At::Memory(bytes) => take(group(&bytes)?)?,
            }
        }
        for (number, spans) in by_file {
            let file = self.files.get(&number).ok_or_else(damaged)?;
            entries::read_at(file, spans, |_, bytes| take(group(bytes)?))?;
        }
        Ok(())
    }
}

fn by_age(digest: &Digest) -> (Timestamp, &str, Option<&[u8; 32]>) {
    (digest.started_at, &digest.session, digest.source())
}

fn group(bytes: &[u8]) -> io::Result<KeptGroup> {
    match entries::read(bytes)? {
        Entry::Group(_, group) => Ok(group.into_owned()),
        _ => Err(damaged()),
    }
}
