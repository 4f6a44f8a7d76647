//! Where a table is, and the store that leads there.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};
use thiserror::Error;

use super::OpenError;

/// Where a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A bucket of an object store, or a part of one.
    Bucket(Bucket),
}

/// A bucket, and the prefix in it under which the table lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    provider: Provider,
    name: String,
    prefix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    /// `s3://`: Amazon's, or any that speaks its protocol.
    S3,
    /// `gs://`
    Gcs,
    /// `az://`
    Azure,
}

/// Why a text names no location.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum LocationError {
    /// Nothing is written.
    #[error("the path is empty")]
    Empty,
    /// It is a URL of a kind that holds no table.
    #[error("a table cannot be at {scheme}://; known are s3://, gs://, az:// and folders")]
    Scheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// The URL has no bucket.
    #[error("{url} names no bucket")]
    NoBucket {
        /// The URL.
        url: String,
    },
    /// Some store does not accept the prefix.
    #[error("{url} has a prefix that no store can hold: {reason}")]
    Prefix {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Location {
    /// Reads `s3://bucket/prefix`, `gs://…`, `az://container/prefix` or a folder's path.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let folder = (!text.is_empty()).then(|| Self::Folder(text.into()));
            return folder.ok_or(LocationError::Empty);
        };
        let provider = match scheme {
            "s3" => Provider::S3,
            "gs" => Provider::Gcs,
            "az" => Provider::Azure,
            other => return Err(LocationError::Scheme { scheme: other.to_owned() }),
        };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.is_empty() {
            return Err(LocationError::NoBucket { url: text.to_owned() });
        }
        let prefix = prefix.trim_matches('/').to_owned();
        object_store::path::Path::parse(&prefix)
            .map_err(|error| LocationError::Prefix { url: text.to_owned(), reason: error.to_string() })?;
        Ok(Self::Bucket(Bucket { provider, name: name.to_owned(), prefix }))
    }
}

impl From<PathBuf> for Location {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl From<&Path> for Location {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket(bucket) => bucket.fmt(f),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.provider {
            Provider::S3 => "s3",
            Provider::Gcs => "gs",
            Provider::Azure => "az",
        };
        write!(f, "{scheme}://{}", self.name)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

/// A file has at most 64 MiB, so a slow line still moves one within this.
const REQUEST_TIMEOUT: &str = "120s";
const CONNECT_TIMEOUT: &str = "5s";

/// Requests that cannot succeed (4xx, but for 408 and 429) are not repeated; a create-only PUT is not
/// repeated after a time-out either, because it may have succeeded: its caller asks first. Short,
/// because whoever writes tries for ever and whoever reads would rather be told.
fn retries() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: 4, retry_timeout: Duration::from_secs(30) }
}

impl Bucket {
    /// The store, which has not been asked anything yet. Credentials and endpoints come from where the
    /// provider's own tools look: the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`), files that it names,
    /// and the instance's or workload's identity.
    ///
    /// # Errors
    /// If the environment does not say how to reach it.
    pub fn store(&self) -> Result<Arc<dyn ObjectStore>, OpenError> {
        self.connect().map_err(|source| OpenError::Store { table: self.to_string(), source })
    }

    fn connect(&self) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
        // An earlier caller has installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store: Arc<dyn ObjectStore> = match self.provider {
            Provider::S3 => Arc::new(
                AmazonS3Builder::from_env()
                    .with_bucket_name(&self.name)
                    .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), REQUEST_TIMEOUT)
                    .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout), CONNECT_TIMEOUT)
                    .with_retry(retries())
                    .build()?,
            ),
            Provider::Gcs => Arc::new(
                GoogleCloudStorageBuilder::from_env()
                    .with_bucket_name(&self.name)
                    .with_config(GoogleConfigKey::Client(ClientConfigKey::Timeout), REQUEST_TIMEOUT)
                    .with_config(GoogleConfigKey::Client(ClientConfigKey::ConnectTimeout), CONNECT_TIMEOUT)
                    .with_retry(retries())
                    .build()?,
            ),
            Provider::Azure => Arc::new(
                MicrosoftAzureBuilder::from_env()
                    .with_container_name(&self.name)
                    .with_config(AzureConfigKey::Client(ClientConfigKey::Timeout), REQUEST_TIMEOUT)
                    .with_config(AzureConfigKey::Client(ClientConfigKey::ConnectTimeout), CONNECT_TIMEOUT)
                    .with_retry(retries())
                    .build()?,
            ),
        };
        if self.prefix.is_empty() {
            return Ok(store);
        }
        Ok(Arc::new(PrefixStore::new(store, self.prefix.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_folders_and_buckets_and_refuses_the_rest_by_name() {
        assert_eq!(Location::parse("/var/lib/t"), Ok(Location::Folder("/var/lib/t".into())));
        for url in ["s3://b", "s3://b/team/sessions", "gs://b/x", "az://c/x"] {
            let location = Location::parse(url).unwrap();
            assert!(matches!(location, Location::Bucket(_)));
            assert_eq!(location.to_string(), url);
        }
        assert_eq!(Location::parse("s3://b/x/").unwrap().to_string(), "s3://b/x");
        for (text, message) in [
            ("", "the path is empty"),
            ("ftp://x", "a table cannot be at ftp://; known are s3://, gs://, az:// and folders"),
            ("s3:///x", "s3:///x names no bucket"),
        ] {
            assert_eq!(Location::parse(text).unwrap_err().to_string(), message);
        }
        assert!(matches!(Location::parse("s3://b/../x"), Err(LocationError::Prefix { .. })));
    }
}
