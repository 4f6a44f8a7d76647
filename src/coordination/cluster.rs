//! The API server of a cluster, as a pod reaches it: over HTTPS with the files of its service account.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

use super::Error;
use super::lease::{Lease, LeaseApi, Listed, Put};
use crate::event::Timestamp;

/// Where a pod finds its service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// An API server that takes longer is of no use: the next beat asks again.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most characters of its answer that are shown.
const MOST_TOLD: usize = 300;

/// The Leases of a pod's namespace.
#[derive(Debug)]
pub struct Cluster {
    client: Client,
    /// `https://10.0.0.1/apis/coordination.k8s.io/v1/namespaces/<namespace>/leases`
    leases: Url,
    /// Read for every request: the cluster replaces it every hour.
    token: PathBuf,
}

#[derive(Deserialize)]
struct LeaseList {
    items: Vec<Lease>,
}

/// What the server says of a refusal.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    message: String,
}

impl Cluster {
    /// The cluster that this process's pod runs in.
    ///
    /// # Errors
    /// If the process runs in no pod, or its service account has no token there.
    pub fn of_this_pod() -> Result<Self, Error> {
        let variable = |name: &str| {
            let missing = |_| Error::NotInAPod { what: format!("the environment has no {name}") };
            std::env::var(name).map_err(missing)
        };
        let (host, port) = (variable("KUBERNETES_SERVICE_HOST")?, variable("KUBERNETES_SERVICE_PORT_HTTPS")?);
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        Self::at(&format!("https://{host}:{port}"), Path::new(ACCOUNT))
    }

    /// A cluster at a URL, with the files `token`, `namespace` and, for https, `ca.crt` of `account`.
    ///
    /// # Errors
    /// If a file is missing or cannot be used.
    pub fn at(url: &str, account: &Path) -> Result<Self, Error> {
        // An earlier caller has installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let namespace = read(&account.join("namespace"))?;
        let token = account.join("token");
        read(&token)?;
        let mut builder = Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            // The token goes nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("skillspan/", env!("CARGO_PKG_VERSION")));
        if url.starts_with("https://") {
            let path = account.join("ca.crt");
            let certificates = Certificate::from_pem_bundle(read(&path)?.as_bytes());
            let certificates = certificates.ok().filter(|found| !found.is_empty());
            let reason = "there is no certificate in it".to_owned();
            builder = builder.tls_certs_only(certificates.ok_or(Error::File { path, reason })?);
        }
        let path = format!("{url}/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let leases =
            Url::parse(&path).map_err(|_| Error::NotInAPod { what: format!("{url} is no address") })?;
        Ok(Self { client: builder.build().map_err(Error::Unreachable)?, leases, token })
    }

    fn request(&self, method: Method, name: &str) -> Result<RequestBuilder, Error> {
        let mut url = self.leases.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(name);
        }
        Ok(self.client.request(method, url).bearer_auth(read(&self.token)?))
    }

    async fn write(
        &self,
        operation: &'static str,
        request: RequestBuilder,
        lease: Option<&Lease>,
    ) -> Result<Put, Error> {
        let request = match lease.map(serde_json::to_vec).transpose() {
            Ok(None) => request,
            Ok(Some(body)) => request.header(CONTENT_TYPE, "application/json").body(body),
            Err(error) => return Err(Error::Answer { operation, reason: error.to_string() }),
        };
        let response = request.send().await.map_err(unreachable)?;
        match response.status() {
            StatusCode::CONFLICT => Ok(Put::Conflict),
            StatusCode::NOT_FOUND => Ok(Put::Gone),
            status if status.is_success() => Ok(Put::Done),
            _ => Err(refused(operation, response).await),
        }
    }

    async fn read_all(&self, label: &str, value: &str) -> Result<Listed, Error> {
        const LIST: &str = "list";
        let mut url = self.leases.clone();
        url.query_pairs_mut().append_pair("labelSelector", &format!("{label}={value}"));
        let response =
            self.client.get(url).bearer_auth(read(&self.token)?).send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(refused(LIST, response).await);
        }
        let body = response.bytes().await.map_err(unreachable)?;
        let answer = |error: serde_json::Error| Error::Answer { operation: LIST, reason: error.to_string() };
        let list: LeaseList = serde_json::from_slice(&body).map_err(answer)?;
        let now = u64::try_from(Timestamp::now().as_micros() / 1_000_000).unwrap_or_default();
        Ok(Listed { leases: list.items, now })
    }
}

impl LeaseApi for Cluster {
    fn list<'a>(&'a self, label: &'a str, value: &'a str) -> BoxFuture<'a, Result<Listed, Error>> {
        Box::pin(self.read_all(label, value))
    }

    fn create<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Put, Error>> {
        Box::pin(async move {
            let request = self.client.post(self.leases.clone()).bearer_auth(read(&self.token)?);
            self.write("create", request, Some(lease)).await
        })
    }

    fn replace<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Put, Error>> {
        Box::pin(async move {
            let request = self.request(Method::PUT, &lease.metadata.name)?;
            self.write("update", request, Some(lease)).await
        })
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Put, Error>> {
        Box::pin(async move { self.write("delete", self.request(Method::DELETE, name)?, None).await })
    }
}

fn read(path: &Path) -> Result<String, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::NotInAPod { what: format!("there is no {}", path.display()) },
        _ => Error::File { path: path.to_owned(), reason: error.to_string() },
    })?;
    Ok(text.trim().to_owned())
}

/// The address says nothing that the environment does not.
fn unreachable(error: reqwest::Error) -> Error {
    Error::Unreachable(error.without_url())
}

async fn refused(operation: &'static str, response: Response) -> Error {
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap_or_default();
    let said: Status = serde_json::from_slice(&body).unwrap_or_default();
    let message: String = said.message.chars().filter(|char| !char.is_control()).take(MOST_TOLD).collect();
    Error::Refused { operation, status, message }
}
