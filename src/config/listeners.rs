//! `receivers:` what is listened on, with which certificates, and who may be reached there.

use std::net::SocketAddr;

use crate::receivers::{otlp, tls};

use super::raw::{self, Pipeline, Receiver};
use super::resolve::{ResolveError, Resolver, usize_of};
use super::settings::Listener;

/// What a sessions pipeline takes requests by.
pub(super) struct Doors {
    pub(super) listeners: Vec<Listener>,
    pub(super) limits: otlp::Limits,
    pub(super) hooks: bool,
    pub(super) langfuse: bool,
}

impl Resolver<'_> {
    pub(super) fn listeners(&mut self, name: &str, pipeline: &Pipeline) -> Result<Doors, ResolveError> {
        let at = ["service", "pipelines", name, "receivers"];
        let mut listeners = Vec::new();
        let mut hooks = false;
        let mut langfuse = false;
        let mut limits = otlp::Limits {
            max_message: usize_of(raw::Grpc::default().max_message.0),
            max_body: usize_of(raw::Http::default().max_body.0),
        };
        for (index, id) in pipeline.receivers.iter().enumerate() {
            let otlp = match self.raw.receivers.0.get(id) {
                Some(Receiver::Otlp(otlp)) => otlp,
                Some(Receiver::Hooks(raw::Hooks { endpoint })) => {
                    self.served_by(id, endpoint, pipeline)?;
                    self.used.insert(format!("receivers.{id}"));
                    hooks = true;
                    continue;
                }
                Some(Receiver::Langfuse(raw::Langfuse { endpoint })) => {
                    self.served_by(id, endpoint, pipeline)?;
                    self.used.insert(format!("receivers.{id}"));
                    langfuse = true;
                    continue;
                }
                None => return Err(self.no_such(&at, index, id, "receivers", self.raw.receivers.0.keys())),
            };
            let both = raw::Protocols { grpc: Some(raw::Grpc::default()), http: Some(raw::Http::default()) };
            let protocols = otlp.protocols.as_ref().unwrap_or(&both);
            let mut found = Vec::new();
            if let Some(grpc) = &protocols.grpc {
                limits.max_message = usize_of(grpc.max_message.0);
                found.push(("grpc", grpc.endpoint.0, grpc.tls.clone()));
            }
            if let Some(http) = &protocols.http {
                limits.max_body = usize_of(http.max_body.0);
                found.push(("http", http.endpoint.0, http.tls.clone()));
            }
            let insecure = otlp.insecure;
            let path = ["receivers", id, "protocols"];
            if found.is_empty() {
                return Err(self.invalid(&path, "name a protocol here: grpc, http or both"));
            }
            for (protocol, address, tls) in found {
                let listener = self.listener(id, insecure, protocol, address, tls)?;
                listeners.push(listener);
            }
            self.used.insert(format!("receivers.{id}"));
        }
        if listeners.is_empty() {
            return Err(self.invalid(&at, "a sessions pipeline needs a receiver, such as otlp"));
        }
        Ok(Doors { listeners, limits, hooks, langfuse })
    }

    /// A receiver without ports of its own is served on those of an OTLP receiver of its pipeline.
    fn served_by(&self, id: &str, endpoint: &str, pipeline: &Pipeline) -> Result<(), ResolveError> {
        let is_otlp = matches!(self.raw.receivers.0.get(endpoint), Some(Receiver::Otlp(_)));
        if is_otlp && pipeline.receivers.iter().any(|other| other == endpoint) {
            return Ok(());
        }
        let message =
            format!("`{endpoint}` is no OTLP receiver of the same pipeline; name one, such as otlp");
        Err(self.invalid(&["receivers", id, "endpoint"], &message))
    }

    fn listener(
        &mut self,
        id: &str,
        insecure: bool,
        protocol: &'static str,
        address: SocketAddr,
        tls: Option<raw::Tls>,
    ) -> Result<Listener, ResolveError> {
        let authenticated = self.raw.extensions.auth.is_some()
            || tls.as_ref().is_some_and(|tls| tls.client_ca_file.is_some());
        let path = format!("receivers.{id}.protocols.{protocol}.endpoint");
        if !address.ip().is_loopback() {
            if !authenticated && !insecure {
                return Err(self.invalid(
                    &["receivers", id, "protocols", protocol, "endpoint"],
                    "anyone who reaches this address could write sessions: listen on 127.0.0.1, write extensions.auth, or say `insecure: true` in the receiver",
                ));
            }
            if tls.is_none() {
                self.warnings.push(format!(
                    "{path}: without `tls`, sessions and tokens cross the network in clear text"
                ));
            }
        }
        let tls = match tls {
            None => None,
            Some(raw::Tls { cert_file, key_file, client_ca_file }) => {
                let at = |key| ["receivers", id, "protocols", protocol, "tls", key];
                let client_ca_file = match client_ca_file {
                    Some(file) => Some(self.local_path(Some(file), "", &at("client_ca_file"))?),
                    None => None,
                };
                Some(tls::Config {
                    cert_file: self.local_path(Some(cert_file), "", &at("cert_file"))?,
                    key_file: self.local_path(Some(key_file), "", &at("key_file"))?,
                    client_ca_file,
                })
            }
        };
        Ok(Listener { path, protocol, address, tls })
    }
}
