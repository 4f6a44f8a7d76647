//! `receivers:` what is listened on, with which certificates, and who may be reached there.

use std::net::SocketAddr;

use http::HeaderName;

use crate::dialects::{Pattern, TRANSCRIPTS};
use crate::receivers::{cors, otlp, tls};

use super::raw::{self, Pipeline, Receiver};
use super::resolver::{ResolveError, Resolver, usize_of};
use super::settings::{Doors, Listener, ReceiverSettings, TranscriptSettings};

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
                None => {
                    let receiver = self.receiver(id, name, pipeline, receivers)?;
                    receivers.push(receiver);
                }
            }
            self.used.insert(format!("receivers.{id}"));
        }
        if pipeline.receivers.is_empty() {
            return Err(self.invalid(&at, "a sessions pipeline needs a receiver, such as otlp"));
        }
        Ok(())
    }

    /// A receiver and the first pipeline that it feeds.
    fn receiver(
        &mut self,
        id: &str,
        name: &str,
        pipeline: &Pipeline,
        known: &[ReceiverSettings],
    ) -> Result<ReceiverSettings, ResolveError> {
        let doors = match self.raw.receivers.0.get(id) {
            Some(Receiver::Langfuse(raw::Langfuse { endpoint })) => Doors::Langfuse(endpoint.clone()),
            Some(Receiver::Hooks(raw::Hooks { endpoint })) => Doors::Hooks(endpoint.clone()),
            Some(Receiver::Transcripts(transcripts)) => {
                Doors::Transcripts(self.transcripts(id, transcripts)?)
            }
            Some(Receiver::Otlp(_)) | None => Doors::Otlp,
        };
        let (listeners, limits) = match &doors {
            Doors::Otlp => self.otlp(id)?,
            Doors::Transcripts(_) => (Vec::new(), self.limits_of(id)),
            Doors::Langfuse(host) | Doors::Hooks(host) => {
                let refused = |message: &str| Err(self.invalid(&["receivers", id, "endpoint"], message));
                if let Some(other) = known.iter().find(|other| other.doors == doors) {
                    return refused(&format!("{} is served there already", other.id));
                }
                let is_otlp = matches!(self.raw.receivers.0.get(host), Some(Receiver::Otlp(_)));
                if !is_otlp || !pipeline.receivers.contains(host) {
                    let message = "is no OTLP receiver of the same pipeline; name one, such as otlp";
                    let error = self.invalid(&["receivers", id, "endpoint"], &format!("`{host}` {message}"));
                    return Err(self.unless_refused(&["receivers", host], error));
                }
                (Vec::new(), self.limits_of(host))
            }
        };
        Ok(ReceiverSettings { id: id.to_owned(), doors, listeners, limits, pipelines: vec![name.to_owned()] })
    }

    /// Which files of this machine are read.
    fn transcripts(&self, id: &str, raw: &raw::Transcripts) -> Result<TranscriptSettings, ResolveError> {
        if self.raw.extensions.auth.is_some() {
            let message = "whose sessions these are no credential says, where extensions.auth asks for one; \
                           send them with `skillspan import --endpoint`";
            return Err(self.invalid(&["receivers", id], message));
        }
        let known = |name: &String| TRANSCRIPTS.iter().find(|known| known.assistant == name);
        let mut assistants = Vec::new();
        for name in &raw.assistants {
            let Some(known) = known(name) else {
                let all: Vec<&str> = TRANSCRIPTS.iter().map(|known| known.assistant).collect();
                let message = format!(
                    "skillspan knows no session files of `{name}`; it knows those of {}",
                    all.join(", ")
                );
                return Err(self.invalid(&["receivers", id, "assistants"], &message));
            };
            assistants.push(known.assistant);
        }
        let home = self.places.home.clone().ok_or(ResolveError::NoHome)?;
        let data = self.places.data.as_ref().ok_or(ResolveError::NoHome)?;
        Ok(TranscriptSettings {
            assistants,
            since: raw.since.0,
            home,
            memory: data.join("skillspan/imports"),
        })
    }

    /// The listeners and limits of an OTLP receiver.
    fn otlp(&mut self, id: &str) -> Result<(Vec<Listener>, otlp::Limits), ResolveError> {
        let limits = self.limits_of(id);
        let (mut insecure, mut found) = (false, Vec::new());
        if let Some(Receiver::Otlp(otlp)) = self.raw.receivers.0.get(id) {
            let protocols = protocols_of(otlp);
            found.extend(protocols.grpc.map(|grpc| ("grpc", grpc.endpoint.0, grpc.tls, None)));
            found.extend(protocols.http.map(|http| ("http", http.endpoint.0, http.tls, http.cors)));
            insecure = otlp.insecure;
        }
        if found.is_empty() {
            let path = ["receivers", id, "protocols"];
            return Err(self.invalid(&path, "name a protocol here: grpc, http or both"));
        }
        let mut listeners = Vec::new();
        for (protocol, address, tls, cors) in found {
            let cors = cors.map(|cors| self.cors(id, cors)).transpose()?;
            let listener = self.listener(id, insecure, protocol, address, tls)?;
            listeners.push(Listener { cors, ..listener });
        }
        Ok((listeners, limits))
    }

    fn limits_of(&self, id: &str) -> otlp::Limits {
        let protocols = match self.raw.receivers.0.get(id) {
            Some(Receiver::Otlp(otlp)) => protocols_of(otlp),
            _ => raw::Protocols::default(),
        };
        otlp::Limits {
            max_message: usize_of(protocols.grpc.unwrap_or_default().max_message.0),
            max_body: usize_of(protocols.http.unwrap_or_default().max_body.0),
        }
    }

    /// Whether nobody has to show a credential and nobody but this machine's programs can send: then whoever
    /// sends is one person, as long as no second one is named.
    pub(super) fn is_one_persons_machine(&self) -> bool {
        let mut doors = self.raw.receivers.0.values().filter_map(|receiver| match receiver {
            Receiver::Otlp(otlp) => Some(protocols_of(otlp)),
            _ => None,
        });
        let is_of_this_machine = |protocols: raw::Protocols| {
            let grpc = protocols.grpc.as_ref().map(|grpc| (grpc.endpoint.0, grpc.tls.as_ref()));
            let http = protocols.http.as_ref().map(|http| (http.endpoint.0, http.tls.as_ref()));
            grpc.into_iter().chain(http).all(|(address, tls)| {
                address.ip().is_loopback() && tls.is_none_or(|tls| tls.client_ca_file.is_none())
            })
        };
        self.raw.extensions.auth.is_none() && doors.all(is_of_this_machine)
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
                let error = self.invalid(
                    &["receivers", id, "protocols", protocol, "endpoint"],
                    "anyone who reaches this address could write sessions: listen on 127.0.0.1, write extensions.auth, or say `insecure: true` in the receiver",
                );
                let error = self.unless_refused(&["extensions", "auth"], error);
                return Err(self.unless_refused(&["receivers", id, "protocols", protocol, "tls"], error));
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
        Ok(Listener { path, protocol, address, tls, cors: None })
    }

    fn cors(&mut self, id: &str, raw: raw::Cors) -> Result<cors::Config, ResolveError> {
        let at = |key| ["receivers", id, "protocols", "http", "cors", key];
        let raw::Cors { allowed_origins, allowed_headers, max_age } = raw;
        if allowed_origins.is_empty() {
            return Err(self.invalid(&at("allowed_origins"), "name the origins of the pages that may send"));
        }
        let origins: Result<Vec<Pattern>, &String> =
            allowed_origins.iter().map(|origin| origins_like(origin).ok_or(origin)).collect();
        let origins = origins.map_err(|origin| {
            let message = format!("expected an origin such as https://app.example.com, found `{origin}`");
            self.invalid(&at("allowed_origins"), &message)
        })?;
        let headers: Result<Vec<HeaderName>, _> = allowed_headers.iter().map(|name| name.parse()).collect();
        let Ok(allowed_headers) = headers else {
            return Err(self.invalid(&at("allowed_headers"), "expected names of HTTP headers"));
        };
        if allowed_origins.iter().any(|origin| origin == "*") && self.raw.extensions.auth.is_none() {
            self.warnings.push(format!(
                "receivers.{id}.protocols.http.cors: every web page that a browser on this machine opens can \
                 write sessions; name the pages, or ask for a credential with extensions.auth"
            ));
        }
        Ok(cors::Config { allowed_origins: origins, allowed_headers, max_age: max_age.0 })
    }
}

/// Origins as a Collector's configuration names them: with at most one `*`.
fn origins_like(text: &str) -> Option<Pattern> {
    let has_host = || text.split_once("://").is_some_and(|(_, host)| !host.contains('/'));
    let is_one = text.matches('*').count() <= 1 && (text == "*" || has_host());
    Pattern::parse(text).ok().filter(|_| is_one)
}

/// Both protocols where the file names none.
fn protocols_of(otlp: &raw::Otlp) -> raw::Protocols {
    let both = || raw::Protocols { grpc: Some(raw::Grpc::default()), http: Some(raw::Http::default()) };
    otlp.protocols.clone().unwrap_or_else(both)
}
