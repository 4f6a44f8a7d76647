//! What can go wrong with a repository, told from what git and hosts say.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::exporters::survey::Obstacle;
use crate::library::{self, DecisionError};

/// The repository could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No git.
    #[error(
        "the git exporter needs git 2.30 or newer on this machine, and `{program}` cannot be run: {source}"
    )]
    NoGit {
        /// What was tried.
        program: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A git that cannot do what is needed.
    #[error("the git exporter needs git 2.30 or newer on this machine, and finds {found}")]
    OldGit {
        /// What `git version` says.
        found: String,
    },
    /// The cache cannot be read or written.
    #[error("cannot use the cache {}: {source}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The host does not answer.
    #[error("cannot reach {remote}: {detail}; publishing is tried again")]
    Unreachable {
        /// The remote.
        remote: String,
        /// What git said.
        detail: String,
    },
    /// It answers too slowly.
    #[error("{remote} took longer than {limit:?}; publishing is tried again")]
    Slow {
        /// The remote.
        remote: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The credentials are wrong or missing.
    #[error("{remote} refuses the credentials: {detail}; check auth in the exporter's configuration")]
    Unauthorized {
        /// The remote.
        remote: String,
        /// What git said.
        detail: String,
    },
    /// The host's key is not the known one.
    #[error("the host key of {remote} is not in known_hosts_file: {detail}")]
    HostKey {
        /// The remote.
        remote: String,
        /// What ssh said.
        detail: String,
    },
    /// No such repository, or none that these credentials see.
    #[error("there is no repository {remote} that these credentials see: {detail}")]
    NotFound {
        /// The remote.
        remote: String,
        /// What git said.
        detail: String,
    },
    /// The branch does not take pushes.
    #[error("{remote} refuses the push: {detail}; where {branch} is protected, use `mode: review`")]
    Protected {
        /// The remote.
        remote: String,
        /// The branch.
        branch: String,
        /// What the host said.
        detail: String,
    },
    /// Others were faster every time.
    #[error("others pushed to {remote} {attempts} times while this push was prepared; it is tried again")]
    Raced {
        /// The remote.
        remote: String,
        /// How often.
        attempts: usize,
    },
    /// No room here or there.
    #[error("no space left for {remote}: {detail}; publishing is tried again")]
    DiskFull {
        /// The remote.
        remote: String,
        /// What git said.
        detail: String,
    },
    /// Something stands where a file or folder of the library belongs.
    #[error(
        "{remote}: {path} on branch {branch} {obstacle}; nothing is published there until it is moved away"
    )]
    Blocked {
        /// The remote.
        remote: String,
        /// The branch.
        branch: String,
        /// The path.
        path: String,
        /// What stands there.
        obstacle: Obstacle,
    },
    /// The state could not be read.
    #[error("{remote}: branch {branch}: {source}")]
    State {
        /// The remote.
        remote: String,
        /// The state's branch.
        branch: String,
        /// What is wrong with it.
        source: library::Error,
    },
    /// A decision cannot be carried out.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// The process is about to end.
    #[error("publishing to {remote} was stopped; it is done after the next start")]
    Stopped {
        /// The remote.
        remote: String,
    },
    /// Anything else.
    #[error("git {verb} for {remote} failed: {detail}")]
    Failed {
        /// The remote.
        remote: String,
        /// What was tried.
        verb: String,
        /// What git said.
        detail: String,
    },
}

