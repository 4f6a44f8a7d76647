//! Where a repository is, and what opens it.

use std::fmt;
use std::path::PathBuf;

use crate::secret::Secret;

/// A remote's address, without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    url: String,
    protocol: Protocol,
}

/// How the remote is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Https,
    Ssh,
    File,
}

/// What opens the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Nothing.
    #[default]
    Open,
    /// HTTP Basic.
    Token {
        /// What the host asks for beside the token.
        username: String,
        /// The token.
        token: Secret,
    },
    /// An SSH key.
    Key {
        /// The private key; not protected by a passphrase.
        key_file: PathBuf,
        /// The host's public keys, as `ssh-keyscan` prints them.
        known_hosts_file: PathBuf,
    },
}

/// An address that cannot be used. Never says the address: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Another protocol, or none.
    #[error("expected https://, ssh://, user@host:path or file://")]
    Protocol,
    /// A password in the address.
    #[error("a password does not belong in the address; write it in auth.token")]
    Password,
    /// Plain HTTP to another machine.
    #[error("http:// is for this machine only; use https://")]
    PlainHttp,
    /// The key for another protocol.
    #[error("auth.token needs https://, auth.key_file needs ssh")]
    Auth,
}

impl Remote {
    /// Checks an address.
    pub fn parse(url: &str) -> Result<Self, RemoteError> {
        if url.chars().any(|char| char.is_whitespace() || char.is_control()) || url.starts_with('-') {
            return Err(RemoteError::Protocol);
        }
        let protocol = match url.split_once("://") {
            Some(("https", rest)) => host_without_user(rest).map(|_| Protocol::Https)?,
            Some(("http", rest)) => {
                let host = host_without_user(rest)?;
                let is_local = ["127.0.0.1", "localhost", "[::1]"]
                    .iter()
                    .any(|local| host == *local || host.starts_with(&format!("{local}:")));
                if !is_local {
                    return Err(RemoteError::PlainHttp);
                }
                Protocol::Http
            }
            Some(("ssh", rest)) => {
                let authority = rest.split('/').next().unwrap_or_default();
                let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
                if user.contains(':') {
                    return Err(RemoteError::Password);
                }
                if authority.is_empty() || authority.starts_with('-') {
                    return Err(RemoteError::Protocol);
                }
                Protocol::Ssh
            }
            Some(("file", _)) => Protocol::File,
            Some(_) => return Err(RemoteError::Protocol),
            None if is_scp_like(url) => Protocol::Ssh,
            None => return Err(RemoteError::Protocol),
        };
        Ok(Self { url: url.to_owned(), protocol })
    }

    /// Whether these credentials are of use there.
    pub fn takes(&self, auth: &Auth) -> Result<(), RemoteError> {
        let fits = match auth {
            Auth::Open => true,
            Auth::Token { .. } => matches!(self.protocol, Protocol::Http | Protocol::Https),
            Auth::Key { .. } => self.protocol == Protocol::Ssh,
        };
        if fits { Ok(()) } else { Err(RemoteError::Auth) }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) const fn protocol(&self) -> Protocol {
        self.protocol
    }
}

impl Protocol {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ssh => "ssh",
            Self::File => "file",
        }
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// The host and port; a user in an HTTP address is as good as a password.
fn host_without_user(rest: &str) -> Result<&str, RemoteError> {
    let authority = rest.split('/').next().unwrap_or_default();
    match authority {
        "" => Err(RemoteError::Protocol),
        authority if authority.contains('@') => Err(RemoteError::Password),
        authority => Ok(authority),
    }
}

/// `git@host:team/skills.git`
fn is_scp_like(url: &str) -> bool {
    url.split_once(':').is_some_and(|(host, path)| {
        host.contains('@') && !host.contains('/') && !path.is_empty() && !path.starts_with("//")
    })
}

#[cfg(test)]
mod tests {
    use super::{Auth, Remote, RemoteError, Secret};

    #[test]
    fn addresses_are_checked_and_passwords_refused() {
        for good in [
            "https://git.example.com/team/skills.git",
            "http://127.0.0.1:8080/skills.git",
            "ssh://git@git.example.com:22/team/skills.git",
            "git@git.example.com:team/skills.git",
            "file:///srv/skills.git",
        ] {
            assert_eq!(Remote::parse(good).unwrap().to_string(), good);
        }
        for (bad, error) in [
            ("https://user:secret@git.example.com/x.git", RemoteError::Password),
            ("https://secret@git.example.com/x.git", RemoteError::Password),
            ("ssh://user:secret@git.example.com/x.git", RemoteError::Password),
            ("http://git.example.com/x.git", RemoteError::PlainHttp),
            ("http://127.0.0.1.example.com/x.git", RemoteError::PlainHttp),
            ("ext::sh -c id", RemoteError::Protocol),
            ("git://git.example.com/x.git", RemoteError::Protocol),
            ("ssh://-oProxyCommand=id/x", RemoteError::Protocol),
            ("--upload-pack=id", RemoteError::Protocol),
            ("/srv/skills.git", RemoteError::Protocol),
        ] {
            assert_eq!(Remote::parse(bad).unwrap_err(), error, "{bad}");
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        let auth = Auth::Token { username: "x".into(), token: Secret::new("marker-123") };
        assert!(!format!("{auth:?}").contains("marker"));
    }
}
