//! The digests of workspaces that are mined, with what the older ones showed.
//!
//! A workspace that is larger than its [`Window`] is read in blocks ([`super::window`]). A block of older sessions is mined
//! once. What it showed is kept beside the digests until one of its digests changes; a run compares their bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::workspace_key::WorkspaceKey;
use super::before_window::Before;
use super::entries::damaged;
use super::packed::{Key, Packed};
use super::reading::Reading;
use super::window::{Block, Cuts, Window, since};
use super::{Digests, Workspaces, finished, lessons};
use crate::disk::{Disk, FileSystem};
use crate::event::visible_line;
use crate::skillify::{self, Digest, Older, Verified, sharing_commands};
use crate::table::{ReadError, Table};

/// How workspaces are read that take more than a window.
#[derive(Debug, Clone)]
pub struct Windows {
    /// How much of each is mined.
    pub window: Window,
    /// How it is mined.
    pub mining: skillify::Config<'static>,
    /// The people whom credentials name.
    pub verified: Arc<Verified>,
    /// Where it is kept what older sessions showed; `None`: nowhere.
    pub folder: Option<PathBuf>,
}

/// What is mined of a workspace.
#[derive(Debug, Clone, Default)]
pub struct Windowed {
    /// The digests of its newest sessions, oldest first.
    pub digests: Vec<Arc<Digest>>,
    /// What the others showed; `None` where there are none.
    pub older: Option<Arc<Before>>,
}

type Found = BTreeMap<WorkspaceKey, Arc<Before>>;

impl Digests {
    /// The windows of the wanted workspaces. Damaged digests are made again from the table.
    pub async fn windows(
        &mut self,
        table: &Table,
        wanted: impl Fn(&WorkspaceKey) -> bool + Clone + Send + 'static,
        how: &Windows,
    ) -> Result<BTreeMap<WorkspaceKey, Windowed>, ReadError> {
        loop {
            match self.read_windows(wanted.clone(), how).await {
                Ok(found) => return Ok(found),
                Err(error) => self.begin_anew(&error),
            }
            self.update(table).await?;
        }
    }

    async fn read_windows(
        &self,
        wanted: impl Fn(&WorkspaceKey) -> bool + Clone + Send + 'static,
        how: &Windows,
    ) -> io::Result<BTreeMap<WorkspaceKey, Windowed>> {
        let sessions = self.sessions().into_iter().filter(|(place, _)| wanted(place));
        let cuts: BTreeMap<WorkspaceKey, Cuts> = sessions
            .filter_map(|(place, sessions)| Some((place.clone(), how.window.cut(&sessions)?)))
            .collect();
        let workspaces =
            self.sessions().into_keys().filter(|place| wanted(place)).map(lessons::name_of).collect();
        let mut older = Found::new();
        let mut files = BTreeSet::new();
        for (place, cuts) in &cuts {
            let before = self.before(place, cuts, how, &mut files).await?;
            tracing::info!(
                tenant = %visible_line(&place.0),
                workspace = %visible_line(&place.1),
                older = before.showed.sessions(),
                since = %before.since,
                "a workspace takes more memory than mining may: its newest sessions are mined, and what older ones showed is \
                 remembered",
            );
            older.insert(place.clone(), Arc::new(before));
        }
        if let Some(folder) = &how.folder {
            remove_others(folder, &workspaces, &files);
        }
        let is_mined = move |place: &WorkspaceKey, key: Key| {
            wanted(place) && cuts.get(place).is_none_or(|cuts| cuts.window.holds(key))
        };
        let reading = self.reading(is_mined.clone());
        let read = finished(tokio::task::spawn_blocking(move || reading.workspaces(is_mined))).await?;
        Ok(with_older(read, &older))
    }

    /// What the sessions before the window showed, block after block; adds the names of the files that keep it.
    async fn before(
        &self,
        place: &WorkspaceKey,
        cuts: &Cuts,
        how: &Windows,
        files: &mut BTreeSet<String>,
    ) -> io::Result<Before> {
        let (mut showed, mut keys) = (Older::default(), String::new());
        for block in &cuts.older {
            let of_block = OfBlock {
                reading: self.reading(|other, key| other == place && block.holds(key)),
                place: place.clone(),
                block: *block,
                how: how.clone(),
            };
            let (older, key, file) = finished(tokio::task::spawn_blocking(move || of_block.showed())).await?;
            showed = showed.followed_by(older);
            keys.push_str(&key);
            files.extend(file);
        }
        Ok(Before { showed, since: since(cuts.window), key: keys })
    }
}

/// A block of older sessions that is to be read.
struct OfBlock {
    reading: Reading,
    place: WorkspaceKey,
    block: Block,
    how: Windows,
}

impl OfBlock {
    /// The lessons of its sessions, their key, and the name of their file. Blocks.
    fn showed(self) -> io::Result<(Older, String, Option<String>)> {
        let Self { reading, place, block, how } = self;
        let packed = reading.packed(|other, key| *other == place && block.holds(key))?;
        let config = skillify::Config { verified: Some(&how.verified), ..how.mining };
        let sources: Vec<[u8; 32]> = packed.iter().map(Packed::source).collect();
        let mine = || unpacked(&packed).map(|digests| Older::of(&place.1, &digests, &config));
        // This key differs from that of a workspace that is mined as a whole.
        let key = lessons::key(&place, &config, &sources, "older");
        let Some((key, folder)) = key.clone().zip(how.folder.as_deref()) else {
            return Ok((mine()?, key.unwrap_or_default(), None));
        };
        let name = format!("{}-{}", lessons::name_of(&place), key.get(..16).unwrap_or(&key));
        let path = folder.join(&name);
        if let Some(known) = lessons::read(&path, &key) {
            return Ok((known, key, Some(name)));
        }
        let older = mine()?;
        lessons::keep(&path, &key, &older);
        Ok((older, key, Some(name)))
    }
}

fn unpacked(packed: &[Packed]) -> io::Result<Vec<Digest>> {
    sharing_commands(|| packed.iter().map(|packed| packed.unpacked().ok_or_else(damaged)).collect())
}

fn with_older(read: Workspaces, older: &Found) -> BTreeMap<WorkspaceKey, Windowed> {
    let windowed = |(place, digests): (WorkspaceKey, _)| {
        let older = older.get(&place).cloned();
        (place, Windowed { digests, older })
    };
    read.into_iter().map(windowed).collect()
}

/// Removes the files of blocks that these workspaces no longer have.
fn remove_others(folder: &Path, workspaces: &BTreeSet<String>, files: &BTreeSet<String>) {
    let names = FileSystem.list(folder).unwrap_or_default();
    let is_left = |name: &String| {
        let workspace = name.rsplit_once('-').map(|(workspace, _)| workspace);
        workspace.is_some_and(|workspace| workspaces.contains(workspace)) && !files.contains(name)
    };
    for name in names.iter().filter(|name| is_left(name)) {
        if let Err(error) = FileSystem.remove(&folder.join(name)) {
            tracing::debug!(%error, name, "what a block showed stays until the next run");
        }
    }
}