impl Error {
    /// A word for the kind of failure.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoGit { .. } | Self::OldGit { .. } => "git_missing",
            Self::Cache { .. } => "cache",
            Self::Unreachable { .. } => "unreachable",
            Self::Slow { .. } => "slow",
            Self::Unauthorized { .. } => "unauthorized",
            Self::HostKey { .. } => "host_key",
            Self::NotFound { .. } => "not_found",
            Self::Protected { .. } => "protected",
            Self::Raced { .. } => "raced",
            Self::DiskFull { .. } => "disk_full",
            Self::Blocked { .. } => "blocked",
            Self::State { .. } => "state",
            Self::Decision(_) => "decision",
            Self::Stopped { .. } => "stopped",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether it may be gone by itself the next time.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Slow { .. }
                | Self::Raced { .. }
                | Self::DiskFull { .. }
                | Self::Stopped { .. }
                | Self::Cache { .. }
                | Self::Failed { .. }
        )
    }

    /// What a person can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NoGit { .. } | Self::OldGit { .. } => "install git 2.30 or newer, or publish to a folder",
            Self::Cache { .. } => "make the cache's folder writable, or remove it; it is built again",
            Self::Unreachable { .. } | Self::Slow { .. } => {
                "see whether the remote is up and can be reached from here; it is tried again by itself"
            }
            Self::Unauthorized { .. } => {
                "renew the credentials under exporters.git.auth; they must be allowed to push"
            }
            Self::HostKey { .. } => {
                "compare the host's key with what its operator publishes, then put it into known_hosts_file"
            }
            Self::NotFound { .. } => {
                "create the repository, or correct exporters.git.remote, or let the credentials see it"
            }
            Self::Protected { .. } => "use `mode: review`, or let this account push to the branch",
            Self::Raced { .. } | Self::Stopped { .. } => "nothing; it is tried again by itself",
            Self::DiskFull { .. } => "free space on the disk that is named; it is tried again by itself",
            Self::Blocked { .. } => {
                "put a plain file or folder where the message says, or choose another path or layout; it is tried again by itself"
            }
            Self::State { .. } => "see the message; the state's branch has its own history",
            Self::Decision(_) => "see the message",
            Self::Failed { .. } => "see what git said; it is tried again by itself",
        }
    }

    /// Whether the cache may be what is wrong.
    pub(super) const fn may_be_the_cache(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::DiskFull { .. })
    }

    /// Whether a full disk below the cache may be behind it: git does not always say why it could not
    /// write.
    pub(super) const fn may_be_a_full_disk(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Cache { .. })
    }

    /// The error that git's words speak of.
    pub(super) fn of(remote: &str, verb: &str, stderr: &str) -> Self {
        let (remote, detail) = (remote.to_owned(), telling_line(stderr));
        let says = |words: &[&str]| words.iter().any(|words| stderr.contains(words));
        if says(&["No space left on device", "Disk quota exceeded", "out of disk space", "Out of diskspace"])
        {
            Self::DiskFull { remote, detail }
        } else if says(&["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED"]) {
            Self::HostKey { remote, detail }
        } else if says(UNAUTHORIZED) {
            Self::Unauthorized { remote, detail }
        } else if says(NOT_FOUND) {
            Self::NotFound { remote, detail }
        } else if says(UNREACHABLE) {
            Self::Unreachable { remote, detail }
        } else {
            Self::Failed { remote, verb: verb.to_owned(), detail }
        }
    }
}

const UNAUTHORIZED: &[&str] = &[
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "terminal prompts disabled",
    "Permission denied (",
    "The requested URL returned error: 401",
    "The requested URL returned error: 403",
    "HTTP Basic: Access denied",
];

const NOT_FOUND: &[&str] = &[
    "does not appear to be a git repository",
    "' not found",
    "Repository not found",
    "The requested URL returned error: 404",
    "does not exist",
];

const UNREACHABLE: &[&str] = &[
    "Could not resolve host",
    "Failed to connect",
    "Couldn't connect to server",
    "Connection refused",
    "Connection timed out",
    "Connection reset",
    "Could not connect to server",
    "Network is unreachable",
    "No route to host",
    "Operation too slow",
    "The requested URL returned error: 5",
    "early EOF",
    "unexpected disconnect",
    "the remote end hung up unexpectedly",
    "Empty reply from server",
    "Connection closed",
    "gnutls_handshake",
    "SSL_",
    "server certificate",
];

/// The line that says most, short enough for a log.
fn telling_line(stderr: &str) -> String {
    let lines =
        || stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("hint:"));
    let telling = lines()
        .find(|line| line.starts_with("fatal:") || line.starts_with("error:") || line.contains("ERROR:"))
        .or_else(|| lines().next())
        .unwrap_or("no message");
    telling.chars().take(300).collect()
}
