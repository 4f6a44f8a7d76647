//! The file that keeps a server's vectors of words, beside the digests.
//!
//! ```text
//! embeddings-<hash of the server's URL and the model>.bin
//!     the CRC-32C of what follows, four bytes, the least first
//!     a postcard of: hash of model and word → its numbers; none where the model does not know it
//! ```
//!
//! It holds no word, and nothing that ties words to each other or to a session. It is replaced as a
//! whole and never synced: what a crash takes is asked again. Erasure removes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{Disk, FileSystem, create_folders};
use crate::skillify::llm::EmbeddingEndpoint;
use crate::skillify::{Vectors, short_hash};

/// The prefix of these files' names.
pub(in crate::service) const PREFIX: &str = "embeddings-";
const CHECKSUM: usize = 4;

pub(super) struct Cache {
    /// `None`: it ends with the process.
    path: Option<PathBuf>,
    model: String,
    vectors: BTreeMap<String, Vec<f32>>,
    /// The file was there when it was last looked at.
    stored: bool,
}

impl Cache {
    /// The cached answers of a server in `folder`. A damaged file is dropped, and its texts are sent again.
    pub(super) fn open(folder: Option<&Path>, endpoint: &EmbeddingEndpoint) -> Self {
        let name = format!("{PREFIX}{}.bin", short_hash(&[&endpoint.url, &endpoint.model], 8));
        let path = folder.map(|folder| folder.join(name));
        let vectors = path.as_deref().and_then(load);
        let stored = vectors.is_some();
        Self { path, model: endpoint.model.clone(), vectors: vectors.unwrap_or_default(), stored }
    }

    /// A word's numbers; none where the model does not know it; `None`: nobody has asked.
    pub(super) fn get(&self, word: &str) -> Option<&[f32]> {
        self.vectors.get(&self.key(word)).map(Vec::as_slice)
    }

    /// Keeps answers. If the file was removed meanwhile, only `words` are still of interest.
    pub(super) fn add(&mut self, vectors: &Vectors, unknown: &BTreeSet<String>, words: &BTreeSet<String>) {
        if vectors.is_empty() && unknown.is_empty() {
            return;
        }
        if self.stored && self.path.as_ref().is_some_and(|path| !path.exists()) {
            let wanted: BTreeSet<String> = words.iter().map(|word| self.key(word)).collect();
            self.vectors.retain(|key, _| wanted.contains(key));
        }
        for (word, vector) in vectors.iter() {
            let _ = self.vectors.insert(self.key(word), vector.to_vec());
        }
        for word in unknown {
            let _ = self.vectors.insert(self.key(word), Vec::new());
        }
        let Some(path) = &self.path else { return };
        match save(path, &self.vectors) {
            Ok(()) => self.stored = true,
            Err(error) => tracing::warn!(
                %error,
                path = %path.display(),
                "vectors of words are not kept; they are asked again at the next start"
            ),
        }
    }

    fn key(&self, word: &str) -> String {
        short_hash(&[&self.model, word], 16)
    }
}

fn load(path: &Path) -> Option<BTreeMap<String, Vec<f32>>> {
    let bytes = fs::read(path).ok()?;
    let (checksum, body) = bytes.split_first_chunk::<CHECKSUM>()?;
    let sound = crc32c::crc32c(body) == u32::from_le_bytes(*checksum);
    sound.then(|| postcard::from_bytes(body).ok())?
}

fn save(path: &Path, vectors: &BTreeMap<String, Vec<f32>>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        create_folders(&FileSystem, folder, None)?;
    }
    let body = postcard::to_extend(vectors, Vec::new()).map_err(io::Error::other)?;
    let temporary = path.with_extension("new");
    let mut file = FileSystem.create(&temporary)?;
    file.write_at(0, &crc32c::crc32c(&body).to_le_bytes())?;
    file.write_at(CHECKSUM as u64, &body)?;
    file.cut((CHECKSUM + body.len()) as u64)?;
    drop(file);
    FileSystem.rename(&temporary, path)
}
