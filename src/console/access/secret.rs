//! The secret of a console, and what is made from it: keys that let in once, and proofs of who listens.
//!
//! The secret stands in a file of this user's data folder that nobody else can read (0600). A **key** is
//! `<nonce>.<when it ends>.<HMAC>`; its HMAC is over the port and what the key is for too ([`For`]): a process that
//! listens elsewhere has no use for it, and a key for one request opens no pages. A **proof** shows `skillspan open` that the process on the port knows the secret, before it hands a key to a
//! browser: on a machine with several users somebody else may have taken the port.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::event::Timestamp;
use crate::redact::create_secret;

/// The secret's file in the console's folder.
const FILE: &str = "secret";
/// A shorter secret could be guessed.
const SHORTEST: usize = 32;
/// So long a key lets in.
pub(crate) const KEY_LASTS: Duration = Duration::from_secs(60);

/// What a key lets do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// See the pages, for the length of a session.
    Pages,
    /// Ask one question of `/mcp`.
    Question,
}

impl For {
    const fn purpose(self) -> &'static str {
        match self {
            Self::Pages => "open",
            Self::Question => "ask",
        }
    }
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    /// The file cannot be read or made.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// Others can read it.
    #[error("{}: other users can read it; remove the file, and it is made anew", .0.display())]
    Open(PathBuf),
    /// It is too short.
    #[error("{}: it holds no secret; remove the file, and it is made anew", .0.display())]
    Short(PathBuf),
}

/// See the module. `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct Secret(Hmac<Sha256>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl Secret {
    /// The secret in the folder; it is made at first.
    pub(crate) fn made_in(folder: &Path) -> Result<Self, SecretError> {
        let path = folder.join(FILE);
        match create_secret(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(SecretError::File { path, source }),
        }
        Self::read_in(folder)
    }

    /// The secret in the folder, which must be there.
    pub(crate) fn read_in(folder: &Path) -> Result<Self, SecretError> {
        let path = folder.join(FILE);
        let read = || {
            let file = File::open(&path)?;
            let about = file.metadata()?;
            let mut bytes = Vec::new();
            file.take(4096).read_to_end(&mut bytes)?;
            Ok((about, bytes))
        };
        let (about, bytes) = read().map_err(|source| SecretError::File { path: path.clone(), source })?;
        let is_own = about.uid() == rustix::process::geteuid().as_raw();
        if !is_own || about.mode() & 0o077 != 0 {
            return Err(SecretError::Open(path));
        }
        Self::of(bytes.trim_ascii()).ok_or(SecretError::Short(path))
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(bytes).ok().filter(|_| bytes.len() >= SHORTEST).map(Self)
    }

    /// A key for the console on that port.
    pub(crate) fn key(&self, what: For, port: u16, now: Timestamp) -> String {
        let nonce = random();
        let ends = now.saturating_add(KEY_LASTS).as_micros() / 1_000_000;
        let mac = hex(&self.mac(what.purpose(), port, &format!("{nonce}.{ends}")).finalize().into_bytes());
        format!("{nonce}.{ends}.{mac}")
    }

    /// The nonce of a key that lets in now.
    pub(super) fn nonce_of(&self, what: For, key: &str, port: u16, now: Timestamp) -> Option<String> {
        let (told, mac) = key.rsplit_once('.')?;
        let (nonce, ends) = told.split_once('.')?;
        self.mac(what.purpose(), port, told).verify_slice(&unhex(mac)?).ok()?;
        let ends: i64 = ends.parse().ok()?;
        (now.as_micros() / 1_000_000 <= ends).then(|| nonce.to_owned())
    }

    /// Proves that the listener on that port knows the secret.
    pub(crate) fn proof(&self, port: u16, challenge: &str) -> String {
        hex(&self.mac("prove", port, challenge).finalize().into_bytes())
    }

    /// Whether it is that proof.
    pub(crate) fn is_proof(&self, port: u16, challenge: &str, proof: &str) -> bool {
        let Some(proof) = unhex(proof) else { return false };
        self.mac("prove", port, challenge).verify_slice(&proof).is_ok()
    }

    fn mac(&self, purpose: &str, port: u16, text: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(format!("{purpose}\0{port}\0{text}").as_bytes());
        mac
    }
}

/// 122 bits of the system's randomness, in hex.
pub(crate) fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_for_a_port_and_a_minute_and_nothing_of_it_may_change() {
        let secret = Secret::of(&[7; 64]).unwrap();
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let key = secret.key(For::Pages, 4320, now);
        assert!(secret.nonce_of(For::Pages, &key, 4320, now).is_some());
        assert!(secret.nonce_of(For::Pages, &key, 4321, now).is_none());
        assert!(
            secret
                .nonce_of(For::Pages, &key, 4320, now.saturating_add(KEY_LASTS + Duration::from_secs(2)))
                .is_none()
        );
        assert!(Secret::of(&[8; 64]).unwrap().nonce_of(For::Pages, &key, 4320, now).is_none());
        assert!(secret.nonce_of(For::Question, &key, 4320, now).is_none());
        let later = key.replacen(".1795", ".2795", 1);
        assert!(later != key && secret.nonce_of(For::Pages, &later, 4320, now).is_none());
        for wrong in ["", ".", "..", "a.b.c", "é.1.é", &key[..key.len() - 1]] {
            assert!(secret.nonce_of(For::Pages, wrong, 4320, now).is_none(), "{wrong}");
        }
        assert!(secret.is_proof(4320, "x", &secret.proof(4320, "x")));
        assert!(!secret.is_proof(4320, "y", &secret.proof(4320, "x")));
        assert!(!format!("{secret:?}").contains('7'));
    }

    #[test]
    fn the_secret_is_made_once_and_refused_if_others_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Secret::read_in(folder.path()), Err(SecretError::File { .. })));
        let made = Secret::made_in(folder.path()).unwrap();
        let read = Secret::made_in(folder.path()).unwrap();
        assert!(read.is_proof(1, "x", &made.proof(1, "x")));
        let path = folder.path().join(FILE);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(matches!(Secret::made_in(folder.path()), Err(SecretError::Open(_))));
        std::fs::write(&path, "short").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(matches!(Secret::made_in(folder.path()), Err(SecretError::Short(_))));
    }
}
