//! TLS: certificates from files, and new ones while the service runs.
//!
//! Certificates are short-lived, and other programs renew them. A connection keeps the certificate it began with; the
//! next one uses what the files hold by then. If the files are unusable, the log says so and the old certificates
//! stay in force.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::Counters;

/// What a listener's certificates are read from, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The server's certificate and what leads from it to its authority.
    pub cert_file: PathBuf,
    /// The certificate's key.
    pub key_file: PathBuf,
    /// The authorities of clients. If given, a client without a certificate of theirs is refused.
    pub client_ca_file: Option<PathBuf>,
}

/// Why there are no certificates.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read, or is no PEM.
    #[error("{}: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The fault of the file; never its content.
        message: String,
    },
    /// The files do not belong together.
    #[error("{} and {}: {source}", cert_file.display(), key_file.display())]
    Unusable {
        /// The certificate.
        cert_file: PathBuf,
        /// The key.
        key_file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// Why a server that was called cannot be spoken with, however often it is called: its certificate is not trusted, or
/// it speaks no TLS. `None` where another try may do, or the trouble is another.
pub fn lasting_trouble(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // What an I/O error wraps is not among its sources.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let tls = wrapped.and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls.or_else(|| error.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(why)) => {
                return Some(format!(
                    "its certificate is not trusted ({why}): name the authority's file in SSL_CERT_FILE, or add it to \
                     those of the system"
                ));
            }
            Some(rustls::Error::InvalidMessage(_)) => {
                return Some("it does not speak TLS: write http:// if that is meant".to_owned());
            }
            _ => {}
        }
        cause = wrapped.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    None
}

/// A listener's certificates, as they are now. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Certificates {
    now: watch::Receiver<Arc<ServerConfig>>,
    counters: Counters,
}

/// Reads the files again when they have changed.
#[derive(Debug)]
pub struct Renewal {
    config: Config,
    seen: [u8; 32],
    sender: watch::Sender<Arc<ServerConfig>>,
}

/// Reads the files.
///
/// # Errors
/// If one cannot be read or they do not belong together.
pub fn load(config: Config) -> Result<(Certificates, Renewal), Error> {
    let seen = fingerprint(&config);
    let (sender, receiver) = watch::channel(Arc::new(server_config(&config)?));
    Ok((Certificates { now: receiver, counters: Counters::default() }, Renewal { config, seen, sender }))
}

impl Certificates {
    /// The same, with failures counted there.
    #[must_use]
    pub fn counted_by(self, counters: &Counters) -> Self {
        Self { counters: counters.clone(), ..self }
    }

    pub(super) fn failed(&self, reason: &str) {
        tracing::debug!(reason, "a TLS handshake failed");
        self.counters.handshake_failed(reason);
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.now.borrow())
    }
}

impl Renewal {
    /// Takes what the files hold, if that is new. Says whether it was.
    ///
    /// # Errors
    /// If it cannot be used; the old certificates stay.
    pub fn renew(&mut self) -> Result<bool, Error> {
        let seen = fingerprint(&self.config);
        if seen == self.seen {
            return Ok(false);
        }
        // Said once: what is wrong stays wrong until a file changes again.
        self.seen = seen;
        self.sender.send_replace(Arc::new(server_config(&self.config)?));
        Ok(true)
    }
}

fn fingerprint(config: &Config) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for path in [Some(&config.cert_file), Some(&config.key_file), config.client_ca_file.as_ref()] {
        let bytes = path.and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    hasher.finalize().into()
}

fn server_config(config: &Config) -> Result<ServerConfig, Error> {
    let unusable = |source| Error::Unusable {
        cert_file: config.cert_file.clone(),
        key_file: config.key_file.clone(),
        source,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let builder = match &config.client_ca_file {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let failed = |message: String| Error::File { path: path.clone(), message };
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| failed(error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().map_err(|error| failed(error.to_string()))?)
        }
    };
    let key = PrivateKeyDer::from_pem_file(&config.key_file)
        .map_err(|error| Error::File { path: config.key_file.clone(), message: in_words(&error) })?;
    let mut server = builder.with_single_cert(certificates(&config.cert_file)?, key).map_err(unusable)?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(server)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed = |message: String| Error::File { path: path.to_owned(), message };
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| failed(in_words(&error)))?;
    if found.is_empty() {
        return Err(failed("there is no certificate in it".to_owned()));
    }
    Ok(found)
}

/// Without what the file holds, which may be a key.
fn in_words(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error as Pem;
    match error {
        Pem::Io(error) => format!("cannot be read: {error}"),
        Pem::NoItemsFound => "holds nothing of the kind".to_owned(),
        _ => "is not PEM".to_owned(),
    }
}
