//! Files and folders as a running process sees them and, beside that, as a power loss leaves them.

use std::collections::BTreeMap;

use super::random::Random;

const SECTOR: usize = 512;

pub(super) type Inode = usize;
/// New meanings of names in one folder; a rename there changes two at once.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) names: Vec<(String, Option<Inode>)>,
    /// Half of a rename from folder to folder: a file system carries out both or none, until one of the
    /// folders is synced.
    pub(super) moved: Option<usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) seen: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) pending: Vec<Write>,
}

#[derive(Debug, Clone)]
pub(super) enum Write {
    At(usize, Vec<u8>),
    Cut(usize),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    pub(super) seen: BTreeMap<String, Inode>,
    pub(super) durable: BTreeMap<String, Inode>,
    pub(super) pending: Vec<Change>,
    /// Folders have names, too; the disk has one above all that is always there.
    pub(super) is_durable: bool,
}

impl Folder {
    pub(super) fn apply(&mut self, names: Vec<(String, Option<Inode>)>, moved: Option<usize>) {
        let change = Change { names, moved };
        set(&mut self.seen, change.clone());
        self.pending.push(change);
    }
}

pub(super) fn set(names: &mut BTreeMap<String, Inode>, change: Change) {
    for (name, inode) in change.names {
        match inode {
            Some(inode) => names.insert(name, inode),
            None => names.remove(&name),
        };
    }
}

impl Write {
    pub(super) fn carry_out(&self, content: &mut Vec<u8>) {
        match self {
            Self::At(offset, bytes) => put(content, *offset, bytes),
            Self::Cut(length) => content.truncate(*length),
        }
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

impl File {
    pub(super) fn write(&mut self, write: Write) {
        write.carry_out(&mut self.seen);
        self.pending.push(write);
    }

    pub(super) fn sync(&mut self) {
        for write in std::mem::take(&mut self.pending) {
            write.carry_out(&mut self.durable);
        }
    }

    /// Each sector of each write survives or not.
    pub(super) fn lose(&mut self, random: &mut Random) {
        // Often enough everything or nothing did.
        let survivors = random.below(4);
        for write in std::mem::take(&mut self.pending) {
            let (offset, bytes) = match write {
                Write::Cut(_) if random.chance(survivors, 3) => {
                    write.carry_out(&mut self.durable);
                    continue;
                }
                Write::Cut(_) => continue,
                Write::At(offset, bytes) => (offset, bytes),
            };
            let mut start = 0;
            while start < bytes.len() {
                let end = (start + SECTOR - (offset + start) % SECTOR).min(bytes.len());
                if random.chance(survivors, 3) {
                    put(&mut self.durable, offset + start, &bytes[start..end]);
                }
                start = end;
            }
        }
        self.seen = self.durable.clone();
    }
}
