//! What `skillspan open` and `skillspan mcp` do: make sure that it is this user's console that listens, and make a key,
//! for a browser or for a question.

use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::config::ConsoleSettings;
use crate::event::Timestamp;

use super::access::KEY_SCHEME;
use super::access::secret::{For, Secret, SecretError, random};

/// How the names of files for browsers begin.
const PREFIX: &str = "open-";

/// Why nothing can be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// There is none.
    #[error("extensions.console.enabled is false: there is no console")]
    Disabled,
    /// Nothing says where the secret is.
    #[error("neither XDG_DATA_HOME nor HOME is set: nothing says where the console's secret is")]
    NoHome,
    /// It is for others.
    #[error("the console listens beyond this machine ({0}): open it at its name and sign in with a token")]
    Elsewhere(SocketAddr),
    /// No console was started with this folder.
    #[error("no skillspan has run with the data folder {}: `skillspan run` starts it, and the console with it", .0.display())]
    NeverStarted(PathBuf),
    /// No secret, so no console was started.
    #[error("{0}; `skillspan run` starts the console")]
    Secret(String),
    /// Nobody listens.
    #[error("nothing answers at {0}: `skillspan run` starts the console, unless its port was taken")]
    Silent(String),
    /// Somebody else does.
    #[error(
        "what listens at {0} is not a console of yours: another process has the port; choose another one with \
         extensions.console.endpoint"
    )]
    Stranger(String),
    /// The file for the browser cannot be written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
}

/// A console that can be opened.
pub(crate) struct Opening {
    secret: Secret,
    port: u16,
    base: String,
    folder: PathBuf,
    challenge: String,
}

/// A console on this machine that is asked over the Model Context Protocol.
pub(crate) struct Asking {
    secret: Secret,
    port: u16,
    base: String,
}

/// The console at this address, or the one that the settings describe.
pub(crate) fn asking(
    console: Option<&ConsoleSettings>,
    at: Option<(&str, u16)>,
) -> Result<Asking, OpenError> {
    let console = console.ok_or(OpenError::Disabled)?;
    let folder = console.folder.clone().ok_or(OpenError::NoHome)?;
    let secret = secret_in(&folder)?;
    let (base, port) = match at {
        Some((base, port)) => (base.to_owned(), port),
        None => (base_of(console), console.address.port()),
    };
    Ok(Asking { secret, port, base })
}

impl Asking {
    /// Where it is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A challenge for who listens, and where to ask it.
    pub(crate) fn challenge(&self) -> (String, String) {
        let challenge = random();
        let question = format!("{}/hello?challenge={challenge}", self.base);
        (challenge, question)
    }

    /// A header that admits one question, if the listener answered the challenge.
    pub(crate) fn header(&self, challenge: &str, answer: Option<&str>) -> Result<String, OpenError> {
        let answer = answer.ok_or_else(|| OpenError::Silent(self.base.clone()))?;
        if !self.secret.is_proof(self.port, challenge, answer.trim()) {
            return Err(OpenError::Stranger(self.base.clone()));
        }
        Ok(format!("{KEY_SCHEME}{}", self.secret.key(For::Question, self.port, Timestamp::now())))
    }
}

/// The secret that the console's last start left in the folder.
fn secret_in(folder: &Path) -> Result<Secret, OpenError> {
    Secret::read_in(folder).map_err(|error| match error {
        SecretError::File { source, .. } if source.kind() == ErrorKind::NotFound && !folder.exists() => {
            OpenError::NeverStarted(folder.parent().unwrap_or(folder).to_owned())
        }
        error => OpenError::Secret(error.to_string()),
    })
}

/// The address by which this machine reaches the console.
fn base_of(console: &ConsoleSettings) -> String {
    let ip = match console.address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    let scheme = if console.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(ip, console.address.port()))
}

/// The console that the settings describe.
pub(crate) fn opening(console: Option<&ConsoleSettings>) -> Result<Opening, OpenError> {
    let console = console.ok_or(OpenError::Disabled)?;
    let folder = console.folder.clone().ok_or(OpenError::NoHome)?;
    if console.tls.is_some() && !console.address.ip().is_loopback() {
        return Err(OpenError::Elsewhere(console.address));
    }
    let secret = secret_in(&folder)?;
    let (port, base) = (console.address.port(), base_of(console));
    Ok(Opening { secret, port, base, folder, challenge: random() })
}

impl Opening {
    /// What to ask the process that listens.
    pub(crate) fn question(&self) -> String {
        format!("{}/hello?challenge={}", self.base, self.challenge)
    }

    /// The address with a key, once who listens has answered the question.
    pub(crate) fn address(&self, answer: Option<&str>) -> Result<String, OpenError> {
        let answer = answer.ok_or_else(|| OpenError::Silent(self.base.clone()))?;
        if !self.secret.is_proof(self.port, &self.challenge, answer.trim()) {
            return Err(OpenError::Stranger(self.base.clone()));
        }
        Ok(format!("{}/open?key={}", self.base, self.secret.key(For::Pages, self.port, Timestamp::now())))
    }

    /// A page that leads to the address, in a file that nobody else can read: whoever lists processes sees what a
    /// browser is called with.
    pub(crate) fn file(&self, address: &str) -> Result<PathBuf, OpenError> {
        self.forget_files();
        let path = self.folder.join(format!("{PREFIX}{}.html", random()));
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>skillspan</title>\n\
             <meta http-equiv=\"refresh\" content=\"0;url={address}\"></head>\n\
             <body><p><a href=\"{address}\">Open the console</a></p></body></html>\n"
        );
        let write = |path: &Path| {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true).mode(0o600).open(path)?.write_all(page.as_bytes())
        };
        write(&path).map_err(|source| OpenError::File { path: path.clone(), source })?;
        Ok(path)
    }

    /// Keys of before have ended.
    fn forget_files(&self) {
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                // One that cannot be removed leads nowhere.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}
