//! `receivers:` what is listened on, with which certificates, and who may be reached there.

use std::net::SocketAddr;

use crate::receivers::{otlp, tls};

use super::raw::{self, Pipeline, Receiver};
use super::resolve::{ResolveError, Resolver, usize_of};
use super::settings::{Listener, ReceiverSettings};

impl Resolver<'_> {
    /// Adds the pipeline to its receivers; what no pipeline before it named is new in `receivers`.
    pub(super) fn receivers(
        &mut self,
        name: &str,
        pipeline: &Pipeline,
        receivers: &mut Vec<ReceiverSettings>,
    ) -> Result<(), ResolveError> {
        let at = ["service", "pipelines", name, "receivers"];
        for (index, id) in pipeline.receivers.iter().enumerate() {
            if !self.raw.receivers.0.contains_key(id) {
                return Err(self.no_such(&at, index, id, "receivers", self.raw.receivers.0.keys()));
            }
            match receivers.iter_mut().find(|receiver| receiver.id == *id) {
                Some(known) if known.pipelines.iter().any(|fed| fed == name) => {
                    return Err(self.invalid(&at, &format!("{id} stands here twice")));
                }
                Some(known) => known.pipelines.push(name.to_owned()),
                None => receivers.push(self.receiver(id, name)?),
            }
            self.used.insert(format!("receivers.{id}"));
        }
        if pipeline.receivers.is_empty() {
            return Err(self.invalid(&at, "a sessions pipeline needs a receiver, such as otlp"));
        }
        Ok(())
    }

    /// A receiver and the first pipeline that it feeds.
    fn receiver(&mut self, id: &str, pipeline: &str) -> Result<ReceiverSettings, ResolveError> {
        let mut limits = otlp::Limits {
            max_message: usize_of(raw::Grpc::default().max_message.0),
            max_body: usize_of(raw::Http::default().max_body.0),
        };
        let (mut insecure, mut found) = (false, Vec::new());
        if let Some(Receiver::Otlp(otlp)) = self.raw.receivers.0.get(id) {
            let both = raw::Protocols { grpc: Some(raw::Grpc::default()), http: Some(raw::Http::default()) };
            let protocols = otlp.protocols.as_ref().unwrap_or(&both);
            if let Some(grpc) = &protocols.grpc {
                limits.max_message = usize_of(grpc.max_message.0);
                found.push(("grpc", grpc.endpoint.0, grpc.tls.clone()));
            }
            if let Some(http) = &protocols.http {
                limits.max_body = usize_of(http.max_body.0);
                found.push(("http", http.endpoint.0, http.tls.clone()));
            }
            insecure = otlp.insecure;
        }
        if found.is_empty() {
            let path = ["receivers", id, "protocols"];
            return Err(self.invalid(&path, "name a protocol here: grpc, http or both"));
        }
        let mut listeners = Vec::new();
        for (protocol, address, tls) in found {
            listeners.push(self.listener(id, insecure, protocol, address, tls)?);
        }
        Ok(ReceiverSettings { id: id.to_owned(), listeners, limits, pipelines: vec![pipeline.to_owned()] })
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
