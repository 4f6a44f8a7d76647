//! What makes equal secrets comparable and nothing more.
//!
//! Anyone with a list of passwords can reverse a plain hash of a password. So placeholders hold an HMAC under a key
//! that stands beside the journal, never in the table: a reader of the table can see that two places hold the same
//! secret and can try nothing out. Replicas that share a table are given the same key, because the spans of one
//! session may reach any of them.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// So many bytes of the hash are shown: 24 bits tell the secrets of a session apart.
const TAG_BYTES: usize = 3;
/// A key that is shorter could be tried out.
const SHORTEST: usize = 16;

/// The key of placeholders. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key is too short to be one.
    #[error("the redaction key has fewer than {SHORTEST} bytes; make one with `openssl rand -hex 32`")]
    Short,
    /// The file cannot be read or created.
    #[error("{}: the redaction key cannot be read or created: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

impl Key {
    /// A key of the given bytes.
    ///
    /// # Errors
    /// If there are too few of them.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() < SHORTEST {
            return Err(KeyError::Short);
        }
        // HMAC takes keys of any length.
        Hmac::new_from_slice(bytes).map(Self).map_err(|_| KeyError::Short)
    }

    /// A key that nothing else has.
    pub fn random() -> Self {
        // A version 4 UUID is 122 bits of the system's randomness.
        let halves = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
        let bytes = halves.map(uuid::Uuid::into_bytes).concat();
        Self(Hmac::new_from_slice(&bytes).unwrap_or_else(|_| Hmac::new(&Default::default())))
    }

    /// The key in a file that only its owner can read; the first use creates it.
    ///
    /// # Errors
    /// If the file can neither be read nor created, or holds too little.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.to_owned(), source };
        match create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(4096).read_to_end(&mut bytes)).map_err(failed)?;
        Self::new(bytes.trim_ascii())
    }

    /// What a placeholder shows of a secret.
    pub(super) fn tag(&self, secret: &str) -> String {
        use std::fmt::Write;
        let mut mac = self.0.clone();
        mac.update(secret.as_bytes());
        let hash = mac.finalize().into_bytes();
        hash.iter().take(TAG_BYTES).fold(String::with_capacity(2 * TAG_BYTES), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Puts a random secret into a file that nobody else can read, unless the file is there: 64 hex digits and the end of
/// the line. Written whole under another name first: a key that was cut by a crash would be another key.
///
/// # Errors
/// If it cannot be written; [`io::ErrorKind::AlreadyExists`] if another process was faster.
pub fn create(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    let key = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(|half| half.simple().to_string()).concat();
    writeln!(file, "{key}")?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    linked
}
