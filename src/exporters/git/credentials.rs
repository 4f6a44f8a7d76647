//! How git gets a token: it asks its credential helper, which is skillspan itself, which asks this
//! process through a socket in a folder that is closed to other users.
//!
//! The token is in no argument, environment, file or configuration. git asks only when the host demands credentials,
//! and it talks only to the host of the remote.

use std::fs::{self, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::secret::Secret;

/// A socket that answers with the credentials for as long as it is open.
pub(super) struct Door {
    folder: PathBuf,
    address: PathBuf,
    closed: Arc<AtomicBool>,
    porter: Option<JoinHandle<()>>,
}

impl Door {
    pub(super) fn open(username: &str, token: &Secret) -> io::Result<Self> {
        // Short: an address has 103 bytes on macOS, of which the folder for temporary files takes half.
        let name = uuid::Uuid::new_v4().simple().to_string();
        let folder = std::env::temp_dir().join(format!("skillspan-{name:.12}"));
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        let address = folder.join("credentials");
        let listener = UnixListener::bind(&address)?;
        let closed = Arc::new(AtomicBool::new(false));
        let answer = format!("username={username}\npassword={}\n", token.reveal());
        let is_closed = Arc::clone(&closed);
        let porter = thread::spawn(move || {
            for visitor in listener.incoming() {
                if is_closed.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(mut visitor) = visitor {
                    // A visitor that left early asks again or fails by itself.
                    let _ = visitor.write_all(answer.as_bytes());
                }
            }
        });
        Ok(Self { folder, address, closed, porter: Some(porter) })
    }

    pub(super) fn address(&self) -> &Path {
        &self.address
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        // Wakes the porter, who then sees that the door is closed.
        let woken = UnixStream::connect(&self.address).is_ok();
        if let Some(porter) = self.porter.take().filter(|_| woken) {
            let _ = porter.join();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What the credential helper prints: the answer to git's `get`, nothing to anything else.
pub fn answer(address: &Path, operation: &str) -> io::Result<String> {
    let mut answer = String::new();
    if operation == "get" {
        UnixStream::connect(address)?.read_to_string(&mut answer)?;
    }
    Ok(answer)
}
