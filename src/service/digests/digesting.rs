//! Groups on their way from the table to the file of digests: resolved, digested, appended.

use std::borrow::Cow;

use super::entries::{self, Entry};
use super::file::{self, DigestFile};
use super::index::NewGroup;
use super::packed::Packed;
use super::{KeptGroup, finished};
use crate::skillify::{Digest, SharedCommands};
use crate::table::{Group, NewGroups, ReadError, ResolveOptions, Session, resolve};

/// Groups on their way to the file.
#[derive(Default)]
pub(super) struct Work {
    pub(super) file: Option<DigestFile>,
    pub(super) options: ResolveOptions,
    pub(super) commands: SharedCommands,
    pub(super) next: u64,
    pub(super) found: Vec<NewGroup>,
}

impl Work {
    /// Digests all groups that are read; says which known ones they stand for.
    pub(super) async fn all_of(self, reading: &mut NewGroups) -> (Self, Result<Vec<usize>, ReadError>) {
        let mut replaced = Vec::new();
        let mut under_way = tokio::task::spawn_blocking(move || self);
        loop {
            let groups = match reading.next().await {
                Ok(Some(groups)) => groups,
                Ok(None) => return (finished(under_way).await, Ok(replaced)),
                Err(error) => return (finished(under_way).await, Err(error)),
            };
            replaced.extend(groups.iter().flat_map(|group| &group.replaces));
            // While these are digested, the next file is read.
            let work = finished(under_way).await;
            under_way = tokio::task::spawn_blocking(move || work.with(groups));
        }
    }

    /// The same with groups, each resolved by itself.
    fn with(mut self, groups: Vec<Group>) -> Self {
        let full = groups.into_iter().filter(|group| !group.events.is_empty());
        let options = &self.options;
        let digest = || {
            full.map(|Group { join_keys, events, .. }| {
                let sessions = resolve(events, options);
                let packed = |session: &Session| Packed::of(&Digest::of(session), session.facts.len());
                KeptGroup { join_keys, digests: sessions.iter().map(packed).collect() }
            })
            .collect()
        };
        let (groups, commands): (Vec<KeptGroup>, SharedCommands) =
            std::mem::take(&mut self.commands).within(digest);
        self.commands = commands;
        let mut numbered = Vec::new();
        let mut written = Vec::new();
        for group in &groups {
            // Numbers and strings: nothing that could be refused.
            let Ok(bytes) = entries::written(&Entry::Group(self.next, Cow::Borrowed(group))) else {
                continue;
            };
            numbered.push((self.next, group));
            written.push(bytes);
            self.next += 1;
        }
        let places = match &mut self.file {
            Some(file) => file.append(written),
            None => file::in_memory(written),
        };
        let new =
            numbered.into_iter().zip(places).map(|((number, group), at)| NewGroup::of(number, group, at));
        self.found.extend(new);
        self
    }
}
